"""The partition of everybody into regions of about as many people, by where they live."""

import numpy as np

from recsys.data.geography import centres
from recsys.types import BoolArray, Int32Array, UInt64Array


def cut_regions(cells: UInt64Array, counted: BoolArray, n_regions: int) -> Int32Array:
    """Return the region of each person, `(n_people,)` int32 from 0 to `n_regions - 1`.

    cells: `(n_people,)` uint64 H3 cells, 0 unknown; counted: `(n_people,)` bool, whose number is balanced.

    The cells are halved again and again across their widest extent, where the halves hold numbers of people
    nearest to what they are to hold (J. L. Bentley, Communications of the ACM 18 (1975) 509-517). A cell is
    never cut, so a region may be empty where people live in fewer cells. Who lives nowhere known is spread
    over all regions in the order of rows.

    >>> tokyo, osaka = 0x862F5A32FFFFFFF, 0x862E618E7FFFFFF
    >>> cut_regions(np.array([tokyo, osaka, tokyo, osaka], np.uint64), np.ones(4, bool), 2).tolist()
    [0, 1, 0, 1]
    """
    region = np.zeros(len(cells), np.int32)
    placed = cells != 0
    distinct, place = np.unique(cells[placed], return_inverse=True)
    people = np.bincount(place, weights=counted[placed], minlength=len(distinct))
    of_cell = np.zeros(len(distinct), np.int32)
    at = centres(distinct)
    waiting = [(np.arange(len(distinct)), 0, n_regions)]
    while waiting:
        here, first, n = waiting.pop()
        of_cell[here] = first
        if n <= 1 or not len(here):
            continue
        axis = int(np.argmax(np.ptp(at[here], axis=0)))
        here = here[np.lexsort((here, at[here, axis]))]
        up_to = np.append(0.0, np.cumsum(people[here]))
        cut = int(np.argmin(np.abs(up_to - up_to[-1] * (n // 2) / n)))
        waiting += [(here[:cut], first, n // 2), (here[cut:], first + n // 2, n - n // 2)]
    region[placed] = of_cell[place]
    nowhere = np.flatnonzero(~placed)
    region[nowhere] = np.arange(len(nowhere)) % n_regions
    return region


def region_figures(region: Int32Array, cells: UInt64Array) -> list[dict[str, float]]:
    """Return how many people each region holds and about where they live, in whole degrees; for the page.

    region: `(n_people,)`; cells: `(n_people,)` H3 cells, 0 unknown.
    """
    known = cells != 0
    distinct, at = np.unique(cells[known], return_inverse=True)
    middle = centres(distinct)[at]
    found = []
    for number in range(int(region.max(initial=-1)) + 1):
        here = middle[region[known] == number]
        one: dict[str, float] = {"people": int((region == number).sum())}
        if len(here):
            x, y, z = here.mean(axis=0).tolist()
            one |= {
                "latitude": round(float(np.degrees(np.arctan2(z, np.hypot(x, y))))),
                "longitude": round(float(np.degrees(np.arctan2(y, x)))),
            }
        found.append(one)
    return found
