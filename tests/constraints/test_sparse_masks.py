"""PairRules rules beside their twin written with sets, and beside the compiled pairs."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.constraints.sparse_masks import CsrRows, PairRules, mask_pairs, shown_columns
from tests.retrieval.worlds import compiled_world


def linked(links: CsrRows, of: int) -> set[int]:
    return set(links.indices[links.indptr[of] : links.indptr[of + 1]].tolist())


def plain_open(viewer: int, candidate: int, rules: PairRules, excluded: CsrRows) -> bool:
    """The twin: one pair, with sets."""
    own_v, own_c = linked(rules.own, viewer), linked(rules.own, candidate)
    avoid_v, avoid_c = linked(rules.avoid, viewer), linked(rules.avoid, candidate)
    if viewer == candidate or candidate in linked(rules.separated, viewer) | linked(excluded, viewer):
        return False
    if own_v & own_c or own_v & avoid_c or avoid_v & own_c:
        return False
    suggested = rules.liked_only[viewer] and rules.suggestible[viewer] and rules.suggestible[candidate]
    return not rules.liked_only[candidate] or bool(suggested) or candidate in linked(rules.likers, viewer)


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 40))
def test_kernel_equals_its_twin(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    compiled = compiled_world(rng, n)
    rules = compiled.pair_rules(rng.permutation(n).astype(np.int32))
    ends = np.sort(rng.integers(0, n, n - 1)) if n > 1 else np.zeros(0, np.int64)
    excluded = CsrRows(np.r_[0, ends, n].astype(np.int64), np.zeros(n, np.int32))
    viewers = rng.permutation(n)[: 1 + n // 2].astype(np.int32)
    columns = np.sort(rng.permutation(n)[: rng.integers(0, n + 1)]).astype(np.int32)
    before = rng.random((len(viewers), len(columns))) < 0.8
    after = before.copy()
    mask_pairs(after, viewers, columns, rules, excluded)
    expected = [[plain_open(int(v), int(c), rules, excluded) for c in columns] for v in viewers]
    assert np.array_equal(after, before & np.array(expected, bool).reshape(before.shape))


@settings(deadline=None, max_examples=80)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 60), n_viewers=st.integers(1, 6))
def test_columns_left_out_are_shown_to_no_viewer(seed: int, n: int, n_viewers: int) -> None:
    rng = np.random.default_rng(seed)
    rules = compiled_world(rng, n).pair_rules(rng.permutation(n).astype(np.int32))
    viewers = rng.permutation(n)[:n_viewers].astype(np.int32)
    columns = np.sort(rng.permutation(n)[: rng.integers(0, n + 1)]).astype(np.int32)
    parts = shown_columns(rules, viewers, columns)
    kept = np.concatenate(parts)
    assert all((np.diff(part) > 0).all() for part in parts)
    assert len(parts) == 1 or not rules.liked_only[parts[0]].any()
    hidden = [c for c in columns.tolist() if rules.liked_only[c]]
    useless = {c for c in hidden if not any(plain_shown(int(v), c, rules) for v in viewers)}
    assert sorted(kept.tolist()) == sorted(set(columns.tolist()) - useless)


def plain_shown(viewer: int, candidate: int, rules: PairRules) -> bool:
    """Whether discretion alone lets a viewer of either kind see a liked-only candidate."""
    suggested = rules.liked_only[viewer] and rules.suggestible[viewer] and rules.suggestible[candidate]
    return bool(suggested) or candidate in linked(rules.likers, viewer)


def test_numbers_follow_the_given_order() -> None:
    rng = np.random.default_rng(1)
    compiled = compiled_world(rng, 30)
    order = rng.permutation(30)[:20].astype(np.int32)
    rules = compiled.pair_rules(order)
    place = {int(row): at for at, row in enumerate(order)}
    n_found = 0
    for at, row in enumerate(order):
        separated = {place[r] for r in compiled.separated.row(row).tolist() if r in place}
        assert linked(rules.separated, at) == separated
        likers = {place[r] for r in compiled.liked_by.row(row).tolist() if r in place}
        assert linked(rules.likers, at) == likers
        assert linked(rules.own, at) == set(compiled.own.row(row).tolist())
        n_found += len(separated) + len(likers)
    assert n_found > 10
    assert rules.liked_only.tolist() == compiled.liked_only[order].tolist()
