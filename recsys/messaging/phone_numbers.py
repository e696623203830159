"""Detection of telephone numbers in folded text, by the `phonenumbers` library."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import phonenumbers

_READ: Final = (
    "ぜろ れい まる",
    "いち",
    "に",
    "さん",
    "よん し",
    "ご",
    "ろく",
    "なな しち",
    "はち",
    "きゅう く",
)
_READINGS: Final = {word: digit for digit, words in enumerate(_READ) for word in words.split()}
_ENGLISH: Final = "zero one two three four five six seven eight nine"
_WORDS: Final = (
    {word: digit for digit, word in enumerate(_ENGLISH.split())}
    | {"oh": 0, "零": 0}
    | {kanji: digit for digit, kanji in enumerate("〇一二三四五六七八九")}
    | {str(digit): digit for digit in range(10)}
    | _READINGS
)
_ONE: Final = "|".join(sorted(_WORDS, key=len, reverse=True))
_GAP: Final = r"[\s\-‐-―−ー~.,、。・/_*()\[\]「」の]{0,3}"
_RUN: Final = re.compile(rf"(?:\+[\s(]?)?(?:(?:{_ONE}){_GAP}){{8,15}}(?:{_ONE})")
_EACH: Final = re.compile(_ONE)


@dataclass(frozen=True, slots=True)
class Digit:
    """One digit of a run: its value, where it stands, and whether a kana reading spells it."""

    value: int
    start: int
    end: int
    read: bool


@dataclass(frozen=True, slots=True)
class Run:
    """Digits that follow each other closely in folded text; `plus` when a plus sign leads."""

    digits: tuple[Digit, ...]
    plus: bool

    def text(self, start: int, end: int) -> str:
        """Return some of the digits as a number."""
        return "".join(str(digit.value) for digit in self.digits[start:end])

    def begins(self, place: int) -> bool:
        """Say whether a number may begin at this digit: the first, or after a gap."""
        return place == 0 or self.digits[place - 1].end < self.digits[place].start

    def ends(self, place: int) -> bool:
        """Say whether a number may end before this digit: a reading such as `に` may be a particle."""
        return place == len(self.digits) or self.digits[place].read or self.begins(place)


def digit_runs(folded: str) -> list[Run]:
    """Return the stretches of nine to sixteen digits, however each digit is written.

    >>> digit_runs("call ぜろ九0 1234の5678")[0].text(0, 11)
    '09012345678'
    """
    found = []
    for match in _RUN.finditer(folded):
        digits = tuple(
            Digit(_WORDS[one[0]], match.start() + one.start(), match.start() + one.end(), one[0] in _READINGS)
            for one in _EACH.finditer(match[0])
        )
        found.append(Run(digits, match[0].startswith("+")))
    return found


REGIONS: Final = ("JP", "US", "GB")
"""Where a number without a country code may belong."""

SHORTEST: Final = 9

MOST_CHECKS: Final = 300
"""Numbers looked up in one text. A text with more digits than that is no message: the rest of its runs are
taken for telephone numbers unseen."""

_GROUPED: Final = re.compile(r"(?<!\d)\(?[2-9]\d{2}\)?[\s.\-]{1,2}[2-9]\d{2}[\s.\-]\d{4}(?!\d)")
"""A North American number as it is written; without its groups any ten digits would do."""


def phone_spans(folded: str) -> Iterator[tuple[int, int]]:
    """Yield where valid telephone numbers stand in folded text.

    >>> list(phone_spans("call 090-1234-5678")), list(phone_spans("on 2026-11-25 at 10:30"))
    ([(5, 18)], [])
    """
    numbers = _Numbers()
    for run in digit_runs(folded):
        if numbers.left <= 0:
            yield run.digits[0].start, run.digits[-1].end
        else:
            yield from _in_run(run, numbers)
    for match in _GROUPED.finditer(folded):
        digits = "".join(character for character in match[0] if character.isdigit())
        if numbers.left <= 0 or numbers.is_valid(digits, "US"):
            yield match.span()


def _in_run(run: Run, numbers: "_Numbers") -> Iterator[tuple[int, int]]:
    """Yield the first valid number of a run: one with a country code, or one that begins with 0."""
    n_digits = len(run.digits)
    for start in range(n_digits - SHORTEST + 1):
        if not run.begins(start) or (run.digits[start].value and not (run.plus and start == 0)):
            continue
        for end in range(n_digits, start + SHORTEST - 1, -1):
            if run.ends(end) and numbers.is_phone(run.text(start, end), plus=run.plus and start == 0):
                yield run.digits[start].start, run.digits[end - 1].end
                return


class _Numbers:
    """Looks numbers up, and counts how many more may be looked up in this text."""

    def __init__(self) -> None:
        self.left = MOST_CHECKS

    def is_phone(self, digits: str, *, plus: bool) -> bool:
        """Say whether digits are a valid number, in any region when no country code leads."""
        if plus:
            return self.is_valid(f"+{digits}", None)
        return any(self.is_valid(digits, region) for region in REGIONS)

    def is_valid(self, number: str, region: str | None) -> bool:
        """Say whether the library knows it as a valid number; one more look-up."""
        self.left -= 1
        try:
            return phonenumbers.is_valid_number(phonenumbers.parse(number, region))
        except phonenumbers.NumberParseException:
            return False
