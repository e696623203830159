"""The mask kernel for many rows beside the numpy twin, over generated words."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.constraints.masks import BLOCK, RuleWords, take_people
from recsys.constraints.tile_masks import MANY_ROWS, mask_by_bitmaps, mask_tile
from tests.constraints.test_masks import plain_mask

N_CELLS = 7
_WITHIN = (0, 1, 25, 300, 20_000, 0xFFFE, 0xFFFF)
_KEPT = (0, 1, 5, 13, 2_828, 20_000)


def ending_fields(rng: np.random.Generator) -> int:
    """Guard bits of fields of random widths, the last one now and then bit 63."""
    ends, used = 0, 0
    while used < 63 and rng.random() < 0.8:
        used += int(rng.integers(1, 64 - used))
        ends |= 1 << used
        used += 1
    return ends or 1 << 63


def sparse_words(rng: np.random.Generator, n_words: int, n: int, chance: float) -> np.ndarray:
    """Words whose bits are set by that chance; of some words nobody has any."""
    bits = rng.random((n_words, n, 64)) < chance * (rng.random(n_words) < 0.8)[:, None, None]
    return (bits.astype(np.uint64) << np.arange(64, dtype=np.uint64)).sum(axis=2, dtype=np.uint64)


def random_words(rng: np.random.Generator, n: int, columns_keep: slice) -> RuleWords:
    """Rules of n people: refusals of few, and sets in which most pairs share something; kept km of some."""
    n_words, n_short = 2 * int(rng.integers(0, 3)), int(rng.integers(0, 3))
    guard = np.array([ending_fields(rng) for _ in range(n_short)], np.uint64)
    fill = np.array([(1 << int(g).bit_length() - 1) - 1 & ~int(g) for g in guard], np.uint64)
    starts = np.cumsum([0, *rng.integers(0 if rng.random() < 0.1 else 1, 4, rng.integers(0, 4))])
    min_km = np.zeros(n, np.uint16)
    min_km[columns_keep] = rng.choice(_KEPT, n)[columns_keep]
    return RuleWords(
        traits=sparse_words(rng, n_words, n, 0.04),
        refuses=sparse_words(rng, n_words, n, rng.choice([0.0, 0.01, 0.05])),
        short=sparse_words(rng, n_short, n, rng.choice([0.3, 0.7])) & fill[:, None],
        guard=guard,
        fill=fill,
        long=sparse_words(rng, int(starts[-1]), n, rng.choice([0.1, 0.3])),
        starts=starts.astype(np.int32),
        cell=np.sort(rng.integers(0, N_CELLS, n)).astype(np.int32),
        max_km=rng.choice(_WITHIN[:-1], n).astype(np.uint16),
        min_km=min_km,
        in_person=rng.random(n) < rng.choice([0.0, 0.1, 1.0]),
    )


def random_reach(rng: np.random.Generator) -> np.ndarray:
    within, kept = rng.choice(_WITHIN, (N_CELLS, N_CELLS)), rng.choice(_KEPT, (N_CELLS, N_CELLS))
    return (within | kept << 16).astype(np.uint32)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_rows=st.integers(1, 90),
    n_columns=st.integers(BLOCK, 3 * BLOCK),
    keeping=st.sampled_from([(0, 0), (0, BLOCK // 2), (BLOCK, None), (0, None)]),
)
def test_bitmaps_mask_as_the_words_say(
    seed: int, n_rows: int, n_columns: int, keeping: tuple[int, int | None]
) -> None:
    rng = np.random.default_rng(seed)
    n = n_columns + n_columns // 3
    words, reach = random_words(rng, n, slice(*keeping)), random_reach(rng)
    at = np.sort(rng.choice(n, n_rows, replace=False)).astype(np.int32)
    columns = np.sort(rng.choice(n, n_columns, replace=False)).astype(np.int32)
    found = np.ones((n_rows, n_columns), bool)
    mask_by_bitmaps(words, at, reach, words, columns, found)
    wanted = plain_mask(take_people(words, at), reach, take_people(words, columns))
    assert np.array_equal(found.view(np.uint8), wanted.view(np.uint8))


def test_generated_words_mask_some_pairs_and_leave_some() -> None:
    shares = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        words = random_words(rng, 200, slice(0, None))
        shares.append(plain_mask(words, random_reach(rng), words).mean())
    assert sum(0.01 < share < 0.99 for share in shares) >= 6


@pytest.mark.parametrize("n_rows", [1, MANY_ROWS - 1, MANY_ROWS, 100])
@pytest.mark.parametrize("n_columns", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1])
def test_tiles_of_any_shape_are_masked_alike(n_rows: int, n_columns: int) -> None:
    rng = np.random.default_rng(4)
    words, reach = random_words(rng, BLOCK + 1, slice(0, 100)), random_reach(rng)
    at, columns = np.arange(n_rows, dtype=np.int32), np.arange(n_columns, dtype=np.int32)
    found = np.empty((n_rows, n_columns), bool)
    mask_tile(words, at, reach, words, columns, found)
    assert np.array_equal(found, plain_mask(take_people(words, at), reach, take_people(words, columns)))
