"""A night is published in full, with warnings, or not at all."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.errors import BusyError, InputError, PublicationError
from recsys.pipeline.gates import Level
from recsys.pipeline.history import read_gates
from recsys.settings import GateSettings, PlatformDeclaration, PublishSettings
from recsys.storage.publication import current_run, read_publication
from tests.pipeline.small_night import DECLARED, SETTINGS, Night, not_shown


def blocking(outcome) -> set[str]:
    return {result.gate for result in outcome.gates if result.level is Level.BLOCK}


def test_a_good_night_is_served(night: Night, tmp_path: Path) -> None:
    outcome = night.publish(tmp_path)
    assert (outcome.exit_code, outcome.published) == (0, True)
    served = read_publication(tmp_path)
    assert served.run_id == outcome.run_id
    assert served.folder == outcome.folder
    expected = night.lists.assign(propensity=1.0).sort_values([C.VIEWER, C.RANK])[list(served.lists.columns)]
    pd.testing.assert_frame_equal(
        served.lists.drop(columns=C.REASONS),
        expected.drop(columns=C.REASONS).reset_index(drop=True),
        check_dtype=False,
    )
    assert served.lists[C.REASONS].map(list).tolist() == expected[C.REASONS].tolist()


def test_pandas_alone_finds_the_lists(night: Night, tmp_path: Path) -> None:
    night.publish(tmp_path)
    run = tmp_path / (tmp_path / "CURRENT").read_text().strip()
    lists = pd.read_parquet(run / "recommendations.parquet")
    assert list(lists.columns) == [
        "viewer_id", "candidate_id", "rank", "p_like", "p_liked_back", "p_mutual", "propensity",
        "reasons",
    ]  # fmt: skip
    assert len(lists) == len(night.lists)


def test_the_manifest_says_what_the_night_was_made_from(night: Night, tmp_path: Path) -> None:
    moment = datetime(2026, 3, 2, 3, tzinfo=UTC)
    outcome = night.publish(tmp_path, now=moment)
    raw = json.loads((outcome.folder / "manifest.json").read_text())
    assert raw["run_id"].startswith("20260302T030000Z-")
    assert raw["created_at"] == "2026-03-02T03:00:00+00:00"
    assert raw["data_as_of"] == night.people.as_of.isoformat()
    assert raw["made_from"]["model"] == "m"
    assert raw["files"]["recommendations.parquet"]["rows"] == len(night.lists)
    assert raw["files"].keys() == {
        *("recommendations.parquet", "gates.json", "column_profile.json"),
        *("model_card.md", "data_sheet.md"),
    }


def test_the_same_lists_give_the_same_bytes(night: Night, tmp_path: Path) -> None:
    shuffled = night.lists.sample(frac=1.0, random_state=3)
    first = night.publish(tmp_path)
    second = night.publish(tmp_path, shuffled)
    assert first.run_id < second.run_id
    name = "recommendations.parquet"
    assert (first.folder / name).read_bytes() == (second.folder / name).read_bytes()


def test_given_lists_are_left_alone(night: Night, tmp_path: Path) -> None:
    before = night.lists.copy(deep=True)
    night.publish(tmp_path)
    pd.testing.assert_frame_equal(night.lists, before)


def test_a_violation_is_refused_and_what_is_served_stays(night: Night, tmp_path: Path) -> None:
    good = night.publish(tmp_path)
    viewer, candidate = not_shown(night)
    mine = night.lists[C.VIEWER] == viewer
    last = night.lists.index[mine][-1]
    planted = night.lists.copy()
    planted.loc[last, C.CANDIDATE] = candidate
    outcome = night.publish(tmp_path, planted)
    assert (outcome.exit_code, outcome.published) == (20, False)
    assert blocking(outcome) == {"violations"}
    assert current_run(tmp_path) == good.run_id
    assert outcome.folder.parent.name == "refused"
    assert [r.gate for r in read_gates(outcome.folder) if r.level is Level.BLOCK] == ["violations"]


def test_a_refused_first_night_serves_nothing(night: Night, tmp_path: Path) -> None:
    planted = night.lists.assign(**{C.CANDIDATE: night.lists[C.VIEWER]})
    assert night.publish(tmp_path, planted).exit_code == 20
    with pytest.raises(PublicationError, match="nothing is published"):
        read_publication(tmp_path)


@pytest.mark.parametrize("condition", PlatformDeclaration.conditions())
def test_every_platform_condition_is_asked_for(night: Night, tmp_path: Path, condition: str) -> None:
    settings = PublishSettings(platform=DECLARED.model_copy(update={condition: False}))
    outcome = night.publish(tmp_path, settings=settings)
    assert (outcome.exit_code, blocking(outcome)) == (20, {"platform"})
    [platform] = [result for result in outcome.gates if result.gate == "platform"]
    assert condition in platform.message


def test_a_declaration_holds_for_its_source_alone(night: Night, tmp_path: Path) -> None:
    outcome = night.publish(tmp_path, source="parquet:members")
    assert (outcome.exit_code, blocking(outcome)) == (20, {"platform"})


def test_a_smaller_night_is_published_with_warnings(night: Night, tmp_path: Path) -> None:
    night.publish(tmp_path)
    outcome = night.publish(tmp_path, night.lists[night.lists[C.RANK] <= 5])
    assert outcome.exit_code == 10
    assert outcome.published
    assert {r.gate for r in outcome.gates if r.level is Level.WARN} == {"rows"}
    assert current_run(tmp_path) == outcome.run_id


def test_an_unreadable_last_night_is_a_warning(night: Night, tmp_path: Path) -> None:
    last = night.publish(tmp_path)
    (last.folder / "recommendations.parquet").write_bytes(b"")
    outcome = night.publish(tmp_path)
    assert outcome.exit_code == 10
    assert read_publication(tmp_path).run_id == outcome.run_id


def test_lists_without_a_column_are_bad_input(night: Night, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="column 'p_mutual' is missing in the lists"):
        night.publish(tmp_path, night.lists.drop(columns=C.P_MUTUAL))
    with pytest.raises(InputError, match="not a table of lists"):
        night.publish(tmp_path, night.lists.assign(**{C.RANK: "first"}))
    assert current_run(tmp_path) is None


def test_a_full_disk_is_try_again(night: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = night.publish(tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(BusyError, match="the disk is full") as caught:
        night.publish(tmp_path)
    assert caught.value.exit_code == 30
    monkeypatch.undo()
    assert read_publication(tmp_path).run_id == good.run_id


def test_a_folder_that_cannot_be_written_to(night: Night, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PublicationError, match="cannot write the publication") as caught:
        night.publish(tmp_path / "file")
    assert caught.value.exit_code == 40


def test_runs_sort_by_time_also_when_the_clock_goes_back(night: Night, tmp_path: Path) -> None:
    first = night.publish(tmp_path, now=datetime(2026, 3, 2, tzinfo=UTC))
    second = night.publish(tmp_path, now=datetime(2026, 3, 1, tzinfo=UTC))
    assert first.run_id < second.run_id
    assert current_run(tmp_path) == second.run_id


def test_old_publications_leave_and_the_served_one_stays(night: Night, tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"keep": 2})
    published = [night.publish(tmp_path, settings=settings).run_id for _ in range(4)]
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == published[-2:]
    assert current_run(tmp_path) == published[-1]


def test_a_served_publication_survives_newer_ones(night: Night, tmp_path: Path) -> None:
    oldest = night.publish(tmp_path).run_id
    night.publish(tmp_path)
    (tmp_path / "CURRENT").write_text(f"runs/{oldest}\n")
    planted = night.lists.assign(**{C.CANDIDATE: night.lists[C.VIEWER]})
    settings = SETTINGS.model_copy(update={"keep": 1})
    assert night.publish(tmp_path, planted, settings=settings).exit_code == 20
    assert read_publication(tmp_path).run_id == oldest


def test_short_lists_warn_and_block_by_their_limits(night: Night, tmp_path: Path) -> None:
    short = night.lists[night.lists[C.RANK] <= 2]

    def exit_code(**limits: float) -> int:
        gates = GateSettings(block_below_rows=0, warn_below_rows=0, **limits)  # type: ignore[arg-type]
        settings = PublishSettings(platform=DECLARED, gates=gates)
        return night.publish(tmp_path, short, settings=settings).exit_code

    assert exit_code(list_floor=2) == 0
    assert exit_code(list_floor=3) == 10
    assert exit_code(list_floor=3, block_short_lists=0.9) == 20


def test_a_part_that_was_written_to_a_full_disk_is_tried_again(night: Night, tmp_path: Path) -> None:
    """Seen to fail: numpy tells of it without a number of the error, and nobody tried again."""

    def serving(folder: Path, lists: pd.DataFrame) -> None:
        raise OSError("247923 requested and 24448 written")

    with pytest.raises(BusyError, match="the disk is full"):
        night.publish(tmp_path, serving=serving)
