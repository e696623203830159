"""Columns of text: the type and the length are settled before anything looks inside."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from recsys.errors import explained
from recsys.schema.fields.field import (
    Fault,
    Field,
    Objects,
    Read,
    Refused,
    all_null,
    dtype_name,
    object_series,
    objects,
)
from recsys.schema.text import unsafe_characters

LONGEST = 64


def holds_text(values: pd.Series) -> bool:
    """Say whether a column's type can hold text."""
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        dtype = dtype.categories.dtype
    return bool(pd.api.types.is_object_dtype(dtype) or isinstance(dtype, pd.StringDtype)) or all_null(values)


@dataclass(frozen=True, kw_only=True)
class TextField(Field):
    """A column of texts of at most `longest` characters."""

    longest: int = LONGEST

    @abstractmethod
    def meaning(self, text: str) -> object:
        """Return the canonical form of one text, or raise Refused."""

    def type_problem(self, values: pd.Series) -> str | None:
        """Refuse columns that hold no text."""
        if holds_text(values):
            return None
        return explained(
            f"wrong type in column '{self.name}'",
            got=dtype_name(values),
            remedy="give text, for example with .astype(str)",
        )

    def read(self, values: pd.Series) -> Read:
        """Refuse what is no text or too long without looking inside, then read each distinct text."""
        texts, faults = self.texts(objects(values))
        meanings, refused = self.by_distinct(texts, self.meaning)
        return Read(object_series(meanings), (*faults, *refused))

    def texts(self, given: Objects) -> tuple[Objects, list[Fault]]:
        """Set `given` to None where it is no text or too long; return it and the faults of those rows."""
        n = len(given)
        length = np.fromiter((len(v) if isinstance(v, str) else -1 for v in given), np.int64, n)
        unknown = np.fromiter((v is None for v in given), bool, n)
        faults = self.nulls(unknown)
        if len(rows := np.flatnonzero((length < 0) & ~unknown)):
            faults.append(self.fault("not_text", rows, "not a text", remedy="give text"))
        if len(rows := np.flatnonzero(length > self.longest)):
            remedy = f"at most {self.longest} characters"
            faults.append(self.fault("too_long", rows, "too long a text", remedy=remedy))
        given[(length < 0) | (length > self.longest)] = None
        return given, faults

    def check(self) -> dict[str, Any]:
        """Text, or None where that is allowed."""
        return {"nullable": self.nullable}


def refuse_unsafe(text: str) -> None:
    """Raise Refused when a text holds control characters, overrides, markup and the like."""
    if found := unsafe_characters(text):
        raise Refused("unsafe", f"unsafe text ({', '.join(found)})", "give plain text")


@dataclass(frozen=True, kw_only=True)
class FreeText(TextField):
    """A short text that is kept as it is, when it is safe."""

    def meaning(self, text: str) -> str:
        """Return the text itself."""
        refuse_unsafe(text)
        if not text.strip():
            raise Refused("empty", "an empty text", "leave it null when unknown")
        return text
