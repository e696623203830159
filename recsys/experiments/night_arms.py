"""The arms of one night: whose lists decide about which pair, and the arm that goes with a viewer's page."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.config import ExperimentSettings
from recsys.errors import SettingsError, explained, need_columns
from recsys.experiments.arms import arm_of_pairs
from recsys.experiments.assignment import (
    ARM,
    NEIGHBOURHOOD,
    arm_of_night,
    assign,
    design_mark,
    night_number,
    served,
)
from recsys.ranking.ranked_pairs import RankedPairs
from recsys.redaction import library_reason
from recsys.types import Int8Array, ObjectArray


@dataclass(frozen=True, eq=False)
class NightArms:
    """The arms of everybody on one night.

    ids: `(n_people,)` ascending. night: from 0; before and after the experiment all have the first arm.
    """

    experiment: ExperimentSettings
    ids: ObjectArray
    assignment: pd.DataFrame
    night: int

    @classmethod
    def of(cls, experiment: ExperimentSettings, ids: ObjectArray, as_of: pd.Timestamp) -> Self:
        """Assign everybody of a night; before the first night nobody is in a neighbourhood yet.

        Raises SettingsError when the neighbourhoods it needs cannot be read.
        """
        night, groups = night_number(experiment, as_of), None
        experiment.need_neighbourhoods(as_of.tz_convert("UTC").date())
        if experiment.unit == "neighbourhood":
            known = experiment.neighbourhoods and Path(experiment.neighbourhoods).exists()
            groups = (
                read_neighbourhoods(experiment) if known else pd.DataFrame(columns=[C.USER, NEIGHBOURHOOD])
            )
        return cls(experiment, ids, assign(experiment, ids, groups), night)

    @property
    def running(self) -> bool:
        """Whether the night is one of the experiment."""
        return 0 <= self.night < self.experiment.nights

    def of_pairs(self, viewer: npt.NDArray[np.integer], candidate: npt.NDArray[np.integer]) -> ObjectArray:
        """Return the arm whose lists decide about each pair of rows, `(n_pairs,)`."""
        arm = arm_of_pairs(
            self.experiment, self.assignment, self.ids[viewer], self.ids[candidate], self.night
        )
        return arm.to_numpy(object)

    def names(self) -> tuple[str, ...]:
        """Return what a receipt and an impression carry for each arm: the experiment, its design, the arm."""
        mark = design_mark(self.experiment)
        return tuple(f"{self.experiment.name}.{mark}:{arm}" for arm in self.experiment.arms)

    def codes(self) -> Int8Array:
        """Return the arm of each viewer as a position in `names`, -1 for who is in none, `(n_people,)`.

        Who is in an ended arm has the first one, whose lists they get.
        """
        if not self.running:
            return np.full(len(self.ids), -1, np.int8)
        position = {arm: code for code, arm in enumerate(self.experiment.arms)}
        if self.experiment.unit == "night":
            drawn = pd.Series([arm_of_night(self.experiment, self.night)])
            return np.full(len(self.ids), position[served(self.experiment, drawn, self.night)[0]], np.int8)
        drawn = self.assignment[ARM]
        codes = served(self.experiment, drawn, self.night).where(drawn.notna()).map(position)
        return np.asarray(codes.fillna(-1), np.int8)


def joined_pairs(arms: NightArms, lists: Mapping[str, RankedPairs], k: int) -> RankedPairs:
    """Return one set of lists out of those of every arm, as `recsys.experiments.joined_lists` joins tables.

    lists: by arm, for everybody, rows of `arms.ids`.
    """
    parts = []
    for number, arm in enumerate(arms.experiment.arms):
        pairs = lists[arm]
        kept = arms.of_pairs(pairs.viewer, pairs.candidate) == arm
        parts.append((pairs.filtered(kept), pairs.rank()[kept], np.full(int(kept.sum()), number)))
    rank, order = (np.concatenate([part[at] for part in parts]) for at in (1, 2))
    joined = RankedPairs.joined(part[0] for part in parts)
    chance = [
        np.ones(len(one), np.float32) if one.propensity is None else one.propensity for one, _, _ in parts
    ]
    joined = replace(joined, propensity=np.concatenate(chance))
    joined = joined.filtered(np.lexsort((order, rank, joined.viewer)))
    return joined.filtered(joined.rank() <= k)


def read_neighbourhoods(experiment: ExperimentSettings) -> pd.DataFrame:
    """Return the table that `recsys experiment assign` wrote: user_id, neighbourhood.

    Raises SettingsError when none is named or it cannot be read.
    """
    remedy = "make the file with recsys experiment assign, and name it under experiment.neighbourhoods"
    if experiment.neighbourhoods is None:
        raise SettingsError(explained("the experiment needs neighbourhoods", remedy=remedy))
    try:
        table = pd.read_parquet(Path(experiment.neighbourhoods))
    except (OSError, ValueError) as error:
        what, where = "no neighbourhoods", experiment.neighbourhoods
        raise SettingsError(explained(what, where=where, got=library_reason(error), remedy=remedy)) from None
    need_columns([C.USER, NEIGHBOURHOOD], table.columns, where=experiment.neighbourhoods)
    return table
