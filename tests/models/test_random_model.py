import numpy as np

from recsys.data.events import Events
from recsys.data.population import Population
from recsys.models.baselines import RandomConfig, RandomModel
from tests.contracts.model_contract import ModelContract
from tests.people import AS_OF


class TestContract(ModelContract):
    def model(self):
        return RandomModel()


def crowd(n):
    return Population.of_ids([f"u{k}" for k in range(n)], as_of=AS_OF)


def fitted(people, seed=0, config=None):
    return RandomModel(config).fit(people, Events.none(), rng=np.random.default_rng(seed))


def test_scores_spread_as_asked_and_have_no_order():
    model = fitted(crowd(400), config=RandomConfig(spread=2.0))
    i, j = np.divmod(np.arange(160_000), 400)
    logits = model.fitted.logits(i, j).reshape(400, 400)
    assert abs(logits.mean()) < 0.1
    assert abs(logits.std() - 2.0) < 0.1
    assert abs(np.corrcoef(logits.ravel(), logits.T.ravel())[0, 1]) < 0.02


def test_two_people_score_the_same_in_any_crowd():
    model = fitted(crowd(50))
    few = model.directed(crowd(50).take([3, 40]))
    assert few.logits([0], [1]) == model.fitted.logits([3], [40])


def test_another_seed_is_another_order():
    i, j = np.divmod(np.arange(900), 30)
    first, second = (fitted(crowd(30), seed).fitted.logits(i, j) for seed in (0, 1))
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.2
