"""Quarantine: refused rows with every reason, and nothing that must not be kept."""

import datetime as dt
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.fields.base import Field, Violation, objects
from recsys.data.fields.enumeration import MOST_WORDS
from recsys.errors import as_text, shown
from recsys.types import IndexArray, ObjectArray

ROW_NUMBER = "row_number"
CODES = "codes"
REASON = "reason"
REDACTED = "(redacted)"


class Quarantine:
    """Collects the faults of one table, row by row."""

    def __init__(self, fields: Sequence[Field], given: pd.DataFrame) -> None:
        self._fields = fields
        self._given = given
        self._faults: list[Violation] = []
        self.refused: npt.NDArray[np.bool_] = np.zeros(len(given), bool)

    def add(self, faults: Iterable[Violation]) -> None:
        """Note faults; their rows are refused from now on."""
        for fault in faults:
            if len(fault.rows):
                self._faults.append(fault)
                self.refused[fault.rows] = True

    def only(self, rule: str) -> IndexArray:
        """Return the positions of rows that break `rule` and no other."""
        count = np.zeros(len(self._given), np.int64)
        other = np.zeros(len(self._given), bool)
        for fault in self._faults:
            if fault.code.endswith(f".{rule}"):
                count[fault.rows] += 1
            else:
                other[fault.rows] = True
        return np.flatnonzero((count > 0) & ~other)

    def frame(self, rows: pd.DataFrame, *, past: bool = False) -> pd.DataFrame:
        """Return the refused rows: number, person, codes, reasons, and what was given as short text.

        rows: the canonical table; a `user_id` is repeated only when it could be read. past: the table is
        looked at as of a moment of the past; of rows merely not there yet only the type is repeated.
        """
        at = np.flatnonzero(self.refused)
        named = [str(one) for one in self._given.columns if one not in {C.USER, ROW_NUMBER, CODES, REASON}]
        if not len(at):
            nobody = pd.DataFrame(
                np.empty((0, 3 + len(named)), object), columns=[C.USER, CODES, REASON, *named]
            )
            nobody.insert(0, ROW_NUMBER, at.astype(np.int64))
            return nobody
        spared = np.isin(at, self.only("future")) if past else np.zeros(len(at), bool)
        codes, reasons = self._joined(at)
        users = rows[C.USER].to_numpy(object)[at] if C.USER in rows else np.full(len(at), None, object)
        shorts = {name: self._short(name, at, spared & (name != C.TYPE)) for name in named}
        front = {ROW_NUMBER: at.astype(np.int64), C.USER: users, CODES: codes, REASON: reasons}
        return pd.DataFrame(
            {name: pd.Series(v, dtype="int64" if name == ROW_NUMBER else object) for name, v in front.items()}
            | {name: pd.Series(v, dtype=object) for name, v in shorts.items()}
        )

    def _joined(self, at: npt.NDArray[np.intp]) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.object_]]:
        place = np.zeros(len(self._given), np.intp)
        place[at] = np.arange(len(at))
        codes, reasons = np.full(len(at), "", object), np.full(len(at), "", object)
        for fault in self._faults:
            where = place[fault.rows]
            again = codes[where] != ""
            codes[where] += np.where(again, f"|{fault.code}", fault.code).astype(object)
            reasons[where] += np.where(again, "; ", "").astype(object)
            reasons[where] += fault.reason
        return codes, reasons

    def _short(
        self, name: str, at: npt.NDArray[np.intp], spared: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.object_]:
        field = next((field for field in self._fields if field.name == name), None)
        short = np.full(len(at), None, object)
        short[~spared] = _short_texts(objects(self._given[name].iloc[at[~spared]]))
        if field is not None and field.private:
            mine = [fault.rows for fault in self._faults if fault.code.startswith(f"{name}.")]
            hidden = np.isin(at, np.concatenate(mine)) if mine else np.zeros(len(at), bool)
            short[hidden & (short != None)] = REDACTED  # noqa: E711 - elementwise
        return short


_MEMBERS_SHOWN = 20


def _short_texts(values: ObjectArray) -> ObjectArray:
    if not set(map(type, values)) <= {str, type(None)}:
        return np.fromiter((_shortened(v) for v in values), object, len(values))
    group, distinct = pd.factorize(values)
    return np.array([*(_shortened(v) for v in distinct), None], dtype=object)[group]


def _shortened(value: object) -> str | None:
    """Return a value as one short printable line, looking only at its beginning."""
    if value is None:
        return None
    if isinstance(value, set | frozenset) and len(value) <= MOST_WORDS:
        value = sorted(value, key=_single)
    if isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim == 1):
        first = [_single(member) for member in value[:_MEMBERS_SHOWN]]
        more = f" ... ({len(value)} members)" if len(value) > _MEMBERS_SHOWN else ""
        return "|".join(first) + more
    return _single(value)


def _single(value: object) -> str:
    if isinstance(value, int | float | np.generic | Decimal | dt.date):
        value = as_text(value)
    if isinstance(value, str):
        return shown(value).removeprefix("'").removesuffix("'")
    return f"({type(value).__name__})"


TABLE: Final = "table"
VALUES: Final = "values"
COLUMNS: Final = (TABLE, ROW_NUMBER, C.USER, CODES, REASON, VALUES)


def one_table(quarantined: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return refused rows of all tables as one frame that any store can hold.

    table, row_number (position from 0), user_id (None when it could not be read), codes (`column.rule`
    joined by "|", for counting), reason (sentences joined by "; "), values (JSON object of short
    texts, nothing that must not be kept).
    """
    frames = [_flat(name, frame) for name, frame in quarantined.items() if len(frame)]
    if not frames:
        empty = {name: pd.Series(dtype=object) for name in COLUMNS}
        return pd.DataFrame(empty).astype({ROW_NUMBER: "int64"})
    return pd.concat(frames, ignore_index=True)


class RowsAhead(NamedTuple):
    """How many rows of a table are dated after the time of loading, and the position of the first, from 0."""

    rows: int
    first: int


def rows_ahead(quarantine: pd.DataFrame) -> dict[str, RowsAhead]:
    """Return by table the refused rows of one table of all that are dated after the time of loading."""
    rows = quarantine[quarantine[CODES].str.contains(r"\.future(?:\||$)", regex=True).astype(bool)]
    return {
        str(name): RowsAhead(len(found), int(found.min()))
        for name, found in rows.groupby(TABLE, sort=True)[ROW_NUMBER]
    }


def _flat(table: str, frame: pd.DataFrame) -> pd.DataFrame:
    columns = [name for name in frame.columns if name not in {ROW_NUMBER, C.USER, CODES, REASON}]
    given = frame[columns].to_numpy(object).tolist()
    known: dict[tuple[object, ...], str] = {}  # rows that are not there yet repeat nothing but their type
    for row in map(tuple, given):
        if row not in known:
            known[row] = json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False)
    texts = (known[tuple(row)] for row in given)
    flat = frame[[ROW_NUMBER, C.USER, CODES, REASON]].copy()
    flat.insert(0, TABLE, table)
    flat[VALUES] = pd.Series(np.fromiter(texts, object, len(frame)), dtype=object, index=frame.index)
    return flat.astype(dict.fromkeys((TABLE, C.USER, CODES, REASON), object))


_FORMULA: Final = re.compile(r"(^[ \"']*|[;\t\r\n][ \"']*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])|^(?=[\t\r\n])")


def without_formulas(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table for a spreadsheet: a text that would run as a formula begins with an apostrophe.

    So does what stands after a semicolon, a tab or a line end in a text: where a comma is the decimal sign,
    semicolons separate the cells. What a table says is what somebody else sent, and whoever opens the file
    did not.

    >>> without_formulas(pd.DataFrame({"user_id": ["=1+1", "u2", "a; =1+1"]})).user_id.tolist()
    ["'=1+1", 'u2', "a; '=1+1"]
    """
    texts = table.select_dtypes(include=["object", "string", "category"]).columns
    quoted = table.copy()
    for name in texts:
        quoted[name] = table[name].astype(object).map(_no_formula)
    return quoted


def _no_formula(value: object) -> object:
    return _FORMULA.sub(r"\1'", value) if isinstance(value, str) else value
