"""Assignment: who is in which arm, by a keyed hash that any machine can repeat without a table.

A person's arm depends on the name of the experiment and their id alone, so that somebody who joins later
has one too and two experiments are independent. Neighbourhoods and blocks of nights are few: they are
dealt in the order of their hashes, so that the shares come out as asked.
"""

import json
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.arguments import checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.config import ExperimentSettings
from recsys.data.ids import as_ids, hashed_strings
from recsys.errors import InputError, SettingsError, explained, need_columns
from recsys.types import Float64Array, Int64Array, ObjectArray

UNIT: Final = "unit"
"""Column of an assignment: what was drawn, a person, a neighbourhood, or nothing where nights are."""
ARM: Final = "arm"
ARM_AS_CANDIDATE: Final = "arm_as_candidate"
NEIGHBOURHOOD: Final = "neighbourhood"
NIGHT: Final = "night"


def design_mark(experiment: ExperimentSettings) -> str:
    """Return what of a design decides who gets which lists on which night: its unit and a short hash.

    Receipts and impressions carry it, so that an experiment of one design is not read as one of another. The
    hash is of unit, arms in their order, their shares and how they make lists, first night and hour, and of
    nights also of `block_nights`.

    >>> arms = {"today": {"share": 0.5}, "nash": {"share": 0.5}}
    >>> one = ExperimentSettings(name="nash", unit="person", starts="2026-03-02", nights=28, arms=arms)
    >>> design_mark(one), design_mark(one.changed(unit="both_sides", hour=18))
    ('person-0fcc0e', 'both_sides-0b0ed6')
    """
    parts: list[str] = [experiment.unit]
    for arm, share in experiment.arms_by_share.items():
        made = experiment.arms[arm]
        parts.append(f"{arm} {share!r} {made.order} {json.dumps(made.allocate, sort_keys=True)}")
    parts.append(experiment.first_night.isoformat())
    if experiment.unit == "night":
        parts.append(str(experiment.block_nights))
    return f"{experiment.unit}-{blake2b(chr(10).join(parts).encode(), digest_size=3).hexdigest()}"


def keyed_uniform(
    values: npt.ArrayLike | Sequence[Any], experiment: str, role: str = "viewer"
) -> Float64Array:
    """Return a number in [0, 1) for each value, fixed by the experiment and the role.

    >>> a, b = keyed_uniform(["u1", "u1"], "nash")
    >>> bool(a == b), bool(a == keyed_uniform(["u1"], "other")[0])
    (True, False)
    """
    salt = blake2b(f"{experiment}\n{role}".encode(), digest_size=8).hexdigest()
    bits = hashed_strings([str(value) for value in np.asarray(values, object)], salt=salt)
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


@checked_arguments
def assign(
    experiment: ExperimentSettings,
    people: npt.ArrayLike | pd.Series | Sequence[Any],
    neighbourhoods: pd.DataFrame | pd.Series | None = None,
) -> pd.DataFrame:
    """Return the arm of everybody: user_id, unit, arm, and arm_as_candidate on both sides.

    people: ids. neighbourhoods: user_id and neighbourhood, or the second by the first; who has none is not in
    the experiment and has no arm (missing). With nights as units nobody has an arm: see `arm_of_night`.

    Raises InputError for an id that stands twice, SettingsError without the neighbourhoods they need.

    >>> experiment = ExperimentSettings(name="nash", unit="person", starts="2026-03-02", nights=28,
    ...     arms={"today": {"share": 0.5}, "nash": {"share": 0.5}})
    >>> assign(experiment, ["u1", "u2", "u3", "u4", "u5"])["arm"].tolist()
    ['nash', 'nash', 'nash', 'today', 'today']
    """
    ids = as_ids(people)
    if len(set(ids.tolist())) < len(ids):
        raise InputError(explained("somebody stands twice among the people to assign"))
    table = pd.DataFrame({C.USER: pd.Series(ids, dtype="str")})
    if experiment.unit == "neighbourhood":
        unit = _units(table[C.USER], neighbourhoods)
        by_unit = deal(sorted(unit.dropna().unique()), experiment.arms_by_share, experiment.name)
        return table.assign(**{UNIT: unit, ARM: unit.map(by_unit).astype("str")})
    if experiment.unit == "night":
        return table.assign(**{UNIT: pd.Series(None, index=table.index, dtype="str")}).assign(
            **{ARM: pd.Series(None, index=table.index, dtype="str")}
        )
    table = table.assign(**{UNIT: table[C.USER], ARM: _drawn(ids, experiment, "viewer")})
    if experiment.unit == "both_sides":
        table[ARM_AS_CANDIDATE] = _drawn(ids, experiment, "candidate")
    return table


def check_assignment(experiment: ExperimentSettings, assignment: pd.DataFrame) -> None:
    """Raise InputError when nobody takes part, or an assignment is of another unit or of other arms.

    >>> experiment = ExperimentSettings(name="nash", unit="both_sides", starts="2026-03-02", nights=28,
    ...     arms={"today": {"share": 0.5}, "nash": {"share": 0.5}})
    >>> check_assignment(experiment, assign(experiment, ["u1", "u2"]))
    """
    need_columns([C.USER, UNIT, ARM], assignment.columns, where="the assignment")
    placed = assignment.dropna(subset=[ARM])
    unit = "night"
    if ARM_AS_CANDIDATE in assignment:
        unit = "both_sides"
    elif len(placed):
        unit = "person" if (placed[UNIT] == placed[C.USER]).all() else "neighbourhood"
    if not len(assignment) or (not len(placed) and experiment.unit != "night"):
        raise InputError(explained("nobody takes part in the experiment", where="assignment"))
    remedy = "read it as it was designed, with the assignment that recsys.experiments.assign gives"
    if unit != experiment.unit:
        what = f"the assignment is of unit {unit}, the experiment of {experiment.unit}"
        raise InputError(explained(what, remedy=remedy))
    unknown = sorted(set(placed[ARM]) - set(experiment.arms))
    if unknown:
        got = ", ".join(unknown)
        raise InputError(explained("the assignment names arms of another experiment", got=got, remedy=remedy))


def deal(units: Sequence[Any], shares: Mapping[str, float], experiment: str) -> dict[Any, str]:
    """Return the arm of each of a few units, in the order of their hashes, as near to the shares as can be.

    >>> sorted(deal(range(4), {"a": 0.5, "b": 0.5}, "nash").values())
    ['a', 'a', 'b', 'b']
    """
    order = np.argsort(keyed_uniform(list(units), experiment, "unit"), kind="stable")
    ends = np.cumsum(list(shares.values()))
    names = list(shares)
    at = np.searchsorted(ends, (np.arange(len(units)) + 0.5) / max(len(units), 1)).clip(0, len(names) - 1)
    return {units[one]: names[arm] for one, arm in zip(order.tolist(), at.tolist(), strict=True)}


@checked_arguments
def arm_of_night(experiment: ExperimentSettings, night: int | pd.Timestamp) -> str:
    """Return the arm of a night, a number from 0 or a time of it; the first arm outside the experiment.

    Blocks of nights are dealt group by group, each with every arm, so that an experiment that ends early has
    had them all.
    """
    number = night if isinstance(night, int) else night_number(experiment, night)
    if not 0 <= number < experiment.nights:
        return experiment.control
    block = number // experiment.block_nights
    size = max(round(1.0 / min(experiment.arms_by_share.values())), 2)
    group = block // size
    blocks = list(range(group * size, group * size + size))
    return deal(blocks, experiment.arms_by_share, f"{experiment.name}\nnights {group}")[block]


def served(experiment: ExperimentSettings, arm: pd.Series, night: int) -> pd.Series:
    """Return the arm whose lists a night serves: the first one for who is in none, and for an ended one.

    The assignment itself stays as it was drawn, so that what an ended arm came to can still be read.
    """
    ended = [name for name in experiment.ended if night >= experiment.nights_of(name)]
    return arm.where(arm.notna() & ~arm.isin(ended), experiment.control).astype("str")


def night_number(experiment: ExperimentSettings, at: pd.Timestamp) -> int:
    """Return the number of the night a time lies in, from 0 at the hour of the first day."""
    return int((at - pd.Timestamp(experiment.first_night)) // pd.Timedelta(days=1))


def night_blocks(experiment: ExperimentSettings) -> tuple[Int64Array, ObjectArray, npt.NDArray[np.bool_]]:
    """Return of every night the block, the arm, and whether it counts: not washed out; `(nights,)` each."""
    nights = np.arange(experiment.nights)
    block = nights // experiment.block_nights
    arm = np.array([arm_of_night(experiment, int(night)) for night in nights], object)
    return block, arm, nights % experiment.block_nights >= experiment.washout


def _drawn(ids: ObjectArray, experiment: ExperimentSettings, role: str) -> pd.Series:
    names = np.array(list(experiment.arms), object)
    ends = np.cumsum(list(experiment.arms_by_share.values()))
    at = np.searchsorted(ends, keyed_uniform(ids, experiment.name, role), side="right")
    return pd.Series(names[at.clip(0, len(names) - 1)], dtype="str")


def _units(people: pd.Series, given: pd.DataFrame | pd.Series | None) -> pd.Series:
    if given is None:
        remedy = "make them with recsys.experiments.neighbourhoods and give them"
        raise SettingsError(explained("the experiment needs neighbourhoods", remedy=remedy))
    if isinstance(given, pd.DataFrame):
        need_columns([C.USER, NEIGHBOURHOOD], given.columns, where="neighbourhoods")
        if given[C.USER].duplicated().any():
            twice = str(given.loc[given[C.USER].duplicated(), C.USER].iloc[0])
            raise InputError(explained("somebody is in two neighbourhoods", got=twice))
        given = given.set_index(C.USER)[NEIGHBOURHOOD]
    return people.map(given.astype("str")).astype("str")
