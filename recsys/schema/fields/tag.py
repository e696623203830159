"""Columns of interests, in any spelling and either language."""

from dataclasses import dataclass

from recsys.schema.catalogue import FREE, load_catalogue
from recsys.schema.fields.field import Refused
from recsys.schema.fields.text import TextField, refuse_unsafe


@dataclass(frozen=True, kw_only=True)
class Tag(TextField):
    """An interest: the catalogue's id when the text names one, else the folded text behind `free:`."""

    nullable: bool = False

    def meaning(self, text: str) -> str:
        """Return the canonical tag."""
        refuse_unsafe(text)
        tag = load_catalogue().fold_tag(text)
        if tag == FREE:
            raise Refused("empty", "an empty tag", "name an interest in plain text")
        return tag
