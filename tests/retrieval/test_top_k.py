"""The laws of retrieval, on random small communities."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.constraints.compiled import Compiled
from recsys.constraints.distance import cell_reach
from recsys.data.csr import SparseRows
from recsys.data.ids import IdIndex
from recsys.errors import ArgumentTypeError, InputError, SettingsError
from recsys.models.directed import Directed
from recsys.models.reciprocal import COMBINERS, combine
from recsys.retrieval import MutualLists, Retriever, mutual_top_k
from tests.retrieval.plain import plain_scores, plain_top_k
from tests.retrieval.worlds import compiled_world, directed_world, everybody_open, frozen, permuted, worlds

World = tuple[Compiled, Directed]
ARRAYS = ("viewers", "indptr", "candidates", "p_like", "p_liked_back", "p_mutual")
combiners = st.sampled_from(sorted(COMBINERS))


def as_dict(lists: MutualLists) -> dict[int, list[int]]:
    bounds = zip(lists.viewers.tolist(), lists.indptr[:-1], lists.indptr[1:], strict=True)
    return {viewer: lists.candidates[start:stop].tolist() for viewer, start, stop in bounds}


def same_bytes(a: MutualLists, b: MutualLists) -> bool:
    return all(getattr(a, name).tobytes() == getattr(b, name).tobytes() for name in ARRAYS)


def by_definition(world: World, k: int, how: str) -> dict[int, list[int]]:
    compiled, directed = world
    listed = np.flatnonzero(compiled.listed).tolist()
    return {viewer: plain_top_k(directed, compiled, viewer, k, how)[0] for viewer in listed}


@settings(deadline=None, max_examples=150)
@given(world=worlds, k=st.integers(1, 50), how=combiners, tile=st.integers(1, 50))
def test_equals_the_plain_definition(world: World, k: int, how: str, tile: int) -> None:
    compiled, directed = world
    found = mutual_top_k(directed, compiled, k=k, combiner=how, tile=tile)
    assert as_dict(found) == by_definition(world, k, how)
    score, p, q = plain_scores(directed, how)
    at = found.viewer_of_each, found.candidates
    assert found.p_mutual.tobytes() == score[at].tobytes()
    assert found.p_like.tobytes() == p[at].astype(np.float32).tobytes()
    assert found.p_liked_back.tobytes() == q[at].astype(np.float32).tobytes()


@settings(deadline=None, max_examples=40)
@given(world=worlds, k=st.integers(1, 8), how=combiners, tile=st.integers(1, 50), workers=st.integers(1, 3))
def test_tiles_and_workers_change_no_byte(world: World, k: int, how: str, tile: int, workers: int) -> None:
    compiled, directed = world
    usual = mutual_top_k(directed, compiled, k=k, combiner=how)
    assert same_bytes(usual, mutual_top_k(directed, compiled, k=k, combiner=how, tile=tile, workers=workers))


@pytest.mark.parametrize("columns", [1, 3, 17])
def test_chunks_change_no_byte(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    compiled, directed = compiled_world(rng, 70), directed_world(rng, 70, 9)
    usual = mutual_top_k(directed, compiled, k=6)
    monkeypatch.setattr("recsys.retrieval.memory_limit.COLUMNS", columns)
    assert same_bytes(usual, mutual_top_k(directed, compiled, k=6, tile=16))


@settings(deadline=None, max_examples=40)
@given(world=worlds, k=st.integers(1, 20), how=combiners)
def test_shorter_lists_are_prefixes(world: World, k: int, how: str) -> None:
    compiled, directed = world
    shorter = as_dict(mutual_top_k(directed, compiled, k=k, combiner=how))
    longer = as_dict(mutual_top_k(directed, compiled, k=k + 1, combiner=how))
    assert shorter == {viewer: found[:k] for viewer, found in longer.items()}


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 40), k=st.integers(1, 10))
def test_renumbering_people_renumbers_the_answer(seed: int, n: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    compiled, directed = compiled_world(rng, n), directed_world(rng, n)
    order = rng.permutation(n)
    before = as_dict(mutual_top_k(directed, compiled, k=k))
    again, moved = permuted(compiled, directed, order)
    after = as_dict(mutual_top_k(moved, again, k=k))
    assert before == {int(order[viewer]): [int(order[c]) for c in found] for viewer, found in after.items()}


@settings(deadline=None, max_examples=40)
@given(world=worlds, k=st.integers(1, 8), seed=st.integers(0, 99))
def test_a_batch_equals_its_viewers_one_by_one(world: World, k: int, seed: int) -> None:
    compiled, directed = world
    n = compiled.n_people
    viewers = np.random.default_rng(seed).permutation(n)[: n // 2]
    retriever = Retriever(directed, compiled, tile=8)
    batch = retriever.top_k(viewers, k=k)
    assert batch.viewers.tolist() == viewers.tolist()
    alone = {int(v): as_dict(retriever.top_k([v], k=k))[int(v)] for v in viewers}
    assert as_dict(batch) == alone
    everybody = as_dict(retriever.top_k(k=k))
    assert {v: everybody.get(v, []) for v in alone} == alone


@settings(deadline=None, max_examples=40)
@given(world=worlds, k=st.integers(1, 8), bit=st.integers(0, 11))
def test_another_constraint_only_takes_away(world: World, k: int, bit: int) -> None:
    compiled, directed = world
    refuses = compiled.refuses.copy()
    refuses[::2, 0] |= np.uint64(1 << bit)
    tightened = replace(compiled, refuses=refuses)
    before, after = mutual_top_k(directed, compiled, k=k), mutual_top_k(directed, tightened, k=k)
    allowed = tightened.may_show(before.viewer_of_each, before.candidates)
    left = (
        {
            viewer: [c for c, ok in zip(found, ok_list, strict=True) if ok]
            for (viewer, found), ok_list in zip(
                as_dict(before).items(), np.split(allowed, before.indptr[1:-1]), strict=True
            )
        }
        if len(before)
        else {}
    )
    assert {viewer: found[: len(left[viewer])] for viewer, found in as_dict(after).items()} == left


@settings(deadline=None, max_examples=40)
@given(world=worlds, k=st.integers(1, 8), seed=st.integers(0, 99))
def test_exclusions_hold_for_one_call_and_one_direction(world: World, k: int, seed: int) -> None:
    compiled, directed = world
    n = compiled.n_people
    pairs = np.random.default_rng(seed).integers(0, max(n, 1), (n, 2))
    found = as_dict(mutual_top_k(directed, compiled, k=k, exclude=pairs))
    excluded = {tuple(pair) for pair in pairs.tolist()}
    longest = as_dict(mutual_top_k(directed, compiled, k=max(n, 1)))
    assert found == {v: [c for c in all_ if (v, c) not in excluded][:k] for v, all_ in longest.items()}


@settings(deadline=None, max_examples=60)
@given(
    world=worlds,
    k=st.integers(1, 20),
    how=combiners,
    tile=st.integers(1, 50),
    prices=st.sampled_from([(0.0,), (0.0, 0.2), (0.1, 0.7, 5.0), (1e9,)]),
)
def test_prices_order_by_what_is_left(
    world: World, k: int, how: str, tile: int, prices: tuple[float, ...]
) -> None:
    compiled, directed = world
    price = np.random.default_rng(0).choice(prices, compiled.n_people)
    found = mutual_top_k(directed, compiled, k=k, combiner=how, tile=tile, price=price)
    score, p, _ = plain_scores(directed, how)
    value = score - price * p
    listed = np.flatnonzero(compiled.listed)
    shown = compiled.may_show_block(listed, np.arange(compiled.n_people))
    expected = {
        int(viewer): sorted(np.flatnonzero(row).tolist(), key=lambda c: (-value[viewer, c], c))[:k]
        for viewer, row in zip(listed, shown, strict=True)
    }
    assert as_dict(found) == expected
    assert found.p_mutual.tobytes() == score[found.viewer_of_each, found.candidates].tobytes()


def test_no_price_is_a_price_of_nothing() -> None:
    rng = np.random.default_rng(8)
    compiled, directed = compiled_world(rng, 300, density=0.0), directed_world(rng, 300)
    usual = mutual_top_k(directed, compiled, k=9)
    assert same_bytes(usual, mutual_top_k(directed, compiled, k=9, price=np.zeros(300)))


def test_nothing_given_is_written_to() -> None:
    rng = np.random.default_rng(1)
    compiled, directed = compiled_world(rng, 50), directed_world(rng, 50)
    usual = mutual_top_k(directed, compiled, k=5)
    locked = frozen(compiled, directed)
    assert same_bytes(usual, mutual_top_k(locked[1], locked[0], k=5))


@pytest.mark.parametrize("how", sorted(COMBINERS))
def test_scores_are_the_combined_probabilities_of_the_model(how: str) -> None:
    rng = np.random.default_rng(2)
    compiled, directed = compiled_world(rng, 40), directed_world(rng, 40)
    found = mutual_top_k(directed, compiled, k=10, combiner=how)
    assert len(found.candidates) > 100
    p = directed.probabilities(found.viewer_of_each, found.candidates)
    q = directed.probabilities(found.candidates, found.viewer_of_each)
    np.testing.assert_allclose(found.p_like, p, rtol=1e-6)
    np.testing.assert_allclose(found.p_liked_back, q, rtol=1e-6)
    np.testing.assert_allclose(found.p_mutual, combine(p, q, how), rtol=1e-6)


def test_bounds_skip_pairs_and_lose_none() -> None:
    """Large enough that most pairs are skipped unseen; factors of very different size."""
    rng = np.random.default_rng(3)
    n = 900
    compiled = everybody_open(n)
    loud = directed_world(rng, n, 33)
    size = np.exp(rng.normal(size=(n, 1)) * 2).astype(np.float32)
    directed = replace(loud, taste=loud.taste * size * 0.1)
    for how in COMBINERS:
        found = as_dict(mutual_top_k(directed, compiled, k=4, combiner=how))
        score = plain_scores(directed, how)[0]
        np.fill_diagonal(score, -1.0)
        order = np.lexsort((np.broadcast_to(np.arange(n), (n, n)), -score), axis=1)[:, :4]
        assert list(found.values()) == order.tolist()


def test_a_kernel_that_ignores_separations_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    world = compiled_world(rng, 40), directed_world(rng, 40)
    assert as_dict(mutual_top_k(world[1], world[0], k=40)) == by_definition(world, 40, "product")
    monkeypatch.setattr("recsys.retrieval.tile_search.mask_pairs", lambda *arrays: None)
    assert as_dict(mutual_top_k(world[1], world[0], k=40)) != by_definition(world, 40, "product")


def test_a_margin_of_nothing_would_be_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancelling factors make quick logits wrong by far more than the scores differ."""
    rng = np.random.default_rng(6)
    n = 200
    base = rng.normal(size=(n, 8)).astype(np.float32)
    huge = np.float32(4096.0) * rng.normal(size=(1, 8)).astype(np.float32)
    directed = Directed.of(
        IdIndex([f"u{row:03d}" for row in range(n)]),
        taste=np.hstack([base, np.repeat(huge, n, axis=0), np.repeat(-huge, n, axis=0)]),
        appeal=np.hstack([base[::-1] * 0.001, np.ones((n, 16), np.float32)]),
    )
    world = everybody_open(n), directed
    expected = by_definition(world, 3, "cross_ratio")
    assert as_dict(mutual_top_k(directed, world[0], k=3, combiner="cross_ratio")) == expected
    monkeypatch.setattr("recsys.retrieval.index.margin_of", lambda taste, *others: np.zeros(len(taste)))
    assert as_dict(mutual_top_k(directed, world[0], k=3, combiner="cross_ratio")) != expected


class TestHostileInput:
    @pytest.mark.parametrize("n", [0, 1, 2, 3])
    def test_hardly_anybody(self, n: int) -> None:
        rng = np.random.default_rng(0)
        found = mutual_top_k(directed_world(rng, n), everybody_open(n), k=100)
        assert found.lengths.tolist() == [max(n - 1, 0)] * n

    def test_nobody_listed(self) -> None:
        compiled = everybody_open(5, listed=np.zeros(5, bool))
        directed = directed_world(np.random.default_rng(0), 5)
        assert len(mutual_top_k(directed, compiled, k=3)) == 0
        asked = mutual_top_k(directed, compiled, k=3, viewers=[4, 2])
        assert asked.viewers.tolist() == [4, 2]
        assert asked.lengths.tolist() == [0, 0]

    def test_nobody_eligible(self) -> None:
        everything = np.full((6, 1), 3, np.uint64)
        compiled = everybody_open(6, traits=everything, refuses=everything)
        found = mutual_top_k(directed_world(np.random.default_rng(0), 6), compiled, k=3)
        assert found.lengths.tolist() == [0] * 6
        assert len(found.candidates) == 0

    def test_everybody_identical_comes_in_row_order(self) -> None:
        n = 300
        directed = Directed.of(
            IdIndex([f"u{row:03d}" for row in range(n)]), taste=np.ones((n, 3)), appeal=np.ones((n, 3))
        )
        found = as_dict(mutual_top_k(directed, everybody_open(n), k=4, tile=7))
        assert found[0] == [1, 2, 3, 4]
        assert found[2] == [0, 1, 3, 4]
        assert all(candidates == [0, 1, 2, 3] for viewer, candidates in found.items() if viewer > 4)

    @pytest.mark.parametrize("size", [50.0, 800.0, 1e5])
    def test_certain_likes_and_dislikes(self, size: float) -> None:
        """Probabilities that round to 0 and 1, and scores that underflow."""
        rng = np.random.default_rng(7)
        directed = directed_world(rng, 40, 4, ties=True)
        world = everybody_open(40), replace(directed, taste=directed.taste * np.float32(size))
        for how in COMBINERS:
            assert as_dict(mutual_top_k(world[1], world[0], k=7, combiner=how, tile=5)) == by_definition(
                world, 7, how
            )

    @pytest.mark.parametrize("n_factors", [0, 1, 512])
    def test_any_number_of_factors(self, n_factors: int) -> None:
        rng = np.random.default_rng(8)
        world = compiled_world(rng, 30), directed_world(rng, 30, n_factors)
        assert as_dict(mutual_top_k(world[1], world[0], k=5)) == by_definition(world, 5, "product")

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_factors_that_are_no_numbers_are_named(self, value: float) -> None:
        directed = directed_world(np.random.default_rng(0), 9)
        directed.appeal[[3, 7], 1] = value
        with pytest.raises(InputError, match=r"appeal, 2 rows, the first 3, 7"):
            mutual_top_k(directed, everybody_open(9), k=3)

    def test_factors_too_large_to_multiply(self) -> None:
        directed = directed_world(np.random.default_rng(0), 9)
        loud = replace(directed, taste=directed.taste * np.float32(1e36))
        with pytest.raises(InputError, match="too large"):
            mutual_top_k(loud, everybody_open(9), k=3)

    @pytest.mark.parametrize("name", ["taste", "appeal"])
    def test_one_person_of_enormous_factors_changes_nobody_elses_list(self, name: str) -> None:
        """Beside theirs, everybody's whole numbers round to nothing, and all pairs are scored exactly."""
        rng = np.random.default_rng(10)
        n = 500
        directed = directed_world(rng, n, 8, near=False)
        getattr(directed, name)[7] *= np.float32(1e7)
        for how in COMBINERS:
            found = mutual_top_k(directed, everybody_open(n), k=4, combiner=how, tile=64)
            score = plain_scores(directed, how)[0]
            np.fill_diagonal(score, -1.0)
            order = np.lexsort((np.broadcast_to(np.arange(n), (n, n)), -score), axis=1)[:, :4]
            assert list(as_dict(found).values()) == order.tolist()

    def test_one_person_separated_from_everybody(self) -> None:
        n = 2000
        others = np.arange(1, n)
        apart = SparseRows.of(np.r_[np.zeros(n - 1, int), others], np.r_[others, np.zeros(n - 1, int)], n)
        compiled = everybody_open(n, separated_indptr=apart.indptr, separated_indices=apart.indices)
        found = mutual_top_k(directed_world(np.random.default_rng(0), n), compiled, k=n)
        assert found.lengths.tolist() == [0] + [n - 2] * (n - 1)
        assert 0 not in found.candidates

    def test_a_hundred_thousand_separations_on_one_person(self) -> None:
        n = 100_002
        others = np.arange(1, n - 1)
        apart = SparseRows.of(np.r_[np.zeros(n - 2, int), others], np.r_[others, np.zeros(n - 2, int)], n)
        compiled = everybody_open(n, separated_indptr=apart.indptr, separated_indices=apart.indices)
        directed = directed_world(np.random.default_rng(0), n, 3, near=False)
        found = as_dict(mutual_top_k(directed, compiled, viewers=[0, 1, n - 1], k=n))
        assert found[0] == [n - 1]
        assert sorted(found[1]) == list(range(2, n))
        assert sorted(found[n - 1]) == list(range(n - 1))

    def test_one_cell_with_everybody(self) -> None:
        n = 60
        rng = np.random.default_rng(1)
        limits = rng.integers(0, 3, n).astype(np.uint16)
        compiled = everybody_open(
            n,
            in_person=rng.random(n) < 0.7,
            max_km=limits,
            min_km=(limits == 2).astype(np.uint16),
            cell_reach=np.full((1, 1), 1, np.uint32),
        )
        world = compiled, directed_world(rng, n)
        found = as_dict(mutual_top_k(world[1], compiled, k=4, tile=16))
        assert found == by_definition(world, 4, "product")
        assert 0 < sum(map(len, found.values())) < 4 * n

    def test_across_the_antimeridian(self) -> None:
        import h3

        texts = [h3.latlng_to_cell(-16.8, lng, 5) for lng in (179.95, -179.95, 178.0, 0.0)]
        numbers = np.array(sorted(h3.str_to_int(text) for text in texts), np.uint64)
        at = np.searchsorted(numbers, np.array([h3.str_to_int(text) for text in texts], np.uint64))
        compiled = everybody_open(
            4,
            cell=at.astype(np.int32),
            cell_reach=cell_reach(np.r_[numbers, np.uint64(0)]),
            in_person=np.ones(4, bool),
            max_km=np.full(4, 50, np.uint16),
        )
        found = as_dict(mutual_top_k(directed_world(np.random.default_rng(0), 4), compiled, k=4, tile=1))
        assert found == {0: [1], 1: [0], 2: [], 3: []}

    def test_float64_factors(self) -> None:
        rng = np.random.default_rng(2)
        taste, appeal = rng.normal(size=(2, 40, 6))
        ids = IdIndex([f"u{row:02d}" for row in range(40)])
        wide = Directed.of(ids, taste=taste, appeal=appeal)
        narrow = Directed.of(ids, taste=taste.astype(np.float32), appeal=appeal.astype(np.float32))
        unconverted = Directed(ids, taste, appeal, None, narrow.cell)
        usual = mutual_top_k(narrow, everybody_open(40), k=5)
        assert same_bytes(usual, mutual_top_k(wide, everybody_open(40), k=5))
        assert same_bytes(usual, mutual_top_k(unconverted, everybody_open(40), k=5))

    def test_people_of_another_model(self) -> None:
        with pytest.raises(InputError, match="different people"):
            mutual_top_k(directed_world(np.random.default_rng(0), 4), everybody_open(5), k=1)

    @pytest.mark.parametrize(
        ("wrong", "error"),
        [
            ({"k": 0}, SettingsError),
            ({"k": 2.5}, ArgumentTypeError),
            ({"k": True}, ArgumentTypeError),
            ({"workers": 0}, SettingsError),
            ({"tile": 0}, SettingsError),
            ({"combiner": "produkt"}, SettingsError),
            ({"viewers": [1, 1]}, InputError),
            ({"viewers": [5]}, InputError),
            ({"viewers": [-1]}, InputError),
            ({"exclude": [1, 2]}, InputError),
            ({"exclude": [[1, 9]]}, InputError),
            ({"price": [0.1, 0.2]}, InputError),
            ({"price": [0, 0, -1, 0, 0]}, InputError),
            ({"price": [0, 0, np.nan, 0, 0]}, InputError),
        ],
    )
    def test_impossible_arguments(self, wrong: dict[str, object], error: type[Exception]) -> None:
        directed = directed_world(np.random.default_rng(0), 5)
        with pytest.raises(error):
            mutual_top_k(directed, everybody_open(5), **({"k": 2} | wrong))  # type: ignore[arg-type]


def test_progress_counts_every_viewer() -> None:
    rng = np.random.default_rng(9)
    compiled, directed = compiled_world(rng, 60), directed_world(rng, 60)
    done: list[int] = []
    found = mutual_top_k(directed, compiled, k=2, tile=7, workers=2, progress=done.append)
    assert sum(done) == len(found) == int(compiled.listed.sum())
