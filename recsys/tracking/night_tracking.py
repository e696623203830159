"""Keeps a finished night: its settings, ids, measures with intervals, tables, page and model."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.errors import SourceError, explained
from recsys.pipeline.evaluation_data import read_evaluated_pairs, write_evaluated_pairs
from recsys.pipeline.gates.proposal import GateResult
from recsys.pipeline.history import read_gates
from recsys.pipeline.paths import NightPaths
from recsys.pipeline.stage_log import read_lines
from recsys.safety.fingerprints import Fingerprints, Naming
from recsys.safety.keys import Keys, read_keys
from recsys.settings import Settings, TrackingSettings
from recsys.storage.manifest import Manifest, read_manifest
from recsys.storage.publication import LISTS
from recsys.tracking.mlflow_tracker import MlflowStore, MlflowTracker
from recsys.tracking.registry import Registry
from recsys.tracking.tracker import NullTracker, TrackedRun


@dataclass(frozen=True, eq=False)
class FinishedNight:
    """A night that was published.

    measures:    slice, model, metric, value, lo, hi, n and target, as the evaluation wrote them.
    reliability: pairs, said, happened, lo, hi.
    evaluated_pairs: predictions and outcomes, see `recsys.pipeline.evaluation_data`.
    seconds:     how long each step took the last time it ran.
    model:       the folder of the fitted model; page: the page about the night.
    """

    settings: Settings
    manifest: Manifest
    exit_code: int
    model: Path
    measures: pd.DataFrame = field(default_factory=pd.DataFrame)
    reliability: pd.DataFrame = field(default_factory=pd.DataFrame)
    tables: pd.DataFrame = field(default_factory=pd.DataFrame)
    evaluated_pairs: pd.DataFrame = field(default_factory=pd.DataFrame)
    gates: tuple[GateResult, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    page: Path | None = None

    @classmethod
    def read(cls, settings: Settings, paths: NightPaths) -> Self:
        """Read the night in the work folder.

        Raises SourceError when a file of it is missing or not what its step writes.
        """
        outcome = _json(paths.outcome)
        folder = Path(outcome["folder"])
        evaluation = _json(paths.evaluation)
        return cls(
            settings=settings,
            manifest=read_manifest(folder),
            exit_code=int(outcome["exit_code"]),
            model=paths.model,
            measures=pd.DataFrame.from_records(evaluation.get("measures", [])),
            reliability=pd.DataFrame.from_records(evaluation.get("reliability", [])),
            tables=pd.DataFrame.from_records(_json(paths.validation).get("tables", [])),
            evaluated_pairs=read_evaluated_pairs(paths.evaluated_pairs),
            gates=tuple(read_gates(folder)),
            seconds=_seconds(paths.log),
            page=paths.report if paths.report.exists() else None,
        )


def _seconds(log: Path) -> dict[str, float]:
    return {str(line["stage"]): float(line["seconds"]) for line in read_lines(log)}


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        remedy = "run the night again"
        raise SourceError(explained("cannot read", where=str(path), got=str(error), remedy=remedy)) from error
    return dict(found)


EVALUATED_PAIRS: Final = "evaluated_pairs.parquet"
_ALL: Final = "all"
_LIMITS: Final = ("value", "lo", "hi")


@dataclass(frozen=True)
class TrackingResult:
    """Where a night is kept: its run, its model's version, and whether that version is new.

    run is empty and version None when nothing is kept; removed counts the old runs that went.
    """

    run: str
    version: int | None
    is_new: bool
    removed: int = 0


def track_night(night: FinishedNight) -> TrackingResult:
    """Keep a night as its settings say, make its model the challenger, and remove what is too old.

    Raises TrackingError when the store cannot be used.
    """
    chosen = night.settings.tracking
    if not chosen.enabled:
        with NullTracker().run(night.manifest.run_id, tags_of(night)) as nothing:
            log_night(nothing, night)
        return TrackingResult(nothing.run_id, None, is_new=False)
    tracker, registry = tracking_store(chosen)
    made_from = night.manifest.made_from
    with tracker.run(night.manifest.run_id, tags_of(night)) as run:
        log_night(run, night)
        version, is_new = registry.register(
            run,
            night.model,
            model_id=made_from.model,
            combiner=night.settings.recommend.combiner,
            tags={"night": night.manifest.run_id, "data_as_of": night.manifest.data_as_of},
        )
    removed = tracker.remove_old(chosen.keep, needed=registry.needed, max_mb=chosen.max_mb)
    registry.remove_of(removed)
    return TrackingResult(run.run_id, version.number, is_new, len(removed))


def tracking_store(chosen: TrackingSettings) -> tuple[MlflowTracker, Registry]:
    """Return the tracker and the registry of the settings; nothing is opened yet."""
    store = MlflowStore.at(chosen.store)
    return MlflowTracker(store, chosen.experiment), Registry(store, chosen.model)


def tags_of(night: FinishedNight) -> dict[str, str]:
    """Return what a night was made from, by name."""
    ids = {f"made_from.{name}": value for name, value in night.manifest.made_from.model_dump().items()}
    return {"night": night.manifest.run_id, "data_as_of": night.manifest.data_as_of} | ids


def log_night(run: TrackedRun, night: FinishedNight) -> None:
    """Say everything about a night to a run."""
    versions = {f"package.{name}": number for name, number in night.manifest.packages.items()}
    run.params(flattened(night.settings) | versions)
    run.metrics(dict(_numbers(night)))
    for name, rows in _tables(night):
        run.table(name, rows)
    if night.page is not None:
        run.file(night.page)
    if len(night.evaluated_pairs):
        with tempfile.TemporaryDirectory() as aside:
            write_evaluated_pairs(Path(aside) / EVALUATED_PAIRS, without_ids(night.evaluated_pairs))
            run.file(Path(aside) / EVALUATED_PAIRS)


def flattened(settings: Settings) -> dict[str, object]:
    """Return every setting by its dotted name.

    >>> flattened(Settings())["recommend.k"]
    20
    """
    return dict(_flat(settings.model_dump(mode="json"), ""))


def without_ids(pairs: pd.DataFrame, keys: Keys | None = None) -> pd.DataFrame:
    """Return judged pairs with a fingerprint in place of each id: equal people stay equal under one key.

    keys: of the service; None reads them, see `recsys.safety.keys`. Without any, whoever has a list of ids
    can tell whose the fingerprints are.

    >>> pair = pd.DataFrame({"viewer_id": ["a"], "candidate_id": ["b"]})
    >>> keyed = without_ids(pair, Keys((b"k" * 32,)))
    >>> len(keyed["viewer_id"][0]), keyed["viewer_id"][0] == without_ids(pair, Keys())["viewer_id"][0]
    (16, False)
    """
    given = read_keys() if keys is None else keys
    prints_of = Fingerprints(Naming(given.newest_id), given).text
    people = pd.unique(pd.concat([pairs[C.VIEWER], pairs[C.CANDIDATE]]))
    prints = {person: prints_of(str(person)) for person in people}
    return pairs.assign(**{name: pairs[name].map(prints) for name in (C.VIEWER, C.CANDIDATE)})


def _flat(values: Mapping[str, Any], above: str) -> Iterator[tuple[str, object]]:
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _numbers(night: FinishedNight) -> Iterator[tuple[str, float]]:
    """Yield every number worth a line over the nights, by name."""
    yield "rows", float(night.manifest.files[LISTS].rows or 0)
    yield "exit_code", float(night.exit_code)
    for gate in night.gates:
        yield f"gate/{gate.gate}/level", float(gate.level)
        for name, value in gate.numbers.items():
            if isinstance(value, int | float):
                yield f"gate/{gate.gate}/{name}", float(value)
    for step, seconds in night.seconds.items():
        yield f"seconds/{step}", seconds
    for row in night.tables.to_dict("records"):
        yield f"rows/{row['table']}/accepted", float(row["accepted"])
        yield f"rows/{row['table']}/quarantined", float(row["quarantined"])
    for row in _measured(night, _ALL).to_dict("records"):
        name = f"{row['target']}/{row['metric']}"
        if row["model"] != night.settings.model.name:
            name = f"baseline/{row['model']}/{name}"
        for limit in _LIMITS:
            if row.get(limit) is not None:
                yield name if limit == "value" else f"{name}/{limit}", float(row[limit])


def _tables(night: FinishedNight) -> Iterator[tuple[str, pd.DataFrame]]:
    if len(night.measures):
        yield "measures", night.measures
        for name in pd.unique(night.measures["slice"]):
            yield f"slices/{name}", _measured(night, str(name)).drop(columns="slice")
    if len(night.reliability):
        yield "reliability", night.reliability
    if len(night.tables):
        yield "accepted", night.tables


def _measured(night: FinishedNight, slice_name: str) -> pd.DataFrame:
    if not len(night.measures):
        return night.measures
    known = night.measures if "target" in night.measures else night.measures.assign(target="mutual")
    return known[known["slice"] == slice_name]
