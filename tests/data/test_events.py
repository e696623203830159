"""Events are checked, put in order and counted once."""

import pandas as pd
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.data import Events
from recsys.errors import InputError
from tests.data.timeline import day, events

PLAIN = pd.DataFrame({C.ACTOR: ["a", "b"], C.TARGET: ["b", "a"], C.TYPE: ["like", "pass"]})


def test_events_are_sorted_by_time_then_id() -> None:
    frame = PLAIN.assign(**{C.TS: [day(2), day(1)], C.EVENT: ["x", "y"]})
    assert Events.of(frame).frame[C.EVENT].tolist() == ["y", "x"]
    tied = PLAIN.assign(**{C.TS: [day(1), day(1)], C.EVENT: ["y", "x"]})
    assert Events.of(tied).frame[C.EVENT].tolist() == ["x", "y"]


def test_a_repeated_id_counts_once() -> None:
    frame = PLAIN.iloc[[0, 0]].assign(**{C.TS: [day(1), day(2)], C.EVENT: "same"})
    assert Events.of(frame).frame[C.TYPE].tolist() == ["like"]


def test_one_id_of_two_events_is_told_apart() -> None:
    frame = PLAIN.assign(**{C.TS: [day(1), day(2)], C.EVENT: "same"})
    found = Events.of(frame).frame
    assert found[C.TYPE].tolist() == ["like", "pass"]
    assert found[C.EVENT].is_unique


def test_event_ids_and_times_are_optional() -> None:
    found = Events.of(PLAIN)
    assert len(found) == 2
    assert found.frame[C.EVENT].is_unique


def test_the_given_table_is_not_changed() -> None:
    before = PLAIN.copy(deep=True)
    Events.of(PLAIN)
    pd.testing.assert_frame_equal(PLAIN, before)


def test_until_drops_later_events() -> None:
    two = events((1, "a", "like", "b"), (2, "b", "like", "a"))
    assert len(two.until(day(1))) == 1
    assert len(two.until(day(0.5))) == 0
    assert len(two.until(None)) == 2
    assert two.last == day(2)
    assert Events.none().last is None


def test_every_row_of_an_erased_person_drops() -> None:
    three = events((1, "a", "like", "b"), (2, "b", "like", "c"), (3, "a", "erase"))
    assert three.without_erased().frame[C.ACTOR].tolist() == ["b"]
    assert len(three.until(day(2)).without_erased()) == 2


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (PLAIN.drop(columns=C.TARGET), "target"),
        (PLAIN.assign(type="lik"), "did you mean 'like'"),
        (PLAIN.assign(actor=[None, "b"]), "without an actor"),
        (PLAIN.assign(ts=pd.to_datetime(["2026-01-01", "2026-01-02"])), "zone"),
        (PLAIN.assign(ts=pd.to_datetime(["2026-01-01", None], utc=True)), "without a time"),
    ],
)
def test_broken_events_are_refused(frame: pd.DataFrame, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Events.of(frame)
