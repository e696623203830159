"""People laid out once for many searches, and the search itself, tile by tile."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse
from threadpoolctl import ThreadpoolController

from recsys.constraints.compiled import Compiled
from recsys.constraints.pairs import checked_rows
from recsys.errors import InputError, SettingsError, did_you_mean, explained
from recsys.models.directed import Directed
from recsys.retrieval.best import COMBINER_NUMBERS, Best, keep_best, nobody_yet
from recsys.retrieval.gathered import Gathered
from recsys.retrieval.lists import MutualLists
from recsys.retrieval.mask import columns_left, mask_of
from recsys.retrieval.order import tile_order
from recsys.retrieval.people import people_of
from recsys.retrieval.sparse import Links, close_pairs, links, sparse_of
from recsys.retrieval.words import Positions, least_reach, summaries, taken, words_of

TILE = 128
MASK_COLUMNS = 4096
PRODUCT_COLUMNS = 1024


@lru_cache(maxsize=1)
def _blas() -> Any:
    """Look the BLAS libraries of this process up once: it costs milliseconds."""
    return ThreadpoolController()


class _Search(NamedTuple):
    """What one call asks for."""

    k: int
    how: int
    excluded: Links


class Retriever:
    """Everybody in tile order, ready to be searched any number of times.

    Holds a copy of both factor matrices (`2 * n_listed * n_factors * 4` bytes) and of the compiled
    words; a search adds a few megabytes a worker. Nothing given is written to, and searches may
    run in several threads at once.

    directed: the model's two matrices; compiled: the masks, of the same people.
    tile: people in a tile. It changes how long a search takes, never what it finds.

    Raises InputError when the two are of different people or a factor is not a finite number.
    """

    def __init__(self, directed: Directed, compiled: Compiled, *, tile: int = TILE) -> None:
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
        self._n_people = compiled.n_people
        self._tile = tile
        self._order, self._starts = tile_order(compiled, tile)
        self._position = np.full(compiled.n_people, -1, np.int32)
        self._position[self._order] = np.arange(len(self._order), dtype=np.int32)
        self._people = people_of(directed, self._order)
        self._words = words_of(compiled, self._order)
        self._sparse = sparse_of(compiled, self._order)
        self._reach = np.array(compiled.cell_reach, np.uint8, order="C")
        self._prepare_tiles()

    def _prepare_tiles(self) -> None:
        """Summarise each tile, and note the distinct cells in it."""
        first = self._starts[:-1]
        self._tiles = summaries(self._words, first) if len(first) else self._words
        tile_of = np.repeat(np.arange(len(first)), np.diff(self._starts))
        cells = np.unique(np.column_stack([tile_of, self._words.cell]), axis=0)
        self._tile_cells = cells[:, 1]
        self._tile_cell_starts = np.searchsorted(cells[:, 0], np.arange(len(first)))

    def top_k(
        self,
        viewers: npt.ArrayLike | None = None,
        *,
        k: int,
        combiner: str = "product",
        exclude: npt.ArrayLike | None = None,
        workers: int = 1,
        progress: Callable[[int], object] | None = None,
    ) -> MutualLists:
        """Return the `k` best candidates who may be shown to each viewer, exactly.

        viewers:  rows, each once; None means everybody listed. Nobody unlisted sees or is seen.
        exclude:  `(n_pairs, 2)` rows, viewer then candidate, left out of this call alone.
        workers:  threads; each uses one BLAS thread.
        progress: called with the number of viewers done, as tiles are finished.

        Raises SettingsError for an impossible setting, InputError for rows that are not people.
        """
        search = self._checked(k, combiner, exclude, workers)
        asked = self._viewers(viewers)
        positions = self._position[asked]
        tiles = self._row_tiles(np.sort(positions[positions >= 0]))
        found = Gathered(len(self._order))
        with _blas().limit(limits=1, user_api="blas"):
            for rows, best in self._each_tile(tiles, search, workers):
                found.add(rows, best)
                if progress is not None:
                    progress(len(rows))
        return found.for_viewers(asked, positions, self._order)

    def _checked(self, k: int, combiner: str, exclude: npt.ArrayLike | None, workers: int) -> _Search:
        for name, value in (("k", k), ("workers", workers)):
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
                raise SettingsError(explained("must be a whole number from 1", where=name, got=value))
        if combiner not in COMBINER_NUMBERS:
            remedy = did_you_mean(combiner, COMBINER_NUMBERS)
            raise SettingsError(explained("unknown combiner", got=combiner, remedy=remedy))
        longest = max(1, len(self._order) - 1)
        return _Search(min(int(k), longest), COMBINER_NUMBERS[combiner], self._excluded(exclude))

    def _excluded(self, exclude: npt.ArrayLike | None) -> Links:
        n = len(self._order)
        pairs = np.empty((0, 2), np.int32) if exclude is None else np.asarray(exclude)
        if pairs.size and (pairs.ndim != 2 or pairs.shape[1] != 2):
            remedy = "give one row of viewer and candidate a pair"
            raise InputError(
                explained("not pairs", where="exclude", got=f"shape {pairs.shape}", remedy=remedy)
            )
        both = self._position[checked_rows(pairs.ravel(), self._n_people)].reshape(-1, 2)
        both = both[(both >= 0).all(axis=1)]
        ones = np.ones(len(both), np.int32)
        return links(sparse.coo_array((ones, (both[:, 0], both[:, 1])), shape=(n, n)).tocsr())

    def _viewers(self, viewers: npt.ArrayLike | None) -> Positions:
        if viewers is None:
            return np.sort(self._order)
        rows = checked_rows(viewers, self._n_people)
        if len(np.unique(rows)) != len(rows):
            raise InputError(explained("a viewer stands twice", where="viewers", remedy="ask for each once"))
        return rows

    def _row_tiles(self, positions: Positions) -> list[Positions]:
        """Return ascending positions cut where tiles begin, so that a summary stays sharp."""
        cuts = np.searchsorted(positions, self._starts[1:-1])
        return [part for part in np.split(positions, cuts) if len(part)]

    def _each_tile(
        self, tiles: list[Positions], search: _Search, workers: int
    ) -> Iterable[tuple[Positions, Best]]:
        if workers == 1:
            yield from ((rows, self._tile_best(rows, search)) for rows in tiles)
            return
        with ThreadPoolExecutor(workers) as pool:
            yield from zip(tiles, pool.map(lambda rows: self._tile_best(rows, search), tiles), strict=True)

    def _tile_best(self, rows: Positions, search: _Search) -> Best:
        """Return the k best of each row of one tile."""
        best = nobody_yet(len(rows), search.k)
        left = self._columns_left(rows)
        taste, appeal = self._people.taste[rows], self._people.appeal[rows]
        words = taken(self._words, rows)
        for start in range(0, len(left), MASK_COLUMNS):
            columns = left[start : start + MASK_COLUMNS]
            mask = mask_of(words, self._reach, taken(self._words, columns))
            close_pairs(mask, rows, columns, self._sparse, search.excluded)
            some = np.flatnonzero(mask.any(axis=0))
            for first in range(0, len(some), PRODUCT_COLUMNS):
                part = some[first : first + PRODUCT_COLUMNS]
                at = columns[part]
                likes = taste @ self._people.appeal[at].T
                liked = appeal @ self._people.taste[at].T
                open_pairs = np.take(mask, part, axis=1)
                keep_best(best, rows, at, open_pairs, likes, liked, self._people, search.how)
        return best

    def _columns_left(self, rows: Positions) -> Positions:
        """Return the positions of people open to the summary of `rows`, ascending."""
        words = taken(self._words, rows)
        summary = summaries(words, np.zeros(1, np.int64))
        cells = np.unique(words.cell)
        reach = least_reach(self._reach[cells].T, np.zeros(1, np.int64))[:, 0]
        tile_reach = least_reach(reach[self._tile_cells], self._tile_cell_starts)
        # The summary's cell is number 0 and the tiles' cells are their own numbers.
        return columns_left(summary, reach, tile_reach, self._tiles, self._words, self._starts)
