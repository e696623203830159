"""Messages of the publication gates in the language of the reader, and what to do about them."""

from collections.abc import Mapping

from recsys.pipeline.gates.proposal import GateResult, Level
from recsys.report.localization import Texts, count, decimal, moment, per_person, share, share_with_interval
from recsys.settings import GateSettings

_MEASURED = {"exposure", "overlap", "calibration", "parity", "drift"}
_NAMING = {"platform", "parity", "drift", "tables", "safety_tables", "event_types", "wishes", "clock"}
"""Gates that name something; results of earlier versions hold their numbers alone."""
_LIMITS = {
    "rows": ("last", "below_rows"),
    "people": ("last", "below_people"),
    "lengths": ("short", "short_lists"),
    "exposure": ("value", "gini"),
    "overlap": ("value", "below_overlap"),
    "calibration": ("value", "ece"),
    "parity": ("worst", "below_parity"),
    "drift": ("value", "psi"),
    "tables": ("count", "refused_rows"),
    "pages": ("count", "empty_pages"),
    "person_tokens": ("count", "changed_tokens"),
}
"""The number by which a gate was judged, and its limit in `GateSettings`, after `warn_` or `block_`."""
_NO_SHARES = {"gini", "psi"}


def is_whole(result: GateResult) -> bool:
    """Say whether the numbers and names are all that the message holds."""
    if result.level is Level.PASS or result.names:
        return True
    return result.gate not in _NAMING and not ("now" in result.numbers and "last" not in result.numbers)


def gate_message(result: GateResult, texts: Texts, time_zone: str = "UTC") -> str:
    """Return a gate's answer in one language; its own message when it is a new gate.

    time_zone: the zone that its times are told in, such as "Asia/Tokyo".
    """
    if f"gate.{result.gate}" not in texts.catalogue.texts:
        return result.message
    return _named(result, texts, time_zone) if result.names else _numbered(result, texts)


def _numbered(result: GateResult, texts: Texts) -> str:
    found = {name: float(value) for name, value in result.numbers.items() if not isinstance(value, str)}
    if result.gate == "platform":
        return _counted(found, texts, none="declared", some="undeclared")
    if result.gate == "lengths":
        return _lengths(found, texts)
    if result.gate in _MEASURED:
        return _measured(result, found, texts)
    if "now" in found:
        return _beside_last_night(found, texts)
    if "count" in found:
        return _counted(found, texts, none="clock_none" if result.gate == "clock" else "none", some="count")
    return result.message


def _named(result: GateResult, texts: Texts, time_zone: str) -> str:
    numbers = result.numbers
    values: dict[str, object] = {
        name: texts.joined([moment(one, time_zone) for one in names]) for name, names in result.names.items()
    }
    match result.gate:
        case "platform":
            values["undeclared"] = texts.joined(
                [f"{texts.label('platform', name)} ({name})" for name in result.names["undeclared"]]
            )
        case "parity":
            column, word = result.names["cohort"]
            values["cohort"] = texts.word(column, word)
            values |= {name: share(float(numbers[name])) for name in ("worst", "everybody")}
        case "drift":
            values["value"] = decimal(float(numbers["value"]), 2)
        case "people" if "now_most" in numbers:
            values |= {name: count(float(numbers[name])) for name in ("now", "now_most")}
        case "person_tokens":
            values |= {name: count(float(numbers[name])) for name in ("count", "had", "over")}
        case "tables" | "safety_tables" | "event_types" | "wishes" | "clock" | "pages":
            values |= {name: count(float(numbers[name])) for name in ("count", "late") if name in numbers}
        case _:
            values["now"] = count(float(numbers["now"]))
    return texts(_by_reason("gate_named", result, texts), **values)


def _by_reason(section: str, result: GateResult, texts: Texts) -> str:
    """Return the key of a text about a gate: that for its reason where there is one."""
    for why in result.names.get("why", ()):
        if (key := f"{section}.{result.gate}_{why}") in texts.catalogue.texts:
            return key
    return f"{section}.{result.gate}"


def _measured(result: GateResult, found: Mapping[str, float], texts: Texts) -> str:
    gate = result.gate
    if "value" not in found and "answers" in found:
        return texts("gate_said.few_answers", answers=count(found["answers"]))
    if "value" not in found:
        return texts("gate_said.unknown")
    if gate == "calibration":
        return _calibration(found, texts) if "pairs" in found else result.message
    as_share = gate == "overlap"
    values = {"value": share(found["value"]) if as_share else decimal(found["value"], 2)}
    values |= {name: share(found[name]) for name in ("worst", "everybody") if name in found}
    message = texts(f"gate_said.{gate}", **values)
    if "low" not in found:
        return message
    low, high = (share(found[x]) if as_share else decimal(found[x], 2) for x in ("low", "high"))
    return message + texts("gate_said.usual", low=low, high=high)


def _calibration(found: Mapping[str, float], texts: Texts) -> str:
    value = share_with_interval(found["value"], found["lo"], found["hi"])
    return texts("gate_said.calibration", value=value, pairs=count(found["pairs"]))


def _counted(found: Mapping[str, float], texts: Texts, *, none: str, some: str) -> str:
    if "had" in found:
        return texts("gate_said.person_tokens", count=count(found["count"]), had=count(found["had"]))
    if "asked" in found:
        key = "gate_said.pages" if found["count"] else "gate_said.pages_none"
        return texts(key, **{name: count(found[name]) for name in ("count", "asked")})
    if found.get("count"):
        return texts(f"gate_said.{some}", count=count(found["count"]))
    return texts(f"gate_said.{none}")


def _lengths(found: Mapping[str, float], texts: Texts) -> str:
    if "mean" not in found:
        return texts("gate_said.nobody")
    return texts("gate_said.lengths", mean=per_person(found["mean"]), short=share(found["short"]))


def _beside_last_night(found: Mapping[str, float], texts: Texts) -> str:
    if "last" not in found:
        return texts("gate_said.first", now=count(found["now"]))
    part = share(found["now"] / found["last"])
    return texts("gate_said.change", now=count(found["now"]), last=count(found["last"]), share=part)


def gate_advice(result: GateResult, texts: Texts) -> str:
    """Return what an operator does about a gate that did not pass."""
    key = _by_reason("gate_do", result, texts)
    return texts(key if key in texts.catalogue.texts else "gate_do.other")


def gate_limit(result: GateResult, limits: GateSettings, texts: Texts) -> str:
    """Return the limit that a gate went beyond, with its setting; "" of a gate that passed or has none.

    limits: those of the night. A warning about what is unusual for these lists has its band in the message,
    and one about several nights what they came to.
    """
    measured, setting = _LIMITS.get(result.gate, ("", ""))
    is_unusual = "low" in result.numbers or "nights" in result.names.get("why", ())
    is_band = result.level is Level.WARN and is_unusual
    if result.level is Level.PASS or measured not in result.numbers or is_band:
        return ""
    name = f"{result.level.name.lower()}_{setting}"
    limit = float(getattr(limits, name))
    key = "gate_said.limit_below" if setting.startswith("below_") else "gate_said.limit_above"
    shown = decimal(limit, 2) if setting in _NO_SHARES else f"{100 * limit:g}%"
    return texts(key, limit=shown, setting=name)
