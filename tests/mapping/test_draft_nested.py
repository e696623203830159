"""Drafts of documents: blocks, likes and interests in lists within the row of a member."""

import csv
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.errors import SourceError
from recsys.mapping import Mapping, check_mapping, map_tables
from recsys.mapping.draft import draft_mapping
from recsys.mapping.values import band_of_age

SECRET = b"0123456789abcdef0123"
_PEOPLE = 60


def _member(ids: list[str], n: int, id_of: Callable[[str], Any], field: str) -> dict[str, Any]:
    """Return one document: a member, three whom they like, and every fourth one whom they block."""
    others = {k: id_of(ids[(n + k) % _PEOPLE]) for k in (1, 2, 3, 7)}
    return {
        "_id": id_of(ids[n]),
        "birth_date": f"19{60 + n % 40}-05-1{n % 9}",
        "safety": {"blocked": [{field: others[7], "at": "2026-05-01T10:00:00Z"}] if n % 4 == 0 else []},
        "likes": [{field: others[k], "at": f"2026-05-0{k}T10:00:00Z"} for k in (1, 2, 3)],
        "hobbies": [{"name": ["chess", "hiking", "tea"][n % 3], "level": 2}],
    }


def _as_json_lines(folder: Path, members: list[dict[str, Any]]) -> None:
    (folder / "users.jsonl").write_text("\n".join(map(json.dumps, members)))


def _as_texts(folder: Path, members: list[dict[str, Any]]) -> None:
    """Write a table whose lists are texts of JSON, as a dump of a database writes them."""
    flat = [
        {**one, "blocked": one["safety"]["blocked"]} | {"safety": None} for one in members
    ]  # a column of lists by itself
    names = [name for name in flat[0] if name != "safety"]
    with (folder / "users.csv").open("w", newline="", encoding="utf-8") as file:
        rows = [[one[name] if isinstance(one[name], str) else json.dumps(one[name]) for name in names]
                for one in flat]  # fmt: skip
        csv.writer(file).writerows([names, *rows])


@pytest.mark.parametrize("field", ["user", "to", "member_id", "u"])
@pytest.mark.parametrize(
    ("write", "id_of"),
    [
        (_as_json_lines, lambda one: one),
        (_as_json_lines, lambda one: {"$oid": one}),
        (_as_json_lines, lambda one: int(one, 16) % 10**12),
        (_as_texts, lambda one: one),
    ],
)
def test_blocks_likes_and_interests_in_lists_are_drafted(
    write: Callable[..., None], id_of: Callable[[str], Any], field: str, tmp_path: Path
) -> None:
    """Seen to fail: nothing was said of lists of objects, so a block in one restricted nobody."""
    rng = np.random.default_rng(1)
    ids = [f"{int(one):024x}" for one in rng.integers(1 << 60, size=_PEOPLE)]
    (tmp_path / "export").mkdir()
    write(tmp_path / "export", [_member(ids, n, id_of, field) for n in range(_PEOPLE)])
    draft = draft_mapping("../export", as_of=datetime(2026, 6, 1, tzinfo=UTC), folder=tmp_path / "draft")
    found = check_mapping(Mapping.read(draft.write(tmp_path / "draft")), secret=SECRET)
    accepted = found.loaded.accepted
    assert (len(accepted["profiles"]), len(accepted["events"])) == (_PEOPLE, 3 * _PEOPLE)
    assert set(accepted["events"]["type"]) == {"like"}
    assert set(accepted["events"]["ts"].dt.day) == {1, 2, 3}
    ids_of = [str(one["$oid"] if isinstance(one := id_of(name), dict) else one) for name in ids]
    blocks = accepted["blocks"]
    pairs = set(zip(blocks["actor"], blocks["target"], strict=True))
    assert pairs == {(ids_of[n], ids_of[(n + 7) % _PEOPLE]) for n in range(0, _PEOPLE, 4)}
    assert set(accepted["interests"]["tag"]) == {"go_shogi", "hiking", "tea"}


def test_ids_listed_under_the_name_of_an_event_are_drafted(tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    members = [
        {"_id": f"m{n:03}", "birth_date": "1980-05-11", "liked": [f"m{(n + k) % 40:03}" for k in (1, 2)]}
        for n in range(40)
    ]
    _as_json_lines(tmp_path / "export", members)
    draft = draft_mapping("../export", folder=tmp_path / "draft")
    found = check_mapping(Mapping.read(draft.write(tmp_path / "draft")), secret=SECRET)
    assert len(found.loaded.accepted["events"]) == 80


@pytest.mark.parametrize("unit", ["s", "ms", "us"])
@pytest.mark.parametrize("name", ["birthDate", "date_of_birth"])
def test_births_in_numbers_since_1970_are_drafted_with_their_unit(
    unit: str, name: str, tmp_path: Path
) -> None:
    """Seen to fail: of births in milliseconds those of before 1970 were no dates and had no draft."""
    born = [datetime(1945 + n % 60, 1 + n % 12, 15, tzinfo=UTC) for n in range(_PEOPLE)]
    size = {"s": 1, "ms": 10**3, "us": 10**6}[unit]
    with (tmp_path / "users.csv").open("w", newline="", encoding="utf-8") as file:
        rows = [[f"m{n}", int(at.timestamp()) * size] for n, at in enumerate(born)]
        csv.writer(file).writerows([["id", name], *rows])
    home = tmp_path / "home"
    as_of = datetime(2026, 11, 28, 12, tzinfo=UTC)
    draft = draft_mapping("../users.csv", as_of=as_of, folder=home)
    assert f", '{unit}') AS age_band" in (draft.write(home) / "profiles.sql").read_text(encoding="utf-8")
    remarks = check_mapping(Mapping.read(home), secret=SECRET).tables.remarks
    assert remarks.calls["age_band"] == _PEOPLE
    assert not any(function == "age_band" for function, _ in remarks.counts)


_OF_2001 = 978_307_200


def _core_data(file: Path, born: list[datetime], seen: datetime) -> None:
    """Write a store as Core Data does, with seconds since 2001."""
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE Z_PRIMARYKEY (Z_ENT INTEGER PRIMARY KEY, Z_NAME VARCHAR)")
        database.execute("CREATE TABLE ZMEMBER (Z_PK INTEGER, ZBIRTHDATE TIMESTAMP, ZLASTSEEN TIMESTAMP)")
        rows = [(n, at.timestamp() - _OF_2001, seen.timestamp() - _OF_2001) for n, at in enumerate(born)]
        database.executemany("INSERT INTO ZMEMBER VALUES (?, ?, ?)", [*rows, (len(rows), None, None)])
        database.commit()


@pytest.mark.parametrize("youngest", [10, 17, 18, 30])
def test_moments_of_core_data_count_from_2001(youngest: int, tmp_path: Path) -> None:
    """Seen to fail: everybody was 31 years older, so that children were drafted as adults of 45 to 54."""
    seen = datetime(2026, 11, 27, tzinfo=UTC)
    born = [datetime(2026 - youngest - n % 40, 1 + n % 10, 15, tzinfo=UTC) for n in range(_PEOPLE)]
    _core_data(tmp_path / "club.sqlite", born, seen)
    home = tmp_path / "home"
    draft_mapping("../club.sqlite", as_of=seen, folder=home).write(home)
    sql = (home / "profiles.sql").read_text(encoding="utf-8")
    assert "ZBIRTHDATE" not in sql or 'age_band(m."ZBIRTHDATE")' in sql
    text = (
        'SELECT CAST("Z_PK" AS VARCHAR) AS user_id, age_band("ZBIRTHDATE") AS age_band, '
        'activity(utc("ZLASTSEEN")) AS activity FROM ZMEMBER WHERE "ZBIRTHDATE" IS NOT NULL'
    )
    (home / "profiles.sql").write_text(text, encoding="utf-8")
    rows = map_tables(Mapping.read(home), secret=SECRET).tables["profiles"].set_index("user_id")
    bands = ENUMERATIONS["age_band"].words
    want = {str(n): band_of_age(2026 - at.year, bands)[0] for n, at in enumerate(born)}
    assert {one: band if isinstance(band, str) else None for one, band in rows["age_band"].items()} == want
    assert set(rows["activity"]) == {"today"}


def test_numbers_that_make_everybody_old_are_no_birth_dates_since_1970(tmp_path: Path) -> None:
    """Seen to fail: numbers since 2001 in a CSV were drafted as if since 1970."""
    born = [datetime(1985 + n % 23, 1 + n % 12, 15, tzinfo=UTC) for n in range(_PEOPLE)]
    with (tmp_path / "users.csv").open("w", newline="", encoding="utf-8") as file:
        rows = [[f"m{n}", int(at.timestamp()) - _OF_2001, "790000000"] for n, at in enumerate(born)]
        csv.writer(file).writerows([["id", "birth_date", "last_seen"], *rows])
    home = tmp_path / "home"
    as_of = datetime(2026, 11, 28, 12, tzinfo=UTC)
    draft = draft_mapping("../users.csv", as_of=as_of, folder=home)
    assert "-- TODO age_band" in (draft.write(home) / "profiles.sql").read_text(encoding="utf-8")
    text = "SELECT id AS user_id, age_band(birth_date, 's') AS age_band, activity(utc(last_seen)) AS activity"
    (home / "profiles.sql").write_text(f"{text} FROM users", encoding="utf-8")
    report = check_mapping(Mapping.read(home), secret=SECRET).report()
    assert "do they count from another day than 1970" in report
    assert "from which day does it count" in report


@pytest.mark.parametrize("titles", [1, 2, 3])
def test_names_below_a_title_over_several_columns_are_found(titles: int, tmp_path: Path) -> None:
    """Seen to fail: the sheet was refused, and nothing said how it is read."""
    title = [["名簿", "名簿", "名簿"]] * titles
    rows = [[f"m{n:03}", f"19{60 + n % 40}-05-1{n % 9}", f"090-1234-{n:04}"] for n in range(40)]
    with (tmp_path / "members.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([*title, ["会員番号", "生年月日", "電話"], *rows])
    draft = draft_mapping("../members.csv", folder=tmp_path / "draft")
    assert f"header_rows: {titles + 1}" in draft.files["mapping.yaml"]
    found = check_mapping(Mapping.read(draft.write(tmp_path / "draft")), secret=SECRET)
    assert found.tables.rows_read == {"members": 40}


def test_a_row_of_values_is_never_taken_for_names(tmp_path: Path) -> None:
    with (tmp_path / "members.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["id", "name", "name"], *([n, f"a{n}", f"b{n}"] for n in range(30))])
    with pytest.raises(SourceError, match="two columns of one name"):
        draft_mapping("../members.csv", folder=tmp_path / "draft")


@pytest.mark.parametrize("field", ["banned", "hold", "shadow_ban_until", "note"])
@pytest.mark.parametrize("named", [False, True])
def test_what_no_query_names_within_a_document_is_told(field: str, named: bool, tmp_path: Path) -> None:
    """Seen to fail: a query named `safety.blocked`, and `safety.banned` beside it was nowhere."""
    (tmp_path / "data").mkdir()
    members = [
        {"_id": f"m{n}", "seen": {"_seconds": n}, "safety": {"blocked": [f"m{n + 1}"], field: n % 2 == 0}}
        for n in range(20)
    ]
    _as_json_lines(tmp_path / "data", members)
    (tmp_path / "mapping.yaml").write_text("source: data\nas_of: 2026-06-30T00:00:00Z\nzone: UTC\n")
    (tmp_path / "profiles.sql").write_text(
        "SELECT _id AS user_id, CASE WHEN seen IS NULL THEN 'paused' ELSE 'active' END AS account_state "
        "FROM users" + (f" WHERE safety.{field} IS NOT NULL" if named else "")
    )
    (tmp_path / "boundaries.sql").write_text("SELECT _id AS user_id FROM users")
    (tmp_path / "blocks.sql").write_text(
        "SELECT _id AS actor, unnest(safety.blocked) AS target, as_of() AS ts FROM users"
    )
    unused = map_tables(Mapping.read(tmp_path), secret=SECRET).unused
    assert unused.get("users", ()) == (() if named else (f"safety.{field}",))
