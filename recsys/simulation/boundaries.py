"""The second table: the lines each person draws; nobody is listed without them."""

from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import DAYPARTS, DAYS, ENUMERATIONS
from recsys.simulation.sampling import lists_of, one_of, some_of, with_gaps
from recsys.simulation.settings import BoundarySettings
from recsys.types import BoolArray, ObjectArray

_WORKDAYS = DAYS[:5]
_FREE_DAYS = DAYS[5:]

RHYTHMS: Final = MappingProxyType(
    {
        "office": {
            *(f"{d}_evening" for d in _WORKDAYS),
            *(f"{d}_{p}" for d in _FREE_DAYS for p in ("day", "evening")),
        },
        "home": {f"{d}_{p}" for d in _WORKDAYS for p in ("day", "evening")},
        "shift": {
            *(f"{d}_early" for d in DAYS),
            *(f"{d}_night" for d in DAYS),
            *(f"{d}_day" for d in _WORKDAYS),
        },
        "weekend": {f"{d}_{p}" for d in _FREE_DAYS for p in ("early", "day", "evening", "night")},
    }
)
"""Contact windows each daily rhythm may offer."""


def make_boundaries(
    profiles: pd.DataFrame,
    busy: BoolArray,
    topics: tuple[str, ...],
    rng: np.random.Generator,
    s: BoundarySettings,
) -> pd.DataFrame:
    """Draw the boundaries of the people in `profiles`.

    busy: `(n, n_topics)` bool, topics a person needs or listens to, which they do not avoid.
    """
    n = len(profiles)
    unanswered = s.line_unanswered
    physical = with_gaps(np.full(n, "none", dtype=object), unanswered, rng)
    frequency = with_gaps(one_of(s.contact_frequency, n, rng), unanswered, rng)
    avoided = ~busy & (rng.random(busy.shape) < s.avoids)
    return pd.DataFrame(
        {
            C.USER: profiles[C.USER].to_numpy(object),
            C.VALID_FROM: profiles[C.VALID_FROM].reset_index(drop=True),
            C.CONTACT_FREQUENCY: frequency,
            C.CHANNELS: lists_of(some_of(s.channels, n, rng), list(s.channels)),
            C.CONTACT_WINDOWS: _windows(n, rng, s),
            C.MEETING_SETTINGS: lists_of(some_of(s.meeting_settings, n, rng), list(s.meeting_settings)),
            C.ROMANCE_LINE: with_gaps(one_of(s.romance_line, n, rng), unanswered, rng),
            C.PHYSICAL_LINE: physical,
            C.FINANCIAL_LINE: with_gaps(one_of(s.financial_line, n, rng), unanswered, rng),
            C.DISCLOSURE: one_of(s.disclosure, n, rng),
            C.TOPICS_AVOID: _or_unknown(lists_of(avoided, topics)),
        }
    )


def _windows(n: int, rng: np.random.Generator, s: BoundarySettings) -> ObjectArray:
    words = ENUMERATIONS[C.CONTACT_WINDOWS].words
    rhythm = one_of(s.rhythm, n, rng)
    offered = np.zeros((n, len(words)), bool)
    for name, windows in RHYTHMS.items():
        offered[rhythm == name] = [word in windows for word in words]
    days = rng.random((n, len(DAYS), 1)) < s.day_kept
    parts = rng.random((n, 1, len(DAYPARTS))) < s.daypart_kept
    kept = (days & parts).reshape(n, len(words))
    none_kept = ~np.asarray((offered & kept).any(axis=1))
    return lists_of(offered & (kept | none_kept[:, None]), words)


def _or_unknown(lists: ObjectArray) -> ObjectArray:
    found = lists.copy()
    found[[not members for members in lists]] = None
    return found
