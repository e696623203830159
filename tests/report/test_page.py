import itertools
import re
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from recsys.catalogue import load_catalogue
from recsys.pipeline.gates import GateResult, Level
from recsys.pipeline.gates.proposal import Calibration
from recsys.report import render_report
from recsys.report.night_summary import parity_of
from recsys.report.sections import lengths_of, sample_lists
from recsys.testing.people import make_people
from tests.report.nights import GATES, bare_night, full_night, funnel, lists_of, measures, past, three_lists
from tests.report.pages import Page, page_in

LANGS = ["ja", "en"]
EVIL = '"><script>alert(1)</script><img src=x onerror=y>&lt;\u202e\x00'


@cache
def page_of_full_night(lang):
    """Return the page of the full night as text, drawn once."""
    return render_report(full_night(), lang)


@pytest.fixture(params=LANGS)
def lang(request):
    return request.param


@pytest.mark.parametrize("night", [full_night(), bare_night()], ids=["full", "bare"])
def test_the_page_is_whole(night, lang):
    text = render_report(night, lang)
    page = Page(text)
    assert page.broken == []
    assert page.all("html", lang=lang)
    assert page.all("meta", name="viewport")
    assert page.all("meta", charset="utf-8")
    assert "tabular-nums" in text
    assert re.findall('<div class="page" lang="(..)"', text)[0] == lang
    assert page.all("input", name="lang", value=lang)[0]["checked"] == ""


def test_one_h1_and_a_named_section_each(lang):
    page = page_in(page_of_full_night(lang), lang)
    assert len(page.all("h1")) == 1
    assert len(page.all("main")) == 1
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    for attributes in page.all("section"):
        assert attributes.get("aria-label") or attributes.get("aria-labelledby") in ids


def test_every_picture_has_words(lang):
    page = page_in(page_of_full_night(lang), lang)
    pictures = [attributes for _, attributes in page.elements if attributes.get("role") == "img"]
    drawn_of_three_nights = 6
    assert len(page.all("svg")) == 2 + drawn_of_three_nights
    assert len(pictures) > 20
    assert all(attributes["aria-label"] for attributes in pictures)
    assert all(attributes.get("role") == "img" for attributes in page.all("svg"))


def test_every_table_has_a_caption_and_heads(lang):
    page = Page(page_of_full_night(lang))
    assert len(page.all("caption")) == len(page.all("table")) >= 4
    assert all(attributes["scope"] in {"row", "col"} for attributes in page.all("th"))


def test_everything_from_outside_is_escaped(lang):
    night = full_night(
        lists=lists_of((EVIL, EVIL + "2", 1, 0.5, [EVIL, "interest:" + EVIL])),
        source=EVIL,
        run_id=EVIL,
        data_as_of=EVIL,
        created_at=EVIL,
        gates=[*GATES, GateResult(EVIL, Level.WARN, EVIL, {EVIL: EVIL})],
        funnel=funnel().assign(constraint=EVIL),
        measures=full_night().measures.assign(model=EVIL, metric=EVIL),
        tables=full_night().tables.assign(table=EVIL),
        seconds={EVIL: 1.0},
        made_from={EVIL: EVIL},
        packages={EVIL: EVIL},
    )
    text = render_report(night, lang)
    page = Page(text)
    assert page.broken == []
    assert len(page.all("script")) == 1
    assert not page.all("img")
    assert "\u202e" not in text
    assert "\x00" not in text
    assert page.text.count('"><script>alert(1)</script>') >= 10
    assert "⟨U+202E⟩" in page.text


def test_a_page_is_in_one_language():
    japanese = re.compile("[\u3041-\u30ff\u4e00-\u9fff]")
    page = page_of_full_night("en")
    assert not japanese.search(page_in(page, "en").text)
    told = page_in(page, "ja").text
    for text in ("会員", "公開前の検査", "写真", "距離", "一覧の長さ"):
        assert text in told


def test_the_same_night_gives_the_same_page(lang):
    assert render_report(full_night(), lang) == page_of_full_night(lang)


def test_the_lists_are_not_changed():
    lists = three_lists()
    before = lists.copy(deep=True)
    render_report(full_night(lists=lists), "en")
    assert lists.equals(before)


def test_hand_worked_totals():
    text = Page(page_of_full_night("en")).text
    assert "People 5 everybody at this time" in text
    assert "Listed 4" in text
    assert "With a list 3 75.0% of those listed" in text
    assert "Suggestions 6 2.0 each for those with a list, median 2.0" in text
    assert "In somebody's list 4 100% of those listed" in text
    assert "Violations 0" in text
    assert "2026-01-05 03:00 UTC" in text


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_times_are_told_in_the_zone_of_the_service(lang):
    text = Page(render_report(full_night(), lang, time_zone="Asia/Tokyo")).text
    assert "2026-01-05 12:00 JST" in text
    assert "UTC" not in text


def test_violations_are_loud():
    found = (GateResult("violations", Level.BLOCK, "2 pairs that may not be shown", {"count": 2}),)
    page = Page(render_report(full_night(gates=found), "en"))
    assert "Not published" in page.text
    assert "Violations 2" in page.text
    assert len(page.all("div", class_="tile bad")) == 2
    assert not page.all("div", class_="tile good")


@pytest.mark.parametrize(
    ("level", "told"),
    [
        (Level.PASS, "Published Every"),
        (Level.WARN, "Published with warnings"),
        (Level.BLOCK, "Not published"),
    ],
)
def test_the_verdict_is_the_highest_gate(level, told):
    gates = [GateResult("no_self", Level.PASS, "", {"count": 0}), GateResult("new_gate", level, "said so")]
    text = Page(render_report(full_night(gates=gates), "en")).text
    assert told in text
    assert "said so" in text


def test_a_night_of_which_little_is_known_says_so(lang):
    text = page_in(render_report(bare_night(), lang), lang).text
    assert text.count(load_catalogue().text("report.not_recorded", lang)) == 10
    assert load_catalogue().text("report.status_unknown", lang) in text
    assert "nan" not in text.lower()


def test_the_histogram_counts_every_listed_person_once():
    bins = ["first", "last", "viewers"]
    few = lengths_of(full_night())[bins].to_numpy().tolist()
    assert few == [[0, 0, 1], [1, 1, 1], [2, 2, 1], [3, 3, 1]]
    long = lists_of(*[("a", f"c{n}", n + 1, 0.5, []) for n in range(100)], ("b", "a", 1, 0.1, []))
    bars = lengths_of(full_night(lists=long, n_listed=9))[bins].to_numpy().tolist()
    assert sum(people for _, _, people in bars) == 9
    assert bars[0] == [0, 0, 7]
    assert bars[-1][1] == 100
    assert len(bars) <= 26
    assert all(after[0] == before[1] + 1 for before, after in itertools.pairwise(bars))


def test_the_funnel_is_told_per_person():
    text = Page(page_of_full_night("en")).text
    assert "For each of 3 people" in text
    assert "0.3 of 4.0 people remain" in text
    assert "Distance 2.2 0.2 0.3" in text


def test_samples_run_from_the_longest_list_to_the_shortest():
    assert [one.viewer for one in sample_lists(full_night(), 2)] == ["a", "c"]
    assert [one.viewer for one in sample_lists(full_night(), 10)] == ["a", "b", "c"]
    assert [one.viewer for one in sample_lists(full_night(), 0)] == []
    assert [one.viewer for one in sample_lists(bare_night(), 5)] == []


@pytest.mark.parametrize("seed", range(3))
def test_a_page_without_samples_holds_no_id_of_a_list(lang, seed):
    """A page with one sample holds some of them, so the look is one that finds an id."""
    rng, night = np.random.default_rng(seed), full_night()
    known = sorted({*night.lists["viewer_id"], *night.lists["candidate_id"]})
    names = {one: f"member-{rng.integers(1 << 40):x}" for one in known}
    lists = night.lists.assign(
        viewer_id=night.lists["viewer_id"].map(names), candidate_id=night.lists["candidate_id"].map(names)
    )
    renamed = replace(night, lists=lists)
    assert any(one in render_report(renamed, lang, sample_lists=1) for one in names.values())
    assert not any(one in render_report(renamed, lang, sample_lists=0) for one in names.values())


def test_samples_give_reasons_in_words():
    page = page_in(render_report(full_night(), "en", sample_lists=3), "en")
    assert "You share an interest: Photography" in page.text
    assert "Glad to listen when you talk about: Worries at work" in page.text
    assert "interest:photography" not in page.text
    assert len(page.all("details", open="")) == 1


def test_a_long_list_is_cut_and_says_how_much():
    long = lists_of(*[("a", f"c{n}", n + 1, 0.5, []) for n in range(20)])
    assert "and 15 more" in Page(render_report(full_night(lists=long), "en")).text


def test_random_order_stands_beside_the_models():
    page = page_in(page_of_full_night("en"), "en")
    assert page.text.count("random order 0.300") == 1
    assert len(page.all("span", class_="at-random")) == 3
    assert page.all("span", **{"aria-label": "value 0.340, interval 0.320 to 0.360"})


def test_chances_are_compared_with_the_overall_rate():
    chances = full_night().measures.assign(metric="brier")
    text = Page(render_report(full_night(measures=chances), "en")).text
    assert "overall rate alone 0.300" in text
    assert "random order 0" not in text
    assert "lower is better" in text


def test_measures_that_are_unknown_leave_no_mark():
    unknown = full_night().measures.assign(value=np.nan, lo=np.nan, hi=np.nan, random=np.nan)
    text = render_report(full_night(measures=unknown), "en")
    assert "nan" not in Page(text).text
    assert "nan%" not in text


def test_the_gain_of_choosing_together_is_told_with_its_interval():
    text = Page(page_of_full_night("en")).text
    assert "+50.0% (95% interval +37.5% to +62.5%)" in text
    assert "Everybody together (this night) 3 75.0% 0.20" in text
    assert "1 who have as many companions as they wish for do not" in text


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", ("1 latitude 36, longitude 140 70,000 12.5 340", "2 unknown 50,000 – –", "region by region")),
        ("ja", ("1 緯度 36、経度 140 70,000 12.5 340", "2 不明 50,000 – –", "地域ごとに決めたため")),
    ],
)
def test_every_region_is_told_with_its_people_time_and_memory(language, told):
    first = {"people": 70_000, "latitude": 36, "longitude": 140, "seconds": 12.5, "peak_mb": 340.0}
    night = full_night(regions=(first, {"people": 50_000}), allocation={"rows": []})
    text = Page(render_report(night, language)).text
    assert all(one in text for one in told), text
    assert "latitude" not in Page(render_report(full_night(), language)).text


def test_each_direction_has_a_plot_of_its_own(lang):
    bins = full_night().reliability
    both = pd.concat([bins.assign(direction=name) for name in ("like", "back", "mutual")])
    page = page_in(render_report(full_night(reliability=both, history=()), lang), lang)
    assert len(page.all("svg")) == 4
    for name in ("like", "back", "mutual"):
        assert load_catalogue().text(f"direction.{name}", lang) in page.text


def test_what_judges_both_stands_apart_from_what_judges_one(lang):
    one = measures().query("metric == 'ndcg@5'").assign(metric="auc")
    both = pd.concat(
        [one.assign(target=target, value=value) for target, value in (("like", 0.6), ("mutual", 0.7))]
    )
    text = Page(render_report(full_night(measures=both), lang)).text
    for metric in ("auc", "mutual_auc"):
        assert load_catalogue().text(f"metric.{metric}", lang) in text


def test_cohorts_are_named_and_set_beside_the_mean(lang):
    cohorts = pd.DataFrame(
        {"column": ["gender"], "cohort": ["woman"], "people": [3], "exposure": [2.0], "ratio": [1.25]}
    )
    text = Page(render_report(full_night(parity=cohorts), lang)).text
    assert f"{load_catalogue().label('gender', 'woman', lang)} 3 1.25" in text


def test_attention_is_counted_over_everybody_listed():
    people = make_people(40, np.random.default_rng(1))
    ids = people.ids.ids(np.arange(40))
    everybody = np.ones(40, bool)
    lists = lists_of((ids[0], ids[1], 1, 0.5, []), (ids[0], ids[2], 2, 0.4, []))
    found = parity_of(lists, people, everybody)
    by_gender = found[found["column"] == "gender"]
    assert (by_gender["people"] * by_gender["exposure"]).sum() == pytest.approx(1.5)
    assert parity_of(lists, people, ~everybody) is None


def test_a_night_has_one_calibration_error_and_says_how_large_it_may_be():
    """The check, the drawing, the panel and the trend show one estimate; cut at 0 it is never "0%"."""
    known = Calibration(0.0, 0.0, 0.018, pairs=1110, answers=900)
    ece = {"slice": "all", "model": "hybrid", "metric": "ece", "target": "like", "n": known.pairs}
    row = ece | {"value": known.ece, "lo": known.lo, "hi": known.hi, "random": 0.0}
    numbers = {"value": known.ece, "lo": known.lo, "hi": known.hi, "pairs": known.pairs, "answers": 900}
    gate = GateResult("calibration", Level.PASS, str(known), numbers)
    nights = [past(at, listed=4, gini=0.5) for at in range(3)]
    nights = [replace(one, numbers=one.numbers | {"calibration": numbers}) for one in nights]
    night = full_night(measures=pd.DataFrame([row]), gates=[gate], history=nights)
    text = page_in(render_report(night, "en"), "en").text
    for said in (
        "off by ≤ 1.80% on average (1,110 pairs)",
        "differ by ≤ 1.80% on average, less what chance adds",
        "Hybrid ≤ 0.018 0.000 – 0.018",
        "Calibration error ≤ 1.80% Time to publish",
        "2026-01-05: ≤ 1.80%",
    ):
        assert said in text, said


def test_what_a_log_contradicts_has_no_value_and_the_page_says_why():
    row = {"slice": "all", "metric": "dips", "target": "mutual", "n": 600, "random": 0.03}
    known = row | {"model": "hybrid", "value": 0.059, "lo": 0.04, "hi": 0.078, "refused": ""}
    withheld = row | {"model": "random", "value": np.nan, "lo": np.nan, "hi": np.nan, "refused": "answers"}
    text = page_in(render_report(full_night(measures=pd.DataFrame([known, withheld])), "en"), "en").text
    assert "No value for Random model: the predicted answers contradict the matches of these places." in text
    nothing = page_in(render_report(full_night(measures=pd.DataFrame([withheld])), "en"), "en").text
    assert "predicted answers" not in nothing
