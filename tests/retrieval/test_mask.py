"""The mask kernel beside its numpy twin, and what summaries promise."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.constraints.compiled import Compiled
from recsys.retrieval.mask import columns_left, mask_of, open_columns
from recsys.retrieval.words import Words, least_reach, summaries, taken, words_of
from tests.retrieval.worlds import compiled_world


def plain_mask(rows: Words, reach: np.ndarray, columns: Words) -> np.ndarray:
    """The numpy twin: every row against every column, straight from the meaning of the words."""
    out = np.ones((len(rows.cell), len(columns.cell)), bool)
    for w in range(len(rows.traits)):
        out &= (rows.traits[w][:, None] & columns.refuses[w]) == 0
        out &= (rows.refuses[w][:, None] & columns.traits[w]) == 0
    for first, last in zip(rows.starts[:-1], rows.starts[1:], strict=True):
        common = np.zeros(out.shape, bool)
        for w in range(first, last):
            common |= (rows.overlaps[w][:, None] & columns.overlaps[w]) != 0
        out &= common
    between = reach[rows.cell][:, columns.cell]
    both = rows.in_person[:, None] & columns.in_person
    out &= ~(both & ((between & 15) > np.minimum(rows.max_class[:, None], columns.max_class)))
    return out & ((between >> 4) >= np.maximum(rows.min_class[:, None], columns.min_class))


compiled_worlds = st.builds(
    lambda seed, n, density: compiled_world(np.random.default_rng(seed), n, density=density),
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 60),
    density=st.sampled_from([0.0, 0.03, 0.1]),
)


@settings(deadline=None, max_examples=60)
@given(compiled=compiled_worlds, seed=st.integers(0, 99))
def test_kernel_equals_its_twin(compiled: Compiled, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = compiled.n_people
    rows = words_of(compiled, rng.permutation(n)[: 1 + n // 3].astype(np.int32))
    columns = words_of(compiled, rng.permutation(n).astype(np.int32))
    reach = compiled.cell_reach
    found = np.empty((len(rows.cell), len(columns.cell)), bool)
    mask_of(rows, reach, columns, found)
    assert np.array_equal(found, plain_mask(rows, reach, columns))


def test_twin_agrees_with_the_compiled_pairs() -> None:
    compiled = compiled_world(np.random.default_rng(3), 60, density=0.03)
    everybody = np.arange(60, dtype=np.int32)
    words = words_of(compiled, everybody)
    masked = plain_mask(words, compiled.cell_reach, words)
    meets = compiled.may_meet_block(everybody, everybody)
    assert meets.any()
    assert not (meets & ~masked).any()


def test_a_range_of_columns_alone_is_looked_at() -> None:
    compiled = compiled_world(np.random.default_rng(4), 30, density=0.03)
    words = words_of(compiled, np.arange(30, dtype=np.int32))
    whole = plain_mask(words, compiled.cell_reach, words)
    shut, out = np.empty(30, np.uint64), np.empty(30, bool)
    open_columns(words, 5, compiled.cell_reach[words.cell[5]], words, 7, 19, shut, out)
    assert np.array_equal(out[:12], whole[5, 7:19])


@settings(deadline=None, max_examples=60)
@given(compiled=compiled_worlds, size=st.integers(1, 20), row_size=st.integers(1, 20))
def test_what_is_shut_to_a_summary_is_shut_to_its_members(
    compiled: Compiled, size: int, row_size: int
) -> None:
    n = compiled.n_people
    everybody = words_of(compiled, np.arange(n, dtype=np.int32))
    starts = np.append(np.arange(0, n, size), n).astype(np.int64)
    tiles = summaries(everybody, starts[:-1])
    rows = np.arange(min(row_size, n), dtype=np.int32)
    members = taken(everybody, rows)
    zero = np.zeros(1, np.int64)
    reach = least_reach(compiled.cell_reach[members.cell].T, zero)[:, 0]
    tile_reach = least_reach(reach[everybody.cell], starts[:-1])
    summary = summaries(members, zero)
    left = columns_left(summary, reach, tile_reach, tiles, everybody, starts)
    assert left.tolist() == np.flatnonzero(plain_mask(summary, reach[None], everybody)[0]).tolist()
    open_to_any = plain_mask(members, compiled.cell_reach, everybody).any(axis=0)
    assert np.all(np.diff(left) > 0)
    assert not np.setdiff1d(np.flatnonzero(open_to_any), left).size


def test_summaries_let_tiles_fall_away() -> None:
    compiled = compiled_world(np.random.default_rng(5), 40)
    traits = np.where(np.arange(40) < 20, 1, 2).astype(np.uint64)[:, None] * np.ones((1, 2), np.uint64)
    refuses = traits.copy()
    words = words_of(compiled, np.arange(40, dtype=np.int32))._replace(traits=traits.T, refuses=refuses.T)
    words = words._replace(traits=np.ascontiguousarray(traits.T), refuses=np.ascontiguousarray(refuses.T))
    starts = np.array([0, 20, 40], np.int64)
    zero, any_reach = np.zeros(1, np.int64), np.full(len(compiled.cell_reach), 0x30, np.uint8)
    tile_reach = least_reach(any_reach[words.cell], starts[:-1])
    row = summaries(taken(words, np.arange(3, dtype=np.int32)), zero)
    left = columns_left(row, any_reach, tile_reach, summaries(words, starts[:-1]), words, starts)
    assert left.min() >= 20
