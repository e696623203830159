"""What people and lists are like on the whole: counts, kept beside a publication to compare nights."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from recsys.schema.columns import Columns as C
from recsys.schema.population import Mask, Population

PORTRAIT: Final = "portrait.json"
_BINS: Final = 10

Portrait = Mapping[str, Mapping[str, int]]
"""Counts by word, for each column; a column of numbers is counted by bins."""


def portrait_of(people: Population, listed: Mask, lists: pd.DataFrame) -> Portrait:
    """Return the counts of listed people in every column of single words; `p_mutual` by tenths."""
    counts: dict[str, dict[str, int]] = {}
    for name in sorted(people.coded):
        column = people.coded[name]
        found = np.bincount(column.codes[listed].astype(np.int64) + 1, minlength=len(column.words) + 1)
        counts[name] = dict(zip(["unknown", *column.words], found.tolist(), strict=True))
    chance = np.clip(np.nan_to_num(lists[C.P_MUTUAL].to_numpy(np.float64)), 0.0, 1.0)
    tenths = np.minimum((chance * _BINS).astype(np.int64), _BINS - 1)
    counts[C.P_MUTUAL] = {str(at): int(n) for at, n in enumerate(np.bincount(tenths, minlength=_BINS))}
    return counts


def portrait_bytes(portrait: Portrait) -> bytes:
    """Return a portrait as the content of its file."""
    return json.dumps(portrait, indent=1, sort_keys=True).encode() + b"\n"


def read_portrait(folder: Path) -> Portrait | None:
    """Return the portrait beside a publication, None when there is none or it cannot be read."""
    try:
        found = json.loads((folder / PORTRAIT).read_bytes())
        return {
            str(name): {str(word): int(n) for word, n in counts.items()} for name, counts in found.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return None
