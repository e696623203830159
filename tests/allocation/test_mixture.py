"""Lists drawn from the mixture: their averages are the mixture, and the propensities are the true chances."""

import numpy as np
import pytest

from recsys.allocation import AllocationConfig, CandidateGraph, allocate_graph
from recsys.allocation.frank_wolfe import frank_wolfe
from recsys.allocation.objective import MeanFieldModel
from recsys.data.examination import Examination
from recsys.errors import InputError

CONFIG = AllocationConfig(k=4, steps=12, fairness=1.0, mixture=True)


def market(seed: int = 0, n: int = 12) -> CandidateGraph:
    rng = np.random.default_rng(seed)
    i, j = np.nonzero(~np.eye(n, dtype=bool))
    p = rng.uniform(0.05, 0.9, (n, n)).astype(np.float32)
    return CandidateGraph.of(i, j, p=p[i, j], q=p[j, i], n_people=n)


@pytest.mark.parametrize("inbox", [1.0, "none"])
def test_draws_average_to_the_mixture_and_propensities_are_their_chances(inbox: float | str) -> None:
    graph, config = market(), CONFIG.changed(inbox=inbox)
    weights = Examination.of(config.look).position_weights(config.k)
    draws = 700
    exposure, seen = np.zeros(graph.n_edges), np.zeros(graph.n_edges)
    said = np.full(graph.n_edges, np.nan)
    for seed in range(draws):
        found = allocate_graph(graph, config, rng=np.random.default_rng(seed))
        exposure += found.ranked.exposure(weights, graph.n_edges)
        seen[found.ranked.edge] += 1
        if inbox != "none":  # the orders by lot in its start belong to a draw
            known = said[found.ranked.edge]
            assert np.allclose(known[~np.isnan(known)], found.propensity[~np.isnan(known)], atol=1e-6)
        said[found.ranked.edge] = found.propensity
    share = seen / draws
    met = ~np.isnan(said)
    error = np.sqrt(share * (1.0 - share) / draws)
    if inbox != "none":
        mixture = _last_exposure(graph, config)
        assert np.abs(exposure / draws - mixture).max() < 5.0 / np.sqrt(draws)
        assert (np.abs(share - said)[met] <= 5.0 * error[met] + 2e-3).all()
    assert (share[~met] == 0.0).all()


def _last_exposure(graph: CandidateGraph, config: AllocationConfig) -> np.ndarray:
    from recsys.allocation.mixture import MixtureDraw

    draw = MixtureDraw.of(graph, config.k, np.random.default_rng(0))
    return frank_wolfe(MeanFieldModel(graph, config, None), None, draw).exposure


def test_a_draw_is_fixed_by_its_generator_and_threads_change_nothing() -> None:
    graph = market(1)
    one = allocate_graph(graph, CONFIG, rng=np.random.default_rng(3))
    again = allocate_graph(graph, CONFIG.changed(workers=2), rng=np.random.default_rng(3))
    other = allocate_graph(graph, CONFIG, rng=np.random.default_rng(4))
    assert np.array_equal(one.ranked.edge, again.ranked.edge)
    assert np.array_equal(one.propensity, again.propensity)
    assert not np.array_equal(one.ranked.edge, other.ranked.edge)
    assert ((one.propensity > 0) & (one.propensity <= 1)).all()
    assert np.bincount(one.viewer, minlength=graph.n_people).max() <= CONFIG.k


def test_a_mixture_needs_a_generator() -> None:
    with pytest.raises(InputError, match="generator"):
        allocate_graph(market(), CONFIG)


def test_budgets_hold_on_average_over_draws_and_propensities_say_who_was_left_out() -> None:
    """With twelve steps prices alone let the fullest expect 1.19 budgets."""
    graph, config = market(), CONFIG.changed(budget=0.6, fairness=0.0)
    draws, load, seen = 600, np.zeros(graph.n_people), np.zeros(graph.n_edges)
    said = np.full(graph.n_edges, np.nan)
    for seed in range(draws):
        found = allocate_graph(graph, config, rng=np.random.default_rng(seed))
        load += found.load / draws
        seen[found.ranked.edge] += 1 / draws
        said[found.ranked.edge] = found.propensity
    assert (load <= 0.6 * 1.03).all()
    met = ~np.isnan(said)
    error = np.sqrt(np.clip(seen * (1.0 - seen), 0.0, None) / draws)
    assert (np.abs(seen - said)[met] <= 5.0 * error[met] + 4e-3).all()
