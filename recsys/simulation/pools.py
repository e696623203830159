"""Who may be shown to whom, as one list a person, found tile by tile."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from recsys.constraints.compiled import Compiled
from recsys.simulation.scene import Rows

Mask = npt.NDArray[np.bool_]
_TILE = 512


@dataclass(frozen=True, eq=False)
class Pools:
    """The people each viewer may meet, of a neighbourhood drawn at random.

    Viewer v has the entries `indptr[v]:indptr[v + 1]` of `candidate` (ascending). `waits` marks
    candidates who are shown only to people they liked.
    """

    indptr: Rows
    candidate: Rows
    waits: Mask

    @property
    def n_people(self) -> int:
        """How many viewers there are."""
        return len(self.indptr) - 1

    @property
    def viewer(self) -> Rows:
        """The viewer of each entry."""
        return np.repeat(np.arange(self.n_people), np.diff(self.indptr))

    @cached_property
    def _keys(self) -> Rows:
        return self.viewer * self.n_people + self.candidate

    def entries(self, viewers: Rows) -> tuple[Rows, Rows]:
        """Return the entries of some viewers, and which of the viewers each belongs to."""
        lengths = self.indptr[viewers + 1] - self.indptr[viewers]
        group = np.repeat(np.arange(len(viewers)), lengths)
        within = np.arange(len(group)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return self.indptr[viewers][group] + within, group

    def find(self, viewer: Rows, candidate: Rows) -> Rows:
        """Return the entries of the pairs that have one."""
        keys = self._keys
        wanted = viewer * self.n_people + candidate
        if not len(keys):
            return np.empty(0, np.int64)
        at = np.searchsorted(keys, wanted).clip(0, len(keys) - 1)
        return at[keys[at] == wanted]


def make_pools(compiled: Compiled, neighbourhood: int, rng: np.random.Generator) -> Pools:
    """Find whom each person may meet, among at most `neighbourhood` others drawn at random.

    A tile of viewers shares its neighbourhood, so that memory and time grow with the number of
    people and not with its square.
    """
    n = compiled.n_people
    viewers = rng.permutation(n)
    rows: list[npt.NDArray[np.int32]] = []
    cols: list[npt.NDArray[np.int32]] = []
    for start in range(0, n, _TILE):
        tile = np.sort(viewers[start : start + _TILE])
        tile = tile[compiled.listed[tile]]
        if not len(tile):
            continue
        near = np.arange(n) if n <= neighbourhood else np.sort(rng.choice(n, neighbourhood, replace=False))
        row, col = np.nonzero(compiled.may_meet_block(tile, near))
        rows.append(tile[row].astype(np.int32))
        cols.append(near[col].astype(np.int32))
    none = np.empty(0, np.int32)
    keys = np.concatenate([none, *rows]).astype(np.int64) * n + np.concatenate([none, *cols])
    keys.sort()
    viewer, candidate = keys // n, keys % n
    both_hide = compiled.liked_only[viewer] & compiled.suggestible[viewer] & compiled.suggestible[candidate]
    return Pools(
        indptr=np.searchsorted(viewer, np.arange(n + 1)).astype(np.int64),
        candidate=candidate,
        waits=compiled.liked_only[candidate] & ~both_hide,
    )
