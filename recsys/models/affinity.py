"""Who comes across whom, and whom they pick of everybody: the chance of a look, and the order of lists.

P(like | look) says nothing of how likely a look is. Where a service logs what it shows, it arranges the
looks itself, and nothing here is learned. Where it does not, an unseen pair is a weak no.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np

from recsys.models.directed import Directed
from recsys.models.impressions import Impressions
from recsys.models.negative_sampling import UnseenPairs
from recsys.models.stacking import conditional_logit, evidence_weight, logistic_regression
from recsys.models.whole_matrix import WholeMatrix, choose_settings, held_out_gain, scores, visits
from recsys.types import Float64Array, IntegerArray

_DRAWN: Final = 30
"""Unseen pairs a held-out decision is told apart from."""
_MOST_DRAWN: Final = 500_000
_MOST_CHOICES: Final = 4000
_BESIDE: Final = 200
"""Unseen candidates beside each of so many held-out choices."""
_LEAST_HELD_OUT: Final = 50
"""Held-out likes below which nothing is learned, and lists are in the order of p_like."""


class AffinityTerm(NamedTuple):
    """One term of the logit of a pair, as a place in the weights and the prior of its weight."""

    name: str
    prior: float
    precision: float


TERMS: Final = (
    AffinityTerm("level", 0.0, 1e-6),
    AffinityTerm("p_like", 0.25, 1.0),
    AffinityTerm("p_like of the known", 0.0, 1.0),
    AffinityTerm("visits", 4.0, 0.1),
    AffinityTerm("visits of the known", 0.0, 0.1),
    AffinityTerm("likes", 4.0, 0.1),
    AffinityTerm("likes of the known", 0.0, 0.1),
    AffinityTerm("activity", 0.5, 0.1),
    AffinityTerm("popularity", 0.5, 0.1),
)
"""`p_like` is the logit of P(like | look); `known` goes from 0 to 1 with what the viewer has decided."""
_SHARES_OF_P_LIKE: Final = (1.0, 0.5, 0.25, 0.0)
_PLACES: Final = 10
_OF_THE_VIEWER: Final = (0, 7)
"""Terms that are the same for all candidates of a viewer."""
_OF_A_LOOK: Final = (0, 3, 4, 7, 8)
"""Terms of the chance of a look, which does not depend on what would be thought of whom is looked at."""


@dataclass(frozen=True, eq=False)
class PersonAffinity:
    """What decisions say of each person, `(n_people, k)` and `(n_people,)`; 0 without any.

    visit_*, like_*: rows in the factors of visits and of likes. known, activity: as viewer; popularity:
    as candidate, log of one more than the decisions.
    """

    visit_taste: Float64Array
    visit_appeal: Float64Array
    like_taste: Float64Array
    like_appeal: Float64Array
    known: Float64Array
    activity: Float64Array
    popularity: Float64Array

    def terms(self, p_like: Float64Array, i: IntegerArray, j: IntegerArray) -> Float64Array:
        """Return the terms of aligned pairs, `(n_terms, n_pairs)`; p_like: their logits."""
        visit = scores((self.visit_taste, self.visit_appeal), i, j)
        like = scores((self.like_taste, self.like_appeal), i, j)
        known, ones = self.known[i], np.ones(len(i))
        rows = [
            ones,
            p_like,
            p_like * known,
            visit,
            visit * known,
            like,
            like * known,
            self.activity[i],
            self.popularity[j],
        ]
        return np.array(rows)

    def at(self, rows: IntegerArray) -> "PersonAffinity":
        """Return the people at `rows`; somebody without a decision for a row of -1."""
        known, at = (rows >= 0), np.maximum(rows, 0)

        def taken(values: Float64Array) -> Float64Array:
            if not len(values):
                return np.zeros((len(rows), *values.shape[1:]))
            shape = (len(rows),) + (1,) * (values.ndim - 1)
            return np.where(known.reshape(shape), values[at], 0.0)

        return PersonAffinity(*(taken(getattr(self, name)) for name in self.__dataclass_fields__))


@dataclass(frozen=True, eq=False)
class Affinity:
    """Whole-matrix factors of visits and of likes, and the weights that make probabilities of them.

    choice: `(n_terms,)` of P(i comes to like j), unprompted, for the order of lists.
    look:   `(n_terms,)` of P(i comes to look at j), `p_look`; 0 for the terms of liking.
    person: the people last folded in.
    """

    visits: WholeMatrix
    likes: WholeMatrix
    choice: Float64Array
    look: Float64Array
    person: PersonAffinity

    @classmethod
    def learned(
        cls,
        decisions: Impressions,
        held: Impressions,
        p_like: Directed,
        seed: int,
    ) -> "Affinity | None":
        """Learn from the decisions of a log that logs no looks; None where too few likes were left out.

        held: decisions to judge by. p_like: matrices of P(like | look) that have not seen them.
        """
        n_people = len(p_like)
        if int((held.labels > 0).sum()) < _LEAST_HELD_OUT:
            return None
        known = decisions.take(~decisions.same_pairs(held))
        settings, likes = choose_settings(known, held, n_people, seed)
        looked = WholeMatrix.learned(visits(known), n_people, settings, seed)
        everybody = np.arange(n_people)
        seen = cls(looked, likes, np.empty(0), np.empty(0), _nobody()).folded(known, n_people, everybody)
        choice, look = seen._weights_learned(decisions, held, p_like, np.random.default_rng(seed))
        choice = seen._best_at_the_top(choice, known, held, p_like)
        final = cls(
            WholeMatrix.learned(visits(decisions), n_people, settings, seed),
            WholeMatrix.learned(decisions, n_people, settings, seed),
            choice,
            look,
            _nobody(),
        )
        return final.folded(decisions, n_people, everybody)

    def _weights_learned(
        self,
        decisions: Impressions,
        held: Impressions,
        p_like: Directed,
        rng: np.random.Generator,
    ) -> tuple[Float64Array, Float64Array]:
        """Return `choice` and `look`, from held-out likes and held-out decisions."""
        unseen = UnseenPairs.of(decisions)
        liked = held.take(held.labels > 0)
        choice = self._fitted(liked, unseen, p_like, range(len(TERMS)), rng)
        look = self._fitted(held, unseen, p_like, _OF_A_LOOK, rng)
        # of all decisions only a share was held out, and the chance is of any
        choice[0], look[0] = (one[0] + np.log(len(decisions) / len(held)) for one in (choice, look))
        return choice, look

    def _best_at_the_top(
        self, choice: Float64Array, known: Impressions, held: Impressions, p_like: Directed
    ) -> Float64Array:
        """Return `choice` with that share of the weight of p_like which puts most held-out likes on lists.

        A regression weighs candidates whom no list would show; what it learns of p_like from those may
        harm the first places.
        """
        everybody, reached, best = np.arange(len(p_like)), -1.0, choice
        for share in _SHARES_OF_P_LIKE:
            tried = choice.copy()
            tried[[1, 2]] *= share
            found = replace(self, choice=tried).choices(p_like, everybody)
            ranked = WholeMatrix(self.likes.settings, found.taste.astype(float), found.appeal.astype(float))
            gain = held_out_gain(ranked, known, held, len(p_like), places=_PLACES)
            if gain > reached:
                best, reached = tried, gain
        return best

    def _fitted(
        self,
        wanted: Impressions,
        unseen: UnseenPairs,
        p_like: Directed,
        terms: Sequence[int],
        rng: np.random.Generator,
    ) -> Float64Array:
        """Return the weights of `terms`: of those that order a viewer's candidates, then of the others.

        Each wanted pair is a choice of its viewer among unseen candidates, which weighs the candidates at
        the top of a list. Level and activity, which no such choice shows, come from a logistic regression
        on wanted and unseen pairs of all viewers, given the others.
        """
        i, j = wanted.viewers.astype(np.int64), wanted.candidates.astype(np.int64)
        some = np.sort(rng.choice(len(i), min(len(i), _MOST_CHOICES), replace=False))
        beside, fresh = unseen.beside(i[some], _BESIDE, rng)
        options = np.column_stack([j[some], beside])
        chosen = np.repeat(i[some], options.shape[1])
        features = self.person.terms(p_like.logits(chosen, options.ravel()), chosen, options.ravel())
        theta = np.zeros(len(TERMS))
        own = [at for at in terms if at not in _OF_THE_VIEWER]
        prior = np.array(TERMS, dtype=object)[:, 1:].astype(np.float64).T
        theta[own] = conditional_logit(
            features[own].reshape(len(own), *options.shape),
            np.column_stack([np.ones(len(some), bool), fresh]),
            mean=prior[0, own],
            precision=prior[1, own],
        )
        # a like that is likelier given a look never becomes less likely
        theta[1] = max(theta[1], 0.0)
        theta[2] = max(theta[2], -theta[1])
        a, b = unseen.drawn(min(_DRAWN * len(i), _MOST_DRAWN), rng)
        viewers, candidates = np.concatenate([i, a]), np.concatenate([j, b])
        features = self.person.terms(p_like.logits(viewers, candidates), viewers, candidates)
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

    def folded(self, decisions: Impressions, n_people: int, base: IntegerArray) -> "Affinity":
        """Return the same after people were folded in; base: their rows at the fit, -1 for newcomers."""
        given = np.bincount(decisions.viewers, minlength=n_people).astype(np.float64)
        received = np.bincount(decisions.candidates, minlength=n_people).astype(np.float64)
        person = PersonAffinity(
            *self.visits.folded(visits(decisions), n_people, base),
            *self.likes.folded(decisions, n_people, base),
            known=evidence_weight(given),
            activity=np.log1p(given),
            popularity=np.log1p(received),
        )
        return Affinity(self.visits, self.likes, self.choice, self.look, person)

    def without_people(self) -> "Affinity":
        """Return the same without anybody, to be applied to others."""
        nobody = np.empty(0, np.int64)
        visited, liked = (
            WholeMatrix(one.settings, one.taste[:0], one.appeal[:0]) for one in (self.visits, self.likes)
        )
        return Affinity(visited, liked, self.choice, self.look, self.person.at(nobody))

    def choices(self, p_like: Directed, rows: IntegerArray) -> Directed:
        """Return the matrices whose logits are of P(i comes to like j); p_like: those of a like given a look.

        rows: `(n_people,)` of the people of `p_like` among those folded in, -1 for others.
        """
        weight = (self.choice[1] + self.choice[2] * self.person.at(rows).known).astype(np.float32)
        taste, appeal = self._columns(self.choice, rows)
        near = p_like.distance_decay
        return Directed.of(
            p_like.ids,
            taste=np.hstack([weight[:, None] * p_like.taste, taste]),
            appeal=np.hstack([p_like.appeal, appeal]),
            distance_decay=None if near is None else near.scaled(float(self.choice[1])),
            cell=p_like.cell,
        )

    def looks(self, p_like: Directed, rows: IntegerArray) -> Directed:
        """Return the matrices whose logits are of P(i comes to look at j), of the people of `p_like`."""
        taste, appeal = self._columns(self.look, rows)
        return Directed.of(p_like.ids, taste=taste, appeal=appeal, cell=p_like.cell)

    def _columns(self, theta: Float64Array, rows: IntegerArray) -> tuple[Float64Array, Float64Array]:
        one = self.person.at(rows)
        ones = np.ones((len(rows), 1))
        visit = one.visit_taste * (theta[3] + theta[4] * one.known)[:, None]
        like = one.like_taste * (theta[5] + theta[6] * one.known)[:, None]
        own = (theta[0] + theta[7] * one.activity)[:, None]
        appeal = [one.visit_appeal, one.like_appeal, ones, theta[8] * one.popularity[:, None]]
        return np.hstack([visit, like, own, ones]), np.hstack(appeal)


def _nobody() -> PersonAffinity:
    return PersonAffinity(*(np.empty((0, 0)) for _ in range(4)), *(np.empty(0) for _ in range(3)))
