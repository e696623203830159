"""Telephone numbers, by the `phonenumbers` library."""

import re
from collections.abc import Iterator
from typing import Final

import phonenumbers

from recsys.explain.guard.digits import Run, digit_runs

REGIONS: Final = ("JP", "US", "GB")
"""Where a number without a country code may belong."""

SHORTEST: Final = 9

_GROUPED: Final = re.compile(r"(?<!\d)\(?[2-9]\d{2}\)?[\s.\-]{1,2}[2-9]\d{2}[\s.\-]\d{4}(?!\d)")
"""A North American number as it is written; without its groups any ten digits would do."""


def phone_spans(folded: str) -> Iterator[tuple[int, int]]:
    """Yield where valid telephone numbers stand in folded text.

    >>> list(phone_spans("call 090-1234-5678")), list(phone_spans("on 2026-11-25 at 10:30"))
    ([(5, 18)], [])
    """
    for run in digit_runs(folded):
        yield from _in_run(run)
    for match in _GROUPED.finditer(folded):
        if _valid("".join(character for character in match[0] if character.isdigit()), "US"):
            yield match.span()


def _in_run(run: Run) -> Iterator[tuple[int, int]]:
    """Yield the first valid number of a run: one with a country code, or one that begins with 0."""
    n_digits = len(run.digits)
    for start in range(n_digits - SHORTEST + 1):
        if not run.begins(start) or (run.digits[start].value and not (run.plus and start == 0)):
            continue
        for end in range(n_digits, start + SHORTEST - 1, -1):
            if run.ends(end) and _is_phone(run.text(start, end), plus=run.plus and start == 0):
                yield run.digits[start].start, run.digits[end - 1].end
                return


def _is_phone(digits: str, *, plus: bool) -> bool:
    if plus:
        return _valid(f"+{digits}", None)
    return any(_valid(digits, region) for region in REGIONS)


def _valid(number: str, region: str | None) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False
