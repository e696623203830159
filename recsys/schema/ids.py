"""External ids become row numbers once, at the edge."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.errors import InputError, UnknownIdError, explained

Rows = npt.NDArray[np.int32]
_FEW = 5000


class IdIndex:
    """Unique ids in ascending order; the position of an id is its row everywhere in the package.

    Rows are in id order, so "ties by id" and "ties by row" are the same rule.

    >>> index = IdIndex(["u2", "u1"])
    >>> index.rows(["u2"])
    array([1], dtype=int32)
    >>> list(index.ids([0, 1]))
    ['u1', 'u2']
    """

    def __init__(self, ids: Iterable[str]) -> None:
        values = np.asarray(sorted(ids), dtype=object)
        repeated = values[1:][values[1:] == values[:-1]] if len(values) else values
        if len(repeated):
            raise InputError(
                explained("an id stands twice", got=repeated[0], remedy="give every person one id")
            )
        values.setflags(write=False)
        self._values = values

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, user_id: object) -> bool:
        return user_id in self._index

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IdIndex) and np.array_equal(self._values, other._values)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"IdIndex({len(self)} ids)"

    @cached_property
    def _index(self) -> pd.Index:
        return pd.Index(self._values, dtype=object)

    @property
    def values(self) -> npt.NDArray[np.object_]:
        """All ids, `(n_people,)`, ascending."""
        return self._values

    def find(self, ids: Sequence[str] | npt.ArrayLike | pd.Series) -> Rows:
        """Return the row of each id, -1 where the id is not known."""
        return self._index.get_indexer(pd.Index(np.asarray(ids, dtype=object))).astype(np.int32)

    def rows(self, ids: Sequence[str] | npt.ArrayLike | pd.Series) -> Rows:
        """Return the row of each id.

        Raises UnknownIdError naming the first unknown id and how many there are.
        """
        rows = self.find(ids)
        missing = np.flatnonzero(rows < 0)
        if len(missing):
            first = str(np.asarray(ids, dtype=object)[missing[0]])
            near = get_close_matches(first[:64], self._values.tolist(), n=1) if len(self) <= _FEW else []
            remedy = f"did you mean '{near[0]}'?" if near else "check the id"
            what = "unknown id" if len(missing) == 1 else f"{len(missing)} unknown ids, the first"
            raise UnknownIdError(explained(what, got=first, remedy=remedy))
        return rows

    def row(self, user_id: str) -> int:
        """Return the row of one id, or raise UnknownIdError."""
        return int(self.rows([user_id])[0])

    def ids(self, rows: npt.ArrayLike) -> npt.NDArray[np.object_]:
        """Return the ids at `rows`."""
        return self._values[np.asarray(rows, dtype=np.intp)]
