"""Numeric: numbers of one's own by person, the way to bring answers the catalogue does not know."""

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.ids import check_match, hashed_strings
from recsys.data.population import Population
from recsys.errors import TableError
from recsys.features.base import Block, BlockRows, FittedBlock
from recsys.types import Float32Array, Float64Array, UInt64Array

SALT: Final = "numeric"
"""Of the hashes people are found by."""
MOST_UNKNOWN: Final = 0.3
"""Share of the ids that may be of others, while as many people have no row, without a warning."""


class Numeric(Block):
    """Any numbers by person, as what people look for and what people are.

    preferences: user_id and numeric columns, one row a person; a missing value or person is unknown.
    attributes:  the same columns about what the person is; `preferences` says both when None. A column
                 pairs what one looks for with what the other is: importance of humour with how funny
                 one is.
    limit:       standard deviations from the mean beyond which a number counts no further.

    Means and deviations are learned from the people given to `fit` alone; the frame may hold others, and
    gives them rows when they are scored. Leave out what a model should not learn from.

    >>> people = Population.of_ids(["a", "b"], as_of="2026-01-05")
    >>> rows = Numeric(pd.DataFrame({"user_id": ["a", "b"], "walks": [1.0, 3.0]})).fit_transform(people)
    >>> rows.preferences.ravel().round(2), rows.pair_scores([0], [1]).round(3)
    (array([-0.33,  0.33], dtype=float32), array([-0.111]))
    """

    name = "numeric"

    def __init__(
        self,
        preferences: pd.DataFrame,
        attributes: pd.DataFrame | None = None,
        *,
        limit: float = 3.0,
        name: str = "numeric",
    ) -> None:
        self.name = name
        self.preferences = preferences
        self.attributes = attributes
        self.limit = limit

    def _learn(self, people: Population, events: Events) -> "FittedNumeric":  # noqa: ARG002
        preferences = _numbers("preferences", self.preferences)
        attributes = preferences if self.attributes is None else _numbers("attributes", self.attributes)
        if set(preferences.columns) != set(attributes.columns):
            different = ", ".join(sorted(set(preferences.columns) ^ set(attributes.columns)))
            raise TableError("attributes", [f"columns differ from those of preferences: {different}"])
        attributes = attributes[preferences.columns]
        ids = preferences.index.union(attributes.index)
        check_match(
            people.ids, ids, what="the numbers", where="Numeric.fit", most=MOST_UNKNOWN, required=True
        )
        hashes = hashed_strings([str(user) for user in ids], salt=SALT)
        order = np.argsort(hashes, kind="stable")
        fitted = pd.Index(people.ids.values)
        return FittedNumeric(
            hashes=hashes[order],
            preferences=self._bounded(preferences, ids, fitted)[order],
            attributes=self._bounded(attributes, ids, fitted)[order],
            labels=tuple(str(column) for column in preferences.columns),
        )

    def _bounded(self, numbers: pd.DataFrame, ids: pd.Index, fitted: pd.Index) -> Float32Array:
        seen = numbers.reindex(fitted).to_numpy(np.float64)
        mean, deviation = moments(seen)
        standard = (numbers.reindex(ids).to_numpy(np.float64) - mean) / deviation
        within = np.clip(np.nan_to_num(standard), -self.limit, self.limit) / self.limit
        return (within / np.sqrt(max(numbers.shape[1], 1))).astype(np.float32)


@dataclass(frozen=True, eq=False)
class FittedNumeric(FittedBlock):
    """Standardised, bounded numbers by person; a person without a number stands at the mean, 0.

    The pair score is the mean over columns of `preference / limit * attribute / limit`, in [-1, 1].

    hashes: `(n_known,)` of the ids, ascending.
    preferences, attributes: `(n_known, n_columns)` float32, within +-1 / sqrt(n_columns).
    """

    name: ClassVar[str] = "numeric"

    hashes: UInt64Array
    preferences: Float32Array
    attributes: Float32Array
    labels: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names the numbers came with."""
        return self.labels

    def rows(self, people: Population) -> BlockRows:
        """Return the rows of everybody; people of whom no number is known get zeros."""
        wanted = hashed_strings(list(map(str, people.ids.values)), salt=SALT)
        preferences = np.zeros((len(people), len(self.labels)), np.float32)
        attributes = np.zeros_like(preferences)
        if len(self.hashes):
            at = np.minimum(np.searchsorted(self.hashes, wanted), len(self.hashes) - 1)
            known = self.hashes[at] == wanted
            preferences[known], attributes[known] = self.preferences[at[known]], self.attributes[at[known]]
        return BlockRows(preferences, attributes)


def moments(values: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Return mean and standard deviation of each column over the known values; 0 and 1 when constant."""
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, values, 0.0).sum(axis=0) / count
    deviation = np.sqrt((np.where(known, values - mean, 0.0) ** 2).sum(axis=0) / count)
    return mean, np.where(deviation > 0, deviation, 1.0)


def _numbers(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame by user_id as float64, or raise TableError with every problem."""
    problems = [] if C.USER in frame.columns else [f"column '{C.USER}' is missing"]
    columns = [column for column in frame.columns if column != C.USER]
    if not columns:
        problems.append("there is no column of numbers")
    for column in columns:
        if not (pd.api.types.is_numeric_dtype(frame[column]) or pd.api.types.is_bool_dtype(frame[column])):
            problems.append(f"column '{column}' holds no numbers; code it as numbers or leave it out")
        elif np.isinf(frame[column].to_numpy(np.float64, na_value=np.nan)).any():
            problems.append(f"column '{column}' holds an infinite number; leave it unknown")
    if C.USER in frame.columns and frame[C.USER].duplicated().any():
        first = frame.loc[frame[C.USER].duplicated(), C.USER].iloc[0]
        problems.append(f"a person stands twice, the first {first!r}; keep one row a person")
    if problems:
        raise TableError(name, problems)
    return frame.set_index(C.USER).astype("float64")
