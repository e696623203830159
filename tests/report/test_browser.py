"""The page in Chromium: no complaint, no request, every switch and key at work. One start for all tests."""

import pytest

from recsys.report import render_report
from tests.report.browser import browser, found
from tests.report.nights import full_night

NARROW, WIDE = (390, 844), (1280, 800)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render_report(full_night(), "en"), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def chromium():
    path = found()
    if path is None:
        pytest.skip("no Chromium here; install it (Debian: chromium) or name it in RECSYS_CHROMIUM")
    with browser(path) as tab:
        yield tab


@pytest.fixture
def tab(chromium, page):
    """The page as on a first visit, with nothing remembered."""
    chromium.size(*WIDE)
    chromium.prefer(prefers_color_scheme="light")
    chromium.open(page)
    chromium.evaluate("localStorage.clear()")
    chromium.events.clear()
    chromium.open(page)
    return chromium


def background(tab) -> str:
    return tab.evaluate("getComputedStyle(document.body).backgroundColor")


def seen(tab) -> str:
    return tab.evaluate(
        "[...document.querySelectorAll('.page')].filter(p => p.offsetHeight).map(p => p.lang).join()"
    )


def choose(tab, name: str) -> None:
    tab.evaluate(f"document.getElementById('{name}').click()")


def test_it_says_nothing_to_the_console_and_asks_for_nothing(tab, page):
    for name in ("lang-ja", "theme-dark", "theme-light", "lang-en"):
        choose(tab, name)
    assert tab.complaints() == []
    assert set(tab.requests()) == {page.as_uri()}


def test_a_complaint_and_a_request_would_be_seen(tab):
    tab.evaluate("console.error('x'); fetch('https://example.org/').catch(() => 0)")
    tab.evaluate("setTimeout(() => { throw Error('late') }, 0); new Promise(done => setTimeout(done, 50))")
    told = " ".join(tab.complaints())
    assert "late" in told
    assert "Content Security Policy" in told


def test_a_language_is_switched_and_remembered(tab, page):
    assert (seen(tab), tab.evaluate("document.documentElement.lang")) == ("en", "en")
    choose(tab, "lang-ja")
    assert (seen(tab), tab.evaluate("document.documentElement.lang")) == ("ja", "ja")
    assert "夜間処理レポート" in tab.evaluate("document.title")
    tab.open(page)
    assert (seen(tab), tab.evaluate("document.documentElement.lang")) == ("ja", "ja")
    assert tab.evaluate("document.cookie") == ""


SCROLLED_TO_THE_FUNNEL = """new Promise((done) => {
  addEventListener("scroll", () => done(), { once: true });
  document.getElementById("funnel-en").scrollIntoView({ behavior: "instant" });
})"""


def test_a_reader_stays_at_the_same_part_in_the_other_language(tab):
    tab.evaluate(SCROLLED_TO_THE_FUNNEL)
    before = tab.evaluate("document.getElementById('funnel-en').getBoundingClientRect().top")
    choose(tab, "lang-ja")
    after = tab.evaluate("document.getElementById('funnel-ja').getBoundingClientRect().top")
    assert before < 100
    assert abs(after - before) < 2


def test_a_theme_follows_the_reader_until_it_is_chosen(tab, page):
    light = background(tab)
    tab.prefer(prefers_color_scheme="dark")
    dark = background(tab)
    assert dark != light
    choose(tab, "theme-light")
    assert background(tab) == light
    tab.open(page)
    assert background(tab) == light
    choose(tab, "theme-auto")
    assert background(tab) == dark


TOO_WIDE = """[...document.querySelectorAll(".page *")]
  .filter((part) => !part.closest(".scroll, svg, .hidden"))
  .filter((part) => part.getBoundingClientRect().right > innerWidth + 1)
  .map((part) => part.outerHTML.slice(0, 80))"""


@pytest.mark.parametrize("lang", ["ja", "en"])
@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["phone", "desktop"])
def test_nothing_is_wider_than_the_screen(tab, page, lang, size):
    tab.size(*size)
    tab.open(page)
    choose(tab, f"lang-{lang}")
    tab.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    wide = tab.evaluate(TOO_WIDE)
    assert wide == []
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_table_is_sorted_by_its_heads_and_comes_back(tab):
    rows = "[...document.querySelectorAll('#trends-en tbody tr')].map(row => row.cells[2].textContent)"
    press = "document.querySelectorAll('#trends-en thead button')[2].click()"
    state = "document.querySelectorAll('#trends-en thead th')[2].ariaSort"
    as_made = tab.evaluate(rows)
    assert as_made == ["8", "2", "4"]
    wanted = [("ascending", ["2", "4", "8"]), ("descending", ["8", "4", "2"]), (None, as_made)]
    for said, order in wanted:
        tab.evaluate(press)
        assert tab.evaluate(state) == said
        assert tab.evaluate(rows) == order


def test_charts_tell_their_values_by_key(tab):
    figure = "document.querySelector('#lengths-en figure')"
    tab.evaluate(f"{figure}.focus()")
    assert tab.evaluate(f"document.activeElement === {figure}")
    told = []
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft"):
        tab.press(key)
        told.append(tab.evaluate(f"{figure}.querySelector('.tip').textContent"))
    assert told == ["0: 1", "1: 1", "0: 1"]
    tab.press("Escape")
    assert tab.evaluate(f"{figure}.querySelector('.tip').hidden")


IN_FOCUS = """(() => {
  const at = document.activeElement, shown = at.matches("input[type=radio]") ? at.nextElementSibling : at;
  return [at.localName, getComputedStyle(shown).outlineStyle];
})()"""


def test_everything_that_can_be_used_is_reached_by_tab_with_a_ring(tab):
    reached, unmarked = set(), []
    for _ in range(80):
        tab.press("Tab")
        tag, ring = tab.evaluate(IN_FOCUS)
        reached.add(tag)
        if ring == "none" and tag != "body":
            unmarked.append(tag)
    assert {"input", "a", "figure", "div", "summary", "button"} <= reached
    assert unmarked == []


def test_who_wants_less_motion_gets_none(tab):
    behaviour = "getComputedStyle(document.documentElement).scrollBehavior"
    assert tab.evaluate(behaviour) == "smooth"
    tab.prefer(prefers_reduced_motion="reduce")
    assert tab.evaluate(behaviour) == "auto"
    moving = (
        "[...document.querySelectorAll('*')].filter(one => getComputedStyle(one).transitionDuration !== '0s')"
    )
    assert tab.evaluate(f"{moving}.length") == 0


def test_on_paper_everything_is_open_and_nothing_to_press_is_left(tab):
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert tab.evaluate("document.querySelectorAll('details:not([open])').length") == 0
    tab.call("Emulation.setEmulatedMedia", media="print")
    assert tab.evaluate("document.querySelector('.switches').offsetHeight") == 0
    tab.call("Emulation.setEmulatedMedia", media="")
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    assert tab.evaluate("document.querySelectorAll('details:not([open])').length") > 0
