import json

import pandas as pd
import pytest

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
