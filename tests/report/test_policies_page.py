import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest

from recsys.catalogue import load_catalogue
from recsys.errors import SourceError
from recsys.report.night_summary import _nights
from recsys.report.page import render_nights, render_report
from recsys.simulation.policies import POLICIES, SCORES
from recsys.simulation.policy_nights import PolicyNights
from recsys.simulation.policy_summary import NIGHT_METRICS, NightsSummary, summarise
from tests.report.nights import full_night
from tests.report.pages import Page, part_in
from tests.simulation.conftest import dense_town, outcome  # noqa: F401 fixtures


@pytest.fixture(scope="module")
def summary(outcome: PolicyNights) -> NightsSummary:  # noqa: F811
    return summarise([outcome], rng=np.random.default_rng(0), n_resamples=20)


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_the_page_stands_alone_and_says_every_figure(summary: NightsSummary, lang: str) -> None:
    page = render_nights(summary, lang)
    assert page == render_nights(summary, lang)
    assert Page(page).broken == []
    assert page.count("<svg") >= 6
    assert f'lang="{lang}"' in page
    page = part_in(page, lang)
    for policy in summary.policies:
        assert load_catalogue().text(f"policy_name.{policy}", lang) in page
        for measure in ("lasting_per_1000", "matches_per_1000"):
            assert f"{summary.value(policy, measure)['value']:,.1f}" in page
    assert len(re.findall('class="curve"', page)) >= 3 * len(summary.policies)
    drawings = [part for part in page.split("<section")[1:] if "<figure" in part]
    assert len(drawings) >= 2
    assert all("<table" in part for part in drawings)


def test_every_name_has_words() -> None:
    texts = load_catalogue().texts
    assert {f"policy_name.{name}" for name in POLICIES} <= set(texts)
    assert {f"nights_measure.{name}" for name in NIGHT_METRICS} <= set(texts)
    assert {f"model.{name}" for name in SCORES if name != "oracle"} <= set(texts)


def test_the_page_says_where_probabilities_come_from(summary: NightsSummary) -> None:
    assert "hidden truth, noise 0.5" in render_nights(summary, "en")
    learned = NightsSummary(
        summary.measures, summary.gains, summary.curves, summary.lorenz, {**summary.about, "scores": "hybrid"}
    )
    assert "never sees the truth" in render_nights(learned, "en")


def test_the_page_of_a_night_shows_them_when_they_are_there(summary: NightsSummary) -> None:
    night = full_night()
    assert 'id="nights_curves-en"' not in render_report(night)
    assert 'id="nights_curves-en"' in render_report(dataclasses.replace(night, nights=summary))


def test_figures_of_nights_are_read_back_or_named_as_broken(summary: NightsSummary, tmp_path: Path) -> None:
    assert _nights(tmp_path / "nights.json") is None
    (tmp_path / "nights.json").write_text(json.dumps(summary.as_json()))
    found = _nights(tmp_path / "nights.json")
    assert found is not None
    assert found.as_json() == summary.as_json()
    (tmp_path / "nights.json").write_text('{"measures": {}}')
    with pytest.raises(SourceError, match="not figures of nights"):
        _nights(tmp_path / "nights.json")


def test_nights_are_whole_on_the_axis(summary: NightsSummary) -> None:
    part = part_in(render_nights(summary, "en"), "en")
    drawing = part[part.index('id="nights_curves-en"') :].split("</svg>")[0]
    *named, axis = re.findall(r'style="text-anchor: middle[^>]*>([^<]*)<', drawing)
    assert axis == "Night"
    assert len(named) >= 2
    assert all(name.isdigit() for name in named)
