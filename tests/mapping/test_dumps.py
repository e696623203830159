"""Statements and types of dumps: each row is read however it is written, and none is lost in silence."""

import struct
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import SourceError
from recsys.mapping.coordinates import point_of_geometry
from recsys.mapping.draft import draft_mapping
from recsys.mapping.dumps import read_dump

_ELEMENTS = (
    'public."Gender"',
    '"public"."Gender"',
    '"Gender"',
    "public.gender",
    "text",
    "character varying(20)",
    "integer",
    "timestamp(3) without time zone",
    "double precision",
    "numeric(10,2)",
    "uuid",
    "citext",
)
_BEHIND = (
    "",
    " NOT NULL",
    " DEFAULT '{}'::text[] NOT NULL",
    " DEFAULT ARRAY['a'::text, 'b'::text]",
    " COLLATE x",
)
_MEMBERS = st.lists(st.none() | st.text('aB7 ,"{}\\NUL', min_size=0, max_size=5), max_size=4)


def _as_array(members: list[str | None] | None) -> str | None:
    if members is None:
        return None
    quoted = [
        "NULL" if one is None else '"' + one.replace("\\", "\\\\").replace('"', '\\"') + '"'
        for one in members
    ]
    return "{" + ",".join(quoted) + "}"


@given(
    st.sampled_from(_ELEMENTS),
    st.sampled_from(["[]", "[3]", "[][]", " ARRAY"]),
    st.sampled_from(_BEHIND),
    st.lists(st.none() | _MEMBERS, min_size=1, max_size=4),
)
def test_an_array_of_any_type_is_a_list(
    element: str, array: str, behind: str, rows: list[list[str | None] | None]
) -> None:
    """Seen to fail: one of an enumeration, as Prisma makes it, was a text `{F,M}`, and NULL a word."""
    create = (
        f'CREATE TABLE public."User" (\n    id integer NOT NULL,\n    seeks {element}{array}{behind},\n'
        "    n text\n);\n"
    )
    texts = [_as_array(one) for one in rows]
    escaped = [r"\N" if one is None else one.replace("\\", "\\\\") for one in texts]
    copied = "\n".join(f"{at}\t{one}\tx" for at, one in enumerate(escaped))
    literals = ["NULL" if one is None else f"'{one}'" for one in texts]
    inserted = "".join(
        f"INSERT INTO public.\"User\" VALUES ({at}, {one}, 'x');\n" for at, one in enumerate(literals)
    )
    for body in (f'COPY public."User" (id, seeks, n) FROM stdin;\n{copied}\n\\.\n', inserted):
        assert read_dump(create + body, "x.sql")["User"].to_pylist() == [
            {"id": at, "seeks": one, "n": "x"} for at, one in enumerate(rows)
        ]


@given(
    st.sampled_from(["INSERT INTO", "INSERT IGNORE INTO", "REPLACE INTO", "INSERT LOW_PRIORITY IGNORE INTO"])
    | st.sampled_from(["insert into", "REPLACE", "INSERT OR REPLACE INTO", "INSERT DELAYED INTO"]),
    st.sampled_from(["`blocks`", "blocks", '"public"."blocks"', "app.blocks"]),
    st.sampled_from(["", " (a,b)", " (`a`,\n  `b`)", ' ("a", "b") OVERRIDING SYSTEM VALUE']),
    st.sampled_from([" VALUES ", "\nVALUES\n", " VALUES"]),
    st.sampled_from([";", " ON DUPLICATE KEY UPDATE b=VALUES(b);", " ON CONFLICT DO NOTHING;"]),
)
def test_every_statement_that_holds_rows_is_read(
    verb: str, table: str, names: str, values: str, end: str
) -> None:
    """Seen to fail: rows of REPLACE, and of columns named over several lines, were left out in silence."""
    into = f"{verb} {table}{names}{values}"
    dump = f"CREATE TABLE blocks (a int, b int);\n{into}(1,2),\n(3,4){end}\n{into}(5,6);\n"
    assert read_dump(dump, "x.sql")["blocks"].to_pylist() == [
        {"a": 1, "b": 2},
        {"a": 3, "b": 4},
        {"a": 5, "b": 6},
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "COPY blocks (a, b) FROM stdin WITH (FORMAT csv);\n5,6\n\\.\n",
        "COPY blocks (a, b) FROM STDIN CSV HEADER;\n5,6\n\\.\n",
        "INSERT INTO a.b.blocks (a, b) VALUES (5,6);\n",
        "INSERT INTO blocks PARTITION (p0) (a, b) VALUES (5,6);\n",
    ],
)
def test_rows_in_a_form_that_is_not_read_are_refused(statement: str) -> None:
    """Seen to fail: the table was empty, and nobody was told."""
    with pytest.raises(SourceError, match="line 2"):
        read_dump(f"CREATE TABLE blocks (a int, b int);\n{statement}", "x.sql")


@pytest.mark.parametrize(
    "body",
    [
        "CREATE FUNCTION f() RETURNS trigger AS {q}\nBEGIN\n"
        "  INSERT INTO blocks (a, b) VALUES (new.id, 7);\n  RETURN new;\nEND;\n{q};\n",
        "DO {q}\nBEGIN\nINSERT INTO blocks VALUES (9, 9);\nEND {q};\n",
        "DELIMITER ;;\nCREATE TRIGGER t AFTER INSERT ON users FOR EACH ROW BEGIN\n"
        "INSERT INTO blocks VALUES (9, 9);\nEND ;;\nDELIMITER ;\n",
    ],
)
@pytest.mark.parametrize("quote", ["$$", "$_$", "$function$"])
def test_statements_of_functions_and_triggers_are_no_rows(body: str, quote: str) -> None:
    """Seen to fail: the row of `handle_new_user` that each Supabase project has was a member `new.id`."""
    table, rows = "CREATE TABLE blocks (a int, b int);\n", "INSERT INTO blocks VALUES (1, 2);\n"
    dump = table + body.replace("{q}", quote) + rows + body.replace("{q}", quote)
    assert read_dump(dump, "x.sql")["blocks"].to_pylist() == [{"a": 1, "b": 2}]


_WKB: dict[str, Callable[[float, float], bytes]] = {
    "little": lambda x, y: struct.pack("<BIdd", 1, 1, x, y),
    "big": lambda x, y: struct.pack(">BIdd", 0, 1, x, y),
    "extended": lambda x, y: struct.pack("<BIIdd", 1, 0x20000001, 4326, x, y),
    "height": lambda x, y: struct.pack("<BIddd", 1, 0x80000001, x, y, 7.0),
    "height of ISO": lambda x, y: struct.pack("<BIddd", 1, 1001, x, y, 7.0),
    "SQL Server, globe": lambda x, y: struct.pack("<IBBdd", 4326, 1, 0x0C, y, x),
    "SQL Server, plane": lambda x, y: struct.pack("<IBBdd", 0, 1, 0x0C, x, y),
    "SQL Server, height": lambda x, y: struct.pack("<IBBddd", 4326, 2, 0x0D, y, x, 7.0),
    "MySQL": lambda x, y: struct.pack("<IBIdd", 0, 1, 1, x, y),
    "MySQL, WGS 84": lambda x, y: struct.pack("<IBIdd", 4326, 1, 1, x, y),
}
_SPELLED: dict[str, Callable[[bytes], str]] = {
    "hex": lambda raw: raw.hex().upper(),
    "bytea": lambda raw: "\\x" + raw.hex(),
    "literal": lambda raw: "0x" + raw.hex().upper(),
    "quoted": lambda raw: f"X'{raw.hex()}'",
}


@given(
    st.floats(-180, 180), st.floats(-90, 90), st.sampled_from(sorted(_WKB)), st.sampled_from(sorted(_SPELLED))
)
def test_a_point_is_one_point_however_a_database_keeps_it(
    x: float, y: float, form: str, spelled: str
) -> None:
    """Seen to fail: those of MySQL and SQL Server were none, and a line of WKB was a point of its bytes."""
    raw = _WKB[form](x, y)
    assert point_of_geometry(_SPELLED[spelled](raw)) == (x, y)
    assert point_of_geometry(f"SRID=4326;POINT({x!r} {y!r})") == (x, y)
    assert point_of_geometry(f"POINT Z ({x!r} {y!r} 1)") == (x, y)
    line = struct.pack("<BIIdddd", 1, 2, 2, x, y, x, y)
    for cut in (
        _SPELLED[spelled](line),
        _SPELLED[spelled](raw[:-9]),
        "POINT EMPTY",
        f"POINT({x!r})",
        "POINT(a b)",
    ):
        assert point_of_geometry(cut) is None


@pytest.mark.parametrize("form", sorted(_WKB))
def test_a_point_in_bytes_is_read_as_duckdb_writes_them(form: str) -> None:
    raw = _WKB[form](13.4, 52.52)
    ((text,),) = duckdb.connect().execute("SELECT CAST(? AS VARCHAR)", [raw]).fetchall()
    assert point_of_geometry(text) == (13.4, 52.52)


@pytest.mark.parametrize("form", sorted(_WKB))
def test_a_draft_takes_a_column_of_points_for_points(tmp_path: Path, form: str) -> None:
    """Seen to fail: a point of MySQL was drafted as the name of a town."""
    rows = ",".join(
        f"({at},'19{50 + at}-03-02',0x{_WKB[form](21.0 + at / 100, 52.2).hex()})" for at in range(40)
    )
    create = "CREATE TABLE `users` (`id` int, `born` date, `location` point);\n"
    (tmp_path / "d.sql").write_text(f"{create}INSERT INTO `users` VALUES {rows};\n")
    profiles = draft_mapping("d.sql", folder=tmp_path).files["profiles.sql"]
    assert 'cell(point_latitude(m."location"), point_longitude(m."location")) AS cell' in profiles
    assert "cell_of_place" not in profiles
