"""Random numbers that belong to a pair, not to a place in a stream.

The outcome of one step for one pair is a function of a key, the step and the pair. Two lists that
show the same pair see the same luck, so policies are compared on common random numbers, and cutting
the work into pieces changes nothing.
"""

from enum import IntEnum
from typing import Final
from zlib import crc32

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy.special import ndtri

from recsys.config import Settings
from recsys.types import Float64Array

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


class Step(IntEnum):
    """What is being decided; each has numbers of its own."""

    LUCK = 1
    RAPPORT = 2
    OPEN = 3
    LOOK = 4
    LIKE = 5
    PASS = 6
    HIDE = 7
    MOMENT = 8
    READ = 9
    ANSWER = 10
    ANSWER_TIME = 11
    FIRST = 12
    REPLY = 13
    REPLY_TIME = 14
    LENGTH = 15
    SPEAKS = 16
    COUNT = 17
    RULES = 18
    PHOTO = 19
    PLAN = 20
    SETTING = 21
    SAFE = 22
    AGAIN = 23
    FEEL = 24
    UNEASE = 25
    GOODBYE = 26
    FRICTION = 27
    COMPLAIN = 28
    ASK = 29
    BRIGADE = 30


def _mixed(x: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Mix the bits: the finaliser of splitmix64 (Steele, Lea and Flood, OOPSLA 2014)."""
    x = (x ^ (x >> np.uint64(30))) * _FIRST
    x = (x ^ (x >> np.uint64(27))) * _SECOND
    return x ^ (x >> np.uint64(31))


class Chance:
    """Numbers drawn from one key.

    >>> chance = Chance(7)
    >>> i, j = np.array([0, 1]), np.array([1, 0])
    >>> a, b = chance.uniform(Step.LOOK, i, j)
    >>> bool(a == chance.uniform(Step.LOOK, i[:1], j[:1])[0]), bool(a == b)
    (True, False)
    """

    def __init__(self, key: int) -> None:
        self.key = int(key)

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Chance":
        """Take a key from a generator."""
        return cls(int(rng.integers(0, 2**63)))

    def uniform(
        self, step: Step, i: npt.ArrayLike, j: npt.ArrayLike, turn: npt.ArrayLike = 0
    ) -> Float64Array:
        """Return one number in (0, 1) for each aligned pair; `turn` tells repeats apart."""
        state: npt.NDArray[np.uint64] = np.asarray((self.key * 64 + int(step)) % 2**64, np.uint64)
        with np.errstate(over="ignore"):
            for part in (i, j, turn):
                value = np.asarray(part, dtype=np.int64).astype(np.uint64)
                state = _mixed(np.asarray((state + value + np.uint64(1)) * _GOLDEN))
        bits = np.asarray(state, dtype=np.uint64) >> np.uint64(11)
        return (bits.astype(np.float64) + 0.5) * 2.0**-53

    def normal(self, step: Step, i: npt.ArrayLike, j: npt.ArrayLike, turn: npt.ArrayLike = 0) -> Float64Array:
        """Return one standard normal number for each aligned pair."""
        return ndtri(self.uniform(step, i, j, turn))


LOOK: Final = 1
LIKE: Final = 2
OPEN: Final = 3


@njit(nogil=True, cache=True)
def _mix_scalar(x):  # type: ignore[no-untyped-def]
    # The finaliser of splitmix64 (G. Steele, D. Lea and C. Flood, OOPSLA 2014).
    x = (x ^ (x >> np.uint64(30))) * _FIRST
    x = (x ^ (x >> np.uint64(27))) * _SECOND
    return x ^ (x >> np.uint64(31))


@njit(nogil=True, cache=True)
def edge_uniform(key: np.uint64, turn: int, step: int, edge: int):  # type: ignore[no-untyped-def]  # noqa: D103
    # One number in (0, 1).
    x = _mix_scalar(key + np.uint64(turn) * _GOLDEN)
    x = _mix_scalar(x + np.uint64(step) * _GOLDEN)
    x = _mix_scalar(x + (np.uint64(edge) + np.uint64(1)) * _GOLDEN)
    return (np.float64(x >> np.uint64(11)) + 0.5) * 2.0**-53


def generator(settings: Settings, step: str) -> np.random.Generator:
    """Return the generator of one step: the seed gives each step a stream of its own.

    >>> [int(generator(Settings(), step).integers(1000)) for step in ("train", "train", "simulate")]
    [458, 458, 65]
    """
    return np.random.default_rng([settings.seed, crc32(step.encode())])
