"""A safety store asked by person: with the accounts of each, the erasure list and the safety ledger."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import Final

from recsys.catalogue.columns import Tables as T
from recsys.errors import InputError
from recsys.safety.canonical import (
    not_two_people,
    restricts_even_refused,
    two_people_meant,
    utc_moment,
)
from recsys.safety.day_log import TABLES_CHANGED, DayEvent, DayLog, StoreWithDay, log_report
from recsys.safety.day_tables import (
    is_away_by,
    is_stopped_by,
    note_tokens,
    says_active,
    standing_tables,
    tables_of,
)
from recsys.safety.erasure_list import ErasureList
from recsys.safety.fingerprints import UNKEYED_FINGERPRINTS
from recsys.safety.hold_words import (
    OPERATOR,
    hold_tag,
    hold_words,
    holds_meant,
    tags_meant,
    without_members,
    words_even_refused,
)
from recsys.safety.ledger import SafetyLedger
from recsys.safety.ledger_state import (
    BAN,
    HOLD,
    STORE,
    SUPPRESSED,
    TABLES,
    TODAY,
    LedgerTag,
    Who,
)
from recsys.safety.person_index import ALONE, Accounts, restricted_by_ledger
from recsys.safety.person_names import EVER, PersonNames
from recsys.safety.refused_rows import HELD, Meant, MeantHold, restrictions_in
from recsys.safety.store import (
    BLOCK,
    DAY,
    LEAVER,
    REPORT,
    ReadsExclusions,
    SafetyExclusions,
    SafetyStore,
    StoreInFile,
    StoreWithPages,
    StoreWithRestrictions,
    ask_safety,
)
from recsys.safety.store_binding import StoreBinding

AWAY_IN_TABLES: Final = LedgerTag("away", TABLES)
"""Who is out for now by the tables of a night that was refused, until tables say not."""
OUT_TODAY: Final = LedgerTag(BAN, TODAY)
"""Who is out for good by tables of today, until later tables, or a later row that a night reads, say not."""
HELD_TODAY: Final = LedgerTag(HOLD, TODAY)
"""Who is on hold by tables of today, until a later row that a night reads says not."""
AWAY_TODAY: Final = LedgerTag("away", TODAY)
"""The same of who is out for now: a pause, or a proof of age that is taken back."""
_OUT_BY_TABLES: Final = (OUT_TODAY, AWAY_TODAY, AWAY_IN_TABLES)


class SafetyByPerson(PersonNames):
    """A safety store asked by person, together with the erasure list and the safety ledger.

    What is written through it stands in the ledger before it stands in the store.
    """

    def __init__(
        self, store: SafetyStore, erasures: ErasureList, ledger: SafetyLedger, day: DayLog | None = None
    ) -> None:
        """Join them; day: the log of the day, by default that of the store, where it has one."""
        read = store.day if day is None and isinstance(store, StoreWithDay) else day
        super().__init__(ledger, read, erasures)
        self.store = store
        self.reader: ReadsExclusions = store
        self.binding = StoreBinding(store, ledger)

    def with_store(self, reader: ReadsExclusions) -> "SafetyByPerson":
        """Return the same for reading alone, where exclusions are asked of something else."""
        made = SafetyByPerson(self.store, self.erasures, self.ledger, self.day)
        made.accounts, made.reader = self.accounts, reader
        return made

    def exclusions(
        self, viewer: str, candidates: Sequence[str], accounts: Accounts | None = None
    ) -> SafetyExclusions:
        """Return how the persons of `viewer` and `candidates` stand now, whatever account it concerns."""
        known = self.accounts if accounts is None else accounts
        mine, theirs = known.asked(viewer), known.asked_many(candidates)
        others = [account for accounts in theirs.values() for account in accounts]
        answers = [self.reader.exclusions(account, others) for account in mine]
        state = self.ledger.now()
        self.binding.require_known(state)
        erased = self.erasures.now(state).among([*mine, *others]).tolist()
        gone = {account for account, is_erased in zip(others, erased[len(mine) :], strict=True) if is_erased}
        gone.update(*(answer.excluded for answer in answers))
        held = any(answer.viewer_excluded for answer in answers) or any(erased[: len(mine)])
        out = {other for other, ids in theirs.items() if not gone.isdisjoint(ids)} if gone else gone
        stopped, more = restricted_by_ledger(state, viewer, mine, theirs, known)
        return SafetyExclusions(held or stopped, frozenset((out | more) - {viewer}))

    def check(self, watermark: str | None = None) -> None:
        """Raise SafetyUnavailable unless ledger and store are those a publication knows, and no older.

        Nor may the ledger be older than the store knows it. watermark: as the manifest of the publication
        holds it.
        """
        self.ledger.require(watermark)
        self.binding.require()

    def erased_since(self, moment: datetime | None) -> frozenset[str]:
        """Return whom the store knows to be erased; the list cannot name anybody."""
        return self.store.erased_since(moment)

    def block(self, actor: str, target: str, at: datetime | None = None) -> None:
        """Keep two people apart, both ways, until whoever blocked takes it back."""
        with self._even_refused(partial(self._part, BLOCK), actor, target):
            self._part(BLOCK, actor, target, at)

    def _part(self, why: str, actor: str, target: str, at: datetime | None = None) -> None:
        moment, (a, b) = utc_moment(at), self._note_pair(actor, target, why)
        keep = self.store.block if why == BLOCK else self.store.report
        keep(self.kept_id(a), self.kept_id(b), moment)
        self.binding.note()

    def report(self, actor: str, target: str, at: datetime | None = None) -> None:
        """Keep two people apart because one reported the other, and keep the report in the log of the day.

        There it has the category `other`; `Ranker.day.report` takes a category.
        """
        self.keep_reported(actor, target, at)
        a, b = map(self.kept_id, self._pair(actor, target))
        ask_safety(partial(log_report, self.day, a, b, utc_moment(at)))

    def keep_reported(self, actor: str, target: str, at: datetime | None = None) -> None:
        """Keep two people apart because one reported the other, and nothing else of it."""
        with self._even_refused(partial(self._part, REPORT), actor, target):
            self._part(REPORT, actor, target, at)

    def unblock(self, actor: str, target: str) -> None:
        """Take back every block by `actor` of `target` that came through a store.

        A block that a night read in its tables lasts.
        """
        a, b = self._pair(actor, target)
        self.binding.require_known()
        self.store.unblock(self.kept_id(a), self.kept_id(b))
        self.ledger.lift(LedgerTag(BLOCK, STORE), pairs=[(Who(a), Who(b))], directed=True)
        self.binding.note()

    def separate(self, pairs: Iterable[tuple[str, str | None]]) -> None:
        """Note in the ledger that pairs are apart for good by what happened today.

        The day log may be lost with its store, and the night may fail before it has read it.
        """
        given = [*pairs]
        try:
            known = [self._pair(actor, str(target)) for actor, target in given]
        except (InputError, TypeError, ValueError) as error:
            meant = (two_people_meant(one, self.whom, self.accounts.known) for one in given)
            self._separate([pair for pair in meant if pair is not None])
            raise error if isinstance(error, InputError) else not_two_people() from error
        self._separate(known)

    def _separate(self, known: Sequence[tuple[str, str]]) -> None:
        if known:
            self._link(*(one for pair in known for one in pair))
            self.ledger.separate([(Who(a), Who(b)) for a, b in known], LedgerTag(DAY, STORE))
            if isinstance(store := self.store, StoreWithPages):
                kept = [(self.kept_id(a), self.kept_id(b)) for a, b in known]
                ask_safety(lambda: store.note_separated(kept))
                self.binding.note()
            self.binding.note_ledger()

    def hold(
        self, user_id: str, at: datetime | None = None, *, owner: str = OPERATOR, reason: str = ""
    ) -> None:
        """Take a person out of everybody's sight until this hold and every other is lifted."""
        with self._even_refused(partial(self._hold, *words_even_refused(owner, reason)), user_id):
            self._hold(owner, reason, user_id, at)

    def _hold(self, owner: str, reason: str, user_id: str, at: datetime | None = None) -> None:
        held, moment = self._person(user_id), utc_moment(at)
        self.read_day()  # whoever came by day is a member too
        state, known = self.ledger.now(), self.accounts.known
        naming, erased = self._naming(state), self.erasures.now(state)
        owner, reason = without_members(
            hold_words(owner, reason),
            naming,
            lambda one: known(one) is not None or erased.moment_of(one) is not None,
        )
        self._link(held)
        self.ledger.stop([Who(held)], hold_tag(owner, reason))
        self.binding.require_known()
        self.store.hold(self.kept_id(held), moment, owner=owner, reason=reason)
        self.binding.note()

    def lift(self, user_id: str, *, owner: str = OPERATOR, reason: str | None = None) -> None:
        """End the holds of one owner that came through a store: of one reason, of every reason when None.

        Words count as they were given, also where a fingerprint stands in the place of an id.
        """
        me, _ = Who(self._person(user_id)), hold_words(owner, reason or "")
        self.binding.require_known()
        kept = self.kept_id(user_id)
        self.store.lift(kept, owner=owner, reason=reason)
        state = self.ledger.now()
        namings = [*state.namings, UNKEYED_FINGERPRINTS]  # a store hides ids without a key
        if isinstance(store := self.store, StoreWithRestrictions):
            held = ask_safety(partial(store.restrictions_of, kept)).holds
            for whose, why in holds_meant(held, owner, reason, namings):
                self.store.lift(kept, owner=whose, reason=why)
        tags = (tag for one in state.fingerprints(me) for tag in state.stops.get(one, ()))
        for tag in tags_meant(tags, owner, reason, namings):
            self.ledger.lift(tag, people=[me])
        self.binding.note()

    def erase(self, user_id: str, at: datetime | None = None) -> None:
        """Take a person out of everybody's sight for good, in the store and in the list.

        What restricts them stays in the ledger under the fingerprint of their person: who comes back with
        the same token is held, banned and kept apart as before. One that is refused holds whom it can mean.
        """
        with self._even_refused(partial(self._hold, LEAVER, ""), user_id):
            self._erase(user_id, at)

    def _erase(self, user_id: str, at: datetime | None) -> None:
        moment = utc_moment(at)
        self._suppress(user_id)
        self.store.erase(self._person(user_id), moment)
        self.erasures.add([user_id], at)
        self.drop_listed([user_id])
        self.binding.note()

    def drop_listed(self, ids: Sequence[str]) -> None:
        """Drop the ids of people who are in the list of erasures from a store in a file.

        All its workers are on the machine of the list, which keeps these people out and holds no id.
        """
        store = self.store
        if isinstance(store, StoreInFile):
            ask_safety(lambda: store.drop_erased(ids))

    def note_tables(
        self, events: Sequence[DayEvent], *, can_be_used: Callable[[DayEvent], bool] = lambda _: False
    ) -> None:
        """Note what tables that changed say of a person, in the ledger as well: the day log forgets them.

        That is the person's tokens, and whether they are out for good. Tables that cannot be used free
        nobody.
        """
        changed = [event for event in events if event.type == TABLES_CHANGED]
        if self.accounts is not ALONE and changed:
            note_tokens(self.accounts, changed)
            self._link(*dict.fromkeys(event.actor for event in changed))
        for event in changed:
            stop = OUT_TODAY if is_stopped_by(event) else AWAY_TODAY if is_away_by(event) else None
            if stop is not None:
                self._note_stop(event.actor, event.at, stop)
            elif says_active(event):
                before = [tag for tag in _OUT_BY_TABLES if self._is_before(event.actor, event.at, tag)]
                for tag in before if before and can_be_used(event) else ():
                    self.ledger.lift(tag, people=[Who(event.actor)])
            self.note_own_rows(event.actor, tables_of(event))
        self.binding.note_ledger()

    def note_own_rows(self, user_id: str, tables: Mapping[str, object]) -> None:
        """Note what the holds, blocks and reports among a member's own tables say, of every account.

        A block and a report last; a hold as long as no night reads a later row, whatever later tables lack.
        """
        told = {name: tables[name] for name in (T.HOLDS, T.BLOCKS, T.REPORTS) if name in tables}
        if told:
            self.note_refused_tables(user_id, told)

    def note_profile(self, user_id: str, token: str | None, stop: LedgerTag | None) -> None:
        """Note the same of a profile somebody came with: other workers know whose it is only from here.

        stop: `OUT_TODAY` or `AWAY_TODAY`, None for a profile of somebody active, who is no longer away.
        """
        if self.accounts is not ALONE and (token or self.ledger.now().namings):
            self.accounts.add(user_id, token)
            self._link_known(user_id)
        now = datetime.now(UTC)
        if stop is not None:
            self._note_stop(user_id, now, stop)
            return
        for tag in (AWAY_TODAY, AWAY_IN_TABLES):
            if self._is_before(user_id, now, tag):
                self.ledger.lift(tag, people=[Who(user_id)])

    def note_refused_tables(self, user_id: object, tables: object) -> list[DayEvent]:
        """Note what refused tables restrict, and return the events among it, which a log keeps."""
        noted = [self.note_refused(meant) for meant in restrictions_in(user_id, tables, self.whom)]
        return [event for event in noted if event is not None]

    def note_refused(self, meant: Meant | None) -> DayEvent | None:
        """Note what something refused restricts; an event of it that a log keeps is returned instead."""
        with suppress(InputError):
            if isinstance(meant, MeantHold) and meant.why == HELD:
                self._note_stop(meant.user_id, datetime.now(UTC), HELD_TODAY)
            elif isinstance(meant, MeantHold):
                self.hold(meant.user_id, owner=meant.owner, reason=meant.reason)
            elif isinstance(meant, tuple):
                self.separate([meant])
            elif meant is not None and meant.type == TABLES_CHANGED:
                self.note_tables([meant])
            else:
                self.separate([(meant.actor, meant.target)] if meant and meant.type == REPORT else [])
                return meant
        return None

    def _note_stop(self, user_id: str, at: datetime, stop: LedgerTag) -> None:
        """Note that somebody is out by tables of a time; what is older changes nothing."""
        since, told = self.ledger.now().stop_of_account(user_id, stop), _told(at)
        if since is None or since < told:
            self._link(user_id)
            self.ledger.stop([Who(user_id)], stop, as_of=told, renew=True)
            self.binding.tell_pages(self.accounts, self.accounts.of(user_id))

    def _is_before(self, user_id: str, at: datetime, stop: LedgerTag) -> bool:
        """Say whether tables of an earlier time said that somebody is out."""
        since = self.ledger.now().stop_of_account(user_id, stop)
        return since is not None and since < _told(at)

    def link_accounts(self, accounts: Iterable[str]) -> None:
        """Note in the ledger which persons some accounts are of, see `_link`."""
        if found := [*dict.fromkeys(accounts)]:
            self._link(*found)

    def _link(self, *accounts: str) -> None:
        """Note in the ledger which persons some accounts are of, by every token that is known of them.

        Whatever is said of an account then holds for its person when the account, or its token, is gone.
        """
        self.read_day()
        self._link_known(*accounts)

    def _link_known(self, *accounts: str) -> None:
        state = self.ledger.now()
        if not state.namings:
            state = self.ledger.begin()
        named = [(state.primary(Who(one)), self.accounts.whose(one, state)) for one in accounts]
        pairs = [(own, person) for own, persons in named for person in persons]
        strangers = [one for one in accounts if not self.accounts.is_published(one)]
        spelled = [link for one in strangers if (link := state.links_of_spelling(one)) is not None]
        for links, is_spelled in ((pairs, False), (spelled, True)):
            if new := state.unnoted(links, spelled=is_spelled) - state.unlinked:
                self.ledger.link(new, spelled=is_spelled)
        for one in accounts:
            if len(mine := self.accounts.of(one)) > 1 and self.accounts.came_by_day(mine):
                self.binding.tell_pages(self.accounts, mine)

    def _is_out_today(self, user_id: str) -> bool:
        """Say whether tables of today that count say that somebody is out for good."""
        day = self.day
        events = () if day is None else ask_safety(lambda: day.read((), EVER)).changes
        own = (one for one in events if one.actor == user_id and one.type == TABLES_CHANGED)
        return any(map(is_stopped_by, standing_tables(own)))

    def suppress(self, user_id: str) -> None:
        """Note in the ledger what restricts somebody, before they are erased; refused, it holds them."""
        with self._even_refused(partial(self._hold, LEAVER, ""), user_id):
            self._suppress(user_id)

    def _suppress(self, user_id: str) -> None:
        me = Who(self._person(user_id))
        self._link(me.user_id)  # before their tables of today go
        for tag in (AWAY_TODAY, AWAY_IN_TABLES):  # whoever only paused may come back
            self.ledger.lift(tag, people=[me])
        if self._is_out_today(me.user_id):
            self.ledger.stop([me], LedgerTag(SUPPRESSED, STORE))
        if isinstance(self.store, StoreWithRestrictions):
            found = ask_safety(partial(self.store.restrictions_of, user_id))
            if found.held:
                self.ledger.stop([me], LedgerTag(SUPPRESSED, STORE))
            self.ledger.separate([(Who(other), me) for other in found.others], LedgerTag(SUPPRESSED, STORE))
        for person in self.accounts.whose(user_id, self.ledger.now()):
            self.ledger.inherit(me, person)

    def _even_refused(self, restrict: Callable[..., None], *given: str) -> AbstractContextManager[None]:
        return restricts_even_refused(restrict, *given, whom=self.whom)

    def _note_pair(self, actor: str, target: str, why: str) -> tuple[str, str]:
        a, b = self._pair(actor, target)
        self._link(a, b)
        self.ledger.separate([(Who(a), Who(b))], LedgerTag(why, STORE), directed=True)
        self.binding.require_known()
        return a, b


def _told(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
