from pathlib import Path

import pandas as pd
import pytest

from recsys.errors import TrackingError
from recsys.tracking.mlflow_tracker import MlflowStore, MlflowTracker
from recsys.tracking.tracker import NullTracker


def kept(store: MlflowStore, run_id: str):
    with store.errors_explained():
        return store.client.get_run(run_id)


def files(store: MlflowStore, run_id: str, folder: str | None = None) -> set[str]:
    with store.errors_explained():
        return {file.path for file in store.client.list_artifacts(run_id, folder)}


def test_what_is_said_to_a_run_is_kept(store: MlflowStore, tmp_path: Path):
    page = tmp_path / "page.html"
    page.write_text("<p>")
    with MlflowTracker(store, "tries").run("first", {"night": "n"}) as run:
        run.params({"recommend.k": 20, "source": "town"})
        run.metrics({"mutual/ndcg@10": 0.5, "not a number": float("nan")})
        run.table("slices/>20", pd.DataFrame({"a": [1, 2], "b": ["=1+1", "x;=2"]}))
        run.file(page, "pages")
    found = kept(store, run.run_id)
    assert found.info.status == "FINISHED"
    assert found.info.run_name == "first"
    assert found.data.tags["night"] == "n"
    assert found.data.params == {"recommend.k": "20", "source": "town"}
    assert found.data.metrics == {"mutual/ndcg_at_10": 0.5}
    assert files(store, run.run_id, "pages") == {"pages/page.html"}
    [table] = files(store, run.run_id, "tables/slices")
    with store.errors_explained():
        read = store.client.download_artifacts(run.run_id, table, str(tmp_path))
    assert pd.read_csv(read).to_dict("list") == {"a": [1, 2], "b": ["'=1+1", "x;'=2"]}


def test_more_settings_than_go_at_once(store: MlflowStore):
    with MlflowTracker(store, "tries").run("many", {}) as run:
        run.params({f"setting {n}": n for n in range(205)})
    assert len(kept(store, run.run_id).data.params) == 205


def test_an_error_ends_the_run_as_failed(store: MlflowStore):
    with pytest.raises(ZeroDivisionError), MlflowTracker(store, "tries").run("broken", {}) as run:
        raise ZeroDivisionError
    assert kept(store, run.run_id).info.status == "FAILED"


def test_old_runs_go_with_their_files(store: MlflowStore, place: Path, tmp_path: Path):
    tracker = MlflowTracker(store, "tries")
    page = tmp_path / "page.html"
    page.write_text("<p>")
    ids = []
    for name in ("one", "two", "three", "four"):
        with tracker.run(name, {}) as run:
            run.file(page)
        ids.append(run.run_id)
    assert set(tracker.remove_old(2, needed=frozenset(ids[:1]))) == {ids[1]}
    assert kept(store, ids[1]).info.lifecycle_stage == "deleted"
    left = {path.parts[-3] for path in place.rglob("page.html")}
    assert left == {ids[0], ids[2], ids[3]}
    assert tracker.remove_old(2, needed=frozenset(ids[:1])) == []


def test_files_of_runs_keep_within_a_bound(store: MlflowStore, tmp_path: Path):
    tracker = MlflowTracker(store, "tries")
    page = tmp_path / "page.html"
    page.write_bytes(b"x" * 2**19)
    ids = []
    for name in ("one", "two", "three", "four"):
        with tracker.run(name, {}) as run:
            run.file(page)
        ids.append(run.run_id)
    assert tracker.remove_old(9, max_mb=2.1) == []
    assert tracker.remove_old(9, needed=frozenset(ids[:1]), max_mb=1.6) == [ids[1]]
    assert set(tracker.remove_old(9, max_mb=0.1)) == {ids[0], ids[2]}  # the newest stays


def test_a_store_that_was_moved_is_not_written_to(store: MlflowStore, place: Path):
    with MlflowTracker(store, "tries").run("here", {}):
        pass
    moved = place.rename(place.with_name("elsewhere"))
    with (
        pytest.raises(TrackingError, match="was moved"),
        MlflowTracker(MlflowStore.at(moved), "tries").run("there", {}),
    ):
        pass


def test_a_damaged_database_is_one_message(tmp_path: Path):
    (tmp_path / "mlflow.db").write_text("not a database at all" * 100)
    tracker = MlflowTracker(MlflowStore.at(tmp_path), "tries")
    with pytest.raises(TrackingError, match="did not answer") as caught, tracker.run("x", {}):
        pass
    assert "tracking.enabled=false" in str(caught.value)
    assert caught.value.exit_code == 40


def test_a_defect_of_ours_is_not_called_a_store_error(store: MlflowStore):
    with pytest.raises(KeyError), store.errors_explained():
        raise KeyError("ours")


def test_the_null_tracker_takes_everything_and_keeps_nothing(tmp_path: Path):
    with NullTracker().run("a night", {}) as run:
        run.params({"a": 1})
        run.metrics({"b": 1.0})
        run.table("t", pd.DataFrame())
        run.file(tmp_path / "no such file")
    assert run.run_id == ""
    assert list(tmp_path.iterdir()) == []
