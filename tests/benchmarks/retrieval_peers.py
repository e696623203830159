"""Other ways to the same lists, each answering a sample of viewers in one thread.

Who may be shown is worked out beforehand for every peer but pandas and numpy, which filter themselves.
Pandas and numpy score both directions; libraries rank one inner product, and their recall is against
the exact order of that one.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from recsys.constraints.compiled import Compiled
from recsys.models.directed import Directed, sigmoid

Rows = npt.NDArray[np.integer]
GRAPH_LINKS, GRAPH_BUILD, GRAPH_SEARCH = 16, 80, 400


@dataclass(frozen=True)
class Answer:
    """Lists by viewer, and processor seconds: to prepare once, and to answer all viewers."""

    lists: Sequence[Rows]
    prepare: float
    answer: float


@dataclass(frozen=True)
class Question:
    """The sampled viewers, and who may be shown to each, `(n_viewers, n_people)` bool."""

    directed: Directed
    compiled: Compiled
    viewers: Rows
    shown: npt.NDArray[np.bool_]
    k: int


def with_pandas(q: Question) -> Answer:
    """Filter a table, multiply, sort: what one would write for one person."""
    start = time.process_time()
    frame = pd.DataFrame({name: getattr(q.compiled, name) for name in ("cell", "max_km", "in_person")})
    for name in ("traits", "refuses", "overlaps"):
        for at, word in enumerate(getattr(q.compiled, name).T):
            frame[f"{name}{at}"] = word
    prepared = time.process_time()
    lists = []
    for viewer in q.viewers:
        me = frame.loc[viewer]
        open_ = frame.index != viewer
        for at in range(q.compiled.traits.shape[1]):
            open_ &= (frame[f"traits{at}"] & me[f"refuses{at}"]) == 0
            open_ &= (frame[f"refuses{at}"] & me[f"traits{at}"]) == 0
        for first, last in _groups(q.compiled):
            common = sum((frame[f"overlaps{at}"] & me[f"overlaps{at}"]) != 0 for at in range(first, last))
            open_ &= common > 0
        reach = q.compiled.cell_reach[me["cell"]][frame["cell"]] & 0xFFFF
        limit = np.minimum(frame["max_km"], me["max_km"])
        open_ &= ~(me["in_person"] & frame["in_person"] & (reach > limit))
        open_ &= q.shown[np.searchsorted(q.viewers, viewer)]  # blocks and likes, given
        rows = frame.index[open_].to_numpy()
        lists.append(_best_both_ways(q, int(viewer), rows, _sorted))
    return Answer(lists, prepared - start, time.process_time() - prepared)


def with_numpy(q: Question) -> Answer:
    """Mask arrays, a contiguous one a word, gather, multiply, select."""
    start = time.process_time()
    c, lists = q.compiled, []
    traits, refuses, overlaps = (np.ascontiguousarray(x.T) for x in (c.traits, c.refuses, c.overlaps))
    prepared = time.process_time()
    for at, viewer in enumerate(q.viewers):
        out = np.zeros(c.n_people, bool)
        for mine, theirs in ((refuses, traits), (traits, refuses)):
            for word, other in zip(mine, theirs, strict=True):
                out |= (other & word[viewer]) != 0
        for first, last in _groups(c):
            common = overlaps[first] & overlaps[first, viewer]
            for word in overlaps[first + 1 : last]:
                common |= word & word[viewer]
            out |= common == 0
        reach = c.cell_reach[c.cell[viewer]][c.cell] & 0xFFFF
        out |= c.in_person[viewer] & c.in_person & (reach > np.minimum(c.max_km, c.max_km[viewer]))
        rows = np.flatnonzero(~out & q.shown[at])  # blocks and likes, given
        lists.append(_best_both_ways(q, int(viewer), rows, _selected))
    return Answer(lists, prepared - start, time.process_time() - prepared)


def with_numpy_blocks(q: Question) -> Answer:
    """Multiply for 256 viewers at once, mask, select; the mask is given."""
    start = time.process_time()
    lists = []
    for first in range(0, len(q.viewers), 256):
        viewers = q.viewers[first : first + 256]
        x = q.directed.taste[viewers] @ q.directed.appeal.T
        y = q.directed.appeal[viewers] @ q.directed.taste.T
        with np.errstate(over="ignore"):
            score = 1.0 / ((1.0 + np.exp(-x)) * (1.0 + np.exp(-y)))
        score[~q.shown[first : first + 256]] = -1.0
        for row in score:
            best = _selected(row, q.k)
            lists.append(best[row[best] >= 0])
    return Answer(lists, 0.0, time.process_time() - start)


def with_implicit(q: Question) -> Answer:
    """`implicit`'s top-k with a filter for each query; it hands filtered ids back to starved queries."""
    topk = import_module("implicit.cpu.topk").topk
    hidden = [sparse.csr_matrix(~q.shown[first : first + 50]) for first in range(0, len(q.viewers), 50)]
    start = time.process_time()
    lists = []
    for at, filtered in enumerate(hidden):
        queries = np.ascontiguousarray(q.directed.taste[q.viewers[50 * at : 50 * at + 50]])
        ids, scores = topk(q.directed.appeal, queries, q.k, filter_query_items=filtered, num_threads=1)
        lists += [row[score > -3e38] for row, score in zip(ids, scores, strict=True)]
    return Answer(lists, 0.0, time.process_time() - start)


def with_faiss_flat(q: Question) -> Answer:
    """Every inner product, skipping what a bitmap hides."""
    faiss = _faiss()
    start = time.process_time()
    index = faiss.IndexFlatIP(q.directed.n_factors)
    index.add(q.directed.appeal)
    return _faiss_answer(q, index, lambda sel: faiss.SearchParameters(sel=sel), start)


def with_faiss_hnsw(q: Question) -> Answer:
    """A graph index that skips what a bitmap hides."""
    faiss = _faiss()
    start = time.process_time()
    index = faiss.IndexHNSWFlat(q.directed.n_factors, GRAPH_LINKS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = GRAPH_BUILD
    index.add(q.directed.appeal)
    make = faiss.SearchParametersHNSW
    return _faiss_answer(q, index, lambda sel: make(sel=sel, efSearch=GRAPH_SEARCH), start)


def with_hnswlib(q: Question) -> Answer:
    """A graph index with a filter function."""
    hnswlib = import_module("hnswlib")
    start = time.process_time()
    index = hnswlib.Index(space="ip", dim=q.directed.n_factors)
    index.init_index(len(q.directed), ef_construction=GRAPH_BUILD, M=GRAPH_LINKS, random_seed=1)
    index.add_items(q.directed.appeal, num_threads=1)
    index.set_ef(GRAPH_SEARCH)
    prepared = time.process_time()
    lists: list[Rows] = []
    for at, viewer in enumerate(q.viewers):
        may = q.shown[at]
        try:
            found, _ = index.knn_query(
                q.directed.taste[viewer], q.k, num_threads=1, filter=lambda row, may=may: may[row]
            )
            lists.append(found[0].astype(np.int64))
        except RuntimeError:  # fewer than k were found
            lists.append(np.empty(0, np.int64))
    return Answer(lists, prepared - start, time.process_time() - prepared)


BOTH_WAYS: dict[str, Callable[[Question], Answer]] = {
    "pandas": with_pandas,
    "numpy": with_numpy,
    "numpy blocks": with_numpy_blocks,
}
ONE_WAY: dict[str, Callable[[Question], Answer]] = {
    "implicit": with_implicit,
    "faiss flat": with_faiss_flat,
}
GRAPHS: dict[str, Callable[[Question], Answer]] = {"faiss hnsw": with_faiss_hnsw, "hnswlib": with_hnswlib}


def one_way(q: Question) -> Iterator[Rows]:
    """Yield the exact lists by one inner product."""
    for at, viewer in enumerate(q.viewers):
        rows = np.flatnonzero(q.shown[at])
        yield rows[_selected(q.directed.appeal[rows] @ q.directed.taste[viewer], q.k)]


def recall(found: Sequence[Rows], right: Sequence[Rows]) -> float:
    """Return the share of the right people that were found."""
    hits = sum(len(np.intersect1d(a, b)) for a, b in zip(found, right, strict=True))
    return hits / max(1, sum(map(len, right)))


def _groups(compiled: Compiled) -> list[tuple[int, int]]:
    starts = compiled.overlap_starts.tolist()
    return list(pairwise(starts))


def _best_both_ways(q: Question, viewer: int, rows: Rows, choose: Callable[..., Any]) -> Rows:
    x = q.directed.appeal[rows] @ q.directed.taste[viewer]
    y = q.directed.taste[rows] @ q.directed.appeal[viewer]
    return rows[choose(sigmoid(x.astype(np.float64)) * sigmoid(y.astype(np.float64)), q.k)]


def _sorted(score: Any, k: int) -> Any:
    return pd.Series(score).sort_values(ascending=False, kind="stable").index[:k].to_numpy()


def _selected(score: Any, k: int) -> Any:
    best = np.argpartition(-score, k)[:k] if len(score) > k else np.arange(len(score))
    return best[np.argsort(-score[best], kind="stable")]


def _faiss() -> Any:
    faiss = import_module("faiss")
    faiss.omp_set_num_threads(1)
    return faiss


def _faiss_answer(q: Question, index: Any, parameters: Callable[[Any], Any], start: float) -> Answer:
    faiss = _faiss()
    bitmaps = [np.packbits(row, bitorder="little") for row in q.shown]
    prepared = time.process_time()
    lists = []
    for viewer, bitmap in zip(q.viewers, bitmaps, strict=True):
        selector = faiss.IDSelectorBitmap(bitmap)
        _, ids = index.search(q.directed.taste[viewer : viewer + 1], q.k, params=parameters(selector))
        lists.append(ids[0][ids[0] >= 0])
    return Answer(lists, prepared - start, time.process_time() - prepared)
