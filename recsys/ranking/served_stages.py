"""How far pairs had come when the night was made: the few pairs with a history, by row."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.constraints.csr import Lists
from recsys.constraints.policy import Policy
from recsys.history.events import CodedEvents, Events
from recsys.history.pair_stages import STAGE, USER_A, USER_B, PairStages, pair_stages
from recsys.schema.catalogue.stages import CLOSED, UNLISTED
from recsys.schema.ids import IdIndex
from recsys.schema.population import Population

Arrays = dict[str, npt.NDArray[Any]]

LISTED: Final = "listed"
"""The stage of two people who are listed and have no history."""


def stages_of(events: Events | CodedEvents, people: Population, policy: Policy) -> PairStages:
    """Return how far the pairs of these people had come at their time, from the events up to then."""
    out = (people.held, ~policy.compile(people).listed)
    held, unlisted = (people.ids.ids(mask.nonzero()[0]) for mask in out)
    return pair_stages(events, people.as_of, held=held.tolist(), unlisted=unlisted.tolist())


def may_be_listed(stages: PairStages, ids: IdIndex) -> npt.NDArray[np.bool_]:
    """Say who may be listed by what they did: accepted the terms and proved their age, `(n_people,)`."""
    at = stages.people.get_indexer(pd.Index(ids.values))
    may = np.zeros(len(ids), bool)
    may[at >= 0] = (stages.listed & ~stages.closed)[at[at >= 0]]
    return may


def stage_arrays(stages: PairStages | None, ids: IdIndex) -> Arrays:
    """Return the pairs beyond `listed` as rows, both ways: `others` and `codes` by `indptr`."""
    if stages is None:
        none = Lists.of(np.zeros(0, np.int64), np.zeros(0, np.int64), len(ids))
        return {"indptr": none.indptr, "others": none.indices, "codes": np.zeros(0, np.int8)}
    frame = stages.frame()
    frame = frame[frame[STAGE] != LISTED]
    a, b = ids.find(frame[USER_A]), ids.find(frame[USER_B])
    code = frame[STAGE].map({name: code for code, name in enumerate(stages.names)}).to_numpy(np.int8)
    known = (a >= 0) & (b >= 0)
    row, other = np.r_[a[known], b[known]], np.r_[b[known], a[known]]
    order = np.lexsort((other, row))
    lists = Lists.of(row, other, len(ids))
    return {"indptr": lists.indptr, "others": lists.indices, "codes": np.r_[code[known], code[known]][order]}


class ServedStages:
    """Stages of pairs of rows; `names` in the order of the codes."""

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]], names: Sequence[str]) -> None:
        self._lists = Lists(arrays["indptr"], arrays["others"])
        self._codes = arrays["codes"]
        self._names = tuple(names)

    def of(self, viewer: int, candidates: Sequence[int]) -> list[str]:
        """Return the stage of the viewer with each candidate; both have to be listed people."""
        start = int(self._lists.indptr[viewer])
        others = self._lists.row(viewer)
        if not len(others):
            return [LISTED] * len(candidates)
        found = []
        for candidate in candidates:
            at = int(np.searchsorted(others, candidate))
            met = at < len(others) and others[at] == candidate
            found.append(self._names[self._codes[start + at]] if met else LISTED)
        return found


def shows_nothing(stage: str) -> bool:
    """Say whether people at a stage are not shown to each other at all."""
    return stage in (UNLISTED, CLOSED)
