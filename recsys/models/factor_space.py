"""A space of factors in which people differ: where each would be by prior, and what evidence says."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.memory import set_aside
from recsys.models.directed import pair_dots
from recsys.models.fold_in import fold_in_answers
from recsys.models.impressions import Impressions
from recsys.types import Float64Array, IntegerArray

_LEAST = 1e-6


@dataclass(frozen=True, eq=False)
class FactorSpace:
    """Rows of everybody in one space; the score of a pair is `sum scale * taste * appeal`.

    taste, appeal: `(n_people, k)`, prior means of about unit variance a column.
    scale:         `(k,)` logits a column is worth.
    """

    taste: Float64Array
    appeal: Float64Array
    scale: Float64Array

    def score(
        self, taste: Float64Array, appeal: Float64Array, i: IntegerArray, j: IntegerArray
    ) -> Float64Array:
        """Return the pair scores of rows of any kind in this space."""
        return pair_dots(taste * self.scale, appeal, i, j)

    def folded(
        self, impressions: Impressions, offset: Float64Array, bases: "Deviations", strength: float, steps: int
    ) -> tuple[Float64Array, Float64Array]:
        """Return everybody's taste and appeal after what they, and others about them, said.

        offset: logit of each impression without this space. bases: where the other side of a pair stands,
        so that every person is folded in on their own.
        """
        rows = []
        sides = ((self.taste, self.appeal, bases.appeal), (self.appeal, self.taste, bases.taste))
        for (prior, others, moved), evidence in zip(sides, impressions.grouped(len(self.taste)), strict=True):
            rows.append(
                fold_in_answers(
                    prior,
                    evidence,
                    (others + moved) * self.scale,
                    labels=impressions.labels,
                    weights=impressions.looks,
                    offset=offset,
                    strength=strength,
                    steps=steps,
                )
            )
        return rows[0], rows[1]


@dataclass(frozen=True, eq=False)
class Deviations:
    """How far evidence moved each person in a space, `(n_people, k)` each; 0 without evidence."""

    taste: Float64Array
    appeal: Float64Array

    @classmethod
    def none(cls, n_people: int, k: int) -> "Deviations":
        """Nobody was moved."""
        return cls(np.zeros((n_people, k)), np.zeros((n_people, k)))

    def set_aside(self) -> None:
        """Let large shifts wait in a file; see `recsys.memory.set_aside`."""
        set_aside(self, "taste", "appeal")

    def at(self, rows: npt.NDArray[np.integer]) -> "Deviations":
        """Return the shifts at `rows`; nothing for a row of -1."""
        if np.array_equal(rows, np.arange(len(self.taste))):
            return self  # everybody in order, as while a model is fitted
        return Deviations(rows_at(self.taste, rows), rows_at(self.appeal, rows))


def rows_at(values: Float64Array, rows: npt.NDArray[np.integer]) -> Float64Array:
    """Return `values` at `rows`, zeros where the row is -1.

    >>> rows_at(np.array([[1.0], [2.0]]), np.array([1, -1])).tolist()
    [[2.0], [0.0]]
    """
    found = np.zeros((len(rows), *values.shape[1:]))
    known = rows >= 0
    found[known] = values[rows[known]]
    return found


@dataclass(frozen=True, eq=False)
class FactorScaler:
    """How raw factors become the rows of a space: centred, unit variance, with what a column is worth.

    mean_*, sd_*: `(k,)` of the raw columns.
    """

    mean_taste: Float64Array
    mean_appeal: Float64Array
    sd_taste: Float64Array
    sd_appeal: Float64Array
    scale: Float64Array

    @classmethod
    def of(cls, taste: Float64Array, appeal: Float64Array, spread: float | None = None) -> "FactorScaler":
        """Measure raw factors, `(n, k)` each, of those who gave answers and of those who got some.

        With `spread` the pair scores get that deviation.
        """
        k = taste.shape[1]
        if not len(taste) or not len(appeal):
            return cls(np.zeros(k), np.zeros(k), np.ones(k), np.ones(k), np.zeros(k))
        sd_taste, sd_appeal = taste.std(axis=0), appeal.std(axis=0)
        live = (sd_taste > _LEAST) & (sd_appeal > _LEAST)
        scale = np.where(live, sd_taste * sd_appeal, 0.0)
        if spread is not None and live.any():
            scale *= spread / float(np.sqrt((scale**2).sum()))
        return cls(
            taste.mean(axis=0),
            appeal.mean(axis=0),
            np.where(live, sd_taste, 1.0),
            np.where(live, sd_appeal, 1.0),
            scale,
        )

    def rows(self, taste: Float64Array, appeal: Float64Array) -> FactorSpace:
        """Return raw factors as a space."""
        return FactorSpace(
            (taste - self.mean_taste) / self.sd_taste,
            (appeal - self.mean_appeal) / self.sd_appeal,
            self.scale,
        )
