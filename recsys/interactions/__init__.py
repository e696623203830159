"""Other people's interaction data: from a table of who did what to whom, to people, events and rules."""

from recsys.interactions.interactions import Interactions, Sides

__all__ = [
    "Interactions",
    "Sides",
]
