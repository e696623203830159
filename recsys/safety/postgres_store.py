"""A safety store in PostgreSQL, shared by all machines; needs the extra `pg`.

How it waits for the server, and when it no longer does, is the subject of `postgres_connections`.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from recsys.errors import imported
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
from recsys.safety.postgres_connections import CONNECTIONS, PostgresConnections, TimedConnection
from recsys.safety.postgres_day_log import COUNT, DAY_TABLES, ERASE_DAY, PostgresDayLog
from recsys.safety.sql_store import SqlQuestions, SqlStore
from recsys.safety.store import BLOCK, DAY

imported("psycopg", extra="pg")
import psycopg  # noqa: E402 - after the check that names the extra

_TABLES: Final = (
    """CREATE TABLE IF NOT EXISTS recsys_separated_pairs (
      person text NOT NULL, other text NOT NULL, kind text NOT NULL, at timestamptz NOT NULL,
      actor text NOT NULL, PRIMARY KEY (person, other, kind, actor))""",
    """CREATE TABLE IF NOT EXISTS recsys_holds (
      person text NOT NULL, at timestamptz NOT NULL, owner text NOT NULL, reason text NOT NULL,
      PRIMARY KEY (person, owner, reason))""",
    # Tables of an earlier version: whose block it was is not known, so nobody takes it back.
    """DO $$ BEGIN
      IF NOT EXISTS (SELECT FROM pg_attribute
                     WHERE attrelid = 'recsys_separated_pairs'::regclass AND attname = 'actor') THEN
        ALTER TABLE recsys_separated_pairs ADD actor text NOT NULL DEFAULT '',
          DROP CONSTRAINT recsys_separated_pairs_pkey, ADD PRIMARY KEY (person, other, kind, actor);
      END IF;
      IF NOT EXISTS (SELECT FROM pg_attribute
                     WHERE attrelid = 'recsys_holds'::regclass AND attname = 'owner') THEN
        ALTER TABLE recsys_holds ADD owner text NOT NULL DEFAULT 'operator',
          ADD reason text NOT NULL DEFAULT '',
          DROP CONSTRAINT recsys_holds_pkey, ADD PRIMARY KEY (person, owner, reason);
      END IF;
    END $$""",
    "CREATE TABLE IF NOT EXISTS recsys_erased_people (person text PRIMARY KEY, at timestamptz NOT NULL)",
    "CREATE INDEX IF NOT EXISTS recsys_erased_people_at ON recsys_erased_people (at)",
    """CREATE TABLE IF NOT EXISTS recsys_shown_candidates (
      person text NOT NULL, day date NOT NULL, other text NOT NULL, PRIMARY KEY (person, day, other))""",
    "CREATE INDEX IF NOT EXISTS recsys_shown_candidates_other ON recsys_shown_candidates (other)",
    """CREATE TABLE IF NOT EXISTS recsys_store_identity (
      only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row), identity text NOT NULL,
      writes bigint NOT NULL)""",
    """INSERT INTO recsys_store_identity (identity, writes)
       VALUES (replace(gen_random_uuid()::text, '-', ''), 0) ON CONFLICT DO NOTHING""",
    "CREATE INDEX IF NOT EXISTS recsys_shown_candidates_day ON recsys_shown_candidates (day)",
    """CREATE TABLE IF NOT EXISTS recsys_ledger_marks (
      ledger text PRIMARY KEY, records bigint NOT NULL, mark text NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS recsys_changed_persons (
      account text PRIMARY KEY, noted timestamptz NOT NULL)""",
    *DAY_TABLES,
)
# One statement reads one state; each part is a look-up in a primary key.
_QUESTIONS: Final = SqlQuestions(
    exclusions="""
SELECT other FROM recsys_separated_pairs WHERE person = ANY(%(texts1)s) AND other = ANY(%(texts2)s)
UNION ALL SELECT person FROM recsys_holds WHERE person = ANY(%(texts2)s)
UNION ALL SELECT person FROM recsys_erased_people WHERE person = ANY(%(texts2)s)
""",
    standing="""
SELECT person, other FROM recsys_separated_pairs WHERE person = ANY(%(texts1)s)
UNION ALL SELECT person, NULL FROM recsys_holds WHERE person = ANY(%(texts2)s)
UNION ALL SELECT person, NULL FROM recsys_erased_people WHERE person = ANY(%(texts2)s)
""",
    holds="SELECT DISTINCT owner, reason FROM recsys_holds WHERE person = ANY(%(texts1)s)",
    apart="SELECT DISTINCT other FROM recsys_separated_pairs WHERE person = ANY(%(texts1)s)",
    all_holds="SELECT person, owner, reason FROM recsys_holds",
    named="""
SELECT person FROM recsys_separated_pairs UNION SELECT person FROM recsys_holds
UNION SELECT actor FROM recsys_day_events
UNION SELECT target FROM recsys_day_events WHERE target IS NOT NULL
UNION SELECT person FROM recsys_shown_candidates UNION SELECT other FROM recsys_shown_candidates
UNION SELECT account FROM recsys_changed_persons
""",
    payloads="SELECT payload FROM recsys_day_events WHERE payload IS NOT NULL",
    watermark="SELECT identity, writes FROM recsys_store_identity",
    has_ledger_marks="SELECT 1 WHERE to_regclass('recsys_ledger_marks') IS NOT NULL",
    ledger_mark="SELECT mark FROM recsys_ledger_marks WHERE ledger = ANY(%(texts1)s)",
)
_SEPARATE: Final = """
INSERT INTO recsys_separated_pairs (person, other, kind, at, actor)
VALUES (%(a)s, %(b)s, %(kind)s, %(at)s, %(actor)s), (%(b)s, %(a)s, %(kind)s, %(at)s, %(actor)s)
ON CONFLICT DO NOTHING
"""
_UNBLOCK: Final = """
DELETE FROM recsys_separated_pairs WHERE kind = %(kind)s AND actor = %(actor)s
AND ((person = %(a)s AND other = %(b)s) OR (person = %(b)s AND other = %(a)s))
"""
_HOLD: Final = """
INSERT INTO recsys_holds (person, at, owner, reason) VALUES (%(person)s, %(at)s, %(owner)s, %(reason)s)
ON CONFLICT DO NOTHING
"""
_LIFT: Final = """
DELETE FROM recsys_holds WHERE person = ANY(%(texts)s) AND owner = %(owner)s
AND (%(reason)s::text IS NULL OR reason = %(reason)s)
"""
_ERASE: Final = (
    "INSERT INTO recsys_erased_people SELECT unnest(%(written)s::text[]), %(at)s ON CONFLICT DO NOTHING",
    "DELETE FROM recsys_holds WHERE person = ANY(%(texts)s)",
    """DELETE FROM recsys_separated_pairs WHERE other = ANY(%(texts)s)
       AND person IN (SELECT other FROM recsys_separated_pairs WHERE person = ANY(%(texts)s))""",
    "DELETE FROM recsys_separated_pairs WHERE person = ANY(%(texts)s)",
    "DELETE FROM recsys_shown_candidates WHERE person = %(person)s OR other = %(person)s",
    "DELETE FROM recsys_changed_persons WHERE account = %(person)s",
    ERASE_DAY,
)
_SHOWN: Final = "SELECT other FROM recsys_shown_candidates WHERE person = %(person)s AND day = %(day)s"
_REMEMBER: Final = """
INSERT INTO recsys_shown_candidates SELECT %(person)s, %(day)s, unnest(%(others)s::text[])
ON CONFLICT DO NOTHING
"""
_CREATE_S: Final = 30.0


class PostgresSafety(SqlStore):
    """Reads and writes tables that exist already; `PostgresSafety.create` makes them.

    address:     a `postgresql://` URL; keep its password in the environment.
    timeout_s:   how long a question may take, waiting for a connection and opening one included.
    connections: the most that are open at once, in this process.
    """

    questions = _QUESTIONS

    def __init__(self, address: str, *, timeout_s: float = 0.5, connections: int = CONNECTIONS) -> None:
        self._connections = PostgresConnections(address, timeout_s=timeout_s, most=connections)
        self._day = PostgresDayLog(self._read, self._transact)

    @property
    def day(self) -> PostgresDayLog:
        """What happens between two nights, in the same database."""
        return self._day

    def __repr__(self) -> str:
        return "PostgresSafety()"  # the address may hold a password

    @classmethod
    def create(cls, address: str, *, timeout_s: float = 0.5) -> "PostgresSafety":
        """Return the store at `address`, its tables made when missing.

        Raises SafetyUnavailable when the server cannot be reached or refuses.
        """
        patient = cls(address, timeout_s=max(timeout_s, _CREATE_S))
        patient._write([(statement, {}) for statement in _TABLES])
        patient.close()
        return cls(address, timeout_s=timeout_s)

    def is_there(self) -> bool:
        """Return whether the database has a safety store that counts its writes."""
        return bool(self._ask("SELECT 1 WHERE to_regclass('recsys_store_identity') IS NOT NULL"))

    def erased_since(self, moment: datetime | None) -> frozenset[str]:
        """Return who was erased at `moment` or later."""
        since = datetime.min.replace(tzinfo=UTC) if moment is None else utc_moment(moment)
        query = "SELECT person FROM recsys_erased_people WHERE at >= %(since)s"
        found = self._read(query, {"since": since})
        return frozenset(person for (person,) in found if not is_any_spelling(person))

    def unblock(self, actor: str, target: str) -> None:
        """Take back every block by `actor` of `target`."""
        a, b = distinct_pair(actor, target)
        values = [
            {"a": low, "b": high, "kind": BLOCK, "actor": str(a)}
            for low, high in pairs_written_as(a, b, checked=False)
        ]
        self._write([*((_UNBLOCK, one) for one in values), (COUNT, {})])

    def _hold(self, owner: str, reason: str, user_id: str, at: datetime | None = None) -> None:
        whose, why = hold_words(owner, reason)
        texts = written_as(canonical_person(user_id))
        values = {"at": utc_moment(at), "owner": whose, "reason": why}
        self._write([*((_HOLD, {**values, "person": one}) for one in texts), (COUNT, {})])

    def lift(self, user_id: str, *, owner: str = OPERATOR, reason: str | None = None) -> None:
        """End the holds of one owner."""
        whose, _ = hold_words(owner, reason or "")
        values = {"texts": [*read_as([canonical_person(user_id)])], "owner": whose, "reason": reason}
        self._write([(_LIFT, values), (COUNT, {})])

    def _erase(self, user_id: str, at: datetime | None) -> None:
        written = written_as(canonical_person(user_id))
        values = {"person": str(user_id), "written": [*written], "at": utc_moment(at)}
        values["texts"] = [*read_as([user_id])]
        self._write([*((statement, values) for statement in _ERASE), (COUNT, {})])
        self._day.erase_in_tables(str(user_id))
        self._erase_in_words(str(user_id))

    def redact_names(self, redact: Callable[[str], str]) -> None:
        """Rewrite names that members or a backend made, in tables of the day, as `redact` gives them."""
        self._day.rename(redact)

    def drop_erased(self, ids: Sequence[str]) -> None:
        """Forget ids of people who were erased."""
        self._write(
            [("DELETE FROM recsys_erased_people WHERE person = ANY(%(ids)s)", {"ids": [*read_as(ids)]})]
        )

    def note_separated(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Note pairs that are apart for good by something other than a block or a report."""
        values = [
            {"a": low, "b": high, "kind": DAY, "actor": "", "at": utc_moment(None)}
            for a, b in pairs
            for low, high in pairs_written_as(a, b)
        ]
        self._write([*((_SEPARATE, one) for one in values), (COUNT, {})])

    def note_changed_persons(self, accounts: Sequence[str]) -> None:
        """Note accounts of whose persons the day knows more than the night, for pages in SQL."""
        insert = """INSERT INTO recsys_changed_persons SELECT unnest(%(accounts)s::text[]), now()
                    ON CONFLICT (account) DO UPDATE SET noted = excluded.noted"""
        delete = "DELETE FROM recsys_changed_persons WHERE noted < now() - interval '30 days'"
        self._write([(delete, {}), (insert, {"accounts": sorted(accounts)})])

    def shown(self, viewer: str, day: date) -> frozenset[str]:
        """Return the people the viewer was shown on that day."""
        return frozenset(other for (other,) in self._read(_SHOWN, {"person": viewer, "day": day}))

    def _shown_within(self, connection: TimedConnection, viewer: str, day: date) -> list[str]:
        values = {"person": viewer, "day": day}
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('recsys shown ' || %(person)s))", values)
        return [one for (one,) in connection.execute(_SHOWN, values).fetchall()]

    def _remember_within(
        self, connection: TimedConnection, viewer: str, day: date, candidates: Iterable[str]
    ) -> int:
        others = list(candidates)
        values = {"person": viewer, "day": day, "old": day - timedelta(days=1), "others": others}
        connection.execute("DELETE FROM recsys_shown_candidates WHERE day < %(old)s", values)
        connection.execute(_REMEMBER, values)
        return len(others)

    def _rename_holds(self, before: tuple[str, ...], after: tuple[str, ...]) -> None:
        values = dict(zip(("owner", "reason", "whose", "why"), (*before, *after), strict=True))
        insert = """INSERT INTO recsys_holds (person, at, owner, reason)
                    SELECT person, at, %(whose)s, %(why)s FROM recsys_holds
                    WHERE owner = %(owner)s AND reason = %(reason)s ON CONFLICT DO NOTHING"""
        delete = "DELETE FROM recsys_holds WHERE owner = %(owner)s AND reason = %(reason)s"
        self._write([(insert, values), (delete, values)])

    def _set_identity(self, identity: str) -> None:
        self._write([("UPDATE recsys_store_identity SET identity = %(new)s", {"new": identity})])

    def _note_ledger(self, ledger: str, records: int, mark: str) -> None:
        insert = """INSERT INTO recsys_ledger_marks AS known VALUES (%(ledger)s, %(records)s, %(mark)s)
                    ON CONFLICT (ledger) DO UPDATE SET records = excluded.records, mark = excluded.mark
                    WHERE excluded.records > known.records"""
        self._write([(insert, {"ledger": ledger, "records": records, "mark": mark})])

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._connections.close()

    def _separate(self, kind: str, actor: str, target: str, at: datetime | None = None) -> None:
        a, b = distinct_pair(actor, target)
        values = {"kind": kind, "at": utc_moment(at), "actor": str(a)}
        pairs = [{**values, "a": low, "b": high} for low, high in pairs_written_as(a, b)]
        self._write([*((_SEPARATE, one) for one in pairs), (COUNT, {})])

    def _ask(self, question: str, *texts: Iterable[str]) -> list[Any]:
        return self._read(question, {f"texts{n}": [*some] for n, some in enumerate(texts, 1)})

    def _transact(self, work: Callable[[TimedConnection], int]) -> int:
        """Do something in one transaction, all or nothing; a negative answer undoes it as well."""
        with self._connection(renewed=True) as connection, connection.transaction() as transaction:
            done = work(connection)
            if done < 0:
                raise psycopg.Rollback(transaction)
        return done

    def _connection(self, *, renewed: bool = False) -> AbstractContextManager[TimedConnection]:
        return self._connections.connection(renewed=renewed)
