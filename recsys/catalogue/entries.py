"""What the catalogue holds: interests, questions, scales, topics and the words for people."""

from dataclasses import dataclass
from typing import Literal

from recsys.errors import InputError, explained

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
class Entry:
    """A named thing with a label: a topic, a scale, a word of an enumeration."""

    id: str
    label: Label
