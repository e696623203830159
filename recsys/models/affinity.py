"""Who comes across whom, and whom they pick of everybody: the chance of a look, and the order of lists.

P(like | look) says nothing of how likely a look is. Where a service logs what it shows, it arranges the
looks itself, and nothing here is learned. Where it does not, an unseen pair is a weak no.
"""

from dataclasses import dataclass, replace
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from recsys.models.directed import Directed, pair_dots
from recsys.models.factor_space import rows_at
from recsys.models.impressions import Impressions
from recsys.models.neighbourhoods import CommonNeighbours, ItemRegression
from recsys.models.stacking import evidence_weight
from recsys.models.whole_matrix import WholeMatrix, visits
from recsys.types import Float64Array, IntegerArray

PARTS: Final = ("visits", "likes", "regression", "neighbours")
PartRows: TypeAlias = dict[str, tuple[Float64Array, Float64Array]]
"""Taste and appeal of everybody in each part, by its name."""


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
    AffinityTerm("level of the unknown", 0.0, 1.0),
    AffinityTerm("popularity for the unknown", 0.0, 1.0),
    AffinityTerm("recent activity of the candidate", 0.0, 1.0),
    AffinityTerm("recent popularity", 0.0, 1.0),
    AffinityTerm("presence of the candidate", 0.0, 1.0),
    AffinityTerm("recent activity of the candidate for the unknown", 0.0, 1.0),
    AffinityTerm("recent popularity for the unknown", 0.0, 1.0),
    AffinityTerm("presence of the candidate for the unknown", 0.0, 1.0),
)
"""`p_like` is the logit of P(like | look); `known` goes from 0 to 1 with what the viewer has decided; what is
of a candidate for the unknown counts for a viewer by the fourth power of what is missing to 1."""
TERM: Final = {term.name: at for at, term in enumerate(TERMS)}


@dataclass(frozen=True, eq=False)
class AffinityRows:
    """Rows of everybody in the factors of one part, `(n_people, k)` each; 0 without a decision.

    leveller: `(n_people,)` of each person as a viewer, see `ScoreSpread`.
    """

    taste: Float64Array
    appeal: Float64Array
    leveller: Float64Array

    def unit_rows(self) -> Float64Array:
        """Return the appeal with rows of length 1, so that inner products are cosines; 0 without any."""
        length = np.linalg.norm(self.appeal, axis=1, keepdims=True)
        return np.divide(self.appeal, length, out=np.zeros_like(self.appeal), where=length > 0.0)


@dataclass(frozen=True, eq=False)
class ScoreSpread:
    """How far the scores of a viewer lie apart over the candidates of the fit.

    covariance: `(k, k)` of the rows of those candidates. usual: the root mean square deviation of the scores
    of a viewer who decided.
    """

    covariance: Float64Array
    usual: float

    @classmethod
    def of(cls, taste: Float64Array, appeal: Float64Array) -> "ScoreSpread":
        """Measure the scores of viewers for candidates, `(n, k)` each."""
        centred = appeal - appeal.mean(axis=0) if len(appeal) else appeal
        covariance = centred.T @ centred / max(len(appeal), 1)
        usual = np.sqrt(max((taste @ covariance * taste).sum(axis=1).mean(), 0.0)) if len(taste) else 0.0
        return cls(covariance, float(usual))

    def levellers(self, taste: Float64Array, known: Float64Array) -> Float64Array:
        """Return what makes the scores of viewers lie equally far apart, times how well each is known.

        Sums over whom a viewer met grow with their number. To a power between 0 and 1 it is the factor of a
        part: at 1 how much the viewer decided tells nothing of how sure a score is, at 0 everything.
        """
        deviation = np.sqrt(np.maximum((taste @ self.covariance * taste).sum(axis=1), 0.0))
        return np.where(deviation > 0.0, known * self.usual / np.maximum(deviation, 1e-12), 0.0)


@dataclass(frozen=True, eq=False)
class PersonAffinity:
    """What decisions say of each person, a part of the score each and `(n_people,)`; 0 without any.

    known, activity: as viewer; popularity: as candidate, log of one more than the decisions.
    recent_activity, recent_popularity: the same of decisions given and received, halved with their age.
    presence: 1 for who has just decided about somebody, halved with the age of their last decision; unlike
    recent activity it is the same of who decided once and who decides about everybody.
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
    presence: Float64Array

    @property
    def unknown(self) -> Float64Array:
        """How little is known of each viewer, `(n_people,)`, 1 without a decision."""
        return (1.0 - self.known) ** 4

    def terms(self, p_like: Float64Array, i: IntegerArray, j: IntegerArray) -> Float64Array:
        """Return the terms of aligned pairs, `(n_terms, n_pairs)`; p_like: their logits."""
        known = self.known[i]
        rows = [np.ones(len(i)), p_like, p_like * known]
        for name in PARTS:
            part: AffinityRows = getattr(self, name)
            rows.append(pair_dots(part.taste, part.appeal, i, j))
        rows += [self.activity[i], self.popularity[j], self.unknown[i], self.popularity[j] * self.unknown[i]]
        recent = [self.recent_activity[j], self.recent_popularity[j], self.presence[j]]
        return np.array([*rows, *recent, *(one * self.unknown[i] for one in recent)])

    def at(self, rows: IntegerArray) -> "PersonAffinity":
        """Return the people at `rows`; somebody without a decision for a row of -1."""

        def taken(name: str) -> AffinityRows | Float64Array:
            values = getattr(self, name)
            if isinstance(values, AffinityRows):
                return AffinityRows(*(rows_at(one, rows) for one in vars(values).values()))
            return rows_at(values, rows)

        return PersonAffinity(*(taken(name) for name in self.__dataclass_fields__))  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class AffinitySpread:
    """How far the scores of each part lie apart."""

    visits: ScoreSpread
    likes: ScoreSpread
    regression: ScoreSpread
    neighbours: ScoreSpread


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
    spread: AffinitySpread
    half_life: float

    def folded(self, decisions: Impressions, n_people: int, base: IntegerArray) -> PersonAffinity:
        """Return the people after their decisions; base: their rows at the fit, -1 for newcomers."""
        visited = visits(decisions)
        rows: PartRows = {
            name: getattr(self, name).folded(decisions if name == "likes" else visited, n_people, base)
            for name in PARTS
        }
        return self.person(decisions, n_people, rows)

    def person(self, decisions: Impressions, n_people: int, rows: PartRows) -> PersonAffinity:
        """Return the people after their decisions; rows: what each part gives them by its `folded`."""
        given, received = (
            np.bincount(own, minlength=n_people).astype(np.float64)
            for own in (decisions.viewers, decisions.candidates)
        )
        known = evidence_weight(given)
        activity, popularity, presence = self.recent(decisions, n_people)

        def levelled(name: str) -> AffinityRows:
            spread: ScoreSpread = getattr(self.spread, name)
            return AffinityRows(*rows[name], spread.levellers(rows[name][0], known))

        return PersonAffinity(
            visits=levelled("visits"),
            likes=levelled("likes"),
            regression=levelled("regression"),
            neighbours=levelled("neighbours"),
            known=known,
            activity=np.log1p(given),
            popularity=np.log1p(received),
            recent_activity=activity,
            recent_popularity=popularity,
            presence=presence,
        )

    def recent(
        self, decisions: Impressions, n_people: int
    ) -> tuple[Float64Array, Float64Array, Float64Array]:
        """Return recent activity, recent popularity and presence of `n_people`, see `PersonAffinity`."""
        share = 0.5 ** (decisions.age / self.half_life)
        activity, popularity = (
            np.log1p(np.bincount(own, share, n_people)) for own in (decisions.viewers, decisions.candidates)
        )
        presence = np.zeros(n_people)
        np.maximum.at(presence, decisions.viewers, share)
        return activity, popularity, presence


@dataclass(frozen=True, eq=False)
class Closeness:
    """Logits of P(like | look) that the cosine of two people's neighbours adds, `weight * (cosine - mean)`.

    Two who met the same people are of one circle, whether or not either is popular. 0 where held-out
    decisions do not show it.
    """

    weight: float = 0.0
    mean: float = 0.0

    def logits(self, person: PersonAffinity, i: IntegerArray, j: IntegerArray) -> Float64Array:
        """Return the logits of aligned pairs, `(n_pairs,)`."""
        if not self.weight:
            return np.zeros(len(i))
        return self.weight * (self.cosines(person, i, j) - self.mean)

    def cosines(self, person: PersonAffinity, i: IntegerArray, j: IntegerArray) -> Float64Array:
        """Return the cosine of two people's neighbours, `(n_pairs,)`."""
        rows = person.neighbours.unit_rows()
        return pair_dots(rows, rows, i, j)

    def added_to(self, p_like: Directed, person: PersonAffinity) -> Directed:
        """Return the matrices of P(like | look) with it; person: of the people of `p_like`, aligned."""
        if not self.weight:
            return p_like
        rows = person.neighbours.unit_rows().astype(np.float32)
        ones = np.ones((len(rows), 1), np.float32)
        return Directed.of(
            p_like.ids,
            taste=np.hstack([p_like.taste, np.float32(self.weight) * rows, -self.weight * self.mean * ones]),
            appeal=np.hstack([p_like.appeal, rows, ones]),
            distance_decay=p_like.distance_decay,
            cell=p_like.cell,
        )


@dataclass(frozen=True, slots=True)
class AffinityLine:
    """From the logits of a choice to those of a like beside pairs drawn evenly for each like of a viewer.

    A choice is likelier of who chooses often, while as many pairs are drawn for each like of everybody. And
    whom nobody has chosen yet is a weak candidate of a list, while who comes new into a log of likes comes by
    being liked.

    slope: of the logit of a choice; 0: the line is not used. activity, unknown: of the viewer, see
    `PersonAffinity`. popularity: of the candidate. new: of candidates about whom nobody has decided.

    >>> AffinityLine(slope=2.0, activity=-1.0).weights.tolist()
    [-1.0, 0.0, 0.0, 0.0]
    """

    slope: float = 1.0
    intercept: float = 0.0
    activity: float = 0.0
    unknown: float = 0.0
    popularity: float = 0.0
    new: float = 0.0

    @classmethod
    def of(cls, slope: float, intercept: float, weights: Float64Array) -> "AffinityLine":
        """Return the line; weights: `(4,)` of the terms."""
        activity, unknown, popularity, new = weights.tolist()
        return cls(slope, intercept, activity, unknown, popularity, new)

    @property
    def weights(self) -> Float64Array:
        """The weights of the terms, `(4,)`."""
        return np.array([self.activity, self.unknown, self.popularity, self.new])

    @staticmethod
    def terms(person: PersonAffinity, i: IntegerArray, j: IntegerArray) -> Float64Array:
        """Return the terms of aligned pairs beside the logit of a choice, `(4, n_pairs)`."""
        new = (person.popularity == 0.0).astype(np.float64)
        return np.array([person.activity[i], person.unknown[i], person.popularity[j], new[j]])

    def applied(self, choices: Directed, person: PersonAffinity) -> Directed:
        """Return the matrices of a like; person: of the people of `choices`, aligned."""
        return self._with_terms(choices.scaled(self.slope, self.intercept), person, 1.0)

    def undone(self, liked: Directed, person: PersonAffinity) -> Directed:
        """Return the matrices of a choice, of those that `applied` gave."""
        choices = liked.scaled(1.0 / self.slope, -self.intercept / self.slope)
        return self._with_terms(choices, person, -1.0 / self.slope)

    def _with_terms(self, matrices: Directed, person: PersonAffinity, share: float) -> Directed:
        every = np.arange(len(matrices))
        terms = share * self.weights[:, None] * self.terms(person, every, every)
        own, others = (part.sum(axis=0).astype(np.float32)[:, None] for part in (terms[:2], terms[2:]))
        ones = np.ones_like(own)
        return Directed.of(
            matrices.ids,
            taste=np.hstack([matrices.taste, own, ones]),
            appeal=np.hstack([matrices.appeal, ones, others]),
            distance_decay=matrices.distance_decay,
            cell=matrices.cell,
        )


@dataclass(frozen=True, eq=False)
class Affinity:
    """Parts that say who comes across whom, and the weights that make probabilities of them.

    choice: `(n_terms,)` of P(i comes to like j), unprompted, for the order of lists. levelled: `(n_parts,)`
            the power of the levellers of each part there.
    look:   `(n_terms,)` of P(i comes to look at j), `p_look`; 0 for the terms of liking.
    closeness: how far meeting the same people makes a like likelier given a look.
    beside: from the logits of a choice to those of a like beside drawn pairs that never met, which is what
            `p_like` says where nobody ever said no; slope 0 where it rests on looks alone.
    person: the people last folded in.
    """

    parts: AffinityParts
    closeness: Closeness
    choice: Float64Array
    levelled: Float64Array
    look: Float64Array
    beside: AffinityLine
    person: PersonAffinity

    def __repr__(self) -> str:
        weights = {term.name: round(float(self.choice[at]), 2) for at, term in enumerate(TERMS)}
        named = ", ".join(f"{name} {weight}" for name, weight in weights.items() if weight)
        levelled = dict(zip(PARTS, self.levelled.tolist(), strict=True))
        recent = any(self.choice[TERM[name]] for name in weights if name.startswith(("recent", "presence")))
        half_life = f", half-life {self.parts.half_life:.3g} days" if recent else ""
        return (
            f"Affinity({len(self.person.known):,} people; choice: {named}; levelled: {levelled}{half_life})"
        )

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
        none = AffinityParts(visited, liked, regression, neighbours, parts.spread, parts.half_life)
        return replace(self, parts=none, person=self.person.at(nobody))

    def choices(self, p_like: Directed, rows: IntegerArray) -> Directed:
        """Return the matrices whose logits are of P(i comes to like j); p_like: those of a like given a look.

        rows: `(n_people,)` of the people of `p_like` among those folded in, -1 for others.
        """
        weight = (self.choice[1] + self.choice[2] * self.person.at(rows).known).astype(np.float32)
        taste, appeal = self._columns(self.choice, self.levelled, rows)
        near = p_like.distance_decay
        return Directed.of(
            p_like.ids,
            taste=np.hstack([weight[:, None] * p_like.taste, taste]),
            appeal=np.hstack([p_like.appeal, appeal]),
            distance_decay=None if near is None else near.scaled(float(self.choice[1])),
            cell=p_like.cell,
        )

    def liked(self, p_like: Directed, rows: IntegerArray) -> Directed:
        """Return the matrices of P(like | look) with what else is known of who likes whom.

        p_like, rows: as for `choices`.
        """
        near = self.closeness.added_to(p_like, self.person.at(rows))
        if not self.beside.slope:
            return near
        return self.beside.applied(self.choices(near, rows), self.person.at(rows))

    def order(self, liked: Directed, rows: IntegerArray) -> Directed:
        """Return what `choices` does, of the matrices that `liked` gave."""
        if not self.beside.slope:
            return self.choices(liked, rows)
        return self.beside.undone(liked, self.person.at(rows))

    def looks(self, p_like: Directed, rows: IntegerArray) -> Directed:
        """Return the matrices whose logits are of P(i comes to look at j), of the people of `p_like`."""
        taste, appeal = self._columns(self.look, np.zeros(len(PARTS)), rows)
        return Directed.of(p_like.ids, taste=taste, appeal=appeal, cell=p_like.cell)

    def _columns(
        self, theta: Float64Array, levelled: Float64Array, rows: IntegerArray
    ) -> tuple[Float64Array, Float64Array]:
        one = self.person.at(rows)
        ones = np.ones((len(rows), 1))
        taste, appeal = [], []
        for name, power in zip(PARTS, levelled, strict=True):
            part: AffinityRows = getattr(one, name)
            taste.append(part.taste * (theta[TERM[name]] * part.leveller**power)[:, None])
            appeal.append(part.appeal)
        own = (
            theta[TERM["level"]]
            + theta[TERM["activity"]] * one.activity
            + theta[TERM["level of the unknown"]] * one.unknown
        )
        others = (
            theta[TERM["popularity"]] * one.popularity
            + theta[TERM["recent activity of the candidate"]] * one.recent_activity
            + theta[TERM["recent popularity"]] * one.recent_popularity
            + theta[TERM["presence of the candidate"]] * one.presence
        )
        for_unknown = (
            theta[TERM["popularity for the unknown"]] * one.popularity
            + theta[TERM["recent activity of the candidate for the unknown"]] * one.recent_activity
            + theta[TERM["recent popularity for the unknown"]] * one.recent_popularity
            + theta[TERM["presence of the candidate for the unknown"]] * one.presence
        )
        taste += [own[:, None], ones, one.unknown[:, None]]
        appeal += [ones, others[:, None], for_unknown[:, None]]
        return np.hstack(taste), np.hstack(appeal)
