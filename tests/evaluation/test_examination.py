"""The decay of looks is found from repeated exposures when an answer is credited to the one it followed."""

import numpy as np
import pytest

from recsys.evaluation.examination import Examination, credited


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


def level(places, pair, ts, said, liked, examination):
    """Return P(like | look) by maximum likelihood when every look decides anew; said: first answers."""
    who = pair[said]
    open_, answered = credited(pair, ts, who, ts[said])
    looked = examination.of_logged(places[open_], most=1.0)
    silent = ~answered[open_]
    likes = float(liked.sum())
    noes, unsaid = len(who) - likes, looked.sum() - len(who)
    for _ in range(100):
        p, quiet = likes / (likes + noes + unsaid), unsaid / (noes + unsaid)
        hidden = looked * (1.0 - p) * quiet
        unsaid = (hidden / (1.0 - looked + hidden))[silent].sum()
    return likes / (likes + noes + unsaid)


def test_the_level_of_a_like_is_right_per_look_with_the_true_decay():
    """By pairs, as the night learns, .318 with the true decay; .231 with the wrong one: two errors cancel."""
    rng, rate = np.random.default_rng(0), 0.236
    times = rng.choice([1, 2, 4, 8], 60_000)
    pair, ts = np.repeat(np.arange(60_000), times), np.concatenate([np.arange(t) for t in times])
    places = rng.integers(1, 21, len(pair)).astype(float)
    looked = rng.random(len(pair)) < places**-0.5
    liked = looked & (rng.random(len(pair)) < rate)
    answers = np.flatnonzero(liked | (looked & (rng.random(len(pair)) < 0.4)))
    said = answers[np.unique(pair[answers], return_index=True)[1]]
    open_, answered = credited(pair, ts, pair[said], ts[said])
    found = Examination.fit(places[open_], answered[open_])
    assert found.decay == pytest.approx(0.5, abs=0.03)
    assert level(places, pair, ts, said, liked[said], found) == pytest.approx(rate, abs=0.015)
    flat = Examination.fit(places, np.isin(pair, pair[said]))
    assert flat.decay < 0.2
    assert abs(level(places, pair, ts, said, liked[said], flat) - rate) > 0.03
