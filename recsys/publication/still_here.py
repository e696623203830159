"""A night without the people whose erasure was asked for while it ran."""

import numpy as np
import pandas as pd

from recsys.schema.columns import Columns as C
from recsys.schema.ids import Rows
from recsys.schema.population import Population
from recsys.storage.erasures import Erased


def still_here(
    people: Population, lists: pd.DataFrame, erased: Erased
) -> tuple[Rows, Population, pd.DataFrame]:
    """Return the rows of everybody who is still here, them as a population, and lists of them alone.

    A list closes up where somebody is gone: ranks stay 1, 2, 3 and so on.
    """
    ids = people.ids.ids(np.arange(len(people)))
    here = ~erased.holds(ids)
    rows = np.flatnonzero(here).astype(np.int32)
    if here.all():
        return rows, people, lists
    gone = ids[~here]
    left = lists[~(lists[C.VIEWER].isin(gone) | lists[C.CANDIDATE].isin(gone))]
    left = left.sort_values([C.VIEWER, C.RANK], kind="stable").reset_index(drop=True)
    ranks = left.groupby(C.VIEWER).cumcount() + 1
    return rows, people.take(rows), left.assign(**{C.RANK: ranks.astype(lists[C.RANK].dtype)})
