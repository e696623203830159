"""Reading JSON that somebody sends: a key given twice is an error, and what is refused is read all the same.

Plain readers keep the last of two equal keys, so that the other one is lost without a word. What restricts
somebody must not be lost because of a text that is odd: `any_json` reads every value of a key, and numbers
and depths that a plain reader gives up on.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from recsys.errors import InputError, explained

_DEEPEST: Final = 50
_MOST_READINGS: Final = 50_000
"""Rows that are made of all objects with a key twice in one text; of more, those that were run together."""
_MOST_KEYS: Final = 32
"""Different keys of such an object; no row of a table has so many."""
_STRINGS_AND_BRACKETS: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[][{}]', re.DOTALL)
Pairs = list[tuple[str, Any]]


class RepeatedKeyError(InputError):
    """A key stands twice in an object of JSON.

    key: as it stands there.
    """

    def __init__(self, key: str) -> None:
        super().__init__(explained("a key of JSON is given twice", remedy="give each key once"))
        self.key = key


def strict_json(text: str | bytes) -> Any:
    """Return the value of a text of JSON in which no object has a key twice.

    Raises RepeatedKeyError for a repeated key, ValueError for no JSON, RecursionError for what is too deep.

    >>> strict_json('{"a": {"b": 1}}')
    {'a': {'b': 1}}
    >>> strict_json('{"a": 1, "a": 2}')
    Traceback (most recent call last):
    recsys.data.strict_json.RepeatedKeyError: a key of JSON is given twice; give each key once
    """
    return json.loads(text, object_pairs_hook=_with_keys_once)


def _with_keys_once(pairs: Pairs) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise RepeatedKeyError(key)
        found[key] = value
    return found


def any_json(text: str | bytes) -> Any:
    """Return the value of a text of JSON, also where the usual reader gives up on it or leaves something out.

    A whole number of more digits than Python reads is infinite; what is nested deeper than 50 levels is null.
    An object with a key twice is the list of what it may say: each value of a key beside those of the other
    keys at the same place, beside the first ones and beside the last ones.

    Raises ValueError for what is no JSON.

    >>> any_json(b'{"person": "a", "n": 1' + b"0" * 5000 + b"}")
    {'person': 'a', 'n': inf}
    >>> any_json(b'{"n": ' + b"[" * 3000 + b"]" * 3000 + b', "person": "a"}')["person"]
    'a'
    >>> any_json('{"person": "a", "person": "b"}')
    [{'person': 'a'}, {'person': 'b'}]
    """
    if isinstance(text, bytes):
        text = text.decode(json.detect_encoding(text))
    text = _without_depths(text.removeprefix("\ufeff"))
    left = iter(range(_MOST_READINGS))
    return json.loads(text, parse_int=_whole_number, object_pairs_hook=partial(_every_meaning, left=left))


def _every_meaning(pairs: Pairs, left: Iterator[int]) -> Any:
    """Return an object, or what one with a key twice may say; left: how many more such rows are made."""
    values: dict[str, list[Any]] = {}
    for key, value in pairs:
        values.setdefault(key, []).append(value)
    if len(values) == len(pairs):
        return dict(pairs)
    rows: list[dict[str, Any]] = []
    seen = set[tuple[int, ...]]()
    for _, row in zip(left, _readings(values) if len(values) <= _MOST_KEYS else (), strict=False):
        if (one := tuple(map(id, row.values()))) not in seen:
            seen.add(one)
            rows.append(row)
    return [*rows, *_run_together(pairs)] if not rows or next(left, None) is None else rows


def _run_together(pairs: Pairs) -> list[dict[str, Any]]:
    """Return rows as if a key that stands there already began the next one."""
    rows: list[dict[str, Any]] = [{}]
    for key, value in pairs:
        if key in rows[-1]:
            rows.append({})
        rows[-1][key] = value
    return rows


def _readings(values: Mapping[str, list[Any]]) -> Iterator[dict[str, Any]]:
    """Yield rows with a value for each key: by place, counted from either end, then each value by itself."""
    most = max(map(len, values.values()))
    for place in range(most):
        yield {key: given[min(place, len(given) - 1)] for key, given in values.items()}
        yield {key: given[max(0, place + len(given) - most)] for key, given in values.items()}
    for at in (0, -1):
        others = {key: given[at] for key, given in values.items()}
        for key, given in values.items():
            yield from ({**others, key: value} for value in given if len(given) > 1)


def _whole_number(digits: str) -> int | float:
    try:
        return int(digits)
    except ValueError:
        return float(digits)


def _without_depths(text: str) -> str:
    """Return a text of JSON with null for what lies deeper than 50 levels; it reads each sign once."""
    kept, depth, start = list[str](), 0, 0
    for found in _STRINGS_AND_BRACKETS.finditer(text):
        sign = found.group()
        if sign in {"[", "{"}:
            depth += 1
            if depth == _DEEPEST + 1:
                kept += [text[start : found.start()], "null"]
        elif sign in {"]", "}"}:
            start = found.end() if depth == _DEEPEST + 1 else start
            depth -= 1
    return "".join([*kept, text[start:]]) if depth <= _DEEPEST else ""
