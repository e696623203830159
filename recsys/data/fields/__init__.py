"""Field types of table columns: each reads given values into a canonical form and refuses invalid ones."""

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
