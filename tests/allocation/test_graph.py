"""Graphs in pieces and their ways back, against the plain way to make them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.allocation.baseline_rankings import naive, product
from recsys.allocation.graph import CandidateGraph
from recsys.allocation.minimum_exposure import arriving_edges
from recsys.allocation.reverse_edges import with_reverse_edges
from recsys.allocation.simulator import simulate
from recsys.errors import InputError
from tests.allocation.markets import anybody, graphs


def blocks_of(graph: CandidateGraph, cuts: list[int], rng: np.random.Generator):
    """The edges of a graph viewer by viewer, candidates in any order, cut anywhere."""
    order = np.lexsort((rng.random(graph.n_edges), graph.viewer))
    columns = (graph.viewer[order], graph.candidate[order], graph.p[order], graph.q[order])
    return list(zip(*(np.split(column, sorted(cuts)) for column in columns), strict=True))


@settings(max_examples=25, deadline=None)
@given(graph=graphs(), cuts=st.lists(st.integers(0, 40), max_size=4), workers=st.sampled_from([1, 3]))
def test_edges_in_blocks_make_the_same_graph(graph: CandidateGraph, cuts: list[int], workers: int) -> None:
    found = CandidateGraph.of_blocks(
        blocks_of(graph, cuts, np.random.default_rng(1)), graph.n_people, workers
    )
    for name in ("indptr", "candidate", "p", "q"):
        assert getattr(found, name).tobytes() == getattr(graph, name).tobytes()


@settings(max_examples=25, deadline=None)
@given(graph=graphs(), workers=st.sampled_from([1, 3]))
def test_reverse_edges_are_added_where_allowed(graph: CandidateGraph, workers: int) -> None:
    def may(viewer, candidate):
        return (viewer + candidate) % 3 != 0

    found = with_reverse_edges(graph, may, workers)
    chances = dict(
        zip(zip(graph.viewer, graph.candidate, strict=True), zip(graph.p, graph.q, strict=True), strict=True)
    )
    for (i, j), (p, q) in list(chances.items()):
        if (i + j) % 3 != 0:
            chances.setdefault((j, i), (q, p))
    plain = sorted(chances)
    assert list(zip(found.viewer, found.candidate, strict=True)) == plain
    assert list(zip(found.p, found.q, strict=True)) == [chances[pair] for pair in plain]


def test_broken_blocks_are_refused() -> None:
    def block(viewer: list[int], candidate: list[int]):
        chance = np.full(len(viewer), 0.5, np.float32)
        return np.array(viewer, np.int32), np.array(candidate, np.int32), chance, chance

    with pytest.raises(InputError, match="viewer by viewer"):
        CandidateGraph.of_blocks([block([1], [0]), block([0], [1])], 2)
    with pytest.raises(InputError, match="stands twice: got 'viewer 1, candidate 0'"):
        CandidateGraph.of_blocks([block([1, 1], [0, 2]), block([1], [0])], 3)
    with pytest.raises(InputError, match="not a row of 2 people"):
        CandidateGraph.of_blocks([block([0], [2])], 2)


def test_only_listed_edges_decide_a_round() -> None:
    graph = anybody(30, 0.6, np.random.default_rng(3))
    ranked = product(graph, 4)
    others = naive(graph, 30).edge
    changed = CandidateGraph(graph.indptr, graph.candidate, graph.p.copy(), graph.q.copy())
    unlisted = np.setdiff1d(others, ranked.edge)
    changed.p[unlisted] = changed.q[unlisted] = 0.99
    one, other = (
        simulate(some, ranked, rng=np.random.default_rng(4), rounds=20) for some in (graph, changed)
    )
    assert one.rounds.tobytes() == other.rounds.tobytes()
    assert one.utility.tobytes() == other.utility.tobytes()


@settings(max_examples=25, deadline=None)
@given(graph=graphs(), seed=st.integers(0, 99))
def test_the_edges_to_some_people_stand_as_in_their_inboxes(graph: CandidateGraph, seed: int) -> None:
    wanted = np.random.default_rng(seed).random(graph.n_people) < 0.5
    found = arriving_edges(graph, wanted)
    for j in range(graph.n_people):
        whole = graph.inbox.edge[graph.inbox.indptr[j] : graph.inbox.indptr[j + 1]]
        assert found.of(j).tolist() == (whole.tolist() if wanted[j] else [])
