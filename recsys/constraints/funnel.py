"""The funnel: how many candidates each constraint removes, for operators only.

It is how an operator learns why lists are short. Counts of excluded people never go to a member.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.arguments import as_generator, checked_arguments
from recsys.constraints.base import checked_rows
from recsys.constraints.policy import Policy
from recsys.data.population import Population
from recsys.types import Int32Array, RNGLike

COLUMNS: Final = ("constraint", "removed_alone", "removed_in_order", "left")
_TILE = 32


@checked_arguments
def funnel(
    policy: Policy,
    people: Population,
    rows: npt.ArrayLike | None = None,
    *,
    sample: int = 256,
    rng: RNGLike | None = None,
) -> pd.DataFrame:
    """Count the candidates each constraint removes from the lists of some viewers.

    rows: the viewers: one person, a cohort, or None for everybody. Everybody is estimated from at
    most `sample` listed viewers (all viewers, when nobody is listed), drawn by `rng` or, without
    one, evenly spaced in id order, so that the same people give the same table.

    Returns one row a constraint, in the policy's order, counts summed over the viewers:
    `removed_alone` by it if it were the only one, `removed_in_order` of those the earlier ones
    left, `left` after it. `attrs` hold `viewers`, how many were counted, and `candidates`, how many
    pairs there were before. Discretion counts by direction: whom the viewer may be shown.

    Works in tiles of viewers against everybody; never a table of everybody against everybody.

    >>> people = Population.of_ids(["a", "b", "c"], as_of="2026-01-05")
    >>> table = funnel(Policy.default(), people, [0])
    >>> table.attrs["candidates"], int(table["left"].iloc[-1])
    (2, 0)
    """
    n_people = len(people)
    draw = None if rng is None else as_generator(rng)
    viewers = _sampled(policy, people, sample, draw) if rows is None else checked_rows(rows, n_people)
    alone, in_order = np.zeros(len(policy.constraints), int), np.zeros(len(policy.constraints), int)
    compiled = [Policy((constraint,)).compile(people) for constraint in policy.constraints]
    everybody = np.arange(n_people)
    for start in range(0, len(viewers), _TILE):
        tile = viewers[start : start + _TILE]
        others = tile[:, None] != everybody
        left = others.copy()
        for at, one in enumerate(compiled):
            refused = ~one.may_show_block(tile, everybody)
            alone[at] += np.count_nonzero(refused & others)
            in_order[at] += np.count_nonzero(refused & left)
            left &= ~refused
    candidates = len(viewers) * max(n_people - 1, 0)
    table = pd.DataFrame(
        dict(zip(COLUMNS, (policy.names, alone, in_order, candidates - np.cumsum(in_order)), strict=True))
    )
    table.attrs = {"viewers": len(viewers), "candidates": candidates}
    return table


def _sampled(policy: Policy, people: Population, sample: int, rng: np.random.Generator | None) -> Int32Array:
    listed = np.flatnonzero(policy.compile(people).listed)
    viewers = listed if len(listed) else np.arange(len(people))
    if len(viewers) <= sample:
        return viewers.astype(np.int32)
    if rng is not None:
        return np.sort(rng.choice(viewers, sample, replace=False)).astype(np.int32)
    return viewers[np.linspace(0, len(viewers) - 1, sample).astype(np.int64)].astype(np.int32)
