"""Night over night: how the figures of a night moved, one small drawing each."""

from collections.abc import Sequence
from typing import Final

from recsys.pipeline.gates.base import Level
from recsys.pipeline.history import PastNight
from recsys.report.frame import Frame
from recsys.report.html import Html, element
from recsys.report.night import NightSummary
from recsys.report.scale import Scale
from recsys.report.sections.mark import level_mark, level_of
from recsys.report.sections.section import details, section, table
from recsys.report.trend_figures import TREND_FIGURES, TrendFigure
from recsys.report.words import Words

_FRAME: Final = Frame(width=240, height=112, left=50, right=8, top=12, bottom=24)
_MOST_NIGHTS: Final = 30

Values = list[float | None]


def trends(night: NightSummary, words: Words) -> Html:
    """Return outcomes, one drawing a figure, and all numbers of the latest nights, this one last."""
    nights = night.history[-_MOST_NIGHTS:]
    if not nights:
        return section("trends", words)
    if len(nights) == 1:
        return section("trends", words, element("p", words("report.trends_first"), class_="none"))
    drawn = [_figure(figure, night, nights, words) for figure in TREND_FIGURES]
    return section(
        "trends",
        words,
        _outcomes(nights, words),
        element("div", *drawn, class_="small-multiples"),
        details(words("report.show_numbers"), _numbers(night, nights, words)),
    )


def day(past: PastNight) -> str:
    """Return the day the data of a night stood at."""
    return past.data_as_of[:10]


def _outcomes(nights: Sequence[PastNight], words: Words) -> Html:
    marks = []
    for past in nights:
        told = _told(past, words)
        mark = level_mark(level_of(past), told, title=told)
        marks.append(element("li", mark, class_=level_of(past).name.lower()))
    title = element("h3", words("report.trends_outcomes"))
    return element("div", title, element("ol", *marks, class_="outcomes"))


def _told(past: PastNight, words: Words) -> str:
    """Return a night in a few words: its day, how it ended, which gates had something to say."""
    said = [words.named("gate", gate) for gate, level in past.levels.items() if level != Level.PASS.name]
    told = f"{day(past)}: {words(f'report.status_{level_of(past).name}')}"
    return f"{told} ({words.listed(said)})" if said else told


def _figure(figure: TrendFigure, night: NightSummary, nights: Sequence[PastNight], words: Words) -> Html:
    name = words(f"trend.{figure.name}")
    values = [figure.value(night, past) for past in nights]
    title = element("h3", name, " ", element("b", figure.said(values[-1])))
    known = [value for value in values if value is not None]
    if not known:
        return element("figure", title, element("p", words("report.trends_unknown"), class_="note"))
    told = words(
        "report.trends_alt",
        name=name,
        now=figure.said(values[-1]),
        low=figure.said(min(known)),
        high=figure.said(max(known)),
        nights=str(len(known)),
    )
    return element("figure", title, _drawing(figure, nights, values, told, words))


def _drawing(
    figure: TrendFigure, nights: Sequence[PastNight], values: Values, told: str, words: Words
) -> Html:
    known = [value for value in values if value is not None]
    low, high = 0.0 if figure.from_zero else min(known), max(known)
    apart = high > low
    up = _FRAME.up(high, low) if apart else _FRAME.up(low + 1, low - 1)
    across = _FRAME.across(0, max(len(values) - 1, 1))
    levels = [low, high] if apart else [low]
    dots = [
        _dot(across(at), up(value), nights[at], f"{day(nights[at])}: {figure.said(value)}", words)
        for at, value in enumerate(values)
        if value is not None
    ]
    parts = [
        [_FRAME.level(up(value), figure.said(value)) for value in levels],
        [element("polyline", points=line, class_="curve") for line in _lines(values, across, up)],
        dots,
        element("text", day(nights[0])[5:], x=_FRAME.left, y=_FRAME.height - 6),
        element("text", day(nights[-1])[5:], x=_FRAME.end, y=_FRAME.height - 6, class_="end"),
    ]
    return _FRAME.drawing(told, [element("g", *parts, class_="series-0")])


def _lines(values: Values, across: Scale, up: Scale) -> list[str]:
    """Return the points of every stretch of nights of which the figure is known."""
    stretches: list[list[str]] = [[]]
    for at, value in enumerate(values):
        if value is None:
            stretches.append([])
        else:
            stretches[-1].append(f"{across(at):.1f},{up(value):.1f}")
    return [" ".join(points) for points in stretches if len(points) > 1]


def _dot(x: float, y: float, past: PastNight, said: str, words: Words) -> Html:
    level = level_of(past)
    told = said if level < Level.BLOCK else f"{said} ({words(f'report.status_{level.name}')})"
    kind = f"dot {level.name.lower()}"
    return element("circle", element("title", told), cx=f"{x:.1f}", cy=f"{y:.1f}", r="3.5", class_=kind)


def _numbers(night: NightSummary, nights: Sequence[PastNight], words: Words) -> Html:
    names = [words(f"trend.{figure.name}") for figure in TREND_FIGURES]
    rows: list[list[object]] = [
        [
            day(past),
            words(f"report.status_{level_of(past).name}"),
            *(figure.said(figure.value(night, past)) for figure in TREND_FIGURES),
        ]
        for past in nights
    ]
    head: list[object] = [words("report.trends_night"), words("report.trends_outcome"), *names]
    return table(head, rows, caption=words("report.trends"))
