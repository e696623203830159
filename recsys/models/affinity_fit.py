"""Learns who comes across whom: parts of the whole log, weights from pairs left out, recency from its end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from recsys.models.affinity import PARTS, TERM, TERMS, Affinity, AffinityParts, PersonAffinity
from recsys.models.directed import Directed
from recsys.models.impressions import Impressions
from recsys.models.negative_sampling import UnseenPairs
from recsys.models.neighbourhoods import CommonNeighbours, ItemRegression
from recsys.models.stacking import conditional_logit, logistic_regression
from recsys.models.whole_matrix import (
    WholeMatrix,
    WholeMatrixSettings,
    choose_settings,
    held_out_gain,
    held_out_gains,
    visits,
)
from recsys.types import Float64Array

_DRAWN: Final = 30
"""Unseen pairs a held-out decision is told apart from."""
_MOST_DRAWN: Final = 500_000
_MOST_CHOICES: Final = 3000
_BESIDE: Final = 100
"""Unseen candidates beside each of so many held-out choices."""
_LEAST_HELD_OUT: Final = 50
"""Held-out likes below which nothing is learned, and lists are in the order of p_like."""
_SHARES: Final = (0.0, 0.5, 2.0)
_ROUNDS: Final = 3
_PLACES: Final = 10
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
_RIDGES: Final = (30.0, 100.0, 300.0, 1000.0)
_HALF_LIVES: Final = (1 / 4, 1 / 16, 1 / 64, 1 / 256)
"""Half-lives that are tried, as shares of the time the log covers."""
_LEAST_BETTER: Final = 1.005
_RECENCY_WEIGHTS: Final = (0.0, 0.5, 1.0, 2.0)
_USUAL_RECENCY: Final = (0.5, 1 / 16)
"""Weight of recent decisions, and half-life as a share of the log, where its end shows no better."""
_BETTER: Final = 1.02
_BEARABLE: Final = 0.95


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
    choice, look = _weights(decisions, replace(random, known=known), person, rng)
    whole = decisions.without_decay()
    final = _parts(whole, n_people, settings, ridge, seed)
    if latest is not None:
        early = latest.known.without_decay()
        early_parts = _parts(early, n_people, settings, ridge, seed)
        choice, half_life = _with_recency(choice, early_parts, replace(latest, known=early))
        final = replace(final, half_life=half_life)
    return Affinity(final, choice, look, final.folded(whole, n_people, np.arange(n_people)))


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
    return AffinityParts(
        visits=looked,
        likes=likes,
        regression=ItemRegression.learned(visited, n_people, ridge, rng),
        neighbours=CommonNeighbours.learned(visited, n_people, rng),
        half_life=1.0,
    )


def _best_ridge(known: Impressions, held: Impressions, n_people: int, seed: int) -> float:
    """Return the ridge of the item regression that ranks held-out likes best."""
    visited = visits(known)

    def gain(ridge: float) -> float:
        one = ItemRegression.learned(visited, n_people, ridge, np.random.default_rng(seed))
        return held_out_gain(*one.folded(visited, n_people, np.arange(n_people)), known, held)

    gains = {ridge: gain(ridge) for ridge in _RIDGES[1:3]}
    further = _RIDGES[0] if gains[_RIDGES[1]] > gains[_RIDGES[2]] else _RIDGES[3]
    gains[further] = gain(further)
    return max(gains, key=gains.__getitem__)


def _weights(
    decisions: Impressions, random: HeldOutDecisions, person: PersonAffinity, rng: np.random.Generator
) -> tuple[Float64Array, Float64Array]:
    """Return `choice` and `look`, from held-out likes and held-out decisions."""
    unseen, held = UnseenPairs.of(decisions), random.held
    liked = held.take(held.labels > 0)
    of_a_choice = [at for at in range(len(TERMS)) if at not in _RECENT]
    choice = _fitted(liked, unseen, random.p_like, person, of_a_choice, rng)
    look = _fitted(held, unseen, random.p_like, person, _OF_A_LOOK, rng)
    # of all decisions only a share was held out, and the chance is of any
    choice[0], look[0] = (one[0] + np.log(len(decisions) / len(held)) for one in (choice, look))
    return _best_at_the_top(choice, person, random), look


def _best_at_the_top(choice: Float64Array, person: PersonAffinity, random: HeldOutDecisions) -> Float64Array:
    """Return `choice` with the weights of the parts that put most held-out likes on lists.

    A regression weighs candidates whom no list would show; what it learns from those may harm the first
    places. So each part in turn is tried with other shares of its weight.
    """
    factors = [(getattr(person, name).taste, getattr(person, name).appeal) for name in PARTS]
    weight = choice[1] + choice[2] * person.known
    factors.append((weight[:, None] * random.p_like.taste, random.p_like.appeal))
    factors.append((np.ones((len(weight), 1)), person.popularity[:, None]))
    now = np.array([*choice[[TERM[name] for name in PARTS]], 1.0, choice[TERM["popularity"]]])
    usual = np.array([*(TERMS[TERM[name]].prior for name in PARTS), 1.0, 0.0])
    reached = -1.0
    for _ in range(_ROUNDS):
        before = now.copy()
        for part in (at for at, (taste, _) in enumerate(factors) if taste.size):
            tried = np.repeat(now[None], 1 + len(_SHARES), axis=0)
            tried[1:, part] = [share * (now[part] or usual[part]) for share in _SHARES]
            gains = held_out_gains(factors, tried.tolist(), random.known, random.held, places=_PLACES)
            reached = max(reached, gains[0])
            if max(gains) > reached * _LEAST_BETTER:
                now, reached = tried[int(np.argmax(gains))], max(gains)
        if np.array_equal(now, before):
            break
    best = choice.copy()
    best[[TERM[name] for name in PARTS]] = now[: len(PARTS)]
    best[_OF_P_LIKE] *= now[len(PARTS)]
    best[TERM["popularity"]] = now[-1]
    return best


def _gain(choice: Float64Array, person: PersonAffinity, split: HeldOutDecisions) -> float:
    """Return how many held-out likes reach the first places, by `held_out_gains`."""
    found = Affinity(_no_parts(), choice, choice, person).choices(split.p_like, np.arange(len(split.p_like)))
    scores = [(found.taste, found.appeal)]
    return held_out_gains(scores, [(1.0,)], split.known, split.held, places=_PLACES)[0]


def _no_parts() -> AffinityParts:
    none = np.empty((0, 0))
    empty = WholeMatrix(WholeMatrixSettings(), none, none)
    return AffinityParts(empty, empty, ItemRegression(none, none), CommonNeighbours(none), 1.0)


def _fitted(  # noqa: PLR0917
    wanted: Impressions,
    unseen: UnseenPairs,
    p_like: Directed,
    person: PersonAffinity,
    terms: Sequence[int],
    rng: np.random.Generator,
) -> Float64Array:
    """Return the weights of `terms`: of those that order a viewer's candidates, then of the others.

    Each wanted pair is a choice of its viewer among unseen candidates, which weighs the candidates at
    the top of a list. Level and activity, which no such choice shows, come from a logistic regression
    on wanted and unseen pairs of all viewers, given the others.
    """
    theta = np.zeros(len(TERMS))
    own = [at for at in terms if at not in _OF_THE_VIEWER]
    prior = np.array(TERMS, dtype=object)[:, 1:].astype(np.float64).T
    features, available = _choices(wanted, unseen, p_like, person, rng)
    while True:
        theta[own] = conditional_logit(features[own], available, mean=prior[0, own], precision=prior[1, own])
        # parts overlap; one that would count against a pair is left out
        against = [TERM[name] for name in PARTS if theta[TERM[name]] < 0.0]
        if not against:
            break
        own, theta[against] = [at for at in own if at not in against], 0.0
    # a like that is likelier given a look never becomes less likely
    theta[1] = max(theta[1], 0.0)
    theta[2] = max(theta[2], -theta[1])
    i, j = wanted.viewers.astype(np.int64), wanted.candidates.astype(np.int64)
    a, b = unseen.drawn(min(_DRAWN * len(i), _MOST_DRAWN), rng)
    viewers, candidates = np.concatenate([i, a]), np.concatenate([j, b])
    features = person.terms(p_like.logits(viewers, candidates), viewers, candidates)
    rest = list(_OF_THE_VIEWER)
    theta[rest] = logistic_regression(
        features[rest],
        np.repeat([1.0, 0.0], [len(i), len(a)]),
        np.ones(len(viewers)),
        offset=theta @ features,
        mean=prior[0, rest],
        precision=prior[1, rest],
    )
    # of all unseen pairs a share was drawn
    theta[0] += np.log(max(len(a), 1) / max(len(unseen), 1))
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
    choice: Float64Array, parts: AffinityParts, latest: HeldOutDecisions
) -> tuple[Float64Array, float]:
    """Return `choice` with a weight of recent decisions given and received, and their half-life in days.

    The weight and half-life that put most of the latest likes on lists. Where none is better, a usual weight
    stays as long as it costs little there: people leave, and whether many left lately, the end of the log
    need not show.
    """
    n_people, span = len(latest.p_like), float(np.max(latest.known.first_age, initial=0.0))
    if int((latest.held.labels > 0).sum()) < _LEAST_HELD_OUT:
        return choice, 1.0

    def weighted(weight: float) -> Float64Array:
        found = choice.copy()
        found[list(_RECENT)] = weight
        return found

    gains: dict[tuple[float, float], float] = {}
    for share in _HALF_LIVES:
        person = replace(parts, half_life=share * span).folded(latest.known, n_people, np.arange(n_people))
        for weight in _RECENCY_WEIGHTS:
            gains[weight, share] = _gain(weighted(weight), person, latest)
    none = gains[0.0, _HALF_LIVES[0]]
    weight, share = max(gains, key=gains.__getitem__)
    if gains[weight, share] <= none * _BETTER:
        weight, share = _USUAL_RECENCY
        if gains[weight, share] < none * _BEARABLE:
            return choice, 1.0
    return weighted(weight), share * span
