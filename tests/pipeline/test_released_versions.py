"""What released versions wrote opens, or says what to do; a night after an upgrade publishes over it.

`released/` holds a home of each released version: settings, and a publication of sixty people of the town. To
add one, publish with `recsys simulate --out parquet:town`, `train`, `recommend` and `publish` of that version
and pack params.yaml and data/published.
"""

import re
import tarfile
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from recsys.cli import app
from recsys.errors import PublicationError
from recsys.pipeline.history import read_history
from recsys.ranking.ranker import Ranker
from recsys.safety import MemorySafety
from recsys.settings import read_settings
from recsys.storage.publication import current_run, read_publication
from tests.pipeline.small_night import Night

RELEASED = sorted((Path(__file__).parent / "released").glob("*.tar.gz"))
PUBLISHED = Path("data/published")


@pytest.fixture(params=RELEASED, ids=lambda path: path.name.removesuffix(".tar.gz"))
def home(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    with tarfile.open(request.param) as archive:
        archive.extractall(tmp_path, filter="data")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_version_with_a_date_has_a_home_here() -> None:
    changes = (Path(__file__).parents[2] / "CHANGELOG.md").read_text(encoding="utf-8")
    dated = re.findall(r"^## \[(\S+)\] - \d{4}-\d{2}-\d{2}$", changes, re.MULTILINE)
    assert dated
    assert {path.name.removesuffix(".tar.gz") for path in RELEASED} >= set(dated[:2])


def test_settings_are_read(home: Path) -> None:
    assert read_settings("params.yaml").publish.platform.missing("parquet:town") == ()


def test_lists_and_history_are_read(home: Path) -> None:
    publication = read_publication(PUBLISHED)
    assert len(publication.lists) == publication.manifest.files["recommendations.parquet"].rows
    assert [night.published for night in read_history(PUBLISHED)] == [True]


def test_a_backend_serves_it_or_is_told_to_publish_again(home: Path) -> None:
    viewer = read_publication(PUBLISHED).lists["viewer_id"].iloc[0]
    said = ""
    try:
        with closing(Ranker.open(PUBLISHED, safety=MemorySafety(), poll_s=0, max_staleness=None)) as ranker:
            assert ranker.rank(viewer, k=3).items
    except PublicationError as error:
        said = str(error)
    assert said == "" or "publish again" in said


def test_the_next_night_publishes_over_it(home: Path, night: Night) -> None:
    before = current_run(PUBLISHED)
    outcome = night.publish(PUBLISHED)
    assert outcome.published
    assert current_run(PUBLISHED) == outcome.run_id > str(before)
    assert len(read_history(PUBLISHED)) == 2


def test_going_back_to_it_is_done_or_refused_with_a_reason(home: Path, night: Night) -> None:
    before = current_run(PUBLISHED)
    made = night.publish(PUBLISHED).run_id
    done = CliRunner(env={"LC_ALL": "C.UTF-8"}).invoke(app, ["rollback"])
    assert (done.exit_code, current_run(PUBLISHED)) in {(0, before), (40, made)}, done.output
    assert done.exit_code == 0 or "publish" in done.output


def test_the_doctor_looks_at_it(home: Path) -> None:
    done = CliRunner(env={"LC_ALL": "C.UTF-8"}).invoke(app, ["doctor"])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert str(current_run(PUBLISHED)) in done.output
