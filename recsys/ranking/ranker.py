"""The ranker of a backend: one page of people for one viewer, in a few milliseconds, or a refusal."""

import secrets
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Final, Self
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import structlog

from recsys.catalogue.catalogue import Catalogue
from recsys.constraints.policy import Policy
from recsys.data.events import Events
from recsys.errors import (
    InputError,
    NotPermittedError,
    RecsysError,
    SafetyUnavailable,
    StalePublicationError,
    explained,
)
from recsys.messaging.icebreakers import icebreaker_kind
from recsys.ranking.cold_start import Newcomer, NewcomerFiles, Profile, one_person, separated_in
from recsys.ranking.hooks import Call, Hooks, Listeners
from recsys.ranking.hot_reload import CurrentSnapshot, SnapshotReloader
from recsys.ranking.newcomer_limits import (
    NewcomerLimits,
    newcomer_key,
    profile_digest,
    without_own_tokens,
)
from recsys.ranking.pair_audit import OperatorGate, OperatorPermission, PairAudit, audit_pair
from recsys.ranking.response_and_receipt import (
    Item,
    Offered,
    Page,
    Receipt,
    check_receipt,
    impressions,
)
from recsys.ranking.serve_time_selection import (
    NOBODY,
    SafetyQuestion,
    Selection,
    select_candidates,
    select_from,
)
from recsys.ranking.snapshot import LISTED, Snapshot
from recsys.safety.by_person import SafetyByPerson
from recsys.safety.erasure_list import ErasureList, person_hash
from recsys.safety.keys import SHORTEST_KEY, Keys, read_keys
from recsys.safety.ledger import SafetyLedger
from recsys.safety.persons import Accounts, NewcomerTokens
from recsys.safety.store import MemoryShown, SafetyStore, ShownLog, ask_safety
from recsys.storage.publication import RUNS

_log = structlog.get_logger(__name__)

LONGEST_PAGE: Final = 1000
LONGEST_STALENESS: Final = timedelta(days=7)
_RECORDED_LATER: Final = timedelta(hours=1)
"""How long after a page expired what was shown of it may still be recorded."""
_NEWCOMER_LIMITS: Final = NewcomerLimits()
_OUTCOMES: Final = {StalePublicationError: "stale", SafetyUnavailable: "unavailable"}


class Ranker:
    """Serves the newest publication that can be trusted; open it with `Ranker.open`, once a process.

    Any thread may call any method. Every call asks the safety store; when that cannot answer, the call
    raises SafetyUnavailable and shows nobody.

    >>> from recsys.safety import MemorySafety
    >>> Ranker.open("nowhere", safety=MemorySafety())
    Traceback (most recent call last):
    recsys.errors.PublicationError: nothing is published in nowhere; publish first: make nightly
    """

    def __init__(
        self,
        reloader: SnapshotReloader,
        safety: SafetyByPerson,
        *,
        shown: ShownLog,
        listeners: Listeners,
        max_staleness: timedelta | None,
        valid_for: timedelta,
        zone: ZoneInfo,
        operators: OperatorGate | None,
        published: Path,
        policy: Policy | None,
        keys: Keys,
        newcomers: NewcomerLimits,
    ) -> None:
        self._reloader, self._safety, self._shown = reloader, safety, shown
        self._listeners, self._zone = listeners, zone
        self._published, self._policy = published, policy
        self._keys, self._limits = keys, newcomers
        self._newcomer_files: tuple[str, NewcomerFiles | None] = ("", None)
        self._newcomer_tokens, first = NewcomerTokens(), reloader.now.snapshot
        safety.accounts = first.accounts(self._newcomer_tokens, safety.ledger.keys)
        self._accounts = (first, safety.accounts)
        self._max_staleness, self._valid_for, self._operators = max_staleness, valid_for, operators

    @classmethod
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
        """Open what is published: verify every file, map it read-only, warm the kernels up.

        Open after forking: workers of one machine then share the memory of the maps.

        safety:        asked in every call.
        policy:        refuse a publication made under any other; None takes the one it was made with.
        max_staleness: refuse to serve data older than this, seven days by default; None serves any.
        valid_for:     how long a page may be shown before it is asked for anew.
        poll_s:        how often to look for a new publication, in a thread of its own; 0 for never, then
                       call `refresh`.
        shown:         remembers whom a viewer was shown today; None takes the safety store if it can,
                       so that workers know of each other, else remembers in this process.
        day_zone:      the time zone whose midnight ends a day.
        hooks:         listen to calls and loads.
        operators:     the gate whose permissions open `explain_for_operator`; None for nobody's.
        keys:          sign receipts; None reads those of the service, see `recsys.safety.keys`. Without any,
                       a receipt is understood by the process alone that gave it.
        newcomers:     how many profiles and people a newcomer may ask for a day, counted where `shown` is.

        Raises
        ------
        PublicationError
            When nothing is published, or it is damaged or does not fit; see `open_snapshot`.
        SafetyUnavailable
            When the safety store cannot answer.
        """
        listeners = Listeners(hooks)
        remembered = _shown_log(safety) if shown is None else shown
        by_person = SafetyByPerson(safety, ErasureList.of(published), SafetyLedger.of(published))
        reloader = SnapshotReloader(
            Path(published),
            by_person,
            policy=None if policy is None else policy.version,
            listeners=listeners,
            poll_s=poll_s,
        )
        return cls(
            reloader,
            by_person,
            shown=remembered,
            listeners=listeners,
            max_staleness=max_staleness,
            valid_for=valid_for,
            zone=ZoneInfo(day_zone),
            operators=operators,
            published=Path(published),
            policy=policy,
            keys=_signing_keys(keys),
            newcomers=newcomers,
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
        """Return what is served now when pages can be served, after asking the safety store.

        Raises SafetyUnavailable and StalePublicationError as `rank` does.
        """
        use = self._reloader.current()
        self._check_age(use.snapshot, datetime.now(UTC))
        self._asking(use.snapshot)("", [])
        return use

    def refresh(self) -> bool:
        """Look for a new publication now; say whether one was taken into use."""
        return self._reloader.refresh()

    def close(self) -> None:
        """Stop looking for new publications."""
        self._reloader.close()

    def rank(
        self,
        viewer_id: str,
        k: int = 10,
        as_of: datetime | None = None,
        *,
        profile: Profile | None = None,
        events: Events | None = None,
        proved_tokens: bool = False,
    ) -> Page:
        """Return at most `k` people for a viewer, best first: nobody twice a day, nobody who is out.

        An unknown viewer, one who is held and one who was erased all get the same empty page.

        profile: the viewer's own tables, for somebody the publication does not know yet who has accepted the
                 terms: folded in, searched for and checked in this call. Ignored for anybody it knows.
                 The first profile of a person and day binds: with another one the page is empty until
                 the night has read it. At most `newcomers.page` people a page and `newcomers.day` a day.
        events:  what such a newcomer did so far.
        proved_tokens: whether the backend has proved that the contact tokens of the profile are the
                 newcomer's own; others are passed over.

        Raises
        ------
        SafetyUnavailable
            When the safety store cannot answer.
        StalePublicationError
            When what is published is older than `max_staleness`.
        InputError
            For an impossible `k`, a viewer id that is no text, or a time without a zone.
        """
        start = perf_counter()
        use, selection = self._reloader.current(), NOBODY
        outcome = "broken"
        try:
            moment = self._moment(as_of)
            _check(viewer_id, k)
            self._check_age(use.snapshot, moment)
            shown_today = ask_safety(lambda: self._shown.shown(viewer_id, self._day(moment)))
            newcomer = self._newcomer(
                use.snapshot,
                viewer_id,
                profile,
                events,
                self._day(moment),
                proved_tokens=proved_tokens,
            )
            if newcomer is None:
                ask = self._asking(use.snapshot)
                selection = select_candidates(use.snapshot, ask, viewer_id, k, shown_today)
                items = self._items(use.snapshot, viewer_id, selection.rows, moment)
            else:
                ask = self._asking(use.snapshot)
                selection = self._of_newcomer(use.snapshot, ask, newcomer, k, shown_today, self._day(moment))
                codes = newcomer.reason_codes(use.snapshot, np.array(selection.rows, np.int32))
                stages = [LISTED] * len(codes)
                items = self._items_with_reasons(
                    use.snapshot, viewer_id, selection.rows, stages, codes, moment
                )
            page = self._page(use, viewer_id, items, selection, moment)
            outcome = "served"
        except RecsysError as error:
            outcome = _OUTCOMES.get(type(error), outcome)
            raise
        finally:
            seconds, length = perf_counter() - start, len(selection.rows)
            self._listeners.called(Call("rank", outcome, seconds, k, length, selection.live, use.degraded))
        return page

    def _of_newcomer(  # noqa: PLR0917
        self,
        snapshot: Snapshot,
        ask: SafetyQuestion,
        newcomer: Newcomer,
        k: int,
        shown_today: Collection[str],
        day: date,
    ) -> Selection:
        """Return whom a newcomer may be shown within the limits of their day."""
        viewer_id, best = str(newcomer.person.ids.ids([0])[0]), newcomer.best(snapshot)
        few = min(k, self._limits.page)
        found = select_from(snapshot, ask, viewer_id, few, shown_today, best)
        ids, key = snapshot.ids.at(found.rows), newcomer_key(newcomer.person)
        kept = set(ask_safety(lambda: self._limits.within_day(self._shown, key, day, ids)))
        rows = [row for row, candidate in zip(found.rows, ids, strict=True) if candidate in kept]
        return Selection(rows, found.propensity[: len(rows)], live=found.live)

    def rank_many(self, viewer_ids: Iterable[str], k: int = 10, as_of: datetime | None = None) -> list[Page]:
        """Return a page for each viewer, in order; for small batches, such as a morning mail."""
        return [self.rank(viewer_id, k, as_of) for viewer_id in viewer_ids]

    def look(self, viewer_id: str, candidate_id: str, as_of: datetime | None = None) -> Item | None:
        """Return one person as a viewer may see them, None when they may not.

        None says nothing more: blocked, held, banned, erased, out of reach and unknown are all alike.

        Raises what `rank` raises.
        """
        moment = self._moment(as_of)
        _check(viewer_id, 1)
        _check(candidate_id, 1)
        snapshot = self._reloader.current().snapshot
        self._check_age(snapshot, moment)
        viewer, candidate = snapshot.ids.find([viewer_id, candidate_id])
        exclusions = self._asking(snapshot)(viewer_id, [candidate_id])
        whom = candidate if candidate >= 0 else snapshot.decoy_candidate(viewer)  # the same work for nobody
        shown = snapshot.may_show(max(viewer, 0), [whom])[0]
        if min(viewer, candidate) < 0 or exclusions.viewer_excluded or exclusions.excluded or not shown:
            return None
        return self._items(snapshot, viewer_id, [candidate], moment)[0]

    def explain_for_operator(
        self, viewer_id: str, candidate_id: str, *, permission: OperatorPermission
    ) -> PairAudit:
        """Return everything known of a pair, with a permission of the gate this ranker was opened with.

        Each use is logged with the operator and the purpose.

        Raises NotPermittedError without such a permission, SafetyUnavailable when the store cannot answer.
        """
        now = datetime.now(UTC)
        if self._operators is None:
            raise NotPermittedError(explained("not permitted", remedy="open the ranker with operators=gate"))
        self._operators.check(permission, now)
        _check(viewer_id, 1)
        _check(candidate_id, 1)
        pair = [person_hash(viewer_id), person_hash(candidate_id)]
        _log.info(
            "an operator looks into a pair",
            operator=permission.operator,
            purpose=permission.purpose,
            pair=pair,
        )
        snapshot = self._reloader.current().snapshot
        exclusions = self._asking(snapshot)(viewer_id, [candidate_id])
        return audit_pair(snapshot, viewer_id, candidate_id, exclusions)

    def record(
        self, receipt: Receipt, shown: Sequence[str], *, viewer_id: str, as_of: datetime | None = None
    ) -> pd.DataFrame:
        """Return the impressions of a page that was shown, and skip these people for the rest of the day.

        The events belong into the events table of the next night; see `impressions` for its columns. The
        same receipt gives the same events again.

        viewer_id: who is signed in, whatever the receipt says.

        Raises InputError, and notes nothing, when the receipt is not one that this service gave to this
        viewer for what it serves, has expired, or does not offer somebody who is named; SafetyUnavailable
        when what was shown cannot be noted.
        """
        check_receipt(receipt, self._keys, viewer_id=viewer_id, now=self._moment(as_of))
        if receipt.run_id != self.run_id and not (self._published / RUNS / receipt.run_id).is_dir():
            raise InputError(explained("a receipt is of another publication", remedy="ask for a new page"))
        events = impressions(receipt, shown)
        day = self._day(datetime.fromisoformat(receipt.as_of))
        ask_safety(lambda: self._shown.remember(receipt.viewer_id, day, list(dict.fromkeys(shown))))
        return events

    def _asking(self, snapshot: Snapshot) -> SafetyQuestion:
        """Return the question about people as this publication knows their persons."""
        accounts = self._accounts_of(snapshot)
        return lambda viewer, others: ask_safety(lambda: self._safety.exclusions(viewer, others, accounts))

    def _accounts_of(self, snapshot: Snapshot) -> Accounts:
        known, accounts = self._accounts
        if known is not snapshot:
            accounts = snapshot.accounts(self._newcomer_tokens, self._safety.ledger.keys)
            self._accounts, self._safety.accounts = (snapshot, accounts), accounts
        return accounts

    def _newcomer(
        self,
        snapshot: Snapshot,
        viewer_id: str,
        profile: Profile | None,
        events: Events | None,
        day: date,
        *,
        proved_tokens: bool,
    ) -> Newcomer | None:
        """Return the viewer folded in from a profile.

        None without one, for people who are known, and for a profile that has to wait for the night.
        """
        if profile is None or snapshot.ids.find([viewer_id])[0] >= 0:
            return None
        run_id, files = self._newcomer_files
        if files is None or run_id != snapshot.run_id:
            files = NewcomerFiles.open(
                self._published / RUNS / snapshot.run_id, snapshot.manifest, self._policy
            )
            self._newcomer_files = (snapshot.run_id, files)
        person = one_person(viewer_id, profile, snapshot.catalogue)
        self._accounts_of(snapshot).add(viewer_id, person.person_tokens[0])
        key, digest = newcomer_key(person), profile_digest(profile)
        if not ask_safety(lambda: self._limits.admit(self._shown, key, day, digest)):
            return None
        person = person if proved_tokens else without_own_tokens(person)
        return Newcomer.of(snapshot, files, person, events, separated_in(viewer_id, profile))

    def _page(
        self,
        use: CurrentSnapshot,
        viewer_id: str,
        items: tuple[Item, ...],
        selection: Selection,
        moment: datetime,
    ) -> Page:
        snapshot = use.snapshot
        offered = tuple(
            Offered(item.candidate_id, item.rank, chance)
            for item, chance in zip(items, selection.propensity, strict=True)
        )
        model = snapshot.version_for(int(snapshot.ids.find([viewer_id])[0]))
        return Page(
            viewer_id=viewer_id,
            items=items,
            model_version=model,
            data_as_of=snapshot.data_as_of,
            staleness=max(moment - snapshot.data_as_of, timedelta(0)),
            degraded=use.degraded,
            receipt=Receipt(
                snapshot.run_id,
                model,
                viewer_id,
                moment.isoformat(),
                offered,
                expires_at=(moment + self._valid_for + _RECORDED_LATER).isoformat(),
            ).signed(self._keys),
        )

    def _items(
        self, snapshot: Snapshot, viewer_id: str, rows: Sequence[int], moment: datetime
    ) -> tuple[Item, ...]:
        """Return what the viewer may see of these people."""
        if not rows:
            return ()
        viewer = snapshot.ids.find([viewer_id])[0]
        stages = snapshot.stages.of(viewer, rows)
        reasons = snapshot.reason_codes(viewer, rows, stages)
        return self._items_with_reasons(snapshot, viewer_id, rows, stages, reasons, moment)

    def _items_with_reasons(  # noqa: PLR0917
        self,
        snapshot: Snapshot,
        viewer_id: str,
        rows: Sequence[int],
        stages: Sequence[str],
        reasons: Sequence[Sequence[str]],
        moment: datetime,
    ) -> tuple[Item, ...]:
        expires = moment + self._valid_for
        return tuple(
            Item(
                candidate_id=candidate,
                rank=rank,
                reasons=tuple(codes),
                stage=stage,
                icebreaker_kind=icebreaker_kind(
                    viewer_id, candidate, codes, stage, catalogue=snapshot.catalogue
                ),
                expires_at=expires,
            )
            for rank, (candidate, codes, stage) in enumerate(
                zip(snapshot.ids.at(rows), reasons, stages, strict=True), start=1
            )
        )

    def _moment(self, as_of: datetime | None) -> datetime:
        if as_of is None:
            return datetime.now(UTC)
        if not isinstance(as_of, datetime) or as_of.tzinfo is None:
            raise InputError(explained("as_of needs a time with a zone", remedy="use datetime.now(UTC)"))
        return as_of.astimezone(UTC)

    def _day(self, moment: datetime) -> date:
        return moment.astimezone(self._zone).date()

    def _check_age(self, snapshot: Snapshot, moment: datetime) -> None:
        age = moment - snapshot.data_as_of
        if self._max_staleness is not None and age > self._max_staleness:
            hours = round(age.total_seconds() / 3600, 1)
            raise StalePublicationError(
                explained(
                    "what is published is too old to serve", got=f"{hours} hours", remedy="run the night"
                )
            )


def _signing_keys(keys: Keys | None) -> Keys:
    """Return the keys given, else those of the service, else one that dies with this process."""
    found = read_keys() if keys is None else keys
    if len(found):
        return found
    _log.warning("no key: a receipt is understood by this process alone", remedy="set RECSYS_KEY")
    return Keys((secrets.token_bytes(SHORTEST_KEY),))


def _shown_log(safety: SafetyStore) -> ShownLog:
    return safety if isinstance(safety, ShownLog) else MemoryShown()


def _check(user_id: object, k: object) -> None:
    if not isinstance(user_id, str):
        raise InputError(explained("a person is named by an id", got=type(user_id).__name__))
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= LONGEST_PAGE:
        raise InputError(explained(f"k is a whole number from 1 to {LONGEST_PAGE}", got=type(k).__name__))
