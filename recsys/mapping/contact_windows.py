"""Contact windows out of phrases such as `weekend evenings`, read whole or not at all.

A word that a phrase holds beside its days and parts of the day may turn its meaning around (`never on
Sundays`, `evenings, after 20:00`), so a phrase with any word that is not known is not read.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, Final, NamedTuple

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.text_folding import plain, unaccented
from recsys.catalogue.vocabulary import DAYS, ENUMERATIONS
from recsys.data.no_answer_codes import is_unknown
from recsys.strict_yaml import flat, parse_yaml

_GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    **{day: (day,) for day in DAYS},
    "weekday": DAYS[:5],
    "weekend": DAYS[5:],
    "every_day": DAYS,
}
_WINDOWS: Final = ENUMERATIONS[C.CONTACT_WINDOWS].words
_PARTS: Final = tuple(dict.fromkeys(window.partition("_")[2] for window in _WINDOWS))
_BETWEEN: Final = re.compile(r"[、,،;؛/|\n]")
_ENDING: Final = re.compile(r"(?:s|es|e|en|n|a|o|i|io|al|ale|ali|ee|ees|as|os)(?![a-z])")
"""Plurals and cases of languages that `window_words.yaml` knows."""
_GAP: Final = re.compile(r"(?:[\s.・·,:()\[\]'’\"“”「」+&…○◯✓]|!(?![^\W\d_]))+")
"""Signs that change nothing; others may, such as the × of `日曜×` and the ! of `!Sunday`."""


_FRIDAY_OR_MONDAY: Final = re.compile(r"\W*pt\b(?![^\n]*(?:pon|pn|wt|sr|czw|sob|sb|nd)\b)[^–—~-]*")
"""Polish writes `pt` for Friday, Turkish for Monday; beside another Polish day it is Friday."""
_EVE: Final = re.compile(r"\bmalam (senin|selasa|rabu|kamis|jumat|jum'at|sabtu|minggu)\b(?! malam)")
"""In Indonesian the word for evening follows the day; before it, `malam Minggu`, it is the evening before."""
_ARTICLE: Final = re.compile(r"^\s*o (?=domingo|sabado|dia\b|fi(?:m|nal) de semana)")
"""In Portuguese; else an "o" that begins a phrase joins nothing, and may be short for a word for without."""
_WEEK: Final = ("senin", "selasa", "rabu", "kamis", "jumat", "sabtu", "minggu")
_DAY_BEFORE: Final = {day: _WEEK[at - 1] for at, day in enumerate(_WEEK)} | {"jum'at": "kamis"}


class _Word(NamedTuple):
    """One word of a phrase; kind: a key of `window_words.yaml`, such as days; name: what it means."""

    kind: str
    name: str


class _Phrase(NamedTuple):
    """What a phrase between two commas names; days: of a group such as `weekday`, each once.

    is_of_next: whether its part stands before its days, so that it is that of the days that follow too.
    """

    days: list[str]
    parts: list[str]
    is_of_next: bool = False


class _Words(NamedTuple):
    """The words of `window_words.yaml`; known: by their first character, the longest first."""

    known: Mapping[str, tuple[tuple[str, _Word], ...]]
    short: Mapping[str, str]
    short_pair: re.Pattern[str]


def read_windows(text: object) -> tuple[list[str] | None, str | None]:
    """Return the contact windows that a phrase of days and parts of the day names, or None and the reason.

    A part without a day is that of every day, a day without a part is all of its parts, `Mon-Fri` is five
    days. Phrases that `、`, a comma, a semicolon or a slash joins are read one by one and united: days of the
    week alone take the part of what follows (`土曜、日曜の夜`), parts alone the days before them.

    A word such as `and` between a part and days joins two phrases: `evenings and weekends` are all evenings,
    and the whole weekend. Not read are several groups of days with several parts in one phrase otherwise,
    since which goes with which is not said, hours of the clock, since they cut a part of the day in two,
    and whatever else is not known.

    >>> read_windows("土日夜"), read_windows("Weekend days")[0], len(read_windows("Tardes entre semana")[0])
    ((['sat_evening', 'sun_evening'], None), ['sat_day', 'sun_day'], 5)
    >>> read_windows("月曜の昼、土曜")[0]
    ['mon_day', 'sat_early', 'sat_day', 'sat_evening', 'sat_night']
    >>> read_windows("weekdays weekends evenings mornings"), len(read_windows("evenings and weekends")[0])
    ((None, 'several days and several parts of the day'), 13)
    >>> read_windows("segunda a quarta à noite")[0], read_windows("Sundays, never at night")
    (['mon_evening', 'tue_evening', 'wed_evening'], (None, 'words beside days and parts of the day'))
    """
    if is_unknown(text):
        return None, "unknown"
    spoken = unaccented(plain(text))
    if _FRIDAY_OR_MONDAY.fullmatch(spoken):
        return None, "a day of two languages"
    phrases: list[_Phrase] = []
    spoken = _EVE.sub(lambda eve: f"{_DAY_BEFORE[eve[1]]} malam", spoken)
    for piece in _BETWEEN.split(_with_long_names(spoken)):
        words = _words_of(_ARTICLE.sub("", piece))
        if words and words[0].kind == "and_behind_a_part":
            words = None
        groups = _joined_phrases(words or [])
        if words is None or not all(map(_are_clear, groups)):
            return None, "words beside days and parts of the day"
        if any(map(_is_ambiguous, groups)):
            return None, "several days and several parts of the day"
        first, *others = map(_phrase, groups)
        _join(phrases, first)
        phrases += others
    if not phrases:
        return None, "no day and part of the day"
    named = {
        f"{day}_{part}"
        for phrase in phrases
        for group in phrase.days or ("every_day",)
        for day in _GROUPS[group]
        for part in phrase.parts or _PARTS
    }
    return [window for window in _WINDOWS if window in named], None


def _joined_phrases(words: list[_Word]) -> list[list[_Word]]:
    """Return the phrases that a word such as `and` joins, where it stands between a part and days.

    Between two days, or two parts, it means nothing of its own.
    """
    found: list[list[_Word]] = [[]]
    for at, word in enumerate(words):
        if word.kind not in {"and", "and_behind_a_part"}:
            found[-1].append(word)
            continue
        before, behind = ([one.kind for one in words[max(to, 0) : to + 1]] for to in (at - 1, at + 1))
        is_part = {"parts", "any"}
        if (is_part & {*before} and "days" in behind) or (
            word.kind == "and" and "days" in before and is_part & {*behind}
        ):
            found.append([])
    return found


def _are_clear(words: list[_Word]) -> bool:
    """Say whether what stands between and beside the days of a phrase has one meaning."""
    ranges = [at for at in range(len(words)) if _is_range(words, at)]
    kinds = [one.kind for one in words]
    for at, kind in enumerate(kinds):
        before_part = 0 < at < len(kinds) - 1 and kinds[at + 1] in {"parts", "any"}
        behind_something = 0 < at < len(kinds) - 1 and kinds[at + 1] == "days"
        allowed = {"to": False, "dash": before_part, "to_or_of": behind_something}
        if at not in ranges and not allowed.get(kind, True):
            return False
    shares_a_day = any(second - first == 2 for first, second in pairwise(ranges))
    return not shares_a_day and ("holiday" not in kinds or "days" in kinds)


def _join(phrases: list[_Phrase], phrase: _Phrase) -> None:
    """Add a phrase to those before it, with which it may share its days or its parts."""
    before = phrases[-1] if phrases else _Phrase([], [])
    if phrase.parts and not phrase.days and before.days:
        before.parts.extend(phrase.parts)
    elif phrase.days and not phrase.parts and before.is_of_next:
        before.days.extend(phrase.days)
    elif phrase.days and before.days and not before.parts and {*DAYS} >= {*phrase.days, *before.days}:
        phrases[-1] = _Phrase([*before.days, *phrase.days], phrase.parts)
    elif phrase.days or phrase.parts:
        phrases.append(phrase)


def _phrase(words: list[_Word]) -> _Phrase:
    """Return the days and parts that words name; two days with a word such as `to` between are a range."""
    days: list[str] = []
    for at, word in enumerate(words):
        if word.kind == "days":
            days.append(word.name)
        elif _is_range(words, at):
            first, last = DAYS.index(words[at - 1].name), DAYS.index(words[at + 1].name)
            days += [DAYS[(first + step) % 7] for step in range(1, (last - first) % 7)]
    parts = [word.name for word in words if word.kind == "parts"]
    if any(word.kind == "any" for word in words):
        parts = list(_PARTS)
    kinds = [word.kind for word in words if word.kind in {"days", "parts"}]
    return _Phrase(
        list(dict.fromkeys(days)), list(dict.fromkeys(parts)), kinds[:1] == ["parts"] and "days" in kinds
    )


def _is_ambiguous(words: list[_Word]) -> bool:
    """Say whether a phrase holds several groups of days and several parts; Monday to Friday is one group."""
    days = len({word.name for word in words if word.kind == "days"})
    parts = len({word.name for word in words if word.kind == "parts"})
    one_range = days == 2 and any(_is_range(words, at) for at in range(len(words)))
    return parts > 1 and days > 1 and not one_range


def _is_range(words: list[_Word], at: int) -> bool:
    """Say whether a word stands for the days between the one before and the one after."""
    around = [*words[max(at - 1, 0) : at], *words[at + 1 : at + 2]]
    return (
        words[at].kind in {"to", "or_to", "to_or_of", "dash"}
        and len(around) == 2
        and all(one.kind == "days" and one.name in DAYS for one in around)
    )


def _words_of(piece: str) -> list[_Word] | None:
    """Return the words of a phrase in order, without those beside them; None where any is not known."""
    found: list[_Word] = []
    at = inside = 0  # inside: where a word ends that the next may be written together with
    while at < len(piece):
        known = _known_at(piece, at, starts=at == inside or not piece[at - 1].isalpha())
        gap = _GAP.match(piece, at)
        if known is not None:
            end, word = known
            if word.name not in _PARTS and word.kind != "days" and _is_abbreviation(piece, at, end):
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


def _known_at(piece: str, at: int, *, starts: bool) -> tuple[int, _Word] | None:
    """Return where the longest known word that begins at a place ends, and the word.

    starts: whether a word of Latin letters may begin here. One ends at a letter only where an ending of its
    language follows, or another word that is written together with it (`Samstagabend`).
    """
    for text, word in _words().known.get(piece[at], ()):
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


def _with_long_names(text: str) -> str:
    """Return a text whose ranges and pairs of two letters, such as `Mo-Fr` and `Sa/So`, are written out."""
    words = _words()

    def long(match: re.Match[str]) -> str:
        between = " " if match["between"].strip() in {"+", "/", "&", "und", "en"} else " - "
        return f"{words.short[match['first']]}{between}{words.short[match['last']]} "

    return words.short_pair.sub(long, text)


@lru_cache(maxsize=1)
def _words() -> _Words:
    content = (files("recsys.mapping") / "window_words.yaml").read_text(encoding="utf-8")
    raw: Any = parse_yaml(content, where="window_words.yaml")
    pairs = [
        (one, _Word(kind, name))
        for kind in ("days", "parts")
        for name, listed in raw[kind].items()
        for one in map(unaccented, flat(listed))
    ]
    pairs += [
        (one, _Word(kind, kind))
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
    known: dict[str, list[tuple[str, _Word]]] = {}
    for one, word in sorted(pairs, key=lambda pair: -len(pair[0])):
        known.setdefault(one[0], []).append((one, word))
    short = {unaccented(one): day for week in raw["short"] for one, day in zip(week, DAYS, strict=True)}
    either = "|".join(short)
    between = r"(?P<between>\s*(?:[-–—~〜+/&]|\b(?:bis|tot|t/m|und|en)\b)\s*)"
    pair = rf"(?<![a-z])(?P<first>{either})\.?{between}(?P<last>{either})\.?(?![a-z])"
    return _Words({first: tuple(found) for first, found in known.items()}, short, re.compile(pair))
