"""Frank-Wolfe over mixtures of orderings: each step is one sort a list.

M. Frank and P. Wolfe, Naval Research Logistics 3 (1956) 95-110; step `2 / (t + 2)` as in M. Jaggi, ICML
2013. The objective is not concave, so the best exposures met on the way are kept; with budgets the last
ones, because earlier ones were formed at prices too low to hold them.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.allocation.budget import Prices
from recsys.allocation.examination import NOT_READ, Examination
from recsys.allocation.model import Model
from recsys.allocation.slots import step_towards
from recsys.allocation.threads import in_ranges

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ascent:
    """Where the steps led.

    exposure: `(n_edges,)` float32, mixtures of orderings.
    price:    `(n_people,)` float64, of a like received, for the budgets; 0 without one.
    trace:    `(n_steps + 1,)`, the objective before each step and at the end.
    """

    exposure: Floats
    price: Doubles
    trace: Doubles


def ascend(model: Model, budget: Doubles | None = None) -> Ascent:
    """Return exposures that raise the objective of `model`, starting at the order by p q.

    budget: `(n_people,)` likes each may expect, or None.
    """
    config = model.config
    prices = Prices(model.graph.n_people, budget)
    exposure = first_exposure(model)
    trace = np.empty(config.steps + 1)
    best, kept = exposure if budget is not None else exposure.copy(), -np.inf
    for at in range(config.steps + 1):
        utility = model.utilities(exposure)
        trace[at] = model.objective(utility)
        gain = model.gain(exposure, utility)
        if budget is None and trace[at] > kept:
            kept = trace[at]
            np.copyto(best, exposure)
        if at < config.steps:
            prices.update(model.load, utility, at)
            move(model, gain, prices.price, 2.0 / (at + 3), exposure)
    return Ascent(best, prices.price, trace)


def first_exposure(model: Model) -> Floats:
    """Return the exposures of lists ordered by p q.

    Where a match needs a look from both sides, places nobody holds yet would never gain: there each
    list starts half as that order and half as a mixture of all.
    """
    graph, slots = model.graph, model.slots
    exposure = np.zeros(graph.n_edges, np.float32)
    move(model, graph.p * graph.q, np.zeros(graph.n_people), 1.0, exposure)
    if Examination.of(model.config.inbox).kind == NOT_READ:
        degree = np.diff(graph.indptr)
        spread = np.cumsum(np.append(0.0, slots))[np.minimum(degree, len(slots))] / np.maximum(degree, 1)
        exposure = (0.5 * exposure + 0.5 * np.repeat(spread * model.presence.opens, degree)).astype(
            np.float32
        )
    return exposure


def move(model: Model, gain: Floats, price: Doubles, step: float, exposure: Floats) -> None:
    """Move `exposure` a step towards the best ordering of every list at `gain` less the price."""
    graph, slots, opens = model.graph, model.slots, model.presence.opens

    def part(start: int, stop: int) -> None:
        step_towards(
            start, stop, graph.indptr, graph.candidate, graph.p, price, gain, slots, opens, step, exposure
        )

    in_ranges(part, graph.indptr, model.config.workers)
