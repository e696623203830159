"""Weights of the terms of affinity, from pairs left out: closeness, order of lists and chance of a look."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from recsys.data.unseen_pairs import UnseenPairs
from recsys.models.affinity import PARTS, TERM, TERMS, AffinityParts, Closeness, PersonAffinity
from recsys.models.affinity_recency import HeldOutDecisions
from recsys.models.directed import Directed, sigmoid
from recsys.models.impressions import Impressions
from recsys.models.list_weights import JudgedLists, ListWeights, best_weights
from recsys.models.stacking import conditional_logit, logistic_regression
from recsys.types import BoolArray, Float64Array

_DRAWN: Final = 30
"""Unseen pairs a held-out decision is told apart from."""
_MOST_DRAWN: Final = 150_000
_NEGATIVES: Final = 4
"""Unseen pairs beside a held-out like, where nobody ever said no."""
_MOST_CHOICES: Final = 3000
_BESIDE: Final = 100
"""Unseen candidates beside each of so many held-out choices."""
_OF_THE_VIEWER: Final = (TERM["level"], TERM["activity"])
"""Terms that are the same for all candidates of a viewer."""
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
_NONE_LEVELLED: Final = np.zeros(len(PARTS))
_PRIOR: Final = np.array([[term.prior for term in TERMS], [term.precision for term in TERMS]])


def fit_closeness(
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


def fit_weights(
    decisions: Impressions,
    random: HeldOutDecisions,
    parts: AffinityParts,
    person: PersonAffinity,
    rng: np.random.Generator,
) -> tuple[ListWeights, Float64Array]:
    """Return the weights of the order of lists and of the chance of a look, from held-out decisions.

    A regression weighs candidates whom no list would show, and what it learns from those may harm the first
    places; so the weights of the order are sought from it, and from equal weights, by the lists they give.
    """
    held = random.held
    unseen, liked = UnseenPairs.of(decisions.viewers, decisions.candidates), held.take(held.labels > 0)
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
    if not (held.labels > 0).all():
        # log P(look and like) is log P(look) + log P(like | look)
        equal[TERM["p_like"]] = 1.0
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
) -> tuple[Float64Array, BoolArray]:
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
