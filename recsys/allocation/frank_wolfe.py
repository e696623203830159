"""Frank-Wolfe over mixtures of orderings: each step is one sort a list.

M. Frank and P. Wolfe, Naval Research Logistics 3 (1956) 95-110; step `2 / (t + 2)` as in M. Jaggi, ICML
2013, or longer ones, `s / (t + s)` as in E. Wirth, T. Kerdreux and S. Pokutta, AISTATS 2023. The objective
is not concave, so the best exposures met on the way are kept; with budgets the last ones, because earlier
ones were formed at prices too low to hold them.
"""

from dataclasses import dataclass, field
from typing import Final, Self

import numpy as np

from recsys.allocation.budgets import BudgetPrices
from recsys.allocation.config import AllocationConfig
from recsys.allocation.mixture import MixtureDraw, linear_oracle, write_net_gains
from recsys.allocation.objective import MeanFieldModel
from recsys.data.examination import UNREAD, Examination
from recsys.kernels import kernel
from recsys.parallel import in_ranges
from recsys.types import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array


@kernel
def subtract_price(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    start: int,
    stop: int,
    indptr: Int64Array,
    candidate: Int32Array,
    p: Float32Array,
    price: Float64Array,
    gain: Float32Array,
):
    """Subtract the price of a like from the gain `(n_edges,)` of every edge of a range of viewers."""
    for e in range(indptr[start], indptr[stop]):
        gain[e] -= np.float32(np.float64(p[e]) * price[candidate[e]])


@kernel
def step_towards(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    start: int,
    stop: int,
    indptr: Int64Array,
    candidate: Int32Array,
    p: Float32Array,
    price: Float64Array,
    gain: Float32Array,
    position_weights: Float32Array,
    opens: Float32Array,
    step: float,
    exposure: Float32Array,
):
    """Set E to (1 - step) E + step D for the viewers of a range, D the best ordering at gain - p price.

    gain, exposure, p, candidate: `(n_edges,)`; price, opens: `(n_people,)`; position_weights: `(k,)`.
    """
    k = len(position_weights)
    taken = np.empty(k, np.int32)
    most = 0
    for i in range(start, stop):
        most = max(most, indptr[i + 1] - indptr[i])
    net = np.empty(most)
    for i in range(start, stop):
        first, n = indptr[i], indptr[i + 1] - indptr[i]
        write_net_gains(first, first + n, candidate, p, price, gain, net)
        for e in range(first, first + n):
            exposure[e] *= 1.0 - step
        for r in range(linear_oracle(net[:n], k, taken)):
            exposure[first + taken[r]] += step * position_weights[r] * opens[i]


@kernel
def mark_best(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    start: int,
    stop: int,
    indptr: Int64Array,
    candidate: Int32Array,
    p: Float32Array,
    price: Float64Array,
    gain: Float32Array,
    n: int,
    marked: BoolArray,
):
    """Mark the n edges of every viewer of a range with the highest gain less price that is above 0."""
    taken = np.empty(n, np.int32)
    for i in range(start, stop):
        first, last = indptr[i], indptr[i + 1]
        net = np.empty(last - first)
        write_net_gains(first, last, candidate, p, price, gain, net)
        for r in range(linear_oracle(net, n, taken)):
            marked[first + taken[r]] = True


@kernel
def best_values(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    start: int,
    stop: int,
    indptr: Int64Array,
    candidate: Int32Array,
    p: Float32Array,
    price: Float64Array,
    gain: Float32Array,
    position_weights: Float32Array,
    opens: Float32Array,
    near: BoolArray,
    value: Float64Array,
):
    """Write what the best ordering of each viewer of a range is worth, of all edges and of those `near`.

    near: `(n_edges,)`; value: `(n_people, 2)`.
    """
    k = len(position_weights)
    taken = np.empty(k, np.int32)
    for i in range(start, stop):
        first, last = indptr[i], indptr[i + 1]
        net = np.empty(last - first)
        write_net_gains(first, last, candidate, p, price, gain, net)
        for column in range(2):
            value[i, column] = 0.0
            for r in range(linear_oracle(net, k, taken)):
                value[i, column] += net[taken[r]] * position_weights[r] * opens[i]
            for e in range(first, last):
                if not near[e]:
                    net[e - first] = 0.0


@dataclass(frozen=True, eq=False)
class FrankWolfeResult:
    """Where the steps led.

    exposure: `(n_edges,)` float32, mixtures of orderings.
    price:    `(n_people,)` float64, of a like received, for the budgets; 0 without one.
    trace:    `(n_steps + 1,)`, the objective before each step that was taken and at the end.
    gain:     `(n_edges,)` float32, what more exposure of each edge is worth there.
    """

    exposure: Float32Array
    price: Float64Array
    trace: Float64Array
    gain: Float32Array


PRUNED_AFTER: Final = 3
"""Steps over all edges; those after leave out the edges that are in no list by then, nor near to one."""
NEAR: Final = 1.5
"""Lists of edges that stay for each viewer, by gain less price, beside those exposed so far."""
_WORTH_PRUNING: Final = 0.7
"""Share of all edges above which leaving the others out saves nothing."""
_LEFT_OUT: Final = 0.02
"""Share of the best orderings' worth that edges left out may hold at the end, else they come back."""


def frank_wolfe(
    model: MeanFieldModel, budget: Float64Array | None = None, draw: MixtureDraw | None = None
) -> FrankWolfeResult:
    """Return exposures that raise the objective of `model`, starting at the order by p q.

    Before it returns, the model is released: lists are made of exposures and gains alone.

    budget: `(n_people,)` likes each may expect, or None. draw: takes part in every step, so that its lists
    are drawn from the mixture at the end; the last exposures are then returned, whose draw it is.

    Without a draw the ascent goes on, after a few steps, over the edges that are near a list by then: the
    best for each viewer, and all that have been in one. The objective is the same, over fewer orderings. At
    the end all edges are looked at: where the best orderings would hold many that were left out, as where
    everybody agrees on who is attractive, the steps are taken again over all.
    """
    ascent, steps = _Ascent.start(model, budget, draw), model.config.steps
    if draw is None and steps > PRUNED_AFTER:
        gain = ascent.climb(model, PRUNED_AFTER)
        near = edges_near_lists(model, gain, ascent.prices.price, ascent.exposure)
        if near is None:
            ascent.trace.pop()  # the step that follows begins with it
        else:
            pruned = ascent.over(near)
            del ascent, gain  # with the model as large as all the rest; the first steps are few
            model.release()
            found = _near_result(model, pruned, near)
            if share_left_out(model, found.gain, found.price, near) < _LEFT_OUT:
                return found
            del found
            ascent = _Ascent.start(model, budget, draw)
    gain = ascent.climb(model, steps)
    found = ascent.result(model, gain=gain if ascent.best is None else None)
    model.release()
    return found


def _near_result(model: MeanFieldModel, pruned: "_Ascent", near: BoolArray) -> FrankWolfeResult:
    """Take the steps that are left over the edges that are near, `(n_edges,)`; return where they led."""
    of_near = MeanFieldModel(model.graph.filtered(near), model.config, model.activity)
    pruned.climb(of_near, model.config.steps)
    del of_near
    found = pruned.result(model, near)
    model.release()
    return found


@dataclass
class _Ascent:
    """Steps under way.

    best: the exposures of the highest objective met, and that; None where the last exposures count.
    """

    exposure: Float32Array
    prices: BudgetPrices
    draw: MixtureDraw | None
    best: tuple[Float32Array, float] | None
    trace: list[float] = field(default_factory=list)

    @classmethod
    def start(cls, model: MeanFieldModel, budget: Float64Array | None, draw: MixtureDraw | None) -> Self:
        exposure = initial_exposure(model, draw)
        best = None if budget is not None or draw is not None else (exposure.copy(), -np.inf)
        return cls(exposure, BudgetPrices(model.graph.n_people, budget), draw, best)

    def climb(self, model: MeanFieldModel, until: int) -> Float32Array:
        """Take steps until there are so many, or no more are worth it; return the gain at the end."""
        while True:
            at = len(self.trace)
            utility = model.utilities(self.exposure)
            self.trace.append(model.objective(utility))
            gain = model.gain(self.exposure, utility)
            if self.best is not None and self.trace[at] > self.best[1]:
                np.copyto(self.best[0], self.exposure)
                self.best = self.best[0], self.trace[at]
            if at == until or is_settled(np.array(self.trace), model.config.tolerance):
                return gain
            self.prices.update(model.load, utility, at)
            step = step_size(model.config, at)
            if self.draw is not None:
                self.draw.step(gain, self.prices.price, step)
            take_step(model, gain, self.prices.price, step, self.exposure)

    def over(self, near: BoolArray) -> "_Ascent":
        """Return the same ascent over some edges, which goes on with the prices of this one."""
        best = None if self.best is None else (self.best[0][near], self.best[1])
        return _Ascent(self.exposure[near], self.prices, None, best, self.trace[:-1])

    def result(
        self, model: MeanFieldModel, near: BoolArray | None = None, gain: Float32Array | None = None
    ) -> FrankWolfeResult:
        """Return where the steps led, over all edges; near: those of this ascent, all when None.

        gain: of all edges there, where it is known.
        """
        exposure = self.exposure if self.best is None else self.best[0]
        if near is not None:
            exposure, of_near = np.zeros(len(near), np.float32), exposure
            exposure[near] = of_near
        if gain is None:
            gain = model.gain(exposure, model.utilities(exposure))
        return FrankWolfeResult(exposure, self.prices.price, np.array(self.trace), gain)


def edges_near_lists(
    model: MeanFieldModel, gain: Float32Array, price: Float64Array, exposure: Float32Array
) -> BoolArray | None:
    """Return which edges are exposed or among the best of their viewer, `(n_edges,)`; None for most of them.

    gain, exposure: `(n_edges,)`; price: `(n_people,)`.
    """
    graph, near, n = model.graph, exposure > 0.0, int(NEAR * model.config.k)

    def part(start: int, stop: int) -> None:
        mark_best(start, stop, graph.indptr, graph.candidate, graph.p, price, gain, n, near)

    in_ranges(part, graph.indptr, model.config.workers)
    return near if near.sum() < _WORTH_PRUNING * graph.n_edges else None


def share_left_out(model: MeanFieldModel, gain: Float32Array, price: Float64Array, near: BoolArray) -> float:
    """Return what the best orderings lose without the edges that are not near, as a share of their worth."""
    graph, value = model.graph, np.empty((model.graph.n_people, 2))
    weights = model.position_weights, model.activity.opens

    def part(start: int, stop: int) -> None:
        edges = graph.indptr, graph.candidate, graph.p
        best_values(start, stop, *edges, price, gain, *weights, near, value)

    in_ranges(part, graph.indptr, model.config.workers)
    of_all, of_near = value.sum(axis=0).tolist()
    return (of_all - of_near) / of_all if of_all > 0.0 else 0.0


def step_size(config: AllocationConfig, at: int) -> float:
    """Return how far step `at`, from 0, moves towards the best ordering: 1 would be all the way.

    >>> step_size(AllocationConfig(), 0), step_size(AllocationConfig(step_scale=4), 15)
    (0.6666666666666666, 0.2)
    """
    return config.step_scale / (at + 1 + config.step_scale)


_FEWEST: Final = 10
_SLOWEST: Final = 0.9


def is_settled(trace: Float64Array, tolerance: float) -> bool:
    """Say whether what further steps would still gain is a share of the objective below `tolerance`.

    Each doubling of the steps gains a share of what the doubling before it gained (a half where the gap
    falls with the steps, a quarter where with their square). The last two say which share, and the sum over
    all that would follow is what is left. trace: the objective before each step so far; ten are taken anyway.

    >>> steps = np.arange(1.0, 41.0)
    >>> is_settled(100.0 - 60.0 / steps**2, 0.001), is_settled(100.0 - 60.0 / steps, 0.001)
    (True, False)
    """
    at = len(trace) - 1
    if at < _FEWEST or tolerance == 0.0:
        return False
    last, before = (abs(float(trace[t] - trace[t // 2])) for t in (at, at // 2))
    share = min(last / before, _SLOWEST) if before > 0.0 else _SLOWEST
    return last * share / (1.0 - share) < tolerance * abs(float(trace[at]))


def initial_exposure(model: MeanFieldModel, draw: MixtureDraw | None = None) -> Float32Array:
    """Return the exposures of lists ordered by p q.

    Where a match needs a look from both sides, places nobody holds yet would never gain: there each
    list starts half as that order and half as a mixture of all.
    """
    graph, position_weights = model.graph, model.position_weights
    exposure = np.zeros(graph.n_edges, np.float32)
    nothing = np.zeros(graph.n_people)
    take_step(model, graph.p * graph.q, nothing, 1.0, exposure)
    if draw is not None:
        draw.step(graph.p * graph.q, nothing, 1.0)
    if Examination.of(model.config.inbox).kind == UNREAD:
        if draw is not None:
            draw.spread(0.5)
        degree = np.diff(graph.indptr)
        spread = np.cumsum(np.append(0.0, position_weights))[
            np.minimum(degree, len(position_weights))
        ] / np.maximum(degree, 1)
        exposure = (0.5 * exposure + 0.5 * np.repeat(spread * model.activity.opens, degree)).astype(
            np.float32
        )
    return exposure


def take_step(
    model: MeanFieldModel, gain: Float32Array, price: Float64Array, step: float, exposure: Float32Array
) -> None:
    """Move `exposure` a step towards the best ordering of every list at `gain` less the price."""
    graph, position_weights, opens = model.graph, model.position_weights, model.activity.opens

    def part(start: int, stop: int) -> None:
        step_towards(
            start,
            stop,
            graph.indptr,
            graph.candidate,
            graph.p,
            price,
            gain,
            position_weights,
            opens,
            step,
            exposure,
        )

    in_ranges(part, graph.indptr, model.config.workers)
