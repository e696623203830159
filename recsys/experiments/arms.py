"""Lists of several arms, joined into the lists of one night: one publication serves them all."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.arguments import checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.config import ExperimentSettings
from recsys.errors import InputError, explained
from recsys.experiments.assignment import ARM, ARM_AS_CANDIDATE, arm_of_night, served


@checked_arguments
def arm_of_pairs(
    experiment: ExperimentSettings,
    assignment: pd.DataFrame,
    viewer: npt.ArrayLike | pd.Series,
    candidate: npt.ArrayLike | pd.Series,
    night: int,
) -> pd.Series:
    """Return the arm whose lists decide about each pair of a night, the first one where nothing was drawn.

    The viewer's arm; on both sides the second arm where viewer and candidate are in it; the night's arm
    where nights are drawn.
    """
    seen = pd.Series(np.asarray(viewer, object))
    if experiment.unit == "night":
        drawn = pd.Series(arm_of_night(experiment, night), index=seen.index, dtype="str")
        return served(experiment, drawn, night)
    by_person = assignment.set_index(C.USER)
    arm = seen.map(by_person[ARM]).astype("str")
    if experiment.unit == "both_sides":
        other = pd.Series(np.asarray(candidate, object)).map(by_person[ARM_AS_CANDIDATE]).astype("str")
        arm = arm.where(arm == other, experiment.control)
    running = 0 <= night < experiment.nights
    return served(experiment, arm if running else arm.mask(arm.notna()), night)


@checked_arguments
def joined_lists(
    experiment: ExperimentSettings,
    assignment: pd.DataFrame,
    lists: Mapping[str, pd.DataFrame],
    *,
    night: int,
    k: int,
) -> pd.DataFrame:
    """Return one table of lists out of those of every arm, each pair as the arm that decides about it has it.

    lists: by arm, viewer_id, candidate_id, rank and what else they carry, for everybody. night: from 0.
    A list keeps the order of its arm; on both sides the places of two arms are merged, the first arm's first
    where two claim one place, and what is over `k` is left off. Column `arm` is added: the arm of the viewer
    (of the pair on both sides), in which an impression of this row counts. Where some arms have a propensity
    and others do not, that of the others is 1.

    Raises InputError when an arm has no lists.

    >>> experiment = ExperimentSettings(name="nash", unit="person", starts="2026-03-02", nights=28,
    ...     arms={"a": {"share": 0.5}, "b": {"share": 0.5}})
    >>> people = pd.DataFrame({"user_id": ["u", "v"], "unit": ["u", "v"], "arm": ["a", "b"]})
    >>> one = pd.DataFrame({"viewer_id": ["u", "v"], "candidate_id": ["x", "x"], "rank": [1, 1]})
    >>> two = one.assign(candidate_id="y")
    >>> joined_lists(experiment, people, {"a": one, "b": two}, night=0, k=1).values.tolist()
    [['u', 'x', 1, 'a'], ['v', 'y', 1, 'b']]
    """
    parts = []
    for number, arm in enumerate(experiment.arms):
        if arm not in lists:
            raise InputError(explained("an arm has no lists", got=arm))
        table = lists[arm].reset_index(drop=True)
        decides = arm_of_pairs(experiment, assignment, table[C.VIEWER], table[C.CANDIDATE], night)
        parts.append(table[(decides == arm).to_numpy(bool)].assign(arm=arm, number=number))
    joined = pd.concat(parts, ignore_index=True)
    if C.PROPENSITY in joined:
        joined[C.PROPENSITY] = joined[C.PROPENSITY].fillna(1.0)
    joined = joined.sort_values([C.VIEWER, C.RANK, "number"], kind="stable", ignore_index=True)
    rank = joined.groupby(C.VIEWER, sort=False).cumcount() + 1
    joined[C.RANK] = rank.astype(joined[C.RANK].dtype)
    return joined[rank <= k].drop(columns="number").reset_index(drop=True)
