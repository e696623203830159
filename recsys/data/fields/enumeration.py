"""Columns of words from a fixed list: one word, or a set of them."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from recsys.catalogue.text_folding import fold
from recsys.data.fields.base import ReadColumn, RefusedValue, Violation, object_series, objects
from recsys.data.fields.text import TextField
from recsys.data.shared_values import equal_sets
from recsys.types import IndexArray, ObjectArray

SEPARATOR = "|"
MOST_WORDS = 512
"""A set given as one value holds at most so many words, repeats counted."""
_BCP_47 = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]{1,8})*")


@dataclass(frozen=True, kw_only=True)
class Word(TextField):
    """One of `words`.

    forbidden: fragments of words that must never enter; `because` is the sentence that refuses them.
    """

    words: tuple[str, ...]
    hint: str = ""
    forbidden: tuple[str, ...] = ()
    because: str = ""

    def meaning(self, text: str) -> str:
        """Return the word itself."""
        if text in self.words:
            return text
        self._refuse_forbidden(text)
        raise self._unknown(self.words)

    def _refuse_forbidden(self, text: str) -> None:
        folded = fold(text) if self.forbidden else ""
        if any(fold(fragment) in folded for fragment in self.forbidden):
            raise RefusedValue("forbidden", self.because, "remove it; there is no such word here")

    def _unknown(self, near: Iterable[str]) -> RefusedValue:
        remedy = self.hint or f"use one of {', '.join(self.words)}"
        return RefusedValue("unknown_word", "unknown word", remedy, () if self.hint else near)


@dataclass(frozen=True, kw_only=True)
class Choice(Word):
    """One of `words`, or several of them as one text "a|b"."""

    longest: int = 4096

    def meaning(self, text: str) -> str:
        """Return the text, when every word of it is known."""
        for word in text.split(SEPARATOR):
            super().meaning(word)
        return text


@dataclass(frozen=True, kw_only=True)
class WordSet(Word):
    """A set of `words`: a list, tuple, set or array of them, or one text "a|b".

    The canonical form is the sorted tuple of distinct words; an empty set is `()`, which is not
    unknown (in text it is "|").
    """

    longest: int = 4096

    def read(self, values: pd.Series) -> ReadColumn:
        """Read each distinct set once."""
        given = objects(values)
        faults = self.nulls(pd.isna(given))
        group, distinct, malformed = self._keys(given)
        meanings, refused = self.by_number(group, distinct, self._set)
        return ReadColumn(object_series(meanings), (*faults, *malformed, *refused))

    def read_coded(self, values: pd.Series) -> ReadColumn:
        """Return what `read` does: sets are no texts."""
        return self.read(values)

    def _value(self, given: object) -> tuple[str, ...]:
        members = _members(given, self.longest)
        if not isinstance(members, tuple):
            raise RefusedValue("not_a_set", "not a set of words", "give a list of words")
        return self._set(members)

    @cached_property
    def _words(self) -> frozenset[str]:
        return frozenset(self.words)

    def _keys(self, given: ObjectArray) -> tuple[IndexArray, ObjectArray, list[Violation]]:
        """Return which set each row is, -1 for none, and each set as a tuple of texts in the order given."""
        group, first = equal_sets(given)
        keys = np.fromiter((_members(v, self.longest) for v in given[first]), object, len(first))
        broken = np.fromiter((k if isinstance(k, str) else "" for k in keys), object, len(keys))
        faults = []
        for rule, what, remedy in (
            ("not_a_set", "not a set of words", "give a list of words, or one text 'a|b'"),
            ("unknown_member", "a word in the set is unknown", "name every word that people chose"),
            ("too_long", "too long a set", f"at most {self.longest} characters and {MOST_WORDS} words"),
        ):
            if (breaks := broken == rule).any():
                rows = np.flatnonzero(np.append(breaks, False)[group])
                faults.append(self.fault(rule, rows, what, remedy=remedy))
        keys[broken != ""] = None
        number, distinct = pd.factorize(keys)
        return np.append(number, -1)[group], distinct, faults

    def _set(self, members: tuple[str, ...]) -> tuple[str, ...]:
        if self._words.issuperset(members):
            return tuple(sorted(set(members)))
        for word in members:
            self._refuse_forbidden(word)
        raise self._unknown(())


@dataclass(frozen=True, kw_only=True)
class LanguageSet(WordSet):
    """A set of languages as BCP 47 tags: `pt-BR` and `zh_Hant` are the languages `pt` and `zh`.

    Two people who write one language understand each other, whatever the country or the script.
    """

    def _set(self, members: tuple[str, ...]) -> tuple[str, ...]:
        return super()._set(tuple(primary_language(tag) for tag in members))


def primary_language(tag: str) -> str:
    """Return the language of a BCP 47 tag (RFC 5646), and a text that is no tag as it is.

    >>> primary_language("pt-BR"), primary_language("ZH_hant_TW"), primary_language("german")
    ('pt', 'zh', 'german')
    """
    return match[1].lower() if (match := _BCP_47.fullmatch(tag)) else tag


def _members(value: object, longest: int) -> tuple[str, ...] | str | None:
    """Return the members of one given set, or the name of the rule it breaks."""
    if value is None:
        return None
    if isinstance(value, str):
        if len(value) > longest:
            return "too_long"
        return tuple(word for word in value.split(SEPARATOR) if word)
    if isinstance(value, np.ndarray):
        return _texts(value.tolist(), longest) if value.ndim == 1 else "not_a_set"
    return _texts(value, longest) if isinstance(value, list | tuple | set | frozenset) else "not_a_set"


def _texts(value: Collection[object], longest: int) -> tuple[str, ...] | str:
    if len(value) > MOST_WORDS:
        return "too_long"
    words: tuple[Any, ...] = tuple(value)
    if not set(map(type, words)) <= {str}:
        if any(word is None for word in value):
            return "unknown_member"
        if not all(isinstance(word, str) for word in value):
            return "not_a_set"
    return "too_long" if sum(map(len, words)) > longest else words
