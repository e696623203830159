"""The page about a night is the same whether what it needs was read ahead or not."""

import shutil
from pathlib import Path

import pytest

from recsys.batch import report_stages
from recsys.pipeline.paths import PATHS
from recsys.report import night_summary
from recsys.settings import Settings, read_settings
from tests.pipeline.nights import Folder


@pytest.fixture
def settings(golden: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(shutil.copytree(golden.root, tmp_path / "night"))
    return read_settings(PATHS.settings)


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
