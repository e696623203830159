"""Recency of decisions: the weight of recent decisions that the end of a log asks for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product, starmap
from typing import Final, NamedTuple, Self

import numpy as np

from recsys.models.affinity import PARTS, TERM, TERMS, AffinityParts, Closeness, PersonAffinity
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
_RECENCIES: Final[tuple[tuple[int, ...], ...]] = (RECENT[:2], RECENT[1:2], RECENT[2:])
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

_COUNTED: Final = 0.5
"""Share of the further loss that counts."""
_KEPT: Final = (0.5, 0.2, 0.0)
"""Shares of the weights of the parts that are tried beside recency."""
_OF_PARTS: Final = [TERM[name] for name in (*PARTS, "popularity")]
_LEAST_UNKNOWN: Final = 10
"""Viewers without a decision whose lists tell whether recency counts less for them."""
_ERRORS_OF_UNKNOWN: Final = 1.0
"""Standard errors by which their lists are better with another weight."""
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


class _Recency(NamedTuple):
    """How recency counts: which of `RECENT`, and by how much.

    share: half-life, as a share of the time the log covers. kept: share of the weights of the parts.
    """

    terms: tuple[int, ...]
    share: float
    weight: float
    kept: float = 1.0

    def weights(self, choice: ListWeights) -> ListWeights:
        """Return the weights beside that of recency."""
        theta = choice.theta.copy()
        theta[_OF_PARTS] *= self.kept
        return replace(choice, theta=theta)


@dataclass(frozen=True, eq=False)
class _RecentLists:
    """The lists of one end of a log, and how much is going on about everybody, by share of half-life."""

    lists: JudgedLists
    recent: dict[float, Float64Array]

    @classmethod
    def of(
        cls,
        end: HeldOutAffinity,
        choice: ListWeights,
        terms: tuple[int, ...],
        span: float,
        *,
        mutual: bool | None = None,
    ) -> Self:
        """Judge the first places by these terms, centred so that a great weight leaves the level alone."""
        recent = {share: _recent(end, terms, share * span) for share in _HALF_LIVES}
        lately = replace(end.person, recent_popularity=recent[_HALF_LIVES[1]])
        starts = [choice, _Recency(terms, 1.0, 0.0, 0.0).weights(choice)]
        lists = replace(end, person=lately).judged(starts, mutual=mutual)
        return cls(lists, {share: amount - _usual(amount, end) for share, amount in recent.items()})

    def gains(self, choice: ListWeights, tried: _Recency) -> Float64Array:
        """Return the NDCG of each viewer's first places."""
        more = tried.weight * self.recent[tried.share]
        return self.lists.gains(tried.weights(choice), more, depths=_FIRST_PLACES)


@dataclass(frozen=True, eq=False)
class _Judge:
    """Judges recency by the lists of the ends of a log, and by what it costs lists of pairs of any time."""

    choice: ListWeights
    ends: Mapping[tuple[int, ...], Sequence[_RecentLists]]
    splits: Mapping[tuple[int, ...], Sequence[_RecentLists]]
    known: dict[_Recency, list[Float64Array]] = field(default_factory=dict)
    known_of_splits: dict[_Recency, float] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        choice: ListWeights,
        ends: Sequence[HeldOutAffinity],
        splits: Sequence[HeldOutAffinity],
        span: float,
    ) -> Self:
        """Return the judge of all `_RECENCIES`; span: days that the log covers."""

        def lists(parts: Sequence[HeldOutAffinity]) -> dict[tuple[int, ...], list[_RecentLists]]:
            return {
                terms: [_RecentLists.of(one, choice, terms, span) for one in parts] for terms in _RECENCIES
            }

        return cls(choice, lists(ends), lists(splits))

    def best_of(self, tried: Iterable[_Recency], before: _Recency) -> _Recency:
        """Return the best of those that are clearly better at the ends, or at the last one; else `before`."""
        return max([before, *(one for one in tried if self._is_clear(one, before))], key=self._worth)

    def _gains(self, tried: _Recency) -> list[Float64Array]:
        if tried not in self.known:
            self.known[tried] = [one.gains(self.choice, tried) for one in self.ends[tried.terms]]
        return self.known[tried]

    def _is_clear(self, tried: _Recency, before: _Recency) -> bool:
        more, reached = self._gains(tried), self._gains(before)
        of_all = np.concatenate(more), np.concatenate(reached)
        return any(is_better(*those, errors=_ERRORS) for those in (of_all, (more[0], reached[0])))

    def _worth(self, tried: _Recency) -> float:
        none = tried._replace(share=_HALF_LIVES[0], weight=0.0, kept=1.0)
        cost = self._of_splits(tried) - self._of_splits(none) + _UNCOUNTED_COST
        return _log_mean(self._gains(tried)) + _COUNTED * min(cost, 0.0)

    def _of_splits(self, tried: _Recency) -> float:
        if tried not in self.known_of_splits:
            gains = [one.gains(self.choice, tried) for one in self.splits[tried.terms]]
            self.known_of_splits[tried] = _log_mean(gains)
        return self.known_of_splits[tried]


def with_recency(
    choice: ListWeights, ends: Sequence[HeldOutAffinity], splits: Sequence[HeldOutAffinity]
) -> tuple[ListWeights, float]:
    """Return `choice` with a weight of recent decisions or of presence, and their half-life in days.

    ends: the end of the log, and ends of what was known before it, at least one. splits: pairs of any time.
    What, weight and half-life are those that help lists of the ends most, less half of what they cost lists
    of pairs of any time beyond a twentieth. `choice` was learned of such pairs, which tell who was there at
    the same time as the viewer; of people to come nobody was. So of the weights of the parts as large a share
    is kept beside recency as the ends ask for. `choice` as it is where no gain exceeds chance.
    """
    span = float(np.quantile(ends[0].decisions.known.first_age, _MOST_OF_THE_LOG))
    judge = _Judge.of(choice, ends, splits, span)
    best = _Recency(RECENT[:2], _HALF_LIVES[0], 0.0)
    best = judge.best_of(starmap(_Recency, product(_RECENCIES, _HALF_LIVES, _RECENCY_WEIGHTS[1:])), best)
    fewer = product([best.terms], _HALF_LIVES, _RECENCY_WEIGHTS[1:], _KEPT)
    best = judge.best_of(starmap(_Recency, fewer), best)
    unknown = _for_unknown(best.weights(choice), ends, best, span)
    if not best.weight and not unknown.weight:
        return choice, 1.0
    theta, half_life = best.weights(choice).theta, unknown.share * span
    usual = _usual(_recent(ends[0], unknown.terms, half_life), ends[0])
    more = unknown.weight - best.weight
    theta[list(unknown.terms)] = best.weight
    theta[[RECENT_FOR_UNKNOWN[RECENT.index(term)] for term in unknown.terms]] = more
    theta[TERM["level"]] -= best.weight * usual
    theta[TERM["level of the unknown"]] -= more * usual
    return replace(choice, theta=theta), half_life


def _for_unknown(
    choice: ListWeights, ends: Sequence[HeldOutAffinity], known: _Recency, span: float
) -> _Recency:
    """Return the recency that the lists of unknown viewers ask for.

    Beside what is known of a viewer a great weight tells who is still there; alone it makes a list of whoever
    decided last. So it counts for them as popularity does, but where their lists at the ends are clearly
    better with another weight. As it is where too few are at the ends. Where recency counts for nobody else,
    it may for them, as where people come once and whom they may like changes.

    choice: without recency. known: that of the others, with the same terms and half-life if it has a weight.
    """
    of_known = [known.terms], [known.share]
    terms, shares = of_known if known.weight else (_RECENCIES, _HALF_LIVES)
    lists = {one: [_RecentLists.of(end, choice, one, span, mutual=False) for end in ends] for one in terms}
    are_unknown = [
        end.person.known[one.lists.viewers] == 0.0 for end, one in zip(ends, lists[known.terms], strict=True)
    ]
    if sum(int(those.sum()) for those in are_unknown) < _LEAST_UNKNOWN:
        return known

    def gains(tried: _Recency) -> Float64Array:
        each = zip(lists[tried.terms], are_unknown, strict=True)
        return np.concatenate([end.gains(choice, tried)[those] for end, those in each])

    usual = known._replace(weight=min(known.weight, _AS_POPULARITY), kept=1.0)
    reached, found = gains(usual), {}
    for tried in starmap(_Recency, product(terms, shares, _RECENCY_WEIGHTS)):
        one = gains(tried)
        if is_better(one, reached, errors=_ERRORS_OF_UNKNOWN if known.weight else _ERRORS):
            found[tried] = one.mean()
    return max(found, key=found.__getitem__, default=usual)


def _log_mean(gains: Iterable[Float64Array]) -> float:
    """Return the mean over parts of the log of their mean gain; 0 where nobody's lists are judged."""
    logs = [np.log(max(float(one.mean()), _LEAST_GAIN)) for one in gains if len(one)]
    return float(np.mean(logs)) if logs else 0.0


def _recent(split: HeldOutAffinity, terms: tuple[int, ...], half_life: float) -> Float64Array:
    """Return the sum of some of `RECENT`, `(n_people,)`."""
    amounts = dict(zip(RECENT, split.recent(half_life), strict=True))
    return np.asarray(np.sum([amounts[term] for term in terms], axis=0), np.float64)


def _usual(recent: Float64Array, split: HeldOutAffinity) -> float:
    """Return what those who were decided about have of it, so that a great weight leaves the level alone.

    Else chances of many candidates come so near to 1 that they cannot be told apart.
    """
    return float(recent[split.decisions.known.candidates].mean())
