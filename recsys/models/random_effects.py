"""Selectivity and popularity: what is particular to a viewer or a candidate beyond everything else."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.kernels import kernel
from recsys.models.calibration import Platt, fit_platt
from recsys.models.directed import sigmoid
from recsys.models.fold_in import EntriesByPerson
from recsys.models.impressions import Impressions
from recsys.parallel import in_ranges
from recsys.types import Float64Array, Int32Array

_LEAST_VARIANCE = 1e-3
_USUAL, _USUAL_SPREAD = 0.2, 0.2
_MOST_CORRELATED = 0.8
"""Correlation of the two numbers of a person, at most; nearer to 1 the alternating steps hardly move."""
_ATTENUATION = (16.0 * np.sqrt(3.0) / (15.0 * np.pi)) ** 2
_MOST_SHARE = 2.0
_SETTLED = 2e-3
"""Logits below which another round changes nothing that matters."""


@dataclass(frozen=True, slots=True)
class EffectVariances:
    """How far people lie apart in generosity and in popularity, and the covariance of the two.

    Whoever is liked more mostly likes fewer: below 0 the covariance says that popular people are selective.

    >>> EffectVariances(1.0, 1.0, -0.5).precisions().round(3).tolist()
    [[1.333, 0.667], [0.667, 1.333]]
    """

    generosity: float = _USUAL
    popularity: float = _USUAL
    covariance: float = 0.0

    def precisions(self) -> Float64Array:
        """Return the inverse of the covariance matrix, `(2, 2)`."""
        both = [[self.generosity, self.covariance], [self.covariance, self.popularity]]
        return np.asarray(np.linalg.inv(np.array(both)), np.float64)


@dataclass(frozen=True, eq=False)
class RandomEffects:
    """Two numbers a person, in logits; 0 for somebody of whom nothing is known.

    generosity: `(n_people,)` how much more readily than others they say yes (the less selective).
    popularity: `(n_people,)` how much more readily others say yes to them.
    intercept:  the logit of an average pair beyond the offset.
    variances:  of generosity and popularity between people.
    """

    generosity: Float64Array
    popularity: Float64Array
    intercept: float
    variances: EffectVariances

    @classmethod
    def none(cls, n_people: int) -> "RandomEffects":
        """Nothing is known of anybody."""
        return cls(np.zeros(n_people), np.zeros(n_people), 0.0, EffectVariances())

    def logits(self, impressions: Impressions) -> Float64Array:
        """Return what the intercept and the two people add to each impression, `(n_impressions,)`."""
        return self.intercept + self.generosity[impressions.viewers] + self.popularity[impressions.candidates]


def fit_random_effects(
    impressions: Impressions,
    offset: Float64Array,
    n_people: int,
    *,
    variances: EffectVariances | None = None,
    intercept: float | None = None,
    start: RandomEffects | None = None,
    rounds: int = 50,
) -> RandomEffects:
    """Fit crossed random effects to the answers given `offset` logits, by alternating Newton steps.

    Each person's two numbers have a joint normal prior around 0, so what is known of somebody as a candidate
    tells of them as a viewer too; its variances are those of `effect_variances`, unless given. With the
    intercept and variances given, only the numbers of the people are found. `start` is where to begin:
    effects found from almost the same impressions.

    Source: Breslow and Clayton, "Approximate inference in generalized linear mixed models",
    Journal of the American Statistical Association 88 (1993) 9-25, whose own variances are too small where
    people gave few answers. The correlation of the two numbers is generalized reciprocity: D. A. Kenny and
    L. La Voie, "The social relations model", Advances in Experimental Social Psychology 18 (1984) 141-182.
    """
    begin = RandomEffects.none(n_people) if start is None else start
    effects = [begin.generosity, begin.popularity]
    level = begin.intercept if intercept is None else intercept
    if not len(impressions):
        return RandomEffects(
            effects[0], effects[1], level, begin.variances if variances is None else variances
        )
    spread = effect_variances(impressions, offset, n_people) if variances is None else variances
    prior = spread.precisions()
    owners = (impressions.viewers, impressions.candidates)
    sides = [_Side.of(impressions, *one) for one in zip(owners, impressions.grouped(n_people), strict=True)]
    logits = offset + level + effects[0][impressions.viewers] + effects[1][impressions.candidates]
    for _ in range(rounds):
        largest = 0.0
        for at, side in enumerate(sides):
            curve, pull = side.sums(logits)
            more = 0.0
            if intercept is None:
                more = min(max(float(pull.sum()) / (float(curve.sum()) + 0.5), -1.0), 1.0)
            expected = -prior[0, 1] / prior[at, at] * effects[1 - at]
            pull -= more * curve + prior[at, at] * (effects[at] - expected)
            step = np.clip(pull / (curve + prior[at, at]), -1.0, 1.0)
            if intercept is None:
                # at the mode what a side adds to the prior adds up to nothing: a mean belongs to the level
                middle = float((effects[at] - expected + step)[side.seen].mean())
                more, step = more + middle, step - middle * side.seen
            effects[at] = effects[at] + step
            level, logits = level + more, logits + (step + more)[side.own]
            largest = max(largest, abs(more), float(np.abs(step).max()))
        if largest < _SETTLED:
            break
    return RandomEffects(effects[0], effects[1], level, spread)


def effect_variances(impressions: Impressions, offset: Float64Array, n_people: int) -> EffectVariances:
    """Return the variances of generosity and popularity between people, and their covariance.

    Two answers of one viewer err together by what is particular to the viewer: with residuals r and slopes
    w = p (1 - p) of the rates that `offset` alone gives, the mean of r r' is about w w' v / (1 + c t), v the
    variance of the viewers and t that of both sides together, by which the rates lie nearer to a half than
    those of a typical pair. The same of two answers about one candidate; and of an answer of somebody beside
    one about them, with the covariance for v, the two answers of a pair about each other left out, which hang
    together for other reasons. Near `_USUAL` and 0 where little is known.

    Source of c: S. L. Zeger, K.-Y. Liang and P. S. Albert, "Models for longitudinal data: a generalized
    estimating equation approach", Biometrics 44 (1988) 1049-1060.
    """
    line = fit_platt(offset, impressions.labels, impressions.looks, near=Platt())
    p = sigmoid(line.logits(offset))
    residual, slope = impressions.looks * (impressions.labels - p), impressions.looks * p * (1.0 - p)
    shares, owners = [], (impressions.viewers, impressions.candidates)
    usual = 1.0 / _USUAL_SPREAD**2
    for owner in owners:

        def pairs(values: Float64Array, owner: Int32Array = owner) -> float:
            whole = np.bincount(owner, values, n_people)
            return float(whole @ whole - values @ values)

        weight = max(pairs(slope), 0.0) / 2.0  # one over the variance of the share where there is no effect
        shares.append(max((pairs(residual) / 2.0 + _USUAL * usual) / (weight + usual), 0.0))
    back = impressions.reverse()

    def both_sides(values: Float64Array) -> float:
        given, received = (np.bincount(owner, values, n_people) for owner in owners)
        return float(given @ received - values @ back.sums(values))

    shared = both_sides(residual) / (max(both_sides(slope), 0.0) + usual)
    widened = 1.0 / (1.0 - _ATTENUATION * min(sum(shares), _MOST_SHARE))
    first, second = (max(float(share * widened), _LEAST_VARIANCE) for share in shares)
    most = _MOST_CORRELATED * float(np.sqrt(first * second))
    return EffectVariances(first, second, float(np.clip(shared * widened, -most, most)))


@dataclass(frozen=True, eq=False)
class _Side:
    """The impressions from the side of the viewers or of the candidates; entries grouped by person."""

    own: npt.NDArray[np.integer]
    evidence: EntriesByPerson
    labels: Float64Array
    weights: Float64Array
    seen: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, impressions: Impressions, own: npt.NDArray[np.integer], evidence: EntriesByPerson) -> "_Side":
        labels, weights = evidence.sorted(impressions.labels), evidence.sorted(impressions.looks)
        return cls(own, evidence, labels, weights, np.diff(evidence.indptr) > 0)

    def sums(self, logits: Float64Array) -> tuple[Float64Array, Float64Array]:
        """Return curvature and slope of the log-likelihood in each person's number."""
        n_people = len(self.evidence.indptr) - 1
        curve, pull = np.zeros(n_people), np.zeros(n_people)
        given = (self.evidence.indptr, self.evidence.order, self.labels, self.weights, logits)

        def some(first: int, last: int) -> None:
            _sums(*given, curve, pull, first, last)

        in_ranges(some, self.evidence.indptr)
        return curve, pull


@kernel
def _sums(  # noqa: PLR0917
    indptr: npt.NDArray[np.int64],
    order: npt.NDArray[np.int32],
    labels: Float64Array,
    weights: Float64Array,
    logits: Float64Array,
    curve: Float64Array,
    pull: Float64Array,
    first: int,
    last: int,
) -> None:  # pragma: no cover
    for person in range(first, last):
        for entry in range(indptr[person], indptr[person + 1]):
            p = 1.0 / (1.0 + np.exp(-logits[order[entry]]))
            curve[person] += weights[entry] * p * (1.0 - p)
            pull[person] += weights[entry] * (labels[entry] - p)
