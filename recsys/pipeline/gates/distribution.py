"""Gates of distributions: exposure, parity of cohorts, calibration, drift of the column profile."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.population import Population
from recsys.evaluation.market import exposure as attention
from recsys.evaluation.market import gini
from recsys.pipeline.gates.proposal import GateResult, Level, Numbers, Proposal, graded
from recsys.settings import GateSettings
from recsys.types import BoolArray

_USUAL: Final = 1.4826
"""Median absolute deviations of a normal distribution in one standard deviation."""


BAND_WINDOW: Final = 28
"""Nights that a band, or a sum over nights, looks back.

After a lasting change of the settings what is usual follows in two weeks."""


@dataclass(frozen=True)
class Band:
    """From `low` to `high` a number is as it usually is."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Say whether `value` is as it usually is."""
        return self.low <= value <= self.high

    def within(self, least: float, most: float) -> "Band":
        """Return the part that a number between `least` and `most` can lie in, to be shown.

        >>> Band(-0.1, 0.4).within(0.0, 1.0)
        Band(low=0.0, high=0.4)
        """
        return Band(max(self.low, least), min(self.high, most))


def usual_band(
    past: Sequence[Numbers], gate: str, number: str, limits: GateSettings, *, least: float
) -> Band | None:
    """Return the range `number` of `gate` lay in, None while too few nights are known.

    Median and median absolute deviation, so that one odd night does not widen it; never narrower than
    `least` to each side, so that a number that hardly moves does not warn of nothing.

    >>> nights = [{"g": {"x": value}} for value in (1.0, 1.1, 0.9, 1.0, 9.0)]
    >>> usual_band(nights, "g", "x", GateSettings(), least=0.5)
    Band(low=0.407, high=1.593)
    """
    known = [night[gate][number] for night in past if number in night.get(gate, {})]
    values = np.array([value for value in known if isinstance(value, int | float)], float)
    values = values[-max(limits.band_nights, BAND_WINDOW) :]
    if len(values) < limits.band_nights:
        return None
    middle = float(np.median(values))
    usual = _USUAL * float(np.median(np.abs(values - middle)))
    reach = max(limits.band_width * usual, least)
    return Band(round(middle - reach, 4), round(middle + reach, 4))


_LEAST_CHANGE: Final = 0.05


def exposure(proposal: Proposal) -> GateResult:
    """Grade how unequally attention is spread over listed people, and how far from usual that is."""
    if proposal.lists.empty or not proposal.listed.any():
        return GateResult("exposure", Level.PASS, "no list to look at")
    listed = proposal.people.ids.ids(proposal.listed.nonzero()[0])
    value = gini(attention(proposal.lists[C.CANDIDATE], proposal.lists[C.RANK], listed))
    limits = proposal.limits
    band = usual_band(proposal.past, "exposure", "value", limits, least=_LEAST_CHANGE)
    unusual = band is not None and not band.holds(value)
    shown = band.within(0.0, 1.0) if band else None
    return graded(
        "exposure",
        f"Gini {value:.2f}" + (f", usually {shown.low:.2f} to {shown.high:.2f}" if shown else ""),
        warn=value > limits.warn_gini or unusual,
        block=value > limits.block_gini,
        value=value,
        **({"low": shown.low, "high": shown.high} if shown else {}),
    )


_COHORTS: Final = (C.GENDER, C.AGE_BAND)


def parity(proposal: Proposal) -> GateResult:
    """Grade the cohort with the smallest share of lists of usual length, beside everybody's share.

    A cohort is one word of one column; it counts when enough of it are listed.
    """
    listed, limits, people = proposal.listed, proposal.limits, proposal.people
    known = proposal.viewers[proposal.viewers >= 0]
    long = np.bincount(known, minlength=len(people)) >= limits.list_floor
    everybody = float(long[listed].mean()) if listed.any() else 0.0
    shares = {
        (column, word): float(long[cohort].mean())
        for column in _COHORTS
        if column in people.coded
        for word in people.coded[column].words
        if (cohort := listed & people.is_word(column, word)).sum() >= limits.min_cohort_size
    }
    if not shares or everybody == 0.0:
        return GateResult("parity", Level.PASS, "no cohort is large enough to tell")
    worst = min(shares, key=lambda name: shares[name])
    value = shares[worst] / everybody
    result = graded(
        "parity",
        f"{'='.join(worst)}: {shares[worst]:.0%} have a list of usual length, {everybody:.0%} of everybody",
        warn=value < limits.warn_below_parity,
        block=value < limits.block_below_parity,
        value=value,
        worst=shares[worst],
        everybody=everybody,
    )
    return replace(result, names={"cohort": worst})


def calibration(proposal: Proposal) -> GateResult:
    """Grade the calibration error of the chance of a like, on what came after the model learned."""
    known, limits = proposal.calibration, proposal.limits
    if known is None or known.answers < limits.min_calibration_answers:
        answers = 0 if known is None else known.answers
        message = f"too few answers to tell ({answers:,} of {limits.min_calibration_answers:,})"
        return GateResult("calibration", Level.PASS, message, {"answers": answers})
    return graded(
        "calibration",
        f"stated chances are off by {known} on average ({known.pairs:,} pairs)",
        warn=known.ece > limits.warn_ece,
        block=known.ece > limits.block_ece,
        value=known.ece,
        lo=known.lo,
        hi=known.hi,
        pairs=known.pairs,
        answers=known.answers,
    )


COLUMN_PROFILE: Final = "column_profile.json"
_BINS: Final = 10

ColumnProfile = Mapping[str, Mapping[str, int]]
"""Counts by word, for each column; a column of numbers is counted by bins."""


def column_profile(people: Population, listed: BoolArray, lists: pd.DataFrame) -> ColumnProfile:
    """Return the counts of listed people in every column of single words; `p_mutual` by tenths."""
    counts: dict[str, dict[str, int]] = {}
    for name in sorted(people.coded):
        column = people.coded[name]
        found = np.bincount(column.codes[listed].astype(np.int64) + 1, minlength=len(column.words) + 1)
        counts[name] = dict(zip(["unknown", *column.words], found.tolist(), strict=True))
    chance = np.clip(np.nan_to_num(lists[C.P_MUTUAL].to_numpy(np.float64)), 0.0, 1.0)
    tenths = np.minimum((chance * _BINS).astype(np.int64), _BINS - 1)
    counts[C.P_MUTUAL] = {str(at): int(n) for at, n in enumerate(np.bincount(tenths, minlength=_BINS))}
    return counts


def column_profile_bytes(profile: ColumnProfile) -> bytes:
    """Return a column profile as the content of its file."""
    return json.dumps(profile, indent=1, sort_keys=True).encode() + b"\n"


def read_column_profile(folder: Path) -> ColumnProfile | None:
    """Return the column profile beside a publication, None when there is none or it cannot be read."""
    try:
        found = json.loads((folder / COLUMN_PROFILE).read_bytes())
        return {
            str(name): {str(word): int(n) for word, n in counts.items()} for name, counts in found.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return None


_FLOOR = 0.5
"""Added to every count, so that a word nobody used yesterday makes no infinite drift."""


def drift(proposal: Proposal) -> GateResult:
    """Grade how far the columns of people and lists moved since last night, the farthest of all.

    The population stability index of a column; one within what chance alone or the nights before would
    move it counts as unmoved. Chances may move as far as they like when the model is another: they warn.
    """
    before = None if proposal.previous is None else read_column_profile(proposal.previous.folder)
    if before is None:
        return GateResult("drift", Level.PASS, "no earlier night to compare with")
    now = column_profile(proposal.people, proposal.listed, proposal.lists)
    moved = {name: psi(now[name], before[name]) for name in now if name in before}
    limits = proposal.limits
    beyond: dict[str, float] = {}
    for name, value in moved.items():
        band = usual_band(proposal.past, "drift", f"psi.{name}", limits, least=0.0)
        if value > max(sampling_noise(now[name], before[name]), band.high if band else 0.0):
            beyond[name] = value
    worst = max(beyond, key=lambda name: beyond[name], default="")
    value = beyond.get(worst, 0.0)
    message = f"{worst} moved most: PSI {value:.2f}" if worst else "nothing moved beyond the usual"
    of_people = max((value for name, value in beyond.items() if name != C.P_MUTUAL), default=0.0)
    block = of_people > limits.block_psi
    result = graded("drift", message, warn=value > limits.warn_psi, block=block, value=value)
    numbers = dict(result.numbers) | {f"psi.{name}": value for name, value in moved.items()}
    return replace(result, numbers=numbers, names={"column": (worst,)} if worst else {})


def psi(now: Mapping[str, int], before: Mapping[str, int]) -> float:
    """Return the population stability index of two counts by word: 0 the same, 0.1 some, 0.25 much.

    sum (p - q) ln(p / q), Jeffreys' divergence of the two shares.

    >>> psi({"a": 50, "b": 50}, {"a": 50, "b": 50}), round(psi({"a": 80, "b": 20}, {"a": 50, "b": 50}), 2)
    (0.0, 0.41)
    """
    words = sorted({*now, *before})
    p, q = _shares(now, words), _shares(before, words)
    return float(sum((a - b) * math.log(a / b) for a, b in zip(p, q, strict=True)))


def sampling_noise(now: Mapping[str, int], before: Mapping[str, int]) -> float:
    """Return what the index of two samples of the same people hardly ever exceeds.

    It is distributed as (1/n + 1/m) chi-square with one degree less than there are words; this is the
    mean and four standard deviations.

    >>> sampling_noise({"a": 500, "b": 500}, {"a": 500, "b": 500}) < 0.02
    True
    """
    freedom = max(len({*now, *before}) - 1, 1)
    each = 1 / max(sum(now.values()), 1) + 1 / max(sum(before.values()), 1)
    return each * (freedom + 4 * math.sqrt(2 * freedom))


def _shares(counts: Mapping[str, int], words: Sequence[str]) -> list[float]:
    total = sum(counts.values()) + _FLOOR * len(words)
    return [(counts.get(word, 0) + _FLOOR) / total for word in words]
