"""Connections to a PostgreSQL server for calls that cannot wait: one deadline, few connections, a breaker.

One deadline covers everything a question waits for: a free connection, opening one, the answer. A server
that hangs does not end its own statements, so every wait ends on this side. A connection that failed is
closed and never used again. After some failures in a row nobody waits any more: calls are refused at once,
but for one at a time that tries whether the server is back.
"""

import os
import select
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any, Final

from recsys.errors import SafetyUnavailable, explained, imported

imported("psycopg", extra="pg")
import psycopg  # noqa: E402 - after the check that names the extra

CONNECTIONS: Final = 8
FAILURES: Final = 3
"""In a row, after which calls are refused at once."""
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 2.0
_CONNECT_S: Final = 2  # the least that libpq waits; callers wait no longer than their deadline


class TimedConnection(psycopg.Connection[Any]):
    """A connection that waits for the server until a deadline.

    deadline: on the monotonic clock. renewed_s: seconds each exchange may take beyond it, 0 for none: a
    transaction of many statements has as much for each.
    """

    deadline = float("inf")
    renewed_s = 0.0

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Run one exchange with the server; psycopg.Error when it takes too long."""
        left = self.renewed_s or self.deadline - monotonic()
        return super().wait(gen, interval=interval, timeout=timeout or max(left, 0.001))


def _has_ended(connection: TimedConnection) -> bool:
    """Say whether an idle connection has something to read: then the server has ended it."""
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


class _Breaker:
    """Says whether a call may try the server; the caller holds the lock."""

    def __init__(self) -> None:
        self.failures, self._until, self._pause_s = 0, 0.0, _FIRST_PAUSE_S

    def admits(self, now: float, trial_s: float) -> bool:
        """Say whether one more call may try; the one that does holds off the others while it tries."""
        if self.failures < FAILURES:
            return True
        if now < self._until:
            return False
        self._until = now + trial_s
        return True

    def failed(self, now: float) -> None:
        """Note a failure."""
        self.failures += 1
        if self.failures >= FAILURES:
            self._until = now + self._pause_s
            self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)

    def worked(self) -> None:
        """Note that the server answered."""
        if self.failures:
            self.failures, self._until, self._pause_s = 0, 0.0, _FIRST_PAUSE_S


class PostgresConnections:
    """At most `most` connections to one address, each used by one caller at a time.

    timeout_s: how long a question may take, a connection included.
    """

    def __init__(self, address: str, *, timeout_s: float, most: int = CONNECTIONS) -> None:
        self.address, self.timeout_s, self._most = address, timeout_s, most
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._changed = threading.Condition()
        self._idle: deque[TimedConnection] = deque()
        self._open = 0  # in use, idle or being opened
        self._closed = False
        self._opening_failed: tuple[int, Exception | None] = (0, None)
        self._breaker = _Breaker()

    @property
    def open(self) -> int:
        """How many connections there are, those being opened included."""
        return self._open

    @contextmanager
    def connection(self, *, renewed: bool = False) -> Iterator[TimedConnection]:
        """Give a connection until the block ends; whatever goes wrong with it closes it.

        renewed: whether each exchange has `timeout_s` of its own, as in a transaction of many statements.

        Raises SafetyUnavailable, which repeats nothing of what was asked, when the server does not answer.
        """
        if self._pid != os.getpid():  # a parent's connections are not ours
            self._begin()
        deadline = monotonic() + self.timeout_s
        connection = self._taken(deadline)
        connection.deadline, connection.renewed_s = deadline, self.timeout_s if renewed else 0.0
        try:
            yield connection
        except (psycopg.Error, OSError) as error:
            self._close(connection, failed=not _is_answer(error))
            raise unavailable(_kind(error)) from None  # its text may hold values
        except BaseException:
            self._close(connection, failed=False)
            raise
        with self._changed:
            self._breaker.worked()
            self._idle.append(connection)
            self._changed.notify()

    def close(self) -> None:
        """Close the connections that are not in use, and one that is still being opened when it is there."""
        with self._changed:
            self._closed = True
            while self._idle:
                self._idle.pop().close()
                self._open -= 1

    def _taken(self, deadline: float) -> TimedConnection:
        with self._changed:
            self._closed = False
            if not self._breaker.admits(monotonic(), self.timeout_s):
                raise unavailable("refused at once since it failed before")
            failures = self._opening_failed[0]
            while True:
                while self._idle:
                    found = self._idle.pop()
                    if not _has_ended(found):
                        return found
                    found.close()
                    self._open -= 1
                number, error = self._opening_failed
                if number > failures:
                    raise unavailable(_kind(error))
                if self._open < self._most:
                    self._open += 1
                    threading.Thread(target=self._open_one, name="recsys-postgres", daemon=True).start()
                left = deadline - monotonic()
                if left <= 0 or not self._changed.wait(left):
                    self._breaker.failed(monotonic())
                    raise unavailable("no connection in time")

    def _open_one(self) -> None:
        """Open one more connection for whoever waits; in a thread, since connecting has no deadline."""
        changed = self._changed
        try:
            made = TimedConnection.connect(
                self.address, autocommit=True, connect_timeout=_CONNECT_S, prepare_threshold=2
            )
            made.deadline = monotonic() + _CONNECT_S
            made.execute(f"SET statement_timeout = {max(1, int(self.timeout_s * 1000))}".encode())
        except Exception as error:  # whatever it is, whoever waits hears of it
            with changed:
                self._open -= 1
                self._breaker.failed(monotonic())
                self._opening_failed = (self._opening_failed[0] + 1, error)
                changed.notify_all()
            return
        with changed:
            if self._closed:  # nobody waits for it any more
                self._open -= 1
                made.close()
                return
            self._idle.append(made)
            changed.notify()

    def _close(self, connection: TimedConnection, *, failed: bool) -> None:
        with suppress(psycopg.Error, OSError):
            connection.close()
        with self._changed:
            self._open -= 1
            if failed:
                self._breaker.failed(monotonic())
            self._changed.notify()


def _is_answer(error: Exception) -> bool:
    """Say whether the server answered: a table that is not there, say, is no reason to wait for nobody."""
    return isinstance(error, psycopg.Error) and error.sqlstate is not None and error.sqlstate[:2] != "57"


def _kind(error: Exception | None) -> str:
    """Return what went wrong in words that hold no value."""
    text = str(error).lower()
    if "no password supplied" in text:
        return "no password is given: set PGPASSWORD or keep a password file"
    if "authentication failed" in text:
        return "the server refused the name or the password"
    return type(error).__name__


def unavailable(got: str) -> SafetyUnavailable:
    """Return the error of a server that did not answer."""
    remedy = "check that the server can be reached; nothing is served meanwhile"
    return SafetyUnavailable(
        explained("the safety store cannot answer", where="postgresql", got=got, remedy=remedy)
    )
