"""Somebody asked to be erased: gone from what is served at once, and from every file by the next night."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from recsys import Ranker
from recsys.pipeline.erasure import clear_work_naming_erased, erase
from recsys.pipeline.lock import is_locked, writer_lock
from recsys.pipeline.paths import HOME_STORE, PATHS, NightPaths
from recsys.pipeline.rollback import rollback
from recsys.safety.erasure_list import ErasureList
from recsys.safety.sqlite_store import SqliteSafety
from recsys.safety.store import MemorySafety
from recsys.storage.publication import LISTS, current_run, read_publication
from tests.golden import PEOPLE
from tests.pipeline.nights import STAGES, Folder
from tests.pipeline.search import files_with

LONGER = (PEOPLE, "execution.people_a_part=60", "execution.workers=1")


@pytest.fixture(scope="module")
def folder(golden: Folder, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    root = tmp_path_factory.mktemp("forget") / "night"
    shutil.copytree(golden.root, root)
    return Folder(root)


@pytest.fixture(scope="module")
def pair(folder: Folder) -> tuple[str, str]:
    """Return a viewer and the first of their list, who will ask to be erased."""
    lists = pd.read_parquet(read_publication(folder.published).folder / LISTS)
    first = lists[lists["rank"] == 1].iloc[0]
    return first["viewer_id"], first["candidate_id"]


def test_a_night_keeps_its_lock_when_it_clears_what_names_the_erased(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recsys.pipeline.erasure.folder_names_erased", lambda *_: True)
    erased: Any = SimpleNamespace(watermark="later")
    with writer_lock(tmp_path):
        (tmp_path / "lists.parquet").touch()
        assert clear_work_naming_erased(NightPaths(tmp_path), erased)
        assert not (tmp_path / "lists.parquet").exists()
        assert is_locked(tmp_path)


def test_the_search_finds_an_id_wherever_it_is(folder: Folder, pair: tuple[str, str]) -> None:
    found = files_with(folder.root, pair[1])
    for part in ("tables/profiles.parquet", "accepted", "model", "serving/ids.npy", "runs/"):
        assert any(part in name for name in found), part


def test_from_one_call_to_the_next_nobody_is_shown_them(folder: Folder, pair: tuple[str, str]) -> None:
    viewer, gone = pair
    ranker = Ranker.open(folder.published, safety=MemorySafety(), poll_s=0, max_staleness=None)
    try:
        assert gone in [item.candidate_id for item in ranker.rank(viewer, k=5).items]
        outcome = erase([gone], folder.published)
        assert (outcome.new, outcome.still_named) == (1, True)
        assert gone not in [item.candidate_id for item in ranker.rank(viewer, k=5).items]
        assert not ranker.rank(gone, k=5).items
    finally:
        ranker.close()
    again = Ranker.open(folder.published, safety=MemorySafety(), poll_s=0, max_staleness=None)
    try:  # a restarting service goes on, without them
        assert again.rank(viewer, k=5).items
        assert gone not in [item.candidate_id for item in again.rank(viewer, k=5).items]
        assert again.look(viewer, gone) is None
    finally:
        again.close()
    assert erase([gone], folder.published).new == 0


def test_after_the_next_night_no_file_holds_them(
    folder: Folder, pair: tuple[str, str], tmp_path: Path
) -> None:
    _, gone = pair
    before = current_run(folder.published)
    assert before is not None
    kept = tmp_path / "kept"
    shutil.copytree(folder.published / "runs" / before, kept)
    blocks = pd.read_parquet(folder.root / PATHS.tables / "blocks.parquet")
    store = SqliteSafety.create(folder.root / HOME_STORE)
    erase([gone, *sorted(set(blocks["actor"]))[:3]], folder.published, safety=store)
    store.erase("not in the list")
    assert store.erased_since(None) == {"not in the list"}
    assert not [one for one in folder.root.rglob(f"{HOME_STORE.name}*") if gone.encode() in one.read_bytes()]
    assert set(folder.run(*LONGER, stages=STAGES).values()) == {0}
    assert files_with(folder.root, gone) == []
    assert store.erased_since(None) == {"not in the list"}
    served = read_publication(folder.published)
    assert served.run_id != before
    gates = [
        {row["gate"]: row for row in json.loads((one / "gates.json").read_text(encoding="utf-8"))}
        for one in (kept, served.folder)
    ]
    numbers = [one["safety_tables"]["numbers"] for one in gates]  # an erasure is no table that shrank
    assert (
        numbers[0]["blocks_rows"]
        == numbers[1]["blocks_rows"]
        > len(pd.read_parquet(folder.root / PATHS.tables / "blocks.parquet"))
    )
    assert served.manifest.erasure_watermark == ErasureList.of(folder.published).now().watermark
    Ranker.open(folder.published, safety=MemorySafety(), poll_s=0).close()

    earlier = folder.published / "runs" / before
    assert read_publication(folder.published, run_id=before).lists.shape[0] > 0  # it stays, without them
    shutil.rmtree(earlier)
    shutil.copytree(kept, earlier)  # an old publication comes back from a backup
    assert rollback(folder.published, before).run_id == before
    assert files_with(earlier, gone) == []
    rollback(folder.published, served.run_id)


@pytest.mark.parametrize(
    "stage",
    [
        *("recommend", "publish"),
        *(pytest.param(more, marks=pytest.mark.thorough) for more in ("train", "allocate")),
    ],
)
def test_somebody_forgotten_while_the_night_runs_is_left_out(folder: Folder, stage: str) -> None:
    lists = pd.read_parquet(folder.lists)
    erased = ErasureList.of(folder.published).now().among(lists["candidate_id"])
    gone = lists["candidate_id"][~erased].iloc[0]
    erase([gone], folder.published)
    stages = STAGES[STAGES.index(stage) :]
    assert set(folder.run(*LONGER, stages=stages).values()) <= {0, 10}
    served = read_publication(folder.published)
    assert files_with(served.folder, gone) == []
    ranks = served.lists.groupby("viewer_id")["rank"].apply(list)
    assert all(rank == list(range(1, len(rank) + 1)) for rank in ranks)
    assert 0 < len(served.lists) < len(lists)


@pytest.mark.parametrize("is_over", [False, True])
def test_a_night_leaves_the_erased_out_of_the_neighbourhoods_of_an_experiment(
    folder: Folder, is_over: bool
) -> None:
    """Seen to fail: the file that `recsys experiment assign` wrote kept the id, also once it was over."""
    lists = read_publication(folder.published).lists
    gone, *others = sorted(set(lists["candidate_id"]))[:4]
    file = folder.root / "data/neighbourhoods.parquet"
    before = pd.DataFrame(
        {"user_id": [others[0], gone, *others[1:]], "neighbourhood": ["n1", "n1", "n2", "n2"]}
    )
    before.to_parquet(file, index=False)
    arms = "arms: {a: {share: 0.5}, b: {share: 0.5}}, neighbourhoods: data/neighbourhoods.parquet"
    changes = f"experiment={{name: e, unit: neighbourhood, starts: 2026-03-02, nights: 28, {arms}}}"
    erase([gone], folder.published)
    stages = ("settings", "simulate", "ingest")
    assert set(folder.run(PEOPLE, *([] if is_over else [changes]), stages=stages).values()) == {0}
    assert pd.read_parquet(file).to_dict("list") == before[before["user_id"] != gone].to_dict("list")
