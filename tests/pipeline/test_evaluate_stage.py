import json

import numpy as np
import pandas as pd
import pytest

from recsys.pipeline.off_policy import OF_MATCHES, ListsOfModel, off_policy_rows
from recsys.pipeline.paths import PATHS
from tests.pipeline.nights import Folder


@pytest.fixture(scope="module")
def found(golden: Folder) -> dict[str, object]:
    return json.loads((golden.root / PATHS.evaluation).read_text(encoding="utf-8"))


def test_a_night_judges_its_model_beside_others(found: dict[str, object]) -> None:
    measures = pd.DataFrame(found["measures"])
    assert set(measures["model"]) == {"hybrid", "content", "collaborative", "popularity", "random"}
    assert {"ndcg@10", "auc", "log_loss", "ece"} <= set(measures["metric"])
    overall = measures[(measures["slice"] == "all") & (measures["metric"] == "ndcg@10")]
    assert (overall["lo"] <= overall["hi"]).all()
    assert overall["random"].between(0, 1).all()


def test_what_judges_comes_after_what_is_learned(found: dict[str, object], golden: Folder) -> None:
    as_of = json.loads((golden.root / PATHS.validation).read_text(encoding="utf-8"))["as_of"]
    assert pd.Timestamp(found["learned_before"]) < pd.Timestamp(as_of)
    assert found["answered_after"] <= found["shown_after"]


def test_reliability_counts_every_answer_and_some_looks(found: dict[str, object]) -> None:
    bins = pd.DataFrame(found["reliability"])
    of_looks = bins.loc[bins["direction"] != "mutual", "pairs"].sum()
    assert found["answered_after"] <= of_looks <= found["shown_after"]
    assert set(bins["direction"]) <= {"like", "back", "mutual"}


def test_lists_are_judged_by_what_was_shown_by_chance(found: dict[str, object]) -> None:
    measures = pd.DataFrame(found["measures"])
    estimated = measures[measures["metric"] == "snips"]
    assert set(estimated["model"]) == set(measures["model"])
    assert set(estimated["target"]) == {"like", "mutual"}
    assert estimated["random"].between(0, 1).all()
    of_matches = measures[measures["metric"].isin(OF_MATCHES)]
    assert set(of_matches["model"]) == set(measures["model"])
    assert set(of_matches["target"]) == {"mutual"}
    assert len(of_matches) == len(OF_MATCHES) * of_matches["model"].nunique()


@pytest.mark.parametrize("level", [1.0, 3.0])
def test_matches_of_a_models_own_lists_are_estimated_whatever_the_level_of_its_likes(level: float) -> None:
    rng = np.random.default_rng(5)
    like, back = rng.uniform(0.05, 0.3, (400, 12)), rng.uniform(0.2, 0.8, (400, 12))
    viewer, candidate = np.nonzero(rng.random(like.shape) < 0.5)
    liked = rng.random(len(viewer)) < like[viewer, candidate]
    matched = liked & (rng.random(len(viewer)) < back[viewer, candidate])

    def pairs(v: np.ndarray, c: np.ndarray) -> pd.DataFrame:
        ids = {"viewer_id": [f"v{i}" for i in v], "candidate_id": [f"c{i}" for i in c]}
        return pd.DataFrame(ids, dtype=object).assign(
            p_like=np.minimum(level * like[v, c], 1.0), p_liked_back=back[v, c]
        )

    best = np.argsort(-like * back, axis=1)[:, :3]
    rows = np.repeat(np.arange(400), 3)
    shown, lists = pairs(viewer, candidate), pairs(rows, best.ravel())
    listed = (best[viewer] == candidate[:, None]).any(axis=1)
    drawn = {"own": ListsOfModel(lists.assign(rank=np.tile([1, 2, 3], 400)), shown, pd.Series(listed))}
    labels = {
        "like": shown[["viewer_id", "candidate_id"]].assign(label=liked.astype(float)),
        "mutual": shown[["viewer_id", "candidate_id"]].assign(label=matched.astype(float)),
    }
    log = shown[["viewer_id", "candidate_id"]].assign(propensity=0.5)
    found = pd.DataFrame(off_policy_rows(log, labels, drawn, rng))
    of_matches = found[found["metric"].isin(OF_MATCHES)].set_index("metric")
    true = (like * back)[rows, best.ravel()].mean()
    everybody = (like * back).mean()
    assert set(of_matches.index) == set(OF_MATCHES)
    assert (of_matches["lo"] < true).all()
    assert (true < of_matches["hi"]).all()
    assert (of_matches["value"] - true).abs().max() < 0.5 * (true - everybody)
    assert of_matches["random"].iloc[0] == pytest.approx(everybody, rel=0.25)
