"""How much each part counts, by how much is known of the two people; separable, so two matrices."""

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from recsys.models.calibration import Platt
from recsys.models.impressions import PairRows
from recsys.models.logistic_regression import logistic_regression
from recsys.types import BoolArray, Float64Array

PARTS: Final = ("content", "personal", "factors")
"""Parts that score a pair; beside them the viewer's selectivity and the candidate's popularity."""
_PRECISION: Final = 10.0
_SLOPE_PRECISION: Final = 30.0
_KNOWN_PRECISION: Final = 3.0
_USUAL: Final = 1.0
"""Logits of selectivity within which all people are told by one weight."""
_HALF: Final = 5.0
"""Impressions at which half of the evidence-dependent weight is reached."""


def evidence_weight(evidence: Float64Array) -> Float64Array:
    """Return how well a person is known, `n / (n + 5)` for n impressions.

    >>> evidence_weight(np.array([0.0, 5.0])).tolist()
    [0.0, 0.5]
    """
    return evidence / (evidence + _HALF)


@dataclass(frozen=True, slots=True)
class KnownCandidates:
    """What the end of a log says of candidates by how much is known of them, beside the weights.

    added:       logits of a candidate fully known, none of one known as well as `usual`.
    least:       how well known candidates are at least of whom `added` was learned; of those less known it
                 says what it says of these, since a line holds where it was fitted.
    selectivity: share by which the viewer's selectivity counts more about a candidate of whom nothing is
                 known; below 0 it counts less, at -1 not at all.
    usual_selectivity: of viewers for whom that changes nothing, in logits.
    """

    added: float = 0.0
    usual: float = 0.0
    least: float = 0.0
    selectivity: float = 0.0
    usual_selectivity: float = 0.0

    def of_candidate(self, known: Float64Array) -> Float64Array:
        """Return what is added to the logits of candidates known so well, 0 to 1."""
        return self.added * (np.maximum(known, self.least) - self.usual)

    def of_viewer(self, selectivity: Float64Array) -> Float64Array:
        """Return what viewers add to the logits of candidates of whom nothing is known."""
        return self.selectivity * (selectivity - self.usual_selectivity)


@dataclass(frozen=True, eq=False)
class Stacker:
    """Weights of the parts; part p of a pair (i, j) counts `row_p(i) * column_p(j)`.

    intercept: of the logit. distance_decay: its weight.
    rows:    `(n_parts + 2, 2)` weight of each part, of selectivity and of popularity for somebody
             unknown, and what is added for somebody fully known.
    columns: `(n_parts,)` what is added to 1 for a candidate fully known.
    known:   `(2,)` logits that being fully known adds to being unknown, as viewer and as candidate: those of
             whom nothing is known are no average people, and have the mean of their chances, not the mode.
    reply_offset: logits added for an answer to somebody who likes already; not part of taste and appeal.
    late_known: `(2,)` logits that late pairs add for a candidate fully known, and how well known a candidate
             counts there at least.
    new_candidates: share by which the viewer's selectivity counts more about a candidate of whom nothing is
             known, see `KnownCandidates`.
    tails:   at least 0, added to the weight of a known viewer's selectivity beyond a logit; above 0 where
             more people like almost everybody, or nobody, than a normal distribution has.
    """

    intercept: float
    distance_decay: float
    rows: Float64Array
    columns: Float64Array
    known: Float64Array
    reply_offset: float
    late_known: Float64Array = field(default_factory=lambda: np.zeros(2))
    new_candidates: float = 0.0
    tails: float = 0.0

    @classmethod
    def usual(cls) -> "Stacker":
        """Return the weights before any pair was left out to learn them from."""
        rows = np.zeros((len(PARTS) + 2, 2))
        rows[:, 0] = [1.0, 1.0, 0.5, 1.0, 1.0]
        return cls(0.0, 1.0, rows, np.zeros(len(PARTS)), np.zeros(2), 0.0)

    def of_content(self, level: float, slope: float) -> "Stacker":
        """Return the weights for content logits that mean `level + slope * x`, not x."""
        rows = self.rows.copy()
        rows[0] *= slope
        return replace(
            self, intercept=level + self.intercept, distance_decay=slope * self.distance_decay, rows=rows
        )

    def calibrated(self, line: Platt) -> "Stacker":
        """Return the weights whose logit is `line` of this one's; a reply still adds what it added."""
        return replace(
            self,
            intercept=line.slope * self.intercept + line.intercept,
            distance_decay=line.slope * self.distance_decay,
            rows=line.slope * self.rows,
            known=line.slope * self.known,
            tails=line.slope * self.tails,
        )

    def with_known_candidates(self, found: KnownCandidates) -> "Stacker":
        """Return the weights with what the end of a log says of candidates by how well they are known."""
        middle = found.selectivity * found.usual_selectivity
        return replace(
            self,
            known=self.known + np.array([0.0, middle]),
            intercept=self.intercept - found.added * (found.usual - found.least) - middle,
            late_known=np.array([found.added, found.least]),
            new_candidates=found.selectivity,
        )

    def row(self, part: int, known_rows: Float64Array) -> Float64Array:
        """Return the weight of a part for viewers known so well."""
        return self.rows[part, 0] + self.rows[part, 1] * known_rows

    def of_viewer(self, known: Float64Array, generosity: Float64Array) -> Float64Array:
        """Return what viewers add to the logit of any pair."""
        return self.selectivity(known, generosity) + self.known[0] * known

    def selectivity(self, known: Float64Array, generosity: Float64Array) -> Float64Array:
        """Return what the selectivity of viewers adds to the logit of any pair."""
        return self.row(len(PARTS), known) * generosity + self.tails * known * _beyond_usual(generosity)

    def of_new_candidates(self, known: Float64Array, generosity: Float64Array) -> Float64Array:
        """Return what viewers add to the logit of candidates of whom nothing is known, beside `of_viewer`."""
        return self.new_candidates * self.selectivity(known, generosity)

    def of_candidate(self, known: Float64Array, popularity: Float64Array) -> Float64Array:
        """Return what candidates add to the logit of any pair."""
        late, least = self.late_known
        by_known = self.known[1] * known + late * np.maximum(known - least, 0.0)
        return np.asarray(self.row(len(PARTS) + 1, known) * popularity + by_known, np.float64)

    def column(self, part: int, known_columns: Float64Array) -> Float64Array:
        """Return the factor of a part for candidates known so well."""
        return 1.0 + self.columns[part] * known_columns


@dataclass(frozen=True, eq=False)
class StackingInputs(PairRows):
    """The parts of some pairs, `(n_pairs,)` each.

    level:  the logit where all else is 0.
    scores: `(n_parts, n_pairs)` in the order of `PARTS`. known_row, known_column: of viewer, candidate.
    """

    level: Float64Array
    scores: Float64Array
    distance_decay: Float64Array
    generosity: Float64Array
    popularity: Float64Array
    known_row: Float64Array
    known_column: Float64Array
    is_reply: Float64Array


def stacked(stacker: Stacker, parts: StackingInputs) -> Float64Array:
    """Return the logits of the pairs under `stacker`, `(n_pairs,)`, without the offset of replies."""
    logits = parts.level + stacker.intercept + stacker.distance_decay * parts.distance_decay
    logits += stacker.of_viewer(parts.known_row, parts.generosity)
    logits += stacker.of_new_candidates(parts.known_row, parts.generosity) * (1.0 - parts.known_column)
    logits += stacker.of_candidate(parts.known_column, parts.popularity)
    for part in range(len(PARTS)):
        weight = stacker.row(part, parts.known_row) * stacker.column(part, parts.known_column)
        logits += weight * parts.scores[part]
    return logits


def fit_stacker(
    parts: StackingInputs, labels: Float64Array, weights: Float64Array, start: Stacker | None = None
) -> Stacker:
    """Learn the weights from pairs the parts were not fitted on, near the usual ones.

    The row weights and the column factors are found in turns, each a logistic regression with a
    normal prior: the usual weights for the first, no dependence on the candidate for the second.

    start: weights to begin from, such as those of almost the same pairs; the usual ones when None.
    """
    usual = Stacker.usual()
    stacker = usual if start is None else start
    if not len(labels) or not weights.any():
        return stacker
    for _ in range(2):
        stacker = _columns_fitted(
            parts, labels, weights, _rows_fitted(parts, labels, weights, stacker, usual)
        )
    return stacker


def _rows_fitted(
    parts: StackingInputs, labels: Float64Array, weights: Float64Array, now: Stacker, usual: Stacker
) -> Stacker:
    features = [np.ones(len(labels)), parts.distance_decay, parts.is_reply]
    features += [parts.known_row, parts.known_column]
    n_parts = len(PARTS)
    for part in range(n_parts):
        score = parts.scores[part] * now.column(part, parts.known_column)
        features += [score, score * parts.known_row]
    features += [parts.generosity, parts.generosity * parts.known_row]
    features += [parts.popularity, parts.popularity * parts.known_column]
    features += [_beyond_usual(parts.generosity) * parts.known_row]
    known = [_KNOWN_PRECISION, _KNOWN_PRECISION]
    rows = [_PRECISION, _SLOPE_PRECISION] * (n_parts + 2)
    precision = np.array([0.1, _PRECISION, 0.1, *known, *rows, _PRECISION])
    every, offset, mean, start = np.array(features), parts.level, _row_weights(usual), _row_weights(now)
    theta = logistic_regression(
        every, labels, weights, offset=offset, mean=mean, precision=precision, start=start
    )
    if theta[-1] < 0.0:  # lighter tails would turn the order of the most selective
        some = slice(None, -1)
        theta[some] = logistic_regression(
            every[some],
            labels,
            weights,
            offset=offset,
            mean=mean[some],
            precision=precision[some],
            start=theta[some],
        )
        theta[-1] = 0.0
    return Stacker(
        intercept=float(theta[0]),
        distance_decay=float(theta[1]),
        rows=theta[5:-1].reshape(-1, 2),
        columns=now.columns,
        known=theta[3:5],
        reply_offset=float(theta[2]),
        tails=float(theta[-1]),
    )


def _beyond_usual(selectivity: Float64Array) -> Float64Array:
    """Return how far selectivity, in logits, lies beyond what is usual, on either side."""
    return np.asarray(np.copysign(np.maximum(np.abs(selectivity) - _USUAL, 0.0), selectivity), np.float64)


def _row_weights(stacker: Stacker) -> Float64Array:
    """Return what `_rows_fitted` finds, in the order of its features."""
    alone = [stacker.intercept, stacker.distance_decay, stacker.reply_offset]
    return np.concatenate([alone, stacker.known, stacker.rows.ravel(), [stacker.tails]])


def _columns_fitted(
    parts: StackingInputs, labels: Float64Array, weights: Float64Array, now: Stacker
) -> Stacker:
    fixed = (
        parts.level
        + now.intercept
        + now.distance_decay * parts.distance_decay
        + now.reply_offset * parts.is_reply
    )
    fixed += now.of_viewer(parts.known_row, parts.generosity)
    fixed += now.of_candidate(parts.known_column, parts.popularity)
    n_parts = len(PARTS)
    scores = np.array([now.row(part, parts.known_row) * parts.scores[part] for part in range(n_parts)])
    fixed += scores.sum(axis=0)
    precision = np.full(n_parts, _SLOPE_PRECISION)
    columns = logistic_regression(
        scores * parts.known_column,
        labels,
        weights,
        offset=fixed,
        mean=np.zeros(n_parts),
        precision=precision,
        start=now.columns,
    )
    return replace(now, columns=columns)


def conditional_logit(
    features: Float64Array, available: BoolArray, *, mean: Float64Array, precision: Float64Array
) -> Float64Array:
    """Return the posterior mode of a conditional logit, `(n_features,)`, by Newton's method.

    Each row is one choice among alternatives, of which the first was taken: P(first) is its share of
    `exp(theta x)` over the available ones. What does not differ between alternatives cannot be learned.

    features: `(n_features, n_choices, n_alternatives)`. available: `(n_choices, n_alternatives)`.

    Source: McFadden, "Conditional logit analysis of qualitative choice behavior", in Frontiers in
    Econometrics, 1973.
    """
    theta = mean.copy()
    for _ in range(50):
        logits = np.where(available, np.einsum("f,fca->ca", theta, features), -np.inf)
        share = np.exp(logits - logits.max(axis=1, keepdims=True))
        share /= share.sum(axis=1, keepdims=True)
        expected = np.einsum("fca,ca->fc", features, share)
        gradient = (features[:, :, 0] - expected).sum(axis=1) - precision * (theta - mean)
        second = np.einsum("fca,gca->fg", features * share, features) - expected @ expected.T
        step = np.linalg.solve(second + np.diag(np.maximum(precision, 1e-9)), gradient)
        theta = theta + step / max(1.0, float(np.abs(step).max()) / 4.0)
        if np.abs(step).max() < 1e-6:
            break
    return np.asarray(theta, np.float64)
