"""Hobby circles for people, by the same two matrices as people for people."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from recsys.constraints.policy import Policy
from recsys.errors import InputError, SettingsError, explained
from recsys.ranking.circle_rows import CircleRows
from recsys.ranking.recommend import Scorer
from recsys.schema.columns import Columns as C
from recsys.schema.population import Population
from recsys.schema.relations import SEPARATION_REASONS

LEAST_MEMBERS: Final = 5
"""Fewer members and a circle is not recommended: its place in a list would tell of one of them."""

UNSAFE: Final = ("block", "report", "unsafe")
_VIEWERS_AT_ONCE: Final = 2_048


def recommend_circles(
    model: Scorer,
    people: Population,
    policy: Policy,
    viewers: str | Sequence[str] | npt.ArrayLike | None = None,
    k: int = 5,
    *,
    least_members: int = LEAST_MEMBERS,
) -> pd.DataFrame:
    """Return the best `k` circles for each viewer: viewer_id, community_id, rank (from 1).

    A circle is the mean of its members' rows, so its score is the mean logit, viewer to member or member to
    viewer, whichever is less. Members count who are listed and shown to anybody. Left out: circles the
    viewer is in, circles with fewer than `least_members` who count, and every circle that holds somebody
    separated from the viewer for safety (a block, a report, anything unsafe). No score is returned. Viewers
    who are not listed have no rows; a list is never padded.
    Raises UnknownIdError for an unknown viewer, SettingsError for `k` below 1 or fewer than 3 members,
    InputError when the model is of other people.
    """
    if k < 1 or least_members < 3:
        got = f"k={k}, least_members={least_members}"
        raise SettingsError(explained("at least one circle of three members", got=got))
    directed = model.directed(people)
    if directed.ids != people.ids:
        raise InputError(explained("the model gave the matrices of other people", remedy="apply it to these"))
    compiled = policy.compile(people)
    circles = CircleRows.of(people, compiled.listed & ~compiled.liked_only, least_members)
    asked = [viewers] if isinstance(viewers, str) else viewers
    rows = np.arange(len(people)) if asked is None else people.ids.rows(np.asarray(asked, dtype=object))
    rows = rows[compiled.listed[rows]].astype(np.int64)
    apart = _apart(people)
    parts = []
    for start in range(0, len(rows), _VIEWERS_AT_ONCE):
        chosen = rows[start : start + _VIEWERS_AT_ONCE]
        logits = circles.logits(directed, chosen)
        closed = (circles.belongs[chosen].toarray() > 0) | (
            (apart[chosen] @ circles.belongs.astype(float)).toarray() > 0
        )
        parts.append(_best(np.where(closed, -np.inf, logits), k, chosen))
    found = np.concatenate([np.empty((0, 3), np.int64), *parts])
    return pd.DataFrame(
        {
            C.VIEWER: people.ids.ids(found[:, 0]),
            C.COMMUNITY: circles.names[found[:, 1]],
            C.RANK: found[:, 2],
        }
    )


def _apart(people: Population) -> sparse.csr_array:
    """Return who is separated from whom for safety, both ways, `(n_people, n_people)`."""
    relations = people.relations
    unsafe = np.isin(relations.reason, [SEPARATION_REASONS.index(reason) for reason in UNSAFE])
    a, b = relations.separated[unsafe].T.astype(np.int64)
    ones = np.ones(2 * len(a))
    rows, columns = np.concatenate([a, b]), np.concatenate([b, a])
    return sparse.csr_array((ones, (rows, columns)), shape=(len(people), len(people)))


def _best(scores: npt.NDArray[np.float64], k: int, viewers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return (viewer row, circle, rank) of the best, ties by the order of circles."""
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    at, place = np.nonzero(np.isfinite(np.take_along_axis(scores, order, axis=1)))
    return np.column_stack([viewers[at], order[at, place], place + 1]).astype(np.int64)
