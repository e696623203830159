"""One tiny night from end to end: what it serves, what it repeats, what it refuses."""

import json
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from recsys.experiments import assign
from recsys.experiments.assignment import design_mark
from recsys.pipeline.paths import PATHS
from recsys.pipeline.stage_outputs import read_prices
from recsys.ranking.ranker import Ranker
from recsys.ranking.score_bins import WIDTH
from recsys.safety import MemorySafety
from recsys.settings import PARAMS_FILE
from recsys.storage.publication import LISTS, current_run, read_publication
from tests.golden import PEOPLE
from tests.pipeline.nights import STAGES, Folder

AS_OF = "as_of=2026-01-05T03:00:00Z"
LAST = ("settings", "publish")


def served(folder: Folder) -> Path:
    return folder.published / (folder.published / "CURRENT").read_text().strip()


def copied(folder: Folder, root: Path) -> Folder:
    shutil.copytree(folder.root, root)
    return Folder(root)


def test_every_stage_runs(golden: Folder) -> None:
    log = [json.loads(line) for line in (golden.root / PATHS.log).read_text().splitlines()]
    assert tuple(line["stage"] for line in log) == STAGES
    assert all(line["seconds"] >= 0 for line in log)


def test_the_lists_are_served(golden: Folder) -> None:
    lists = pd.read_parquet(served(golden) / LISTS)
    assert list(lists.columns) == [
        "viewer_id", "candidate_id", "rank", "p_like", "p_liked_back", "p_mutual", "propensity",
        "reasons",
    ]  # fmt: skip
    assert len(lists) > 50
    assert lists["propensity"].between(0, 1, inclusive="right").all()
    assert lists["reasons"].map(len).max() > 0
    manifest = json.loads((served(golden) / "manifest.json").read_text())
    assert manifest["files"][LISTS]["rows"] == len(lists)
    assert manifest["data_as_of"] == "2026-01-05T03:00:00+00:00"


def test_no_pair_breaks_a_rule_that_pandas_alone_can_check(golden: Folder) -> None:
    lists = pd.read_parquet(served(golden) / LISTS)
    tables = {path.stem: pd.read_parquet(path) for path in (golden.root / PATHS.tables).iterdir()}
    latest = {
        name: tables[name].sort_values("valid_from").groupby("user_id").tail(1).set_index("user_id")
        for name in ("profiles", "boundaries")
    }
    person = latest["profiles"].join(latest["boundaries"].drop(columns="valid_from"))
    pairs = lists.join(person.add_suffix("_a"), on="viewer_id").join(
        person.add_suffix("_b"), on="candidate_id"
    )
    assert set(lists["viewer_id"]) | set(lists["candidate_id"]) <= set(person.index)

    def everywhere(column: str, *allowed: str) -> bool:
        return pairs[f"{column}_a"].isin(allowed).all() and pairs[f"{column}_b"].isin(allowed).all()

    def shared(column: str) -> bool:
        both = zip(pairs[f"{column}_a"], pairs[f"{column}_b"], strict=True)
        return all(set(a) & set(b) for a, b in both)

    def accepted(column: str, accepts: str, mine: str, theirs: str) -> bool:
        both = zip(pairs[f"{column}{theirs}"], pairs[f"{accepts}{mine}"], strict=True)
        return all(wanted is None or word in set(wanted) for word, wanted in both)

    assert everywhere("account_state", "active")
    assert everywhere("verification", "age", "id", "id_liveness")
    assert everywhere("activity", "today", "week", "month")
    assert everywhere("physical_line", "none")
    assert everywhere("financial_line", "none", "split_bill")
    assert shared("intents")
    assert shared("languages")
    assert shared("channels")
    for mine, theirs in (("_a", "_b"), ("_b", "_a")):
        assert accepted("age_band", "accepts_age_bands", mine, theirs)
        assert accepted("household_status", "accepts_household_status", mine, theirs)
    lines = pairs[["romance_line_a", "romance_line_b"]].apply(set, axis=1)
    assert not lines.map({"talk_openly", "end_if_feelings"}.issubset).any()
    shown = set(zip(lists["viewer_id"], lists["candidate_id"], strict=True))
    safety = pd.concat([tables["blocks"], tables["reports"]])
    apart = set(zip(safety["actor"], safety["target"], strict=True))
    assert apart
    assert not shown & (apart | {(b, a) for a, b in apart})
    assert not set(tables["holds"].query("state == 'active'")["user_id"]) & set(lists["candidate_id"])


def test_lists_are_chosen_for_everybody_together(golden: Folder) -> None:
    lists, pool = pd.read_parquet(served(golden) / LISTS), pd.read_parquet(golden.root / PATHS.pool)
    pairs = set(zip(lists["viewer_id"], lists["candidate_id"], strict=True))
    known = set(zip(pool["viewer_id"], pool["candidate_id"], strict=True))
    assert pairs <= known | {(b, a) for a, b in known}
    profiles = pd.read_parquet(golden.root / PATHS.tables / "profiles.parquet").sort_values("valid_from")
    activity = profiles.groupby("user_id")["activity"].last()
    opens = lists["viewer_id"].map(activity).map({"today": 0.9, "week": 0.45, "month": 0.12})
    likes = (lists["p_like"].astype(float) * lists["rank"] ** -0.5 * opens).groupby(lists["candidate_id"])
    assert 0.0 < likes.sum().max() <= 5.0
    prices = read_prices(golden.root / PATHS.allocation, golden.night().people.ids)
    assert (prices >= 0).all()
    assert prices.max() > 0
    figures = json.loads((golden.root / PATHS.allocation / "figures.json").read_text())
    by_name = {row["name"]: row for row in figures["rows"]}
    assert set(by_name) == {"random", "naive", "product", "allocated"}
    assert by_name["allocated"]["matches"] > by_name["random"]["matches"]
    # among 150 people the gain over the product is within chance, so the interval is what can be asked for
    assert by_name["allocated"]["reached"] > by_name["random"]["reached"]
    assert by_name["allocated"]["gain_hi"] > 0
    page = (golden.root / PATHS.report).read_text()
    assert "Lists for everybody together" in page
    assert "Everybody together (this night)" in page


def test_without_the_allocator_a_list_is_the_best_of_its_pool(golden: Folder, tmp_path: Path) -> None:
    folder = copied(golden, tmp_path / "night")
    codes = folder.run(PEOPLE, "allocate.enabled=false", stages=("settings", "allocate"))
    assert set(codes.values()) == {0}
    lists, pool = pd.read_parquet(folder.lists), pd.read_parquet(folder.root / PATHS.pool)
    best = pool[pool["rank"] <= 20].reset_index(drop=True)
    by_pair = ["viewer_id", "candidate_id"]
    found, wanted = (
        table.drop(columns=["reasons", "rank"]).sort_values(by_pair, ignore_index=True)
        for table in (lists, best)
    )
    pd.testing.assert_frame_equal(found, wanted)
    bins = np.floor(np.log(lists["p_mutual"].astype(float)) / WIDTH)  # near ties stand by lot
    assert bins.groupby(lists["viewer_id"]).apply(lambda one: one.is_monotonic_decreasing).all()
    assert lists["rank"].groupby(lists["viewer_id"]).apply(lambda one: one.is_monotonic_increasing).all()
    assert lists["reasons"].map(len).max() > 0
    assert not read_prices(folder.root / PATHS.allocation, folder.night().people.ids).any()


def test_another_run_gives_the_same_bytes(golden: Folder, tmp_path: Path) -> None:
    """From the seed to the tables that stages read; a night of the same tables is run again below."""
    again = Folder(tmp_path)
    assert set(again.run(PEOPLE, stages=STAGES[: STAGES.index("validate")]).values()) == {0}
    made = tables_of(golden)
    assert made == tables_of(again)
    assert "profiles.parquet" in made


def tables_of(folder: Folder) -> dict[str, bytes]:
    """Return what a night reads, by file."""
    return {path.name: path.read_bytes() for path in (folder.root / PATHS.tables).iterdir()}


def test_another_seed_gives_other_lists(golden: Folder, tmp_path: Path) -> None:
    other = Folder(tmp_path)
    until = tuple(stage for stage in STAGES[:-2] if stage != "evaluate")
    assert set(other.run(PEOPLE, "seed=1", "model.name=random", stages=until).values()) == {0}
    assert other.lists.read_bytes() != golden.lists.read_bytes()


@pytest.mark.parametrize("kind", ["parquet", "duckdb"])
def test_an_operators_own_tables_give_the_same_lists(golden: Folder, tmp_path: Path, kind: str) -> None:
    tables = golden.root / PATHS.town
    if kind == "duckdb":
        source = f"duckdb:{tmp_path / 'members.duckdb'}"
        with duckdb.connect(str(tmp_path / "members.duckdb")) as database:
            for path in tables.glob("*.parquet"):
                database.execute(f"CREATE TABLE {path.stem} AS SELECT * FROM read_parquet('{path}')")
    else:
        source = f"parquet:{shutil.copytree(tables, tmp_path / 'members')}"
    folder = Folder(tmp_path / "night")
    declared = f"publish.platform.declared_for={source}"
    stages = STAGES if kind == "parquet" else STAGES[: STAGES.index("features")]
    assert set(folder.run(f"source={source}", AS_OF, declared, stages=stages).values()) == {0}
    assert list((folder.root / PATHS.town).iterdir()) == []
    accepted, known = (
        {path.name: path.read_bytes() for path in (one.root / PATHS.accepted).rglob("*.npy")}
        for one in (folder, golden)
    )
    assert accepted == known
    assert accepted
    if kind == "parquet":
        first, second = served(golden), served(folder)
        assert first.name != second.name
        assert (first / LISTS).read_bytes() == (second / LISTS).read_bytes()
        one, other = (json.loads((run / "manifest.json").read_text())["made_from"] for run in (first, second))
        assert {name for name in one if one[name] != other[name]} == {"params"}


def test_lists_with_a_violation_are_refused(golden: Folder, tmp_path: Path) -> None:
    folder = copied(golden, tmp_path / "night")
    before = current_run(folder.published)
    people = pd.read_parquet(folder.root / PATHS.tables / "profiles.parquet")
    latest = people.sort_values("valid_from").groupby("user_id").tail(1)
    unverified = latest.loc[latest["verification"] == "none", "user_id"].iloc[0]
    lists = pd.read_parquet(folder.lists)
    lists.loc[0, "candidate_id"] = unverified
    lists.to_parquet(folder.lists)
    assert folder.run(PEOPLE, stages=LAST) == {"settings": 0, "publish": 20}
    assert current_run(folder.published) == before
    failure = json.loads((folder.root / PATHS.failure).read_text())
    assert (failure["stage"], failure["exit_code"]) == ("publish", 20)
    assert "violations: 1 pairs that may not be shown" in failure["message"]


def test_a_night_killed_before_the_pointer_leaves_the_last_one(
    golden: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copied(golden, tmp_path / "night")
    before = read_publication(folder.published)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("recsys.pipeline.publish.set_current_run", killed)
    with pytest.raises(KeyboardInterrupt):
        folder.run(PEOPLE, stages=LAST)
    assert read_publication(folder.published).run_id == before.run_id
    monkeypatch.undo()
    assert set(folder.run(PEOPLE, stages=LAST).values()) == {0}
    assert read_publication(folder.published).run_id > before.run_id


def test_an_undeclared_service_is_refused(golden: Folder, tmp_path: Path) -> None:
    folder = copied(golden, tmp_path / "night")
    assert folder.run(PEOPLE, "publish.platform.support_contact=false", stages=LAST) == {"settings": 20}
    failure = json.loads((folder.root / PATHS.failure).read_text())
    assert (failure["stage"], failure["exit_code"]) == ("settings", 20)
    assert "support_contact" in failure["message"]


def _source(source: str) -> list[str]:
    return [f"source={source}", f"publish.platform.declared_for={source}"]


@pytest.mark.parametrize(
    ("changes", "stage", "message"),
    [
        (["poeple=3"], "settings", "did you mean 'people'?"),
        (_source("parquet:nowhere"), "ingest", "no such folder"),
        (_source("duckdb:nowhere.duckdb"), "ingest", "no such file"),
        (["people=9", "simulate={coruption: 0.1}"], "simulate", "did you mean 'corruption'?"),
    ],
)
def test_a_broken_input_stops_the_night(
    tmp_path: Path, changes: list[str], stage: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Folder(tmp_path)
    codes = folder.run(*changes)
    assert codes[stage] == 40
    assert list(codes)[-1] == stage
    assert message in capsys.readouterr().err
    failure = json.loads((folder.root / PATHS.failure).read_text())
    assert (failure["stage"], failure["exit_code"]) == (stage, 40)


def test_a_model_option_that_does_not_exist(golden: Folder, tmp_path: Path) -> None:
    folder = copied(golden, tmp_path / "night")
    codes = folder.run(PEOPLE, "model.options={factor: 3}", stages=("settings", "train"))
    assert codes == {"settings": 0, "train": 40}
    assert "did you mean 'factors'?" in (folder.root / PATHS.failure).read_text()


def test_a_defect_is_recorded_and_not_hidden(
    golden: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its words hold no value: seen to fail where they were written as the library gave them."""
    folder = copied(golden, tmp_path / "night")

    def broken(*_: object, **__: object) -> None:
        float("hana@mail.example")

    monkeypatch.setattr("recsys.batch.list_stages.recommend_night", broken)
    assert folder.run(PEOPLE, stages=("settings", "recommend")) == {"settings": 0, "recommend": 1}
    failure = json.loads((folder.root / PATHS.failure).read_text())
    assert (failure["stage"], failure["exit_code"]) == ("recommend", 1)
    said = "could not convert string to float: ..."
    assert re.fullmatch(rf"ValueError in test_golden_night\.py line \d+: {said}", failure["message"])
    told = capsys.readouterr().err
    assert f"ValueError: {said}" in told
    assert "in broken" in told
    assert "hana" not in told.replace('float("hana@mail.example")', "")  # a line of code is no value


def test_parameters_are_read_from_the_folder_of_the_night(golden: Folder) -> None:
    assert (golden.root / PARAMS_FILE).exists()
    assert "people: 150" in (golden.root / PATHS.settings).read_text()


def test_a_night_serves_several_arms_and_its_impressions_say_which(golden: Folder, tmp_path: Path) -> None:
    folder = copied(golden, tmp_path / "arms")
    arms = "{today: {share: 0.5}, liked: {share: 0.5, order: naive}}"
    design = f"{{name: liked-1, unit: person, starts: '2026-01-05', nights: 7, arms: {arms}}}"
    before = pd.read_parquet(served(folder) / LISTS)
    codes = folder.run(PEOPLE, AS_OF, f"experiment={design}", stages=("settings", "allocate", "publish"))
    assert set(codes.values()) == {0}
    lists = pd.read_parquet(served(folder) / LISTS)
    experiment = folder.night().settings.experiment
    assert experiment is not None
    people = assign(experiment, folder.night().people.ids.values).set_index("user_id")["arm"]
    arm = lists["viewer_id"].map(people)
    assert set(arm) == {"today", "liked"}
    pair = ["viewer_id", "candidate_id", "rank"]
    control = before[before["viewer_id"].map(people) == "today"]
    same = lists.loc[arm == "today", pair].reset_index(drop=True)
    assert same.equals(control[pair].reset_index(drop=True))
    liked = lists[arm == "liked"]
    bins = np.floor(np.log(liked["p_like"].astype(float)) / WIDTH)  # near ties stand by lot
    assert bins.groupby(liked["viewer_id"]).apply(lambda one: one.is_monotonic_decreasing).all()
    reading = json.loads((folder.root / PATHS.allocation / "figures.json").read_text())["experiment"]
    assert "no effect on matches can be read yet" in reading["en"][0]
    assert set(folder.run(PEOPLE, AS_OF, f"experiment={design}", stages=("settings", "report")).values()) == {
        0
    }
    assert reading["ja"][0] in (folder.root / PATHS.report).read_text("utf-8")
    ranker = Ranker.open(folder.published, safety=MemorySafety())
    viewer = str(lists.loc[arm == "liked", "viewer_id"].iloc[0])
    page = ranker.rank(viewer, 3, datetime(2026, 1, 5, 4, tzinfo=UTC))
    assert page.receipt.model_version.endswith(f"+liked-1.{design_mark(experiment)}:liked")
