"""Suggestions as aligned arrays: what is left of lists once retrieval is done."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.constraints.many_pairs import may_show_each
from recsys.constraints.policy import Policy
from recsys.explain.reasons import Reasons
from recsys.retrieval import MutualLists
from recsys.schema.columns import Columns as C
from recsys.schema.ids import id_column
from recsys.schema.population import Population

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class RankedPairs:
    """One entry a suggestion, in list order; viewer and candidate are rows of one population.

    propensity: `(n_pairs,)` float32, the chance with which each was drawn; None where no lot decided.
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
        """Return the suggestions of all parts, one after another; no lot decided any of them."""
        every = list(parts)

        def column(name: str, kind: Any) -> npt.NDArray[Any]:
            return np.concatenate([np.empty(0, kind), *(getattr(part, name) for part in every)])

        return cls(
            column("viewer", np.int32),
            column("candidate", np.int32),
            column("p_like", np.float32),
            column("p_liked_back", np.float32),
            column("p_mutual", np.float64),
        )

    def __len__(self) -> int:
        return len(self.viewer)

    def kept(self, keep: Mask | slice) -> "RankedPairs":
        """Return the suggestions where `keep` is true, or those of a slice without copying them."""
        return RankedPairs(
            self.viewer[keep],
            self.candidate[keep],
            self.p_like[keep],
            self.p_liked_back[keep],
            self.p_mutual[keep],
            None if self.propensity is None else self.propensity[keep],
        )

    def rank(self) -> npt.NDArray[np.int32]:
        """Return each suggestion's place in its list, from 1 and without gaps."""
        new_list = np.ones(len(self), bool)
        new_list[1:] = self.viewer[1:] != self.viewer[:-1]
        first = np.flatnonzero(new_list)
        lengths = np.diff(np.append(first, len(self)))
        return (np.arange(len(self)) - np.repeat(first, lengths) + 1).astype(np.int32)

    def allowed(self, policy: Policy, people: Population) -> Mask:
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
