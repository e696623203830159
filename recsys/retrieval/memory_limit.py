"""How much memory a search takes, and the blocks that keep it within `memory_mb`."""

from typing import NamedTuple

import numpy as np

from recsys.constraints.compiled import Compiled
from recsys.errors import SettingsError, explained
from recsys.models.directed import Directed
from recsys.retrieval.index import padded
from recsys.retrieval.quantization import STEP
from recsys.retrieval.shortlist import shortlist_capacity

COLUMNS = 8192
_FEWEST_COLUMNS = 64
_BYTES_AN_ENTRY = 24  # candidate, two probabilities and a score, with room for one copy of the longest

_BYTES_OF_KERNELS = 1 << 17  # a block of words, steps and lanes


class BlockShape(NamedTuple):
    """Rows of a tile searched together, and columns looked at at once."""

    rows: int
    columns: int


def scratch_bytes(shape: BlockShape, n_people: int, n_factors: int, k: int) -> int:
    """Return how many bytes one worker needs beside the index."""
    rows, columns = shape
    noted = rows * shortlist_capacity(k, n_people) * (20 + 16)
    lists = rows * k * 28
    blocks = rows * columns + (rows + columns) * 128 + rows * 12 * n_factors
    return noted + lists + blocks + 16 * n_people + _BYTES_OF_KERNELS


def block_shape_within(
    memory_mb: float | None,
    *,
    taken: int,
    n_viewers: int,
    n_people: int,
    n_factors: int,
    k: int,
    workers: int,
    tile: int,
) -> BlockShape:
    """Return the largest chunks whose search stays within `memory_mb`, everything included.

    taken: bytes already laid out. Blocks shrink by halves: columns first, then rows.

    Raises SettingsError saying how much would be needed when even the smallest do not fit.
    """
    shape = BlockShape(tile, COLUMNS)
    if memory_mb is None:
        return shape
    fixed = taken + n_viewers * min(k, n_people) * _BYTES_AN_ENTRY + 32 * n_people

    def needed(shape: BlockShape) -> int:
        return fixed + workers * scratch_bytes(shape, n_people, n_factors, k)

    while needed(shape) > memory_mb * 2**20:
        rows, columns = shape
        if columns > _FEWEST_COLUMNS:
            shape = BlockShape(rows, columns // 2)
        elif rows > 1:
            shape = BlockShape(rows // 2, columns)
        else:
            refuse_memory(needed(shape), memory_mb)
    return shape


def refuse_memory(needed: int, memory_mb: float) -> None:
    """Raise SettingsError: the search cannot be done in `memory_mb`."""
    raise SettingsError(
        explained(
            "too little memory for this search",
            where="memory_mb",
            got=f"{memory_mb:g}, at least {-(-needed // 2**20)} are needed",
            remedy="allow more, ask for shorter lists or fewer viewers, or use fewer workers",
        )
    )


def index_bytes(directed: Directed, compiled: Compiled) -> int:
    """Return about how many bytes an index of these people takes: its arrays, without what makes them."""
    words = compiled.traits.shape[1] * 2 + compiled.overlaps.shape[1]
    entries = sum(
        getattr(compiled, f"{name}_indices").size for name in ("separated", "own", "avoid", "liked")
    )
    n_listed = int(compiled.listed.sum())
    cells = 4 * compiled.cell_reach.size
    if directed.distance_decay is not None:
        cells += 4 * len(np.unique(directed.cell[compiled.listed])) ** 2
    width = padded(directed.n_factors)
    factors = 8 * width + 4 * (-(-width // STEP) * STEP)
    return n_listed * (factors + 8 * words + 64) + cells + 8 * entries
