"""Other spellings of a spelling: sounds written another way, and one wrong letter in a long word."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from recsys.catalogue.text_folding import unaccented

_VOWELS: Final = str.maketrans("ぁぃぅぇぉゃゅょゎ", "あいうえおやゆよわ", "ーっ")
_KANA: Final = re.compile("[ぁ-ゖー]+")
_REPEATED: Final = re.compile(r"(.)\1+")
_SAME_SOUND: Final = (
    *((re.compile("our(?=s?$|ed|ing|ful|ist)"), "or"), (re.compile("tre(?=s?$)"), "ter")),
    *((re.compile("is(?=e[sdr]?$|ing$|ation$)"), "iz"), (re.compile("grey"), "gray")),
    *((re.compile("ou"), "o"), (re.compile("sy(?=[auo])"), "sh"), (re.compile("ty(?=[auo])"), "ch")),
    (re.compile("zy(?=[auo])"), "j"),
)
"""British and American, and two ways of writing Japanese in Latin letters."""
_SHORTEST_SOUND: Final = 4
"""Characters that must be left of a sound."""
_SHORTEST_HEARD: Final = 5
"""Latin letters of a word that may be heard as another."""
_SHORTEST_TYPED: Final = {"swapped": 6, "vowel": 6, "missing": 8, "extra": 9}
"""Letters of a word that may be another one mistyped: the more a slip could be a word itself, the longer."""
_LONGEST: Final = 40
"""Characters of a text that may be a hobby mistyped; a longer one is a sentence."""
_VOWEL_LETTERS: Final = frozenset("aeiou")
_WORDS_THEMSELVES: Final = frozenset(
    (
        *(
            "mediation",
            "places",
            "competing",
            "palaces",
            "medication",
            "medications",
            "plates",
            "framing",
            "carer",
            "carers",
            "scrolling",
            "signing",
            "desert",
            "deserts",
            "drawling",
        ),
        *(
            "geology",
            "marital",
            "causal",
            "conversation",
            "ergonomics",
            "stationary",
            "panting",
            "costumes",
            "commuting",
        ),
    )
)
"""Words one letter away from a hobby's, which mean something else."""


def sound(written: str) -> str:
    """Return what a folded spelling has in common with other ways to write its sounds; empty when too short.

    Long vowels, small kana, accents and doubled letters go, British endings become American ones, and
    Japanese in Latin letters is written one way.

    >>> [sound(text) for text in ("くらっしっく", "くらしっく", "theatre", "theater", "syodou", "さっかー")]
    ['くらしく', 'くらしく', 'theater', 'theater', 'shodo', '']
    """
    if (latin := unaccented(written)).isascii():
        if len(latin) < _SHORTEST_HEARD:
            return ""
        written = latin
        for one, other in _SAME_SOUND:
            written = one.sub(other, written)
        heard = _REPEATED.sub(r"\1", written)
    else:
        if not (kana := _KANA.findall(written)) or max(map(len, kana)) < _SHORTEST_SOUND:
            return ""
        heard = _REPEATED.sub(r"\1", written.translate(_VOWELS))
    return heard if len(heard) >= _SHORTEST_SOUND else ""


class Misspellings:
    """Finds the one interest that a text means when a sound or one letter is written otherwise.

    Texts are folded and have no spaces; `spellings` leads from each spelling to an interest's id. A text
    that may mean two interests means none.

    >>> found = Misspellings({"coffee": "coffee", "photography": "photography", "gardening": "gardening"})
    >>> [found.meaning(text) for text in ("cofee", "photograpy", "gardenign", "hardening", "toffee")]
    ['coffee', 'photography', 'gardening', None, None]
    """

    def __init__(self, spellings: Mapping[str, str]) -> None:
        self._spellings = spellings
        self._sounds: dict[str, set[str]] = {}
        self._without_one: dict[str, set[tuple[str, int]]] = {}
        for written, interest in spellings.items():
            if heard := sound(written):
                self._sounds.setdefault(heard, set()).add(interest)
            if written.isascii() and len(written) > _SHORTEST_TYPED["vowel"]:
                for at in range(1, len(written)):
                    cut = written[:at] + written[at + 1 :]
                    self._without_one.setdefault(cut, set()).add((written, at))

    def meaning(self, written: str) -> str | None:
        """Return the id of the interest, or None when there is none or more than one."""
        if len(written) > _LONGEST or written in _WORDS_THEMSELVES:
            return None
        found = self._sounds.get(sound(written), set())
        if not found and written.isascii() and written.isalpha():
            found = {self._spellings[one] for one in self._one_letter(written) if one in self._spellings}
        return next(iter(found)) if len(found) == 1 else None

    def _one_letter(self, typed: str) -> Iterable[str]:
        """Yield spellings one slip away; the first letter is never the wrong one."""
        length = len(typed)
        if length >= _SHORTEST_TYPED["swapped"]:
            for at in range(1, length - 1):
                yield typed[:at] + typed[at + 1] + typed[at] + typed[at + 2 :]
        for written, at in self._without_one.get(typed, ()):
            if length >= _SHORTEST_TYPED["missing"] or _is_inner_vowel(written, at):
                yield written
        if length >= _SHORTEST_TYPED["extra"]:
            for at in range(1, length):
                cut = typed[:at] + typed[at + 1 :]
                yield cut
                yield from (written for written, place in self._without_one.get(cut, ()) if place == at)


def _is_inner_vowel(written: str, at: int) -> bool:
    """Say whether a letter is a vowel between consonants, without which the rest is hardly a word."""
    around = written[at - 1 : at] + written[at + 1 : at + 2]
    return written[at] in _VOWEL_LETTERS and len(around) == 2 and not _VOWEL_LETTERS & set(around)
