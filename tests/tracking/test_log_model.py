"""A model of a notebook becomes a run, and scores the same pairs where the package is not installed."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import recsys
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.errors import NotFittedError
from recsys.models import ContentModel, RandomModel
from recsys.models.reciprocal import COMBINERS
from recsys.safety.erase_files import erase_from_artifacts
from recsys.safety.erasure_list import ErasureList
from recsys.testing.model_contract import some_events
from recsys.testing.people import make_people
from recsys.tracking.log_model import content_hash
from recsys.tracking.mlflow_tracker import MlflowStore, load_mlflow
from recsys.tracking.registry import write_served

ALONE = """
import sys
sys.modules["recsys"] = None
import warnings
warnings.simplefilter("ignore")
import mlflow, pandas as pd
model = mlflow.pyfunc.load_model(sys.argv[1])
pd.read_json(sys.argv[2], dtype={"viewer_id": str, "candidate_id": str}).pipe(model.predict).to_json(
    sys.argv[3], double_precision=15)
from mlflow.pyfunc import scoring_server
from starlette.testclient import TestClient
client = TestClient(scoring_server.init(model))
with open(sys.argv[1] + "/serving_input_example.json", "rb") as example:
    said = client.post("/invocations", content=example.read(), headers={"Content-Type": "application/json"})
assert said.status_code == 200, said.text
print(said.text)
unknown = {"dataframe_split": {"columns": ["viewer_id", "candidate_id"], "data": [["u00001", "nobody"]]}}
said = client.post("/invocations", json=unknown)
assert said.status_code == 400, said.text
assert said.json()["message"].endswith(
    "unknown candidate_id: got 'nobody'; the model knows the 30 it was fitted on, whose ids are texts"
), said.text
assert "stack_trace" not in said.json(), said.text
"""
"""What `mlflow models serve` does, without the network: the model loads and its scoring server answers."""


@pytest.fixture(scope="module")
def people():
    return make_people(30, np.random.default_rng(12))


@pytest.fixture(scope="module")
def events(people):
    return Events.of(some_events(people.ids.ids(np.arange(len(people))), np.random.default_rng(13)))


@pytest.fixture(scope="module")
def model(people, events):
    return ContentModel(folds=2).fit(people, events, rng=1)


@pytest.fixture(scope="module")
def pairs(people):
    ids = people.ids.ids(np.arange(30))
    return pd.DataFrame({"viewer_id": np.repeat(ids[:8], 8), "candidate_id": np.tile(ids[8:16], 8)}).astype(
        "str"
    )


def test_a_logged_model_keeps_parameters_metrics_inputs_and_loads_without_the_package(
    model, people, events, pairs, place, tmp_path
):
    table = recsys.cross_validate(model, people, events, rng=1, folds=2, outcome="like", n_resamples=2)
    run_id = recsys.tracking.log(model, table, people=people, events=events, store=place, experiment="week")
    client = MlflowStore.at(place).client
    run = client.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["model"] == "content"
    assert run.data.params["folds"] == "2"
    assert run.data.params["block_ridge"] == "1"
    auc = table.set_index("metric").loc["auc"]
    assert run.data.metrics["auc"] == pytest.approx(auc["value"])
    assert run.data.metrics["auc/lo"] == pytest.approx(auc["lo"])
    assert {(one.dataset.name, one.dataset.digest) for one in run.inputs.dataset_inputs} == {
        ("people", content_hash(people)),
        ("events", content_hash(events)),
    }
    (folder,) = Path(place).rglob("MLmodel")
    assert str(Path.cwd()) not in folder.read_text()
    assert "uri: artifacts/arrays" in folder.read_text()
    needed = (folder.parent / "requirements.txt").read_text().split()
    assert {line.partition("==")[0] for line in needed} == {"mlflow", "numpy", "pandas", "h3"}
    given, said = tmp_path / "given.json", tmp_path / "said.json"
    pairs.to_json(given)
    command = [sys.executable, "-c", ALONE, str(folder.parent), str(given), str(said)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    expected = model.score_pairs(pairs)
    assert expected["p_mutual"].nunique() > 50
    for column in ("p_like", "p_liked_back", "p_mutual"):
        found = [
            value
            for _, value in sorted(json.loads(said.read_text())[column].items(), key=lambda e: int(e[0]))
        ]
        np.testing.assert_allclose(found, expected[column], rtol=1e-12)
    example = pd.DataFrame(json.loads(done.stdout.splitlines()[-1])["predictions"])
    assert example["viewer_id"].tolist() == ["u00000", "u00000"]
    np.testing.assert_allclose(example["p_mutual"], model.score_pairs(example)["p_mutual"], rtol=1e-12)


def test_an_erased_person_leaves_the_example_and_the_model_still_serves_the_others(model, pairs, tmp_path):
    write_served(tmp_path / "served", model.save(tmp_path / "arrays"), combiner="product")
    erasures = ErasureList(tmp_path / "erasures")
    erasures.add(["u00000"])
    assert erase_from_artifacts(tmp_path / "served", erasures.now()) > 0
    left = [path for path in (tmp_path / "served").rglob("*") if path.is_file()]
    assert not [path for path in left if b"u00000" in path.read_bytes()]
    loaded = load_mlflow().pyfunc.load_model(str(tmp_path / "served"))
    others = pairs[(pairs != "u00000").all(axis=1)]
    np.testing.assert_array_equal(loaded.predict(others)["p_like"], model.score_pairs(others)["p_like"])


def test_a_member_whose_id_is_a_number_or_a_word_takes_no_part_of_a_model_with_them(model, pairs, tmp_path):
    """Seen to fail: the erasure of a member 7 deleted the files in which a version holds a 7."""
    write_served(tmp_path / "served", model.save(tmp_path / "arrays"), combiner="product")
    erasures = ErasureList(tmp_path / "erasures")
    erasures.add(["0", "1", "3", "python", "content", "numpy", "features"])
    erase_from_artifacts(tmp_path / "served", erasures.now())
    loaded = load_mlflow().pyfunc.load_model(str(tmp_path / "served"))
    np.testing.assert_array_equal(loaded.predict(pairs)["p_like"], model.score_pairs(pairs)["p_like"])


@pytest.mark.parametrize("combiner", COMBINERS)
def test_every_combiner_is_served_as_the_model_scores(model, pairs, combiner, tmp_path):
    write_served(tmp_path / "served", model.save(tmp_path / "arrays"), combiner=combiner)
    loaded = load_mlflow().pyfunc.load_model(str(tmp_path / "served"))
    with MlflowStore.at(tmp_path).errors_explained():
        said = loaded.predict(pairs)
    np.testing.assert_array_equal(said["p_mutual"], model.score_pairs(pairs, combiner=combiner)["p_mutual"])


def test_whole_numbers_are_served_as_ids(tmp_path):
    model = RandomModel().fit(Population.of_ids([3, 11, 40], as_of="2026-01-05"), Events.none(), rng=1)
    write_served(tmp_path / "served", model.save(tmp_path / "arrays"), combiner="product")
    loaded = load_mlflow().pyfunc.load_model(str(tmp_path / "served"))
    asked = pd.DataFrame({"viewer_id": [3, 11], "candidate_id": [40, 3]})
    np.testing.assert_array_equal(loaded.predict(asked)["p_like"], model.score_pairs(asked)["p_like"])


def test_a_model_without_a_fit_is_not_logged(place):
    with pytest.raises(NotFittedError):
        recsys.tracking.log(RandomModel(), store=place)


def test_equal_content_has_one_hash_and_any_change_another(people, events):
    assert content_hash(people) == content_hash(make_people(30, np.random.default_rng(12)))
    assert content_hash(people) != content_hash(people.assuming(max_distance_km=50))
    assert content_hash(people) != content_hash(people.take(range(29)))
    assert content_hash(events) == content_hash(Events.of(events.frame.sample(frac=1.0, random_state=1)))
    assert content_hash(events) != content_hash(Events.of(events.frame.iloc[:-1]))
