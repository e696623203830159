"""Impressions: who was shown whom, how often they looked, and the answer; excluded pairs leave no row."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from recsys.data.decisions import Decisions
from recsys.data.events import Events
from recsys.data.indiscriminate import without_excess_likes
from recsys.data.labels import LABEL_WEIGHTS, LabelSettings
from recsys.data.pair_keys import positions_in, reversed_pair_keys, unordered_pair_keys
from recsys.data.population import Population
from recsys.data.silent_exposures import SilentExposures, p_examined
from recsys.data.times import MICROSECONDS_A_DAY
from recsys.memory import set_aside
from recsys.models.calibration import Platt, fit_platt
from recsys.models.directed import sigmoid
from recsys.models.fold_in import EntriesByPerson
from recsys.types import BoolArray, Float64Array, Int32Array

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_KEPT = "impressions"
"""Where the impressions of events are kept beside them, with the people they are among."""


_EM_ROUNDS = 10
"""Lines to the level of looks; the chances of a look follow each."""
_SLOPE_EVIDENCE = 10.0
_FIXED = 1e12
"""Pull of a slope to 1, as usual and where it may not move."""


def _at(values: npt.NDArray[Any], at: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the chosen entries; of one number for all of them, that number for all, without any memory."""
    if values.ndim == 1 and len(values) and values.strides == (0,):
        return np.broadcast_to(values[0], int(at.sum()) if at.dtype == bool else len(at))
    return values[..., at]


class PairRows:
    """A dataclass of aligned arrays, one entry a pair in the last axis of each."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def __len__(self) -> int:
        return int(getattr(self, fields(self)[0].name).shape[-1])

    def take(self, chosen: npt.ArrayLike) -> Self:
        """Return the chosen pairs (positions or a mask)."""
        at = np.asarray(chosen)
        return type(self)(**{field.name: _at(getattr(self, field.name), at) for field in fields(self)})

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
class ReverseRows:
    """Rows of the same two people the other way, by the place of each directed pair among all.

    pair: `(n_rows,)` place of the pair of each row. back: `(n_pairs,)` place of the reverse, -1 without one.
    """

    pair: npt.NDArray[np.int64]
    back: npt.NDArray[np.int64]

    @classmethod
    def of(cls, viewers: Int32Array, candidates: Int32Array) -> "ReverseRows":
        """Find the pairs of rows in any order."""
        width = max(int(viewers.max(initial=0)), int(candidates.max(initial=0))) + 1
        there, pair = np.unique(viewers.astype(np.int64) * width + candidates, return_inverse=True)
        turned = reversed_pair_keys(there, width)
        at = positions_in(there, turned).clip(max=max(len(there) - 1, 0))
        return cls(pair, np.where(there[at] == turned, at, -1))

    def sums(self, values: Float64Array) -> Float64Array:
        """Return for each row the sum of `values` over the rows of its reverse, `(n_rows,)`."""
        whole = np.append(np.bincount(self.pair, values, len(self.back)), 0.0)
        return np.asarray(whole[self.back[self.pair]], np.float64)


@dataclass(frozen=True, eq=False)
class Impressions(PairRows):
    """Rows of directed pairs, sorted by viewer, then candidate; `(n_impressions,)` each.

    A pair has one row for its answer and, before it, one for all its exposures without an answer until then.
    Every look decides anew: `p_like` is the chance that one look ends in a like.

    viewers, candidates: int32 rows of the people.
    labels:   1 wanted to know the candidate, 0 not.
    looks:    above 0, the expected number of looks: 1 where they answered.
    exposures: how many exposures without an answer the row stands for; 0 where they answered.
    unexamined_odds: at least 0, the odds of not having examined an exposure where nothing would ever have
              been said after examining; 0 where they answered. See `e_step`.
    weights:  (0, 1] strength of the evidence, halved with age.
    answered: said yes or no in so many words, or showed it later.
    is_reply: answered somebody who had liked them before, as in an inbox, see `answers_a_like`.
    age, first_age: days from the latest evidence of the pair, and from its first decision, to the latest
              event of the log, at least 0.
    """

    viewers: Int32Array
    candidates: Int32Array
    labels: Float64Array
    looks: Float64Array
    exposures: Float64Array
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
        given that no answer came: at first as if all pairs liked each other equally often. An answer is
        credited to the latest exposure before it, a reply to a like to none: an inbox brought it.

        They are kept beside the events for as long as these are: several models may learn from them.
        """
        kept: tuple[Population, Impressions] | None = events.__dict__.get(_KEPT)
        if kept is None or kept[0] is not people:
            kept = events.__dict__[_KEPT] = people, cls._from_events(people, events)
        return kept[1]

    @classmethod
    def _from_events(cls, people: Population, events: Events) -> "Impressions":
        known = without_excess_likes(events.without_erased())
        said = Decisions.of(known)
        labels, answered, first, is_reply = said.labels, said.answered, said.first, said.is_reply
        rows = people.ids.find(known.coded.people)
        silent = SilentExposures.of(said.exposures(known), len(answered))
        is_known = (rows[labels.viewer] >= 0) & (rows[labels.candidate] >= 0)
        before, after = np.flatnonzero(is_known & (silent.count > 0)), np.flatnonzero(is_known & answered)
        at, is_answer = np.concatenate([before, after]), np.repeat([False, True], [len(before), len(after)])
        order = np.lexsort((is_answer, at))
        at, is_answer = at[order], is_answer[order]
        ts = np.where(is_answer, labels.ts[at], silent.latest[at])
        age = (known.now - ts) / MICROSECONDS_A_DAY
        faded = LABEL_WEIGHTS["impression"].strength * 0.5 ** (age / LabelSettings().half_life_days)
        return cls(
            viewers=rows[labels.viewer[at]],
            candidates=rows[labels.candidate[at]],
            labels=np.where(is_answer, labels.label[at], 0.0),
            looks=np.where(is_answer, 1.0, silent.looks[at]),
            exposures=np.where(is_answer, 0.0, silent.count[at]),
            unexamined_odds=np.where(is_answer, 0.0, silent.odds[at]),
            weights=np.where(is_answer, labels.weight[at], faded),
            answered=is_answer,
            is_reply=is_reply[at] & is_answer,
            age=age,
            first_age=(known.now - np.where(is_answer, first[at], ts)) / MICROSECONDS_A_DAY,
        )

    def without_decay(self) -> "Impressions":
        """Return the impressions with weights that do not fall with age."""
        return replace(self, weights=self.weights * 2.0 ** (self.age / LabelSettings().half_life_days))

    def without_ages(self) -> "Impressions":
        """Return the impressions as if all were of today, for what never asks: ages take a fifth of them."""
        none = np.broadcast_to(np.float64(0.0), len(self))
        return replace(self, age=none, first_age=none)

    def same_pairs(self, others: "Impressions") -> BoolArray:
        """Say which rows are of a pair that `others` holds, in either direction, `(n_impressions,)`."""
        rows = (self.viewers, self.candidates, others.viewers, others.candidates)
        width = max(int(one.max(initial=0)) for one in rows) + 1
        mine, theirs = (unordered_pair_keys(one.viewers, one.candidates, width) for one in (self, others))
        return np.isin(mine, theirs)

    def look_line(self, logits: Float64Array, *, learned_from: bool = False) -> Platt:
        """Return the line that makes logits of P(like | answer) of each row those of P(like | look).

        Whoever looks and is not interested mostly does not answer, so answers hold more likes than looks, and
        being liked flatters, so replies are left out. The identity where every look was answered, or none.

        logits: `(n_impressions,)`, best of pairs not learned from. learned_from: they are of pairs that were,
            which suit their own answers too well to tell how sure chances may be: only the level is found.
            Where noes stay unsaid equally often, whoever they are about, it is all there is to find.
        """
        first = ~self.is_reply
        if self.answered.all() or not self.answered[first].any():
            return Platt()
        evidence = _FIXED if learned_from else _SLOPE_EVIDENCE
        looks, own, line = self.take(first), logits[first], Platt()
        for _ in range(_EM_ROUNDS):
            looked = looks.e_step(sigmoid(line.logits(own))).looks
            line = fit_platt(own, looks.labels, looked, evidence=evidence, near=line)
        return line

    def e_step(self, p_like: Float64Array) -> "Impressions":
        """Return the impressions with the looks that follow from P(like | look), `(n_impressions,)`.

        No answer after an examination is a no that was not said, so the more somebody would have liked
        the candidate, the less likely it is that they examined them: P(examined | no answer) of an exposure
        is `(1 - p) / (1 - p + unexamined_odds)`. With these weights, the slope of the log-likelihood of a no
        is that of what was observed, no answer, whether examined or not.

        Source: Dempster, Laird and Rubin, "Maximum likelihood from incomplete data via the EM
        algorithm", Journal of the Royal Statistical Society B 39 (1977) 1-38.
        """
        looked = self.exposures * p_examined(self.unexamined_odds, p_like)
        found = replace(self, looks=np.where(self.exposures > 0, looked, self.looks))
        for kept in ("_grouped", "_reverse"):
            found.__dict__[kept] = self.__dict__.setdefault(kept, {})
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

    def reverse(self) -> "ReverseRows":
        """Return which rows are of the same two people the other way; found once."""
        known: dict[int, ReverseRows] = self.__dict__.setdefault("_reverse", {})
        if not known:
            known[0] = ReverseRows.of(self.viewers, self.candidates)
        return known[0]

    def forget_reverse(self) -> None:
        """Free what `reverse` found; it is found again when it is asked for."""
        self.__dict__.get("_reverse", {}).clear()

    def forget_grouped(self) -> None:
        """Free what `grouped` found; it is found again when it is asked for."""
        self.__dict__.get("_grouped", {}).clear()

    def set_aside(self) -> None:
        """Let large columns of float64 wait in a file; see `recsys.memory.set_aside`."""
        set_aside(self, *(of.name for of in fields(self) if getattr(self, of.name).dtype == np.float64))

    def likes(self, n_people: int) -> "csr_array[Any]":
        """Return who liked whom as zeros and ones, `(n_people, n_people)`."""
        from scipy.sparse import csr_array

        at = np.flatnonzero(self.labels > 0)
        pairs = (self.viewers[at], self.candidates[at])
        return csr_array((np.ones(len(at)), pairs), shape=(n_people, n_people))

    def evidence(self, n_people: int) -> tuple[Float64Array, Float64Array]:
        """Return how many looks each person gave and received, as expected, `(n_people,)` each."""
        given = np.bincount(self.viewers, self.looks, n_people)
        received = np.bincount(self.candidates, self.looks, n_people)
        return given.astype(np.float64), received.astype(np.float64)

    def random_pair_folds(self, n_folds: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        """Return a random fold of each row, `(n,)`; both directions of a pair share one.

        Each pair is drawn by itself, so a log of few pairs may leave a fold empty, as cross-fitting allows;
        `recsys.evaluation.pair_folds` deals folds of equal size and refuses what cannot be dealt.
        """
        low = np.minimum(self.viewers, self.candidates).astype(np.int64)
        high = np.maximum(self.viewers, self.candidates).astype(np.int64)
        _, pair = np.unique(low * (int(high.max(initial=0)) + 1) + high, return_inverse=True)
        return rng.integers(0, n_folds, int(pair.max(initial=-1)) + 1)[pair]
