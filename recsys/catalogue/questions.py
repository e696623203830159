"""Questions and their options, from rows and back to rows."""

from collections.abc import Mapping
from typing import Final, cast

from recsys.catalogue.entries import KINDS, Kind, Option, Question, Renames
from recsys.catalogue.rows import (
    OPTIONS,
    QUESTIONS,
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
from recsys.errors import did_you_mean, shown

MOST_QUESTIONS: Final = 2000
MOST_OPTIONS: Final = 100


def read_questions(
    rows: list[Row], options: list[Row], renames: Renames, problems: Problems
) -> dict[str, Question]:
    """Return the questions of rows, and note in `renames` what was renamed or merged."""
    groups = grouped_by_id(rows, "question_id", QUESTIONS, problems)
    own: dict[str, list[Row]] = {}
    for number, row in enumerate(options):
        key = text_of(row.get("question_id", ""))
        if key not in groups:
            remedy = did_you_mean(key, groups)
            problems.add("an option of no question", f"{OPTIONS} row {number}", got=shown(key), remedy=remedy)
        own.setdefault(key, []).append(row)
    if len(groups) > MOST_QUESTIONS:
        problems.add(f"more than {MOST_QUESTIONS} questions", QUESTIONS, got=len(groups))
    found: dict[str, Question] = {}
    for key, group in groups.items():
        where = f"{QUESTIONS}: {key}"
        old, new = (one_value(group, name, where, problems) for name in ("renamed_from", "merged_into"))
        if old is not None:
            cast("dict[str, str]", renames.questions)[text_of(old)] = key
        if new is not None:
            cast("dict[str, str]", renames.questions)[key] = text_of(new)
            if text_of(new) not in groups:
                remedy = did_you_mean(text_of(new), groups)
                problems.add("merged into no question", where, got=text_of(new), remedy=remedy)
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
    kind = text_of(one_value(rows, "kind", where, problems) or "single")
    if kind not in KINDS:
        problems.add("unknown kind of question", where, got=kind, remedy=did_you_mean(kind, KINDS))
        kind = "single"
    scale = one_value(rows, "scale", where, problems)
    sensitive, match_only, retired = (
        flag_of(rows, name, where, problems) for name in ("sensitive", "match_only", "retired")
    )
    made = {"likert": _points, "number": _steps}.get(kind)
    generated = made(rows, where, problems) if made else None
    return Question(
        id=key,
        label=label_of(rows, where, problems),
        scale=None if scale is None else text_of(scale),
        options=_options(key, options, generated, renames, problems),
        sensitive=sensitive,
        kind=cast("Kind", kind),
        match_only=match_only,
        retired=retired,
    )


def _points(rows: list[Row], where: str, problems: Problems) -> list[str]:
    points = number_of(one_value(rows, "points", where, problems), "points", where, problems)
    if points is None or not 2 <= points <= MOST_OPTIONS or not points.is_integer():
        problems.add(f"agreement has 2 to {MOST_OPTIONS} points", where, got=points, remedy="write points: 7")
        return ["1", "2"]
    return [str(point) for point in range(1, int(points) + 1)]


def _steps(rows: list[Row], where: str, problems: Problems) -> list[str]:
    least, most = (
        number_of(one_value(rows, name, where, problems), name, where, problems) for name in ("least", "most")
    )
    if least is None or most is None or least >= most:
        problems.add("a number has a range", where, remedy="write least and most, such as 0 and 100")
        return ["0", "1"]
    step = number_of(one_value(rows, "step", where, problems), "step", where, problems) or _default_step(
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
    groups = grouped_by_id(rows, "option_id", where, problems)
    keys = [*groups] if generated is None else generated
    if generated is not None and (more := [key for key in groups if key not in generated]):
        problems.add("an option outside the points or steps", where, got=more[0], remedy="leave it out")
    found = []
    for at, key in enumerate(keys):
        group, here = groups.get(key, []), f"{where}.{key}"
        old, new = (one_value(group, name, here, problems) for name in ("renamed_from", "merged_into"))
        if old is not None:
            cast("dict[tuple[str, str], str]", renames.options)[question, text_of(old)] = key
        if new is not None:
            cast("dict[tuple[str, str], str]", renames.options)[question, key] = text_of(new)
            continue
        place = 2.0 * at / max(len(keys) - 1, 1) - 1.0
        score = number_of(one_value(group, "score", here, problems), "score", here, problems)
        if score is not None and not -1 <= score <= 1:
            problems.add("a score is from -1 to 1", here, got=score)
        if score is None and generated is not None:
            score = place
        label = label_of(group, here, problems, default=key)
        found.append(Option(key, label, score))
    if not 2 <= len(found) <= MOST_OPTIONS:
        problems.add(f"a question has 2 to {MOST_OPTIONS} options", where, got=len(found))
    if len(found) == 2 and all(option.score is None for option in found):
        found = [Option(o.id, o.label, score) for o, score in zip(found, (-1.0, 1.0), strict=True)]
    return tuple(found)


def question_rows(questions: Mapping[str, Question], renames: Renames) -> dict[str, list[Row]]:
    """Return questions and options as rows that can be read again."""
    options = [
        {"question_id": q.id, "option_id": o.id, **label_row(o.label)}
        | ({} if o.score is None else {"score": o.score})
        for q in questions.values()
        for o in q.options
    ]
    options += [
        {"question_id": question, "option_id": old, "merged_into": new}
        for (question, old), new in renames.options.items()
    ]
    rows = [_question_row(question) for question in questions.values()]
    rows += [{"question_id": old, "merged_into": new} for old, new in renames.questions.items()]
    return {QUESTIONS: rows, OPTIONS: options}


def _question_row(question: Question) -> Row:
    row: Row = {"question_id": question.id, "kind": question.kind, **label_row(question.label)}
    if question.scale is not None:
        row["scale"] = question.scale
    row |= {name: True for name in ("sensitive", "match_only", "retired") if getattr(question, name)}
    if question.kind == "likert":
        row["points"] = len(question.options)
    if question.kind == "number":
        first, second, last = (float(question.options[at].id) for at in (0, 1, -1))
        row |= {"least": first, "most": last, "step": second - first}
    return row
