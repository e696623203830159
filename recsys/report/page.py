"""The page about one night: one file, both languages, no network."""

from recsys.catalogue.entries import Language
from recsys.report.contents import contents
from recsys.report.document import LANGUAGES, Page, document
from recsys.report.html import element
from recsys.report.night import NightSummary
from recsys.report.nights_page import nights_sections
from recsys.report.sections.allocation import allocation
from recsys.report.sections.calibration import calibration
from recsys.report.sections.data import tables
from recsys.report.sections.funnel import funnel
from recsys.report.sections.gates import gates
from recsys.report.sections.header import header, moment
from recsys.report.sections.lengths import lengths
from recsys.report.sections.models import models
from recsys.report.sections.origin import origin
from recsys.report.sections.parity import parity
from recsys.report.sections.samples import samples
from recsys.report.sections.time_taken import time_taken
from recsys.report.sections.totals import totals
from recsys.report.sections.trends import trends
from recsys.report.words import Words


def render_report(night: NightSummary, lang: Language = "en", *, sample_lists: int = 5) -> str:
    """Return the page about a night as the text of one HTML file.

    It holds both languages, opens in `lang`, follows the reader's light or dark setting until told
    otherwise, needs no network, and is laid out for phone, desktop and print. Everything that came
    from members is escaped. The same night gives the same text.
    """
    return document({name: _page(night, Words(name), sample_lists) for name in LANGUAGES}, lang)


def _page(night: NightSummary, words: Words, sample_lists: int) -> Page:
    first = totals(night, words)
    parts = [
        trends(night, words),
        gates(night, words),
        element("div", lengths(night, words), parity(night, words), class_="two"),
        calibration(night, words),
        allocation(night, words),
        *(nights_sections(night.nights, words) if night.nights else []),
        funnel(night, words),
        models(night, words),
        samples(night, words, sample_lists),
        element("div", tables(night, words), time_taken(night, words), class_="two"),
        origin(night, words),
    ]
    main = element("main", first, contents(parts, words), *parts)
    footer = element("footer", element("p", words("report.footer")))
    title = words("report.page_title", as_of=moment(night.data_as_of))
    return title, [header(night, words), main, footer]
