import numpy as np
import pytest

from recsys.models.fold_in import EntriesByPerson, fold_in, fold_in_answers


def case(rng, n_people=12, n_others=15, k=4, n=60):
    own, others = np.divmod(rng.choice((n_people - 1) * n_others, n, replace=False), n_others)
    return {
        "prior": rng.normal(size=(n_people, k)),
        "factors": rng.normal(size=(n_others, k)),
        "own": own,
        "others": others,
        "trust": rng.uniform(0.1, 3.0, n),
        "labels": (rng.random(n) < 0.4).astype(float),
        "offset": rng.normal(size=n),
    }


def answers(c, steps=400, strength=1.5, chosen=slice(None)):
    evidence = EntriesByPerson.of(len(c["prior"]), c["own"][chosen], c["others"][chosen])
    names = {"labels": "labels", "weights": "trust", "offset": "offset"}
    given = {name: c[source][chosen] for name, source in names.items()}
    return fold_in_answers(c["prior"], evidence, c["factors"], **given, strength=strength, steps=steps)


def test_fold_in_solves_the_normal_equations():
    """(lam I + sum c v v^T) u = lam m + sum c p v, person by person."""
    c = case(np.random.default_rng(0))
    targets, lam = c["labels"] * 2.0 - 0.5, 0.7
    found = fold_in(
        c["prior"],
        EntriesByPerson.of(12, c["own"], c["others"]),
        c["factors"],
        trust=c["trust"],
        targets=targets,
        strength=lam,
    )
    for person in range(12):
        at = c["own"] == person
        v, trust = c["factors"][c["others"][at]], c["trust"][at]
        left = lam * np.eye(4) + (v.T * trust) @ v
        right = lam * c["prior"][person] + (trust * targets[at]) @ v
        np.testing.assert_allclose(found[person], np.linalg.solve(left, right), atol=1e-10)


@pytest.mark.parametrize("seed", range(12))
def test_fold_in_solves_the_normal_equations_of_strong_and_weak_evidence(seed):
    """Fewer entries than columns and more, trust and priors between a thousandth and a thousand."""
    rng = np.random.default_rng(seed)
    n, k = int(rng.integers(1, 40)), int(rng.integers(1, 20))
    v, trust = rng.normal(size=(n, k)), 10.0 ** rng.uniform(-3, 3, n)
    targets, lam, prior = rng.normal(size=n), float(10.0 ** rng.uniform(-1, 3)), rng.normal(size=(1, k))
    evidence = EntriesByPerson.of(1, np.zeros(n, np.int64), np.arange(n))
    found = fold_in(prior, evidence, v, trust=trust, targets=targets, strength=lam)[0]
    left, right = lam * np.eye(k) + (v.T * trust) @ v, lam * prior[0] + (trust * targets) @ v
    np.testing.assert_allclose(left @ found, right, rtol=0.0, atol=1e-8 * max(np.abs(right).max(), 1.0))


def test_fold_in_of_no_evidence_returns_the_prior_mean():
    c = case(np.random.default_rng(1))
    evidence = EntriesByPerson.of(12, c["own"], c["others"])
    assert 11 not in c["own"]
    linear = fold_in(c["prior"], evidence, c["factors"], trust=c["trust"], targets=c["labels"], strength=0.3)
    for found in (linear, answers(c)):
        assert found[11].tobytes() == c["prior"][11].tobytes()
        assert not np.array_equal(found[c["own"][0]], c["prior"][c["own"][0]])


def test_fold_in_is_invariant_to_the_order_of_entries():
    c = case(np.random.default_rng(2))
    before = {name: value.copy() for name, value in c.items()}
    mixed = np.random.default_rng(3).permutation(60)
    assert answers(c).tobytes() == answers(c, chosen=mixed).tobytes()
    for name, value in before.items():
        np.testing.assert_array_equal(c[name], value)


def test_fold_in_answers_converges_to_the_posterior_mode():
    c = case(np.random.default_rng(4))
    found = answers(c, strength=1.5)
    for person in range(12):
        at = c["own"] == person
        v = c["factors"][c["others"][at]]
        p = 1.0 / (1.0 + np.exp(-(c["offset"][at] + v @ found[person])))
        pull = (c["trust"][at] * (c["labels"][at] - p)) @ v
        np.testing.assert_allclose(1.5 * (found[person] - c["prior"][person]), pull, atol=1e-8)


@pytest.mark.parametrize("seed", range(8))
def test_a_pass_never_raises_and_a_like_never_lowers_the_logit_of_its_pair(seed):
    """Against the same person with that one look unseen, whatever the other looks say."""
    c = case(np.random.default_rng(seed))
    full = answers(c)
    for entry in range(0, 60, 7):
        unseen = answers(c, chosen=np.arange(60) != entry)
        person, v = c["own"][entry], c["factors"][c["others"][entry]]
        moved = v @ full[person] - v @ unseen[person]
        assert moved > 0 if c["labels"][entry] else moved < 0


def test_distance_from_the_prior_mean_grows_with_evidence():
    """The same answers about more and more people bring a person from the prior to where they are."""
    rng = np.random.default_rng(5)
    truth, factors = rng.normal(size=3), rng.normal(size=(4000, 3))
    distance = []
    for n in (0, 10, 100, 4000):
        labels = (rng.random(n) < 1.0 / (1.0 + np.exp(-factors[:n] @ truth))).astype(float)
        evidence = EntriesByPerson.of(1, np.zeros(n, np.int64), np.arange(n))
        found = fold_in_answers(
            np.full((1, 3), 3.0),
            evidence,
            factors,
            labels=labels,
            weights=np.ones(n),
            offset=np.zeros(n),
            strength=5.0,
            steps=100,
        )
        distance.append(float(np.linalg.norm(found[0] - truth)))
    assert distance[0] > distance[1] > distance[2] > distance[3]
    assert distance[3] < 0.25


def test_rows_do_not_depend_on_how_people_are_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(9)
    own, others = rng.integers(0, 40, 500), rng.integers(0, 30, 500)
    evidence = EntriesByPerson.of(41, own, others)
    prior, factors, trust, targets = (
        rng.random((41, 6)),
        rng.random((30, 6)),
        rng.random(500),
        rng.random(500),
    )
    found = []
    for workers in (1, 3):
        monkeypatch.setattr("recsys.parallel.n_threads", lambda *_, n=workers: n)
        found.append(fold_in(prior, evidence, factors, trust=trust, targets=targets, strength=2.0))
    assert np.array_equal(*found)
    for person in (0, 17, 40):
        mine = own == person
        v, c = factors[others[mine]], trust[mine]
        left = 2.0 * np.eye(6) + (v * c[:, None]).T @ v
        right = 2.0 * prior[person] + v.T @ (c * targets[mine])
        np.testing.assert_allclose(found[0][person], np.linalg.solve(left, right), rtol=1e-9)
