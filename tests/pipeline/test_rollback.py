"""Going back serves an earlier night again, and never a broken one."""

import json
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from recsys.errors import BusyError, PublicationError
from recsys.pipeline import doctor
from recsys.pipeline.lock import writer_lock
from recsys.pipeline.postgres_served_lists import viewer_rows
from recsys.pipeline.rollback import rollback
from recsys.ranking import snapshot_files
from recsys.ranking.ranker import Ranker
from recsys.safety import MemorySafety
from recsys.storage.publication import (
    CURRENT,
    LISTS,
    RUNS,
    current_run,
    is_overtaken,
    read_publication,
    set_current_run,
)
from tests.pipeline.small_night import Night
from tests.ranking.published_world import NOW, World
from tests.safety.restriction_doors import TOWN, Published, copy_of


@pytest.fixture
def runs(night: Night, tmp_path: Path) -> list[str]:
    return [night.publish(tmp_path).run_id for _ in range(3)]


def test_the_run_before_is_served_again(runs: list[str], tmp_path: Path) -> None:
    assert rollback(tmp_path).run_id == runs[1]
    assert read_publication(tmp_path).run_id == runs[1]
    assert rollback(tmp_path).run_id == runs[0]
    with pytest.raises(PublicationError, match="nothing earlier"):
        rollback(tmp_path)
    assert current_run(tmp_path) == runs[0]


@pytest.mark.parametrize("by_hand", [True, False])
def test_an_earlier_run_gives_no_reasons_that_may_have_been_taken_back(
    tmp_path: Path, *, by_hand: bool
) -> None:
    """Seen to fail: an answer that is `match_only` since, and a community that was left, were named again."""
    world = World.small(30)
    served = [world.publish(tmp_path).run_id for _ in range(3)]

    def codes() -> set[str]:
        with closing(Ranker.open(tmp_path, safety=MemorySafety(), max_staleness=None)) as ranker:
            run_id = ranker._reloader.now.snapshot.run_id
            viewers = world.people.ids.ids(range(30)).tolist()
            items = [item for viewer in viewers for item in ranker.rank(viewer, 20, NOW).items]
        assert items
        lists, overtaken = tmp_path / RUNS / run_id / LISTS, is_overtaken(tmp_path, run_id)
        table = viewer_rows(lists, with_reasons=not overtaken).read_all()["reasons"].to_pylist()
        exported = {code for row in table for one in row for code in one.split(",")}
        return {code for item in items for code in item.reasons} | exported - {""}

    assert codes()
    for run_id, has_reasons in ((served[0], False), (served[1], False), (served[2], True)):
        if by_hand:
            (tmp_path / CURRENT).write_text(f"{RUNS}/{run_id}\n")
        else:
            rollback(tmp_path, run_id)
        assert bool(codes()) == has_reasons, run_id
    rollback(tmp_path, served[0])
    world.publish(tmp_path)
    assert codes()


@pytest.mark.parametrize("loads", ["newest", "nothing", "fails"])
def test_a_worker_gives_no_reasons_after_a_rollback(loads: str, tmp_path: Path) -> None:
    """Seen to fail: one that had not loaded the newest night, or could not, named what was taken back."""
    world = World.small(30)
    viewers = world.people.ids.ids(range(30)).tolist()
    first = world.publish(tmp_path).run_id
    with closing(Ranker.open(tmp_path, safety=MemorySafety(), max_staleness=None, poll_s=0)) as ranker:

        def has_reasons() -> bool:
            pages = [ranker.rank(viewer, 20, NOW) for viewer in viewers]
            assert any(page.items for page in pages)
            return any(item.reasons for page in pages for item in page.items)

        assert has_reasons()
        newest = world.publish(tmp_path).run_id
        if loads == "fails":
            array = sorted((tmp_path / RUNS / newest / "serving").glob("*.npy"))[0]
            array.write_bytes(array.read_bytes()[:-3])
        if loads != "nothing":
            assert ranker.refresh() == (loads == "newest")
            assert has_reasons() == (loads == "newest")
        rollback(tmp_path, first, without_newest=loads == "fails")
        ranker.refresh()
        assert ranker.run_id == first
        assert not has_reasons()
        assert not ranker.refresh(), "nothing new is served"
        world.publish(tmp_path)
        assert ranker.refresh()
        assert has_reasons()


@pytest.mark.parametrize("pointer", [None, b"", b"garbage\xff", b"20260101T000000Z-00000000"])
@pytest.mark.parametrize("published_since", [False, True])
def test_a_worker_that_cannot_read_what_is_served_gives_no_reasons(
    pointer: bytes | None, tmp_path: Path, *, published_since: bool
) -> None:
    """Seen to fail: where the pointer was garbage or gone, reasons of the night before were given."""
    world = World.small(30)
    viewers = world.people.ids.ids(range(30)).tolist()
    world.publish(tmp_path)
    with closing(Ranker.open(tmp_path, safety=MemorySafety(), max_staleness=None, poll_s=0)) as ranker:

        def has_reasons() -> bool:
            return any(item.reasons for viewer in viewers for item in ranker.rank(viewer, 20, NOW).items)

        assert has_reasons()
        if published_since:
            world.publish(tmp_path)
        kept = (tmp_path / CURRENT).read_bytes()
        (tmp_path / CURRENT).unlink() if pointer is None else (tmp_path / CURRENT).write_bytes(pointer)
        for _ in range(2):
            ranker.refresh()
            assert not has_reasons()
        (tmp_path / CURRENT).write_bytes(kept)
        assert ranker.refresh()
        assert has_reasons()
        assert not ranker.refresh()


def test_a_run_is_named(runs: list[str], tmp_path: Path) -> None:
    assert rollback(tmp_path, runs[0]).run_id == runs[0]
    assert rollback(tmp_path, runs[2]).run_id == runs[2]
    with pytest.raises(PublicationError, match="no such publication"):
        rollback(tmp_path, "20260101T000000Z-00000000")
    assert current_run(tmp_path) == runs[2]


def test_a_damaged_run_is_refused(runs: list[str], tmp_path: Path) -> None:
    path = tmp_path / "runs" / runs[1] / "recommendations.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(PublicationError, match="do not match the manifest"):
        rollback(tmp_path)
    assert current_run(tmp_path) == runs[2]


def test_the_next_night_comes_after_all_others(runs: list[str], night: Night, tmp_path: Path) -> None:
    rollback(tmp_path)
    assert night.publish(tmp_path).run_id > runs[2]


def test_a_writer_at_work_is_not_disturbed(runs: list[str], tmp_path: Path) -> None:
    with writer_lock(tmp_path), pytest.raises(BusyError):
        rollback(tmp_path)


def test_nothing_published(tmp_path: Path) -> None:
    with pytest.raises(PublicationError, match="nothing is published"):
        rollback(tmp_path / "nowhere")
    with pytest.raises(PublicationError, match="nothing earlier"):
        rollback(tmp_path)


_FILES = ["manifest.json", "recommendations.parquet", "serving/arrays.json", "serving/lists.candidates.npy"]


@pytest.mark.parametrize("harm", ["cut", "flipped", "gone"])
@pytest.mark.parametrize("file", _FILES)
def test_nothing_is_rolled_back_from_a_publication_that_cannot_be_read(
    town: Published, tmp_path: Path, file: str, harm: str
) -> None:
    """Whom it left out, paused or hidden that day, came back, and the message had said to roll back."""
    folder = copy_of(town, tmp_path)
    before, newest = current_run(folder), town.night(folder, TOWN, hours=2).run_id
    path = folder / "runs" / newest / file
    content = path.read_bytes()
    if harm == "gone":
        path.unlink()
    else:
        half = len(content) // 2
        path.write_bytes(content[:half] if harm == "cut" else content[:half] + b"\0" + content[half + 1 :])
    with pytest.raises(PublicationError, match="cannot be read whom the newest publication leaves out"):
        rollback(folder)
    assert current_run(folder) == newest
    assert rollback(folder, without_newest=True).run_id == before


def test_a_publication_that_is_gone_says_nothing_of_whom_it_left_out(runs: list[str], tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "runs" / runs[2])
    with pytest.raises(PublicationError, match="cannot be read whom"):
        rollback(tmp_path, runs[0])
    assert rollback(tmp_path, runs[0], without_newest=True).run_id == runs[0]


@pytest.mark.parametrize("of_manifest", [True, False])
def test_a_whole_publication_of_another_version_is_passed_over(
    runs: list[str], tmp_path: Path, of_manifest: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = tmp_path / "runs" / runs[2] / "manifest.json"
    if of_manifest:
        manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"format": 99}))
    else:
        monkeypatch.setattr(snapshot_files, "SNAPSHOT_SCHEMA", "of another version")
    assert rollback(tmp_path, runs[0]).run_id == runs[0]


@pytest.mark.parametrize("how", ["cut", "gone", "pointer"])
def test_the_doctor_tells_of_a_newest_publication_that_is_lost(
    town: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Seen to fail: where an earlier one was served, nothing said that a later one was damaged or gone."""
    folder = copy_of(town, tmp_path)
    first = current_run(folder)
    assert first is not None
    assert town.night(folder, TOWN, hours=2).published
    monkeypatch.setattr(doctor, "PUBLISHED", folder)
    assert doctor._checked_newest().good
    second = current_run(folder)
    assert second is not None
    set_current_run(folder, first)
    assert doctor._checked_newest().good
    if how == "cut":
        path = folder / RUNS / second / LISTS
        path.write_bytes(path.read_bytes()[:-9])
    elif how == "gone":
        shutil.rmtree(folder / RUNS / second)
    else:
        (folder / "CURRENT").unlink()
    found = doctor._checked_newest()
    assert not found.good
    assert second in str(found.text.values)
