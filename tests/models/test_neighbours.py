"""Who is alike to a model, and why one candidate stands above another."""

import numpy as np
import pandas as pd
import pytest

import recsys
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.errors import InputError, SettingsError, UnknownIdError
from recsys.models import ContentModel, HybridModel, PopularityModel
from recsys.testing.model_contract import some_events
from recsys.testing.people import make_people


@pytest.fixture(scope="module")
def people():
    return make_people(30, np.random.default_rng(12))


@pytest.fixture(scope="module", params=[ContentModel, HybridModel], ids=lambda kind: kind.__name__)
def model(request, people):
    events = Events.of(some_events(people.ids.ids(np.arange(len(people))), np.random.default_rng(13)))
    return request.param().fit(people, events, rng=1)


@pytest.mark.parametrize("side", ["taste", "appeal"])
def test_neighbours_are_those_whose_logits_correlate_most(model, people, side):
    n = len(people)
    directed = model.fitted
    plain = directed.taste.astype(float) @ directed.appeal.T.astype(float)
    given = plain if side == "taste" else plain.T
    wanted = np.corrcoef(given)[4]
    found = recsys.neighbours(model, people.ids.ids([4])[0], k=n - 1, side=side)
    np.testing.assert_allclose(found["similarity"], wanted[people.ids.rows(found["user_id"])], atol=1e-4)
    assert found["similarity"].is_monotonic_decreasing
    assert len(found) == n - 1
    assert people.ids.ids([4])[0] not in set(found["user_id"])
    assert len(recsys.neighbours(model, "u00004", k=3, people=people.take(range(10)))) == 3


def test_a_taste_that_tells_nobody_apart_is_like_nobody():
    people = Population.of_ids(["a", "b", "c"], as_of="2026-01-05")
    model = PopularityModel().fit(people, Events.none(), rng=1)
    assert recsys.neighbours(model, "a")["similarity"].tolist() == [0.0, 0.0]


def test_neighbours_of_nobody_are_refused(model):
    with pytest.raises(UnknownIdError):
        recsys.neighbours(model, "nobody")
    with pytest.raises(SettingsError, match="unknown side"):
        recsys.neighbours(model, "u00001", side="tast")
    with pytest.raises(SettingsError, match="number of neighbours"):
        recsys.neighbours(model, "u00001", k=0)


def test_an_order_is_explained_to_the_last_digit(model, people):
    for viewer, first, second in (("u00001", "u00002", "u00003"), ("u00007", "u00009", "u00004")):
        why = recsys.explain_order(model, viewer, first, second)
        pairs = pd.DataFrame({"viewer_id": viewer, "candidate_id": [first, second]})
        chances = model.score_pairs(pairs)["p_mutual"].to_numpy()
        np.testing.assert_allclose(why.p_mutual, chances, rtol=1e-6)
        ranking = model.ranking()
        i, (a, b) = ranking.ids.row(viewer), ranking.ids.rows([first, second])
        there, back = ranking.probabilities([i, i], [a, b]), ranking.probabilities([a, b], [i, i])
        np.testing.assert_allclose(
            why.log_ratio, np.log(there * back)[0] - np.log(there * back)[1], atol=1e-4
        )
        np.testing.assert_allclose(why.terms["contribution"].sum(), why.log_ratio, atol=1e-9)
        turned = recsys.explain_order(model, viewer, second, first)
        np.testing.assert_allclose(turned.log_ratio, -why.log_ratio, atol=1e-9)
        high, low = (first, second) if why.log_ratio >= 0 else (second, first)
        assert f"{high} scores" in repr(why)
        assert f" times {low}: P(" in repr(why)
        assert "interests" in set(why.terms["term"])
    assert set(recsys.explain_order(model, "u00001", "u00002", "u00003", lang="ja").terms["term"]) & {"関心"}
    with pytest.raises(InputError, match="an order is of two people for a third"):
        recsys.explain_order(model, "u00001", "u00001", "u00003")


def test_who_comes_across_whom_is_a_term_of_the_order():
    ids = np.array([f"u{k:02}" for k in range(40)], dtype=object)
    rng = np.random.default_rng(5)
    i, j = rng.integers(0, 40, (2, 2000))
    kept = (i != j) & (i % 2 == j % 2)
    kinds = np.where(rng.random(len(i)) < 0.6, "like", "pass")
    events = Events.of(pd.DataFrame({"actor": ids[i], "target": ids[j], "type": kinds})[kept])
    model = HybridModel().fit(Population.of_ids(ids, as_of="2026-01-05"), events, rng=1)
    assert model.affinity_ is not None
    why = recsys.explain_order(model, "u00", "u02", "u01")
    assert "who comes across whom" in set(why.terms["term"])
    assert "ranking score" in why.title
    assert "P(" not in why.title
    drawn = sum(bar.get_width() for bar in recsys.plots.order(why).patches)
    assert drawn == pytest.approx(why.log_ratio, abs=1e-6)
    assert why.terms["contribution"].sum() == pytest.approx(why.log_ratio)
