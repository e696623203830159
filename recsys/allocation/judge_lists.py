"""Judge lists as tables: what they bring together, and to how many."""

from collections.abc import Mapping
from dataclasses import asdict

import numpy as np
import pandas as pd

from recsys.allocation.deploy import Ranked
from recsys.allocation.examination import Decay
from recsys.allocation.graph import CandidateGraph
from recsys.allocation.judges.compare import compare
from recsys.allocation.tables import Ids, graph_of
from recsys.errors import InputError, did_you_mean, explained
from recsys.schema.columns import Columns as C


def judge_lists(
    pool: pd.DataFrame,
    lists: Mapping[str, pd.DataFrame],
    *,
    reference: str,
    rng: np.random.Generator,
    error: float = 0.0,
    look: Decay = 1.0,
    inbox: Decay = 1.0,
    draws: int = 10,
) -> pd.DataFrame:
    """Let a judge draw looks, likes, inboxes and replies, and count what each set of lists brings.

    pool:      what `recsys.recommend` returns, with the chances of every pair that is in a list.
    lists:     rows of the pool by name, each with its own rank.
    reference: the lists the others are compared with.
    error:     what the chances do not know of a pair, in logits (standard deviation).
    look, inbox: how examination falls with the place in a list and in an inbox: exponents of 1 / place.

    Returns one row a set of lists: name, matches, reached (share of people with a match), gini (of
    exposure), gain (of matches over the reference) with its 95 % interval. All are judged on the same
    luck. Raises InputError for an unknown reference or a pair that is not in the pool.

    >>> pool = pd.DataFrame({
    ...     "viewer_id": ["a", "a", "b", "b"], "candidate_id": ["x", "y", "x", "y"], "rank": [1, 2, 1, 2],
    ...     "p_like": [0.9, 0.8, 0.9, 0.8], "p_liked_back": [0.9, 0.9, 0.8, 0.8]})
    >>> first, shared = pool[pool["rank"] == 1], pool.iloc[[0, 3]].assign(rank=1)
    >>> found = judge_lists(pool, {"first": first, "shared": shared}, reference="first",
    ...                     rng=np.random.default_rng(0), draws=40)
    >>> found["name"].tolist(), bool(found["matches"].iloc[1] > found["matches"].iloc[0])
    (['first', 'shared'], True)
    """
    if reference not in lists:
        raise InputError(explained("unknown lists", got=reference, remedy=did_you_mean(reference, lists)))
    graph, ids = graph_of(pool)
    ranked = {name: _ranked(graph, ids, name, frame) for name, frame in lists.items()}
    found = compare(
        graph, ranked, reference=reference, rng=rng, look=look, inbox=inbox, error=error, draws=draws
    )
    return pd.DataFrame([asdict(one) for one in found])


def _ranked(graph: CandidateGraph, ids: Ids, name: str, lists: pd.DataFrame) -> Ranked:
    """Return the lists as edges of the graph."""
    row = pd.Index(ids)
    viewer, candidate = (
        row.get_indexer(pd.Index(lists[c])).astype(np.int64) for c in (C.VIEWER, C.CANDIDATE)
    )
    order = np.lexsort((lists[C.RANK].to_numpy(), viewer))
    viewer, candidate = viewer[order], candidate[order]
    edges = pd.Index(graph.viewer * graph.n_people + graph.candidate.astype(np.int64))
    edge = edges.get_indexer(pd.Index(viewer * graph.n_people + candidate))
    unknown = (edge < 0) | (viewer < 0) | (candidate < 0)
    if unknown.any():
        pair = lists.iloc[order[unknown.argmax()]][[C.VIEWER, C.CANDIDATE]].tolist()
        remedy = "judge lists made from this pool"
        raise InputError(explained("a pair is not in the pool", where=name, got=pair, remedy=remedy))
    ends = np.cumsum(np.bincount(viewer, minlength=graph.n_people))
    return Ranked(np.concatenate([[0], ends]).astype(np.int64), edge.astype(np.int32))
