"""Short lists: cut often and in any order, they settle on the same people as sorting everybody."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.models.directed import Directed
from recsys.models.reciprocal import COMBINERS
from recsys.retrieval.best import Best, empty_best, keep_best, nobody_yet, room_for, settle
from recsys.retrieval.people import people_of
from recsys.retrieval.scores import COMBINER_NUMBERS
from tests.retrieval.plain import plain_scores
from tests.retrieval.worlds import directed_world

how = st.sampled_from(sorted(COMBINERS))


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1), n=st.integers(2, 30), k=st.integers(1, 10), how=how, ties=st.booleans()
)
def test_kept_in_any_number_of_blocks_equals_sorting(seed: int, n: int, k: int, how: str, ties: bool) -> None:
    rng = np.random.default_rng(seed)
    directed = directed_world(rng, n, 6, ties=ties)
    order = rng.permutation(n).astype(np.int32)
    people = people_of(directed, order)
    viewers = np.arange(min(n, 3), dtype=np.int32)
    mask = rng.random((len(viewers), n)) < 0.7
    number = COMBINER_NUMBERS[how]
    lists, best = nobody_yet(len(viewers), room_for(k, n)), empty_best(len(viewers), k)
    for columns in np.array_split(rng.permutation(n).astype(np.int32), 3):
        x = people.taste[viewers] @ people.appeal[columns].T
        y = people.appeal[viewers] @ people.taste[columns].T
        part = np.ascontiguousarray(mask[:, columns])
        keep_best(lists, viewers, columns, part, x, y, people, number, k)
    settle(lists, best, viewers, people, number)
    score = plain_scores(directed, how)[0]
    for r, viewer in enumerate(viewers):
        open_rows = order[mask[r]]
        expected = sorted(open_rows.tolist(), key=lambda row: (-score[order[viewer], row], row))[:k]
        assert order[best.position[r, : best.length[r]]].tolist() == expected


def found_among(directed: Directed, n_viewers: int, k: int, how: str) -> tuple[Best, int]:
    """The k best of the first few among everybody, and how many pairs were scored exactly."""
    n = len(directed)
    people = people_of(directed, np.arange(n, dtype=np.int32))
    viewers, columns = np.arange(n_viewers, dtype=np.int32), np.arange(n, dtype=np.int32)
    x, y = people.taste[viewers] @ people.appeal.T, people.appeal[viewers] @ people.taste.T
    lists, best = nobody_yet(n_viewers, room_for(k, n)), empty_best(n_viewers, k)
    every = np.ones((n_viewers, n), bool)
    n_exact = keep_best(lists, viewers, columns, every, x, y, people, COMBINER_NUMBERS[how], k)
    return best, n_exact + settle(lists, best, viewers, people, COMBINER_NUMBERS[how])


@pytest.mark.parametrize("how", sorted(COMBINERS))
def test_hardly_more_than_k_pairs_are_scored_exactly(how: str) -> None:
    directed = directed_world(np.random.default_rng(2), 3000, 16, near=False)
    _, n_exact = found_among(directed, 10, 5, how)
    assert 50 <= n_exact < 60


@pytest.mark.parametrize("how", sorted(COMBINERS))
@pytest.mark.parametrize("size", [0.0, 1.0, 1e4])
def test_short_lists_of_ties_and_certainties_are_cut_exactly(how: str, size: float) -> None:
    """Everybody alike (every pair is scored exactly), many ties, and logits in the thousands."""
    rng = np.random.default_rng(3)
    directed = directed_world(rng, 1500, 8, ties=True, near=False)
    directed = replace(directed, taste=directed.taste * np.float32(size))
    best, n_exact = found_among(directed, 4, 7, how)
    assert n_exact >= (4 * 1499 if size == 0 else 4 * 7)
    score = plain_scores(directed, how)[0]
    for r in range(4):
        expected = sorted(range(1500), key=lambda row: (-score[r, row], row))[:7]
        assert best.position[r].tolist() == expected
        assert best.score[r].tolist() == score[r, expected].tolist()
