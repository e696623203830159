import json

import numpy as np
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.testing.people import make_people
from tests.benchmarks import models, town_ceiling
from tests.benchmarks.town_after import TownAfter
from tests.benchmarks.training import many_events


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
