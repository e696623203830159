"""What a model is taught from: everybody's rows, and who wanted to know whom."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from recsys.features.feature_map import FeatureMap
from recsys.features.rows import BlockRows
from recsys.models.labelled_pairs import LabelledPairs
from recsys.models.looks import Looks
from recsys.schema.population import Population


@dataclass(frozen=True, eq=False)
class Lesson:
    """Gathered once, so that a model fitted on fewer pairs reads no table again.

    features: fitted blocks. people: who is learned from. pairs: outcomes among them.
    """

    features: FeatureMap
    people: Population
    pairs: LabelledPairs

    @cached_property
    def rows(self) -> BlockRows:
        """The rows of all people; they are made when first asked for, when events are gone."""
        return self.features.concatenated(self.people)

    def forget_rows(self) -> None:
        """Let go of the rows, the largest of what is taught from; they are made again when asked for."""
        self.__dict__.pop("rows", None)

    def without(self, held: Looks) -> "Lesson":
        """Return the lesson without the pairs of `held`, in either direction."""
        width = max(len(self.people), 1)

        def keys(one: LabelledPairs | Looks) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
            i, j = one.viewers.astype(np.int64), one.candidates.astype(np.int64)
            return np.minimum(i, j) * width + np.maximum(i, j)

        gone = np.isin(keys(self.pairs), np.unique(keys(held)))
        left = replace(self, pairs=self.pairs.take(~gone))
        left.__dict__["rows"] = self.rows
        return left


@dataclass(frozen=True, eq=False)
class Heard:
    """What a model of behaviour is taught from: who looked at whom, and the lesson of content beneath."""

    looks: Looks
    content: Lesson | None
