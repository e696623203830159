"""`allocate`: a table of candidates in, everybody's list out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.allocation.budgets import repair_budgets, shadow_prices
from recsys.allocation.config import AllocationConfig, MemberActivity
from recsys.allocation.frank_wolfe import FrankWolfeResult, frank_wolfe, subtract_price
from recsys.allocation.graph import CandidateGraph
from recsys.allocation.minimum_exposure import ExposedLists
from recsys.allocation.mixture import MixtureDraw
from recsys.allocation.objective import MeanFieldModel
from recsys.allocation.randomised_lists import with_lots
from recsys.allocation.rounding import RankedEdges, listed_edges, rank_edges
from recsys.arguments import as_generator, as_pandas, checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.errors import InputError, explained, need_columns
from recsys.parallel import in_ranges
from recsys.types import ArrowTable, Float32Array, Float64Array, Int32Array, ObjectArray, RNGLike


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
    unplaced:   rows no place was found for.
    """

    graph: CandidateGraph
    ranked: RankedEdges
    propensity: Float32Array
    exposure: Float32Array
    utility: Float64Array
    load: Float64Array
    price: Float32Array
    trace: Float64Array
    unplaced: Int32Array

    @property
    def matches(self) -> float:
        """Expected matches, each pair once. The mean-field model understates them by some percent."""
        return 0.5 * float(self.utility.sum())

    @property
    def viewer(self) -> Int32Array:
        """The viewer of every entry, `(n_listed,)` int32."""
        lengths = np.diff(self.ranked.indptr)
        return np.repeat(np.arange(self.graph.n_people, dtype=np.int32), lengths)

    @property
    def candidate(self) -> Int32Array:
        """The candidate of every entry, `(n_listed,)` int32."""
        return self.graph.candidate[self.ranked.edge]


@checked_arguments
def allocate_graph(
    graph: CandidateGraph,
    config: AllocationConfig | None = None,
    *,
    budget: npt.ArrayLike | None = None,
    activity: MemberActivity | None = None,
    rng: np.random.Generator | None = None,
) -> Allocation:
    """Return lists that raise the matches of everybody together.

    budget: likes each person may expect, `(n_people,)`, before the one of `config`. activity: how likely
    everybody opens lists and inboxes, always when None. rng: needed for `minimum_exposure`, `mixture` and
    `randomised_share`.

    Never worse than lists ordered by p q and held to the same budgets, by the model and its objective,
    when no lots are drawn: whichever of the two is better is returned.
    Raises InputError for a budget that is not above 0 for everybody, and without `rng` where lots are drawn.
    """
    config = config or AllocationConfig()
    caps = _budgets(graph, config, budget)
    _require_generator(config, rng)
    model = MeanFieldModel(graph, config, activity)
    draw = (
        MixtureDraw.of(graph, config.k, rng, config.workers) if config.mixture and rng is not None else None
    )
    ascent = frank_wolfe(model, caps, draw)
    if draw is None:
        ranked = _lists(model, ascent, caps)
        propensity = np.ones(len(ranked.edge), np.float32)
    else:
        ranked, propensity = draw.lists(
            None if caps is None else kept_within_budgets(graph, ascent.exposure, caps)
        )
    dual, trace = ascent.price, ascent.trace
    del ascent  # eight bytes an edge
    exposed = ExposedLists(ranked, propensity, np.zeros(0, np.int32))
    if rng is not None:
        exposed = with_lots(graph, exposed, model, rng, caps)
    ranked, propensity = exposed.ranked, exposed.propensity
    listed, of_listed = _of_listed(graph, ranked)
    judged = MeanFieldModel(listed, config.changed(fairness=0.0), activity)
    exposure = judged.exposure_of(of_listed)
    utility = judged.utilities(exposure)
    gain = judged.gain(exposure, utility)
    return Allocation(
        graph=graph,
        ranked=ranked,
        propensity=propensity,
        exposure=exposure[of_listed.edge],
        utility=utility,
        load=judged.load,
        price=shadow_prices(listed, of_listed, gain, exposure, dual),
        trace=trace,
        unplaced=exposed.unplaced,
    )


def _of_listed(graph: CandidateGraph, ranked: RankedEdges) -> tuple[CandidateGraph, RankedEdges]:
    """Return the graph of the edges in lists, and the lists as edges of it."""
    listed, lists = listed_edges(graph, {"": ranked})
    return listed, lists[""]


def _require_generator(config: AllocationConfig, rng: np.random.Generator | None) -> None:
    if (config.minimum_exposure or config.mixture or config.randomised_share) and rng is None:
        what, remedy = "drawing lots needs a generator", "give rng=np.random.default_rng(seed)"
        raise InputError(explained(what, where="rng", remedy=remedy))


def kept_within_budgets(graph: CandidateGraph, exposure: Float32Array, caps: Float64Array) -> Float64Array:
    """Return which share of a mixture's entries of each person keeps their expected likes within the budget.

    Prices hold budgets nearly. Who comes after an entry that is left out moves up: at most the looks that are
    given up reach others, so that all loads are taken to rise by that share.
    """
    load = np.bincount(graph.candidate, graph.p.astype(np.float64) * exposure, graph.n_people)
    share = np.minimum(caps / np.maximum(load, 1e-12), 1.0)
    looks = np.bincount(graph.candidate, exposure, graph.n_people)
    rise = float(looks.sum()) / max(float(share @ looks), 1e-12)
    return np.minimum(caps / np.maximum(load * rise, 1e-12), 1.0)


def _lists(model: MeanFieldModel, ascent: FrankWolfeResult, caps: Float64Array | None) -> RankedEdges:
    graph, exposure, price, net = model.graph, ascent.exposure, ascent.price, ascent.gain

    def pay(start: int, stop: int) -> None:
        subtract_price(start, stop, graph.indptr, graph.candidate, graph.p, price, net)

    in_ranges(pay, graph.indptr, model.config.workers)
    ours = lists_within_budgets(model, exposure, net, (exposure > 0.0) | (net > 0.0), caps)
    both = graph.p * graph.q
    theirs = lists_within_budgets(model, both, both, both > 0.0, caps)
    del both
    return max(ours, theirs, key=lambda lists: _objective(model, lists))


def lists_within_budgets(
    model: MeanFieldModel,
    first: Float32Array,
    then: Float32Array,
    wanted: npt.NDArray[np.bool_],
    caps: Float64Array | None,
) -> RankedEdges:
    """Return lists of wanted edges by `first`, ties by `then`, within the budgets."""
    graph, config = model.graph, model.config
    if caps is None:
        return rank_edges(graph, first, then, wanted, k=config.k, workers=config.workers)
    wishes = rank_edges(graph, first, then, wanted, workers=config.workers)
    return repair_budgets(graph, wishes, then, model.position_weights, caps, model.activity.opens)


def _objective(model: MeanFieldModel, ranked: RankedEdges) -> float:
    listed, lists = _of_listed(model.graph, ranked)
    judged = MeanFieldModel(listed, model.config, model.activity)
    return judged.objective(judged.utilities(judged.exposure_of(lists)))


def _budgets(
    graph: CandidateGraph, config: AllocationConfig, budget: npt.ArrayLike | None
) -> Float64Array | None:
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


NEEDED = (C.VIEWER, C.CANDIDATE, C.P_LIKE, C.P_LIKED_BACK)


@checked_arguments
def graph_from_lists(lists: pd.DataFrame) -> tuple[CandidateGraph, ObjectArray]:
    """Return the graph of a table with viewer_id, candidate_id, p_like and p_liked_back, and its ids.

    Row r of the graph is the person `ids[r]`; ids ascend.

    Raises InputError for a missing column, a missing id or value, and a pair that stands twice.

    >>> pool = pd.DataFrame([["b", "a", 0.5, 0.2]], columns=NEEDED)
    >>> graph, ids = graph_from_lists(pool)
    >>> ids.tolist(), graph.viewer.tolist(), graph.candidate.tolist()
    (['a', 'b'], [1], [0])
    """
    need_columns(NEEDED, lists.columns, where="the lists")
    both = pd.concat([lists[C.VIEWER], lists[C.CANDIDATE]], ignore_index=True)
    if both.isna().any():
        raise InputError(explained("an id is missing", where="the lists"))
    codes, ids = pd.factorize(both.astype(object), sort=True)
    n = len(lists)
    graph = CandidateGraph.of(
        codes[:n],
        codes[n:],
        p=lists[C.P_LIKE].to_numpy(np.float32),
        q=lists[C.P_LIKED_BACK].to_numpy(np.float32),
        n_people=len(ids),
    )
    return graph, np.asarray(ids, dtype=object)


def selected_rows(allocation: Allocation, lists: pd.DataFrame, ids: ObjectArray) -> pd.DataFrame:
    """Return the rows of `lists` that were chosen, in list order, with rank, exposure and propensity."""
    codes = pd.Series(np.arange(len(ids)), index=pd.Index(ids))
    viewer = codes.loc[lists[C.VIEWER].astype(object)].to_numpy(np.int64)
    candidate = codes.loc[lists[C.CANDIDATE].astype(object)].to_numpy(np.int64)
    by_edge = np.argsort(viewer * max(len(ids), 1) + candidate, kind="stable")
    chosen = lists.iloc[by_edge[allocation.ranked.edge]].reset_index(drop=True)
    return chosen.assign(
        **{
            C.RANK: allocation.ranked.place,
            C.EXPOSURE: allocation.exposure,
            C.PROPENSITY: allocation.propensity,
        }
    )


def values_by_id(given: Any, ids: ObjectArray, where: str) -> npt.NDArray[np.float64]:
    """Return numbers by id as one a row, `(n_people,)`.

    Raises InputError when somebody of the lists has none.
    """
    numbers = pd.Series(given)
    missing = [str(one) for one in ids if one not in numbers.index]
    if missing:
        what, remedy = "somebody of the lists has no number", "give a number for every id"
        raise InputError(explained(what, where=where, got=missing[0], remedy=remedy))
    return numbers.loc[ids.tolist()].to_numpy(np.float64)


@checked_arguments
def allocate(
    lists: pd.DataFrame | ArrowTable | CandidateGraph,
    config: AllocationConfig | None = None,
    *,
    budget: float | Mapping[str, float] | pd.Series | None = None,
    opens: Mapping[str, float] | pd.Series | None = None,
    rng: RNGLike | None = None,
    **changes: Any,
) -> pd.DataFrame:
    """Choose everybody's list from their candidates, so that sincere likes meet an open inbox.

    lists:   the columns of `recsys.recommend` with more candidates a viewer than a list has places,
             such as k=200; or a `CandidateGraph`, whose rows then stand for ids.
    budget:  likes a person may expect to receive, for all or by id.
    opens:   chance by id that a list, and with it the inbox, is opened on its day; always when None.
    rng:     needed with `minimum_exposure`, `mixture` and `randomised_share`, which draw lots.
    changes: settings of `AllocationConfig`, such as k, fairness, minimum_exposure.

    Returns the chosen rows with all their columns, at most k a viewer, viewers by id: `rank` anew,
    `exposure` (the chance that the place is looked at) and `propensity` (the chance with which it was
    drawn, 1 where no lot decided). `attrs` holds expected_matches, by the allocator's own model, and
    unplaced, how many people no place was found for. Equal rows in any order give equal bytes.

    Raises InputError for a broken table or budget, SettingsError for an impossible setting.

    >>> pool = pd.DataFrame({
    ...     "viewer_id": ["a", "a", "b", "b"], "candidate_id": ["x", "y", "x", "y"],
    ...     "p_like": [0.9, 0.8, 0.9, 0.8], "p_liked_back": [0.9, 0.9, 0.8, 0.8]})
    >>> allocate(pool, k=1)[["viewer_id", "candidate_id"]].values.tolist()
    [['a', 'x'], ['b', 'y']]
    """
    settings = (config or AllocationConfig()).changed(**changes)
    table = _table(lists) if isinstance(lists, CandidateGraph) else as_pandas(lists, name="lists")
    graph, ids = graph_from_lists(table)
    activity = (
        None if opens is None else MemberActivity.of(values_by_id(opens, ids, "opens"), n_people=len(ids))
    )
    caps = values_by_id(budget, ids, "budget") if isinstance(budget, Mapping | pd.Series) else budget
    allocation = allocate_graph(
        graph, settings, budget=caps, activity=activity, rng=None if rng is None else as_generator(rng)
    )
    chosen = selected_rows(allocation, table, ids)
    chosen.attrs = {"expected_matches": allocation.matches, "unplaced": len(allocation.unplaced)}
    return chosen


def _table(graph: CandidateGraph) -> pd.DataFrame:
    return pd.DataFrame(
        {
            C.VIEWER: graph.viewer,
            C.CANDIDATE: graph.candidate,
            C.P_LIKE: graph.p,
            C.P_LIKED_BACK: graph.q,
            C.P_MUTUAL: graph.p * graph.q,
        }
    )
