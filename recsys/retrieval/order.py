"""The order in which people are laid out, so that alike people share a tile."""

import numpy as np
import numpy.typing as npt

from recsys.constraints.compiled import Compiled
from recsys.retrieval.leanings import Leanings, leanings
from recsys.retrieval.words import Positions

_LOOKED_AT = 1024
"""People of a group whose spread tells which way it is cut."""


def tile_order(compiled: Compiled, size: int) -> tuple[Positions, npt.NDArray[np.int64]]:
    """Return listed rows in tile order `(n_listed,)` int32 and where tiles start `(n_tiles + 1,)`.

    People are laid out by cell (cell numbers run along a space-filling curve) and cut into regions as wide
    as people travel. A region is halved along the direction in which its people's leanings differ most,
    and its halves again, into tiles of at most `size`. The order changes how much work there is, never a
    result.
    """
    listed = np.flatnonzero(compiled.listed).astype(np.int32)
    where = leanings(compiled, listed)
    by_place = np.lexsort((listed, compiled.cell[listed]))
    tiles: list[Positions] = []
    for region in np.split(by_place, _region_starts(listed[by_place], compiled, size)):
        tiles += [listed[part] for part in _halved(region, where, size)]
    tiles = [part[np.lexsort((part, compiled.max_class[part], compiled.cell[part]))] for part in tiles]
    order = np.concatenate([listed[:0], *tiles])
    lengths = [len(tile) for tile in tiles]
    return order, np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)


def _halved(group: npt.NDArray[np.int64], where: Leanings, size: int) -> list[npt.NDArray[np.int64]]:
    """Cut people into parts of at most `size`, as full as can be."""
    if len(group) <= size:
        return [group] if len(group) else []
    here = where[group]
    some = here[:: -(-len(here) // _LOOKED_AT)].astype(np.float64)
    some = some - some.mean(axis=0)
    _, vectors = np.linalg.eigh(some.T @ some)
    n_tiles = -(-len(group) // size)
    cut = len(group) * (n_tiles // 2) // n_tiles
    along = np.argsort(here @ vectors[:, -1].astype(np.float32), kind="stable")
    return _halved(group[along[:cut]], where, size) + _halved(group[along[cut:]], where, size)


def _region_starts(by_place: Positions, compiled: Compiled, size: int) -> list[int]:
    """Return where a new region begins: beyond the usual limit of the cell the last one began with.

    Within a region distance forbids little, so there is nothing to gain by cutting it further by
    place. A region has at least a tile of people.
    """
    if not len(by_place):
        return []
    usual = np.median(compiled.max_class[by_place])
    cells, first = np.unique(compiled.cell[by_place], return_index=True)
    starts, begun, at = [], cells[0], 0
    for cell, place in zip(cells.tolist(), first.tolist(), strict=True):
        if (compiled.cell_reach[begun, cell] & 15) > usual and place - at >= size:
            starts.append(place)
            begun, at = cell, place
    return starts
