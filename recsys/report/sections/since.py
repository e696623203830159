"""What is different from the night that was published before."""

from typing import Final

from recsys.pipeline.history import PastNight
from recsys.report.html import Html, element
from recsys.report.moved import moved_by
from recsys.report.night import NightSummary
from recsys.report.trend_figures import TREND_FIGURES, TrendFigure
from recsys.report.words import Words

_IN_TILES: Final = ("listed", "coverage", "suggestions", "violations")
_MADE_FROM: Final = ("table_schema", "policy", "code", "params")
"""What an operator decides; data and the model are new every night."""


def since(night: NightSummary, words: Words) -> Html | None:
    """Return what moved since the last publication, beside the tiles; nothing without a history."""
    if not night.history:
        return None
    last = night.last_published
    if last is None:
        title = element("h2", words("report.since_first"))
        return element("div", title, element("p", words("report.trends_first")), class_="since")
    title = element("h2", words("report.since", night=last.data_as_of[:10]))
    moved = [_moved(figure, night, words) for figure in TREND_FIGURES if figure.name not in _IN_TILES]
    made = element("p", _made(night.history[-1], last, words))
    link = element("a", words("report.since_more"), href=f"#{words.anchor('trends')}")
    return element("div", title, element("dl", *moved, class_="facts"), made, link, class_="since")


def _moved(figure: TrendFigure, night: NightSummary, words: Words) -> Html:
    by = moved_by(figure.name, night)
    value = element("b", figure.said(figure.value(night, night.history[-1])))
    shown = element("dd", value, " ", element("span", by, class_="by") if by else None)
    return element("div", element("dt", words(f"trend.{figure.name}")), shown)


def _made(now: PastNight, last: PastNight, words: Words) -> str:
    """Return which of what an operator decides is another than before."""
    other = [
        words(f"report.origin_{name}")
        for name in _MADE_FROM
        if now.made_from.get(name) != last.made_from.get(name)
    ]
    if not other:
        return words("report.since_same")
    return words("report.since_other", names=words.listed(other))
