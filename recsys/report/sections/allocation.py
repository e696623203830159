"""What the lists are expected to bring, beside the same candidates in other orders."""

from recsys.report.html import Html, element
from recsys.report.night import NightSummary
from recsys.report.numbers import count, decimal, share
from recsys.report.sections.section import section, table
from recsys.report.words import Words

_ORDERS = ("random", "naive", "product", "allocated")


def allocation(night: NightSummary, words: Words) -> Html:
    """Return a table of orders and a sentence with the gain, or that nothing was recorded."""
    figures = night.allocation
    by_name = {row["name"]: row for row in figures.get("rows", [])}
    if "allocated" not in by_name:
        return section("allocation", words)
    ours = by_name["allocated"]
    told = words(
        "report.allocation_gain",
        gain=_signed(ours["gain"]),
        lo=_signed(ours["gain_lo"]),
        hi=_signed(ours["gain_hi"]),
        error=decimal(figures.get("error"), 1),
        full=count(figures.get("full")),
        people=count(figures.get("people")),
    )
    names = ("order", "matches", "reached", "gini")
    head: list[object] = [words(f"report.allocation_{name}") for name in names]
    rows: list[list[object]] = [
        [
            words(f"report.allocation_{name}"),
            count(row["matches"]),
            share(row["reached"]),
            decimal(row["gini"], 2),
        ]
        for name in _ORDERS
        if (row := by_name.get(name)) is not None
    ]
    caption = words("report.allocation")
    return section("allocation", words, element("p", told), table(head, rows, caption=caption))


def _signed(value: float) -> str:
    return f"{value:+.1%}"
