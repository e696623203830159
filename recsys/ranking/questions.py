"""Questions of a call to the safety store and the day log, by the persons a publication knows."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from recsys.ranking.day_members import NO_CHANGES, DayChanges
from recsys.ranking.serve_time_filter import SafetyQuestion
from recsys.ranking.snapshot import Snapshot
from recsys.ranking.viewer_day import ViewerDay
from recsys.safety.by_person import SafetyByPerson
from recsys.safety.day_log import DayEvent, DayLog, DayRows
from recsys.safety.day_tables import note_tokens
from recsys.safety.person_index import Accounts, NewcomerTokens
from recsys.safety.store import SafetyExclusions, StoreForMany, ask_safety


class _Changes(NamedTuple):
    """Changed tables by member since the night of one run, read up to a place of one log."""

    run_id: str
    log: str
    place: int
    changes: DayChanges


@dataclass(frozen=True, eq=False)
class CallQuestions:
    """What one call asks, and what the day says of its viewer.

    ask: how a viewer and candidates stand now; whose tables changed today does not stand as the night knew
    them. ask_today: the same of members by their tables of today. day: of the viewer; tables: the viewer's
    own tables of today, None when they did not change. changes: of everybody. person_of: every account of
    somebody's person, those too that the safety ledger links.
    """

    ask: SafetyQuestion
    ask_today: SafetyQuestion
    accounts: Accounts
    day: ViewerDay
    tables: DayEvent | None
    changes: DayChanges
    person_of: Callable[[str], tuple[str, ...]]


@dataclass(eq=False)
class Questions:
    """Asks the store and the log for calls; any thread may use it."""

    safety: SafetyByPerson
    log: DayLog
    _tokens: NewcomerTokens = field(default_factory=NewcomerTokens)
    _accounts: tuple[Snapshot, Accounts] | None = None
    _changes: _Changes = _Changes("", "", 0, NO_CHANGES)  # noqa: RUF009 - it is a value
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def accounts_of(self, snapshot: Snapshot) -> Accounts:
        """Return the accounts of each person, as one publication and the newcomers since know them."""
        known = self._accounts
        if known is None or known[0] is not snapshot:
            known = (snapshot, snapshot.accounts(self._tokens, self.safety.ledger.keys))
            self._accounts, self.safety.accounts = known, known[1]
        return known[1]

    def person_of(self, snapshot: Snapshot) -> Callable[[str], tuple[str, ...]]:
        """Return what tells every account of somebody's person, those too that the safety ledger links."""
        accounts, state = self.accounts_of(snapshot), ask_safety(self.safety.ledger.now)
        accounts.unlink(state)
        return lambda user_id: accounts.linked(user_id, state)

    def about(self, snapshot: Snapshot, viewer_id: str) -> CallQuestions:
        """Ask the log about one viewer, and return what the call asks from then on."""
        accounts, person_of = self.accounts_of(snapshot), self.person_of(snapshot)

        def asked() -> tuple[str, ...]:
            known = accounts.asked(viewer_id)
            return (*known, *(one for one in person_of(viewer_id) if one not in known))

        before, mine = self._changes.changes, asked()
        rows, changes = self._read(snapshot, mine)
        if (
            changes is not before and asked() != mine
        ):  # tables of today told of another account of this person
            rows, changes = self._read(snapshot, asked())
        day = ViewerDay.of(rows.pairs, viewer_id, person_of)
        return self.of_viewer(self.safety, accounts, changes, viewer_id, day)

    def of_viewer(
        self,
        safety: SafetyByPerson,
        accounts: Accounts,
        changes: DayChanges,
        viewer_id: str,
        day: ViewerDay,
    ) -> CallQuestions:
        """Return the questions of one viewer whose day is known."""
        ask = self.asking(safety, accounts, changes.tables, changes.stopped)
        today = self.asking(safety, accounts, {}, changes.stopped)
        state = ask_safety(self.safety.ledger.now)
        own = changes.tables.get(viewer_id)
        return CallQuestions(ask, today, accounts, day, own, changes, lambda one: accounts.linked(one, state))

    def asking(
        self,
        safety: SafetyByPerson,
        accounts: Accounts,
        changed: Mapping[str, DayEvent],
        stopped: frozenset[str],
    ) -> SafetyQuestion:
        """Return the question about people, with whose tables changed today out of others' sight.

        stopped: who is out by tables of today, and with them every account of their person.
        """

        def ask(viewer: str, others: Sequence[str]) -> SafetyExclusions:
            found = ask_safety(lambda: safety.exclusions(viewer, others, accounts))
            if not changed and not stopped:
                return found
            out = found.excluded.union(one for one in others if one in changed)
            if not stopped:
                return SafetyExclusions(found.viewer_excluded, out)
            asked = accounts.asked_many([viewer, *others])
            gone = {one for one, mine in asked.items() if not stopped.isdisjoint(mine)}
            return SafetyExclusions(found.viewer_excluded or viewer in gone, (out | gone) - {viewer})

        return ask

    def kept_apart(self, snapshot: Snapshot, viewer_id: str, asked: CallQuestions) -> set[str]:
        """Return every account from which safety keeps the viewer's person apart since the night.

        The safety ledger, which names nobody by an id, is asked about those in the viewer's circles.
        """
        accounts, store = asked.accounts, self.safety.store
        mine = accounts.of(viewer_id)
        if isinstance(store, StoreForMany):
            standing = ask_safety(lambda: store.standing([*mine], []))
            apart = {one for others in standing.separated.values() for one in others}
        else:  # who is held counts as well: too few circles rather than one too many
            everybody = [one for one in snapshot.ids.at(range(len(snapshot.ids))) if one not in mine]
            everybody += self._absent_beside(snapshot, viewer_id)
            apart = set(asked.ask_today(viewer_id, everybody).excluded)
        passed = {
            one for one, kind in [*asked.day.decided.items(), *asked.day.received.items()] if kind != "undo"
        }
        apart |= (asked.day.apart - passed) | self._apart_by_ledger(snapshot, viewer_id, accounts)
        return {account for one in apart for account in accounts.of(one)}

    def open_circles(self, snapshot: Snapshot, viewer_id: str, asked: CallQuestions, k: int) -> list[str]:
        """Return the best `k` circles of a viewer in which five members count now, and nobody is apart."""
        apart, live = self.kept_apart(snapshot, viewer_id, asked), snapshot.live
        (row,) = snapshot.ids.find([viewer_id])
        if asked.ask_today(viewer_id, []).viewer_excluded or not live.is_listed(row):
            return []

        def out(rows: Sequence[int]) -> list[int]:
            ids = snapshot.ids.at(rows)
            gone = asked.ask_today(viewer_id, ids).excluded
            return [at for at, one in zip(rows, ids, strict=True) if one in gone or not live.is_listed(at)]

        apart_rows = {one for one in snapshot.ids.find(sorted(apart)) if one >= 0}
        return snapshot.data.circles.open_to(row, apart_rows, apart, k, out)

    def _absent_beside(self, snapshot: Snapshot, viewer_id: str) -> list[str]:
        (row,) = snapshot.ids.find([viewer_id])
        return snapshot.data.circles.absent_beside(row)

    def _apart_by_ledger(self, snapshot: Snapshot, viewer_id: str, accounts: Accounts) -> set[str]:
        state = accounts.holds_here(ask_safety(self.safety.ledger.now))
        apart = state.separated_from(accounts.fingerprints(viewer_id, state)) if state.pairs else frozenset()
        if not apart:
            return set()
        (row,) = snapshot.ids.find([viewer_id])
        among = snapshot.ids.at(snapshot.data.circles.members_beside(row))
        strangers = snapshot.data.circles.absent_beside(row)
        named = accounts.fingerprints_of(accounts.asked_many([*among, *strangers]), state)
        for one in strangers:  # nobody of the publication, who may be known in another spelling alone
            named[one] |= state.fingerprints_of_spelling(one)
        return {one for one, prints in named.items() if not apart.isdisjoint(prints)}

    def changed_since(self, snapshot: Snapshot) -> DayChanges:
        """Return what members changed since the night."""
        return self._read(snapshot, ())[1]

    def _read(self, snapshot: Snapshot, people: Sequence[str]) -> tuple[DayRows, DayChanges]:
        known = self._changes
        since = snapshot.day_since
        after = known.place if known.run_id == snapshot.run_id else 0
        rows = ask_safety(lambda: self.log.read(people, since, after=after))
        if after and (rows.log != known.log or rows.place < after):  # another log, or one that was set back
            known, after = _Changes("", "", 0, NO_CHANGES), 0
            rows = ask_safety(lambda: self.log.read(people, since))
        if rows.place == after and after:
            return rows, known.changes
        with self._lock:
            now = self._changes
            same = now.run_id == snapshot.run_id and now.log == rows.log and now.place >= after
            changes = (now.changes if same and after else NO_CHANGES).after(rows.changes)
            note_tokens(self.accounts_of(snapshot), rows.changes)
            place = max(rows.place, now.place) if same and after else rows.place
            if not same or place >= now.place:
                self._changes = _Changes(snapshot.run_id, rows.log, place, changes)
        return rows, changes
