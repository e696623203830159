"""Title, verdict and where the night stands."""

from recsys.pipeline.gates.base import Level
from recsys.report.html import Html, element
from recsys.report.night import NightSummary
from recsys.report.sections.mark import level_mark
from recsys.report.sections.todo import todo
from recsys.report.words import Words


def header(night: NightSummary, words: Words) -> Html:
    """Return the head of the page: how the night ended, what needs somebody, what moved."""
    facts = [
        (words("report.as_of"), moment(night.data_as_of)),
        (words("report.created"), moment(night.created_at)),
        (words("report.source"), night.source),
        (words("report.run"), night.run_id),
    ]
    listed = [element("div", element("dt", name), element("dd", value)) for name, value in facts if value]
    return element(
        "header",
        element("h1", words("report.title")),
        element("p", words("report.lead"), class_="lead"),
        _verdict(night, words),
        element("dl", *listed, class_="facts"),
    )


def _verdict(night: NightSummary, words: Words) -> Html:
    known = Level(night.level).name if night.gates else "unknown"
    mark = level_mark(night.level) if night.gates else element("span", "?", class_="mark", aria_hidden="true")
    told = element(
        "div",
        element("strong", words(f"report.status_{known}")),
        element("span", words(f"report.status_{known}_note")),
    )
    top = element("div", mark, told, class_="outcome")
    return element("div", top, todo(night, words), class_=f"verdict {known.lower()}")


def moment(text: str) -> str:
    """Return an ISO time to the minute; any other text stays.

    >>> moment("2026-01-05T03:00:00+00:00"), moment("unknown")
    ('2026-01-05 03:00 UTC', 'unknown')
    """
    if len(text) >= 16 and text[10:11] == "T" and text.endswith(("+00:00", "Z")):
        return f"{text[:10]} {text[11:16]} UTC"
    return text
