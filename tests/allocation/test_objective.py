"""The model against its definition: places, matches, gradient."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.allocation.config import AllocationConfig, MemberActivity
from recsys.allocation.graph import CandidateGraph
from recsys.allocation.objective import MeanFieldModel, welfare, welfare_weights
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


def _gain(graph: CandidateGraph, config: AllocationConfig) -> np.ndarray:
    """Return the gain of every edge where all of two are shown for certain."""
    model, shown = MeanFieldModel(graph, config), np.ones(2, np.float32)
    return model.gain(shown, model.utilities(shown))
