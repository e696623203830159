"""The words of days and parts of the day in phrases, as `window_words.yaml` lists them."""

import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final, NamedTuple

from recsys.catalogue.text_folding import unaccented
from recsys.catalogue.vocabulary import DAYS
from recsys.strict_yaml import flat, parse_yaml

_ENDING: Final = re.compile(r"(?:s|es|e|en|n|a|o|i|io|al|ale|ali|ee|ees|as|os)(?![a-z])")
"""Plurals and cases of languages that `window_words.yaml` knows."""
_GAP: Final = re.compile(r"(?:[\s.・·,:()\[\]'’\"“”「」+&…○◯✓]|!(?![^\W\d_]))+")
"""Signs that change nothing; others may, such as the × of `日曜×` and the ! of `!Sunday`."""


class WindowWord(NamedTuple):
    """One word of a phrase; kind: a key of `window_words.yaml`, such as days; name: what it means."""

    kind: str
    name: str


class WindowWords(NamedTuple):
    """The words of `window_words.yaml`; known: by their first character, the longest first."""

    known: Mapping[str, tuple[tuple[str, WindowWord], ...]]
    short: Mapping[str, str]
    short_pair: re.Pattern[str]


def words_of(piece: str) -> list[WindowWord] | None:
    """Return the words of a phrase in order, without those beside them; None where any is not known."""
    found: list[WindowWord] = []
    at = inside = 0  # inside: where a word ends that the next may be written together with
    while at < len(piece):
        known = _known_at(piece, at, starts=at == inside or not piece[at - 1].isalpha())
        gap = _GAP.match(piece, at)
        if known is not None:
            end, word = known
            if word.kind not in {"days", "parts"} and _is_abbreviation(piece, at, end):
                return None
            at = inside = end
            found += [word] if word.kind != "beside" else []
        elif gap is not None:
            at = gap.end()
        else:
            return None
    return found


def _is_abbreviation(piece: str, start: int, end: int) -> bool:
    """Say whether one or two letters stand before a dot or a slash, or join nothing, as those of `w/o` do."""
    word, behind = piece[start:end], piece[end:].lstrip(" ")
    is_short = len(word) < 3 and word.isalpha() and word.upper() != word and word != "ok"
    return is_short and (not behind or behind[0] in ".:)]")


def _known_at(piece: str, at: int, *, starts: bool) -> tuple[int, WindowWord] | None:
    """Return where the longest known word that begins at a place ends, and the word.

    starts: whether a word of Latin letters may begin here. One ends at a letter only where an ending of its
    language follows, or another word that is written together with it (`Samstagabend`).
    """
    for text, word in window_words().known.get(piece[at], ()):
        if not piece.startswith(text, at):
            continue
        end = at + len(text)
        if not (text[-1].isascii() and text[-1].isalpha()):
            return end, word
        ending = _ENDING.match(piece, end) if len(text) > 2 else None
        if starts and not piece[end : end + 1].isalpha():
            return end, word
        if starts and ending is not None:
            return ending.end(), word
        if starts and len(text) > 3 and word.kind == "days" and _known_at(piece, end, starts=True):
            return end, word
    return None


def with_long_names(text: str) -> str:
    """Return a text whose ranges and pairs of two letters, such as `Mo-Fr` and `Sa/So`, are written out."""
    words = window_words()

    def long(match: re.Match[str]) -> str:
        between = " " if match["between"].strip() in {"+", "/", "&", "und", "en"} else " - "
        return f"{words.short[match['first']]}{between}{words.short[match['last']]} "

    return words.short_pair.sub(long, text)


@lru_cache(maxsize=1)
def window_words() -> WindowWords:
    """Return the words of all languages."""
    content = (files("recsys.mapping") / "window_words.yaml").read_text(encoding="utf-8")
    raw: Any = parse_yaml(content, where="window_words.yaml")
    pairs = [
        (one, WindowWord(kind, name))
        for kind in ("days", "parts")
        for name, listed in raw[kind].items()
        for one in map(unaccented, flat(listed))
    ]
    pairs += [
        (one, WindowWord(kind, kind))
        for kind in (
            "any",
            "to",
            "or_to",
            "to_or_of",
            "dash",
            "holiday",
            "beside",
            "and",
            "and_behind_a_part",
        )
        for one in map(unaccented, flat(raw[kind]))
    ]
    known: dict[str, list[tuple[str, WindowWord]]] = {}
    for one, word in sorted(pairs, key=lambda pair: -len(pair[0])):
        known.setdefault(one[0], []).append((one, word))
    short = {unaccented(one): day for week in raw["short"] for one, day in zip(week, DAYS, strict=True)}
    either = "|".join(short)
    between = r"(?P<between>\s*(?:[-–—~〜+/&]|\b(?:bis|tot|t/m|und|en)\b)\s*)"
    pair = rf"(?<![a-z])(?P<first>{either})\.?{between}(?P<last>{either})\.?(?![a-z])"
    return WindowWords({first: tuple(found) for first, found in known.items()}, short, re.compile(pair))
