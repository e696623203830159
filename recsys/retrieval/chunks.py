"""How much is looked at at once, so that a stated amount of memory is enough."""

from typing import NamedTuple

from recsys.errors import SettingsError, explained
from recsys.retrieval.best import room_for

COLUMNS = 2048
_FEWEST_COLUMNS = 64
_BYTES_AN_ENTRY = 24  # candidate, two probabilities and a score, with room for one copy of the longest

_BYTES_OF_KERNELS = 1 << 17  # a block of words, steps and lanes


class Chunks(NamedTuple):
    """Rows of a tile searched together, and columns looked at at once."""

    rows: int
    columns: int


def scratch_bytes(chunks: Chunks, n_people: int, n_factors: int, k: int) -> int:
    """Return how many bytes one worker needs beside the layout."""
    rows, columns = chunks
    noted = rows * room_for(k, n_people) * (20 + 16)
    lists = rows * k * 28
    blocks = rows * columns + (rows + columns) * 128 + rows * 12 * n_factors
    return noted + lists + blocks + 16 * n_people + _BYTES_OF_KERNELS


def chunks_within(
    memory_mb: float | None,
    *,
    taken: int,
    n_viewers: int,
    n_people: int,
    n_factors: int,
    k: int,
    workers: int,
    tile: int,
) -> Chunks:
    """Return the largest chunks whose search stays within `memory_mb`, everything included.

    taken: bytes already laid out. Chunks shrink by halves: columns first, then rows.

    Raises SettingsError saying how much would be needed when even the smallest do not fit.
    """
    chunks = Chunks(tile, COLUMNS)
    if memory_mb is None:
        return chunks
    fixed = taken + n_viewers * min(k, n_people) * _BYTES_AN_ENTRY + 32 * n_people

    def needed(chunks: Chunks) -> int:
        return fixed + workers * scratch_bytes(chunks, n_people, n_factors, k)

    while needed(chunks) > memory_mb * 2**20:
        rows, columns = chunks
        if columns > _FEWEST_COLUMNS:
            chunks = Chunks(rows, columns // 2)
        elif rows > 1:
            chunks = Chunks(rows // 2, columns)
        else:
            refuse(needed(chunks), memory_mb)
    return chunks


def refuse(needed: int, memory_mb: float) -> None:
    """Raise SettingsError: the search cannot be done in `memory_mb`."""
    raise SettingsError(
        explained(
            "too little memory for this search",
            where="memory_mb",
            got=f"{memory_mb:g}, at least {-(-needed // 2**20)} are needed",
            remedy="allow more, ask for shorter lists or fewer viewers, or use fewer workers",
        )
    )
