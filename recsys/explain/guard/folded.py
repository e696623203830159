"""A draft in a comparable form that remembers where every character came from."""

import unicodedata
from dataclasses import dataclass

from recsys.schema.text import INVISIBLE, KATAKANA_TO_HIRAGANA

_MARKS = frozenset("\uff9e\uff9f\u3099\u309a")
"""Voiced sound marks, which belong to the kana before them."""


@dataclass(frozen=True, slots=True)
class Folded:
    """Two aligned forms of one draft: `text` folded wholly, `cased` with its capitals kept.

    Width is folded (NFKC), katakana is hiragana, invisible characters are gone, every space is one
    blank. Character n of either came from `starts[n]:ends[n]` of the draft.
    """

    text: str
    cased: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    @classmethod
    def of(cls, draft: str) -> "Folded":
        """Fold a draft, remembering places.

        >>> folded = Folded.of("ｶﾞ ＬＩＮＥ")
        >>> folded.text, folded.cased, folded.span(2, 6)
        ('が line', 'が LINE', (3, 7))
        """
        text, cased, starts, ends = [], [], [], []
        for start, end in _clusters(draft):
            raw = unicodedata.normalize("NFKC", INVISIBLE.sub("", draft[start:end]))
            for character in raw.translate(KATAKANA_TO_HIRAGANA):
                kept = " " if character.isspace() else character
                small = kept.lower()
                text.append(small if len(small) == 1 else kept)
                cased.append(kept)
                starts.append(start)
                ends.append(end)
        return cls("".join(text), "".join(cased), tuple(starts), tuple(ends))

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where `text[start:end]` stands in the draft."""
        return self.starts[start], self.ends[end - 1]


def _clusters(draft: str) -> list[tuple[int, int]]:
    """Return each character with the marks that belong to it."""
    found: list[tuple[int, int]] = []
    for place, character in enumerate(draft):
        if found and (character in _MARKS or unicodedata.combining(character)):
            found[-1] = (found[-1][0], place + 1)
        else:
            found.append((place, place + 1))
    return found
