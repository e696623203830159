"""How many rows each table gave, and how many were set aside."""

from recsys.report.html import Html
from recsys.report.night import NightSummary
from recsys.report.numbers import count
from recsys.report.sections.section import section, table
from recsys.report.words import Words


def tables(night: NightSummary, words: Words) -> Html:
    """Return one row a table."""
    counts = night.tables
    if counts is None or counts.empty:
        return section("tables", words)
    head: list[object] = [words(f"report.tables_{name}") for name in ("table", "accepted", "quarantined")]
    rows: list[list[object]] = [
        [words.named("table", str(row["table"])), count(row["accepted"]), count(row["quarantined"])]
        for row in counts.to_dict("records")
    ]
    return section("tables", words, table(head, rows, caption=words("report.tables")))
