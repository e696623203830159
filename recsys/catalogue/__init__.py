"""Interests, questions, topics and every text for people, in Japanese and English."""

from recsys.catalogue.catalogue import (
    FREE,
    Catalogue,
    LocalizedText,
    load_catalogue,
    read_catalogue,
)
from recsys.catalogue.entries import LANGUAGES, CatalogueEntry, Interest, Label, Language, Option, Question
from recsys.catalogue.text_folding import spelling

__all__ = [
    "FREE",
    "LANGUAGES",
    "Catalogue",
    "CatalogueEntry",
    "Interest",
    "Label",
    "Language",
    "LocalizedText",
    "Option",
    "Question",
    "load_catalogue",
    "read_catalogue",
    "spelling",
]
