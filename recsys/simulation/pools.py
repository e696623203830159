"""Who may be shown to whom, as one list a person, found tile by tile."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.constraints.compiled import Compiled
from recsys.simulation.scene import Rows

Mask = npt.NDArray[np.bool_]
_TILE = 512
_KEYS_AT_ONCE = 1 << 22


@dataclass(frozen=True, eq=False)
class Pools:
    """The people each viewer may meet, of a neighbourhood drawn at random.

    keys: `(n_entries,)` ascending, the viewer times the number of people plus the candidate; viewer v
    has the entries `indptr[v]:indptr[v + 1]`. `waits` marks candidates who are shown only to people
    they liked.
    """

    indptr: Rows
    keys: Rows
    waits: Mask

    @property
    def n_people(self) -> int:
        """How many viewers there are."""
        return len(self.indptr) - 1

    def __len__(self) -> int:
        """How many entries there are."""
        return len(self.keys)

    def pairs(self, entries: Rows) -> tuple[Rows, Rows]:
        """Return the viewer and the candidate of some entries."""
        viewer, candidate = np.divmod(self.keys[entries], self.n_people)
        return viewer, candidate

    def entries(self, viewers: Rows) -> tuple[Rows, Rows]:
        """Return the entries of some viewers, and which of the viewers each belongs to."""
        lengths = self.indptr[viewers + 1] - self.indptr[viewers]
        group = np.repeat(np.arange(len(viewers)), lengths)
        within = np.arange(len(group)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return self.indptr[viewers][group] + within, group

    def find(self, viewer: Rows, candidate: Rows) -> Rows:
        """Return the entries of the pairs that have one."""
        wanted = viewer * self.n_people + candidate
        if not len(self.keys):
            return np.empty(0, np.int64)
        at = np.searchsorted(self.keys, wanted).clip(0, len(self.keys) - 1)
        return at[self.keys[at] == wanted]


def make_pools(compiled: Compiled, neighbourhood: int, rng: np.random.Generator) -> Pools:
    """Find whom each person may meet, among at most `neighbourhood` others drawn at random.

    A tile of viewers shares its neighbourhood, so that memory and time grow with the number of
    people and not with its square.
    """
    n = compiled.n_people
    viewers = rng.permutation(n)
    found: list[Rows] = [np.empty(0, np.int64)]
    for start in range(0, n, _TILE):
        tile = np.sort(viewers[start : start + _TILE])
        tile = tile[compiled.listed[tile]]
        if not len(tile):
            continue
        near = np.arange(n) if n <= neighbourhood else np.sort(rng.choice(n, neighbourhood, replace=False))
        row, col = np.nonzero(compiled.may_meet_block(tile, near))
        found.append(tile[row] * n + near[col])
    keys = np.concatenate(found)
    del found
    keys.sort()
    indptr = np.searchsorted(keys, np.arange(n + 1) * n).astype(np.int64)
    return Pools(indptr=indptr, keys=keys, waits=_waits(compiled, keys))


def _waits(compiled: Compiled, keys: Rows) -> Mask:
    waits = np.zeros(len(keys), bool)
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        part = slice(start, start + _KEYS_AT_ONCE)
        viewer, candidate = np.divmod(keys[part], compiled.n_people)
        both = compiled.liked_only[viewer] & compiled.suggestible[viewer] & compiled.suggestible[candidate]
        waits[part] = compiled.liked_only[candidate] & ~both
    return waits
