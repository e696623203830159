"""Tables of a catalogue as rows: their columns, and how ids, labels, flags and numbers are read from them.

Rows come from DataFrames, CSV or YAML; what is wrong with them is collected, so that every problem is named
at once.
"""

import csv
import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.entries import Label
from recsys.catalogue.text_folding import spelling, unsafe_characters
from recsys.errors import InputError, as_text, did_you_mean, explained, shown
from recsys.strict_yaml import parse_yaml

Row = dict[str, Any]

QUESTIONS: Final = "questions"
OPTIONS: Final = "options"
INTERESTS: Final = "interests"
TOPICS: Final = "topics"
IMPORTANCE: Final = "importance"
WORDS: Final = "words"
_CHANGES: Final = ("retired", "renamed_from", "merged_into")
CONTENT_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    QUESTIONS: (
        *("question_id", "label", "lang", "kind", "points", "least", "most", "step", "scale"),
        *("sensitive", "match_only", *_CHANGES),
    ),
    OPTIONS: ("question_id", "option_id", "label", "lang", "score", *_CHANGES[1:]),
    INTERESTS: ("interest_id", "label", "lang", "parent", "synonyms", *_CHANGES),
    TOPICS: ("topic", "label", "lang", *_CHANGES),
    IMPORTANCE: ("level", "weight"),
    WORDS: ("field", "word", "label", "lang"),
}
"""The columns of each table of a catalogue; `label_de` and the like hold a label in one language."""

SAFETY_COLUMNS: Final = (
    *(C.ACCOUNT_STATE, C.VERIFICATION, C.INTENTS, C.ROMANCE_LINE, C.PHYSICAL_LINE, C.FINANCIAL_LINE),
    *(C.TYPE, C.CATEGORY, C.STATE, "report", "meet_feedback", "feeling_check"),
)
"""Words of these are the engine's own: a mapping may translate into them, no catalogue changes them."""

_ID = re.compile(r"[\w.+-]{1,64}")
LABEL_COLUMN: Final = re.compile(r"label_([a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)")
TRUE: Final = {"true", "t", "yes", "1"}
_FALSE: Final = {"false", "f", "no", "0"}
_LONGEST_LABEL: Final = 500
_LANG = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_ID_COLUMN: Final = {
    QUESTIONS: "question_id",
    OPTIONS: "option_id",
    INTERESTS: "interest_id",
    TOPICS: "topic",
    IMPORTANCE: "level",
}


class Problems:
    """Collects what is wrong with a catalogue."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, what: str, where: str, got: object = None, remedy: str = "") -> None:
        """Note one problem."""
        self.found.append(explained(what, where=where, got=got, remedy=remedy))

    def raise_any(self) -> None:
        """Raise InputError with every problem, one a line."""
        if self.found:
            raise InputError("\n".join(self.found))


def rows_of(name: str, given: pd.DataFrame | Iterable[Row]) -> list[Row]:
    """Return a table of a catalogue as rows without unknown values.

    Raises InputError for a column the table does not have.

    >>> rows_of("topics", pd.DataFrame({"topic": ["tea"], "label_de": ["Tee"], "label_en": [None]}))
    [{'topic': 'tea', 'label_de': 'Tee'}]
    """
    records = given.to_dict("records") if isinstance(given, pd.DataFrame) else list(given)
    rows = [{str(key): value for key, value in row.items() if _known(value)} for row in records]
    for column in dict.fromkeys(key for row in rows for key in row):
        if column not in CONTENT_COLUMNS[name] and not LABEL_COLUMN.fullmatch(column):
            if column in SAFETY_COLUMNS:
                raise InputError(explained("a safety word is fixed", where=name, got=column))
            remedy = did_you_mean(column, CONTENT_COLUMNS[name])
            raise InputError(
                explained("unknown column of a catalogue", where=name, got=column, remedy=remedy)
            )
    return rows


def _known(value: object) -> bool:
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return False
    return not (isinstance(value, str) and not value.strip())


def csv_rows(file: Path) -> list[Row]:
    """Return the rows of a CSV file.

    Raises InputError when it is not UTF-8, not CSV, or a row is longer or shorter than the header.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.DictReader(lines, strict=True))
    except (UnicodeDecodeError, csv.Error):
        remedy = "write it as UTF-8 with commas and one header row"
        raise InputError(explained("cannot read CSV", where=file.name, remedy=remedy)) from None
    for number, row in enumerate(rows):
        if None in row or any(value is None for value in row.values()):
            remedy = "give every row as many fields as the header; quote a comma inside a text"
            raise InputError(
                explained("a row of another length", where=f"{file.name} row {number}", remedy=remedy)
            )
    return rows


def yaml_rows(name: str, text: bytes, *, where: str) -> dict[str, list[Row]]:
    r"""Return the rows of a table written in YAML by id, and of a question's options with it.

    name: the table. where: what errors call the text. A language as a key is the label in it.

    Raises InputError for what is no YAML, and for entries that are no mapping.

    >>> yaml_rows("questions", b"pets: {de: Tiere, options: [ja, nein]}", where="questions.yaml")["questions"]
    [{'question_id': 'pets', 'label_de': 'Tiere'}]
    """
    raw = parse_yaml(text, where=where)
    if not isinstance(raw, Mapping):
        raise InputError(explained("not a mapping of ids", where=where, remedy="write ids as keys"))
    tables: dict[str, list[Row]] = {name: []}
    for key, fields in raw.items():
        if name == WORDS:
            _, words = _yaml_row(where, str(key), {"options": fields})
            tables[name] += [{"field": str(key), "word": word.pop("option_id"), **word} for word in words]
            continue
        row, options = _yaml_row(where, str(key), fields)
        tables[name].append({_ID_COLUMN[name]: str(key), **row})
        if name == QUESTIONS and options:
            own = [{"question_id": str(key), **option} for option in options]
            tables.setdefault(OPTIONS, []).extend(own)
    return tables


def _yaml_row(file: str, key: str, fields: object) -> tuple[Row, list[Row]]:
    """Return one entry as a row, and its options as rows."""
    if isinstance(fields, int) and not isinstance(fields, bool):
        return {"weight": fields}, []
    if isinstance(fields, str):
        return {"label": fields}, []
    if not isinstance(fields, Mapping):
        raise InputError(
            explained("not a mapping", where=f"{file}: {key}", remedy="write label: and options:")
        )
    row = {_column(str(name)): value for name, value in fields.items() if name != "options"}
    given: Any = fields.get("options", {})
    if isinstance(given, list):
        given = {str(option): {} for option in given}
    if not isinstance(given, Mapping):
        raise InputError(explained("options are no list", where=f"{file}: {key}", remedy="write [yes, no]"))
    options = []
    for option, label in given.items():
        values = {"label": label} if isinstance(label, str) else dict(label or {})
        options.append({"option_id": str(option), **{_column(str(n)): v for n, v in values.items()}})
    return row, options


def _column(name: str) -> str:
    """Return the column of a field; a language is the label in it."""
    known = {column for columns in CONTENT_COLUMNS.values() for column in columns}
    return f"label_{name}" if name not in known and _LANG.fullmatch(name) and len(name) != 4 else name


def grouped_by_id(rows: list[Row], column: str, table: str, problems: Problems) -> dict[str, list[Row]]:
    """Return the rows of each id; ids that differ in case or width alone are a problem."""
    groups: dict[str, list[Row]] = {}
    spelled: dict[str, str] = {}
    for number, row in enumerate(rows):
        key = text_of(row.get(column, ""))
        if not _ID.fullmatch(key):
            remedy = "use 1 to 64 letters, digits, _ . + and -"
            problems.add(f"no id in '{column}'", f"{table} row {number}", got=shown(key), remedy=remedy)
            continue
        if key in SAFETY_COLUMNS:
            problems.add("a safety word is fixed", f"{table}: {key}", remedy="give it another id")
        other = spelled.setdefault(spelling(key), key)
        if other != key:
            problems.add("two spellings of one id", f"{table}: {key}", got=other, remedy="keep one of them")
        groups.setdefault(key, []).append(row)
    return groups


def text_of(value: object) -> str:
    """Return a value as text without blanks around it; a whole number has no decimals."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return as_text(value).strip()


def label_of(rows: list[Row], where: str, problems: Problems, default: str | None = None) -> Label:
    """Return the label of the rows about one id, in every language they give it."""
    texts: dict[str, str] = {}
    for row in rows:
        for column, value in row.items():
            named = LABEL_COLUMN.fullmatch(column)
            if column != "label" and not named:
                continue
            lang = named.group(1) if named else text_of(row.get("lang", "und"))
            text = text_of(value)
            if texts.setdefault(lang, text) != text:
                problems.add(
                    f"two labels in '{lang}'", where, got=shown(text), remedy="keep one row a language"
                )
            if len(text) > _LONGEST_LABEL or unsafe_characters(text):
                remedy = f"at most {_LONGEST_LABEL} characters, no markup and no control characters"
                problems.add("a label that cannot be shown", where, got=shown(text), remedy=remedy)
    if not texts:
        if default is None:
            problems.add("no label", where, remedy="write it in one language at least")
        return Label(default or where, default or where)
    return Label.of(texts)


def one_value(rows: list[Row], column: str, where: str, problems: Problems) -> Any:
    """Return what the rows about one id say in a column, None where they say nothing."""
    found = {text_of(row[column]): row[column] for row in rows if column in row}
    if len(found) > 1:
        problems.add(f"two values of '{column}'", where, got=sorted(found), remedy="keep one")
    return next(iter(found.values()), None)


def flag_of(rows: list[Row], column: str, where: str, problems: Problems) -> bool:
    """Return whether the rows about one id say true in a column; false where they say nothing."""
    value = one_value(rows, column, where, problems)
    text = text_of(value).lower() if value is not None else "false"
    if text not in TRUE | _FALSE:
        problems.add(f"'{column}' is not true or false", where, got=text)
    return text in TRUE


def number_of(value: object, column: str, where: str, problems: Problems) -> float | None:
    """Return a value as a finite number, None where there is none."""
    if value is None:
        return None
    try:
        found = float(text_of(value))
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        problems.add(f"'{column}' is not a number", where, got=shown(text_of(value)))
        return None
    return found


def label_row(label: Label) -> Row:
    """Return the columns that hold a label."""
    return {"label" if lang == "und" else f"label_{lang}": text for lang, text in label.texts.items()}
