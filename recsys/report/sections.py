"""Sections of the pages as plain values: what the templates show, computed once for all languages."""

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.columns import Columns as C
from recsys.messaging.reasons import reason_text_or_none
from recsys.pipeline.gates.proposal import GateResult, Level
from recsys.pipeline.history import PastNight
from recsys.plots.lists import length_histogram
from recsys.report.figures import (
    Figure,
    calibration_figure,
    lorenz_figure,
    policy_figure,
    trend_figure,
)
from recsys.report.indicators import INDICATORS, Indicator
from recsys.report.localization import Texts, decimal, share, share_with_interval
from recsys.report.night_summary import NightSummary
from recsys.simulation.policy_summary import NightsSummary

Row = dict[Hashable, Any]

_MOST_NIGHTS: Final = 30
_MOST_SHOWN: Final = 5
_ALL: Final = "all"
_MUTUAL: Final = "mutual_"
_LOWER_IS_BETTER: Final = ("log_loss", "brier", "ece", "exposure_gini", "top_load")
_OF_PROBABILITIES: Final = ("log_loss", "brier", "ece")
"""Metrics that are compared with predicting the overall rate for every pair, not with random order."""

_OF_BOTH: Final = ("auc", "log_loss", "brier", "ece", "snips", "dr", "dips", "dpr")
_SHARES: Final = ("someone", "answered", "cold_matched", "cold_someone", "stayed")
_ORDERS: Final = ("random", "naive", "product", "allocated")
_CHOSEN_BY_OPERATOR: Final = ("table_schema", "policy", "code", "params")
"""What the operator decides; data and the model are new every night."""


@dataclass(frozen=True)
class Trends:
    """Indicators over the latest nights, oldest first: figures by name, None where no value is known."""

    night: NightSummary
    nights: Sequence[PastNight]
    figures: Mapping[str, Figure | None]

    @classmethod
    def of(cls, night: NightSummary) -> "Trends":
        """Draw the trends of a night; none are drawn when it is the first."""
        nights = night.history[-_MOST_NIGHTS:]
        drawn = INDICATORS if len(nights) > 1 else ()
        known = {one.name: any(one.value(night, past) is not None for past in nights) for one in drawn}
        return cls(
            night,
            nights,
            {one.name: trend_figure(one, night, nights) if known[one.name] else None for one in drawn},
        )

    def label(self, indicator: Indicator, texts: Texts) -> str:
        """Return in words what the figure of an indicator shows."""
        values = [indicator.value(self.night, past) for past in self.nights]
        known = [value for value in values if value is not None]
        limits = [one for past in self.nights if (one := indicator.interval(past)) is not None]
        return texts(
            "report.trends_alt",
            name=texts(f"trend.{indicator.name}"),
            now=indicator.shown(self.night, self.nights[-1]),
            low=indicator.text(min([*known, *(lo for lo, _ in limits)])),
            high=indicator.text(max([*known, *(hi for _, hi in limits)])),
            nights=str(len(known)),
        )


@dataclass(frozen=True)
class IntervalPanel:
    """Values with intervals on one axis from `low` to `high`, one row a model or policy.

    rows: name, value, lo, hi, and random: what random order reaches. baseline: the value of random
    order, or of the overall rate, None when unknown. refused: names of rows without a value, by the reason.
    """

    name: str
    rows: Sequence[Row]
    low: float
    high: float
    lower_is_better: bool = False
    baseline: float | None = None
    baseline_name: str = "random"
    n: int = 0
    refused: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def place(self, value: float) -> float:
        """Return where a value lies, in percent of the axis, kept inside it."""
        return round(100 * min(max((value - self.low) / (self.high - self.low), 0.0), 1.0), 2)


def panel_of(name: str, rows: pd.DataFrame, **more: Any) -> IntervalPanel:
    """Return a panel whose axis holds every finite number of `rows` with some room at the ends."""
    columns = [column for column in ("value", "lo", "hi", "random") if column in rows]
    known = rows[columns].to_numpy(float)
    finite = known[np.isfinite(known)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    if rows["lo"].isna().all() and 0.0 <= low <= high <= 1.0:
        low, high = 0.0, 1.0  # without intervals a closer look would show differences that mean nothing
    room = (high - low) * 0.08 or max(abs(high), 1.0) * 0.05
    lower = name.partition("@")[0].removeprefix(_MUTUAL) in _LOWER_IS_BETTER
    return IntervalPanel(name, rows.to_dict("records"), low - room, high + room, lower, **more)


def model_panels(measures: pd.DataFrame) -> list[IntervalPanel]:
    """Return a panel for each metric over all viewers, none for a metric that no model has a value of."""
    overall = measures[measures["slice"] == _ALL]
    panels = []
    for metric, rows in overall.groupby("metric", sort=False):
        if rows["value"].isna().all():
            continue
        random = rows["random"].dropna()
        named = rows.assign(name=rows["model"].astype(str))
        reasons = named.get("refused", pd.Series("", index=rows.index)).fillna("")
        of_probabilities = str(metric).partition("@")[0].removeprefix(_MUTUAL) in _OF_PROBABILITIES
        panels.append(
            panel_of(
                str(metric),
                named,
                baseline=float(random.iloc[0]) if len(random) else None,
                baseline_name="rate" if of_probabilities else "random",
                n=int(rows["n"].max()),
                refused={str(why): names.tolist() for why, names in named["name"].groupby(reasons) if why},
            )
        )
    return panels


def measures_by_target(night: NightSummary) -> pd.DataFrame | None:
    """Return the measures with metrics of the mutual probability under names of their own, None without."""
    measures = night.measures
    if measures is None or measures.empty:
        return None
    measures = measures if "model" in measures else measures.assign(model="")
    if "target" not in measures:
        return measures
    measures = measures[measures["target"] != "back"]  # of the night's own model alone, on its diagram
    both = (measures["target"] == "mutual") & measures["metric"].isin(_OF_BOTH)
    return measures.assign(metric=measures["metric"].where(~both, _MUTUAL + measures["metric"]))


def slice_rows(measures: pd.DataFrame) -> list[Row]:
    """Return the measures of parts of the viewers, by metric, slice and model."""
    sliced = measures[measures["slice"] != _ALL]
    return sliced.sort_values(["metric", "slice", "model"], kind="stable").to_dict("records")


def metric_name(metric: str, texts: Texts) -> str:
    """Return a metric in words: `ndcg@5` is the text of `ndcg`, then @5."""
    name, _, k = metric.partition("@")
    return texts.label("metric", name) + (f" @{k}" if k else "")


@dataclass(frozen=True)
class CalibrationPlot:
    """The reliability diagram of one direction; gap: the metric `ece` of it in words, empty when unknown."""

    direction: str
    figure: Figure
    rows: Sequence[Row]
    gap: str


def calibration_plots(night: NightSummary) -> list[CalibrationPlot]:
    """Return a diagram for each direction and for both, none when nothing was recorded."""
    bins = night.reliability
    if bins is None or bins.empty:
        return []
    named = bins if "direction" in bins else bins.assign(direction="like")
    errors = _calibration_errors(night.measures)
    return [
        CalibrationPlot(
            str(direction),
            calibration_figure(rows),
            rows.to_dict("records"),
            errors.get(str(direction), ""),
        )
        for direction, rows in named.groupby("direction", sort=False)
    ]


def _calibration_errors(measures: pd.DataFrame | None) -> dict[str, str]:
    """Return the calibration error of the night's own model, the first that is listed, by direction."""
    if measures is None or measures.empty or "target" not in measures:
        return {}
    own = measures[(measures["model"] == measures["model"].iloc[0]) & (measures["slice"] == _ALL)]
    return {
        str(row["target"]): share_with_interval(row["value"], row["lo"], row["hi"])
        for row in own[own["metric"] == "ece"].to_dict("records")
    }


def lengths_of(night: NightSummary) -> pd.DataFrame | None:
    """Return the histogram of list lengths over everybody listed, None when nobody is."""
    if night.n_listed == 0:
        return None
    lengths = night.lengths.to_numpy(np.int64)
    empty = np.zeros(max(night.n_listed - len(lengths), 0), np.int64)
    return length_histogram(np.concatenate([lengths, empty]))


def funnel_rows(night: NightSummary) -> list[Row]:
    """Return everybody, then one row a constraint: name, and means per viewer; empty when not recorded."""
    steps, viewers = night.funnel, night.funnel_viewers
    if steps is None or steps.empty or viewers <= 0:
        return []
    everybody = float(steps["left"].iloc[0] + steps["removed_in_order"].iloc[0])
    rows: list[Row] = [{"name": "everybody", "left": everybody / viewers, "part": 1.0}]
    for step in steps.to_dict("records"):
        left = float(step["left"])
        rows.append(
            {
                "name": str(step["constraint"]),
                "left": left / viewers,
                "part": left / everybody if everybody else 0.0,
                "in_order": float(step["removed_in_order"]) / viewers,
                "alone": float(step["removed_alone"]) / viewers,
            }
        )
    return rows


def allocation_rows(night: NightSummary) -> list[Row]:
    """Return the orders that were compared, the allocated one last; empty when it was not computed."""
    by_name = {row["name"]: row for row in night.allocation.get("rows", [])}
    return [by_name[name] for name in _ORDERS if name in by_name] if "allocated" in by_name else []


def actions(night: NightSummary) -> list[GateResult]:
    """Return the gates that did not pass, the gravest first."""
    return sorted((result for result in night.gates if result.level > Level.PASS), key=lambda one: -one.level)


def changed_inputs(night: NightSummary) -> list[str]:
    """Return which inputs that the operator decides differ from those of the last publication."""
    last = night.last_published
    if last is None:
        return []
    now = night.history[-1].made_from
    return [name for name in _CHOSEN_BY_OPERATOR if now.get(name) != last.made_from.get(name)]


@dataclass(frozen=True)
class SampleList:
    """The first places of one list; n: how long it is."""

    viewer: str
    rows: Sequence[Row]
    n: int


def sample_lists(night: NightSummary, n_lists: int) -> list[SampleList]:
    """Return lists at even steps through all lists in order of length, the longest first.

    The choice depends on the lists alone, so that a page can be made again.
    """
    lengths = night.lengths.sort_values(ascending=False, kind="stable")
    steps = np.unique(np.linspace(0, len(lengths) - 1, min(n_lists, len(lengths))).round().astype(int))
    viewers = [str(lengths.index[step]) for step in steps]
    of_viewers = night.lists[night.lists[C.VIEWER].isin(viewers)].sort_values(C.RANK)
    chosen = dict(iter(of_viewers.groupby(C.VIEWER)))
    return [
        SampleList(viewer, chosen[viewer].head(_MOST_SHOWN).to_dict("records"), len(chosen[viewer]))
        for viewer in viewers
    ]


def reason(code: str, texts: Texts, catalogue: Catalogue) -> str:
    """Return a reason in words; the code itself when it is of another catalogue."""
    return reason_text_or_none(code, texts.lang, catalogue) or code


@dataclass(frozen=True)
class PolicySections:
    """Figures and panels of simulated nights, one line a policy."""

    summary: NightsSummary
    panels: Sequence[IntervalPanel]
    curves: Mapping[str, Figure]
    lorenz: Figure

    @classmethod
    def of(cls, summary: NightsSummary) -> "PolicySections":
        """Draw what many nights showed."""
        measures = [str(name) for name in summary.measures["measure"].drop_duplicates()]
        followed = [str(name) for name in summary.curves["measure"].drop_duplicates()]
        return cls(
            summary,
            [cls._panel(summary, measure) for measure in measures],
            {measure: policy_figure(summary, measure, measure in _SHARES) for measure in followed},
            lorenz_figure(summary),
        )

    @staticmethod
    def _panel(summary: NightsSummary, measure: str) -> IntervalPanel:
        rows = pd.DataFrame([summary.value(policy, measure) for policy in summary.policies]).astype(float)
        rows = rows.reset_index(drop=True)
        rows["name"] = summary.policies
        rows["gain"] = pd.Series([summary.gain(policy, measure).to_dict() for policy in summary.policies])
        return panel_of(measure, rows)

    def value(self, measure: str, value: float) -> str:
        """Return a value of a measure as people read it."""
        return measure_text(measure, value)

    def last(self, measure: str) -> dict[str, str]:
        """Return the value of a followed measure after the last night, by policy."""
        rows = self.summary.curves[self.summary.curves["measure"] == measure]
        ended = rows.groupby("policy")["value"].last()
        return {policy: measure_text(measure, float(ended[policy])) for policy in self.summary.policies}

    def by_night(self, measure: str) -> Iterator[list[str]]:
        """Yield each night and, for each policy, the value with its interval."""
        rows = self.summary.curves[self.summary.curves["measure"] == measure]
        for night, of_night in rows.groupby("night"):
            known = of_night.set_index("policy")[["value", "lo", "hi"]].T.to_dict("list")
            texts = [[measure_text(measure, x) for x in known[policy]] for policy in self.summary.policies]
            yield [str(night), *(f"{value} ({lo} – {hi})" for value, lo, hi in texts)]

    def exposure_of(self, people: float) -> dict[str, str]:
        """Return the share of exposure of the least exposed share of people, by policy."""
        curves = dict(iter(self.summary.lorenz.groupby("policy")))
        return {
            policy: share(float(np.interp(people, curves[policy]["people"], curves[policy]["exposure"])))
            for policy in self.summary.policies
        }


def measure_text(measure: str, value: float) -> str:
    """Return a value of a measure of simulated nights as people read it.

    >>> measure_text("someone", 0.25), measure_text("lasting_per_1000", 87.31)
    ('25.0%', '87.3')
    """
    if measure in _SHARES:
        return share(value)
    return decimal(value, 3 if measure == "exposure_gini" else 1)


def metric_text(metric: str, row: Row) -> str:
    """Return the value of a metric as people read it; a calibration error of 0 is as large as its interval.

    >>> metric_text("mutual_ece", {"value": 0.0, "hi": 0.018}), metric_text("auc", {"value": 0.7, "hi": 0.8})
    ('≤ 0.018', '0.700')
    """
    if metric.removeprefix(_MUTUAL) == "ece" and row["value"] == 0.0 and is_known(row.get("hi")):
        return f"≤ {decimal(row['hi'])}"
    return decimal(row["value"])


def signed(value: float) -> str:
    """Return a change as percent with its sign.

    >>> signed(0.125)
    '+12.5%'
    """
    return f"{value:+.1%}"


def is_known(value: Any) -> bool:
    """Say whether a number is there and finite."""
    return value is not None and math.isfinite(value)
