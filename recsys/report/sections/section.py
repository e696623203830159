"""The frame every part of the page has."""

from collections.abc import Sequence

from recsys.report.html import Html, element
from recsys.report.words import Words


def section(name: str, words: Words, *content: object) -> Html:
    """Return one part of the page: a heading, a sentence under it, and the content.

    Without content it says that nothing was recorded.
    """
    anchor = words.anchor(name)
    heading = element("h2", words(f"report.{name}"), id=f"heading-{anchor}")
    lead = element("p", words(f"report.{name}_lead"), class_="lead") if _has_lead(name, words) else None
    shown = content if any(content) else (element("p", words("report.not_recorded"), class_="none"),)
    return element("section", heading, lead, *shown, id=anchor, aria_labelledby=f"heading-{anchor}")


def details(summary: object, *content: object) -> Html:
    """Return content that opens on demand."""
    return element("details", element("summary", summary), *content)


def table(
    head: list[object], rows: list[list[object]], *, caption: str, foot: Sequence[list[object]] = ()
) -> Html:
    """Return a table whose first column names the row and whose other columns are numbers.

    It scrolls by itself when it is wider than the screen; its rows can be sorted, those of `foot` stay.
    """
    top = element(
        "tr", *[element("th", cell, scope="col", class_="n" if at else None) for at, cell in enumerate(head)]
    )
    inner = element(
        "table",
        element("caption", caption, class_="hidden"),
        element("thead", top),
        element("tbody", *[_row(row) for row in rows]),
        element("tfoot", *[_row(row) for row in foot]) if foot else None,
        class_="sortable",
    )
    return element("div", inner, class_="scroll", tabindex="0", role="region", aria_label=caption)


def _row(cells: list[object]) -> Html:
    first, *others = cells
    return element("tr", element("th", first, scope="row"), *[element("td", x, class_="n") for x in others])


def _has_lead(name: str, words: Words) -> bool:
    return f"report.{name}_lead" in words.catalogue.texts
