"""Taste and appeal of a model of behaviour: its parts side by side, scaled by how well people are known."""

import numpy as np

from recsys.data.population import Population
from recsys.models.behaviour_parameters import FactorSpaces, PersonParameters
from recsys.models.directed import Directed
from recsys.models.stacking import Stacker, evidence_weight
from recsys.types import Float64Array

_PEOPLE_AT_ONCE = 16_384


def behaviour_matrices(
    people: Population,
    content: Directed | None,
    spaces: FactorSpaces,
    person: PersonParameters,
    stacker: Stacker,
) -> Directed:
    """Return taste and appeal: the parts side by side, each scaled by how well a person is known."""
    n_columns = 2 + 2 * spaces.personal.taste.shape[1] + spaces.factors.taste.shape[1]
    n_columns += 0 if content is None else content.n_factors
    taste, appeal = (np.empty((len(people), n_columns), np.float32) for _ in range(2))
    for start in range(0, len(people), _PEOPLE_AT_ONCE):
        some = slice(start, start + _PEOPLE_AT_ONCE)
        taste[some], appeal[some] = _side_by_side(some, content, spaces, person, stacker)
    decay = (
        None
        if content is None or content.distance_decay is None
        else content.distance_decay.scaled(stacker.distance_decay)
    )
    return Directed.of(people.ids, taste=taste, appeal=appeal, distance_decay=decay, cell=people.cells)


def _side_by_side(
    some: slice, content: Directed | None, spaces: FactorSpaces, person: PersonParameters, stacker: Stacker
) -> tuple[Float64Array, Float64Array]:
    """Return the rows of some people in full precision, which takes several times the room of the result."""
    given, received = evidence_weight(person.given[some]), evidence_weight(person.received[some])
    personal, factors = spaces.personal, spaces.factors
    own_taste, own_appeal = personal.taste[some], personal.appeal[some]
    moved_taste = own_taste + person.personal.taste[some]
    moved = np.hstack([moved_taste * personal.scale, -own_taste * personal.scale])
    to_moved = np.hstack([own_appeal + person.personal.appeal[some], own_appeal])
    rows = [moved, (factors.taste[some] + person.factors.taste[some]) * factors.scale]
    columns = [to_moved, factors.appeal[some] + person.factors.appeal[some]]
    first = 1
    if content is not None:
        rows.insert(0, content.taste[some].astype(np.float64))
        columns.insert(0, content.appeal[some].astype(np.float64))
        first = 0
    taste = [row * stacker.row(part, given)[:, None] for part, row in enumerate(rows, first)]
    appeal = [column * stacker.column(part, received)[:, None] for part, column in enumerate(columns, first)]
    ones = np.ones((len(given), 1))
    n_parts = len(stacker.columns)
    generosity = stacker.intercept + stacker.row(n_parts, given) * person.generosity[some]
    popularity = stacker.row(n_parts + 1, received) * person.popularity[some]
    return (
        np.hstack([*taste, generosity[:, None], ones]),
        np.hstack([*appeal, ones, popularity[:, None]]),
    )
