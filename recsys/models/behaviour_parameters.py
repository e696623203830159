"""Settings and parameters of models of behaviour: those all people share, and those of each person."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from recsys.config import Section
from recsys.data.ids import IdIndex
from recsys.data.population import Population
from recsys.models.als import explicit_als, implicit_als
from recsys.models.calibration import Platt, fit_platt
from recsys.models.content import content_logits
from recsys.models.directed import Directed, sigmoid
from recsys.models.factor_space import Deviations, FactorScaler, FactorSpace, rows_at
from recsys.models.impressions import Impressions
from recsys.models.low_rank import low_rank_maps, sampled_rows
from recsys.models.negative_sampling import PASSES_PER_LIKE
from recsys.models.random_effects import EffectVariances, RandomEffects, fit_random_effects
from recsys.models.stacking import StackingInputs, evidence_weight
from recsys.types import Float64Array

_RIDGE = 30.0
_LEAST_RARER_SHARE = 0.05
_EXPLICIT_ITERATIONS = 10
EM_ROUNDS = 3
"""Rounds of EM: learn from the impressions, then estimate again which of them were examined."""


class BehaviourConfig(Section):
    """Settings of a model that learns from behaviour.

    factors:           columns of the implicit-feedback ALS. The hybrid and the collaborative model use it,
                       with alpha, regularization and iterations, only where `explicit_factors` is 0 or less
                       than a twentieth of the answers, drawn passes included, are of the rarer kind: on
                       other logs these four have no effect there, and `explicit_factors` acts.
    alpha:             confidence an answer of average weight adds to the 1 of an unseen pair.
    regularization:    of the alternating least squares.
    iterations:        of the alternating least squares.
    explicit_factors:  columns of the explicit-feedback ALS, learned from likes and passes; 0 for the
                       implicit-feedback ALS alone.
    explicit_regularization: ridge on them.
    spread:            standard deviation, in logits, that the factors may add to a pair before evidence.
    strength:          lam of the fold-in: how much evidence it takes to leave the prior mean.
    personal_factors:  columns of the content space in which each person's own taste is learned.
    personal_strength: lam of the fold-in there.
    steps:             Newton steps of a fold-in.
    held_out:          share of pairs left out to learn the weights of the parts and the calibration.
    negatives_per_like: passes drawn for each like where nobody ever said no; 0 for none.
    stack:             learn those weights; False keeps the usual ones.
    affinity:          learn who comes across whom among everybody where no log says what was shown, and
                       rank lists by it too; see `Affinity`.

    >>> BehaviourConfig(factors=16).factors
    16
    """

    factors: PositiveInt = 64
    alpha: NonNegativeFloat = 10.0
    regularization: PositiveFloat = 1.0
    iterations: PositiveInt = 15
    explicit_factors: NonNegativeInt = 16
    explicit_regularization: PositiveFloat = 3.0
    spread: NonNegativeFloat = 0.4
    strength: PositiveFloat = 1.0
    personal_factors: NonNegativeInt = 32
    personal_strength: PositiveFloat = 2.0
    steps: PositiveInt = 3
    held_out: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.2
    negatives_per_like: NonNegativeFloat = PASSES_PER_LIKE
    stack: bool = True
    affinity: bool = True


@dataclass(frozen=True, eq=False)
class FactorSpaces:
    """The two spaces for some people, and where everybody stands for those who look at them."""

    personal: FactorSpace
    factors: FactorSpace
    personal_reference: Deviations
    factor_reference: Deviations

    @property
    def n_people(self) -> int:
        """How many people there are."""
        return len(self.personal.taste)


@dataclass(frozen=True, eq=False)
class GlobalParameters:
    """Global parameters: everything but what is particular to a person.

    ids:       people of the fit, ascending, `(n_base,)`.
    line:      from content logits to logits of P(like | look).
    reply_offset: logits added for a reply to a like.
    intercept, variances: of selectivity and popularity.
    maps:      `(n_content, k)` each, from content columns to the personal space.
    personal, standard: how rows of the two spaces are scaled.
    ridge:     `(1 + 2 k, n_factors)` each, from the personal space to the prior mean of the factors.
    personal_reference, factor_reference: shifts of the people of the fit, by row of `ids`.
    """

    ids: IdIndex
    line: Platt
    reply_offset: float
    intercept: float
    variances: EffectVariances
    maps: tuple[Float64Array, Float64Array]
    personal: FactorScaler
    standard: FactorScaler
    ridge: tuple[Float64Array, Float64Array]
    personal_reference: Deviations
    factor_reference: Deviations

    @classmethod
    def learned(
        cls,
        people: Population,
        content: Directed | None,
        impressions: Impressions,
        config: BehaviourConfig,
        rng: np.random.Generator,
    ) -> "GlobalParameters":
        """Learn from the impressions of `people`, given what content says of them."""
        logits, n_people = _logits(content, impressions), len(people)
        effects = RandomEffects.none(n_people)
        line = Platt()
        for _ in range(EM_ROUNDS):
            if content is not None:
                line = _line(logits, impressions, line)
            reply_offset = _reply_offset(line.logits(logits) + effects.logits(impressions), impressions)
            offset = line.logits(logits) + reply_offset * impressions.is_reply
            effects = fit_random_effects(impressions, offset, n_people, start=effects)
            offset += effects.logits(impressions)
            impressions = impressions.e_step(sigmoid(offset))
        impressions.forget_reverse()
        maps, personal = _personal(content, n_people, config, line.slope)
        own = personal.rows(*_content_rows(content, maps, n_people, line.slope))
        standard, ridge, reference = _factor_prior(own, _factors(impressions, n_people, config, rng), config)
        without = offset - own.score(own.taste, own.appeal, impressions.viewers, impressions.candidates)
        nothing = Deviations.none(n_people, len(personal.scale))
        moved = own.folded(impressions, without, nothing, config.personal_strength, config.steps)
        return cls(
            ids=people.ids,
            line=line,
            reply_offset=reply_offset,
            intercept=effects.intercept,
            variances=effects.variances,
            maps=maps,
            personal=personal,
            standard=standard,
            ridge=ridge,
            personal_reference=Deviations(moved[0] - own.taste, moved[1] - own.appeal),
            factor_reference=reference,
        )

    @property
    def level(self) -> float:
        """The logit of an average pair whose content logit is 0."""
        return self.line.intercept + self.intercept

    def offset(self, content: Directed | None, impressions: Impressions) -> Float64Array:
        """Return each impression's logit from content alone, `(n_impressions,)`, without the intercept."""
        return self.line.logits(_logits(content, impressions)) + self.reply_offset * impressions.is_reply

    def spaces(self, people: Population, content: Directed | None) -> FactorSpaces:
        """Return both spaces for any people; whoever was not at the fit stands at the prior mean."""
        own = self.personal.rows(*_content_rows(content, self.maps, len(people), self.line.slope))
        features = _features(own)
        factors = FactorSpace(features @ self.ridge[0], features @ self.ridge[1], self.standard.scale)
        rows = self.ids.find(people.ids.values)
        return FactorSpaces(own, factors, self.personal_reference.at(rows), self.factor_reference.at(rows))


def _logits(content: Directed | None, impressions: Impressions) -> Float64Array:
    logits, decay = content_logits(content, impressions.viewers, impressions.candidates)
    return logits + decay


def _line(logits: Float64Array, impressions: Impressions, near: Platt) -> Platt:
    """Return the line from logits to those of P(like | look), beginning near one of almost the same looks."""
    listed = ~impressions.is_reply
    return fit_platt(logits[listed], impressions.labels[listed], impressions.looks[listed], near=near)


def _reply_offset(logits: Float64Array, impressions: Impressions) -> float:
    """Return the logits that make the mean chance of a yes right where the other likes already."""
    if not impressions.is_reply.any():
        return 0.0
    x, y = (
        np.append(logits[impressions.is_reply], [0.0, 0.0]),
        np.append(impressions.labels[impressions.is_reply], [0.0, 1.0]),
    )
    more = 0.0
    for _ in range(50):
        p = sigmoid(x + more)
        more += float(np.clip((y - p).sum() / max((p * (1 - p)).sum(), 1e-9), -1.0, 1.0))
    return more


def _personal(
    content: Directed | None, n_people: int, config: BehaviourConfig, slope: float
) -> tuple[tuple[Float64Array, Float64Array], FactorScaler]:
    if content is None or not n_people:
        none = np.zeros((0 if content is None else content.n_factors, 0))
        return (none, none), FactorScaler.of(np.zeros((n_people, 0)), np.zeros((n_people, 0)))
    most = min(config.personal_factors, content.n_factors)
    rows = sampled_rows(n_people)
    taste, appeal = (side[rows] - side.mean(0) for side in (content.taste, content.appeal))
    maps = low_rank_maps(taste, appeal, most)
    return maps, FactorScaler.of(*_content_rows(content, maps, n_people, slope))


def _content_rows(
    content: Directed | None, maps: tuple[Float64Array, Float64Array], n_people: int, slope: float
) -> tuple[Float64Array, Float64Array]:
    if content is None:
        return np.zeros((n_people, 0)), np.zeros((n_people, 0))
    return slope * (content.taste.astype(np.float64) @ maps[0]), content.appeal.astype(np.float64) @ maps[1]


def _factors(
    impressions: Impressions, n_people: int, config: BehaviourConfig, rng: np.random.Generator
) -> tuple[Float64Array, Float64Array]:
    """Return the factors of everybody as viewer and as candidate, `(n_people, n_factors)` each.

    Signed factors where at least a twentieth of the answers are of the rarer kind; where almost all
    are likes, those of implicit feedback. Zero for people without an answer.
    """
    answers = impressions.take(impressions.answered)
    share = float(answers.labels.mean()) if len(answers) else 0.0
    k = min(config.explicit_factors, max(n_people - 1, 1))
    if not config.explicit_factors or min(share, 1.0 - share) < _LEAST_RARER_SHARE:
        return implicit_als(
            impressions,
            n_people,
            factors=config.factors,
            alpha=config.alpha,
            regularization=config.regularization,
            iterations=config.iterations,
            rng=rng,
        )
    taste, appeal = explicit_als(
        answers,
        n_people,
        n_factors=k,
        regularization=config.explicit_regularization,
        iterations=_EXPLICIT_ITERATIONS,
        rng=rng,
    )
    gave = np.bincount(answers.viewers, minlength=n_people) > 0
    return taste[:, :k] * gave[:, None], appeal[:, :k]


def _factor_prior(
    own: FactorSpace, factors: tuple[Float64Array, Float64Array], config: BehaviourConfig
) -> tuple[FactorScaler, tuple[Float64Array, Float64Array], Deviations]:
    """Return how factors are scaled, their prior mean as a map from the personal space, and who lies off it.

    What it works with is several times as large as what it returns, and is freed with it.
    """
    taste, appeal = factors
    gave, received = (np.abs(rows).sum(axis=1) > 0 for rows in (taste, appeal))
    standard = FactorScaler.of(taste[gave], appeal[received], config.spread)
    raw, features = standard.rows(taste, appeal), _features(own)
    ridge = (_ridge(features[gave], raw.taste[gave]), _ridge(features[received], raw.appeal[received]))
    reference = Deviations(
        (raw.taste - features @ ridge[0]) * gave[:, None],
        (raw.appeal - features @ ridge[1]) * received[:, None],
    )
    return standard, ridge, reference


def _features(own: FactorSpace) -> Float64Array:
    """Return what the prior mean of the factors is a linear map of, `(n_people, 1 + 2 k)`."""
    return np.hstack([np.ones((len(own.taste), 1)), own.taste, own.appeal])


def _ridge(features: Float64Array, targets: Float64Array) -> Float64Array:
    """Return the ridge regression of `targets` on `features`."""
    left = features.T @ features + _RIDGE * np.eye(features.shape[1])
    return np.asarray(np.linalg.solve(left, features.T @ targets), np.float64)


@dataclass(frozen=True, eq=False)
class PersonParameters:
    """Person parameters: what is known of people beyond their answers; all 0 without evidence.

    generosity, popularity: `(n_people,)` logits. given, received: `(n_people,)` impressions.
    personal, factors:      how far evidence moved them in the two spaces.
    """

    generosity: Float64Array
    popularity: Float64Array
    given: Float64Array
    received: Float64Array
    personal: Deviations
    factors: Deviations

    def at(self, rows: npt.NDArray[np.integer]) -> "PersonParameters":
        """Return the people at `rows`; somebody without evidence for a row of -1."""
        return PersonParameters(
            rows_at(self.generosity, rows),
            rows_at(self.popularity, rows),
            rows_at(self.given, rows),
            rows_at(self.received, rows),
            self.personal.at(rows),
            self.factors.at(rows),
        )

    @classmethod
    def found(
        cls,
        shared: GlobalParameters,
        spaces: FactorSpaces,
        content: Directed | None,
        impressions: Impressions,
        config: BehaviourConfig,
    ) -> "PersonParameters":
        """Fold everybody in, given what was learned from all (`shared`); nothing of that is changed."""
        n_people = spaces.n_people
        offset = shared.offset(content, impressions)
        effects = RandomEffects.none(n_people)
        for _ in range(EM_ROUNDS):
            effects = fit_random_effects(
                impressions,
                offset,
                n_people,
                variances=shared.variances,
                intercept=shared.intercept,
                start=effects,
            )
            impressions = impressions.e_step(sigmoid(offset + effects.logits(impressions)))
        offset = offset + effects.logits(impressions)
        own, bases = spaces.personal, spaces.personal_reference
        without = offset - own.score(own.taste, own.appeal, impressions.viewers, impressions.candidates)
        taste, appeal = own.folded(impressions, without, bases, config.personal_strength, config.steps)
        personal = Deviations(taste - own.taste, appeal - own.appeal)
        offset = without + own.score(taste, appeal, impressions.viewers, impressions.candidates)
        del taste, appeal, without  # of everybody, and of every impression
        own, bases = spaces.factors, spaces.factor_reference
        taste, appeal = own.folded(impressions, offset, bases, config.strength, config.steps)
        given, received = impressions.evidence(n_people)
        factors = Deviations(taste - own.taste, appeal - own.appeal)
        return cls(effects.generosity, effects.popularity, given, received, personal, factors)

    def parts(
        self,
        shared: GlobalParameters,
        spaces: FactorSpaces,
        content: Directed | None,
        impressions: Impressions,
    ) -> StackingInputs:
        """Return the parts of the pairs of `impressions`; content counts as `shared` has learned it."""
        i, j = impressions.viewers, impressions.candidates
        own = spaces.personal
        moved = own.score(own.taste + self.personal.taste, own.appeal + self.personal.appeal, i, j)
        moved -= own.score(own.taste, own.appeal, i, j)
        own = spaces.factors
        factors = own.score(own.taste + self.factors.taste, own.appeal + self.factors.appeal, i, j)
        logits, decay = content_logits(content, i, j)
        return StackingInputs(
            level=np.full(len(impressions), shared.level),
            scores=np.array([shared.line.slope * logits, moved, factors]),
            distance_decay=shared.line.slope * decay,
            generosity=self.generosity[i],
            popularity=self.popularity[j],
            known_row=evidence_weight(self.given)[i],
            known_column=evidence_weight(self.received)[j],
            is_reply=impressions.is_reply.astype(np.float64),
        )
