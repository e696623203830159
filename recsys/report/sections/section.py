"""The frame every part of the page has."""

from recsys.report.html import Html, element
from recsys.report.words import Words


def section(name: str, words: Words, *content: object) -> Html:
    """Return one part of the page: a heading, a sentence under it, and the content.

    Without content it says that nothing was recorded.
    """
    heading = element("h2", words(f"report.{name}"), id=f"{name}-heading")
    lead = element("p", words(f"report.{name}_lead"), class_="lead") if _has_lead(name, words) else None
    shown = content if any(content) else (element("p", words("report.not_recorded"), class_="none"),)
    return element("section", heading, lead, *shown, id=name, aria_labelledby=f"{name}-heading")


def details(summary: object, *content: object) -> Html:
    """Return content that opens on demand."""
    return element("details", element("summary", summary), *content)


def table(head: list[object], rows: list[list[object]], *, caption: str) -> Html:
    """Return a table whose first column names the row and whose other columns are numbers.

    It scrolls by itself when it is wider than the screen.
    """
    top = element(
        "tr", *[element("th", cell, scope="col", class_="n" if at else None) for at, cell in enumerate(head)]
    )
    body = [
        element(
            "tr",
            element("th", first, scope="row"),
            *[element("td", cell, class_="n") for cell in others],
        )
        for first, *others in rows
    ]
    inner = element(
        "table",
        element("caption", caption, class_="hidden"),
        element("thead", top),
        element("tbody", *body),
    )
    return element("div", inner, class_="scroll", tabindex="0", role="region", aria_label=caption)


def _has_lead(name: str, words: Words) -> bool:
    return f"report.{name}_lead" in words.catalogue.texts
