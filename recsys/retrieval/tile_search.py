"""The k best of the rows of one tile: masks, products, short lists."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np

from recsys.constraints.masks import (
    RuleWords,
    mask_columns,
    take_people,
    tile_summaries,
    unmasked_columns,
    widest_reach,
)
from recsys.constraints.sparse_masks import CsrRows, mask_pairs
from recsys.retrieval.bounds import Viewers, viewers_at
from recsys.retrieval.index import Layout
from recsys.retrieval.prune import settle
from recsys.retrieval.scan import keep_best
from recsys.retrieval.shortlist import Best, Chunks, Shortlists, Wanted, empty_best, nobody_yet, room_for
from recsys.types import BoolArray, Int32Array, UInt8Array

_FIRST: Final = np.zeros(1, np.int64)


class Search(NamedTuple):
    """What one call asks for, and links nobody is shown along."""

    wanted: Wanted
    excluded: CsrRows


class Workspace:
    """The arrays one worker writes to, made once: fresh memory costs as much as using it."""

    def __init__(self, chunks: Chunks, layout: Layout, k: int) -> None:
        n_people = len(layout.people.row)
        self.columns = min(chunks.columns, max(n_people, 1))
        self.mask = np.empty(chunks.rows * self.columns, bool)
        self._lists = nobody_yet(chunks.rows, room_for(k, n_people))

    def shortlists(self, n_rows: int) -> Shortlists:
        """Return empty short lists for that many rows."""
        lists = self._lists
        for counts in (lists.length, lists.n_scored, lists.n_exact):
            counts[:] = 0
        for asked in (lists.least, lists.total):
            asked[:] = -np.inf
        return Shortlists._make(part[:n_rows] for part in lists)


def tile_best(layout: Layout, rows: Int32Array, search: Search, work: Workspace) -> Best:
    """Return the k best of each position in `rows`, which should lie in one tile."""

    def close(mask: BoolArray, columns: Int32Array) -> None:
        mask_pairs(mask, rows, columns, layout.sparse, search.excluded)

    viewers, words = viewers_at(layout.people, rows), take_people(layout.words, rows)
    return best_of(layout, viewers, words, layout.reach, close, search.wanted, work)


def best_of(  # noqa: PLR0917
    layout: Layout,
    viewers: Viewers,
    words: RuleWords,
    reach: UInt8Array,
    close: Callable[[BoolArray, Int32Array], None],
    wanted: Wanted,
    work: Workspace,
) -> Best:
    """Return the k best for viewers with those words.

    reach: from each viewer's cell (`words.cell`) to the cells of the layout. close: shuts in a mask of all
    viewers and some columns what sparse rules forbid.
    """
    people, n_viewers = layout.people, len(viewers.place)
    lists = work.shortlists(n_viewers)
    left, at = open_to_any(layout, words, reach), np.arange(n_viewers, dtype=np.int32)
    for start in range(0, len(left), work.columns):
        columns = left[start : start + work.columns]
        mask = _shaped(work.mask, n_viewers, len(columns))
        mask_columns(words, at, reach, layout.words, columns, mask)
        close(mask, columns)
        keep_best(lists, viewers, columns, mask, people, wanted)
    best = empty_best(n_viewers, wanted.k)
    settle(lists, best, viewers, people, wanted)
    return best


def _shaped(scratch: Any, n_rows: int, n_columns: int) -> Any:
    """Return the first part of a flat array as rows and columns."""
    return scratch[: n_rows * n_columns].reshape(n_rows, n_columns)


def open_to_any(layout: Layout, words: RuleWords, reach: UInt8Array) -> Int32Array:
    """Return the positions of people open to the summary of `words`, ascending."""
    # The summary's cell is number 0: all it needs of the reach table is one most generous row.
    summary, generous = tile_summaries(words, _FIRST), widest_reach(reach, words.cell)
    return unmasked_columns(
        summary,
        generous[None],
        layout.tiles,
        layout.tile_cells,
        layout.tile_cell_starts,
        layout.words,
        layout.starts,
    )
