"""The evaluation of a night: the pairs it is made on, and that metrics and plots say what it says."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.events import Events
from recsys.data.ids import IdIndex
from recsys.data.population import Population
from recsys.evaluation.held_out import answers_after, mutual_outcomes
from recsys.pipeline.evaluation import write_evaluation
from recsys.pipeline.evaluation_data import events_among, evidence_slices, sampled_people, tables_among
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


def events(*rows: tuple[str, str, str, int]) -> Events:
    frame = pd.DataFrame(rows, columns=[C.ACTOR, C.TARGET, C.TYPE, "day"])
    ts = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(frame.pop("day"), unit="D")
    return Events.of(frame.assign(**{C.TS: ts}))


class TestAfter:
    at = pd.Timestamp("2026-01-05", tz="UTC")
    everything = events(
        ("a", "b", "like", 1),
        ("a", "b", "pass", 6),
        ("a", "c", "impression", 5),
        ("a", "c", "like", 5),
        ("c", "a", "like", 6),
        ("b", "c", "impression", 7),
        ("a", "stranger", "like", 7),
    )

    def split(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        past = events(("a", "b", "like", 1))
        return answers_after(self.everything, past, IdIndex(["a", "b", "c"]), self.at)

    def test_answers_are_new_and_of_people_known(self) -> None:
        answered, _ = self.split()
        assert answered[[C.VIEWER, C.CANDIDATE, "label"]].to_numpy().tolist() == [
            ["a", "c", 1.0],
            ["c", "a", 1.0],
        ]

    def test_shown_pairs_hold_those_left_unanswered(self) -> None:
        _, shown = self.split()
        assert set(zip(shown[C.VIEWER], shown[C.CANDIDATE], strict=True)) == {
            ("a", "c"),
            ("c", "a"),
            ("b", "c"),
        }


def test_the_other_side_may_have_said_yes_before() -> None:
    pairs = [("a", "c", 1.0), ("b", "c", 1.0), ("a", "b", 0.0)]
    shown = pd.DataFrame(pairs, columns=[C.VIEWER, C.CANDIDATE, "label"])
    decided = pd.concat([shown, pd.DataFrame([("c", "a", 1.0), ("c", "b", 0.0)], columns=shown.columns)])
    mutual = mutual_outcomes(shown, decided)
    assert mutual.to_numpy().tolist() == [["a", "b", 0], ["a", "c", 1], ["b", "c", 0]]


def test_slices_count_decisions_made_and_received() -> None:
    decided = pd.DataFrame({C.VIEWER: ["a"] * 6, C.CANDIDATE: list("bcdefg")})
    slices = evidence_slices(IdIndex(["a", "b", "x"]), decided)
    assert slices.to_dict() == {"x": "0", "b": "1-5", "a": "6-20"}


def along_a_road(n: int) -> Population:
    """People in cells of ten, in an order that is not that of their ids."""
    people = Population.of_ids([f"u{row:05d}" for row in range(n)], as_of="2026-01-05")
    cells = (1 + np.random.default_rng(1).permutation(n) // 10).astype(np.uint64)
    return replace(people, cells=cells)


def test_everybody_judges_where_they_are_few() -> None:
    assert sampled_people(along_a_road(100), 100, np.random.default_rng(0)) is None


def test_neighbours_come_together() -> None:
    people = along_a_road(8_000)
    kept = sampled_people(people, 800, np.random.default_rng(0))
    assert kept is not None
    assert 700 < len(kept) <= 800
    whole = pd.Series(people.ids.values).isin(kept).groupby(people.cells).mean()
    assert (whole == 1.0).sum() > 60  # of 80: only the ends of the stretches are cut
    assert len(whole[whole > 0]) < 90
    assert sampled_people(people, 800, np.random.default_rng(0)) == kept


def test_what_names_anybody_else_is_left_out() -> None:
    deeds = pd.DataFrame(
        {C.ACTOR: list("aabx"), C.TARGET: ["b", None, "x", "a"], C.TYPE: ["like", "optin", "like", "like"]}
    )
    among = frozenset("ab")
    assert events_among(Events.of(deeds), among).frame[C.TYPE].tolist() == ["like", "optin"]
    tables = tables_among({T.EVENTS: deeds, T.PROFILES: pd.DataFrame({C.USER: list("xb")})}, among)
    assert {name: len(rows) for name, rows in tables.items()} == {T.PROFILES: 1, T.EVENTS: 2}


NAMES = st.sampled_from(["a", "b", "c", "A", None])
EVENT_ROWS = st.lists(st.tuples(NAMES, NAMES, st.sampled_from(["like", "pass"])), max_size=12)


@given(rows=EVENT_ROWS, numbered=st.booleans(), among=st.frozensets(st.sampled_from("abc"), min_size=1))
def test_the_sample_of_a_file_is_that_of_its_table(
    rows: list[tuple[str | None, str | None, str]], numbered: bool, among: frozenset[str]
) -> None:
    """Rows left out of Parquet before a frame is made of them are those that the frame would lose."""
    deeds = pd.DataFrame(rows, columns=[C.ACTOR, C.TARGET, C.TYPE], dtype=object)
    people = pd.DataFrame({C.USER: [1, 2] if numbered else ["a", "x"]})
    with TemporaryDirectory() as folder:
        deeds.to_parquet(f"{folder}/events.parquet", index=False)
        people.to_parquet(f"{folder}/profiles.parquet", index=False)
        found = tables_among(f"parquet:{folder}", among)
    for name, rest in tables_among({T.EVENTS: deeds, T.PROFILES: people}, among).items():
        kept = found[name].astype(object)
        assert kept.where(kept.notna(), None).to_numpy().tolist() == rest.to_numpy().tolist()
