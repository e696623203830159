"""What models of behaviour are made with."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.data.ids import IdIndex
from recsys.data.population import Population
from recsys.models.als import BehaviourConfig, factors_of_answers
from recsys.models.calibration import Platt, fit_platt
from recsys.models.content import content_logits
from recsys.models.directed import Directed, sigmoid
from recsys.models.factor_space import Shifts, Space, Standard, compression, rows_at
from recsys.models.impressions import Looks
from recsys.models.random_effects import PersonEffects, fit_person_effects
from recsys.models.stacking import Parts, known
from recsys.types import Float64Array

_RIDGE = 30.0
BELIEFS = 3
"""Turns of learning from looks and finding again, from what was learned, who looked."""


@dataclass(frozen=True, eq=False)
class Spaces:
    """The two spaces for some people, and where everybody stands for those who look at them."""

    personal: Space
    factors: Space
    personal_bases: Shifts
    factor_bases: Shifts

    @property
    def n_people(self) -> int:
        """How many people there are."""
        return len(self.personal.taste)


@dataclass(frozen=True, eq=False)
class Base:
    """Everything but what is particular to a person.

    ids:       people of the fit, ascending, `(n_base,)`.
    line:      from content logits to logits of P(like | look). asked: logits added when liked already.
    intercept, variances: of selectivity and popularity.
    maps:      `(n_content, k)` each, from content columns to the personal space.
    personal, standard: how rows of the two spaces are scaled.
    ridge:     `(1 + 2 k, n_factors)` each, from the personal space to the prior mean of the factors.
    personal_bases, factor_bases: shifts of the people of the fit, by row of `ids`.
    """

    config: BehaviourConfig
    ids: npt.NDArray[np.object_]
    line: Platt
    asked: float
    intercept: float
    variances: tuple[float, float]
    maps: tuple[Float64Array, Float64Array]
    personal: Standard
    standard: Standard
    ridge: tuple[Float64Array, Float64Array]
    personal_bases: Shifts
    factor_bases: Shifts

    @classmethod
    def learned(
        cls,
        people: Population,
        content: Directed | None,
        looks: Looks,
        config: BehaviourConfig,
        rng: np.random.Generator,
    ) -> "Base":
        """Learn from the looks of `people`, given what content says of them."""
        logits, n_people = _logits(content, looks), len(people)
        effects = PersonEffects.none(n_people)
        for _ in range(BELIEFS):
            line, asked = _line(logits, looks, effects, learned=content is not None)
            offset = line.logits(logits) + asked * looks.asked
            effects = fit_person_effects(looks, offset, n_people, start=effects)
            offset += effects.logits(looks)
            looks = looks.believed(sigmoid(offset))
        maps, personal = _personal(content, n_people, config, line.slope)
        own = personal.rows(*_content_rows(content, maps, n_people, line.slope))
        taste, appeal = factors_of_answers(looks, n_people, config, rng)
        gave, received = (np.abs(rows).sum(axis=1) > 0 for rows in (taste, appeal))
        standard = Standard.of(taste[gave], appeal[received], config.spread)
        raw = standard.rows(taste, appeal)
        features = _features(own)
        ridge = (_ridge(features[gave], raw.taste[gave]), _ridge(features[received], raw.appeal[received]))
        base = cls(
            config=config,
            ids=people.ids.values,
            line=line,
            asked=asked,
            intercept=effects.intercept,
            variances=effects.variances,
            maps=maps,
            personal=personal,
            standard=standard,
            ridge=ridge,
            personal_bases=Shifts.none(n_people, len(personal.scale)),
            factor_bases=Shifts(
                (raw.taste - features @ ridge[0]) * gave[:, None],
                (raw.appeal - features @ ridge[1]) * received[:, None],
            ),
        )
        without = offset - own.score(own.taste, own.appeal, looks.viewers, looks.candidates)
        moved = own.folded(looks, without, base.personal_bases, config.personal_strength, config.steps)
        shifts = Shifts(moved[0] - own.taste, moved[1] - own.appeal)
        return cls(**{**vars(base), "personal_bases": shifts})

    @property
    def level(self) -> float:
        """The logit of an average pair whose content logit is 0."""
        return self.line.intercept + self.intercept

    def offset(self, content: Directed | None, looks: Looks) -> Float64Array:
        """Return the logit of each look from content alone, `(n_looks,)`, without the intercept."""
        return self.line.logits(_logits(content, looks)) + self.asked * looks.asked

    def spaces(self, people: Population, content: Directed | None) -> Spaces:
        """Return both spaces for any people; whoever was not at the fit stands at the prior mean."""
        own = self.personal.rows(*_content_rows(content, self.maps, len(people), self.line.slope))
        features = _features(own)
        factors = Space(features @ self.ridge[0], features @ self.ridge[1], self.standard.scale)
        rows = IdIndex(self.ids).find(people.ids.values)
        return Spaces(own, factors, self.personal_bases.at(rows), self.factor_bases.at(rows))


def _logits(content: Directed | None, looks: Looks) -> Float64Array:
    own, near = content_logits(content, looks.viewers, looks.candidates)
    return own + near


def _line(
    logits: Float64Array, looks: Looks, effects: PersonEffects, *, learned: bool
) -> tuple[Platt, float]:
    """Return the line to logits of P(like | look), and what having been liked adds given the effects."""
    line, listed = Platt(1.0, 0.0), ~looks.asked
    if learned:
        line = fit_platt(logits[listed], looks.labels[listed], looks.chances[listed])
    return line, _asked(line.logits(logits) + effects.logits(looks), looks)


def _asked(logits: Float64Array, looks: Looks) -> float:
    """Return the logits that make the mean chance of a yes right where the other likes already."""
    if not looks.asked.any():
        return 0.0
    x, y = np.append(logits[looks.asked], [0.0, 0.0]), np.append(looks.labels[looks.asked], [0.0, 1.0])
    more = 0.0
    for _ in range(50):
        p = sigmoid(x + more)
        more += float(np.clip((y - p).sum() / max((p * (1 - p)).sum(), 1e-9), -1.0, 1.0))
    return more


def _personal(
    content: Directed | None, n_people: int, config: BehaviourConfig, slope: float
) -> tuple[tuple[Float64Array, Float64Array], Standard]:
    if content is None or not n_people:
        none = np.zeros((0 if content is None else content.n_factors, 0))
        return (none, none), Standard.of(np.zeros((n_people, 0)), np.zeros((n_people, 0)))
    most = min(config.personal_factors, content.n_factors)
    maps = compression(content.taste - content.taste.mean(0), content.appeal - content.appeal.mean(0), most)
    return maps, Standard.of(*_content_rows(content, maps, n_people, slope))


def _content_rows(
    content: Directed | None, maps: tuple[Float64Array, Float64Array], n_people: int, slope: float
) -> tuple[Float64Array, Float64Array]:
    if content is None:
        return np.zeros((n_people, 0)), np.zeros((n_people, 0))
    return slope * (content.taste.astype(np.float64) @ maps[0]), content.appeal.astype(np.float64) @ maps[1]


def _features(own: Space) -> Float64Array:
    """Return what the prior mean of the factors is a linear map of, `(n_people, 1 + 2 k)`."""
    return np.hstack([np.ones((len(own.taste), 1)), own.taste, own.appeal])


def _ridge(features: Float64Array, targets: Float64Array) -> Float64Array:
    """Return the ridge regression of `targets` on `features`."""
    left = features.T @ features + _RIDGE * np.eye(features.shape[1])
    return np.asarray(np.linalg.solve(left, features.T @ targets), np.float64)


@dataclass(frozen=True, eq=False)
class State:
    """What is known of some people beyond their answers; all 0 for somebody without evidence.

    generosity, popularity: `(n_people,)` logits. given, received: `(n_people,)` looks.
    personal, factors:      how far evidence moved them in the two spaces.
    """

    generosity: Float64Array
    popularity: Float64Array
    given: Float64Array
    received: Float64Array
    personal: Shifts
    factors: Shifts

    def at(self, rows: npt.NDArray[np.integer]) -> "State":
        """Return the people at `rows`; somebody without evidence for a row of -1."""
        return State(
            rows_at(self.generosity, rows),
            rows_at(self.popularity, rows),
            rows_at(self.given, rows),
            rows_at(self.received, rows),
            self.personal.at(rows),
            self.factors.at(rows),
        )

    @classmethod
    def found(cls, base: Base, spaces: Spaces, content: Directed | None, looks: Looks) -> "State":
        """Fold everybody in, given what was learned from all (`base`); nothing of that is changed."""
        n_people = spaces.n_people
        offset = base.offset(content, looks)
        effects = PersonEffects.none(n_people)
        for _ in range(BELIEFS):
            effects = fit_person_effects(
                looks, offset, n_people, variances=base.variances, intercept=base.intercept, start=effects
            )
            looks = looks.believed(sigmoid(offset + effects.logits(looks)))
        offset = offset + effects.logits(looks)
        own, bases, config = spaces.personal, spaces.personal_bases, base.config
        without = offset - own.score(own.taste, own.appeal, looks.viewers, looks.candidates)
        taste, appeal = own.folded(looks, without, bases, config.personal_strength, config.steps)
        personal = Shifts(taste - own.taste, appeal - own.appeal)
        offset = without + own.score(taste, appeal, looks.viewers, looks.candidates)
        own, bases = spaces.factors, spaces.factor_bases
        taste, appeal = own.folded(looks, offset, bases, config.strength, config.steps)
        given, received = looks.evidence(n_people)
        factors = Shifts(taste - own.taste, appeal - own.appeal)
        return cls(effects.generosity, effects.popularity, given, received, personal, factors)

    def parts(self, base: Base, spaces: Spaces, content: Directed | None, looks: Looks) -> Parts:
        """Return the parts of the pairs of `looks`; content counts as `base` has learned it."""
        i, j = looks.viewers, looks.candidates
        own = spaces.personal
        moved = own.score(own.taste + self.personal.taste, own.appeal + self.personal.appeal, i, j)
        moved -= own.score(own.taste, own.appeal, i, j)
        own = spaces.factors
        factors = own.score(own.taste + self.factors.taste, own.appeal + self.factors.appeal, i, j)
        logits, near = content_logits(content, i, j)
        return Parts(
            level=np.full(len(looks), base.level),
            scores=np.array([base.line.slope * logits, moved, factors]),
            near=base.line.slope * near,
            generosity=self.generosity[i],
            popularity=self.popularity[j],
            known_row=known(self.given)[i],
            known_column=known(self.received)[j],
            asked=looks.asked.astype(np.float64),
        )
