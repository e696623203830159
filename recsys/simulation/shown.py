"""The lists of one night as aligned arrays."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.errors import InputError, did_you_mean, explained
from recsys.schema.columns import Columns as C
from recsys.schema.ids import IdIndex

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Shown:
    """Who is shown to whom: rows, position (1 is the top) and the propensity of the exposure."""

    viewer: Rows
    candidate: Rows
    position: Rows
    propensity: npt.NDArray[np.float64]

    @classmethod
    def of(cls, lists: pd.DataFrame, ids: IdIndex) -> "Shown":
        """Read lists with viewer_id, candidate_id, rank and perhaps propensity (else 1: no chance in it).

        Raises InputError when a column is missing, a pair stands twice, somebody is shown to
        themself, a rank is not 1 or more, or a propensity is not in (0, 1]; UnknownIdError for ids
        the town does not know.
        """
        for column in (C.VIEWER, C.CANDIDATE, C.RANK):
            if column not in lists:
                remedy = did_you_mean(column, [str(name) for name in lists.columns])
                raise InputError(explained("lists lack a column", got=column, remedy=remedy))
        viewer = ids.rows(lists[C.VIEWER]).astype(np.int64)
        candidate = ids.rows(lists[C.CANDIDATE]).astype(np.int64)
        position = lists[C.RANK].to_numpy(np.int64)
        propensity = (
            lists[C.PROPENSITY].to_numpy(np.float64) if C.PROPENSITY in lists else np.ones(len(lists))
        )
        for wrong, what in (
            (viewer == candidate, "somebody is shown to themself"),
            (position < 1, "a rank is below 1"),
            (~((propensity > 0.0) & (propensity <= 1.0)), "a propensity is not in (0, 1]"),
            (pd.Series(viewer * len(ids) + candidate).duplicated().to_numpy(bool), "a pair stands twice"),
        ):
            if wrong.any():
                at = int(np.flatnonzero(wrong)[0])
                raise InputError(explained(what, where="lists", got=lists.iloc[at].to_dict()))
        return cls(viewer, candidate, position, propensity)

    def __len__(self) -> int:
        return len(self.viewer)

    def take(self, which: npt.NDArray[np.bool_]) -> "Shown":
        """Return some of the exposures."""
        return Shown(self.viewer[which], self.candidate[which], self.position[which], self.propensity[which])
