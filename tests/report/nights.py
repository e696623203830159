"""Nights to render: a full one, and one of which little is known."""

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.constraints.policy import Policy
from recsys.evaluation.calibration import reliability_table
from recsys.pipeline.gates import GateResult, Level
from recsys.pipeline.history import PastNight
from recsys.report.night_summary import NightSummary

GATES = (
    GateResult("platform", Level.PASS, "all platform conditions are declared"),
    GateResult("violations", Level.PASS, "none among 6 pairs", {"count": 0}),
    GateResult("lengths", Level.PASS, "0.0% of 4 lists", {"short": 0.25, "empty": 0.25, "mean": 1.5}),
    GateResult("rows", Level.WARN, "6, last night 8 (75.0%)", {"now": 6, "last": 8}),
)


def lists_of(*rows: tuple[str, str, int, float, list[str]]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=[C.VIEWER, C.CANDIDATE, C.RANK, C.P_MUTUAL, C.REASONS])


def three_lists() -> pd.DataFrame:
    return lists_of(
        ("a", "b", 1, 0.4, ["interest:photography", "listens:work_worries"]),
        ("a", "c", 2, 0.3, ["answer:promise", "circle"]),
        ("a", "d", 3, 0.2, ["near"]),
        ("b", "a", 1, 0.4, []),
        ("b", "c", 2, 0.1, ["near"]),
        ("c", "a", 1, 0.3, ["circle"]),
    )


def measures() -> pd.DataFrame:
    rows = [
        ("all", "content", "ndcg@5", 0.34, 0.32, 0.36, 444, 0.3),
        ("all", "random", "ndcg@5", 0.29, 0.27, 0.31, 444, 0.3),
        ("all", "content", "exposure_gini", 0.41, np.nan, np.nan, 4, np.nan),
        ("1-5", "content", "ndcg@5", 0.33, 0.2, 0.4, 12, 0.3),
    ]
    return pd.DataFrame(rows, columns=["slice", "model", "metric", "value", "lo", "hi", "n", "random"])


def funnel() -> pd.DataFrame:
    names = Policy.default().names
    left = [12 - 0.5 * at for at in range(1, len(names) + 1)]
    steps = {"constraint": names, "removed_alone": 1.0, "removed_in_order": 0.5, "left": left}
    return pd.DataFrame(steps)


def order(name: str, matches: float, reached: float, gini: float, gain: float) -> dict[str, object]:
    interval = {"gain": gain, "gain_lo": gain - 0.125, "gain_hi": gain + 0.125}
    return {"name": name, "matches": matches, "reached": reached, "gini": gini, **interval}


RUNS = ("20260103T030000Z-0a1b2c3d", "20260104T030000Z-0a1b2c3d", "20260105T030000Z-0a1b2c3d")


def past(at: int, *, listed: int, gini: float, published: bool = True, **changes: object) -> PastNight:
    known: dict[str, object] = {
        "run_id": RUNS[at],
        "created_at": f"2026-01-0{at + 3}T03:12:44+00:00",
        "data_as_of": f"2026-01-0{at + 3}T03:00:00+00:00",
        "published": published,
        "rows": 2 * listed,
        "levels": {"violations": "PASS" if published else "BLOCK", "rows": "WARN" if at == 2 else "PASS"},
        "numbers": {
            "violations": {"count": 0 if published else 7},
            "lengths": {"listed": listed, "empty": 0.25, "mean": 1.5},
            "exposure": {"value": gini},
        },
        "made_from": {"policy": "policy-123", "params": f"params-{at // 2}"},
    }
    return PastNight(**(known | changes))


def three_nights() -> tuple[PastNight, ...]:
    """The night before the last one, a refused one, and this one."""
    return (
        past(0, listed=8, gini=0.4),
        past(1, listed=2, gini=0.9, published=False),
        past(2, listed=4, gini=0.5),
    )


def full_night(**changes: object) -> NightSummary:
    known: dict[str, object] = {
        "run_id": "20260105T030000Z-0a1b2c3d",
        "data_as_of": "2026-01-05T03:00:00+00:00",
        "created_at": "2026-01-05T03:12:44+00:00",
        "source": "town",
        "lists": three_lists(),
        "n_people": 5,
        "n_listed": 4,
        "gates": GATES,
        "funnel": funnel(),
        "funnel_viewers": 3,
        "measures": measures(),
        "reliability": reliability_table([0, 0, 1, 0], [0.2, 0.2, 0.8, 0.8], n_bins=2),
        "tables": pd.DataFrame({"table": ["profiles"], "accepted": [5], "quarantined": [1]}),
        "allocation": {
            "error": 1.0,
            "people": 3,
            "full": 1,
            "rows": [
                order("random", 1.0, 0.25, 0.4, -0.5),
                order("naive", 1.5, 0.3, 0.6, -0.25),
                order("product", 2.0, 0.4, 0.5, 0.0),
                order("allocated", 3.0, 0.75, 0.2, 0.5),
            ],
        },
        "seconds": {"train": 2.5, "recommend": 1.25},
        "history": three_nights(),
        "night_seconds": {RUNS[0]: 60.0, RUNS[2]: 90.0},
        "made_from": {"model": "m0del", "policy": "policy-123", "data": "da7a"},
        "packages": {"numpy": "2.4.6"},
    }
    return NightSummary(**(known | changes))


def bare_night(**changes: object) -> NightSummary:
    known: dict[str, object] = {
        "run_id": "20260105T030000Z-00000000",
        "data_as_of": "2026-01-05T03:00:00+00:00",
        "created_at": "2026-01-05T03:00:00+00:00",
        "lists": lists_of(),
        "n_people": 0,
        "n_listed": 0,
    }
    return NightSummary(**(known | changes))
