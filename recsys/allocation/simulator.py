"""A simulator of rounds of lists, looks, likes, inboxes and replies, apart from the allocator's model."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.allocation.config import MemberActivity
from recsys.allocation.graph import CandidateGraph, Inbox
from recsys.allocation.rounding import RankedEdges
from recsys.data.examination import Decay, Examination, examination_at
from recsys.evaluation.market import gini
from recsys.kernels import kernel
from recsys.random import edge_uniform
from recsys.types import Float32Array, Float64Array, Int32Array

_LOOK, _LIKE, _OPEN = 1, 2, 3
"""Steps of `edge_uniform`: each has random numbers of its own."""

NOT_EXAMINED = 0
EXAMINED = 1
LIKED = 2


@kernel
def draw_outcomes(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    key: np.uint64,
    turn: int,
    edges: Int32Array,
    viewer: Int32Array,
    opens: Float32Array,
    chance: Float32Array,
    p: Float32Array,
    position: Int32Array,
    outcome: npt.NDArray[np.int8],
):
    """Write what came of every entry: not examined, examined, or liked. A list is opened as a whole.

    Random numbers go by the edge of the graph; `outcome` is by position among the listed edges.
    """
    for at in range(len(edges)):
        e, i, here = edges[at], viewer[at], position[at]
        outcome[here] = NOT_EXAMINED
        if edge_uniform(key, turn, _OPEN, i) < opens[i] and edge_uniform(key, turn, _LOOK, e) < chance[at]:
            outcome[here] = LIKED if edge_uniform(key, turn, _LIKE, e) < p[at] else EXAMINED


@kernel
def _of_pair(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    kind: int, decay: float, comes: float, inbox: Inbox, t: int, place: int, outcome: npt.NDArray[np.int8]
):
    # The chance of a match through a like that arrived in place `place`; a look back decides at once,
    # and such a pair counts half from each of its two edges.
    back = inbox.reverse[t]
    if back >= 0 and outcome[back] != NOT_EXAMINED:
        return 0.5 if outcome[back] == LIKED else 0.0
    return inbox.q[t] * comes * examination_at(kind, decay, np.float64(place))


@kernel
def expected_of_round(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    inbox: Inbox,
    viewer: Int32Array,
    reads: Float32Array,
    kind: int,
    decay: float,
    outcome: npt.NDArray[np.int8],
    matches: Float64Array,
    missed: Float64Array,
):
    """Write everybody's expected matches given the draws, and the chance of none, `(n_people,)` each.

    Likes of one q are read in the order of viewers, which changes no sum: they are worth the same.
    """
    matches[:] = 0.0
    missed[:] = 1.0
    for j in range(len(inbox.indptr) - 1):
        place = 0
        for t in range(inbox.indptr[j], inbox.indptr[j + 1]):
            if outcome[inbox.edge[t]] != LIKED:
                continue
            place += 1
            chance = _of_pair(kind, decay, reads[j], inbox, t, place, outcome)
            i = viewer[t]
            matches[i] += chance
            matches[j] += chance
            sure = 1.0 if inbox.reverse[t] >= 0 and outcome[inbox.reverse[t]] == LIKED else chance
            missed[i] *= 1.0 - sure
            missed[j] *= 1.0 - sure


_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class SimulatedRounds:
    """What simulated rounds of lists came to.

    rounds:     `(n_rounds,)` matches of each round, every pair once.
    utility:    `(n_people,)` mean matches of each person.
    reached:    `(n_people,)` chance of at least one match.
    load:       `(n_people,)` likes each person is expected to receive.
    exposure:   `(n_people,)` looks each person is expected to receive.
    """

    rounds: Float64Array
    utility: Float64Array
    reached: Float64Array
    load: Float64Array
    exposure: Float64Array

    @property
    def matches(self) -> float:
        """Mean matches of a round."""
        return float(self.rounds.mean())

    def people_reached(self, among: npt.NDArray[np.bool_] | None = None) -> float:
        """Return the expected share of people (of those `among`) with at least one match."""
        return float(self.reached.mean() if among is None else self.reached[among].mean())

    def exposure_gini(self, among: npt.NDArray[np.bool_] | None = None) -> float:
        """Return how unequally looks are spread, over everybody or those `among`."""
        return gini(self.exposure if among is None else self.exposure[among])

    def budget_violations(self, budget: npt.ArrayLike) -> int:
        """Return how many people expect more likes than `budget`."""
        return int((self.load > np.asarray(budget, np.float64) * (1.0 + _ROUNDING)).sum())


def simulate(
    graph: CandidateGraph,
    ranked: RankedEdges,
    *,
    look: Decay = 1.0,
    inbox: Decay = 1.0,
    activity: MemberActivity | None = None,
    rng: np.random.Generator,
    rounds: int = 100,
) -> SimulatedRounds:
    """Play `rounds` rounds of the lists and return what came of them.

    graph: the true chances; it may differ from what the lists were made from, with the same edges.
    A person decides about another once a round: a like given in a list answers one in the inbox.
    """
    chance = Examination.of(look, where="look").at(ranked.place).astype(np.float32)
    reading = Examination.of(inbox, where="inbox")
    key = np.uint64(rng.integers(0, 2**63))
    there = activity or MemberActivity.always(graph.n_people)
    owner = np.repeat(np.arange(graph.n_people, dtype=np.int32), np.diff(ranked.indptr))
    listed, position = _listed(graph, ranked)
    arriving, p = listed.inbox, graph.p[ranked.edge]
    viewer = listed.viewer[arriving.edge]
    outcome = np.zeros(listed.n_edges, np.int8)
    matches, missed = np.empty(graph.n_people), np.empty(graph.n_people)
    utility, none, total = np.zeros(graph.n_people), np.zeros(graph.n_people), np.empty(rounds)
    for turn in range(rounds):
        draw_outcomes(key, turn, ranked.edge, owner, there.opens, chance, p, position, outcome)
        expected_of_round(
            arriving, viewer, there.reads, reading.kind, reading.decay, outcome, matches, missed
        )
        total[turn] = 0.5 * matches.sum()
        utility += matches
        none += missed
    receiver = graph.candidate[ranked.edge]
    chance = chance * there.opens[owner]
    likes = chance.astype(np.float64) * graph.p[ranked.edge]
    return SimulatedRounds(
        rounds=total,
        utility=utility / rounds,
        reached=1.0 - none / rounds,
        load=_sums(receiver, likes, graph.n_people),
        exposure=_sums(receiver, chance, graph.n_people),
    )


def _listed(graph: CandidateGraph, ranked: RankedEdges) -> tuple[CandidateGraph, npt.NDArray[np.int32]]:
    """Return the listed edges as a graph, and where each entry of the lists stands in it.

    Nobody looks along any other edge, so nothing else can come of a round.
    """
    order = np.argsort(ranked.edge, kind="stable")
    edge = ranked.edge[order]
    position = np.empty(len(order), np.int32)
    position[order] = np.arange(len(order), dtype=np.int32)
    return CandidateGraph(ranked.indptr, graph.candidate[edge], graph.p[edge], graph.q[edge]), position


def _sums(receiver: npt.NDArray[np.int32], amounts: npt.ArrayLike, n_people: int) -> Float64Array:
    return np.bincount(receiver, weights=amounts, minlength=n_people).astype(np.float64)
