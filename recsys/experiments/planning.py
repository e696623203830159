"""Planning: how long an experiment has to run, by drawing its arms many times over nights without any.

The past has no arms. Drawn over it again and again, an experiment finds nothing but chance, and says how
much: the error its effects will have, with people and neighbourhoods as they are. What a plan cannot show is
bias: what an arm does to people in another one has not happened yet.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from scipy import special

from recsys.arguments import checked_arguments
from recsys.config import ExperimentSettings
from recsys.errors import InputError, explained
from recsys.experiments.analysis import analyse
from recsys.experiments.assignment import assign
from recsys.experiments.outcomes import LOGGED, Outcomes
from recsys.types import Int64Array

_FEWEST_NIGHTS: Final = 2


@checked_arguments
def plan(
    experiment: ExperimentSettings,
    people: pd.Series,
    past: Outcomes,
    *,
    neighbourhoods: pd.DataFrame | None = None,
    nights: Sequence[int] = (7, 14, 28, 56),
    draws: int = 40,
    power: float = 0.8,
    level: float = 0.95,
    cut: float = 0.0,
) -> pd.DataFrame:
    """Return for each number of nights what effect the experiment would find.

    people: ids of who takes part. past: of `outcomes` with the experiment's own `mature_nights`; nights
    before 0, on which everybody had the same lists, from the first impression on. The later half of them is
    played as an experiment, the rest stands before it. draws: how often arms are drawn. power: how surely an
    effect is to be found. cut: from 0 to below 1, the share of pairs shown that lie between neighbourhoods,
    as of `neighbourhoods(...)`; about as much of a difference is not seen, so the smallest effects are as
    many times larger and the power is that of what is left.

    Columns: nights, units, control (mean a person and night of the half that was played), error, smallest
    (effect found with `power`, one look at the end), smallest_relative, power (to find `experiment.effect` of
    the control), and always_power (the same with any number of looks). Nights beyond the past are carried on:
    the error has a part that shrinks with the nights and a part of its units that does not, fitted to those
    played.

    Raises InputError for a past of fewer than four nights, one without any match, and a cut of 1 or more.
    """
    if not 0.0 <= cut < 1.0:
        remedy = "give the share of pairs between neighbourhoods, below 1: with 1 no effect is seen at all"
        raise InputError(explained("nothing can be planned", got=f"cut={cut:g}", remedy=remedy))
    own = nights_of_past(past)
    if len(own) < 2 * _FEWEST_NIGHTS or not len(past.matches):
        remedy = "give four nights or more that were the same for everybody, with matches"
        raise InputError(
            explained("the past cannot be planned from", got=f"{len(own)} nights", remedy=remedy)
        )
    longest = len(own) // 2
    played = sorted({max(longest // 2, 1), longest})
    found = [_errors(experiment, people, past, neighbourhoods, count, draws, level) for count in played]
    played = [count for count, one in zip(played, found, strict=True) if np.isfinite(one[0])]
    found = [one for one in found if np.isfinite(one[0])]
    if not found:
        remedy = "give more nights, or a unit of which there are more"
        raise InputError(
            explained("too few units to plan from", got=f"{longest} nights played", remedy=remedy)
        )
    return _table(experiment, found, played, nights, power, level, cut)


@checked_arguments
def nights_of_past(past: Outcomes) -> Int64Array:
    """Return the nights to plan from: complete, before the experiment, from the first impression on.

    >>> none = pd.DataFrame({"viewer_id": [], "candidate_id": [], "night": []})
    >>> nights_of_past(Outcomes(np.arange(-4, 2), none, none, none, none, 2.0)).tolist()
    [-4, -3, -2, -1]
    """
    first = past.exposures["night"].min() if len(past.exposures) else past.nights.min(initial=0)
    return past.nights[(past.nights < 0) & (past.nights >= first)]


def _table(  # noqa: PLR0917
    experiment: ExperimentSettings,
    found: Sequence[tuple[float, float, int, float]],
    played: Sequence[int],
    nights: Sequence[int],
    power: float,
    level: float,
    cut: float,
) -> pd.DataFrame:
    """Return a plan from the errors, see `_errors`, of the numbers of nights that were played."""
    control, units, degrees = found[-1][1:]
    fixed, varying = _parts_of_error([one[0] for one in found], played)
    by_night = experiment.unit == "night"
    if by_night:  # its units are nights: more of them leave no part of the error
        fixed, varying = 0.0, found[-1][0] * played[-1]
    rows = []
    for count in nights:
        if by_night:
            units = -(-count // experiment.block_nights)
            degrees = max(units - 3.0, 1.0)
        error = float(np.sqrt(fixed + varying / count))
        found_with = _power(experiment.effect * control, error / (1.0 - cut), degrees, power, level)
        found_with["error"] = error  # of what is seen
        relative = {"smallest_relative": found_with["smallest"] / control}
        rows.append({"nights": count, "units": units, "control": control, **found_with, **relative})
    columns = ["nights", "units", "control", "error", "smallest", "smallest_relative", "power"]
    return pd.DataFrame(rows)[[*columns, "always_power"]]


def _power(effect: float, error: float, degrees: float, power: float, level: float) -> dict[str, float]:
    """Return what an experiment with a standard error finds, see `plan`; effect: the one worth finding."""
    shift = effect / error if error > 0.0 else float("inf")
    bound = float(special.stdtrit(degrees, (1.0 + level) / 2.0))
    ratio = (effect / max(error, 1e-300)) ** 2
    always = np.sqrt(2.0 * (1.0 + ratio) / ratio * np.log(np.sqrt(1.0 + ratio) / (1.0 - level)))
    return {
        "error": error,
        "smallest": error * (bound + float(special.stdtrit(degrees, power))),
        "power": float(special.ndtr(shift - bound)),
        "always_power": float(special.ndtr(shift - always)),
    }


@checked_arguments
def nights_needed(table: pd.DataFrame, effect: float) -> int | None:
    """Return after how many nights a plan finds a relative effect; None where more nights alone never do.

    table: of `plan`, with two numbers of nights or more. Its smallest effects are carried on between and
    beyond its rows: s(n)^2 = a + b / n.

    >>> table = pd.DataFrame({"nights": [10, 40], "smallest_relative": [0.4, 0.2]})
    >>> nights_needed(table, 0.1), nights_needed(table.assign(smallest_relative=0.4), 0.1)
    (160, None)
    """
    rows = table.iloc[[0, -1]]
    squares = rows["smallest_relative"].to_numpy(np.float64) ** 2
    fixed, varying = _parts_of_error(squares.tolist(), rows["nights"].tolist())
    left = effect * effect - fixed
    return int(np.ceil(varying / left - 1e-9)) if left > 0.0 and varying > 0.0 else None


def _errors(  # noqa: PLR0917
    experiment: ExperimentSettings,
    people: pd.Series,
    past: Outcomes,
    neighbourhoods: pd.DataFrame | None,
    count: int,
    draws: int,
    level: float,
) -> tuple[float, float, int, float]:
    """Return the mean squared error over draws of the arms, the control, the units, degrees of freedom."""
    own = nights_of_past(past)
    last = int(own[-1]) + 1
    shifted = _shifted(past.between(int(own[0]), last), count - last)
    squares, rows = [], []
    for draw in range(draws):
        one = experiment.changed(
            name=f"{experiment.name[:30]}-p{draw}", nights=count, mature_nights=0, ended={}
        )
        assignment = assign(one, people, neighbourhoods)
        arm = next(name for name in one.arms if name != one.control)
        row = analyse(one, assignment, shifted, level=level).decisive(arm)
        squares.append(float(row["error"]) ** 2)  # steadier over draws than the effects themselves
        rows.append(row)
    table = pd.DataFrame(rows)
    units = int(table["units"].iloc[0])
    known = [square for square in squares if np.isfinite(square)]
    mean = float(np.mean(known)) if known else float("nan")
    return mean, float(table["control"].mean()), units, max(units - 3.0, 1.0)


def _shifted(found: Outcomes, by: int) -> Outcomes:
    """Return the past as nights of an experiment; what an earlier one logged says nothing of it."""

    def later(table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(night=table["night"] + by).drop(columns=LOGGED, errors="ignore")

    return Outcomes(
        nights=found.nights + by,
        exposures=later(found.exposures),
        likes=later(found.likes),
        matches=later(found.matches),
        harms=later(found.harms),
        until=found.until + by,
    )


def _parts_of_error(squares: Sequence[float], nights: Sequence[int]) -> tuple[float, float]:
    """Return a and b of squares = a + b / nights, both 0 or more."""
    if len(squares) == 1:
        return 0.0, squares[0] * nights[0]
    few, many = 1.0 / nights[0], 1.0 / nights[1]
    varying = max((squares[0] - squares[1]) / (few - many), 0.0)
    fixed = max(squares[1] - varying * many, 0.0)
    return (fixed, varying) if fixed > 0.0 else (0.0, squares[1] * nights[1])
