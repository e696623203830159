"""Metrics of the nights of every policy, with intervals and gains over a baseline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from recsys.data.pair_keys import unordered_pair_keys
from recsys.errors import InputError, explained
from recsys.evaluation.bootstrap import Interval, person_counts, recentred
from recsys.evaluation.market import gini, lorenz_curve
from recsys.simulation.night_state import is_among
from recsys.simulation.policy_nights import PolicyNights
from recsys.types import BoolArray, Float64Array, Int64Array

NIGHT_METRICS = (
    "lasting_per_1000",
    "someone",
    "matches_per_1000",
    "answered",
    "exposure_gini",
    "top_load",
    "cold_matched",
    "cold_someone",
    "stayed",
)
"""In the order they are shown; see `PooledTowns.measures`."""

SHARE_METRICS = ("someone", "answered", "exposure_gini", "cold_matched", "cold_someone", "stayed")
"""Measures that lie between 0 and 1."""

_TOP = 0.01


@dataclass(frozen=True, eq=False)
class PooledTowns:
    """People of all towns end to end.

    matches, lasting, sent: night and two rows, `(n, 3)`. exposure: `(n_people,)`. members: who was
    listed on any night under any policy; newcomers: who joined during the nights; there: who is at the end.
    """

    nights: int
    matches: Int64Array
    lasting: Int64Array
    sent: Int64Array
    exposure: Float64Array
    members: BoolArray
    newcomers: BoolArray
    there: BoolArray

    @classmethod
    def of(cls, outcomes: Sequence[PolicyNights], policy: str) -> "PooledTowns":
        """Join the histories of one policy."""
        histories = [outcome.histories[policy] for outcome in outcomes]
        first = np.cumsum([0, *(outcome.n_people for outcome in outcomes)])
        return cls(
            nights=outcomes[0].config.nights,
            matches=_joined([d.matches for d in histories], first),
            lasting=_joined([d.lasting for d in histories], first),
            sent=_joined([d.sent for d in histories], first),
            exposure=np.concatenate([d.exposure for d in histories]),
            members=np.concatenate([_members(outcome) for outcome in outcomes]),
            newcomers=np.concatenate([outcome.newcomers for outcome in outcomes]),
            there=np.concatenate([d.there for d in histories]),
        )

    def measures(self, times: Float64Array) -> dict[str, float]:
        """Return every measure when person i counts `times[i]` times, a pair the product of its two.

        lasting_per_1000, matches_per_1000: pairs a thousand members. someone: share of members in a
        lasting pair. answered: share of likes from lists that became a match. exposure_gini: how
        unequally expected looks are spread. top_load: likes a night to the most liked 1 %.
        cold_matched, cold_someone: share of newcomers with a match, with a lasting one. stayed: share of
        members who have not left at the end.
        """
        of_members = times * self.members
        people = of_members.sum()
        cold = of_members * self.newcomers
        sent = _weight(self.sent, times)
        return {
            "lasting_per_1000": 1000.0 * _weight(self.lasting, times).sum() / people,
            "someone": float(of_members[self._in(self.lasting)].sum() / people),
            "matches_per_1000": 1000.0 * _weight(self.matches, times).sum() / people,
            "answered": float(_share(sent[self._became_match].sum(), sent.sum())),
            "exposure_gini": gini(np.repeat(self.exposure, of_members.astype(np.int64))),
            "top_load": self._top_load(of_members),
            "cold_matched": float(_share(cold[self._in(self.matches)].sum(), cold.sum())),
            "cold_someone": float(_share(cold[self._in(self.lasting)].sum(), cold.sum())),
            "stayed": float(of_members[self.there].sum() / people),
        }

    def curves(self, times: Float64Array) -> dict[str, Float64Array]:
        """Return lasting_per_1000 and someone after each night, `(n_nights,)` each."""
        people = (times * self.members).sum()
        first = np.full(len(times), self.nights, np.int64)
        np.minimum.at(first, self.lasting[:, 1:].reshape(-1), np.repeat(self.lasting[:, 0], 2))
        pairs = np.bincount(self.lasting[:, 0], _weight(self.lasting, times), self.nights)
        began = np.bincount(first, times * self.members, self.nights + 1)[: self.nights]
        return {"lasting_per_1000": 1000.0 * np.cumsum(pairs) / people, "someone": np.cumsum(began) / people}

    def lorenz(self, points: int) -> Float64Array:
        """Return the share of all exposure that the least shown members get, at equal steps of people."""
        people, share = lorenz_curve(self.exposure[self.members])
        return np.interp(np.linspace(0.0, 1.0, points), people, share)

    @cached_property
    def _became_match(self) -> BoolArray:
        n = len(self.members)
        sent, matched = (unordered_pair_keys(one[:, 1], one[:, 2], n) for one in (self.sent, self.matches))
        return is_among(sent, np.sort(matched))

    @cached_property
    def _received(self) -> Float64Array:
        return np.bincount(self.sent[:, 2], minlength=len(self.members)) / self.nights

    def _top_load(self, times: Float64Array) -> float:
        load = np.sort(np.repeat(self._received, times.astype(np.int64)))
        return float(load[-max(1, round(_TOP * len(load))) :].mean())

    def _in(self, pairs: Int64Array) -> Int64Array:
        return np.unique(pairs[:, 1:])


def _members(outcome: PolicyNights) -> BoolArray:
    return np.any([history.listed > 0 for history in outcome.histories.values()], axis=0)


def _joined(parts: Sequence[Sequence[Int64Array]], first: Int64Array) -> Int64Array:
    whole = [
        np.concatenate([np.empty((0, 3), np.int64), *nights]) + np.array([0, start, start])
        for nights, start in zip(parts, first, strict=False)
    ]
    return np.concatenate(whole)


def _weight(pairs: Int64Array, times: Float64Array) -> Float64Array:
    return times[pairs[:, 1]] * times[pairs[:, 2]]


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float("nan")


_POINTS = 51
_ENOUGH_TOWNS = 3
_GAIN = "gain of "


@dataclass(frozen=True, eq=False)
class NightsSummary:
    """What a run of many nights showed.

    measures: policy, measure, value, lo, hi; the names are those of `PooledTowns.measures`.
    gains:    policy, measure, value, lo, hi: how much larger than under `baseline`, as a share of it.
    curves:   policy, night (from 1), measure, value, lo, hi, up to and including that night.
    lorenz:   policy, people, exposure: shares in [0, 1], from the least shown person on.
    about:    n_towns, n_members, forbidden (pairs shown against the rules), and the settings.
    """

    measures: pd.DataFrame
    gains: pd.DataFrame
    curves: pd.DataFrame
    lorenz: pd.DataFrame
    about: Mapping[str, Any]

    @property
    def policies(self) -> list[str]:
        """The policies, in the order they were named."""
        return list(self.about["policies"])

    def value(self, policy: str, measure: str) -> pd.Series:
        """Return one measure of one policy: value, lo, hi."""
        return self._line(self.measures, policy, measure)

    def gain(self, policy: str, measure: str) -> pd.Series:
        """Return by what share a policy exceeds the baseline: value, lo, hi."""
        return self._line(self.gains, policy, measure)

    def as_json(self) -> dict[str, Any]:
        """Return plain values that JSON can hold; an unknown number is None."""
        frames = ("measures", "gains", "curves", "lorenz")
        tables = {name: _plain(getattr(self, name)) for name in frames}
        about = {key: list(value) if isinstance(value, tuple) else value for key, value in self.about.items()}
        return {"about": about} | tables

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> "NightsSummary":
        """Read what `as_json` wrote."""
        frames = {name: _table(given[name]) for name in ("measures", "gains", "curves", "lorenz")}
        return cls(**frames, about=dict(given["about"]))

    def _line(self, table: pd.DataFrame, policy: str, measure: str) -> pd.Series:
        found = table[(table["policy"] == policy) & (table["measure"] == measure)]
        if found.empty:
            raise InputError(explained("no such figure", got=f"{policy}, {measure}"))
        return found.iloc[0][["value", "lo", "hi"]]


def _plain(table: pd.DataFrame) -> dict[str, list[Any]]:
    plain = table.astype(object).where(table.notna(), None)
    return {str(name): plain[name].tolist() for name in plain.columns}


def _table(columns: Mapping[str, list[Any]]) -> pd.DataFrame:
    table = pd.DataFrame(columns)
    amounts = [name for name in table.columns if name not in ("policy", "measure", "night")]
    return table.astype(dict.fromkeys(amounts, np.float64))


def summarise(
    outcomes: Sequence[PolicyNights], *, rng: np.random.Generator, n_resamples: int = 200, level: float = 0.95
) -> NightsSummary:
    """Return the figures of outcomes that were played with one config, in one town each.

    From three towns on, a value is the mean over towns with its Student t interval, and a gain is the
    mean of the gains in each town. With fewer, intervals redraw the people of all towns with
    replacement, a pair counting the product of its two (the pigeonhole bootstrap of
    `recsys.evaluation.bootstrap`, wide for rare pairs); all policies see the same draws, so gains are
    paired either way. Raises InputError without an outcome.
    """
    if not outcomes:
        raise InputError(explained("no nights were played", remedy="give at least one outcome"))
    config, names = outcomes[0].config, list(outcomes[0].histories)
    baseline = config.baseline if config.baseline in names else names[0]
    pooled = {name: PooledTowns.of(outcomes, name) for name in names}
    over_towns = len(outcomes) >= _ENOUGH_TOWNS
    if over_towns:
        lines = _over_towns(outcomes, baseline, level)
    else:
        lines = _over_people(pooled, baseline, rng, n_resamples, level=level)
    table = pd.DataFrame([_row(key, interval) for key, interval in lines.items()])
    at_end = table[table["night"] == 0].drop(columns="night")
    is_gain = at_end["measure"].str.startswith(_GAIN)
    about = config.model_dump() | {
        "policies": names,
        "baseline": baseline,
        "n_towns": len(outcomes),
        "n_members": int(next(iter(pooled.values())).members.sum()),
        "forbidden": int(sum(d.forbidden for o in outcomes for d in o.histories.values())),
        "interval": "towns" if over_towns else "people",
    }
    gains = at_end[is_gain].assign(measure=lambda rows: rows["measure"].str.removeprefix(_GAIN))
    return NightsSummary(
        measures=at_end[~is_gain].reset_index(drop=True),
        gains=gains.reset_index(drop=True),
        curves=table[table["night"] > 0].reset_index(drop=True),
        lorenz=_lorenz(pooled),
        about=about,
    )


Key = tuple[str, str, int]
Figures = dict[Key, float]


def _over_towns(outcomes: Sequence[PolicyNights], baseline: str, level: float) -> dict[Key, Interval]:
    of_town = []
    for outcome in outcomes:
        pooled = {name: PooledTowns.of([outcome], name) for name in outcome.histories}
        of_town.append(_figures(pooled, baseline, np.ones(outcome.n_people)))
    return {key: mean_over(np.array([town[key] for town in of_town]), level) for key in of_town[0]}


def _over_people(
    pooled: Mapping[str, PooledTowns],
    baseline: str,
    rng: np.random.Generator,
    n_resamples: int,
    *,
    level: float,
) -> dict[Key, Interval]:
    n = len(next(iter(pooled.values())).members)
    once = _figures(pooled, baseline, np.ones(n))
    drawn = [_figures(pooled, baseline, person_counts(n, rng).astype(np.float64)) for _ in range(n_resamples)]
    return {
        key: recentred(x, np.array([draw[key] for draw in drawn]), level=level) for key, x in once.items()
    }


def mean_over(values: np.ndarray, level: float = 0.95) -> Interval:
    """Return the mean of independent values `(n,)` and its Student t interval; NaN values are left out.

    >>> mean_over(np.array([1.0, 2.0, 3.0])).value
    2.0
    """
    known = values[np.isfinite(values)]
    if len(known) < 2:
        return Interval(float(known.mean()) if len(known) else float("nan"), float("nan"), float("nan"))
    half = float(
        special.stdtrit(len(known) - 1, (1.0 + level) / 2.0) * known.std(ddof=1) / np.sqrt(len(known))
    )
    return Interval(float(known.mean()), float(known.mean()) - half, float(known.mean()) + half)


def _figures(pooled: Mapping[str, PooledTowns], baseline: str, times: np.ndarray) -> Figures:
    """Return every number under one draw of people, by policy, measure and night (0: at the end)."""
    found: Figures = {}
    for name, nights in pooled.items():
        found |= {(name, measure, 0): value for measure, value in nights.measures(times).items()}
        for measure, curve in nights.curves(times).items():
            found |= {(name, measure, night + 1): float(value) for night, value in enumerate(curve)}
    for name in pooled:
        for measure in NIGHT_METRICS:
            against = found[baseline, measure, 0]
            gain = found[name, measure, 0] / against - 1.0 if against else float("nan")
            found[name, _GAIN + measure, 0] = gain
    return found


def _row(key: Key, interval: Interval) -> dict[str, Any]:
    """Return a line of a table; an interval ends where the measure does."""
    least = -1.0 if key[1].startswith(_GAIN) else 0.0
    most = 1.0 if key[1] in SHARE_METRICS else float("inf")
    lo, hi = np.clip([interval.lo, interval.hi], least, most).tolist()
    named = dict(zip(("policy", "measure", "night"), key, strict=True))
    return named | {"value": interval.value, "lo": lo, "hi": hi}


def _lorenz(pooled: Mapping[str, PooledTowns]) -> pd.DataFrame:
    people = np.linspace(0.0, 1.0, _POINTS)
    parts = [
        pd.DataFrame({"policy": name, "people": people, "exposure": nights.lorenz(_POINTS)})
        for name, nights in pooled.items()
    ]
    return pd.concat(parts, ignore_index=True)
