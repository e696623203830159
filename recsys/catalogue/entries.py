"""Entries of the catalogue: labels in two languages, interests, questions, scales and topics."""

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Literal

from recsys.errors import InputError, explained
from recsys.strict_yaml import YamlFile

Language = Literal["ja", "en"]
LANGUAGES: tuple[Language, ...] = ("ja", "en")


@dataclass(frozen=True, slots=True)
class Label:
    """One text in both languages.

    >>> Label(ja="写真", en="Photography").text("en")
    'Photography'
    """

    ja: str
    en: str

    def text(self, lang: Language) -> str:
        """Return the text in one language.

        Raises InputError for a language without texts.
        """
        if lang == "ja":
            return self.ja
        if lang != "en":
            raise InputError(explained("unknown language", got=lang, remedy="use ja or en"))
        return self.en


def names_in(text: str) -> frozenset[str]:
    """Return the `{names}` a text wants filled in.

    >>> sorted(names_in("{a} and {b}"))
    ['a', 'b']
    """
    return frozenset(name for _, name, _, _ in Formatter().parse(text) if name)


def read_label(file: YamlFile, key: str, raw: Mapping[str, object]) -> Label:
    """Return the text of `raw` in both languages, which must name the same values.

    Raises InputError naming file and key.
    """
    for lang in LANGUAGES:
        text = raw.get(lang)
        if not isinstance(text, str) or not text.strip():
            raise file.error(f"no text in '{lang}'", key, got=text, remedy="write both ja and en")
    label = Label(ja=str(raw["ja"]).strip(), en=str(raw["en"]).strip())
    if names_in(label.ja) != names_in(label.en):
        raise file.error("the two languages name different values", key, got=sorted(names_in(label.ja)))
    return label


@dataclass(frozen=True, slots=True)
class Interest:
    """A hobby or subject; `parent` is the broader interest it belongs to, None at the top."""

    id: str
    label: Label
    parent: str | None
    synonyms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Option:
    """One answer to a question; `score` places it on the question's scale, -1 to 1."""

    id: str
    label: Label
    score: float


@dataclass(frozen=True, slots=True)
class Question:
    """A value question. Sensitive ones need consent, are never mandatory and enter no embedding."""

    id: str
    label: Label
    scale: str
    options: tuple[Option, ...]
    sensitive: bool

    @property
    def answers(self) -> tuple[str, ...]:
        """The option ids, in order."""
        return tuple(option.id for option in self.options)


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A named thing with a label: a topic, a scale, a word of an enumeration."""

    id: str
    label: Label
