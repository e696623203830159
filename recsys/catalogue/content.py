"""Contents of a catalogue as rows: interests, questions with options, and topics of a service's own.

Rows come from DataFrames, CSV or YAML and are checked together: every problem is named at once.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.entries import KINDS, CatalogueEntry, Interest, Kind, Label, Option, Question
from recsys.catalogue.text_folding import fold, unsafe_characters
from recsys.errors import InputError, did_you_mean, explained, shown

Row = dict[str, Any]

QUESTIONS: Final = "questions"
OPTIONS: Final = "options"
INTERESTS: Final = "interests"
TOPICS: Final = "topics"
IMPORTANCE: Final = "importance"
_CHANGES: Final = ("retired", "renamed_from", "merged_into")
CONTENT_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    QUESTIONS: (
        *("question_id", "label", "lang", "kind", "points", "least", "most", "step", "scale"),
        *("sensitive", "match_only", *_CHANGES),
    ),
    OPTIONS: ("question_id", "option_id", "label", "lang", "score", *_CHANGES[1:]),
    INTERESTS: ("interest_id", "label", "lang", "parent", "synonyms", *_CHANGES),
    TOPICS: ("topic", "label", "lang", *_CHANGES),
    IMPORTANCE: ("level", "weight"),
}
"""The columns of each table of a catalogue; `label_de` and the like hold a label in one language."""

MOST_QUESTIONS: Final = 2000
MOST_OPTIONS: Final = 100
MOST_TOPICS: Final = 64
"""Topics of one person fit one 64-bit word."""
MOST_LEVELS: Final = 3
"""How deep the taxonomy of interests goes."""
SAFETY_COLUMNS: Final = (
    *(C.ACCOUNT_STATE, C.VERIFICATION, C.INTENTS, C.ROMANCE_LINE, C.PHYSICAL_LINE, C.FINANCIAL_LINE),
    *(C.TYPE, C.CATEGORY, C.STATE, "report", "meet_feedback", "feeling_check"),
)
"""Words of these are the engine's own: a mapping may translate into them, no catalogue changes them."""

_ID = re.compile(r"[\w.+-]{1,64}")
_LABEL = re.compile(r"label_([a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)")
_TRUE: Final = {"true", "t", "yes", "1"}
_FALSE: Final = {"false", "f", "no", "0"}
_LONGEST_LABEL: Final = 500


@dataclass(frozen=True, eq=False)
class Renames:
    """Old ids to the ids that took them over: of questions, of options by question, of topics."""

    questions: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[tuple[str, str], str] = field(default_factory=dict)
    topics: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.questions or self.options or self.topics)


@dataclass(frozen=True, eq=False)
class Content:
    """What a service brings of its own; a part that was not given is None.

    importance: the service's own levels to weights. hidden: table and id of what is retired by its id alone.
    """

    interests: Mapping[str, Interest] | None
    questions: Mapping[str, Question] | None
    topics: Mapping[str, CatalogueEntry] | None
    renames: Renames = field(default_factory=Renames)
    importance: Mapping[str, int] = field(default_factory=dict)
    hidden: frozenset[tuple[str, str]] = frozenset()


class Problems:
    """Collects what is wrong with a catalogue."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, what: str, where: str, got: object = None, remedy: str = "") -> None:
        """Note one problem."""
        self.found.append(explained(what, where=where, got=got, remedy=remedy))

    def raise_any(self) -> None:
        """Raise InputError with every problem, one a line."""
        if self.found:
            raise InputError("\n".join(self.found))


def rows_of(name: str, given: pd.DataFrame | Iterable[Row]) -> list[Row]:
    """Return a table of a catalogue as rows without unknown values.

    Raises InputError for a column the table does not have.

    >>> rows_of("topics", pd.DataFrame({"topic": ["tea"], "label_de": ["Tee"], "label_en": [None]}))
    [{'topic': 'tea', 'label_de': 'Tee'}]
    """
    records = given.to_dict("records") if isinstance(given, pd.DataFrame) else list(given)
    rows = [{str(key): value for key, value in row.items() if _known(value)} for row in records]
    for column in dict.fromkeys(key for row in rows for key in row):
        if column not in CONTENT_COLUMNS[name] and not _LABEL.fullmatch(column):
            if column in SAFETY_COLUMNS:
                raise InputError(explained("a safety word is fixed", where=name, got=column))
            remedy = did_you_mean(column, CONTENT_COLUMNS[name])
            raise InputError(
                explained("unknown column of a catalogue", where=name, got=column, remedy=remedy)
            )
    return rows


def _known(value: object) -> bool:
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return False
    return not (isinstance(value, str) and not value.strip())


def read_content(tables: Mapping[str, list[Row]]) -> Content:
    """Return the content of rows by table.

    Raises InputError naming every problem: ids, labels, kinds, options, parents, spellings, limits.
    """
    problems = Problems()
    renames = Renames({}, {}, {})
    hidden = frozenset(
        (table, _text(row[column]))
        for table, column in (("questions", "question_id"), ("interests", "interest_id"), ("topics", "topic"))
        for row in tables.get(table, ())
        if set(row) == {column, "retired"} and _text(row["retired"]).lower() in _TRUE
    )
    tables = {
        name: [row for row in rows if not any((name, _text(value)) in hidden for value in row.values())]
        if any(table == name for table, _ in hidden)
        else rows
        for name, rows in tables.items()
    }
    questions = (
        _questions(tables[QUESTIONS], tables.get(OPTIONS, []), renames, problems)
        if QUESTIONS in tables
        else None
    )
    if QUESTIONS not in tables and tables.get(OPTIONS):
        problems.add("options without questions", OPTIONS, remedy="give the questions too")
    interests = _interests(tables[INTERESTS], problems) if INTERESTS in tables else None
    topics = _topics(tables[TOPICS], renames, problems) if TOPICS in tables else None
    importance = _importance(tables.get(IMPORTANCE, []), problems)
    problems.raise_any()
    return Content(interests, questions, topics, renames, importance, hidden)


def _grouped(rows: list[Row], column: str, table: str, problems: Problems) -> dict[str, list[Row]]:
    """Return the rows of each id; ids that differ in case or width alone are a problem."""
    groups: dict[str, list[Row]] = {}
    spelled: dict[str, str] = {}
    for number, row in enumerate(rows):
        key = _text(row.get(column, ""))
        if not _ID.fullmatch(key):
            remedy = "use 1 to 64 letters, digits, _ . + and -"
            problems.add(f"no id in '{column}'", f"{table} row {number}", got=shown(key), remedy=remedy)
            continue
        if key in SAFETY_COLUMNS:
            problems.add("a safety word is fixed", f"{table}: {key}", remedy="give it another id")
        other = spelled.setdefault(fold(key).replace(" ", ""), key)
        if other != key:
            problems.add("two spellings of one id", f"{table}: {key}", got=other, remedy="keep one of them")
        groups.setdefault(key, []).append(row)
    return groups


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def _label(rows: list[Row], where: str, problems: Problems, default: str | None = None) -> Label:
    texts: dict[str, str] = {}
    for row in rows:
        for column, value in row.items():
            named = _LABEL.fullmatch(column)
            if column != "label" and not named:
                continue
            lang = named.group(1) if named else _text(row.get("lang", "und"))
            text = _text(value)
            if texts.setdefault(lang, text) != text:
                problems.add(
                    f"two labels in '{lang}'", where, got=shown(text), remedy="keep one row a language"
                )
            if len(text) > _LONGEST_LABEL or unsafe_characters(text):
                remedy = f"at most {_LONGEST_LABEL} characters, no markup and no control characters"
                problems.add("a label that cannot be shown", where, got=shown(text), remedy=remedy)
    if not texts:
        if default is None:
            problems.add("no label", where, remedy="write it in one language at least")
        return Label(default or where, default or where)
    return Label.of(texts)


def _one(rows: list[Row], column: str, where: str, problems: Problems) -> Any:
    found = {_text(row[column]): row[column] for row in rows if column in row}
    if len(found) > 1:
        problems.add(f"two values of '{column}'", where, got=sorted(found), remedy="keep one")
    return next(iter(found.values()), None)


def _flag(rows: list[Row], column: str, where: str, problems: Problems) -> bool:
    value = _one(rows, column, where, problems)
    text = _text(value).lower() if value is not None else "false"
    if text not in _TRUE | _FALSE:
        problems.add(f"'{column}' is not true or false", where, got=text)
    return text in _TRUE


def _number(value: object, column: str, where: str, problems: Problems) -> float | None:
    if value is None:
        return None
    try:
        found = float(_text(value))
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        problems.add(f"'{column}' is not a number", where, got=shown(_text(value)))
        return None
    return found


def _questions(
    rows: list[Row], options: list[Row], renames: Renames, problems: Problems
) -> dict[str, Question]:
    groups = _grouped(rows, "question_id", QUESTIONS, problems)
    own: dict[str, list[Row]] = {}
    for number, row in enumerate(options):
        key = _text(row.get("question_id", ""))
        if key not in groups:
            remedy = did_you_mean(key, groups)
            problems.add("an option of no question", f"{OPTIONS} row {number}", got=shown(key), remedy=remedy)
        own.setdefault(key, []).append(row)
    if len(groups) > MOST_QUESTIONS:
        problems.add(f"more than {MOST_QUESTIONS} questions", QUESTIONS, got=len(groups))
    found: dict[str, Question] = {}
    for key, group in groups.items():
        where = f"{QUESTIONS}: {key}"
        old, new = (_one(group, name, where, problems) for name in ("renamed_from", "merged_into"))
        if old is not None:
            cast("dict[str, str]", renames.questions)[_text(old)] = key
        if new is not None:
            cast("dict[str, str]", renames.questions)[key] = _text(new)
            if _text(new) not in groups:
                remedy = did_you_mean(_text(new), groups)
                problems.add("merged into no question", where, got=_text(new), remedy=remedy)
            continue
        found[key] = _question(key, group, own.get(key, []), renames, problems)
    for old, new in renames.questions.items():
        if old in found:
            problems.add("renamed from a question that is still there", f"{QUESTIONS}: {new}", got=old)
    return found


def _question(
    key: str, rows: list[Row], options: list[Row], renames: Renames, problems: Problems
) -> Question:
    where = f"{QUESTIONS}: {key}"
    kind = _text(_one(rows, "kind", where, problems) or "single")
    if kind not in KINDS:
        problems.add("unknown kind of question", where, got=kind, remedy=did_you_mean(kind, KINDS))
        kind = "single"
    scale = _one(rows, "scale", where, problems)
    sensitive, match_only, retired = (
        _flag(rows, name, where, problems) for name in ("sensitive", "match_only", "retired")
    )
    made = {"likert": _points, "number": _steps}.get(kind)
    generated = made(rows, where, problems) if made else None
    return Question(
        id=key,
        label=_label(rows, where, problems),
        scale=None if scale is None else _text(scale),
        options=_options(key, options, generated, renames, problems),
        sensitive=sensitive,
        kind=cast("Kind", kind),
        match_only=match_only,
        retired=retired,
    )


def _points(rows: list[Row], where: str, problems: Problems) -> list[str]:
    points = _number(_one(rows, "points", where, problems), "points", where, problems)
    if points is None or not 2 <= points <= MOST_OPTIONS or not points.is_integer():
        problems.add(f"agreement has 2 to {MOST_OPTIONS} points", where, got=points, remedy="write points: 7")
        return ["1", "2"]
    return [str(point) for point in range(1, int(points) + 1)]


def _steps(rows: list[Row], where: str, problems: Problems) -> list[str]:
    least, most = (
        _number(_one(rows, name, where, problems), name, where, problems) for name in ("least", "most")
    )
    if least is None or most is None or least >= most:
        problems.add("a number has a range", where, remedy="write least and most, such as 0 and 100")
        return ["0", "1"]
    step = _number(_one(rows, "step", where, problems), "step", where, problems) or _default_step(
        most - least
    )
    if step <= 0 or (most - least) / step + 1 > MOST_OPTIONS:
        remedy = f"leave it out, or give one that makes at most {MOST_OPTIONS} steps"
        problems.add("a step that does not fit the range", where, got=f"{step:g}", remedy=remedy)
        return ["0", "1"]
    return [f"{least + at * step:.10g}" for at in range(int((most - least) / step + 1e-9) + 1)]


def _default_step(width: float) -> float:
    """Return the least of 1, 2, 5, 10, 20, ... that cuts a range into at most `MOST_OPTIONS` steps."""
    return next(
        step
        for power in range(-9, 19)
        for step in (1 * 10.0**power, 2 * 10.0**power, 5 * 10.0**power)
        if width / step + 1 <= MOST_OPTIONS and step >= min(1.0, width / 10)
    )


def _options(
    question: str, rows: list[Row], generated: list[str] | None, renames: Renames, problems: Problems
) -> tuple[Option, ...]:
    where = f"{OPTIONS}: {question}"
    groups = _grouped(rows, "option_id", where, problems)
    keys = [*groups] if generated is None else generated
    if generated is not None and (more := [key for key in groups if key not in generated]):
        problems.add("an option outside the points or steps", where, got=more[0], remedy="leave it out")
    found = []
    for at, key in enumerate(keys):
        group, here = groups.get(key, []), f"{where}.{key}"
        old, new = (_one(group, name, here, problems) for name in ("renamed_from", "merged_into"))
        if old is not None:
            cast("dict[tuple[str, str], str]", renames.options)[question, _text(old)] = key
        if new is not None:
            cast("dict[tuple[str, str], str]", renames.options)[question, key] = _text(new)
            continue
        place = 2.0 * at / max(len(keys) - 1, 1) - 1.0
        score = _number(_one(group, "score", here, problems), "score", here, problems)
        if score is not None and not -1 <= score <= 1:
            problems.add("a score is from -1 to 1", here, got=score)
        if score is None and generated is not None:
            score = place
        label = _label(group, here, problems, default=key)
        found.append(Option(key, label, score))
    if not 2 <= len(found) <= MOST_OPTIONS:
        problems.add(f"a question has 2 to {MOST_OPTIONS} options", where, got=len(found))
    if len(found) == 2 and all(option.score is None for option in found):
        found = [Option(o.id, o.label, score) for o, score in zip(found, (-1.0, 1.0), strict=True)]
    return tuple(found)


def _interests(rows: list[Row], problems: Problems) -> dict[str, Interest]:
    groups = _grouped(rows, "interest_id", INTERESTS, problems)
    old_names: dict[str, list[str]] = {}
    found: dict[str, Interest] = {}
    for key, group in groups.items():
        where = f"{INTERESTS}: {key}"
        parent = _one(group, "parent", where, problems)
        new = _one(group, "merged_into", where, problems)
        old = _one(group, "renamed_from", where, problems)
        synonyms = [word for row in group for word in _synonyms(row.get("synonyms"))]
        if new is not None:
            old_names.setdefault(_text(new), []).extend([key, *synonyms])
            continue
        if _flag(group, "retired", where, problems):
            continue
        if old is not None:
            synonyms.append(_text(old))
        label = _label(group, where, problems)
        found[key] = Interest(key, label, None if parent is None else _text(parent), tuple(synonyms))
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
    return [_text(word) for word in cast("Iterable[object]", value)]


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
    groups = _grouped(rows, "topic", TOPICS, problems)
    found = {}
    for key, group in groups.items():
        where = f"{TOPICS}: {key}"
        old, new = (_one(group, name, where, problems) for name in ("renamed_from", "merged_into"))
        if old is not None:
            cast("dict[str, str]", renames.topics)[_text(old)] = key
        if new is not None:
            cast("dict[str, str]", renames.topics)[key] = _text(new)
        elif not _flag(group, "retired", where, problems):
            found[key] = CatalogueEntry(key, _label(group, where, problems))
    if len(found) > MOST_TOPICS:
        problems.add("too many topics", TOPICS, got=len(found), remedy=f"keep at most {MOST_TOPICS}")
    return found


def _importance(rows: list[Row], problems: Problems) -> dict[str, int]:
    found = {}
    for number, row in enumerate(rows):
        where = f"{IMPORTANCE} row {number}"
        weight = _number(row.get("weight"), "weight", where, problems)
        if "level" not in row or weight is None or not 0 <= weight <= 100 or not weight.is_integer():
            problems.add("a level has a whole weight from 0 to 100", where, got=weight)
            continue
        found[_text(row["level"])] = int(weight)
    return found
