"""How far every pair has come, as of a time: all pairs at once, for the night."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.history.events import CodedEvents, Events
from recsys.history.pair_facts import Between, Mask, alone, pair_facts, tiers
from recsys.schema.catalogue import load_catalogue
from recsys.schema.catalogue.stages import CLOSED, UNLISTED
from recsys.schema.columns import Columns as C
from recsys.schema.population import as_utc
from recsys.schema.vocabulary import ENUMERATIONS

USER_A, USER_B, STAGE = "user_a", "user_b", "stage"

Codes = npt.NDArray[np.int8]
_AGE = ENUMERATIONS[C.VERIFICATION].code("age")


@dataclass(frozen=True, eq=False)
class PairStages:
    """The stages of all pairs of some people; build it with `pair_stages`.

    people: ids, ascending. closed, listed: `(n_people,)` bool, whose every pair is closed, and who may be
    listed. pair: `(n_pairs,)` int64 `low * n_people + high` of the pairs with a history, ascending; stage:
    `(n_pairs,)` int8, positions in `names`.
    """

    people: pd.Index
    closed: Mask
    listed: Mask
    pair: npt.NDArray[np.int64]
    stage: Codes

    @property
    def names(self) -> tuple[str, ...]:
        """The stages in order."""
        return load_catalogue().stages.names

    def codes(self, a: npt.ArrayLike, b: npt.ArrayLike) -> Codes:
        """Return the stage of each aligned pair of ids as positions in `names`, `(n_pairs,)` int8.

        People without events have accepted nothing and proved nothing: their pairs are `unlisted`.
        """
        i, j = (self.people.get_indexer(pd.Index(np.asarray(ids, dtype=object))) for ids in (a, b))
        known, width = (i >= 0) & (j >= 0), max(len(self.people), 1)
        closed = self._of(self.closed, i) | self._of(self.closed, j)
        listed = self._of(self.listed, i) & self._of(self.listed, j)
        found = np.where(listed, self.names.index("listed"), self.names.index(UNLISTED)).astype(np.int8)
        key = np.where(known, np.minimum(i, j) * width + np.maximum(i, j), -1)
        at = np.searchsorted(self.pair, key)
        met = np.zeros(len(key), bool)
        inside = at < len(self.pair)
        met[inside] = self.pair[at[inside]] == key[inside]
        found[met] = self.stage[at[met]]
        found[closed] = self.names.index(CLOSED)
        return found

    def of(self, a: npt.ArrayLike, b: npt.ArrayLike) -> npt.NDArray[np.object_]:
        """Return the stage of each aligned pair of ids by name."""
        return np.array(self.names, dtype=object)[self.codes(a, b)]

    def frame(self) -> pd.DataFrame:
        """Return the pairs with a history: user_a, user_b, stage; nobody whose every pair is closed."""
        width = max(len(self.people), 1)
        a, b = self.pair // width, self.pair % width
        shown = ~(self.closed[a] | self.closed[b])
        names = np.array(self.names, dtype=object)[self.stage[shown]]
        return pd.DataFrame(
            {USER_A: self.people.to_numpy()[a[shown]], USER_B: self.people.to_numpy()[b[shown]], STAGE: names}
        )

    @staticmethod
    def _of(mask: Mask, rows: npt.NDArray[np.intp]) -> Mask:
        found = np.zeros(len(rows), bool)
        found[rows >= 0] = mask[rows[rows >= 0]]
        return found


def pair_stages(
    events: Events | CodedEvents,
    as_of: str | pd.Timestamp | None = None,
    *,
    held: Collection[str] = (),
    unlisted: Collection[str] = (),
) -> PairStages:
    """Return the stages of all pairs at `as_of` (None: after the last event).

    The same as `pair_stage` for every pair; time and memory grow with the events, not with the pairs.

    >>> like = pd.DataFrame({"actor": ["a", "b"], "target": ["b", "a"], "type": "like"})
    >>> pair_stages(Events.of(like)).of(["a", "a"], ["b", "c"]).tolist()
    ['unlisted', 'unlisted']
    """
    stages = load_catalogue().stages
    known = events.until(None if as_of is None else as_utc(as_of))
    coded = known.coded if isinstance(known, Events) else known
    between = Between.of(coded)
    facts = pair_facts(between, stages)
    stage = np.zeros(len(between.pair), np.int8)
    reached = np.ones(len(between.pair), bool)
    for code, step in enumerate(stages.forward):
        reached = reached & np.logical_and.reduce(
            [np.ones(len(stage), bool), *(facts[n] for n in step.needs)]
        )
        stage[reached] = code
    ended = np.logical_and.reduce([facts[need] for need in stages.stages[CLOSED].needs])
    stage[ended] = stages.code(CLOSED)
    return _gated(between, stage, held, unlisted)


def _gated(between: Between, stage: Codes, held: Collection[str], unlisted: Collection[str]) -> PairStages:
    """Return the stages with what is known of each person alone."""
    coded, stages = between.coded, load_catalogue().stages
    people = pd.Index(sorted({*coded.people.tolist(), *held}), dtype=object)
    row = people.get_indexer(pd.Index(coded.people))
    closed, listed = np.zeros(len(people), bool), np.zeros(len(people), bool)
    closed[row] = alone(coded, coded.are("erase"))
    closed |= people.isin(list(held))
    listed[row] = alone(coded, coded.are("terms_accepted")) & (tiers(coded) >= _AGE)
    listed &= ~people.isin(list(unlisted))
    a, b = row[between.people[:, 0]], row[between.people[:, 1]]
    apart = ~(listed[a] & listed[b]) & (stage != stages.code(CLOSED))
    final = np.where(apart, stages.code(UNLISTED), stage).astype(np.int8)
    return PairStages(people, closed, listed, (a * max(len(people), 1) + b).astype(np.int64), final)
