"""Day logs: in memory, in SQLite and in PostgreSQL, with what a store adds to them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from recsys.errors import InputError
from recsys.http.failures import without_values
from recsys.safety import MemorySafety, SqliteSafety
from recsys.safety.day_log import NEVER, DayLog, MemoryDayLog
from recsys.testing.day_log_contract import DayLogContract, event, put


class TestMemory(DayLogContract):
    @pytest.fixture
    def log(self) -> DayLog:
        return MemoryDayLog()


class TestSqlite(DayLogContract):
    @pytest.fixture
    def log(self, tmp_path: Path) -> DayLog:
        return SqliteSafety.create(tmp_path / "safety.db", timeout_s=5).day


class TestPostgres(DayLogContract):
    @pytest.fixture
    def log(self, postgres_server: str) -> Iterator[DayLog]:
        from recsys.safety.postgres_store import PostgresSafety

        store = PostgresSafety.create(postgres_server, timeout_s=5)
        with store._connection() as connection:
            connection.execute("TRUNCATE recsys_day_events")
        yield store.day
        store.close()


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_who_is_erased_leaves_the_log(kind: str, tmp_path: Path) -> None:
    store = MemorySafety() if kind == "memory" else SqliteSafety.create(tmp_path / "safety.db")
    kept = event(3, "b", "c", "like")
    put(store.day, event(1, "a", "b", "like"), event(2, "b", "a", "like"), kept)
    put(store.day, event(4, "a", None, "terms_accepted"))
    store.erase("a")
    assert store.day.events(NEVER) == [kept]


@pytest.mark.parametrize(
    ("kind", "named"),
    [("banned_again", True), ("profile_hold", True), ("login", False), ("paused a@b.c", False)],
)
def test_the_answer_names_a_word_that_counts_as_a_restriction(kind: str, named: bool) -> None:
    with pytest.raises(InputError) as refused:
        event(1, "a", "b", kind).checked()
    told = without_values(str(refused.value))
    assert (kind in told, "counts as a restriction" in told) == (named, kind != "login")


def test_a_question_reads_indexes_alone(tmp_path: Path) -> None:
    from recsys.safety.sqlite_day_log import READ_DAY

    store = SqliteSafety.create(tmp_path / "safety.db")
    plan = [row[3] for row in store._read(f"EXPLAIN QUERY PLAN {READ_DAY}", ("[]", 0, 0))]
    assert not [line for line in plan if "SCAN day_events" in line], plan
    assert sum("day_events_" in line for line in plan) == 3
