import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException

from recsys.catalogue.columns import Columns as C
from recsys.tracking.mlflow_tracker import MlflowStore
from recsys.tracking.night_tracking import track_night
from recsys.tracking.registry import Registry
from tests.tracking.nights import fitted_model, night

SCORES = [C.P_LIKE, C.P_LIKED_BACK, C.P_MUTUAL]


@pytest.fixture
def registry(store: MlflowStore) -> Registry:
    return Registry(store, "recsys")


def all_pairs(ids) -> pd.DataFrame:
    viewer, candidate = np.meshgrid(ids, ids, indexing="ij")
    pairs = pd.DataFrame({C.VIEWER: viewer.ravel(), C.CANDIDATE: candidate.ravel()})
    return pairs[pairs[C.VIEWER] != pairs[C.CANDIDATE]].reset_index(drop=True)


def test_a_loaded_model_says_what_the_model_said(registry: Registry, place: Path, tmp_path: Path):
    tonight = night(tmp_path, store=str(place))
    track_night(tonight)
    challenger = registry.by_alias("challenger")
    assert challenger is not None
    loaded = registry.load(challenger)
    model = fitted_model()
    pairs = all_pairs(model.fitted.ids.values)
    with registry.store.errors_explained():
        said = loaded.predict(pairs)
    expected = model.score_pairs(pairs)
    np.testing.assert_array_equal(said[SCORES].to_numpy(), expected[SCORES].to_numpy())
    assert expected[C.P_MUTUAL].nunique() > 100
    assert said[C.VIEWER].tolist() == pairs[C.VIEWER].tolist()
    with pytest.raises(MlflowException, match="unknown viewer_id: got 'nobody'; the model knows the"):
        loaded.predict(pd.DataFrame({C.VIEWER: ["nobody"], C.CANDIDATE: ["no one"]}))


def test_the_combiner_of_the_night_is_the_models(registry: Registry, place: Path, tmp_path: Path):
    tonight = night(tmp_path, store=str(place))
    harmonic = tonight.settings.model_copy(
        update={"recommend": tonight.settings.recommend.model_copy(update={"combiner": "harmonic"})}
    )
    object.__setattr__(tonight, "settings", harmonic)
    track_night(tonight)
    [version] = registry.versions()
    model = fitted_model()
    pairs = all_pairs(model.fitted.ids.ids(np.arange(5)))
    with registry.store.errors_explained():
        said = registry.load(version).predict(pairs)
    np.testing.assert_array_equal(said[C.P_MUTUAL], model.score_pairs(pairs, combiner="harmonic")[C.P_MUTUAL])


def test_the_registered_files_are_arrays_and_json_and_no_pickle(place: Path, tmp_path: Path):
    track_night(night(tmp_path, store=str(place)))
    [root] = place.rglob("model/MLmodel")
    files = [path for path in root.parent.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {"", ".npy", ".json", ".py", ".yaml", ".txt"}
    assert {path.name for path in files if path.suffix == ""} == {"MLmodel"}
    [index] = root.parent.rglob("arrays.json")
    assert json.loads(index.read_text())["meta"]["model"] == "popularity"
    for path in index.parent.glob("*.npy"):
        np.load(path, allow_pickle=False)


def test_the_same_model_is_registered_once(registry: Registry, place: Path, tmp_path: Path):
    first = track_night(night(tmp_path, store=str(place)))
    again = track_night(night(tmp_path, run_id="20260106T030000Z-0a1b2c3d", store=str(place)))
    assert (first.is_new, again.is_new) == (True, False)
    assert first.version == again.version
    assert first.run != again.run
    [version] = registry.versions()
    assert version.aliases == {"challenger"}
    assert (version.made_in, version.evaluated_in) == (first.run, again.run)


def test_another_model_is_another_version_and_the_challenger(registry: Registry, place: Path, tmp_path: Path):
    first = track_night(night(tmp_path, store=str(place)))
    other = track_night(night(tmp_path, seed=1, store=str(place)))
    assert (first.version, other.version) == (1, 2)
    newest, oldest = registry.versions()
    assert (newest.aliases, oldest.aliases) == ({"challenger"}, frozenset())
    assert newest.model_id != oldest.model_id
    assert registry.by_alias("champion") is None


def test_versions_without_a_title_go_with_their_runs(registry: Registry, place: Path, tmp_path: Path):
    first = track_night(night(tmp_path, store=str(place), keep=1))
    kept = registry.by_alias("challenger")
    assert kept is not None
    registry.promote(kept)
    second = track_night(night(tmp_path, seed=1, store=str(place), keep=1))
    third = track_night(night(tmp_path, seed=2, store=str(place), keep=1))
    assert (second.removed, third.removed) == (0, 1)
    assert [version.number for version in registry.versions()] == [3, 1]
    champion = registry.by_alias("champion")
    assert champion is not None
    assert champion.made_in == first.run
    registry.load(champion)
    assert {path.parts[-4] for path in place.rglob("model/MLmodel")} == {first.run, third.run}
