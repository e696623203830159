"""Lists for everybody together."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.allocation.config import AllocationConfig
from recsys.allocation.crowding import crowding_prices
from recsys.allocation.deploy import Ranked, sorted_edges
from recsys.allocation.floor import with_floor
from recsys.allocation.frank_wolfe import ascend
from recsys.allocation.graph import CandidateGraph
from recsys.allocation.model import Model
from recsys.allocation.presence import Presence
from recsys.allocation.slots import subtract_price
from recsys.allocation.threads import in_ranges
from recsys.allocation.trim import within_budget
from recsys.errors import InputError, explained

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Allocation:
    """Lists of everybody, and what they are expected to bring by the allocator's own model.

    ranked:     edges in list order.
    propensity: `(n_listed,)` float32, the chance with which each entry was drawn, 1 where no lot decided.
    exposure:   `(n_listed,)` float32, the chance that each entry is looked at.
    utility:    `(n_people,)` expected matches of each person.
    load:       `(n_people,)` likes each expects to receive.
    price:      `(n_people,)` float32, matches lost elsewhere by one more like to each person.
    trace:      the objective before every step.
    unseen:     rows the floor could not place.
    """

    graph: CandidateGraph
    ranked: Ranked
    propensity: Floats
    exposure: Floats
    utility: Doubles
    load: Doubles
    price: Floats
    trace: Doubles
    unseen: Ints

    @property
    def matches(self) -> float:
        """Expected matches, each pair once. The mean-field model understates them by some percent."""
        return 0.5 * float(self.utility.sum())

    @property
    def viewer(self) -> Ints:
        """The viewer of every entry, `(n_listed,)` int32."""
        lengths = np.diff(self.ranked.indptr)
        return np.repeat(np.arange(self.graph.n_people, dtype=np.int32), lengths)

    @property
    def candidate(self) -> Ints:
        """The candidate of every entry, `(n_listed,)` int32."""
        return self.graph.candidate[self.ranked.edge]


def allocate_graph(
    graph: CandidateGraph,
    config: AllocationConfig | None = None,
    *,
    budget: npt.ArrayLike | None = None,
    presence: Presence | None = None,
    rng: np.random.Generator | None = None,
) -> Allocation:
    """Return lists that raise the matches of everybody together.

    budget: likes each person may expect, `(n_people,)`, before the one of `config`. presence: how likely
    everybody opens lists and inboxes, always when None. rng: needed for the floor, which draws lots.

    Never worse than lists ordered by p q and held to the same budgets, by the model and its objective,
    when there is no floor: whichever of the two is better is returned.
    Raises InputError for a budget that is not above 0 for everybody, and for a floor without `rng`.
    """
    config = config or AllocationConfig()
    caps = _budgets(graph, config, budget)
    if config.floor and rng is None:
        remedy = "give rng=np.random.default_rng(seed)"
        raise InputError(explained("the floor draws lots and needs a generator", where="rng", remedy=remedy))
    model = Model(graph, config, presence)
    ascent = ascend(model, caps)
    ranked = _lists(model, ascent.exposure, ascent.price, caps)
    propensity, unseen = np.ones(len(ranked.edge), np.float32), np.zeros(0, np.int32)
    if config.floor and rng is not None:
        floored = with_floor(graph, ranked, model.slots, rng, caps, model.presence.opens)
        ranked, propensity, unseen = floored.ranked, floored.propensity, floored.unseen
    exposure = model.exposure_of(ranked)
    judged = model.unweighted()
    utility = judged.utilities(exposure)
    gain = judged.gain(exposure, utility)
    return Allocation(
        graph=graph,
        ranked=ranked,
        propensity=propensity,
        exposure=exposure[ranked.edge],
        utility=utility,
        load=judged.load.copy(),
        price=crowding_prices(graph, ranked, gain, exposure, ascent.price),
        trace=ascent.trace,
        unseen=unseen,
    )


def _lists(model: Model, exposure: Floats, price: Doubles, caps: Doubles | None) -> Ranked:
    graph = model.graph
    net = model.gain(exposure, model.utilities(exposure))

    def pay(start: int, stop: int) -> None:
        subtract_price(start, stop, graph.indptr, graph.candidate, graph.p, price, net)

    in_ranges(pay, graph.indptr, model.config.workers)
    ours = _best(model, exposure, net, (exposure > 0.0) | (net > 0.0), caps)
    both = graph.p * graph.q
    theirs = _best(model, both, both, both > 0.0, caps)
    del both
    return max(ours, theirs, key=lambda lists: _objective(model, lists))


def _best(
    model: Model, first: Floats, then: Floats, wanted: npt.NDArray[np.bool_], caps: Doubles | None
) -> Ranked:
    """Return lists of wanted edges by `first`, ties by `then`, within the budgets."""
    graph, config = model.graph, model.config
    if caps is None:
        return sorted_edges(graph, first, then, wanted, k=config.k, workers=config.workers)
    wishes = sorted_edges(graph, first, then, wanted, workers=config.workers)
    return within_budget(graph, wishes, then, model.slots, caps, model.presence.opens)


def _objective(model: Model, ranked: Ranked) -> float:
    return model.objective(model.utilities(model.exposure_of(ranked)))


def _budgets(graph: CandidateGraph, config: AllocationConfig, budget: npt.ArrayLike | None) -> Doubles | None:
    given = config.budget if budget is None else budget
    if given is None:
        return None
    caps = (
        np.broadcast_to(np.asarray(given, np.float64), (graph.n_people,))
        if np.ndim(given) == 0
        else np.asarray(given, np.float64)
    )
    if caps.shape != (graph.n_people,):
        raise InputError(
            explained("one budget a person is needed", where="budget", got=f"shape {caps.shape}")
        )
    if not (caps > 0.0).all():  # comparisons with NaN are false
        remedy = "take people who may receive no like out of the lists"
        raise InputError(explained("a budget must be above 0", where="budget", remedy=remedy))
    return caps
