"""A few lists as they stand, with reasons in words."""

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.errors import InputError
from recsys.messaging.reasons import reason_text
from recsys.report.html import Html, element
from recsys.report.night import NightSummary
from recsys.report.numbers import count, share
from recsys.report.sections.section import section
from recsys.report.words import Words

_MOST_SHOWN = 5


def samples(night: NightSummary, words: Words, n_lists: int) -> Html:
    """Return `n_lists` lists, taken at even steps from the shortest to the longest."""
    chosen = chosen_viewers(night, n_lists)
    cards = [
        _card(viewer, night.lists[night.lists[C.VIEWER] == viewer], words, is_open=at == 0)
        for at, viewer in enumerate(chosen)
    ]
    return section("samples", words, element("div", *cards, class_="samples") if cards else None)


def chosen_viewers(night: NightSummary, n_lists: int) -> list[str]:
    """Return viewers at even steps through all lists in order of length, longest first.

    The choice depends on the lists alone, so that a page can be made again.
    """
    lengths = night.lengths.sort_values(ascending=False, kind="stable")
    steps = np.unique(np.linspace(0, len(lengths) - 1, min(n_lists, len(lengths))).round().astype(int))
    return [str(lengths.index[step]) for step in steps]


def _card(viewer: str, rows: pd.DataFrame, words: Words, *, is_open: bool) -> Html:
    rows = rows.sort_values(C.RANK)
    shown = rows.head(_MOST_SHOWN)
    items = [
        _item(str(row[C.CANDIDATE]), float(row[C.P_MUTUAL]), list(row[C.REASONS]), words)
        for _, row in shown.iterrows()
    ]
    left = len(rows) - len(shown)
    return element(
        "details",
        element("summary", words("report.samples_of", viewer=viewer, n=count(len(rows)))),
        element("ol", *items),
        element("p", words("report.samples_more", n=count(left)), class_="note") if left else None,
        open=is_open,
    )


def _item(candidate: str, chance: float, reasons: list[str], words: Words) -> Html:
    told = [element("li", _in_words(code, words)) for code in reasons]
    return element(
        "li",
        element("bdi", candidate, class_="who"),
        element("span", share(chance), class_="chance", title=words("report.samples_chance")),
        element("ul", *(told or [element("li", words("report.samples_no_reason"))]), class_="reasons"),
    )


def _in_words(code: str, words: Words) -> str:
    """Return a reason in words; the code itself when it is of a newer catalogue."""
    try:
        return reason_text(code, words.lang)
    except InputError:
        return code
