"""What a pair's logits are made of, as people see it; that the parts add up is in the contract of models."""

import numpy as np
import pandas as pd
import pytest

import recsys
from recsys import plots
from recsys.catalogue.catalogue import load_catalogue
from recsys.data.events import Events
from recsys.errors import InputError
from recsys.models import explanation
from recsys.models.content import ContentConfig
from recsys.models.explanation import FACTORS, LEVEL, PERSONAL, POPULARITY, REDUCTION, SELECTIVITY
from recsys.models.hybrid import HybridConfig
from recsys.testing.model_contract import some_events
from recsys.testing.people import make_people

CONTENT = ContentConfig(ridge=(30.0,), marginal_ridge=(30.0,), folds=2)
QUICK = HybridConfig(factors=6, iterations=5, content=CONTENT)


@pytest.fixture(scope="module")
def people():
    return make_people(80, np.random.default_rng(1))


@pytest.fixture(scope="module")
def model(people):
    """Everything happened among the first sixty."""
    events = Events.of(some_events(people.ids.ids(np.arange(60)), np.random.default_rng(2), n=2500))
    return recsys.HybridModel(QUICK).fit(people, events, rng=np.random.default_rng(3))


@pytest.fixture(scope="module")
def pair(model):
    return model.explain_pair("u00003", "u00007")


def test_a_hybrid_is_explained_by_feature_block(pair, model):
    frame = pair.to_frame()
    assert list(frame.columns) == ["viewer_id", "candidate_id", "kind", "term", "side", "label", "logit"]
    blocks = set(frame.loc[frame["kind"] == "answers", "term"])
    assert blocks == set(model.content_.features_.names)
    assert {"level", "distance_decay", "personal", "factors", "selectivity", "popularity"} <= set(
        frame["term"]
    )
    assert "whole" not in set(frame["term"])
    values = frame[(frame["term"] == "values") & (frame["viewer_id"] == "u00003")]
    assert values["side"].tolist() == ["both", "viewer", "candidate"]


def test_behaviour_terms_are_zero_without_evidence(model):
    unknown = model.explain_pair("u00070", "u00075").terms
    for part in (PERSONAL, SELECTIVITY, POPULARITY):
        assert not unknown[part].any(), part
    known = model.explain_pair("u00003", "u00007").terms
    assert all(known[part].any() for part in (PERSONAL, SELECTIVITY, POPULARITY, FACTORS))


def test_the_term_of_a_block_is_its_weighted_products(model, people):
    """The products of one block, computed from the rows of everybody."""
    explained = model.content_.explain_pair("u00003", "u00007", people=people)
    features, weights = model.content_.features_, model.content_.weights_
    own = features.block_of == features.names.index("talk_topics")
    rows = features.transform(people)["talk_topics"]
    i, j = people.ids.rows(["u00003", "u00007"])
    expected = rows.preferences[i].astype(float) * rows.attributes[j] @ weights.products[own]
    (found,) = (v for part, v in explained.terms.items() if (part.name, part.side) == ("talk_topics", "both"))
    assert found[0] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("most", [None, 5])
def test_the_low_rank_residual_is_a_term(people, most):
    events = Events.of(some_events(people.ids.values, np.random.default_rng(2), n=900))
    config = ContentConfig(ridge=(30.0,), marginal_ridge=(30.0,), folds=2, max_factors=most)
    model = recsys.ContentModel(config).fit(people, events, rng=np.random.default_rng(3))
    explained = model.explain_pair("u00003", "u00007")
    assert (REDUCTION in explained.terms) == (most is not None)
    assert sum(explained.terms.values()) == pytest.approx(explained.logits, abs=2e-5)
    if most is not None:
        assert np.abs(explained.terms[REDUCTION]).max() > 1e-3


def test_labels_are_in_japanese_and_english(model, pair):
    english, japanese = pair, model.explain_pair("u00003", "u00007", lang="ja")
    assert english.summary().index.isin(["talk topics", "level", "selectivity"]).sum() == 3
    assert all(not label.isascii() for label in japanese.summary().index)
    pd.testing.assert_frame_equal(
        english.to_frame().drop(columns="label"), japanese.to_frame().drop(columns="label")
    )
    assert "u00003 likes u00007" in repr(english)
    assert "never for a member" in english._repr_html_()
    assert "会員には見せません" in japanese._repr_html_()


def test_every_term_and_block_is_called_something_in_japanese_and_english():
    """A questionnaire and shared items had no Japanese name beside terms that had one."""
    blocks = {
        one.name for one in vars(recsys.features).values() if isinstance(one, type) and "name" in vars(one)
    }
    terms = {one.name for one in vars(explanation).values() if isinstance(one, explanation.LogitTerm)}
    assert {"questionnaire", "shared_items"} <= blocks
    texts = load_catalogue().texts
    assert {name for name in blocks | terms if f"explained.{name}" not in texts} == set()


def test_why_one_stands_above_another_is_told_in_one_language(model):
    english, japanese = (
        recsys.explain_order(model, "u00003", "u00007", "u00005", lang=lang) for lang in ("en", "ja")
    )
    assert english.log_ratio == japanese.log_ratio
    assert "P(both like | both look), by hybrid" in english.title
    for written in (english, japanese):
        axes = plots.order(written)
        words = [axes.get_xlabel(), *axes.get_title().splitlines(), *axes.get_legend_handles_labels()[1]]
        words += [label.get_text() for label in axes.get_yticklabels()]
        assert {any(not word.isascii() for word in one) for one in words} == {written is japanese}


def test_ids_are_escaped_in_html():
    ids = np.array(["<b>x</b>", "y", "z"], dtype=object)
    people = recsys.Population.of_ids(ids, as_of="2026-01-05")
    events = Events.of(pd.DataFrame({"actor": ["y"], "target": ["z"], "type": ["like"]}))
    model = recsys.PopularityModel().fit(people, events, rng=np.random.default_rng(3))
    html = model.explain_pair("<b>x</b>", "y")._repr_html_()
    assert "<b>x" not in html
    assert "&lt;b&gt;x" in html


def test_bars_of_the_plot_add_up_to_the_logits(pair):
    axes = plots.pair(pair)
    n_parts = len(pair.summary())
    widths = np.array([bar.get_width() for bar in axes.patches]).reshape(2, n_parts)
    np.testing.assert_allclose(widths.sum(axis=1), pair.logits, atol=2e-5)
    legend = axes.get_legend_handles_labels()[1]
    assert legend[0].startswith(f"u00003 likes u00007: {pair.logits[0]:+.2f}")


def test_explain_pair_of_a_loaded_model_requires_people(model, people, tmp_path):
    loaded = recsys.HybridModel.load(model.save(tmp_path / "model"))
    with pytest.raises(InputError, match="pass people="):
        loaded.explain_pair("u00003", "u00007")


def test_a_model_without_people_holds_nobody(model):
    light = model.without_people()
    assert light._people is None
    assert light.content_._people is None


def test_repr_html_shows_state_and_settings(model):
    html = model._repr_html_()
    assert "fitted on 80 people" in html
    assert "personal_strength" in html
    assert "not fitted" in recsys.PopularityModel()._repr_html_()


def test_a_model_without_logit_terms_is_explained_as_one_term(people):
    class Plain(recsys.PopularityModel):
        name = "plain"

        def _logit_terms(self, pair, i, j):
            return {}

    model = Plain().fit(people, Events.none(), rng=np.random.default_rng(1))
    explained = model.explain_pair("u00003", "u00007")
    assert explained.to_frame()["term"].tolist() == ["whole", "whole"]
    assert explained.terms.keys() & {LEVEL} == set()
    np.testing.assert_allclose(explained.summary().sum(), explained.logits)
