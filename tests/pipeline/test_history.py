"""What nights came to outlives their runs, and costs no night."""

import json
from pathlib import Path

import pytest

from recsys.catalogue.columns import Columns as C
from recsys.pipeline import history as module
from recsys.pipeline import publish as publishing
from recsys.pipeline.erasure import erase
from recsys.pipeline.gates import Level
from recsys.pipeline.history import HISTORY, read_history
from recsys.pipeline.retention import run_ids
from recsys.pipeline.stage_log import seconds_until_published
from recsys.settings import PublishSettings
from tests.pipeline.small_night import MADE_FROM, SETTINGS, Night, make_night, not_shown


@pytest.fixture(scope="module")
def night() -> Night:
    return make_night(n_people=20, k=3)


def keeping(runs: int) -> PublishSettings:
    return SETTINGS.model_copy(update={"keep": runs})


def test_numbers_stay_when_runs_go(night: Night, tmp_path: Path) -> None:
    made = [night.publish(tmp_path, settings=keeping(2)) for _ in range(4)]
    assert run_ids(tmp_path) == [outcome.run_id for outcome in made[2:]]
    found = read_history(tmp_path)
    assert [past.run_id for past in found] == [outcome.run_id for outcome in made]
    listed = int(night.policy.compile(night.people).listed.sum())
    for past, outcome in zip(found, made, strict=True):
        assert past.published
        assert past.level is outcome.level
        assert past.rows == len(night.lists)
        assert past.number("lengths", "listed") == listed
        assert past.number("people", "now") == night.lists[C.VIEWER].nunique()
        assert past.number("violations", "count") == 0
        assert past.number("violations", "other") is None
        assert past.made_from == MADE_FROM.model_dump()


def test_a_refused_night_is_part_of_it(night: Night, tmp_path: Path) -> None:
    viewer, candidate = not_shown(night)
    lists = night.lists.copy()
    lists.loc[0, [C.VIEWER, C.CANDIDATE]] = [viewer, candidate]
    night.publish(tmp_path)
    night.publish(tmp_path, lists)
    last = read_history(tmp_path)[-1]
    assert not last.published
    assert last.level is Level.BLOCK
    assert last.number("violations", "count") == 1


def test_a_night_cut_off_before_it_was_noted_is_noted_by_the_next(
    night: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(publishing, "write_history", lambda _: None)
        first = night.publish(tmp_path).run_id
    assert not (tmp_path / HISTORY).exists()
    assert [past.run_id for past in read_history(tmp_path)] == [first]
    night.publish(tmp_path, settings=keeping(1))
    assert first not in run_ids(tmp_path)
    assert read_history(tmp_path)[0].run_id == first


def test_a_full_disk_here_leaves_the_publication(
    night: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_atomically", full)
    assert night.publish(tmp_path).published


def test_it_is_bounded_and_names_nobody(
    night: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_NIGHTS", 2)
    for _ in range(3):
        night.publish(tmp_path, settings=keeping(1))
    text = (tmp_path / HISTORY).read_text()
    assert len(text.splitlines()) == 2
    assert not any(f'"{user}"' in text for user in set(night.lists[C.VIEWER]))


def test_it_outlives_an_erasure(night: Night, tmp_path: Path) -> None:
    made = [night.publish(tmp_path).run_id for _ in range(2)]
    erase([str(night.lists[C.CANDIDATE].iloc[0])], tmp_path)
    assert run_ids(tmp_path) == made  # the earlier one is served without them
    assert [past.run_id for past in read_history(tmp_path)] == made


@pytest.mark.parametrize("damage", ["{", "null", '{"run_id": "x"}', "[1]"])
def test_a_damaged_line_is_left_out(night: Night, tmp_path: Path, damage: str) -> None:
    made = [night.publish(tmp_path, settings=keeping(1)).run_id for _ in range(3)]
    lines = (tmp_path / HISTORY).read_text().splitlines()
    lines[1] = damage if damage != "{" else lines[1][:40]
    (tmp_path / HISTORY).write_text("\n".join(lines))
    assert [past.run_id for past in read_history(tmp_path)] == [made[0], made[2]]


def test_seconds_are_those_until_it_was_published(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    assert seconds_until_published(log) == {}
    said: list[dict[str, object]] = [
        {"stage": "train", "seconds": 9.0, "exit_code": 30},
        {"stage": "train", "seconds": 2.0},
        {"stage": "publish", "seconds": 1.0, "run": "one"},
        {"stage": "report", "seconds": 50.0},
        {"stage": "recommend", "seconds": 4.0},
        {"stage": "publish", "seconds": 1.5, "exit_code": 20},
        {"stage": "publish", "seconds": 0.5, "run": "two"},
    ]
    log.write_text("".join(json.dumps(line) + "\n" for line in said) + "{what\n")
    assert seconds_until_published(log) == {"one": 3.0, "two": 4.5}
