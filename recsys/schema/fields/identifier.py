"""Columns of ids: a person's id has a strict form, an id in an event is opaque."""

import re
from dataclasses import dataclass

import pandas as pd

from recsys.schema.fields.field import Read, Refused
from recsys.schema.fields.text import TextField

_PERSON = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_UNPRINTABLE_TEXT = "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
"""As below, for texts that are valid UTF-8."""
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True)
class PersonId(TextField):
    """The id of a person: 1 to 64 letters, digits, `_` and `-`."""

    nullable: bool = False

    def meaning(self, text: str) -> str:
        """Return the id itself."""
        if not _PERSON.fullmatch(text):
            raise Refused("not_an_id", "not an id", "use 1 to 64 of the characters A-Z a-z 0-9 _ -")
        return text


@dataclass(frozen=True, kw_only=True)
class AnyId(TextField):
    """An id from elsewhere: any text of 1 to 256 characters without control or direction characters."""

    nullable: bool = False
    longest: int = 256

    def read(self, values: pd.Series) -> Read:
        """Read each distinct id; a packed column with nothing wrong in it is taken as it is."""
        if self.packed and isinstance(values.dtype, pd.StringDtype) and self._all_sound(values):
            return Read(values.astype("str"), ())
        return super().read(values)

    def _all_sound(self, values: pd.Series) -> bool:
        lengths = values.str.len()
        sound = lengths.notna() & (lengths > 0) & (lengths <= self.longest)
        return bool(sound.all()) and not values.str.contains(_UNPRINTABLE_TEXT, regex=True).any()

    def meaning(self, text: str) -> str:
        """Return the id itself."""
        if not text or _UNPRINTABLE.search(text):
            remedy = "use 1 to 256 characters without null bytes, control or text-direction characters"
            raise Refused("not_an_id", "not an id", remedy)
        return text
