"""Plain-text dumps of PostgreSQL and MySQL as tables, without a server.

`pg_dump` writes `COPY ... FROM stdin;` or INSERT statements, `mysqldump` writes INSERT statements; both
write the columns and their types in CREATE TABLE. A dump that was cut off is refused: what is missing could
be its blocks.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from recsys.errors import SourceError, explained

_NAME: Final = r'(?:[`"]?\w+[`"]?\.)?[`"]?((?<=[`"])[^`"]+|\w+)[`"]?'
_CREATE = re.compile(rf"CREATE TABLE (?:IF NOT EXISTS )?{_NAME}\s*\(", re.IGNORECASE)
_LISTED: Final = r"""(?:\(((?:[^()"`]|"[^"]*"|`[^`]*`)*)\))?"""
_COPY = re.compile(rf"COPY {_NAME}\s*{_LISTED}\s+FROM stdin;", re.IGNORECASE)
_INSERT = re.compile(
    rf"(?:INSERT|REPLACE)\s+(?:(?:LOW_PRIORITY|HIGH_PRIORITY|DELAYED|IGNORE|OR\s+\w+)\s+)*(?:INTO\s+)?"
    rf"{_NAME}\s*{_LISTED}\s*(?:OVERRIDING\s+\w+\s+VALUE\s*)?VALUES?\s*",
    re.IGNORECASE,
)
_STATEMENTS: Final = {"create": _CREATE, "copy": _COPY, "insert": _INSERT, "replace": _INSERT}
_BODY: Final = r"\b(?:AS|DO)\s+(\$\w*\$).*?\2|^DELIMITER (?!;$).*?^DELIMITER ;$"
"""A function or trigger, whose statements are no rows."""
_START = re.compile(
    rf"^\s*(CREATE TABLE|COPY|INSERT|REPLACE)\b|{_BODY}", re.IGNORECASE | re.MULTILINE | re.DOTALL
)
_HOLDS_ROWS = re.compile(r"COPY\b[^;']*\sFROM\s+stdin\b|(?:INSERT|REPLACE)\b[^;']*\sVALUES\b", re.IGNORECASE)
_COLUMN = re.compile(
    r'\s*(?:`([^`]+)`|"([^"]+)"|(\w+))\s+(?:(?:\w+|"[^"]+")\.)?'
    r'((?:"[^"]+"|[^\W\d]\w*)(?:\s+(?:varying|precision))?(?:\([^)]*\))?'
    r"(?:\s+with(?:out)?\s+time\s+zone)?(?:\s*\[\d*\]|\s+array\b)*)",
    re.IGNORECASE,
)
_QUOTED: Final = r"'(?:[^'\\]|\\.|'')*'"
_BETWEEN_COMMAS = re.compile(rf"(?:[^,()']|{_QUOTED}|\((?:[^()']|{_QUOTED}|\([^()]*\))*\))+", re.DOTALL)
_NO_COLUMN: Final = (
    "primary",
    "unique",
    "key",
    "constraint",
    "foreign",
    "check",
    "index",
    "fulltext",
    "exclude",
)
_COPY_ESCAPES: Final = {"t": "\t", "n": "\n", "r": "\r", "b": "\b", "f": "\f", "v": "\v"}
_MYSQL_ESCAPES: Final = _COPY_ESCAPES | {"0": "\0", "Z": "\x1a"}
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def read_dump(text: str, where: str) -> dict[str, Any]:
    r"""Return every table of a dump as Arrow.

    Raises SourceError when the dump ends inside a table, or a row has another number of values than columns.

    >>> dump = "CREATE TABLE p (id int, ok boolean);\nCOPY p (id, ok) FROM stdin;\n7\tt\n8\t\\N\n\\.\n"
    >>> read_dump(dump, "x.sql")["p"].to_pylist()
    [{'id': 7, 'ok': True}, {'id': 8, 'ok': None}]
    """
    types: dict[str, dict[str, str]] = {}
    rows: dict[str, list[list[str | None]]] = {}
    columns: dict[str, list[str]] = {}
    commented = any(mark in text[:2000].lower() for mark in ("mysql dump", "mysqldump", "mariadb dump"))
    mysql = commented or ") ENGINE=" in text
    at = 0
    while match := _statement(text, at, where):
        kind, found = match
        name = found.group(1)
        if kind == "create":
            end = _closing(text, found.end() - 1, where)
            types[name] = _columns(text[found.end() : end])
            at = end
            continue
        listed = found.group(2)
        columns[name] = (
            [one.strip(' \t\r\n`"') for one in listed.split(",")] if listed else list(types.get(name, {}))
        )
        if kind == "copy":
            at = _copied(
                text, found.end(), rows.setdefault(name, []), len(columns[name]), f"{where}, table {name}"
            )
        else:
            dialect = _Dialect(f"{where}, table {name}", mysql)
            at = _inserted(text, found.end(), rows.setdefault(name, []), len(columns[name]), dialect)
    ends = "Dump completed" if commented else ""
    if "PostgreSQL database dump\n" in text[:2000]:
        ends = "PostgreSQL database dump complete"
    if ends not in text[-400:]:
        raise _cut(where, f"line '-- {ends}' at its end, which such a dump has")
    if not types and not rows:
        raise SourceError(explained("no tables are in the dump", where=where, remedy="dump it as plain text"))
    return {
        name: _arrow(columns.get(name, list(kinds)), rows.get(name, []), kinds)
        for name, kinds in _all_types(rows, types).items()
    }


def _all_types(rows: dict[str, Any], types: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Return the declared types of every table, none for one that no CREATE TABLE declares."""
    return {name: types.get(name, {}) for name in (*types, *(one for one in rows if one not in types))}


def _statement(text: str, at: int, where: str) -> tuple[str, re.Match[str]] | None:
    """Return the next statement that matters; statements start at the start of a line.

    Raises SourceError for one that holds rows in a form that is not read.
    """
    while start := _START.search(text, at):
        at = start.end()
        if start.group(1) is None:
            continue
        kind = start.group(1).split()[0].lower()
        if match := _STATEMENTS[kind].match(text, start.start(1)):
            return kind, match
        if _HOLDS_ROWS.match(text, start.start(1)):
            line = text.count("\n", 0, start.start(1)) + 1
            remedy = "dump it with pg_dump or mysqldump as they are"
            what = "rows in a statement that is not read"
            raise SourceError(explained(what, where=f"{where}, line {line}", remedy=remedy))
    return None


def _cut(where: str, missing: str = "the end of a table") -> SourceError:
    remedy = "dump it again and copy all of it"
    return SourceError(explained("the dump was cut off", where=where, got=f"no {missing}", remedy=remedy))


def _closing(text: str, opening: int, where: str) -> int:
    depth = 0
    for match in re.compile(rf"[()]|{_QUOTED}", re.DOTALL).finditer(text, opening):
        depth += {"(": 1, ")": -1}.get(match.group(), 0)
        if depth == 0:
            return match.start()
    raise _cut(where)


def _columns(body: str) -> dict[str, str]:
    """Return the declared type of each column; commas inside brackets and comments part nothing."""
    found = {}
    for line in _BETWEEN_COMMAS.findall(body):
        match = _COLUMN.match(line)
        if match is None:
            continue
        *names, kind = match.groups()
        name = next(one for one in names if one)
        if names[2] is None or name.lower() not in _NO_COLUMN:
            found[name] = kind.lower()
    return found


def _copied(text: str, at: int, rows: list[list[str | None]], width: int, where: str) -> int:
    end = text.find("\n\\.", at)
    if end < 0:
        raise _cut(where)
    body = text[text.find("\n", at) + 1 : end + 1]
    for line in body.split("\n")[:-1]:
        fields = line.removesuffix("\r").split("\t")
        _check_width(len(fields), width, where)
        rows.append([None if field == "\\N" else _unescaped(field, _COPY_ESCAPES) for field in fields])
    return end + 3


def _unescaped(text: str, escapes: dict[str, str]) -> str:
    return _ESCAPED.sub(lambda m: escapes.get(m.group(1), m.group(1)), text) if "\\" in text else text


def _check_width(got: int, width: int, where: str) -> None:
    if got != width:
        remedy = "dump it again; a row was damaged"
        raise SourceError(
            explained(f"a row of {got} values where {width} are named", where=where, remedy=remedy)
        )


_VALUE = re.compile(
    r"\s*(?:(NULL)\b|(?:E|b|x|N|_\w+\s+)?'((?:[^'\\]|\\.|'')*)'|([^,()'\s]+))\s*", re.IGNORECASE | re.DOTALL
)


def _inserted(text: str, at: int, rows: list[list[str | None]], width: int, dialect: "_Dialect") -> int:
    """Read the rows of one INSERT statement from `at` on; return where it ends."""
    while True:
        at, row = _row(text, _past(text, at, "(", dialect.where), dialect)
        _check_width(len(row), width or len(row), dialect.where)
        rows.append(row)
        while at < len(text) and text[at].isspace():
            at += 1
        if at >= len(text):
            raise _cut(dialect.where)
        at += 1
        if text[at - 1] != ",":
            return at


def _row(text: str, at: int, dialect: "_Dialect") -> tuple[int, list[str | None]]:
    """Read one row up to its closing bracket; return where it ends and its values."""
    row: list[str | None] = []
    while True:
        match = _VALUE.match(text, at)
        if match is None or match.end() >= len(text):
            raise _cut(dialect.where)
        null, quoted, bare = match.groups()
        if quoted is None:
            row.append(None if null else bare)
        else:
            unquoted = quoted.replace("''", "'")
            row.append(_unescaped(unquoted, _MYSQL_ESCAPES) if dialect.mysql else unquoted)
        at = match.end() + 1
        if text[at - 1] == ")":
            return at, row


@dataclass(frozen=True)
class _Dialect:
    """Where rows are read, for messages, and whether backslashes escape in texts."""

    where: str
    mysql: bool


def _past(text: str, at: int, mark: str, where: str) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    if at >= len(text) or text[at] != mark:
        raise _cut(where)
    return at + 1


def _arrow(names: list[str], rows: list[list[str | None]], types: dict[str, str]) -> Any:
    import pyarrow as pa

    names = names or [f"column{at}" for at in range(len(rows[0]) if rows else 0)]
    columns = {}
    for at, name in enumerate(names):
        column = [row[at] for row in rows]
        columns[name] = _typed(column, types.get(name, "text"))
    return pa.table(columns)


def _typed(column: list[str | None], kind: str) -> Any:
    """Return a column in the type that the dump declares, as text where a value does not fit it."""
    import pyarrow as pa

    convert = next((make for prefix, make in _CONVERSIONS if kind.startswith(prefix)), None)
    if kind.endswith(("]", " array")):
        return pa.array(
            [None if text is None else list(_array(text)) for text in column], pa.list_(pa.string())
        )
    if convert is None:
        return pa.array(column, pa.string())
    try:
        return pa.array([None if text is None else convert(text) for text in column])
    except (ValueError, KeyError, OverflowError, pa.ArrowException):
        return pa.array(column, pa.string())


def _bit(text: str) -> bool:
    return {"\1": True, "1": True, "0x01": True, "\0": False, "0": False, "0x00": False}[text]


def _flag(text: str) -> bool:
    return {"t": True, "true": True, "1": True, "f": False, "false": False, "0": False}[text.lower()]


_CONVERSIONS: Final[tuple[tuple[str, Callable[[str], object]], ...]] = (
    ("bool", _flag),
    ("tinyint(1)", _flag),
    ("bit(1)", _bit),
    *((name, int) for name in ("int", "bigint", "smallint", "tinyint", "mediumint", "serial", "bigserial")),
    *((name, float) for name in ("double", "real", "float", "numeric", "decimal")),
    ("timestamp", datetime.fromisoformat),
    ("datetime", datetime.fromisoformat),
    ("date", lambda text: datetime.fromisoformat(text).date()),
)


def _array(text: str) -> Iterator[str | None]:
    r"""Yield the members of a PostgreSQL array of texts.

    >>> list(_array('{a,"b c","d\\"e",NULL,"NULL"}'))
    ['a', 'b c', 'd"e', None, 'NULL']
    """
    for quoted, bare in re.findall(r'"((?:[^"\\]|\\.)*)"|([^{},"]+)', text):
        yield _ESCAPED.sub(r"\1", quoted) if quoted else None if bare.upper() == "NULL" else bare
