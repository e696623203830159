"""What each gate said, in words."""

from collections.abc import Mapping

from recsys.pipeline.gates.base import GateResult, Level
from recsys.report.html import Html, element
from recsys.report.night import NightSummary
from recsys.report.numbers import count, decimal, per_person, share
from recsys.report.sections.mark import level_mark
from recsys.report.sections.section import section
from recsys.report.words import Words

_MEASURED = {"exposure", "overlap", "calibration", "parity", "drift"}
_NAMING = {"platform", "parity", "drift"}
"""Gates that name something; results of earlier versions hold their numbers alone."""


def gates(night: NightSummary, words: Words) -> Html:
    """Return one line a gate."""
    lines = [gate_line(result, words, _message(result)) for result in night.gates]
    return section("gates", words, element("ul", *lines, class_="gates") if lines else None)


def gate_line(result: GateResult, words: Words, more: Html | None) -> Html:
    """Return what a gate found as one item of a list, and more about it where there is more to say."""
    level = Level(result.level)
    return element(
        "li",
        level_mark(level, words(f"gate.{level.name}")),
        element(
            "div",
            element("strong", words.named("gate", result.gate)),
            element("span", said(result, words), class_="value"),
            more,
        ),
        class_=level.name.lower(),
    )


def _message(result: GateResult) -> Html | None:
    return None if _told_in_full(result) else element("span", result.message, class_="said", lang="en")


def _told_in_full(result: GateResult) -> bool:
    """Say whether the numbers and names are all that the message holds."""
    if result.level is Level.PASS or result.names:
        return True
    return result.gate not in _NAMING and not ("now" in result.numbers and "last" not in result.numbers)


def said(result: GateResult, words: Words) -> str:
    """Return a gate's answer in one language; its own message when it is a new gate."""
    if f"gate.{result.gate}" not in words.catalogue.texts:
        return result.message
    return _named(result, words) if result.names else _numbered(result, words)


def _numbered(result: GateResult, words: Words) -> str:
    found = {name: float(value) for name, value in result.numbers.items() if not isinstance(value, str)}
    if result.gate == "platform":
        return _counted(found, words, none="declared", some="undeclared")
    if result.gate == "lengths":
        return _lengths(found, words)
    if result.gate in _MEASURED:
        return _measured(result.gate, found, words)
    if "now" in found:
        return _beside_last_night(found, words)
    if "count" in found:
        return _counted(found, words, none="none", some="count")
    return result.message


def _named(result: GateResult, words: Words) -> str:
    numbers = result.numbers
    values: dict[str, object] = {name: words.listed(names) for name, names in result.names.items()}
    match result.gate:
        case "platform":
            values["undeclared"] = words.listed(
                [f"{words.named('platform', name)} ({name})" for name in result.names["undeclared"]]
            )
        case "parity":
            column, word = result.names["cohort"]
            values["cohort"] = words.catalogue.label(column, word, words.lang)
            values |= {name: share(float(numbers[name])) for name in ("worst", "everybody")}
        case "drift":
            values["value"] = decimal(float(numbers["value"]), 2)
        case _:
            values["now"] = count(float(numbers["now"]))
    return words(f"gate_named.{result.gate}", **values)


def _measured(gate: str, found: Mapping[str, float], words: Words) -> str:
    if "value" not in found:
        return words("gate_said.unknown")
    as_share = gate in {"overlap", "calibration"}
    values = {"value": share(found["value"]) if as_share else decimal(found["value"], 2)}
    values |= {name: share(found[name]) for name in ("worst", "everybody") if name in found}
    values |= {name: count(found[name]) for name in ("answers",) if name in found}
    told = words(f"gate_said.{gate}", **values)
    if "low" not in found:
        return told
    low, high = (share(found[x]) if as_share else decimal(found[x], 2) for x in ("low", "high"))
    return told + words("gate_said.usual", low=low, high=high)


def _counted(found: Mapping[str, float], words: Words, *, none: str, some: str) -> str:
    if found.get("count"):
        return words(f"gate_said.{some}", count=count(found["count"]))
    return words(f"gate_said.{none}")


def _lengths(found: Mapping[str, float], words: Words) -> str:
    if "mean" not in found:
        return words("gate_said.nobody")
    return words("gate_said.lengths", mean=per_person(found["mean"]), short=share(found["short"]))


def _beside_last_night(found: Mapping[str, float], words: Words) -> str:
    if "last" not in found:
        return words("gate_said.first", now=count(found["now"]))
    part = share(found["now"] / found["last"])
    return words("gate_said.change", now=count(found["now"]), last=count(found["last"]), share=part)
