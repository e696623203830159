"""Drafts of members whose columns stand in several tables: joined by the member, and settings in rows."""

import csv
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.mapping import Mapping, map_tables
from recsys.mapping.draft import draft_mapping

_PEOPLE = 60


def _write(folder: Path, name: str, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    folder.mkdir(exist_ok=True)
    with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


def _drafted(tmp_path: Path) -> tuple[dict[str, str], Any]:
    """Return the files of a draft of `export` and the profiles that it gives, by id."""
    draft = draft_mapping("../export", as_of=datetime(2026, 6, 1, tzinfo=UTC), folder=tmp_path / "draft")
    mapped = map_tables(Mapping.read(draft.write(tmp_path / "draft")), secret=b"0123456789abcdef0123")
    return dict(draft.files), mapped.tables["profiles"].set_index("user_id")


@pytest.mark.parametrize("column", ["user_id", "user", "userId", "USER_ID", "member_id", "account"])
@pytest.mark.parametrize("own", ["id", "ID", "pk"])
@pytest.mark.parametrize("seed", range(2))
def test_a_table_joins_by_the_column_that_names_members(
    column: str, own: str, seed: int, tmp_path: Path
) -> None:
    """Seen to fail: a table with running numbers of its own was joined by them, so rows met others."""
    order = np.random.default_rng(seed).permutation(_PEOPLE) + 1
    users = [
        [n, f"19{60 + n % 40}-05-11", f"u{n}@example.org", "MF"[n % 2], "Leeds", 5, "2026-05-01 10:00"]
        for n in range(1, _PEOPLE + 1)
    ]
    header = [own, "birth_date", "email", "gender", "city", "max_distance_km", "last_login"]
    _write(tmp_path / "export", "users", header, users)
    said = {int(n): ["married", "single"][int(n) % 3 == 0] for n in order}
    details = [[at, n, said[int(n)]] for at, n in enumerate(order, 1)]
    _write(tmp_path / "export", "details", [own, column, "marital_status"], details)
    _, profiles = _drafted(tmp_path)
    assert {int(one): word for one, word in profiles["household_status"].items()} == said


@pytest.mark.parametrize("rows", [_PEOPLE, 50 * _PEOPLE])
@pytest.mark.parametrize(
    "columns", [("swiper_id", "swiped_id"), ("actor", "target"), ("sender_id", "topic"), ("owner", "from")]
)
def test_a_table_of_what_members_did_is_joined_by_no_running_number(
    rows: int, columns: tuple[str, str], tmp_path: Path
) -> None:
    """Seen to fail: swipes, messages and the like were joined to members by the numbers of their own rows."""
    users = [[n, f"19{60 + n % 40}-05-11", f"u{n}@example.org", "Leeds"] for n in range(1, _PEOPLE + 1)]
    _write(tmp_path / "export", "users", ["id", "birth_date", "email", "city"], users)
    rng = np.random.default_rng(rows)
    did = [
        [at, *(rng.permutation(_PEOPLE)[:2] + 1), ["married", "single"][at % 2]] for at in range(1, rows + 1)
    ]
    _write(tmp_path / "export", "did", ["id", *columns, "marital_status"], did)
    files, profiles = _drafted(tmp_path)
    assert len(profiles) == _PEOPLE
    assert 'JOIN "did"' not in files["profiles.sql"]


@pytest.mark.parametrize("people", [10, _PEOPLE])
def test_a_table_that_shares_the_members_numbers_is_joined(people: int, tmp_path: Path) -> None:
    users = [[n, f"u{n}@example.org", "MF"[n % 2], "1980-05-11"] for n in range(1, people + 1)]
    _write(tmp_path / "export", "users", ["id", "email", "gender", "birth_date"], users)
    said = [[n, ["married", "single"][n % 3 == 0], n % 7 + 1, 20 + n] for n in range(people, 0, -1)]
    _write(tmp_path / "export", "details", ["id", "marital_status", "city_id", "age"], said)
    files, _ = _drafted(tmp_path)
    assert 'JOIN "details" ON canonical_id("details"."id") = m.draft_id' in files["profiles.sql"]


@pytest.mark.parametrize("column", ["user", "user_id", "userId"])
def test_a_richer_table_is_keyed_by_the_members_that_it_refers_to(column: str, tmp_path: Path) -> None:
    """Seen to fail: the running numbers of profiles were taken for the members', whom blocks do not name."""
    order = np.random.default_rng(4).permutation(_PEOPLE) + 1
    _write(tmp_path / "export", "app_user", ["id", "login"], [[n, f"l{n}"] for n in range(1, _PEOPLE + 1)])
    said = {int(n): ["married", "single"][int(n) % 3 == 0] for n in order}
    rows = [[at, n, said[int(n)], "1980-05-11", "Leeds"] for at, n in enumerate(order, 1)]
    _write(tmp_path / "export", "profile", ["id", column, "marital_status", "birth_date", "city"], rows)
    _, profiles = _drafted(tmp_path)
    assert {int(one): word for one, word in profiles["household_status"].items()} == said


_FORMS: dict[str, tuple[list[str], list[str] | None]] = {  # of WordPress, Moodle, Salesforce
    "wp_usermeta": (["umeta_id", "user_id", "meta_key", "meta_value"], None),
    "wp_bp_xprofile_data": (["id", "user_id", "field_id", "value"], ["id", "group_id", "name"]),
    "user_info_data": (["id", "userid", "fieldid", "data"], ["id", "datatype", "shortname"]),
    "custom_values": (["id", "customized_id", "custom_field_id", "value"], ["id", "type", "name"]),
    "Custom_Value__c": (["Id", "Contact__c", "Field_Name__c", "Value__c"], None),
    "attribute_values": (["value_id", "entity_id", "attribute_id", "value"],
                         ["attribute_id", "sort", "attribute_code"]),
}  # fmt: skip


@pytest.mark.parametrize("table", sorted(_FORMS))
@pytest.mark.parametrize("without", [0, 20])
@pytest.mark.parametrize("ids", ["running", "text"])
def test_settings_in_rows_beside_a_table_of_members_are_columns_of_theirs(
    table: str, without: int, ids: str, tmp_path: Path
) -> None:
    """Seen to fail: the plain table was left out, or had no draft of what the rows say.

    Members without a setting stay members.
    """
    header, fields = _FORMS[table]
    keys = ["gender", "birth_date", "marital_status", "city"]
    named = {key: str(11 + at) if fields else key for at, key in enumerate(keys)}
    people = [n if ids == "running" else f"u-{n:04}" for n in range(1, _PEOPLE + 1)]
    users = [[one, f"login{at}", f"u{at}@example.org"] for at, one in enumerate(people)]
    _write(tmp_path / "export", "users", ["ID", "user_login", "user_email"], users)
    if fields:
        rows = [[code, at, key] for at, (key, code) in enumerate(named.items())]
        _write(tmp_path / "export", "fields", fields, rows)
    said = {}
    rows = []
    for at, one in enumerate(people[without:]):
        status = ["married", "single"][at % 3 == 0]
        values = ["male" if at % 2 else "female", f"19{60 + at % 40}-05-11", status, "Leeds"]
        said[str(one)] = ("man" if at % 2 else "woman", status)
        rows += [[one, named[key], value] for key, value in zip(keys, values, strict=True)]
    _write(tmp_path / "export", table, header, [[1000 + at, *row] for at, row in enumerate(rows)])
    _, profiles = _drafted(tmp_path)
    assert set(profiles.index) == set(map(str, people))
    known = profiles.loc[profiles["gender"].notna(), ["gender", "household_status"]]
    assert {one: tuple(row) for one, row in zip(known.index, known.to_numpy(), strict=True)} == said


def test_values_of_several_types_are_one_value(tmp_path: Path) -> None:
    """Seen to fail: one of the columns was read, and what stands in the others was unknown."""
    users = [[n, f"u{n}@example.org"] for n in range(1, _PEOPLE + 1)]
    _write(tmp_path / "export", "contacts", ["Id", "email"], users)
    rows = []
    for n in range(1, _PEOPLE + 1):
        rows += [[n, "gender", "MF"[n % 2], "", ""], [n, "birth_date", "", "", f"19{60 + n % 40}-05-11"],
                 [n, "max_distance_km", "", 5 + n, ""]]  # fmt: skip
    header = ["contact_id", "field_name", "text_value", "number_value", "date_value"]
    _write(tmp_path / "export", "answers", header, rows)
    files, profiles = _drafted(tmp_path)
    assert profiles["max_distance_km"].notna().all()
    assert profiles["gender"].notna().all()
    assert "coalesce(" in files["views/answers_by_member.sql"]


@pytest.mark.parametrize("column", ["relationship_status", "relation", "translation"])
def test_a_relation_is_no_latitude(column: str, tmp_path: Path) -> None:
    """Seen to fail: `relationship_status` holds `lati` and was taken for where somebody lives."""
    rows = [[n, ["married", "single"][n % 2], "Leeds"] for n in range(_PEOPLE)]
    _write(tmp_path / "export", "members", ["id", column, "city"], rows)
    files, _ = _drafted(tmp_path)
    assert f'"{column}") AS cell' not in files["profiles.sql"]
    assert '"city") AS cell' in files["profiles.sql"]
