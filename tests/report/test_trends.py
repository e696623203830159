"""Night over night: what moved is told, the refused are shown, and a first night says that it is one."""

import json
import re
from pathlib import Path

import pytest

from recsys.catalogue import load_catalogue
from recsys.pipeline.gates import GateResult, Level
from recsys.pipeline.gates.proposal import Gate
from recsys.pipeline.paths import NightPaths
from recsys.report import render_report
from recsys.report.night_summary import read_night
from tests.pipeline.small_night import SETTINGS, make_night
from tests.report.nights import GATES, full_night, past, three_nights
from tests.report.pages import Page, page_in, part_in

LANGS = ["ja", "en"]


def told(lang: str, **changes: object) -> str:
    return page_in(render_report(full_night(**changes), lang), lang).text


def test_what_moved_is_beside_the_last_publication_not_the_refused_night() -> None:
    text = told("en")
    assert "-50.0% since last time" in text  # 8 listed two nights ago; the refused night had 2
    assert "Since the last publication (2026-01-03)" in text
    assert "Attention (Gini) 0.500 +0.100" in text
    assert "Time to publish 1:30 +50.0%" in text
    assert "Changed since last time: Settings" in text
    assert "since last time" not in told("en", history=three_nights()[1:])


def test_every_night_is_in_the_drawings_and_in_the_table() -> None:
    part = part_in(render_report(full_night(), "en"), "en")
    page = Page(part)
    for said in ("2026-01-03: 8", "2026-01-04: 2 (Not published)", "2026-01-05: 4"):
        assert said in page.text
    assert len(page.all("g", class_="refused")) >= 1
    assert "2026-01-04 Not published 2 75.0% 4 0.900 – – 7 –" in page.text
    listed = next(a for a in page.all("svg") if (a["aria-label"] or "").startswith("Listed"))
    assert listed["aria-label"] == "Listed: 4 this night; between 2 and 8 over 3 nights."


def test_an_unknown_value_is_a_dash_and_no_point() -> None:
    nights = [past(0, listed=1, gini=0.1), past(1, listed=2, gini=float("nan")), past(2, listed=3, gini=0.3)]
    part = part_in(render_report(full_night(history=nights), "en"), "en")
    assert not re.search(r"\bnan\b", Page(part).text)
    drawn = part[part.index('aria-label="Attention (Gini)') :].split("</svg>")[0]
    assert re.findall("<title>(.*?)</title>", drawn) == ["2026-01-03: 0.100", "2026-01-05: 0.300"]


@pytest.mark.parametrize("lang", LANGS)
def test_a_first_night_says_so(lang: str) -> None:
    first = load_catalogue().text("report.trends_first", lang)
    assert told(lang, history=three_nights()[2:]).count(first) == 2
    assert first not in told(lang)


@pytest.mark.parametrize("lang", LANGS)
def test_a_warning_says_what_to_do(lang: str) -> None:
    text = told(lang)
    assert load_catalogue().text("report.todo", lang) in text
    assert load_catalogue().text("gate_do.rows", lang) in text
    calm = told(lang, gates=GATES[:2])
    assert load_catalogue().text("report.todo", lang) not in calm
    other = told(lang, gates=[GateResult("of_ones_own", Level.BLOCK, "said so")])
    assert load_catalogue().text("gate_do.other", lang) in other


def test_the_gravest_comes_first() -> None:
    found = [
        GateResult("rows", Level.WARN, "", {"now": 1}),
        GateResult("violations", Level.BLOCK, "", {"count": 2}),
    ]
    part = part_in(render_report(full_night(gates=found), "en"), "en")
    todo = part[part.index('class="todo"') :]
    assert todo.index("Pairs that must not meet") < todo.index("Suggestions")


def test_every_gate_has_advice_in_both_languages() -> None:
    from recsys.pipeline.gates import GATES as KNOWN

    gates: tuple[Gate, ...] = KNOWN
    for gate in gates:
        assert f"gate_do.{gate.__name__}" in load_catalogue().texts


def test_nights_that_left_the_disk_are_on_the_page(tmp_path: Path) -> None:
    night = make_night(n_people=20, k=4)
    work = NightPaths(tmp_path / "work")
    work.root.mkdir()
    keep = SETTINGS.model_copy(update={"keep": 1})
    made = [night.publish(tmp_path / "published", settings=keep) for _ in range(3)]
    log = [
        {"stage": "publish", "seconds": 2.0 + at, "run": outcome.run_id} for at, outcome in enumerate(made)
    ]
    work.log.write_text("".join(json.dumps(line) + "\n" for line in log))
    summary = read_night(made[-1].folder, night.people, night.policy, paths=work)
    assert [one.run_id for one in summary.history] == [outcome.run_id for outcome in made]
    assert summary.last_published == summary.history[1]
    assert dict(summary.night_seconds) == {outcome.run_id: 2.0 + at for at, outcome in enumerate(made)}
