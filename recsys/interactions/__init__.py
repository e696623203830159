"""Interaction data of any origin: a table of who did what to whom becomes events, people and a policy."""

from recsys.interactions.interactions import Interactions
from recsys.interactions.sides import Sides

__all__ = [
    "Interactions",
    "Sides",
]
