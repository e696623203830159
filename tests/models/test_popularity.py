import numpy as np
import pandas as pd
import pytest

from recsys.data.events import Events
from recsys.data.population import Population
from recsys.errors import SourceError
from recsys.models.popularity import PopularityConfig, PopularityModel
from recsys.testing.model_contract import ModelContract
from recsys.testing.people import AS_OF


class TestContract(ModelContract):
    def model(self):
        return PopularityModel()


def test_scores_are_the_smoothed_like_rate():
    """b is liked by both who looked, c by one of two; the mean rate is (3 + 5 * 0.2) / (4 + 5)."""
    rows = [("a", "b", "like"), ("c", "b", "like"), ("a", "c", "like"), ("b", "c", "pass")]
    events = Events.of(pd.DataFrame(rows, columns=["actor", "target", "type"]))
    people = Population.of_ids(["a", "b", "c"], as_of=AS_OF)
    model = PopularityModel(PopularityConfig(evidence=5.0, usual_rate=0.2))
    directed = model.fit(people, events, rng=np.random.default_rng(0)).fitted
    mean = 4 / 9
    expected = [mean, (2 + 5 * mean) / 7, (1 + 5 * mean) / 7]
    assert directed.probabilities([0, 0, 1], [0, 1, 2]) == pytest.approx(expected)
    assert directed.probabilities([2], [1]) == directed.probabilities([0], [1])


def test_a_person_unseen_at_fit_has_the_mean_rate():
    rows = [("a", "b", "like"), ("c", "b", "like")]
    events = Events.of(pd.DataFrame(rows, columns=["actor", "target", "type"]))
    people = Population.of_ids(["a", "b", "c"], as_of=AS_OF)
    model = PopularityModel().fit(people, events, rng=np.random.default_rng(0))
    new = model.directed(Population.of_ids(["a", "new"], as_of=AS_OF))
    assert new.probabilities([0], [1])[0] == pytest.approx((2 + 5 * 0.2) / 7)


def test_a_learned_attribute_without_a_declared_type_cannot_be_saved(tmp_path):
    class Forgetful(PopularityModel):
        name = "forgetful"

        def _learn(self, people, events, rng):
            super()._learn(people, events, rng)
            self.median_ = 0.5

    people = Population.of_ids(["a", "b"], as_of=AS_OF)
    model = Forgetful().fit(people, Events.none(), rng=np.random.default_rng(1))
    with pytest.raises(SourceError, match="cannot be saved in forgetful: got 'median_'; declare its type"):
        model.save(tmp_path)


@pytest.mark.parametrize("every", [1, 2, 3])
def test_likes_alone_are_learned_from_beside_looks_without_an_answer(every: int) -> None:
    """Seen to fail: passes were made up for the answers, and counted as looks of the log."""
    ids, rng, rows = [f"u{at:02d}" for at in range(60)], np.random.default_rng(1), []
    for n in range(300):
        actor, target = rng.choice(ids, 2, replace=False)
        at = AS_OF - pd.Timedelta(hours=400 - n)
        rows.append((at, actor, target, "impression"))
        if n % every == 0:
            rows.append((at + pd.Timedelta(minutes=1), actor, target, "like"))
    events = Events.of(pd.DataFrame(rows, columns=["ts", "actor", "target", "type"]))
    model = PopularityModel().fit(Population.of_ids(ids, as_of=AS_OF), events, rng=rng)
    assert np.isfinite(model.logits_).all()


@pytest.mark.parametrize("answer", ["like", "pass", "hide"])
@pytest.mark.parametrize("seed", range(8))
def test_looks_at_any_time_are_learned_from(seed: int, answer: str) -> None:
    """Seen to fail: no look of a log came before the answer of its pair, and training ended with an error.

    Some pairs are looked at before they are decided about, some after, some never; some in none of a log.
    """
    ids, rng = [f"u{at:02d}" for at in range(30)], np.random.default_rng(seed)
    share, rows = ((1.0, 0.0), (0.5, 0.5), (0.0, 1.0), (0.1, 0.0))[seed % 4], []
    for n in range(60):
        actor, target = rng.choice(ids, 2, replace=False)
        at = AS_OF - pd.Timedelta(hours=400 - n)
        rows.append((at, actor, target, answer if n % 3 else "like"))
        later, sooner = (bool(draw < part) for draw, part in zip(rng.random(2), share, strict=True))
        rows += [(at + pd.Timedelta(minutes=1), actor, target, "impression")] * later
        rows += [(at - pd.Timedelta(minutes=1), actor, target, "impression")] * sooner
    events = Events.of(pd.DataFrame(rows, columns=["ts", "actor", "target", "type"]))
    model = PopularityModel().fit(Population.of_ids(ids, as_of=AS_OF), events, rng=rng)
    assert np.isfinite(model.logits_).all()
