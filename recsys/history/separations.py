"""Which pairs are separated as of a time, and which likes stand."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.history.events import CodedEvents, Events, microseconds
from recsys.history.stance import matched_pairs, stances
from recsys.schema.columns import Columns as C
from recsys.schema.ids import IdIndex
from recsys.schema.population import as_utc
from recsys.schema.relations import SEPARATION_REASONS, Relations

PASS_DAYS: Final = 180
"""How long a pass keeps two people out of each other's lists."""

_MICROSECONDS_A_DAY = 86_400_000_000
_Pairs = npt.NDArray[np.object_]


def relations(
    events: Events,
    blocks: pd.DataFrame | None,
    reports: pd.DataFrame | None,
    ids: IdIndex,
    as_of: str | pd.Timestamp,
) -> Relations:
    """Return what stands between the people in `ids` as of a time, from what was known then.

    events: anything later than `as_of` is not used, nor any row of an erased person.
    blocks, reports: the safety tables (`actor`, `target`, `ts`), None for none; a row without a
    time holds. People who are not in `ids` are left out.

    | separated by | until |
    |---|---|
    | block, report | for good |
    | anything unsafe: a meeting, an end, pressure, a request for money or to leave | for good |
    | an end; a match (they know each other already) | for good |
    | hide | the same person likes the other later |
    | pass | 180 days, or the same person likes the other later |
    """
    time = as_utc(as_of)
    coded = events.until(time).without_erased().coded
    by_reason = {
        "block": [_named(coded, coded.are("block")), _table(blocks, time)],
        "report": [_named(coded, coded.are("report")), _table(reports, time)],
        "unsafe": [_named(coded, _unsafe(coded))],
        "end": [_named(coded, coded.detailed("end", "amicable"))],
        **_stance_reasons(coded, time),
    }
    pairs = [(reason, ids_of) for reason, found in by_reason.items() for ids_of in found]
    separated, reason = _rows(pairs, ids)
    stance = stances(coded)
    likes = np.column_stack([stance.actor, stance.target])[stance.likes]
    liked, _ = _rows([("matched", coded.people[likes])], ids)
    return Relations.of(
        len(ids), separated=separated, reason=reason, liked=liked, suggestible=_suggestible(coded, ids)
    )


def _unsafe(coded: CodedEvents) -> npt.NDArray[np.bool_]:
    return (
        coded.detailed("meet_feedback", "unsafe")
        | coded.detailed("end", "unsafe")
        | coded.detailed("feeling_check", "pressured")
        | coded.are("money_request", "off_platform_request")
    )


def _stance_reasons(coded: CodedEvents, as_of: pd.Timestamp) -> dict[str, list[_Pairs]]:
    stance = stances(coded)
    pairs = coded.people[np.column_stack([stance.actor, stance.target])]
    now = microseconds(as_of)
    recent = stance.passed > now - PASS_DAYS * _MICROSECONDS_A_DAY
    return {
        "hide": [pairs[stance.hides]],
        "pass": [pairs[stance.passes & recent]],
        "matched": [coded.people[matched_pairs(coded)]],
    }


def _named(coded: CodedEvents, chosen: npt.NDArray[np.bool_]) -> _Pairs:
    """Return the ids of both people of the chosen events that have a target, `(n, 2)`."""
    rows = np.flatnonzero(chosen & (coded.target >= 0))
    return coded.people[np.column_stack([coded.actor[rows], coded.target[rows]])]


def _table(table: pd.DataFrame | None, as_of: pd.Timestamp) -> _Pairs:
    if table is None:
        return np.empty((0, 2), object)
    known = table[~(table[C.TS] > as_of)] if C.TS in table else table
    return known[[C.ACTOR, C.TARGET]].to_numpy(object)


def _rows(
    pairs: list[tuple[str, _Pairs]], ids: IdIndex
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int8]]:
    """Return rows and reasons of the pairs whose two people are known and differ."""
    named = np.vstack([np.empty((0, 2), object), *(found for _, found in pairs)])
    why = np.repeat([SEPARATION_REASONS.index(r) for r, _ in pairs], [len(found) for _, found in pairs])
    rows = np.column_stack([ids.find(named[:, 0]), ids.find(named[:, 1])])
    known = (rows >= 0).all(axis=1) & (rows[:, 0] != rows[:, 1])
    return rows[known], why[known].astype(np.int8)


def _suggestible(coded: CodedEvents, ids: IdIndex) -> npt.NDArray[np.bool_]:
    """Say who opted in to double-blind suggestions of anybody; one that names a person is not that."""
    chosen = coded.detailed("optin", "suggestion") & (coded.target < 0)
    rows = ids.find(coded.people[np.unique(coded.actor[chosen])])
    may = np.zeros(len(ids), bool)
    may[rows[rows >= 0]] = True
    return may
