"""The ascent: what pruning leaves out is of no use to anybody, and threads change nothing."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.allocation import frank_wolfe as module
from recsys.allocation.allocate import allocate_graph
from recsys.allocation.baseline_rankings import naive, product
from recsys.allocation.comparison import compare_lists
from recsys.allocation.config import AllocationConfig
from recsys.allocation.frank_wolfe import edges_near_lists, frank_wolfe, share_left_out
from recsys.allocation.objective import MeanFieldModel
from recsys.allocation.rounding import rank_edges
from tests.allocation.markets import anybody, both_sided, graphs, one_sided

Unpruned = Callable[[], None]


@pytest.fixture
def unpruned(monkeypatch: pytest.MonkeyPatch) -> Unpruned:
    return lambda: monkeypatch.setattr(module, "PRUNED_AFTER", 10**6)


@pytest.mark.parametrize("budget", [None, 3.0])
def test_pruned_ascent_reaches_the_objective_of_the_whole_graph(
    unpruned: Unpruned, budget: float | None
) -> None:
    graph = both_sided(150, np.random.default_rng(2), crowd=0.6)
    config = AllocationConfig(k=4, fairness=0.5, steps=40, tolerance=0.0, minimum_exposure=False)
    config = config.changed(budget=budget)
    model = MeanFieldModel(graph, config)
    caps = None if budget is None else np.full(graph.n_people, budget)
    pruned, n_whole = frank_wolfe(model, caps), module.PRUNED_AFTER
    assert 0.02 < (pruned.exposure > 0.0).mean() < 0.3  # most are out
    assert model.objective(model.utilities(pruned.exposure)) == pytest.approx(pruned.trace.max(), rel=1e-6)
    unpruned()
    whole = frank_wolfe(model, caps)
    assert (pruned.trace[:n_whole] == whole.trace[:n_whole]).all()
    assert (pruned.trace[n_whole + 1 :] != whole.trace[n_whole + 1 :]).any()
    assert pruned.trace[-1] > 0.995 * whole.trace[-1]


def test_where_everybody_agrees_the_steps_are_taken_over_all_edges(unpruned: Unpruned) -> None:
    graph = one_sided(120, 120, np.random.default_rng(1), crowd=1.0)
    model = MeanFieldModel(graph, AllocationConfig(k=4, steps=30, tolerance=0.0))
    found = frank_wolfe(model)
    unpruned()
    whole = frank_wolfe(model)
    assert (found.exposure == whole.exposure).all()
    assert (found.trace == whole.trace).all()


def test_what_was_left_out_is_what_the_best_orderings_lose() -> None:
    rng = np.random.default_rng(7)
    graph = anybody(30, 0.8, rng)
    model = MeanFieldModel(graph, AllocationConfig(k=3, look=0.5))
    gain, price = rng.random(graph.n_edges).astype(np.float32), 0.3 * rng.random(graph.n_people)
    near = rng.random(graph.n_edges) < 0.4
    net = gain - graph.p.astype(np.float64) * price[graph.candidate]

    def worth(kept: np.ndarray) -> float:
        total = 0.0
        for i in range(graph.n_people):
            own = slice(graph.indptr[i], graph.indptr[i + 1])
            best = np.sort(np.where(kept[own], net[own], 0.0).clip(0.0))[::-1][:3]
            total += float(best @ model.position_weights[: len(best)])
        return total

    everything = worth(np.ones(graph.n_edges, bool))
    expected = (everything - worth(near)) / everything
    assert share_left_out(model, gain, price, near) == pytest.approx(expected, rel=1e-6)


def test_edges_near_lists_are_the_exposed_and_the_best_by_gain_less_price() -> None:
    rng = np.random.default_rng(5)
    graph = anybody(40, 0.9, rng)
    model = MeanFieldModel(graph, AllocationConfig(k=3))
    exposure = np.where(rng.random(graph.n_edges) < 0.05, 0.3, 0.0).astype(np.float32)
    gain, price = rng.normal(size=graph.n_edges).astype(np.float32), rng.random(graph.n_people)
    near = edges_near_lists(model, gain, price, exposure)
    assert near is not None
    net = gain - graph.p.astype(np.float64) * price[graph.candidate]
    for i in range(graph.n_people):
        own = np.arange(graph.indptr[i], graph.indptr[i + 1])
        best = [e for e in own[np.argsort(-net[own], kind="stable")][: int(module.NEAR * 3)] if net[e] > 0.0]
        assert set(own[near[own]]) == set(best) | set(own[exposure[own] > 0.0])


def test_few_candidates_are_not_pruned() -> None:
    graph = anybody(12, 0.9, np.random.default_rng(1))
    model = MeanFieldModel(graph, AllocationConfig(k=20))
    gain = np.ones(graph.n_edges, np.float32)
    assert edges_near_lists(model, gain, np.zeros(12), np.zeros(graph.n_edges, np.float32)) is None


def test_lists_do_not_depend_on_threads() -> None:
    graph = both_sided(120, np.random.default_rng(3), crowd=0.6)
    config = AllocationConfig(k=3, fairness=0.5, steps=12, minimum_exposure=False)
    one, three = (allocate_graph(graph, config.changed(workers=n)) for n in (1, 3))
    assert (one.ranked.edge == three.ranked.edge).all()
    assert (one.trace == three.trace).all()


def test_judges_do_not_depend_on_threads() -> None:
    graph = both_sided(60, np.random.default_rng(3))
    lists = {"naive": naive(graph, 4), "product": product(graph, 4)}

    def judged(workers: int) -> list[object]:
        rng = np.random.default_rng(1)
        return list(
            compare_lists(graph, lists, reference="product", rng=rng, error=1.0, draws=3, workers=workers)
        )

    assert judged(1) == judged(3)


@settings(max_examples=25, deadline=None)
@given(graph=graphs(), k=st.integers(1, 4))
def test_ties_by_the_same_values_are_no_ties(graph, k) -> None:
    both, every = graph.p * graph.q, np.ones(graph.n_edges, bool)
    once = rank_edges(graph, both, both, every, k=k)
    again = rank_edges(graph, both, both.copy(), every, k=k)
    assert (once.edge == again.edge).all()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 999), n=st.integers(2, 70), k=st.sampled_from([None, 1, 2, 20, 47, 48, 60]))
def test_lists_are_sorted_by_both_values_then_by_candidate(seed: int, n: int, k: int | None) -> None:
    rng = np.random.default_rng(seed)
    graph = anybody(n, 0.9, rng)
    first, then = (rng.integers(0, 3, graph.n_edges).astype(np.float32) for _ in range(2))  # many ties
    wanted = rng.random(graph.n_edges) < 0.8
    found = rank_edges(graph, first, then, wanted, k=k, workers=2)
    for viewer in range(n):
        edges = [e for e in range(graph.indptr[viewer], graph.indptr[viewer + 1]) if wanted[e]]
        expected = sorted(edges, key=lambda e: (-first[e], -then[e], e))[:k]
        assert found.edge[found.indptr[viewer] : found.indptr[viewer + 1]].tolist() == expected
