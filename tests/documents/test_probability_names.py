"""A probability says what it is the probability of, by one name, wherever it is shown."""

import re
from pathlib import Path

import numpy as np
import pandas as pd

import recsys
from recsys import plots
from recsys.catalogue.columns import PROBABILITIES, Columns
from recsys.evaluation import as_lists, reliability_table
from recsys.evaluation.registry import PROBABILITY_METRICS
from recsys.report.list_explorer import _WORDS

ROOT = Path(__file__).parents[2]
SHOWN = (
    *(ROOT / "recsys/plots").glob("*.py"),
    *(ROOT / "recsys/report").glob("*.py"),
    *(ROOT / "notebooks").glob("*.py"),
)
NAME = re.compile(r"P\([a-z][^(){}]*\)")


def test_every_column_of_probabilities_has_a_name_and_no_two_have_the_same():
    columns = {value for name, value in vars(Columns).items() if name.startswith("P_")}
    assert columns == set(PROBABILITIES)
    assert len(set(PROBABILITIES.values())) == len(PROBABILITIES)


def test_figures_reports_and_notebooks_call_a_probability_by_its_name():
    wrong = {
        f"{path.name}: {name}"
        for path in SHOWN
        for name in NAME.findall(path.read_text("utf-8"))
        if name not in PROBABILITIES.values()
    }
    assert not wrong
    for words in _WORDS.values():
        assert {Columns.P_LIKE, Columns.P_LIKED_BACK, Columns.P_MUTUAL} <= words.keys()
    for column in PROBABILITIES.keys() & _WORDS["en"].keys():
        assert _WORDS["en"][column] == PROBABILITIES[column]


def test_scores_comparisons_and_calibration_name_what_they_judge():
    people = recsys.Population.of_ids([f"p{n}" for n in range(8)], as_of="2026-01-05")
    i, j = np.divmod(np.arange(64), 8)
    pairs = pd.DataFrame({"viewer_id": people.ids.ids(i[i != j]), "candidate_id": people.ids.ids(j[i != j])})
    model = recsys.RandomModel().fit(people, recsys.Events.none(), rng=1)
    scored = model.score_pairs(pairs)
    assert set(scored.columns) - set(pairs.columns) == set(PROBABILITIES)
    truth = pairs.assign(label=np.arange(len(pairs)) % 2)
    for column in ("p_like", "p_mutual", "p_answer"):
        table = recsys.compare({"random": as_lists(scored, column)}, truth, k=2, n_resamples=5)
        judged = table["metric"].isin(PROBABILITY_METRICS)
        assert judged.sum() == len(PROBABILITY_METRICS)
        assert set(table.loc[judged, "of"]) == {PROBABILITIES[column]}
        assert set(table.loc[~judged, "of"]) == {""}
        axes = plots.reliability(reliability_table(truth.label, scored[column], n_bins=3))
        assert PROBABILITIES[column] in axes.get_title()
        assert PROBABILITIES[column] in axes.get_xlabel()
