"""The two commands about the town at a tiny size, and their statistics by hand."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks import allocation_nights, town
from tests.benchmarks.town import Meetings


def test_statistics_by_hand() -> None:
    """Two women and two men, everybody met; answers agree in three of four meetings."""
    a, b = np.array([0, 0, 1, 1]), np.array([2, 3, 2, 3])
    found = Meetings(a, b, np.array([1, 0, 1, 0], bool), np.array([1, 0, 0, 0], bool)).statistics(fewest=2)
    assert (found["yes_rate"], found["match_rate"]) == (3 / 8, 1 / 4)
    assert found["match_over_chance"] == pytest.approx(0.25 / (0.5 * 0.25))
    assert found["reciprocity"] == pytest.approx(np.corrcoef([1, 0, 1, 0], [1, 0, 0, 0])[0, 1])
    assert found["received_sd"] == pytest.approx(np.std([1 / 2, 0, 1, 0]))


def test_people_with_few_meetings_have_no_rate() -> None:
    """Only the first person met two others: one said yes to them, one did not."""
    met = Meetings(np.array([0, 0]), np.array([1, 2]), np.array([True, False]), np.array([False, True]))
    found = met.statistics(fewest=2)
    assert (found["received_sd"], found["received_gini"]) == (0.0, 0.0)
    assert met.statistics(fewest=1)["received_sd"] > 0.3


def test_the_town_command(tmp_path: Path) -> None:
    out = tmp_path / "town.json"
    assert town.main(["--people", "400", "--json", str(out)]) == 0
    summary = json.loads(out.read_text())["summary"]
    assert 0.15 < summary["yes_rate"] < 0.35
    assert 0.0 < summary["match_rate"] < summary["yes_rate"]
    assert 0.3 < summary["likes_gini"] < 0.95
    assert summary["make_peak_mb"] > 0
    assert abs(summary["fitted_reciprocity"]) < summary["reciprocity"]
    assert summary["fitted_received_sd"] > summary["received_sd"]


def test_the_nights_command(tmp_path: Path) -> None:
    out = tmp_path / "nights.json"
    small = ["--people", "150", "--nights", "1", "--towns", "1", "--scores", "popularity"]
    small += ["--busy", "0.5", "--leaves", "0.02"]
    assert allocation_nights.main([*small, "--json", str(out)]) == 0
    found = json.loads(out.read_text())
    assert {"nights_matches_gain", "nights_reached_gain_lo", "nights_welfare_matches_gain"} <= set(
        found["summary"]
    )
    assert found["summary"]["forbidden"] == 0
    assert len(found["rows"]) == 5 * 9
