"""Keyed random numbers: a number belongs to what it decides, not to a place in a stream.

The outcome of one step for one pair is a function of a key, the step and the pair (a counter-based
generator: J. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011). Two lists that show
the same pair then share its random numbers, so that policies are compared on common random numbers, and
cutting the work into pieces changes nothing.
"""

from zlib import crc32

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from recsys.kernels import kernel
from recsys.settings import Settings
from recsys.types import Float64Array

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""The increment of splitmix64: 2 ** 64 over the golden ratio."""
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def mix64(x: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Mix the bits of 64-bit numbers: the finaliser of splitmix64.

    G. Steele, D. Lea and C. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.

    >>> hex(int(mix64(np.array([1], np.uint64))[0]))
    '0x5692161d100b05e5'
    """
    x = (x ^ (x >> np.uint64(30))) * _FIRST
    x = (x ^ (x >> np.uint64(27))) * _SECOND
    return x ^ (x >> np.uint64(31))


class KeyedGenerator:
    """Random numbers of one key.

    >>> random = KeyedGenerator(7)
    >>> i, j = np.array([0, 1]), np.array([1, 0])
    >>> a, b = random.uniform(4, i, j)
    >>> bool(a == random.uniform(4, i[:1], j[:1])[0]), bool(a == b)
    (True, False)
    """

    def __init__(self, key: int) -> None:
        self.key = int(key)

    @classmethod
    def from_rng(cls, rng: np.random.Generator) -> "KeyedGenerator":
        """Draw the key from a generator."""
        return cls(int(rng.integers(0, 2**63)))

    def uniform(
        self, step: int, i: npt.ArrayLike, j: npt.ArrayLike, repeat: npt.ArrayLike = 0
    ) -> Float64Array:
        """Return one number in (0, 1) for each aligned pair, `(n_pairs,)`.

        step: what is decided, 0 to 63; `repeat` tells apart decisions of one pair in one step.
        """
        state: npt.NDArray[np.uint64] = np.asarray((self.key * 64 + int(step)) % 2**64, np.uint64)
        with np.errstate(over="ignore"):
            for part in (i, j, repeat):
                value = np.asarray(part, dtype=np.int64).astype(np.uint64)
                state = mix64(np.asarray((state + value + np.uint64(1)) * GOLDEN))
        bits = np.asarray(state, dtype=np.uint64) >> np.uint64(11)
        return (bits.astype(np.float64) + 0.5) * 2.0**-53

    def normal(
        self, step: int, i: npt.ArrayLike, j: npt.ArrayLike, repeat: npt.ArrayLike = 0
    ) -> Float64Array:
        """Return one standard normal number for each aligned pair, `(n_pairs,)`; see `uniform`."""
        return ndtri(self.uniform(step, i, j, repeat))


@kernel
def _mix64_scalar(x):  # type: ignore[no-untyped-def]
    """Return `mix64` of one number."""
    x = (x ^ (x >> np.uint64(30))) * _FIRST
    x = (x ^ (x >> np.uint64(27))) * _SECOND
    return x ^ (x >> np.uint64(31))


@kernel
def edge_uniform(key: np.uint64, repeat: int, step: int, edge: int):  # type: ignore[no-untyped-def]
    """Return one number in (0, 1) that belongs to a key, a round, a step and an edge."""
    x = _mix64_scalar(key + np.uint64(repeat) * GOLDEN)
    x = _mix64_scalar(x + np.uint64(step) * GOLDEN)
    x = _mix64_scalar(x + (np.uint64(edge) + np.uint64(1)) * GOLDEN)
    return (np.float64(x >> np.uint64(11)) + 0.5) * 2.0**-53


def generator(settings: Settings, stage: str) -> np.random.Generator:
    """Return the generator of one stage: the seed of the settings gives each stage a stream of its own.

    >>> [int(generator(Settings(), stage).integers(1000)) for stage in ("train", "train", "simulate")]
    [458, 458, 65]
    """
    return np.random.default_rng([settings.seed, crc32(stage.encode())])
