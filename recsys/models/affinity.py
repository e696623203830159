"""Who comes across whom, and whom they pick of everybody: the chance of a look, and the order of lists.

P(like | look) says nothing of how likely a look is. Where a service logs what it shows, it arranges the
looks itself, and nothing here is learned. Where it does not, an unseen pair is a weak no.
"""

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np

from recsys.models.directed import Directed, pair_dots
from recsys.models.factor_space import rows_at
from recsys.models.impressions import Impressions
from recsys.models.neighbourhoods import CommonNeighbours, ItemRegression
from recsys.models.stacking import evidence_weight
from recsys.models.whole_matrix import WholeMatrix, visits
from recsys.types import Float64Array, IntegerArray

PARTS: Final = ("visits", "likes", "regression", "neighbours")


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
    AffinityTerm("likes", 2.0, 0.1),
    AffinityTerm("regression", 2.0, 0.1),
    AffinityTerm("neighbours", 1.0, 1.0),
    AffinityTerm("activity", 0.5, 0.1),
    AffinityTerm("popularity", 0.5, 0.1),
    AffinityTerm("recent activity of the candidate", 0.0, 1.0),
    AffinityTerm("recent popularity", 0.0, 1.0),
)
"""`p_like` is the logit of P(like | look); `known` goes from 0 to 1 with what the viewer has decided."""
TERM: Final = {term.name: at for at, term in enumerate(TERMS)}


@dataclass(frozen=True, eq=False)
class AffinityRows:
    """Rows of everybody in the factors of one part, `(n_people, k)` each; 0 without a decision."""

    taste: Float64Array
    appeal: Float64Array


@dataclass(frozen=True, eq=False)
class PersonAffinity:
    """What decisions say of each person, a part of the score each and `(n_people,)`; 0 without any.

    known, activity: as viewer; popularity: as candidate, log of one more than the decisions.
    recent_activity, recent_popularity: the same of decisions given and received, halved with their age.
    """

    visits: AffinityRows
    likes: AffinityRows
    regression: AffinityRows
    neighbours: AffinityRows
    known: Float64Array
    activity: Float64Array
    popularity: Float64Array
    recent_activity: Float64Array
    recent_popularity: Float64Array

    def terms(self, p_like: Float64Array, i: IntegerArray, j: IntegerArray) -> Float64Array:
        """Return the terms of aligned pairs, `(n_terms, n_pairs)`; p_like: their logits."""
        known = self.known[i]
        rows = [np.ones(len(i)), p_like, p_like * known]
        for name in PARTS:
            part: AffinityRows = getattr(self, name)
            rows.append(pair_dots(part.taste, part.appeal, i, j))
        rows += [self.activity[i], self.popularity[j], self.recent_activity[j], self.recent_popularity[j]]
        return np.array(rows)

    def at(self, rows: IntegerArray) -> "PersonAffinity":
        """Return the people at `rows`; somebody without a decision for a row of -1."""

        def taken(name: str) -> AffinityRows | Float64Array:
            values = getattr(self, name)
            if isinstance(values, AffinityRows):
                return AffinityRows(rows_at(values.taste, rows), rows_at(values.appeal, rows))
            return rows_at(values, rows)

        return PersonAffinity(*(taken(name) for name in self.__dataclass_fields__))  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class AffinityParts:
    """What was learned of everybody's decisions, from which anybody is folded in.

    visits, likes: whole-matrix factors of any decision and of likes (no columns where nobody ever said
    no). regression: item-to-item weights of visits. neighbours: people both have met. half_life: days
    after which a decision counts half as recent.
    """

    visits: WholeMatrix
    likes: WholeMatrix
    regression: ItemRegression
    neighbours: CommonNeighbours
    half_life: float

    def folded(self, decisions: Impressions, n_people: int, base: IntegerArray) -> PersonAffinity:
        """Return the people after their decisions; base: their rows at the fit, -1 for newcomers."""
        visited = visits(decisions)
        given, received = (
            np.bincount(own, minlength=n_people).astype(np.float64)
            for own in (decisions.viewers, decisions.candidates)
        )
        recent = 0.5 ** (decisions.age / self.half_life)
        return PersonAffinity(
            AffinityRows(*self.visits.folded(visited, n_people, base)),
            AffinityRows(*self.likes.folded(decisions, n_people, base)),
            AffinityRows(*self.regression.folded(visited, n_people, base)),
            AffinityRows(*self.neighbours.folded(visited, n_people, base)),
            known=evidence_weight(given),
            activity=np.log1p(given),
            popularity=np.log1p(received),
            recent_activity=np.log1p(np.bincount(decisions.viewers, recent, n_people)),
            recent_popularity=np.log1p(np.bincount(decisions.candidates, recent, n_people)),
        )


@dataclass(frozen=True, eq=False)
class Affinity:
    """Parts that say who comes across whom, and the weights that make probabilities of them.

    choice: `(n_terms,)` of P(i comes to like j), unprompted, for the order of lists.
    look:   `(n_terms,)` of P(i comes to look at j), `p_look`; 0 for the terms of liking.
    person: the people last folded in.
    """

    parts: AffinityParts
    choice: Float64Array
    look: Float64Array
    person: PersonAffinity

    def folded(self, decisions: Impressions, n_people: int, base: IntegerArray) -> "Affinity":
        """Return the same after people were folded in; base: their rows at the fit, -1 for newcomers."""
        return replace(self, person=self.parts.folded(decisions.without_decay(), n_people, base))

    def without_people(self) -> "Affinity":
        """Return the same without anybody, to be applied to others."""
        nobody = np.empty(0, np.int64)
        parts = self.parts
        visited, liked = (
            replace(one, taste=one.taste[:0], appeal=one.appeal[:0]) for one in (parts.visits, parts.likes)
        )
        regression = ItemRegression(parts.regression.into[:0], parts.regression.own[:0])
        neighbours = CommonNeighbours(parts.neighbours.into[:0])
        none = AffinityParts(visited, liked, regression, neighbours, parts.half_life)
        return Affinity(none, self.choice, self.look, self.person.at(nobody))

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
        taste, appeal = [], []
        for name in PARTS:
            part: AffinityRows = getattr(one, name)
            taste.append(part.taste * theta[TERM[name]])
            appeal.append(part.appeal)
        own = theta[TERM["level"]] + theta[TERM["activity"]] * one.activity
        others = (
            theta[TERM["popularity"]] * one.popularity
            + theta[TERM["recent activity of the candidate"]] * one.recent_activity
            + theta[TERM["recent popularity"]] * one.recent_popularity
        )
        return np.hstack([*taste, own[:, None], ones]), np.hstack([*appeal, ones, others[:, None]])
