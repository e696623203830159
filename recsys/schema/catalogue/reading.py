"""Reads the catalogue's YAML files and refuses a file that is not whole."""

import hashlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from string import Formatter
from typing import Any, Final

import yaml

from recsys.errors import InputError, did_you_mean, explained
from recsys.schema.catalogue.catalogue import Catalogue, spelling
from recsys.schema.catalogue.entries import LANGUAGES, Entry, Interest, Label, Option, Question

FILES: Final = ("release", "interests", "scales", "questions", "topics", "words", "texts")
MOST_TOPICS: Final = 64
"""Topics of one person fit one 64-bit word."""
MOST_OPTIONS: Final = 16
MOST_LEVELS: Final = 3
"""How deep the taxonomy of interests goes."""


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A safe loader that refuses a key written twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[object] = set()
        for key, _ in node.value:
            word = self.construct_object(key, deep=True)
            if word in seen:
                raise yaml.constructor.ConstructorError(None, None, f"'{word}' stands twice", key.start_mark)
            seen.add(word)
        return dict(super().construct_mapping(node, deep))


class _File:
    """One YAML file: a mapping of keys to mappings, and errors that name both."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name = f"{name}.yaml"
        try:
            loaded = yaml.load(content, Loader=_Loader)  # noqa: S506 - a safe loader, see above
        except (yaml.YAMLError, UnicodeDecodeError) as broken:
            raise InputError(explained(f"cannot read YAML: {broken}", where=self.name)) from broken
        if not isinstance(loaded, dict):
            raise InputError(explained("not a mapping of keys", where=self.name, got=loaded))
        self.content: dict[str, Any] = {str(key): value for key, value in loaded.items()}

    def refuse(self, what: str, key: str, got: object = None, remedy: str = "") -> InputError:
        return InputError(explained(what, where=f"{self.name}: {key}", got=got, remedy=remedy))

    def mapping(self, key: str, raw: object, allowed: Iterable[str]) -> dict[str, Any]:
        if not isinstance(raw, dict):
            raise self.refuse("not a mapping", key, got=raw)
        allowed = tuple(allowed)
        for name in raw:
            if name not in allowed:
                raise self.refuse(
                    "unknown field", key, got=str(name), remedy=did_you_mean(str(name), allowed)
                )
        return raw

    def label(self, key: str, raw: Mapping[str, object]) -> Label:
        for lang in LANGUAGES:
            text = raw.get(lang)
            if not isinstance(text, str) or not text.strip():
                raise self.refuse(f"no text in '{lang}'", key, got=text, remedy="write both ja and en")
        label = Label(ja=str(raw["ja"]).strip(), en=str(raw["en"]).strip())
        if names_in(label.ja) != names_in(label.en):
            raise self.refuse("the two languages name different values", key, got=sorted(names_in(label.ja)))
        return label


def names_in(text: str) -> frozenset[str]:
    """Return the `{names}` a text wants filled in.

    >>> sorted(names_in("{a} and {b}"))
    ['a', 'b']
    """
    return frozenset(name for _, name, _, _ in Formatter().parse(text) if name)


def _entries(file: _File) -> dict[str, Entry]:
    return {
        key: Entry(key, file.label(key, file.mapping(key, raw, LANGUAGES)))
        for key, raw in file.content.items()
    }


def _topics(file: _File) -> dict[str, Entry]:
    if len(file.content) > MOST_TOPICS:
        raise file.refuse("too many topics", "topics", len(file.content), f"keep at most {MOST_TOPICS}")
    return _entries(file)


def _interests(file: _File) -> dict[str, Interest]:
    found: dict[str, Interest] = {}
    for key, raw in file.content.items():
        fields = file.mapping(key, raw, ("ja", "en", "parent", "synonyms"))
        synonyms = fields.get("synonyms", [])
        if not isinstance(synonyms, list) or not all(isinstance(word, str) and word for word in synonyms):
            raise file.refuse("synonyms are not a list of texts", key, got=synonyms)
        parent = fields.get("parent")
        if parent is not None and parent not in file.content:
            raise file.refuse("unknown parent", key, parent, did_you_mean(str(parent), file.content))
        found[key] = Interest(key, file.label(key, fields), parent, tuple(synonyms))
    _check_depth(file, found)
    _check_spellings(file, found)
    return found


def _check_depth(file: _File, interests: Mapping[str, Interest]) -> None:
    for interest in interests.values():
        level, parent = 1, interest.parent
        while parent is not None:
            level, parent = level + 1, interests[parent].parent
            if level > MOST_LEVELS:
                raise file.refuse(f"more than {MOST_LEVELS} levels deep", interest.id, got=interest.parent)


def _check_spellings(file: _File, interests: Mapping[str, Interest]) -> None:
    owners: dict[str, str] = {}
    for interest in interests.values():
        once: set[str] = set()
        for word in interest.synonyms:
            if spelling(word) in once:
                raise file.refuse("a synonym stands twice", interest.id, got=word, remedy="keep one of them")
            once.add(spelling(word))
        for word in (interest.id, interest.label.ja, interest.label.en, *interest.synonyms):
            owner = owners.setdefault(spelling(word), interest.id)
            if owner != interest.id:
                raise file.refuse(f"'{owner}' is spelled so too", interest.id, word, "keep it in one of them")


def _questions(file: _File, scales: Mapping[str, Entry]) -> dict[str, Question]:
    found: dict[str, Question] = {}
    for key, raw in file.content.items():
        fields = file.mapping(key, raw, ("ja", "en", "scale", "options", "sensitive"))
        if fields.get("scale") not in scales:
            scale = str(fields.get("scale"))
            raise file.refuse("unknown scale", key, got=scale, remedy=did_you_mean(scale, scales))
        if not isinstance(fields.get("sensitive", False), bool):
            raise file.refuse("sensitive is not true or false", key, got=fields["sensitive"])
        found[key] = Question(
            id=key,
            label=file.label(key, fields),
            scale=fields["scale"],
            options=_options(file, key, fields.get("options")),
            sensitive=fields.get("sensitive", False),
        )
    return found


def _options(file: _File, question: str, raw: object) -> tuple[Option, ...]:
    if not isinstance(raw, dict) or not 2 <= len(raw) <= MOST_OPTIONS:
        got = len(raw) if isinstance(raw, dict) else raw
        raise file.refuse(f"a question has 2 to {MOST_OPTIONS} options", question, got=got)
    found = []
    for key, given in raw.items():
        where = f"{question}.{key}"
        fields = file.mapping(where, given, ("ja", "en", "score"))
        score = fields.get("score")
        if not isinstance(score, int | float) or isinstance(score, bool) or not -1 <= score <= 1:
            raise file.refuse("a score is a number from -1 to 1", where, got=score)
        found.append(Option(str(key), file.label(where, fields), float(score)))
    return tuple(found)


def _words(file: _File) -> dict[str, dict[str, Label]]:
    return {
        column: {
            str(word): file.label(f"{column}.{word}", file.mapping(f"{column}.{word}", raw, LANGUAGES))
            for word, raw in file.mapping(column, words, words if isinstance(words, dict) else ()).items()
        }
        for column, words in file.content.items()
    }


def _texts(file: _File) -> dict[str, Label]:
    """Flatten sections of texts: `reason: {near: ...}` is the text `reason.near`."""
    found: dict[str, Label] = {}
    for section, texts in file.content.items():
        if not isinstance(texts, dict):
            raise file.refuse("not a section of texts", section, got=texts)
        for name, raw in texts.items():
            key = f"{section}.{name}"
            found[key] = file.label(key, file.mapping(key, raw, LANGUAGES))
    return found


def read_catalogue(folder: Traversable) -> Catalogue:
    """Read a catalogue from a folder of YAML files.

    Raises InputError naming the file and the key when a file is missing or not YAML, a key stands
    twice, a text lacks a language, a parent or scale is unknown, two interests share a spelling, a
    question has more than 16 options, or there are more than 64 topics.
    """
    contents: dict[str, bytes] = {}
    for name in FILES:
        try:
            contents[name] = (folder / f"{name}.yaml").read_bytes().replace(b"\r\n", b"\n")
        except OSError as missing:
            raise InputError(explained("a catalogue file is missing", where=f"{name}.yaml")) from missing
    read = {name: _File(name, content) for name, content in contents.items()}
    release = read["release"].content.get("release")
    if not isinstance(release, str):
        raise read["release"].refuse("the release is not a text", "release", got=release)
    content = hashlib.sha256(b"\0".join(contents[name] for name in FILES)).hexdigest()
    scales = _entries(read["scales"])
    return Catalogue(
        version=f"{release}+{content[:12]}",
        interests=_interests(read["interests"]),
        questions=_questions(read["questions"], scales),
        scales=scales,
        topics=_topics(read["topics"]),
        words=_words(read["words"]),
        texts=_texts(read["texts"]),
    )


@lru_cache(maxsize=1)
def load_catalogue() -> Catalogue:
    """Return the catalogue that comes with the package, read once.

    >>> load_catalogue().interests["photography"].label.ja
    '写真'
    """
    return read_catalogue(files("recsys.schema.catalogue"))
