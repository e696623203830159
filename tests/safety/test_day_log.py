"""Day logs: in memory, in SQLite and in PostgreSQL, with what a store adds to them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from recsys.errors import InputError
from recsys.http.failures import without_values
from recsys.safety import MemorySafety, SqliteSafety
from recsys.safety.day_log import NEVER, DayLog, MemoryDayLog
from recsys.safety.refused_rows import restriction_meant
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
    ("kind", "of_one", "of_two"),
    [
        ("banned_again", True, True),
        ("profile_hold", True, True),
        ("complaint_sent", False, True),
        ("login", False, False),
        ("paused a@b.c", True, False),
    ],
)
def test_the_answer_says_that_a_word_counts_where_it_does(kind: str, of_one: bool, of_two: bool) -> None:
    """Seen to fail: the answer said that a word counts as a restriction which restricted nobody."""
    for target, counts in ((None, of_one), ("b", of_two)):
        refused_event = event(1, "a", target, kind)
        with pytest.raises(InputError) as refused:
            refused_event.checked()
        told = without_values(str(refused.value))
        assert ("counts as a restriction" in told) == counts
        assert (kind in told) == (counts and "@" not in kind)
        assert (restriction_meant(refused_event, lambda one: one) is not None) == counts


def test_a_question_reads_indexes_alone(tmp_path: Path) -> None:
    from recsys.safety.sqlite_day_log import READ_DAY

    store = SqliteSafety.create(tmp_path / "safety.db")
    plan = [row[3] for row in store._read(f"EXPLAIN QUERY PLAN {READ_DAY}", ("[]", 0, 0))]
    assert not [line for line in plan if "SCAN day_events" in line], plan
    assert sum("day_events_" in line for line in plan) == 3


@pytest.mark.parametrize("detail", ["withdrawn", "revoked", "同意撤回", "v2", ""])
def test_a_refused_acceptance_of_terms_restricts_nobody(detail: str) -> None:
    """The safety page says so: who takes terms back pauses or leaves."""
    told = event(1, "a", None, "terms_accepted", detail=detail)
    with pytest.raises(InputError):
        told.checked()
    assert restriction_meant(told, str) is None
