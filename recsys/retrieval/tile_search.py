"""The search of one tile of viewers, its scan of the unmasked pairs, and many tiles by several workers.

The scan multiplies the unmasked pairs of a tile and keeps those that could be among the k best. Workers
are one thread, several threads or processes.
"""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import numpy as np

from recsys.constraints.masks import (
    RuleWords,
    take_people,
    tile_summaries,
    unmasked_columns,
    widest_reach,
)
from recsys.constraints.sparse_masks import CsrRows, mask_pairs, shown_columns
from recsys.constraints.tile_masks import MANY_ROWS, mask_tile
from recsys.kernels import kernel
from recsys.retrieval.compaction import append_reaching, unmasked
from recsys.retrieval.index import TileIndex
from recsys.retrieval.memory_limit import BlockShape
from recsys.retrieval.quantization import multiply, prefetch_row
from recsys.retrieval.score_bounds import FactorStore, ViewerFactors, viewers_from_store
from recsys.retrieval.shortlist import (
    COLUMNS_AT_ONCE,
    SPARE,
    SearchTarget,
    Shortlists,
    TopK,
    empty_shortlists,
    empty_top_k,
    shortlist_capacity,
)
from recsys.retrieval.threshold_pruning import prune_row, rescore
from recsys.storage.dataclass_codec import load_dataclass, save_dataclass
from recsys.types import BoolArray, Int32Array, UInt32Array

_FIRST: Final = np.zeros(1, np.int64)
_FIRST_CELL: Final = np.zeros(1, np.int32)


class SearchRequest(NamedTuple):
    """What one call asks for, and links nobody is shown along."""

    wanted: SearchTarget
    excluded: CsrRows


class Workspace:
    """The arrays one worker writes to, made once: fresh memory costs as much as using it."""

    def __init__(self, shape: BlockShape, index: TileIndex, k: int) -> None:
        n_people = len(index.people.row)
        self.columns = min(shape.columns, max(n_people, 1))
        self.mask = np.empty(shape.rows * self.columns, bool)
        self._lists = empty_shortlists(shape.rows, shortlist_capacity(k, n_people))

    def shortlists(self, n_rows: int) -> Shortlists:
        """Return empty short lists for that many rows."""
        lists = self._lists
        for counts in (lists.length, lists.n_scored, lists.n_exact):
            counts[:] = 0
        for asked in (lists.least, lists.total):
            asked[:] = -np.inf
        return Shortlists._make(part[:n_rows] for part in lists)


def search_tile(index: TileIndex, rows: Int32Array, search: SearchRequest, work: Workspace) -> TopK:
    """Return the k best of each position in `rows`, which should lie in one tile."""

    def close(mask: BoolArray, columns: Int32Array) -> None:
        mask_pairs(mask, rows, columns, index.sparse, search.excluded)

    def shown(columns: Int32Array) -> list[Int32Array]:
        return shown_columns(index.sparse, rows, columns) if len(rows) >= MANY_ROWS else [columns]

    viewers, words = viewers_from_store(index.people, rows), take_people(index.words, rows)
    return search_viewers(index, viewers, words, index.reach, close, search.wanted, work, shown)


def search_viewers(  # noqa: PLR0917
    index: TileIndex,
    viewers: ViewerFactors,
    words: RuleWords,
    reach: UInt32Array,
    close: Callable[[BoolArray, Int32Array], None],
    wanted: SearchTarget,
    work: Workspace,
    shown: Callable[[Int32Array], list[Int32Array]] | None = None,
) -> TopK:
    """Return the k best for viewers with those words.

    reach: from each viewer's cell (`words.cell`) to the cells of the index. close: shuts in a mask of all
    viewers and some columns what sparse rules forbid. shown: which columns they leave to any viewer, in parts
    that are searched one after another; all of them when None.
    """
    people, n_viewers = index.people, len(viewers.place)
    lists = work.shortlists(n_viewers)
    left, at = unmasked_by_summary(index, words, reach), np.arange(n_viewers, dtype=np.int32)
    for part in [left] if shown is None else shown(left):
        for start in range(0, len(part), work.columns):
            columns = part[start : start + work.columns]
            mask = _shaped(work.mask, n_viewers, len(columns))
            mask_tile(words, at, reach, index.words, columns, mask)
            close(mask, columns)
            scan_tile(lists, viewers, columns, mask, people, wanted)
    best = empty_top_k(n_viewers, wanted.k)
    rescore(lists, best, viewers, people, wanted)
    return best


def _shaped(scratch: Any, n_rows: int, n_columns: int) -> Any:
    """Return the first part of a flat array as rows and columns."""
    return scratch[: n_rows * n_columns].reshape(n_rows, n_columns)


def unmasked_by_summary(index: TileIndex, words: RuleWords, reach: UInt32Array) -> Int32Array:
    """Return the positions of people open to the summary of `words`, ascending."""
    # The summary's cell is number 0: all it needs of the reach table is one most generous row.
    if len(words.cell) == 1:  # somebody alone is their own summary
        summary, generous = words._replace(cell=_FIRST_CELL), reach[words.cell[0]]
    else:
        summary, generous = tile_summaries(words, _FIRST), widest_reach(reach, words.cell)
    return unmasked_columns(
        summary,
        generous[None],
        index.tiles,
        index.tile_cells,
        index.tile_cell_starts,
        index.words,
        index.starts,
    )


TileResults = Iterator[tuple[Int32Array, TopK]]

_AHEAD = 4
"""Tiles in work or finished and not yet taken, for each worker: so that results do not pile up."""


def search_in_this_thread(
    index: TileIndex, tiles: Sequence[Int32Array], search: SearchRequest, shape: BlockShape
) -> TileResults:
    """Yield each tile's rows and lists, in order."""
    work = Workspace(shape, index, search.wanted.k)
    for rows in tiles:
        yield rows, search_tile(index, rows, search, work)


def search_in_threads(
    index: TileIndex, tiles: Sequence[Int32Array], search: SearchRequest, shape: BlockShape, workers: int
) -> TileResults:
    """Yield the same from several threads; kernels run without the interpreter's lock."""
    spaces: SimpleQueue[Workspace] = SimpleQueue()
    for _ in range(workers):
        spaces.put(Workspace(shape, index, search.wanted.k))

    def one(rows: Int32Array) -> TopK:
        work = spaces.get()
        try:
            return search_tile(index, rows, search, work)
        finally:
            spaces.put(work)

    with ThreadPoolExecutor(workers) as pool:
        yield from _in_order(pool, one, tiles, workers)


def search_in_processes(
    index: TileIndex, tiles: Sequence[Int32Array], search: SearchRequest, shape: BlockShape, workers: int
) -> TileResults:
    """Yield the same from spawned processes, which share the index through memory-mapped files."""
    spawn = multiprocessing.get_context("spawn")
    with TemporaryDirectory(prefix="retrieval-") as folder:
        save_dataclass(folder, index)
        given = (folder, search, shape)
        with ProcessPoolExecutor(workers, mp_context=spawn, initializer=_start, initargs=given) as pool:
            yield from _in_order(pool, _tile_of_this_process, tiles, workers)


def _in_order(pool: Executor, one: Any, tiles: Sequence[Int32Array], workers: int) -> TileResults:
    """Yield results in the order of `tiles`, keeping a few tiles a worker under way."""
    under_way = [pool.submit(one, rows) for rows in tiles[: _AHEAD * workers]]
    for at, rows in enumerate(tiles):
        best = under_way[at].result()
        under_way[at] = None  # type: ignore[call-overload]
        if len(under_way) < len(tiles):
            under_way.append(pool.submit(one, tiles[len(under_way)]))
        yield rows, best


class _Process:
    """What a spawned process holds: set once, when it starts."""

    index: TileIndex
    search: SearchRequest
    work: Workspace


def _start(folder: str, search: SearchRequest, shape: BlockShape) -> None:
    _Process.index = load_dataclass(TileIndex, folder, mmap="c", verify=False)
    _Process.search = search
    _Process.work = Workspace(shape, _Process.index, search.wanted.k)


def _tile_of_this_process(rows: Int32Array) -> TopK:
    return search_tile(_Process.index, rows, _Process.search, _Process.work)


# Kernels called for each row are handed whole arrays and a row: a tuple of arrays, or a part of one, costs a
# count of references each time, and there are more blocks and rows than anything else.


@kernel
def scan_tile(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    lists: Shortlists,
    viewers: ViewerFactors,
    columns: Int32Array,
    mask: BoolArray,
    people: FactorStore,
    wanted: SearchTarget,
):
    """Add the pairs that `mask` `(n_viewers, n_columns)` leaves to the short lists of their rows.

    Only those that could be among the k best of their row are kept. Goes by blocks of columns, whose factors
    stay in the cache for all rows, and asks for those of the next block meanwhile. Returns how many pairs
    had to be scored exactly on the way.
    """
    n_exact = 0
    noted_x, noted_y, noted_position, length = lists.x, lists.y, lists.position, lists.length
    least, total, room = lists.least, lists.total, lists.x.shape[1]
    ours, theirs, their_place = viewers.quantized, people.quantized, people.place
    place, near, unit = viewers.place, viewers.near, viewers.unit
    distance_decay = near.size > 1 or (near.size == 1 and near[0, 0] != 0.0)
    open_ = np.empty(COLUMNS_AT_ONCE + SPARE, np.int32)
    x, y = np.empty(len(open_), np.float32), np.empty(len(open_), np.float32)
    for start in range(0, len(columns), COLUMNS_AT_ONCE):
        stop = min(start + COLUMNS_AT_ONCE, len(columns))
        following, ahead = stop, min(stop + COLUMNS_AT_ONCE, len(columns))
        for r in range(len(place)):
            for _ in range(-(-COLUMNS_AT_ONCE // len(place))):
                if following < ahead:
                    prefetch_row(theirs, columns[following])
                    following += 1
            n = unmasked(columns, start, stop, mask, r, open_)
            multiply(ours, r, theirs, open_, n, unit, x, y)
            if distance_decay:
                for c in range(n):
                    close = near[place[r], their_place[open_[c]]]
                    x[c] += close
                    y[c] += close
            if length[r] + n + SPARE > room:
                n_exact += prune_row(lists, viewers, r, people, wanted)
            length[r] = append_reaching(
                n, open_, x, y, least[r], total[r], r, length[r], noted_x, noted_y, noted_position
            )
    return n_exact
