"""Ranked pairs of viewers and candidates, and their table."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.constraints.policy import Policy, may_show_each
from recsys.data.ids import id_column
from recsys.data.population import Population
from recsys.messaging.reasons import Reasons
from recsys.models.directed import Directed
from recsys.ranking.exhaustive import Score
from recsys.retrieval.results import MutualLists
from recsys.types import BoolArray, IndexArray


@dataclass(frozen=True, eq=False)
class RankedPairs:
    """Ranked viewer-candidate pairs as aligned arrays, in list order; both are rows of one population.

    propensity: `(n_pairs,)` float32, the chance with which each was drawn; None where nothing was random.
    """

    viewer: npt.NDArray[np.int32]
    candidate: npt.NDArray[np.int32]
    p_like: npt.NDArray[np.float32]
    p_liked_back: npt.NDArray[np.float32]
    p_mutual: npt.NDArray[np.float64]
    propensity: npt.NDArray[np.float32] | None = None

    @classmethod
    def of(cls, lists: MutualLists) -> "RankedPairs":
        """Return the suggestions of all lists, one after another."""
        return cls(lists.viewer_of_each, lists.candidates, lists.p_like, lists.p_liked_back, lists.p_mutual)

    @classmethod
    def joined(cls, parts: "Iterable[RankedPairs]") -> "RankedPairs":
        """Return the suggestions of all parts, one after another, without propensities."""
        every = list(parts)

        def column(name: str, dtype: Any) -> npt.NDArray[Any]:
            return np.concatenate([np.empty(0, dtype), *(getattr(part, name) for part in every)])

        return cls(
            column("viewer", np.int32),
            column("candidate", np.int32),
            column("p_like", np.float32),
            column("p_liked_back", np.float32),
            column("p_mutual", np.float64),
        )

    def __len__(self) -> int:
        return len(self.viewer)

    def filtered(self, mask: BoolArray | slice | IndexArray) -> "RankedPairs":
        """Return the suggestions where the mask is true, of some rows, or of a slice without copying them."""
        return RankedPairs(
            self.viewer[mask],
            self.candidate[mask],
            self.p_like[mask],
            self.p_liked_back[mask],
            self.p_mutual[mask],
            None if self.propensity is None else self.propensity[mask],
        )

    def scored_by(self, directed: Directed, both: Score) -> "RankedPairs":
        """Return the same pairs in the same order with the probabilities of other matrices.

        both: from the probabilities of both directions to p_mutual.
        """
        p, q = (
            directed.probabilities(i, j)
            for i, j in ((self.viewer, self.candidate), (self.candidate, self.viewer))
        )
        return replace(
            self,
            p_like=p.astype(np.float32),
            p_liked_back=q.astype(np.float32),
            p_mutual=both(p, q),
        )

    def rank(self) -> npt.NDArray[np.int32]:
        """Return each suggestion's place in its list, from 1 and without gaps."""
        new_list = np.ones(len(self), bool)
        new_list[1:] = self.viewer[1:] != self.viewer[:-1]
        first = np.flatnonzero(new_list)
        lengths = np.diff(np.append(first, len(self)))
        return (np.arange(len(self)) - np.repeat(first, lengths) + 1).astype(np.int32)

    def allowed(self, policy: Policy, people: Population) -> BoolArray:
        """Say which suggestions the plain form of `policy` lets be shown."""
        return may_show_each(policy, people, self.viewer, self.candidate)

    def refused_by(self, policy: Policy, people: Population) -> list[str]:
        """Name the rules whose plain form refuses any of the suggestions."""
        return [one.name for one in policy.constraints if not self.allowed(Policy((one,)), people).all()]

    def frame(self, people: Population, reasons: Reasons) -> pd.DataFrame:
        """Return the suggestions as a table, with reasons."""
        return pd.DataFrame(
            {
                C.VIEWER: id_column(people.ids.ids(self.viewer)),
                C.CANDIDATE: id_column(people.ids.ids(self.candidate)),
                C.RANK: self.rank(),
                C.P_LIKE: self.p_like,
                C.P_LIKED_BACK: self.p_liked_back,
                C.P_MUTUAL: self.p_mutual,
                C.REASONS: pd.Series(reasons.codes(self.viewer, self.candidate), dtype=object),
            }
        )
