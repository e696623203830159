"""What needs somebody: every warning and refusal, with what to do about it."""

from recsys.publication.gates import GateResult, Level
from recsys.report.html import Html, element
from recsys.report.night import NightSummary
from recsys.report.sections.gates import said
from recsys.report.sections.mark import level_mark
from recsys.report.words import Words


def todo(night: NightSummary, words: Words) -> Html | None:
    """Return one line a gate that did not pass, the gravest first; nothing when all passed."""
    open_ = sorted((found for found in night.gates if found.level > Level.PASS), key=lambda one: -one.level)
    if not open_:
        return None
    title = element("h2", words("report.todo"))
    return element("div", title, element("ul", *[_line(found, words) for found in open_]), class_="todo")


def advice(found: GateResult, words: Words) -> str:
    """Return what an operator does about a gate that did not pass."""
    key = f"gate_do.{found.gate}"
    return words(key if key in words.catalogue.texts else "gate_do.other")


def _line(found: GateResult, words: Words) -> Html:
    level = Level(found.level)
    return element(
        "li",
        level_mark(level, words(f"gate.{level.name}")),
        element(
            "div",
            element("strong", words.named("gate", found.gate)),
            element("span", said(found, words), class_="value"),
            element("span", advice(found, words), class_="do"),
        ),
        class_=level.name.lower(),
    )
