"""Who was shown whom, how surely they looked, and what they said; separations leave no row."""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.history.events import Events
from recsys.history.grades import GRADES, LabelSettings
from recsys.history.labels import LABEL, N_IMPRESSIONS, STRENGTH, directed_labels
from recsys.models.examination import Examination
from recsys.models.fold_in import Evidence
from recsys.schema.columns import Columns as C
from recsys.schema.ids import Rows
from recsys.schema.population import Population

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Looks:
    """One row a directed pair with evidence, sorted by viewer, then candidate; `(n_looks,)` each.

    viewers, candidates: int32 rows of the people.
    labels:   1 wanted to know the candidate, 0 not.
    chances:  (0, 1] that the viewer really looked: 1 when they answered.
    weights:  (0, 1] strength of the evidence, halved with age.
    answered: said yes or no in so many words, or showed it later.
    asked:    answered somebody who had said yes to them before, as in an inbox.
    """

    viewers: Rows
    candidates: Rows
    labels: Floats
    chances: Floats
    weights: Floats
    answered: Mask
    asked: Mask

    def __len__(self) -> int:
        return len(self.viewers)

    @classmethod
    def from_events(cls, people: Population, events: Events) -> "Looks":
        """Return the looks among `people`.

        Pairs with a block, a report or another safety event are in no row, in either direction. An
        exposure without an answer was looked at with the chance of its place (see `Examination`),
        given that no answer came.
        """
        known = events.without_erased()
        table = directed_labels(known, settings=LabelSettings(unanswered=True))
        seen = pd.Index(known.coded.people)
        viewer, candidate = (seen.get_indexer(pd.Index(table[c])) for c in (C.VIEWER, C.CANDIDATE))
        answered = (table[STRENGTH] != GRADES["impression"].strength).to_numpy(bool)
        labels = table[LABEL].to_numpy(np.float64)
        impressions = table[N_IMPRESSIONS].to_numpy(np.int64)
        key = viewer.astype(np.int64) * max(len(seen), 1) + candidate
        chances = _chances(known, key, answered)
        asked = answered & _asked(known, key) if (impressions > 0).any() else np.zeros(len(key), bool)
        rows = people.ids.find(known.coded.people) if len(seen) else np.empty(0, np.int32)
        i, j = rows[viewer], rows[candidate]
        kept = (i >= 0) & (j >= 0) & (chances > 0)
        return cls(
            viewers=i[kept],
            candidates=j[kept],
            labels=labels[kept],
            chances=chances[kept],
            weights=table[C.WEIGHT].to_numpy(np.float64)[kept],
            answered=answered[kept],
            asked=asked[kept],
        )

    def take(self, chosen: npt.ArrayLike) -> "Looks":
        """Return the chosen rows (positions or a mask)."""
        at = np.asarray(chosen)
        return Looks(**{field.name: getattr(self, field.name)[at] for field in fields(self)})

    def sampled(self, most: int, rng: np.random.Generator) -> "Looks":
        """Return at most `most` rows, drawn evenly, in the same order."""
        if len(self) <= most:
            return self
        return self.take(np.sort(rng.choice(len(self), most, replace=False)))

    def grouped(self, n_people: int) -> tuple[Evidence, Evidence]:
        """Return the rows grouped by viewer and by candidate; found once."""
        known: dict[int, tuple[Evidence, Evidence]] = self.__dict__.setdefault("_grouped", {})
        if n_people not in known:
            known[n_people] = (
                Evidence.of(n_people, self.viewers, self.candidates),
                Evidence.of(n_people, self.candidates, self.viewers),
            )
        return known[n_people]

    def evidence(self, n_people: int) -> tuple[Floats, Floats]:
        """Return how many looks each person gave and received, chances added up, `(n_people,)` each."""
        given = np.bincount(self.viewers, self.chances, n_people)
        received = np.bincount(self.candidates, self.chances, n_people)
        return given.astype(np.float64), received.astype(np.float64)

    def pair_folds(self, n_folds: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        """Return a random fold of each row; both directions of a pair share one."""
        low = np.minimum(self.viewers, self.candidates).astype(np.int64)
        high = np.maximum(self.viewers, self.candidates).astype(np.int64)
        _, pair = np.unique(low * (int(high.max(initial=0)) + 1) + high, return_inverse=True)
        return rng.integers(0, n_folds, int(pair.max(initial=-1)) + 1)[pair]


def _chances(events: Events, key: npt.NDArray[np.int64], answered: Mask) -> Floats:
    """Return P(looked at least once | what they said) of each pair in `key` (ascending)."""
    coded = events.coded
    shown = np.flatnonzero(coded.are("impression") & (coded.target >= 0))
    chances = np.ones(len(key))
    if not len(shown) or not len(key):
        return chances
    own = coded.actor[shown] * len(coded.people) + coded.target[shown]
    at = np.searchsorted(key, own).clip(0, len(key) - 1)
    found = key[at] == own
    at = at[found]
    places = pd.to_numeric(events.frame[C.POSITION]).to_numpy(np.float64)[shown[found]]
    examination = Examination.fit(places, answered[at])
    missed = np.bincount(at, np.log1p(-examination.chances(places)), len(key))
    looked = -np.expm1(missed)
    on_list = np.bincount(at, minlength=len(key)) > 0
    says = min(float((answered & on_list).sum()) / max(float(looked[on_list].sum()), 1.0), 0.95)
    silent = looked * (1.0 - says) / (1.0 - looked * says)
    return np.where(answered, 1.0, silent)


def _asked(events: Events, key: npt.NDArray[np.int64]) -> Mask:
    """Say of which pairs in `key` (ascending) the candidate had liked the viewer before they decided."""
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
