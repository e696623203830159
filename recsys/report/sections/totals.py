"""The few numbers that say most about a night."""

from recsys.report.html import Html, element
from recsys.report.moved import moved_by
from recsys.report.night import NightSummary
from recsys.report.numbers import count, per_person, share
from recsys.report.sections.since import since
from recsys.report.words import Words


def totals(night: NightSummary, words: Words) -> Html:
    """Return one tile a number."""
    lengths = night.lengths
    mean = len(night.lists) / night.n_with_list if night.n_with_list else float("nan")
    listed = max(night.n_listed, 1)
    tiles = [
        _tile(words, "people", count(night.n_people)),
        _tile(words, "listed", count(night.n_listed), by=moved_by("listed", night)),
        _tile(
            words,
            "coverage",
            count(night.n_with_list),
            by=moved_by("coverage", night),
            share=share(night.coverage),
        ),
        _tile(
            words,
            "suggestions",
            count(len(night.lists)),
            by=moved_by("suggestions", night),
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
    shown = element("dl", *tiles, class_="tiles")
    return element("section", shown, since(night, words), class_="first", aria_label=words("report.title"))


def _tile(
    words: Words, name: str, value: str, *, kind: str = "", by: str | None = None, **values: str
) -> Html:
    return element(
        "div",
        element("dt", words(f"report.{name}")),
        element("dd", value, class_="big"),
        element("dd", words(f"report.{name}_note", **values), class_="note"),
        element("dd", words("report.since_by", by=by), class_="by") if by else None,
        class_=f"tile {kind}".strip(),
    )
