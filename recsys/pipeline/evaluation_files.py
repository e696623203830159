"""The files an evaluation of a night is kept as, and the small ones that DVC shows as metrics and plots."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from recsys.pipeline.paths import NightPaths
from recsys.storage.atomic_write import write_atomically

_LIMITS = ("value", "lo", "hi", "random")
_PLOTTED = ("mutual ndcg@10", "mutual auc", "like auc")
_CALIBRATION = ("direction", "predicted", "observed", "lo", "hi", "pairs")


def write_evaluation(found: Mapping[str, Any], model: str, paths: NightPaths) -> None:
    """Write what `evaluate_night` returned, and what DVC shows of it; none of it names anybody.

    model: the name of the night's own model. An evaluation that says why it could not be made leaves metrics
    without a number and plots without a row.
    """
    write_atomically(paths.evaluation, json.dumps(found, indent=1, ensure_ascii=False).encode() + b"\n")
    metrics = own_metrics(found, model)
    write_atomically(paths.dvc_metrics, json.dumps(metrics, indent=1).encode() + b"\n")
    paths.dvc_plots.mkdir(exist_ok=True)
    for name, table in plot_tables(found).items():
        text = table.to_csv(index=False, lineterminator="\n")
        write_atomically(paths.dvc_plots / f"{name}.csv", text.encode())


def own_metrics(found: Mapping[str, Any], model: str) -> dict[str, Any]:
    """Return the metrics of one model for everybody: target -> metric -> value, lo, hi, random.

    >>> row = {"slice": "all", "model": "hybrid", "target": "like", "metric": "auc", "value": 0.7}
    >>> own_metrics({"evaluated_people": 9, "measures": [row]}, "hybrid")
    {'evaluated_people': 9, 'like': {'auc': {'value': 0.7}}}
    """
    metrics: dict[str, Any] = {
        name: found[name] for name in ("evaluated_people", "answered_after", "shown_after") if name in found
    }
    for row in _of_everybody(found):
        if row["model"] == model:
            limits = {name: row[name] for name in _LIMITS if row.get(name) is not None}
            metrics.setdefault(str(row["target"]), {})[str(row["metric"])] = limits
    return metrics


def plot_tables(found: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Return the tables of the plots: every model's metrics, and the calibration of the night's own.

    >>> {name: len(table) for name, table in plot_tables({"not_evaluated": "nothing"}).items()}
    {'models': 0, 'calibration': 0}
    """
    values = {
        (row["model"], f"{row['target']} {row['metric']}"): row["value"] for row in _of_everybody(found)
    }
    models = list(dict.fromkeys(model for model, _ in values))
    rows = [{"model": model, **{name: values.get((model, name)) for name in _PLOTTED}} for model in models]
    renamed = {"said": "predicted", "happened": "observed"}
    calibration = pd.DataFrame(found.get("reliability", [])).rename(columns=renamed)
    return {
        "models": pd.DataFrame(rows, columns=["model", *_PLOTTED]),
        "calibration": calibration.reindex(columns=list(_CALIBRATION)),
    }


def _of_everybody(found: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    return (row for row in found.get("measures", []) if row["slice"] == "all")
