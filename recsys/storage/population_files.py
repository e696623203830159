"""A `Population` as plain files: arrays by the dataclass codec, and one Parquet frame a long table."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.catalogue import catalogue_from_json, catalogue_json
from recsys.data.absent_accounts import AbsentAccounts
from recsys.data.exclusions import Relations
from recsys.data.ids import IdIndex, packed_strings, unpacked_strings
from recsys.data.population import CodedColumn, CodedSetColumn, LongTables, Population
from recsys.errors import SourceError, explained
from recsys.storage.arrays import INDEX
from recsys.storage.atomic_write import sha256_of
from recsys.storage.dataclass_codec import load_dataclass, save_dataclass
from recsys.storage.parquet_frames import read_frame, write_frame
from recsys.types import BoolArray, Int32Array, Int64Array, ObjectArray, UInt8Array, UInt64Array

_LONG: Final = tuple(LongTables.__dataclass_fields__)


@dataclass(frozen=True, eq=False)
class PackedTexts:
    """Texts, some unknown, as the bytes of the known ones one after another."""

    text: npt.NDArray[Any]
    ends: Int64Array
    is_known: BoolArray

    @classmethod
    def of(cls, values: ObjectArray) -> Self:
        """Pack texts; None is unknown."""
        known = np.asarray(pd.notna(values), bool)
        return cls(*packed_strings(values[known]), known)

    def values(self) -> ObjectArray:
        """Return the texts, None where unknown."""
        values = np.full(len(self.is_known), None, dtype=object)
        values[self.is_known] = unpacked_strings(self.text, self.ends)
        return values


@dataclass(frozen=True, eq=False)
class StoredPopulation:
    """The arrays of a population as they are stored.

    made_from: what it was built from; frames: the hash of each long table. Mappings come back in the order
    of their keys, so the names are stored in their own order as well. catalogue: JSON, as bytes.
    """

    made_from: str
    as_of: pd.Timestamp
    source: str
    frames: Mapping[str, str]
    ids: PackedTexts
    zones: PackedTexts
    person_tokens: PackedTexts
    coded_names: tuple[str, ...]
    coded: Mapping[str, CodedColumn]
    coded_set_names: tuple[str, ...]
    coded_sets: Mapping[str, CodedSetColumn]
    counted_names: tuple[str, ...]
    counted: Mapping[str, Int32Array]
    cells: UInt64Array
    has_boundaries: BoolArray
    held: BoolArray
    relations: Relations
    catalogue: UInt8Array
    absent_account: PackedTexts
    absent_token: PackedTexts
    absent_stop: PackedTexts
    absent_pairs: PackedTexts
    absent_reason: PackedTexts
    absent_circles: PackedTexts


def write_people(people: Population, folder: Path, *, made_from: str = "") -> None:
    """Write everybody to `folder`; `made_from` names what they were built from.

    The index with all hashes is written last, so a folder left half written cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    frames = {}
    for name in _LONG:
        write_frame(folder / f"{name}.parquet", getattr(people.long, name))
        frames[name] = sha256_of(folder / f"{name}.parquet")
    stored = StoredPopulation(
        made_from=made_from,
        as_of=people.as_of,
        source=people.source,
        frames=frames,
        ids=PackedTexts.of(people.ids.values),
        zones=PackedTexts.of(people.zones),
        person_tokens=PackedTexts.of(people.person_tokens),
        coded_names=tuple(people.coded),
        coded=people.coded,
        coded_set_names=tuple(people.coded_sets),
        coded_sets=people.coded_sets,
        counted_names=tuple(people.counted),
        counted=people.counted,
        cells=people.cells,
        has_boundaries=people.has_boundaries,
        held=people.held,
        relations=people.relations,
        catalogue=np.frombuffer(catalogue_json(people.catalogue), np.uint8),
        absent_account=PackedTexts.of(people.absent.account),
        absent_token=PackedTexts.of(people.absent.token),
        absent_stop=PackedTexts.of(people.absent.stop),
        absent_pairs=PackedTexts.of(people.absent.pairs.ravel()),
        absent_reason=PackedTexts.of(people.absent.reason),
        absent_circles=PackedTexts.of(people.absent.circles.ravel()),
    )
    save_dataclass(folder, stored)


def made_from(folder: Path) -> str | None:
    """Return what the people in `folder` were built from, None when nobody is there in full."""
    try:
        meta = json.loads((folder / INDEX).read_bytes())["meta"]
        return str(meta["scalars"]["made_from"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def read_people(folder: Path, *, tables: bool = True) -> Population:
    """Read what `write_people` wrote; arrays are mapped, not copied.

    tables: with the tables of several rows a person, which take most of the memory; without rows otherwise.

    Raises SourceError when a file is missing, damaged, or of another format.
    """
    stored = load_dataclass(StoredPopulation, folder)
    for name, expected in stored.frames.items() if tables else ():
        path = folder / f"{name}.parquet"
        if not path.is_file() or sha256_of(path) != expected:
            remedy = "the file was damaged or changed; make it anew"
            raise SourceError(explained("a table does not match its hash", where=str(path), remedy=remedy))
    return Population(
        ids=IdIndex(stored.ids.values().tolist()),
        as_of=stored.as_of,
        coded=MappingProxyType({name: stored.coded[name] for name in stored.coded_names}),
        coded_sets=MappingProxyType({name: stored.coded_sets[name] for name in stored.coded_set_names}),
        counted=MappingProxyType({name: stored.counted[name] for name in stored.counted_names}),
        cells=stored.cells,
        zones=stored.zones.values(),
        person_tokens=stored.person_tokens.values(),
        has_boundaries=stored.has_boundaries,
        held=stored.held,
        long=LongTables(**{name: read_frame(folder / f"{name}.parquet") for name in _LONG})
        if tables
        else LongTables.empty(),
        relations=stored.relations,
        source=stored.source,
        catalogue=catalogue_from_json(stored.catalogue.tobytes()),
        absent=AbsentAccounts(
            stored.absent_account.values(),
            stored.absent_token.values(),
            stored.absent_stop.values(),
            stored.absent_pairs.values().reshape(-1, 2),
            stored.absent_reason.values(),
            stored.absent_circles.values().reshape(-1, 2),
        ),
    )
