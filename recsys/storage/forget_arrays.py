"""A folder of arrays without the people who asked to be erased; everybody else keeps their row."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from recsys.schema.strings import packed_strings, unpacked_strings
from recsys.storage.arrays import load_arrays, save_arrays
from recsys.storage.erasures import Erased

_TEXT, _ENDS = "ids_text", "ids_ends"
_OF_A_PERSON: Final = ("taste", "appeal", "cell")
"""Arrays with one row a person, in the order of the ids that have no prefix."""


def forget_in_arrays(folder: Path, erased: Erased) -> bool:
    """Take erased people out of the arrays a model was saved as; say whether anybody was in them.

    The id gives way to a name that stands for nobody and sorts at the same place, and the person's own
    rows of the matrices become zero; so the rows of all others, and what was learned, stay as they are.

    Raises SourceError when the folder is damaged.
    """
    arrays, meta = load_arrays(folder, mmap=False)
    changed = False
    for name in [key for key in arrays if key.endswith(_TEXT)]:
        ends = name.removesuffix(_TEXT) + _ENDS
        ids = [str(value) for value in unpacked_strings(arrays[name], arrays[ends])]
        gone = erased.holds(ids)
        if not gone.any():
            continue
        changed = True
        arrays[name], arrays[ends] = packed_strings(_without(ids, gone))
        for matrix in _OF_A_PERSON if name == _TEXT else ():
            arrays[matrix] = _zeroed(arrays[matrix], gone)
    if changed:
        save_arrays(folder, arrays, meta)
    return changed


def _without(ids: list[str], gone: npt.NDArray[np.bool_]) -> list[str]:
    """Return ids with nobody's in place of the erased: directly after the one before it, in any order."""
    kept: list[str] = []
    for user_id, is_gone in zip(ids, gone, strict=True):
        kept.append((kept[-1] if kept else "") + "\0" if is_gone else user_id)
    return kept


def _zeroed(rows: npt.NDArray[Any], gone: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
    changed = rows.copy()
    changed[gone] = 0
    return changed
