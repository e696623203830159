"""The model against its definition: places, matches, gradient."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.allocation.baseline_rankings import random_order
from recsys.allocation.config import AllocationConfig, MemberActivity
from recsys.allocation.graph import CandidateGraph
from recsys.allocation.objective import MeanFieldModel, welfare, welfare_weights
from recsys.allocation.rounding import RankedEdges, listed_edges
from recsys.data.examination import Decay, Examination
from tests.allocation import oracles
from tests.allocation.markets import anybody, graphs

READINGS: tuple[Decay, ...] = (1.0, 0.4, 0.0, "exponential", "logarithmic", "none")


def random_exposure(graph: CandidateGraph, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)  # most edges of a real graph are in no list
    exposure = rng.random(graph.n_edges).astype(np.float32)
    return np.where(rng.random(graph.n_edges) < (seed % 3) / 3.0, np.float32(0.0), exposure)


@settings(max_examples=25, deadline=None)
@given(graph=graphs(), seed=st.integers(0, 99), inbox=st.sampled_from(READINGS))
def test_expected_matches_equal_the_definition(graph: CandidateGraph, seed: int, inbox: Decay) -> None:
    exposure = random_exposure(graph, seed)
    found = MeanFieldModel(graph, AllocationConfig(inbox=inbox)).utilities(exposure)
    assert found == pytest.approx(oracles.utilities(graph, exposure, Examination.of(inbox)), abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(
    graph=graphs(),
    seed=st.integers(0, 99),
    inbox=st.sampled_from(READINGS),
    fairness=st.sampled_from([0.0, 0.5, 1.0]),
)
def test_gradient_equals_finite_differences(
    graph: CandidateGraph, seed: int, inbox: Decay, fairness: float
) -> None:
    exposure = random_exposure(graph, seed)
    activity = MemberActivity.of(np.random.default_rng(seed).random(graph.n_people), n_people=graph.n_people)
    model = MeanFieldModel(graph, AllocationConfig(inbox=inbox, fairness=fairness), activity)
    utility = model.utilities(exposure)
    how = Examination.of(inbox)
    assert utility == pytest.approx(oracles.utilities(graph, exposure, how, activity.reads), abs=1e-6)
    weight = welfare_weights(utility, fairness, model.config.epsilon)
    expected = oracles.slope(graph, exposure, how, weight, activity.reads)
    assert model.gain(exposure, utility) == pytest.approx(expected, abs=2e-5)


def test_a_like_takes_attention_from_worse_ones_alone() -> None:
    graph = CandidateGraph.of([0, 1], [2, 2], p=[1.0, 1.0], q=[0.9, 0.1], n_people=3)
    gain = _gain(graph, AllocationConfig())
    assert gain == pytest.approx([0.9 - 0.1 / 4, 0.1 / 2])  # second place is read half as often


def test_equal_likes_share_their_places() -> None:
    graph = CandidateGraph.of([0, 1], [2, 2], p=[1.0, 1.0], q=[0.5, 0.5], n_people=3)
    utility = MeanFieldModel(graph, AllocationConfig()).utilities(np.ones(2, np.float32))
    assert utility == pytest.approx([0.5 / 1.5, 0.5 / 1.5, 1.0 / 1.5])


def test_pushing_down_costs_what_the_curve_says() -> None:
    graph = CandidateGraph.of([0, 1], [2, 2], p=[1.0, 1.0], q=[0.9, 0.91], n_people=3)
    gain = _gain(graph, AllocationConfig(inbox="exponential"))
    assert gain[1] == pytest.approx(0.91 - 0.9 * np.exp(-1.0))


def test_a_pair_counts_once_from_both_lists() -> None:
    graph = CandidateGraph.of([0, 1], [1, 0], p=[0.6, 0.5], q=[0.5, 0.6], n_people=2)
    utility = MeanFieldModel(graph, AllocationConfig()).utilities(np.ones(2, np.float32))
    assert utility == pytest.approx([0.3, 0.3])


def test_welfare_is_the_integral_of_its_weights() -> None:
    utility = np.array([0.2, 1.5, 0.0])
    for fairness in (0.0, 0.3, 1.0):
        change = [
            (welfare(utility + step, fairness, 0.1) - welfare(utility - step, fairness, 0.1)) / 2e-6
            for step in 1e-6 * np.eye(3)
        ]
        expected = welfare_weights(utility, fairness, 0.1)
        assert np.array(change) / np.mean(change) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("fairness", [0.0, 1.0])
def test_the_model_is_invariant_to_the_number_of_threads(fairness: float) -> None:
    graph = anybody(60, 0.3, np.random.default_rng(1))
    exposure = random_exposure(graph, 2)
    found = []
    for workers in (1, 2, 3, 7):
        model = MeanFieldModel(graph, AllocationConfig(workers=workers, fairness=fairness))
        utility = model.utilities(exposure)
        found.append((utility.tobytes(), model.gain(exposure, utility).tobytes(), model.load.tobytes()))
    assert len(set(found)) == 1


@settings(max_examples=40, deadline=None)
@given(graph=graphs(), k=st.integers(1, 4), inbox=st.sampled_from(READINGS), seed=st.integers(0, 99))
def test_edges_in_no_list_change_no_bit_of_the_others(
    graph: CandidateGraph, k: int, inbox: Decay, seed: int
) -> None:
    config = AllocationConfig(k=k, inbox=inbox, fairness=0.5)
    by_lot = random_order(graph, k, np.random.default_rng(seed))
    listed, lists = listed_edges(graph, {"lot": by_lot})
    of_listed = _brought(MeanFieldModel(listed, config), lists["lot"])
    assert of_listed == _brought(MeanFieldModel(graph, config), by_lot)


@settings(max_examples=20, deadline=None)
@given(graph=graphs(), seed=st.integers(0, 99), inbox=st.sampled_from(READINGS))
def test_a_model_that_was_released_goes_on(graph: CandidateGraph, seed: int, inbox: Decay) -> None:
    model = MeanFieldModel(graph, AllocationConfig(inbox=inbox, fairness=0.5))
    found = []
    for exposure in (random_exposure(graph, seed), random_exposure(graph, seed + 1)) * 2:
        utility = model.utilities(exposure)
        found.append((utility.tobytes(), model.gain(exposure, utility).copy()))
        if len(found) == 2:
            before = model.gain(exposure, utility)
            model.release()
            assert "inbox" not in graph.__dict__
            model.gain(exposure, model.utilities(random_exposure(graph, seed + 2)))
            assert before.tobytes() == found[1][1].tobytes()  # what it had returned stays
    first, second = ([(utility, gain.tobytes()) for utility, gain in part] for part in (found[:2], found[2:]))
    assert first == second


def _brought(model: MeanFieldModel, lists: RankedEdges) -> list[bytes]:
    exposure = model.exposure_of(lists)
    utility = model.utilities(exposure)
    gain = model.gain(exposure, utility)
    return [utility.tobytes(), gain[lists.edge].tobytes(), model.load.tobytes()]


def _gain(graph: CandidateGraph, config: AllocationConfig) -> np.ndarray:
    """Return the gain of every edge where all of two are shown for certain."""
    model, shown = MeanFieldModel(graph, config), np.ones(2, np.float32)
    return model.gain(shown, model.utilities(shown))
