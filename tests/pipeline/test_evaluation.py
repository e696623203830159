"""What `dvc metrics` and `dvc plots` show of a night is what its evaluation says."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from recsys.pipeline.evaluation import write_evaluation
from recsys.pipeline.paths import NightPaths
from tests.pipeline.imports import ROOT

PLOTS = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["plots"]


def rows():
    common = {"lo": 0.4, "hi": 0.9, "random": 0.5, "n": 7}
    return [
        {"slice": part, "model": model, "metric": metric, "target": target, "value": value} | common
        for part, value in (("all", 0.7), ("0", 0.6))
        for model in ("hybrid", "popularity")
        for target, metric in (("mutual", "ndcg@10"), ("like", "auc"))
    ]


@pytest.fixture
def written(tmp_path):
    bins = [{"direction": "like", "said": 0.2, "happened": 0.25, "lo": 0.1, "hi": 0.4, "pairs": 9}]
    found = {"evaluated_people": 40, "measures": rows(), "reliability": bins}
    paths = NightPaths(tmp_path)
    write_evaluation(found, "hybrid", paths)
    assert json.loads(paths.evaluation.read_bytes()) == found
    return paths


def test_metrics_are_those_of_everybody_and_of_the_nights_own_model(written):
    found = json.loads(written.dvc_metrics.read_bytes())
    limits = {"value": 0.7, "lo": 0.4, "hi": 0.9, "random": 0.5}
    assert found == {"evaluated_people": 40, "mutual": {"ndcg@10": limits}, "like": {"auc": limits}}


def test_every_plot_finds_its_columns(written):
    for plot in PLOTS:
        [options] = plot.values()
        [(file, column)] = options["y"].items()
        table = pd.read_csv(written.dvc_plots / Path(file).name)
        assert len(table) > 0
        assert {options["x"], column} <= set(table.columns)


def test_a_night_that_could_not_be_evaluated_leaves_empty_tables(tmp_path):
    paths = NightPaths(tmp_path)
    write_evaluation({"not_evaluated": "no decisions at two times"}, "hybrid", paths)
    assert json.loads(paths.dvc_metrics.read_bytes()) == {}
    assert [len(pd.read_csv(path)) for path in sorted(paths.dvc_plots.iterdir())] == [0, 0]


@pytest.mark.slow
def test_dvc_shows_them(written, tmp_path):
    dvc = [sys.executable, "-m", "dvc"]
    folder = tmp_path / "here"
    (folder / "data" / "work").mkdir(parents=True)
    for path in (written.dvc_metrics, written.dvc_plots):
        path.rename(folder / "data" / "work" / path.name)
    subprocess.run([*dvc, "init", "--no-scm", "--quiet"], cwd=folder, check=True)
    stage = {"evaluate": {"cmd": "true", "metrics": [{"data/work/metrics.json": {"cache": False}}]}}
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": stage, "plots": PLOTS}))
    shown = subprocess.run(
        [*dvc, "metrics", "show", "--json"], cwd=folder, check=True, capture_output=True, text=True
    )
    [metrics] = json.loads(shown.stdout)[""]["data"].values()
    assert metrics["data"]["mutual"]["ndcg@10"]["value"] == 0.7
    drawn = subprocess.run(
        [*dvc, "plots", "show", "--json"], cwd=folder, check=True, capture_output=True, text=True
    )
    found = json.loads(drawn.stdout)
    assert not found.get("errors")
    assert set(found["data"]) == {name for plot in PLOTS for name in plot}
    assert all(found["data"].values())
