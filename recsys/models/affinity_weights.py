"""Weights of the terms of affinity, from pairs left out: closeness, order of lists and chance of a look."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from recsys.data.unseen_pairs import UnseenPairs
from recsys.models.affinity import PARTS, TERM, TERMS, Closeness
from recsys.models.affinity_calibration import with_unseen
from recsys.models.affinity_recency import RECENT, RECENT_FOR_UNKNOWN, HeldOutAffinity
from recsys.models.directed import sigmoid
from recsys.models.impressions import Impressions
from recsys.models.list_weights import (
    LEAST_MUTUAL,
    JudgedLists,
    ListWeights,
    best_weights,
    n_mutual,
    with_popularity_for_unknown,
)
from recsys.models.logistic_regression import logistic_regression
from recsys.models.stacking import conditional_logit
from recsys.types import BoolArray, Float64Array

_DRAWN: Final = 30
"""Unseen pairs a held-out decision is told apart from."""
_MOST_DRAWN: Final = 150_000
_MOST_CHOICES: Final = 3000
_BESIDE: Final = 100
"""Unseen candidates beside each of so many held-out choices."""
_OF_THE_VIEWER: Final = (TERM["level"], TERM["activity"])
"""Terms that are the same for all candidates of a viewer."""
_UNKNOWN: Final = (TERM["level of the unknown"], TERM["popularity for the unknown"])
_POPULARITY_FOR_UNKNOWN: Final = 1.0
"""Weight of popularity for a viewer without a decision: as often as others came to like them."""
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
_BY_LOOKS: Final = [at for at in _OF_A_LOOK if at not in _OF_THE_VIEWER]
_ERRORS_OF_LOOKS: Final = 4.0
"""Twice 2: parts of one log, each judged by the others, vary together by chance."""
_MOST_APART: Final = 0.1
_NONE_LEVELLED: Final = np.zeros(len(PARTS))
_WITHOUT_PARTS: Final = ((1.0, 0.0), (1.0, 0.5), (0.0, 0.5))
"""Weights of p_like and popularity in the orders that a log of little evidence keeps."""
_BESIDE_PARTS: Final = 0.5
"""Weight of popularity beside equal parts: of a viewer of few decisions they tell few candidates apart."""
_PRIOR: Final = np.array([[term.prior for term in TERMS], [term.precision for term in TERMS]])


def looks_follow_evidence(
    splits: Sequence[HeldOutAffinity], unseen: UnseenPairs, rng: np.random.Generator
) -> bool:
    """Say whether held-out decisions tell who comes across whom better than chance does.

    Each held-out decision, whatever it was, takes a place among unseen candidates of its viewer, by each
    part and by popularity. Where pairs were drawn evenly, as in a trial, all places are as likely, and the
    order of lists is better left to P(like | look) than to parts that hold nothing but noise. False where
    no part puts decisions further ahead than by 4 standard errors. True where nobody ever said no: whom
    people like and whom they come across cannot be told apart there. True as well where a tenth of the people
    are of circles that never met the others, as at evenings of their own.
    """
    if all(bool((split.decisions.held.labels > 0).all()) for split in splits):
        return True
    if unseen.share_apart() > _MOST_APART:
        return True
    most = -(-_MOST_CHOICES // len(splits))
    ahead = []
    for split in splits:
        terms, available = _choices(split, unseen, most, rng)
        own, others, unseen_ones = terms[_BY_LOOKS, :, :1], terms[_BY_LOOKS, :, 1:], available[:, 1:]
        passed = ((own > others) + 0.5 * (own == others)) * unseen_ones
        ahead.append(passed.sum(axis=2) / np.maximum(unseen_ones.sum(axis=1), 1) - 0.5)
    places = np.hstack(ahead)
    error = places.std(axis=1) / np.sqrt(places.shape[1])
    return bool((places.mean(axis=1) > _ERRORS_OF_LOOKS * error).any())


def fit_closeness(
    splits: Sequence[HeldOutAffinity], unseen: UnseenPairs, rng: np.random.Generator
) -> Closeness:
    """Return what common neighbours add to P(like | look): 0 within two standard errors of nothing.

    The mean chance over pairs of any time stays what it is: it may have been moved to what held at the end of
    the log. Where nobody ever said no, unseen pairs beside the held-out likes stand for those who would.
    """
    alone = all(bool((split.decisions.held.labels > 0).all()) for split in splits)
    found = [_cosines(split, unseen if alone else None, rng) for split in splits]
    cosine, base, labels = (np.concatenate(part) for part in zip(*found, strict=True))
    spread = float(cosine.std())
    if spread <= 0.0:
        return Closeness()
    features = np.array([np.ones(len(cosine)), (cosine - cosine.mean()) / spread])
    precision = np.array([0.1, 3.0])
    theta = logistic_regression(
        features, labels, np.ones(len(labels)), offset=base, mean=np.zeros(2), precision=precision
    )
    p = sigmoid(base + theta @ features)
    curve = (features * p * (1.0 - p)) @ features.T + np.diag(precision)
    if theta[1] <= 2.0 * np.sqrt(np.linalg.inv(curve)[1, 1]):
        return Closeness()
    weight = float(theta[1]) / spread
    level = 0.0 if alone else _same_mean(base, theta[1] * features[1])
    return Closeness(weight, float(cosine.mean()) - level / weight)


def _same_mean(base: Float64Array, added: Float64Array) -> float:
    """Return the logits with which chances of `base + added` are on average those of `base`."""
    level, mean = 0.0, float(sigmoid(base).mean())
    for _ in range(50):
        p = sigmoid(base + added + level)
        step = (mean - float(p.mean())) / max(float((p * (1.0 - p)).mean()), 1e-9)
        level += min(max(step, -1.0), 1.0)
        if abs(step) < 1e-9:
            break
    return level


def _cosines(
    split: HeldOutAffinity, unseen: UnseenPairs | None, rng: np.random.Generator
) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Return cosine, logit and label of held-out pairs, and of some unseen ones beside them if given."""
    held, person = split.decisions.held, split.person
    i, j, labels = held.viewers.astype(np.int64), held.candidates.astype(np.int64), held.labels
    if unseen is not None:
        i, j, labels = with_unseen(held, unseen, rng)
    cosine = Closeness(1.0, 0.0).logits(person, i, j) if person.neighbours.appeal.size else np.zeros(len(i))
    return cosine, split.decisions.p_like.logits(i, j), labels


def fit_weights(
    decisions: Impressions, splits: Sequence[HeldOutAffinity], rng: np.random.Generator
) -> tuple[ListWeights, Float64Array]:
    """Return the weights of the order of lists and of the chance of a look, from held-out decisions.

    A regression weighs candidates whom no list would show, and what it learns from those may harm the first
    places; so the weights of the order are sought from it, from equal weights, alone and beside popularity,
    and from orders without any part, by the lists they give. P(like | look) alone comes first: a log of
    little evidence keeps it.
    """
    unseen = UnseenPairs.of(decisions.viewers, decisions.candidates)
    liked = [split.only(split.decisions.held.labels > 0) for split in splits]
    drawn = _DrawnPairs.of(liked, unseen, rng)
    ordered_by = [at for at in range(len(TERMS)) if at not in (*RECENT, *RECENT_FOR_UNKNOWN, *_UNKNOWN)]
    choice = _fitted(liked, unseen, ordered_by, rng)
    look = _fitted(splits, unseen, _OF_A_LOOK, rng)
    looked = _DrawnPairs.of(splits, unseen, rng).levelled(ListWeights(look, _NONE_LEVELLED))
    equal = np.zeros(len(TERMS))
    for name in PARTS:
        usual = float(np.mean([getattr(split.parts.spread, name).usual for split in splits]))
        equal[TERM[name]] = 1.0 / usual if usual > 0.0 else 0.0
    n_held = sum(len(split.decisions.held) for split in splits)
    if sum(len(split.decisions.held) for split in liked) < n_held:
        # log P(look and like) is log P(look) + log P(like | look)
        equal[TERM["p_like"]] = 1.0
    popular_too = equal.copy()
    popular_too[TERM["popularity"]] = _BESIDE_PARTS
    starts = [
        *(_weights(p_like=p_like, popularity=popular) for p_like, popular in _WITHOUT_PARTS),
        *(
            ListWeights(parts, np.full(len(PARTS), power))
            for parts in (equal, popular_too)
            for power in (0.5, 0.0, 1.0)
        ),
        ListWeights(choice, _NONE_LEVELLED),
    ]
    starts = [drawn.levelled(start) for start in starts]
    mutual = sum(n_mutual(split.decisions.held) for split in splits) >= LEAST_MUTUAL
    lists = JudgedLists.joined([split.judged(starts, mutual=mutual) for split in splits])
    usual_weights = np.where(equal > 0.0, equal, [term.prior for term in TERMS])
    best = best_weights(lists, starts, usual_weights)
    centre = float(np.mean([one.person.popularity[one.decisions.known.candidates].mean() for one in splits]))
    best = drawn.levelled(with_popularity_for_unknown(lists, best, _POPULARITY_FOR_UNKNOWN, centre))
    # of all decisions only a share was held out at a time, and the chance is of any
    more = np.log(len(decisions) * len(splits) / n_held)
    for theta in (best.theta, looked.theta):
        theta[TERM["level"]] += more
    return best, looked.theta


def _weights(**by_term: float) -> ListWeights:
    theta = np.zeros(len(TERMS))
    for name, value in by_term.items():
        theta[TERM[name]] = value
    return ListWeights(theta, _NONE_LEVELLED)


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
        cls, splits: Sequence[HeldOutAffinity], unseen: UnseenPairs, rng: np.random.Generator
    ) -> "_DrawnPairs":
        """Return some held-out pairs, and unseen ones drawn from those of all viewers."""
        terms, levellers, wanted, shares = [], [], [], []
        for split in splits:
            held = split.decisions.held.sampled(_MOST_DRAWN // _DRAWN // len(splits), rng)
            a, b = unseen.drawn(_DRAWN * len(held), rng)
            i = np.concatenate([held.viewers.astype(np.int64), a])
            j = np.concatenate([held.candidates.astype(np.int64), b])
            levellers.append(np.array([getattr(split.person, name).leveller[i] for name in PARTS]))
            terms.append(split.person.terms(split.decisions.p_like.logits(i, j), i, j))
            wanted.append(np.repeat([1.0, 0.0], [len(held), len(a)]))
            shares.append(max(len(a), 1) / max(len(unseen), 1))
        share = float(np.mean(shares))
        return cls(np.hstack(terms), np.hstack(levellers), np.concatenate(wanted), share)

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


def _fitted(
    splits: Sequence[HeldOutAffinity], unseen: UnseenPairs, terms: Sequence[int], rng: np.random.Generator
) -> Float64Array:
    """Return the weights of the `terms` that order a viewer's candidates; `_DrawnPairs` has the others.

    Each held-out pair is a choice of its viewer among unseen candidates, which weighs the candidates at
    the top of a list.
    """
    theta = np.zeros(len(TERMS))
    own = [at for at in terms if at not in _OF_THE_VIEWER]
    most = -(-_MOST_CHOICES // len(splits))
    found = [_choices(split, unseen, most, rng) for split in splits]
    features, available = np.concatenate([x for x, _ in found], axis=1), np.concatenate([x for _, x in found])
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
    split: HeldOutAffinity, unseen: UnseenPairs, most: int, rng: np.random.Generator
) -> tuple[Float64Array, BoolArray]:
    """Return terms of some held-out pairs, each before candidates of its viewer, and which are unseen.

    `(n_terms, n_choices, 1 + 100)` and `(n_choices, 1 + 100)`.
    """
    wanted = split.decisions.held
    i, j = wanted.viewers.astype(np.int64), wanted.candidates.astype(np.int64)
    some = np.sort(rng.choice(len(i), min(len(i), most), replace=False))
    beside, fresh = unseen.beside(i[some], _BESIDE, rng)
    options = np.column_stack([j[some], beside])
    chosen = np.repeat(i[some], options.shape[1])
    p_like = split.decisions.p_like.logits(chosen, options.ravel())
    features = split.person.terms(p_like, chosen, options.ravel())
    available = np.column_stack([np.ones(len(some), bool), fresh])
    return features.reshape(len(TERMS), *options.shape), available
