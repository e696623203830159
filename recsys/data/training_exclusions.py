"""What removes blocked, reported and unsafe pairs from training: nothing is learned from them, either way."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.events import CodedEvents

EXCLUDED_EVENTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "block": (),
        "report": (),
        "off_platform_request": (),
        "money_request": (),
        "meet_feedback": ("unsafe",),
    }
)
"""Events (with these details, if any are named) that take the pair out of training, both ways."""


def safety_events(coded: CodedEvents) -> npt.NDArray[np.bool_]:
    """Say which events take their pair out of training, `(n_events,)` bool."""
    found = np.zeros(len(coded.ts), bool)
    for kind, details in EXCLUDED_EVENTS.items():
        found |= coded.detailed(kind, *details) if details else coded.are(kind)
    return found


def excluded_from_training(
    pair: npt.NDArray[np.int64], coded: CodedEvents, tables: Sequence[pd.DataFrame]
) -> npt.NDArray[np.bool_]:
    """Say which directed pairs, `actor * people + target`, are not learned from: `(n_pairs,)` bool.

    tables: with `actor` and `target`, such as the blocks of a service. Both directions of a pair go.
    """
    width = max(len(coded.people), 1)
    chosen = safety_events(coded) & (coded.target >= 0)
    index = pd.Index(coded.people)
    listed = [
        np.column_stack([index.get_indexer(pd.Index(table[side])) for side in (C.ACTOR, C.TARGET)])
        for table in tables
    ]
    excluded_pairs = np.vstack([np.column_stack([coded.actor[chosen], coded.target[chosen]]), *listed])
    excluded_pairs = np.sort(excluded_pairs[(excluded_pairs >= 0).all(axis=1)], axis=1)
    viewer, candidate = pair // width, pair % width
    both = np.minimum(viewer, candidate) * width + np.maximum(viewer, candidate)
    return np.isin(both, excluded_pairs @ [width, 1])
