"""Short lists: cut often and in any order, they rescore on the same people as sorting everybody."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from recsys.models.directed import Directed
from recsys.models.reciprocal import COMBINERS
from recsys.retrieval.index import build_factor_store
from recsys.retrieval.score_bounds import COMBINER_NUMBERS, viewers_from_store
from recsys.retrieval.shortlist import (
    NO_PRICE,
    SearchTarget,
    TopK,
    empty_shortlists,
    empty_top_k,
    in_order,
    shortlist_capacity,
)
from recsys.retrieval.threshold_pruning import kth_best_bound, kth_largest, rescore
from recsys.retrieval.tile_search import scan_tile
from tests.retrieval.plain import plain_scores
from tests.retrieval.worlds import directed_world

how = st.sampled_from(sorted(COMBINERS))


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(2, 30),
    k=st.integers(1, 10),
    how=how,
    ties=st.booleans(),
    priced=st.booleans(),
)
@example(seed=3, n=2, k=1, how="product", ties=True, priced=True)  # one place for all, near itself
def test_kept_in_any_number_of_blocks_equals_sorting(
    seed: int, n: int, k: int, how: str, ties: bool, priced: bool
) -> None:
    rng = np.random.default_rng(seed)
    directed = directed_world(rng, n, 6, ties=ties)
    order = rng.permutation(n).astype(np.int32)
    people = build_factor_store(directed, order)
    rows = np.arange(min(n, 3), dtype=np.int32)
    viewers, mask = viewers_from_store(people, rows), rng.random((len(rows), n)) < 0.7
    price = rng.choice([0.0, 0.1, 0.7, 3.0], n) if priced else NO_PRICE
    wanted = SearchTarget(COMBINER_NUMBERS[how], k, price, price.max(initial=0.0))
    lists, best = empty_shortlists(len(rows), shortlist_capacity(k, n)), empty_top_k(len(rows), k)
    for columns in np.array_split(rng.permutation(n).astype(np.int32), 3):
        part = np.ascontiguousarray(mask[:, columns])
        scan_tile(lists, viewers, columns, part, people, wanted)
    rescore(lists, best, viewers, people, wanted)
    score, p, _ = plain_scores(directed, how)
    for r in range(len(rows)):
        value = score[order[r], order] - (price * p[order[r], order] if priced else 0.0)
        at = sorted(np.flatnonzero(mask[r]).tolist(), key=lambda a: (-value[a], order[a]))[:k]
        assert best.position[r, : best.length[r]].tolist() == at
        assert best.score[r, : best.length[r]].tolist() == score[order[r], order[at]].tolist()


@settings(deadline=None, max_examples=60)
@given(
    values=st.lists(st.floats(0, 1) | st.sampled_from([0.0, 1e-300, 0.5, 1.0]), min_size=2, max_size=80),
    share=st.floats(0, 1),
    shift=st.sampled_from([0.0, 0.7]),
)
def test_what_is_reached_by_k_is_hardly_less_than_the_kth(
    values: list[float], share: float, shift: float
) -> None:
    score = np.array(values) - shift
    k = 1 + int(share * (len(values) - 2))
    kth = np.sort(score)[-k]
    found = kth_best_bound(score.copy(), k)
    assert found <= kth
    assert (score >= found).sum() <= max(k + len(values) // 8, (score >= kth).sum())


@pytest.mark.parametrize("n", [0, 1, 40, 700])
@pytest.mark.parametrize("distinct", [3, 10**6])
def test_order_is_by_value_then_row(n: int, distinct: int) -> None:
    rng = np.random.default_rng(n)
    value, row = rng.integers(0, distinct, n) / 7.0, rng.permutation(n).astype(np.int32)
    expected = sorted(range(n), key=lambda a: (-value[a], row[a]))
    assert in_order(value, row).tolist() == expected


def found_among(directed: Directed, n_viewers: int, k: int, how: str) -> tuple[TopK, int]:
    """The k best of the first few among everybody, and how many pairs were scored exactly."""
    n = len(directed)
    people = build_factor_store(directed, np.arange(n, dtype=np.int32))
    columns = np.arange(n, dtype=np.int32)
    viewers = viewers_from_store(people, columns[:n_viewers])
    lists, best = empty_shortlists(n_viewers, shortlist_capacity(k, n)), empty_top_k(n_viewers, k)
    every, wanted = np.ones((n_viewers, n), bool), SearchTarget(COMBINER_NUMBERS[how], k, NO_PRICE, 0.0)
    n_exact = scan_tile(lists, viewers, columns, every, people, wanted)
    return best, n_exact + rescore(lists, best, viewers, people, wanted)


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


@settings(deadline=None, max_examples=100)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 200), few=st.booleans())
def test_the_kth_largest_is_that_of_sorting(seed: int, n: int, few: bool) -> None:
    rng = np.random.default_rng(seed)
    score = rng.integers(-3, 3, n).astype(float) if few else rng.normal(size=n)
    before = score.tolist()
    assert [kth_largest(score, k) for k in range(1, n + 1)] == sorted(before, reverse=True)
    assert score.tolist() == before
