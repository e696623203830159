"""A foreign table read row by row: what can be used, and what is set aside with its reason."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.errors import InputError, did_you_mean, explained, shown
from recsys.interactions.names import Ids, Names, texts_of_uuids
from recsys.interactions.outcomes import LIKE, Like, event_types
from recsys.interactions.times import utc_times
from recsys.schema.columns import Columns as C
from recsys.schema.ids import as_ids

ROW_NUMBER: Final = "row_number"
CODES: Final = "codes"
REASON: Final = "reason"

_REASONS: Final = {
    "viewer.missing": "nobody is named who acted",
    "candidate.missing": "nobody is named towards whom",
    "pair.self": "somebody acted towards themself",
    "outcome.missing": "no outcome, or one that was said to mean nothing",
    "ts.missing": "no time, or one that cannot be read",
}


@dataclass(frozen=True, slots=True)
class Read:
    """The columns of a foreign table, by name; None where the table has none.

    viewer: who acted. candidate: towards whom. outcome: what they said; None: every row is a like.
    ts: when; None: rows stand in the order in which things happened.
    """

    viewer: str
    candidate: str
    outcome: str | None
    ts: str | None

    def checked(self, frame: pd.DataFrame) -> None:
        """Raise InputError when this is no table, or a column is not in it."""
        if not isinstance(frame, pd.DataFrame):
            remedy = "pass a DataFrame: pd.read_csv(...)"
            got = type(frame).__name__
            raise InputError(explained("this is no table", where="interactions", got=got, remedy=remedy))
        known = [str(column) for column in frame.columns]
        for name in (self.viewer, self.candidate, self.outcome, self.ts):
            if name is not None and name not in frame.columns:
                remedy = did_you_mean(str(name), known)
                raise InputError(explained("no such column", where="interactions", got=name, remedy=remedy))


def read_rows(
    frame: pd.DataFrame, read: Read, like: Like, sides: tuple[str, str]
) -> tuple[pd.DataFrame, pd.DataFrame, tuple[Names, Names]]:
    """Return usable rows (actor, target, type, ts) in order of time, refused rows, and the names.

    sides: the names of the viewers' and the candidates' side, both "" for one community.
    """
    read.checked(frame)
    table = frame.reset_index(drop=True)
    (viewers, some), (candidates, others) = _ids(table, read)
    names = (Names.of(sides[0], viewers, uuid=some), Names.of(sides[1], candidates, uuid=others))
    actor, target = names[0].inside(viewers), names[1].inside(candidates)
    types = (
        np.full(len(table), LIKE, dtype=object)
        if read.outcome is None
        else event_types(table[read.outcome], like)
    )
    times = _in_row_order(len(table)) if read.ts is None else utc_times(table[read.ts])
    there = pd.notna(actor) & (actor != ""), pd.notna(target) & (target != "")
    faults = {
        "viewer.missing": ~there[0],
        "candidate.missing": ~there[1],
        "pair.self": there[0] & there[1] & (actor == target),
        "outcome.missing": pd.isna(types),
        "ts.missing": times.isna().to_numpy(bool),
    }
    refused = np.logical_or.reduce(list(faults.values()))
    order = np.argsort(times.astype("int64").to_numpy(np.int64), kind="stable")
    order = order[~refused[order]]
    kept = pd.DataFrame(
        {
            C.ACTOR: pd.Series(actor[order], dtype=object),
            C.TARGET: pd.Series(target[order], dtype=object),
            C.TYPE: pd.Series(types[order], dtype=object),
            C.TS: times.array[order],
        }
    )
    return kept, _quarantine(table, read, faults, np.flatnonzero(refused)), names


def _ids(table: pd.DataFrame, read: Read) -> tuple[tuple[Ids, bool], tuple[Ids, bool]]:
    """Return the ids of both columns, each with whether they came as UUIDs."""
    found = []
    for name in (read.viewer, read.candidate):
        try:
            texts, uuids = texts_of_uuids(table[name].reset_index(drop=True))
            found.append((as_ids(texts), uuids))
        except InputError as error:
            raise InputError(f"column '{name}': {error}, for example with .astype(str)") from error
    return found[0], found[1]


def _in_row_order(n_rows: int) -> pd.Series:
    """Return times that say no more than which row came first."""
    micros = np.arange(n_rows, dtype=np.int64)
    return pd.Series(pd.to_datetime(micros, unit="us", utc=True)).astype("datetime64[us, UTC]")


def _quarantine(
    table: pd.DataFrame, read: Read, faults: dict[str, npt.NDArray[np.bool_]], at: npt.NDArray[np.intp]
) -> pd.DataFrame:
    """Return the refused rows: their number, every code and reason, and what was given as short text."""
    found = [[code for code, wrong in faults.items() if wrong[row]] for row in at]
    given = [name for name in (read.viewer, read.candidate, read.outcome, read.ts) if name is not None]
    columns: dict[str, object] = {
        ROW_NUMBER: at.astype(np.int64),
        CODES: pd.Series(["|".join(codes) for codes in found], dtype=object),
        REASON: pd.Series(["; ".join(_REASONS[code] for code in codes) for codes in found], dtype=object),
    }
    columns |= {name: pd.Series([shown(v) for v in table[name].iloc[at]], dtype=object) for name in given}
    return pd.DataFrame(columns)
