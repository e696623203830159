import numpy as np
import pandas as pd

from recsys.data.events import Events
from recsys.data.population import Population
from recsys.models.training_data import LabelledPairs
from recsys.testing.people import AS_OF


def events(*rows):
    return Events.of(pd.DataFrame(rows, columns=["actor", "target", "type"]))


def test_pairs_with_people_outside_the_population_are_left_out():
    people = Population.of_ids(["a", "b", "c"], as_of=AS_OF)
    pairs = LabelledPairs.from_events(
        people, events(("c", "a", "pass"), ("a", "b", "like"), ("a", "z", "like"), ("z", "a", "like"))
    )
    assert pairs.viewers.tolist() == [0, 2]
    assert pairs.candidates.tolist() == [1, 0]
    assert pairs.labels.tolist() == [1.0, 0.0]
    assert pairs.weights.mean() == 1.0


def test_blocked_pairs_are_left_out():
    people = Population.of_ids(["a", "b"], as_of=AS_OF)
    assert len(LabelledPairs.from_events(people, events(("a", "b", "like"), ("b", "a", "block")))) == 0


def test_blind_pairs_leave_out_replies_to_a_like():
    people = Population.of_ids(["a", "b", "c"], as_of=AS_OF)
    rows = [("a", "b", "impression", 9), ("a", "b", "like", 9), ("b", "a", "like", 8), ("c", "a", "pass", 7)]

    def pairs(rows, **how):
        frame = pd.DataFrame(rows, columns=["actor", "target", "type", "ago"])
        frame["ts"] = AS_OF - pd.to_timedelta(frame.pop("ago"), unit="D")
        found = LabelledPairs.from_events(people, Events.of(frame), **how)
        return list(zip(found.viewers.tolist(), found.candidates.tolist(), strict=True))

    assert pairs(rows) == [(0, 1), (1, 0), (2, 0)]
    assert pairs(rows, blind=True) == [(0, 1), (2, 0)]
    assert pairs(rows[:3], blind=True) == [(0, 1), (1, 0)], "no no would be left"
    assert pairs(rows[1:], blind=True) == [(0, 1), (1, 0), (2, 0)], "nothing says who was shown whom"


def test_sampled_pairs_keep_the_order():
    people = Population.of_ids([f"u{k}" for k in range(30)], as_of=AS_OF)
    rows = [(f"u{a}", f"u{b}", "like") for a in range(30) for b in range(30) if a != b]
    pairs = LabelledPairs.from_events(people, events(*rows))
    few = pairs.sampled(100, np.random.default_rng(0))
    assert len(few) == 100
    key = few.viewers.astype(int) * 30 + few.candidates
    assert (np.diff(key) > 0).all()
    assert len(pairs.sampled(10_000, np.random.default_rng(0))) == len(pairs)
