"""Recommendations of hobby circles (communities), by the same two matrices as for people."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from recsys.catalogue.columns import Columns as C
from recsys.constraints.policy import Policy
from recsys.data.exclusions import EXCLUSION_REASONS
from recsys.data.geography import distances_km
from recsys.data.population import Population
from recsys.errors import InputError, SettingsError, explained
from recsys.models.directed import Directed
from recsys.models.distance_decay import places
from recsys.ranking.recommend import Scorer
from recsys.types import BoolArray


@dataclass(frozen=True, eq=False)
class CircleRows:
    """Circles with enough members to hide each of them.

    names: `(n_circles,)` ids, ascending. belongs: `(n_people, n_circles)` bool, who is in which, everybody
    counted. share: the same for the members that count, each circle's column summing to 1.
    """

    names: npt.NDArray[np.object_]
    belongs: sparse.csr_array
    share: sparse.csr_array

    @classmethod
    def of(cls, people: Population, counts: BoolArray, least_members: int) -> "CircleRows":
        """Return the circles in which at least `least_members` of the people who count take part."""
        table = people.long.communities.drop_duplicates([C.ROW, C.COMMUNITY])
        circle, names = pd.factorize(table[C.COMMUNITY].astype(object), sort=True)
        row = table[C.ROW].to_numpy(np.int64)
        size = np.bincount(circle[counts[row]], minlength=len(names))
        kept = np.flatnonzero(size >= least_members)
        shape = (len(people), len(names))
        belongs = sparse.csr_array((np.ones(len(row)), (row, circle)), shape=shape)[:, kept]
        own = sparse.diags_array(counts.astype(float)) @ belongs
        share = own @ sparse.diags_array(1.0 / np.maximum(size[kept], 1))
        return cls(
            np.asarray(names, dtype=object)[kept],
            sparse.csr_array(belongs.astype(bool)),
            sparse.csr_array(share),
        )


@dataclass(frozen=True, eq=False)
class CircleScores:
    """What every viewer's scores of circles are made of.

    taste, appeal: `(n_circles, n_factors)` float64, the means over a circle's members. cells: the distinct
    cells of people; at: `(n_people,)` the position in it of each; members_in: `(n_cells, n_circles)`, the
    share of a circle's members in a cell.
    """

    directed: Directed
    taste: npt.NDArray[np.float64]
    appeal: npt.NDArray[np.float64]
    cells: npt.NDArray[np.uint64]
    at: npt.NDArray[np.int64]
    members_in: sparse.csr_array

    @classmethod
    def of(cls, directed: Directed, circles: CircleRows) -> "CircleScores":
        """Return what is the same for all viewers."""
        cells, at = np.unique(directed.cell, return_inverse=True)
        in_cell = sparse.csr_array((np.ones(len(at)), (at, np.arange(len(at)))), shape=(len(cells), len(at)))
        return cls(
            directed,
            circles.share.T @ directed.taste.astype(np.float64),
            circles.share.T @ directed.appeal.astype(np.float64),
            cells,
            at,
            sparse.csr_array(in_cell @ circles.share),
        )

    def logits(self, viewers: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return the smaller of two mean logits, viewer likes member and member likes viewer.

        `(n_viewers, n_circles)`: a circle suits where both look forward to it. Distance decay enters as
        its mean over the members' cells.
        """
        likes = self.directed.taste[viewers].astype(np.float64) @ self.appeal.T
        liked = self.directed.appeal[viewers].astype(np.float64) @ self.taste.T
        least = np.minimum(likes, liked, out=likes)
        if self.directed.distance_decay is not None:
            here, back = np.unique(self.at[viewers], return_inverse=True)
            from_here = distances_km(places(self.cells[here]), places(self.cells))
            least += (self.directed.distance_decay.of_distance(from_here) @ self.members_in)[back]
        return least


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
    scores, apart, members = CircleScores.of(directed, circles), _apart(people), circles.belongs.astype(float)
    parts = []
    for start in range(0, len(rows), _VIEWERS_AT_ONCE):
        chosen = rows[start : start + _VIEWERS_AT_ONCE]
        logits = scores.logits(chosen)
        for closed in (circles.belongs[chosen], apart[chosen] @ members):
            logits[closed.nonzero()] = -np.inf
        parts.append(_best(logits, k, chosen))
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
    unsafe = np.isin(relations.reason, [EXCLUSION_REASONS.index(reason) for reason in UNSAFE])
    a, b = relations.excluded[unsafe].T.astype(np.int64)
    ones = np.ones(2 * len(a))
    rows, columns = np.concatenate([a, b]), np.concatenate([b, a])
    return sparse.csr_array((ones, (rows, columns)), shape=(len(people), len(people)))


def _best(scores: npt.NDArray[np.float64], k: int, viewers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return (viewer row, circle, rank) of the best, ties by the order of circles."""
    if not scores.size:
        return np.empty((0, 3), np.int64)
    last = max(scores.shape[1] - k, 0)
    least = np.partition(scores, last, axis=1)[:, last]  # the k-th best; more than k may be equal to it
    at, circle = np.nonzero((scores >= least[:, None]) & np.isfinite(scores))
    order = np.lexsort((circle, -scores[at, circle], at))
    at, circle = at[order], circle[order]
    rank = np.arange(len(at)) - np.searchsorted(at, at) + 1
    kept = rank <= k
    return np.column_stack([viewers[at[kept]], circle[kept], rank[kept]]).astype(np.int64)
