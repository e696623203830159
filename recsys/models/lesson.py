"""What a model is taught from: everybody's rows, and who wanted to know whom."""

from dataclasses import dataclass, replace

import numpy as np

from recsys.features.feature_map import FeatureMap
from recsys.features.rows import BlockRows
from recsys.models.labelled_pairs import LabelledPairs
from recsys.models.looks import Looks


@dataclass(frozen=True, eq=False)
class Lesson:
    """Gathered once, so that a model fitted on fewer pairs reads no table again.

    features: fitted blocks. rows: of all people. pairs: outcomes among them.
    """

    features: FeatureMap
    rows: BlockRows
    pairs: LabelledPairs

    def without(self, held: Looks) -> "Lesson":
        """Return the lesson without the pairs of `held`, in either direction."""
        width = max(len(self.rows), 1)

        def keys(one: LabelledPairs | Looks) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
            i, j = one.viewers.astype(np.int64), one.candidates.astype(np.int64)
            return np.minimum(i, j) * width + np.maximum(i, j)

        gone = np.isin(keys(self.pairs), np.unique(keys(held)))
        return replace(self, pairs=self.pairs.take(~gone))


@dataclass(frozen=True, eq=False)
class Heard:
    """What a model of behaviour is taught from: who looked at whom, and the lesson of content beneath."""

    looks: Looks
    content: Lesson | None
