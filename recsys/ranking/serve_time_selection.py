"""Selection at serve time: the list of the night, then live search, filtered by rules and safety store."""

from collections.abc import Callable, Collection, Sequence
from typing import Final, NamedTuple
from zlib import crc32

import numpy as np
import numpy.typing as npt

from recsys.ranking.snapshot import Snapshot
from recsys.safety.store import SafetyExclusions

SafetyQuestion = Callable[[str, Sequence[str]], SafetyExclusions]
"""Asks the safety store how a viewer and candidates stand at this moment."""

_SPARE: Final = 8
"""People looked up beyond those needed, so that a few who are out cost no second search."""


class Selection(NamedTuple):
    """Candidates in order: rows and propensities; live: whether the list of the night ran short."""

    rows: list[int]
    propensity: list[float]
    live: bool


NOBODY: Final = Selection([], [], live=False)


def select_candidates(
    snapshot: Snapshot, ask: SafetyQuestion, viewer_id: str, k: int, shown_today: Collection[str] = ()
) -> Selection:
    """Return at most `k` people who may be shown to the viewer now, best first.

    Rules are checked again by the compiled masks, then safety is asked about everybody who is left.
    Whom the viewer had liked already when the night began is not offered again.
    For a viewer who is unknown, not listed, held or erased the answer is nobody, after the same work:
    one list, one question. Whose list it was does not matter, since nothing of it is used.
    """
    row = snapshot.ids.find([viewer_id])[0]
    known = snapshot.live.is_listed(row)
    whose = row if known else _decoy(snapshot, viewer_id)
    list_of_night = snapshot.list_of_night(whose)
    liked = snapshot.liked(whose)
    keep = snapshot.may_show(whose, list_of_night.rows)
    if len(liked):
        keep &= ~np.isin(list_of_night.rows, liked)
    rows = list_of_night.rows[keep].tolist()
    ids = snapshot.ids.at(rows)
    exclusions = ask(viewer_id, ids)
    if not known or exclusions.viewer_excluded:
        return NOBODY
    chance = list_of_night.propensity[keep].tolist()
    left_out = exclusions.excluded.union(shown_today)
    found = [(r, p) for r, p, i in zip(rows, chance, ids, strict=True) if i not in left_out][:k]
    if len(found) == k:
        return Selection([r for r, _ in found], [p for _, p in found], live=False)
    seen = {*list_of_night.rows.tolist(), *snapshot.ids.find(shown_today), *liked.tolist()}
    free = _free(snapshot, ask, viewer_id, row)
    found += [(r, 1.0) for r in _searched(snapshot, free, row, k - len(found), seen)]
    return Selection([r for r, _ in found], [p for _, p in found], live=True)


def select_from(  # noqa: PLR0917
    snapshot: Snapshot,
    ask: SafetyQuestion,
    viewer_id: str,
    k: int,
    shown_today: Collection[str],
    best: npt.NDArray[np.int32],
) -> Selection:
    """Return the first `k` of `best`, who the rules allow already, that stand free now."""
    left_out, at = frozenset(shown_today), 0
    found: list[int] = []
    while len(found) < k:
        rows = best[at : at + k + _SPARE].tolist()
        ids = snapshot.ids.at(rows)
        exclusions = ask(viewer_id, ids)  # also of nobody: a newcomer may be held
        if exclusions.viewer_excluded:
            return NOBODY
        gone = exclusions.excluded | left_out
        found += [row for row, i in zip(rows, ids, strict=True) if i not in gone]
        at += len(rows)
        if at >= len(best):
            break
    return Selection(found[:k], [1.0] * len(found[:k]), live=True)


def _free(
    snapshot: Snapshot, ask: SafetyQuestion, viewer_id: str, row: int
) -> Callable[[list[int]], list[int]]:
    """Return what keeps, of some rows, those the rules allow and who stand free for the viewer."""

    def free(found: list[int]) -> list[int]:
        rows = [other for other, may in zip(found, snapshot.may_show(row, found), strict=True) if may]
        ids = snapshot.ids.at(rows)
        exclusions = ask(viewer_id, ids)
        if exclusions.viewer_excluded:
            return []
        return [row for row, i in zip(rows, ids, strict=True) if i not in exclusions.excluded]

    return free


def _searched(
    snapshot: Snapshot, free: Callable[[list[int]], list[int]], row: int, need: int, seen: Collection[int]
) -> list[int]:
    """Return at most `need` of the best people who are not among `seen` and stand free."""
    found: list[int] = []
    asked = set(seen)
    reach = need + len(asked) + _SPARE
    while True:
        best = snapshot.live.best(row, reach).tolist()
        fresh = [other for other in best if other not in asked]
        if fresh:
            found += free(fresh)
            asked.update(fresh)
        if len(found) >= need or len(best) < reach:
            return found[:need]
        reach *= 2


def _decoy(snapshot: Snapshot, viewer_id: str) -> int:
    """Return some row, the same for the same id."""
    return crc32(viewer_id.encode("utf-8", "replace")) % max(1, len(snapshot.ids))
