"""The compiled form answers by its kernel what its arrays mean, whoever is asked about and in which order."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.constraints.plain_masks import plain_may_meet, plain_may_show
from tests.retrieval.worlds import compiled_world


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 30), density=st.sampled_from([0.0, 0.03, 0.1]))
def test_pairs_and_blocks_equal_the_oracle(seed: int, n: int, density: float) -> None:
    rng = np.random.default_rng(seed)
    compiled = compiled_world(rng, n, density=density)
    i, j = rng.integers(0, n, (2, 3 * n))  # in any order, some of them twice
    assert np.array_equal(compiled.may_meet(i, j), plain_may_meet(compiled, i, j))
    assert np.array_equal(compiled.may_show(i, j), plain_may_show(compiled, i, j))
    rows, columns = i[:7], j[:9]
    every = np.repeat(rows, len(columns)), np.tile(columns, len(rows))
    shape = (len(rows), len(columns))
    assert np.array_equal(
        compiled.may_meet_block(rows, columns), plain_may_meet(compiled, *every).reshape(shape)
    )
    assert np.array_equal(
        compiled.may_show_block(rows, columns), plain_may_show(compiled, *every).reshape(shape)
    )


def test_nobody_is_asked_about() -> None:
    compiled = compiled_world(np.random.default_rng(0), 4)
    assert compiled.may_show([], []).shape == (0,)
    assert compiled.may_show_block([], [1]).shape == (0, 1)
    assert compiled.may_meet_block([1, 2], []).shape == (2, 0)
