"""JSON whose keys hold values of several types, as several versions of an app write them.

A column has one type: numbers, truth values and texts under one key, or in one list, become texts. Beside
objects `true` is an object without fields, and beside objects or lists what says that there is nothing
(`false`, an empty list, object or text) is null. What cannot stand in one column, such as a list beside a
number, is an error that names the key and the line.
"""

import json
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any, Final

from recsys.data.strict_json import RepeatedKeyError, strict_json
from recsys.errors import SourceError, explained
from recsys.mapping.extended_json import plain_values
from recsys.redaction import may_be_a_value

_ESCAPED: Final = re.compile(
    r"\\(?:u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|(?P<half>u[dD][89a-fA-F][\da-fA-F]{2})|.)",
    re.DOTALL,
)
_KINDS: Final[dict[type, str]] = {
    **{int: "a number", float: "a fraction", str: "a text", list: "a list", dict: "an object"},
}
_MERGED: Final = {
    **{"true": "true or false", "false": "true or false"},
    **{"an empty text": "a text", "an empty list": "a list", "an empty object": "an object"},
}
_NOTHING: Final = frozenset(("false", "an empty text", "an empty list", "an empty object"))
"""Kinds that say beside objects or lists that there is none."""
_REMEDY: Final = "write one object a line, or a list of objects"
_LARGE: Final = "a number beyond 53 bits"
"""No fraction has so many digits, so beside one it would be another number."""
_LONG: Final = "a number beyond 63 bits"
_NUMBERS: Final = ({"a number", "a fraction"}, {"a number", _LARGE})
_SCALARS: Final = frozenset({"true or false", "a number", "a fraction", "a text", _LARGE, _LONG})


def objects_of_one_type(text: str, name: str) -> list[dict[str, Any]]:
    r"""Return JSON objects, one a line or all in one list, in which each key holds values of one type.

    name: of the file, for messages. Raises SourceError for what is no object, and for a key that holds lists
    or objects beside something else. Nulls in a list that holds nothing else are left out.

    >>> objects_of_one_type('{"b": [2]}\n{"b": ["x1"]}', "config.jsonl")
    [{'b': ['2']}, {'b': ['x1']}]
    """
    return rows_of_one_type(_objects(text, name), name)


def rows_of_one_type(objects: Sequence[tuple[str, dict[str, Any]]], name: str) -> list[dict[str, Any]]:
    """Return what `objects_of_one_type` does, of objects with the words that say where each stands."""
    if not objects:
        remedy = "write the export again; one without rows is no sign that there are none"
        raise SourceError(explained("a file of JSON without an object", where=name, remedy=remedy))
    seen: dict[str, dict[str, str]] = {}  # where each kind stands first, by key
    for where, one in objects:
        for key, value in _values(one, ""):
            seen.setdefault(key, {}).setdefault(_kind(value), where)
    seen = {key: _merged(kinds) for key, kinds in seen.items()}
    for key, kinds in seen.items():
        if len(kinds) > 1 and not kinds.keys() <= _SCALARS:
            got = ", ".join(f"{kind} in {where}" for kind, where in kinds.items())
            remedy = "write one kind of value under a key"
            label = f"the key {key}" if not may_be_a_value(key) else "a key"
            raise SourceError(explained(f"{label} has no one type", where=name, got=got, remedy=remedy))
    texts = {
        key
        for key, kinds in seen.items()
        if _LONG in kinds or (len(kinds) > 1 and not any(kinds.keys() <= numbers for numbers in _NUMBERS))
    }
    return [_typed(one, "", texts, seen) for _, one in objects]


def is_nothing(value: Any) -> bool:
    """Say whether a value says beside objects or lists that there is none.

    >>> [is_nothing(one) for one in (False, [], {}, "", True, 0, None)]
    [True, True, True, True, False, False, False]
    """
    return value is False or (isinstance(value, list | dict | str) and not value)


def _merged(kinds: dict[str, str]) -> dict[str, str]:
    """Return the kinds under one key, one alone where the others are its empty form or say nothing."""
    firm = kinds.keys() - _NOTHING
    for kind, goes_with in (("an object", {"an object", "true"}), ("a list", {"a list"})):
        empty = f"an empty {kind.rpartition(' ')[2]}"
        if firm <= goes_with and (kind in firm or empty in kinds):
            return {kind: kinds.get(kind, kinds.get(empty, ""))}
    found: dict[str, str] = {}
    for kind, where in kinds.items():
        found.setdefault(_MERGED.get(kind, kind), where)
    return found


def _objects(text: str, name: str) -> list[tuple[str, dict[str, Any]]]:
    """Return each object and where it stands."""
    if text.lstrip().startswith("["):
        try:
            listed = json_with_keys_once(text, name)
        except ValueError as error:
            remedy = "write one object a line, or a list of objects"
            raise SourceError(
                explained("no table of JSON", where=name, got=str(error), remedy=remedy)
            ) from None
        pairs = [(f"object {at}", one) for at, one in enumerate(listed, 1)]
    else:
        lines = ((at, line) for at, line in enumerate(text.split("\n"), 1) if line.strip())
        pairs = [(f"line {at}", _parsed(line, f"{name}, line {at}")) for at, line in lines]
    for where, one in pairs:
        if not isinstance(one, dict):
            raise SourceError(explained("not an object of JSON", where=f"{name}, {where}", remedy=_REMEDY))
    if '"$' not in text:
        return pairs
    return [(where, plain_values(one)) for where, one in pairs]


def _parsed(line: str, where: str) -> Any:
    try:
        return json_with_keys_once(line, where)
    except ValueError:
        return None


def json_with_keys_once(text: str, where: str) -> Any:
    """Return the value of a text of JSON; ValueError for no JSON, SourceError for a key that stands twice.

    Which of two values counts nobody knows, and one of them may be a ban.

    >>> json_with_keys_once('{"state": "banned", "state": "open"}', "members.jsonl, line 7")
    Traceback (most recent call last):
    recsys.errors.SourceError: the key state is given twice in members.jsonl, line 7; give each key once
    """
    try:
        return strict_json(_with_whole_letters(text))
    except RepeatedKeyError as error:
        label = f"the key {error.key}" if not may_be_a_value(error.key) else "a key"
        remedy = "give each key once"
        raise SourceError(explained(f"{label} is given twice", where=where, remedy=remedy)) from None


def _with_whole_letters(text: str) -> str:
    r"""Return a text of JSON with U+FFFD for halves of letters, as of an emoji that a program cut in two.

    >>> _with_whole_letters(r'["\ud83d\ude00", "a\ud83d", "\\ud83d"]')
    '["\\ud83d\\ude00", "a\\ufffd", "\\\\ud83d"]'
    """
    if "\\ud" not in text and "\\uD" not in text:
        return text
    return _ESCAPED.sub(lambda found: "\\ufffd" if found["half"] else found[0], text)


def _kind(value: Any) -> str:
    if type(value) is int and not -(1 << 53) <= value <= 1 << 53:
        return _LARGE if -(1 << 63) <= value < 1 << 63 else _LONG
    if isinstance(value, bool):
        return "true" if value else "false"
    kind = _KINDS[type(value)]
    return f"an empty {kind.rpartition(' ')[2]}" if is_nothing(value) else kind


def _values(value: Any, key: str) -> Iterator[tuple[str, Any]]:
    """Yield every value that is not null with its key: `s.b` of an object in another, `s.b[]` in a list."""
    if value is None:
        return
    if key:
        yield key, value
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _values(one, f"{key}.{name}" if key else name)
    elif isinstance(value, list):
        for one in value:
            yield from _values(one, f"{key}[]")


def _typed(value: Any, key: str, texts: set[str], seen: Mapping[str, Container[str]]) -> Any:
    """Return a value in which those of the keys `texts` are written as texts; seen: kinds by key."""
    kinds = seen.get(key, ())
    if "an object" in kinds and not isinstance(value, dict):
        return {} if value is True else None
    if "a list" in kinds and not isinstance(value, list):
        return None
    if isinstance(value, dict):
        return {
            name: _typed(one, f"{key}.{name}" if key else name, texts, seen) for name, one in value.items()
        }
    if isinstance(value, list):
        inside = f"{key}[]"
        return [_typed(one, inside, texts, seen) for one in value] if inside in seen else []
    if key in texts and value is not None and not isinstance(value, str):
        return json.dumps(value)
    return value
