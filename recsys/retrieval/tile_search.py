"""The k best of the rows of one tile: masks, products, short lists."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np

from recsys.retrieval.best import (
    Best,
    Shortlists,
    Wanted,
    empty_best,
    keep_best,
    keep_best_of_few,
    nobody_yet,
    room_for,
    settle,
)
from recsys.retrieval.chunks import Chunks
from recsys.retrieval.layout import Layout
from recsys.retrieval.mask import Mask, columns_left, mask_of
from recsys.retrieval.scores import Factors, Viewers, viewers_at
from recsys.retrieval.sparse import Links, close_pairs
from recsys.retrieval.words import Positions, Reach, Words, most_generous, summaries, taken

_MANY: Final = 0.35
"""Share of open pairs from which multiplying all of a block costs less than multiplying those alone."""

_WORTH_DROPPING: Final = 0.9
"""A product over nine tenths of the columns costs less than picking them out."""

_UNCHECKED: Final = "clip"
"""For `np.take`: positions are always valid, and checking them takes as long as taking them."""

_FIRST: Final = np.zeros(1, np.int64)


class Search(NamedTuple):
    """What one call asks for, and links nobody is shown along."""

    wanted: Wanted
    excluded: Links


class Workspace:
    """The arrays one worker writes to, made once: fresh memory costs as much as using it."""

    def __init__(self, chunks: Chunks, layout: Layout, k: int) -> None:
        n_people, n_factors = layout.people.taste.shape
        rows, columns = chunks.rows, min(chunks.columns, max(n_people, 1))
        self.columns = columns
        self.mask, self.mask_left = np.empty((2, rows * columns), bool)
        self.likes, self.liked = np.empty((2, rows * columns), np.float32)
        self.taste, self.appeal = np.empty((2, columns, n_factors), np.float32)
        self._lists = nobody_yet(rows, room_for(k, n_people))

    def shortlists(self, n_rows: int) -> Shortlists:
        """Return empty short lists for that many rows."""
        lists = self._lists
        for counts in (lists.length, lists.n_scored, lists.n_exact):
            counts[:] = 0
        for asked in (lists.least, lists.total):
            asked[:] = -np.inf
        return Shortlists._make(part[:n_rows] for part in lists)


def tile_best(layout: Layout, rows: Positions, search: Search, work: Workspace) -> Best:
    """Return the k best of each position in `rows`, which should lie in one tile."""

    def close(mask: Mask, columns: Positions) -> None:
        close_pairs(mask, rows, columns, layout.sparse, search.excluded)

    viewers, words = viewers_at(layout.people, rows), taken(layout.words, rows)
    return best_of(layout, viewers, words, layout.reach, close, search.wanted, work)


def best_of(  # noqa: PLR0917
    layout: Layout,
    viewers: Viewers,
    words: Words,
    reach: Reach,
    close: Callable[[Mask, Positions], None],
    wanted: Wanted,
    work: Workspace,
) -> Best:
    """Return the k best for viewers with those words.

    reach: from each viewer's cell (`words.cell`) to the cells of the layout. close: shuts in a mask of all
    viewers and some columns what sparse rules forbid.
    """
    people, n_viewers = layout.people, len(viewers.place)
    lists = work.shortlists(n_viewers)
    left = open_to_any(layout, words, reach)
    for start in range(0, len(left), work.columns):
        columns = left[start : start + work.columns]
        mask = _shaped(work.mask, n_viewers, len(columns))
        n_open = mask_of(words, reach, layout.words, columns, mask)
        close(mask, columns)
        if n_open < _MANY * mask.size:
            keep_best_of_few(lists, viewers, columns, mask, people, wanted)
            continue
        some = np.flatnonzero(mask.any(axis=0))
        if len(some) < _WORTH_DROPPING * len(columns):
            columns = columns[some]
            fewer = _shaped(work.mask_left, n_viewers, len(columns))
            mask = np.take(mask, some, axis=1, out=fewer, mode=_UNCHECKED)
        likes, liked = _products(layout, viewers, columns, work)
        keep_best(lists, viewers, columns, mask, likes, liked, people, wanted)
    best = empty_best(n_viewers, wanted.k)
    settle(lists, best, viewers, people, wanted)
    return best


def _side_by_side(rows: Positions) -> Positions | slice:
    """Return rows without gaps as a slice, which copies nothing."""
    if len(rows) and rows[-1] - rows[0] == len(rows) - 1:
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows


def _shaped(scratch: Any, n_rows: int, n_columns: int) -> Any:
    """Return the first part of a flat array as rows and columns."""
    return scratch[: n_rows * n_columns].reshape(n_rows, n_columns)


def _products(layout: Layout, viewers: Viewers, at: Positions, work: Workspace) -> tuple[Factors, Factors]:
    """Return the float32 logits of viewers for columns and back, `(n_viewers, n_columns)` each."""
    people, n_viewers = layout.people, len(viewers.place)
    if isinstance(part := _side_by_side(at), slice):
        theirs, wanted = people.appeal[part], people.taste[part]
    else:
        theirs = np.take(people.appeal, at, axis=0, out=work.appeal[: len(at)], mode=_UNCHECKED)
        wanted = np.take(people.taste, at, axis=0, out=work.taste[: len(at)], mode=_UNCHECKED)
    likes = np.matmul(viewers.taste, theirs.T, out=_shaped(work.likes, n_viewers, len(at)))
    liked = np.matmul(viewers.appeal, wanted.T, out=_shaped(work.liked, n_viewers, len(at)))
    return likes, liked


def open_to_any(layout: Layout, words: Words, reach: Reach) -> Positions:
    """Return the positions of people open to the summary of `words`, ascending."""
    # The summary's cell is number 0: all it needs of the reach table is one most generous row.
    summary, generous = summaries(words, _FIRST), most_generous(reach, words.cell)
    return columns_left(
        summary,
        generous,
        layout.tiles,
        layout.tile_cells,
        layout.tile_cell_starts,
        layout.words,
        layout.starts,
    )
