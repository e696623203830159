"""The twelve jobs run, in at most five lines each, and the page that shows them shows this code."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import polars
import pytest

import recsys
from tests.tracking.databases import put_database
from tests.weekly.jobs import MOST_CHARACTERS, MOST_LINES, jobs

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "a-data-scientists-week.md"
JOBS = {job.name: job for job in jobs()}


@pytest.fixture(scope="module")
def given():
    """What the jobs begin with: a small town, a foreign log, a survey, and a log of impressions."""
    mpl.use("Agg")
    rng = np.random.default_rng(3)
    town = recsys.make_town(150, rng=7)
    events = recsys.load_events(town.tables)
    people = recsys.load_population(town.tables)
    i, j = rng.integers(0, 40, (2, 900))
    table = pd.DataFrame({"who": i, "whom": j, "stars": np.clip(3 + (i * j) % 3, 1, 5)})[i != j]
    answers = 3 + rng.normal(size=(80, 1)) + rng.normal(size=(80, 6))
    survey = pd.DataFrame(np.clip(np.round(answers), 1, 5), columns=list("abcdef"))
    survey = survey.mask(rng.random(survey.shape) < 0.2).assign(user_id=[f"p{n}" for n in range(80)])
    survey["age"] = rng.integers(25, 80, 80)
    past = recsys.load_population(town.tables, as_of=events.moment(0.7), past=True)
    truth = recsys.truth_after(events, past)
    scored = recsys.PopularityModel().fit(past, events, rng=1).score_pairs(truth[["viewer_id", "candidate_id"]])
    shown = pd.DataFrame({"viewer_id": [f"v{n % 60}" for n in range(600)], "candidate_id": [f"c{n // 60}" for n in range(600)]})
    shown = shown.assign(propensity=0.5, like=rng.integers(0, 2, 600))
    return {
        "recsys": recsys,
        "polars": polars,
        "tables": town.tables,
        "people": people,
        "events": events,
        "table": table,
        "survey": survey,
        "truth": truth,
        "learned": events.until(past.as_of),
        "lists": recsys.evaluation.as_lists(scored),
        "a": "u0000002",
        "b": "u0000003",
        "log": shown.assign(match=shown["like"]),
        "off_policy_lists": shown.assign(rank=1)[["viewer_id", "candidate_id", "rank"]].iloc[:300],
    }


def done(name, given, **more):
    names = {**given, **more}
    exec(compile(JOBS[name].code, name, "exec"), names)
    made = [names[each] for each in ("table", "lists", "alike") if names.get(each) is not given.get(each)]
    for table in made:  # of Arrow it has no index: what stood in one would be lost on the way out
        assert not isinstance(table, pd.DataFrame) or isinstance(table.index, pd.RangeIndex), name
    return names


def test_there_are_twelve_jobs_of_few_lines_and_the_page_shows_each():
    page = PAGE.read_text("utf-8")
    assert len(JOBS) == 12
    for job in JOBS.values():
        assert job.lines <= MOST_LINES
        assert max(map(len, job.code.splitlines())) <= MOST_CHARACTERS, job.name
        assert f"| {job.title} | {job.before} | {job.lines} |" in page, job.name
        assert job.code.strip() in page, job.name


def test_a_questionnaire_becomes_a_map(given):
    names = done("map_a_questionnaire", given)
    assert names["axes"].get_title() == "Taste factors by age, n = 80 people"
    assert np.ptp(names["model"].fitted.logits(np.arange(40), np.arange(40, 80))) > 0


def test_a_log_becomes_lists_under_its_own_ids(given):
    names = done("lists_from_a_log", given)
    assert set(names["lists"]["viewer_id"]) <= set(given["table"]["who"])
    assert names["lists"]["rank"].max() <= 5
    met = set(map(tuple, given["table"][["who", "whom"]].to_numpy()))
    assert not met & set(map(tuple, names["lists"][["viewer_id", "candidate_id"]].to_numpy()))


def test_five_models_are_compared_on_what_came_later(given):
    table = done("compare_models", given)["table"]
    assert len(set(table["model"])) == 5
    assert table.loc[(table["model"] == "random") & (table["metric"] == "auc"), "more"].eq(0).all()


def test_a_model_is_tuned(given):
    names = done("tune_a_model", given)
    assert len(names["found"].trials) == 4
    assert {name: names["best"][name] for name in ("n_factors", "regularization")} == {
        name: names["found"].trials[name].iloc[0] for name in ("n_factors", "regularization")
    }


def test_models_are_cross_validated_and_drawn(given):
    names = done("cross_validate_models", given)
    assert "AUC by model" in names["axes"].get_title()


def test_neighbours_and_orders_are_explained(given):
    assert len(done("find_neighbours", given)["alike"]) == 5
    names = done("explain_an_order", given)
    assert names["why"].terms["contribution"].sum() == pytest.approx(names["why"].log_ratio)


def test_fifty_km_for_everybody_is_counted(given):
    names = done("what_if_fifty_km", given)
    assert names["table"]["scenario"].tolist() == ["today", "50 km"]
    assert names["table"]["pairs"].nunique() == 2


def test_cohorts_are_judged_apart(given):
    assert {"all", "few pairs", "many pairs"} >= set(done("slice_by_cohort", given)["table"]["slice"]) > {"all"}


def test_other_lists_are_judged_off_policy(given):
    with pytest.warns(UserWarning, match="lists made of what was shown"):
        names = done("judge_other_lists", given, lists=given["off_policy_lists"])
    table = names["table"].set_index("estimator")
    hits = given["log"].merge(given["off_policy_lists"][["viewer_id", "candidate_id"]])["match"].mean()
    assert table.loc["snips", "value"] == pytest.approx(hits)
    assert "600" in names["axes"].get_title() or "300" in names["axes"].get_title()


def test_a_run_is_tracked(given, tracking_database, tmp_path):
    names = done("track_a_run", given, folder=put_database(tmp_path, tracking_database))
    assert len(names["run"]) == 32


def test_polars_goes_in_and_comes_out(given):
    lists = done("export_to_polars", given)["lists"]
    assert isinstance(lists, polars.DataFrame)
    assert {"viewer_id", "candidate_id", "rank", "p_mutual", "reasons"} <= set(lists.columns)
