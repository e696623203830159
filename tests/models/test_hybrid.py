import numpy as np
import pandas as pd
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.errors import SettingsError
from recsys.models.behaviour_parameters import BehaviourConfig
from recsys.models.collaborative import CollaborativeModel
from recsys.models.content import ContentConfig
from recsys.models.hybrid import HybridConfig, HybridModel
from recsys.testing.model_contract import ModelContract, some_events
from recsys.testing.people import AS_OF, make_people

QUICK = HybridConfig(
    factors=6, iterations=5, content=ContentConfig(ridge=(30.0,), marginal_ridge=(30.0,), folds=2)
)


def _ids(people):
    return people.ids.ids(np.arange(len(people)))


class TestContract(ModelContract):
    def model(self):
        return HybridModel(QUICK)


@pytest.fixture(scope="module")
def people():
    return make_people(80, np.random.default_rng(1))


@pytest.fixture(scope="module")
def frame(people):
    """Everything happened among the first sixty."""
    return some_events(_ids(people)[:60], np.random.default_rng(2), n=2500)


@pytest.fixture(scope="module")
def model(people, frame):
    return HybridModel(QUICK).fit(people, Events.of(frame), rng=np.random.default_rng(3))


def test_without_evidence_the_logit_is_calibrated_content(people, model):
    """Between people nobody knows the logit is a line of content's, and factors at their prior mean."""
    i, j = (rows + 60 for rows in np.divmod(np.arange(400), 20))
    content = model.content_.fitted
    decay = content.distance_decay.pairs(content.cell[i], content.cell[j])
    spaces, stacker = model.global_parameters_.spaces(people, content), model.stacker_
    prior = spaces.factors.score(spaces.factors.taste, spaces.factors.appeal, i, j)
    expected = (
        stacker.intercept
        + stacker.distance_decay * decay
        + stacker.rows[0, 0] * (content.logits(i, j) - decay)
    )
    expected += stacker.rows[2, 0] * prior
    np.testing.assert_allclose(model.fitted.logits(i, j), expected, atol=2e-4)
    state = model.person_parameters_
    for moved in (state.generosity, state.popularity, state.personal.taste, state.factors.appeal):
        assert not moved[60:].any()
        assert moved[:60].any()


def test_popularity_rises_with_received_likes(people, frame, model):
    """In these events every third candidate is liked by most."""
    favourites = np.arange(60) % 3 == 0
    popularity = model.person_parameters_.popularity[:60]
    assert popularity[favourites].min() > popularity[~favourites].max() - 0.5
    assert popularity[favourites].mean() > popularity[~favourites].mean() + 0.5


def test_deviation_from_content_grows_with_evidence(people, frame):
    """The same passes, said about more people, move a person further from what content says."""
    moved = []
    for n in (1, 5, 15, 40):
        more = pd.DataFrame(
            {
                C.ACTOR: _ids(people)[70],
                C.TARGET: _ids(people)[:n],
                C.TYPE: "pass",
                C.TS: AS_OF - pd.Timedelta(days=1),
            }
        )
        events = Events.of(pd.concat([frame, more], ignore_index=True))
        base = HybridModel(QUICK.changed(stack=False)).fit(
            people, Events.of(frame), rng=np.random.default_rng(3)
        )
        moved.append(-float(base.updated(people, events).person_parameters_.generosity[70]))
    assert 0 < moved[0] < moved[1] < moved[2] < moved[3]


def test_updated_with_the_events_of_the_fit_changes_nothing(people, frame, model):
    again = model.updated(people, Events.of(frame))
    np.testing.assert_array_equal(again.fitted.taste, model.fitted.taste)
    np.testing.assert_array_equal(again.fitted.appeal, model.fitted.appeal)


def test_updated_with_a_block_equals_a_history_without_the_pair(people, frame, model):
    a, b = frame[C.ACTOR].iloc[0], frame[C.TARGET].iloc[0]
    between = frame[C.ACTOR].isin([a, b]) & frame[C.TARGET].isin([a, b])
    block = pd.DataFrame({C.ACTOR: [b], C.TARGET: [a], C.TYPE: ["block"], C.TS: [frame[C.TS].max()]})
    apart = model.updated(people, Events.of(pd.concat([frame, block], ignore_index=True)))
    never = model.updated(people, Events.of(frame[~between].reset_index(drop=True)))
    assert between.any()
    np.testing.assert_array_equal(apart.fitted.taste, never.fitted.taste)
    np.testing.assert_array_equal(apart.fitted.appeal, never.fitted.appeal)


def test_probabilities_are_calibrated_on_held_out_pairs(people):
    everything = some_events(_ids(people), np.random.default_rng(4), n=6000).drop_duplicates(
        [C.ACTOR, C.TARGET]
    )
    held = np.random.default_rng(5).random(len(everything)) < 0.4
    model = HybridModel(QUICK).fit(people, Events.of(everything[~held]), rng=np.random.default_rng(6))
    rows = (people.ids.rows(everything.loc[held, side]) for side in (C.ACTOR, C.TARGET))
    chance, liked = model.fitted.probabilities(*rows), (everything[C.TYPE] == "like").to_numpy()[held]
    assert chance.mean() == pytest.approx(liked.mean(), abs=0.04)
    top = chance > np.quantile(chance, 0.7)
    assert chance[top].mean() == pytest.approx(liked[top].mean(), abs=0.08)
    assert liked[top].mean() > 0.7


def test_without_profiles_there_is_no_content_model(people, frame, tmp_path):
    nameless = Population.of_ids(people.ids.values, as_of=AS_OF)
    events = Events.of(frame)
    model = HybridModel(QUICK).fit(nameless, events, rng=np.random.default_rng(3))
    assert model.content_ is None
    plain = CollaborativeModel(BehaviourConfig(factors=6, iterations=5))
    plain.fit(nameless, events, rng=np.random.default_rng(3))
    np.testing.assert_array_equal(model.fitted.taste, plain.fitted.taste)
    loaded = HybridModel.load(model.save(tmp_path / "model"))
    np.testing.assert_array_equal(loaded.directed(people).taste, model.directed(people).taste)


def test_settings_of_content_may_be_a_mapping():
    assert HybridConfig(content={"ridge": [1.0, 2.0]}).content.ridge == (1.0, 2.0)
    for refused in (HybridConfig, lambda content: HybridConfig.from_mapping({"content": content})):
        with pytest.raises(SettingsError, match=r"got 'content\.fold'; did you mean 'folds'"):
            refused(content={"fold": 2})
