"""The order in which people are laid out, so that alike people share a tile."""

import math

import numpy as np
import numpy.typing as npt

from recsys.constraints.compiled import Compiled
from recsys.retrieval.words import Positions

_STRONGEST_BITS = 12


def tile_order(compiled: Compiled, size: int) -> tuple[Positions, npt.NDArray[np.int64]]:
    """Return listed rows in tile order `(n_listed,)` int32 and where tiles start `(n_tiles + 1,)`.

    Half of the splitting goes to class: groups larger than `sqrt(n_listed * size)` are split by
    the bits that forbid most pairs. The other half goes to place and traits: each group is laid out
    by cell (cell numbers run along a space-filling curve), cut into regions as wide as people travel,
    and these, by traits, into tiles of at most `size`. The order changes how much work there is,
    never a result.
    """
    listed = np.flatnonzero(compiled.listed).astype(np.int32)
    groups = [listed] if len(listed) else []
    smallest_to_split = math.sqrt(len(listed) * size)
    for has_bit in _strongest_bits(compiled, listed):
        halves = []
        for group in groups:
            with_bit = has_bit[group]
            if len(group) < smallest_to_split or min(with_bit.sum(), (~with_bit).sum()) < size:
                halves.append(group)
            else:
                halves += [group[~with_bit], group[with_bit]]
        groups = halves
    tiles = [tile for group in groups for tile in _tiles(group, compiled, size)]
    order = np.concatenate(tiles) if tiles else listed
    lengths = [len(tile) for tile in tiles]
    return order, np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)


def _tiles(group: Positions, compiled: Compiled, size: int) -> list[Positions]:
    """Cut one group into tiles: first by region, then by traits, then each tile by place.

    Words of traits are compared as numbers: an ordered attribute (age) owns ascending bits, so its
    values follow each other.
    """
    tiles = []
    by_place = group[np.lexsort((group, compiled.max_class[group], compiled.cell[group]))]
    for region in np.split(by_place, _region_starts(by_place, compiled, size)):
        by_traits = region[np.lexsort(compiled.traits[region].T)]
        parts = np.array_split(by_traits, -(-len(region) // size))
        tiles += [part[np.lexsort((part, compiled.max_class[part], compiled.cell[part]))] for part in parts]
    return tiles


def _region_starts(by_place: Positions, compiled: Compiled, size: int) -> list[int]:
    """Return where a new region begins: beyond the usual limit of the cell the last one began with.

    Within a region distance forbids little, so there is nothing to gain by cutting it further by
    place. A region has at least a tile of people.
    """
    usual = np.median(compiled.max_class[by_place])
    cells, first = np.unique(compiled.cell[by_place], return_index=True)
    starts, begun, at = [], cells[0], 0
    for cell, place in zip(cells.tolist(), first.tolist(), strict=True):
        if (compiled.cell_reach[begun, cell] & 15) > usual and place - at >= size:
            starts.append(place)
            begun, at = cell, place
    return starts


def _strongest_bits(compiled: Compiled, listed: Positions) -> list[npt.NDArray[np.bool_]]:
    """Return, for the bits that forbid most pairs, who has and who refuses each, strongest first.

    A random pair is forbidden by bit b with a chance of about `2 * has_b * refuses_b`.
    """
    found = []
    if not len(listed):
        return []
    for word in range(compiled.traits.shape[1]):
        for bit in range(64):
            has = (compiled.traits[:, word] >> np.uint64(bit) & np.uint64(1)).astype(bool)
            refuses = (compiled.refuses[:, word] >> np.uint64(bit) & np.uint64(1)).astype(bool)
            power = float(has[listed].mean() * refuses[listed].mean())
            if power > 0.0:
                found.append((-power, word * 64 + bit, has, refuses))
    found.sort(key=lambda entry: entry[:2])
    return [who for _, _, has, refuses in found[:_STRONGEST_BITS] for who in (has, refuses)]
