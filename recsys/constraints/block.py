"""One person against many: the masks applied one after another to the columns still left."""

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from recsys.schema.bits import Words
from recsys.schema.ids import Rows

if TYPE_CHECKING:
    from recsys.constraints.compiled import Compiled

Mask = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Columns:
    """The listed candidates of a block, their words transposed so that each is read in one sweep.

    at: position of each listed candidate among the block's columns; rows: their rows.
    """

    at: Positions
    rows: Rows
    traits: Words
    refuses: Words
    overlaps: Words
    cell: npt.NDArray[np.int32]

    @classmethod
    def of(cls, compiled: "Compiled", cols: Rows) -> "Columns":
        """Gather the listed ones of `cols`."""
        at = np.flatnonzero(compiled.listed[cols])
        rows = cols[at]
        return cls(
            at=at,
            rows=rows,
            traits=np.ascontiguousarray(compiled.traits[rows].T),
            refuses=np.ascontiguousarray(compiled.refuses[rows].T),
            overlaps=np.ascontiguousarray(compiled.overlaps[rows].T),
            cell=compiled.cell[rows],
        )


def row_mask(compiled: "Compiled", row: int, columns: Columns, allowed: Mask, *, directed: bool) -> None:
    """Set `allowed` `(n_cols,)` where the person at `row` may meet (or be shown) the column."""
    if not compiled.listed[row] or not len(columns.at):
        return
    left = _within_distance(compiled, row, columns)
    for word in range(compiled.traits.shape[1]):
        is_, no = compiled.traits[row, word], compiled.refuses[row, word]
        refused = (columns.refuses[word][left] & is_) | (columns.traits[word][left] & no)
        left = left[refused == 0]
    starts = compiled.overlap_starts
    for first, last in pairwise(starts):
        shared = columns.overlaps[first][left] & compiled.overlaps[row, first]
        for word in range(first + 1, last):
            shared |= columns.overlaps[word][left] & compiled.overlaps[row, word]
        left = left[shared != 0]
    candidates = columns.rows[left]
    keep = ~_apart(compiled, row)[candidates]
    if directed:
        keep &= _shown(compiled, row)[candidates]
    allowed[columns.at[left[keep]]] = True


def _within_distance(compiled: "Compiled", row: int, columns: Columns) -> Positions:
    if not compiled.limits_distance:
        return np.arange(len(columns.rows))
    reach = compiled.cell_reach[compiled.cell[row]][columns.cell]
    low, high = reach & 15, reach >> 4
    near = high >= np.maximum(compiled.min_class[row], compiled.min_class[columns.rows])
    if compiled.in_person[row]:
        limit = np.minimum(compiled.max_class[row], compiled.max_class[columns.rows])
        near &= ~compiled.in_person[columns.rows] | (low <= limit)
    return np.flatnonzero(near)


def _apart(compiled: "Compiled", row: int) -> Mask:
    """Say who is separated from one person, or meets their tokens, `(n_people,)` bool."""
    apart = np.zeros(compiled.n_people, bool)
    apart[row] = True
    apart[compiled.separated.row(row)] = True
    owners, avoiders = compiled.owners_indptr, compiled.avoiders_indptr
    for group in compiled.own.row(row):
        apart[compiled.owners_indices[owners[group] : owners[group + 1]]] = True
        apart[compiled.avoiders_indices[avoiders[group] : avoiders[group + 1]]] = True
    for group in compiled.avoid.row(row):
        apart[compiled.owners_indices[owners[group] : owners[group + 1]]] = True
    return apart


def _shown(compiled: "Compiled", viewer: int) -> Mask:
    """Say who may be shown to one viewer as far as discretion goes, `(n_people,)` bool."""
    shown = ~compiled.liked_only
    shown[compiled.liked_by.row(viewer)] = True
    if compiled.liked_only[viewer] and compiled.suggestible[viewer]:
        shown |= compiled.suggestible
    return shown
