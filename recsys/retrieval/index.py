"""What scoring reads of people, checked and laid out in tile order."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.constraints.bit_packing import Packing
from recsys.constraints.compiled import Compiled
from recsys.constraints.masks import RuleWords, tile_summaries
from recsys.constraints.sparse_masks import PairRules
from recsys.errors import InputError, explained
from recsys.models.directed import Directed
from recsys.models.distance_decay import DistanceDecay
from recsys.retrieval.quantization import aligned_zeros, largest_of, margin_of, quantized, step_of
from recsys.retrieval.reproducible_math import LANES
from recsys.retrieval.score_bounds import FactorStore
from recsys.retrieval.tile_order import TileOrder, tile_order
from recsys.types import Float32Array, Int32Array, UInt64Array

_LARGEST_LOGIT = 1e30
_PLACES_AT_ONCE = 256
_ROWS_NAMED = 5


def build_factor_store(directed: Directed, rows: Int32Array) -> FactorStore:
    """Return the people at `rows`, in that order, with factors padded to a multiple of LANES.

    Raises InputError naming the rows whose factors are not finite, or too large to multiply.
    """
    taste, appeal = _padded(directed.taste, "taste", rows), _padded(directed.appeal, "appeal", rows)
    place, near = _near(directed.distance_decay, directed.cell[rows])
    largest = largest_of(taste, appeal, near)
    refuse_too_large(largest[0] * largest[1] + largest[2], "the model")
    steps = np.array([step_of(taste), step_of(appeal)])
    return FactorStore(
        row=rows,
        taste=taste,
        appeal=appeal,
        quantized=quantized(taste, appeal, steps),
        steps=steps,
        place=place,
        near=near,
        margin=margin_of(taste, appeal, steps, largest, steps),
        largest=largest,
    )


def refuse_too_large(largest_logit: float, where: str) -> None:
    """Raise InputError when logits may be so large that float32 could not hold them."""
    if largest_logit > _LARGEST_LOGIT:
        remedy = "scale the factors: logits beyond a few hundred mean certainty"
        raise InputError(explained("factors too large to multiply", where=where, remedy=remedy))


def padded(n_factors: int) -> int:
    """Return how many factors are held for that many given.

    >>> padded(0), padded(16), padded(17)
    (16, 16, 32)
    """
    return max(LANES, -(-n_factors // LANES) * LANES)


def _padded(matrix: npt.NDArray[np.float32], name: str, rows: Int32Array) -> Float32Array:
    n_factors = matrix.shape[1]
    wide = aligned_zeros((len(rows), padded(n_factors)), np.float32)
    with np.errstate(over="ignore"):
        wide[:, :n_factors] = matrix[rows]
    broken = rows[~np.isfinite(wide).all(axis=1)]
    if len(broken):
        named = ", ".join(str(row) for row in np.sort(broken)[:_ROWS_NAMED])
        where = f"{name}, {len(broken)} rows, the first {named}"
        raise InputError(explained("factors must be finite numbers", where=where, remedy="refit the model"))
    return wide


def _near(distance_decay: DistanceDecay | None, cells: UInt64Array) -> tuple[Int32Array, Float32Array]:
    """Return each person's place and the logit between every two places, `(n_places, n_places)`."""
    if distance_decay is None:
        return np.zeros(len(cells), np.int32), np.zeros((1, 1), np.float32)
    distinct, place = np.unique(cells, return_inverse=True)
    near = np.empty((len(distinct), len(distinct)), np.float32)
    for start in range(0, len(distinct), _PLACES_AT_ONCE):
        part = slice(start, start + _PLACES_AT_ONCE)
        near[part] = distance_decay.matrix(distinct[part], distinct)
    return place.astype(np.int32), near


class TileIndex(NamedTuple):
    """Listed people, numbered by their place in tile order ("position").

    order:  `(n_listed,)` int32, the row of each position; position: `(n_people,)` int32, -1 unlisted.
    starts: `(n_tiles + 1,)` int64, where tiles begin.
    people, words, sparse: what scoring, masks and sparse rules read; packing: how words are made.
    reach:  `(n_cells, n_cells)` uint8.
    tiles:  the summary of each tile; its distinct cells are
            `tile_cells[tile_cell_starts[t]:tile_cell_starts[t + 1]]`.
    """

    order: Int32Array
    position: Int32Array
    starts: npt.NDArray[np.int64]
    people: FactorStore
    words: RuleWords
    packing: Packing
    sparse: PairRules
    reach: npt.NDArray[np.uint32]
    tiles: RuleWords
    tile_cells: Int32Array
    tile_cell_starts: npt.NDArray[np.int64]


def build_index(
    directed: Directed, compiled: Compiled, tile: int, known: TileOrder | None = None
) -> TileIndex:
    """Put people into tiles of at most `tile` and copy what a search reads of them.

    known: the tile order of `compiled` where there is one already.
    """
    order, starts = known or tile_order(compiled, tile)
    position = np.full(compiled.n_people, -1, np.int32)
    position[order] = np.arange(len(order), dtype=np.int32)
    packing = compiled.packing(order)
    words = compiled.words(order, packing)
    first = starts[:-1]
    tile_of = np.repeat(np.arange(len(first)), np.diff(starts))
    n_cells = len(compiled.cell_reach)
    tile_cell = np.unique(tile_of * n_cells + words.cell)
    return TileIndex(
        order=order,
        position=position,
        starts=starts,
        people=build_factor_store(directed, order),
        words=words,
        packing=packing,
        sparse=compiled.pair_rules(order),
        reach=np.array(compiled.cell_reach, np.uint32, order="C"),
        tiles=tile_summaries(words, first) if len(first) else words,
        tile_cells=(tile_cell % n_cells).astype(np.int32),
        tile_cell_starts=np.searchsorted(tile_cell, np.arange(len(starts)) * n_cells),
    )
