"""The values block: learns how often each answer is given."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.loading import load_catalogue
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.features.applied.values import AppliedValues
from recsys.features.block import Block


class Values(Block):
    """Answers one accepts, weighed by importance, against the other's answers.

    kappa:     evidence, in equally weighed questions, at which a looker's own wishes count as much as
               the prior; it keeps one heavy answer from being a full match.
    smoothing: answers added to each option when its share is counted.
    catalogue: the questions; the packaged ones when None. Sensitive questions are left out.
    """

    name = "values"

    def __init__(
        self, *, kappa: float = 3.0, smoothing: float = 1.0, catalogue: Catalogue | None = None
    ) -> None:
        self.kappa = kappa
        self.smoothing = smoothing
        self.catalogue = catalogue

    def _learn(self, people: Population, events: Events) -> AppliedValues:  # noqa: ARG002
        catalogue = self.catalogue or load_catalogue()
        questions = [q for _, q in sorted(catalogue.questions.items()) if not q.sensitive]
        options = tuple(question.answers for question in questions)
        state = AppliedValues(
            questions=tuple(question.id for question in questions),
            options=options,
            shares=self._shares(people, [q.id for q in questions], options),
            prior=0.5,
            kappa=self.kappa,
        )
        return AppliedValues(**{**state.meta(), **state.arrays(), "prior": self._prior(state, people)})

    def _shares(
        self, people: Population, questions: list[str], options: tuple[tuple[str, ...], ...]
    ) -> npt.NDArray[np.float64]:
        answers = people.long.answers
        given = pd.MultiIndex.from_arrays(
            [answers[C.QUESTION].astype(object), answers[C.ANSWER].astype(object)]
        )
        counts = given.value_counts()
        shares = []
        for question, words in zip(questions, options, strict=True):
            count = np.array([float(counts.get((question, word), 0)) for word in words]) + self.smoothing
            shares.append(count / count.sum() if count.sum() > 0 else np.full(len(words), 1.0 / len(words)))
        return np.concatenate(shares) if shares else np.empty(0)

    @staticmethod
    def _prior(state: AppliedValues, people: Population) -> float:
        """Return the mean satisfaction of lookers with an average person, 0.5 without lookers."""
        looking = state.looking(state.known_answers(people), len(people))
        if len(looking.person) == 0:
            return 0.5
        satisfied = looking.weight * (looking.sets @ state.shares)[looking.accepts]
        return float(satisfied.sum() / len(np.unique(looking.person)))
