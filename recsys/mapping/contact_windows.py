"""Contact windows out of phrases such as `weekend evenings`, read whole or not at all.

A word that a phrase holds beside its days and parts of the day may turn its meaning around (`never on
Sundays`, `evenings, after 20:00`), so a phrase with any word that is not known is not read.
"""

import re
from collections.abc import Collection, Mapping
from itertools import pairwise
from typing import Final, NamedTuple

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.text_folding import plain, unaccented
from recsys.catalogue.vocabulary import DAYS, ENUMERATIONS
from recsys.data.no_answer_codes import is_unknown
from recsys.mapping.window_words import WindowWord, with_long_names, words_of

_GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    **{day: (day,) for day in DAYS},
    "weekday": DAYS[:5],
    "weekend": DAYS[5:],
    "every_day": DAYS,
}
_WEEKENDS: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("BD", "BH", "DJ", "DZ", "EG", "IL", "IQ", "JO", "KW"), ("fri", "sat")),
    **dict.fromkeys(("LY", "MV", "OM", "PS", "QA", "SA", "SD", "SY", "YE"), ("fri", "sat")),
    "NP": ("sat",),
    "BN": ("fri", "sun"),
    **dict.fromkeys(("AF", "IR", "SO"), ()),
}
"""Countries whose weekend is not Saturday and Sunday; of none where it is not the same for everybody."""
_BY_NAME: Final = re.compile("土日|(?:วัน)?เสาร์-?(?:วัน)?อาทิตย์|σαββατοκυριακ[οα]")
"""A weekend by the names of its days, whatever the country."""
_WINDOWS: Final = ENUMERATIONS[C.CONTACT_WINDOWS].words
_PARTS: Final = tuple(dict.fromkeys(window.partition("_")[2] for window in _WINDOWS))
_BETWEEN: Final = re.compile(r"[、,،;؛/|\n]")
_FRIDAY_OR_MONDAY: Final = re.compile(r"\W*pt\b(?![^\n]*(?:pon|pn|wt|sr|czw|sob|sb|nd)\b)[^–—~-]*")
"""Polish writes `pt` for Friday, Turkish for Monday; beside another Polish day it is Friday."""
_DAYS_AND_BRACKETS: Final = re.compile(r"([^、,،;؛/|\n()\[\]]*)[(\[]([^()\[\]]*)[)\]]")
"""A phrase and what stands in brackets behind it."""
_NARROWING: Final = "days within other days, which may narrow them"
_EVE: Final = re.compile(r"\bmalam (senin|selasa|rabu|kamis|jumat|jum'at|sabtu|minggu)\b(?! malam)")
"""In Indonesian the word for evening follows the day; before it, `malam Minggu`, it is the evening before."""
_ARTICLE: Final = re.compile(r"^\s*o (?=domingo|sabado|dia\b|fi(?:m|nal) de semana)")
"""In Portuguese; else an "o" that begins a phrase joins nothing, and may be short for a word for without."""
_WEEK: Final = ("senin", "selasa", "rabu", "kamis", "jumat", "sabtu", "minggu")
_DAY_BEFORE: Final = {day: _WEEK[at - 1] for at, day in enumerate(_WEEK)} | {"jum'at": "kamis"}


class _Phrase(NamedTuple):
    """What a phrase between two commas names; days: of a group such as `weekday`, each once.

    is_of_next: whether its part stands before its days, so that it is that of the days that follow too.
    """

    days: list[str]
    parts: list[str]
    is_of_next: bool = False


def read_windows(text: object, country: str | None = None) -> tuple[list[str] | None, str | None]:
    """Return the contact windows that a phrase of days and parts of the day names, or None and the reason.

    A part without a day is that of every day, a day without a part is all of its parts, `Mon-Fri` is five
    days. Phrases that `、`, a comma, a semicolon or a slash joins are read one by one and united: days of the
    week alone take the part of what follows (`土曜、日曜の夜`), parts alone the days before them.

    country: two letters; its weekend is Saturday and Sunday, a weekday one of the others, unless it is one of
    `_WEEKENDS`. Where a country has no weekend of all, a phrase that names one is not read.

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
    groups = _groups_of(country or "")
    phrases = _phrases_of(spoken if groups is _GROUPS else _BY_NAME.sub(" sat sun ", spoken), groups)
    if isinstance(phrases, str):
        return None, phrases
    named = {
        f"{day}_{part}"
        for phrase in phrases
        for group in phrase.days or ("every_day",)
        for day in groups[group]
        for part in phrase.parts or _PARTS
    }
    if not all(groups[group] for phrase in phrases for group in phrase.days):
        return None, "a weekend that is not the same in all of the country"
    return [window for window in _WINDOWS if window in named], None


def _groups_of(country: str) -> Mapping[str, tuple[str, ...]]:
    """Return the days of each group of a country."""
    if country not in _WEEKENDS:
        return _GROUPS
    weekend = _WEEKENDS[country]
    weekday = tuple(day for day in DAYS if day not in weekend) if weekend else ()
    return {**_GROUPS, "weekday": weekday, "weekend": weekend}


def _phrases_of(spoken: str, groups: Mapping[str, tuple[str, ...]]) -> list[_Phrase] | str:
    """Return the phrases of a folded text, or why it is not read."""
    if any(_may_narrow_in_brackets(one, groups) for one in _DAYS_AND_BRACKETS.finditer(spoken)):
        return _NARROWING
    phrases: list[_Phrase] = []
    spoken = _EVE.sub(lambda eve: f"{_DAY_BEFORE[eve[1]]} malam", spoken)
    for piece in _BETWEEN.split(with_long_names(spoken)):
        words = words_of(_ARTICLE.sub("", piece))
        if words and words[0].kind == "and_behind_a_part":
            words = None
        joined = _joined_phrases(words or [])
        if words is None or not all(map(_are_clear, joined)):
            return "words beside days and parts of the day"
        if any(map(_is_ambiguous, joined)):
            return "several days and several parts of the day"
        first, *others = map(_phrase, joined)
        if any(_is_within(day, phrase.days, groups) for phrase in (first, *others) for day in phrase.days):
            return _NARROWING
        _join(phrases, first)
        phrases += others
    if any(_may_narrow(other, phrase, groups) for phrase in phrases for other in phrases):
        return _NARROWING
    return phrases or "no day and part of the day"


def _is_within(day: str, days: Collection[str], groups: Mapping[str, tuple[str, ...]]) -> bool:
    """Say whether days hold a group of which a day or a smaller group is, without all the others of it.

    `weekends (Saturday)` and `weekday Mon evening` may mean that day alone.
    """
    own, listed = {*groups[day]}, {one for name in days if name in DAYS for one in groups[name]}
    around = ({*groups[name]} for name in days if name not in DAYS and name != day)
    return any(own < group and not group <= listed for group in around)


def _may_narrow(phrase: _Phrase, before: _Phrase, groups: Mapping[str, tuple[str, ...]]) -> bool:
    """Say whether days alone are of a group that another phrase names: `weekday evenings, Monday`."""
    return not phrase.parts and any(
        day in DAYS and _is_within(day, [*before.days, *phrase.days], groups) for day in phrase.days
    )


def _may_narrow_in_brackets(found: re.Match[str], groups: Mapping[str, tuple[str, ...]]) -> bool:
    """Say whether days in brackets behind others are not the same: `weekend evenings (Fri, Sat)`."""
    named = []
    for text in found.groups():
        words = [word for piece in _BETWEEN.split(with_long_names(text)) for word in words_of(piece) or []]
        named.append({day for name in _phrase(words).days for day in groups[name]})
    return bool(named[0] and named[1]) and named[0] != named[1]


def _joined_phrases(words: list[WindowWord]) -> list[list[WindowWord]]:
    """Return the phrases that a word such as `and` joins, where it stands between a part and days.

    Between two days, or two parts, it means nothing of its own.
    """
    found: list[list[WindowWord]] = [[]]
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


def _are_clear(words: list[WindowWord]) -> bool:
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


def _phrase(words: list[WindowWord]) -> _Phrase:
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


def _is_ambiguous(words: list[WindowWord]) -> bool:
    """Say whether a phrase holds several groups of days and several parts; Monday to Friday is one group."""
    days = len({word.name for word in words if word.kind == "days"})
    parts = len({word.name for word in words if word.kind == "parts"})
    one_range = days == 2 and any(_is_range(words, at) for at in range(len(words)))
    return parts > 1 and days > 1 and not one_range


def _is_range(words: list[WindowWord], at: int) -> bool:
    """Say whether a word stands for the days between the one before and the one after."""
    around = [*words[max(at - 1, 0) : at], *words[at + 1 : at + 2]]
    return (
        words[at].kind in {"to", "or_to", "to_or_of", "dash"}
        and len(around) == 2
        and all(one.kind == "days" and one.name in DAYS for one in around)
    )
