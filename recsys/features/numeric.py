"""The numeric block: the way to bring answers the catalogue does not know."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.ids import hashed_strings
from recsys.data.population import Population
from recsys.errors import TableError
from recsys.features.applied.numeric import SALT, AppliedNumeric
from recsys.features.block import Block
from recsys.types import Float64Array


class Numeric(Block):
    """Any numbers by person, as what people look for and what people are.

    looks: user_id and numeric columns, one row a person; a missing value or person is unknown.
    is_:   the same columns about what the person is; `looks` says both when None. A column pairs what
           one looks for with what the other is: importance of humour with how funny one is.
    limit: standard deviations from the mean beyond which a number counts no further.

    Means and deviations are learned from the people given to `fit` alone; the frame may hold others, and
    gives them rows when they are scored. Leave out what a model should not learn from.

    >>> people = Population.of_ids(["a", "b"], as_of="2026-01-05")
    >>> rows = Numeric(pd.DataFrame({"user_id": ["a", "b"], "walks": [1.0, 3.0]})).fit_transform(people)
    >>> rows.looks.ravel().round(2), rows.pair_scores([0], [1]).round(3)
    (array([-0.33,  0.33], dtype=float32), array([-0.111]))
    """

    name = "numeric"

    def __init__(self, looks: pd.DataFrame, is_: pd.DataFrame | None = None, *, limit: float = 3.0) -> None:
        self.looks = looks
        self.is_ = is_
        self.limit = limit

    def _learn(self, people: Population, events: Events) -> AppliedNumeric:  # noqa: ARG002
        looks = _numbers("looks", self.looks)
        is_ = looks if self.is_ is None else _numbers("is_", self.is_)
        if set(looks.columns) != set(is_.columns):
            different = ", ".join(sorted(set(looks.columns) ^ set(is_.columns)))
            raise TableError("is_", [f"columns differ from those of looks: {different}"])
        is_ = is_[looks.columns]
        ids = looks.index.union(is_.index)
        hashes = hashed_strings([str(user) for user in ids], salt=SALT)
        order = np.argsort(hashes, kind="stable")
        fitted = pd.Index(people.ids.values)
        return AppliedNumeric(
            hashes=hashes[order],
            looks=self._bounded(looks, ids, fitted)[order],
            is_=self._bounded(is_, ids, fitted)[order],
            labels=tuple(str(column) for column in looks.columns),
        )

    def _bounded(self, numbers: pd.DataFrame, ids: pd.Index, fitted: pd.Index) -> npt.NDArray[np.float32]:
        seen = numbers.reindex(fitted).to_numpy(np.float64)
        mean, deviation = _moments(seen)
        standard = (numbers.reindex(ids).to_numpy(np.float64) - mean) / deviation
        within = np.clip(np.nan_to_num(standard), -self.limit, self.limit) / self.limit
        return (within / np.sqrt(max(numbers.shape[1], 1))).astype(np.float32)


def _moments(values: Float64Array) -> tuple[Float64Array, Float64Array]:
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
