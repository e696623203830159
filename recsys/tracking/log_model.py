"""One line for a notebook: a fitted model, its metrics and what it learned from become a run."""

import tempfile
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from recsys.arguments import checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.config import Section
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.errors import InputError, explained
from recsys.models.base import Model
from recsys.tracking.mlflow_tracker import MlflowRun, MlflowStore, load_mlflow, unwarned
from recsys.tracking.registry import write_served

_LIMITS: Final = ("value", "lo", "hi")


@checked_arguments
def log(
    model: Model,
    table: pd.DataFrame | None = None,
    *,
    people: Population | None = None,
    events: Events | None = None,
    store: str | Path | None = None,
    experiment: str = "recsys",
    name: str | None = None,
    combiner: str = "product",
) -> str:
    """Keep a fitted model and its metrics as a run of MLflow; return the id of the run.

    model: its parameters as they were in effect, its arrays, and a form that `mlflow models serve` loads in
           an empty environment: it takes viewer_id and candidate_id and returns the probabilities.
    table: what `evaluate`, `compare`, `cross_validate` or `off_policy` returned; metrics of everybody with
           their intervals (`ndcg_at_10`, `ndcg_at_10/lo`), those of other models as `baseline/MODEL/...`, and
           the whole table as a file.
    people, events: what the model learned from, kept as inputs by a hash of their content, never as rows.
    store: a folder, or an address such as http://tracking:5000; where `mlflow.set_tracking_uri` or
           MLFLOW_TRACKING_URI points when None. A run that is active there is logged into.

    Raises NotFittedError for a model without a fit, TrackingError when the store cannot be used.

    >>> import recsys
    >>> people = recsys.Population.of_ids(["a", "b"], as_of="2026-01-05")
    >>> model = recsys.RandomModel().fit(people, recsys.Events.none(), rng=7)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     len(recsys.tracking.log(model, people=people, store=folder))
    32
    """
    fitted = model.fitted
    metrics = {} if table is None else dict(_metrics(table, model.name))
    mlflow = load_mlflow()
    place = MlflowStore(mlflow.get_tracking_uri()) if store is None else MlflowStore.at(store)
    active = mlflow.active_run() if store is None else None
    with place.errors_explained():
        if active is None:
            started = place.client.create_run(place.experiment_id(experiment), run_name=name or model.name)
        run = MlflowRun(place, str((active or started).info.run_id))
    run.params(dict(_parameters(model)))
    run.metrics({"people": float(len(fitted)), "fitted_factors": float(fitted.n_factors)})
    if table is not None:
        run.metrics(metrics)
        run.table("metrics", table)
    _log_inputs(place, mlflow, run.run_id, {"people": people, "events": events})
    with tempfile.TemporaryDirectory() as aside, place.errors_explained():
        model.save(Path(aside) / "arrays")
        write_served(Path(aside) / "model", Path(aside) / "arrays", combiner=combiner)
        run.file(Path(aside) / "model", "model")
    if active is None:
        with place.errors_explained():
            place.client.set_terminated(run.run_id, status="FINISHED")
    return run.run_id


def _parameters(model: Model) -> Iterator[tuple[str, object]]:
    yield "model", model.name
    for name, value in model.get_params().items():
        if not isinstance(value, Section):
            yield name, int(value) if isinstance(value, float) and value.is_integer() else value


def _metrics(table: pd.DataFrame, own: str) -> Iterator[tuple[str, float]]:
    rows = table[table["slice"] == "all"] if "slice" in table else table
    name_column = "metric" if "metric" in table else "estimator"
    if not {name_column, "value"} <= set(table):
        remedy = "give what evaluate, compare, cross_validate or off_policy returned"
        got = ", ".join(map(str, table.columns[:6]))
        raise InputError(explained("no table of metrics", where="tracking.log", got=got, remedy=remedy))
    for row in rows.to_dict("records"):
        model = str(row.get("model", own))
        prefix = "" if model in {own, ""} else f"baseline/{model}/"
        share = f"share_{row['share']:g}/" if "share" in row else ""
        for limit in _LIMITS:
            if limit in row:
                end = "" if limit == "value" else f"/{limit}"
                yield f"{prefix}{share}{row[name_column]}{end}", float(row[limit])


def _log_inputs(store: MlflowStore, mlflow: Any, run_id: str, given: dict[str, Any]) -> None:
    inputs = []
    for name, value in given.items():
        if value is not None:
            source = f"recsys://{content_hash(value)}"
            dataset = mlflow.entities.Dataset(
                name, content_hash(value)[:36], "recsys", source, profile=repr(value)
            )
            inputs.append(mlflow.entities.DatasetInput(dataset, []))
    if inputs:
        with store.errors_explained(), unwarned():
            store.client.log_inputs(run_id, inputs)


def content_hash(given: Population | Events) -> str:
    """Return a hash of who and what is in a population or an event log; equal content, equal hash.

    >>> a, b, c = (content_hash(Population.of_ids([name], as_of="2026-01-05")) for name in "aab")
    >>> a == b, a == c
    (True, False)
    """
    found = blake2b(digest_size=16)
    if isinstance(given, Events):
        _add_table(found, given.frame[[C.ACTOR, C.TARGET, C.TYPE, C.TS]])
        return found.hexdigest()
    found.update(str(given.as_of).encode())
    columns: dict[str, Any] = {name: coded.codes for name, coded in given.coded.items()} | dict(given.counted)
    columns |= {C.USER: given.ids.ids(np.arange(len(given))), C.CELL: given.cells}
    _add_table(found, pd.DataFrame(columns))
    for name in sorted(given.coded_sets):
        found.update(name.encode() + np.ascontiguousarray(given.coded_sets[name].bits).tobytes())
    for name in sorted(given.long.__dataclass_fields__):
        _add_table(found, getattr(given.long, name))
    return found.hexdigest()


def _add_table(found: Any, table: pd.DataFrame) -> None:
    for name in sorted(map(str, table.columns)):
        column = table[name]
        as_text = column.map(repr) if column.dtype == object and name != C.USER else column
        found.update(name.encode() + pd.util.hash_pandas_object(as_text, index=False).to_numpy().tobytes())
