"""Files that hold tables in a form that is not read, and what to do with each."""

import re
import zipfile
from pathlib import Path
from typing import Final

_PLAIN_DUMP: Final = "dump it as plain text (pg_dump -Fp), or turn it into one: pg_restore -f dump.sql FILE"
_TEXT_OF_SQL: Final = re.compile(
    rb"(?:--[^\n]*\n|/\*.*?\*/;?|SET [^;]*;|\s)*"
    rb"(?:INSERT\s+(?:IGNORE\s+)?INTO|REPLACE\s+INTO|CREATE\s+TABLE)\b",
    re.IGNORECASE | re.DOTALL,
)
_BY_MARK: Final = (
    (b"PGDMP", "a dump of PostgreSQL in its own form", _PLAIN_DUMP),
    (b"\xd0\xcf\x11\xe0", "a workbook of an older Excel", "save each sheet as a CSV file"),
    (b"7z\xbc\xaf", "an archive", "unpack it and name the folder"),
    (b"Rar!", "an archive", "unpack it and name the folder"),
    (b"TAPE", "a backup of SQL Server", "restore it and write its tables as CSV"),
    (b"<?xml", "a document of XML", "write its tables as CSV or JSON"),
    (b"Obj\x01", "a file of Avro", "write it as Parquet or CSV"),
    (b"ORC", "a file of ORC", "write it as Parquet or CSV"),
    (b"ARROW1", "a file of Feather", "write it as Parquet or CSV"),
)
_OF_TEXT: Final = (b"PGDMP", b"<?xml")
"""What a table of text never begins with; others need a byte that no text holds."""
_BY_SUFFIX: Final = {
    ".bson": ("a dump of mongodump", "write it with mongoexport, one object a line"),
    ".rds": ("data of R", "write it as CSV or Parquet"),
    ".rdata": ("data of R", "write it as CSV or Parquet"),
    ".sav": ("data of SPSS", "write it as CSV"),
    ".dta": ("data of Stata", "write it as CSV"),
    ".pkl": ("a pickle, which is never opened", "write it as Parquet or CSV"),
    ".pickle": ("a pickle, which is never opened", "write it as Parquet or CSV"),
    ".html": ("a page of HTML", "write its tables as CSV"),
    ".xml": ("a document of XML", "write its tables as CSV or JSON"),
}
_LOOKED_AT: Final = 4096


def unread_form(file: Path) -> tuple[str, str] | None:
    """Return what a file is that no table is read from, and what to do; None where neither is known.

    >>> unread_form(Path("answers.sav"))
    ('data of SPSS', 'write it as CSV')
    """
    try:
        with file.open("rb") as opened:
            begins = opened.read(_LOOKED_AT)
    except OSError:
        begins = b""
    if begins.startswith(b"PK\x03\x04"):
        return _of_zip(file)
    for mark, what, remedy in _BY_MARK:
        if begins.startswith(mark) and (b"\0" in begins or mark in _OF_TEXT):
            return what, remedy
    if file.suffix.lower() != ".sql" and _TEXT_OF_SQL.match(begins):
        return "statements of SQL", "call the file so that it ends in .sql"
    return _BY_SUFFIX.get(file.suffix.lower())


def _of_zip(file: Path) -> tuple[str, str]:
    """Return what an archive is: a workbook says how many sheets it has."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            book = archive.read("xl/workbook.xml") if "xl/workbook.xml" in names else b""
    except (zipfile.BadZipFile, OSError, KeyError, RuntimeError):
        return "an archive that is damaged", "write it again"
    if not book and "xl/workbook.bin" not in names and "content.xml" not in names:
        return "an archive", "unpack it and name the folder"
    n = len(re.findall(rb"<(?:\w+:)?sheet\s", book))
    sheets = f"each of its {n} sheets" if n > 1 else "each sheet" if n == 0 else "its sheet"
    return "a workbook", f"save {sheets} as a CSV file called as the table, UTF-8, and name their folder"
