import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from recsys.cli import app
from recsys.simulation.policy_summary import NightsSummary

ASKED = [
    "simulate",
    "--people",
    "150",
    "--nights",
    "1",
    "--scores",
    "popularity",
    "--policy",
    "product,random",
]


def test_nights_are_played_printed_and_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    page, figures = tmp_path / "out" / "nights.html", tmp_path / "nights.json"
    found = CliRunner().invoke(app, [*ASKED, "--report", str(page), "--json", str(figures), "--lang", "ja"])
    assert found.exit_code == 0, found.output
    assert "引き合わせてはならない組：0" in found.output
    assert 'lang="ja"' in page.read_text(encoding="utf-8")
    summary = NightsSummary.from_json(json.loads(figures.read_text()))
    assert summary.policies == ["product", "random"]
    assert not (tmp_path / "data").exists()


def test_a_wrong_policy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = CliRunner().invoke(app, ["simulate", "--people", "50", "--nights", "1", "--policy", "nahs"])
    assert found.exit_code == 40
    assert "did you mean 'nash'" in found.output
