"""Baselines of two plain matrices, calibrated on pairs left out."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from recsys.history.events import Events
from recsys.models.calibration import Platt, fit_platt
from recsys.models.directed import Directed
from recsys.models.looks import Looks
from recsys.models.model import Arrays, Meta, Model
from recsys.models.pair_parts import FACTORS, LEVEL, PairParts, Part
from recsys.models.space import rows_at
from recsys.schema.ids import IdIndex, Rows
from recsys.schema.population import Population
from recsys.schema.strings import packed_strings, unpacked_strings

Floats = npt.NDArray[np.float64]
_NOISE = 1e-9
"""Scores that differ by less than this share of the largest are equal, but for rounding."""


class CalibratedFactors(Model):
    """A score that is an inner product, turned into a probability by a Platt line.

    The line is fitted on a fifth of the answers, which the matrices it is fitted for have not seen;
    then the matrices are learned from all. Answers are used, exposures without one are not.
    Subclasses give the matrices of the people of the fit; people never seen have rows of zeros.
    """

    @abstractmethod
    def _factors(self, people: Population, answers: Looks, rng: Generator) -> tuple[Floats, Floats]:
        """Return taste and appeal, `(n_people, n_factors)` each."""

    def _learn(self, people: Population, events: Events, rng: Generator) -> None:
        looks = Looks.from_events(people, events)
        answers = looks.take(looks.answered)
        held = answers.pair_folds(5, rng) == 0
        seen, unseen = answers.take(~held), answers.take(held)
        taste, appeal = self._factors(people, seen, rng)
        scores = np.einsum("pf,pf->p", taste[unseen.viewers], appeal[unseen.candidates])
        scale = float(np.abs(scores - scores.mean()).mean()) if len(scores) else 0.0
        if scale <= _NOISE * float(np.abs(scores).max(initial=0.0)):
            scale = 1.0
        line = fit_platt(scores / scale, unseen.labels) if len(scores) else Platt()
        self.platt_ = Platt(line.slope / scale, line.intercept)
        self.ids_ = people.ids.values
        self.taste_, self.appeal_ = self._factors(people, answers, rng)

    def _apply(self, people: Population) -> Directed:
        rows = IdIndex(self.ids_).find(people.ids.values)
        taste, appeal = rows_at(self.taste_, rows), rows_at(self.appeal_, rows)
        return self.platt_.applied(Directed.of(people.ids, taste=taste, appeal=appeal, cell=people.cells))

    def _column_parts(self) -> dict[Part, slice]:
        """Return which columns of the matrices make which part."""
        return {FACTORS: slice(None)}

    def _pair_parts(self, pair: Population, i: Rows, j: Rows) -> PairParts:
        rows = IdIndex(self.ids_).find(pair.ids.values)
        scores = rows_at(self.taste_, rows)[i] * rows_at(self.appeal_, rows)[j] * self.platt_.slope
        parts = {part: scores[:, columns].sum(axis=1) for part, columns in self._column_parts().items()}
        return {LEVEL: np.full(len(i), self.platt_.intercept), **parts}

    def _arrays(self) -> tuple[Arrays, Meta]:
        text, ends = packed_strings(self.ids_)
        arrays: Arrays = {"ids_text": text, "ids_ends": ends, "taste": self.taste_, "appeal": self.appeal_}
        return arrays, {"platt": [self.platt_.slope, self.platt_.intercept]}

    def _restore(self, arrays: Mapping[str, npt.NDArray[Any]], meta: Mapping[str, Any]) -> None:
        self.ids_ = np.asarray(unpacked_strings(arrays["ids_text"], arrays["ids_ends"]), dtype=object)
        self.taste_, self.appeal_ = arrays["taste"], arrays["appeal"]
        self.platt_ = Platt(*meta["platt"])
