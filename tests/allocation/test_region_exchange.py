"""What a region knows of likes that cross its border is what the undivided model knows of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.allocation.config import AllocationConfig, MemberActivity
from recsys.allocation.crowd import Crowd
from recsys.allocation.graph import CandidateGraph
from recsys.allocation.objective import MeanFieldModel, marginal_welfare
from recsys.allocation.region_exchange import Outside, RegionAllocation, RegionState

VIEWER = 0
FULL, EMPTY = 1, 2
"""Somebody whom others like too, and somebody whom nobody else likes, beyond the border."""
RIVALS = (3, 4, 5)
OWN_MATCHES = (6, 7, 8)
"""Whom the rivals are shown besides, each with another chance, so that matches weigh differently for them."""
N_PEOPLE = 9


def edges(rivals_q: list[float], rivals_p: list[float], luck: list[float]) -> CandidateGraph:
    every = [(VIEWER, FULL, 0.5, 0.95), (VIEWER, EMPTY, 0.5, 0.6)]
    for rival, other, p, q, chance in zip(RIVALS, OWN_MATCHES, rivals_p, rivals_q, luck, strict=True):
        every += [(rival, FULL, p, q), (rival, other, chance, 0.9)]
    viewer, candidate, p, q = (np.array(column) for column in zip(*sorted(every), strict=True))
    return CandidateGraph.of(
        viewer, candidate, p=p.astype(np.float32), q=q.astype(np.float32), n_people=N_PEOPLE
    )


@settings(deadline=None, max_examples=40)
@given(
    p=st.lists(st.floats(0.1, 0.9), min_size=3, max_size=3),
    luck=st.lists(st.floats(0.01, 0.95), min_size=3, max_size=3),
    shown=st.lists(st.floats(0.1, 1.0), min_size=8, max_size=8),
    fairness=st.sampled_from([0.0, 0.5, 1.0]),
)
def test_a_like_across_the_border_costs_the_others_there_what_it_costs_undivided(
    p: list[float], luck: list[float], shown: list[float], fairness: float
) -> None:
    graph = edges([0.2, 0.5, 0.8], p, luck)
    config = AllocationConfig(fairness=fairness, inbox=0.7, budget=None, minimum_exposure=False, workers=1)
    whole, always = MeanFieldModel(graph, config), MemberActivity.always(N_PEOPLE)
    exposure = np.array(shown, np.float32)
    utility = whole.utilities(exposure)
    gain = whole.gain(exposure, utility).copy()
    mine = graph.viewer == VIEWER
    to_full = (graph.viewer != VIEWER) & (graph.candidate == FULL)
    marginal = marginal_welfare(utility, fairness, config.epsilon)[graph.viewer]
    crowd = Crowd.of(
        graph.candidate[to_full],
        graph.q[to_full],
        graph.p[to_full].astype(np.float64) * exposure[to_full],
        marginal[to_full],
    )
    region = RegionAllocation(
        graph.filtered(mine),
        np.arange(N_PEOPLE) == VIEWER,
        Outside(np.zeros(0, np.float32), crowd, utility, np.zeros(N_PEOPLE)),
        config,
        always,
        state=RegionState(exposure[mine]),
    )
    found = region.gains()[region.moves]  # weighed by another mean over people, so the two are compared
    assert found[0] / found[1] == pytest.approx(gain[mine][0] / gain[mine][1], rel=1e-4)
