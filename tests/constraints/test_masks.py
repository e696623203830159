"""The mask kernel beside its numpy twin, and what tile summaries promise."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.constraints.compiled import Compiled
from recsys.constraints.masks import (
    BLOCK,
    RuleWords,
    mask_columns,
    take_people,
    tile_summaries,
    unmasked_columns,
    widest_reach,
)
from tests.constraints.plain_masks import plain_may_meet
from tests.retrieval.worlds import compiled_world, everybody_open


def plain_mask(rows: RuleWords, reach: np.ndarray, columns: RuleWords) -> np.ndarray:
    """The numpy twin: every row against every column, straight from the meaning of the words."""
    out = np.ones((len(rows.cell), len(columns.cell)), bool)
    for w in range(len(rows.traits)):
        out &= (rows.traits[w][:, None] & columns.refuses[w]) == 0
        out &= (rows.refuses[w][:, None] & columns.traits[w]) == 0
    for mine, theirs, guard in zip(rows.short, columns.short, rows.guard, strict=True):
        for field in fields_between(int(guard)):
            out &= (mine[:, None] & theirs & np.uint64(field)) != 0
    for first, last in zip(rows.starts[:-1], rows.starts[1:], strict=True):
        common = np.zeros(out.shape, bool)
        for w in range(first, last):
            common |= (rows.long[w][:, None] & columns.long[w]) != 0
        out &= common
    between = reach[rows.cell][:, columns.cell]
    both = rows.in_person[:, None] & columns.in_person
    out &= ~(both & ((between & 0xFFFF) > np.minimum(rows.max_km[:, None], columns.max_km)))
    return out & ((between >> 16) >= np.maximum(rows.min_km[:, None], columns.min_km))


def words_of(compiled: Compiled, rows: np.ndarray) -> RuleWords:
    return compiled.words(rows, compiled.packing(rows))


def everyone(n: int) -> np.ndarray:
    return np.arange(n, dtype=np.int32)


def fields_between(guard: int) -> list[int]:
    """The bits of each field, each of which ends below a guard bit."""
    found, start = [], 0
    for bit in range(64):
        if guard >> bit & 1:
            found.append(sum(1 << b for b in range(start, bit)))
            start = bit + 1
    return found


compiled_worlds = st.builds(
    lambda seed, n, density: compiled_world(np.random.default_rng(seed), n, density=density),
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 60),
    density=st.sampled_from([0.0, 0.03, 0.1]),
)


@settings(max_examples=60)
@given(compiled=compiled_worlds, seed=st.integers(0, 99))
def test_kernel_equals_its_twin(compiled: Compiled, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = compiled.n_people
    words = words_of(compiled, rng.permutation(n).astype(np.int32))
    rows = take_people(words, np.arange(1 + (n - 1) // 3, dtype=np.int32))
    columns = np.sort(rng.permutation(n)[: 1 + n // 2]).astype(np.int32)
    found = np.empty((len(rows.cell), len(columns)), bool)
    mask_columns(rows, everyone(len(rows.cell)), compiled.cell_reach, words, columns, found)
    assert np.array_equal(found, plain_mask(rows, compiled.cell_reach, take_people(words, columns)))


def test_more_columns_than_a_block_holds() -> None:
    compiled = compiled_world(np.random.default_rng(6), 2 * BLOCK + 7, density=0.03)
    words = words_of(compiled, np.arange(2 * BLOCK + 7, dtype=np.int32))
    rows, columns = (
        take_people(words, np.arange(40, dtype=np.int32)),
        np.arange(3, 2 * BLOCK + 5, dtype=np.int32),
    )
    found = np.empty((40, len(columns)), bool)
    mask_columns(rows, everyone(len(rows.cell)), compiled.cell_reach, words, columns, found)
    assert found.any()
    assert np.array_equal(found, plain_mask(rows, compiled.cell_reach, take_people(words, columns)))


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 40), most=st.sampled_from([1, 3, 8, 24]))
def test_packed_sets_have_in_common_what_the_sets_have(seed: int, n: int, most: int) -> None:
    """Sets of up to `most` elements each, people with every bit among them, and sets of nobody."""
    rng = np.random.default_rng(seed)
    n_sets = int(rng.integers(1, 9))
    sets = (rng.random((n, n_sets, most)) < rng.choice([0.0, 0.2, 0.6], n_sets)[:, None]).astype(np.uint64)
    overlaps = (sets << np.arange(most, dtype=np.uint64)).sum(axis=2, dtype=np.uint64)
    overlaps[rng.random((n, n_sets)) < 0.2] = np.uint64(2**64 - 1)
    nothing = np.zeros((n, 1), np.uint64)
    compiled = everybody_open(
        n,
        traits=nothing,
        refuses=nothing,
        overlaps=overlaps,
        overlap_starts=np.arange(n_sets + 1, dtype=np.int32),
    )
    packing = compiled.packing(np.arange(n))
    n_fields = sum(int(guard).bit_count() for guard in packing.guard)
    assert n_fields + len(packing.starts) - 1 == n_sets
    everybody = np.arange(n, dtype=np.int32)
    words, found = words_of(compiled, everybody), np.empty((n, n), bool)
    mask_columns(words, everyone(len(words.cell)), compiled.cell_reach, words, everybody, found)
    assert np.array_equal(found, ((overlaps[:, None] & overlaps[None]) != 0).all(axis=2))


@pytest.mark.parametrize("most", [3, 24])
def test_sets_of_more_elements_than_a_field_holds_keep_their_words(most: int) -> None:
    rng = np.random.default_rng(0)
    overlaps = rng.integers(0, 2 ** (most + 1), (500, 2)).astype(np.uint64)
    compiled = compiled_world(rng, 500, overlaps=overlaps, overlap_starts=np.arange(3, dtype=np.int32))
    assert len(compiled.packing(np.arange(500)).long) == (0 if most == 3 else 2)


def test_the_twin_masks_no_pair_that_may_meet() -> None:
    compiled = compiled_world(np.random.default_rng(3), 60, density=0.03)
    everybody = np.arange(60, dtype=np.int32)
    words = words_of(compiled, everybody)
    masked = plain_mask(words, compiled.cell_reach, words)
    i, j = np.divmod(np.arange(60 * 60), 60)
    meets = plain_may_meet(compiled, i, j).reshape(60, 60)
    assert meets.any()
    assert not (meets & ~masked).any()


def cells_of(words: RuleWords, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct cells of each tile, end to end, and where each tile's begin."""
    found = [np.unique(words.cell[a:b]) for a, b in pairwise(starts.tolist())]
    return np.concatenate(found).astype(np.int32), np.cumsum([0] + [len(cells) for cells in found])


@settings(max_examples=60)
@given(compiled=compiled_worlds, size=st.integers(1, 20), row_size=st.integers(1, 20))
def test_what_is_shut_to_a_summary_is_shut_to_its_members(
    compiled: Compiled, size: int, row_size: int
) -> None:
    n = compiled.n_people
    everybody = words_of(compiled, np.arange(n, dtype=np.int32))
    starts = np.append(np.arange(0, n, size), n).astype(np.int64)
    tiles = tile_summaries(everybody, starts[:-1])
    rows = np.arange(min(row_size, n), dtype=np.int32)
    members = take_people(everybody, rows)
    zero = np.zeros(1, np.int64)
    reach = widest_reach(compiled.cell_reach, members.cell)
    summary = tile_summaries(members, zero)
    left = unmasked_columns(summary, reach[None], tiles, *cells_of(everybody, starts), everybody, starts)
    assert left.tolist() == np.flatnonzero(plain_mask(summary, reach[None], everybody)[0]).tolist()
    unmasked_by_summary = plain_mask(members, compiled.cell_reach, everybody).any(axis=0)
    assert np.all(np.diff(left) > 0)
    assert not np.setdiff1d(np.flatnonzero(unmasked_by_summary), left).size


def test_summaries_let_tiles_fall_away() -> None:
    compiled = compiled_world(np.random.default_rng(5), 40)
    traits = np.where(np.arange(40) < 20, 1, 2).astype(np.uint64)[:, None] * np.ones((1, 2), np.uint64)
    refuses = traits.copy()
    words = words_of(compiled, np.arange(40, dtype=np.int32))._replace(traits=traits.T, refuses=refuses.T)
    words = words._replace(traits=np.ascontiguousarray(traits.T), refuses=np.ascontiguousarray(refuses.T))
    starts = np.array([0, 20, 40], np.int64)
    zero, any_reach = np.zeros(1, np.int64), np.full(len(compiled.cell_reach), 30 << 16, np.uint32)
    row = tile_summaries(take_people(words, np.arange(3, dtype=np.int32)), zero)
    left = unmasked_columns(
        row, any_reach[None], tile_summaries(words, starts[:-1]), *cells_of(words, starts), words, starts
    )
    assert left.min() >= 20
