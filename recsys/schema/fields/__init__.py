"""Kinds of columns: how each reads what it was given and refuses what it may not hold."""

from recsys.schema.fields.cell import Cell
from recsys.schema.fields.field import Fault, Field, Read
from recsys.schema.fields.flag import Flag
from recsys.schema.fields.identifier import AnyId, PersonId
from recsys.schema.fields.number import Real, Whole
from recsys.schema.fields.tag import Tag
from recsys.schema.fields.text import FreeText, TextField
from recsys.schema.fields.time import Time
from recsys.schema.fields.token import Token
from recsys.schema.fields.word import Word, WordSet
from recsys.schema.fields.zone import Zone

__all__ = [
    "AnyId",
    "Cell",
    "Fault",
    "Field",
    "Flag",
    "FreeText",
    "PersonId",
    "Read",
    "Real",
    "Tag",
    "TextField",
    "Time",
    "Token",
    "Whole",
    "Word",
    "WordSet",
    "Zone",
]
