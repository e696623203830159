"""Whom each person has liked already: nobody is offered to them a second time."""

from recsys.constraints.csr import Lists
from recsys.schema.population import Population


def likes_given(people: Population) -> Lists:
    """Return, for each row of `people`, the rows they liked and wait for.

    The other still sees them and may answer; so this narrows lists and forbids nothing. A place spent on
    somebody liked already brings nobody nearer, and asks for the same like twice.

    >>> people = Population.of_ids(["a", "b"], as_of="2026-01-05")
    >>> likes_given(people).indices.tolist()
    []
    """
    liked = people.relations.liked
    return Lists.of(liked[:, 0], liked[:, 1], len(people))
