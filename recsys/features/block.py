"""The scikit-learn shape of a feature block."""

from abc import abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin

from recsys.data.events import Events
from recsys.data.population import Population
from recsys.errors import NotFittedError, explained
from recsys.features.applied.block import AppliedBlock
from recsys.features.rows import BlockRows


class Block(TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):  # type: ignore[misc, call-arg]
    """Learns one group of features from people; the fitted part is `state_`, plain arrays.

    A block is a scikit-learn transformer whose X is a `Population`: `transform` gives two aligned
    rows a person, and their inner product is the block's pair score in [-1, 1].

    >>> from recsys.features.talk import Talk
    >>> people = Population.of_ids(["a", "b"], as_of="2026-01-05")
    >>> Talk().fit_transform(people).pair_scores([0], [1])
    array([0.])
    """

    name: ClassVar[str]
    state_: AppliedBlock

    @abstractmethod
    def _learn(self, people: Population, events: Events) -> AppliedBlock:
        """Return what is learned from `people` and the events up to their time."""

    def fit(self, people: Population, y: object = None, *, events: Events | None = None) -> Self:  # noqa: ARG002
        """Learn from `people` (and the `events` of the time before `people.as_of`), return self."""
        known = Events.none() if events is None else events.until(people.as_of)
        self.state_ = self._learn(people, known)
        return self

    def transform(self, people: Population) -> BlockRows:
        """Return the two rows of everybody, `(n_people, n_columns)` each.

        Raises NotFittedError before `fit`.
        """
        return self._fitted().rows(people)

    def get_feature_names_out(self, input_features: object = None) -> npt.NDArray[np.object_]:  # noqa: ARG002
        """Return the name of each column, `BLOCK:COLUMN`."""
        names = [f"{self.name}:{column}" for column in self._fitted().columns]
        return np.asarray(names, dtype=object)

    def _fitted(self) -> AppliedBlock:
        if not hasattr(self, "state_"):
            raise NotFittedError(explained(f"{type(self).__name__} was not fitted", remedy="call fit first"))
        return self.state_

    def __sklearn_clone__(self) -> Any:
        """Return an unfitted block with the same parameters, which are all frozen values."""
        return type(self)(**self.get_params(deep=False))
