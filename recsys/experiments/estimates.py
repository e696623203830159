"""Estimates of an effect with intervals, one for each way that people can influence each other.

An arm is compared with the first one. What is wanted is always the same: how much more everybody would have
if everybody had the arm (the global effect), a person and night. The naive comparison of people answers
another question when people share each other's attention: a match has two people in it, who may be in
different arms, so that about half of the effect cancels, and what an arm takes out of other people's inboxes
counts for it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

from recsys.arguments import checked_arguments
from recsys.types import BoolArray, Float64Array, Int64Array

_GROUPS: Final = 60
"""Groups of people left out one at a time where pairs are compared."""
_FEWEST: Final = 2


@dataclass(frozen=True, slots=True)
class Estimate:
    """An effect, its standard error, and what it was made of.

    control, arm: means a person and night. effect: their difference. degrees: of freedom of the error.
    units: of both arms together.
    """

    control: float
    arm: float
    effect: float
    error: float
    degrees: float
    units: int

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the t interval of one look that was fixed beforehand.

        >>> Estimate(1.0, 1.5, 0.5, 0.1, 1e9, 100).interval()[0].__round__(3)
        0.304
        """
        half = float(special.stdtrit(max(self.degrees, 1.0), (1.0 + level) / 2.0)) * self.error
        return self.effect - half, self.effect + half


_UNKNOWN: Final = float("nan")
NOTHING: Final = Estimate(_UNKNOWN, _UNKNOWN, _UNKNOWN, _UNKNOWN, _UNKNOWN, 0)


@checked_arguments
def compare_units(
    value: npt.ArrayLike, size: npt.ArrayLike, treated: BoolArray, before: npt.ArrayLike | None = None
) -> Estimate:
    """Return the difference of two ratios of sums over units, each unit in one arm as a whole.

    value:   `(n_units,)` what happened in a unit; size: `(n_units,)` person-nights; treated: in the arm.
    before:  `(n_units,)` the same as `value` before the experiment, per unit of size, to take out of it what
             was there already (CUPED: A. Deng, Y. Xu, R. Kohavi and T. Walker, WSDM 2013).

    The variance leaves out one unit at a time, the degrees of freedom are Welch's, less one with `before`.
    NaN with fewer than two units in an arm.

    >>> value, size = np.array([1.0, 3.0, 4.0, 6.0]), np.ones(4)
    >>> found = compare_units(value, size, np.array([False, False, True, True]))
    >>> found.effect, round(found.error, 3)
    (3.0, 1.414)
    """
    if min(treated.sum(), (~treated).sum()) < _FEWEST:
        return NOTHING
    value, size, taken = np.asarray(value, np.float64), np.asarray(size, np.float64), 0
    if before is not None:
        known = np.asarray(before, np.float64)
        centred = known - np.average(known, weights=size)
        value, taken = value - _slope(value, size, treated, centred) * size * centred, 1
    means, variances, degrees = [], [], []
    for arm in (~treated, treated):
        y, n, k = value[arm], size[arm], int(arm.sum())
        mean = float(y.sum() / n.sum())
        apart = (y - mean * n) / np.maximum(n.sum() - n, n.sum() / 2.0)  # each unit left out
        means.append(mean)
        variances.append(float(apart @ apart) * (k - 1.0) / k)
        degrees.append(max(k - 1.0 - taken, 1.0))
    variance = sum(variances)
    fraction = sum(v * v / d for v, d in zip(variances, degrees, strict=True))
    free = variance * variance / fraction if fraction > 0.0 else float(len(value) - 2 - taken)
    return Estimate(means[0], means[1], means[1] - means[0], float(np.sqrt(variance)), free, len(value))


def _slope(value: Float64Array, size: Float64Array, treated: BoolArray, before: Float64Array) -> float:
    """Return how much of what was there before is there again, within arms."""
    above, below = 0.0, 0.0
    for arm in (~treated, treated):
        x = before[arm] - np.average(before[arm], weights=size[arm])
        y = value[arm] - size[arm] * (value[arm].sum() / size[arm].sum())
        above += float(x @ y)
        below += float(size[arm] @ (x * x))
    return above / below if below > 0.0 else 0.0


@dataclass(frozen=True, slots=True)
class SpilloverEstimate:
    """What an experiment on both sides tells apart.

    total:   what everybody would feel: `direct` and both spillovers, these carried on from the share that was
             treated to all, in a straight line. direct: on the pairs both of whom are treated.
    by_viewer, by_candidate: on pairs of a treated viewer with a candidate who is not, and the reverse.
    plain:   pairs both of whom are treated less pairs of whom neither is; the spillovers stay in it.
    """

    total: Estimate
    direct: Estimate
    by_viewer: Estimate
    by_candidate: Estimate
    plain: Estimate


@checked_arguments
def compare_pairs(
    viewer: Int64Array,
    candidate: Int64Array,
    value: Float64Array,
    treated: tuple[BoolArray, BoolArray],
    nights: int,
) -> SpilloverEstimate:
    """Return the effect where viewers and candidates are drawn apart and a pair is treated when both are.

    viewer, candidate, value: `(n_pairs,)` rows of people, and what came of the pairs (matches begun).
    treated: who is treated as a viewer and who as a candidate, `(n_people,)` each.

    Four means, by whether the viewer and the candidate are treated: of pairs of neither, of one side, of the
    other, of both. Differences of them are the spillovers and the direct effect (multiple randomization
    designs: L. Masoero et al., arXiv:2112.13495; two-sided randomization: R. Johari, H. Li, I. Liskovich and
    G. Weintraub, Management Science 68 (2022) 7069-7089). Standard errors leave out 60 groups of people, one
    at a time, on both sides at once.
    """
    n = len(treated[0])
    group = np.arange(n) % _GROUPS  # ids are in no order that matters to a hash
    sides = treated[0][viewer].astype(np.int64), treated[1][candidate].astype(np.int64)
    whole = np.zeros((2, 2))
    np.add.at(whole, sides, value)
    touched = np.zeros((_GROUPS, 2, 2))
    np.add.at(touched, (group[viewer], *sides), value)
    apart = group[viewer] != group[candidate]
    np.add.at(touched, (group[candidate][apart], sides[0][apart], sides[1][apart]), value[apart])
    counts = [np.array([(~side).sum(), side.sum()], np.float64) for side in treated]

    def effects(cell: Float64Array, viewers: Float64Array, candidates: Float64Array) -> Float64Array:
        people = viewers.sum()
        rate = 2.0 * cell / np.maximum(np.outer(viewers, candidates), 1e-12) * people / nights
        share = viewers[1] / people, candidates[1] / people
        by_viewer, by_candidate = rate[1, 0] - rate[0, 0], rate[0, 1] - rate[0, 0]
        direct = rate[1, 1] - rate[1, 0] - rate[0, 1] + rate[0, 0]
        total = direct + by_viewer / max(share[0], 1e-12) + by_candidate / max(share[1], 1e-12)
        return np.array([total, direct, by_viewer, by_candidate, rate[1, 1] - rate[0, 0], rate[0, 0]])

    found = effects(whole, *counts)
    without = []
    for at in range(_GROUPS):
        left = [
            count - np.bincount(side[group == at].astype(np.int64), minlength=2)
            for count, side in zip(counts, treated, strict=True)
        ]
        without.append(effects(whole - touched[at], *left))
    spread = np.array(without)
    error = np.sqrt((_GROUPS - 1.0) / _GROUPS * ((spread - spread.mean(axis=0)) ** 2).sum(axis=0))
    made = [
        Estimate(found[5], found[5] + found[at], found[at], error[at], _GROUPS - 1.0, n) for at in range(5)
    ]
    return SpilloverEstimate(*made)
