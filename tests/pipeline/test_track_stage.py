"""The last stage: what it keeps, and that it spoils nothing."""

import json
import shutil
from pathlib import Path

import pytest

from recsys.batch.night import outcome_of
from recsys.pipeline.paths import PATHS, PUBLISHED
from recsys.storage.publication import current_run
from tests.golden import PEOPLE
from tests.pipeline.nights import Folder
from tests.tracking.databases import put_database

LAST = ("settings", "track")


@pytest.fixture
def finished(golden: Folder, tracking_database: Path, tmp_path: Path) -> Folder:
    folder = Folder(shutil.copytree(golden.root, tmp_path / "night"))
    put_database(folder.root / "data/tracking", tracking_database)
    return folder


def test_a_night_is_tracked_and_its_model_registered_once(finished: Folder) -> None:
    assert finished.run(PEOPLE, stages=LAST) == {"settings": 0, "track": 0}
    first = json.loads((finished.root / PATHS.tracked).read_text())
    assert (first["version"], first["is_new"]) == (1, True)
    assert finished.run(PEOPLE, stages=LAST) == {"settings": 0, "track": 0}
    again = json.loads((finished.root / PATHS.tracked).read_text())
    assert (again["version"], again["is_new"]) == (1, False)
    pages = {path.parent.parent.name for path in (finished.root / "data/tracking").rglob("report.html")}
    assert pages == {first["run"], again["run"]}


def test_a_store_that_is_away_leaves_the_night_published(
    finished: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = current_run(finished.published)
    codes = finished.run(PEOPLE, "tracking.store=params.yaml", stages=LAST)
    assert codes == {"settings": 0, "track": 40}
    assert current_run(finished.published) == before
    monkeypatch.chdir(finished.root)
    code, said = outcome_of(1)
    assert code == 10
    assert f"{before} is served from {PUBLISHED}, but it could not be tracked" in said


def test_tracking_can_be_turned_off(finished: Folder) -> None:
    shutil.rmtree(finished.root / "data/tracking")
    assert finished.run(PEOPLE, "tracking.enabled=false", stages=LAST)["track"] == 0
    assert not (finished.root / "data/tracking").exists()
    assert json.loads((finished.root / PATHS.tracked).read_text())["version"] is None
