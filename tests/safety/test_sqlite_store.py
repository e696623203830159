"""Safety stores: memory and SQLite; PostgreSQL has a file of its own."""

import gc
import multiprocessing
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from recsys.errors import SafetyUnavailable, SettingsError
from recsys.safety import MemorySafety, MemoryShown, SqliteSafety, open_safety
from recsys.testing.safety_contract import AT, SafetyContract, ShownContract


@pytest.fixture(scope="module", autouse=True)
def _no_open_files() -> Iterator[None]:
    """A connection that a test of this file left open is an error of the last one."""
    yield
    gc.collect()


class TestMemory(SafetyContract, ShownContract):
    @pytest.fixture
    def store(self) -> MemorySafety:
        return MemorySafety()

    @pytest.fixture
    def log(self) -> MemoryShown:
        return MemoryShown()


class TestSqlite(SafetyContract, ShownContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> SqliteSafety:
        return SqliteSafety.create(tmp_path / "safety.db", timeout_s=5)

    @pytest.fixture
    def log(self, store: SqliteSafety) -> SqliteSafety:
        return store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "safety.db"


@pytest.fixture
def store(path: Path) -> SqliteSafety:
    return SqliteSafety.create(path)


def _block(path: Path) -> None:
    SqliteSafety(path).block("a", "b", AT)


def test_another_process_sees_a_block_at_once(path: Path, store: SqliteSafety) -> None:
    assert store.exclusions("a", ["b"]).excluded == frozenset()
    other = multiprocessing.get_context("spawn").Process(target=_block, args=(path,))
    other.start()
    other.join()
    assert store.exclusions("a", ["b"]).excluded == {"b"}


def test_a_file_that_is_not_there_is_not_made(path: Path) -> None:
    with pytest.raises(SafetyUnavailable):
        SqliteSafety(path).exclusions("a", ["b"])
    assert not path.exists()


def test_an_empty_file_is_no_store(path: Path) -> None:
    sqlite3.connect(path).close()
    path.touch()
    with pytest.raises(SafetyUnavailable):
        SqliteSafety(path).exclusions("a", ["b"])


def test_a_file_that_goes_away_is_missed_and_found_again(path: Path, store: SqliteSafety) -> None:
    store.block("a", "b", AT)
    path.rename(path.with_suffix(".gone"))
    with pytest.raises(SafetyUnavailable):
        store.exclusions("a", ["b"])
    path.with_suffix(".gone").rename(path)
    assert store.exclusions("a", ["b"]).excluded == {"b"}


def test_a_file_that_was_replaced_is_read_anew(path: Path, store: SqliteSafety, tmp_path: Path) -> None:
    assert store.exclusions("a", ["b"]).excluded == frozenset()
    other = tmp_path / "other.db"
    SqliteSafety.create(other).block("a", "b", AT)
    with sqlite3.connect(other) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    for left in (f"{path}-wal", f"{path}-shm"):
        Path(left).unlink(missing_ok=True)
    other.replace(path)
    assert store.exclusions("a", ["b"]).excluded == {"b"}


def test_garbage_is_no_store(path: Path) -> None:
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(SafetyUnavailable):
        SqliteSafety(path).exclusions("a", ["b"])


def test_a_locked_file_times_out(path: Path, store: SqliteSafety) -> None:
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(SafetyUnavailable):
        store.block("a", "b", AT)
    assert store.exclusions("a", ["b"]).excluded == frozenset()  # reading goes on beside a writer
    holder.execute("ROLLBACK")
    store.block("a", "b", AT)
    assert store.exclusions("a", ["b"]).excluded == {"b"}
    holder.close()


def test_a_question_reads_keys_alone(path: Path, store: SqliteSafety) -> None:
    from recsys.safety import sqlite_store as module

    with sqlite3.connect(path) as connection:
        plan = connection.execute(
            f"EXPLAIN QUERY PLAN {module._QUESTIONS.exclusions}", ("[]", "[]")
        ).fetchall()
    connection.close()
    looked = [
        row[3] for row in plan if any(t in row[3] for t in ("separated_pairs", "holds", "erased_people"))
    ]
    assert len(looked) == 3
    assert all("USING PRIMARY KEY" in line for line in looked), looked


def test_a_file_of_an_earlier_version_keeps_what_it_holds(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.executescript("""
            CREATE TABLE separated_pairs (person TEXT, other TEXT, kind TEXT, at REAL,
                                          PRIMARY KEY (person, other)) WITHOUT ROWID;
            CREATE TABLE holds (person TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
            INSERT INTO separated_pairs VALUES ('a', 'b', 'block', 1), ('b', 'a', 'block', 1);
            INSERT INTO holds VALUES ('c', 1);
        """)
    connection.close()
    for _ in range(2):  # a second time finds nothing to renew
        store = SqliteSafety.create(path)
        assert store.exclusions("a", ["b", "c"]).excluded == {"b", "c"}
    store.unblock("a", "b")  # whose block it was is not known
    assert store.exclusions("a", ["b"]).excluded == {"b"}
    store.lift("c")
    assert store.exclusions("a", ["c"]).excluded == frozenset()


def test_addresses(path: Path) -> None:
    with pytest.raises(SafetyUnavailable):
        open_safety(f"sqlite:{path}").exclusions("a", [])
    open_safety(f"sqlite:{path}", create=True).block("a", "b", AT)
    assert open_safety(f"sqlite:{path}").exclusions("a", ["b"]).excluded == {"b"}
    for wrong in ("", "sqlite:", "mysql://user:secret@host/db", "safety.db"):
        with pytest.raises(SettingsError) as caught:
            open_safety(wrong)
        assert "secret" not in str(caught.value)
