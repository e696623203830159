"""The ranker of a backend: one page of people for one viewer, in a few milliseconds, or a refusal."""

import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

import pandas as pd
import structlog

from recsys.arguments import checked_arguments
from recsys.catalogue.catalogue import Catalogue
from recsys.constraints.policy import Policy
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.errors import (
    InputError,
    RecsysError,
    StalePublicationError,
    explained,
)
from recsys.ranking.day_members import can_be_used
from recsys.ranking.day_writes import DayWrites, forget_read_rows
from recsys.ranking.hooks import Hooks, Listeners
from recsys.ranking.hot_reload import CurrentSnapshot, SnapshotReloader
from recsys.ranking.newcomer_limits import NewcomerLimits
from recsys.ranking.newcomer_search import NewcomerSearch
from recsys.ranking.page_builder import PageBuilder
from recsys.ranking.pair_audit import MemberAudit, OperatorAudits, OperatorGate, OperatorPermission, PairAudit
from recsys.ranking.profile_tables import as_profile, profile_of_today, profile_restricts
from recsys.ranking.questions import Questions
from recsys.ranking.rank_many import CHUNK, days_of_many, safety_for_many
from recsys.ranking.response_and_receipt import (
    Item,
    Page,
    Receipt,
    check_receipt,
    impressions,
    impressions_of_day,
)
from recsys.ranking.serve_time_filter import Narrowing, PageCursor, narrowing_of
from recsys.ranking.snapshot import Snapshot, SnapshotIds
from recsys.ranking.viewer_day import ViewerDay
from recsys.ranking.viewer_filters import Filters
from recsys.ranking.viewer_pages import ViewerPages
from recsys.safety.by_person import SafetyByPerson
from recsys.safety.canonical import utc_moment
from recsys.safety.day_log import DayLog, MemoryDayLog, StoreWithDay
from recsys.safety.erasure_list import ErasureList
from recsys.safety.keys import SHORTEST_KEY, Keys, purpose_key, read_keys, replaced_at
from recsys.safety.ledger import SafetyLedger
from recsys.safety.shown_log import MemoryShown, ShownLog
from recsys.safety.store import SafetyStore, ask_safety
from recsys.storage.publication import RUNS

_log = structlog.get_logger(__name__)

LONGEST_PAGE: Final = 1000
LONGEST_STALENESS: Final = timedelta(days=7)
_NEWCOMER_LIMITS: Final = NewcomerLimits()


class Ranker:
    """Serves the newest publication that can be trusted; open it with `Ranker.open`, once a process.

    Any thread may call any method. Every call asks the safety store and the day log; when they cannot answer,
    the call raises SafetyUnavailable and shows nobody.

    >>> from recsys.safety import MemorySafety
    >>> Ranker.open("nowhere", safety=MemorySafety())
    Traceback (most recent call last):
    recsys.errors.PublicationError: nothing is published in nowhere; publish first: make nightly
    """

    def __init__(
        self,
        reloader: SnapshotReloader,
        safety: SafetyByPerson,
        log: DayLog,
        *,
        listeners: Listeners,
        max_staleness: timedelta | None,
        pages: ViewerPages,
        operators: OperatorGate | None,
        published: Path,
        keys: Keys,
    ) -> None:
        self._reloader, self._safety, self._listeners = reloader, safety, listeners
        self._published, self._keys, self._pages = published, keys, pages
        self._max_staleness, self._log, self._questions = max_staleness, log, Questions(safety, log)
        self._questions.accounts_of(reloader.now.snapshot)
        self._audits = OperatorAudits(reloader, self._questions, operators, keys)
        self.day = DayWrites(
            safety,
            self._log,
            since=lambda: reloader.now.snapshot.day_since,
            can_be_used=partial(can_be_used, reloader),
            verification=lambda: reloader.now.snapshot.data.verification,
            with_numbers=lambda tokens: pages.with_numbers(reloader.now.snapshot, tokens),
        )

    @classmethod
    @checked_arguments(show_values=False)
    def open(
        cls,
        published: str | Path,
        *,
        safety: SafetyStore,
        policy: Policy | None = None,
        max_staleness: timedelta | None = LONGEST_STALENESS,
        valid_for: timedelta = timedelta(hours=1),
        poll_s: float = 2.0,
        shown: ShownLog | None = None,
        day_zone: str = "UTC",
        hooks: Sequence[Hooks] = (),
        operators: OperatorGate | None = None,
        keys: Keys | None = None,
        newcomers: NewcomerLimits = _NEWCOMER_LIMITS,
    ) -> Self:
        """Open what is published: verify the files that serve, map them read-only, warm the kernels up.

        Open after forking: workers of one machine then share the memory of the maps. The files for newcomers
        are verified by the first call that needs them.

        safety:        asked in every call.
        policy:        refuse a publication made under any other; None takes the one it was made with.
        max_staleness: refuse to serve data older than this, seven days by default; None serves any.
        valid_for:     how long a page may be shown before it is asked for anew.
        poll_s:        how often to look for a new publication, in a thread; 0 for never: call `refresh`.
        shown:         counts what newcomers were given a day; None takes the safety store if it can, so that
                       workers know of each other, else counts in this process. Whom a viewer was shown stands
                       in the day log of the store.
        day_zone:      the time zone whose midnight ends a day.
        hooks:         listen to calls and loads.
        operators:     the gate whose permissions open `explain_for_operator`; None for nobody's.
        keys:          sign receipts; None reads those of the service, see `recsys.safety.keys`. Without any,
                       a receipt is understood by the process alone that gave it.
        newcomers:     how many profiles and people a newcomer may ask for a day, counted where `shown` is; in
                       a small community one person in twenty a day, three at least.

        Raises PublicationError when nothing is published, or it is damaged or does not fit; see
        `open_snapshot`. Raises SafetyUnavailable when the safety store cannot answer.
        """
        folder, listeners, signing = Path(published).absolute(), Listeners(hooks), _signing_keys(keys)
        counts = (safety if isinstance(safety, ShownLog) else MemoryShown()) if shown is None else shown
        log = safety.day if isinstance(safety, StoreWithDay) else MemoryDayLog()
        by_person = SafetyByPerson(safety, ErasureList.of(published), SafetyLedger.of(published), log)
        version = None if policy is None else policy.version
        read = partial(forget_read_rows, log, folder)
        search = NewcomerSearch(folder, policy, newcomers, by_person, counts)
        return cls(
            SnapshotReloader(
                Path(published), by_person, policy=version, listeners=listeners, poll_s=poll_s, swapped=read
            ),
            by_person,
            log,
            listeners=listeners,
            max_staleness=max_staleness,
            pages=ViewerPages(PageBuilder(signing, valid_for), search, ZoneInfo(day_zone)),
            operators=operators,
            published=folder,
            keys=signing,
        )

    @property
    def run_id(self) -> str:
        """The publication that is served now."""
        return self._reloader.current().snapshot.run_id

    @property
    def safety(self) -> SafetyByPerson:
        """The store asked by person: what is written through it stands in the safety ledger as well."""
        return self._safety

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue of the publication that is served now, for words."""
        return self._reloader.current().snapshot.catalogue

    def check(self) -> CurrentSnapshot:
        """Return what is served now when pages can be served, after asking the safety store and the day log.

        Raises SafetyUnavailable and StalePublicationError as `rank` does.
        """
        use, _ = self._current(None)
        self._questions.about(use.snapshot, "").ask("", [])
        return use

    def refresh(self) -> bool:
        """Look for a new publication now; say whether one was taken into use."""
        return self._reloader.refresh()

    def close(self) -> None:
        """Stop looking for new publications."""
        self._reloader.close()

    @profile_restricts
    @checked_arguments(show_values=False)
    def rank(
        self,
        viewer_id: str,
        k: int = 10,
        as_of: datetime | None = None,
        *,
        profile: Population
        | Mapping[str, pd.DataFrame]
        | Mapping[str, Sequence[Mapping[str, Any]]]
        | None = None,
        events: Events | None = None,
        proved_tokens: bool = False,
        where: Filters | None = None,
        among: Collection[str] | None = None,
        after: str | None = None,
    ) -> Page:
        """Return at most `k` people for a viewer, best first: nobody who is out or was dealt with since.

        An unknown viewer, one who is held and one who was erased all get the same empty page. Whom the viewer
        was shown, likes or left stays away until a night has read it; so does whoever left the viewer.

        profile: the viewer's own tables, as frames or as plain rows by table name, for somebody the
                 publication does not know yet who has accepted the terms, or whose tables have changed since:
                 searched for and checked in this call, within `newcomers`. The first profile of a person and
                 day binds, of somebody known the first three; with another one the page is empty until the
                 night has read it.
        events:  what a newcomer did so far, beside a profile or tables of today. What stops the viewer among
                 them, such as a proof that was taken back, counts as it does by day.
        proved_tokens: whether the backend has proved that the contact tokens of the profile are the
                 newcomer's own; others are passed over.
        where:   the viewer's own filters; a page with one has at most 20 people, and a day 60, by 5 filters
                 (`newcomers`). among: ids from which the page is chosen. Both leave people out.
        after:   `next` of the page before: who was on it, or on one before, is not on this one.

        Raises
        ------
        SafetyUnavailable
            When the safety store or the day log cannot answer.
        StalePublicationError
            When what is published is older than `max_staleness`.
        InputError
            For an impossible `k`, a viewer id that is no text, a time without a zone, what is no filter, or
            events without a profile; what these restrict is kept.
        """
        with self._listeners.timed("rank", k) as call:
            _check(viewer_id, k)
            if events is not None and len(events):
                self.day.keep_stops(viewer_id, events)
            use, moment = self._current(as_of)
            call.degraded, cursor = use.degraded, PageCursor.read(after, self._cursor_key())
            asked = self._questions.about(use.snapshot, viewer_id)
            narrowing = narrowing_of(use.snapshot, viewer_id, asked.day, where, among, cursor)
            own, k = None if profile is None else as_profile(profile), self._pages.length(k, narrowing)
            today = profile_of_today(own, events, asked.tables, proved_tokens=proved_tokens)
            if today is None:
                page, selection = self._pages.listed(use, viewer_id, k, moment, asked, narrowing)
            else:
                page, selection = self._pages.folded_in(use, viewer_id, k, moment, asked, narrowing, today)
            call.length, call.live = len(page.items), selection.live
            return _with_next(page, cursor, k)

    @checked_arguments(show_values=False)
    def rank_many(
        self, viewer_ids: Iterable[str], k: int = 10, as_of: datetime | None = None
    ) -> list[Page | RecsysError]:
        """Return a page for each viewer, in order, or the error of asking for one, for a morning mail.

        The store and the log are asked once for some hundred viewers. A wrong id loses no other page.

        Raises SafetyUnavailable and StalePublicationError as `rank` does.
        """
        viewers, found = list(viewer_ids), list[Page | RecsysError]()
        _check("", k)
        for start in range(0, len(viewers), CHUNK):
            found += self._chunk(viewers[start : start + CHUNK], k, as_of)
        return found

    def _chunk(self, viewers: Sequence[str], k: int, as_of: datetime | None) -> Iterator[Page | RecsysError]:
        use, moment = self._current(as_of)
        snapshot, sound = use.snapshot, [one for one in viewers if isinstance(one, str)]
        accounts, changes = self._questions.accounts_of(snapshot), self._questions.changed_since(snapshot)
        safety = ask_safety(lambda: safety_for_many(self._safety, snapshot, accounts, sound))
        person_of = self._questions.person_of(snapshot)
        events = days_of_many(self._log, person_of, sound, snapshot.day_since)
        for viewer_id in viewers:
            if not isinstance(viewer_id, str):
                yield InputError(explained("a person is named by an id", got=type(viewer_id).__name__))
            elif viewer_id in changes.tables:
                yield self.rank(viewer_id, k, as_of)
            else:
                with self._listeners.timed("rank_many", k) as call:
                    of_day = [event for one in person_of(viewer_id) for event in events[one]]
                    day = ViewerDay.of(of_day, viewer_id, person_of)
                    asked = self._questions.of_viewer(safety, accounts, changes, viewer_id, day)
                    page, selection = self._pages.listed(use, viewer_id, k, moment, asked, Narrowing(day))
                    call.length, call.live, call.degraded = len(page.items), selection.live, use.degraded
                yield page

    @checked_arguments(show_values=False)
    def inbox(self, viewer_id: str, k: int = 10, as_of: datetime | None = None) -> Page:
        """Return at most `k` people who like the viewer and whom the viewer has not answered.

        Best first by the chance that the viewer likes them too. A like of this minute is in it.

        Raises what `rank` raises.
        """
        with self._listeners.timed("inbox", k) as call:
            _check(viewer_id, k)
            use, moment = self._current(as_of)
            call.degraded, asked = use.degraded, self._questions.about(use.snapshot, viewer_id)
            page = self._pages.inbox(use, viewer_id, k, moment, asked)
            call.length = len(page.items)
            return page

    @checked_arguments(show_values=False)
    def circles(self, viewer_id: str, k: int = 5, as_of: datetime | None = None) -> list[str]:
        """Return at most `k` hobby circles for the viewer, best first, by their ids.

        None in which somebody is whom safety keeps apart from the viewer, whatever became of that one's
        profile, and none of fewer than five with an accepted one. Who joined since the night is not known.
        A circle that was closed once stays so for the day: else whoever blocks and unblocks learns who is in.

        Raises what `rank` raises.
        """
        with self._listeners.timed("circles", k) as call:
            _check(viewer_id, k)
            use, _ = self._current(as_of)
            asked, call.degraded = self._questions.about(use.snapshot, viewer_id), use.degraded
            found = self._questions.open_circles(use.snapshot, viewer_id, asked, LONGEST_PAGE)
            found = self._pages.circles(use.snapshot, viewer_id, asked, found)[:k]
            call.length = len(found)
            return found

    @checked_arguments(show_values=False)
    def feeling_checks(self, viewer_id: str, as_of: datetime | None = None) -> list[str]:
        """Return about whom the viewer is due for a feeling check, by their ids.

        One is due some days after both came to trust each other, and again some days after the viewer's own
        last answer; nobody whom the viewer may no longer see. What the other answered changes nothing.

        Raises what `rank` raises.
        """
        with self._listeners.timed("feeling_checks", 1) as call:
            _check(viewer_id, 1)
            use, moment = self._current(as_of)
            asked, call.degraded = self._questions.about(use.snapshot, viewer_id), use.degraded
            found = self._pages.feeling_checks(use, viewer_id, moment, asked)
            call.length = len(found)
            return found

    @checked_arguments(show_values=False)
    def look(self, viewer_id: str, candidate_id: str, as_of: datetime | None = None) -> Item | None:
        """Return one person as a viewer may see them, None when they may not.

        Somebody matched with the viewer, who is in no list, is seen at the stage of the pair; the rules, such
        as distance, bind the two all the same.

        None says nothing more: blocked, held, banned, erased, left, out of reach and unknown are all alike.

        Raises what `rank` raises.
        """
        with self._listeners.timed("look", 1) as call:
            _check(viewer_id, 1)
            _check(candidate_id, 1)
            use, moment = self._current(as_of)
            asked, call.degraded = self._questions.about(use.snapshot, viewer_id), use.degraded
            item = self._pages.look(use, viewer_id, candidate_id, moment, asked)
            call.length = int(item is not None)
            return item

    def explain_for_operator(
        self, viewer_id: str, candidate_id: str, *, permission: OperatorPermission
    ) -> PairAudit:
        """Return everything known of a pair, with a permission of the gate this ranker was opened with.

        Each use is logged with the operator and the purpose.

        Raises NotPermittedError without such a permission, SafetyUnavailable when the store cannot answer.
        """
        return self._audits.pair(viewer_id, candidate_id, permission)

    def explain_member_for_operator(self, user_id: str, *, permission: OperatorPermission) -> MemberAudit:
        """Return how a member stands, as `explain_for_operator` does of a pair; raises the same."""
        return self._audits.member(user_id, permission)

    def known_ids(self) -> SnapshotIds:
        """Return the ids of the publication; for operators, never for a member."""
        return self._reloader.current().snapshot.ids

    @checked_arguments(show_values=False)
    def record(
        self, receipt: Receipt, shown: Sequence[str], *, viewer_id: str, as_of: datetime | None = None
    ) -> pd.DataFrame:
        """Return the impressions of a page that was shown, and skip these people until a night has read them.

        The events belong into the events table of the next night; see `impressions` for its columns. The
        same receipt gives the same events again, and does nothing more.

        viewer_id: who is signed in, whatever the receipt says.

        Raises InputError, and notes nothing, when the receipt is not one that this service gave to this
        viewer for what it serves, has expired, or does not offer somebody who is named; SafetyUnavailable
        when what was shown cannot be noted.
        """
        moment, ends = self._moment(as_of), self._end_of_key(receipt.key_id)
        check_receipt(receipt, self._keys, viewer_id=viewer_id, now=moment, key_ends=ends)
        if receipt.run_id != self.run_id and not (self._published / RUNS / receipt.run_id).is_dir():
            raise InputError(explained("a receipt is of another publication", remedy="ask for a new page"))
        events = impressions(receipt, shown)
        self.day.append(impressions_of_day(events))
        return events

    def _current(self, as_of: datetime | None) -> tuple[CurrentSnapshot, datetime]:
        use, moment = self._reloader.current(), self._moment(as_of)
        self._check_age(use.snapshot, moment)
        return use, moment

    def _end_of_key(self, key: str) -> datetime | None:
        """Return until when receipts of an older key count: for their usual hours after the rotation."""
        replaced = replaced_at(key, self._safety.ledger.now().key_uses, self._keys.newest_id)
        return None if replaced is None else replaced + self._pages.receipts_last

    def _cursor_key(self) -> bytes:
        return purpose_key(self._keys.secret(self._keys.newest_id), "cursor")

    def _moment(self, as_of: datetime | None) -> datetime:
        if as_of is None:
            return datetime.now(UTC)
        if not isinstance(as_of, datetime) or as_of.tzinfo is None:
            raise InputError(explained("as_of needs a time with a zone", remedy="use datetime.now(UTC)"))
        return utc_moment(as_of)

    def _check_age(self, snapshot: Snapshot, moment: datetime) -> None:
        age = moment - snapshot.data_as_of
        if self._max_staleness is not None and age > self._max_staleness:
            got = (
                f"data as of {snapshot.data_as_of:%Y-%m-%d %H:%M} UTC, {age.total_seconds() / 3600:.1f} hours"
            )
            remedy = "run the night on newer data; to try an old export, open it with a longer max_staleness"
            raise StalePublicationError(
                explained("what is published is too old to serve", got=got, remedy=remedy)
            )


def _with_next(page: Page, cursor: PageCursor, k: int) -> Page:
    if len(page.items) < k:
        return page
    return replace(page, next=cursor.with_people(item.candidate_id for item in page.items).text)


def _signing_keys(keys: Keys | None) -> Keys:
    """Return the keys given, else those of the service, else one that dies with this process."""
    found = read_keys() if keys is None else keys
    if len(found):
        return found
    _log.warning("no key: a receipt is understood by this process alone", remedy="set RECSYS_KEY")
    return Keys((secrets.token_bytes(SHORTEST_KEY),))


def _check(user_id: object, k: object) -> None:
    if not isinstance(user_id, str):
        raise InputError(explained("a person is named by an id", got=type(user_id).__name__))
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= LONGEST_PAGE:
        raise InputError(explained(f"k is a whole number from 1 to {LONGEST_PAGE}", got=type(k).__name__))
