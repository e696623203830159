"""Pages of one viewer: by the tables of the night with members of the day, or by a profile of today."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import structlog

from recsys.errors import InputError
from recsys.ranking.day_members import LARGEST_SHARE, DayCandidates, DayMember, DayMembers
from recsys.ranking.hot_reload import CurrentSnapshot
from recsys.ranking.newcomer_search import NewcomerSearch, reason_codes
from recsys.ranking.page_builder import PageBuilder
from recsys.ranking.profile_tables import ProfileOfToday
from recsys.ranking.questions import CallQuestions
from recsys.ranking.response_and_receipt import Item, Page
from recsys.ranking.serve_time_filter import NOBODY, Narrowing, SafetyQuestion, Selection, select_candidates
from recsys.ranking.snapshot import Snapshot
from recsys.ranking.viewer_day import ViewerDay
from recsys.types import BoolArray, Float64Array

_log = structlog.get_logger(__name__)

_SPARE: Final = 8
"""Members asked about beyond those needed."""


class ViewerPages:
    """Selects people for one viewer and builds the page; any thread may use it.

    zone: whose midnight ends a day of a newcomer's limits. receipts_last: see `PageBuilder`.
    """

    def __init__(self, pages: PageBuilder, newcomers: NewcomerSearch, zone: ZoneInfo) -> None:
        self._pages, self._newcomers, self._zone = pages, newcomers, zone
        self.receipts_last, self.with_numbers = pages.receipts_last, newcomers.with_numbers
        self._day_members = DayMembers(newcomers.files_of)

    def listed(  # noqa: PLR0917
        self,
        use: CurrentSnapshot,
        viewer_id: str,
        k: int,
        moment: datetime,
        asked: CallQuestions,
        narrowing: Narrowing,
    ) -> tuple[Page, Selection]:
        """Return the page of somebody by the list and the tables of the night.

        Raises InputError when the viewer narrows pages by too many filters a day.
        """
        if narrowing.where:
            return self._filtered(use, viewer_id, k, moment, asked, narrowing)
        selection = select_candidates(use.snapshot, asked.ask, viewer_id, k, narrowing)
        candidates = self._candidates(use.snapshot, asked)
        if candidates is not None and narrowing.among is None:
            selection = _with_members(use.snapshot, viewer_id, k, asked, narrowing, selection, candidates)
        return self._page(use, viewer_id, selection, moment, asked), selection

    def length(self, k: int, narrowing: Narrowing) -> int:
        """Return how many people a page may show at most."""
        return self._newcomers.length(k) if narrowing.where else k

    def _filtered(  # noqa: PLR0917
        self,
        use: CurrentSnapshot,
        viewer_id: str,
        k: int,
        moment: datetime,
        asked: CallQuestions,
        narrowing: Narrowing,
    ) -> tuple[Page, Selection]:
        """Return a page with a filter, within the limits of a day: a filter tells of whoever it leaves."""
        day, keys = self._today(), self._newcomers.keys_of("filters", asked.accounts, viewer_id)
        self._newcomers.admit_filter(keys, day, narrowing.where)
        found = select_candidates(use.snapshot, asked.ask, viewer_id, k, narrowing)
        selection = self._newcomers.within_day(use.snapshot, keys, day, found)
        return self._page(use, viewer_id, selection, moment, asked), selection

    def folded_in(  # noqa: PLR0917
        self,
        use: CurrentSnapshot,
        viewer_id: str,
        k: int,
        moment: datetime,
        asked: CallQuestions,
        narrowing: Narrowing,
        today: ProfileOfToday,
    ) -> tuple[Page, Selection]:
        """Return the page of somebody by tables of today."""
        snapshot, day, selection = use.snapshot, self._today(), NOBODY
        codes: list[list[str]] = []
        try:
            newcomer = self._newcomers.fold_in(
                snapshot,
                viewer_id,
                today.profile,
                today.events,
                asked,
                day=day,
                proved_tokens=today.proved_tokens,
                of_log=today.of_log,
            )
        except InputError:
            if not today.of_log:
                raise
            newcomer = None  # an error would tell whose tables they are, and the asker gave none
            _log.warning("tables of the day log cannot be used: their member's page is empty")
        if newcomer is None:
            asked.ask(viewer_id, [])
        else:
            if narrowing.where:
                keys = self._newcomers.keys_of("filters", asked.accounts, viewer_id)
                self._newcomers.admit_filter(keys, day, narrowing.where)
            within = today.of_log and asked.changes.is_restricted_further(snapshot, viewer_id)
            if within:
                everybody, candidates = range(len(snapshot.ids)), self._candidates(snapshot, asked)
                newcomer = newcomer.within(_by_own_tables(candidates, viewer_id, everybody))
            selection = self._newcomers.select(snapshot, asked, newcomer, k, narrowing, day)
            rows = selection.rows
            codes = [[] for _ in rows] if within else reason_codes(snapshot, newcomer, rows)
        items = self._pages.items_with_reasons(snapshot, viewer_id, selection.rows, codes, moment)
        return self._pages.page(use, viewer_id, items, selection, moment), selection

    def inbox(
        self, use: CurrentSnapshot, viewer_id: str, k: int, moment: datetime, asked: CallQuestions
    ) -> Page:
        """Return who likes the viewer and waits for an answer."""
        snapshot, day = use.snapshot, asked.day
        candidates, row = self._candidates(snapshot, asked), snapshot.ids.find([viewer_id])[0]
        if asked.tables is not None:  # the viewer's own tables of today bind what they see
            everybody = select_inbox(snapshot, asked.ask, viewer_id, len(snapshot.ids), day)
            may = _by_own_tables(candidates, viewer_id, everybody.rows)
            rows = [one for one, may_see in zip(everybody.rows, may, strict=True) if may_see][:k]
            found = Selection(rows, [1.0] * len(rows), live=False)
            return self._page(use, viewer_id, found, moment, asked)
        selection = select_inbox(snapshot, asked.ask, viewer_id, k, day)
        if candidates is not None and day.liked_by:
            out = day.apart | {other for other, kind in day.decided.items() if kind != "undo"}
            waits = candidates.may_meet(snapshot, row, likes_viewer=True) & np.array(
                [one.user_id in day.liked_by and one.user_id not in out for one in candidates.members], bool
            )
            if waits.any():
                own = snapshot.live.likes_back(row, selection.rows)
                best = _best(candidates, waits, candidates.likes(snapshot, row))
                selection = _merged(selection, own, _free(asked, viewer_id, best), k, most=k)
        return self._page(use, viewer_id, selection, moment, asked)

    def look(
        self, use: CurrentSnapshot, viewer_id: str, candidate_id: str, moment: datetime, asked: CallQuestions
    ) -> Item | None:
        """Return one person as the viewer may see them, None when they may not.

        Somebody matched with the viewer is seen at the stage of the pair, though no list offers them, as long
        as the rules and everything else let the two see each other.
        """
        snapshot = use.snapshot
        viewer, candidate = snapshot.ids.find([viewer_id, candidate_id])
        exclusions = asked.ask(viewer_id, [candidate_id])
        listed = [snapshot.live.is_listed(row) for row in (viewer, candidate)]
        rows = zip((viewer, candidate), listed, (viewer_id, candidate_id), strict=True)
        # of nobody, somebody else: the same work, of which nothing is used
        who, whom = (row if is_listed else snapshot.decoy(one) for row, is_listed, one in rows)
        liked = candidate_id in asked.day.liked_by
        shown = len(snapshot.ids) > 0 and snapshot.may_look(who, whom, likes_viewer=liked)
        apart = exclusions.viewer_excluded or candidate_id in asked.day.apart
        if asked.tables is not None:
            own = self._candidates(snapshot, asked)
            looks = own is not None and own.looks_at(viewer_id, candidate)
            apart = apart or candidate_id in asked.changes.tables or not looks
        if candidate_id in asked.changes.tables and viewer >= 0 and not apart:
            return self._look_at_member(snapshot, viewer_id, candidate_id, moment, asked)
        if not all(listed) or apart or exclusions.excluded or not shown:
            return None
        return self._of_night(snapshot, viewer_id, [candidate], moment, asked)[0]

    def circles(self, snapshot: Snapshot, viewer_id: str, asked: CallQuestions, now: list[str]) -> list[str]:
        """Return those of the circles that are open to a viewer now which did not close today."""
        return self._newcomers.open_all_day(snapshot, viewer_id, asked.accounts, self._today(), now)

    def feeling_checks(
        self, use: CurrentSnapshot, viewer_id: str, moment: datetime, asked: CallQuestions
    ) -> list[str]:
        """Return about whom a viewer is due for a feeling check, of those they may see now."""
        snapshot = use.snapshot
        row = snapshot.ids.find([viewer_id])[0]
        asked.ask(viewer_id, [])  # a store that is away refuses, whoever asks
        due = snapshot.stages.checks_due(row, int(moment.timestamp() * 1e6)) if row >= 0 else []
        left = [one for one in snapshot.ids.at(due) if one not in asked.day.checked]
        return [one for one in left if self.look(use, viewer_id, one, moment, asked) is not None]

    def _look_at_member(
        self, snapshot: Snapshot, viewer_id: str, candidate_id: str, moment: datetime, asked: CallQuestions
    ) -> Item | None:
        candidates, row = self._candidates(snapshot, asked), snapshot.ids.find([viewer_id])[0]
        if candidates is None:
            return None
        liked = candidate_id in asked.day.liked_by
        may = candidates.may_look(snapshot, row, candidate_id, likes_viewer=liked)
        found = _free(asked, viewer_id, _best(candidates, may, np.zeros(len(may))))
        if not found:
            return None
        selection = Selection([-1], [1.0], True, (found[0][0],))
        return self._items(snapshot, viewer_id, selection, moment, asked)[0]

    def _candidates(self, snapshot: Snapshot, asked: CallQuestions) -> DayCandidates | None:
        return self._day_members.of(snapshot, asked.changes, asked.person_of)

    def _page(
        self,
        use: CurrentSnapshot,
        viewer_id: str,
        selection: Selection,
        moment: datetime,
        asked: CallQuestions,
    ) -> Page:
        items = self._items(use.snapshot, viewer_id, selection, moment, asked)
        return self._pages.page(use, viewer_id, items, selection, moment)

    def _of_night(
        self,
        snapshot: Snapshot,
        viewer_id: str,
        rows: Sequence[int],
        moment: datetime,
        asked: CallQuestions,
    ) -> tuple[Item, ...]:
        """Return what a viewer may see of people of the night, by own tables of today if there are any."""
        if asked.tables is None or not rows:
            return self._pages.items(snapshot, viewer_id, rows, moment)
        candidates = self._candidates(snapshot, asked)
        own = None if candidates is None else candidates.named(viewer_id)
        stages = snapshot.stages.of(snapshot.ids.find([viewer_id])[0], rows)
        codes: list[list[str]] = [[] for _ in rows]
        if own is not None:
            codes = own.newcomer.reason_codes(snapshot, np.array(rows, np.int32), stages)
        return self._pages.items_with_reasons(snapshot, viewer_id, rows, codes, moment, stages)

    def _items(
        self,
        snapshot: Snapshot,
        viewer_id: str,
        selection: Selection,
        moment: datetime,
        asked: CallQuestions,
    ) -> tuple[Item, ...]:
        if not selection.members:
            return self._of_night(snapshot, viewer_id, selection.rows, moment, asked)
        viewer = snapshot.ids.find([viewer_id])[0]
        known = iter(self._pages.items(snapshot, viewer_id, [at for at in selection.rows if at >= 0], moment))
        stages = [member.stage(snapshot, viewer) for member in selection.members]
        codes = [member.reason_codes(snapshot, viewer) for member in selection.members]
        names = [member.user_id for member in selection.members]
        new = iter(self._pages.items_of(snapshot, viewer_id, names, codes, moment, stages))
        mixed = (next(known) if row >= 0 else next(new) for row in selection.rows)
        return tuple(item.at_rank(rank) for rank, item in enumerate(mixed, start=1))

    def _today(self) -> date:
        """Return the day of the clock: limits of a day do not start anew by asking as of another time."""
        return datetime.now(self._zone).date()


def _by_own_tables(candidates: DayCandidates | None, viewer_id: str, rows: Sequence[int]) -> BoolArray:
    """Say which rows a viewer whose tables changed today may see by them, `(n_rows,)`."""
    return np.zeros(len(rows), bool) if candidates is None else candidates.sees(viewer_id, rows)


def _with_members(  # noqa: PLR0917
    snapshot: Snapshot,
    viewer_id: str,
    k: int,
    asked: CallQuestions,
    narrowing: Narrowing,
    selection: Selection,
    candidates: DayCandidates,
) -> Selection:
    """Return a selection with members of the day in the places that their scores give them."""
    row = snapshot.ids.find([viewer_id])[0]
    left = narrowing.left([one.user_id for one in candidates.members]) - {viewer_id}
    may = candidates.may_meet(snapshot, row) & np.array(
        [one.user_id in left for one in candidates.members], bool
    )
    if not may.any():
        return selection
    may &= candidates.not_liked(snapshot, row)
    best = _best(candidates, may, candidates.scores(snapshot, row))[: 2 * k + _SPARE]
    best = _free(asked, viewer_id, best)
    most = max(k // LARGEST_SHARE, k - len(selection.rows), 1)
    return _merged(selection, snapshot.live.scores(row, selection.rows), best, k, most=most)


def _best(candidates: DayCandidates, may: BoolArray, scores: Float64Array) -> list[tuple[DayMember, float]]:
    found = np.flatnonzero(may)
    order = found[np.argsort(-scores[found], kind="stable")]
    return [(candidates.members[at], float(scores[at])) for at in order]


def _free(
    asked: CallQuestions, viewer_id: str, members: Sequence[tuple[DayMember, float]]
) -> list[tuple[DayMember, float]]:
    """Return those whom safety lets the viewer see now."""
    if not members:
        return []
    found = asked.ask_today(viewer_id, [member.user_id for member, _ in members])
    if found.viewer_excluded:
        return []
    return [one for one in members if one[0].user_id not in found.excluded]


def _merged(
    selection: Selection,
    scores: Float64Array,
    best: Sequence[tuple[DayMember, float]],
    k: int,
    *,
    most: int,
) -> Selection:
    """Return `k` of both: each member before the first person of a lower score."""
    waiting = list(best[:most])
    members = list[DayMember]()
    rows, propensity = list[int](), list[float]()

    def take_member() -> None:
        members.append(waiting.pop(0)[0])
        rows.append(-len(members))
        propensity.append(1.0)

    for row, chance, score in zip(selection.rows, selection.propensity, scores, strict=True):
        while waiting and waiting[0][1] > score:
            take_member()
        rows.append(row)
        propensity.append(chance)
    while waiting:
        take_member()
    rows, propensity = rows[:k], propensity[:k]
    shown = tuple(members[: sum(row < 0 for row in rows)])
    return Selection(rows, propensity, selection.live or bool(shown), shown)


def select_inbox(
    snapshot: Snapshot, ask: SafetyQuestion, viewer_id: str, k: int, day: ViewerDay
) -> Selection:
    """Return at most `k` people who like the viewer, whom the viewer may see and has not answered.

    Likes of the night and of the day count, those taken back since do not. Rules are checked as for a page;
    who shows themselves only to people they liked is shown. The order is the chance that the viewer likes the
    person who is looked at, so it says nothing that is not the viewer's own. For a viewer who is not listed
    it is nobody, after the same work for somebody else.
    """
    row = snapshot.ids.find([viewer_id])[0]
    whose = row if (known := snapshot.live.is_listed(row)) else snapshot.decoy(viewer_id)
    taken_back = {other for other, kind in day.received.items() if kind != "like"}
    of_night = snapshot.ids.at(snapshot.liked_by(whose).tolist())
    ids = list(dict.fromkeys([*of_night, *sorted(day.liked_by)]))
    answered = {*snapshot.ids.at(snapshot.liked(whose).tolist()), *day.decided} - {
        other for other, kind in day.decided.items() if kind == "undo"
    }
    out = taken_back | answered | day.apart
    ids = [one for one in ids if one not in out]
    rows = np.array(snapshot.ids.find(ids), np.int32)
    exclusions = ask(viewer_id, ids)
    shown, is_known = np.zeros(len(rows), bool), rows >= 0
    shown[is_known] = snapshot.may_show(whose, rows[is_known], likes_viewer=True)
    if not known or exclusions.viewer_excluded:
        return NOBODY
    shown &= ~np.array([one in exclusions.excluded for one in ids], bool)
    rows = rows[shown]
    best = np.lexsort((rows, -snapshot.live.likes_back(row, rows)))[:k]
    return Selection(rows[best].tolist(), [1.0] * len(best), live=False)
