"""What a pattern of the draft guard needs: characters without which a text is not searched for it.

A text of one script has no use for the patterns of the other, and a text of one letter for none; what is
found stays the same.
"""

from typing import Any, Final

_MOST_IN_A_RANGE: Final = 200
_REPEATS: Final = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")


def needed_characters(pattern: str) -> tuple[frozenset[str], ...]:
    r"""Return sets of characters; every match of the pattern holds at least one character of each.

    >>> [sorted(one) for one in needed_characters("(?:ab|c)+d?[xy]")]
    [['a', 'c'], ['x', 'y']]
    >>> needed_characters(r"\d*a?")
    ()
    """
    from re import _parser  # type: ignore[attr-defined]

    return tuple(dict.fromkeys(_of_sequence(_parser.parse(pattern))))


def _of_sequence(parsed: Any) -> list[frozenset[str]]:
    return [one for operation, argument in parsed for one in _of_part(str(operation), argument)]


def _of_part(operation: str, argument: Any) -> list[frozenset[str]]:
    """Return what one part of a parsed pattern needs; nothing for parts that are not known."""
    if operation == "LITERAL":
        return [frozenset(chr(argument))]
    if operation == "IN":
        found = _of_set(argument)
        return [found] if found else []
    if operation == "BRANCH":
        branches = [_of_sequence(one) for one in argument[1]]
        return [frozenset().union(*(min(one, key=len) for one in branches))] if all(branches) else []
    if operation in _REPEATS and not argument[0]:
        return []
    return _of_sequence(argument[-1]) if operation in (*_REPEATS, "SUBPATTERN") else []


def _of_set(items: Any) -> frozenset[str]:
    """Return the characters of a set in brackets; empty when it is large, negated or names a class."""
    found: set[str] = set()
    for operation, argument in items:
        if str(operation) == "LITERAL":
            found.add(chr(argument))
        elif str(operation) == "RANGE" and argument[1] - argument[0] < _MOST_IN_A_RANGE:
            found |= {chr(code) for code in range(argument[0], argument[1] + 1)}
        else:
            return frozenset()
    return frozenset(found)
