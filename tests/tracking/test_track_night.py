from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.errors import SourceError
from recsys.pipeline.evaluation_data import read_evaluated_pairs
from recsys.pipeline.paths import NightPaths
from recsys.settings import Settings
from recsys.tracking.mlflow_tracker import MlflowStore
from recsys.tracking.night_tracking import FinishedNight, track_night
from tests.tracking.nights import evaluated_pairs, night


def test_everything_about_a_night_is_kept(store: MlflowStore, place: Path, tmp_path: Path):
    tonight = night(tmp_path, store=str(place))
    tracked = track_night(tonight)
    with store.errors_explained():
        found = store.client.get_run(tracked.run)
        files = {
            file.path
            for folder in (None, "tables", "tables/slices")
            for file in store.client.list_artifacts(tracked.run, folder)
        }
    params, metrics, tags = found.data.params, found.data.metrics, found.data.tags
    assert params["recommend.k"] == "20"
    assert params["publish.gates.list_floor"] == "3"
    assert params["package.numpy"] == "2.4.6"
    assert tags["night"] == tonight.manifest.run_id
    assert tags["made_from.model"] == tonight.manifest.made_from.model
    assert {tags[f"made_from.{name}"] for name in ("data", "policy", "code")} == {"d", "p", "c"}
    assert metrics["mutual/ndcg_at_10"] == 0.34
    assert (metrics["mutual/ndcg_at_10/lo"], metrics["mutual/ndcg_at_10/hi"]) == (0.32, 0.36)
    assert metrics["baseline/random/mutual/ndcg_at_10"] == 0.29
    assert metrics["like/ece"] == 0.02
    assert "like/ece/lo" not in metrics
    assert metrics["seconds/train"] == 2.5
    assert metrics["rows"] == 12
    assert metrics["rows/profiles/quarantined"] == 1
    assert metrics["gate/violations/count"] == 0
    assert {
        "report.html",
        "evaluated_pairs.parquet",
        "tables/reliability.csv",
        "tables/measures.csv",
    } <= files
    assert {"tables/slices/all.csv", "tables/slices/1-5.csv", "tables/slices/over_20.csv"} <= files


def test_kept_pairs_name_nobody(store: MlflowStore, place: Path, tmp_path: Path):
    tracked = track_night(night(tmp_path, store=str(place)))
    with store.errors_explained():
        file = store.client.download_artifacts(tracked.run, "evaluated_pairs.parquet", str(tmp_path))
    kept, known = read_evaluated_pairs(Path(file)), evaluated_pairs()
    assert not set(kept[C.VIEWER]) & set(known[C.VIEWER])
    assert kept[C.VIEWER].nunique() == known[C.VIEWER].nunique()
    pd.testing.assert_frame_equal(kept.iloc[:, 2:], known.iloc[:, 2:])


def test_a_night_that_judged_nothing_is_kept_too(store: MlflowStore, place: Path, tmp_path: Path):
    bare = replace(
        night(tmp_path, store=str(place), pairs=evaluated_pairs().iloc[:0]),
        measures=pd.DataFrame(),
        reliability=pd.DataFrame(),
        page=None,
    )
    tracked = track_night(bare)
    with store.errors_explained():
        assert store.client.get_run(tracked.run).info.status == "FINISHED"
        assert {file.path for file in store.client.list_artifacts(tracked.run)} == {"model", "tables"}


def test_tracking_turned_off_touches_nothing(tmp_path: Path):
    place = tmp_path / "tracking"
    tracked = track_night(night(tmp_path, store=str(place), enabled=False))
    assert (tracked.run, tracked.version, tracked.is_new) == ("", None, False)
    assert not place.exists()


def test_a_night_that_left_too_little_is_one_message(tmp_path: Path):
    work = NightPaths(tmp_path)
    with pytest.raises(SourceError, match="run the night again"):
        FinishedNight.read(Settings(), work)
    work.outcome.write_text('{"folder": "nowhere", "exit_code": 0}', encoding="utf-8")
    work.evaluation.write_text("{", encoding="utf-8")
    with pytest.raises(SourceError, match=r"evaluation\.json"):
        FinishedNight.read(Settings(), work)
