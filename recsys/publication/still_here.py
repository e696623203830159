"""A night without the people whose erasure was asked for while it ran."""

import numpy as np
import numpy.typing as npt

from recsys.schema.ids import Rows
from recsys.schema.population import Population
from recsys.storage.erasures import Erased


def still_here(people: Population, erased: Erased) -> tuple[Rows, Population, npt.NDArray[np.object_]]:
    """Return the rows of everybody who is still here, them as a population, and the ids of those gone."""
    gone = erased.holds(people.ids.values)
    rows = np.flatnonzero(~gone).astype(np.int32)
    left = people.take(rows) if gone.any() else people
    return rows, left, people.ids.values[gone]
