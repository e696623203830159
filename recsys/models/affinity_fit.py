"""Learns who comes across whom: parts of the whole log, weights from pairs left out, recency from its end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from recsys.models.affinity import (
    PARTS,
    TERM,
    TERMS,
    Affinity,
    AffinityParts,
    AffinitySpread,
    Closeness,
    PersonAffinity,
    ScoreSpread,
)
from recsys.models.directed import Directed, sigmoid
from recsys.models.impressions import Impressions
from recsys.models.list_weights import JudgedLists, ListWeights, best_weights, is_better
from recsys.models.negative_sampling import UnseenPairs
from recsys.models.neighbourhoods import CommonNeighbours, ItemRegression
from recsys.models.stacking import conditional_logit, logistic_regression
from recsys.models.whole_matrix import (
    WholeMatrix,
    WholeMatrixSettings,
    choose_settings,
    held_out_gain,
    visits,
)
from recsys.types import Float64Array

_DRAWN: Final = 30
"""Unseen pairs a held-out decision is told apart from."""
_MOST_DRAWN: Final = 150_000
_NEGATIVES: Final = 4
"""Unseen pairs beside a held-out like, where nobody ever said no."""
_MOST_CHOICES: Final = 3000
_BESIDE: Final = 100
"""Unseen candidates beside each of so many held-out choices."""
_LEAST_HELD_OUT: Final = 50
"""Held-out likes below which nothing is learned, and lists are in the order of p_like."""
_LATEST: Final = 0.2
"""Share of the pairs that is the end of a log."""
_LEAST_DAYS: Final = 2.0
"""Days a log covers at least where its times mean anything."""
_OF_THE_VIEWER: Final = (TERM["level"], TERM["activity"])
"""Terms that are the same for all candidates of a viewer."""
_OF_P_LIKE: Final = [TERM["p_like"], TERM["p_like of the known"]]
_RECENT: Final = (TERM["recent activity of the candidate"], TERM["recent popularity"])
_OF_A_LOOK: Final = tuple(
    TERM[name]
    for name in (
        "level",
        *(part for part in PARTS if part != "likes"),
        "activity",
        "popularity",
    )
)
"""Terms of the chance of a look, which does not depend on what would be thought of whom is looked at."""
_ITEMS_OF_A_TRIAL: Final = 2048
"""Candidates with the most decisions, on which the ridge is chosen: a regression costs their number cubed."""
_RIDGES: Final = (30.0, 100.0, 300.0, 1000.0)
_HALF_LIVES: Final = (1 / 4, 1 / 16, 1 / 64, 1 / 256)
"""Half-lives that are tried, as shares of the time the log covers."""
_RECENCY_WEIGHTS: Final = (0.0, 0.25, 0.5, 1.0, 2.0)
_NONE_LEVELLED: Final = np.zeros(len(PARTS))
_PRIOR: Final = np.array([[term.prior for term in TERMS], [term.precision for term in TERMS]])


@dataclass(frozen=True, eq=False)
class HeldOutDecisions:
    """Decisions to judge by, and matrices of P(like | look) that have not seen them.

    known: the decisions that may be learned from, their ages counted to the last of them.
    """

    known: Impressions
    held: Impressions
    p_like: Directed


def latest_held_out(
    decisions: Impressions, fitted: Callable[[Impressions], Directed]
) -> HeldOutDecisions | None:
    """Return the latest pairs, and the matrices of P(like | look) of what was known before them.

    fitted: learns those matrices from fewer decisions. None where the log covers less than two days, as
    where its rows have no times, or too few pairs are late.
    """
    if len(decisions) < _LEAST_HELD_OUT or float(np.ptp(decisions.first_age)) < _LEAST_DAYS:
        return None
    days = float(np.quantile(decisions.first_age, _LATEST))
    early = decisions.first_age >= days
    held = ~early & ~decisions.same_pairs(decisions.take(early))
    if held.sum() < _LEAST_HELD_OUT:
        return None
    known = decisions.take(early)
    # what a pair did after the cut is not known then
    age = np.where(known.age < days, known.first_age, known.age) - days
    known = replace(known, age=age, first_age=known.first_age - days)
    return HeldOutDecisions(known, decisions.take(held), fitted(known))


def fit_affinity(
    decisions: Impressions, random: HeldOutDecisions, latest: HeldOutDecisions | None, seed: int
) -> Affinity | None:
    """Learn from the decisions of a log that logs no looks; None where too few likes were left out.

    random: a part of the pairs, left out at random. latest: the pairs of the end of the log, None where it
    has no times.
    """
    n_people = len(random.p_like)
    if int((random.held.labels > 0).sum()) < _LEAST_HELD_OUT:
        return None
    rng, known = np.random.default_rng(seed), random.known.without_decay()
    settings, likes = choose_settings(known, random.held, n_people, seed)
    ridge = _best_ridge(known, random.held, n_people, seed)
    parts = _parts(known, n_people, settings, ridge, seed, likes=likes)
    person = parts.folded(known, n_people, np.arange(n_people))
    closeness = _closeness(random, person, UnseenPairs.of(decisions), rng)
    random = HeldOutDecisions(known, random.held, closeness.added_to(random.p_like, person))
    choice, look = _weights(decisions, random, parts, rng)
    whole = decisions.without_decay()
    final = _parts(whole, n_people, settings, ridge, seed)
    if latest is not None and int((latest.held.labels > 0).sum()) >= _LEAST_HELD_OUT:
        early = latest.known.without_decay()
        splits = [
            (_parts(early, n_people, settings, ridge, seed), replace(latest, known=early)),
            (parts, random),
        ]
        choice, half_life = _with_recency(choice, splits)
        final = replace(final, half_life=half_life)
    return Affinity(
        final,
        closeness,
        choice.theta,
        choice.levelled,
        look,
        final.folded(whole, n_people, np.arange(n_people)),
    )


def _parts(
    known: Impressions,
    n_people: int,
    settings: WholeMatrixSettings,
    ridge: float,
    seed: int,
    *,
    likes: WholeMatrix | None = None,
) -> AffinityParts:
    """Learn every part; `likes` where those factors were learned already."""
    visited, rng = visits(known), np.random.default_rng(seed)
    some_passes = bool((known.labels == 0).any())
    if likes is None:
        likes = WholeMatrix.learned(known, n_people, settings, seed)
    looked = WholeMatrix.learned(visited, n_people, settings, seed) if some_passes else likes
    if not some_passes:
        likes = replace(likes, taste=likes.taste[:, :0], appeal=likes.appeal[:, :0])
    regression = ItemRegression.learned(visited, n_people, ridge, rng)
    neighbours = CommonNeighbours.learned(visited, n_people, rng)
    everybody = np.arange(n_people)
    gave, received = np.unique(known.viewers), np.unique(known.candidates)

    def spread(part: WholeMatrix | ItemRegression | CommonNeighbours, evidence: Impressions) -> ScoreSpread:
        taste, appeal = part.folded(evidence, n_people, everybody)
        return ScoreSpread.of(taste[gave], appeal[received])

    return AffinityParts(
        visits=looked,
        likes=likes,
        regression=regression,
        neighbours=neighbours,
        spread=AffinitySpread(
            spread(looked, visited),
            spread(likes, known),
            spread(regression, visited),
            spread(neighbours, visited),
        ),
        half_life=1.0,
    )


def _best_ridge(known: Impressions, held: Impressions, n_people: int, seed: int) -> float:
    """Return the ridge of the item regression that ranks held-out likes best."""
    visited = visits(known)

    def gain(ridge: float) -> float:
        draw = np.random.default_rng(seed)
        one = ItemRegression.learned(visited, n_people, ridge, draw, most_items=_ITEMS_OF_A_TRIAL)
        return held_out_gain(*one.folded(visited, n_people, np.arange(n_people)), known, held)

    gains = {ridge: gain(ridge) for ridge in _RIDGES[1:3]}
    further = _RIDGES[0] if gains[_RIDGES[1]] > gains[_RIDGES[2]] else _RIDGES[3]
    gains[further] = gain(further)
    return max(gains, key=gains.__getitem__)


def _closeness(
    random: HeldOutDecisions, person: PersonAffinity, unseen: UnseenPairs, rng: np.random.Generator
) -> Closeness:
    """Return what common neighbours add to P(like | look): 0 within two standard errors of nothing.

    Where nobody ever said no, unseen pairs beside the held-out likes stand for those who would.
    """
    held = random.held
    i, j, labels = held.viewers.astype(np.int64), held.candidates.astype(np.int64), held.labels
    alone = bool((labels > 0).all())
    if alone:
        beside, fresh = unseen.beside(i, _NEGATIVES, rng)
        i, j = (
            np.concatenate([i, np.repeat(i, _NEGATIVES)[fresh.ravel()]]),
            np.concatenate([j, beside[fresh]]),
        )
        labels = np.concatenate([labels, np.zeros(len(i) - len(labels))])
    cosine = Closeness(1.0, 0.0).logits(person, i, j) if person.neighbours.appeal.size else np.zeros(len(i))
    spread = float(cosine.std())
    if spread <= 0.0:
        return Closeness()
    features = np.array([np.ones(len(i)), (cosine - cosine.mean()) / spread])
    base, precision = random.p_like.logits(i, j), np.array([0.1, 3.0])
    theta = logistic_regression(
        features, labels, np.ones(len(i)), offset=base, mean=np.zeros(2), precision=precision
    )
    p = sigmoid(base + theta @ features)
    curve = (features * p * (1.0 - p)) @ features.T + np.diag(precision)
    if theta[1] <= 2.0 * np.sqrt(np.linalg.inv(curve)[1, 1]):
        return Closeness()
    weight, level = float(theta[1]) / spread, 0.0 if alone else float(theta[0])
    return Closeness(weight, float(cosine.mean()) - level / weight)


def _weights(
    decisions: Impressions, random: HeldOutDecisions, parts: AffinityParts, rng: np.random.Generator
) -> tuple[ListWeights, Float64Array]:
    """Return the weights of the order of lists and of the chance of a look, from held-out decisions.

    A regression weighs candidates whom no list would show, and what it learns from those may harm the first
    places; so the weights of the order are sought from it, and from equal weights, by the lists they give.
    """
    n_people, held = len(random.p_like), random.held
    person = parts.folded(random.known, n_people, np.arange(n_people))
    unseen, liked = UnseenPairs.of(decisions), held.take(held.labels > 0)
    drawn = _DrawnPairs.of(liked, unseen, random.p_like, person, rng)
    choice = _fitted(
        liked, unseen, random.p_like, person, [at for at in range(len(TERMS)) if at not in _RECENT], rng
    )
    look = _fitted(held, unseen, random.p_like, person, _OF_A_LOOK, rng)
    looked = _DrawnPairs.of(held, unseen, random.p_like, person, rng).levelled(
        ListWeights(look, _NONE_LEVELLED)
    )
    equal = np.zeros(len(TERMS))
    for name in PARTS:
        usual = getattr(parts.spread, name).usual
        equal[TERM[name]] = 1.0 / usual if usual > 0.0 else 0.0
    starts = [ListWeights(equal, np.full(len(PARTS), power)) for power in (0.5, 0.0, 1.0)]
    starts.append(ListWeights(choice, _NONE_LEVELLED))
    starts = [drawn.levelled(start) for start in starts]
    lists = JudgedLists.of(random.known, held, random.p_like, person, starts)
    usual_weights = np.where(equal > 0.0, equal, [term.prior for term in TERMS])
    best = drawn.levelled(best_weights(lists, starts, usual_weights))
    # of all decisions only a share was held out, and the chance is of any
    more = np.log(len(decisions) / len(held))
    for theta in (best.theta, looked.theta):
        theta[TERM["level"]] += more
    return best, looked.theta


@dataclass(frozen=True, eq=False)
class _DrawnPairs:
    """Held-out pairs and unseen ones beside them, from which the level of a chance is learned.

    terms: `(n_terms, n_pairs)`; levellers: `(n_parts, n_pairs)` of the viewers; wanted: `(n_pairs,)` 0 or 1;
    share: of all unseen pairs that were drawn.
    """

    terms: Float64Array
    levellers: Float64Array
    wanted: Float64Array
    share: float

    @classmethod
    def of(
        cls,
        held: Impressions,
        unseen: UnseenPairs,
        p_like: Directed,
        person: PersonAffinity,
        rng: np.random.Generator,
    ) -> "_DrawnPairs":
        """Return some held-out pairs, and unseen ones drawn from those of all viewers."""
        held = held.sampled(_MOST_DRAWN // _DRAWN, rng)
        a, b = unseen.drawn(_DRAWN * len(held), rng)
        i = np.concatenate([held.viewers.astype(np.int64), a])
        j = np.concatenate([held.candidates.astype(np.int64), b])
        levellers = np.array([getattr(person, name).leveller[i] for name in PARTS])
        wanted = np.repeat([1.0, 0.0], [len(held), len(a)])
        return cls(
            person.terms(p_like.logits(i, j), i, j), levellers, wanted, max(len(a), 1) / max(len(unseen), 1)
        )

    def levelled(self, weights: ListWeights) -> ListWeights:
        """Return the weights with level and activity that make them those of a chance, given the others."""
        theta, own = weights.theta.copy(), list(_OF_THE_VIEWER)
        theta[own] = 0.0
        terms = self.terms.copy()
        for at, power in enumerate(weights.levelled):
            terms[TERM[PARTS[at]]] *= self.levellers[at] ** power
        theta[own] = logistic_regression(
            self.terms[own],
            self.wanted,
            np.ones(len(self.wanted)),
            offset=theta @ terms,
            mean=_PRIOR[0, own],
            precision=_PRIOR[1, own],
        )
        theta[TERM["level"]] += np.log(self.share)
        return replace(weights, theta=theta)


def _fitted(  # noqa: PLR0917
    wanted: Impressions,
    unseen: UnseenPairs,
    p_like: Directed,
    person: PersonAffinity,
    terms: Sequence[int],
    rng: np.random.Generator,
) -> Float64Array:
    """Return the weights of the `terms` that order a viewer's candidates; `_DrawnPairs` has the others.

    Each wanted pair is a choice of its viewer among unseen candidates, which weighs the candidates at
    the top of a list.
    """
    theta = np.zeros(len(TERMS))
    own = [at for at in terms if at not in _OF_THE_VIEWER]
    features, available = _choices(wanted, unseen, p_like, person, rng)
    while True:
        theta[own] = conditional_logit(
            features[own], available, mean=_PRIOR[0, own], precision=_PRIOR[1, own]
        )
        # parts overlap; one that would count against a pair is left out
        against = [TERM[name] for name in PARTS if theta[TERM[name]] < 0.0]
        if not against:
            break
        own, theta[against] = [at for at in own if at not in against], 0.0
    # a like that is likelier given a look never becomes less likely
    theta[1] = max(theta[1], 0.0)
    theta[2] = max(theta[2], -theta[1])
    return theta


def _choices(
    wanted: Impressions,
    unseen: UnseenPairs,
    p_like: Directed,
    person: PersonAffinity,
    rng: np.random.Generator,
) -> tuple[Float64Array, np.ndarray[tuple[int, int], np.dtype[np.bool_]]]:
    """Return terms of some wanted pairs, each before unseen candidates of its viewer, and which are unseen.

    `(n_terms, n_choices, 1 + 100)` and `(n_choices, 1 + 100)`.
    """
    i, j = wanted.viewers.astype(np.int64), wanted.candidates.astype(np.int64)
    some = np.sort(rng.choice(len(i), min(len(i), _MOST_CHOICES), replace=False))
    beside, fresh = unseen.beside(i[some], _BESIDE, rng)
    options = np.column_stack([j[some], beside])
    chosen = np.repeat(i[some], options.shape[1])
    features = person.terms(p_like.logits(chosen, options.ravel()), chosen, options.ravel())
    available = np.column_stack([np.ones(len(some), bool), fresh])
    return features.reshape(len(TERMS), *options.shape), available


def _with_recency(
    choice: ListWeights, splits: Sequence[tuple[AffinityParts, HeldOutDecisions]]
) -> tuple[ListWeights, float]:
    """Return `choice` with a weight of recent decisions given and received, and their half-life in days.

    splits: first the end of the log, then pairs of any time. Weight and half-life are those that help lists
    of the one most, less what they cost lists of the other; 0 where no gain at the end exceeds chance.
    """
    span = float(np.max(splits[0][1].known.first_age, initial=0.0))
    everybody = np.arange(len(splits[0][1].p_like))
    found: dict[tuple[float, float], list[Float64Array]] = {}
    for parts, split in splits:
        half_lives = [share * span for share in _HALF_LIVES]
        people = [
            replace(parts, half_life=days).folded(split.known, len(everybody), everybody)
            for days in half_lives
        ]
        lists = JudgedLists.of(split.known, split.held, split.p_like, people[1], [choice])
        for share, person in zip(_HALF_LIVES, people, strict=True):
            both = person.recent_activity + person.recent_popularity
            for weight in _RECENCY_WEIGHTS:
                found.setdefault((weight, share), []).append(lists.gains(choice, weight * both))
    none = found[0.0, _HALF_LIVES[0]]

    def worth(key: tuple[float, float]) -> float:
        return float(
            sum(
                np.log(max(gain.mean(), 1e-9) / max(base.mean(), 1e-9))
                for gain, base in zip(found[key], none, strict=True)
            )
        )

    better = [key for key in found if is_better(found[key][0], none[0], errors=2.0)]
    best = max(better, key=worth, default=(0.0, 1.0))
    if not better or worth(best) <= 0.0:
        return choice, 1.0
    theta = choice.theta.copy()
    theta[list(_RECENT)] = best[0]
    return replace(choice, theta=theta), best[1] * span
