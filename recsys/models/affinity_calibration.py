"""The chance of a like beside drawn pairs that never met, from the order of lists of a log of likes alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from recsys.data.unseen_pairs import UnseenPairs
from recsys.models.affinity import PARTS, TERM, AffinityLine
from recsys.models.affinity_recency import HeldOutAffinity
from recsys.models.calibration import LEAST_SLOPE, fit_level, fit_platt
from recsys.models.directed import sigmoid
from recsys.models.impressions import Impressions
from recsys.models.list_weights import ListWeights
from recsys.models.logistic_regression import log_losses, logistic_regression
from recsys.models.negative_sampling import level_beside
from recsys.types import Float64Array, Int64Array

_NEGATIVES: Final = 4
"""Unseen pairs beside a held-out like, where nobody ever said no."""
_OF_THE_VIEWER: Final = (TERM["level"], TERM["activity"])
"""Terms of a choice that stand for how often a viewer chooses: as many pairs are drawn for each like."""
_PRECISION: Final = np.array([10.0, 1.0, 1.0, 3.0, 1.0, 0.0])
"""Of the slope around 1, as `fit_platt` has it, of the terms of `AffinityLine` around 0, and of the level."""


def fit_beside(
    splits: Sequence[HeldOutAffinity],
    choice: ListWeights,
    unseen: UnseenPairs,
    negatives_per_like: float,
    rng: np.random.Generator,
    *,
    end: HeldOutAffinity | None = None,
) -> AffinityLine | None:
    """Return the line from logits of a choice to P(like) beside drawn pairs, of a log of likes alone.

    None where held-out likes are told from drawn pairs no better than by `p_like` as it is, or the order
    tells nothing of them.

    end: the end of the log, if it has times: then the line is the one that holds there, and judged there. How
    many pairs are drawn beside a like does not change with time, so all of it is believed.
    """
    every = _BesidePairs.joined([_BesidePairs.of(split, choice, unseen, rng) for split in splits])
    line, platt = every.line(), fit_platt(every.base, every.labels)
    if end is not None:
        every = _BesidePairs.of(end, choice, unseen, rng)
        line = every.line(before=line)
        platt = platt.then(fit_platt(platt.logits(every.base), every.labels))
    losses = [
        log_losses(logits, every.labels)[0].mean()
        for logits in (every.logits(line), platt.logits(every.base))
    ]
    if losses[0] >= losses[1] or line.slope < LEAST_SLOPE:
        return None
    own = choice.theta[list(_OF_THE_VIEWER)]
    level = level_beside(every.labels, negatives_per_like).intercept
    return replace(
        line,
        intercept=line.intercept + level - line.slope * float(own[0]),
        activity=line.activity - line.slope * float(own[1]),
    )


def beside_more(
    line: AffinityLine,
    splits: Sequence[HeldOutAffinity],
    fewer: Sequence[HeldOutAffinity],
    *,
    choice: ListWeights,
    unseen: UnseenPairs,
    rng: np.random.Generator,
) -> AffinityLine:
    """Return the line of `fit_beside` for as many decisions more as were left out for it.

    The more is known the higher are the scores of those who will be liked, while few of those who will not be
    fall, so chances of a line fitted on less come out too high. How much is told by leaving out as many
    decisions once more: the level goes back by as much as the mean chance of the same pairs grew.

    fewer: `splits` as they are when a further share, as large as each left out, is not known.
    """
    own = choice.theta[list(_OF_THE_VIEWER)]
    # the pairs hold logits of a choice without what is of the viewer
    line_of_pairs = replace(
        line,
        intercept=line.intercept + line.slope * float(own[0]),
        activity=line.activity + line.slope * float(own[1]),
    )
    more: list[Float64Array] = []
    less: list[Float64Array] = []
    for split, thinner in zip(splits, fewer, strict=True):
        seed = int(rng.integers(2**32))
        # the same pairs both times
        for one, found in ((split, more), (thinner, less)):
            pairs = _BesidePairs.of(one, choice, unseen, np.random.default_rng(seed))
            found.append(pairs.logits(line_of_pairs))
    logits, before = np.concatenate(more), np.concatenate(less)
    level = fit_level(logits, np.full(len(logits), sigmoid(before).mean()))
    return replace(line, intercept=line.intercept + level)


def with_unseen(
    held: Impressions, unseen: UnseenPairs, rng: np.random.Generator
) -> tuple[Int64Array, Int64Array, Float64Array]:
    """Return viewers, candidates and labels of held-out decisions, and of unseen pairs beside them."""
    i, j = held.viewers.astype(np.int64), held.candidates.astype(np.int64)
    beside, fresh = unseen.beside(i, _NEGATIVES, rng)
    labels = np.concatenate([held.labels, np.zeros(int(fresh.sum()))])
    i = np.concatenate([i, np.repeat(i, _NEGATIVES)[fresh.ravel()]])
    return i, np.concatenate([j, beside[fresh]]), labels


@dataclass(frozen=True, eq=False)
class _BesidePairs:
    """Held-out likes and drawn pairs.

    chosen: `(n_pairs,)` logits of a choice, without what is of the viewer. terms: `(n_terms, n_pairs)`, see
    `AffinityLine.terms`. base, labels: `(n_pairs,)` logits of P(like | look), and 0 or 1.
    """

    chosen: Float64Array
    terms: Float64Array
    base: Float64Array
    labels: Float64Array

    @classmethod
    def of(
        cls, split: HeldOutAffinity, choice: ListWeights, unseen: UnseenPairs, rng: np.random.Generator
    ) -> "_BesidePairs":
        """Return held-out likes and pairs drawn beside them."""
        i, j, labels = with_unseen(split.decisions.held, unseen, rng)
        base = split.decisions.p_like.logits(i, j)
        terms = split.person.terms(base, i, j)
        for name, power in zip(PARTS, choice.levelled, strict=True):
            terms[TERM[name]] *= getattr(split.person, name).leveller[i] ** power
        theta = choice.theta.copy()
        theta[list(_OF_THE_VIEWER)] = 0.0
        return cls(theta @ terms, AffinityLine.terms(split.person, i, j), base, labels)

    @classmethod
    def joined(cls, parts: "Sequence[_BesidePairs]") -> "_BesidePairs":
        """Return the pairs of all parts."""
        columns = zip(*(vars(part).values() for part in parts), strict=True)
        return cls(*(np.concatenate(column, axis=-1) for column in columns))

    def logits(self, line: AffinityLine) -> Float64Array:
        """Return the logits of the line, `(n_pairs,)`."""
        return line.slope * self.chosen + line.weights @ self.terms + line.intercept

    def line(self, before: AffinityLine | None = None) -> AffinityLine:
        """Return the line that holds of these pairs; before: one to stay near where there is little to learn.

        As `fit_platt` does, with one more observation, half a like and half none, of a usual pair.
        """
        first = AffinityLine() if before is None else before
        logits = self.logits(first)
        centre, usual = float(logits.mean()), self.terms.mean(axis=1)
        columns = np.vstack([logits - centre, self.terms - usual[:, None], np.ones(len(logits))])
        features = np.hstack([columns, np.repeat(np.eye(len(columns))[:, -1:], 2, axis=1)])
        labels, weights = np.append(self.labels, [0.0, 1.0]), np.append(np.ones(len(logits)), [0.5, 0.5])
        mean = np.zeros(len(columns))
        mean[0] = 1.0

        found = logistic_regression(
            features, labels, weights, offset=np.zeros(len(labels)), mean=mean, precision=_PRECISION
        )
        slope, own = float(found[0]), found[1:-1]
        weights_of_terms = slope * first.weights + own
        level = float(found[-1] - slope * centre - own @ usual) + slope * first.intercept
        return AffinityLine.of(slope * first.slope, level, weights_of_terms)
