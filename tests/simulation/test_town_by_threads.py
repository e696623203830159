"""What threads share out in the making of a town is what one would make alone."""

import numpy as np
import pytest

from recsys.constraints.policy import Policy
from recsys.data.population import Population
from recsys.simulation.burn_in import make_pools
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
