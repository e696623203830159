"""Columns of text: the type and the length are settled before anything looks inside."""

import re
from abc import abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from zoneinfo import available_timezones

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from recsys.catalogue.catalogue import FREE, Catalogue
from recsys.catalogue.interest_spellings import is_no_interest
from recsys.catalogue.text_folding import unsafe_characters
from recsys.data.contact_tokens import TOKEN_FORM, is_token
from recsys.data.fields.base import (
    Field,
    ReadColumn,
    RefusedValue,
    Violation,
    all_null,
    dtype_name,
    objects,
)
from recsys.data.geography import FINEST_RESOLUTION, is_cell, resolution
from recsys.errors import explained
from recsys.types import ObjectArray

LONGEST = 64
_MANY: Final = 64
"""From so many different texts on, a column is first looked at as a whole."""


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

    def read(self, values: pd.Series) -> ReadColumn:
        """Read each distinct text, once it is known to be a text that is not too long."""
        numbers, meanings, faults = self._meanings(values)
        column = pd.Series(meanings[numbers], dtype="str" if self.packed else object)
        return ReadColumn(column, faults)

    def read_coded(self, values: pd.Series) -> ReadColumn:
        """Return what `read` does as categories of the texts it holds; a packed column as it is."""
        if self.packed:
            return self.read(values)
        numbers, meanings, faults = self._meanings(values)
        codes, words = pd.factorize(meanings)  # the last, at -1, is None
        coded = pd.Categorical.from_codes(codes[numbers], categories=pd.Index(words, dtype=object))
        return ReadColumn(pd.Series(coded), faults)

    def _meanings(
        self, values: pd.Series
    ) -> tuple[npt.NDArray[np.integer], ObjectArray, tuple[Violation, ...]]:
        """Return the number of each row's text, -1 for none, what each means, the last None, and faults."""
        numbers, distinct = _numbered(values)
        canonical = self._canonical(distinct) if len(distinct) > _MANY else None
        meanings, refused = self.meanings_by_number(numbers, distinct, self._value, canonical=canonical)
        return numbers, meanings, (*self.nulls(numbers < 0), *refused)

    def _canonical(self, distinct: ObjectArray) -> npt.NDArray[np.bool_] | None:  # noqa: ARG002
        """Say which values are texts that `meaning` returns as they are; None where each is to be asked."""
        return None

    def _value(self, given: object) -> object:
        if not isinstance(given, str):
            raise RefusedValue("not_text", f"not a text but {_type_name(given)}", "give text")
        if len(given) > self.longest:
            raise RefusedValue("too_long", "too long a text", f"at most {self.longest} characters")
        return self.meaning(given)


@dataclass(frozen=True)
class _Unhashable:
    """Stands for a value that is certainly no text."""

    type_name: str


def _numbered(values: pd.Series) -> tuple[npt.NDArray[np.integer], ObjectArray]:
    """Return the number of each value, -1 unknown, and the different ones, as they first come.

    What certainly is no text, such as a list, stands as `_Unhashable`.
    """
    if isinstance(values.dtype, pd.CategoricalDtype):  # each distinct text is known already
        return values.cat.codes.to_numpy(), values.cat.categories.to_numpy(object)
    if isinstance(values.dtype, pd.StringDtype) and values.dtype.storage == "pyarrow":
        return _numbered_arrow(values)
    try:
        return pd.factorize(values.to_numpy(object))
    except TypeError:
        given = objects(values)
        for at, value in enumerate(given):
            if value is not None and not isinstance(value, str):
                given[at] = _Unhashable(type(value).__name__)
        return pd.factorize(given)


def _numbered_arrow(values: pd.Series) -> tuple[npt.NDArray[np.integer], ObjectArray]:
    packed = pa.array(values)
    if isinstance(packed, pa.ChunkedArray):  # as one: dictionaries of parts would be compared part by part
        packed = packed.combine_chunks()
    whole = packed.dictionary_encode()
    del packed
    numbers = whole.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return numbers, whole.dictionary.to_numpy(zero_copy_only=False).astype(object)


def matching(pattern: str, texts: ObjectArray) -> npt.NDArray[np.bool_] | None:
    """Say which texts a pattern of RE2 matches from beginning to end; None where one is no text.

    >>> matching("[a-z]{1,2}", np.array(["ab", "AB", "abc"], dtype=object)).tolist()
    [True, False, False]
    """
    if pd.api.types.infer_dtype(texts, skipna=False) != "string":
        return None
    try:
        packed = pa.array(texts, type=pa.string())
    except ValueError:  # no UTF-8, as a lone surrogate
        return None
    found = pc.match_substring_regex(packed, rf"\A(?:{pattern})\z")
    return np.asarray(found.fill_null(False).to_numpy(zero_copy_only=False), bool)


def _type_name(value: object) -> str:
    return value.type_name if isinstance(value, _Unhashable) else type(value).__name__


def refuse_unsafe(text: str) -> None:
    """Raise Refused when a text holds control characters, overrides, markup and the like."""
    if found := unsafe_characters(text):
        raise RefusedValue("unsafe", f"unsafe text ({', '.join(found)})", "give plain text")


@dataclass(frozen=True, kw_only=True)
class FreeText(TextField):
    """A short text that is kept as it is, when it is safe."""

    def meaning(self, text: str) -> str:
        """Return the text itself."""
        refuse_unsafe(text)
        if not text.strip():
            raise RefusedValue("empty", "an empty text", "leave it null when unknown")
        return text


@dataclass(frozen=True, kw_only=True)
class Tag(TextField):
    """An interest: the catalogue's id when the text names one, else the folded text behind `free:`."""

    catalogue: Catalogue
    nullable: bool = False

    def meaning(self, text: str) -> str:
        """Return the canonical tag."""
        refuse_unsafe(text)
        tag = self.catalogue.fold_tag(text)
        if tag == FREE:
            raise RefusedValue("empty", "an empty tag", "name an interest in plain text")
        if tag.startswith(FREE) and is_no_interest(tag.removeprefix(FREE)):
            raise RefusedValue(
                "no_interest", "a contact or a wish, not an interest", "name a hobby or a subject"
            )
        return tag


_PLAIN_HASH = re.compile(r"(\$?[a-z0-9-]+[:$])?[0-9a-fA-F]{32,128}", re.ASCII)
_KEYED = "make it with recsys.data.contact_tokens.make_token and a secret kept outside the data"


@dataclass(frozen=True, kw_only=True)
class Token(TextField):
    """A token as `recsys.data.contact_tokens.make_token` makes it; what is refused is never repeated."""

    longest: int = 160
    private: bool = True

    def meaning(self, text: str) -> str:
        """Return the token itself."""
        if is_token(text):
            return text
        if _PLAIN_HASH.fullmatch(text):
            raise RefusedValue("plain_hash", "a plain hash, which can be reversed", _KEYED)
        raise RefusedValue("not_a_token", "not a keyed token", _KEYED)

    def _canonical(self, distinct: ObjectArray) -> npt.NDArray[np.bool_] | None:
        return matching(TOKEN_FORM, distinct)


_PERSON_ID = "[A-Za-z0-9_-]{1,64}"
_PERSON = re.compile(_PERSON_ID, re.ASCII)
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
            raise RefusedValue("not_an_id", "not an id", "use 1 to 64 of the characters A-Z a-z 0-9 _ -")
        return text

    def _canonical(self, distinct: ObjectArray) -> npt.NDArray[np.bool_] | None:
        return matching(_PERSON_ID, distinct)


@dataclass(frozen=True, kw_only=True)
class AnyId(TextField):
    """An id from elsewhere: any text of 1 to 256 characters without control or direction characters."""

    nullable: bool = False
    longest: int = 256

    def read(self, values: pd.Series) -> ReadColumn:
        """Read each distinct id; a packed column with nothing wrong in it is taken as it is."""
        if self.packed and isinstance(values.dtype, pd.StringDtype) and self._all_sound(values):
            return ReadColumn(values.astype("str"), ())
        return super().read(values)

    def _all_sound(self, values: pd.Series) -> bool:
        lengths = values.str.len()
        sound = lengths.notna() & (lengths > 0) & (lengths <= self.longest)
        return bool(sound.all()) and not values.str.contains(_UNPRINTABLE_TEXT, regex=True).any()

    def meaning(self, text: str) -> str:
        """Return the id itself."""
        if not text or _UNPRINTABLE.search(text):
            remedy = "use 1 to 256 characters without null bytes, control or text-direction characters"
            raise RefusedValue("not_an_id", "not an id", remedy)
        return text

    def _canonical(self, distinct: ObjectArray) -> npt.NDArray[np.bool_] | None:
        printable = matching(f"[^{_UNPRINTABLE_TEXT[1:-1]}]+", distinct)
        if printable is None:
            return None
        return printable & (np.fromiter(map(len, distinct), np.int64, len(distinct)) <= self.longest)


@lru_cache(maxsize=1)
def known_zones() -> frozenset[str]:
    """Return the names of the IANA time zones that are places."""
    return frozenset(name for name in available_timezones() if name not in {"Factory", "localtime"})


@dataclass(frozen=True, kw_only=True)
class Zone(TextField):
    """The IANA name of a time zone, such as Asia/Tokyo."""

    def meaning(self, text: str) -> str:
        """Return the name itself."""
        if text not in known_zones():
            raise RefusedValue("unknown_zone", "unknown time zone", "give an IANA name such as Asia/Tokyo")
        return text


_COARSER = f"give its parent of resolution {FINEST_RESOLUTION} or coarser, never coordinates"


@dataclass(frozen=True, kw_only=True)
class Cell(TextField):
    """An H3 cell of resolution 6 or coarser; what is refused may be an address and is never repeated."""

    longest: int = 16
    private: bool = True

    def meaning(self, text: str) -> str:
        """Return the cell in lower case."""
        cell = text.lower()
        if not is_cell(cell):
            raise RefusedValue("not_a_cell", "not an H3 cell", _COARSER)
        if resolution(cell) > FINEST_RESOLUTION:
            what = f"a cell of resolution {resolution(cell)} is too precise"
            raise RefusedValue("too_precise", what, _COARSER)
        return cell
