"""Names written so that a list of words does not find them: letters that look alike, digits, one blotted out.

The plain name is put in place, character for character, so that what is found stands where it stood.
"""

import re
from collections.abc import Iterable
from typing import Final

from recsys.catalogue.text_folding import KATAKANA_TO_HIRAGANA

LATIN_LOOK_ALIKES: Final = str.maketrans(
    "аеорсухіјѕԁɡοανιτκβһӏոսօԛԝıɪʟɴᴇᴀᴏꜱᴛ𝗅", "aeopcyxijsdgoavitkbhlnuoqwiilneaostl"
)
"""Letters of other scripts, and small capitals, that look like Latin ones; each is one character."""

_BLOTS: Final = "○◯〇●◎☆★*×■□▲△_"
_LETTERS: Final = {
    **{"a": "4@", "b": "8", "e": "3", "g": "9q", "i": "1!|", "l": "1!|", "o": "0", "s": "5$", "t": "7+"},
    **{"い": "ぃ", "ぃ": "い", "っ": "つ", "つ": "っ", "ー": "-~〜―‐−", "か": "力", "た": "夕", "え": "工"},
    **{"ろ": "口", "に": "二", "と": "卜", "は": "八", "お": "才ぉ", "あ": "ぁ", "め": "乂"},
}
"""What stands for a letter, Latin or kana, in a disguise."""
_SCRIPTS: Final = frozenset(map(chr, LATIN_LOOK_ALIKES))
_SUBSTITUTES: Final = frozenset("".join((*_LETTERS.values(), _BLOTS, "il")))
_LONG: Final = 5
"""Letters from which a capital I may stand for an l and the other way round: `iine` is no `line`."""
_LETTERS_A_SUBSTITUTE: Final = 3


class DisguisedNames:
    """Names, in lower case and hiragana, that are found although some of their letters are replaced.

    At most one letter in three may be, and the rest must be right.

    >>> names = DisguisedNames(["line", "telegram", "らいん"])
    >>> [names.plain(text) for text in ("l1ne?", "te1egrаm", "ら○ん", "online 1 in 3", "iine")]
    ['line?', 'telegram', 'らいん', 'online 1 in 3', 'iine']
    """

    def __init__(self, names: Iterable[str]) -> None:
        """Compile one pattern for every name of at least three letters."""
        folded = {name.lower().translate(KATAKANA_TO_HIRAGANA) for name in names}
        self._names = sorted((name for name in folded if len(name) >= _LETTERS_A_SUBSTITUTE), key=len)[::-1]
        first = "".join(sorted({_letters(name, name[0]) for name in self._names}))
        branches = "|".join(f"({_disguised(name)})" for name in self._names)
        self._pattern = re.compile(f"(?=[{first}])(?:{branches})" if branches else "(?!)")

    def plain(self, text: str) -> str:
        """Return a folded text with each disguised name in plain letters, of the same length."""
        there = frozenset(text)
        if not there.isdisjoint(_SCRIPTS):
            text = text.translate(LATIN_LOOK_ALIKES)
        return text if there.isdisjoint(_SUBSTITUTES) else self._pattern.sub(self._undone, text)

    def _undone(self, found: re.Match[str]) -> str:
        name = self._names[(found.lastindex or 1) - 1]
        replaced = sum(there != letter for there, letter in zip(found[0], name, strict=True))
        return name if replaced <= len(name) // _LETTERS_A_SUBSTITUTE else found[0]


def _letters(name: str, letter: str) -> str:
    """Return what may stand for a letter of a name, as it stands in a set of a pattern."""
    both = {"i": "l", "l": "i"} if len(name) >= _LONG else {}
    return re.escape(letter + _LETTERS.get(letter, "") + both.get(letter, "") + _BLOTS)


def _disguised(name: str) -> str:
    """Return a pattern of a name in which each letter may be replaced; Latin ones stand between words."""
    pattern = "".join(f"[{_letters(name, letter)}]" for letter in name)
    return rf"(?<![a-z0-9]){pattern}(?![a-z0-9])" if name[0].isascii() else pattern
