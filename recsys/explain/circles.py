"""Reason `circle`: both belong to the same community."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from recsys.explain.strongest import Arrays, Pairs, Things
from recsys.schema.catalogue.catalogue import Catalogue
from recsys.schema.columns import Columns as C
from recsys.schema.population import Population

_PAIRS_AT_ONCE = 65_536
_FEW = 256  # sets are quicker than matrices up to here


class SharedCircle:
    """Whether the two share any community; which one is not said."""

    codes = ("circle",)

    def __init__(self, people: Population, catalogue: Catalogue) -> None:  # noqa: ARG002
        table = people.long.communities
        number, names = pd.factorize(table[C.COMMUNITY])
        ones = np.ones(len(number), np.int32)
        shape = (len(people), max(1, len(names)))
        self._member = sparse.coo_array(
            (ones, (table[C.ROW].to_numpy(np.int64), number)), shape=shape
        ).tocsr()

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], codes: Sequence[str]) -> "SharedCircle":  # noqa: ARG003
        """Take back what `arrays` returned."""
        kind = cls.__new__(cls)
        parts = tuple(np.asarray(arrays[name]) for name in ("member", "circles", "starts"))
        kind._member = sparse.csr_array(parts, shape=(len(parts[2]) - 1, int(arrays["n_circles"][0])))
        return kind

    def arrays(self) -> Arrays:
        """Return what is held of people: numbers of circles, no names."""
        member = self._member
        return {
            "member": member.data,
            "circles": member.indices,
            "starts": member.indptr,
            "n_circles": np.array([member.shape[1]], np.int64),
        }

    def of(self, viewer: Pairs, candidate: Pairs, most: int) -> Things:
        """Return 0 where a circle is shared, -1 elsewhere, `(n_pairs, most)`."""
        found = np.full((len(viewer), most), -1, np.int16)
        if len(viewer) <= _FEW:
            for pair, (i, j) in enumerate(zip(viewer.tolist(), candidate.tolist(), strict=True)):
                found[pair, 0] = 0 if self._circles(i) & self._circles(j) else -1
            return found
        for start in range(0, len(viewer), _PAIRS_AT_ONCE):
            part = slice(start, start + _PAIRS_AT_ONCE)
            shared = self._member[viewer[part]].multiply(self._member[candidate[part]]).sum(axis=1)
            found[part, 0] = np.where(np.asarray(shared).ravel() > 0, 0, -1)
        return found

    def _circles(self, row: int) -> frozenset[int]:
        start, end = self._member.indptr[row : row + 2].tolist()
        return frozenset(self._member.indices[start:end].tolist())
