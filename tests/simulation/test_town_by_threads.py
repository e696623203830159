"""What threads share out in the making of a town is what one would make alone."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.constraints.policy import Policy
from recsys.data.population import Population
from recsys.simulation.burn_in import CandidatePools, make_pools
from recsys.simulation.corruption import CorruptedRows
from recsys.simulation.night_state import is_among
from recsys.simulation.town import Town, make_town
from recsys.storage.load import load_population


@pytest.fixture(scope="module")
def some_town() -> Town:
    return make_town(700, np.random.default_rng(5))


@pytest.fixture(scope="module")
def people(some_town: Town) -> Population:
    return load_population(some_town.tables, some_town.as_of)


def test_likelihoods_do_not_depend_on_how_pairs_are_shared_out(
    some_town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth, rng = some_town.truth, np.random.default_rng(1)
    i, j = rng.integers(0, 700, (2, 3_000))
    whole = truth._logit(i, j)
    alone = np.array([truth._logit(i[at : at + 1], j[at : at + 1])[0] for at in range(0, 3_000, 7)])
    assert np.array_equal(whole[::7], alone)
    monkeypatch.setattr("recsys.simulation.truth._CHUNK", 64)
    for workers in (1, 3):
        monkeypatch.setattr("recsys.simulation.truth.n_threads", lambda *_, n=workers: n)
        assert np.array_equal(truth.logit(i, j), whole)
        assert np.array_equal(truth.rapport(i, j), truth._rapport(i, j))


@pytest.mark.parametrize("neighbourhood", [90, 4096])
def test_who_may_be_shown_does_not_depend_on_how_tiles_are_shared_out(
    people: Population, neighbourhood: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled, n = Policy.default().compile(people), len(people)
    monkeypatch.setattr("recsys.simulation.burn_in._TILE", 64)
    rng = np.random.default_rng(3)
    viewers, expected = rng.permutation(n), set[tuple[int, int]]()
    for start in range(0, n, 64):
        tile = [v for v in sorted(viewers[start : start + 64].tolist()) if compiled.listed[v]]
        if not tile:
            continue
        near = np.arange(n) if n <= neighbourhood else rng.choice(n, neighbourhood, replace=False)
        pairs = np.array([(v, c) for v in tile for c in near.tolist()])
        expected |= {(v, c) for v, c in pairs[compiled.may_meet(pairs[:, 0], pairs[:, 1])].tolist()}
    assert len(expected) > 20
    for workers in (1, 3):
        monkeypatch.setattr("recsys.simulation.burn_in.n_threads", lambda *_, n=workers: n)
        pools = make_pools(compiled, neighbourhood, np.random.default_rng(3))
        assert [divmod(key, n) for key in pools.keys.tolist()] == sorted(expected)


@pytest.mark.parametrize("workers", [1, 3])
def test_lists_do_not_depend_on_how_viewers_are_shared_out(
    workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = make_town(120, np.random.default_rng(9)).tables
    monkeypatch.setattr("recsys.simulation.burn_in._VIEWERS_AT_ONCE", 7)
    monkeypatch.setattr("recsys.simulation.burn_in.n_threads", lambda *_: workers)
    for name, table in make_town(120, np.random.default_rng(9)).tables.items():
        pd.testing.assert_frame_equal(table, whole[name])


KEYS = st.lists(st.integers(0, 24), max_size=30)


@given(keys=KEYS, known=KEYS)
def test_keys_are_found_as_one_by_one(keys: list[int], known: list[int]) -> None:
    ordered = np.unique(np.array(known, np.int64))
    assert is_among(np.array(keys, np.int64), ordered).tolist() == [key in known for key in keys]
    pools = CandidatePools(np.zeros(6, np.int64), ordered, np.zeros(len(ordered), bool))
    viewer, candidate = np.divmod(np.array(keys, np.int64), 5)
    found = ordered[pools.find(viewer, candidate)].tolist()
    assert found == sorted(key for key in keys if key in known)


@given(n=st.integers(0, 12), share=st.floats(0.0, 2.0), seed=st.integers(0, 99))
def test_a_broken_row_stands_after_the_good_row_that_was_drawn(n: int, share: float, seed: int) -> None:
    found = CorruptedRows.drawn(n, np.arange(n), share, np.random.default_rng(seed))
    rng, count = np.random.default_rng(seed), len(found.copied)
    if count:
        assert found.copied.tolist() == sorted(rng.integers(0, n, count).tolist())
    place = [*range(n), *(rng.integers(0, max(n, 1), count) + 0.5).tolist()]
    assert found.order.tolist() == sorted(range(n + count), key=place.__getitem__)
