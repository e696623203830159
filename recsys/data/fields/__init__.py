"""Kinds of columns: how each reads what it was given and refuses what it may not hold."""

from recsys.data.fields.base import Field, ReadColumn, Violation
from recsys.data.fields.enumeration import Word, WordSet
from recsys.data.fields.number import Flag, Real, Whole
from recsys.data.fields.text import AnyId, Cell, FreeText, PersonId, Tag, TextField, Token, Zone
from recsys.data.fields.time import Time

__all__ = [
    "AnyId",
    "Cell",
    "Field",
    "Flag",
    "FreeText",
    "PersonId",
    "ReadColumn",
    "Real",
    "Tag",
    "TextField",
    "Time",
    "Token",
    "Violation",
    "Whole",
    "Word",
    "WordSet",
    "Zone",
]
