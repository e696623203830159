"""Entries of the catalogue: labels, interests, questions, scales and topics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from string import Formatter
from typing import Final, Literal

from recsys.errors import InputError, explained
from recsys.strict_yaml import YamlFile

Language = Literal["ja", "en"]
LANGUAGES: tuple[Language, ...] = ("ja", "en")


@dataclass(frozen=True, slots=True)
class Label:
    """One text in both languages of the engine, and in any others.

    others: language and text. missing: languages of the engine that fall back to another's text.

    >>> Label(ja="写真", en="Photography").text("en")
    'Photography'
    >>> Label.of({"de": "Fotografie"}).text("ja"), Label.of({"de": "Fotografie"}).missing
    ('Fotografie', ('ja', 'en'))
    """

    ja: str
    en: str
    others: tuple[tuple[str, str], ...] = ()
    missing: tuple[Language, ...] = ()

    @classmethod
    def of(cls, texts: Mapping[str, str]) -> "Label":
        """Return a label of texts by language, at least one; a missing language takes the next best text."""
        others = tuple((lang, text) for lang, text in texts.items() if lang not in LANGUAGES)
        best = texts.get("en") or texts.get("ja") or next(iter(texts.values()))
        missing = tuple(lang for lang in LANGUAGES if not texts.get(lang))
        return cls(texts.get("ja") or best, texts.get("en") or best, others, missing)

    @property
    def texts(self) -> dict[str, str]:
        """The texts that were given, by language."""
        own = {lang: self.text(lang) for lang in LANGUAGES if lang not in self.missing}
        return own | dict(self.others)

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
    """One answer to a question; `score` places it on a scale, -1 to 1, None where it has no place."""

    id: str
    label: Label
    score: float | None


Kind = Literal["single", "several", "likert", "number"]
KINDS: tuple[Kind, ...] = ("single", "several", "likert", "number")
SEVERAL: Final = "|"
"""Stands between the choices of one answer to a question of the kind `several`."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question to members. Sensitive ones need consent, are never mandatory and enter no embedding.

    scale:      the scale its options have a place on; None has the scale learned.
    kind:       one choice, several choices, agreement in points, or a number; numbers and points are options
                as well, one each step.
    match_only: answers are used and never shown, and are never mandatory.
    retired:    not asked any more; answers that were given stay, and enter no feature.
    """

    id: str
    label: Label
    scale: str | None
    options: tuple[Option, ...]
    sensitive: bool
    kind: Kind = "single"
    match_only: bool = False
    retired: bool = False

    @property
    def answers(self) -> tuple[str, ...]:
        """The option ids, in order."""
        return tuple(option.id for option in self.options)

    @property
    def is_learned(self) -> bool:
        """Whether features learn from its answers."""
        return not self.sensitive and not self.retired

    @property
    def is_shown(self) -> bool:
        """Whether a shared answer may be named as a reason: one choice, public, not sensitive."""
        return self.is_learned and not self.match_only and self.kind != "several"


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A named thing with a label: a topic, a scale, a word of an enumeration."""

    id: str
    label: Label


@dataclass(frozen=True, eq=False)
class Renames:
    """Old ids to the ids that took them over: of questions, of options by question, of topics."""

    questions: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[tuple[str, str], str] = field(default_factory=dict)
    topics: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.questions or self.options or self.topics)


def read_entries(file: YamlFile) -> dict[str, CatalogueEntry]:
    """Return entries that have nothing but a label, by id."""
    return {
        key: CatalogueEntry(key, read_label(file, key, file.mapping(key, raw, LANGUAGES)))
        for key, raw in file.content.items()
    }


def read_words(file: YamlFile) -> dict[str, dict[str, Label]]:
    """Return the label of every word, by enumerated column and word."""
    return {
        column: {
            str(word): read_label(file, f"{column}.{word}", file.mapping(f"{column}.{word}", raw, LANGUAGES))
            for word, raw in file.mapping(column, words, words if isinstance(words, dict) else ()).items()
        }
        for column, words in file.content.items()
    }


def read_texts(files: Sequence[YamlFile]) -> dict[str, Label]:
    """Flatten sections of texts: `reason: {near: ...}` is the text `reason.near`.

    Raises InputError for a text that stands in two files.
    """
    found: dict[str, Label] = {}
    for file in files:
        for section, texts in file.content.items():
            if not isinstance(texts, dict):
                raise file.error("not a section of texts", section, got=texts)
            for name, raw in texts.items():
                key = f"{section}.{name}"
                if key in found:
                    raise file.error("a text stands in two files", key)
                found[key] = read_label(file, key, file.mapping(key, raw, LANGUAGES))
    return found
