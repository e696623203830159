"""Settings choose the model, and an option it does not have is an error."""

from pathlib import Path

import numpy as np
import pytest

from recsys.data.events import Events
from recsys.errors import SettingsError, SourceError
from recsys.features.feature_map import FeatureMap
from recsys.pipeline.from_settings import load_model, model_from_settings
from recsys.pipeline.stage_outputs import read_features, write_features
from recsys.settings import MODEL_NAMES, ModelSettings
from tests.pipeline.small_night import Night


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_a_chosen_model_is_read_back(night: Night, tmp_path: Path, name: str) -> None:
    settings = ModelSettings(name=name)  # type: ignore[arg-type]
    model = model_from_settings(settings).fit(night.people, Events.none(), rng=np.random.default_rng(1))
    model.save(tmp_path)
    rows = np.arange(5)
    loaded = load_model(settings, tmp_path)
    assert loaded.name == name
    np.testing.assert_array_equal(loaded.fitted.logits(rows, rows + 1), model.fitted.logits(rows, rows + 1))


@pytest.mark.parametrize("name", ["content", "hybrid"])
def test_fitted_blocks_change_nothing_but_the_work(night: Night, tmp_path: Path, name: str) -> None:
    write_features(FeatureMap.fit(night.people, events=Events.none()), tmp_path)
    settings = ModelSettings(name=name)  # type: ignore[arg-type]
    with_blocks, alone = (
        model_from_settings(settings, features).fit(night.people, Events.none(), rng=np.random.default_rng(1))
        for features in (read_features(tmp_path), None)
    )
    np.testing.assert_array_equal(with_blocks.fitted.taste, alone.fitted.taste)
    np.testing.assert_array_equal(with_blocks.fitted.appeal, alone.fitted.appeal)


def test_options_reach_the_model() -> None:
    model = model_from_settings(ModelSettings(name="random", options={"n_factors": 3}))
    assert model.config.n_factors == 3


def test_an_unknown_option_is_an_error() -> None:
    with pytest.raises(SettingsError, match="'spraed'; did you mean 'spread'"):
        model_from_settings(ModelSettings(name="random", options={"spraed": 3}))


def test_another_kind_of_model_is_not_read(night: Night, tmp_path: Path) -> None:
    model_from_settings(ModelSettings(name="random")).fit(
        night.people, Events.none(), rng=np.random.default_rng(1)
    ).save(tmp_path)
    with pytest.raises(SourceError, match="not the model asked for"):
        load_model(ModelSettings(name="popularity"), tmp_path)
