"""The contract of day logs: subclass it and give `log`, an empty one."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from recsys.errors import InputError
from recsys.safety.day_log import NEVER, DayEvent, DayLog

NIGHT = datetime(2026, 3, 2, 3, tzinfo=UTC)
NOON = NIGHT + timedelta(hours=9, microseconds=123_457)


def event(number: int, actor: str, target: str | None, kind: str, **more: Any) -> DayEvent:
    return DayEvent(f"e{number}", NOON + timedelta(seconds=number), actor, target, kind, **more)


def put(log: DayLog, *events: DayEvent) -> int:
    """Append events that arrive as the last of them happens."""
    return log.append(events, arrived=max(event.at.astimezone(UTC) for event in events))


class DayLogContract:
    """What every day log does."""

    def test_events_of_a_pair_are_found_by_both(self, log: DayLog) -> None:
        like, note = event(1, "a", "b", "like"), event(2, "b", "a", "message", count=3)
        assert put(log, like, note) == 2
        for person in ("a", "b"):
            assert set(log.read([person], NIGHT).pairs) == {like, note}
        assert log.read(["c"], NIGHT).pairs == ()
        assert len(log.read(["a", "b", "c"], NIGHT).pairs) == 2

    def test_whom_somebody_saw_is_found_by_the_one_who_saw(self, log: DayLog) -> None:
        put(log, event(1, "a", "b", "impression"))
        assert len(log.read(["a"], NIGHT).pairs) == 1
        assert log.read(["b"], NIGHT).pairs == ()

    def test_the_same_again_does_nothing_and_another_of_its_name_is_refused_whole(self, log: DayLog) -> None:
        like = event(1, "a", "b", "like")
        assert [put(log, like), put(log, like), put(log, like, like)] == [1, 0, 0]
        for wrong in ((event(2, "a", "c", "like"), event(1, "a", "c", "like")),) * 2:
            with pytest.raises(InputError):
                put(log, *wrong)
        with pytest.raises(InputError):
            put(log, event(3, "a", "c", "like"), event(3, "a", "d", "like"))
        assert log.events(NEVER) == [like]

    def test_an_id_is_its_actors_own(self, log: DayLog) -> None:
        taken = event(1, "a", "b", "like")
        end = event(1, "c", "a", "end", detail="unsafe")
        back = event(1, "b", "a", "pass")
        assert [put(log, taken), put(log, end, back), put(log, end)] == [1, 2, 0]
        assert set(log.read(["a"], NIGHT).pairs) == {taken, end, back}

    def test_what_restricts_counts_under_an_id_its_actor_used_before(self, log: DayLog) -> None:
        like, end = event(1, "a", "b", "like"), event(1, "a", "b", "end", detail="unsafe")
        assert [put(log, like), put(log, end), put(log, end, like)] == [1, 1, 0]
        assert set(log.read(["b"], NIGHT).pairs) == {like, end}
        with pytest.raises(InputError):
            put(log, event(1, "a", "c", "like"))

    @pytest.mark.parametrize("kind", ["hide", "pass"])
    def test_a_hide_that_is_said_again_is_of_then(self, log: DayLog, kind: str) -> None:
        said, undone = event(1, "a", "b", kind), event(2, "a", "b", "undo")
        again = replace(said, at=undone.at + timedelta(seconds=1))
        assert [put(log, said), put(log, undone), put(log, again), put(log, again)] == [1, 1, 0, 0]
        assert log.events(undone.at) == [again]
        assert set(log.read(["b"], NIGHT).pairs) == {undone, again}
        assert put(log, said) == 0  # sent late once more
        assert log.events(NEVER) == [undone, again]

    @pytest.mark.parametrize(
        ("kind", "detail"),
        [("hide", None), ("pass", None), ("end", "unsafe"), ("money_request", None), ("verified", "none")],
    )
    def test_what_restricts_counts_at_once_whatever_its_date(
        self, log: DayLog, kind: str, detail: str | None
    ) -> None:
        target = None if kind == "verified" else "b"
        late = DayEvent("e1", NOON + timedelta(days=400), "a", target, kind, detail)
        assert log.append([late], arrived=NOON) == 1
        assert [one.at for one in log.events(NEVER)] == [NOON]
        assert log.events(NOON) == []

    @pytest.mark.parametrize(("kind", "detail"), [("like", None), ("undo", None), ("verified", "id")])
    def test_nothing_is_opened_by_a_date_ahead(self, log: DayLog, kind: str, detail: str | None) -> None:
        target = None if kind == "verified" else "b"
        late = DayEvent("e1", NOON + timedelta(hours=1), "a", target, kind, detail)
        with pytest.raises(InputError, match="later time than the clock"):
            log.append([late], arrived=NOON)
        assert log.events(NEVER) == []
        soon = replace(late, at=NOON + timedelta(minutes=4))  # clocks of machines differ a little
        assert log.append([soon], arrived=NOON) == 1
        assert log.events(NEVER)[0].at == NOON

    def test_a_night_that_read_them_leaves_out_what_happened_and_came_before(self, log: DayLog) -> None:
        early, late = event(1, "a", "b", "like"), event(2, "a", "c", "like")
        log.append([early], arrived=NOON + timedelta(minutes=1))
        log.append([late], arrived=NOON + timedelta(hours=5))  # happened before, came after
        for since, found in (
            (NIGHT, {early, late}),
            (NOON + timedelta(hours=1), {late}),
            (NOON + timedelta(hours=6), set()),
        ):
            assert set(log.read(["a"], since).pairs) == set(log.events(since)) == found
        log.drop(NOON + timedelta(hours=1))
        assert log.events(NEVER) == [late]
        assert put(log, early) == 1

    def test_changes_are_read_on_from_a_place(self, log: DayLog) -> None:
        tables = DayEvent.of_tables("t1", "a", {"profiles": [{"user_id": "a"}]}, NOON)
        proof = event(2, "b", None, "verified", detail="id")
        put(log, tables, event(1, "a", "b", "like"))
        first = log.read([], NIGHT)
        assert first.changes == (tables,)
        assert log.read([], NIGHT, after=first.place).changes == ()
        put(log, proof)
        second = log.read([], NIGHT, after=first.place)
        assert second.changes == (proof,)
        assert second.log == first.log
        assert set(log.read([], NIGHT).changes) == {tables, proof}
        log.drop(NOON + timedelta(days=1))
        put(log, event(4, "c", None, "terms_accepted"))
        assert [one.actor for one in log.read([], NIGHT, after=second.place).changes] == ["c"]

    def test_times_come_back_to_the_microsecond(self, log: DayLog) -> None:
        put(log, event(1, "a", "b", "like"))
        assert log.events(NEVER)[0].at == NOON + timedelta(seconds=1)

    @pytest.mark.parametrize(
        "wrong",
        [
            DayEvent("", NOON, "a", "b", "like"),
            DayEvent("e" * 129, NOON, "a", "b", "like"),
            DayEvent("e1", NOON.replace(tzinfo=None), "a", "b", "like"),
            DayEvent("e1", NOON, "a", "a", "like"),
            DayEvent("e1", NOON, "a", " b", "like"),
            DayEvent("e1", NOON, "a", None, "like"),
            DayEvent("e1", NOON, "a", "b", "block"),
            DayEvent("e1", NOON, "a", "b", "lke"),
            DayEvent("e1", NOON, "a", "b", "like", detail="x"),
            DayEvent("e1", NOON, "a", "b", "meet_feedback"),
            DayEvent("e1", NOON, "a", "b", "verified", detail="id"),
            DayEvent("e1", NOON, "a", None, "verified", detail="of course"),
            DayEvent("e1", NOON, "a", "b", "message", count=0),
            DayEvent("e1", NOON, "a", "b", "message", count=True),
            DayEvent("e1", NOON, "a", None, "tables"),
            DayEvent("e1", NOON, "a", None, "tables", payload="x" * 200_001),
            DayEvent("e1", NOON, "a", "b", "like", payload="{}"),
        ],
        ids=lambda one: f"{one.type}-{one.detail}",
    )
    def test_what_is_no_event_is_refused(self, log: DayLog, wrong: DayEvent) -> None:
        with pytest.raises(InputError):
            put(log, event(9, "a", "b", "like"), wrong)
        assert log.events(NEVER) == []

    def test_threads_miss_no_change(self, log: DayLog) -> None:
        seen: set[str] = set()

        def write(part: int) -> None:
            for step in range(5):
                put(log, event(100 * part + step, f"p{part}{step}", None, "terms_accepted"))

        threads = [threading.Thread(target=write, args=(part,)) for part in range(3)]
        for thread in threads:
            thread.start()
        place, writing = 0, True
        while writing:
            writing = any(thread.is_alive() for thread in threads)
            rows = log.read([], NIGHT, after=place)
            seen, place = seen | {one.actor for one in rows.changes}, rows.place
        assert len(seen) == 15
