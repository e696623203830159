"""What a backend writes by day, counting in the next call anywhere, and how long it is kept."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain, product
from pathlib import Path
from typing import Any, Final

import structlog

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.events import Events
from recsys.data.proofs import standing_proof, tier_of
from recsys.data.unknown_words import PAUSE
from recsys.errors import InputError, RecsysError, explained
from recsys.ranking.event_rows import calls_within, is_table, rows_within, stops_within
from recsys.ranking.profile_tables import ProfileTables, require_own_rows, tables_of_json
from recsys.safety.by_person import SafetyByPerson
from recsys.safety.canonical import in_any_spelling, not_canonical, utc_moment
from recsys.safety.day_log import (
    NEVER,
    NO_PROOF,
    TABLES_CHANGED,
    UNDO,
    DayEvent,
    DayLog,
    minute_of,
    report_id,
)
from recsys.safety.day_tables import DayNumbers, TokenOwners
from recsys.safety.ledger_state import EXCLUDED_NUMBER, Who
from recsys.safety.refused_rows import restriction_meant
from recsys.safety.store import LEAVER, MEMBER, PROOF, TAKEN_BACK, ask_safety, ask_safety_or_input
from recsys.storage.manifest import read_manifest
from recsys.storage.publication import RUNS

_log = structlog.get_logger(__name__)

_LEAVING: Final = ("pass", "hide")
_NO_CHANGES: Final = 1 << 62
"""A place in a log beyond every one: whoever asks from there on hears of no change of anybody's."""


class DayWrites:
    """The day of one ranker: `ranker.day`. Every method raises SafetyUnavailable when nothing was kept.

    ranker.day.append([DayEvent("e1", datetime.now(UTC), "u1", "u2", "like")])
    """

    def __init__(
        self,
        safety: SafetyByPerson,
        log: DayLog,
        since: Callable[[], datetime] = lambda: NEVER,
        can_be_used: Callable[[DayEvent], bool] = lambda _: True,
        verification: Callable[[], str] = lambda: "age",
        *,
        with_numbers: TokenOwners = lambda _: ((), ()),
    ) -> None:
        """Write to a log.

        since: the time up to which the night that is served knows the day. can_be_used: says whether a
        member can be folded in from changed tables. verification: the tier that the rules ask of everybody.
        with_numbers: finds who has a number in what is served.
        """
        self._safety, self._log, self._since = safety, log, since
        self._can_be_used, self._verification = can_be_used, verification
        self._numbers, self._with_numbers = DayNumbers(log), with_numbers

    def append(self, events: Sequence[DayEvent]) -> int:
        """Keep events, all or none, and return how many are new; the same again does nothing.

        A proof that is taken back (`verified`, detail `none`) holds its member until a later proof is given
        of at least the tier that the rules ask for.

        Raises InputError for what is no event, what opens something later than now, or the id of another
        event of its actor. What restricts is kept even then: a wrong event of a batch hides no end, no pass.
        """
        is_list = isinstance(events, Iterable) and not is_table(events)
        rows: list[Any] = [*events] if is_list else [events]
        try:
            return self._appended(rows if is_list else [rows])
        except InputError:
            self.keep_refused(rows)
            raise

    def keep_refused(self, events: Iterable[Any]) -> None:
        """Keep what refused events restrict, whatever is wrong beside it, and nothing else of them.

        events: each a `DayEvent`, or a mapping that may be one; where it has no `actor` or no `target`, known
        people who stand under keys that no event has may be meant too. So do rows of a table, of JSON or of
        lists within; anything else says nothing.
        """
        for event in chain.from_iterable(map(self._as_events, rows_within(events))):
            if event.type == TABLES_CHANGED:
                self.keep_refused_tables(event.actor, event.payload)
                continue
            kept = self._safety.note_refused(restriction_meant(event, self._safety.whom))
            with suppress(InputError):
                self._appended([] if kept is None else [kept])

    def keep_stops(self, user_id: str, events: Events) -> None:
        """Keep what the events of a page say that stops its own member, as `append` would of each.

        A proof that is taken back holds them until a later one, here or in another call; an erasure holds
        them as one does that `append` refuses, until an operator lifts it or erases them.
        """
        whom = self._safety.whom
        accounts = frozenset(self._safety.person_of(whom(user_id) or user_id))

        def own(given: object) -> str | None:
            meant = whom(given)
            return meant if meant in accounts else None

        self._keep_calls(calls_within(events, own))
        stopping, proofs = stops_within(events, own, tier_of(self._verification()))
        self.keep_refused(stopping)
        for proof in proofs:
            if ask_safety(partial(self._safety.exclusions, proof.actor, [])).viewer_excluded:
                with suppress(InputError):
                    self._appended([proof])

    def _keep_calls(self, calls: Sequence[DayEvent]) -> None:
        """Keep what of a page asks for somebody to look, once: a client sends it with each page."""
        since = self._since()
        for event, target in ((one, str(one.target)) for one in calls):
            known = ask_safety(partial(self._log.read, [event.actor], NEVER)).pairs
            apart = ask_safety(partial(self._safety.exclusions, event.actor, [target])).excluded
            if event.key not in {one.key for one in known} and (event.at > since or target not in apart):
                with suppress(InputError):
                    self._appended([event])

    def _as_events(self, given: Any) -> list[DayEvent]:
        """Return what a refused event says as it stands, and what it may say by its other keys."""
        if not isinstance(given, Mapping):
            return [given] if isinstance(given, DayEvent) else []
        names = [one.name for one in fields(DayEvent)]
        others = [value for key, value in given.items() if key not in names and not isinstance(value, dict)]
        named = {self._safety.whom(given.get(name)) for name in ("actor", "target")}
        strangers = iter([one for one in others if self._safety.accounts.known(one) not in {None, *named}])
        missing = [name for name in ("actor", "target") if given.get(name) is None]
        filled = {**given, **dict(zip(missing, strangers, strict=False))}
        found = [DayEvent(*(row.get(name) for name in names)) for row in (given, filled)]  # type: ignore[arg-type]
        return found[: 1 if found[0] == found[1] else 2]

    def keep_refused_tables(self, user_id: object, tables: object) -> None:
        """Keep what refused tables restrict; who is out stays so until later ones say otherwise.

        tables: rows by table name, or whatever was given instead.
        """
        for event in ask_safety(lambda: self._safety.note_refused_tables(user_id, tables)):
            with suppress(InputError):
                self._appended([event])

    def _appended(self, events: Sequence[Any]) -> int:
        self._safety.binding.require_known()
        if not all(isinstance(one, DayEvent) for one in events):
            raise InputError(explained("events are a list of DayEvent", where="events"))
        whole = [self._of_known(event.checked()) for event in events]
        for event in whole:
            if event.type == TABLES_CHANGED:
                self._require_tables(event.actor, tables_of_json(event.payload or ""))
        self._require_one_spelling(whole)
        self._safety.separate((event.actor, event.target) for event in whole if event.separates)
        events, arrived = self._in_order(self._after_decisions(whole))
        events = [event.in_time(arrived) for event in events]
        kept = self._safety.kept_events(events)
        new = ask_safety_or_input(lambda: self._log.append(kept, arrived=arrived))
        self._safety.binding.note_day(events)
        self._safety.note_tables(events, can_be_used=self._can_be_used)
        if changed := [event.actor for event in events if event.type == TABLES_CHANGED]:
            met = self._numbers.met_by(changed, self._since(), self._with_numbers)
            self._note_excluded_numbers(met)
        proofs = [event for event in events if event.type == "verified"]
        for event in proofs:
            if event.detail == NO_PROOF:
                self._safety.hold(event.actor, event.at, owner=PROOF, reason=TAKEN_BACK)
        asked = tier_of(self._verification())
        given = [event for event in proofs if event.detail != NO_PROOF and tier_of(event.detail) >= asked]
        taken_back = self._latest_taken_back() if given else {}
        for event in given:
            said = [(one.at, one.detail) for one in (*taken_back.get(event.actor, ()), event)]
            if standing_proof(said).tier[0] >= asked:
                for reason in (TAKEN_BACK, ""):  # without a reason by an earlier version
                    self._safety.lift(event.actor, owner=PROOF, reason=reason)
                self._safety.lift(event.actor, owner=MEMBER, reason=PROOF)  # of stores of earlier versions
        return new

    def _note_excluded_numbers(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Note that the first of each pair excludes a number of the second, whatever the other has later.

        It holds until a night whose tables say that the first excludes none.
        """
        ledger, erasures = self._safety.ledger, self._safety.erasures
        gone = erasures.now(ledger.now())
        here = [pair for pair in sorted(pairs) if not gone.among(pair).any()]
        if here:
            self._safety.link_accounts(one for pair in here for one in pair)
            ledger.separate([(Who(a), Who(b)) for a, b in here], EXCLUDED_NUMBER, directed=True)
            self._safety.binding.note_ledger()

    def _of_known(self, event: DayEvent) -> DayEvent:
        """Return an event; one that takes somebody out of sight means whom it can, in whatever spelling.

        Raises InputError for what an account says of itself whose id is a member's in another spelling, or
        that of somebody who came today: it is taken for theirs, and a page would show it beside what keeps
        them apart.
        """
        known = self._safety.accounts
        if not all(one is None or known.may_be_id(one) for one in (event.actor, event.target)):
            raise not_canonical()
        if event.target is None and self._safety.is_other_spelling(event.actor):
            raise not_canonical()
        if event.target is None or not event.restricts:
            return event
        actor, target = self._safety.meant(event.actor), self._safety.meant(event.target)
        return replace(event, actor=actor, target=target).checked()

    def _require_one_spelling(self, events: Iterable[DayEvent]) -> None:
        """Raise InputError where who is new says something of themselves in two spellings of one id."""
        accounts = self._safety.accounts
        new = {one.actor for one in events if one.target is None and accounts.known(one.actor) is None}
        if len({*map(in_any_spelling, new)}) < len(new) and not accounts.are_told_apart:
            raise not_canonical()

    def _after_decisions(self, events: Sequence[DayEvent]) -> list[DayEvent]:
        """Return events; a pass or a hide is no earlier than what its person last decided about the other's.

        A backend gives the time of an event, by the clock of one of its machines: what leaves somebody out
        counts from when it is said, whichever of a person's accounts says it, and about whichever. Of events
        of one call those that stand before it were said before it.
        """
        leaving = [event for event in events if event.type in _LEAVING]
        if not leaving:
            return [*events]
        person_of = self._safety.person_of
        actors = list(dict.fromkeys(one for event in leaving for one in person_of(event.actor)))
        rows = ask_safety(lambda: self._log.read(actors, self._since(), after=_NO_CHANGES))
        latest: dict[tuple[str, str], datetime] = {}
        for row in rows.pairs:
            pair = row.actor, str(row.target)
            latest[pair] = max(row.at, latest.get(pair, row.at))

        def last_decided(event: DayEvent) -> datetime:
            pairs = product(person_of(event.actor), person_of(str(event.target)))
            return max([event.at, *(latest[pair] for pair in pairs if pair in latest)])

        found = list[DayEvent]()
        for event in events:
            leaves = event.type in _LEAVING
            found.append(replace(event, at=last_decided(event)) if leaves else event)
            if leaves or event.type in {"like", UNDO}:
                pair = event.actor, str(event.target)
                latest[pair] = max(found[-1].at, latest.get(pair, found[-1].at))
        return found

    def _in_order(self, events: Sequence[DayEvent]) -> tuple[list[DayEvent], datetime]:
        """Return events and when they arrive: after the night, and after all that their actors said before.

        So what is said last counts, also when the clock was ahead then, or is behind now.
        """
        arrived = max(datetime.now(UTC), self._since() + _INSTANT)
        actors = list(dict.fromkeys(event.actor for event in events))
        rows = ask_safety(lambda: self._log.read(actors, arrived - _INSTANT)) if actors else None
        if rows is None or not (rows.pairs or rows.changes):
            return [*events], arrived
        latest: dict[str, datetime] = {}
        for event in (*rows.pairs, *rows.changes):
            latest[event.actor] = max(event.at, latest.get(event.actor, event.at))
        moved = [
            replace(one, at=max(one.at, latest[one.actor] + place * _INSTANT)) if one.actor in latest else one
            for place, one in enumerate(events, start=1)
        ]
        return moved, max([arrived, *(one.at for one in moved if one.actor in latest)])

    def _latest_taken_back(self) -> dict[str, tuple[DayEvent]]:
        """Return the event that last took each member's proof back, as far as the log knows."""
        rows = ask_safety(lambda: self._log.events(NEVER))
        return {
            event.actor: (event,) for event in rows if (event.type, event.detail) == ("verified", NO_PROOF)
        }

    def change_tables(
        self,
        user_id: str,
        tables: Mapping[str, Sequence[Mapping[str, Any]]],
        *,
        event_id: str,
        at: datetime | None = None,
    ) -> int:
        """Keep a member's own tables of today, whole: rows by table name, as the night reads them.

        They count at once: the member's own page is searched by them, and others are shown the member by
        them, somebody new as soon as the log holds that they accepted the terms and were verified.

        Raises InputError, which repeats nothing of them, when they are no tables of this member's: an unknown
        table or column, a row of somebody else, events, a block of a known id in another spelling. A state
        that is out for good counts even then.
        """
        try:
            event = DayEvent.of_tables(event_id, user_id, tables, at)
        except (TypeError, ValueError, RecursionError):
            self.keep_refused_tables(user_id, tables)
            raise InputError(explained("the profile cannot be used", remedy="give plain values")) from None
        except InputError:
            self.keep_refused_tables(user_id, tables)
            raise
        try:
            return self.append([event])
        except InputError:  # the text of an event holds no names of a tuple's fields
            self.keep_refused_tables(user_id, tables)
            raise

    def _require_tables(self, user_id: str, own: ProfileTables) -> None:
        require_own_rows(user_id, own)
        given = own.columns
        if T.EVENTS in given:
            remedy = "give them as events of the day"
            raise InputError(explained("tables of a member hold no events", where="tables", remedy=remedy))
        for name in (T.BLOCKS, T.REPORTS):  # refused as the store does: nobody would be kept apart
            for one in given.get(name, {}).get(C.TARGET, ()):
                if isinstance(one, str) and self._safety.is_other_spelling(one):
                    raise not_canonical()

    def report(self, actor: str, target: str, category: str = "other", at: datetime | None = None) -> None:
        """Keep two people apart for good because one reported the other, and keep what the report is about.

        category: as in the table of reports. It stands in the log until a night has read it from there or
        from the service's own table; the same report of a pair and category within a minute is one.

        Raises InputError for an unknown category; the two are apart even then.
        """
        self._safety.keep_reported(actor, target, at)
        moment = utc_moment(at)
        name = report_id(self._safety.kept_id(target), category, minute_of(moment))
        self.append([DayEvent(name, moment, actor, target, "report", category)])

    def pause(self, user_id: str) -> None:
        """Take a member out of everybody's sight until they resume."""
        self._safety.hold(user_id, owner=MEMBER, reason=PAUSE)

    def resume(self, user_id: str) -> None:
        """End a member's pause; holds of others stay."""
        self._safety.lift(user_id, owner=MEMBER, reason=PAUSE)

    def leave(self, user_id: str) -> None:
        """Take a member who leaves out of everybody's sight; `recsys forget` erases them."""
        self._safety.hold(user_id, owner=LEAVER)


_INSTANT: Final = timedelta(microseconds=1)


_MARGIN: Final = timedelta(days=1)
"""How long beyond that rows are kept, for a worker that still serves a publication removed since."""


def forget_read_rows(log: DayLog, published: Path) -> None:
    """Forget the rows of the day that every publication kept in `published` has read.

    A publication that is rolled back to finds what came after it. Where one cannot be read, or the log cannot
    be asked, everything stays.
    """
    try:
        times = [
            datetime.fromisoformat(read_manifest(run).data_as_of)
            for run in (published / RUNS).iterdir()
            if run.is_dir()
        ]
        if times:
            log.drop(min(times) - _MARGIN)
    except (RecsysError, OSError, ValueError) as error:
        _log.warning("rows of the day stay for now", why=type(error).__name__)
