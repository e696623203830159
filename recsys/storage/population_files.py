"""Everybody as plain files: arrays and frames that read back as the same `Population`."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.data.exclusions import Relations
from recsys.data.ids import IdIndex, packed_strings, unpacked_strings
from recsys.data.population import CodedColumn, CodedSetColumn, LongTables, Population
from recsys.errors import SourceError, explained
from recsys.storage.arrays import load_arrays, save_arrays
from recsys.storage.atomic_write import sha256_of
from recsys.storage.parquet_frames import read_frame, write_frame

_LONG: Final = tuple(LongTables.__dataclass_fields__)


def write_people(people: Population, folder: Path, *, made_from: str = "") -> None:
    """Write everybody to `folder`; `made_from` names what they were built from, for `people_of`.

    The index with all hashes is written last, so a folder left half written cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    frames = {}
    for name in _LONG:
        write_frame(folder / f"{name}.parquet", getattr(people.long, name))
        frames[name] = sha256_of(folder / f"{name}.parquet")
    arrays: dict[str, npt.NDArray[Any]] = {
        "cells": people.cells,
        "has_boundaries": people.has_boundaries,
        "held": people.held,
        "excluded": people.relations.excluded,
        "reason": people.relations.reason,
        "liked": people.relations.liked,
        "suggestible": people.relations.suggestible,
    }
    arrays |= _packed("ids", people.ids.values)
    arrays |= _packed("zones", people.zones) | _packed("person_tokens", people.person_tokens)
    arrays |= {f"coded.{name}": column.codes for name, column in people.coded.items()}
    arrays |= {f"bits.{name}": column.bits for name, column in people.coded_sets.items()}
    arrays |= {f"known.{name}": column.known for name, column in people.coded_sets.items()}
    arrays |= {f"counted.{name}": column for name, column in people.counted.items()}
    meta = {
        "made_from": made_from,
        "as_of": people.as_of.isoformat(),
        "source": people.source,
        "coded": [[name, list(column.words)] for name, column in people.coded.items()],
        "coded_sets": [[name, list(column.words)] for name, column in people.coded_sets.items()],
        "counted": list(people.counted),
        "frames": frames,
    }
    save_arrays(folder, arrays, meta)


def made_from(folder: Path) -> str | None:
    """Return what the people in `folder` were built from, None when nobody is there in full."""
    try:
        meta = json.loads((folder / "arrays.json").read_bytes())["meta"]
        return str(meta["made_from"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def read_people(folder: Path) -> Population:
    """Read what `write_people` wrote; arrays are mapped, not copied.

    Raises SourceError when a file is missing, damaged, or of another format.
    """
    arrays, meta = load_arrays(folder)
    try:
        return _people(folder, arrays, meta)
    except (KeyError, TypeError) as error:
        raise SourceError(
            explained("not people this package wrote", where=str(folder), got=str(error))
        ) from error


def _people(folder: Path, arrays: Mapping[str, npt.NDArray[Any]], meta: Mapping[str, Any]) -> Population:
    for name, expected in meta["frames"].items():
        path = folder / f"{name}.parquet"
        if not path.is_file() or sha256_of(path) != expected:
            remedy = "the file was damaged or changed; make it anew"
            raise SourceError(explained("a table does not match its hash", where=str(path), remedy=remedy))
    coded = {name: CodedColumn(tuple(words), arrays[f"coded.{name}"]) for name, words in meta["coded"]}
    sets = {
        name: CodedSetColumn(tuple(words), arrays[f"bits.{name}"], arrays[f"known.{name}"])
        for name, words in meta["coded_sets"]
    }
    return Population(
        ids=IdIndex(_unpacked("ids", arrays).tolist()),
        as_of=pd.Timestamp(meta["as_of"]),
        coded=MappingProxyType(coded),
        coded_sets=MappingProxyType(sets),
        counted=MappingProxyType({name: arrays[f"counted.{name}"] for name in meta["counted"]}),
        cells=arrays["cells"],
        zones=_unpacked("zones", arrays),
        person_tokens=_unpacked("person_tokens", arrays),
        has_boundaries=arrays["has_boundaries"],
        held=arrays["held"],
        long=LongTables(**{name: read_frame(folder / f"{name}.parquet") for name in _LONG}),
        relations=Relations(arrays["excluded"], arrays["reason"], arrays["liked"], arrays["suggestible"]),
        source=meta["source"],
    )


def _packed(name: str, values: npt.NDArray[np.object_]) -> dict[str, npt.NDArray[Any]]:
    known = np.asarray(pd.notna(values), bool)
    text, ends = packed_strings(values[known])
    return {f"{name}.text": text, f"{name}.ends": ends, f"{name}.is_known": known}


def _unpacked(name: str, arrays: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[np.object_]:
    known = arrays[f"{name}.is_known"]
    values = np.full(len(known), None, dtype=object)
    values[known] = unpacked_strings(arrays[f"{name}.text"], arrays[f"{name}.ends"])
    return values
