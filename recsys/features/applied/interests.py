"""Interests: what people like, through what is like it."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.population import Population
from recsys.features.applied.block import AppliedBlock
from recsys.features.ngrams import hashed_ngrams
from recsys.features.rows import BlockRows
from recsys.features.sums import sums_by_person, unit_rows
from recsys.types import Float64Array

_MODES = {"online": -1.0, "in_person": 1.0, "both": 0.0}


def centred_levels(table: pd.DataFrame, n_people: int, unlisted: float) -> Float64Array:
    """Return each listed level minus its person's mean level, aligned with `table`.

    The mean counts `unlisted` further tags at level 0, so that someone who gives every tag the same
    level still likes them all, and someone who lists few is not thought to like everything else.
    """
    person = table[C.ROW].to_numpy(np.int64)
    level = table[C.LEVEL].to_numpy(np.float64)
    total, count = np.bincount(person, level, n_people), np.bincount(person, minlength=n_people)
    return level - (total / np.maximum(count + unlisted, 1e-12))[person]


def with_levels(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of an interests table whose level is known, once a person and tag."""
    known = table[pd.to_numeric(table[C.LEVEL], errors="coerce").notna().to_numpy(bool)]
    return known.drop_duplicates([C.ROW, C.TAG]).reset_index(drop=True)


@dataclass(frozen=True, eq=False)
class AppliedInterests(AppliedBlock):
    """Centred levels summed over tag vectors, at most unit length, and how one likes to share.

    The pair score is `(1 - mode_weight) * z_i . z_j + mode_weight * m_i * m_j`, where z is the sum of
    centred level times tag vector, shortened by `slack`, and m the mean share mode from -1 (online)
    to 1 (in person). It is the same in both directions.

    tags:    the known interests, each with a row of `vectors` `(n_tags, rank)`.
    width:   columns of hashed n-grams for every other tag.
    """

    name: ClassVar[str] = "interests"

    tags: tuple[str, ...]
    vectors: npt.NDArray[np.float32]
    width: int
    unlisted: float
    slack: float
    mode_weight: float

    @property
    def columns(self) -> tuple[str, ...]:
        """Latent directions, n-gram columns, and the share mode."""
        latent = tuple(f"latent_{at}" for at in range(self.vectors.shape[1]))
        return (*latent, *(f"ngram_{at}" for at in range(self.width)), "share_mode")

    def rows(self, people: Population) -> BlockRows:
        """Return the rows of everybody; both are the same."""
        table = with_levels(people.long.interests)
        person = table[C.ROW].to_numpy(np.int64)
        entry, vectors = self._vectors(table[C.TAG])
        levels = centred_levels(table, len(people), self.unlisted)
        held = unit_rows(sums_by_person(person, entry, levels, vectors, len(people)), self.slack)
        modes = self._modes(table, person, len(people))
        rows = np.column_stack([held * np.sqrt(1.0 - self.mode_weight), modes * np.sqrt(self.mode_weight)])
        matrix = np.ascontiguousarray(rows, np.float32)
        return BlockRows(matrix, matrix)

    def _vectors(self, tags: "pd.Series[Any]") -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """Return for each row the position of its tag in a table of vectors, and that table."""
        entry, distinct = pd.factorize(tags.astype(object))
        place = pd.Index(self.tags, dtype=object).get_indexer(pd.Index(distinct, dtype=object))
        rank = self.vectors.shape[1]
        vectors = np.zeros((len(distinct), rank + self.width), np.float32)
        vectors[place >= 0, :rank] = self.vectors[place[place >= 0]]
        free = [str(tag) for tag, at in zip(distinct, place, strict=True) if at < 0]
        vectors[place < 0, rank:] = hashed_ngrams(free, self.width)
        return entry.astype(np.int64), vectors

    @staticmethod
    def _modes(table: pd.DataFrame, person: npt.NDArray[np.int64], n_people: int) -> Float64Array:
        mode = table[C.SHARE_MODE].map(_MODES).fillna(0.0).to_numpy(np.float64)
        count = np.maximum(np.bincount(person, minlength=n_people), 1)
        return np.asarray(np.bincount(person, mode, n_people) / count)
