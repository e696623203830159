"""The reading of an experiment: every arm beside the first, with honest intervals and the naive one."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.arguments import checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.config import ExperimentSettings
from recsys.errors import InputError, explained
from recsys.experiments.assignment import (
    ARM,
    ARM_AS_CANDIDATE,
    NIGHT,
    UNIT,
    check_assignment,
    night_blocks,
)
from recsys.experiments.estimates import Estimate, compare_pairs, compare_units
from recsys.experiments.guard_rails import guard_rails
from recsys.experiments.logged_arms import refuse_other_arms
from recsys.experiments.outcomes import Outcomes, exposure_table, person_totals
from recsys.experiments.sample_ratio import sample_ratio
from recsys.experiments.sequential import always_valid_interval
from recsys.types import BoolArray

NAIVE: Final = "naive"
"""People of two arms compared by the matches they stand in, as if nobody shared anybody's attention."""
_FEWEST_TO_ADJUST: Final = 8
"""Neighbourhoods from which on the weeks before are taken out: a slope of fewer is chance."""
FEWEST_UNITS: Final = 10
"""Units of two arms from which on there is an interval."""
_WIDEST: Final = 10.0
_DECISIVE: Final = {
    "person": "begun",
    "neighbourhood": "neighbourhoods",
    "both_sides": "total",
    "night": "nights",
}
_COLUMNS: Final = [
    *(ARM, "estimator", "control", "mean", "effect", "error", "lo", "hi", "always_lo", "always_hi"),
    *("relative", "units", "decisive"),
]


@dataclass(frozen=True, eq=False)
class ExperimentResult:
    """What an experiment has come to.

    effects: a row for each arm but the first and each estimator: arm, estimator, control, mean, effect,
             error, lo, hi (one look), always_lo, always_hi (any number of looks), relative, units, decisive.
             Intervals of fewer than ten units are missing, and so are those of any number of looks while they
             are wider than ten times the level.
    guard_rails: a row for each arm and guard-rail: arm, guard_rail, value, control, ratio, evidence, stop.
    exposures: see `recsys.experiments.outcomes.exposure_table`; empty where nights are the units.
    sample_ratio: see `recsys.experiments.sample_ratio`; empty in a log without impressions.
    nights:  numbers of the nights of which effects are read; none, and `effects` is empty, as long as likes
             still wait for their answers. Guard-rails and exposures count up to the last event all the same.
    """

    experiment: ExperimentSettings
    effects: pd.DataFrame
    guard_rails: pd.DataFrame
    exposures: pd.DataFrame
    nights: tuple[int, ...] = field(default=())
    sample_ratio: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def to_end(self) -> list[str]:
        """Arms that a guard-rail ends and that are not ended yet."""
        if not len(self.guard_rails):
            return []
        return sorted(set(self.guard_rails.loc[self.guard_rails["stop"], ARM]) - set(self.experiment.ended))

    def nights_of(self, arm: str) -> int:
        """Return over how many nights an arm was read."""
        return sum(night < self.experiment.nights_of(arm) for night in self.nights)

    def decisive(self, arm: str) -> pd.Series:
        """Return the row of the estimator that the experiment was designed for.

        Raises InputError while no night is complete.
        """
        if not len(self.effects):
            raise _nothing_complete(self.experiment)
        rows = self.effects[(self.effects[ARM] == arm) & self.effects["decisive"]]
        return rows.iloc[0]


@checked_arguments
def analyse(
    experiment: ExperimentSettings,
    assignment: pd.DataFrame,
    found: Outcomes,
    *,
    level: float = 0.95,
    most_harm: float = 1.0,
) -> ExperimentResult:
    """Read an experiment from its outcomes: those before night 0 reduce the variance, the rest is compared.

    assignment: of `assign`, everybody who takes part. found: of `outcomes`, from as many weeks before the
    experiment as there are. most_harm: how many times as many people an arm may harm as the first one.

    Estimators: "naive" compares people; "begun" compares what the lists of people began, counted for both of
    a match; "neighbourhoods" compares these as wholes; "total", "direct", "by_viewer", "by_candidate" and
    "plain" are those of an experiment on both sides; "nights" compares blocks of nights. "adjusted" in a
    name: with the weeks before taken out. The decisive one is that of the design; the others are there to be
    looked at beside it. An ended arm is compared over the nights before its end, and the first arm with it.

    Guard-rails are read up to the last event, also while no night is complete and there are no effects.

    Raises InputError before the first night, when nobody takes part, for an assignment of another unit or of
    other arms, and when the impressions say that another design or other arms were played than the settings
    name.
    """
    if found.until <= 0.0:
        raise _nothing_complete(experiment)
    check_assignment(experiment, assignment)
    refuse_other_arms(experiment, assignment, found)
    nights = found.nights[(found.nights >= 0) & (found.nights < experiment.nights)]
    during = found.between(0, int(nights.max(initial=-1)) + 1)
    before = found.between(int(found.nights.min(initial=0)), 0)
    rows: list[dict[str, object]] = []
    for arm in experiment.others if len(nights) else ():
        part = during.between(0, experiment.nights_of(arm))
        read = _Reading(experiment, assignment, part, before, level)
        rows += read.of_nights(arm) if experiment.unit == "night" else read.of_people(arm)
    return ExperimentResult(
        experiment,
        pd.DataFrame(rows, columns=_COLUMNS),
        guard_rails(experiment, assignment, found, most=most_harm),
        exposure_table(_while_served(experiment, assignment, found.between(0, experiment.nights)), assignment)
        if experiment.unit != "night"
        else pd.DataFrame(),
        tuple(nights.tolist()),
        sample_ratio(experiment, assignment, found),
    )


def _nothing_complete(experiment: ExperimentSettings) -> InputError:
    first = experiment.starts + timedelta(days=experiment.mature_nights + 1)
    remedy = f"read it from {first} on: likes have {experiment.mature_nights} nights to be answered"
    return InputError(explained("no night of the experiment is complete", remedy=remedy))


def _while_served(experiment: ExperimentSettings, assignment: pd.DataFrame, during: Outcomes) -> Outcomes:
    """Return outcomes without the impressions of people whose arm had ended."""
    arm = during.exposures[C.VIEWER].map(assignment.set_index(C.USER)[ARM])
    nights = arm.map(experiment.nights_of, na_action="ignore").astype("float64")  # an empty one has texts
    ended = during.exposures[NIGHT] >= nights
    return replace(during, exposures=during.exposures[~ended].reset_index(drop=True))


class _Reading:
    """One look at one arm of an experiment."""

    def __init__(
        self,
        experiment: ExperimentSettings,
        assignment: pd.DataFrame,
        during: Outcomes,
        before: Outcomes,
        level: float,
    ) -> None:
        self.experiment, self.level = experiment, level
        self.people = assignment.dropna(subset=[ARM]) if experiment.unit != "night" else assignment
        self.during, self.before = during, before
        self._sums = {
            name: person_totals(found, self.people[C.USER]).set_index(self.people.index)
            for name, found in (("during", during), ("before", before))
        }

    def of_people(self, arm: str) -> list[dict[str, object]]:
        """Return the rows of an arm where units are people or neighbourhoods."""
        pair = self.people[self.people[ARM].isin([arm, self.experiment.control])]
        treated = (pair[ARM] == arm).to_numpy(bool)
        person = np.arange(len(pair))
        estimates = {
            NAIVE: self._compared(pair, person, treated, "matches"),
            "begun": self._compared(pair, person, treated, "begun"),
        }
        if len(self.before.nights):
            estimates["begun, adjusted"] = self._compared(pair, person, treated, "begun", adjusted=True)
        if self.experiment.unit == "neighbourhood":
            unit, names = pd.factorize(pair[UNIT], sort=True)
            of_unit = np.bincount(unit, treated, len(names)) > 0
            estimates["neighbourhoods"] = self._compared(pair, unit, of_unit, "matches")
            if len(self.before.nights) and len(names) >= _FEWEST_TO_ADJUST:
                estimates["neighbourhoods, adjusted"] = self._compared(
                    pair, unit, of_unit, "matches", adjusted=True
                )
        if self.experiment.unit == "both_sides":
            estimates |= self._both_sides(pair.reset_index(drop=True), arm)
        return self._rows(arm, estimates)

    def _compared(
        self,
        pair: pd.DataFrame,
        unit: npt.NDArray[np.integer],
        treated: BoolArray,
        column: str,
        *,
        adjusted: bool = False,
    ) -> Estimate:
        """Compare units, of which each person of `pair` is in one, by the sums of a column."""
        people = np.bincount(unit, minlength=len(treated)).astype(np.float64)
        during, before = (
            np.bincount(unit, self._sums[when].loc[pair.index, column].to_numpy(), len(treated))
            for when in ("during", "before")
        )
        earlier = before / np.maximum(people * len(self.before.nights), 1.0) if adjusted else None
        return compare_units(during, people * len(self.during.nights), treated, earlier)

    def _both_sides(self, pair: pd.DataFrame, arm: str) -> dict[str, Estimate]:
        row = pd.Series(np.arange(len(pair)), index=pair[C.USER])
        known = self.during.matches
        known = known[known[C.VIEWER].isin(row.index) & known[C.CANDIDATE].isin(row.index)]
        viewer, candidate = (row.loc[known[c]].to_numpy(np.int64) for c in (C.VIEWER, C.CANDIDATE))
        sides = ((pair[c] == arm).to_numpy(bool) for c in (ARM, ARM_AS_CANDIDATE))
        first, second = sides
        found = compare_pairs(
            viewer, candidate, np.ones(len(known)), (first, second), len(self.during.nights)
        )
        names = ("total", "direct", "by_viewer", "by_candidate", "plain")
        return {name: getattr(found, name) for name in names}

    def of_nights(self, name: str) -> list[dict[str, object]]:
        """Return the row of an arm where units are blocks of nights."""
        block, arm, counts = night_blocks(self.experiment)
        complete = counts & np.isin(np.arange(len(block)), self.during.nights)
        matches = self.during.matches
        among = matches[C.VIEWER].isin(self.people[C.USER]) & matches[C.CANDIDATE].isin(self.people[C.USER])
        a_night = np.bincount(matches.loc[among, NIGHT].to_numpy(np.int64), minlength=len(block)) * 2.0
        value = np.bincount(block, np.where(complete, a_night, 0.0))
        size = np.bincount(block, complete) * float(len(self.people))
        of_block = arm[np.searchsorted(block, np.arange(block[-1] + 1))]
        chosen = (size > 0) & np.isin(of_block, [name, self.experiment.control])
        found = compare_units(value[chosen], size[chosen], (of_block == name)[chosen])
        return self._rows(name, {"nights": replace(found, units=int(chosen.sum()))})

    def _rows(self, arm: str, estimates: dict[str, Estimate]) -> list[dict[str, object]]:
        wanted = _DECISIVE[self.experiment.unit]
        decisive = f"{wanted}, adjusted" if f"{wanted}, adjusted" in estimates else wanted
        return [
            {ARM: arm, **self._row(name, found), "decisive": name == decisive}
            for name, found in estimates.items()
        ]

    def _row(self, name: str, found: Estimate) -> dict[str, object]:
        lo, hi = found.interval(self.level)
        scale = self.experiment.effect * found.control
        always = always_valid_interval(found, scale=max(scale, 1e-12), level=self.level)
        if found.units < FEWEST_UNITS:
            lo = hi = float("nan")
        wide = always[1] - found.effect > _WIDEST * found.control
        if wide or found.units < FEWEST_UNITS:
            always = (float("nan"), float("nan"))
        return {
            "estimator": name,
            "control": found.control,
            "mean": found.arm,
            "effect": found.effect,
            "error": found.error,
            "lo": lo,
            "hi": hi,
            "always_lo": always[0],
            "always_hi": always[1],
            "relative": found.effect / found.control if found.control else float("nan"),
            "units": found.units,
        }
