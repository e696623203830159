"""Random draws of the town: words, sets and amounts for many people at once, and the keys of its steps."""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from recsys.types import BoolArray, ObjectArray

_ROWS_AT_ONCE = 65_536


class Step(IntEnum):
    """Steps of the town that are decided by keyed random numbers: each has numbers of its own."""

    TASTE = 1
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
    LEAVE = 31


def one_of(shares: Mapping[str, float], n: int, rng: np.random.Generator) -> ObjectArray:
    """Draw one word a person by its share, `(n,)`.

    >>> one_of({"a": 1.0, "b": 0.0}, 2, np.random.default_rng(0)).tolist()
    ['a', 'a']
    """
    words = np.array(list(shares), dtype=object)
    edges = np.cumsum(list(shares.values()))
    drawn = np.searchsorted(edges[:-1], rng.random(n) * edges[-1], side="right")
    return words[drawn]


def some_of(chances: Mapping[str, float], n: int, rng: np.random.Generator) -> BoolArray:
    """Draw each word on its own, `(n, n_words)` bool; who drew none gets the most likely word."""
    chance = np.array(list(chances.values()))
    drawn = rng.random((n, len(chance))) < chance
    drawn[~drawn.any(axis=1), int(chance.argmax())] = True
    return drawn


def lists_of(members: BoolArray, words: Sequence[str]) -> ObjectArray:
    """Turn `(n, n_words)` bool into a list of words a person, in the order of `words`.

    People with equal sets share one list: do not change it in place.

    >>> lists_of(np.array([[True, False], [True, True]]), ["a", "b"]).tolist()
    [['a'], ['a', 'b']]
    """
    which, patterns = _distinct_rows(members)
    lists: list[Any] = [[w for w, held in zip(words, p, strict=True) if held] for p in patterns.tolist()]
    table = np.empty(len(lists), dtype=object)
    table[:] = lists
    return table[which]


_BITS: Final = 64


def _distinct_rows(members: BoolArray) -> tuple[npt.NDArray[np.intp], BoolArray]:
    """Return which distinct row each row is, `(n,)`, and those, `(n_distinct, n_words)`."""
    n, n_words = members.shape
    if n_words > _BITS:
        patterns, which = np.unique(members, axis=0, return_inverse=True)
        return which.reshape(-1), patterns
    packed = np.zeros((n, _BITS // 8), np.uint8)
    packed[:, : -(-n_words // 8)] = np.packbits(members, axis=1)
    _, first, which = np.unique(packed.view(np.uint64).reshape(-1), return_index=True, return_inverse=True)
    return which.reshape(-1), members[first]


def whole_numbers(words: ObjectArray) -> npt.NDArray[np.int64]:
    """Return drawn words that are whole numbers as numbers."""
    return words.astype(np.int64)


def with_missing(values: npt.ArrayLike, share: float, rng: np.random.Generator) -> ObjectArray:
    """Return values with a random share of them unknown (None), `(n,)`."""
    gaps = np.asarray(values, dtype=object).copy()
    gaps[rng.random(len(gaps)) < share] = None
    return gaps


def sample_without_replacement(
    scores: npt.NDArray[np.float64], counts: npt.NDArray[np.int64], rng: np.random.Generator
) -> BoolArray:
    """Choose `counts[i]` columns of row i with odds exp(score), without replacement, `(n, m)` bool.

    The largest scores after adding Gumbel noise are a draw without replacement from the softmax
    (Yellott, 1977).
    """
    found = np.empty(scores.shape, bool)
    for start in range(0, len(scores), _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        noisy = scores[part] + rng.gumbel(size=scores[part].shape)
        order = np.argsort(-noisy, axis=1)
        rank = np.empty_like(order)
        np.put_along_axis(rank, order, np.arange(scores.shape[1])[None, :], axis=1)
        found[part] = rank < counts[part, None]
    return found
