"""A file of another form is refused with what it is and what to do."""

import zipfile
from pathlib import Path

import pytest

from recsys.errors import SourceError
from recsys.mapping.draft import draft_mapping
from recsys.mapping.sources import source_tables, unread_files

_INSERT = "INSERT INTO users (id, name) VALUES (1, 'a'), (2, 'b');\n"


def _workbook(file: Path, sheets: list[str]) -> None:
    listed = "".join(f'<sheet name="{name}" sheetId="{at}"/>' for at, name in enumerate(sheets, 1))
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/workbook.xml", f"<workbook><sheets>{listed}</sheets></workbook>")


@pytest.mark.parametrize("n", [1, 2, 7])
@pytest.mark.parametrize("alone", [True, False])
def test_a_workbook_says_how_many_sheets_are_to_be_saved(n: int, alone: bool, tmp_path: Path) -> None:
    """Seen to fail: a list of endings was told, and of the workbook nothing."""
    _workbook(tmp_path / "club.xlsx", [f"sheet{at}" for at in range(n)])
    said = rf"club\.xlsx; save {'its sheet' if n == 1 else f'each of its {n} sheets'} as a CSV file"
    with pytest.raises(SourceError, match=said):
        source_tables("club.xlsx" if alone else ".", folder=tmp_path)
    (tmp_path / "users.csv").write_text("id,age\n1,40\n")
    assert [*source_tables(".", folder=tmp_path)] == ["users"]
    assert unread_files(".", tmp_path) == ["club.xlsx"]


@pytest.mark.parametrize(
    "before", ["", "-- MySQL dump 10.13\n\n", "/*!40101 SET NAMES utf8 */;\n", "SET x = 1;\n\n"]
)
@pytest.mark.parametrize(
    "statement", [_INSERT, "insert ignore into u values (1);\n", "CREATE TABLE u (id int);\n"]
)
@pytest.mark.parametrize("name", ["dump.txt", "dump.dump", "backup"])
def test_statements_of_sql_say_how_the_file_is_to_be_called(
    before: str, statement: str, name: str, tmp_path: Path
) -> None:
    """Seen to fail: a file of statements was a table with a row cut short, or none was there."""
    (tmp_path / name).write_text(before + statement)
    with pytest.raises(
        SourceError, match=r"from statements of SQL in .*; call the file so that it ends in \.sql"
    ):
        source_tables(".", folder=tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("d.sql", b"PGDMP\x01\x0e" + bytes(50), "pg_dump -Fp"),
        ("d.dump", b"PGDMP\x01\x0e" + bytes(50), "pg_dump -Fp"),
        ("old.xls", b"\xd0\xcf\x11\xe0" + bytes(50), "save each sheet"),
        ("users.csv", b"\xd0\xcf\x11\xe0" + bytes(50), "save each sheet"),
        ("users.bson", bytes(50), "mongoexport"),
        ("users.rds", bytes(50), "CSV or Parquet"),
        ("users.xml", b"<?xml version='1.0'?><a/>", "CSV or JSON"),
    ],
)
def test_another_form_says_what_to_do(name: str, content: bytes, said: str, tmp_path: Path) -> None:
    """Seen to fail: another encoding was asked for, or a list of endings told."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=said):
        draft_mapping(str(tmp_path / name))


def test_an_archive_is_to_be_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr("users.csv", "id\n1\n")
    with pytest.raises(SourceError, match="unpack it"):
        source_tables("export.zip", folder=tmp_path)
    (tmp_path / "export.zip").write_bytes(b"PK\x03\x04damaged")
    with pytest.raises(SourceError, match="write it again"):
        source_tables("export.zip", folder=tmp_path)


@pytest.mark.parametrize("header", ["TAPE,id", "ORC;id", "INSERT,id", "Obj,id"])
def test_a_table_whose_header_looks_like_a_mark_is_read(header: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(header + "\n" + header.replace("id", "7") + "\n")
    assert source_tables(".", folder=tmp_path)["t"]().num_rows == 1
