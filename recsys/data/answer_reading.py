"""How answers of a service's own catalogue are read: old ids, numbers, several choices, own levels.

`answers_reader` and `topics_reader` change a table before its contract is held against it, so that what is
refused is refused by the words of the catalogue; None where the catalogue asks for no change.
"""

import math
from collections.abc import Callable, Iterable
from typing import Final

import numpy as np
import pandas as pd

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.entries import SEVERAL, Question
from recsys.data.contract import Prepare
from recsys.data.fields.base import Violation, objects
from recsys.errors import as_text, explained
from recsys.types import ObjectArray

_RANGE: Final = ".."


def answers_reader(catalogue: Catalogue) -> Prepare | None:
    """Return what changes a table of answers before it is read, None when nothing does."""
    kinds = {question.kind for question in catalogue.questions.values()}
    if not (catalogue.renames or catalogue.importance or kinds & {"several", "number"}):
        return None

    def prepare(given: pd.DataFrame) -> tuple[pd.DataFrame, list[Violation]]:
        if C.QUESTION not in given:
            return given, []
        before = objects(given[C.QUESTION])
        renamed = catalogue.renames.questions
        question = _each(before, lambda value: renamed.get(value, value) if isinstance(value, str) else value)
        changed = {C.QUESTION: question}
        for column, read in ((C.ANSWER, read_answer), (C.ACCEPTED, read_accepted)):
            if column in given:
                changed[column] = _by_question(question, objects(given[column]), catalogue, read)
        if C.IMPORTANCE in given and catalogue.importance:
            levels = catalogue.importance
            changed[C.IMPORTANCE] = _each(
                objects(given[C.IMPORTANCE]),
                lambda value: None if value is None else levels.get(_plain(value), f"level {_plain(value)}"),
            )
        table = given.assign(
            **{name: pd.Series(values, given.index, dtype=object) for name, values in changed.items()}
        )
        return table, _twice(table, np.not_equal(before, question), C.QUESTION)

    return prepare


def avoided_topics_reader(catalogue: Catalogue) -> Prepare | None:
    """Return what changes a table of boundaries before it is read: an avoided topic keeps its new id."""
    renamed = catalogue.renames.topics
    if not renamed:
        return None

    def one(value: object) -> object:
        if value is None:
            return None
        parts = value.split(SEVERAL) if isinstance(value, str) else _members(value)
        named = [renamed.get(part, part) if isinstance(part, str) else part for part in parts]
        return SEVERAL.join(map(str, named)) if isinstance(value, str) else tuple(named)

    def prepare(given: pd.DataFrame) -> tuple[pd.DataFrame, list[Violation]]:
        if C.TOPICS_AVOID not in given:
            return given, []
        avoided = _each(objects(given[C.TOPICS_AVOID]), one)
        return given.assign(**{C.TOPICS_AVOID: pd.Series(avoided, given.index, dtype=object)}), []

    return prepare


def topics_reader(catalogue: Catalogue) -> Prepare | None:
    """Return what changes a table of talk topics before it is read, None when nothing does."""
    renamed = catalogue.renames.topics
    if not renamed:
        return None

    def prepare(given: pd.DataFrame) -> tuple[pd.DataFrame, list[Violation]]:
        if C.TOPIC not in given:
            return given, []
        before = objects(given[C.TOPIC])
        topic = _each(before, lambda value: renamed.get(value, value) if isinstance(value, str) else value)
        table = given.assign(**{C.TOPIC: pd.Series(topic, given.index, dtype=object)})
        return table, _twice(table, np.not_equal(before, topic), C.TOPIC)

    return prepare


def read_answer(question: Question, value: object, catalogue: Catalogue) -> object:
    """Return one answer as the option it is: a number on its step, several choices in order, no old id.

    >>> own = Catalogue.of(questions=[
    ...     {"question_id": "age", "label": "Age", "kind": "number", "least": 18, "most": 98, "step": 5}])
    >>> read_answer(own.questions["age"], 34.5, own), read_answer(own.questions["age"], "x", own)
    ('33', 'x')
    """
    if question.kind == "several":
        parts = value.split(SEVERAL) if isinstance(value, str) else _members(value)
        named = {str(_option(question, _plain(part), catalogue)) for part in parts if _plain(part)}
        known = [answer for answer in question.answers if answer in named]
        return SEVERAL.join([*known, *sorted(named.difference(known))]) or None
    if question.kind == "number":
        return _step(question, value)
    return _option(question, value, catalogue)


def read_accepted(question: Question, value: object, catalogue: Catalogue) -> object:
    """Return accepted answers as options; `33..47` are all numbers from the one to the other."""
    parts = value.split(SEVERAL) if isinstance(value, str) else _members(value)
    if question.kind != "number":
        return tuple(_option(question, part, catalogue) for part in parts if part != "")
    found: list[object] = []
    for part in parts:
        if isinstance(part, str) and _RANGE in part:
            low, high = (_number(end) for end in part.split(_RANGE, 1))
            inside = [o for o in question.answers if low <= float(o) <= high]
            found.extend(inside or [part])
        elif part != "":
            found.append(_step(question, part))
    return tuple(found)


def _step(question: Question, value: object) -> object:
    """Return the step a number stands on, down; what is no number of the range as its own text."""
    number = _number(value)
    first, second, last = (float(question.answers[at]) for at in (0, 1, -1))
    if not first <= number < last + (second - first):
        return _plain(value)
    return question.answers[min(int((number - first) / (second - first) + 1e-9), len(question.answers) - 1)]


def _number(value: object) -> float:
    try:
        found = float(_plain(value))
    except ValueError:
        return math.nan
    return found if math.isfinite(found) else math.nan


def _option(question: Question, value: object, catalogue: Catalogue) -> object:
    if not isinstance(value, str):
        return value
    return catalogue.renames.options.get((question.id, value), value)


def _plain(value: object) -> str:
    if isinstance(value, float | np.floating) and float(value).is_integer():
        value = int(value)
    return as_text(value).strip()


def _members(value: object) -> list[object]:
    if isinstance(value, np.ndarray):
        return list(value.tolist()) if value.ndim == 1 else [value]
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    return [value]


def _each(values: ObjectArray, change: Callable[[object], object]) -> ObjectArray:
    return np.fromiter((change(value) for value in values), object, len(values))


def _by_question(
    questions: ObjectArray,
    values: ObjectArray,
    catalogue: Catalogue,
    read: Callable[[Question, object, Catalogue], object],
) -> ObjectArray:
    """Read each value by its question; a value of an unknown question stays as it is."""
    known = catalogue.questions
    renamed = {question for question, _ in catalogue.renames.options}
    special = {q.id for q in known.values() if q.kind in {"several", "number"} or q.id in renamed}

    def one(question: object, value: object) -> object:
        if value is None or not isinstance(question, str) or question not in special:
            return value
        return read(known[question], value, catalogue)

    pairs: Iterable[tuple[object, object]] = zip(questions, values, strict=True)
    return np.fromiter((one(question, value) for question, value in pairs), object, len(values))


def _twice(table: pd.DataFrame, was_renamed: np.ndarray, column: str) -> list[Violation]:
    """Refuse what came by an old id where the person has the new one too."""
    keys = [name for name in (C.USER, column, C.ROLE, C.VALID_FROM) if name in table]
    order = np.argsort(was_renamed, kind="stable")
    again = np.zeros(len(table), bool)
    again[order] = table[keys].astype(object).iloc[order].duplicated().to_numpy(bool)
    rows = np.flatnonzero(again & was_renamed)
    if not len(rows):
        return []
    remedy = "nothing: what was given under the id of today counts"
    return [
        Violation(
            f"{column}.merged",
            rows,
            explained("given under an old and a new id", where=column, remedy=remedy),
        )
    ]
