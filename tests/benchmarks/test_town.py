"""The commands about the town and the models on it at a tiny size, and their statistics by hand."""

import json
from pathlib import Path

import numpy as np
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.testing.people import make_people
from tests.benchmarks import allocation_nights, models, town, town_ceiling
from tests.benchmarks.town import Meetings
from tests.benchmarks.town_after import TownAfter
from tests.benchmarks.training import many_events


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


@pytest.mark.slow
def test_every_model_is_judged_and_the_figures_are_written(tmp_path):
    out = tmp_path / "models.json"
    code = models.main(["--people", "250", "--no-dating", "--resamples", "5", "--json", str(out)])
    assert code == 0
    summary = json.loads(out.read_text())["summary"]
    for name in (*models.MODELS, "oracle"):
        assert 0.0 <= summary[f"town_ndcg10_{name}"] <= 1.0
    assert summary["town_ndcg10_oracle"] > summary["town_ndcg10_random"]
    assert {"hybrid_gain_few", "hybrid_vs_content_cold", "mutual_ece", "fit_seconds"} <= set(summary)
    assert {"fit_peak_mb", "fold_in_ms"} <= set(summary)


@pytest.mark.slow
def test_the_ideal_learner_stands_between_random_and_the_oracle(tmp_path):
    out = tmp_path / "ceiling.json"
    assert (
        town_ceiling.main(["--people", "300", "--draws", "60", "--resamples", "5", "--json", str(out)]) == 0
    )
    summary = json.loads(out.read_text())["summary"]
    order = [summary[f"{name}_all_ndcg10"] for name in ("random", "ideal_learner", "oracle")]
    assert order == sorted(order)


def test_judged_pairs_were_never_shown_and_the_oracle_knows_their_rate():
    town = TownAfter.made(300, np.random.default_rng(0))
    shown = town.events.frame[[C.ACTOR, C.TARGET]].dropna()
    met = set(shown.itertuples(index=False, name=None))
    pairs = set(town.pairs[[C.VIEWER, C.CANDIDATE]].itertuples(index=False, name=None))
    assert pairs
    assert not pairs & (met | {(b, a) for a, b in met})
    expected, spread = town.chance.sum(), np.sqrt((town.chance * (1 - town.chance)).sum())
    assert abs(town.pairs["label"].sum() - expected) < 4 * spread


def test_many_events_are_as_many_as_asked_for():
    people = make_people(50, np.random.default_rng(0))
    events = many_events(people, 5000, np.random.default_rng(1))
    assert abs(len(events) - 5000) < 100
    assert events.last <= people.as_of
    assert (events.frame[C.ACTOR] != events.frame[C.TARGET]).all()
