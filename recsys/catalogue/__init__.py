"""Interests, questions, topics and every text for people, in Japanese and English."""

from recsys.catalogue.catalogue import FREE, Catalogue, spelling
from recsys.catalogue.entries import LANGUAGES, Entry, Interest, Label, Language, Option, Question
from recsys.catalogue.loading import Said, load_catalogue, read_catalogue

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
