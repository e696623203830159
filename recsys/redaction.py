"""What an error may repeat of a library's message, or of a column's name that came with somebody's data.

A message of DuckDB or Arrow quotes the value it failed on, with or without quotation marks. A table whose
header line is missing has a member's row for the names of its columns. Neither may reach a log, so of a
message only words of a fixed list are kept, and a name that looks like a value becomes the place of its
column.
"""

import os
import re
from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches
from typing import Final

_LONGEST_NAME: Final = 40
_NEAR: Final = 0.8
"""Likeness to a known name from which on another name is a slip of it, whatever the rest of the header is."""

_OTHER_LENGTH: Final = re.compile(r"CSV parse error: (?:Row #(\d+): )?Expected (\d+) columns, got (\d+)")
_NUMBER_OR_DATE: Final = re.compile(r"[+(]?\d[\d\s.,:/()+TZ-]*")
_VALUE: Final = re.compile(
    r"@|[|]|https?:|^hmac\d*:|\d{7}|(?=[0-9a-f-]*\d)[0-9a-f-]{12,}|\d{4}[-/.]\d{1,2}[-/.]\d{1,2}",
    re.IGNORECASE,
)
_DIGITS: Final = re.compile(r"\d{3}|\d.*\d.*\d")
_TOKEN: Final = re.compile(
    r"[\"'`(\[]*([A-Za-z]+(?:'[a-z]+)?\d{0,3})((?:\[\])*)(?:[(\[][^\s]*)?[\"'`)\]]*([.,:;!?]*)"
)

_MESSAGE_WORDS = """
    a according addition aggregate an and any are argument arguments array as assertion at
    automatically be because become been between beyond boundary buffer but by byte bytes can can't
    cannot cast casting character characters code codec column columns compatible compressed contain
    contains conversion convert converted corrupt corrupted could couldn't csv data database date
    decimal decode decompress destination different digit directory divide division do does
    doesn't duckdb element empty encoding error escape evaluate exactly exceed exceeded exceeds
    exist exists expected explicit expression extra failed field fields file float files for format found
    from function functions given got has have header hex hour if implemented in index input integer
    internal into invalid io is it its join json key keys larger least length limit list literal
    lock magic malformed match matches maximum memory metadata minute missing more most
    multiplication must name names negative no not null number object of on one only operand
    operator option or out outside overflow overflows page parquet parse parsed parser parsing part
    pattern permission position precision quote quoted quotes range read reading record regex
    regular request requires result returned row rows scalar scale schema second size smaller snappy
    source specification specified specifier specifiers starting stream string struct subquery
    subtraction sum supported syntax table text than that the there this time timestamp timestamptz
    timezone to too truncated type types unable unclosed underflow unexpected unicode unknown
    unrecognized unsupported unterminated use utf8 value values was when which while width with
    without word write written wrong year zero zstd
"""
_WORDS: Final = frozenset(_MESSAGE_WORDS.split())
"""Words of which libraries make their messages. None is a word of an enumeration."""

_TYPE_NAMES = """
    ARRAY BIGINT BIT BLOB BOOL BOOLEAN BYTE_ARRAY CHAR CSV DATE DECIMAL DOUBLE ENUM FLOAT HUGEINT
    INT INT128 INT16 INT32 INT64 INT8 INTEGER INTERVAL IO JSON LIST MAP REAL SMALLINT SQL STRING
    STRUCT TIME TIMESTAMP TINYINT UBIGINT UHUGEINT UINT16 UINT32 UINT64 UINT8 UINTEGER UNION
    USMALLINT UTF UTF8 UTINYINT UUID VARCHAR
"""
_TYPES: Final = frozenset(_TYPE_NAMES.split())


def library_reason(error: BaseException | str) -> str:
    """Return what a library says of an error on one line, without the values it failed on.

    Words that are in no list here, and all numbers, become "..."; a row of a CSV of another length is told by
    its number. An error of the operating system is told by its kind alone: that is what it says.

    >>> library_reason("Could not convert string 'hana@example.com' to INT32")
    'Could not convert string ... to INT32'
    >>> library_reason("CSV parse error: Row #3: Expected 3 columns, got 2: u1,u2")
    'row 3 has 2 fields, not 3'
    >>> library_reason("Type VARCHAR with value 'hana' can't be cast to the destination type VARCHAR[]")
    "Type VARCHAR with value ... can't be cast to the destination type VARCHAR[]"
    """
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno)
    text = str(error)
    if found := _OTHER_LENGTH.match(text):
        return f"{f'row {found[1]}' if found[1] else 'a row'} has {found[3]} fields, not {found[2]}"
    kept: list[str] = []
    for token in text.partition("\n")[0].split():
        said = _said(token)
        if said != "..." or kept[-1:] != ["..."]:
            kept.append(said)
    return " ".join(kept)


def _said(token: str) -> str:
    found = _TOKEN.fullmatch(token)
    if found is None or not (found[1].lower() in _WORDS or found[1] in _TYPES):
        return "..."
    return found[1] + (found[2] if found[1] in _TYPES else "") + found[3]


def is_a_value(name: str) -> bool:
    """Say whether a text is surely no column's name but a number, date, mailbox, token, id or list of words.

    >>> [is_a_value(one) for one in ("2026-01-05", "a@b.example", "u0000017", "age_band", "q12")]
    [True, True, True, False, False]
    """
    return bool(_VALUE.search(name) or _NUMBER_OR_DATE.fullmatch(name.strip()))


def may_be_a_value(name: str) -> bool:
    """Say whether a text may be a value where a column's name is expected: by digits, signs or length."""
    return (
        is_a_value(name) or len(name) > _LONGEST_NAME or bool(_DIGITS.search(name)) or not name.isprintable()
    )


def column_labels(
    names: Iterable[object],
    *,
    known: Collection[str] = (),
    values: Collection[str] = (),
    has_no_others: bool = False,
) -> list[str]:
    """Return how an error names each column of a table of somebody else: its name, or `column 3`.

    A name that may be a value is not repeated, nor is any unknown one where the header seems to be a row: one
    of the names is surely a value, or none is known. A slip of a known name is repeated all the same.

    known: the columns there may be. values: what is known to be a value here: ids, words, cells of the table.
    has_no_others: whether no other columns are in such a table: then only slips of known ones are repeated,
    since others may be people, as in a table that was turned on its side.

    >>> column_labels(["user_id", "agge_band", "u0000017"], known=["user_id", "age_band"])
    ['user_id', 'agge_band', 'column 3']
    >>> column_labels(["u0000017", "married"], known=["user_id", "household"])
    ['column 1', 'column 2']
    """
    texts = [str(name) for name in names]
    is_header = not any(is_a_value(one) for one in texts) and (
        not known or any(one in known for one in texts)
    )

    def is_public(name: str) -> bool:
        if name in known:
            return True
        if name in values or may_be_a_value(name):
            return False
        return (is_header and not has_no_others) or bool(get_close_matches(name, known, n=1, cutoff=_NEAR))

    return [name if is_public(name) else f"column {at}" for at, name in enumerate(texts, start=1)]


def places_of(labels: Sequence[str]) -> str:
    """Return which columns are meant where their names are not repeated.

    >>> places_of(["column 2", "column 5"])
    'columns 2, 5'
    """
    places = ", ".join(label.removeprefix("column ") for label in labels)
    return f"columns {places}" if len(labels) > 1 else f"column {places}"


def slip_of(word: str, known: Collection[str]) -> str | None:
    """Return a word that is likely a slip of a known one; None for another, which may be a value.

    >>> slip_of("Phnoe", ["phone", "email"]), slip_of("hana@example.com", ["phone", "email"])
    ('Phnoe', None)
    """
    near = get_close_matches(word[:_LONGEST_NAME].casefold(), [one.casefold() for one in known], cutoff=_NEAR)
    return word if near and len(word) <= _LONGEST_NAME else None


def public_columns(names: Sequence[str]) -> list[str]:
    """Return the names of a table's columns that an error may repeat.

    >>> public_columns(["phone", "born"]), public_columns(["090-1234-5678", "single"])
    (['phone', 'born'], [])
    """
    return [name for name, label in zip(names, column_labels(names), strict=True) if name == label]
