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
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from recsys.catalogue.content import (
    MOST_LEVELS,
    MOST_TOPICS,
    Content,
    Renames,
    Row,
    read_content,
    rows_of,
)
from recsys.catalogue.entries import (
    LANGUAGES,
    CatalogueEntry,
    Interest,
    Label,
    Language,
    Option,
    Question,
    read_label,
)
from recsys.catalogue.interest_spellings import shorter_spellings
from recsys.catalogue.messages import Openers, Steps, read_openers, read_steps
from recsys.catalogue.stages import Stages, read_stages
from recsys.catalogue.text_folding import fold
from recsys.errors import InputError, did_you_mean, explained
from recsys.strict_yaml import YamlFile

if TYPE_CHECKING:
    import pandas as pd

    Table = pd.DataFrame | Iterable[Row]

T = TypeVar("T")
MOST_ANSWERS: Final = 60
FREE: Final = "free:"
"""Prefix of a tag that is no interest of the catalogue."""


def spelling(text: str) -> str:
    """Return the key under which a spelling is looked up: folded, without spaces.

    >>> spelling("Board Game") == spelling("boardgame")
    True
    """
    return fold(text).replace(" ", "")


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Interests, questions, scales, topics, stages and every text.

    `version` names the release and the content, so that two catalogues with one version are equal.
    `words` holds the labels of the words of each enumerated column. `renames` carries answers over from ids
    that are no more; `importance` holds a service's own levels, by weight.
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

    @classmethod
    def of(
        cls,
        *,
        questions: "Table | None" = None,
        options: "Table | None" = None,
        interests: "Table | None" = None,
        topics: "Table | None" = None,
        importance: "Table | None" = None,
        extends: Literal["builtin"] | None = None,
    ) -> "Catalogue":
        """Return a catalogue with a service's own questions, interests or topics, as tables.

        A part that is not given is the one of the package. A part that is given stands in its place; with
        `extends="builtin"` its rows are added to those of the package, override them by id, and hide them
        by `retired`. The columns are in `recsys.catalogue.content.CONTENT_COLUMNS`.

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
        }
        tables = {name: rows_of(name, table) for name, table in given.items() if table is not None}
        return _with_content(read_content(tables), load_catalogue(), extends=extends == "builtin")

    def __repr__(self) -> str:
        return (
            f"Catalogue({self.version}: {len(self.interests)} interests, {len(self.questions)} questions, "
            f"{len(self.topics)} topics)"
        )

    @property
    def most_answers(self) -> int:
        """How many questions one person may answer: 60, and all of them where a catalogue has more."""
        return max(MOST_ANSWERS, len(self.questions))

    @cached_property
    def spellings(self) -> Mapping[str, str]:
        """Every spelling of every interest (id, labels, synonyms), to the interest's id."""
        return {
            spelling(text): interest.id
            for interest in self.interests.values()
            for text in (interest.id, *interest.label.texts.values(), *interest.synonyms)
        }

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
        """
        folded = fold(text)
        while folded.startswith(FREE):
            folded = folded.removeprefix(FREE).strip()
        for written in (folded, *shorter_spellings(text.removeprefix(FREE))):
            if known := self.spellings.get(written.replace(" ", "")):
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
                explained("unknown text", where="texts.yaml", got=key, remedy=did_you_mean(key, self.texts))
            )
        try:
            return self.texts[key].text(lang).format_map(values)
        except KeyError as missing:
            name = str(missing.args[0])
            raise InputError(
                explained("a text lacks a value", where=key, got=name, remedy=f"pass {name}=...")
            ) from missing


FILES: Final = (
    *("release", "interests", "scales", "questions", "topics", "words", "texts"),
    *("stages", "openers", "steps"),
)
_FLAGS: Final = ("sensitive", "match_only")
MOST_OPTIONS: Final = 16
"""Options of a question of the package."""


def _entries(file: YamlFile) -> dict[str, CatalogueEntry]:
    return {
        key: CatalogueEntry(key, read_label(file, key, file.mapping(key, raw, LANGUAGES)))
        for key, raw in file.content.items()
    }


def _topics(file: YamlFile) -> dict[str, CatalogueEntry]:
    if len(file.content) > MOST_TOPICS:
        raise file.error("too many topics", "topics", len(file.content), f"keep at most {MOST_TOPICS}")
    return _entries(file)


def _interests(file: YamlFile) -> dict[str, Interest]:
    found: dict[str, Interest] = {}
    for key, raw in file.content.items():
        fields = file.mapping(key, raw, ("ja", "en", "parent", "synonyms"))
        synonyms = fields.get("synonyms", [])
        if not isinstance(synonyms, list) or not all(isinstance(word, str) and word for word in synonyms):
            raise file.error("synonyms are not a list of texts", key, got=synonyms)
        parent = fields.get("parent")
        if parent is not None and parent not in file.content:
            raise file.error("unknown parent", key, parent, did_you_mean(str(parent), file.content))
        found[key] = Interest(key, read_label(file, key, fields), parent, tuple(synonyms))
    _check_depth(file, found)
    _check_spellings(file, found)
    return found


def _check_depth(file: YamlFile, interests: Mapping[str, Interest]) -> None:
    for interest in interests.values():
        level, parent = 1, interest.parent
        while parent is not None:
            level, parent = level + 1, interests[parent].parent
            if level > MOST_LEVELS:
                raise file.error(f"more than {MOST_LEVELS} levels deep", interest.id, got=interest.parent)


def check_spellings(interests: Mapping[str, Interest]) -> None:
    """Raise InputError when two interests share a spelling."""
    owners: dict[str, str] = {}
    for interest in interests.values():
        for word in (interest.id, *interest.label.texts.values(), *interest.synonyms):
            owner = owners.setdefault(spelling(word), interest.id)
            if owner != interest.id:
                where = f"interests: {interest.id}"
                remedy = "keep it in one of them"
                raise InputError(
                    explained(f"'{owner}' is spelled so too", where=where, got=word, remedy=remedy)
                )


def _check_spellings(file: YamlFile, interests: Mapping[str, Interest]) -> None:
    owners: dict[str, str] = {}
    for interest in interests.values():
        once: set[str] = set()
        for word in interest.synonyms:
            if spelling(word) in once:
                raise file.error("duplicate synonym", interest.id, got=word, remedy="keep one of them")
            once.add(spelling(word))
        for word in (interest.id, interest.label.ja, interest.label.en, *interest.synonyms):
            owner = owners.setdefault(spelling(word), interest.id)
            if owner != interest.id:
                raise file.error(f"'{owner}' is spelled so too", interest.id, word, "keep it in one of them")


def _questions(file: YamlFile, scales: Mapping[str, CatalogueEntry]) -> dict[str, Question]:
    found: dict[str, Question] = {}
    for key, raw in file.content.items():
        fields = file.mapping(key, raw, ("ja", "en", "scale", "options", *_FLAGS))
        if fields.get("scale") not in scales:
            scale = str(fields.get("scale"))
            raise file.error("unknown scale", key, got=scale, remedy=did_you_mean(scale, scales))
        for flag in _FLAGS:
            if not isinstance(fields.get(flag, False), bool):
                raise file.error(f"{flag} is not true or false", key, got=fields[flag])
        found[key] = Question(
            id=key,
            label=read_label(file, key, fields),
            scale=fields["scale"],
            options=_options(file, key, fields.get("options")),
            sensitive=fields.get("sensitive", False),
            match_only=fields.get("match_only", False),
        )
    return found


def _options(file: YamlFile, question: str, raw: object) -> tuple[Option, ...]:
    if not isinstance(raw, dict) or not 2 <= len(raw) <= MOST_OPTIONS:
        got = len(raw) if isinstance(raw, dict) else raw
        raise file.error(f"a question has 2 to {MOST_OPTIONS} options", question, got=got)
    found = []
    for key, given in raw.items():
        where = f"{question}.{key}"
        fields = file.mapping(where, given, ("ja", "en", "score"))
        score = file.number(where, fields, "score", -1, 1)
        found.append(Option(str(key), read_label(file, where, fields), score))
    return tuple(found)


def _words(file: YamlFile) -> dict[str, dict[str, Label]]:
    return {
        column: {
            str(word): read_label(file, f"{column}.{word}", file.mapping(f"{column}.{word}", raw, LANGUAGES))
            for word, raw in file.mapping(column, words, words if isinstance(words, dict) else ()).items()
        }
        for column, words in file.content.items()
    }


def _texts(file: YamlFile) -> dict[str, Label]:
    """Flatten sections of texts: `reason: {near: ...}` is the text `reason.near`."""
    found: dict[str, Label] = {}
    for section, texts in file.content.items():
        if not isinstance(texts, dict):
            raise file.error("not a section of texts", section, got=texts)
        for name, raw in texts.items():
            key = f"{section}.{name}"
            found[key] = read_label(file, key, file.mapping(key, raw, LANGUAGES))
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
    read = {name: YamlFile(name, content) for name, content in contents.items()}
    release = read["release"].content.get("release")
    if not isinstance(release, str):
        raise read["release"].error("the release is not a text", "release", got=release)
    content = hashlib.sha256(b"\0".join(contents[name] for name in FILES)).hexdigest()
    scales, topics = _entries(read["scales"]), _topics(read["topics"])
    interests, stages = _interests(read["interests"]), read_stages(read["stages"])
    return Catalogue(
        version=f"{release}+{content[:12]}",
        interests=interests,
        questions=_questions(read["questions"], scales),
        scales=scales,
        topics=topics,
        words=_words(read["words"]),
        texts=_texts(read["texts"]),
        stages=stages,
        openers=read_openers(read["openers"], interests, topics, scales),
        steps=read_steps(read["steps"], stages),
    )


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
        openers=replace(
            base.openers,
            questions={key: texts for key, texts in base.openers.questions.items() if key in interests},
            unnamed_topics=base.openers.unnamed_topics | (set(topics) - set(base.topics)),
        ),
    )
    digest = hashlib.sha256(json.dumps(content_rows(changed), sort_keys=True).encode()).hexdigest()
    return replace(changed, version=f"own+{digest[:12]}")


def content_rows(catalogue: Catalogue) -> dict[str, list[Row]]:
    """Return interests, questions with options, topics and importance as rows that can be read again."""
    renames = catalogue.renames
    options = [
        {"question_id": q.id, "option_id": o.id, **_label_row(o.label)}
        | ({} if o.score is None else {"score": o.score})
        for q in catalogue.questions.values()
        for o in q.options
    ]
    options += [
        {"question_id": question, "option_id": old, "merged_into": new}
        for (question, old), new in renames.options.items()
    ]
    questions = [_question_row(question) for question in catalogue.questions.values()]
    questions += [{"question_id": old, "merged_into": new} for old, new in renames.questions.items()]
    topics = [{"topic": topic.id, **_label_row(topic.label)} for topic in catalogue.topics.values()]
    topics += [{"topic": old, "merged_into": new} for old, new in renames.topics.items()]
    interests = [
        {"interest_id": one.id, **_label_row(one.label), "synonyms": list(one.synonyms)}
        | ({} if one.parent is None else {"parent": one.parent})
        for one in catalogue.interests.values()
    ]
    importance: list[Row] = [{"level": key, "weight": weight} for key, weight in catalogue.importance.items()]
    return {
        "questions": questions,
        "options": options,
        "interests": interests,
        "topics": topics,
        "importance": importance,
    }


def _label_row(label: Label) -> Row:
    return {"label" if lang == "und" else f"label_{lang}": text for lang, text in label.texts.items()}


def _question_row(question: Question) -> Row:
    row: Row = {"question_id": question.id, "kind": question.kind, **_label_row(question.label)}
    if question.scale is not None:
        row["scale"] = question.scale
    row |= {name: True for name in ("sensitive", "match_only", "retired") if getattr(question, name)}
    if question.kind == "likert":
        row["points"] = len(question.options)
    if question.kind == "number":
        first, second, last = (float(question.options[at].id) for at in (0, 1, -1))
        row |= {"least": first, "most": last, "step": second - first}
    return row


def catalogue_json(catalogue: Catalogue) -> bytes:
    """Return a catalogue as JSON; texts of the engine are those of the version that reads it again.

    >>> catalogue_from_json(catalogue_json(load_catalogue())) is load_catalogue()
    True
    """
    content = {"version": catalogue.version, **content_rows(catalogue)}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def catalogue_from_json(text: bytes) -> Catalogue:
    """Read what `catalogue_json` wrote.

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
