"""The sample ratio: whether as many people of each arm were shown anybody as its share says.

Where one arm's people are missing from the log, because its lists are empty, its impressions are not written
or its people are lost in a join, every comparison of arms is wrong, however good its intervals. A. Fabijan et
al., "Diagnosing sample ratio mismatch in online controlled experiments", KDD 2019.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import gammaln

from recsys.arguments import checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.config import ExperimentSettings
from recsys.experiments.assignment import ARM, NIGHT, UNIT, night_blocks
from recsys.experiments.estimates import compare_units
from recsys.experiments.outcomes import Outcomes
from recsys.experiments.sequential import always_valid_interval
from recsys.types import BoolArray, Float64Array, ObjectArray

_LEVEL: Final = 0.99
"""How surely shares that are right are never called wrong, at any number of looks."""
_STRENGTH: Final = 100.0
"""Prior people behind shares that are wrong: they lie about a tenth away from those of the settings."""
_SCALE: Final = 0.1


@checked_arguments
def sample_ratio(experiment: ExperimentSettings, assignment: pd.DataFrame, found: Outcomes) -> pd.DataFrame:
    """Return a row for each arm: arm, people, viewers, expected, evidence, mismatch.

    people: how many the assignment gives the arm. viewers: how many of them had an impression during the
    experiment; where nights are the units, viewers a night. expected: the viewers it would have by the shares
    (by its number of people for neighbourhoods, by all nights). evidence: for people and both sides, how many
    times likelier the counts of all arms are with other shares than with these. mismatch: shares that are
    right are called wrong in one of a hundred experiments at most, however often one looks.

    Nothing is returned while no impression is there, as in a log without any.

    >>> arms = {"today": {"share": 0.5}, "nash": {"share": 0.5}}
    >>> one = ExperimentSettings(name="nash", unit="person", starts="2026-03-02", nights=28, arms=arms)
    >>> people = pd.DataFrame({"user_id": [f"u{n}" for n in range(400)], "arm": ["today", "nash"] * 200})
    >>> shown = pd.DataFrame({"viewer_id": people.loc[people.index % 4 != 1, "user_id"], "night": 0})
    >>> none = pd.DataFrame()
    >>> found = Outcomes(np.arange(1), shown, none, none, none, 1.0)
    >>> sample_ratio(one, people.assign(unit="u"), found)[["arm", "viewers", "mismatch"]].values.tolist()
    [['today', 200, True], ['nash', 100, True]]
    """
    shown = found.exposures
    if not len(shown):
        return pd.DataFrame()
    shown = shown.loc[(shown[NIGHT] >= 0) & (shown[NIGHT] < experiment.nights), [C.VIEWER, NIGHT]]
    shown = shown.drop_duplicates()
    if not len(shown):
        return pd.DataFrame()
    if experiment.unit == "night":
        return _of_nights(experiment, assignment, shown, int(found.until))
    return _of_people(experiment, assignment, shown)


def _of_people(experiment: ExperimentSettings, assignment: pd.DataFrame, shown: pd.DataFrame) -> pd.DataFrame:
    placed = assignment.dropna(subset=[ARM])
    seen = placed[C.USER].isin(shown[C.VIEWER]).to_numpy(bool)
    names = list(experiment.arms)
    people, viewers = (
        chosen.value_counts().reindex(names, fill_value=0).to_numpy(np.float64)
        for chosen in (placed[ARM], placed.loc[seen, ARM])
    )
    if experiment.unit != "neighbourhood":
        shares = np.array(list(experiment.arms_by_share.values()))
        evidence = float(np.exp(min(_log_evidence(viewers.astype(np.float64), shares), 700.0)))
        wrong = [evidence >= 1.0 / (1.0 - _LEVEL)] * len(names)
    else:
        shares = people / max(people.sum(), 1.0)
        evidence = float("nan")
        unit = pd.factorize(placed[UNIT])[0]
        of_unit = placed.drop_duplicates(UNIT)[ARM].to_numpy(object)
        wrong = _differ(experiment, of_unit, np.bincount(unit, seen), np.bincount(unit))
    columns = {ARM: names, "people": people.astype(np.int64), "viewers": viewers.astype(np.int64)}
    expected = viewers.sum() * shares
    return pd.DataFrame(columns | {"expected": expected, "evidence": evidence, "mismatch": wrong})


def _of_nights(
    experiment: ExperimentSettings, assignment: pd.DataFrame, shown: pd.DataFrame, until: int
) -> pd.DataFrame:
    """Compare viewers a night of blocks; a night of which a part is over would count as a whole one."""
    block, arm, counts = night_blocks(experiment)
    over = counts & (np.arange(len(block)) < until)
    a_night = np.bincount(shown[NIGHT].to_numpy(np.int64), minlength=len(block))[: len(block)]
    value, size = np.bincount(block, np.where(over, a_night, 0)), np.bincount(block, over)
    of_block = arm[np.searchsorted(block, np.arange(block[-1] + 1))]
    names = list(experiment.arms)
    columns = {
        ARM: names,
        "people": len(assignment),
        "viewers": [
            round(float(a_night[over & (arm == name)].sum()) / _nights(over, arm, name)) for name in names
        ],
        "expected": float(a_night[over].mean()) if over.any() else float("nan"),
        "evidence": float("nan"),
        "mismatch": _differ(experiment, of_block[size > 0], value[size > 0], size[size > 0]),
    }
    return pd.DataFrame(columns)


def _nights(over: BoolArray, arm: ObjectArray, name: str) -> int:
    return max(int((over & (arm == name)).sum()), 1)


def _log_evidence(counts: Float64Array, shares: Float64Array) -> float:
    """Return the log of the mean likelihood ratio over shares about these against these.

    By Ville's inequality it passes 1 / alpha with probability alpha at most, however long people are counted:
    M. Lindon and A. Malek, "Anytime-valid inference for multinomial count data", NeurIPS 2022.
    """
    prior = _STRENGTH * shares
    before = gammaln(prior.sum()) - gammaln(prior).sum()
    after = gammaln(prior + counts).sum() - gammaln((prior + counts).sum())
    return float(before + after - counts @ np.log(shares))


def _differ(
    experiment: ExperimentSettings, arm: ObjectArray, value: npt.ArrayLike, size: npt.ArrayLike
) -> list[bool]:
    """Return of each arm whether the share of its people who were shown anybody surely differs."""
    wrong = {experiment.control: False}
    for name in experiment.others:
        pair = np.isin(arm, [name, experiment.control])
        found = compare_units(np.asarray(value)[pair], np.asarray(size)[pair], arm[pair] == name)
        lo, hi = always_valid_interval(found, scale=max(_SCALE * found.control, 1e-12), level=_LEVEL)
        wrong[name] = bool(lo > 0.0 or hi < 0.0)
    wrong[experiment.control] = all(wrong[name] for name in experiment.others)
    return [wrong[name] for name in experiment.arms]
