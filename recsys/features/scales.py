"""Questionnaire scales: where a person stands on each, and how far a scale agrees with itself."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.entries import Question
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.features.base import Block, BlockRows, FittedBlock, by_question, positions
from recsys.features.factor_analysis import FactorModel, FactorPrior, fit_factor_model
from recsys.features.learned_scales import learn_scales
from recsys.types import Float64Array, Int64Array


class Scales(Block):
    """Where people stand on each scale, from a factor model that allows for unanswered questions.

    evidence:  people's worth of prior in each question's loading and noise.
    catalogue: the questions and scales; those of the people when None. Sensitive and retired ones are left
               out. Where a question names no scale, the scale is learned, see `learn_scales`; questions
               whose options have no order enter no scale.
    max_people: people to learn from, at most; of more, always the same ones are drawn evenly. Twenty
               thousand give a loading to about 0.01; everybody's standing is found all the same.

    After `fit`, `reliability_` holds the split-half reliability (Spearman-Brown) of each scale, NaN
    where too few people answered.

    >>> people = Population.of_ids(["a", "b"], as_of="2026-01-05")
    >>> sorted(Scales().fit(people).reliability_) == list(Scales().fit(people).fitted_.columns)
    True
    """

    name = "scales"

    def __init__(
        self,
        *,
        evidence: float = 10.0,
        catalogue: Catalogue | None = None,
        max_people: int = 20_000,
        name: str = "scales",
    ) -> None:
        self.name = name
        self.evidence = evidence
        self.catalogue = catalogue
        self.max_people = max_people

    def _learn(self, people: Population, events: Events) -> "FittedScales":  # noqa: ARG002
        learned_from = _subsample(people, self.max_people)
        state = _unfitted(self._scaled(self.catalogue or people.catalogue, learned_from))
        items = state.items(learned_from)
        mean, loading, noise = state.mean.copy(), state.loading.copy(), state.noise.copy()
        self.reliability_ = {}
        for column, scale in enumerate(state.scales):
            own = state.scale_of == column
            model = fit_factor_model(items[:, own], prior=FactorPrior(evidence=self.evidence))
            mean[own], loading[own], noise[own] = model.mean, model.loadings[:, 0], model.noise
            self.reliability_[scale] = split_half(items[:, own] * np.sign(model.loadings[:, 0]))
        return replace(state, mean=mean, loading=loading, noise=noise)

    @staticmethod
    def _scaled(catalogue: Catalogue, people: Population) -> list[tuple[str, Question]]:
        """Return the questions with the scale of each: the one it names, else a learned one."""
        usable = [
            question
            for question in catalogue.questions.values()
            if question.is_learned and all(option.score is not None for option in question.options)
        ]
        open_ones = sorted((q for q in usable if q.scale is None), key=lambda q: q.id)
        scaled = [(question.scale, question) for question in usable if question.scale is not None]
        if open_ones:
            items = _unfitted([("", question) for question in open_ones]).items(people)
            names = learn_scales(items, tuple(question.id for question in open_ones))
            scaled += zip(names, open_ones, strict=True)
        return scaled


@dataclass(frozen=True, eq=False)
class FittedScales(FittedBlock):
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
    scale_of: Int64Array
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
        number = positions(answers[C.QUESTION], self.questions)
        person = answers[C.ROW].to_numpy(np.int64)
        for at, entries, option in by_question(number, answers[C.ANSWER], self.options):
            known = option >= 0
            items[person[entries[known]], at] = self.scores[at, option[known]]
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


def _subsample(people: Population, size: int) -> Population:
    """Return everybody, or `size` of them drawn evenly with a fixed seed, in order."""
    if len(people) <= size:
        return people
    return people.take(np.sort(np.random.default_rng(0).choice(len(people), size, replace=False)))


def _unfitted(scaled: list[tuple[str, Question]]) -> "FittedScales":
    scaled = sorted(scaled, key=lambda pair: (pair[0], pair[1].id))
    questions = [question for _, question in scaled]
    scales = tuple(sorted({scale for scale, _ in scaled}))
    blank = np.zeros(len(questions))
    return FittedScales(
        scales=scales,
        questions=tuple(question.id for question in questions),
        options=tuple(question.answers for question in questions),
        scores=_scores(questions),
        scale_of=np.array([scales.index(scale) for scale, _ in scaled], np.int64),
        mean=blank,
        loading=blank,
        noise=blank + 1.0,
    )


def _scores(questions: list[Question]) -> Float64Array:
    scores = np.full((len(questions), max((len(q.options) for q in questions), default=0)), np.nan)
    for at, question in enumerate(questions):
        scores[at, : len(question.options)] = [option.score for option in question.options]
    return scores


def spearman_brown(correlation: float) -> float:
    """Return the reliability of a whole test from the correlation of its halves, at most 1.

    Source: Spearman 1910, Brown 1910. A correlation of -1 or below gives -inf.

    >>> round(spearman_brown(0.5), 4)
    0.6667
    """
    return 2.0 * correlation / (1.0 + correlation) if correlation > -1.0 else -np.inf


def correlation(a: Float64Array, b: Float64Array) -> float:
    """Return the Pearson correlation of the places where both are known, NaN when undefined."""
    both = ~(np.isnan(a) | np.isnan(b))
    if both.sum() < 3 or np.ptp(a[both]) == 0 or np.ptp(b[both]) == 0:
        return float("nan")
    return float(np.corrcoef(a[both], b[both])[0, 1])


def split_half(items: Float64Array, *, rng: np.random.Generator | None = None, splits: int = 20) -> float:
    """Return the split-half reliability (Spearman-Brown) of the mean of some items.

    items: `(n_people, n_items)`, NaN where unanswered, all pointing the same way. Without `rng` the
    halves are the odd and the even items; with it, the mean over random halves. NaN when there are
    fewer than two items or too few people.
    """
    n_items = items.shape[1]
    if n_items < 2:
        return float("nan")
    orders = [np.arange(n_items)] if rng is None else [rng.permutation(n_items) for _ in range(splits)]
    found = [correlation(_mean(items[:, order[::2]]), _mean(items[:, order[1::2]])) for order in orders]
    reliabilities = [spearman_brown(value) for value in found if not np.isnan(value)]
    return float(np.mean(reliabilities)) if reliabilities else float("nan")


def _mean(items: Float64Array) -> Float64Array:
    seen = ~np.isnan(items)
    count = seen.sum(axis=1)
    total = np.where(seen, items, 0.0).sum(axis=1)
    return np.divide(total, count, out=np.full(len(items), np.nan), where=count > 0)
