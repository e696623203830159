"""Small towns for the benchmark of experiments: neighbourhoods that reach each other a little.

A night is played as `recsys.allocation.simulator` plays a round, but with drawn answers: lists are opened
and read from the top, likes wait in inboxes that are read from the most welcome down, two people who look at
each other on one night decide at once. What an arm does to an inbox reaches everybody who stands in it.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.allocation import AllocationConfig, CandidateGraph, allocate_graph
from recsys.allocation.baseline_rankings import naive
from recsys.allocation.config import MemberActivity
from recsys.allocation.rounding import RankedEdges, rank_edges
from recsys.experiments.outcomes import Outcomes
from recsys.random import KeyedGenerator

OPENS, LOOK, INBOX, PLACES = 0.7, 0.5, 1.0, 5
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Market:
    """A town of `n` people in neighbourhoods, and the lists of two policies."""

    graph: CandidateGraph
    home: Rows

    @classmethod
    def drawn(
        cls,
        rng: np.random.Generator,
        *,
        homes: int = 24,
        size: int = 25,
        degree: int = 12,
        apart: float = 0.06,
    ) -> "Market":
        """Draw a town; `apart` is the share of candidates from other neighbourhoods."""
        n = homes * size
        home = np.repeat(np.arange(homes), size)
        viewer, candidate = [], []
        for i in range(n):
            far = rng.binomial(degree, apart)
            own = np.flatnonzero(home == home[i])
            chosen = np.r_[
                rng.choice(own[own != i], min(degree - far, size - 1), replace=False),
                rng.choice(np.flatnonzero(home != home[i]), far, replace=False),
            ]
            viewer.append(np.full(len(chosen), i))
            candidate.append(chosen)
        a, b = np.concatenate(viewer), np.concatenate(candidate)
        low, high = np.divmod(np.unique(np.minimum(a, b) * n + np.maximum(a, b)), n)
        a, b = np.r_[low, high], np.r_[high, low]
        liked = (rng.gamma(2.0, 1.0, n) - 2.0) / np.sqrt(2.0)
        lively, random = rng.normal(0.0, 0.3, homes), KeyedGenerator.from_rng(rng)

        def chance(i: Rows, j: Rows) -> npt.NDArray[np.float32]:
            logit = -1.2 + liked[j] + 0.8 * random.normal(1, i, j) + lively[home[i]]
            return (1.0 / (1.0 + np.exp(-logit))).astype(np.float32)

        return cls(CandidateGraph.of(a, b, p=chance(a, b), q=chance(b, a), n_people=n), home)

    @cached_property
    def ids(self) -> pd.Series:
        """Names in an order that says nothing about homes."""
        return pd.Series([f"u{one:05d}" for one in range(self.graph.n_people)], dtype="str")

    @cached_property
    def lists(self) -> tuple[RankedEdges, RankedEdges]:
        """Lists by what the viewer likes, and the allocator's."""
        n = self.graph.n_people
        there = MemberActivity.of(np.full(n, OPENS), np.full(n, OPENS), n_people=n)
        config = AllocationConfig(k=PLACES, look=LOOK, inbox=INBOX)
        return naive(self.graph, PLACES), allocate_graph(self.graph, config, activity=there).ranked

    def mixed(self, treated: npt.NDArray[np.bool_]) -> RankedEdges:
        """Return lists in which each treated edge `(n_edges,)` stands as the allocator would have it."""
        place = []
        for lists in self.lists:
            score = np.full(self.graph.n_edges, -np.inf)
            score[lists.edge] = -lists.place.astype(np.float64)
            place.append(score)
        score = np.where(treated, place[1], place[0])
        both = (self.graph.p * self.graph.q).astype(np.float32)
        first = np.where(np.isfinite(score), score, 0.0).astype(np.float32)
        return rank_edges(self.graph, first, both, np.isfinite(score), k=PLACES)

    def play(self, lists: RankedEdges, nights: int, rng: np.random.Generator) -> tuple[Rows, Rows, Rows]:
        """Return the matches of some nights: who began each, with whom, and the night."""
        graph, n = self.graph, self.graph.n_people
        viewer = np.repeat(np.arange(n), np.diff(lists.indptr))
        candidate = graph.candidate[lists.edge].astype(np.int64)
        p, q = (values[lists.edge].astype(np.float64) for values in (graph.p, graph.q))
        key, other = viewer * n + candidate, candidate * n + viewer
        order = np.argsort(key)
        at = np.searchsorted(key[order], other).clip(0, len(key) - 1)
        reverse = np.where(key[order][at] == other, order[at], -1)
        look = lists.place.astype(np.float64) ** -LOOK
        found = []
        for night in range(nights):
            looked = (rng.random(n) < OPENS)[viewer] & (rng.random(len(look)) < look)
            liked = np.flatnonzero(looked & (rng.random(len(look)) < p))
            inbox = liked[np.lexsort((-q[liked], candidate[liked]))]
            place = np.arange(len(inbox)) - np.searchsorted(candidate[inbox], candidate[inbox]) + 1
            back = reverse[inbox]
            at_once = (back >= 0) & looked[back]
            is_liked = np.zeros(len(look), bool)
            is_liked[liked] = True
            crossed = at_once & is_liked[back] & (viewer[inbox] < candidate[inbox])
            read = ~at_once & (rng.random(len(inbox)) < OPENS * place**-INBOX * q[inbox])
            first = np.where(crossed & (rng.random(len(inbox)) < 0.5), back, inbox)[crossed | read]
            found.append((viewer[first], candidate[first], np.full(len(first), night)))
        a, b, t = (np.concatenate(part) for part in zip(*found, strict=True))
        return a, b, t

    def value(self, lists: RankedEdges, rng: np.random.Generator, nights: int = 400) -> float:
        """Return the matches a person and night when everybody has these lists."""
        return 2.0 * len(self.play(lists, nights, rng)[0]) / nights / self.graph.n_people

    def outcomes(self, parts: list[tuple[RankedEdges, int, int]], rng: np.random.Generator) -> Outcomes:
        """Return the outcomes of stretches of nights: lists, first night, how many."""
        tables, nights = [], []
        for lists, first, count in parts:
            a, b, t = self.play(lists, count, rng)
            table = {"viewer_id": self.ids.iloc[a].to_numpy(), "candidate_id": self.ids.iloc[b].to_numpy()}
            tables.append(pd.DataFrame(table | {"night": t + first}))
            nights.append(np.arange(first, first + count))
        none = pd.DataFrame({"viewer_id": [], "candidate_id": [], "night": []})
        harms = pd.DataFrame({"user_id": [], "other_id": [], "night": [], "type": []})
        until = float(parts[-1][1] + parts[-1][2])
        matches = pd.concat(tables, ignore_index=True)
        return Outcomes(np.concatenate(nights), none, none, matches, harms, until)
