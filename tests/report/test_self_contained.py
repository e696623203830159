"""What can be said of the file without a browser: it fetches nothing, and says everything twice."""

import base64
import hashlib
import re
from importlib.resources import files

import pytest

from recsys.report import render_report
from tests.report.nights import bare_night, full_night
from tests.report.pages import Page, page_in, part_in

CSS = (files("recsys.report") / "style.css").read_text(encoding="utf-8")
SCRIPT = (files("recsys.report") / "script.js").read_text(encoding="utf-8")
NIGHTS = {"full": full_night(), "bare": bare_night()}
REACHES_OUT = (
    r"https?:|url\(|@import|@font-face|javascript:|\bimport\b|\bfetch\b|XMLHttpRequest|WebSocket|EventSource|"
    r"sendBeacon|\bcookie\b|\beval\b|innerHTML|\son\w+="
)

TEXT_ON = {
    "ink": ("paper", "card", "good-soft", "warn-soft", "bad-soft", "accent-soft"),
    "soft": ("paper", "card", "good-soft", "warn-soft", "bad-soft"),
    "accent": ("paper", "card"),
    "good": ("card",),
    "warn": ("card",),
    "bad": ("card", "bad-soft"),
    "paper": ("ink", "good", "warn", "bad"),
    "card": ("accent",),
}
DRAWN_ON_CARD = ("accent", "quiet", "bad", *(f"series-{at}" for at in range(6)))


@pytest.fixture(params=NIGHTS)
def text(request):
    return render_report(NIGHTS[request.param], "ja")


def test_nothing_in_it_reaches_out(text):
    code = re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)
    found = re.findall(REACHES_OUT, code)
    assert found == []
    assert "//" not in code
    assert not any("src" in attributes for _, attributes in Page(text).elements)
    assert not Page(text).all("link")


def test_one_script_may_run_and_it_is_ours(text):
    policy = Page(text).all("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"]
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}';" in policy
    assert re.findall("<script>(.*?)</script>", text, re.DOTALL) == [SCRIPT]
    assert "<" not in re.sub(r" < |=> |[<>]\]", "", SCRIPT.replace("[,+%<>]", "").replace(r"[+\-<>]", ""))


def test_every_reference_has_an_end(text):
    elements = Page(text).elements
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for name in ("for", "aria-labelledby", "href"):
        for _, attributes in elements:
            assert (attributes.get(name) or ids[0]).removeprefix("#") in ids
    used = set(re.findall(r"#([a-z]+-[a-z]+)", CSS))
    assert used <= set(ids)


def test_links_stay_in_their_language(text):
    for lang in ("ja", "en"):
        links = page_in(text, lang).all("a")
        assert len(links) > 8
        assert all(link["href"].endswith(f"-{lang}") for link in links)


def test_every_picture_and_field_has_a_name(text):
    for tag, attributes in Page(text).elements:
        if tag in ("svg", "img") or attributes.get("role") in ("img", "region"):
            assert attributes.get("aria-label") or attributes.get("aria-hidden") == "true"
    labelled = {label["for"] for label in Page(text).all("label")}
    assert {field["id"] for field in Page(text).all("input")} == labelled


def test_both_languages_say_the_same_in_their_own_words(text):
    japanese, english = page_in(text, "ja"), page_in(text, "en")
    assert [tag for tag, _ in japanese.elements] == [tag for tag, _ in english.elements]
    kana = re.compile("[\u3041-\u30ff\u4e00-\u9fff]")
    assert len(kana.findall(japanese.text)) > 500
    assert not kana.search(english.text)
    assert numbers_of(part_in(text, "ja")) == numbers_of(part_in(text, "en"))


def numbers_of(part: str) -> list[str]:
    """Numbers that stand in cells of tables and beside their names."""
    cells = re.findall(r"<(?:td|dd)[^>]*>(?:<b>)?([^<]+)<", part)
    return [number for cell in cells for number in re.findall(r"\d+(?:[.,]\d+)*%?", cell)]


def palette(theme: int) -> dict[str, str]:
    named = {}
    for name, by_day, by_night, other in re.findall(
        r"--([\w-]+): (?:light-dark\((#\w{6}), (#\w{6})\)|var\(--([\w-]+)\));", CSS
    ):
        named[name] = named[other] if other else (by_day, by_night)[theme]
    return named


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """WCAG 2.2: the lighter luminance to the darker, each with 0.05 of glare."""
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_as_the_guidelines_define_it():
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_every_text_and_every_line_stands_out(theme):
    named = palette(theme)
    assert len(named) >= 20
    weak = [
        f"{text} on {ground}: {found:.2f}"
        for text, grounds in TEXT_ON.items()
        for ground in grounds
        if (found := contrast(named[text], named[ground])) < 4.5
    ]
    weak += [name for name in DRAWN_ON_CARD if contrast(named[name], named["card"]) < 3.0]
    assert weak == []
