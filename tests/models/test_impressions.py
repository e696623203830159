import numpy as np
import pandas as pd
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.evaluation.examination import Examination
from recsys.models.impressions import Impressions
from recsys.testing.people import AS_OF


def looks_of(rows):
    """Return looks of events given as (actor, target, type, days ago, position)."""
    frame = pd.DataFrame(rows, columns=[C.ACTOR, C.TARGET, C.TYPE, "ago", C.POSITION])
    frame[C.TS] = AS_OF - pd.to_timedelta(frame.pop("ago"), unit="D")
    people = Population.of_ids(["a", "b", "c", "d"], as_of=AS_OF)
    impressions = Impressions.from_events(people, Events.of(frame))
    names = people.ids.ids(np.arange(4))
    pairs = list(zip(names[impressions.viewers], names[impressions.candidates], strict=True))
    return dict(zip(pairs, np.arange(len(impressions)), strict=True)), impressions


def test_answered_impressions_were_examined_and_unanswered_ones_have_p_examined_below_one():
    at, impressions = looks_of(
        [
            ("a", "b", "impression", 3, 1),
            ("a", "b", "like", 3, None),
            ("a", "c", "impression", 3, 1),
            ("a", "d", "impression", 3, 9),
        ]
    )
    assert impressions.p_examined[at["a", "b"]] == 1.0
    assert impressions.labels.tolist() == [1.0, 0.0, 0.0]
    assert 0.0 < impressions.p_examined[at["a", "d"]] < impressions.p_examined[at["a", "c"]] < 1.0
    assert impressions.answered.tolist() == [True, False, False]


def test_the_gradient_of_unanswered_impressions_is_that_of_the_marginal_likelihood():
    """A weighted no has the slope that the likelihood of silence has, whatever P(like) is."""
    _, impressions = looks_of(
        [
            ("a", "b", "impression", 3, 4),
            ("a", "c", "impression", 3, 1),
            ("a", "c", "pass", 3, None),
            ("b", "a", "impression", 3, 1),
            ("b", "a", "like", 3, None),
        ]
    )
    silent = int(np.flatnonzero(~impressions.answered)[0])
    examination = Examination.fit(np.array([4.0, 1.0, 1.0]), np.array([False, True, True]))
    looked, at_first = examination.of_logged(np.array([4.0, 1.0]))
    said = 1.0 / (looked + 2.0 * at_first - 1.0)
    logits = np.linspace(-3.0, 2.0, 11)

    def silence(x):
        p = 1.0 / (1.0 + np.exp(-x))
        return np.log(1.0 - looked * (p + (1.0 - p) * said))

    slope = (silence(logits + 1e-5) - silence(logits - 1e-5)) / 2e-5
    p = 1.0 / (1.0 + np.exp(-logits))
    p_examined = [impressions.e_step(np.full(len(impressions), one)).p_examined[silent] for one in p]
    np.testing.assert_allclose(-np.array(p_examined) * p, slope, rtol=1e-6)
    assert (impressions.e_step(np.full(len(impressions), 0.3)).p_examined[impressions.answered] == 1.0).all()


def test_p_examined_rises_with_repeated_impressions():
    once, twice = (
        looks_of([("a", "b", "impression", day, 5) for day in days] + [("c", "d", "like", 1, None)])
        for days in ([3], [3, 2])
    )
    assert twice[1].p_examined[twice[0]["a", "b"]] > once[1].p_examined[once[0]["a", "b"]]


def test_is_reply_marks_answers_to_an_earlier_like():
    at, impressions = looks_of(
        [
            ("a", "b", "impression", 9, 1),
            ("b", "a", "impression", 9, 1),
            ("a", "b", "like", 8, None),
            ("b", "a", "like", 7, None),
            ("c", "d", "like", 6, None),
        ]
    )
    assert {pair: bool(impressions.is_reply[row]) for pair, row in at.items()} == {
        ("a", "b"): False,
        ("b", "a"): True,
        ("c", "d"): False,
    }


def test_a_blocked_pair_has_no_impression_in_either_direction():
    at, _ = looks_of(
        [
            ("a", "b", "like", 9, None),
            ("b", "a", "impression", 9, 2),
            ("b", "a", "block", 8, None),
            ("a", "c", "like", 7, None),
        ]
    )
    assert set(at) == {("a", "c")}


def test_pair_folds_keep_both_directions_together():
    rows = [("a", "b"), ("b", "a"), ("c", "a"), ("a", "c"), ("b", "d"), ("d", "b")]
    at, impressions = looks_of([(*pair, "like", 1, None) for pair in rows])
    folds = impressions.pair_folds(1000, np.random.default_rng(0))
    for a, b in rows:
        assert folds[at[a, b]] == folds[at[b, a]]
    assert len(set(folds.tolist())) == 3


@pytest.mark.parametrize("decay", [0.3, 1.0])
def test_examination_recovers_the_decay_by_position(decay):
    rng = np.random.default_rng(0)
    places = rng.integers(1, 11, 60_000).astype(float)
    answered = rng.random(60_000) < 0.4 * places**-decay
    assert Examination.fit(places, answered).decay == pytest.approx(decay, abs=0.05)


def test_examination_without_answers_or_positions_is_the_default_curve():
    assert Examination.fit(np.array([1.0, 2.0]), np.zeros(2, bool)) == Examination()
    assert Examination.fit(np.array([np.nan]), np.ones(1, bool)) == Examination()
