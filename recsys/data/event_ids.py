"""Ids of events: those that several events have, such as `like-1` of two members, are told apart."""

import re
from hashlib import blake2b
from typing import Final

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.id_spellings import id_in_one_spelling
from recsys.data.ids import repeated
from recsys.types import IndexArray

_TOLD: Final = (C.ACTOR, C.TARGET, C.TYPE, C.DETAIL)
"""What makes two rows of one id two events; rows that differ in anything else are one event, told twice."""
_MARK: Final = re.compile(r"\.[0-9a-f]{8}\Z")


def distinct_event_id(
    event_id: str, actor: object, target: object, type_: object, detail: object = None
) -> str:
    """Return the id of a row whose id is that of another event already: the same id, and a mark of its own.

    >>> distinct_event_id("like-1", "u1", "u2", "like"), distinct_event_id("like-1", "U1 ", "u2", "like")
    ('like-1.7321c39a', 'like-1.7321c39a')
    """
    said = repr(_said(actor, target, type_, detail)).encode("utf-8", "surrogatepass")
    return f"{event_id}.{blake2b(said, digest_size=4).hexdigest()}"


def may_be_distinct_from(event_id: str) -> str | None:
    """Return the id that another event had first, of one that `distinct_event_id` may have made.

    >>> may_be_distinct_from("like-1.7321c39a"), may_be_distinct_from("like-1")
    ('like-1', None)
    """
    return _MARK.sub("", event_id) if _MARK.search(event_id) else None


def with_distinct_ids(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows of events in which each event has an id of its own; the first row of an id keeps it.

    Two rows of one id are two events where the actor, the target, the type or the detail differs. Rows that
    say the same of all four are one event, and are left as they are.

    >>> rows = pd.DataFrame({"event_id": ["e1", "e1", "e1"], "actor": ["a", "b", "a"], "target": "c"})
    >>> with_distinct_ids(rows.assign(type="like", detail=None))["event_id"].str.len().tolist()
    [2, 11, 2]
    """
    ids = rows[C.EVENT]
    again = repeated(ids) & ids.notna().to_numpy(bool)
    if not again.any():
        return rows
    at = np.flatnonzero(ids.isin(ids[again].unique()).to_numpy(bool))
    names = ids.iloc[at].to_numpy(object)
    given = [_column(rows, column, at) for column in _TOLD]
    first: dict[str, tuple[object, ...]] = {}
    found = ids.astype(object).to_numpy(object, copy=True)
    changed = False
    for row, name, told in zip(at, names, zip(*given, strict=True), strict=True):
        if first.setdefault(name, _said(*told)) != _said(*told):
            found[row], changed = distinct_event_id(name, *told), True
    return rows.assign(**{C.EVENT: pd.Series(found, rows.index).astype(ids.dtype)}) if changed else rows


def _column(rows: pd.DataFrame, column: str, at: IndexArray) -> list[object]:
    if column not in rows:
        return [None] * len(at)
    values = rows[column].iloc[at].astype(object)
    return values.where(values.notna(), None).tolist()


def _said(actor: object, target: object, type_: object, detail: object) -> tuple[object, ...]:
    return id_in_one_spelling(actor), id_in_one_spelling(target), type_, detail
