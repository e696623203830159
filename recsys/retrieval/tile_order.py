"""The order in which people are laid out, so that alike people share a tile."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.catalogue.vocabulary import USUAL_DISTANCES_KM
from recsys.constraints.compiled import Compiled
from recsys.constraints.distance import UNREACHABLE
from recsys.data.bitsets import octets, unpack
from recsys.kernels import kernel
from recsys.types import Float32Array, Int32Array, Int64Array, UInt8Array

N_FEATURES: Final = 8
_SAMPLE: Final = 4096
_CLASSES: Final = 16
_KM: Final = np.array(USUAL_DISTANCES_KM)
"""Where distances are cut into classes, for the order alone."""
_LEAST_POWER: Final = 1e-6


def tile_features(compiled: Compiled, listed: Int32Array) -> Float32Array:
    """Return the tile_features of the people at `listed`, `(n_listed, N_FEATURES)` float32."""
    if not len(listed):
        return np.zeros((0, N_FEATURES), np.float32)
    sample = listed[:: -(-len(listed) // _SAMPLE)]
    words = (compiled.traits[sample], compiled.refuses[sample])
    bits = np.hstack([unpack(part, 64 * part.shape[1]) for part in words]).astype(np.float64)
    far = _refused_classes(compiled.in_person[sample], _distance_class(compiled.max_km[sample]))
    is_, refused = np.split(bits.mean(axis=0), 2)
    reach = compiled.cell_reach[compiled.cell[sample], compiled.cell[np.roll(sample, len(sample) // 2)]]
    met = np.bincount(_distance_class(reach & UNREACHABLE), minlength=_CLASSES) / len(sample)
    weight = np.sqrt(np.concatenate([refused, is_, met]))
    people = np.hstack([bits, far]) * weight
    used = np.flatnonzero(people.var(axis=0) > _LEAST_POWER)
    directions = np.zeros((people.shape[1], N_FEATURES))
    if len(used):
        _, vectors = np.linalg.eigh(np.atleast_2d(np.cov(people[:, used], rowvar=False, bias=True)))
        best = vectors[:, ::-1][:, :N_FEATURES]
        directions[used, : best.shape[1]] = best * weight[used, None]
    traits, refuses = octets(compiled.traits), octets(compiled.refuses)
    out = np.zeros((len(listed), N_FEATURES), np.float32)
    n_bits = bits.shape[1] // 2
    _add_features(traits, listed, _table(directions[:n_bits]), out)
    _add_features(refuses, listed, _table(directions[n_bits : 2 * n_bits]), out)
    kinds = np.arange(256)
    place = _refused_classes(kinds >= _CLASSES, kinds % _CLASSES) @ directions[2 * n_bits :]
    out += place.astype(np.float32)[
        compiled.in_person[listed] * _CLASSES + _distance_class(compiled.max_km[listed])
    ]
    return out


def _distance_class(km: npt.ArrayLike) -> Int64Array:
    """Return which class each distance is in, `(n,)`: the first of `_KM` that it is within, or the last."""
    found = np.searchsorted(_KM, km)
    return np.where(found == len(_KM), _CLASSES - 1, found).astype(np.int64)


def _refused_classes(in_person: npt.ArrayLike, max_class: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return which distance classes each refuses, `(n, 16)`: those beyond the limit, when in person."""
    beyond = np.asarray(max_class)[:, None] < np.arange(_CLASSES)
    return (np.asarray(in_person)[:, None] & beyond).astype(np.float64)


def _table(directions: npt.NDArray[np.float64]) -> Float32Array:
    """Return what each value of each byte adds, `(n_bytes, 256, N_FEATURES)`."""
    values = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little")
    return np.stack([values @ part for part in directions.reshape(-1, 8, N_FEATURES)]).astype(np.float32)


@kernel
def _add_features(octets: UInt8Array, rows: Int32Array, table: Float32Array, out: Float32Array):  # type: ignore[no-untyped-def]
    """Add to `out` `(n, N_FEATURES)` the entry of `table` `(n_bytes, 256, N_FEATURES)` for each byte."""
    for a in range(len(rows)):
        for b in range(octets.shape[1]):
            added = table[b, octets[rows[a], b]]
            for c in range(out.shape[1]):
                out[a, c] += added[c]


_LOOKED_AT = 1024
"""How many people of a group tell by their spread which way it is cut."""


class TileOrder(NamedTuple):
    """Listed rows in tile order `(n_listed,)` int32 and where tiles start `(n_tiles + 1,)` int64."""

    rows: Int32Array
    starts: npt.NDArray[np.int64]


def tile_order(compiled: Compiled, size: int) -> TileOrder:
    """Return the order of the people who are listed, in tiles of at most `size`.

    People are laid out by cell (cell numbers run along a space-filling curve) and cut into regions as
    wide as people travel. A region is halved along the direction in which their tile features differ most,
    and its halves again, into tiles of at most `size`. The order changes how much work there is, never a
    result.
    """
    listed = np.flatnonzero(compiled.listed).astype(np.int32)
    where = tile_features(compiled, listed)
    by_place = np.lexsort((listed, compiled.cell[listed]))
    tiles: list[Int32Array] = []
    for region in np.split(by_place, _region_starts(listed[by_place], compiled, size)):
        tiles += [listed[part] for part in _halved(region, where, size)]
    tiles = [part[np.lexsort((part, compiled.max_km[part], compiled.cell[part]))] for part in tiles]
    order = np.concatenate([listed[:0], *tiles])
    lengths = [len(tile) for tile in tiles]
    return TileOrder(order, np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64))


def _halved(group: npt.NDArray[np.int64], where: Float32Array, size: int) -> list[npt.NDArray[np.int64]]:
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


def _region_starts(by_place: Int32Array, compiled: Compiled, size: int) -> list[int]:
    """Return where a new region begins: beyond the usual limit of the cell the last one began with.

    Within a region distance forbids little, so there is nothing to gain by cutting it further by
    place. A region has at least a tile of people.
    """
    if not len(by_place):
        return []
    usual = np.median(compiled.max_km[by_place])
    cells, first = np.unique(compiled.cell[by_place], return_index=True)
    starts, begun, at = [], cells[0], 0
    for cell, place in zip(cells.tolist(), first.tolist(), strict=True):
        if (compiled.cell_reach[begun, cell] & UNREACHABLE) > usual and place - at >= size:
            starts.append(place)
            begun, at = cell, place
    return starts
