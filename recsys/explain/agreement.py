"""Reason `answer:<question>`: both gave the same answer, and both show it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.explain.strongest import Arrays, Pairs, Strength, Things, strongest, table_of
from recsys.schema.catalogue.catalogue import Catalogue
from recsys.schema.columns import Columns as C
from recsys.schema.population import Population
from recsys.schema.vocabulary import AMOUNTS


class Agreement:
    """Questions both answered alike in public; never a sensitive one.

    Answers that are not public are dropped before anything is computed. Strength is how much the
    question matters to the viewer, which the viewer knows; what matters to the candidate is not read.
    """

    def __init__(self, people: Population, catalogue: Catalogue) -> None:
        questions = {name: q for name, q in catalogue.questions.items() if not q.sensitive}
        self._questions = sorted(questions)
        said = people.long.answers
        said = said[(said[C.VISIBILITY] == "public") & said[C.QUESTION].isin(self._questions)]
        # An answer is its number among the question's options from 1; 0 when the question has no such option.
        number = {(q.id, answer): n for q in questions.values() for n, answer in enumerate(q.answers, 1)}
        option = [number.get(pair, 0) for pair in zip(said[C.QUESTION], said[C.ANSWER], strict=True)]
        weight = 1 + np.searchsorted(AMOUNTS[C.IMPORTANCE], said[C.IMPORTANCE].to_numpy(np.int64))
        self._option = self._table(len(people), said[C.ROW], said[C.QUESTION], option)
        self._weight = self._table(len(people), said[C.ROW], said[C.QUESTION], weight)
        self.codes = [f"answer:{name}" for name in self._questions]

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], codes: Sequence[str]) -> "Agreement":
        """Take back what `arrays` returned."""
        kind = cls.__new__(cls)
        kind.codes = list(codes)
        kind._questions = [code.partition(":")[2] for code in codes]
        kind._option, kind._weight = np.asarray(arrays["option"]), np.asarray(arrays["weight"])
        return kind

    def arrays(self) -> Arrays:
        """Return what is held of people: public answers to questions that are not sensitive."""
        return {"option": self._option, "weight": self._weight}

    def _table(
        self, n_people: int, row: npt.ArrayLike, question: npt.ArrayLike, value: npt.ArrayLike
    ) -> Strength:
        return table_of(n_people, self._questions, row, question, value)

    def of(self, viewer: Pairs, candidate: Pairs, most: int) -> Things:
        """Return positions in `codes`, `(n_pairs, most)`, -1 for none."""

        def alike(i: Pairs, j: Pairs) -> Strength:
            return self._weight[i] * ((self._option[i] == self._option[j]) & (self._option[i] > 0))

        return strongest(len(self._questions), viewer, candidate, alike, most=most)
