"""All pairs of a few people, for comparing a block with its plain definition."""

import numpy as np


def all_pairs(people):
    """Return every directed pair, people with themselves included."""
    n = len(people)
    return np.repeat(np.arange(n), n), np.tile(np.arange(n), n)


def assert_is(block, people, plain):
    """Fail unless the fitted block's score of every pair is `plain(i, j)` and lies in [-1, 1]."""
    i, j = all_pairs(people)
    scores = block.transform(people).pair_scores(i, j)
    expected = [plain(int(a), int(b)) for a, b in zip(i, j, strict=True)]
    np.testing.assert_allclose(scores, expected, atol=2e-6)
    assert np.abs(scores).max(initial=0.0) <= 1.0 + 1e-6
    assert np.ptp(expected) > 0.01  # else the comparison says nothing
