"""Questionnaire scales: where a person stands, how reliable a scale is, and scales learned from answers.

Where a catalogue names no scales, those found in the answers say which questions go together.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final

import numpy as np

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.entries import Question
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.features.base import Block, BlockRows, FittedBlock, by_question, positions
from recsys.features.factor_analysis import (
    FactorModel,
    FactorPrior,
    between_groups,
    fit_factor_model,
    in_one_group,
)
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


MOST_SCALES: Final = 12
_STRONGEST: Final = 3
_ROUNDS: Final = 30
_LEAST_ITEMS: Final = 2
_LEAST_BOTH: Final = 3
_CURVE: Final = 0.6
"""Share of the variance of a factor that makes it a curve of others. In drawn surveys of two to four traits
and some 300 people it is .64 to .91 for curves, and at most .55 for traits however weak."""


def learn_scales(items: Float64Array, questions: tuple[str, ...]) -> tuple[str, ...]:
    """Return the scale of each question: a factor model with missing answers, rotated, and parted by factor.

    A scale is named by its strongest questions, the strongest first, as `learned:a+b+c`. With fewer than two
    questions, or answers of nobody, all stand on one scale.

    items: `(n_people, n_questions)` scores in [-1, 1], NaN where unanswered. Deterministic.

    >>> learn_scales(np.zeros((0, 2)), ("a", "b"))
    ('learned:a+b', 'learned:a+b')
    """
    n_factors = max(count_factors(items), 1)
    model = fit_factor_model(items, n_factors, prior=FactorPrior(evidence=10.0), rounds=_ROUNDS)
    strength = varimax(model.loadings / np.sqrt(model.noise + (model.loadings**2).sum(axis=1))[:, None])
    scale_of = _assigned(np.abs(strength))
    names = {}
    for scale in np.unique(scale_of):
        own = np.flatnonzero(scale_of == scale)
        order = own[np.argsort(-np.abs(strength[own, scale]), kind="stable")]
        names[scale] = "learned:" + "+".join(questions[at] for at in order[:_STRONGEST])
    return tuple(names[scale] for scale in scale_of)


def count_factors(items: Float64Array, groups: Sequence[int] | None = None) -> int:
    """Return how many factors stand out of noise, 0 to `MOST_SCALES`; 1 where too little is known to say.

    Eigenvalues of the correlations of those who answered both are held against the largest that noise of so
    many people and questions gives (Marchenko and Pastur 1967). A question that few answered counts for less.

    groups: see `fit_factor_model`; what items of one group share is no factor. Nor is the weakest factor
    where people's standings on it are a curve of their standings on the others: where answers are items of
    their own, those in the middle of one trait go together, which shows as a factor of "middle against ends"
    (the Guttman effect; M. J. Greenacre, "Theory and Applications of Correspondence Analysis", 1984).

    >>> count_factors(np.zeros((0, 3)))
    1
    """
    seen = (~np.isnan(items)).astype(np.float64)
    n_both = seen.T @ seen
    if items.shape[1] < 2 * _LEAST_ITEMS or n_both.mean() < _LEAST_BOTH:
        return 1
    count = np.maximum(seen.sum(axis=0), 1.0)
    mean = np.where(seen > 0, items, 0.0).sum(axis=0) / count
    centred = np.where(seen > 0, items - mean, 0.0)
    deviation = np.sqrt((centred**2).sum(axis=0) / count)
    scaled = centred / np.where(deviation > 0, deviation, 1.0)
    together = None if groups is None else in_one_group(groups)
    # noise of the usual size in every correlation: one of few people, which is mostly noise, counts for less
    certainty = np.sqrt(np.minimum(n_both / n_both.mean(), 1.0)) * (n_both >= _LEAST_BOTH)
    np.fill_diagonal(certainty, 1.0)
    correlations = scaled.T @ scaled / np.maximum(n_both, 1.0) * certainty
    values = np.linalg.eigvalsh(between_groups(correlations, together))
    n_apart = items.shape[1] if together is None else 1.0 + (~together).sum() / items.shape[1]
    noise = (1.0 + np.sqrt(n_apart / n_both.mean())) ** 2
    most = min(MOST_SCALES, items.shape[1] // _LEAST_ITEMS)
    n_factors = min(int((values > noise).sum()), most)
    answers = np.where(seen > 0, scaled, np.nan)
    while groups is not None and n_factors > 1 and _weakest_is_a_curve(answers, n_factors, groups):
        n_factors -= 1
    return n_factors


def _weakest_is_a_curve(items: Float64Array, n_factors: int, groups: Sequence[int]) -> bool:
    """Say whether the weakest factor, more than any other, is a function of the others.

    Each is regressed on the others with their squares, products and cubes. Where another one is a better
    function than the weakest, leaving the weakest out would not leave out the curve.
    """
    model = fit_factor_model(items, n_factors, prior=FactorPrior(), rounds=_ROUNDS, groups=groups)
    _, turn = np.linalg.eigh(model.loadings.T @ model.weighted_loadings())
    standing = model.posterior_mean(items) @ turn
    standing /= np.maximum(standing.std(axis=0), 1e-12)
    explained = [_explained_by_curves(standing, at) for at in range(n_factors)]
    return explained[0] > _CURVE and explained[0] >= max(explained)


def _explained_by_curves(standing: Float64Array, at: int) -> float:
    """Return the share of the variance of one column that a cubic of the others explains, in [0, 1]."""
    others = np.delete(standing, at, axis=1)
    first, second = np.triu_indices(others.shape[1])
    powers = [np.ones((len(others), 1)), others, others[:, first] * others[:, second], others**3]
    design = np.hstack(powers)
    left = standing[:, at] - design @ np.linalg.lstsq(design, standing[:, at], rcond=None)[0]
    return 1.0 - float(left.var()) / max(float(standing[:, at].var()), 1e-12)


def varimax(loadings: Float64Array, rounds: int = 100) -> Float64Array:
    """Return the loadings turned so that each question leans on few factors, `(n_questions, n_factors)`.

    Source: Kaiser, Psychometrika 1958.

    >>> varimax(np.array([[1.0], [0.5]])).tolist()
    [[1.0], [0.5]]
    """
    n_items, n_factors = loadings.shape
    if n_factors < 2:
        return loadings
    turn = np.eye(n_factors)
    last = 0.0
    for _ in range(rounds):
        turned = loadings @ turn
        target = turned**3 - turned * (turned**2).sum(axis=0) / n_items
        left, values, right = np.linalg.svd(loadings.T @ target)
        turn = left @ right
        if values.sum() <= last * (1 + 1e-8):
            break
        last = float(values.sum())
    return np.asarray(loadings @ turn, np.float64)


def _assigned(strength: Float64Array) -> Int64Array:
    """Return the factor of each question, `(n_questions,)`; one with a single question is given up."""
    left = strength.copy()
    while True:
        scale_of = left.argmax(axis=1)
        size = np.bincount(scale_of, minlength=left.shape[1])
        alone = np.flatnonzero((size > 0) & (size < _LEAST_ITEMS))
        if not len(alone) or (size > 0).sum() < 2:
            return scale_of.astype(np.int64)
        left[:, alone[0]] = -1.0
