"""The scales block: learns how the questions of a scale hang together."""

from dataclasses import replace

import numpy as np

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.entries import Question
from recsys.catalogue.loading import load_catalogue
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.features.applied.scales import AppliedScales
from recsys.features.block import Block
from recsys.features.factor_model import FactorPrior, fit_factor_model
from recsys.features.reliability import split_half


class Scales(Block):
    """Where people stand on each scale, from a factor model that allows for unanswered questions.

    evidence:  people's worth of prior in each question's loading and noise.
    catalogue: the questions and scales; the packaged ones when None. Sensitive ones are left out.
    most:      people to learn from, at most; of more, always the same ones are drawn evenly. Twenty
               thousand give a loading to about 0.01; everybody's standing is found all the same.

    After `fit`, `reliability_` holds the split-half reliability (Spearman-Brown) of each scale, NaN
    where too few people answered.
    """

    name = "scales"

    def __init__(
        self, *, evidence: float = 10.0, catalogue: Catalogue | None = None, most: int = 20_000
    ) -> None:
        self.evidence = evidence
        self.catalogue = catalogue
        self.most = most

    def _learn(self, people: Population, events: Events) -> AppliedScales:  # noqa: ARG002
        state = _unfitted(self.catalogue or load_catalogue())
        items = state.items(_some(people, self.most))
        mean, loading, noise = state.mean.copy(), state.loading.copy(), state.noise.copy()
        self.reliability_ = {}
        for column, scale in enumerate(state.scales):
            own = state.scale_of == column
            model = fit_factor_model(items[:, own], prior=FactorPrior(evidence=self.evidence))
            mean[own], loading[own], noise[own] = model.mean, model.loadings[:, 0], model.noise
            self.reliability_[scale] = split_half(items[:, own] * np.sign(model.loadings[:, 0]))
        return replace(state, mean=mean, loading=loading, noise=noise)


def _some(people: Population, most: int) -> Population:
    """Return everybody, or `most` of them drawn evenly with a fixed seed, in order."""
    if len(people) <= most:
        return people
    return people.take(np.sort(np.random.default_rng(0).choice(len(people), most, replace=False)))


def _unfitted(catalogue: Catalogue) -> AppliedScales:
    questions = sorted(
        (q for q in catalogue.questions.values() if not q.sensitive), key=lambda q: (q.scale, q.id)
    )
    scales = tuple(sorted({question.scale for question in questions}))
    blank = np.zeros(len(questions))
    return AppliedScales(
        scales=scales,
        questions=tuple(question.id for question in questions),
        options=tuple(question.answers for question in questions),
        scores=_scores(questions),
        scale_of=np.array([scales.index(question.scale) for question in questions], np.int64),
        mean=blank,
        loading=blank,
        noise=blank + 1.0,
    )


def _scores(questions: list[Question]) -> np.ndarray:
    scores = np.full((len(questions), max((len(q.options) for q in questions), default=0)), np.nan)
    for at, question in enumerate(questions):
        scores[at, : len(question.options)] = [option.score for option in question.options]
    return scores
