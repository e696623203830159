"""The judges against what can be worked out exactly, and against each other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.allocation import AllocationConfig, CandidateGraph, allocate_graph
from recsys.allocation.baseline_rankings import by_score, harmonic, minimum, naive, product
from recsys.allocation.comparison import compare_lists, perturbed_graph
from recsys.allocation.envy import envious_pairs
from recsys.allocation.rounding import RankedEdges, listed_edges
from recsys.allocation.simulator import simulate
from tests.allocation import oracles
from tests.allocation.markets import anybody, both_sided, graphs, one_sided
from tests.benchmarks.allocation_baselines import fair_exposure, greedy_budget, transferable_utility

RNG = np.random.default_rng


def test_one_receiver_reads_in_the_order_of_q() -> None:
    graph = CandidateGraph.of([0, 1], [2, 2], p=[0.5, 0.5], q=[0.8, 0.4], n_people=3)
    outcome = simulate(graph, product(graph, 1), rng=RNG(1), rounds=20_000)
    first, second = 0.5 * 0.8, 0.5 * 0.4 * (0.5 + 0.5 / 2)
    assert outcome.utility == pytest.approx([first, second, first + second], abs=0.01)
    assert outcome.reached[2] == pytest.approx(1 - _missed(), abs=0.01)
    assert outcome.load.tolist() == [0.0, 0.0, 1.0]
    assert outcome.matches == pytest.approx(first + second, abs=0.01)


def _missed() -> float:
    both = (1 - 0.8) * (1 - 0.4 / 2)
    return 0.25 * both + 0.25 * (1 - 0.8) + 0.25 * (1 - 0.4) + 0.25


def test_without_inboxes_the_mean_is_known() -> None:
    graph = both_sided(8, RNG(2))
    lists = product(graph, 4)
    outcome = simulate(graph, lists, inbox="none", rng=RNG(3), rounds=4000)
    exposure = lists.exposure((1.0 / np.arange(1, 5)).astype(np.float32), graph.n_edges)
    from recsys.data.examination import Examination

    exact = oracles.utilities(graph, exposure, Examination.of("none"))
    assert outcome.utility == pytest.approx(exact, abs=0.03)


def test_two_looks_at_each_other_match_at_once_and_count_once() -> None:
    graph = CandidateGraph.of([0, 1], [1, 0], p=[0.6, 0.5], q=[0.5, 0.6], n_people=2)
    outcome = simulate(graph, product(graph, 1), rng=RNG(1), rounds=20_000)
    assert outcome.matches == pytest.approx(0.3, abs=0.01)
    assert outcome.reached == pytest.approx([0.3, 0.3], abs=0.01)


def test_the_mean_field_understates_a_little() -> None:
    graph = one_sided(30, 20, RNG(4))
    allocation = allocate_graph(graph, AllocationConfig(k=20))
    played = simulate(graph, allocation.ranked, rng=RNG(5), rounds=500).matches
    assert 1.0 < played / allocation.matches < 1.2


def test_the_simulator_is_deterministic_given_the_seed() -> None:
    graph = anybody(20, 0.5, RNG(6))
    one, other = (simulate(graph, product(graph, 3), rng=RNG(7), rounds=5).rounds for _ in range(2))
    assert one.tobytes() == other.tobytes()


def test_budget_violations_are_counted() -> None:
    graph = CandidateGraph.of([0, 1], [2, 2], p=[1.0, 0.5], q=[0.5, 0.5], n_people=3)
    outcome = simulate(graph, product(graph, 1), rng=RNG(1), rounds=1)
    assert outcome.budget_violations(1.4) == 1
    assert outcome.budget_violations(1.5) == 0


@pytest.mark.parametrize("inbox", ["none", 1.0])
def test_envy_is_being_better_off_in_anothers_place(inbox) -> None:
    n = 6
    graph = both_sided(n, RNG(8), crowd=0.7)
    lists = naive(graph, n)
    found = envious_pairs(graph, lists, inbox=inbox)
    position_weights = (1.0 / np.arange(1, n + 1)).astype(np.float32)
    exposure = lists.exposure(position_weights, graph.n_edges).astype(np.float64)
    from recsys.data.examination import Examination

    how = Examination.of(inbox)
    own = oracles.utilities(graph, exposure, how)
    at = {(int(i), int(j)): e for e, (i, j) in enumerate(zip(graph.viewer, graph.candidate, strict=True))}
    count = 0
    for a in range(2 * n):
        for b in range(2 * n):
            if a != b and (a < n) == (b < n):
                moved = exposure.copy()
                for viewer in range(2 * n):
                    if (viewer, a) in at:
                        moved[at[viewer, a]] = exposure[at[viewer, b]]
                # only a is moved: what a's likes meet in other inboxes stays as it was
                count += oracles.utilities(graph, moved, how)[a] > own[a] + 1e-6
    assert found == count


def test_nobody_is_envious_under_equal_exposure() -> None:
    graph = CandidateGraph.of(
        [0, 0, 1, 1, 2, 2, 3, 3], [2, 3, 2, 3, 0, 1, 0, 1], p=[0.5] * 8, q=[0.5] * 8, n_people=4
    )
    everywhere = RankedEdges(np.array([0, 2, 4, 6, 8]), np.array([0, 1, 3, 2, 4, 5, 7, 6], np.int32))
    assert envious_pairs(graph, everywhere, inbox="none") == 0


def test_baselines_make_valid_lists() -> None:
    graph = one_sided(12, 8, RNG(9))
    for peer in (naive, product, harmonic, minimum, greedy_budget, fair_exposure, transferable_utility):
        lists = peer(graph, 5)
        assert np.diff(lists.indptr).max() <= 5
        assert len(set(lists.edge.tolist())) == len(lists.edge)
        owner = np.repeat(np.arange(graph.n_people), np.diff(lists.indptr))
        assert (graph.viewer[lists.edge] == owner).all()


def test_transferable_utility_is_the_same_on_many_edges_and_on_all() -> None:
    graph = one_sided(9, 6, RNG(10))
    p, q = graph.p.reshape(9, 6).astype(float), graph.q.reshape(9, 6).astype(float)
    mu = oracles.dense_matching(p, q)
    assert by_score(graph, mu.ravel(), 6).edge.tolist() == transferable_utility(graph, 6).edge.tolist()
    assert (mu.sum(axis=1) < 1.0).all()  # who is left over stays alone
    assert (mu.sum(axis=0) < 1.5 + 1e-6).all()


def test_greedy_lists_respect_the_budget() -> None:
    graph = one_sided(30, 10, RNG(11), crowd=0.9)
    outcome = simulate(graph, greedy_budget(graph, 5, budget=1.2), rng=RNG(12), rounds=1)
    assert outcome.budget_violations(1.2) == 0
    assert outcome.load.max() > 0.6


def test_fair_exposure_evens_looks_out() -> None:
    graph = one_sided(40, 20, RNG(13), crowd=0.9)
    by_product, fair = (
        simulate(graph, lists, rng=RNG(14), rounds=1).exposure_gini(np.arange(60) >= 40)
        for lists in (product(graph, 5), fair_exposure(graph, 5))
    )
    assert fair < 0.85 * by_product  # merit itself is uneven


def test_perturbed_truths_average_to_the_given_probabilities() -> None:
    graph = anybody(60, 0.6, RNG(15))
    drawn = [perturbed_graph(graph, 1.0, RNG(seed)) for seed in range(60)]
    mean = np.mean([truth.p for truth in drawn], axis=0)
    assert mean == pytest.approx(graph.p, abs=0.12)
    assert float((mean - graph.p).mean()) == pytest.approx(0.0, abs=0.01)
    back = graph.inbox.reverse >= 0
    edge, reverse = graph.inbox.edge[back], graph.inbox.reverse[back]
    assert (drawn[0].q[edge] == drawn[0].p[reverse]).all()
    assert perturbed_graph(graph, 0.0, RNG(0)) is graph


@settings(max_examples=25, deadline=None)
@given(graph=graphs(), k=st.integers(1, 4))
def test_truths_are_drawn_for_the_edges_of_lists_alone(graph: CandidateGraph, k: int) -> None:
    lists = {"naive": naive(graph, k), "product": product(graph, k)}
    kept, moved = listed_edges(graph, lists)

    def told(of: CandidateGraph, ranked: RankedEdges) -> list[bytes]:
        columns = of.viewer, of.candidate, of.p, of.q
        return [ranked.indptr.tobytes(), *(column[ranked.edge].tobytes() for column in columns)]

    for name, ranked in lists.items():
        assert told(graph, ranked) == told(kept, moved[name])
    n_listed = len(np.unique(np.concatenate([ranked.edge for ranked in lists.values()])))
    assert kept.n_edges == n_listed
    assert kept.n_people == graph.n_people


def test_comparisons_share_random_numbers() -> None:
    graph = one_sided(30, 20, RNG(16))
    lists = {"product": product(graph, 20), "again": product(graph, 20), "naive": naive(graph, 20)}
    rows = compare_lists(graph, lists, reference="product", rng=RNG(17), error=0.5, draws=3)
    by_name = {row.name: row for row in rows}
    assert by_name["again"].gain == by_name["again"].gain_hi == 0.0
    assert by_name["naive"].gain_hi < 0.0
    assert by_name["naive"].gain_lo < by_name["naive"].gain < by_name["naive"].gain_hi
