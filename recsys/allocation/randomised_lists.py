"""Randomised lists: a small share of viewers gets a list drawn by chance, so that other lists can be judged.

An off-policy estimate needs pairs that were shown by chance, in places by chance. Places of minimum exposure
are ends of lists; here whole lists are drawn, out of the candidates the allocator had for the same viewer:
nobody stands in one who could not have stood in an allocated list, and nobody gets more likes than their
budget allows. The propensity that is logged is the chance that a pair is in the list given that this list was
drawn: `recsys.off_policy` reads the lists that were drawn and leaves out the others, whose entries have 1.
"""

from dataclasses import dataclass, field

import numpy as np

from recsys.allocation.graph import CandidateGraph
from recsys.allocation.minimum_exposure import ExposedLists, with_minimum_exposure
from recsys.allocation.objective import MeanFieldModel
from recsys.allocation.rounding import RankedEdges
from recsys.types import BoolArray, Float32Array, Float64Array, Int64Array


def with_randomised_lists(  # noqa: PLR0917
    graph: CandidateGraph,
    exposed: ExposedLists,
    share: float,
    position_weights: Float32Array,
    rng: np.random.Generator,
    budget: Float64Array | None = None,
    opens: Float32Array | None = None,
) -> ExposedLists:
    """Return the lists with those of about `share` of the viewers drawn by chance.

    Of the m people of such a list who may leave it and the n candidates who may be in it, each is in the
    new one with chance 1/2 (if in the old one) plus m / 2n: half of it or more stays. Places are by lot.
    Who stands in no other list stays in this one, exploration places stay where they are, and so does who
    could not take the first place within `budget`. Chances are those given the lists drawn before.
    """
    drawer = _ListDrawer.of(graph, exposed, position_weights, budget, opens)
    for viewer in np.flatnonzero(rng.random(graph.n_people) < share):
        drawer.draw(int(viewer), rng)
    return drawer.lists(exposed)


@dataclass(eq=False)
class _ListDrawer:
    """Lists under change. shown: in how many lists everybody is; load: likes everybody expects."""

    graph: CandidateGraph
    indptr: Int64Array
    edge: Int64Array
    chance: Float32Array
    weights: Float64Array
    room: Float64Array
    opens: Float64Array
    shown: Int64Array = field(init=False)
    load: Float64Array = field(init=False)

    @classmethod
    def of(
        cls,
        graph: CandidateGraph,
        exposed: ExposedLists,
        position_weights: Float32Array,
        budget: Float64Array | None,
        opens: Float32Array | None,
    ) -> "_ListDrawer":
        room = np.full(graph.n_people, np.inf) if budget is None else budget
        there = np.ones(graph.n_people) if opens is None else opens.astype(np.float64)
        ranked = exposed.ranked
        edges, weights = ranked.edge.astype(np.int64), position_weights.astype(np.float64)
        made = cls(graph, ranked.indptr, edges, exposed.propensity.copy(), weights, room, there)
        candidate = graph.candidate[edges]
        viewer = np.repeat(np.arange(graph.n_people), np.diff(ranked.indptr))
        likes = graph.p[edges] * weights[ranked.place - 1] * there[viewer]
        made.shown = np.bincount(candidate, minlength=graph.n_people)
        made.load = np.bincount(candidate, likes, graph.n_people).astype(np.float64)
        return made

    def draw(self, viewer: int, rng: np.random.Generator) -> None:
        """Draw the list of a viewer anew."""
        graph, part = self.graph, slice(self.indptr[viewer], self.indptr[viewer + 1])
        old, chance = self.edge[part], self.chance[part]
        likes = graph.p[old] * self.weights[: len(old)] * self.opens[viewer]
        moves = (chance == 1.0) & self._has_room(viewer, old, likes)
        leaves = moves & (self.shown[graph.candidate[old]] > 1)
        pool = np.arange(graph.indptr[viewer], graph.indptr[viewer + 1])
        hopeful = (graph.p[pool] > 0.0) & (graph.q[pool] > 0.0) & ~np.isin(pool, old)
        others = pool[hopeful & self._has_room(viewer, pool, np.zeros(len(pool)))]
        units, wanted = np.append(old[leaves], others), int(leaves.sum())
        inclusion = np.full(len(units), 0.5 * wanted / max(len(units), 1))
        inclusion[:wanted] += 0.5
        chosen = _systematic(inclusion, rng)
        kept = np.flatnonzero(moves & ~leaves)
        new = np.append(old[kept], units[chosen])
        of_new = np.append(chance[kept], inclusion[chosen].astype(np.float32))
        order = rng.permutation(len(new))
        places = np.flatnonzero(moves)
        self._replace(viewer, places, new[order], of_new[order])

    def _has_room(self, viewer: int, edges: Int64Array, now: Float64Array) -> BoolArray:
        """Say whose budget allows the first place of the list, given the likes expected from it now."""
        candidate = self.graph.candidate[edges]
        first = self.graph.p[edges] * self.weights[0] * self.opens[viewer]
        return np.asarray(self.load[candidate] - now + first <= self.room[candidate])

    def _replace(self, viewer: int, places: Int64Array, edges: Int64Array, chance: Float32Array) -> None:
        at = self.indptr[viewer] + places
        for sign, one in ((-1, self.edge[at]), (1, edges)):
            candidate = self.graph.candidate[one]
            np.add.at(self.shown, candidate, sign)
            likes = self.graph.p[one] * self.weights[places] * self.opens[viewer]
            np.add.at(self.load, candidate, sign * likes)
        self.edge[at], self.chance[at] = edges, chance

    def lists(self, exposed: ExposedLists) -> ExposedLists:
        """Return the lists and the propensity of every entry."""
        return ExposedLists(
            RankedEdges(self.indptr, self.edge.astype(np.int32)), self.chance, exposed.unplaced
        )


def _systematic(inclusion: Float64Array, rng: np.random.Generator) -> Int64Array:
    """Draw units with given chances that add up to a whole number, so many of them exactly.

    W. G. Madow, "On the theory of systematic sampling, II", Annals of Mathematical Statistics 20 (1949)
    333-354, over a random order of the units.
    """
    wanted = round(float(inclusion.sum()))
    order = rng.permutation(len(inclusion))
    ends = np.cumsum(inclusion[order])
    if wanted:
        ends *= wanted / ends[-1]
    marks = rng.random() + np.arange(wanted)
    found = order[np.searchsorted(ends, marks, side="right").clip(0, max(len(order) - 1, 0))]
    return np.sort(found)


def with_lots(  # noqa: PLR0917
    graph: CandidateGraph,
    exposed: ExposedLists,
    model: MeanFieldModel,
    rng: np.random.Generator,
    caps: Float64Array | None = None,
    asked: BoolArray | None = None,
) -> ExposedLists:
    """Return lists with what the settings of `model` say is drawn by lot.

    exposed: lists of edges of `graph`, over the people of `model`. caps: `(n_people,)` likes each may expect,
    or None. asked: `(n_people,)`, who may be given a place; everybody when None.
    """
    config, weights, opens = model.config, model.position_weights, model.activity.opens
    if config.minimum_exposure:
        found = with_minimum_exposure(graph, exposed.ranked, weights, rng, caps, opens, asked)
        chance = _of_draws(exposed.ranked, exposed.propensity, found)
        exposed = ExposedLists(found.ranked, chance, found.unplaced)
    if config.randomised_share:
        exposed = with_randomised_lists(graph, exposed, config.randomised_share, weights, rng, caps, opens)
    return exposed


def _of_draws(ranked: RankedEdges, propensity: Float32Array, exposed: ExposedLists) -> Float32Array:
    """Return the chance of every entry: of its exploration place, else that of the list it was drawn with."""
    chance = np.ones(
        int(max(ranked.edge.max(initial=-1), exposed.ranked.edge.max(initial=-1))) + 1, np.float32
    )
    chance[ranked.edge] = propensity
    by_lot = exposed.propensity < 1.0
    return np.where(by_lot, exposed.propensity, chance[exposed.ranked.edge]).astype(np.float32)
