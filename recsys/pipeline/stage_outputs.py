"""People and events as the validation accepted them, kept so that no later step checks the tables again.

What was refused decides who is kept apart, and that is in the people already: whom to hold, and which
pairs are separated. The files are bound to the very tables, time and code they were made from; when any
of these changed they are not used, and the tables are checked again.
"""

import json
import shutil
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from recsys.catalogue.columns import Columns as C
from recsys.data.events import CodedEvents, Events
from recsys.data.ids import IdIndex
from recsys.data.population import Population
from recsys.errors import SourceError, explained
from recsys.features.feature_map import FeatureMap
from recsys.pipeline.fingerprint import text_fingerprint
from recsys.pipeline.gates.proposal import Calibration
from recsys.storage.arrays import load_arrays, save_arrays
from recsys.storage.atomic_write import write_atomically
from recsys.storage.dataclass_codec import load_dataclass, save_dataclass
from recsys.storage.parquet_frames import (
    count_rows,
    read_coded_events,
    read_compact_events,
    read_frame,
    write_frame,
)
from recsys.storage.population_files import made_from, read_people, write_people
from recsys.types import Float32Array

_PEOPLE = "people"
_EVENTS = "events.parquet"
_COUNTS = "row_counts.json"


def write_accepted(
    folder: Path,
    people: Callable[[], Population],
    events: Events,
    *,
    fingerprint: str,
    row_counts: Mapping[str, Mapping[str, int]] = MappingProxyType({}),
) -> None:
    """Keep everybody and everything that happened; people come last, so that a part counts as nothing.

    people: makes everybody, while a thread writes the events.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_atomically(folder / _COUNTS, json.dumps({n: dict(c) for n, c in row_counts.items()}).encode())
    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(write_frame, folder / _EVENTS, events.compact().frame)
        made = people()
        written.result()
    write_people(made, folder / _PEOPLE, made_from=fingerprint)


def is_accepted(folder: Path, fingerprint: str) -> bool:
    """Say whether `folder` holds in full what was made from the inputs of `fingerprint`."""
    return made_from(folder / _PEOPLE) == fingerprint


def read_row_counts(folder: Path) -> dict[str, dict[str, int]]:
    """Return what the validation counted by table.

    Raises SourceError when the file is damaged.
    """
    try:
        found: dict[str, dict[str, int]] = json.loads((folder / _COUNTS).read_bytes())
    except (OSError, ValueError) as error:
        remedy = "run the validation again"
        raise SourceError(
            explained("the counts of the tables cannot be read", where=str(folder), remedy=remedy)
        ) from error
    return found


def read_accepted_people(folder: Path, *, tables: bool = True) -> Population:
    """Return everybody; without their tables of several rows a person where these are not needed.

    Raises SourceError when a file is damaged.
    """
    return read_people(folder / _PEOPLE, tables=tables)


def read_accepted_events(
    folder: Path, types: Collection[str] | None = None, columns: Collection[str] | None = None
) -> Events:
    """Return everything that happened, compact as in `Events.compact`, or the events of some types.

    columns: what is read of events of some types; all when None.

    Raises SourceError when the file is damaged.
    """
    if types is None:
        return read_compact_events(folder / _EVENTS)
    return Events(read_frame(folder / _EVENTS, only=(C.TYPE, types), columns=columns))


def read_accepted_coded(folder: Path, *, counts: bool = True) -> CodedEvents:
    """Return the same as arrays, without a text for each event; counts: see `read_coded_events`.

    Raises SourceError when the file is damaged.
    """
    return read_coded_events(folder / _EVENTS, counts=counts)


def count_accepted_events(folder: Path) -> int:
    """Return how many events there are.

    Raises SourceError when the file is damaged.
    """
    return count_rows(folder / _EVENTS)


def write_features(features: FeatureMap, folder: Path) -> None:
    """Write fitted blocks as plain arrays."""
    save_dataclass(folder, features)


def read_features(folder: Path) -> FeatureMap:
    """Read the fitted blocks that `write_features` wrote."""
    return load_dataclass(FeatureMap, folder)


def read_calibration(path: Path, model: str) -> Calibration | None:
    """Return the calibration error of a model from an evaluation, None when too little happened to tell.

    path: the file the evaluation wrote; model: the name of the model that made the lists.
    Raises SourceError when the file cannot be read or evaluates other models: a gate must not pass
    because nobody looked.
    """
    remedy = "make it with recsys evaluate, with the settings the model was trained with"
    try:
        found = json.loads(path.read_bytes())
        if "not_evaluated" in found:
            return None
        rows = [row for row in found["measures"] if row["model"] == model and row["slice"] == "all"]
        errors = [row for row in rows if (row["metric"], row.get("target")) == ("ece", "like")]
        known = [row for row in errors if row["value"] is not None]
        n_answers = int(found["answered_after"])
        calibrations = [
            Calibration(float(row["value"]), float(row["lo"]), float(row["hi"]), int(row["n"]), n_answers)
            for row in known
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SourceError(
            explained("not an evaluation", where=str(path), got=repr(error), remedy=remedy)
        ) from error
    if not rows:
        raise SourceError(explained(f"no evaluation of '{model}'", where=str(path), remedy=remedy))
    return calibrations[0] if calibrations else None


_PRICES: Final = "prices"
_OF_PEOPLE: Final = "people"
FIGURES: Final = "figures.json"


def write_allocation(folder: Path, prices: Float32Array, figures: Mapping[str, Any], *, ids: IdIndex) -> None:
    """Write figures for the report and the price of everybody's attention, `(n_people,)`.

    ids: whose prices these are. Prices come last, so that a folder left half written cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / FIGURES, json.dumps(figures, indent=1).encode() + b"\n")
    save_arrays(folder, {_PRICES: prices}, {_OF_PEOPLE: _ids_fingerprint(ids)})


def read_prices(folder: Path, ids: IdIndex) -> Float32Array:
    """Read the price of everybody's attention, `(n_people,)` float32, in the order of `ids`.

    Raises SourceError when it is missing or damaged, or the prices are those of other people.
    """
    arrays, meta = load_arrays(folder)
    if meta.get(_OF_PEOPLE) != _ids_fingerprint(ids):
        remedy = "allocate the lists again, or publish with the tables they were made from"
        raise SourceError(explained("these prices are of other people", where=str(folder), remedy=remedy))
    return np.asarray(arrays[_PRICES], np.float32)


def _ids_fingerprint(ids: IdIndex) -> str:
    return text_fingerprint("\n".join(ids.values))
