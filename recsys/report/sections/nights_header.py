"""What was played, and from which probabilities."""

from recsys.report.html import Html, element
from recsys.report.numbers import count, decimal
from recsys.report.words import Words
from recsys.simulation.policy_summary import NightsSummary


def nights_header(summary: NightsSummary, words: Words) -> Html:
    """Return the head of the page about many nights."""
    facts = [
        element("div", element("dt", name), element("dd", value)) for name, value in facts_of(summary, words)
    ]
    return element(
        "header",
        element("h1", words("report.nights_title")),
        element("p", words("report.nights_lead"), class_="lead"),
        element("dl", *facts, class_="facts"),
    )


def facts_of(summary: NightsSummary, words: Words) -> list[tuple[str, str]]:
    """Return name and value of what a reader has to know before any figure."""
    about = summary.about
    if about["scores"] == "oracle":
        source = words("report.nights_oracle", noise=decimal(about["noise"], 1))
    else:
        source = words("report.nights_learned", name=words.named("model", str(about["scores"])))
    return [
        (words("report.nights_count"), count(about["nights"])),
        (words("report.nights_towns"), count(about["n_towns"])),
        (words("report.nights_members"), count(about["n_members"])),
        (words("report.nights_probabilities"), source),
        (words("report.nights_interval"), words(f"report.nights_interval_{about['interval']}")),
        (words("report.nights_forbidden"), count(about["forbidden"])),
    ]
