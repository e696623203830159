"""The round mark of a level: a colour, and a sign for those who do not see the colour."""

from typing import Final

from recsys.pipeline.gates.base import Level
from recsys.pipeline.history import PastNight
from recsys.report.html import Html, element

_SIGNS: Final = {Level.PASS: "✓", Level.WARN: "!", Level.BLOCK: "×"}


def level_mark(level: Level, told: str | None = None, *, title: str | None = None) -> Html:
    """Return the mark; `told` says it aloud, without it the text beside it does."""
    if told is None:
        return element("span", _SIGNS[level], class_="mark", aria_hidden="true")
    return element("span", _SIGNS[level], class_="mark", role="img", aria_label=told, title=title)


def level_of(past: PastNight) -> Level:
    """Return how a night ended: what was not published was refused, whatever is left of its gates."""
    return past.level if past.published else Level.BLOCK
