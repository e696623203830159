"""Arrays as `.npy` files beside one JSON index with their hashes; no pickle is written or read."""

import hashlib
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from recsys.errors import SourceError, explained
from recsys.storage.atomic_write import atomic_file, sha256_of, sync_folder, write_atomically

INDEX: Final = "arrays.json"
FORMAT: Final = 1
_NAME = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")


def save_arrays(
    folder: str | Path, arrays: Mapping[str, npt.NDArray[Any]], meta: Mapping[str, Any] | None = None
) -> None:
    """Write each array to `NAME.npy` in `folder`, and `meta` with all hashes to the index, last.

    The same arrays give the same bytes. Raises SourceError for a name that is no file name and for
    arrays of Python objects.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    entries = {}
    for name in sorted(arrays):
        array = np.asarray(arrays[name], order="C")
        if not _NAME.fullmatch(name):
            raise SourceError(explained("not a name for an array", got=name, remedy="use a-z, 0-9, _ and ."))
        if array.dtype.hasobject:
            remedy = "turn it into numbers or fixed-width text first"
            raise SourceError(
                explained(f"array '{name}' holds Python objects", got=array.dtype, remedy=remedy)
            )
        with atomic_file(folder / f"{name}.npy", folder_is_synced=False) as file:
            np.save(file, array, allow_pickle=False)
        entries[name] = {
            "sha256": sha256_of(folder / f"{name}.npy"),
            "shape": list(array.shape),
            "dtype": array.dtype.str,
        }
    sync_folder(folder)  # every array is in place before the index tells of it
    index = {"format": FORMAT, "meta": dict(meta or {}), "arrays": entries}
    index["check"] = _check(index)
    text = json.dumps(index, ensure_ascii=False, allow_nan=False, indent=1, sort_keys=True)
    write_atomically(folder / INDEX, text.encode() + b"\n")


def load_arrays(
    folder: str | Path, *, mmap: bool | Literal["c"] = True, verify: bool = True
) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
    """Read the arrays of `folder` and their meta; `mmap` maps the files read-only instead of copying.

    mmap="c" maps copy-on-write: files cannot change and processes share their memory, but compiled
    kernels see the same type of array as in memory.

    Raises SourceError when a file is missing, does not match its hash, or comes from a newer format.
    """
    folder = Path(folder)
    index = _index(folder)
    arrays = {}
    mode: Literal["r", "c"] = "c" if mmap == "c" else "r"
    for name, entry in index["arrays"].items():
        path = folder / f"{name}.npy"
        if not _NAME.fullmatch(name) or not path.is_file():
            raise SourceError(explained("an array is missing", where=str(folder), got=name))
        if verify and sha256_of(path) != entry["sha256"]:
            remedy = "the file was damaged or changed; make it anew"
            raise SourceError(explained("an array does not match its hash", where=str(path), remedy=remedy))
        mapped = mmap and 0 not in entry["shape"]  # an empty file cannot be mapped
        try:
            found = _mapped(path, entry, mode) if mapped else np.load(path, allow_pickle=False)
        except (ValueError, EOFError, OSError) as error:
            raise SourceError(
                explained("not an array file", where=str(path), got=str(error), remedy="make it anew")
            ) from error
        if list(found.shape) != entry["shape"] or found.dtype.str != entry["dtype"]:
            got, remedy = f"{found.dtype} {found.shape}", "make it anew"
            raise SourceError(
                explained("another array than the index says", where=str(path), got=got, remedy=remedy)
            )
        arrays[name] = np.asarray(found) if mode == "c" else found
    return arrays, index["meta"]


def _mapped(path: Path, entry: Mapping[str, Any], mode: Literal["r", "c"]) -> npt.NDArray[Any]:
    """Map a file that begins as its entry says; numpy reads any other, and parses how it begins."""
    shape = tuple(entry["shape"])
    begin = _begin_of_file(entry["dtype"], shape)
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - many small files are opened
        if begin and file.read(len(begin)) == begin:
            return np.memmap(file, entry["dtype"], mode, len(begin), shape)
    return np.load(path, mmap_mode=mode, allow_pickle=False)


@lru_cache(maxsize=4096)
def _begin_of_file(dtype: str, shape: tuple[int, ...]) -> bytes:
    """Return the bytes before the values of such an array; none for one that is not mapped as it is."""
    if not re.fullmatch(r"[<>|=][biufcSU]\d+", dtype):
        return b""
    written = BytesIO()
    np.lib.format.write_array_header_1_0(written, {"descr": dtype, "fortran_order": False, "shape": shape})
    return written.getvalue()


def _index(folder: Path) -> dict[str, Any]:
    path = folder / INDEX
    try:
        index = json.loads(path.read_bytes())
    except OSError as error:
        raise SourceError(explained("cannot read arrays", where=str(path), got=error.strerror)) from error
    except ValueError as error:
        raise SourceError(explained("the index of the arrays is damaged", where=str(path))) from error
    if not isinstance(index, dict) or index.get("format") != FORMAT:
        got = index.get("format") if isinstance(index, dict) else index
        raise SourceError(
            explained(
                "unknown format of arrays", where=str(path), got=got, remedy=f"this reads format {FORMAT}"
            )
        )
    if index.get("check") != _check(index):
        remedy = "the file was damaged or changed; make the folder anew"
        raise SourceError(explained("the index of the arrays is damaged", where=str(path), remedy=remedy))
    return index


def _check(index: Mapping[str, Any]) -> str:
    """Return the hash of everything else in the index: a changed word in it is found as any other."""
    rest = {key: value for key, value in index.items() if key != "check"}
    text = json.dumps(rest, ensure_ascii=True, allow_nan=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
