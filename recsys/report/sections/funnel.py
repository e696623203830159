"""How the constraints, one after the other, leave the candidates that remain."""

import pandas as pd

from recsys.report.html import Html, element
from recsys.report.night import NightSummary
from recsys.report.numbers import count, per_person, share
from recsys.report.sections.section import section
from recsys.report.words import Words


def funnel(night: NightSummary, words: Words) -> Html:
    """Return one row a constraint, as means per person."""
    steps, viewers = night.funnel, night.funnel_viewers
    if steps is None or steps.empty or viewers <= 0:
        return section("funnel", words)
    everybody = float(steps["left"].iloc[0] + steps["removed_in_order"].iloc[0])
    rows = [_row(words("funnel.everybody"), everybody / viewers, 1.0, words)]
    rows += [_step(step, everybody, viewers, words) for _, step in steps.iterrows()]
    heads = ("constraint", "left", "removed_in_order", "removed_alone")
    top = [
        element("th", words(f"funnel.{name}"), scope="col", class_="n" if at else None)
        for at, name in enumerate(heads)
    ]
    left = float(steps["left"].iloc[-1])
    summary = words(
        "funnel.summary", everybody=per_person(everybody / viewers), left=per_person(left / viewers)
    )
    inner = element(
        "table",
        element("caption", summary),
        element("thead", element("tr", *top)),
        element("tbody", *rows),
        class_="funnel",
    )
    lead = element("p", words("report.funnel_text", viewers=count(viewers)), class_="lead")
    return section(
        "funnel",
        words,
        lead,
        element(
            "div", inner, class_="scroll", tabindex="0", role="region", aria_label=words("report.funnel")
        ),
    )


def _step(step: pd.Series, everybody: float, viewers: int, words: Words) -> Html:
    left = float(step["left"])
    return _row(
        words.named("funnel", str(step["constraint"])),
        left / viewers,
        left / everybody if everybody else 0.0,
        words,
        per_person(float(step["removed_in_order"]) / viewers),
        per_person(float(step["removed_alone"]) / viewers),
    )


def _row(name: str, left: float, part: float, words: Words, *removed: str) -> Html:
    bar = element(
        "span",
        element("span", style=f"width:{100 * part:.2f}%"),
        class_="track",
        role="img",
        aria_label=words("report.funnel_left_alt", share=share(part)),
    )
    cells = [element("td", text, class_="n") for text in (*removed, *[""] * (2 - len(removed)))]
    return element(
        "tr", element("th", name, bar, scope="row"), element("td", per_person(left), class_="n left"), *cells
    )
