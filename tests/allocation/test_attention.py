"""Who may take attention: demoted people stand in a share of the lists, likes for everybody buy nothing.

Planted and seen caught: a threshold that the eager people themselves move, and a lot that is drawn anew for
the reverse of a pair.
"""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.allocation.attention import AttentionLimits
from recsys.allocation.graph import CandidateGraph
from recsys.data.indiscriminate import likes_nearly_everybody
from recsys.random import KeyedGenerator
from tests.allocation.markets import graphs


@pytest.mark.parametrize("n_eager", [1, 4, 12])
def test_those_who_like_everybody_are_found_and_nobody_else(n_eager: int) -> None:
    rng = np.random.default_rng(n_eager)
    decisions = rng.integers(5, 40, 100)
    likes = rng.binomial(decisions, rng.uniform(0.2, 0.8, 100))
    decisions, likes = np.r_[np.full(n_eager, 399), decisions], np.r_[np.full(n_eager, 395), likes]
    found = likes_nearly_everybody(likes, decisions, np.full(len(likes), 5))
    assert found[:n_eager].all()
    assert not found[n_eager:].any()


def test_a_hundred_likes_in_a_day_say_little() -> None:
    found = likes_nearly_everybody(np.array([100, 5]), np.array([300, 20]), np.array([100, 5]))
    assert found.tolist() == [True, False]


def test_a_demoted_person_stands_in_their_share_of_the_lists_whatever_the_order() -> None:
    share = np.ones(200, np.float32)
    share[7] = 0.25
    limits = AttentionLimits.of(share, np.zeros(200, bool), KeyedGenerator(3))
    viewer, candidate = (a.ravel() for a in np.indices((200, 200)))
    kept = limits.keeps(viewer, candidate)
    assert kept[candidate != 7].all()
    assert 0.1 < kept[candidate == 7].mean() < 0.4
    order = np.random.default_rng(0).permutation(len(viewer))
    assert (limits.keeps(viewer[order], candidate[order]) == kept[order]).all()


def test_likes_of_the_indiscriminate_count_as_those_of_the_reserved() -> None:
    flagged = np.array([True, False, False, False, False])
    limits = AttentionLimits.of(np.ones(5, np.float32), flagged, KeyedGenerator(0))
    candidate, back = np.arange(5, dtype=np.int32), np.array([0.9, 0.1, 0.2, 0.3, 0.4], np.float32)
    found = limits.with_candidates([(candidate, back)])
    assert found.eagerness[0] * 0.9 == pytest.approx(np.quantile(back[1:], 0.1))
    assert (found.eagerness[1:] == 1).all()


@settings(max_examples=25, deadline=None)
@given(graph=graphs(), seed=st.integers(0, 99))
def test_a_discount_in_place_is_that_of_a_copy_and_is_taken_back(graph: CandidateGraph, seed: int) -> None:
    flagged = np.random.default_rng(seed).random(graph.n_people) < 0.4
    limits = AttentionLimits.of(np.ones(graph.n_people, np.float32), flagged, KeyedGenerator(0))
    limits = limits.with_candidates([(graph.candidate, graph.q)])

    def chances(of: CandidateGraph) -> list[bytes]:
        return [of.p.tobytes(), of.q.tobytes()]

    plain = chances(graph)
    viewer, candidate = limits.eagerness[graph.viewer], limits.eagerness[graph.candidate]
    wanted = [(graph.p * viewer).tobytes(), (graph.q * candidate).tobytes()]
    assert chances(limits.discounted(graph)) == wanted
    with suppress(ZeroDivisionError), limits.discounting(graph):
        assert chances(graph) == wanted
        _ = 1 // 0  # what goes wrong meanwhile leaves nothing behind
    assert chances(graph) == plain
