"""What the report is told about a night."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.pipeline.gates.base import GateResult, Level
from recsys.pipeline.history import PastNight
from recsys.simulation.policy_summary import NightsSummary


@dataclass(frozen=True, eq=False)
class NightSummary:
    """Everything the page shows. A part that is None or empty was not recorded, and the page says so.

    lists:          viewer_id, candidate_id, rank, p_mutual, reasons (codes).
    n_people:       everybody; n_listed: those who may have a list.
    gates:          what each gate said.
    funnel:         constraint, removed_alone, removed_in_order, left: pairs, over `funnel_viewers`
                    people as viewers.
    measures:       slice, model, metric, value, lo, hi, n, random, as `evaluation.compare` returns them.
    reliability:    direction, pairs, said, happened, lo, hi, as `evaluation.reliability_table` says.
    parity:         column, cohort, people, exposure, ratio, see `evaluation.parity`.
    tables:         table, accepted, quarantined.
    allocation:     rows (name, matches, reached, gini, gain, gain_lo, gain_hi), error, people, full.
    nights:         many simulated nights, None when none were played.
    seconds:        how long each step took; budget_minutes: how long all of them may take, 0 unstated.
    history:        this night and those before it, oldest first; empty when none is known.
    night_seconds:  how long nights took until they were published, by run.
    made_from:      ids of data, model, policy, code, params; packages: versions.
    """

    run_id: str
    data_as_of: str
    created_at: str
    lists: pd.DataFrame
    n_people: int
    n_listed: int
    source: str = ""
    gates: Sequence[GateResult] = ()
    funnel: pd.DataFrame | None = None
    funnel_viewers: int = 0
    measures: pd.DataFrame | None = None
    reliability: pd.DataFrame | None = None
    parity: pd.DataFrame | None = None
    tables: pd.DataFrame | None = None
    allocation: Mapping[str, Any] = field(default_factory=dict)
    nights: NightsSummary | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    budget_minutes: float = 0.0
    history: Sequence[PastNight] = ()
    night_seconds: Mapping[str, float] = field(default_factory=dict)
    made_from: Mapping[str, str] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)

    @property
    def lengths(self) -> pd.Series:
        """The length of each list, indexed by viewer; people without one are not in it."""
        return self.lists.groupby(C.VIEWER, sort=True).size()

    @property
    def n_with_list(self) -> int:
        """How many people have at least one suggestion."""
        return int(self.lists[C.VIEWER].nunique())

    @property
    def coverage(self) -> float:
        """The share of listed people with a list, NaN when nobody is listed."""
        return self.n_with_list / self.n_listed if self.n_listed else float("nan")

    @property
    def n_shown(self) -> int:
        """How many people stand in somebody's list."""
        return int(self.lists[C.CANDIDATE].nunique())

    @property
    def level(self) -> Level:
        """The highest answer of all gates."""
        return max((result.level for result in self.gates), default=Level.PASS)

    @property
    def last_published(self) -> PastNight | None:
        """The publication before this night, None when this is the first."""
        return next((past for past in reversed(self.history[:-1]) if past.published), None)

    @property
    def violations(self) -> int | None:
        """Pairs that may not meet, None when nobody counted."""
        for result in self.gates:
            if result.gate == "violations":
                return int(result.numbers.get("count", 0))
        return None
