"""What people said, as plain yes-or-no columns: unknown and empty both count as not said."""

import numpy as np

from recsys.constraints.clauses import Mask
from recsys.schema.columns import Columns as C
from recsys.schema.ids import Rows
from recsys.schema.population import Population
from recsys.schema.vocabulary import IN_PERSON_INTENTS


def said_any(people: Population, column: str) -> Mask:
    """Say whose set in `column` is known and holds at least one word, `(n_people,)` bool."""
    return people.known(column) & people.sets(column).any(axis=1)


def wants_in_person(people: Population) -> Mask:
    """Say who has an in-person intent, `(n_people,)` bool; without a cell there is none."""
    return people.has_word(C.INTENTS, *IN_PERSON_INTENTS) & people.known(C.CELL)


def shares_a_word(people: Population, column: str, i: Rows, j: Rows) -> Mask:
    """Say for aligned rows whether the two sets in `column` have a common word, word by word."""
    shared = np.zeros(len(i), bool)
    for word in people.coded_sets[column].words if column in people.coded_sets else ():
        holds = people.has_word(column, word)
        if holds.any():
            shared |= holds[i] & holds[j]
    return shared
