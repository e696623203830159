"""How long each step took."""

from recsys.report.html import Html
from recsys.report.night import NightSummary
from recsys.report.numbers import decimal
from recsys.report.sections.section import section, table
from recsys.report.words import Words


def time_taken(night: NightSummary, words: Words) -> Html | None:
    """Return one row a step and the total; nothing at all when no time was taken down."""
    if not night.seconds:
        return None
    head: list[object] = [words("report.time_stage"), words("report.time_seconds")]
    rows: list[list[object]] = [
        [words.named("stage", stage), decimal(taken, 1)] for stage, taken in night.seconds.items()
    ]
    rows.append([words("report.time_total"), decimal(sum(night.seconds.values()), 1)])
    return section("time", words, table(head, rows, caption=words("report.time")))
