"""Canonical spelling at the doors of the safety stores: ids of people, pairs of them, and times."""

from datetime import UTC, datetime, timedelta
from typing import Final

from recsys.data.ids import canonical_spelling
from recsys.errors import InputError, explained

CLOCKS_APART: Final = timedelta(minutes=5)
"""How far the clocks of two machines of a service may be apart."""


def utc_moment(at: datetime | None) -> datetime:
    """Return `at` in UTC, now when None.

    Raises InputError for a time without a zone.
    """
    if at is None:
        return datetime.now(UTC)
    if at.tzinfo is None:
        raise InputError(explained("a time needs a zone", got=at.isoformat(), remedy="use UTC"))
    return at.astimezone(UTC)


def canonical_person(user_id: object) -> str:
    """Return an id that is spelled as everywhere else.

    Raises InputError, without repeating the id, for anything but a text, and for a text with blanks at its
    ends, full-width or invisible characters, or a UUID in capitals: a store would keep it and nobody would
    be separated or held by it.

    >>> canonical_person("u1")
    'u1'
    >>> canonical_person("u1 ")
    Traceback (most recent call last):
    recsys.errors.InputError: an id is not in its canonical spelling; give it as the profiles table has it
    """
    if not isinstance(user_id, str):
        raise InputError(explained("a person is named by an id", got=type(user_id).__name__, remedy="a text"))
    if not user_id or canonical_spelling(user_id) != user_id or not user_id.isprintable():
        raise not_canonical()
    return user_id


def not_canonical() -> InputError:
    """Return the error of an id in another spelling; it repeats nothing."""
    remedy = "give it as the profiles table has it"
    return InputError(explained("an id is not in its canonical spelling", remedy=remedy))


def distinct_pair(actor: object, target: object) -> tuple[str, str]:
    """Return the pair.

    Raises InputError when both are one person, or one is not in canonical spelling.
    """
    a, b = canonical_person(actor), canonical_person(target)
    if a == b:
        raise InputError(explained("a pair is two people", where="actor and target", remedy="name two"))
    return a, b
