"""Impressions: who was shown whom, P(examined), and the answer; excluded pairs leave no row."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.labels import LABEL_WEIGHTS, LabelSettings, pair_labels
from recsys.data.population import Population
from recsys.data.times import MICROSECONDS_A_DAY
from recsys.models.calibration import Platt, fit_platt
from recsys.models.directed import sigmoid
from recsys.models.fold_in import EntriesByPerson
from recsys.types import BoolArray, Float64Array, Int32Array

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def answers_a_like(events: Events, key: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Say of which pairs the candidate had liked the viewer before the viewer decided, `(n_pairs,)`.

    key: ascending, `viewer * n_people + candidate` in the codes of the events.
    """
    width = max(len(events.coded.people), 1)
    decided = _first(events, key, "like", "pass", "hide")
    liked = _first(events, (key % width) * width + key // width, "like")
    return (liked < decided) & (decided < np.iinfo(np.int64).max)


def _first(events: Events, key: npt.NDArray[np.int64], *types: str) -> npt.NDArray[np.int64]:
    """Return when each pair in `key` had its first event of these types; the end of time if never."""
    coded, never = events.coded, np.iinfo(np.int64).max
    rows = np.flatnonzero(coded.are(*types) & (coded.target >= 0))
    found, first = np.unique(coded.actor[rows] * len(coded.people) + coded.target[rows], return_index=True)
    if not len(found):
        return np.full(len(key), never)
    at = np.searchsorted(found, key).clip(0, len(found) - 1)
    # events are in time order, so the first row of a pair is its earliest
    return np.where(found[at] == key, coded.ts[rows[first[at]]], never)


_MOST_SAID = 0.95
_LEAST_LOOKED = 1e-6
_LEAST_NO = 1e-3
_ROUNDS = 20
_EM_ROUNDS = 10
"""Lines to the level of looks; the chances of a look follow each."""


class PairRows:
    """A dataclass of aligned arrays, one entry a pair in the last axis of each."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def __len__(self) -> int:
        return int(getattr(self, fields(self)[0].name).shape[-1])

    def take(self, chosen: npt.ArrayLike) -> Self:
        """Return the chosen pairs (positions or a mask)."""
        at = np.asarray(chosen)
        return type(self)(**{field.name: getattr(self, field.name)[..., at] for field in fields(self)})

    def sampled(self, most: int, rng: np.random.Generator) -> Self:
        """Return at most `most` pairs, drawn evenly, in the same order."""
        if len(self) <= most:
            return self
        return self.take(np.sort(rng.choice(len(self), most, replace=False)))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the pairs of all, one after another."""
        names = [field.name for field in fields(cls)]
        return cls(**{name: np.concatenate([getattr(p, name) for p in parts], axis=-1) for name in names})


@dataclass(frozen=True, eq=False)
class Impressions(PairRows):
    """One row a directed pair with evidence, sorted by viewer, then candidate; `(n_impressions,)` each.

    viewers, candidates: int32 rows of the people.
    labels:   1 wanted to know the candidate, 0 not.
    p_examined: (0, 1] that the viewer examined the candidate: 1 when they answered.
    unexamined_odds: at least 0, the odds of not having examined where nothing would ever have been said
              after examining; 0 when they answered. See `e_step`.
    weights:  (0, 1] strength of the evidence, halved with age.
    answered: said yes or no in so many words, or showed it later.
    is_reply: answered somebody who had liked them before, as in an inbox.
    age, first_age: days from the latest evidence of the pair, and from its first decision, to the latest
              event of the log, at least 0.
    """

    viewers: Int32Array
    candidates: Int32Array
    labels: Float64Array
    p_examined: Float64Array
    unexamined_odds: Float64Array
    weights: Float64Array
    answered: BoolArray
    is_reply: BoolArray
    age: Float64Array
    first_age: Float64Array

    @classmethod
    def from_events(cls, people: Population, events: Events) -> "Impressions":
        """Return the impressions among `people`.

        Pairs with a block, a report or another safety event are in no row, in either direction. An
        exposure without an answer was looked at with the chance of its place (see `Examination`),
        given that no answer came: at first as if all pairs liked each other equally often.
        """
        known = events.without_erased()
        labels = pair_labels(known.coded, LabelSettings(unanswered=True), now=known.now)
        answered = labels.strength != LABEL_WEIGHTS["impression"].strength
        unexamined_odds = _unexamined_odds(known, labels.pair, answered, labels.label)
        p_examined = _p_examined(unexamined_odds, _like_rate(labels.label, unexamined_odds))
        listed = bool((labels.n_impressions > 0).any())
        is_reply = answered & answers_a_like(known, labels.pair) if listed else np.zeros(len(answered), bool)
        first = np.minimum(_first(known, labels.pair, "like", "pass", "hide"), labels.ts)
        rows = people.ids.find(known.coded.people)
        i, j = rows[labels.viewer], rows[labels.candidate]
        kept = (i >= 0) & (j >= 0) & (p_examined > 0)
        return cls(
            viewers=i[kept],
            candidates=j[kept],
            labels=labels.label[kept],
            p_examined=p_examined[kept],
            unexamined_odds=unexamined_odds[kept],
            weights=labels.weight[kept],
            answered=answered[kept],
            is_reply=is_reply[kept],
            age=(known.now - labels.ts[kept]) / MICROSECONDS_A_DAY,
            first_age=(known.now - first[kept]) / MICROSECONDS_A_DAY,
        )

    def without_decay(self) -> "Impressions":
        """Return the impressions with weights that do not fall with age."""
        return replace(self, weights=self.weights * 2.0 ** (self.age / LabelSettings().half_life_days))

    def same_pairs(self, others: "Impressions") -> BoolArray:
        """Say which rows are of a pair that `others` holds, in either direction, `(n_impressions,)`."""
        rows = (self.viewers, self.candidates, others.viewers, others.candidates)
        width = max(int(one.max(initial=0)) for one in rows) + 1

        def keys(one: "Impressions") -> npt.NDArray[np.int64]:
            i, j = one.viewers.astype(np.int64), one.candidates.astype(np.int64)
            return np.minimum(i, j) * width + np.maximum(i, j)

        return np.isin(keys(self), keys(others))

    def look_line(self, logits: Float64Array) -> Platt:
        """Return the line that makes logits of P(like | answer) of each row those of P(like | look).

        Whoever looks and is not interested mostly does not answer, so answers hold more likes than looks, and
        being liked flatters, so replies are left out. The identity where every look was answered, or none.

        logits: `(n_impressions,)`, best of pairs not learned from.
        """
        first = ~self.is_reply
        if self.answered.all() or not self.answered[first].any():
            return Platt()
        looks, own, line = self.take(first), logits[first], Platt()
        for _ in range(_EM_ROUNDS):
            looked = looks.e_step(sigmoid(line.logits(own))).p_examined
            line = fit_platt(own, looks.labels, looked)
        return line

    def e_step(self, p_like: Float64Array) -> "Impressions":
        """Return the impressions with the p_examined that follow from P(like | look), `(n_impressions,)`.

        No answer after an examination is a no that was not said, so the more somebody would have liked
        the candidate, the less likely it is that they examined them: P(examined | no answer) is
        `(1 - p) / (1 - p + unexamined_odds)`. With these weights, the slope of the log-likelihood of a no
        is that of what was observed, no answer, whether examined or not.

        Source: Dempster, Laird and Rubin, "Maximum likelihood from incomplete data via the EM
        algorithm", Journal of the Royal Statistical Society B 39 (1977) 1-38.
        """
        found = replace(
            self,
            p_examined=np.where(
                self.unexamined_odds > 0, _p_examined(self.unexamined_odds, p_like), self.p_examined
            ),
        )
        found.__dict__["_grouped"] = self.__dict__.setdefault("_grouped", {})
        return found

    def grouped(self, n_people: int) -> tuple[EntriesByPerson, EntriesByPerson]:
        """Return the rows grouped by viewer and by candidate; found once."""
        known: dict[int, tuple[EntriesByPerson, EntriesByPerson]] = self.__dict__.setdefault("_grouped", {})
        if n_people not in known:
            known[n_people] = (
                EntriesByPerson.of(n_people, self.viewers, self.candidates),
                EntriesByPerson.of(n_people, self.candidates, self.viewers),
            )
        return known[n_people]

    def likes(self, n_people: int) -> "csr_array[Any]":
        """Return who liked whom as zeros and ones, `(n_people, n_people)`."""
        from scipy.sparse import csr_array

        at = np.flatnonzero(self.labels > 0)
        pairs = (self.viewers[at], self.candidates[at])
        return csr_array((np.ones(len(at)), pairs), shape=(n_people, n_people))

    def evidence(self, n_people: int) -> tuple[Float64Array, Float64Array]:
        """Return how many impressions each person gave and received, chances added up, `(n_people,)` each."""
        given = np.bincount(self.viewers, self.p_examined, n_people)
        received = np.bincount(self.candidates, self.p_examined, n_people)
        return given.astype(np.float64), received.astype(np.float64)

    def pair_folds(self, n_folds: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        """Return a random fold of each row; both directions of a pair share one."""
        low = np.minimum(self.viewers, self.candidates).astype(np.int64)
        high = np.maximum(self.viewers, self.candidates).astype(np.int64)
        _, pair = np.unique(low * (int(high.max(initial=0)) + 1) + high, return_inverse=True)
        return rng.integers(0, n_folds, int(pair.max(initial=-1)) + 1)[pair]


def _unexamined_odds(
    events: Events, key: npt.NDArray[np.int64], answered: BoolArray, labels: Float64Array
) -> Float64Array:
    """Return the odds of each pair in `key` (ascending): `P(unexamined) / (P(examined) P(silent | no))`.

    How often a no stays unsaid is taken to be the same for everybody: of the impressions that their
    positions make likely to be examined, those that ended neither in a like nor in a stated no.
    """
    from recsys.evaluation.examination import Examination  # in a fit alone: a backend loads no metrics

    coded = events.coded
    shown = np.flatnonzero(coded.are("impression") & (coded.target >= 0))
    unexamined_odds = np.zeros(len(key))
    if not len(shown) or not len(key):
        return unexamined_odds
    own = coded.actor[shown] * len(coded.people) + coded.target[shown]
    at = np.searchsorted(key, own).clip(0, len(key) - 1)
    found = key[at] == own
    at = at[found]
    places = pd.to_numeric(events.frame[C.POSITION]).to_numpy(np.float64)[shown[found]]
    examination = Examination.fit(places, answered[at])
    missed = np.exp(np.bincount(at, np.log1p(-examination.of_logged(places)), len(key)))
    on_list = np.bincount(at, minlength=len(key)) > 0
    impressions = max(float((1.0 - missed)[on_list].sum()), 1.0)
    likes, noes = (float((answered & on_list & (labels == said)).sum()) for said in (1.0, 0.0))
    silent = 1.0 - min(noes / max(impressions - likes, 1.0), _MOST_SAID)
    return np.where(answered, 0.0, missed / (np.maximum(1.0 - missed, _LEAST_LOOKED) * silent))


def _p_examined(unexamined_odds: Float64Array, p_like: Float64Array | float) -> Float64Array:
    """Return P(examined | no answer)."""
    no = np.maximum(1.0 - np.asarray(p_like, np.float64), _LEAST_NO)
    return np.asarray(no / (no + unexamined_odds), np.float64)


def _like_rate(labels: Float64Array, unexamined_odds: Float64Array) -> float:
    """Return P(like | look) over all impressions, which the chances depend on, which depend on it."""
    rate = 0.5
    for _ in range(_ROUNDS if len(labels) else 0):
        rate = float(
            labels.sum() / np.where(unexamined_odds > 0, _p_examined(unexamined_odds, rate), 1.0).sum()
        )
    return rate
