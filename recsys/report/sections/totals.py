"""The few numbers that say most about a night."""

from recsys.report.html import Html, element
from recsys.report.night import NightSummary
from recsys.report.numbers import count, per_person, share
from recsys.report.words import Words


def totals(night: NightSummary, words: Words) -> Html:
    """Return one tile a number."""
    lengths = night.lengths
    mean = len(night.lists) / night.n_with_list if night.n_with_list else float("nan")
    listed = max(night.n_listed, 1)
    tiles = [
        _tile(words, "people", count(night.n_people)),
        _tile(words, "listed", count(night.n_listed)),
        _tile(words, "coverage", count(night.n_with_list), share=share(night.coverage)),
        _tile(
            words,
            "suggestions",
            count(len(night.lists)),
            mean=per_person(mean),
            median=per_person(float(lengths.median()) if len(lengths) else None),
        ),
        _tile(words, "shown", count(night.n_shown), share=share(night.n_shown / listed)),
        _tile(
            words,
            "violations",
            count(night.violations),
            kind="good" if night.violations == 0 else "bad" if night.violations else "",
        ),
    ]
    return element("section", element("dl", *tiles, class_="tiles"), aria_label=words("report.title"))


def _tile(words: Words, name: str, value: str, *, kind: str = "", **values: str) -> Html:
    return element(
        "div",
        element("dt", words(f"report.{name}")),
        element("dd", value, class_="big"),
        element("dd", words(f"report.{name}_note", **values), class_="note"),
        class_=f"tile {kind}".strip(),
    )
