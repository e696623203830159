"""What the funnel needs to know of each person, as arrays by row."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.schema.columns import Columns as C
from recsys.schema.vocabulary import ENUMERATIONS, IN_PERSON_INTENTS
from recsys.simulation.draws import Mask, Objects
from recsys.simulation.settings import FunnelSettings

GOOD: Final = -1
_SPEAKS: Final = {"daily": 0.9, "few_week": 0.55, "weekly": 0.25, "less": 0.12}
"""Chance a day that someone writes, by the contact frequency they chose."""


@dataclass(frozen=True, eq=False)
class Residents:
    """Habits of `n` people, row by row.

    opens: chance to open a list of the night. speaks: chance a day to write in a talk. in_person and
    settings `(n, n_settings)`: who would meet, and where. wished: how many companions each wishes for.
    harm: -1, or which kind of bad actor.
    """

    ids: Objects
    opens: npt.NDArray[np.float64]
    speaks: npt.NDArray[np.float64]
    in_person: Mask
    settings: Mask
    wished: npt.NDArray[np.int32]
    harm: npt.NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.ids)


def make_residents(
    profiles: pd.DataFrame, boundaries: pd.DataFrame, harm: npt.NDArray[np.int8], s: FunnelSettings
) -> Residents:
    """Read the habits off the profiles and boundaries (one row a person, the same order of ids)."""
    opens = {"today": s.opens_today, "week": s.opens_week, "month": s.opens_month, "dormant": 0.0}
    drawn = boundaries.set_index(C.USER).reindex(profiles[C.USER])
    places = ENUMERATIONS[C.MEETING_SETTINGS].words
    return Residents(
        ids=profiles[C.USER].to_numpy(object),
        opens=np.asarray(profiles[C.ACTIVITY].map(opens).fillna(0.0), np.float64),
        speaks=np.asarray(drawn[C.CONTACT_FREQUENCY].map(_SPEAKS).fillna(0.0), np.float64),
        in_person=np.asarray(_holds(profiles[C.INTENTS], IN_PERSON_INTENTS).any(axis=1)),
        settings=_holds(drawn[C.MEETING_SETTINGS], places),
        wished=profiles[C.MAX_COMPANIONS].fillna(1).to_numpy(np.int32),
        harm=harm,
    )


def _holds(sets: pd.Series, words: tuple[str, ...]) -> Mask:
    return np.array(
        [[isinstance(held, list) and word in held for word in words] for held in sets.tolist()], dtype=bool
    ).reshape(len(sets), len(words))
