"""The k best of the rows of one tile: masks, products, short lists."""

from typing import Any, Final, NamedTuple

import numpy as np

from recsys.retrieval.best import Best, Shortlists, empty_best, keep_best, nobody_yet, room_for, settle
from recsys.retrieval.chunks import Chunks
from recsys.retrieval.layout import Layout
from recsys.retrieval.mask import columns_left, mask_of
from recsys.retrieval.scores import Factors
from recsys.retrieval.sparse import Links, close_pairs
from recsys.retrieval.words import Positions, least_reach, summaries, taken

_WORTH_DROPPING = 0.9
"""A product over nine tenths of the columns costs less than picking them out."""

_UNCHECKED: Final = "clip"
"""For `np.take`: positions are always valid, and checking them takes as long as taking them."""


class Search(NamedTuple):
    """What one call asks for: lists of `k`, a combiner's number, and links nobody is shown along."""

    k: int
    how: int
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
    """Return the `search.k` best of each position in `rows`, which should lie in one tile."""
    lists = work.shortlists(len(rows))
    left = open_to_any(layout, rows)
    words = taken(layout.words, rows)
    taste, appeal = layout.people.taste[rows], layout.people.appeal[rows]
    for start in range(0, len(left), work.columns):
        columns = left[start : start + work.columns]
        mask = _shaped(work.mask, len(rows), len(columns))
        mask_of(words, layout.reach, taken(layout.words, columns), mask)
        close_pairs(mask, rows, columns, layout.sparse, search.excluded)
        some = np.flatnonzero(mask.any(axis=0))
        if len(some) < _WORTH_DROPPING * len(columns):
            columns = columns[some]
            fewer = _shaped(work.mask_left, len(rows), len(columns))
            mask = np.take(mask, some, axis=1, out=fewer, mode=_UNCHECKED)
        if len(columns):
            likes, liked = _products(layout, taste, appeal, columns, work)
            keep_best(lists, rows, columns, mask, likes, liked, layout.people, search.how, search.k)
    best = empty_best(len(rows), search.k)
    settle(lists, best, rows, layout.people, search.how)
    return best


def _shaped(scratch: Any, n_rows: int, n_columns: int) -> Any:
    """Return the first part of a flat array as rows and columns."""
    return scratch[: n_rows * n_columns].reshape(n_rows, n_columns)


def _products(
    layout: Layout, taste: Factors, appeal: Factors, at: Positions, work: Workspace
) -> tuple[Factors, Factors]:
    """Return the float32 logits of rows for columns and back, `(n_rows, n_columns)` each."""
    people = layout.people
    if at[-1] - at[0] == len(at) - 1:  # side by side already
        theirs, wanted = people.appeal[at[0] : at[-1] + 1], people.taste[at[0] : at[-1] + 1]
    else:
        theirs = np.take(people.appeal, at, axis=0, out=work.appeal[: len(at)], mode=_UNCHECKED)
        wanted = np.take(people.taste, at, axis=0, out=work.taste[: len(at)], mode=_UNCHECKED)
    likes = np.matmul(taste, theirs.T, out=_shaped(work.likes, len(taste), len(at)))
    liked = np.matmul(appeal, wanted.T, out=_shaped(work.liked, len(taste), len(at)))
    return likes, liked


def open_to_any(layout: Layout, rows: Positions) -> Positions:
    """Return the positions of people open to the summary of `rows`, ascending."""
    words = taken(layout.words, rows)
    summary = summaries(words, np.zeros(1, np.int64))
    cells = np.unique(words.cell)
    reach = least_reach(layout.reach[cells].T, np.zeros(1, np.int64))[:, 0]
    tile_reach = least_reach(reach[layout.tile_cells], layout.tile_cell_starts)
    # The summary's cell is number 0 and the tiles' cells are their own numbers.
    return columns_left(summary, reach, tile_reach, layout.tiles, layout.words, layout.starts)
