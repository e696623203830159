"""Selection at serve time: the list of the night, then live search, filtered by rules, the day and safety."""

import base64
import binascii
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from recsys.errors import InputError, explained
from recsys.ranking.day_members import DayMember
from recsys.ranking.snapshot import Snapshot
from recsys.ranking.taste_by_day import taste_by_day
from recsys.ranking.viewer_day import NO_DAY, ViewerDay
from recsys.ranking.viewer_filters import Filters
from recsys.safety.store import SafetyExclusions
from recsys.types import BoolArray

_MOST_IN_CURSOR: Final = 5_000
_WIDTH: Final = 8


@dataclass(frozen=True, slots=True)
class PageCursor:
    """Who was on the pages before, as keyed hashes: a text for a client to hand back, which tells it nothing.

    >>> cursor = PageCursor(b"k").with_people(["a", "b"])
    >>> PageCursor.read(cursor.text, b"k").without(["b", "c"])
    ['c']
    """

    key: bytes
    hashes: frozenset[bytes] = frozenset()

    @classmethod
    def read(cls, text: str | None, key: bytes) -> Self:
        """Return the cursor of a text; None is that of the first page. Raises InputError for no cursor."""
        if text is None:
            return cls(key)
        try:
            raw = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
        except (ValueError, AttributeError, binascii.Error):
            raise _no_cursor() from None
        if len(raw) % _WIDTH or not raw or len(raw) > _MOST_IN_CURSOR * _WIDTH:
            raise _no_cursor()
        return cls(key, frozenset(raw[at : at + _WIDTH] for at in range(0, len(raw), _WIDTH)))

    @property
    def text(self) -> str:
        """The cursor as a text."""
        return base64.urlsafe_b64encode(b"".join(sorted(self.hashes))).decode()

    def with_people(self, ids: Iterable[str]) -> Self:
        """Return the cursor after a page of these people."""
        return type(self)(self.key, self.hashes | {self._hash(one) for one in ids})

    def without(self, ids: Iterable[str]) -> list[str]:
        """Return those who were not on a page before."""
        return [one for one in ids if not self.hashes or self._hash(one) not in self.hashes]

    def _hash(self, user_id: str) -> bytes:
        return blake2b(user_id.encode("utf-8", "surrogatepass"), key=self.key, digest_size=_WIDTH).digest()


def _no_cursor() -> InputError:
    return InputError(explained("no cursor of a page", where="after", remedy="give back `next` of the page"))


SafetyQuestion = Callable[[str, Sequence[str]], SafetyExclusions]
"""Asks the safety store how a viewer and candidates stand at this moment."""

_SPARE: Final = 8
"""People looked up beyond those needed, so that a few who are out cost no second search."""


class Selection(NamedTuple):
    """Candidates in order: rows and propensities; live: whether the list of the night ran short.

    members: of the day; the first of them stands in rows as -1, the second as -2.
    """

    rows: list[int]
    propensity: list[float]
    live: bool
    members: tuple[DayMember, ...] = ()


NOBODY: Final = Selection([], [], live=False)


def _everybody(ids: Sequence[str]) -> list[str]:
    return list(ids)


@dataclass(frozen=True, eq=False)
class Narrowing:
    """What leaves people out of one page beside rules and safety.

    day: the viewer's day. keep: those of some ids who were not on a page before. among: `(n_people,)` bool,
    who was asked for; None for everybody. where: the viewer's filter, "" for none: it is counted. named: rows
    of who was asked for by id.
    """

    day: ViewerDay = NO_DAY
    keep: Callable[[Sequence[str]], list[str]] = field(default=_everybody)
    among: BoolArray | None = None
    where: str = ""
    named: Sequence[int] = ()

    def left(self, ids: Sequence[str]) -> set[str]:
        """Return those of some ids who are left."""
        away = self.day.away
        return {one for one in self.keep(ids) if one not in away}


EVERYBODY: Final = Narrowing()
MOST_NAMED: Final = 1000
"""Ids from which a page may be chosen."""


def narrowing_of(  # noqa: PLR0917
    snapshot: Snapshot,
    viewer_id: str,
    day: ViewerDay,
    where: Filters | None,
    among: Collection[str] | None,
    cursor: PageCursor,
) -> Narrowing:
    """Return what leaves people out of a page: the day, the viewer's filters, the ids, the pages before.

    Raises InputError for what is no filter, for more than 1000 ids, and for ids beside a filter: the two
    together would tell of one person whether they fit.
    """
    kept: BoolArray | None = None
    rows: list[int] = []
    asked_for = None if where is None else where.checked(snapshot.catalogue)
    if asked_for:
        if among is not None:
            raise InputError(
                explained("a filter and a list of ids", where="among", remedy="give one of them")
            )
        kept = snapshot.fits(snapshot.ids.find([viewer_id])[0], asked_for)
    if among is not None:
        if isinstance(among, str) or len(among) > MOST_NAMED:
            raise InputError(explained(f"`among` is a list of at most {MOST_NAMED} ids"))
        rows = sorted({row for row in snapshot.ids.find(among) if row >= 0})
        named = np.zeros(len(snapshot.ids), bool)
        named[rows] = True
        kept = named if kept is None else kept & named
    asked = repr(asked_for) if asked_for else ""
    return Narrowing(day, cursor.without, kept, asked, rows)


def select_candidates(
    snapshot: Snapshot, ask: SafetyQuestion, viewer_id: str, k: int, narrowing: Narrowing = EVERYBODY
) -> Selection:
    """Return at most `k` people who may be shown to the viewer now, best first.

    Rules are checked again by the compiled masks, then safety is asked about everybody who is left.
    Whom the viewer had liked already when the night began is not offered again.
    For a viewer who is unknown, not listed, held or erased the answer is nobody, after the same work:
    one list, one question. Whose list it was does not matter, since nothing of it is used.
    """
    row = snapshot.ids.find([viewer_id])[0]
    known = snapshot.live.is_listed(row)
    whose = row if known else snapshot.decoy(viewer_id)
    list_of_night = snapshot.list_of_night(whose)
    liked = snapshot.liked(whose)
    keep = snapshot.may_show(whose, list_of_night.rows)
    if narrowing.among is not None:
        keep &= narrowing.among[list_of_night.rows]
    if len(liked):
        keep &= ~np.isin(list_of_night.rows, liked)
    rows = list_of_night.rows[keep].tolist()
    ids = snapshot.ids.at(rows)
    exclusions = ask(viewer_id, ids)
    if not known or exclusions.viewer_excluded:
        return NOBODY
    chance = list_of_night.propensity[keep].tolist()
    left = narrowing.left(ids) - exclusions.excluded
    found = [(r, p) for r, p, i in zip(rows, chance, ids, strict=True) if i in left][:k]
    if len(found) == k:
        return Selection([r for r, _ in found], [p for _, p in found], live=False)
    seen = {*list_of_night.rows.tolist(), *snapshot.ids.find(narrowing.day.away), *liked.tolist()}
    free = _free(snapshot, ask, viewer_id, row, narrowing)
    best = _best(snapshot, row, seen, narrowing)
    found += [(r, 1.0) for r in _searched(best, free, k - len(found), seen)]
    return Selection([r for r, _ in found], [p for _, p in found], live=True)


def select_from(  # noqa: PLR0917
    snapshot: Snapshot,
    ask: SafetyQuestion,
    viewer_id: str,
    k: int,
    narrowing: Narrowing,
    best: npt.NDArray[np.int32],
) -> Selection:
    """Return the first `k` of `best`, who the rules allow already, that stand free now."""
    at = 0
    found: list[int] = []
    if narrowing.among is not None:
        best = best[narrowing.among[best]]
    while len(found) < k:
        rows = best[at : at + k + _SPARE].tolist()
        ids = snapshot.ids.at(rows)
        exclusions = ask(viewer_id, ids)  # also of nobody: a newcomer may be held
        if exclusions.viewer_excluded:
            return NOBODY
        left = narrowing.left(ids) - exclusions.excluded
        found += [row for row, i in zip(rows, ids, strict=True) if i in left]
        at += len(rows)
        if at >= len(best):
            break
    return Selection(found[:k], [1.0] * len(found[:k]), live=True)


FreeRows = Callable[[list[int]], list[int]]


def _free(
    snapshot: Snapshot, ask: SafetyQuestion, viewer_id: str, row: int, narrowing: Narrowing
) -> FreeRows:
    """Return what keeps, of some rows, those the rules allow and who stand free for the viewer."""

    def free(found: list[int]) -> list[int]:
        rows = [other for other, may in zip(found, snapshot.may_show(row, found), strict=True) if may]
        ids = snapshot.ids.at(rows)
        exclusions = ask(viewer_id, ids)
        if exclusions.viewer_excluded:
            return []
        left = narrowing.left(ids) - exclusions.excluded
        return [row for row, i in zip(rows, ids, strict=True) if i in left]

    return free


def _searched(
    best: Callable[[int], list[int]], free: FreeRows, need: int, seen: Collection[int]
) -> list[int]:
    """Return at most `need` of the best people who are not among `seen` and stand free.

    best: gives the best so many rows, or fewer when there are no more.
    """
    found: list[int] = []
    asked = set(seen)
    reach = need + len(asked) + _SPARE
    while True:
        rows = best(reach)
        fresh = [other for other in rows if other not in asked]
        if fresh:
            found += free(fresh)
            asked.update(fresh)
        if len(found) >= need or len(rows) < reach:
            return found[:need]
        reach *= 2


def _best(
    snapshot: Snapshot, row: int, seen: Collection[int], narrowing: Narrowing
) -> Callable[[int], list[int]]:
    """Return what gives the best people for a viewer: of those asked for, by the taste after their day."""
    if narrowing.among is None and not narrowing.day.answers:
        return lambda reach: snapshot.live.best(row, reach).tolist()
    out = np.zeros(len(snapshot.ids), bool) if narrowing.among is None else ~narrowing.among
    out[[one for one in seen if one >= 0]] = True
    excluded, taste = np.flatnonzero(out), taste_by_day(snapshot, row, narrowing.day)
    return lambda reach: snapshot.live.best_beside(row, reach, excluded, taste).tolist()
