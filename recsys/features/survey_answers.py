"""Answers of a survey's table: each question as numbers, ordered words, or the choices of each person."""

import ast
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Final

import numpy as np
import pandas as pd

from recsys.catalogue.text_folding import plain
from recsys.data.no_answer_codes import NONE_WORDS, UNKNOWN_WORDS
from recsys.errors import TableError, warn
from recsys.features.likert import MOST_STRAY, ScaleReading, read_scale

_MOST_CATEGORIES: Final = 30
_FEWEST_VALUES: Final = 3
_MOST_SHOWN: Final = 5
_SEPARATORS: Final = re.compile("[;；|]")
_COMMAS: Final = re.compile("[,，、・]")
_JAPANESE_COMMA: Final = re.compile("、")
_WRITTEN_LIST: Final = re.compile(r"\s*\[.*\]\s*", re.DOTALL)
_NUMBERED: Final = re.compile(r"\s*\d{1,2}\s*[:：.．)）]\s*\D")
_NUMBER: Final = re.compile(r"[+-]?(?:0|[1-9]\d*)(?:\.\d+)?")
"""Not "007", which is a code."""
_NO_ANSWER: Final = UNKNOWN_WORDS - NONE_WORDS
"""Without words that answer "which pets?"."""


def read_survey(frame: pd.DataFrame, user: str) -> pd.DataFrame:
    """Return the table by its ids, each question in one of three forms; warn of what was not plain.

    Numbers and flags stay, and texts that are numbers become them. Words of a usual scale or of bands
    ("20代", "50代以上") become an ordered Categorical, which one that is ordered stays. Anything else becomes
    what each person chose, a tuple of words, None where there is no answer. Words such as "無回答" are none.

    frame: ids in the column `user`, one column a question.

    Raises TableError with every problem of the table.

    >>> import warnings
    >>> frame = pd.DataFrame({"user_id": ["a", "b"], "walks": ["5", "３"], "clubs": ["chess;choir", None]})
    >>> with warnings.catch_warnings(record=True, action="always") as told:
    ...     read_survey(frame, "user_id").to_dict("list")
    {'walks': [5.0, 3.0], 'clubs': [('chess', 'choir'), None]}
    >>> str(told[0].message)
    "'walks': texts read as numbers; give a Categorical where they are codes without an order"
    """
    problems = _frame_problems(frame, user)
    read = frame.copy(deep=False)
    unanswered: dict[str, Counter[str]] = {}
    scales: dict[str, ScaleReading] = {}
    numbers: dict[str, Counter[str]] = {}
    for column in [column for column in frame.columns if column != user]:
        values = frame[column]
        if problem := _unreadable(values):
            problems.append(f"column '{column}' holds {problem}")
        if problem or is_number(values) or is_ordered(values):
            continue
        cells, unanswered[str(column)] = _answered(values)
        found = None if isinstance(values.dtype, pd.CategoricalDtype) else _numbers(cells)
        if found is not None and not _mostly_other(found[1], cells):
            read[column], numbers[str(column)] = found
            continue
        read[column] = _choices(cells)
        n = read[column].explode().nunique()
        scale = _scale(read[column])
        if scale is not None:
            scales[str(column)] = scale
        if scale is not None and scale.is_scale:
            read[column] = _ranked(read[column], scale)
        elif n > _MOST_CATEGORIES:
            got = f"{n} different answers"
            problems.append(
                f"column '{column}' holds {got}, more than {_MOST_CATEGORIES}; group or drop them"
            )
        elif found is not None:
            _warn_of_few_numbers(column, found[1], cells)
    if problems:
        raise TableError("questionnaire", problems)
    _warn_of_no_answers(unanswered)
    _warn_of_numbers(numbers)
    _warn_of_scales(scales)
    words = {column: read[column] for column in read if column != user and str(column) not in scales}
    _warn_of_numbered(words)
    return read.set_index(user)


def is_number(values: pd.Series) -> bool:
    """Say whether answers are numbers or flags."""
    return pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values)


def is_ordered(values: pd.Series) -> bool:
    """Say whether answers are a Categorical with an order."""
    return isinstance(values.dtype, pd.CategoricalDtype) and bool(values.cat.ordered)


def _unreadable(values: pd.Series) -> str | None:
    """Return what a column holds that is no answer, None where it can be read."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return "times; make numbers of them or leave it out"
    if is_number(values):
        infinite = np.isinf(values.to_numpy(np.float64, na_value=np.nan)).any()
        return "an infinite number; leave it unknown" if infinite else None
    return "tables within cells; give lists of words" if any(map(_is_nested, values)) else None


def _answered(values: pd.Series) -> tuple[pd.Series, Counter[str]]:
    """Return lists and texts, None where there is no answer, and how often words say that there is none."""
    cells = [value if pd.api.types.is_list_like(value) else _listed(_text(value)) for value in values]
    none = Counter(cell for cell in cells if isinstance(cell, str) and plain(cell).casefold() in _NO_ANSWER)
    known = [None if isinstance(cell, str) and cell in none else cell for cell in cells]
    return pd.Series(known, index=values.index, dtype=object), none


def _numbers(cells: pd.Series) -> tuple[pd.Series, Counter[str]] | None:
    """Return texts as numbers and the other texts, None where hardly any are, or some are codes."""
    texts = {cell: plain(cell) for cell in cells.dropna() if isinstance(cell, str)}
    written = {cell: float(text) for cell, text in texts.items() if _NUMBER.fullmatch(text)}
    codes = any(text.isdecimal() and cell not in written for cell, text in texts.items())
    lists = any(not isinstance(cell, str) for cell in cells.dropna())
    if lists or codes or len(set(written.values())) < _FEWEST_VALUES - 1:
        return None
    others = Counter(cell for cell in cells.dropna() if cell not in written)
    if others.total() > cells.notna().sum() / 2:
        return None
    return cells.map(written).astype("float64"), others


def _mostly_other(others: Counter[str], cells: pd.Series) -> bool:
    return others.total() > MOST_STRAY * int(cells.notna().sum())


def _frame_problems(frame: pd.DataFrame, user: str) -> list[str]:
    """Return what is wrong with a frame as a whole; raise TableError where a column stands twice."""
    if again := list(frame.columns[frame.columns.duplicated()]):
        raise TableError("questionnaire", [f"column '{again[0]}' stands twice; rename one or leave it out"])
    there = ", ".join(map(str, frame.columns[:6]))
    lost = f"column '{user}' is missing; name the one that holds ids with user=: {there}"
    problems = _id_problems(frame[user]) if user in frame.columns else [lost]
    if not len(frame):
        problems.append("there is no row; give one row a person")
    if not set(frame.columns) - {user}:
        problems.append("there is no question; give one column a question")
    return problems


def _id_problems(ids: pd.Series) -> list[str]:
    if ids.isna().any():
        return [f"{int(ids.isna().sum())} rows have no {ids.name}"]
    if ids.duplicated().any():
        first = ids[ids.duplicated()].tolist()[0]
        return [f"a person stands twice, the first {first!r}; keep one row a person"]
    return []


def _scale(chosen: pd.Series) -> ScaleReading | None:
    """Return the scale that nearly all cells of a question, one answer each, are on."""
    cells = chosen.dropna()
    single = cells.map(len) == 1
    if not len(cells) or not single.any():
        return None
    scale = read_scale(Counter(map("; ".join, cells)))
    # a question of several choices is not a scale, and no warning is due
    return scale if scale is not None and (scale.is_scale or single.all()) else None


def _ranked(chosen: pd.Series, scale: ScaleReading) -> pd.Series:
    """Return the answers as an ordered Categorical, missing where the scale does not have them."""
    codes = np.array([-1 if cell is None else scale.place.get("; ".join(cell), -1) for cell in chosen], int)
    return pd.Series(
        pd.Categorical.from_codes(codes, pd.Index(scale.order), ordered=True), index=chosen.index
    )


def _choices(cells: pd.Series) -> pd.Series:
    """Return what each person chose, a tuple without repetitions, and None where there is no answer.

    Lists and their like are taken as they are, an empty one as nothing chosen.
    """
    texts = {cell for cell in cells if isinstance(cell, str)}
    found = [None if cell is None else _parts(cell, _separator(texts)) for cell in cells]
    return pd.Series(found, index=cells.index, dtype=object)


def _separator(texts: Iterable[str]) -> re.Pattern[str] | None:
    """Return what parts the choices in different cells, None where each cell is one choice.

    Commas do where that leaves fewer different choices than cells; the Japanese one does where any choice
    stands in two cells, since no name of a place holds it.
    """
    different = set(texts)
    if any(_SEPARATORS.search(text) for text in different):
        return _SEPARATORS
    if len({part for text in different for part in _parts(text, _COMMAS)}) < len(different):
        return _COMMAS
    again = Counter(part for text in different for part in _parts(text, _JAPANESE_COMMA))
    return _JAPANESE_COMMA if any(n > 1 for n in again.values()) else None


def _listed(text: str | None) -> str | list[Any] | None:
    """Return the list that a text is the writing of, as a CSV holds it, else the text."""
    if text is not None and _WRITTEN_LIST.fullmatch(text):
        with suppress(ValueError, SyntaxError):
            read = ast.literal_eval(text)
            if isinstance(read, list) and not any(map(pd.api.types.is_list_like, read)):
                return read
    return text


def _text(value: Any) -> str | None:
    """Return a single value as text, and None for a missing or an empty one."""
    return None if pd.isna(value) else str(value).strip() or None


def _parts(cell: str | Iterable[Any], separator: re.Pattern[str] | None) -> tuple[str, ...]:
    """Return the choices of a cell, each once."""
    texts: Iterable[str | None]
    if isinstance(cell, str):
        texts = map(_text, separator.split(cell)) if separator else [cell]
    else:
        texts = map(_text, cell)
    return tuple(dict.fromkeys(text for text in texts if text is not None))


def _is_nested(value: Any) -> bool:
    if not pd.api.types.is_list_like(value):
        return False
    return isinstance(value, dict) or any(map(pd.api.types.is_list_like, value))


def _counted(words: Mapping[str, int]) -> str:
    shown = ", ".join(f"{word!r} ({n})" for word, n in list(words.items())[:_MOST_SHOWN])
    return shown + (f" and {len(words) - _MOST_SHOWN} more" if len(words) > _MOST_SHOWN else "")


def _warn_of_no_answers(unanswered: Mapping[str, Counter[str]]) -> None:
    """Say which words were read as no answer."""
    columns = [f"'{column}'" for column, words in unanswered.items() if words]
    if columns:
        words = sum(unanswered.values(), Counter[str]())
        more = f" and {len(columns) - _MOST_SHOWN} more" if len(columns) > _MOST_SHOWN else ""
        where = ", ".join(columns[:_MOST_SHOWN]) + more
        warn(f"{where}: read as no answer: {_counted(words)}; give a Categorical where one is an answer")


def _warn_of_numbers(numbers: Mapping[str, Counter[str]]) -> None:
    """Say which texts were read as numbers, and what among them was none."""
    if numbers:
        names = ", ".join(f"'{column}'" for column in numbers)
        warn(f"{names}: texts read as numbers; give a Categorical where they are codes without an order")
    for column, others in numbers.items():
        if others:
            warn(f"column '{column}': left missing, being no number: {_counted(others)}; correct them")


def _warn_of_few_numbers(column: Any, others: Counter[str], cells: pd.Series) -> None:
    share = others.total() / max(int(cells.notna().sum()), 1)
    warn(
        f"column '{column}': numbers are read as words without an order, since {share:.1%} of the answers "
        f"are no numbers: {_counted(others)}; correct them or leave them missing"
    )


def _warn_of_scales(recognised: dict[str, ScaleReading]) -> None:
    """Say which words were read as a scale and in which order, and which were not, with their counts."""
    for order in dict.fromkeys(scale.order for scale in recognised.values() if scale.is_scale):
        names = ", ".join(
            f"'{name}'" for name, own in recognised.items() if own.is_scale and own.order == order
        )
        warn(
            f"{names}: read as a scale in the order {' < '.join(order)}; give an ordered Categorical (a "
            "polars Enum) to say so yourself, or numbers for another order"
        )
    for name, scale in recognised.items():
        if not scale.strays:
            continue
        words = _counted(scale.strays)
        if scale.is_scale:
            warn(f"column '{name}': left missing, being no answer of its scale: {words}; correct them")
        else:
            warn(
                f"column '{name}': read as words without an order, since {scale.share:.1%} of the answers "
                f"are not of the scale {' < '.join(scale.order)}: {words}; correct them, leave them "
                "missing, or give an ordered Categorical"
            )


def _warn_of_numbered(chosen: Mapping[Any, pd.Series]) -> None:
    """Warn of words that begin with numbers, "1: never": they may be a scale, or codes of places."""
    for column, cells in chosen.items():
        words = set() if is_number(cells) or is_ordered(cells) else set(cells.dropna())
        if len(words) >= _FEWEST_VALUES and all(len(one) == 1 and _NUMBERED.match(one[0]) for one in words):
            example = min(words)[0]
            warn(
                f"column '{column}': answers such as {example!r} are read as words without an order; if the "
                "numbers are one, give an ordered Categorical, or the numbers alone"
            )
