"""Columns of text: the type and the length are settled before anything looks inside."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import pandas as pd

from recsys.errors import explained
from recsys.schema.fields.field import (
    Field,
    Objects,
    Read,
    Refused,
    all_null,
    dtype_name,
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
    """A column of texts of at most `longest` characters.

    packed: nearly every text is another, so they are kept as one array, NaN where unknown.
    """

    longest: int = LONGEST
    packed: bool = False

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
        """Read each distinct text, once it is known to be a text that is not too long."""
        if isinstance(values.dtype, pd.CategoricalDtype):  # each distinct text is known already
            numbers, distinct = values.cat.codes.to_numpy(), values.cat.categories.to_numpy(object)
            meanings, refused = self.by_number(numbers, distinct, self._checked)
        else:
            meanings, refused = self.by_distinct(_hashable(objects(values)), self._checked)
        column = pd.Series(meanings, dtype="str" if self.packed else object)
        return Read(column, (*self.nulls(values.isna().to_numpy(bool)), *refused))

    def _checked(self, value: object) -> object:
        if not isinstance(value, str):
            raise Refused("not_text", f"not a text but {_type_name(value)}", "give text")
        if len(value) > self.longest:
            raise Refused("too_long", "too long a text", f"at most {self.longest} characters")
        return self.meaning(value)

    def check(self) -> dict[str, Any]:
        """Text, or None where that is allowed."""
        return {"nullable": self.nullable}


@dataclass(frozen=True)
class _Unhashable:
    """Stands for a value that is certainly no text."""

    type_name: str


def _hashable(given: Objects) -> Objects:
    try:
        pd.factorize(given)
    except TypeError:
        for at, value in enumerate(given):
            if value is not None and not isinstance(value, str):
                given[at] = _Unhashable(type(value).__name__)
    return given


def _type_name(value: object) -> str:
    return value.type_name if isinstance(value, _Unhashable) else type(value).__name__


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
