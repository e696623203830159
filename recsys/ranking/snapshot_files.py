"""Ids and rows of a publication, found in a mapped file without reading all of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.loading import load_catalogue
from recsys.catalogue.stages import CLOSED, UNLISTED
from recsys.constraints.policy import Policy
from recsys.data.csr import SparseRows
from recsys.data.events import CodedEvents, Events
from recsys.data.ids import IdIndex
from recsys.data.pair_stages import STAGE, USER_A, USER_B, PairStages, pair_stages
from recsys.data.population import Population
from recsys.errors import InputError, explained
from recsys.messaging.reasons import Reasons
from recsys.models.directed import Directed
from recsys.ranking.recommend import likes_given
from recsys.retrieval.index import Layout, lay_out
from recsys.retrieval.top_k import TILE
from recsys.storage.arrays import save_arrays
from recsys.storage.dataclass_codec import dataclass_to_arrays
from recsys.types import BytesArray


def packed_ids(ids: Iterable[str]) -> BytesArray:
    """Return ascending ids as one array of bytes of equal width.

    Raises InputError for an id that is not ASCII: contracts let none through.
    """
    values = list(ids)
    if not all(value.isascii() and "\0" not in value for value in values):
        raise InputError(explained("ids must be plain ASCII", remedy="use letters, digits, _ and -"))
    return np.array([value.encode() for value in values], dtype=np.bytes_)


class ServedIds:
    """Ids of a publication; the row of an id is its place.

    >>> ids = ServedIds(packed_ids(["u1", "u2"]))
    >>> ids.find(["u2", "u9", "?", "a-much-longer-id"]), ids.at([1])
    ([1, -1, -1, -1], ['u2'])
    """

    def __init__(self, packed: BytesArray) -> None:
        self._packed = packed
        self._longest = packed.dtype.itemsize

    def __len__(self) -> int:
        return len(self._packed)

    def find(self, ids: Iterable[Any]) -> list[int]:
        """Return the row of each id, -1 for anything that is no id here."""
        return [self._row(user_id) for user_id in ids]

    def at(self, rows: Iterable[int]) -> list[str]:
        """Return the ids at `rows`."""
        return [self._packed[row].decode() for row in rows]

    def _row(self, user_id: object) -> int:
        if not isinstance(user_id, str) or not user_id.isascii() or not 0 < len(user_id) <= self._longest:
            return -1
        wanted = np.array(user_id.encode(), dtype=self._packed.dtype)
        at = int(self._packed.searchsorted(wanted))
        same = at < len(self._packed) and self._packed[at].decode() == user_id
        return at if same else -1


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
        none = SparseRows.of(np.zeros(0, np.int64), np.zeros(0, np.int64), len(ids))
        return {"indptr": none.indptr, "others": none.indices, "codes": np.zeros(0, np.int8)}
    frame = stages.frame()
    frame = frame[frame[STAGE] != LISTED]
    a, b = ids.find(frame[USER_A]), ids.find(frame[USER_B])
    code = frame[STAGE].map({name: code for code, name in enumerate(stages.names)}).to_numpy(np.int8)
    known = (a >= 0) & (b >= 0)
    row, other = np.r_[a[known], b[known]], np.r_[b[known], a[known]]
    order = np.lexsort((other, row))
    lists = SparseRows.of(row, other, len(ids))
    return {"indptr": lists.indptr, "others": lists.indices, "codes": np.r_[code[known], code[known]][order]}


class ServedStages:
    """Stages of pairs of rows; `names` in the order of the codes."""

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]], names: Sequence[str]) -> None:
        self._lists = SparseRows(arrays["indptr"], arrays["others"])
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


SERVING_SCHEMA: Final = 2
"""Rises when the meaning of a file changes; a ranker loads its own number alone."""


def write_serving(
    folder: Path,
    lists: pd.DataFrame,
    people: Population,
    policy: Policy,
    directed: Directed,
    *,
    stages: PairStages | None = None,
    combiner: str = "product",
    prices: npt.NDArray[np.float32] | None = None,
) -> None:
    """Write everything a `Ranker` reads to `folder`, as plain arrays.

    lists:    viewer_id, candidate_id, rank; a `propensity` column is kept, 1 without.
    directed: the two matrices of `people`, with which the lists were made.
    stages:   how far pairs have come, see `stages_of`. Who has not accepted the terms or proved their
              age by an event is then served to nobody. None: nobody has a history.
    prices:   `(n_people,)`, what the attention of each person costs; none when None.

    Raises InputError when a list names somebody unknown or the matrices are of other people.
    """
    if directed.ids != people.ids:
        raise InputError(explained("the matrices are of other people", remedy="apply the model to these"))
    compiled = policy.compile(people)
    if stages is not None:
        compiled = replace(compiled, listed=compiled.listed & may_be_listed(stages, people.ids))
    write_served(
        folder,
        ids=people.ids,
        lists=list_arrays(lists, people.ids),
        likes=likes_given(people),
        layout=lay_out(directed, compiled, TILE),
        reasons=Reasons(people),
        stages=stage_arrays(stages, people.ids),
        prices=np.zeros(len(people)) if prices is None else prices,
        meta={"policy": policy.version, "combiner": combiner, "data_as_of": people.as_of.isoformat()},
    )


def write_served(
    folder: Path,
    *,
    ids: IdIndex,
    lists: Arrays,
    likes: SparseRows,
    layout: Layout,
    reasons: Reasons,
    stages: Arrays,
    prices: npt.ArrayLike,
    meta: Mapping[str, str],
) -> None:
    """Write the parts of a publication that are there already; see `write_serving`.

    likes: whom each person has liked already. meta: policy (its version), combiner and data_as_of.
    """
    arrays: Arrays = {
        "ids": packed_ids(ids.values),
        "prices": _in_tile_order(prices, layout),
        **named("lists", lists),
        **named("likes", {"indptr": likes.indptr, "indices": likes.indices}),
        **dataclass_to_arrays(layout, "layout").arrays,
        **named("reasons", reasons.arrays()),
        **named("stages", stages),
    }
    own = {
        "serving": SERVING_SCHEMA,
        "reason_codes": reasons.codes_by_kind(),
        "stage_names": list(load_catalogue().stages.names),
    }
    save_arrays(folder, arrays, own | dict(meta))


def _in_tile_order(prices: npt.ArrayLike, layout: Layout) -> npt.NDArray[np.float64]:
    """Return the prices of listed people as a search reads them; none when nobody's attention costs."""
    listed = np.asarray(prices, np.float64)[layout.order]
    return listed if listed.any() else np.zeros(0)


def list_arrays(lists: pd.DataFrame, ids: IdIndex) -> Arrays:
    """Return lists as row numbers: viewer r has `candidates[indptr[r]:indptr[r + 1]]`, best first.

    `propensity` is aligned with `candidates`, or empty when it is 1 throughout.
    """
    ordered = lists.sort_values([C.VIEWER, C.RANK], kind="stable")
    viewers, candidates = ids.rows(ordered[C.VIEWER]), ids.rows(ordered[C.CANDIDATE])
    indptr = np.zeros(len(ids) + 1, np.int64)
    np.cumsum(np.bincount(viewers, minlength=len(ids)), out=indptr[1:])
    propensity = np.ones(0, np.float32)
    if C.PROPENSITY in ordered and not ordered[C.PROPENSITY].fillna(1.0).eq(1.0).all():
        propensity = ordered[C.PROPENSITY].fillna(1.0).to_numpy(np.float32)
    return {"indptr": indptr, "candidates": candidates, "propensity": propensity}


def named(section: str, arrays: Mapping[str, npt.NDArray[Any]]) -> Arrays:
    """Return the arrays under names that begin with their section."""
    return {f"{section}.{name}": array for name, array in arrays.items()}


def section(name: str, arrays: Mapping[str, npt.NDArray[Any]]) -> Arrays:
    """Return the arrays of one section by their own names.

    >>> section("a", {"a.b": np.zeros(1), "c.b": np.ones(1)})
    {'b': array([0.])}
    """
    return {key.partition(".")[2]: array for key, array in arrays.items() if key.partition(".")[0] == name}
