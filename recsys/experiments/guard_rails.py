"""Guard-rails: what ends an arm whatever it brings, at any number of looks.

Reports, blocks and impressions need no time to be answered: they count up to the last event, from the first
night on, however long matches are waited for.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd

from recsys.arguments import checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.config import ExperimentSettings
from recsys.experiments.assignment import ARM, NIGHT, night_blocks
from recsys.experiments.estimates import NOTHING, compare_units
from recsys.experiments.outcomes import Outcomes
from recsys.experiments.sequential import HarmTest, always_valid_interval, harm_test

ALPHA_OF_HARM: Final = 0.05
"""How likely an arm that harms nobody more than the first one is ended by one guard-rail."""


@checked_arguments
def guard_rails(
    experiment: ExperimentSettings, assignment: pd.DataFrame, found: Outcomes, *, most: float = 1.0
) -> pd.DataFrame:
    """Return a row for each arm and guard-rail: people who report, people who block, and attention.

    most: how many times as many people an arm may harm as the first one. Columns: arm, guard_rail, value,
    control, ratio, evidence, stop. People are counted and not their reports, so that one angry person, or
    somebody who is after another, does not end an arm. Of an ended arm the nights before its end are read.
    Everything up to `found.until` counts; where nights are the units, the nights that are over by then.
    """
    arm_of = _arm_of_events(experiment, assignment)
    rows: list[dict[str, object]] = []
    for name in experiment.others:
        part = found.between(0, experiment.nights_of(name))
        if experiment.unit == "night":  # a night of which a part is over would count as a whole one
            part = part.between(0, max(int(part.until), 0))
        size = {
            one: _person_nights(experiment, assignment, one, part.until) for one in (name, experiment.control)
        }
        share = size[name] / max(sum(size.values()), 1e-12)
        for kind in ("report", "block") if 0.0 < share < 1.0 else ():
            harmed = part.harms[part.harms[C.TYPE] == kind]
            by_arm = harmed.assign(**{ARM: arm_of(harmed)}).groupby(ARM)[C.USER].nunique()
            counts = int(by_arm.get(name, 0)), int(by_arm.get(experiment.control, 0))
            rows.append(_harm_row(name, kind, harm_test(*counts, share, most=most)))
        rows += _attention(experiment, name, part, arm_of)
    return pd.DataFrame(rows)


def _harm_row(arm: str, kind: str, found: HarmTest) -> dict[str, object]:
    return {
        ARM: arm,
        "guard_rail": f"people who {kind}",
        "value": float(found.arm),
        "control": float(found.control),
        "ratio": found.ratio,
        "evidence": found.evidence,
        "stop": found.stops(ALPHA_OF_HARM),
    }


_MOST_ATTENTION: Final = 1.25


def _attention(
    experiment: ExperimentSettings,
    name: str,
    during: Outcomes,
    arm_of: Callable[[pd.DataFrame], pd.Series],
) -> list[dict[str, object]]:
    """Return the share of an arm's viewers' impressions that go to the most shown twentieth of all shown.

    The twentieth is counted over all arms and impressions since night 0, rounded down, one person at
    least; of people shown equally often the first by id are in it.
    An arm ends when that share is a quarter above the first arm's, surely: few people would be flooded.
    """
    shown = during.exposures
    if not len(shown):
        return []
    counts = shown[C.CANDIDATE].value_counts().sort_index().sort_values(ascending=False, kind="stable")
    most = set(counts.index[: max(len(counts) // 20, 1)])
    by_viewer = (
        shown.assign(
            **{ARM: arm_of(shown.rename(columns={C.VIEWER: C.USER})), "most": shown[C.CANDIDATE].isin(most)}
        )
        .dropna(subset=[ARM])
        .groupby([ARM, C.VIEWER])["most"]
        .agg(["sum", "size"])
        .reset_index()
    )
    part = by_viewer[by_viewer[ARM].isin([name, experiment.control])]
    value, size = (part[c].to_numpy(np.float64) for c in ("sum", "size"))
    treated = (part[ARM] == name).to_numpy(bool)
    found = compare_units(value, size, treated) if len(part) else NOTHING
    low = always_valid_interval(found, scale=max(0.25 * found.control, 1e-12))[0]
    over = bool(np.isfinite(low) and found.control + low > _MOST_ATTENTION * found.control)
    return [
        {
            ARM: name,
            "guard_rail": "attention",
            "value": found.arm,
            "control": found.control,
            "ratio": found.arm / found.control if found.control else float("nan"),
            "evidence": float("nan"),
            "stop": over,
        }
    ]


def _arm_of_events(
    experiment: ExperimentSettings, assignment: pd.DataFrame
) -> Callable[[pd.DataFrame], pd.Series]:
    """Return what gives the arm of the user of each row, or of its night."""
    if experiment.unit == "night":
        arm = night_blocks(experiment)[1]
        return lambda table: pd.Series(arm[table[NIGHT].to_numpy(np.int64)], index=table.index)
    by_person = assignment.set_index(C.USER)[ARM]
    return lambda table: table[C.USER].map(by_person)


def _person_nights(
    experiment: ExperimentSettings, assignment: pd.DataFrame, arm: str, nights: float
) -> float:
    if experiment.unit == "night":
        return float((night_blocks(experiment)[1][: max(int(nights), 0)] == arm).sum() * len(assignment))
    return float((assignment[ARM] == arm).sum()) * max(nights, 0.0)
