"""The decay of looks is found from repeated exposures when an answer is credited to the one it followed."""

import numpy as np
import pytest

from recsys.data.examination import Examination, credited


def shown_again(times, rng, n_pairs=60_000, decay=0.5):
    """Pairs shown `times` times in random places until they answer; exposures go on after the answer."""
    places = rng.integers(1, 21, (n_pairs, times)).astype(float)
    said = rng.random((n_pairs, times)) < 0.3 * places**-decay
    first = np.where(said.any(axis=1), said.argmax(axis=1), -1)
    pair, ts = np.divmod(np.arange(n_pairs * times), times)
    has = np.flatnonzero(first >= 0)
    return places.reshape(-1), pair, ts, has, first[has]


@pytest.mark.parametrize("times", [1, 2, 4, 8])
def test_repeated_exposures_do_not_flatten_the_decay(times):
    """Credited to every exposure of its pair, as before: .52, .26, .12, .05 for 1, 2, 4, 8 exposures."""
    places, pair, ts, who, when = shown_again(times, np.random.default_rng(times))
    open_, answered = credited(pair, ts, who, when)
    assert answered.sum() == len(who)
    assert Examination.fit(places[open_], answered[open_]).decay == pytest.approx(0.5, abs=0.04)
    of_pair = np.isin(pair, who)
    before = Examination.fit(places, of_pair).decay
    assert before == pytest.approx(0.5, abs=0.04) if times == 1 else before < 0.35


def test_exposures_in_any_order_and_an_answer_before_all_of_them():
    rng = np.random.default_rng(0)
    _, pair, ts, who, when = shown_again(4, rng, n_pairs=200)
    shuffled = rng.permutation(len(pair))
    straight, mixed = credited(pair, ts, who, when), credited(pair[shuffled], ts[shuffled], who, when)
    for a, b in zip(straight, mixed, strict=True):
        assert np.array_equal(a[shuffled], b)
    open_, answered = credited(np.array([1]), np.array([5]), np.array([1]), np.array([2]))
    assert not open_.any()
    assert not answered.any()
