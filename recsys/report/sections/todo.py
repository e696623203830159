"""What needs somebody: every warning and refusal, with what to do about it."""

from recsys.pipeline.gates.base import GateResult, Level
from recsys.report.html import Html, element
from recsys.report.night import NightSummary
from recsys.report.sections.gates import gate_line
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
    return gate_line(found, words, element("span", advice(found, words), class_="do"))
