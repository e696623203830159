"""Recency of decisions: the weight of recent decisions that the end of a log asks for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

import numpy as np

from recsys.models.affinity import TERM, TERMS, AffinityParts, Closeness, PersonAffinity
from recsys.models.list_weights import JudgedLists, ListWeights, is_better
from recsys.models.temporal_calibration import HeldOutDecisions
from recsys.types import BoolArray, Float64Array

RECENT: Final = (
    TERM["recent activity of the candidate"],
    TERM["recent popularity"],
    TERM["presence of the candidate"],
)
"""As `AffinityParts.recent` returns them."""
RECENT_FOR_UNKNOWN: Final = tuple(TERM[f"{TERMS[term].name} for the unknown"] for term in RECENT)
_RECENCIES: Final = (RECENT[:2], RECENT[2:])
"""Terms that are weighed together: how much goes on about somebody, and whether they are still there."""
_MOST_OF_THE_LOG: Final = 0.95
"""Share of the decisions whose time counts as the time a log covers; single dates may be wrong."""
_HALF_LIVES: Final = (1 / 4, 1 / 16, 1 / 64, 1 / 256)
"""Half-lives that are tried, as shares of the time the log covers."""
_RECENCY_WEIGHTS: Final = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
_ERRORS: Final = 3.0
"""Standard errors by which a gain at the end exceeds chance, of dozens that are tried."""
_LEAST_GAIN: Final = 1e-9
_UNCOUNTED_COST: Final = 0.05
"""Log of the share that lists of pairs of any time may lose, since lists to come are those of the end."""
_LEAST_UNKNOWN: Final = 10
"""Viewers without a decision whose lists tell whether recency counts less for them."""
_SHARES_LESS: Final = (0.0, 0.5, 1.0)
_AS_POPULARITY: Final = 1.0
"""Weight of recency for the unknown, that of popularity for them, where their lists do not tell."""
_FIRST_PLACES: Final = (10,)
"""Whom recency puts first is told by the first places: in a small world longer lists hold nearly all."""


@dataclass(frozen=True, eq=False)
class HeldOutAffinity:
    """Decisions to judge by, and who comes across whom as far as what is known then says."""

    decisions: HeldOutDecisions
    parts: AffinityParts
    person: PersonAffinity

    def judged(self, starts: Sequence[ListWeights], *, mutual: bool | None = None) -> JudgedLists:
        """Return the lists that held-out likes judge; see `JudgedLists.of`."""
        one = self.decisions
        return JudgedLists.of(one.known, one.held, one.p_like, self.person, starts, mutual=mutual)

    def only(self, mask: BoolArray) -> "HeldOutAffinity":
        """Return the same with the held-out decisions where the mask is true."""
        return replace(self, decisions=replace(self.decisions, held=self.decisions.held.take(mask)))

    def as_recent(self, half_life: float) -> "HeldOutAffinity":
        """Return the same with recent activity and popularity of this half-life, in days."""
        activity, popularity, presence = self.recent(half_life)
        person = replace(
            self.person, recent_activity=activity, recent_popularity=popularity, presence=presence
        )
        return replace(self, person=person)

    def recent(self, half_life: float) -> tuple[Float64Array, Float64Array, Float64Array]:
        """Return recent activity, recent popularity and presence of this half-life, in days."""
        parts = replace(self.parts, half_life=half_life)
        return parts.recent(self.decisions.known, len(self.decisions.p_like))

    def with_closeness(self, closeness: Closeness) -> "HeldOutAffinity":
        """Return the same with what common neighbours add to P(like | look)."""
        p_like = closeness.added_to(self.decisions.p_like, self.person)
        return replace(self, decisions=replace(self.decisions, p_like=p_like))


def with_recency(choice: ListWeights, splits: Sequence[HeldOutAffinity]) -> tuple[ListWeights, float]:
    """Return `choice` with a weight of recent decisions or of presence, and their half-life in days.

    splits: first the end of the log, then pairs of any time.
    What, weight and half-life are those that help lists of the end most, less what they cost lists of pairs
    of any time beyond a twentieth: what comes is later than the log. 0 where no gain at the end exceeds
    chance.
    """
    span = float(np.quantile(splits[0].decisions.known.first_age, _MOST_OF_THE_LOG))
    found: dict[tuple[tuple[int, ...], float, float], list[Float64Array]] = {}
    for split, terms in product(splits, _RECENCIES):
        recent = {share: _recent(split, terms, share * span) for share in _HALF_LIVES}
        lately = replace(split.person, recent_popularity=recent[_HALF_LIVES[1]])
        lists = replace(split, person=lately).judged([choice])
        for share, amount in recent.items():
            for weight in _RECENCY_WEIGHTS:
                more = weight * (amount - _usual(amount, split))
                gains = lists.gains(choice, more, depths=_FIRST_PLACES)
                found.setdefault((terms, weight, share), []).append(gains)

    def none(key: tuple[tuple[int, ...], float, float]) -> list[Float64Array]:
        return found[key[0], 0.0, _HALF_LIVES[0]]

    def worth(key: tuple[tuple[int, ...], float, float]) -> float:
        end, *others = (
            float(np.log(max(gain.mean(), _LEAST_GAIN) / max(base.mean(), _LEAST_GAIN))) if len(gain) else 0.0
            for gain, base in zip(found[key], none(key), strict=True)
        )
        return end + min(float(np.mean(others)) + _UNCOUNTED_COST, 0.0)

    better = [key for key in found if is_better(found[key][0], none(key)[0], errors=_ERRORS)]
    best = max(better, key=worth, default=(RECENT, 0.0, 1.0))
    if not better or worth(best) <= 0.0:
        return choice, 1.0
    terms, weight, half_life = best[0], best[1], best[2] * span
    theta = choice.theta.copy()
    theta[list(terms)] = weight
    usual = weight * _usual(_recent(splits[0], terms, half_life), splits[0])
    theta[TERM["level"]] -= usual
    end = splits[0].as_recent(half_life)
    return _less_for_unknown(replace(choice, theta=theta), terms, usual, end), half_life


def _less_for_unknown(
    choice: ListWeights, terms: tuple[int, ...], usual: float, end: HeldOutAffinity
) -> ListWeights:
    """Return the weights with the recency that the lists of unknown viewers ask for.

    Beside what is known of a viewer a great weight tells who is still there; alone it makes a list of whoever
    decided last. So it counts for them as popularity does, but where their lists at the end are clearly
    better with the weight of everybody, a half of it, or none. As it is where too few are at the end.

    terms: of `RECENT`, those with a weight. usual: what they add to the logits of a usual candidate.
    """
    lists = end.judged([choice], mutual=False)
    are_unknown = end.person.known[lists.viewers] == 0.0
    if int(are_unknown.sum()) < _LEAST_UNKNOWN:
        return choice

    def with_less(share: float) -> ListWeights:
        theta = choice.theta.copy()
        for term in terms:
            theta[RECENT_FOR_UNKNOWN[RECENT.index(term)]] = -share * theta[term]
        theta[TERM["level of the unknown"]] += share * usual
        return replace(choice, theta=theta)

    best = with_less(max(1.0 - _AS_POPULARITY / float(choice.theta[terms[0]]), 0.0))
    reached = lists.gains(best)[are_unknown]
    for tried in map(with_less, _SHARES_LESS):
        gains = lists.gains(tried)[are_unknown]
        if is_better(gains, reached):
            best, reached = tried, gains
    return best


def _recent(split: HeldOutAffinity, terms: tuple[int, ...], half_life: float) -> Float64Array:
    """Return the sum of some of `RECENT`, `(n_people,)`."""
    amounts = dict(zip(RECENT, split.recent(half_life), strict=True))
    return np.asarray(np.sum([amounts[term] for term in terms], axis=0), np.float64)


def _usual(recent: Float64Array, split: HeldOutAffinity) -> float:
    """Return what those who were decided about have of it, so that a great weight leaves the level alone.

    Else chances of many candidates come so near to 1 that they cannot be told apart.
    """
    return float(recent[split.decisions.known.candidates].mean())
