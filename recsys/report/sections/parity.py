"""How much attention the lists give to people of each cohort."""

from recsys.evaluation.market import COHORT
from recsys.report.html import Html
from recsys.report.night import NightSummary
from recsys.report.numbers import count, decimal
from recsys.report.sections.section import section, table
from recsys.report.words import Words


def parity(night: NightSummary, words: Words) -> Html:
    """Return one row a cohort."""
    cohorts = night.parity
    if cohorts is None or cohorts.empty:
        return section("parity", words)
    head: list[object] = [words(f"report.parity_{name}") for name in ("cohort", "people", "ratio")]
    rows: list[list[object]] = [
        [
            words.catalogue.label(str(row["column"]), str(row[COHORT]), words.lang),
            count(row["people"]),
            decimal(row["ratio"], 2),
        ]
        for row in cohorts.to_dict("records")
    ]
    return section("parity", words, table(head, rows, caption=words("report.parity")))
