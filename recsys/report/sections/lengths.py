"""How long the lists are: a histogram over everybody listed."""

import numpy as np
import numpy.typing as npt

from recsys.report.frame import Frame
from recsys.report.html import Html, element
from recsys.report.night import NightSummary
from recsys.report.numbers import count
from recsys.report.scale import Scale, ticks
from recsys.report.sections.section import details, section, table
from recsys.report.words import Words

_FRAME = Frame(left=44, right=8, bottom=38)
_MOST_BARS = 25

Bars = list[tuple[int, int, int]]
"""First length, last length, people."""


def lengths(night: NightSummary, words: Words) -> Html:
    """Return the histogram and its numbers."""
    if night.n_listed == 0:
        return section("lengths", words)
    bars = bars_of(night)
    n_none = bars[0][2]
    first, last, people = max(bars, key=lambda bar: bar[2])
    told = words("report.lengths_alt", mode=_named(first, last), people=count(people), none=count(n_none))
    rows: list[list[object]] = [[_named(first, last), count(people)] for first, last, people in bars]
    head: list[object] = [words("report.lengths_axis"), words("report.lengths_people")]
    return section(
        "lengths",
        words,
        element("figure", _drawing(bars, words, told), element("figcaption", told)),
        details(words("report.show_numbers"), table(head, rows, caption=words("report.lengths"))),
    )


def bars_of(night: NightSummary) -> Bars:
    """Return how many listed people have a list of each length; no list is a bar of its own."""
    length = night.lengths.to_numpy(np.int64)
    n_none = max(night.n_listed - len(length), 0)
    counted: npt.NDArray[np.int64] = np.bincount(length, minlength=2)
    width = -(-(len(counted) - 1) // _MOST_BARS)
    bars: Bars = [(0, 0, n_none)]
    for first in range(1, len(counted), width):
        last = min(first + width, len(counted)) - 1
        bars.append((first, last, int(counted[first : last + 1].sum())))
    return bars


def _named(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}–{last}"


def _drawing(bars: Bars, words: Words, told: str) -> Html:
    marks = ticks(max(people for _, _, people in bars), 4)
    up = _FRAME.up(marks[-1])
    slot = (_FRAME.end - _FRAME.left) / len(bars)
    every = -(-len(bars) // 12)
    drawn = [
        _bar(bar, _FRAME.left + at * slot, slot, up, named=_is_named(at, len(bars), every))
        for at, bar in enumerate(bars)
    ]
    parts = [
        [_FRAME.level(up(mark), count(mark)) for mark in marks],
        drawn,
        _FRAME.below(words("report.lengths_axis"), raised=4),
    ]
    return _FRAME.drawing(told, parts)


def _is_named(at: int, n_bars: int, every: int) -> bool:
    """Name the ends and every few bars between, with room before the last."""
    return at in (0, n_bars - 1) or (at % every == 0 and n_bars - 1 - at >= every)


def _bar(bar: tuple[int, int, int], left: float, slot: float, up: Scale, *, named: bool) -> Html:
    first, last, people = bar
    top, floor = up(people), up(0)
    gap = min(2.0, slot * 0.12)
    height = max(floor - top, 1.5 if people else 0.0)
    rect = element(
        "rect",
        element("title", f"{_named(first, last)}: {count(people)}"),
        x=f"{left + gap:.1f}",
        y=f"{floor - height:.1f}",
        width=f"{slot - 2 * gap:.1f}",
        height=f"{height:.1f}",
        rx="1.5",
        class_="bar none" if last == 0 else "bar",
    )
    label = _FRAME.under(left + slot / 2, _named(first, last)) if named else None
    return element("g", rect, label)
