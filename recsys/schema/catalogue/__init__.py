"""Interests, questions, topics and every text for people, in Japanese and English."""

from recsys.schema.catalogue.catalogue import FREE, Catalogue, spelling
from recsys.schema.catalogue.entries import (
    LANGUAGES,
    Entry,
    Interest,
    Label,
    Language,
    Option,
    Question,
)
from recsys.schema.catalogue.reading import load_catalogue, read_catalogue
from recsys.schema.catalogue.said import Said

__all__ = [
    "FREE",
    "LANGUAGES",
    "Catalogue",
    "Entry",
    "Interest",
    "Label",
    "Language",
    "Option",
    "Question",
    "Said",
    "load_catalogue",
    "read_catalogue",
    "spelling",
]
