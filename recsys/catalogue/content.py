"""Contents of a catalogue: interests, questions, topics and levels of importance of a service's own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, cast

from recsys.catalogue.entries import CatalogueEntry, Interest, Question, Renames
from recsys.catalogue.preference_words import Words, read_words
from recsys.catalogue.questions import question_rows, read_questions
from recsys.catalogue.rows import (
    IMPORTANCE,
    INTERESTS,
    OPTIONS,
    QUESTIONS,
    TOPICS,
    TRUE,
    WORDS,
    Problems,
    Row,
    flag_of,
    grouped_by_id,
    label_of,
    label_row,
    number_of,
    one_value,
    text_of,
)
from recsys.catalogue.text_folding import folded_key
from recsys.errors import InputError, did_you_mean, explained

MOST_TOPICS: Final = 64
"""Topics of one person fit one 64-bit word."""
MOST_LEVELS: Final = 3


@dataclass(frozen=True, eq=False)
class Content:
    """What a service brings of its own; a part that was not given is None.

    importance: the service's own levels to weights. hidden: table and id of what is retired by its id alone.
    words: own words of a column and their labels; of columns without own words nothing is there.
    """

    interests: Mapping[str, Interest] | None
    questions: Mapping[str, Question] | None
    topics: Mapping[str, CatalogueEntry] | None
    renames: Renames = field(default_factory=Renames)
    importance: Mapping[str, int] = field(default_factory=dict)
    hidden: frozenset[tuple[str, str]] = frozenset()
    words: Words = field(default_factory=dict)


def read_content(tables: Mapping[str, list[Row]]) -> Content:
    """Return the content of rows by table.

    Raises InputError naming every problem: ids, labels, kinds, options, parents, spellings, limits.
    """
    problems = Problems()
    renames = Renames({}, {}, {})
    hidden = frozenset(
        (table, text_of(row[column]))
        for table, column in (("questions", "question_id"), ("interests", "interest_id"), ("topics", "topic"))
        for row in tables.get(table, ())
        if set(row) == {column, "retired"} and text_of(row["retired"]).lower() in TRUE
    )
    tables = {
        name: [row for row in rows if not any((name, text_of(value)) in hidden for value in row.values())]
        if any(table == name for table, _ in hidden)
        else rows
        for name, rows in tables.items()
    }
    questions = (
        read_questions(tables[QUESTIONS], tables.get(OPTIONS, []), renames, problems)
        if QUESTIONS in tables
        else None
    )
    if QUESTIONS not in tables and tables.get(OPTIONS):
        problems.add("options without questions", OPTIONS, remedy="give the questions too")
    interests = _interests(tables[INTERESTS], problems) if INTERESTS in tables else None
    topics = _topics(tables[TOPICS], renames, problems) if TOPICS in tables else None
    importance = _importance(tables.get(IMPORTANCE, []), problems)
    words = read_words(tables.get(WORDS, []), problems)
    problems.raise_any()
    return Content(interests, questions, topics, renames, importance, hidden, words)


def _interests(rows: list[Row], problems: Problems) -> dict[str, Interest]:
    groups = grouped_by_id(rows, "interest_id", INTERESTS, problems)
    old_names: dict[str, list[str]] = {}
    found: dict[str, Interest] = {}
    for key, group in groups.items():
        where = f"{INTERESTS}: {key}"
        parent = one_value(group, "parent", where, problems)
        new = one_value(group, "merged_into", where, problems)
        old = one_value(group, "renamed_from", where, problems)
        synonyms = [word for row in group for word in _synonyms(row.get("synonyms"))]
        if new is not None:
            old_names.setdefault(text_of(new), []).extend([key, *synonyms])
            continue
        if flag_of(group, "retired", where, problems):
            continue
        if old is not None:
            synonyms.append(text_of(old))
        label = label_of(group, where, problems)
        found[key] = Interest(key, label, None if parent is None else text_of(parent), tuple(synonyms))
    for key, names in old_names.items():
        if key not in found:
            problems.add("merged into no interest", f"{INTERESTS}: {names[0]}", got=key)
            continue
        one = found[key]
        found[key] = Interest(key, one.label, one.parent, (*one.synonyms, *names))
    for interest in found.values():
        _check_ancestors(interest, found, problems)
    return found


def _synonyms(value: object) -> list[str]:
    if value is None:
        return []
    if isinstance(value, str):
        return [word.strip() for word in value.split("|") if word.strip()]
    return [text_of(word) for word in cast("Iterable[object]", value)]


def _check_ancestors(interest: Interest, interests: Mapping[str, Interest], problems: Problems) -> None:
    level, parent = 1, interest.parent
    while parent is not None:
        if parent not in interests:
            remedy = did_you_mean(parent, interests)
            problems.add("unknown parent", f"{INTERESTS}: {interest.id}", got=parent, remedy=remedy)
            return
        level, parent = level + 1, interests[parent].parent
        if level > MOST_LEVELS:
            problems.add(f"more than {MOST_LEVELS} levels deep", f"{INTERESTS}: {interest.id}")
            return


def _topics(rows: list[Row], renames: Renames, problems: Problems) -> dict[str, CatalogueEntry]:
    groups = grouped_by_id(rows, "topic", TOPICS, problems)
    found = {}
    for key, group in groups.items():
        where = f"{TOPICS}: {key}"
        old, new = (one_value(group, name, where, problems) for name in ("renamed_from", "merged_into"))
        if old is not None:
            cast("dict[str, str]", renames.topics)[text_of(old)] = key
        if new is not None:
            cast("dict[str, str]", renames.topics)[key] = text_of(new)
        elif not flag_of(group, "retired", where, problems):
            found[key] = CatalogueEntry(key, label_of(group, where, problems))
    if len(found) > MOST_TOPICS:
        problems.add("too many topics", TOPICS, got=len(found), remedy=f"keep at most {MOST_TOPICS}")
    return found


def _importance(rows: list[Row], problems: Problems) -> dict[str, int]:
    found = {}
    for number, row in enumerate(rows):
        where = f"{IMPORTANCE} row {number}"
        weight = number_of(row.get("weight"), "weight", where, problems)
        if "level" not in row or weight is None or not 0 <= weight <= 100 or not weight.is_integer():
            problems.add("a level has a whole weight from 0 to 100", where, got=weight)
            continue
        found[text_of(row["level"])] = int(weight)
    return found


def content_rows(content: Content) -> dict[str, list[Row]]:
    """Return a content as rows that can be read again; a part that was not given has none."""
    renames = content.renames
    topics = [{"topic": one.id, **label_row(one.label)} for one in (content.topics or {}).values()]
    topics += [{"topic": old, "merged_into": new} for old, new in renames.topics.items()]
    interests = [
        {"interest_id": one.id, **label_row(one.label), "synonyms": list(one.synonyms)}
        | ({} if one.parent is None else {"parent": one.parent})
        for one in (content.interests or {}).values()
    ]
    importance: list[Row] = [{"level": key, "weight": weight} for key, weight in content.importance.items()]
    words: list[Row] = [
        {"field": name, "word": word, **label_row(label)}
        for name, own in content.words.items()
        for word, label in own.items()
    ]
    return {
        **({WORDS: words} if words else {}),
        **question_rows(content.questions or {}, renames),
        INTERESTS: interests,
        TOPICS: topics,
        IMPORTANCE: importance,
    }


def check_spellings(interests: Mapping[str, Interest]) -> None:
    """Raise InputError when two interests share a spelling."""
    owners: dict[str, str] = {}
    for interest in interests.values():
        for word in (interest.id, *interest.label.texts.values(), *interest.synonyms):
            owner = owners.setdefault(folded_key(word), interest.id)
            if owner != interest.id:
                where = f"interests: {interest.id}"
                remedy = "keep it in one of them"
                raise InputError(
                    explained(f"'{owner}' is spelled so too", where=where, got=word, remedy=remedy)
                )
