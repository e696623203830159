"""What may be served and what never is: hashes, schema, policy, erasures; swaps in one step."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from recsys.constraints.policy import Policy
from recsys.errors import InputError, PublicationError, SafetyUnavailable
from recsys.ranking.hooks import Call, Load
from recsys.ranking.ranker import Ranker
from recsys.safety import MemorySafety
from recsys.safety.erasure_list import ErasureList
from recsys.storage.atomic_write import sha256_of
from recsys.storage.publication import CURRENT, SERVING, set_current_run
from tests.pipeline.small_night import MADE_FROM
from tests.ranking.published_world import NOW, World

Damage = Callable[[Path], None]


@pytest.fixture(scope="module")
def world() -> World:
    return World.small(20)


def changed_json(path: Path, change: Callable[[dict], None]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def with_new_hashes(run: Path, change: Damage) -> None:
    """Change files under a manifest that vouches for what they are then."""
    change(run)

    def rehash(manifest: dict) -> None:
        for name, entry in manifest["files"].items():
            entry |= {"sha256": sha256_of(run / name), "bytes": (run / name).stat().st_size}

    changed_json(run / "manifest.json", rehash)


def changed_meta(run: Path, **changes: object) -> None:
    changed_json(run / SERVING / "arrays.json", lambda index: index["meta"].update(changes))


def flip_a_bit(run: Path) -> None:
    path = run / SERVING / "layout.people.taste.npy"
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.write_bytes(content)


def lose_a_file(run: Path) -> None:
    (run / SERVING / "layout.sparse.separated.indices.npy").unlink()


def another_schema(run: Path) -> None:
    with_new_hashes(run, lambda run: changed_meta(run, serving=999))


def another_policy(run: Path) -> None:
    with_new_hashes(run, lambda run: changed_meta(run, policy="policy-other"))


def another_time(run: Path) -> None:
    changed_json(run / "manifest.json", lambda m: m.update(data_as_of="2020-01-01T00:00:00+00:00"))


def a_watermark_after_the_run(run: Path) -> None:
    late = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    changed_json(run / "manifest.json", lambda m: m.update(erasure_watermark=late))


def a_watermark_that_is_no_time(run: Path) -> None:
    changed_json(run / "manifest.json", lambda m: m.update(erasure_watermark="yesterday"))


def a_part_the_manifest_does_not_name(run: Path) -> None:
    changed_json(run / "manifest.json", lambda m: m["files"].pop(f"{SERVING}/prices.npy"))


def no_part_to_serve(run: Path) -> None:
    changed_json(run / "manifest.json", lambda m: m.update(
        files={name: e for name, e in m["files"].items() if not name.startswith(SERVING)}))  # fmt: skip


def a_lost_array(run: Path) -> None:
    def lose(run: Path) -> None:
        changed_json(run / SERVING / "arrays.json", lambda index: index["arrays"].pop("lists.indptr"))

    with_new_hashes(run, lose)


def no_manifest(run: Path) -> None:
    (run / "manifest.json").unlink()


DAMAGES = [
    flip_a_bit,
    lose_a_file,
    another_schema,
    another_policy,
    another_time,
    a_watermark_after_the_run,
    a_watermark_that_is_no_time,
    a_part_the_manifest_does_not_name,
    no_part_to_serve,
    a_lost_array,
    no_manifest,
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_does_not_fit_never_loads_and_the_old_one_goes_on(
    world: World, tmp_path: Path, damage: Damage
) -> None:
    good = world.publish(tmp_path)
    seen: list[Load] = []
    ranker = Ranker.open(tmp_path, safety=MemorySafety(), poll_s=0, hooks=[Listener(loads=seen)])
    bad = world.publish(tmp_path)
    damage(bad.folder)
    assert not ranker.refresh()
    page = ranker.rank(world.people.ids.values[3], as_of=NOW)
    assert page.receipt.run_id == ranker.run_id == good.run_id
    assert page.degraded
    assert page.items
    assert [(load.run_id, bool(load.problem)) for load in seen] == [(good.run_id, False), (bad.run_id, True)]
    with pytest.raises(PublicationError):
        Ranker.open(tmp_path, safety=MemorySafety(), poll_s=0)
    better = world.publish(tmp_path)
    assert ranker.refresh()
    page = ranker.rank(world.people.ids.values[3], as_of=NOW)
    assert (page.receipt.run_id, page.degraded) == (better.run_id, False)


class Listener:
    def __init__(self, calls: list[Call] | None = None, loads: list[Load] | None = None) -> None:
        self.calls = [] if calls is None else calls
        self.loads = [] if loads is None else loads

    def on_call(self, call: Call) -> None:
        self.calls.append(call)

    def on_load(self, load: Load) -> None:
        self.loads.append(load)


@pytest.mark.parametrize("told", ["store", "list"])
def test_a_run_that_names_an_erased_person_is_opened_without_them(
    world: World, tmp_path: Path, told: str
) -> None:
    ids, safety = world.people.ids.values[:30], MemorySafety()
    world.publish(tmp_path)
    ranker = Ranker.open(tmp_path, safety=safety, poll_s=0)
    before = {viewer: [item.candidate_id for item in ranker.rank(viewer, 30, NOW).items] for viewer in ids}
    gone = next(one for one in ids if before[one] and any(one in page for page in before.values()))
    safety.erase(gone) if told == "store" else ErasureList.of(tmp_path).add([gone])
    world.publish(tmp_path)
    assert ranker.refresh() == (told == "store")  # of the list every night hears
    for served in (ranker, Ranker.open(tmp_path, safety=safety, poll_s=0)):
        for viewer in ids:
            page = [item.candidate_id for item in served.rank(viewer, 30, NOW).items]
            assert gone not in page
            assert bool(page) == (viewer != gone and bool(before[viewer]))
            assert served.look(viewer, gone, NOW) is None
    assert gone not in served._reloader.now.snapshot.ids


def test_a_list_of_erasures_that_cannot_be_read_serves_nobody(world: World, tmp_path: Path) -> None:
    world.publish(tmp_path)
    ranker = Ranker.open(tmp_path, safety=MemorySafety(), poll_s=0)
    erasures = ErasureList.of(tmp_path)
    erasures.add(["u-somebody"])
    next((tmp_path / "erasures").glob("*.json")).write_text("{")
    with pytest.raises(SafetyUnavailable):
        ranker.rank(world.people.ids.values[3], as_of=NOW)


def test_another_policy_than_the_callers_is_refused(world: World, tmp_path: Path) -> None:
    world.publish(tmp_path)
    Ranker.open(tmp_path, safety=MemorySafety(), policy=world.policy, poll_s=0).close()
    with pytest.raises(PublicationError, match="policy"):
        Ranker.open(tmp_path, safety=MemorySafety(), policy=Policy.default(verification="id"), poll_s=0)
    world.publish(tmp_path, made_from=MADE_FROM)  # the manifest tells of another policy
    with pytest.raises(PublicationError, match="policy"):
        Ranker.open(tmp_path, safety=MemorySafety(), poll_s=0)


def test_a_call_under_way_finishes_on_what_it_began_with(world: World, tmp_path: Path) -> None:
    first = world.publish(tmp_path)

    class Swapping(MemorySafety):
        def exclusions(self, viewer, candidates):
            if not swapped:
                swapped.append(world.publish(tmp_path).run_id)
                assert ranker.refresh()
            return super().exclusions(viewer, candidates)

    swapped: list[str] = []
    ranker = Ranker.open(tmp_path, safety=Swapping(), poll_s=0)
    assert ranker.rank(world.people.ids.values[3], as_of=NOW).receipt.run_id == first.run_id
    assert ranker.rank(world.people.ids.values[3], as_of=NOW).receipt.run_id == swapped[0]


def test_an_earlier_run_can_be_pointed_to_again(world: World, tmp_path: Path) -> None:
    first, second = world.publish(tmp_path), world.publish(tmp_path)
    ranker = Ranker.open(tmp_path, safety=MemorySafety(), poll_s=0)
    assert ranker.run_id == second.run_id
    set_current_run(tmp_path, first.run_id)
    assert ranker.refresh()
    assert ranker.run_id == first.run_id


def test_a_pointer_that_is_gone_or_nonsense_changes_nothing(world: World, tmp_path: Path) -> None:
    run = world.publish(tmp_path)
    ranker = Ranker.open(tmp_path, safety=MemorySafety(), poll_s=0)
    for content in (None, b"\xff\xfe", b"somewhere else", b"runs/none"):
        (tmp_path / CURRENT).unlink(missing_ok=True)
        if content is not None:
            (tmp_path / CURRENT).write_bytes(content)
        assert not ranker.refresh()
        page = ranker.rank(world.people.ids.values[3], as_of=NOW)
        assert page.degraded
        assert page.receipt.run_id == run.run_id
    set_current_run(tmp_path, run.run_id)
    ranker.refresh()
    assert not ranker.rank(world.people.ids.values[3], as_of=NOW).degraded


def test_a_store_that_is_away_delays_a_swap_and_nothing_else(world: World, tmp_path: Path) -> None:
    world.publish(tmp_path)
    safety = MemorySafety()
    ranker = Ranker.open(tmp_path, safety=safety, poll_s=0)
    second = world.publish(tmp_path)
    asked = safety.erased_since
    safety.erased_since = lambda moment: 1 / 0  # type: ignore[assignment,method-assign]
    assert not ranker.refresh()
    safety.erased_since = asked  # type: ignore[method-assign]
    assert ranker.refresh()
    assert ranker.run_id == second.run_id


def test_a_new_publication_is_found_without_asking(world: World, tmp_path: Path) -> None:
    from tests.serving.load import wait_for

    world.publish(tmp_path)
    ranker = Ranker.open(tmp_path, safety=MemorySafety(), poll_s=0.02)
    second = world.publish(tmp_path)
    assert wait_for(lambda: ranker.run_id == second.run_id)
    ranker.close()


def test_hooks_hear_of_calls_and_cannot_break_them(world: World, tmp_path: Path) -> None:
    class Breaking:
        def on_call(self, call: Call) -> None:
            raise RuntimeError("no metrics today")

        on_load = on_call

    heard, safety = Listener(), MemorySafety()
    world.publish(tmp_path)
    ranker = Ranker.open(tmp_path, safety=safety, poll_s=0, hooks=[Breaking(), heard])
    ranker.rank(world.people.ids.values[3], 4, NOW)
    ranker.rank(world.people.ids.values[3], 15, NOW)
    safety.exclusions = lambda *_: 1 / 0  # type: ignore[assignment,method-assign]
    with pytest.raises(SafetyUnavailable):
        ranker.rank(world.people.ids.values[3], 4, NOW)
    with pytest.raises(InputError):
        ranker.rank(world.people.ids.values[3], 0, NOW)
    found = [(c.route, c.outcome, c.asked, c.length, c.live) for c in heard.calls]
    assert found == [
        ("rank", "served", 4, 4, False),
        ("rank", "served", 15, 15, True),
        ("rank", "unavailable", 4, 0, False),
        ("rank", "refused", 0, 0, False),
    ]
    assert all(call.seconds > 0 for call in heard.calls)
    assert len(heard.loads) == 1


def in_a_new_process(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_serving_loads_no_learner_and_importing_starts_no_thread(world: World, tmp_path: Path) -> None:
    world.publish(tmp_path)
    viewer = world.people.ids.values[3]
    code = f"""
import sys, threading
from recsys import Ranker
from recsys.safety import MemorySafety
before = threading.active_count()
ranker = Ranker.open({str(tmp_path)!r}, safety=MemorySafety(), max_staleness=None)
page = ranker.rank({viewer!r}, k=15)
heavy = {{"sklearn", "mlflow", "implicit", "pyspark", "dvc", "matplotlib", "psycopg", "duckdb"}}
print(before, len(page.items), sorted(heavy & {{name.partition(".")[0] for name in sys.modules}}))
"""
    assert in_a_new_process(code).splitlines()[-1] == "1 15 []"


def test_a_relative_folder_stays_that_of_the_opening(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.serving.load import wait_for

    world.publish(tmp_path / "here")
    monkeypatch.chdir(tmp_path)
    ranker = Ranker.open("here", safety=MemorySafety(), max_staleness=None, poll_s=0.02)
    elsewhere = tmp_path / "elsewhere"
    world.publish(elsewhere / "here")  # another publication that the same words would name from there
    monkeypatch.chdir(elsewhere)
    second = world.publish(tmp_path / "here").run_id
    viewer = world.people.ids.values[3]
    assert ranker.rank(viewer, k=3, as_of=NOW).items
    wait_for(lambda: ranker.run_id == second, 20)
    ranker.close()


def test_a_process_forked_after_opening_serves_and_swaps(world: World, tmp_path: Path) -> None:
    from tests.serving.load import wait_for

    world.publish(tmp_path)
    ranker = Ranker.open(tmp_path, safety=MemorySafety(), poll_s=0.02)
    second = None
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:  # the child tells what it serves once it has swapped
        try:
            first = ranker.run_id
            ranker.rank(world.people.ids.values[3], as_of=NOW)
            os.write(writer, b"ready;")
            wait_for(lambda: ranker.run_id != first, 20)
            os.write(writer, ranker.run_id.encode())
        finally:
            os._exit(0)
    os.close(writer)
    assert os.read(reader, 6) == b"ready;"
    second = world.publish(tmp_path)
    told = b""
    while part := os.read(reader, 100):
        told += part
    os.close(reader)
    os.waitpid(child, 0)
    ranker.close()
    assert told.decode() == second.run_id
