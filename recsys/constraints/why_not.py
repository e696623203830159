"""Why two people are not shown to each other, in words, for operators and tests only.

Never give this to a member: it would tell them who was left out and for what reason.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from recsys.catalogue.catalogue import load_catalogue
from recsys.catalogue.entries import Label
from recsys.constraints.base import Constraint
from recsys.data.population import Population
from recsys.types import BoolArray

Direction = Literal["both", "forward", "backward"]
SELF = "self"
LIKED, MATCHED = "liked", "matched"


@dataclass(frozen=True, slots=True)
class WhyNot:
    """One constraint that says no.

    direction: `both` when they may not meet at all; `forward` when the second may not be shown to
    the first, `backward` when the first may not be shown to the second.

    >>> WhyNot("languages", "both", constraint_text("languages")).text.en
    'They have no language in common'
    """

    constraint: str
    direction: Direction
    text: Label


def why_not(constraints: Iterable[Constraint], people: Population, i: int, j: int) -> list[WhyNot]:
    """Return every constraint that keeps the people at rows `i` and `j` apart; an empty list is yes."""
    first, second = np.array([i], np.int32), np.array([j], np.int32)
    if i == j:
        return [WhyNot(SELF, "both", constraint_text(SELF))]
    refused: list[WhyNot] = []
    for constraint in constraints:
        verdicts: tuple[tuple[Direction, BoolArray], ...] = (
            ("both", constraint.allows(people, first, second)),
            ("forward", constraint.shows(people, first, second)),
            ("backward", constraint.shows(people, second, first)),
        )
        refused += [
            WhyNot(constraint.name, direction, constraint_text(constraint.text_name(people, i, j)))
            for direction, allowed in verdicts
            if not allowed[0]
        ]
    return refused


def has_liked(people: Population, viewer: int, candidate: int) -> bool:
    """Say whether the viewer likes the candidate already, so that lists leave them out meanwhile."""
    return bool((people.relations.liked == [viewer, candidate]).all(axis=1).any())


def constraint_text(name: str) -> Label:
    """Return what the constraint `name` says of two people it keeps apart; a general text for one's own."""
    catalogue = load_catalogue()
    key = f"constraint.{name}"
    if key not in catalogue.texts:
        key = "constraint.other"
    return Label(ja=catalogue.text(key, "ja", name=name), en=catalogue.text(key, "en", name=name))
