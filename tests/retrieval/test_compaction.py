"""What a mask or a bound leaves of a row, packed side by side: the vectors and their twins beside numpy."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.retrieval.compaction import (
    AT_ONCE,
    append_reaching_llvm,
    append_reaching_numba,
    unmasked_llvm,
    unmasked_numba,
)

seeds = st.integers(0, 2**32 - 1)
shares = st.sampled_from([0.0, 0.02, 0.3, 1.0])
UNTOUCHED = -7


@pytest.mark.parametrize("unmasked", [unmasked_llvm, unmasked_numba])
@settings(deadline=None, max_examples=60)
@given(seed=seeds, n=st.integers(1, 70), share=shares)
def test_unmasked_columns_keep_their_order(
    unmasked: Callable[..., int], seed: int, n: int, share: float
) -> None:
    rng = np.random.default_rng(seed)
    columns, mask = np.sort(rng.permutation(1000)[:n]).astype(np.int32), rng.random((3, n)) < share
    start, stop = np.sort(rng.integers(0, n + 1, 2)).tolist()
    for r in range(3):
        out = np.full(stop - start + AT_ONCE, UNTOUCHED, np.int32)
        found = unmasked(columns, start, stop, mask, r, out)
        assert out[:found].tolist() == columns[start:stop][mask[r, start:stop]].tolist()


@pytest.mark.parametrize("append_reaching", [append_reaching_llvm, append_reaching_numba])
@settings(deadline=None, max_examples=100)
@given(seed=seeds, n=st.integers(0, 40), length=st.integers(0, 5), asked=st.sampled_from([-np.inf, -1, 0, 2]))
def test_pairs_that_reach_both_bounds_are_appended_to_their_row_alone(
    append_reaching: Callable[..., int], seed: int, n: int, length: int, asked: float
) -> None:
    rng, room = np.random.default_rng(seed), 2 * AT_ONCE + 50
    ours, theirs = rng.integers(-2, 4, (2, n + AT_ONCE)).astype(np.float32)  # many meet a bound exactly
    ours[n:] = theirs[n:] = 100.0  # what lies beyond is not looked at
    columns = rng.permutation(1000)[: n + AT_ONCE].astype(np.int32)
    noted: list[Any] = [np.full((3, room), UNTOUCHED, kind) for kind in (np.float32, np.float32, np.int32)]
    least, total = np.float32(asked), np.float32(2 * asked + rng.integers(0, 2))
    after = append_reaching(n, columns, ours, theirs, least, total, 1, length, *noted)
    reach = (np.minimum(ours, theirs) >= least) & (ours + theirs >= total)
    reach[n:] = False
    assert after == length + reach.sum()
    for out, given_ in zip(noted, (ours, theirs, columns), strict=True):
        assert out[1, length:after].tolist() == given_[reach].tolist()
        assert (out[1, :length] == UNTOUCHED).all()
        assert (out[[0, 2]] == UNTOUCHED).all()
