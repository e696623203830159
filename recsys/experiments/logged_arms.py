"""The arms in the log beside those of the settings: what was not played is not read.

Each impression carries the experiment, a mark of its design and the arm its list was made for. With another
name, other shares, another unit or another first night the hash gives other arms than those that were served,
and an effect read by them is one of nothing. Where another design gives the same arms, as people read as both
sides, the mark says so; a log of before there were marks has none and is judged by its arms alone.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pandas as pd

from recsys.arguments import checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.config import ExperimentSettings
from recsys.errors import InputError, explained
from recsys.experiments.assignment import ARM, NIGHT, design_mark, night_blocks, served
from recsys.experiments.outcomes import LOGGED, Outcomes

_MOST: Final = 0.03
"""Share of impressions that may carry another arm: lists of the evening before are seen after midnight."""
_MOST_BY_NIGHT: Final = 0.3
"""The same where nights are the units: until its lists come, those of the night before are seen."""
_MOST_UNEVEN: Final = 0.1
"""By how much the shares of impressions that carry none may differ between arms."""


@dataclass(frozen=True)
class LoggedArms:
    """How many impressions carry what the settings say, of those that carry an experiment or should.

    shown: how many there are; other: of another experiment; design: of another design of it; moved: of
    another arm than the settings give; outside: on nights on which by the settings everybody has the first
    arm's lists; bare: carry none on nights of the experiment on which no impression does, or in an arm in
    which far more carry none than in another (pages of today carry none, alike in every arm). example: what
    impressions of another experiment carry. played: the mark of those of another design.
    """

    shown: int
    other: int
    design: int
    moved: int
    outside: int
    bare: int
    example: str
    played: str
    by_night: bool

    @classmethod
    @checked_arguments
    def of(cls, experiment: ExperimentSettings, assignment: pd.DataFrame, found: Outcomes) -> Self:
        """Compare impressions with the settings; none counts where no impression carries an experiment.

        A past that is read as if it had been an experiment, and a log of other services, carry none.
        """
        shown = found.exposures
        logged = shown[LOGGED] if LOGGED in shown else pd.Series(None, index=shown.index, dtype="str")
        named, night = logged.notna(), shown[NIGHT]
        during = (night >= 0) & (night < experiment.nights)
        nothing = cls(0, 0, 0, 0, 0, 0, "", "", experiment.unit == "night")
        if not named.any():
            return nothing
        of, _, arm = (column for _, column in logged.fillna("").str.partition(":").items())
        name, _, mark = (column for _, column in of.str.partition(".").items())
        other = named & during & (name != experiment.name)
        if not (named & (during | (name == experiment.name))).any():
            return nothing
        expected = _expected(experiment, assignment, shown.assign(during=during))
        design = (name == experiment.name) & (mark != "") & (mark != design_mark(experiment))
        moved = named & during & ~other & ~design & expected.notna() & (arm != expected)
        own = named & (name == experiment.name) & ~design
        outside = own & ((night < 0) | (night > experiment.nights))
        bare = ~named & during & ~night.isin(night[named])
        if experiment.unit != "night":
            bare |= _of_one_arm(~named & during, expected, shown[C.VIEWER])
        counted = (named & during) | design | outside | bare
        return cls(
            shown=int(counted.sum()),
            other=int(other.sum()),
            design=int(design.sum()),
            moved=int(moved.sum()),
            outside=int(outside.sum()),
            bare=int(bare.sum()),
            example=_most_frequent(logged[other]),
            played=_most_frequent(mark[design]),
            by_night=experiment.unit == "night",
        )

    @property
    def wrong(self) -> int:
        """How many impressions say that something else was played."""
        return self.other + self.design + self.moved + self.outside + self.bare

    @property
    def agree(self) -> bool:
        """Whether the experiment of the settings is the one that was played."""
        most = _MOST_BY_NIGHT if self.by_night else _MOST
        return self.wrong <= most * self.shown and self.design <= _MOST * self.shown


def _of_one_arm(bare: pd.Series, expected: pd.Series, viewer: pd.Series) -> pd.Series:
    """Return which of the impressions that carry nothing are of arms in which far more do than in another.

    Far more: by more than a tenth and four standard errors of a share of the arm's viewers.
    """
    placed = expected.notna()
    by_arm = expected[placed]
    share, viewers = bare[placed].groupby(by_arm).mean(), viewer[placed].groupby(by_arm).nunique()
    most = share.min() + _MOST_UNEVEN + 4.0 * np.sqrt(0.25 / viewers)
    return bare & expected.isin(share.index[share > most])


def _most_frequent(values: pd.Series) -> str:
    return str(values.mode().iloc[0]) if len(values) else ""


def _expected(experiment: ExperimentSettings, assignment: pd.DataFrame, shown: pd.DataFrame) -> pd.Series:
    """Return the arm each impression should carry by the settings, missing where it should carry none."""
    if experiment.unit == "night":
        by_night = dict(enumerate(night_blocks(experiment)[1]))
        arm = shown[NIGHT].map(by_night)
    else:
        arm = shown[C.VIEWER].map(assignment.set_index(C.USER)[ARM])
    arm = arm.where(shown["during"]).astype("str")
    for night, rows in shown.groupby(NIGHT).groups.items():
        drawn = arm.loc[rows]
        arm.loc[rows] = served(experiment, drawn, int(str(night))).where(drawn.notna())
    return arm


def refuse_other_arms(experiment: ExperimentSettings, assignment: pd.DataFrame, found: Outcomes) -> None:
    """Raise InputError when impressions carry another experiment, other arms or other nights."""
    logged = LoggedArms.of(experiment, assignment, found)
    if logged.agree:
        return
    design = _design_said(logged.played, experiment)
    parts = {
        f"{logged.other:,} carry another experiment ({logged.example})": logged.other,
        f"{logged.design:,} carry another design of it ({design})": logged.design,
        f"{logged.moved:,} carry another arm of it than the settings give": logged.moved,
        f"{logged.outside:,} carry it on nights that are none of it": logged.outside,
        f"{logged.bare:,} carry no arm": logged.bare,
    }
    said = "; ".join(text for text, count in parts.items() if count)
    what = (
        f"the impressions were not made by the experiment '{experiment.name}' of the settings: "
        f"of {logged.shown:,} {said}, by the model_version of the events"
    )
    remedy = "put name, unit, arms, their order and shares, starts, hour and nights back to what was played"
    raise InputError(explained(what, remedy=remedy))


def _design_said(played: str, experiment: ExperimentSettings) -> str:
    """Return in what the design that was played differs from that of the settings, as far as a mark says."""
    unit = played.rpartition("-")[0]
    if unit != experiment.unit:
        return f"unit {unit}, the settings say {experiment.unit}"
    return "the same unit; another order of the arms, their shares or lists, another first night or hour"
