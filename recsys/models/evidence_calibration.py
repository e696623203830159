"""Calibration of a score by a line, and by how much is known of the two people."""

from dataclasses import dataclass, field, replace

import numpy as np

from recsys.data.population import Population
from recsys.models.calibration import LEAST_SLOPE, Platt
from recsys.models.directed import Directed, pair_dots
from recsys.models.impressions import Impressions
from recsys.models.logistic_regression import logistic_regression
from recsys.models.stacking import KnownCandidates, evidence_weight
from recsys.types import Float64Array

_SLOPE_PRECISION = 10.0
"""Of the slope around 1, as `fit_platt` has it."""
_KNOWN_PRECISION = 3.0
"""Of what being known adds, around nothing."""
_FIXED = 1e12
_NOISE = 1e-9
"""Scores that differ by less than this share of the largest are equal, but for rounding."""


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """The calibrated logit is a line of the score and of how well both people are known.

    Scores of people of whom little is known are near 0, as are those of pairs that do not suit each other,
    and a line of the score alone says the same chance of both. `platt.slope` is positive, so the order of
    pairs of which equally much is known is kept.

    platt:  of the score, for people known as well as usual.
    viewer, candidate: logits that being fully known adds to being unknown, see `evidence_weight`.
    usual:  how well the viewer and the candidate of a pair are known on average.

    >>> line = EvidenceLine(Platt(2.0, -1.0), viewer=0.5, candidate=1.0, usual=(0.0, 0.5))
    >>> line.logits(np.array([1.0, 1.0]), np.array([[0.0, 0.5], [1.0, 1.0]]))
    array([1., 2.])
    """

    platt: Platt = field(default_factory=Platt)
    viewer: float = 0.0
    candidate: float = 0.0
    usual: tuple[float, float] = (0.0, 0.0)

    def of_viewer(self, known: Float64Array) -> Float64Array:
        """Return the logits that how well a viewer is known adds, aligned; known: 0 to 1."""
        return self.viewer * (known - self.usual[0])

    def of_candidate(self, known: Float64Array) -> Float64Array:
        """Return the logits that how well a candidate is known adds, aligned; known: 0 to 1."""
        return self.candidate * (known - self.usual[1])

    def logits(self, scores: Float64Array, known: Float64Array) -> Float64Array:
        """Return calibrated logits, `(n_pairs,)`; known: of viewer and candidate, `(n_pairs, 2)`."""
        return self.platt.logits(scores) + self.of_viewer(known[:, 0]) + self.of_candidate(known[:, 1])

    def then(self, line: Platt) -> "EvidenceLine":
        """Return this line with another one after it.

        >>> EvidenceLine(Platt(2.0, 1.0), viewer=1.0).then(Platt(0.5, -1.0)).viewer
        0.5
        """
        slope = line.slope
        return replace(
            self, platt=self.platt.then(line), viewer=slope * self.viewer, candidate=slope * self.candidate
        )


def fit_evidence_line(scores: Float64Array, known: Float64Array, labels: Float64Array) -> EvidenceLine:
    """Fit the line as `fit_platt` does, near no difference by how well people are known.

    scores: `(n_pairs,)` of any scale, of a model that did not see these pairs. known: `(n_pairs, 2)` of
    viewer and candidate. labels: `(n_pairs,)` 0 or 1. Nothing to learn from gives the identity.
    """
    if not len(scores):
        return EvidenceLine()
    scale = float(np.abs(scores - scores.mean()).mean())
    if scale <= _NOISE * float(np.abs(scores).max(initial=0.0)):
        scale = 1.0
    centre, usual = float(scores.mean()), known.mean(axis=0)
    # one more answer, half yes and half no, of a usual pair
    columns = np.vstack([np.ones(len(scores)), (scores - centre) / scale, (known - usual).T])
    features = np.hstack([columns, [[1.0, 1.0], *np.zeros((3, 2))]])
    outcome, weights = np.append(labels, [0.0, 1.0]), np.append(np.ones(len(labels)), [0.5, 0.5])

    def fitted(slope: float, slope_precision: float) -> Float64Array:
        return logistic_regression(
            features,
            outcome,
            weights,
            offset=np.zeros(len(outcome)),
            mean=np.array([0.0, slope, 0.0, 0.0]),
            precision=np.array([0.0, slope_precision, _KNOWN_PRECISION, _KNOWN_PRECISION]),
        )

    level, slope, viewer, candidate = fitted(1.0, _SLOPE_PRECISION)
    if slope < LEAST_SLOPE:
        level, slope, viewer, candidate = fitted(LEAST_SLOPE, _FIXED)
    line = Platt(float(slope) / scale, float(level - slope * centre / scale))
    return EvidenceLine(line, float(viewer), float(candidate), (float(usual[0]), float(usual[1])))


@dataclass(frozen=True, eq=False)
class EvidenceFactors:
    """Two matrices whose inner product is a score, and how well each person is known.

    taste, appeal: `(n_people, n_factors)`. known: `(n_people, 2)` as viewer and as candidate, 0 to 1.
    """

    taste: Float64Array
    appeal: Float64Array
    known: Float64Array

    @classmethod
    def of(cls, factors: tuple[Float64Array, Float64Array], answers: Impressions) -> "EvidenceFactors":
        """Return the factors with what was known of everybody by the answers they were learned from."""
        n_people = len(factors[0])
        counts = [np.bincount(own, minlength=n_people) for own in (answers.viewers, answers.candidates)]
        return cls(*factors, evidence_weight(np.column_stack(counts).astype(np.float64)))

    def scores(self, pairs: Impressions) -> Float64Array:
        """Return the scores of pairs, `(n_pairs,)`."""
        return pair_dots(self.taste, self.appeal, pairs.viewers, pairs.candidates)

    def known_of(self, pairs: Impressions) -> Float64Array:
        """Return how well viewer and candidate of pairs are known, `(n_pairs, 2)`."""
        return np.column_stack([self.known[pairs.viewers, 0], self.known[pairs.candidates, 1]])

    def calibrated(
        self,
        people: Population,
        line: EvidenceLine,
        late: KnownCandidates | None = None,
        selectivity: Float64Array | None = None,
    ) -> Directed:
        """Return the matrices of the calibrated logits of `people`, whose rows these are.

        late: what the end of the log adds to the line. selectivity: `(n_people,)` of viewers, in calibrated
        logits, where the score holds it.
        """
        ones, late = np.ones(len(people)), late or KnownCandidates()
        viewer = line.platt.intercept + line.of_viewer(self.known[:, 0])
        candidate = line.of_candidate(self.known[:, 1]) + late.of_candidate(self.known[:, 1])
        taste = [self.taste * line.platt.slope, viewer, ones]
        appeal = [self.appeal, ones, candidate]
        if selectivity is not None and late.selectivity:
            taste.append(late.of_viewer(selectivity))
            appeal.append(1.0 - self.known[:, 1])
        return Directed.of(
            people.ids, taste=np.column_stack(taste), appeal=np.column_stack(appeal), cell=people.cells
        )
