"""Where people stand among all others, as a few numbers: alike in what they are, refuse and reach.

Tiles fall away when all their members refuse something together, so people who refuse alike should lie
together. A person is written as bits: every trait, every refused bit, every refused distance class. A bit
counts as much as it forbids: a refused bit as often as others have it, a trait as often as others refuse it.
The directions in which such people differ most (principal components) are their leanings. Only the order of
tiles depends on them, never a result.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit

from recsys.constraints.compiled import Compiled
from recsys.retrieval.words import Positions

Leanings = npt.NDArray[np.float32]
Octets = npt.NDArray[np.uint8]

N_LEANINGS: Final = 8
_SAMPLE: Final = 4096
_CLASSES: Final = 16
_LEAST_POWER: Final = 1e-6


def leanings(compiled: Compiled, listed: Positions) -> Leanings:
    """Return the leanings of the people at `listed`, `(n_listed, N_LEANINGS)` float32."""
    if not len(listed):
        return np.zeros((0, N_LEANINGS), np.float32)
    sample = listed[:: -(-len(listed) // _SAMPLE)]
    bits = np.hstack([_bits(part) for part in (compiled.traits[sample], compiled.refuses[sample])])
    far = _refused_classes(compiled.in_person[sample], compiled.max_class[sample])
    is_, refused = np.split(bits.mean(axis=0), 2)
    apart = compiled.cell_reach[compiled.cell[sample], compiled.cell[np.roll(sample, len(sample) // 2)]] & 15
    met = np.bincount(apart, minlength=_CLASSES) / len(sample)
    weight = np.sqrt(np.concatenate([refused, is_, met]))
    people = np.hstack([bits, far]) * weight
    used = np.flatnonzero(people.var(axis=0) > _LEAST_POWER)
    directions = np.zeros((people.shape[1], N_LEANINGS))
    if len(used):
        _, vectors = np.linalg.eigh(np.atleast_2d(np.cov(people[:, used], rowvar=False, bias=True)))
        best = vectors[:, ::-1][:, :N_LEANINGS]
        directions[used, : best.shape[1]] = best * weight[used, None]
    octets = [_octets(compiled.traits), _octets(compiled.refuses)]
    out = np.zeros((len(listed), N_LEANINGS), np.float32)
    n_bits = bits.shape[1] // 2
    _add_leanings(octets[0], listed, _table(directions[:n_bits]), out)
    _add_leanings(octets[1], listed, _table(directions[n_bits : 2 * n_bits]), out)
    kinds = np.arange(256)
    place = _refused_classes(kinds >= _CLASSES, kinds % _CLASSES) @ directions[2 * n_bits :]
    out += place.astype(np.float32)[compiled.in_person[listed] * _CLASSES + compiled.max_class[listed]]
    return out


def _octets(words: npt.NDArray[np.uint64]) -> Octets:
    """Return words `(n, w)` as bytes `(n, 8 w)`, the lowest first."""
    return np.ascontiguousarray(words.astype("<u8", copy=False)).view(np.uint8)


def _bits(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.float64]:
    return np.unpackbits(_octets(words), axis=1, bitorder="little").astype(np.float64)


def _refused_classes(in_person: npt.ArrayLike, max_class: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return which distance classes each refuses, `(n, 16)`: those beyond the limit, when in person."""
    beyond = np.asarray(max_class)[:, None] < np.arange(_CLASSES)
    return (np.asarray(in_person)[:, None] & beyond).astype(np.float64)


def _table(directions: npt.NDArray[np.float64]) -> Leanings:
    """Return what each value of each byte adds, `(n_bytes, 256, N_LEANINGS)`."""
    values = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little")
    return np.stack([values @ part for part in directions.reshape(-1, 8, N_LEANINGS)]).astype(np.float32)


@njit(nogil=True, cache=True)
def _add_leanings(octets: Octets, rows: Positions, table: Leanings, out: Leanings):  # type: ignore[no-untyped-def]
    for a in range(len(rows)):
        for b in range(octets.shape[1]):
            added = table[b, octets[rows[a], b]]
            for c in range(out.shape[1]):
                out[a, c] += added[c]
