"""The nightly batch and `recsys publish` make the same publication of the same files."""

import json
import shutil
from contextlib import chdir
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from pipelines import publish as stage
from recsys.cli import app
from recsys.pipeline.history import read_gates
from recsys.pipeline.paths import PATHS, PUBLISHED
from recsys.pipeline.stage_outputs import read_prices
from recsys.ranking.ranker import Ranker
from recsys.safety.erasure_list import ErasureList
from recsys.safety.store import MemorySafety
from recsys.settings import read_settings
from recsys.storage.atomic_write import sha256_of
from recsys.storage.manifest import MANIFEST
from recsys.storage.publication import read_publication
from tests.pipeline.nights import Folder

ELSEWHERE = Path("data/elsewhere")


@pytest.fixture(scope="module", params=[False, True], ids=["nobody erased", "somebody erased"])
def doors(request: pytest.FixtureRequest, golden: Folder, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """Return a folder in which one night was published through both doors, each into a folder of its own."""
    folder = Folder(tmp_path_factory.mktemp("doors") / "night")
    shutil.copytree(golden.root, folder.root)
    shutil.rmtree(folder.published)
    with chdir(folder.root):
        settings = read_settings(PATHS.settings, changes=["publish.gates.min_calibration_answers=5"])
        PATHS.settings.write_text(settings.as_yaml())
        for published in (PUBLISHED, ELSEWHERE):
            published.mkdir(parents=True)
            if request.param:
                ErasureList.of(published).add([folder.night().people.ids.values[3]])
        assert stage.main() == 0
        done = CliRunner().invoke(app, ["publish", "--published", str(ELSEWHERE)])
        assert done.exit_code in {0, 10}, done.output
        assert "note:" not in done.output
    return folder


def test_both_doors_write_the_same_files_and_gates(doors: Folder) -> None:
    night, command = (read_publication(doors.root / path).folder for path in (PUBLISHED, ELSEWHERE))
    files = {path.relative_to(night).as_posix() for path in night.rglob("*") if path.is_file()}
    assert files == {path.relative_to(command).as_posix() for path in command.rglob("*") if path.is_file()}
    assert any(name.startswith("serving/") for name in files)
    differing = {name for name in files if sha256_of(night / name) != sha256_of(command / name)}
    assert differing == {MANIFEST}
    manifests = [json.loads((folder / MANIFEST).read_bytes()) for folder in (night, command)]
    volatile = {"run_id", "created_at", "erasure_watermark", "safety_watermark", "check"}
    first, second = ({key: value for key, value in one.items() if key not in volatile} for one in manifests)
    assert first == second
    assert first["events"] > 0
    [calibration], [of_night] = (
        [gate for gate in read_gates(folder) if gate.gate == "calibration"] for folder in (command, night)
    )
    assert calibration == of_night
    assert 0 <= calibration.numbers["value"] < 0.2
    assert calibration.numbers["answers"] >= 5


def test_live_search_knows_the_prices_of_attention_through_both_doors(doors: Folder) -> None:
    people = doors.night().people
    prices = read_prices(doors.root / PATHS.allocation, people.ids)
    for published in (PUBLISHED, ELSEWHERE):
        kept = ~ErasureList.of(doors.root / published).now().among(people.ids.values)
        served = np.load(read_publication(doors.root / published).folder / "serving" / "prices.npy")
        assert served.max() > 0
        assert set(served) <= {*prices[kept].astype(np.float64), 0.0}
        ranker = Ranker.open(doors.root / published, safety=MemorySafety(), poll_s=0, max_staleness=None)
        assert ranker.rank(people.ids.values[0], k=3) is not None
        ranker.close()


def test_the_command_says_what_it_publishes_without(doors: Folder) -> None:
    with chdir(doors.root):
        shutil.copy(PATHS.lists, "lists.parquet")
        done = CliRunner(env={"LC_ALL": "C"}).invoke(app, ["publish", "--lists", "lists.parquet"])
    assert done.output.count("note: there is no ") == 2
