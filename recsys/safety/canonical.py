"""Canonical spelling at the doors of the safety stores: ids of people, pairs of them, and times."""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from recsys.catalogue.text_folding import INVISIBLE
from recsys.data.id_spellings import as_id_text, id_forms
from recsys.data.ids import canonical_spelling
from recsys.errors import InputError, explained

_PAIR: Final = 2
_MOST_NAMED: Final = 10
CLOCKS_APART: Final = timedelta(minutes=5)
"""How far the clocks of two machines of a service may be apart."""


def utc_moment(at: datetime | None) -> datetime:
    """Return `at` in UTC, now when None.

    Raises InputError for what is no time, for one without a zone, and for one that is none in UTC.
    """
    if at is None:
        return datetime.now(UTC)
    if not isinstance(at, datetime):
        raise InputError(explained("a time is a datetime", got=type(at).__name__, remedy="give one in UTC"))
    if at.tzinfo is None:
        raise InputError(explained("a time needs a zone", got=at.isoformat(), remedy="use UTC"))
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise InputError(explained("a time is out of range", got=at.isoformat(), remedy="use UTC")) from None


def canonical_person(user_id: object) -> str:
    """Return an id that is spelled as everywhere else.

    Raises InputError, without repeating the id, for anything but a text, and for a text with blanks at its
    ends, full-width or invisible characters: a store would keep it and nobody would be separated or held by
    it. A UUID in capitals is an id where profiles have it so, see `in_any_spelling`.

    >>> canonical_person("u1")
    'u1'
    >>> canonical_person("u1 ")
    Traceback (most recent call last):
    recsys.errors.InputError: an id is not in its canonical spelling; give it as the profiles table has it
    """
    if not isinstance(user_id, str):
        raise InputError(explained("a person is named by an id", got=type(user_id).__name__, remedy="a text"))
    as_kept = (user_id, user_id.lower())  # the canonical spelling of a UUID in capitals is in lower case
    if not user_id or canonical_spelling(user_id) not in as_kept or not user_id.isprintable():
        raise not_canonical()
    return user_id


def not_canonical() -> InputError:
    """Return the error of an id in another spelling; it repeats nothing."""
    remedy = "give it as the profiles table has it"
    return InputError(explained("an id is not in its canonical spelling", remedy=remedy))


def not_two_people() -> InputError:
    """Return the error of a pair that is none."""
    return InputError(explained("a pair is two people", where="actor and target", remedy="name two"))


def distinct_pair(actor: object, target: object) -> tuple[str, str]:
    """Return the pair.

    Raises InputError when both are one person, or one is not in canonical spelling.
    """
    a, b = canonical_person(actor), canonical_person(target)
    if a == b:
        raise not_two_people()
    return a, b


def two_people_meant(
    given: object, whom: Callable[[object], str | None], known: Callable[[object], str | None]
) -> tuple[str, str] | None:
    """Return the two people that a pair of ids means, in whatever spelling; None for no two.

    whom: whom an id means, None for nobody. known: the same of known people, who alone count where more
    than two values are given.
    """
    named = list(given) if isinstance(given, Collection) and not isinstance(given, str | bytes) else []
    ask = known if len(named) > _PAIR else whom
    people = [*dict.fromkeys(one for one in map(ask, named[:_MOST_NAMED]) if one is not None)]
    return (people[0], people[1]) if len(people) >= _PAIR else None


def spelled_canonically(given: object) -> str | None:
    """Return the id in canonical spelling that a value means; None where none is left.

    >>> spelled_canonically("\uff551 "), spelled_canonically(b"u1"), spelled_canonically(" ")
    ('u1', 'u1', None)
    """
    with suppress(InputError):
        text = "" if given is None else as_id_text(given)
        return canonical_person(canonical_spelling(INVISIBLE.sub("", text)))
    return None


@contextmanager
def restricts_even_refused(
    restrict: Callable[..., None],
    *given: object,
    whom: Callable[[object], str | None] = spelled_canonically,
) -> Iterator[None]:
    """Restrict the people whom a call can mean when it is refused; the error is raised all the same.

    restrict: takes the people, and whatever else was wrong as by default. given: as the call names them.
    whom: whom a given id means, None for nobody.
    """
    try:
        yield
    except InputError:
        people = [one for one in map(whom, given) if one is not None]
        if len(set(people)) == len(given):
            with suppress(InputError):
                restrict(*people)
        raise


class CheckedId(str):
    """The id of a person, checked by somebody who knows everybody: no other spelling of it is meant."""

    __slots__ = ()


_ANY_SPELLING: Final = "\x01"
"""Before an id that stands for every spelling of it; no id begins with it."""
_UUID_SQL: Final = "'^(urnuuid)?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})$'"


def any_spelling_sql(column: str) -> str:
    r"""Return what `in_any_spelling` gives of ids of profiles in a column of PostgreSQL, as an expression.

    >>> any_spelling_sql("account").startswith("E'\\x01' || CASE WHEN lower(account) ~ ")
    True
    """
    low = f"lower({column})"
    uuid = f"regexp_replace({low}, {_UUID_SQL}, '\\2-\\3-\\4-\\5-\\6')"
    number = f"coalesce(nullif(ltrim({column}, '0'), ''), '0')"
    return (
        f"E'\\x01' || CASE WHEN {low} ~ {_UUID_SQL} THEN {uuid} "
        f"WHEN {column} ~ '^[0-9]+$' THEN {number} ELSE {low} END"
    )


@lru_cache(maxsize=1 << 16)
def in_any_spelling(user_id: str) -> str:
    """Return the one text under which a store keeps what concerns an id in whatever spelling.

    >>> in_any_spelling("U1") == in_any_spelling("u1\u0301") != in_any_spelling("u2")
    True
    """
    return _ANY_SPELLING + (id_forms(user_id)[-1] or user_id)


def written_as(user_id: str) -> tuple[str, ...]:
    """Return under which texts a store keeps what restricts somebody.

    A store of its own knows nobody: an id that nobody checked may be that of somebody in another spelling.
    """
    one = str(user_id)
    return (one,) if isinstance(user_id, CheckedId) else (one, in_any_spelling(one))


def pairs_written_as(a: str, b: str, *, checked: bool | None = None) -> list[tuple[str, str]]:
    """Return under which pairs of texts a store keeps what separates two people.

    checked: whether both are known as spelled, by default when both are a `CheckedId`.
    """
    if checked is None:
        checked = isinstance(a, CheckedId) and isinstance(b, CheckedId)
    loose = (in_any_spelling(str(a)), in_any_spelling(str(b)))
    return [(str(a), str(b))] + ([] if checked or loose[0] == loose[1] else [loose])


def read_as(ids: Iterable[str]) -> dict[str, list[str]]:
    """Return the texts under which a store may name people, and whom each names.

    What is no id of anybody is left out: a database may end a text at a null byte, and answer of another.
    """
    given = list(filter(str.isprintable, dict.fromkeys(map(str, ids))))
    found = {one: [one] for one in given}
    for text, one in zip(map(in_any_spelling, given), given, strict=True):  # its mark is not printable
        found.setdefault(text, []).append(one)
    return found


def without_mark(text: str) -> str:
    """Return an id that a store keeps, without the mark of those in any spelling."""
    return text.removeprefix(_ANY_SPELLING)


def is_any_spelling(text: str) -> bool:
    """Say whether a text that a store keeps stands for every spelling of an id."""
    return text.startswith(_ANY_SPELLING)
