"""The joint correction: two people of whom one likes the other agree more often than chance says."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.models.directed import sigmoid
from recsys.models.looks import Looks

Floats = npt.NDArray[np.float64]
USUAL_ASSOCIATION: Final = 0.5
"""Log odds ratio before any pair of decisions was seen: people share more than their answers show.

Judged, not measured, as the usual weights of content are; evidence moves it.
"""
_PRECISION: Final = 10.0
"""Of the prior of the association around the usual one."""


@dataclass(frozen=True, slots=True)
class Joint:
    """P(both) from two probabilities whose four outcomes have one log odds ratio, `association`.

    Both probabilities stay what they are; 0 is the product, above 0 who is liked likes more readily.

    Source: Plackett, "A class of bivariate distributions", Journal of the American Statistical
    Association 60 (1965) 516-522; reciprocity as a log odds ratio: Holland and Leinhardt, "An
    exponential family of probability distributions for directed graphs", the same, 76 (1981) 33-50.

    >>> Joint(np.log(9.0)).both(np.array([0.5]), np.array([0.5])).round(6).tolist()
    [0.375]
    """

    association: float = 0.0

    def both(self, p: Floats, q: Floats) -> Floats:
        """Return P(both say yes), aligned."""
        ratio = float(np.exp(self.association))
        total = 1.0 + (p + q) * (ratio - 1.0)
        root = np.sqrt(np.maximum(total**2 - 4.0 * ratio * (ratio - 1.0) * p * q, 0.0))
        together = 2.0 * ratio * p * q / (total + root)
        return np.asarray(np.clip(together, np.maximum(p + q - 1.0, 0.0), np.minimum(p, q)), np.float64)


@dataclass(frozen=True, eq=False)
class Replies:
    """Blind decisions about somebody whose own decision is known, `(n_replies,)` each.

    labels, weights: what was said, and the chance that it was said after looking.
    logits:          of P(yes) from everything but what the other said.
    surprise:        the other's decision less its probability, times the chance that they looked.
    """

    labels: Floats
    weights: Floats
    logits: Floats
    surprise: Floats

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def among(cls, looks: Looks, chance: Floats) -> "Replies":
        """Return the decisions of which the other direction is known; `chance` is P(yes) of each look.

        None where people answer likes they received: there most matches are asked answers, being asked
        flatters, and whom an inbox shows first depends on how much they are liked.
        """
        if looks.asked.any():
            return cls(*np.empty((4, 0)))
        width = int(max(looks.viewers.max(initial=0), looks.candidates.max(initial=0))) + 1
        i, j = looks.viewers.astype(np.int64), looks.candidates.astype(np.int64)
        own, back = i * width + j, j * width + i
        other = np.searchsorted(own, back).clip(0, max(len(own) - 1, 0))
        known = own[other] == back if len(own) else np.zeros(0, bool)
        at = np.flatnonzero(known)
        other = other[at]
        sure = np.clip(chance[at], 1e-9, 1.0 - 1e-9)
        return cls(
            labels=looks.labels[at],
            weights=looks.chances[at],
            logits=np.log(sure) - np.log1p(-sure),
            surprise=(looks.labels[other] - chance[other]) * looks.chances[other],
        )

    @classmethod
    def joined(cls, parts: Sequence["Replies"]) -> "Replies":
        """Return the replies of all, one after another."""
        names = [field.name for field in fields(cls)]
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})

    def take(self, chosen: npt.ArrayLike) -> "Replies":
        """Return the chosen replies (positions or a mask)."""
        at = np.asarray(chosen)
        return Replies(**{field.name: getattr(self, field.name)[at] for field in fields(self)})


def fit_joint(replies: Replies) -> Joint:
    """Return the association of greatest posterior, by Newton's method; the usual one without replies.

    It is what the logit of a decision gains with each unit of surprise at the other's.
    """
    more = USUAL_ASSOCIATION
    for _ in range(50):
        p = sigmoid(replies.logits + more * replies.surprise)
        pull = float((replies.weights * (replies.labels - p)) @ replies.surprise)
        curve = float((replies.weights * p * (1.0 - p)) @ replies.surprise**2)
        step = (pull - _PRECISION * (more - USUAL_ASSOCIATION)) / (curve + _PRECISION)
        more += float(np.clip(step, -1.0, 1.0))
        if abs(step) < 1e-9:
            break
    return Joint(more)
