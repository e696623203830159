"""The plain definition asked about many pairs, without laying out everybody for each few of them."""

from typing import Final

import numpy as np

from recsys.constraints.clauses import Mask
from recsys.constraints.person import persons
from recsys.constraints.policy import Policy
from recsys.schema.ids import Rows
from recsys.schema.population import Population

_PAIRS_AT_ONCE: Final = 500_000


def may_show_each(policy: Policy, people: Population, viewer: Rows, candidate: Rows) -> Mask:
    """Say of aligned rows what `policy.may_show` says, in bounded memory, `(n_pairs,)`.

    A rule looks at two people and their other accounts. So pairs are asked about some at a time, among
    the people it names and all of their accounts, and what it costs does not grow with everybody else.
    """
    person = persons(people) if len(viewer) else np.zeros(0, np.int64)
    allowed = np.empty(len(viewer), bool)
    for start in range(0, len(viewer), _PAIRS_AT_ONCE):
        part = slice(start, start + _PAIRS_AT_ONCE)
        named = np.zeros(len(people), bool)
        named[person[viewer[part]]] = named[person[candidate[part]]] = True
        rows = np.flatnonzero(named[person])
        if 2 * len(rows) > len(people):
            allowed[part] = policy.may_show(people, viewer[part], candidate[part])
        else:
            i, j = (np.searchsorted(rows, asked[part]).astype(np.int32) for asked in (viewer, candidate))
            allowed[part] = policy.may_show(people.take(rows), i, j)
    return allowed
