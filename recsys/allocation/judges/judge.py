"""The Monte-Carlo judge: lists are read, likes are drawn, inboxes are read, matches are counted.

With lists on one side it is the market of Y. Su, M. Bayoumi and T. Joachims (WWW 2022,
arXiv:2106.01941); with `inbox="none"` that of two-sided lists (Y. Tomita and T. Yokoyama,
RecSys 2024, arXiv:2409.00720). Looks and likes are drawn; what remains of the chance is
added up exactly, which leaves the mean as it is and takes most of the noise out.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.allocation.deploy import Ranked
from recsys.allocation.examination import Decay, Examination
from recsys.allocation.graph import CandidateGraph
from recsys.allocation.judges.rounds import draw, play
from recsys.allocation.presence import Presence
from recsys.evaluation.gini import gini

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Judged:
    """What lists bring.

    rounds:     `(n_rounds,)` matches of each round, every pair once.
    utility:    `(n_people,)` mean matches of each person.
    reached:    `(n_people,)` chance of at least one match.
    load:       `(n_people,)` likes each person is expected to receive.
    exposure:   `(n_people,)` looks each person is expected to receive.
    """

    rounds: Doubles
    utility: Doubles
    reached: Doubles
    load: Doubles
    exposure: Doubles

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


def judge(
    graph: CandidateGraph,
    ranked: Ranked,
    *,
    look: Decay = 1.0,
    inbox: Decay = 1.0,
    presence: Presence | None = None,
    rng: np.random.Generator,
    rounds: int = 100,
) -> Judged:
    """Play `rounds` rounds of the lists and return what came of them.

    graph: the true chances; it may differ from what the lists were made from, with the same edges.
    A person decides about another once a round: a like given in a list answers one in the inbox.
    """
    chance = Examination.of(look, where="look").at(ranked.place).astype(np.float32)
    reading = Examination.of(inbox, where="inbox")
    key = np.uint64(rng.integers(0, 2**63))
    there = presence or Presence.always(graph.n_people)
    owner = np.repeat(np.arange(graph.n_people, dtype=np.int32), np.diff(ranked.indptr))
    listed, position = _listed(graph, ranked)
    arriving, p = listed.inbox, graph.p[ranked.edge]
    viewer = listed.viewer[arriving.edge]
    said = np.zeros(listed.n_edges, np.int8)
    matches, missed = np.empty(graph.n_people), np.empty(graph.n_people)
    utility, none, total = np.zeros(graph.n_people), np.zeros(graph.n_people), np.empty(rounds)
    for turn in range(rounds):
        draw(key, turn, ranked.edge, owner, there.opens, chance, p, position, said)
        play(arriving, viewer, there.reads, reading.kind, reading.decay, said, matches, missed)
        total[turn] = 0.5 * matches.sum()
        utility += matches
        none += missed
    receiver = graph.candidate[ranked.edge]
    chance = chance * there.opens[owner]
    likes = chance.astype(np.float64) * graph.p[ranked.edge]
    return Judged(
        rounds=total,
        utility=utility / rounds,
        reached=1.0 - none / rounds,
        load=_sums(receiver, likes, graph.n_people),
        exposure=_sums(receiver, chance, graph.n_people),
    )


def _listed(graph: CandidateGraph, ranked: Ranked) -> tuple[CandidateGraph, npt.NDArray[np.int32]]:
    """Return the listed edges as a graph, and where each entry of the lists stands in it.

    Nobody looks along any other edge, so nothing else can come of a round.
    """
    order = np.argsort(ranked.edge, kind="stable")
    edge = ranked.edge[order]
    position = np.empty(len(order), np.int32)
    position[order] = np.arange(len(order), dtype=np.int32)
    return CandidateGraph(ranked.indptr, graph.candidate[edge], graph.p[edge], graph.q[edge]), position


def _sums(receiver: npt.NDArray[np.int32], amounts: npt.ArrayLike, n_people: int) -> Doubles:
    return np.bincount(receiver, weights=amounts, minlength=n_people).astype(np.float64)
