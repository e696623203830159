"""Scales: where a person stands on each questionnaire scale."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.population import Population
from recsys.features.applied.block import AppliedBlock
from recsys.features.factor_model import FactorModel
from recsys.features.rows import BlockRows
from recsys.types import Float64Array


@dataclass(frozen=True, eq=False)
class AppliedScales(AppliedBlock):
    """The bounded posterior mean of one factor a scale, given the questions a person answered.

    The pair score is the mean over scales of `tanh(f_i) * tanh(f_j)`, the same in both directions:
    0 for people in the middle or unknown, towards 1 for people at the same end.

    scales:    scale ids, the columns.
    questions: the questions used, scale by scale; `scale_of` `(n_questions,)` says whose it is.
    options:   the option ids of each question; `scores` `(n_questions, most_options)` their place on
               the scale in [-1, 1], NaN beyond the last option.
    mean, loading, noise: `(n_questions,)` of the factor models.
    """

    name: ClassVar[str] = "scales"

    scales: tuple[str, ...]
    questions: tuple[str, ...]
    options: tuple[tuple[str, ...], ...]
    scores: Float64Array
    scale_of: npt.NDArray[np.int64]
    mean: Float64Array
    loading: Float64Array
    noise: Float64Array

    @property
    def columns(self) -> tuple[str, ...]:
        """The scales."""
        return self.scales

    def items(self, people: Population) -> Float64Array:
        """Return the score of each person's answer to each question, `(n_people, n_questions)`."""
        items = np.full((len(people), len(self.questions)), np.nan)
        answers = people.long.answers
        number = pd.Index(self.questions, dtype=object).get_indexer(
            pd.Index(answers[C.QUESTION], dtype=object)
        )
        person, answer = answers[C.ROW].to_numpy(np.int64), answers[C.ANSWER].to_numpy(object)
        for at, options in enumerate(self.options):
            entries = np.flatnonzero(number == at)
            option = pd.Index(options, dtype=object).get_indexer(pd.Index(answer[entries], dtype=object))
            items[person[entries[option >= 0]], at] = self.scores[at, option[option >= 0]]
        return items

    def rows(self, people: Population) -> BlockRows:
        """Return the rows of everybody; both are the same."""
        items = self.items(people)
        standing = np.zeros((len(people), len(self.scales)))
        for column in range(len(self.scales)):
            own = self.scale_of == column
            model = FactorModel(self.mean[own], self.loading[own, None], self.noise[own])
            standing[:, column] = model.posterior_mean(items[:, own])[:, 0]
        matrix = (np.tanh(standing) / np.sqrt(max(len(self.scales), 1))).astype(np.float32)
        return BlockRows(matrix, matrix)
