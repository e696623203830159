"""Whose ids a file holds, whatever kind of file of this package it is."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from recsys.schema.strings import unpacked_strings
from recsys.storage.erasures import Erased

_WORD: Final = re.compile(r"[\w-]+")
_PACKED: Final = "text"
_ENDS: Final = "ends"


def names_erased(folder: Path, erased: Erased) -> list[Path]:
    """Return the files under `folder` that hold the id of somebody who asked to be erased.

    A file that cannot be read is among them: what it holds is not known.
    """
    if not len(erased):
        return []
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and file_names(path, erased)]


def names_any_erased(folder: Path, erased: Erased) -> bool:
    """Say whether any file under `folder` does; small files first, the first hit ends it."""
    if not len(erased):
        return False
    files = sorted(
        (path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size
    )
    return any(file_names(path, erased) for path in files)


def file_names(path: Path, erased: Erased) -> bool:
    """Say whether one file holds the id, or the fingerprint, of somebody who asked to be erased."""
    look = _LOOKS.get(path.suffix, _in_text)
    try:
        return any(_hit(word, erased) for word in look(path))
    except (OSError, ValueError, KeyError):
        return True


def _hit(words: list[str], erased: Erased) -> bool:
    return bool(erased.holds(words).any() or erased.holds_prints(words).any())


def _in_text(path: Path) -> Iterator[list[str]]:
    yield sorted(set(_WORD.findall(path.read_bytes().decode("utf-8", "ignore"))))


def _in_parquet(path: Path) -> Iterator[list[str]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for field in file.schema_arrow:
            if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
                texts = file.read([field.name])[field.name].unique().to_pylist()
                yield [text for text in texts if text is not None]
                if any(text is not None and not _WORD.fullmatch(text) for text in texts[:1000]):
                    yield sorted({word for text in texts if text for word in _WORD.findall(text)})


def _in_array(path: Path) -> Iterator[list[str]]:
    array = np.load(path, mmap_mode=None, allow_pickle=False)
    if array.dtype.kind == "S":
        yield [value.decode("utf-8", "ignore") for value in array.ravel().tolist()]
    elif array.dtype.kind == "U":
        yield [str(value) for value in array.ravel().tolist()]
    elif array.dtype == np.uint8 and path.stem.endswith(_PACKED):
        ends = path.with_name(path.stem.removesuffix(_PACKED) + _ENDS + path.suffix)
        yield [str(value) for value in unpacked_strings(array, np.load(ends, allow_pickle=False))]


def _in_json(path: Path) -> Iterator[list[str]]:
    yield sorted(set(_texts(json.loads(path.read_bytes()))))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value
        yield from _WORD.findall(value)


_LOOKS: Final[dict[str, Callable[[Path], Iterator[list[str]]]]] = {
    ".parquet": _in_parquet,
    ".npy": _in_array,
    ".json": _in_json,
}
