"""Frank-Wolfe over mixtures of orderings: each step is one sort a list.

M. Frank and P. Wolfe, Naval Research Logistics 3 (1956) 95-110; step `2 / (t + 2)` as in M. Jaggi, ICML
2013, or longer ones, `s / (t + s)` as in E. Wirth, T. Kerdreux and S. Pokutta, AISTATS 2023. The objective
is not concave, so the best exposures met on the way are kept; with budgets the last ones, because earlier
ones were formed at prices too low to hold them.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from recsys.allocation.budgets import BudgetPrices
from recsys.allocation.config import AllocationConfig
from recsys.allocation.linear_oracle import linear_oracle
from recsys.allocation.mixture import MixtureDraw
from recsys.allocation.objective import MeanFieldModel
from recsys.evaluation.examination import UNREAD, Examination
from recsys.kernels import kernel
from recsys.parallel import in_ranges
from recsys.types import Float32Array, Float64Array, Int32Array, Int64Array


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
        for t in range(n):
            e = first + t
            net[t] = gain[e] - np.float64(p[e]) * price[candidate[e]]
            exposure[e] *= 1.0 - step
        for r in range(linear_oracle(net[:n], k, taken)):
            exposure[first + taken[r]] += step * position_weights[r] * opens[i]


@dataclass(frozen=True, eq=False)
class FrankWolfeResult:
    """Where the steps led.

    exposure: `(n_edges,)` float32, mixtures of orderings.
    price:    `(n_people,)` float64, of a like received, for the budgets; 0 without one.
    trace:    `(n_steps + 1,)`, the objective before each step that was taken and at the end.
    """

    exposure: Float32Array
    price: Float64Array
    trace: Float64Array


def frank_wolfe(
    model: MeanFieldModel, budget: Float64Array | None = None, draw: MixtureDraw | None = None
) -> FrankWolfeResult:
    """Return exposures that raise the objective of `model`, starting at the order by p q.

    budget: `(n_people,)` likes each may expect, or None. draw: takes part in every step, so that its lists
    are drawn from the mixture at the end; the last exposures are then returned, whose draw it is.
    """
    config = model.config
    prices = BudgetPrices(model.graph.n_people, budget)
    exposure = initial_exposure(model, draw)
    trace = np.empty(config.steps + 1)
    taken = config.steps
    keeps_last = budget is not None or draw is not None
    best, kept = exposure if keeps_last else exposure.copy(), -np.inf
    for at in range(config.steps + 1):
        utility = model.utilities(exposure)
        trace[at] = model.objective(utility)
        settled = is_settled(trace[: at + 1], config.tolerance)
        gain = model.gain(exposure, utility)
        if not keeps_last and trace[at] > kept:
            kept = trace[at]
            np.copyto(best, exposure)
        if settled:
            taken = at
            break
        if at < config.steps:
            prices.update(model.load, utility, at)
            if draw is not None:
                draw.step(gain, prices.price, step_size(config, at))
            take_step(model, gain, prices.price, step_size(config, at), exposure)
    return FrankWolfeResult(best, prices.price, trace[: taken + 1])


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
