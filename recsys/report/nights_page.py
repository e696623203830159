"""The page about many nights: one file, both languages, no network."""

from recsys.catalogue.entries import Language
from recsys.report.document import LANGUAGES, Page, document
from recsys.report.html import Html, element
from recsys.report.numbers import count
from recsys.report.sections.nights_curves import nights_curves
from recsys.report.sections.nights_header import nights_header
from recsys.report.sections.nights_lorenz import nights_lorenz
from recsys.report.sections.nights_measures import nights_measures
from recsys.report.words import Words
from recsys.simulation.policy_summary import NightsSummary


def render_nights(summary: NightsSummary, lang: Language = "en") -> str:
    """Return the page about a run of many nights as the text of one HTML file.

    It holds both languages, opens in `lang` and needs no network; every figure has its interval. The
    same summary gives the same text.
    """
    return document({name: _page(summary, Words(name)) for name in LANGUAGES}, lang)


def _page(summary: NightsSummary, words: Words) -> Page:
    title = words("report.nights_page_title", nights=count(summary.about["nights"]))
    main = element("main", *nights_sections(summary, words))
    footer = element("footer", element("p", words("report.nights_footer")))
    return title, [nights_header(summary, words), main, footer]


def nights_sections(summary: NightsSummary, words: Words) -> list[Html]:
    """Return the sections with figures, for this page and for the page about one night."""
    return [
        nights_measures(summary, words),
        nights_curves(summary, words),
        nights_lorenz(summary, words),
    ]
