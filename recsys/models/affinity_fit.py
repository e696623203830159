"""Learns who comes across whom: settings from pairs left out, then the parts of the whole log."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from recsys.data.unseen_pairs import UnseenPairs
from recsys.models.affinity import (
    PARTS,
    TERM,
    Affinity,
    AffinityLine,
    AffinityParts,
    AffinitySpread,
    Closeness,
    PartRows,
    PersonAffinity,
    ScoreSpread,
)
from recsys.models.affinity_calibration import beside_more, fit_beside
from recsys.models.affinity_recency import HeldOutAffinity, with_recency
from recsys.models.affinity_weights import fit_closeness, fit_weights, looks_follow_evidence
from recsys.models.impressions import Impressions
from recsys.models.neighbourhoods import CommonNeighbours, ItemRegression
from recsys.models.temporal_calibration import LEAST_HELD_OUT, HeldOutDecisions
from recsys.models.whole_matrix import (
    CHOOSING_ITERATIONS,
    WholeMatrix,
    WholeMatrixSettings,
    choose_settings,
    held_out_gain,
    visits,
)
from recsys.types import Float64Array

_ITEMS_OF_A_TRIAL: Final = 2048
"""Candidates with the most decisions, on which the ridge is chosen: a regression costs their number cubed."""
_RIDGES: Final = (30.0, 100.0, 300.0, 1000.0)
_MOST_GROWTH: Final = 2.0
"""How much further apart scores of all decisions may lie than those of a share."""
_NOTHING: Final = 1e-300
"""Divides where scores are all 0."""
_COSINES: Final = 50_000
"""Pairs that tell a mean cosine well."""


def fit_affinity(
    decisions: Impressions,
    random: Sequence[HeldOutDecisions],
    ends: Sequence[HeldOutDecisions],
    seed: int,
    *,
    negatives_per_like: float,
) -> Affinity | None:
    """Learn from the decisions of a log that logs no looks.

    None where too few likes were left out, or looks go to anybody alike: see `looks_follow_evidence`.

    random: parts of the pairs, each left out at random. ends: the pairs of the end of the log, and of ends of
    what was known before, the latest first; none where it has no times. negatives_per_like: passes drawn for
    each like where nobody ever said no.
    """
    n_people = len(random[0].p_like)
    if sum(int((one.held.labels > 0).sum()) for one in random) < LEAST_HELD_OUT:
        return None
    rng = np.random.default_rng(seed)
    pairs = [(one.known.without_decay(), one.held) for one in random]
    settings, likes = choose_settings(pairs, n_people, seed)
    fit = _PartsFit(n_people, settings, _best_ridge(pairs, n_people, seed), seed)
    splits = [
        HeldOutAffinity(replace(one, known=known), *fit.parts(known, CHOOSING_ITERATIONS, likes=factors))
        for one, (known, _), factors in zip(random, pairs, likes, strict=True)
    ]
    unseen = UnseenPairs.of(decisions.viewers, decisions.candidates)
    if not looks_follow_evidence(splits, unseen, np.random.default_rng(seed)):
        return None
    closeness = fit_closeness(splits, unseen, rng)
    splits = [one.with_closeness(closeness) for one in splits]
    choice, look = fit_weights(decisions, splits, rng)
    whole = decisions.without_decay()
    final, everybody = fit.parts(whole)
    closeness = _after_more(closeness, everybody, whole, splits, np.random.default_rng(seed))
    late = [fit.at_the_end(one) for one in ends if int((one.held.labels > 0).sum()) >= LEAST_HELD_OUT]
    if late:
        choice, half_life = with_recency(choice, late, splits)
        final = replace(final, half_life=half_life)
        activity, popularity, presence = final.recent(whole, n_people)
        everybody = replace(
            everybody, recent_activity=activity, recent_popularity=popularity, presence=presence
        )
    beside = AffinityLine(slope=0.0)
    if negatives_per_like and (decisions.labels > 0).all():
        splits = [one.as_recent(final.half_life) for one in splits]
        end = late[0].as_recent(final.half_life) if late else None
        line = fit_beside(splits, choice, unseen, negatives_per_like, rng, end=end)
        if line is not None:
            fewer = [fit.with_fewer(one).as_recent(final.half_life) for one in splits]
            beside = beside_more(line, splits, fewer, choice=choice, unseen=unseen, rng=rng)
    choice_of_all, look = (_as_far_apart(theta, final, splits) for theta in (choice.theta, look))
    return Affinity(final, closeness, choice_of_all, choice.levelled, look, beside, everybody)


def _as_far_apart(
    theta: Float64Array, final: AffinityParts, splits: Sequence[HeldOutAffinity]
) -> Float64Array:
    """Return the weights with which scores of a part lie at most twice as far apart as where they were found.

    Of more decisions scores lie somewhat further apart. Factors of a small log that nothing holds together
    may be near 0 where some decisions are left out and not where none is; their weights would then make
    chances near 0 or 1 of them.
    """
    theta = theta.copy()
    for name in PARTS:
        usual = float(np.mean([getattr(split.parts.spread, name).usual for split in splits]))
        theta[TERM[name]] *= min(_MOST_GROWTH * usual / max(getattr(final.spread, name).usual, _NOTHING), 1.0)
    return theta


def _after_more(
    closeness: Closeness,
    everybody: PersonAffinity,
    decisions: Impressions,
    splits: Sequence[HeldOutAffinity],
    rng: np.random.Generator,
) -> Closeness:
    """Return it for people of whom more is known: then they have more neighbours in common.

    The mean cosine moves by as much as that of the pairs that were learned from.
    """
    if not closeness.weight:
        return closeness

    def usual(person: PersonAffinity, known: Impressions) -> float:
        some = known.sampled(_COSINES, rng)
        return float(closeness.cosines(person, some.viewers, some.candidates).mean())

    before = float(np.mean([usual(one.person, one.decisions.known) for one in splits]))
    return replace(closeness, mean=closeness.mean + usual(everybody, decisions) - before)


@dataclass(frozen=True)
class _PartsFit:
    """How every part is learned from some decisions."""

    n_people: int
    settings: WholeMatrixSettings
    ridge: float
    seed: int

    def parts(
        self, known: Impressions, iterations: int = 15, *, likes: WholeMatrix | None = None
    ) -> tuple[AffinityParts, PersonAffinity]:
        """Learn every part and fold everybody in; `likes` where those factors were learned already."""
        visited, rng, n_people = visits(known), np.random.default_rng(self.seed), self.n_people
        some_passes = bool((known.labels == 0).any())
        if likes is None:
            likes = WholeMatrix.learned(known, n_people, self.settings, self.seed, iterations)
        looked = likes
        if some_passes:
            looked = WholeMatrix.learned(visited, n_people, self.settings, self.seed, iterations)
        else:
            likes = replace(likes, taste=likes.taste[:, :0], appeal=likes.appeal[:, :0])
        regression = ItemRegression.learned(visited, n_people, self.ridge, rng)
        neighbours = CommonNeighbours.learned(visited, n_people, rng)
        everybody = np.arange(n_people)
        rows: PartRows = {
            "visits": looked.folded(visited, n_people, everybody),
            "likes": likes.folded(known, n_people, everybody),
            "regression": regression.folded(visited, n_people, everybody),
            "neighbours": neighbours.folded(visited, n_people, everybody),
        }
        gave, received = np.unique(known.viewers), np.unique(known.candidates)
        spread = AffinitySpread(
            *(ScoreSpread.of(taste[gave], appeal[received]) for taste, appeal in rows.values())
        )
        parts = AffinityParts(looked, likes, regression, neighbours, spread, half_life=1.0)
        return parts, parts.person(known, n_people, rows)

    def at_the_end(self, end: HeldOutDecisions) -> HeldOutAffinity:
        """Return who comes across whom as far as was known before an end of the log."""
        known = end.known.without_decay()
        return HeldOutAffinity(replace(end, known=known), *self.parts(known, CHOOSING_ITERATIONS))

    def with_fewer(self, split: HeldOutAffinity) -> HeldOutAffinity:
        """Return the split as it is when as large a share of what is known is left out once more."""
        one = split.decisions
        n_folds = max(round(1.0 + len(one.known) / max(len(one.held), 1)), 2)
        folds = one.known.random_pair_folds(n_folds, np.random.default_rng(self.seed))
        known = one.known.take(folds > 0)
        return HeldOutAffinity(replace(one, known=known), *self.parts(known, CHOOSING_ITERATIONS))


def _best_ridge(splits: Sequence[tuple[Impressions, Impressions]], n_people: int, seed: int) -> float:
    """Return the ridge of the item regression that ranks held-out likes best."""

    def gain(ridge: float) -> float:
        total = 0.0
        for known, held in splits:
            draw, visited = np.random.default_rng(seed), visits(known)
            one = ItemRegression.learned(visited, n_people, ridge, draw, most_items=_ITEMS_OF_A_TRIAL)
            total += held_out_gain(*one.folded(visited, n_people, np.arange(n_people)), known, held)
        return total

    gains = {ridge: gain(ridge) for ridge in _RIDGES[1:3]}
    further = _RIDGES[0] if gains[_RIDGES[1]] > gains[_RIDGES[2]] else _RIDGES[3]
    gains[further] = gain(further)
    return max(gains, key=gains.__getitem__)
