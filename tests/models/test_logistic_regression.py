import numpy as np
import pytest
from scipy.optimize import minimize

from recsys.models import directed, logistic_regression
from recsys.models.directed import sigmoid
from recsys.models.logistic_regression import log_losses


def drawn(seed: int, n: int = 700) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(3, n)) * rng.uniform(0.2, 3.0, (3, 1))
    offset = rng.normal(size=n)
    labels = (rng.random(n) < sigmoid(offset + rng.normal(size=3) @ features)).astype(float)
    return {
        "features": features,
        "labels": labels,
        "weights": rng.uniform(0.0, 2.0, n),
        "offset": offset,
        "mean": rng.normal(size=3),
        "precision": np.array([0.0, 1.0, 30.0]),
    }


@pytest.mark.parametrize("seed", range(6))
def test_the_mode_is_where_the_penalised_loss_is_least(seed):
    case = drawn(seed)

    def loss(theta):
        losses = log_losses(case["offset"] + theta @ case["features"], case["labels"])[0]
        return case["weights"] @ losses + 0.5 * case["precision"] @ (theta - case["mean"]) ** 2

    found = logistic_regression.logistic_regression(**case)
    other = minimize(loss, np.zeros(3), method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10}).x
    np.testing.assert_allclose(found, other, atol=1e-5)


@pytest.mark.parametrize("seed", range(6))
def test_the_mode_is_the_same_wherever_the_search_begins_and_however_pairs_are_divided(seed, monkeypatch):
    case = drawn(seed)
    found = logistic_regression.logistic_regression(**case)
    far = np.random.default_rng(seed).normal(scale=5.0, size=3)
    np.testing.assert_allclose(logistic_regression.logistic_regression(**case, start=far), found, atol=1e-9)
    monkeypatch.setattr(logistic_regression, "PAIRS_AT_ONCE", 64)
    np.testing.assert_allclose(logistic_regression.logistic_regression(**case), found, atol=1e-9)


def test_a_search_begun_at_the_mode_stays_there():
    case = drawn(0)
    found = logistic_regression.logistic_regression(**case)
    again = logistic_regression.logistic_regression(**case, start=found)
    np.testing.assert_allclose(again, found, atol=1e-12)


def test_chances_of_many_logits_are_those_of_each(monkeypatch):
    logits = np.random.default_rng(0).normal(scale=20.0, size=1000)
    whole = sigmoid(logits)
    monkeypatch.setattr(directed, "_LOGITS_AT_ONCE", 300)
    assert sigmoid(logits).tobytes() == whole.tobytes()
