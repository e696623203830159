"""Randomised lists: within the pool and the budgets, with the chances that are logged; off by default."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.allocation import AllocationConfig, CandidateGraph, allocate_graph
from recsys.allocation.minimum_exposure import ExposedLists
from recsys.allocation.randomised_lists import with_randomised_lists
from recsys.allocation.rounding import RankedEdges
from recsys.errors import InputError, SettingsError
from tests.allocation.markets import graphs, one_sided

QUICK = AllocationConfig(k=3, steps=8)


@settings(max_examples=20, deadline=None)
@given(graph=graphs(), seed=st.integers(0, 99), budget=st.sampled_from([None, 0.6]), some=st.booleans())
def test_lists_stay_in_the_pool_and_the_budgets_and_nobody_vanishes(
    graph: CandidateGraph, seed: int, budget: float | None, some: bool
) -> None:
    config = QUICK.changed(budget=budget, minimum_exposure=some)
    before = allocate_graph(graph, config, rng=np.random.default_rng(seed))
    after = allocate_graph(graph, config.changed(randomised_share=0.2), rng=np.random.default_rng(seed))
    caps = None if budget is None else np.full(graph.n_people, budget)
    now = ExposedLists(before.ranked, before.propensity, before.unplaced)
    weights = (1.0 / np.arange(1, 4)).astype(np.float32)
    drawn = with_randomised_lists(graph, now, 1.0, weights, np.random.default_rng(seed), caps)
    for ranked, chance in ((after.ranked, after.propensity), (drawn.ranked, drawn.propensity)):
        assert (ranked.indptr == before.ranked.indptr).all()
        assert len(set(ranked.edge.tolist())) == len(ranked.edge)
        viewer = np.repeat(np.arange(graph.n_people), np.diff(ranked.indptr))
        assert (graph.viewer[ranked.edge] == viewer).all()
        assert ((chance > 0.0) & (chance <= 1.0)).all()
        assert set(graph.candidate[ranked.edge]) >= set(before.candidate)
        if budget is not None:
            likes = graph.p[ranked.edge] * weights[ranked.place - 1]
            was = graph.p[before.ranked.edge] * weights[before.ranked.place - 1]
            least = np.bincount(before.candidate, was, graph.n_people)  # exploration may be above already
            load = np.bincount(graph.candidate[ranked.edge], likes, graph.n_people)
            assert (load <= np.maximum(least, budget) + 1e-5).all()


def test_propensities_are_the_chances_of_the_draw_and_places_are_by_lot() -> None:
    graph = one_sided(2, 7, np.random.default_rng(3))
    first = np.array([0, 1, 2, 7, 8, 9], np.int32)  # both viewers have the first three candidates
    now = ExposedLists(
        RankedEdges(np.r_[0, 3, np.full(8, 6)], first), np.ones(6, np.float32), np.zeros(0, np.int32)
    )
    weights = np.ones(3, np.float32)
    times, logged, top = np.zeros(7), np.zeros(7), np.zeros(7)
    for seed in range(3000):
        one = with_randomised_lists(graph, now, 1.0, weights, np.random.default_rng(seed))
        edge = one.ranked.edge[:3]
        times[edge] += 1
        top[edge[0]] += 1
        logged[edge] = one.propensity[:3]
    assert logged == pytest.approx(np.r_[np.full(3, 0.5 + 1.5 / 7), np.full(4, 1.5 / 7)])
    assert times / 3000 == pytest.approx(logged, abs=0.04)
    assert top / 3000 == pytest.approx(logged / 3, abs=0.04)


def test_who_stands_in_one_list_alone_stays_in_it() -> None:
    graph = one_sided(8, 30, np.random.default_rng(7))
    before = allocate_graph(graph, QUICK.changed(fairness=1.0, minimum_exposure=False))
    now = ExposedLists(before.ranked, before.propensity, before.unplaced)
    weights = np.ones(3, np.float32)
    for seed in range(10):
        drawn = with_randomised_lists(graph, now, 1.0, weights, np.random.default_rng(seed))
        assert set(graph.candidate[drawn.ranked.edge]) >= set(before.candidate)


def test_it_is_off_by_default_bounded_and_needs_a_generator() -> None:
    graph = one_sided(20, 20, np.random.default_rng(5))
    assert (allocate_graph(graph, QUICK).propensity == 1.0).all()
    found = allocate_graph(graph, QUICK.changed(randomised_share=0.2), rng=np.random.default_rng(1))
    by_lot = np.unique(found.viewer[found.propensity < 1.0])
    assert 1 <= len(by_lot) <= 10
    with pytest.raises(InputError, match="needs a generator"):
        allocate_graph(graph, QUICK.changed(randomised_share=0.1))
    with pytest.raises(SettingsError, match="randomised_share"):
        AllocationConfig(randomised_share=0.3)
