"""Exact mutual top-k: the retriever, which builds its index once and searches it tile by tile."""

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy import sparse

from recsys.arguments import checked_arguments
from recsys.constraints.base import checked_rows
from recsys.constraints.compiled import Compiled
from recsys.constraints.masks import BLOCK
from recsys.constraints.sparse_masks import CsrRows, csr_rows
from recsys.data.ids import IdIndex
from recsys.errors import InputError, SettingsError, did_you_mean, explained
from recsys.models.directed import Directed
from recsys.retrieval.index import TileIndex, build_index
from recsys.retrieval.memory_limit import BlockShape, block_shape_within, index_bytes, refuse_memory
from recsys.retrieval.results import MutualLists, ResultBuffer
from recsys.retrieval.score_bounds import COMBINER_NUMBERS
from recsys.retrieval.shortlist import NO_PRICE, SearchTarget
from recsys.retrieval.tile_order import TileOrder
from recsys.retrieval.tile_search import (
    SearchRequest,
    TileResults,
    search_in_processes,
    search_in_this_thread,
    search_in_threads,
)
from recsys.storage.dataclass_codec import load_dataclass, save_dataclass
from recsys.types import Int32Array

TILE = 256


class Retriever:
    """Everybody in tile order, ready to be searched any number of times.

    Holds a copy of both factor matrices (twelve bytes a factor and listed person) and of the compiled
    words; a search adds a few megabytes a worker. Nothing given is written to, and searches may
    run in several threads at once.

    directed:  the model's two matrices; compiled: the masks, of the same people.
    tile:      people in a tile. It changes how long a search takes, never what it finds.
    memory_mb: the most that the copy, the lists found and all workers of one search may take
               together, beside what is given. None: as much as goes fastest.
    order:     the tile order of `compiled` for tiles of that size, where it is known already.

    Raises InputError when the two are of different people or a factor is not a finite number,
    SettingsError when the copy alone takes more than `memory_mb`.
    """

    def __init__(
        self,
        directed: Directed,
        compiled: Compiled,
        *,
        tile: int = TILE,
        memory_mb: float | None = None,
        order: TileOrder | None = None,
    ) -> None:
        if len(directed) != compiled.n_people:
            raise InputError(
                explained(
                    "the model and the policy are of different people",
                    got=f"{len(directed)} and {compiled.n_people} people",
                    remedy="compile the policy for the population the model was applied to",
                )
            )
        if tile < 1:
            raise SettingsError(explained("a tile holds at least one person", where="tile", got=tile))
        n_bytes = index_bytes(directed, compiled)
        if memory_mb is not None and n_bytes > memory_mb * 2**20:
            refuse_memory(n_bytes, memory_mb)
        self._take(build_index(directed, compiled, tile, order), tile, n_bytes, memory_mb)

    @classmethod
    def opened(cls, folder: Path) -> Self:
        """Return what `save` wrote; processes that open one folder share its memory."""
        retriever = cls.__new__(cls)
        index = load_dataclass(TileIndex, folder, mmap="c", verify=False)
        retriever._take(index, tile=int(np.diff(index.starts).max(initial=1)), n_bytes=0, memory_mb=None)
        return retriever

    def save(self, folder: Path) -> None:
        """Write everybody to files in `folder`, for processes to search side by side."""
        shutil.rmtree(folder, ignore_errors=True)
        save_dataclass(folder, self._index)

    def _take(self, index: TileIndex, tile: int, n_bytes: int, memory_mb: float | None) -> None:
        self._n_people = len(index.position)
        self._tile, self._bytes, self._memory_mb = tile, n_bytes, memory_mb
        self._index, self._order, self._position = index, index.order, index.position
        self._nobody = self._excluded(np.empty((0, 2), np.int32))

    def top_k(
        self,
        viewers: npt.ArrayLike | None = None,
        *,
        k: int,
        combiner: str = "product",
        exclude: npt.ArrayLike | None = None,
        price: npt.ArrayLike | None = None,
        workers: int = 1,
        processes: bool = False,
        progress: Callable[[int], object] | None = None,
    ) -> MutualLists:
        """Return the `k` best candidates who may be shown to each viewer, exactly.

        viewers:   rows, each once; None means everybody listed. Nobody unlisted sees or is seen.
        exclude:   `(n_pairs, 2)` rows, viewer then candidate, left out of this call alone.
        price:     `(n_people,)`, what a like to each person costs, from 0. Lists are then ordered by
                   `p_mutual - p_like * price` (for the product, `p_like * (p_liked_back - price)`), which
                   is the price of a budget on the likes a person receives. Nobody is left out for it, and
                   `p_mutual` is given without it.
        workers:   threads, whose kernels run side by side. With `processes`, spawned processes that share
                   the copy through memory-mapped files in the temporary folder; a script that asks
                   for them needs the usual `if __name__ == "__main__":`.
        progress:  called with the number of viewers done, as tiles are finished.

        Raises SettingsError for an impossible setting or when the memory allowed cannot be kept,
        InputError for rows that are not people and prices that are not finite numbers from 0.
        """
        search = self._checked(k, combiner, exclude, price, workers)
        asked = self._viewers(viewers)
        positions = self._position[asked]
        listed = np.sort(positions[positions >= 0])
        shape = block_shape_within(
            self._memory_mb,
            taken=self._bytes,
            n_viewers=len(listed),
            n_people=len(self._order),
            n_factors=self._index.people.taste.shape[1],
            k=search.wanted.k,
            workers=workers,
            tile=min(self._tile, max(len(listed), 1)),
        )
        found = ResultBuffer()
        tiles = self._row_tiles(listed, shape.rows)
        for rows, best in self._each_tile(tiles, search, shape, workers, processes=processes):
            found.add(best)
            if progress is not None:
                progress(len(rows))
        return found.for_viewers(asked, positions, self._order)

    def _checked(
        self,
        k: int,
        combiner: str,
        exclude: npt.ArrayLike | None,
        price: npt.ArrayLike | None,
        workers: int,
    ) -> SearchRequest:
        for name, value in (("k", k), ("workers", workers)):
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
                raise SettingsError(explained("must be a whole number from 1", where=name, got=value))
        if combiner not in COMBINER_NUMBERS:
            remedy = did_you_mean(combiner, COMBINER_NUMBERS)
            raise SettingsError(explained("unknown combiner", got=combiner, remedy=remedy))
        longest = max(1, len(self._order) - 1)
        prices = NO_PRICE if price is None else self._prices(price)
        highest_price = float(prices.max(initial=0.0))
        wanted = SearchTarget(COMBINER_NUMBERS[combiner], min(int(k), longest), prices, highest_price)
        return SearchRequest(wanted, self._excluded(exclude))

    def _prices(self, price: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return prices in tile order."""
        prices = np.asarray(price, np.float64)
        if prices.shape != (self._n_people,):
            remedy = f"give one a person, {self._n_people} in all"
            raise InputError(
                explained("not a price a person", where="price", got=f"shape {prices.shape}", remedy=remedy)
            )
        wrong = np.flatnonzero(~(np.isfinite(prices) & (prices >= 0.0)))
        if len(wrong):
            got = f"{prices[wrong[0]]} of row {wrong[0]}, {len(wrong)} rows in all"
            raise InputError(explained("prices are finite numbers from 0", where="price", got=got))
        return prices[self._order]

    def _excluded(self, exclude: npt.ArrayLike | None) -> CsrRows:
        if exclude is None:
            return self._nobody
        pairs = np.asarray(exclude)
        if pairs.size and (pairs.ndim != 2 or pairs.shape[1] != 2):
            remedy = "give one row of viewer and candidate a pair"
            raise InputError(
                explained("not pairs", where="exclude", got=f"shape {pairs.shape}", remedy=remedy)
            )
        both = self._position[checked_rows(pairs.ravel(), self._n_people)].reshape(-1, 2)
        both = both[(both >= 0).all(axis=1)]
        n, ones = len(self._order), np.ones(len(both), np.int32)
        return csr_rows(sparse.coo_array((ones, (both[:, 0], both[:, 1])), shape=(n, n)).tocsr())

    def _viewers(self, viewers: npt.ArrayLike | None) -> Int32Array:
        if viewers is None:
            return np.sort(self._order)
        rows = checked_rows(viewers, self._n_people)
        if len(np.unique(rows)) != len(rows):
            raise InputError(explained("a viewer stands twice", where="viewers", remedy="ask for each once"))
        return rows

    def _row_tiles(self, positions: Int32Array, most: int) -> list[Int32Array]:
        """Return ascending positions cut where tiles begin, so that a summary stays sharp."""
        tile = np.searchsorted(self._index.starts, positions, side="right")
        parts = np.split(positions, np.flatnonzero(np.diff(tile)) + 1) if len(positions) else []
        return [part[start : start + most] for part in parts for start in range(0, len(part), most)]

    def _each_tile(
        self,
        tiles: list[Int32Array],
        search: SearchRequest,
        shape: BlockShape,
        workers: int,
        *,
        processes: bool,
    ) -> TileResults:
        if processes and tiles:
            return search_in_processes(self._index, tiles, search, shape, workers)
        if workers == 1:
            return search_in_this_thread(self._index, tiles, search, shape)
        return search_in_threads(self._index, tiles, search, shape, workers)


@checked_arguments
def mutual_top_k(
    directed: Directed,
    compiled: Compiled,
    *,
    viewers: npt.ArrayLike | None = None,
    k: int,
    combiner: str = "product",
    exclude: npt.ArrayLike | None = None,
    price: npt.ArrayLike | None = None,
    workers: int = 1,
    processes: bool = False,
    tile: int = TILE,
    memory_mb: float | None = None,
    progress: Callable[[int], object] | None = None,
) -> MutualLists:
    """Return, for each viewer row, the `k` people with the highest mutual score who may be shown.

    Exact: equal to scoring every pair, dropping those `compiled.may_show` forbids, and sorting by
    score (less the `price` of a like, where given) from high to low, then by row. Equal inputs give
    equal bytes, whatever `tile`, `workers`, `processes` and `memory_mb` are. See `Retriever` for the
    arguments; make one when searching more than once.

    Raises InputError and SettingsError as `Retriever` does.
    """
    retriever = Retriever(directed, compiled, tile=tile, memory_mb=memory_mb)
    return retriever.top_k(
        viewers,
        k=k,
        combiner=combiner,
        exclude=exclude,
        price=price,
        workers=workers,
        processes=processes,
        progress=progress,
    )


def warm_up() -> float:
    """Compile every kernel, or read it from the cache, and return how many seconds that took.

    Without it the first search compiles. Compiled kernels are kept on disk beside the source, or in
    the folder that the environment variable NUMBA_CACHE_DIR names, for the next process; each
    processor type and version of the source has its own.

    >>> warm_up() > 0
    True
    """
    start = perf_counter()
    ones, ids = np.ones((BLOCK, 1)), IdIndex([str(row) for row in range(BLOCK)])
    retriever = Retriever(Directed.of(ids, taste=ones, appeal=ones), _open_people(BLOCK))
    retriever.top_k(k=1)
    retriever.top_k([0], k=1)  # masks of a single row are another kernel's
    return perf_counter() - start


@cache
def warm_up_once() -> None:
    """Warm up where this process has not: kernels that it has loaded stay loaded, in forked ones too."""
    warm_up()


def _open_people(n: int) -> Compiled:
    """Return masks under which all of n people may meet, with an entry of every kind."""
    nobody, zeros = np.zeros(n + 1, np.int64), np.zeros(n, np.int32)
    words, none = np.zeros((n, 1), np.uint64), np.zeros(0, np.int32)
    return Compiled(
        n_people=n,
        listed=np.ones(n, bool),
        traits=np.ones((n, 1), np.uint64),
        refuses=words,
        overlaps=words + np.uint64(1),
        overlap_starts=np.array([0, 1], np.int32),
        cell=zeros,
        cell_numbers=np.zeros(1, np.uint64),
        cell_reach=np.full((1, 1), 0xFFFF, np.uint32),
        max_km=zeros.astype(np.uint16),
        min_km=zeros.astype(np.uint16),
        in_person=zeros.astype(bool),
        separated_indptr=nobody,
        separated_indices=none,
        own_indptr=nobody,
        own_indices=none,
        avoid_indptr=nobody,
        avoid_indices=none,
        liked_only=zeros.astype(bool),
        suggestible=zeros.astype(bool),
        liked_indptr=nobody,
        liked_indices=none,
    )
