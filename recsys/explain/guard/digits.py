"""Numbers as people write them to be read by people: in words, in kanji, spaced out."""

import re
from dataclasses import dataclass
from typing import Final

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
