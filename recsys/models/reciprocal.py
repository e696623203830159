"""How two one-sided probabilities become one mutual score."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.errors import InputError, SettingsError, did_you_mean, explained
from recsys.models.impressions import Impressions, PairRows
from recsys.types import BoolArray, Float64Array


def _product(p: Float64Array, q: Float64Array) -> Float64Array:
    """Return P(both like each other) if the two decisions are independent given the scores."""
    return p * q


def _harmonic(p: Float64Array, q: Float64Array) -> Float64Array:
    """Stay close to the smaller of the two (Pizzato et al., RECON, RecSys 2010)."""
    total = p + q
    return np.divide(2.0 * p * q, total, out=np.zeros_like(total), where=total > 0)


def _geometric(p: Float64Array, q: Float64Array) -> Float64Array:
    """Put the product on the scale of one probability (Neve & Palomares, RecSys 2019)."""
    return np.sqrt(p) * np.sqrt(q)


def _min(p: Float64Array, q: Float64Array) -> Float64Array:
    """Be as good as it is for the one it suits less."""
    return np.minimum(p, q)


def _cross_ratio(p: Float64Array, q: Float64Array) -> Float64Array:
    """Apply the cross-ratio uninorm (Yager & Rybalov 1996; Appel et al. 2017): neutral at one half.

    Certain yes against certain no is undefined; here it is no.
    """
    yes, no = p * q, (1.0 - p) * (1.0 - q)
    total = yes + no
    return np.divide(yes, total, out=np.zeros_like(total), where=total > 0)


COMBINERS: Final = MappingProxyType(
    {
        "product": _product,
        "harmonic": _harmonic,
        "geometric": _geometric,
        "min": _min,
        "cross_ratio": _cross_ratio,
    }
)
"""Every combiner by name: symmetric, rising in both probabilities, into [0, 1]."""


def combine(p: npt.ArrayLike, q: npt.ArrayLike, how: str = "product") -> Float64Array:
    """Return the mutual score of `p` = P(i likes j) and `q` = P(j likes i), float64 in [0, 1].

    `p` and `q` broadcast. `how` is one of product, harmonic, geometric, min, cross_ratio.

    Raises
    ------
    SettingsError
        For an unknown combiner.
    InputError
        When a value is not a probability.

    References
    ----------
    Neve and Palomares, "Aggregation strategies in user-to-user reciprocal recommender systems",
    IEEE SMC 2019.

    Examples
    --------
    >>> combine([0.5, 0.0], [0.5, 1.0]).tolist()
    [0.25, 0.0]
    >>> float(combine(0.5, 0.9, "cross_ratio").round(6))
    0.9
    """
    if how not in COMBINERS:
        raise SettingsError(explained("unknown combiner", got=how, remedy=did_you_mean(how, COMBINERS)))
    ours, theirs = np.broadcast_arrays(np.asarray(p, np.float64), np.asarray(q, np.float64))
    for name, values in (("p", ours), ("q", theirs)):
        if not ((values >= 0.0) & (values <= 1.0)).all():
            raise InputError(explained("a probability must lie in [0, 1]", where=name))
    return np.asarray(COMBINERS[how](ours, theirs), np.float64)


USUAL_ASSOCIATION: Final = 0.5
"""Log odds ratio before any pair of decisions was seen: people share more than their answers show.

Judged, not measured, as the usual weights of content are; evidence moves it.
"""
_PRECISION: Final = 2.0
"""Of the prior of the association around the usual one."""
_MOST: Final = 6.0
_LEAST_GAIN: Final = 1.0
"""Log-likelihood that one more number gains by fitting chance alone."""


@dataclass(frozen=True, slots=True)
class MatchAssociation:
    """P(both) from two probabilities whose four outcomes have one log odds ratio, `association`.

    Both probabilities stay what they are; 0 is the product, above 0 who is liked likes more readily.
    told_better: whether held-out pairs who like each other were told better by it than by the product.

    Source: Plackett, "A class of bivariate distributions", Journal of the American Statistical
    Association 60 (1965) 516-522; reciprocity as a log odds ratio: Holland and Leinhardt, "An
    exponential family of probability distributions for directed graphs", the same, 76 (1981) 33-50.

    >>> MatchAssociation(np.log(9.0)).both(np.array([0.5]), np.array([0.5])).round(6).tolist()
    [0.375]
    """

    association: float = 0.0
    told_better: bool = False

    def both(self, p: Float64Array, q: Float64Array) -> Float64Array:
        """Return P(both say yes), aligned."""
        ratio = float(np.exp(self.association))
        total = 1.0 + (p + q) * (ratio - 1.0)
        root = np.sqrt(np.maximum(total**2 - 4.0 * ratio * (ratio - 1.0) * p * q, 0.0))
        together = 2.0 * ratio * p * q / (total + root)
        return np.asarray(np.clip(together, np.maximum(p + q - 1.0, 0.0), np.minimum(p, q)), np.float64)


@dataclass(frozen=True, eq=False)
class PairedDecisions(PairRows):
    """Blind decisions about somebody whose own decision is known, `(n_replies,)` each.

    labels, weights: what was said, and the chance that it was said after looking.
    chance:          of a yes, from everything but what the other said.
    other, other_chance, other_looked: what the other said, its chance, and the chance that they looked.
    """

    labels: Float64Array
    weights: Float64Array
    chance: Float64Array
    other: Float64Array
    other_chance: Float64Array
    other_looked: Float64Array

    @classmethod
    def among(cls, impressions: Impressions, chance: Float64Array) -> "PairedDecisions":
        """Return the decisions of which the other direction is known; `chance` is P(yes) of each impression.

        None where people answer likes they received: there most matches are replies, being asked
        flatters, and whom an inbox shows first depends on how much they are liked.
        """
        if impressions.is_reply.any():
            return cls(*np.empty((6, 0)))
        width = int(max(impressions.viewers.max(initial=0), impressions.candidates.max(initial=0))) + 1
        i, j = impressions.viewers.astype(np.int64), impressions.candidates.astype(np.int64)
        own, back = i * width + j, j * width + i
        # the last row of a pair is its answer, if there is one
        other = (np.searchsorted(own, back, side="right") - 1).clip(0)
        known = own[other] == back if len(own) else np.zeros(0, bool)
        at = np.flatnonzero(known)
        other = other[at]
        sure = np.clip(chance, 1e-9, 1.0 - 1e-9)
        return cls(
            labels=impressions.labels[at],
            weights=impressions.looks[at],
            chance=sure[at],
            other=impressions.labels[other],
            other_chance=sure[other],
            other_looked=np.minimum(impressions.looks[other], 1.0),
        )

    def log_likelihood(self, association: float) -> float:
        """Return that of what was said, given what the other said, under one log odds ratio."""
        both = MatchAssociation(association).both(self.chance, self.other_chance)
        after_no = (self.chance - both) / (1.0 - self.other_chance)
        given = np.where(self.other > 0, both / self.other_chance, after_no)
        p = self.chance + self.other_looked * (given - self.chance)
        return float(self.weights @ _log_likelihood(self.labels > 0, p))

    def gain_of_both(self, association: float) -> float:
        """Return by how much the log-likelihood of who likes each other exceeds that of the product."""
        both = (self.labels > 0) & (self.other > 0)
        joint = MatchAssociation(association).both(self.chance, self.other_chance)
        more = _log_likelihood(both, joint) - _log_likelihood(both, self.chance * self.other_chance)
        # a pair stands here in both directions
        return float((self.weights * self.other_looked) @ more) / 2.0


def _log_likelihood(happened: BoolArray, chance: Float64Array) -> Float64Array:
    return np.asarray(np.log(np.clip(np.where(happened, chance, 1.0 - chance), 1e-12, 1.0)), np.float64)


def fit_match_association(replies: PairedDecisions) -> MatchAssociation:
    """Return the association of greatest posterior, within 6 either way; the usual one without replies.

    Both directions of a pair are in it, each given the other, so a pair counts twice against the prior (a
    pseudo-likelihood: J. Besag, "Statistical analysis of non-lattice data", The Statistician 24 (1975)
    179-195). It is what tells held-out pairs better where their log-likelihood exceeds that of the product
    by more than the one number that was learned costs: H. Akaike, "A new look at the statistical model
    identification", IEEE Transactions on Automatic Control 19 (1974) 716-723.
    """
    from scipy import optimize  # in a fit alone

    if not len(replies):
        return MatchAssociation(USUAL_ASSOCIATION)

    def loss(association: float) -> float:
        prior = _PRECISION * (association - USUAL_ASSOCIATION) ** 2 / 2.0
        return prior - replies.log_likelihood(association)

    found = optimize.minimize_scalar(loss, bounds=(-_MOST, _MOST), method="bounded", options={"xatol": 1e-5})
    association = float(found.x)
    return MatchAssociation(association, replies.gain_of_both(association) > _LEAST_GAIN)
