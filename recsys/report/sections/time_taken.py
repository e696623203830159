"""How long each step took."""

from recsys.report.html import Html
from recsys.report.night import NightSummary
from recsys.report.numbers import decimal, share
from recsys.report.sections.section import section, table
from recsys.report.words import Words


def time_taken(night: NightSummary, words: Words) -> Html | None:
    """Return one row a step, the total and the budget; nothing at all when no time was taken down."""
    if not night.seconds:
        return None
    total = sum(night.seconds.values())
    parts = ("time_stage", "time_seconds", "time_share")
    head: list[object] = [words(f"report.{part}") for part in parts]
    rows: list[list[object]] = [
        [words.named("stage", stage), decimal(taken, 1), share(taken / total if total else None)]
        for stage, taken in night.seconds.items()
    ]
    foot: list[list[object]] = [[words("report.time_total"), decimal(total, 1), share(1.0)]]
    if night.budget_minutes:
        budget = 60 * night.budget_minutes
        foot.append([words("report.time_budget"), decimal(budget, 1), share(total / budget)])
    return section("time", words, table(head, rows, caption=words("report.time"), foot=foot))
