"""A publication and the page about a night are the same whether what they need was made ahead or not."""

import json
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recsys.batch import list_stages, report_stages
from recsys.pipeline import publish_night
from recsys.pipeline.night import Night
from recsys.pipeline.paths import HOME_STORE, PATHS, PUBLISHED
from recsys.pipeline.serving_parts import ServingParts
from recsys.report import night_summary
from recsys.safety.day_log import DayEvent
from recsys.safety.erase_files import erase_from_tables
from recsys.safety.erasure_list import ErasureList
from recsys.safety.ledger import SafetyLedger
from recsys.safety.ledger_state import Who
from recsys.safety.sqlite_store import SqliteSafety
from recsys.settings import Settings, read_settings
from recsys.storage.atomic_write import sha256_of
from recsys.storage.publication import NEWCOMERS, SERVING
from tests.pipeline.nights import Folder


@pytest.fixture
def settings(golden: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(shutil.copytree(golden.root, tmp_path / "night"))
    return read_settings(PATHS.settings)


def served(settings: Settings) -> dict[str, str]:
    """Publish the night of the working directory; return the bytes of what a backend maps, by file."""
    list_stages.publish(settings, PATHS)
    run = Path(json.loads(PATHS.outcome.read_bytes())["folder"])
    files = [file for part in (SERVING, NEWCOMERS) for file in sorted((run / part).rglob("*.npy"))]
    return {file.relative_to(run).as_posix(): sha256_of(file) for file in files}


def test_what_was_made_ahead_is_served_and_not_made_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = served(settings)
    assert len(alone) > 10
    list_stages.prepare_publish(settings)
    with monkeypatch.context() as patch:
        patch.delattr(publish_night, "ServingParts")
        assert served(settings) == alone
    assert not list_stages._AHEAD  # what was ready is gone: it is of one publication
    assert served(settings) == alone


def made_anew(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Publish, and return of how many people the parts were that were made for it."""
    made, of = list[int](), ServingParts.of.__func__  # type: ignore[attr-defined]

    def counted(*given: object) -> ServingParts:
        made.append(len(given[-1]))  # type: ignore[arg-type]
        parts: ServingParts = of(ServingParts, *given)
        return parts

    monkeypatch.setattr(ServingParts, "of", counted)
    served(settings)
    return made


def test_another_model_is_not_served_from_what_was_made_of_the_one_before(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    list_stages.prepare_publish(settings)
    n_people = len(list_stages._AHEAD[-1][2].people)
    file = next(PATHS.model.rglob("*.npy"))
    os.utime(file, ns=(0, 0))  # written again
    assert made_anew(settings, monkeypatch) == [n_people]
    list_stages._AHEAD.clear()


def test_whoever_was_erased_since_is_not_served_from_what_was_made_before(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    list_stages.prepare_publish(settings)
    people = list_stages._AHEAD[-1][2].people
    ErasureList.of(PUBLISHED).add([str(people.ids.values.item(0))])
    assert made_anew(settings, monkeypatch) == [len(people) - 1]


@pytest.mark.parametrize("how", ["event", "list"])
def test_the_night_takes_whom_the_source_erases_out_of_the_store(settings: Settings, how: str) -> None:
    """What restricts others and them goes on; the store names them no more, in none of its tables."""
    list_stages.publish(settings, PATHS)
    people = list(Night.current(settings, PATHS).people.ids.values)
    gone, other, third = map(str, people[:3])
    store = SqliteSafety.create(HOME_STORE)
    store.hold(gone, owner="case-1")
    store.block(other, gone)
    at = datetime.now(UTC)
    rows = [{"actor": other, "target": gone}]
    store.day.append([DayEvent("e1", at, third, gone, "pass"), DayEvent("e2", at, gone, third, "hide")])
    store.day.append([DayEvent.of_tables("own", other, {"blocks": rows}, at)])
    store.remember(other, at.date(), [gone, third])
    if how == "event":
        folder = Path("erasing")
        folder.mkdir()
        row = f"e9,{at.isoformat()},{gone},,erase"
        (folder / "events.csv").write_text(f"event_id,ts,actor,target,type\n{row}\n")
        erase_from_tables(folder, ErasureList.of(PUBLISHED))
    else:
        ErasureList.of(PUBLISHED).add([gone])
    list_stages.publish(settings, PATHS)
    kept = b"".join(file.read_bytes() for file in HOME_STORE.parent.glob("safety.db*"))
    assert gone.encode() not in kept
    assert other.encode() in kept
    state = SafetyLedger.of(PUBLISHED).now()
    assert state.is_stopped(state.fingerprints(Who(gone)))
    assert state.separated_from(state.fingerprints(Who(other))) >= {state.primary(Who(gone))}


def page(settings: Settings) -> str:
    report_stages.write_report(settings, PATHS)
    return PATHS.report.read_text(encoding="utf-8")


def test_what_was_counted_ahead_is_on_the_page_and_not_counted_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = page(settings)
    report_stages.prepare_report(settings)
    with monkeypatch.context() as patch:
        patch.delattr(night_summary, "funnel")
        assert page(settings) == alone
    assert page(settings) == alone  # what was ready is gone: it is of one page


def test_other_people_or_another_policy_are_counted_anew(settings: Settings) -> None:
    other = settings.model_copy(update={"policy": settings.policy.model_copy(update={"verification": "id"})})
    alone = page(other)
    assert alone != page(settings)
    report_stages.prepare_report(settings)
    assert page(other) == alone
    report_stages._COUNTED.clear()
    report_stages.prepare_report(settings.model_copy(update={"as_of": "2026-01-06T03:00:00Z"}))
    assert not report_stages._COUNTED  # nothing was validated as of then
