"""Views that turn rows of settings into columns: what runs in DuckDB runs in a mapping."""

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.errors import SettingsError
from recsys.mapping import Mapping, map_tables
from recsys.redaction import library_reason

SECRET = b"0123456789abcdef0123"
YAML = "source: data\nas_of: 2026-06-30T23:59:59+09:00\nzone: Asia/Tokyo\n"
PRINTABLE = st.characters(categories=["L", "N", "P", "S"])
KEYS = ("born", "Jenis kelamin", "wp_capabilities", "ชื่อเล่น")
_TURNED = {
    "alone": "PIVOT usermeta ON k USING max(v) GROUP BY u",
    "within": "SELECT * FROM (PIVOT usermeta ON k USING max(v) GROUP BY u)",
    "with": "WITH m AS (SELECT u, k, v FROM usermeta) PIVOT m ON k USING max(v) GROUP BY u",
    "of a view": "PIVOT metas ON k USING max(v) GROUP BY u;",
    "joined": "SELECT p.* FROM users JOIN (PIVOT usermeta ON k USING max(v) GROUP BY u) p ON users.u = p.u",
    "named": f"PIVOT usermeta ON k IN {KEYS} USING max(v) GROUP BY u",
}
"""A PIVOT of usermeta, as WordPress keeps what members said."""


def service(folder: Path, rows: list[tuple[str, str, str]], views: dict[str, str]) -> Mapping:
    """Write a service whose settings stand in rows, and a mapping with views over them."""
    for name in ("data", "views"):
        (folder / name).mkdir(exist_ok=True)
    people = sorted({one for one, _, _ in rows})
    tables = {"usermeta": ["u", "k", "v"], "users": ["u"]}
    for (name, header), lines in zip(tables.items(), (rows, [(one,) for one in people]), strict=True):
        with (folder / "data" / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *lines])
    for name, sql in views.items():
        (folder / "views" / f"{name}.sql").write_text(sql, encoding="utf-8")
    (folder / "mapping.yaml").write_text(YAML, encoding="utf-8")
    sql = "SELECT canonical_id(u) AS user_id, age_band(born) AS age_band FROM turned"
    (folder / "profiles.sql").write_text(sql, encoding="utf-8")
    return Mapping.read(folder)


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["7", "08", "K-9"]), st.integers(1950, 2000), min_size=1),
    st.sampled_from(sorted(_TURNED)),
    st.sampled_from([None, 1]),
)
def test_a_pivot_in_a_view_gives_what_its_rows_say(
    tmp_path_factory: pytest.TempPathFactory, born: dict[str, int], form: str, most: int | None
) -> None:
    """Seen to fail: a PIVOT whose values are not named could not be read, `got 'Expected a ...'`."""
    rows = [
        (one, key, f"{year}-01-01" if key == KEYS[0] else "x") for one, year in born.items() for key in KEYS
    ]
    views = {"metas": "SELECT u, k, v FROM usermeta", "turned": _TURNED[form]}
    folder = tmp_path_factory.mktemp("service")
    found = map_tables(service(folder, rows, views), secret=SECRET, most=most).tables["profiles"]
    plain = {"turned": "SELECT u, max(v) FILTER (k = 'born') AS born FROM usermeta GROUP BY u"}
    expected = map_tables(service(folder, rows, plain), secret=SECRET, most=most).tables["profiles"]
    by_id = [frame.sort_values("user_id", ignore_index=True) for frame in (found, expected)]
    assert most is not None or len(expected) == len(born)
    assert by_id[0].equals(by_id[1])


def test_two_queries_in_one_file_are_told(tmp_path: Path) -> None:
    """Seen to fail: `got 'Expected a ...'; mend the query`."""
    rows = [("7", "born", "1970-01-01")]
    mapping = service(tmp_path, rows, {"turned": "SELECT 1 AS u; SELECT u, v AS born FROM usermeta"})
    with pytest.raises(SettingsError, match=r"views/turned\.sql.*write one query in a file"):
        map_tables(mapping, secret=SECRET)


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("[x FOR x IN v]", r"a text is no list: words\(column\) makes one of it"),
        ("list_transform(v, lambda x: x)", "a text is no list"),
        ("v::VARCHAR[]", r"destination type VARCHAR\[\] .*a text is no list"),
        ("v::INTEGER[][]", r"destination type INTEGER\[\]\[\]"),
    ],
)
def test_a_text_taken_for_a_list_is_told(tmp_path: Path, expression: str, told: str) -> None:
    """Seen to fail: `can't be cast to the destination type VARCHAR`, which it was already."""
    views = {"turned": f"SELECT u, {expression} AS w, '1970-01-01' AS born FROM usermeta"}
    with pytest.raises(SettingsError, match=told) as caught:
        map_tables(service(tmp_path, [("7", "k", "{hanako,F}")], views), secret=SECRET)
    assert "hanako" not in str(caught.value)


@given(st.sampled_from(["VARCHAR", "INTEGER", "DATE"]), st.integers(0, 3), st.text(PRINTABLE, max_size=12))
def test_brackets_of_a_type_are_kept_and_no_value(kind: str, depth: int, value: str) -> None:
    """Planted and seen caught: brackets behind any word."""
    named = kind + "[]" * depth
    said = library_reason(
        f"Type VARCHAR with value '[{value}]' can't be cast to the destination type {named}"
    )
    assert said.split()[-1] == named
    assert "[" not in library_reason("value[] list[] text[] x[]")
