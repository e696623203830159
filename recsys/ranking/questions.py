"""Questions of a call to the safety store and the day log, by the persons a publication knows."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from recsys.ranking.serve_time_filter import SafetyQuestion
from recsys.ranking.snapshot import Snapshot
from recsys.ranking.viewer_day import ViewerDay
from recsys.safety.by_person import SafetyByPerson
from recsys.safety.day_log import TABLES_CHANGED, DayEvent, DayLog, DayRows
from recsys.safety.persons import Accounts, NewcomerTokens
from recsys.safety.store import SafetyExclusions, ask_safety


class _Changes(NamedTuple):
    """Changed tables by member since the night of one run, read up to a place of one log."""

    run_id: str
    log: str
    place: int
    tables: Mapping[str, DayEvent]


@dataclass(frozen=True, eq=False)
class CallQuestions:
    """What one call asks, and what the day says of its viewer.

    ask: how a viewer and candidates stand now; whose tables changed today is out of others' sight. day: of
    the viewer; tables: the viewer's own tables of today, None when they did not change.
    """

    ask: SafetyQuestion
    accounts: Accounts
    day: ViewerDay
    tables: DayEvent | None


@dataclass(eq=False)
class Questions:
    """Asks the store and the log for calls; any thread may use it."""

    safety: SafetyByPerson
    log: DayLog
    _tokens: NewcomerTokens = field(default_factory=NewcomerTokens)
    _accounts: tuple[Snapshot, Accounts] | None = None
    _changes: _Changes = _Changes("", "", 0, {})  # noqa: RUF009 - it is a value
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def accounts_of(self, snapshot: Snapshot) -> Accounts:
        """Return the accounts of each person, as one publication and the newcomers since know them."""
        known = self._accounts
        if known is None or known[0] is not snapshot:
            known = (snapshot, snapshot.accounts(self._tokens, self.safety.ledger.keys))
            self._accounts, self.safety.accounts = known, known[1]
        return known[1]

    def about(self, snapshot: Snapshot, viewer_id: str) -> CallQuestions:
        """Ask the log about one viewer, and return what the call asks from then on."""
        accounts = self.accounts_of(snapshot)
        mine = accounts.of(viewer_id)
        rows, changed = self._read(snapshot, mine)
        day = ViewerDay.of(rows.pairs, viewer_id, accounts.of)
        ask = self.asking(self.safety, accounts, changed)
        return CallQuestions(ask, accounts, day, changed.get(viewer_id))

    def asking(
        self, safety: SafetyByPerson, accounts: Accounts, changed: Mapping[str, DayEvent]
    ) -> SafetyQuestion:
        """Return the question about people, with whose tables changed today out of others' sight."""

        def ask(viewer: str, others: Sequence[str]) -> SafetyExclusions:
            found = ask_safety(lambda: safety.exclusions(viewer, others, accounts))
            if not changed:
                return found
            out = found.excluded.union(one for one in others if one in changed)
            return SafetyExclusions(found.viewer_excluded, out)

        return ask

    def changed_since(self, snapshot: Snapshot) -> Mapping[str, DayEvent]:
        """Return whose tables changed since the night."""
        return self._read(snapshot, ())[1]

    def _read(self, snapshot: Snapshot, people: Sequence[str]) -> tuple[DayRows, Mapping[str, DayEvent]]:
        known = self._changes
        since = snapshot.data_as_of
        after = known.place if known.run_id == snapshot.run_id else 0
        rows = ask_safety(lambda: self.log.read(people, since, after=after))
        if after and (rows.log != known.log or rows.place < after):  # another log, or one that was set back
            known, after = _Changes("", "", 0, {}), 0
            rows = ask_safety(lambda: self.log.read(people, since))
        if rows.place == after and after:
            return rows, known.tables
        with self._lock:
            now = self._changes
            same = now.run_id == snapshot.run_id and now.log == rows.log and now.place >= after
            tables = dict(now.tables) if same and after else {}
            for event in rows.changes:
                before = tables.get(event.actor)
                if event.type == TABLES_CHANGED and (before is None or before.at <= event.at):
                    tables[event.actor] = event
            place = max(rows.place, now.place) if same and after else rows.place
            if not same or place >= now.place:
                self._changes = _Changes(snapshot.run_id, rows.log, place, tables)
        return rows, tables
