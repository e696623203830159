"""The catalogue: interests, questions, scales, topics, stages and every text.

A catalogue is a value: a population carries the one its answers were read with, and so do the models,
publications and reports made from it. `load_catalogue` returns the one of the package, `Catalogue.of` one
with a service's own questions, interests and topics; `recsys.catalogue.files` reads one from a folder.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import chain
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from recsys.arguments import checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.content import Content, check_spellings, content_rows, read_content
from recsys.catalogue.entries import (
    CatalogueEntry,
    Interest,
    Label,
    Language,
    Question,
    Renames,
    read_entries,
    read_texts,
    read_words,
)
from recsys.catalogue.interest_spellings import shorter_spellings
from recsys.catalogue.messages import Openers, Steps, read_openers, read_steps
from recsys.catalogue.misspellings import Misspellings
from recsys.catalogue.preference_words import WISHES, Words, merged_words
from recsys.catalogue.rows import INTERESTS, QUESTIONS, TOPICS, Row, rows_of, yaml_rows
from recsys.catalogue.stages import Stages, read_stages
from recsys.catalogue.text_folding import fold, folded_key
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.errors import InputError, did_you_mean, explained
from recsys.memory import paused_collection
from recsys.strict_yaml import YamlFile

if TYPE_CHECKING:
    import pandas as pd

    Table = pd.DataFrame | Iterable[Row]

T = TypeVar("T")
MOST_ANSWERS: Final = 60
FREE: Final = "free:"
"""Prefix of a tag that is no interest of the catalogue."""


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Interests, questions, scales, topics, stages and every text.

    `version` names the release and the content, so that two catalogues with one version are equal.
    `words` holds the labels of the words of each enumerated column. `renames` carries answers over from ids
    that are no more; `importance` holds a service's own levels, by weight; `own_words` its own words for
    genders, households and age bands.
    """

    version: str
    interests: Mapping[str, Interest]
    questions: Mapping[str, Question]
    scales: Mapping[str, CatalogueEntry]
    topics: Mapping[str, CatalogueEntry]
    words: Mapping[str, Mapping[str, Label]]
    texts: Mapping[str, Label]
    stages: Stages
    openers: Openers
    steps: Steps
    renames: Renames = field(default_factory=Renames)
    importance: Mapping[str, int] = field(default_factory=dict)
    own_words: Words = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        *,
        questions: "Table | None" = None,
        options: "Table | None" = None,
        interests: "Table | None" = None,
        topics: "Table | None" = None,
        importance: "Table | None" = None,
        words: "Table | None" = None,
        extends: Literal["builtin"] | None = None,
    ) -> "Catalogue":
        """Return a catalogue with a service's own questions, interests, topics or words, as tables.

        A part that is not given is the one of the package. A part that is given stands in its place; with
        `extends="builtin"` its rows are added to those of the package, override them by id, and hide them
        by `retired`. The columns are in `recsys.catalogue.rows.CONTENT_COLUMNS`.

        Raises InputError naming every problem.

        >>> own = Catalogue.of(
        ...     questions=[{"question_id": "pets", "label_de": "Haben Sie Tiere?"}],
        ...     options=[{"question_id": "pets", "option_id": word} for word in ("yes", "no")],
        ... )
        >>> own.questions["pets"].label.en, len(own.interests) == len(load_catalogue().interests)
        ('Haben Sie Tiere?', True)
        """
        given = {
            "questions": questions,
            "options": options,
            "interests": interests,
            "topics": topics,
            "importance": importance,
            "words": words,
        }
        tables = {name: rows_of(name, table) for name, table in given.items() if table is not None}
        return _with_content(read_content(tables), load_catalogue(), extends=extends == "builtin")

    def __repr__(self) -> str:
        return (
            f"Catalogue({self.version}: {len(self.interests)} interests, {len(self.questions)} questions, "
            f"{len(self.topics)} topics)"
        )

    @property
    def content(self) -> Content:
        """What a service may bring of its own."""
        return Content(
            self.interests,
            self.questions,
            self.topics,
            self.renames,
            self.importance,
            words=self.own_words,
        )

    def vocabulary(self, column: str) -> tuple[str, ...]:
        """Return the words that a column of the tables may hold, in order.

        >>> load_catalogue().vocabulary("age_band")
        ('18-24', '25-34', '35-44', '45-54', '55-64', '65+')
        """
        if column == C.TOPICS_AVOID:
            return tuple(self.topics)
        own = self.own_words.get(_SAID.get(column, column))
        return tuple(own) if own else ENUMERATIONS[column].words

    @property
    def options_of_questions(self) -> dict[str, tuple[str, ...]]:
        """The answers that each question has."""
        return {name: question.answers for name, question in self.questions.items()}

    @property
    def most_answers(self) -> int:
        """How many questions one person may answer: 60, and all of them where a catalogue has more."""
        return max(MOST_ANSWERS, len(self.questions))

    @cached_property
    def spellings(self) -> Mapping[str, str]:
        """Every spelling of every interest (id, labels, synonyms), to the interest's id."""
        return {
            folded_key(text): interest.id
            for interest in self.interests.values()
            for text in (interest.id, *interest.label.texts.values(), *interest.synonyms)
        }

    @cached_property
    def _misspellings(self) -> Misspellings:
        return Misspellings(self.spellings)

    def fold_tag(self, text: str) -> str:
        """Return the id of the interest that `text` names, or the folded text behind `free:`.

        >>> from recsys.catalogue import load_catalogue
        >>> catalogue = load_catalogue()
        >>> [catalogue.fold_tag(text) for text in ("カメラ", "ｃａｍｅｒａ", "写真")]
        ['photography', 'photography', 'photography']
        >>> catalogue.fold_tag("Lace Knots")
        'free:lace knots'

        Words people add to a hobby are taken off only when the whole text names nothing:

        >>> [catalogue.fold_tag(text) for text in ("神社巡り", "watching movies", "ブドウ")]
        ['shrines_temples', 'films', 'free:ぶどう']

        One wrong letter is read over in a long word where it can only mean one interest:

        >>> [catalogue.fold_tag(text) for text in ("photograpy", "クラッシック", "mediation")]
        ['photography', 'classical', 'free:mediation']
        """
        folded = fold(text)
        while folded.startswith(FREE):
            folded = folded.removeprefix(FREE).strip()
        for written in chain(
            (folded,), shorter_spellings(text.removeprefix(FREE))
        ):  # most are named as they are
            key = written.replace(" ", "")
            if known := self.spellings.get(key) or self._misspellings.meaning(key):
                return known
        return FREE + folded

    def ancestors(self, interest_id: str) -> tuple[str, ...]:
        """Return the broader interests of one interest, nearest first; none for an unknown id."""
        found: list[str] = []
        interest = self.interests.get(interest_id)
        while interest is not None and interest.parent is not None:
            found.append(interest.parent)
            interest = self.interests.get(interest.parent)
        return tuple(found)

    def may_name_answer(self, question_id: str) -> bool:
        """Say whether a reason or an icebreaker may name an answer two people gave alike.

        Never a sensitive question, nor one of a scale that `openers.yaml` lists under `not_named`: whether
        those at home know, hidden notifications and secrets are a lever in the wrong hands.

        >>> from recsys.catalogue import load_catalogue
        >>> [load_catalogue().may_name_answer(name) for name in ("told_at_home", "silence_together", "none")]
        [False, True, False]
        """
        question = self.questions.get(question_id)
        if question is None or not question.is_shown:
            return False
        return question.scale not in self.openers.unnamed_scales

    def label(self, column: str, word: str, lang: Language = "ja") -> str:
        """Return the label of one word of an enumerated column; the word itself when it has none."""
        label = self.words.get(column, {}).get(word)
        return word if label is None else label.text(lang)

    def tag_label(self, tag: str, lang: Language = "ja") -> str:
        """Return the label of an interest, or the text of a free tag."""
        interest = self.interests.get(tag)
        return tag.removeprefix(FREE) if interest is None else interest.label.text(lang)

    def text(self, key: str, lang: Language = "ja", **values: object) -> str:
        """Return one text with its `{names}` filled in.

        Raises InputError for an unknown key or a name without a value.
        """
        if key not in self.texts:
            raise InputError(
                explained(
                    "unknown text", where="catalogue/texts", got=key, remedy=did_you_mean(key, self.texts)
                )
            )
        try:
            return self.texts[key].text(lang).format_map(values)
        except KeyError as missing:
            name = str(missing.args[0])
            raise InputError(
                explained("a text lacks a value", where=key, got=name, remedy=f"pass {name}=...")
            ) from missing


_SAID: Final = {wish: said for said, wish in WISHES.items()}
"""The column that holds what a wish names."""
_CONTENT: Final = (INTERESTS, QUESTIONS, TOPICS)
_TEXTS: Final = tuple(
    f"texts/{subject}"
    for subject in (
        "access",
        "command_line",
        "console",
        "constraints",
        "experiments",
        "gates",
        "mapping",
        "reasons",
        "report",
    )
)
"""Every sentence the package says to people, a file a subject: `section: {name: ...}` is `section.name`."""
FILES: Final = ("release", *_CONTENT, "scales", "words", *_TEXTS, "stages", "openers", "steps")


@checked_arguments
def read_catalogue(folder: Traversable) -> Catalogue:
    """Read a whole catalogue, with every text of the engine, from a folder of YAML files.

    Raises InputError naming the file and the key when a file is missing or not YAML, a key stands twice, a
    text of the engine lacks a language, a scale is unknown, and as `Catalogue.of` does for its contents.
    """
    contents: dict[str, bytes] = {}
    for name in FILES:
        try:
            contents[name] = (folder / f"{name}.yaml").read_bytes().replace(b"\r\n", b"\n")
        except OSError as missing:
            raise InputError(explained("a catalogue file is missing", where=f"{name}.yaml")) from missing
    tables: dict[str, list[Row]] = {}
    for name in _CONTENT:
        tables |= yaml_rows(name, contents[name], where=f"{name}.yaml")
    own = read_content({name: rows_of(name, rows) for name, rows in tables.items()})
    read = {name: YamlFile(name, contents[name]) for name in FILES if name not in _CONTENT}
    release = read["release"].content.get("release")
    if not isinstance(release, str):
        raise read["release"].error("the release is not a text", "release", got=release)
    content = hashlib.sha256(b"\0".join(contents[name] for name in FILES)).hexdigest()
    scales, stages = read_entries(read["scales"]), read_stages(read["stages"])
    interests, questions, topics = own.interests or {}, own.questions or {}, own.topics or {}
    _check_engine_content(own, scales)
    return Catalogue(
        version=f"{release}+{content[:12]}",
        interests=interests,
        questions=questions,
        scales=scales,
        topics=topics,
        words=read_words(read["words"]),
        texts=read_texts([read[name] for name in _TEXTS]),
        stages=stages,
        openers=read_openers(read["openers"], interests, topics, scales),
        steps=read_steps(read["steps"], stages),
    )


def _check_engine_content(own: Content, scales: Mapping[str, CatalogueEntry]) -> None:
    """Raise InputError where contents of the engine lack a language or name a scale that is not there."""
    questions = own.questions or {}
    labels = [(one.id, one.label) for part in (own.interests, own.topics) for one in (part or {}).values()]
    labels += [(question.id, question.label) for question in questions.values()]
    labels += [(f"{q.id}.{option.id}", option.label) for q in questions.values() for option in q.options]
    for key, label in labels:
        if label.missing:
            remedy = "write both ja and en"
            raise InputError(explained(f"no text in '{label.missing[0]}'", where=key, remedy=remedy))
    for question in questions.values():
        if question.scale not in scales:
            remedy = did_you_mean(str(question.scale), scales)
            raise InputError(explained("unknown scale", where=question.id, got=question.scale, remedy=remedy))
    check_spellings(own.interests or {})


def _with_content(content: Content, base: Catalogue, *, extends: bool) -> Catalogue:
    """Return `base` with the parts of `content` in the place of its own, or added to them."""

    def part(own: "Mapping[str, T] | None", usual: "Mapping[str, T]") -> "Mapping[str, T]":
        if own is None:
            return usual
        return {**usual, **own} if extends else own

    def shown(name: str, part: "Mapping[str, T]") -> "dict[str, T]":
        return {key: one for key, one in part.items() if (name, key) not in content.hidden}

    interests = shown("interests", part(content.interests, base.interests))
    topics = shown("topics", part(content.topics, base.topics))
    questions = {
        key: replace(one, retired=True) if ("questions", key) in content.hidden else one
        for key, one in part(content.questions, base.questions).items()
    }
    scales = {
        name: base.scales.get(name) for name in dict.fromkeys(q.scale for q in questions.values() if q.scale)
    }
    if content.interests is not None:
        check_spellings(interests)
    words = merged_words(content.words, base.words, extends=extends)
    changed = replace(
        base,
        version="",
        interests=interests,
        questions=questions,
        scales={
            name: known or CatalogueEntry(name, Label(name, name)) for name, known in scales.items() if name
        },
        topics=topics,
        renames=content.renames,
        importance=content.importance,
        own_words=words,
        words={**base.words, **{name: own for of, own in words.items() for name in (of, WISHES[of])}},
        openers=replace(
            base.openers,
            questions={key: texts for key, texts in base.openers.questions.items() if key in interests},
            unnamed_topics=base.openers.unnamed_topics | (set(topics) - set(base.topics)),
        ),
    )
    digest = hashlib.sha256(json.dumps(content_rows(changed.content), sort_keys=True).encode()).hexdigest()
    return replace(changed, version=f"own+{digest[:12]}")


@lru_cache(maxsize=4)
def catalogue_json(catalogue: Catalogue) -> bytes:
    """Return a catalogue as JSON, once for each; texts of the engine are those of the version that reads it.

    >>> catalogue_from_json(catalogue_json(load_catalogue())) is load_catalogue()
    True
    """
    content = {"version": catalogue.version, **content_rows(catalogue.content)}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


@lru_cache(maxsize=4)
def catalogue_from_json(text: bytes) -> Catalogue:
    """Read what `catalogue_json` wrote; equal bytes, as of one night after another, are one catalogue.

    Raises InputError when it is no catalogue.
    """
    base = load_catalogue()
    try:
        tables = dict(json.loads(text))
        version = str(tables.pop("version"))
        if version == base.version:
            return base
        content = read_content({name: rows_of(name, rows) for name, rows in tables.items()})
    except (ValueError, TypeError, KeyError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(explained("not a catalogue", remedy="write it again with catalogue_json")) from error
    return replace(_with_content(content, base, extends=False), version=version)


@lru_cache(maxsize=1)
def load_catalogue() -> Catalogue:
    """Return the catalogue that comes with the package, read once.

    >>> load_catalogue().interests["photography"].label.ja
    '写真'
    """
    with paused_collection():
        return read_catalogue(files("recsys.catalogue"))


@dataclass(frozen=True)
class LocalizedText:
    """A text of the catalogue with its values; a value may be a localized text itself.

    >>> LocalizedText("report.since_by", {"by": "+3"}).text("en")
    '+3 since last time'
    """

    key: str
    values: Mapping[str, object] = field(default_factory=dict)

    def text(self, lang: Language) -> str:
        """Return it in one language."""
        filled = {
            name: value.text(lang) if isinstance(value, LocalizedText) else value
            for name, value in self.values.items()
        }
        return load_catalogue().text(self.key, lang, **filled)
