"""Objects of JSON as databases and services export them are the tables that were put in."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.errors import SourceError
from recsys.mapping.draft import draft_mapping
from recsys.mapping.sources import source_tables, unread_files

_LETTERS = np.array([*"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ0123456789"])
_IDS: dict[str, Callable[[np.random.Generator, int], str]] = {
    "pushed": lambda rng, n: f"-N{''.join(rng.choice(_LETTERS, 16))}{n:02}",
    "of Firebase Auth": lambda rng, n: f"{''.join(rng.choice(_LETTERS, 26))}{n:02}",
    "numbers": lambda rng, n: f"{1000 + 7 * n}",
    "UUIDs": lambda rng, _: str(UUID(bytes=rng.bytes(16))),
    "names": lambda rng, n: f"{'blmnrstv'[n % 8]}{'aeiouy'[n // 8]}ra",
}
_TOWNS = ("\u0130zmir", "Lima", "Quito")
Table = dict[str, dict[str, Any]]
Pairs = dict[str, dict[str, int]]


def made(shape: str, people: int, seed: int) -> tuple[Table, Pairs]:
    """Return members by id, and blocks: by who did it and whom, the time."""
    rng = np.random.default_rng(seed)
    ids = [_IDS[shape](rng, n) for n in range(people)]
    users = {
        one: {"nombre": f"N{n}", "edad": 20 + n, "home": {"city": _TOWNS[n % 3]}} for n, one in enumerate(ids)
    }
    far = max(1, people // 3)
    return users, {one: {ids[n - far]: 1_700_000_000_000 + n} for n, one in enumerate(ids)}


def _firestore(users: Table, blocks: Pairs) -> Any:
    def moment(ms: int) -> Any:
        return {"__datatype__": "timestamp", "value": {"_seconds": ms // 1000, "_nanoseconds": 0}}

    documents = {
        one: {
            **row,
            "__collections__": {"blocked": {to: {"at": moment(ms)} for to, ms in blocks[one].items()}},
        }
        for one, row in users.items()
    }
    return {"__collections__": {"users": documents}}


_FORMS: dict[str, tuple[str, Callable[[Table, Pairs], Any]]] = {  # the table of blocks, and the document
    "Realtime Database": ("blocks", lambda users, blocks: {"users": users, "blocks": blocks}),
    "Firestore": ("users_blocked", _firestore),
    "lists": (
        "blocks",
        lambda users, blocks: {
            "exported": "2026-06-01",
            "users": [{"key": one, **row} for one, row in users.items()],
            "blocks": [
                {"key": one, "key_2": to, "value": ms} for one, by in blocks.items() for to, ms in by.items()
            ],
        },
    ),
}


@settings(max_examples=60, deadline=None)
@given(
    form=st.sampled_from(sorted(_FORMS)),
    shape=st.sampled_from(sorted(_IDS)),
    people=st.integers(12, 40),
    indent=st.sampled_from([None, 2]),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_document_is_the_tables_that_were_put_in(
    form: str, shape: str, people: int, indent: int | None, seed: int
) -> None:
    """Seen to fail: such files were passed over, and a source of one of them had no tables."""
    users, blocks = made(shape, people, seed)
    name, document = _FORMS[form]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "export.json"
        file.write_text(json.dumps(document(users, blocks), indent=indent), encoding="utf-8")
        (Path(folder) / "package.json").write_text('{\n"dependencies": {"a": {"version": "1"}}}')
        found = {one: read().to_pylist() for one, read in source_tables(folder, folder=Path()).items()}
        assert unread_files(folder, Path()) == ["package.json"]
    assert found.keys() == {"users", name}
    assert {row.pop("key"): row for row in found["users"]} == users
    pairs = {(row["key"], row["key_2"]) for row in found[name]}
    assert pairs == {(one, to) for one, by in blocks.items() for to in by}


@pytest.mark.parametrize("shape", sorted(_IDS))
@pytest.mark.parametrize("truth", [True, {"at": 5}])
def test_what_rows_hold_under_ids_is_a_list_and_not_columns(shape: str, truth: Any, tmp_path: Path) -> None:
    """Seen to fail: each id became a column of its own."""
    users, blocks = made(shape, 30, 3)
    rows = {one: {**row, "blocked": dict.fromkeys(blocks[one], truth)} for one, row in users.items()}
    (tmp_path / "members.json").write_text(json.dumps(rows, indent=1))
    found = source_tables(".", folder=tmp_path)["members"]().to_pylist()
    inner = truth if isinstance(truth, dict) else {"value": truth}
    assert {row["key"]: row["blocked"] for row in found} == {
        one: [{"key": to, **inner} for to in by] for one, by in blocks.items()
    }
    assert {row["key"]: row["home"]["city"] for row in found} == {
        one: row["home"]["city"] for one, row in users.items()
    }


def test_a_list_that_firebase_wrote_as_an_object_is_a_list(tmp_path: Path) -> None:
    """Seen to fail: a list with gaps is exported as an object, and the table was refused."""
    users, _ = made("pushed", 9, 4)
    tags = [["tea", "go"], {"0": "tea", "7": "go"}, {"-Nab": "tea", "-Nac": "go"}]
    rows = {one: {**row, "tags": tags[at % 3]} for at, (one, row) in enumerate(users.items())}
    (tmp_path / "m.json").write_text(json.dumps(rows, indent=1))
    found = source_tables(".", folder=tmp_path)["m"]().to_pylist()
    assert [row["tags"] for row in found] == [["tea", "go"]] * 9


def test_a_document_of_mixed_types_beside_tables_is_told_and_not_read(tmp_path: Path) -> None:
    """Seen to fail: a description beside the tables refused a source that was read before."""
    mixed = {"facts": [{"of": ["a", 1]}, {"of": {"b": 2}}, {"of": 3}]}
    (tmp_path / "expected.json").write_text(json.dumps(mixed, indent=1))
    with pytest.raises(SourceError, match="no one type"):
        source_tables("expected.json", folder=tmp_path)["facts"]()
    (tmp_path / "users.csv").write_text("id,age\n1,40\n")
    assert [*source_tables(".", folder=tmp_path)] == ["users"]
    assert unread_files(".", tmp_path) == ["expected.json"]


@pytest.mark.parametrize("around", [["response", "results"], ["records"], ["data"], ["data", "items"]])
@pytest.mark.parametrize("fields", [True, False])
def test_an_answer_of_an_api_is_a_table_called_as_its_file(
    around: list[str], fields: bool, tmp_path: Path
) -> None:
    """Seen to fail: answers of Airtable and Bubble had no tables."""
    users, _ = made("pushed", 9, 1)
    rows = [{"id": one, "fields": row} if fields else {"id": one, **row} for one, row in users.items()]
    document: Any = rows
    for key in reversed(around):
        document = {key: document, "count": 9, "cursor": None}
    (tmp_path / "members.json").write_text(json.dumps(document))
    found = source_tables(".", folder=tmp_path)
    assert [*found] == ["members"]
    assert {row.pop("id"): row for row in found["members"]().to_pylist()} == users


def test_places_moments_and_references_of_firestore_are_values(tmp_path: Path) -> None:
    """Seen to fail: they were objects that name their kind."""
    values = {
        "at": {"__datatype__": "geopoint", "value": {"_latitude": 1.5, "_longitude": 2.5}},
        "by": {"__datatype__": "documentReference", "value": "users/u7"},
        "ts": {"_seconds": 0, "_nanoseconds": 5},
    }
    document = {"__collections__": {"visits": {"v1": {**values, "__collections__": {}}}}}
    (tmp_path / "e.json").write_text(json.dumps(document))
    assert source_tables(".", folder=tmp_path)["visits"]().to_pylist() == [
        {"key": "v1", "at": {"latitude": 1.5, "longitude": 2.5}, "by": "u7", "ts": "1970-01-01T00:00:00Z"}
    ]


@pytest.mark.parametrize("shape", sorted(_IDS))
def test_the_draft_of_a_document_finds_members_and_blocks(shape: str, tmp_path: Path) -> None:
    users, blocks = made(shape, 40, 2)
    (tmp_path / "rtdb.json").write_text(json.dumps({"users": users, "blocks": blocks}))
    files = draft_mapping(str(tmp_path / "rtdb.json")).files
    assert "users.key -> user_id" in files["profiles.sql"]
    assert 'canonical_id("key") AS actor, canonical_id("key_2") AS target' in files["blocks.sql"]


def test_an_object_without_tables_is_refused_with_what_is_read(tmp_path: Path) -> None:
    """Seen to fail: the message did not name `.json`."""
    (tmp_path / "e.json").write_text('{\n"version": 3, "dependencies": {"a": "1", "b": "2"}}')
    with pytest.raises(SourceError, match=r"in \.json: objects one a line, in a list, under their ids"):
        source_tables("e.json", folder=tmp_path)


@settings(max_examples=60, deadline=None)
@given(
    shape=st.sampled_from(sorted(_IDS)),
    truth=st.sampled_from([True, {"at": 5}]),
    nothing=st.lists(st.sampled_from([False, [], {}, "", None]), min_size=1, max_size=4),
    seed=st.integers(0, 2**32 - 1),
)
def test_who_says_nothing_hides_no_ids_of_others(
    shape: str, truth: Any, nothing: list[Any], seed: int
) -> None:
    """Seen to fail: beside an empty list (as PHP writes one) the ids of all others were lost silently.

    Beside `false` or an empty text the table was refused.
    """
    users, blocks = made(shape, 30, seed)
    rows = {
        one: {**row, "blocked": nothing[at % len(nothing)] if at % 3 else dict.fromkeys(blocks[one], truth)}
        for at, (one, row) in enumerate(users.items())
    }
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "members.json").write_text(json.dumps(rows))
        found = source_tables(".", folder=Path(folder))["members"]().to_pylist()
    held = {row["key"]: [one["key"] for one in row["blocked"] or []] for row in found}
    assert held == {
        one: [] if at % 3 else [*by] for at, (one, by) in enumerate(blocks.items()) for by in [blocks[one]]
    }


@pytest.mark.parametrize("form", ["list", "lines", "under ids"])
def test_true_beside_objects_is_an_object_without_fields(form: str, tmp_path: Path) -> None:
    """Seen to fail: a table in which some rows say `true` and others how was refused."""
    said = [True, {"by": "id", "at": {"day": 3}}, False, {"by": "mail", "at": True}, None, {}, "", []]
    rows = {f"-N{at:019}": {"born": 1980 + at, "verified": one} for at, one in enumerate(said)}
    listed = [{"key": one, **row} for one, row in rows.items()]
    texts = {
        "list": json.dumps(listed),
        "lines": "\n".join(map(json.dumps, listed)),
        "under ids": json.dumps(rows),
    }
    (tmp_path / "m.json").write_text(texts[form])
    found = [row["verified"] for row in source_tables(".", folder=tmp_path)["m"]().to_pylist()]
    bare = {"by": None, "at": None}
    assert found == [bare, {"by": "id", "at": {"day": 3}}, None, {"by": "mail", "at": {"day": None}}, None,
                     bare, None, None]  # fmt: skip


@pytest.mark.parametrize("name", ["dump.json", "dump.jsonl", "lines.json"])
@pytest.mark.parametrize("indent", [None, 1])
def test_rows_of_django_are_tables_by_model(name: str, indent: int | None, tmp_path: Path) -> None:
    """Seen to fail: all models were one table, and no column of it named a member."""
    users, blocks = made("numbers", 20, 6)
    pairs = [(one, to) for one, by in blocks.items() for to in by]
    rows: list[dict[str, Any]] = [
        *({"model": "club.user", "pk": int(one), "fields": row} for one, row in users.items()),
        *(
            {
                "model": "safety.block",
                "pk": at,
                "fields": {"blocker": int(one), "blocked": int(to), "n": "\u2028"},
            }
            for at, (one, to) in enumerate(pairs)
        ),
    ]
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    text = json.dumps(rows, indent=indent) if name == "dump.json" else lines
    (tmp_path / name).write_text(text, encoding="utf-8")
    found = {one: read().to_pylist() for one, read in source_tables(".", folder=tmp_path).items()}
    assert found.keys() == {"club_user", "safety_block"}
    assert {str(row.pop("pk")): row for row in found["club_user"]} == users
    assert [(str(row["blocker"]), str(row["blocked"])) for row in found["safety_block"]] == pairs


def test_a_list_of_other_objects_with_a_model_is_one_table(tmp_path: Path) -> None:
    (tmp_path / "cars.json").write_text('[{"model": "a.b", "pk": 1, "owner": 7}, {"model": "c.d", "pk": 2}]')
    assert source_tables(".", folder=tmp_path)["cars"]().num_rows == 2
