"""The public call: a table of candidates in, everybody's list out."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from recsys.allocation.allocation import allocate_graph
from recsys.allocation.config import AllocationConfig
from recsys.allocation.graph import CandidateGraph
from recsys.allocation.presence import Presence
from recsys.allocation.tables import by_id, graph_of, rows_of
from recsys.errors import InputError, explained
from recsys.schema.columns import Columns as C


def allocate(
    lists: pd.DataFrame | CandidateGraph,
    config: AllocationConfig | None = None,
    *,
    budget: float | Mapping[str, float] | pd.Series | None = None,
    opens: Mapping[str, float] | pd.Series | None = None,
    rng: np.random.Generator | None = None,
    **changes: Any,
) -> pd.DataFrame:
    """Choose everybody's list from their candidates, so that sincere likes meet an open inbox.

    lists:   the columns of `recsys.recommend` with more candidates a viewer than a list has places,
             such as k=200; or a `CandidateGraph`, whose rows then stand for ids.
    budget:  likes a person may expect to receive, for all or by id.
    opens:   chance by id that a list, and with it the inbox, is opened on its day; always when None.
    rng:     needed with `floor=True`, which draws lots.
    changes: settings of `AllocationConfig`, such as k, fairness, floor.

    Returns the chosen rows with all their columns, at most k a viewer, viewers by id: `rank` anew,
    `exposure` (the chance that the place is looked at) and `propensity` (the chance with which it was
    drawn, 1 where no lot decided). `attrs` holds expected_matches, by the allocator's own model, and unseen,
    how many people the floor could not place. Equal rows in any order give equal bytes.

    Raises InputError for a broken table or budget, SettingsError for an impossible setting.

    >>> pool = pd.DataFrame({
    ...     "viewer_id": ["a", "a", "b", "b"], "candidate_id": ["x", "y", "x", "y"],
    ...     "p_like": [0.9, 0.8, 0.9, 0.8], "p_liked_back": [0.9, 0.9, 0.8, 0.8]})
    >>> allocate(pool, k=1)[["viewer_id", "candidate_id"]].values.tolist()
    [['a', 'x'], ['b', 'y']]
    """
    settings = (config or AllocationConfig()).changed(**changes)
    if isinstance(lists, CandidateGraph):
        table = _table(lists)
    elif isinstance(lists, pd.DataFrame):
        table = lists
    else:
        remedy = "give a DataFrame like that of recsys.recommend, or a CandidateGraph"
        raise InputError(explained("not a table of lists", got=type(lists).__name__, remedy=remedy))
    graph, ids = graph_of(table)
    presence = None if opens is None else Presence.of(by_id(opens, ids, "opens"), n_people=len(ids))
    caps = by_id(budget, ids, "budget") if isinstance(budget, Mapping | pd.Series) else budget
    allocation = allocate_graph(graph, settings, budget=caps, presence=presence, rng=rng)
    chosen = rows_of(allocation, table, ids)
    chosen.attrs = {"expected_matches": allocation.matches, "unseen": len(allocation.unseen)}
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
