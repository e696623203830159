"""A safety store in one SQLite file, shared by all processes of a machine."""

import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any, Final

from recsys.errors import SafetyUnavailable, explained
from recsys.safety.canonical import (
    canonical_person,
    distinct_pair,
    is_any_spelling,
    pairs_written_as,
    read_as,
    utc_moment,
    written_as,
)
from recsys.safety.hold_words import OPERATOR, hold_words
from recsys.safety.sql_store import SqlQuestions, SqlStore
from recsys.safety.sqlite_day_log import COUNT, DAY_TABLES, SqliteDayLog, erase_day
from recsys.safety.store import BLOCK

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS separated_pairs (
  person TEXT NOT NULL, other TEXT NOT NULL, kind TEXT NOT NULL, actor TEXT NOT NULL, at REAL NOT NULL,
  PRIMARY KEY (person, other, kind, actor)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS holds (
  person TEXT NOT NULL, owner TEXT NOT NULL, reason TEXT NOT NULL, at REAL NOT NULL,
  PRIMARY KEY (person, owner, reason)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS erased_people (person TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS erased_people_at ON erased_people (at);
CREATE TABLE IF NOT EXISTS shown_candidates (
  person TEXT NOT NULL, day TEXT NOT NULL, other TEXT NOT NULL, PRIMARY KEY (person, day, other)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS shown_candidates_other ON shown_candidates (other);
CREATE TABLE IF NOT EXISTS store_identity (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1), identity TEXT NOT NULL, writes INTEGER NOT NULL
);
INSERT OR IGNORE INTO store_identity VALUES (1, lower(hex(randomblob(8))), 0);
CREATE INDEX IF NOT EXISTS shown_candidates_day ON shown_candidates (day);
"""
_LEDGER_MARKS: Final = """CREATE TABLE IF NOT EXISTS ledger_marks (
  ledger TEXT PRIMARY KEY, records INTEGER NOT NULL, mark TEXT NOT NULL
) WITHOUT ROWID"""
_OLD_TABLES: Final = {
    "separated_pairs": "INSERT INTO separated_pairs SELECT person, other, kind, '', at FROM {old}",
    "holds": "INSERT INTO holds SELECT person, 'operator', '', at FROM {old}",
}
"""How a table is filled from one without actors or owners; nobody takes back a block of nobody known."""

# One statement reads one state of the file; each part is a look-up in a primary key.
_QUESTIONS: Final = SqlQuestions(
    exclusions="""
WITH ids(person) AS MATERIALIZED (SELECT value FROM json_each(?2))
SELECT ids.person FROM json_each(?1) AS viewer, ids
  JOIN separated_pairs ON separated_pairs.person = viewer.value AND separated_pairs.other = ids.person
UNION ALL SELECT ids.person FROM ids JOIN holds ON holds.person = ids.person
UNION ALL SELECT ids.person FROM ids JOIN erased_people ON erased_people.person = ids.person
""",
    standing="""
SELECT person, other FROM separated_pairs WHERE person IN (SELECT value FROM json_each(?1))
UNION ALL SELECT person, NULL FROM holds WHERE person IN (SELECT value FROM json_each(?2))
UNION ALL SELECT person, NULL FROM erased_people WHERE person IN (SELECT value FROM json_each(?2))
""",
    holds="SELECT DISTINCT owner, reason FROM holds WHERE person IN (SELECT value FROM json_each(?1))",
    apart="SELECT DISTINCT other FROM separated_pairs WHERE person IN (SELECT value FROM json_each(?1))",
    all_holds="SELECT person, owner, reason FROM holds",
    named="""
SELECT person FROM separated_pairs UNION SELECT person FROM holds UNION SELECT actor FROM day_events
UNION SELECT target FROM day_events WHERE target IS NOT NULL
UNION SELECT person FROM shown_candidates UNION SELECT other FROM shown_candidates
""",
    payloads="SELECT payload FROM day_events WHERE payload IS NOT NULL",
    watermark="SELECT identity, writes FROM store_identity",
    has_ledger_marks="SELECT 1 FROM sqlite_master WHERE name = 'ledger_marks'",
    ledger_mark="SELECT mark FROM ledger_marks WHERE ledger IN (SELECT value FROM json_each(?1))",
)
_SHOWN: Final = "SELECT other FROM shown_candidates WHERE person = ? AND day = ?"
_STEPS_BETWEEN_LOOKS: Final = 1000


class SqliteSafety(SqlStore):
    """Reads and writes a file that exists already; `SqliteSafety.create` makes one.

    The file is never made by reading: one that went missing must not look like one in which nobody
    is blocked. Each thread has a connection of its own, opened when it first asks and again when the
    file was replaced or the process forked.

    timeout_s: how long a question may take, waiting for a writer included.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = SqliteSafety.create(Path(folder) / "safety.db")
    ...     store.block("a", "b")
    ...     store.exclusions("b", ["a", "c"]).excluded
    frozenset({'a'})
    """

    questions = _QUESTIONS
    _can_make_ledger_marks = True

    def __init__(self, path: str | Path, *, timeout_s: float = 1.0) -> None:
        self._path = Path(path).absolute()
        self._timeout_s = timeout_s
        self._own = threading.local()
        self._day = SqliteDayLog(self._read, self._transact)

    @property
    def path(self) -> Path:
        """The file it is."""
        return self._path

    @property
    def day(self) -> SqliteDayLog:
        """What happens between two nights, in the same file."""
        return self._day

    @classmethod
    def create(cls, path: str | Path, *, timeout_s: float = 1.0) -> "SqliteSafety":
        """Return the store at `path`, its file and tables made when missing.

        Raises SafetyUnavailable when the file cannot be made.
        """
        try:
            with closing(sqlite3.connect(path)) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
                _renew(connection)
        except sqlite3.Error as error:
            raise _unavailable(error) from error
        return cls(path, timeout_s=timeout_s)

    def erased_since(self, moment: datetime | None) -> frozenset[str]:
        """Return who was erased at `moment` or later."""
        since = float("-inf") if moment is None else utc_moment(moment).timestamp()
        found = self._read("SELECT person FROM erased_people WHERE at >= ?", (since,))
        return frozenset(person for (person,) in found if not is_any_spelling(person))

    def unblock(self, actor: str, target: str) -> None:
        """Take back every block by `actor` of `target`."""
        a, b = distinct_pair(actor, target)
        delete = "DELETE FROM separated_pairs WHERE person = ? AND other = ? AND kind = ? AND actor = ?"
        pairs = pairs_written_as(a, b, checked=False)
        ends = [pair for low, high in pairs for pair in ((low, high), (high, low))]
        self._write([*((delete, (*pair, BLOCK, str(a))) for pair in ends), (COUNT, ())])

    def _hold(self, owner: str, reason: str, user_id: str, at: datetime | None = None) -> None:
        texts = written_as(canonical_person(user_id))
        values = (*hold_words(owner, reason), utc_moment(at).timestamp())
        insert = "INSERT OR IGNORE INTO holds VALUES (?, ?, ?, ?)"
        self._write([*((insert, (one, *values)) for one in texts), (COUNT, ())])

    def lift(self, user_id: str, *, owner: str = OPERATOR, reason: str | None = None) -> None:
        """End the holds of one owner."""
        held, (whose, _) = canonical_person(user_id), hold_words(owner, reason or "")
        delete = "DELETE FROM holds WHERE person = ?1 AND owner = ?2 AND (?3 IS NULL OR reason = ?3)"
        self._write([*((delete, (one, whose, reason)) for one in read_as([held])), (COUNT, ())])

    def _erase(self, user_id: str, at: datetime | None) -> None:
        texts, moment = written_as(canonical_person(user_id)), utc_moment(at).timestamp()
        insert = "INSERT OR IGNORE INTO erased_people VALUES (?, ?)"
        # All pairs lie in both directions, so those of one person are found by the key.
        others = "SELECT other FROM separated_pairs WHERE person = ?1"
        theirs = f"DELETE FROM separated_pairs WHERE other = ?1 AND person IN ({others})"  # noqa: S608 - fixed
        deletes = (
            "DELETE FROM holds WHERE person = ?",
            theirs,  # before the rows by which they are found
            "DELETE FROM separated_pairs WHERE person = ?",
            "DELETE FROM shown_candidates WHERE person = ?",
            "DELETE FROM shown_candidates WHERE other = ?",
        )
        self._write(
            [
                *((insert, (one, moment)) for one in texts),
                *((delete, (one,)) for one in read_as([user_id]) for delete in deletes),
                *erase_day(str(user_id)),
                (COUNT, ()),
            ]
        )
        self._day.erase_in_tables(str(user_id))
        self._erase_in_words(str(user_id))
        self._forget_pages()

    def redact_names(self, redact: Callable[[str], str]) -> None:
        """Rewrite names that members or a backend made, in tables of the day, as `redact` gives them."""
        self._day.rename(redact)
        self._forget_pages()

    def drop_erased(self, ids: Sequence[str]) -> None:
        """Forget ids of people who were erased."""
        self._write([("DELETE FROM erased_people WHERE person = ?", (text,)) for text in read_as(ids)])
        self._forget_pages()

    def shown(self, viewer: str, day: date) -> frozenset[str]:
        """Return the people the viewer was shown on that day."""
        return frozenset(other for (other,) in self._read(_SHOWN, (viewer, day.isoformat())))

    def _shown_within(self, connection: sqlite3.Connection, viewer: str, day: date) -> list[str]:
        return [one for (one,) in connection.execute(_SHOWN, (viewer, day.isoformat()))]

    def _remember_within(
        self, connection: sqlite3.Connection, viewer: str, day: date, candidates: Iterable[str]
    ) -> int:
        old = (day - timedelta(days=1)).isoformat()
        connection.execute("DELETE FROM shown_candidates WHERE day < ?", (old,))
        rows = [(viewer, day.isoformat(), other) for other in candidates]
        connection.executemany("INSERT OR IGNORE INTO shown_candidates VALUES (?, ?, ?)", rows)
        return len(rows)

    def _separate(self, kind: str, actor: str, target: str, at: datetime | None = None) -> None:
        moment = utc_moment(at).timestamp()
        a, b = distinct_pair(actor, target)
        insert = "INSERT OR IGNORE INTO separated_pairs VALUES (?, ?, ?, ?, ?)"
        ends = [pair for low, high in pairs_written_as(a, b) for pair in ((low, high), (high, low))]
        self._write([*((insert, (*pair, kind, str(a), moment)) for pair in ends), (COUNT, ())])

    def _rename_holds(self, before: tuple[str, ...], after: tuple[str, ...]) -> None:
        update = "UPDATE OR REPLACE holds SET owner = ?, reason = ? WHERE owner = ? AND reason = ?"
        self._write([(update, (*after, *before))])

    def _set_identity(self, identity: str) -> None:
        self._write([("UPDATE store_identity SET identity = ?", (identity,))])

    def _note_ledger(self, ledger: str, records: int, mark: str) -> None:
        insert = """INSERT INTO ledger_marks VALUES (?, ?, ?) ON CONFLICT (ledger) DO UPDATE
                    SET records = excluded.records, mark = excluded.mark
                    WHERE excluded.records > ledger_marks.records"""
        self._write([(_LEDGER_MARKS, ()), (insert, (ledger, records, mark))])

    def _forget_pages(self) -> None:
        """Take what was deleted out of the write-ahead log as well; a reader at work puts it off."""
        with self._connection() as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _ask(self, question: str, *texts: Iterable[str]) -> list[Any]:
        return self._read(question, [json.dumps([*some]) for some in texts])

    def _transact(self, work: Callable[[sqlite3.Connection], int]) -> int:
        """Do something in one transaction, all or nothing, and return what it returns."""
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                done = work(connection)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        return done

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """Give this thread's connection; whatever goes wrong with it closes it."""
        try:
            connection = self._opened()
            last = monotonic() + self._timeout_s
            connection.set_progress_handler(lambda: monotonic() > last, _STEPS_BETWEEN_LOOKS)
            yield connection
        except (sqlite3.Error, OSError) as error:
            self._close()
            raise _unavailable(error) from error

    def _opened(self) -> sqlite3.Connection:
        found = os.stat(self._path)  # noqa: PTH116 - asked in every call
        state = (os.getpid(), found.st_dev, found.st_ino)
        if getattr(self._own, "state", None) != state:
            self._close()
            uri = f"{self._path.as_uri()}?mode=rw"
            self._own.connection = sqlite3.connect(
                uri, uri=True, timeout=self._timeout_s, isolation_level=None
            )
            self._own.connection.execute("PRAGMA secure_delete = ON").fetchall()
            self._own.state = state
        connection: sqlite3.Connection = self._own.connection
        return connection

    def _close(self) -> None:
        connection = getattr(self._own, "connection", None)
        pid = (getattr(self._own, "state", None) or (None,))[0]
        self._own.connection = self._own.state = None
        if connection is not None and pid == os.getpid():  # a parent's connection is not ours to close
            connection.close()


def _renew(connection: sqlite3.Connection) -> None:
    """Make the tables, those of an earlier version anew with what they hold."""
    connection.execute("BEGIN IMMEDIATE")
    old = {
        table: f"earlier_{table}"
        for table, column in (("separated_pairs", "actor"), ("holds", "owner"))
        if (found := connection.execute("SELECT name FROM pragma_table_info(?)", (table,)).fetchall())
        and (column,) not in found
    }
    for table, name in old.items():
        connection.execute(f"ALTER TABLE {table} RENAME TO {name}")
    for statement in filter(str.strip, (_TABLES + _LEDGER_MARKS + ";" + DAY_TABLES).split(";")):
        connection.execute(statement)
    for table, name in old.items():
        connection.execute(_OLD_TABLES[table].format(old=name))
        connection.execute(f"DROP TABLE {name}")
    connection.execute("COMMIT")


def _unavailable(error: Exception) -> SafetyUnavailable:
    remedy = "check that its file is there and not locked; nothing is served meanwhile"
    return SafetyUnavailable(
        explained("the safety store cannot answer", where="sqlite", got=type(error).__name__, remedy=remedy)
    )
