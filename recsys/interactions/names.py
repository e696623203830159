"""Ids as they came, and the ids they have in here."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.errors import InputError, UnknownIdError, explained
from recsys.schema.ids import as_ids

Ids = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Names:
    """How the ids of one side are written in here: as they came, or behind the name of their side.

    Texts and whole numbers of one community stay as they came, a UUID is its text in here. Where two
    columns name different kinds (users and films), an id gets its side in front, so that user 1 and film 1
    are two.

    >>> Names("film").inside([1, None]).tolist(), Names("film").given(["film:1"]).tolist()
    (['film:1', None], [1])
    >>> Names(uuid=True).given(["6f9619ff-8b86-4d11-b42d-00c04fc964ff"])[0]
    UUID('6f9619ff-8b86-4d11-b42d-00c04fc964ff')
    """

    side: str = ""
    whole: bool = True
    uuid: bool = False

    @classmethod
    def of(cls, side: str, ids: Ids, *, uuid: bool = False) -> "Names":
        """Return the names of a side whose ids are `ids`, texts of UUIDs if `uuid`.

        Raises InputError when the side's own name would make ids ambiguous.
        """
        if ":" in side:
            raise InputError(explained("the name of a side holds a colon", got=side, remedy="leave it out"))
        known = ids[pd.notna(ids)]
        return cls(side, whole=len(known) > 0 and not isinstance(known[0], str), uuid=uuid)

    def inside(self, ids: npt.ArrayLike | pd.Series | list[object]) -> Ids:
        """Return the ids in here, None where one is missing.

        Raises InputError when ids are neither texts nor whole numbers.
        """
        read = as_ids(texts_of_uuids(ids)[0])
        if not self.side:
            return read
        codes, distinct = pd.factorize(read)
        written = [f"{self.side}:{one}" for one in distinct]
        return np.array([*written, None], dtype=object)[codes]

    def given(self, ids: npt.ArrayLike | pd.Series | list[str]) -> Ids:
        """Return ids of this side as they came.

        Raises UnknownIdError for an id of another side.
        """
        named = np.asarray(ids, dtype=object)
        if not self.side:
            return np.array([UUID(one) for one in named], dtype=object) if self.uuid else named
        start = f"{self.side}:"
        codes, distinct = pd.factorize(named)
        strange = [one for one in distinct if not str(one).startswith(start)]
        if strange:
            raise UnknownIdError(explained(f"not an id of the side '{self.side}'", got=strange[0]))
        back = [one[len(start) :] for one in distinct]
        read = UUID if self.uuid else int if self.whole else str
        return np.array([read(one) for one in back], dtype=object)[codes]


def texts_of_uuids(ids: npt.ArrayLike | pd.Series | list[object]) -> tuple[Any, bool]:
    """Return ids in which UUIDs are texts, and whether there were any.

    >>> texts_of_uuids([1, 2])
    ([1, 2], False)
    """
    kind = ids.dtype.kind if isinstance(ids, pd.Series | np.ndarray) else "O"
    if kind != "O" or not isinstance(ids, list | pd.Series | np.ndarray):
        return ids, False
    values = pd.Series(ids, dtype=object)
    first = values.first_valid_index()
    if first is None or not isinstance(values.loc[first], UUID):
        return ids, False
    return values.map(lambda one: str(one) if isinstance(one, UUID) else one), True
