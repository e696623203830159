import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.errors import InputError, PublicationError, SourceError
from recsys.pipeline.gates import Level
from recsys.pipeline.paths import NightPaths
from recsys.report import render_report
from recsys.report.night_summary import read_night
from tests.pipeline.small_night import MADE_FROM, make_night, not_shown
from tests.report.nights import measures
from tests.report.pages import Page

NIGHT = make_night(n_people=20, k=4)


@pytest.fixture
def work(tmp_path):
    (tmp_path / "work").mkdir()
    return NightPaths(tmp_path / "work")


def publish(tmp_path, work):
    """Publish the night, and leave in the work folder which run it became."""
    outcome = NIGHT.publish(tmp_path / "published")
    work.outcome.write_text(json.dumps({"run_id": outcome.run_id, "folder": str(outcome.folder)}))
    return outcome.folder


def read(folder, work):
    return read_night(folder, NIGHT.people, NIGHT.policy, paths=work, source="town")


def test_a_published_run_is_read_back(tmp_path, work):
    outcome = NIGHT.publish(tmp_path / "published")
    summary = read(outcome.folder, work)
    assert summary.run_id == outcome.run_id
    assert summary.n_people == 20
    assert summary.n_listed == int(NIGHT.policy.compile(NIGHT.people).listed.sum())
    assert summary.n_with_list == NIGHT.lists[C.VIEWER].nunique()
    assert summary.violations == 0
    assert summary.made_from == MADE_FROM.model_dump()
    assert summary.funnel_viewers == summary.n_listed
    assert summary.funnel is not None
    assert summary.funnel["left"].iloc[-1] >= len(NIGHT.lists)
    assert (summary.measures, summary.reliability, summary.tables) == (None, None, None)
    page = Page(render_report(summary, "en"))
    assert page.broken == []
    assert "Violations 0" in page.text
    assert str(NIGHT.lists[C.VIEWER].iloc[0]) in page.text


def test_a_refused_run_can_be_read_too(tmp_path, work):
    viewer, candidate = not_shown(NIGHT)
    lists = NIGHT.lists.copy()
    lists.loc[0, [C.VIEWER, C.CANDIDATE]] = [viewer, candidate]
    outcome = NIGHT.publish(tmp_path / "published", lists)
    summary = read(outcome.folder, work)
    assert not outcome.published
    assert summary.level is Level.BLOCK
    assert summary.violations == 1


def test_what_the_steps_wrote_is_on_the_page(tmp_path, work):
    rows = json.loads(measures().to_json(orient="records"))
    ece = {"slice": "all", "model": "content", "metric": "ece", "target": "like", "n": 4}
    rows.append(ece | {"value": 0.05, "lo": 0.01, "hi": 0.09})
    bins = [{"pairs": 4, "said": 0.2, "happened": 0.25, "lo": 0.1, "hi": 0.5}]
    work.evaluation.write_text(json.dumps({"measures": rows, "reliability": bins}))
    tables = [{"table": "profiles", "rows_in": 21, "accepted": 20, "quarantined": 1}]
    work.validation.write_text(json.dumps({"tables": tables}))
    said = [("train", 9.0), ("recommend", 1.5), ("train", 2.5)]
    cut_short = '{"stage": "tr'
    work.log.write_text("".join(json.dumps({"stage": s, "seconds": t}) + "\n" for s, t in said) + cut_short)
    summary = read(publish(tmp_path, work), work)
    assert dict(summary.seconds) == {"recommend": 1.5, "train": 2.5}
    assert summary.measures is not None
    assert np.isnan(summary.measures["lo"].iloc[2])
    text = Page(render_report(summary, "en")).text
    assert "Profiles 20 1" in text
    assert "Total 4.0" in text
    assert "differ by 5.00% (1.00% – 9.00%)" in text
    assert "value 0.340" not in text
    assert "0.340" in text


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("evaluation", "{", "not JSON"),
        ("evaluation", "[]", "not a mapping of keys"),
        ("evaluation", '{"measures": 3}', "not rows of a table"),
        ("validation", "null", "not a mapping of keys"),
        ("outcome", "{", "not JSON"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, work, name, content, told):
    path = getattr(work, name)
    folder = publish(tmp_path, work)
    path.write_text(content)
    with pytest.raises(SourceError, match=told) as raised:
        read(folder, work)
    assert path.name in str(raised.value)


def test_what_another_night_wrote_is_left_out(tmp_path, work):
    first = publish(tmp_path, work)
    publish(tmp_path, work)
    work.validation.write_text(json.dumps({"tables": [{"table": "x", "accepted": 1, "quarantined": 0}]}))
    work.log.write_text(json.dumps({"stage": "train", "seconds": 1.0}))
    assert read(first, work).tables is None
    assert read(first, work).seconds == {}


def test_people_of_another_time_are_refused(tmp_path, work):
    folder = publish(tmp_path, work)
    later = replace(NIGHT.people, as_of=NIGHT.people.as_of + pd.Timedelta(days=1))
    with pytest.raises(InputError, match="another time than the run"):
        read_night(folder, later, NIGHT.policy, paths=work)


def test_a_folder_without_a_manifest_is_no_run(tmp_path, work):
    with pytest.raises(PublicationError):
        read(tmp_path, work)
