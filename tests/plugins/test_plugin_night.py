"""A package of somebody else's, known by name alone, in a whole night and when it is served."""

import json
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

import recsys
from recsys.cli import app
from recsys.models.content import ContentModel
from recsys.pipeline.fingerprint import code_fingerprint
from recsys.pipeline.night import policy_from_settings
from recsys.pipeline.paths import PATHS, PUBLISHED
from recsys.ranking.newcomer_limits import NewcomerLimits
from recsys.ranking.ranker import Ranker
from recsys.safety import MemorySafety, open_safety
from recsys.settings import read_settings
from recsys.storage.load import load_population
from recsys.storage.publication import current_run, read_publication
from tests.pipeline.nights import Folder
from tests.plugins import documented_plugins as page


def changes() -> list[str]:
    """The settings of the page as `--set` takes them; sizes made small, the service declared."""
    given = page.settings() | {"source": "ledger:300"}
    flat = [f"{key}={given[key]}" for key in ("source",)]
    flat += [
        f"{section}.{key}={json.dumps(value)}"
        for section in ("policy", "model", "evaluate")
        for key, value in given[section].items()
    ]
    return [
        *flat,
        f"publish.platform.declared_for={given['source']}",
        "publish.gates.list_floor=1",
        "allocate.steps=5",
    ]


@pytest.fixture(scope="module")
def night(ours: Path, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    folder = Folder(tmp_path_factory.mktemp("night"))
    codes = folder.run(*changes())
    assert set(codes.values()) == {0}, codes
    return folder


@pytest.fixture
def here(night: Folder) -> Iterator[Path]:
    with chdir(night.root):
        yield night.root


def by_video() -> set[str]:
    people = load_population(f"parquet:{PATHS.tables}")
    return set(people.ids.ids(np.flatnonzero(people.has_word("channels", "in_app_video"))))


def test_the_documented_plugins_run_as_one_program(
    ours: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with chdir(tmp_path):
        exec(compile(page.program(), "docs/how-to/extend.md", "exec"), {"__name__": "page"})
    assert "whole" in capsys.readouterr().out


def test_a_plugin_constraint_holds_before_scoring_after_ranking_and_at_the_gate(here: Path) -> None:
    reachable = by_video()
    people = load_population(f"parquet:{PATHS.tables}")
    policy = policy_from_settings(read_settings(PATHS.settings).policy)
    assert "video_only" in policy.names
    listed = set(people.ids.ids(np.flatnonzero(policy.compile(people).listed)))
    without = set(people.ids.ids(np.flatnonzero(recsys.Policy.default().compile(people).listed)))
    assert listed == without & reachable
    assert listed < without
    for path in (PATHS.pool, PATHS.lists):
        rows = pd.read_parquet(path)
        assert len(rows) > 10
        assert set(rows["viewer_id"]) | set(rows["candidate_id"]) <= listed
    published = read_publication(PUBLISHED)
    assert published.manifest.made_from.policy == policy.version
    i, j = (people.ids.rows(published.lists[c]) for c in ("viewer_id", "candidate_id"))
    assert policy.may_show(people, i, j).all()


def test_a_plugin_constraint_holds_when_serving_newcomers(here: Path) -> None:
    reachable = by_video()
    limits = NewcomerLimits(page=1000, day=10_000, share=1.0, profiles=1000)
    with_open = Ranker.open(PUBLISHED, safety=MemorySafety(), poll_s=0, max_staleness=None, newcomers=limits)
    viewers = sorted(reachable & set(read_publication(PUBLISHED).lists["viewer_id"]))
    shown = {item.candidate_id for viewer in viewers[:20] for item in with_open.rank(viewer, k=100).items}
    assert shown
    assert shown <= reachable
    people = load_population(f"parquet:{PATHS.tables}")
    outsider = next(user for user in people.ids.ids(np.arange(len(people))) if user not in reachable)
    assert with_open.rank(outsider, k=10).items == ()
    tables = {"profiles": [], "boundaries": []}
    for name in tables:
        table = pd.read_parquet(PATHS.tables / f"{name}.parquet")
        tables[name] = table[table["user_id"] == viewers[0]].assign(user_id="new")
    page_of_new = with_open.rank("new", k=50, profile=tables)
    assert {item.candidate_id for item in page_of_new.items} <= reachable
    without = tables["boundaries"].assign(channels=[["in_app_text"]])
    assert with_open.rank("new", k=50, profile={**tables, "boundaries": without}).items == ()
    with_open.close()


def test_a_plugin_block_is_fitted_saved_and_explained(here: Path) -> None:
    model = ContentModel.load(PATHS.model)
    assert model.features_.names[-1] == "weekends"
    people = load_population(f"parquet:{PATHS.tables}")
    a, b = people.ids.ids([0, 1])
    parts = model.explain_pair(a, b, people=people).to_frame()
    assert "weekends" in set(parts["term"])


def test_plugin_model_and_metric_are_evaluated_beside_the_others(here: Path) -> None:
    measures = pd.DataFrame(json.loads(PATHS.evaluation.read_bytes())["measures"])
    assert {"content", "same_age", "popularity", "random"} == set(measures["model"].dropna())
    own = measures[(measures["metric"] == "first_like") & (measures["slice"] == "all")]
    assert set(own["model"]) == {"content", "same_age", "popularity", "random"}
    assert own["random"].between(0, 1).all()
    assert own["value"].between(0, 1).all()
    assert "first_like" in PATHS.report.read_text(encoding="utf-8")


def test_a_plugin_model_makes_the_lists(night: Folder, ours: Path) -> None:
    alone = ["model.name=same_age", "model.blocks={}"]
    stages = ("settings", "train", "recommend", "allocate", "publish")
    before = current_run(night.published)
    assert set(night.run(*changes(), *alone, stages=stages).values()) == {0}
    assert current_run(night.published) != before
    with chdir(night.root):
        lists = read_publication(PUBLISHED).lists
        assert len(lists) > 10
        reachable = by_video()
        assert set(lists["candidate_id"]) <= reachable


def test_the_manifest_covers_the_package(here: Path, ours: Path) -> None:
    manifest = read_publication(PUBLISHED).manifest
    assert manifest.made_from.code == code_fingerprint()
    assert read_settings(PATHS.settings).plugins["ours"].startswith("1.0 ")


def test_a_changed_plugin_source_changes_the_fingerprint(ours: Path) -> None:
    before, file = code_fingerprint(), ours / "ours" / "same_age.py"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("weight: float = 1.0", "weight: float = 2.0"), encoding="utf-8")
    changed = code_fingerprint()
    file.write_text(text, encoding="utf-8")
    assert changed != before == code_fingerprint()


def test_doctor_lists_installed_plugins(here: Path) -> None:
    done = CliRunner().invoke(app, ["doctor"])
    assert done.exit_code == 0, done.output
    (line,) = (line for line in done.output.splitlines() if line.split()[1] == "plugins")
    for name in ("video_only", "weekends", "same_age", "first_like", "ledger", "watch"):
        assert f"{name} (" in line
    assert "from ours 1.0" in line


def test_a_safety_store_is_opened_by_name(ours: Path) -> None:
    store = open_safety("watch:here")
    store.block("a", "b")
    assert store.exclusions("a", ["b"]).excluded == {"b"}


def test_the_documented_settings_are_valid(ours: Path, tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(page.settings()))
    read = read_settings(path)
    assert read.policy.constraints == {"video_only": {}}
    assert read.model.blocks == {"weekends": {}}
