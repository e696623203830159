"""Lists for everybody together: laws, budgets, the floor, and what the steps are worth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.allocation import AllocationConfig, CandidateGraph, MemberActivity, allocate_graph
from recsys.allocation.budgets import repair_budgets
from recsys.allocation.objective import MeanFieldModel, welfare
from recsys.allocation.rounding import rank_edges
from recsys.allocation.simulator import simulate
from recsys.errors import InputError, SettingsError
from tests.allocation.markets import anybody, both_sided, graphs, one_sided

QUICK = AllocationConfig(k=3, steps=12)


def lists_of(allocation) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for i, j in zip(allocation.viewer.tolist(), allocation.candidate.tolist(), strict=True):
        found.setdefault(i, []).append(j)
    return found


def bytes_of(allocation) -> tuple[bytes, ...]:
    parts = (allocation.ranked.edge, allocation.exposure, allocation.utility, allocation.price)
    return tuple(part.tobytes() for part in parts)


@settings(max_examples=25, deadline=None)
@given(graph=graphs(), fairness=st.sampled_from([0.0, 1.0]), budget=st.sampled_from([None, 0.3]))
def test_lists_hold_distinct_candidates_up_to_k(
    graph: CandidateGraph, fairness: float, budget: float | None
) -> None:
    allocation = allocate_graph(graph, QUICK.changed(fairness=fairness, budget=budget))
    pairs = list(zip(allocation.viewer, allocation.candidate, strict=True))
    assert len(set(pairs)) == len(pairs)
    assert set(pairs) <= set(zip(graph.viewer, graph.candidate, strict=True))
    assert np.diff(allocation.ranked.indptr).max() <= 3
    assert allocation.exposure == pytest.approx(1.0 / allocation.ranked.place)
    assert (allocation.propensity == 1.0).all()
    assert np.isfinite(allocation.price).all()
    assert (allocation.price >= 0).all()


@settings(max_examples=15, deadline=None)
@given(graph=graphs(), fairness=st.sampled_from([0.0, 0.5, 1.5]), budget=st.sampled_from([None, 0.4]))
def test_never_worse_than_the_order_by_p_q(
    graph: CandidateGraph, fairness: float, budget: float | None
) -> None:
    config = QUICK.changed(fairness=fairness, budget=budget)
    both = graph.p * graph.q
    hopeful = both > 0.0
    position_weights = (1.0 / np.arange(1, 4)).astype(np.float32)
    if budget is None:
        lists = rank_edges(graph, both, both, hopeful, k=3)
    else:
        wishes = rank_edges(graph, both, both, hopeful)
        lists = repair_budgets(graph, wishes, both, position_weights, np.full(graph.n_people, budget))
    by_product = MeanFieldModel(graph, config).utilities(lists.exposure(position_weights, graph.n_edges))
    ours = welfare(allocate_graph(graph, config).utility, fairness, config.epsilon)
    assert ours >= welfare(by_product, fairness, config.epsilon) - 1e-9


@pytest.mark.parametrize("budget", [None, 0.4])
def test_allocation_is_invariant_to_relabelling(budget: float | None) -> None:
    rng = np.random.default_rng(3)
    chance = rng.random((30, 30))
    i, j = np.nonzero(~np.eye(30, dtype=bool))
    names = rng.permutation(30)
    one = CandidateGraph.of(i, j, p=chance[i, j], q=chance[j, i], n_people=30)
    other = CandidateGraph.of(names[i], names[j], p=chance[i, j], q=chance[j, i], n_people=30)
    first = lists_of(allocate_graph(one, QUICK.changed(budget=budget)))
    second = lists_of(allocate_graph(other, QUICK.changed(budget=budget)))
    assert {names[i]: [names[j] for j in found] for i, found in first.items()} == second


def test_equal_inputs_give_equal_bytes_whatever_the_threads() -> None:
    graph = anybody(50, 0.4, np.random.default_rng(4))
    config = QUICK.changed(fairness=0.5, budget=0.5, minimum_exposure=True)
    runs = [
        allocate_graph(graph, config.changed(workers=workers), rng=np.random.default_rng(1))
        for workers in (1, 1, 2, 5)
    ]
    assert len({bytes_of(run) for run in runs}) == 1


def test_allocation_is_invariant_to_the_order_of_edges() -> None:
    graph = anybody(40, 0.3, np.random.default_rng(5))
    order = np.random.default_rng(6).permutation(graph.n_edges)
    shuffled = CandidateGraph.of(
        graph.viewer[order], graph.candidate[order], p=graph.p[order], q=graph.q[order], n_people=40
    )
    assert bytes_of(allocate_graph(graph, QUICK)) == bytes_of(allocate_graph(shuffled, QUICK))


def test_matches_rise_well_above_the_order_by_p_q() -> None:
    graph, rng = one_sided(60, 40, np.random.default_rng(7)), np.random.default_rng(8)
    config = AllocationConfig(k=40)
    start, ours = (allocate_graph(graph, config.changed(steps=steps)) for steps in (0, 60))
    before, after = (simulate(graph, found.ranked, rng=rng, rounds=300) for found in (start, ours))
    assert after.matches > 1.1 * before.matches
    assert after.people_reached() > before.people_reached()
    assert after.exposure_gini() < before.exposure_gini()


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 99),
    fairness=st.sampled_from([0.0, 0.5, 1.0]),
    budget=st.sampled_from([None, 1.0]),
    scale=st.sampled_from([2.0, 4.0]),
)
def test_steps_end_where_further_ones_gain_no_more_than_the_tolerance(
    seed: int, fairness: float, budget: float | None, scale: float
) -> None:
    graph = both_sided(25, np.random.default_rng(seed))
    config = AllocationConfig(k=8, fairness=fairness, budget=budget, step_scale=scale, steps=80)
    every, ended = (allocate_graph(graph, config.changed(tolerance=share)).trace for share in (0.0, 0.002))
    assert len(every) == 81
    assert len(ended) < 81 or scale == 2.0
    assert np.array_equal(ended, every[: len(ended)])
    if budget is None:  # prices of budgets rise and fall while lists move
        assert every.max() - ended.max() < 0.006 * every.max()


def test_fairness_reaches_more_people_and_costs_few_matches() -> None:
    graph, rng = both_sided(40, np.random.default_rng(9), crowd=0.8), np.random.default_rng(10)
    config = AllocationConfig(k=40, inbox="none")
    welfare, nash = (allocate_graph(graph, config.changed(fairness=fairness)) for fairness in (0.0, 1.0))
    one, other = (
        simulate(graph, found.ranked, inbox="none", rng=rng, rounds=300) for found in (welfare, nash)
    )
    assert other.matches > 0.9 * one.matches
    assert np.quantile(other.utility, 0.1) > np.quantile(one.utility, 0.1)


@settings(max_examples=25, deadline=None)
@given(graph=graphs(), budget=st.floats(0.05, 1.5), minimum_exposure=st.booleans())
def test_lists_respect_every_budget(graph: CandidateGraph, budget: float, minimum_exposure: bool) -> None:
    config = QUICK.changed(budget=budget, minimum_exposure=minimum_exposure)
    allocation = allocate_graph(graph, config, rng=np.random.default_rng(0))
    likes = np.zeros(graph.n_people)
    for edge, place in zip(allocation.ranked.edge, allocation.ranked.place, strict=True):
        likes[graph.candidate[edge]] += float(graph.p[edge]) / float(place)
    assert (likes <= budget).all()
    assert allocation.load == pytest.approx(likes, abs=1e-6)


def test_shadow_prices_bring_more_matches_than_budget_repair_alone() -> None:
    graph = one_sided(80, 40, np.random.default_rng(11), crowd=0.9)
    config, budget = AllocationConfig(k=10), 1.2
    priced = allocate_graph(graph, config, budget=np.full(120, budget))
    by_product = graph.p * graph.q
    wishes = rank_edges(graph, by_product, by_product, by_product > 0)
    position_weights = (1.0 / np.arange(1, 11)).astype(np.float32)
    trimmed = repair_budgets(graph, wishes, by_product, position_weights, np.full(120, budget))
    rng = np.random.default_rng(12)
    ours, theirs = (simulate(graph, found, rng=rng, rounds=400) for found in (priced.ranked, trimmed))
    assert ours.budget_violations(budget) == theirs.budget_violations(budget) == 0
    assert ours.matches > theirs.matches
    assert priced.price.max() > 0


def test_a_budget_turns_down_the_least_and_fills_up_from_behind() -> None:
    graph = CandidateGraph.of(
        [0, 0, 1, 1], [2, 3, 2, 3], p=[0.9, 0.8, 0.9, 0.1], q=[0.9, 0.5, 0.8, 0.1], n_people=4
    )
    allocation = allocate_graph(graph, AllocationConfig(k=1, steps=30), budget=[1, 1, 0.95, 1])
    assert sorted(lists_of(allocation).items()) in ([(0, [2]), (1, [3])], [(0, [3]), (1, [2])])


def test_minimum_exposure_shows_everybody_who_can_be_shown() -> None:
    rng = np.random.default_rng(13)
    graph = one_sided(60, 60, rng, crowd=0.97)
    config = AllocationConfig(k=4, steps=5)
    without = allocate_graph(graph, config)
    exposed = allocate_graph(graph, config.changed(minimum_exposure=True), rng=rng)
    assert len(set(without.candidate.tolist())) < 60
    assert set(exposed.candidate.tolist()) == set(range(60, 120))
    assert len(exposed.unplaced) == 0
    drawn = exposed.propensity < 1.0
    assert drawn.any()
    assert (exposed.propensity > 0).all()
    assert np.diff(exposed.ranked.indptr).max() <= 4
    ends = exposed.ranked.indptr[1:] - 1
    assert set(np.flatnonzero(drawn)) & set(ends.tolist())


def test_propensity_is_the_probability_of_the_draw() -> None:
    graph = CandidateGraph.of(
        [0, 0, 1, 1], [2, 3, 2, 3], p=[0.9, 0.3, 0.9, 0.1], q=[0.9, 0.5, 0.8, 0.5], n_people=4
    )
    config = AllocationConfig(k=1, steps=0, minimum_exposure=True)
    seen: dict[int, list[float]] = {0: [], 1: []}
    for seed in range(400):
        found = allocate_graph(graph, config, rng=np.random.default_rng(seed))
        at = int(np.flatnonzero(found.candidate == 3)[0])
        seen[int(found.viewer[at])].append(float(found.propensity[at]))
    for chances in seen.values():
        assert len(set(chances)) == 1
        assert len(chances) / 400 == pytest.approx(chances[0], abs=0.07)
    assert seen[0][0] + seen[1][0] == pytest.approx(1.0)


def test_lists_prefer_people_who_open_their_inbox() -> None:
    graph = one_sided(40, 20, np.random.default_rng(15))
    opens = np.where(np.arange(60) % 2 == 0, 1.0, 0.1)
    activity = MemberActivity.of(opens, opens, n_people=60)
    config = AllocationConfig(k=5)
    blind, aware = (allocate_graph(graph, config, activity=known) for known in (None, activity))
    before, after = (
        simulate(graph, found.ranked, activity=activity, rng=np.random.default_rng(1), rounds=400)
        for found in (blind, aware)
    )
    assert after.matches > 1.05 * before.matches
    assert aware.load[40:][opens[40:] == 1.0].mean() > aware.load[40:][opens[40:] < 1.0].mean()
    capped = allocate_graph(graph, config, activity=activity, budget=np.full(60, 0.4))
    assert capped.load.max() <= 0.4


def test_viewers_without_positive_edges_get_no_list() -> None:
    nobody = allocate_graph(CandidateGraph.of([], [], p=[], q=[], n_people=3))
    assert nobody.matches == 0
    assert len(nobody.ranked.edge) == 0
    hopeless = CandidateGraph.of([0, 1], [1, 0], p=[0.0, 0.5], q=[0.5, 0.0], n_people=2)
    assert len(allocate_graph(hopeless).ranked.edge) == 0


def test_a_list_ends_where_the_price_is_above_what_a_look_brings() -> None:
    graph = CandidateGraph.of([0, 0], [1, 2], p=[0.9, 0.9], q=[0.9, 0.9], n_people=3)
    exposure = np.zeros(2, np.float32)
    both = graph.p * graph.q
    assert rank_edges(graph, exposure, both, both > 0.9, k=2).edge.tolist() == []
    assert rank_edges(graph, exposure, both, both > 0.0, k=1).edge.tolist() == [0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CandidateGraph.of([0], [0], p=[1], q=[1], n_people=2), "their own candidate"),
        (lambda: CandidateGraph.of([0, 0], [1, 1], p=[1, 1], q=[1, 1], n_people=2), "stands twice"),
        (lambda: CandidateGraph.of([0], [2], p=[1], q=[1], n_people=2), "not a row of 2 people"),
        (lambda: CandidateGraph.of([0], [1], p=[np.nan], q=[1], n_people=2), "not a probability in p"),
        (lambda: CandidateGraph.of([0], [1], p=[1], q=[1.5], n_people=2), "not a probability in q"),
        (lambda: CandidateGraph.of([0], [1], p=[1, 1], q=[1], n_people=2), "one length"),
    ],
)
def test_a_broken_graph_is_refused(make, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"k": 0}, "greater than or equal to 1"),
        ({"fairness": 2.5}, "less than or equal to 2"),
        ({"epsilon": 0.0}, "greater than 0"),
        ({"budget": 0.0}, "greater than 0"),
        ({"look": "none"}, "allocates nothing"),
        ({"inbox": "sometimes"}, "not a way to read"),
        ({"inbox": -1.0}, "not a way to read"),
        ({"workers": 0}, "greater than or equal to 1"),
        ({"fairnes": 1.0}, "did you mean 'fairness'"),
    ],
)
def test_an_impossible_setting_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        AllocationConfig().changed(**changes)


def test_missing_generator_and_misshapen_budgets_are_refused() -> None:
    graph = CandidateGraph.of([0], [1], p=[0.5], q=[0.5], n_people=2)
    with pytest.raises(InputError, match="needs a generator"):
        allocate_graph(graph, AllocationConfig(minimum_exposure=True))
    with pytest.raises(InputError, match="one budget a person"):
        allocate_graph(graph, budget=[1.0])
    with pytest.raises(InputError, match="must be above 0"):
        allocate_graph(graph, budget=[1.0, 0.0])
