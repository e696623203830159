"""The safety store in PostgreSQL, on a real server."""

import socket
import threading
from collections.abc import Iterator
from time import monotonic, sleep

import psycopg
import pytest

from recsys.errors import SafetyUnavailable
from recsys.safety import open_safety
from recsys.safety.postgres_connections import TimedConnection
from recsys.safety.postgres_store import PostgresSafety
from recsys.testing.safety_contract import AT, SafetyContract, ShownContract
from tests.postgres import Gate

TABLES = (
    "recsys_separated_pairs, recsys_holds, recsys_erased_people, recsys_shown_candidates, recsys_day_events"
)


@pytest.fixture(scope="module")
def address(postgres_server: str) -> str:
    return postgres_server


@pytest.fixture
def store(address: str) -> Iterator[PostgresSafety]:
    made = PostgresSafety.create(address, timeout_s=5)
    with made._connection() as connection:
        connection.execute(f"TRUNCATE {TABLES}".encode())
    yield made
    made.close()


class TestPostgres(SafetyContract, ShownContract):
    @pytest.fixture
    def log(self, store: PostgresSafety) -> PostgresSafety:
        return store


def test_a_second_store_sees_a_block_at_once(address: str, store: PostgresSafety) -> None:
    other = open_safety(address)
    assert store.exclusions("a", ["b"]).excluded == frozenset()
    other.block("b", "a", AT)
    assert store.exclusions("a", ["b"]).excluded == {"b"}
    other.close()


def test_another_identity_is_seen_by_every_store(address: str, store: PostgresSafety) -> None:
    store.block("a", "b")
    identity, writes = store.watermark()
    store.renew_identity()
    other = PostgresSafety(address)
    for one in (store, other):
        renewed, count = one.watermark()
        assert renewed != identity
        assert count >= writes
    other.close()


def test_tables_that_are_not_there_are_not_made(address: str, store: PostgresSafety) -> None:
    with store._connection() as connection:
        connection.execute(f"DROP TABLE {TABLES}".encode())
    try:
        with pytest.raises(SafetyUnavailable):
            store.exclusions("a", ["b"])
    finally:
        PostgresSafety.create(address, timeout_s=5).close()
    assert store.exclusions("a", ["b"]).excluded == frozenset()


def test_tables_of_an_earlier_version_keep_what_they_hold(address: str, store: PostgresSafety) -> None:
    with store._connection() as connection:
        connection.execute(b"DROP TABLE recsys_separated_pairs, recsys_holds")
        connection.execute(
            b"CREATE TABLE recsys_separated_pairs (person text NOT NULL, other text NOT NULL,"
            b" kind text NOT NULL, at timestamptz NOT NULL, PRIMARY KEY (person, other))"
        )
        connection.execute(b"CREATE TABLE recsys_holds (person text PRIMARY KEY, at timestamptz NOT NULL)")
        connection.execute(
            b"INSERT INTO recsys_separated_pairs"
            b" VALUES ('a', 'b', 'block', now()), ('b', 'a', 'block', now())"
        )
        connection.execute(b"INSERT INTO recsys_holds VALUES ('c', now())")
    for _ in range(2):
        again = PostgresSafety.create(address, timeout_s=5)
        assert again.exclusions("a", ["b", "c"]).excluded == {"b", "c"}
        again.hold("a", owner="case-1")
        again.lift("a", owner="case-1")
        again.close()
    store.unblock("a", "b")
    assert store.exclusions("a", ["b"]).excluded == {"b"}
    store.lift("c")
    assert store.exclusions("a", ["c"]).excluded == frozenset()


def test_connections_that_were_ended_are_replaced(address: str, store: PostgresSafety) -> None:
    store.block("a", "b", AT)
    with store._connection() as connection:
        mine = connection.info.backend_pid
    other = open_safety(address)
    with other._connection() as connection:
        connection.execute("SELECT pg_terminate_backend(%s)", (mine,))
    other.close()
    deadline = monotonic() + 5
    while monotonic() < deadline:  # the end of the old connection may arrive a moment later
        try:
            assert store.exclusions("a", ["b"]).excluded == {"b"}
            break
        except SafetyUnavailable:
            continue
    assert store.exclusions("a", ["b"]).excluded == {"b"}


def test_a_lock_is_not_waited_for(address: str, store: PostgresSafety) -> None:
    quick = PostgresSafety(address, timeout_s=0.2)
    with store._connection() as connection, connection.transaction():
        connection.execute("LOCK TABLE recsys_holds IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(SafetyUnavailable):
            quick.exclusions("a", ["b"])
    assert quick.exclusions("a", ["b"]).excluded == frozenset()
    quick.close()


def test_a_server_that_hangs_is_not_waited_for() -> None:
    """Something takes the connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        store = PostgresSafety(f"postgresql://nobody:secret@127.0.0.1:{port}/none", timeout_s=0.2)
        with pytest.raises(SafetyUnavailable) as caught:
            store.exclusions("a", ["b"])
        assert "secret" not in f"{caught.value!r} {store!r}"


def test_a_server_that_stops_answering_is_not_waited_for(store: PostgresSafety) -> None:
    quick = PostgresSafety(store._connections.address, timeout_s=0.2)
    with quick._connection() as connection:
        connection.execute("SET statement_timeout = 0")
    slow = "SELECT pg_sleep(30), 'a'"
    with pytest.raises(SafetyUnavailable):
        quick._read(slow, {})
    assert not quick._connections.open
    quick.close()


def test_a_question_reads_keys_alone(store: PostgresSafety) -> None:
    from recsys.safety import postgres_store as module

    with store._connection() as connection, connection.transaction():
        connection.execute("SET LOCAL enable_seqscan = off")  # tables are too small to show it otherwise
        values = {"texts1": ["a"], "texts2": ["a", "b"]}
        plan = connection.execute(f"EXPLAIN {module._QUESTIONS.exclusions}", values).fetchall()
    text = "\n".join(line for (line,) in plan)
    assert "Seq Scan" not in text
    assert text.count("_pkey") >= 3


def silent_server() -> socket.socket:
    """Something that takes connections and never says a word."""
    return socket.create_server(("127.0.0.1", 0), backlog=200)


def test_callers_of_a_server_that_hangs_are_refused_and_their_threads_end() -> None:
    with silent_server() as silent:
        address = f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/none"
        store = PostgresSafety(address, timeout_s=0.3, connections=2)
        before = threading.active_count()
        refused: list[str] = []

        def ask() -> None:
            try:
                store.exclusions("a", ["b"])
            except SafetyUnavailable as error:
                refused.append(str(error))

        callers = [threading.Thread(target=ask) for _ in range(40)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join(30)
        assert len(refused) == 40
        assert store._connections.open <= 2
        assert threading.active_count() <= before + 2  # those that are still opening
        ask()
        ask()  # at once after the failure of a trial, if the first one was a trial
        assert any("refused at once" in one for one in refused[-2:])


def test_a_store_is_back_when_its_server_is(address: str, store: PostgresSafety) -> None:
    store.block("a", "b", AT)
    with Gate(address) as gate:
        mine = PostgresSafety(gate.address, timeout_s=0.3)
        assert mine.exclusions("a", ["b"]).excluded == {"b"}
        gate.shut()
        for _ in range(5):
            with pytest.raises(SafetyUnavailable):
                mine.exclusions("a", ["b"])
        gate.open()
        deadline = monotonic() + 20
        while monotonic() < deadline:
            try:
                found = mine.exclusions("a", ["b"])
                break
            except SafetyUnavailable:
                sleep(0.02)
        assert found.excluded == {"b"}
        mine.close()


def test_no_more_connections_are_opened_than_may_be(address: str, store: PostgresSafety) -> None:
    few = PostgresSafety(address, timeout_s=10, connections=2)
    answers: list[bool] = []

    def ask() -> None:
        for _ in range(5):
            answers.append(few.exclusions("a", ["b"]).viewer_excluded)
            assert few._connections.open <= 2

    callers = [threading.Thread(target=ask) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert answers == [False] * 40
    few.close()


def test_many_statements_have_the_time_of_one_each(store: PostgresSafety) -> None:
    mine = PostgresSafety(store._connections.address, timeout_s=0.3)
    mine._write([("SELECT pg_sleep(0.1)", {})] * 5)
    with pytest.raises(SafetyUnavailable):
        mine._read("SELECT pg_sleep(0.5)", {})
    mine.close()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("connection failed: fe_sendauth: no password supplied", "set PGPASSWORD"),
        ('FATAL: password authentication failed for user "backend"', "refused the name or the password"),
        ("value of somebody", "got 'OperationalError'"),
    ],
)
def test_a_password_that_is_missing_is_told_and_nothing_else_of_the_server(
    said: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise psycopg.OperationalError(said)

    pool = PostgresSafety("postgresql://backend@localhost:1/none", timeout_s=1)
    monkeypatch.setattr(TimedConnection, "connect", fails)
    with pytest.raises(SafetyUnavailable) as raised:
        pool.exclusions("a", ["b"])
    assert told in str(raised.value)
    assert "somebody" not in str(raised.value)
    assert "backend" not in str(raised.value)
