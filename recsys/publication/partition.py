"""Viewers cut into parts by where they live: a part is a group of cells, so its viewers are alike."""

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recsys.schema.ids import Rows
from recsys.schema.place import Cells
from recsys.schema.population import Mask
from recsys.storage.arrays import load_arrays, save_arrays


@dataclass(frozen=True, eq=False)
class Partition:
    """Part p holds the viewers `rows[starts[p]:starts[p + 1]]`, ascending.

    rows: `(n_viewers,)` int32, each once; starts: `(n_parts + 1,)` int64.
    """

    rows: Rows
    starts: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def part(self, number: int) -> Rows:
        """Return the viewers of one part."""
        return self.rows[self.starts[number] : self.starts[number + 1]]

    def save(self, folder: Path) -> None:
        """Write to a folder."""
        save_arrays(folder, {"rows": self.rows, "starts": self.starts})

    @classmethod
    def load(cls, folder: Path) -> "Partition":
        """Read what `save` wrote."""
        arrays, _ = load_arrays(folder)
        return cls(arrays["rows"], arrays["starts"])


def partition(listed: Mask, cells: Cells, people_a_part: int) -> Partition:
    """Cut the listed people into parts of at most `people_a_part`.

    Neighbouring cells go together, and a cell is cut only when it alone holds more than a part may.

    >>> cut = partition(np.ones(5, bool), np.array([7, 9, 7, 9, 9], np.uint64), 3)
    >>> [cut.part(number).tolist() for number in range(len(cut))]
    [[0, 2], [1, 3, 4]]
    """
    rows = np.flatnonzero(listed).astype(np.int32)
    rows = rows[np.argsort(cells[rows], kind="stable")]
    _, first = np.unique(cells[rows], return_index=True)
    ends = [*first[1:].tolist(), len(rows)] if len(rows) else []
    starts, begin, before = [0], 0, 0
    for end in ends:
        if end - begin > people_a_part and before > begin:
            starts.append(before)
            begin = before
        while end - begin > people_a_part:
            begin += people_a_part
            starts.append(begin)
        before = end
    if begin < len(rows):
        starts.append(len(rows))
    parts = np.array(starts, np.int64)
    ascending = [np.sort(rows[a:b]) for a, b in itertools.pairwise(parts)]
    return Partition(np.concatenate(ascending) if ascending else rows, parts)
