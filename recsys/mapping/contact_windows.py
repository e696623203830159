"""Contact windows of a phrase such as `Weekend evenings`, in the languages of `window_words.yaml`."""

import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.text_folding import plain, unaccented
from recsys.catalogue.vocabulary import DAYS, ENUMERATIONS
from recsys.data.no_answer_codes import is_unknown
from recsys.strict_yaml import parse_yaml

_GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    **{day: (day,) for day in DAYS},
    "weekday": DAYS[:5],
    "weekend": DAYS[5:],
    "every_day": DAYS,
}
_WINDOWS: Final = ENUMERATIONS[C.CONTACT_WINDOWS].words
_PARTS: Final = tuple(dict.fromkeys(window.partition("_")[2] for window in _WINDOWS))


_BETWEEN: Final = re.compile(r"[、,;/|\n]")


def read_windows(text: object) -> tuple[list[str] | None, str | None]:
    """Return the contact windows that a phrase of days and parts of the day names.

    A part without a day is that of every day, a day without a part is all of its parts. Phrases that `、`, a
    comma, a semicolon or a slash joins are read one by one and united: days of the week alone take the part
    of what follows (`土曜、日曜の夜`), parts alone the days before them (`平日の朝、夜`). Within one phrase
    several groups of days with several parts are not read: which goes with which is not said.

    >>> read_windows("土日夜"), read_windows("Weekend days")[0], len(read_windows("Tardes entre semana")[0])
    ((['sat_evening', 'sun_evening'], None), ['sat_day', 'sun_day'], 5)
    >>> read_windows("月曜の昼、土曜")[0]
    ['mon_day', 'sat_early', 'sat_day', 'sat_evening', 'sat_night']
    >>> read_windows("weekday evenings and weekend days")
    (None, 'several days and several parts of the day')
    """
    if is_unknown(text):
        return None, "unknown"
    left = unaccented(plain(text))
    words = _words()
    if words["any"].search(left):
        return list(_WINDOWS), None
    phrases: list[tuple[list[str], list[str]]] = []
    for phrase in _BETWEEN.split(left):
        groups, parts = _found(words["days"], phrase), _found(words["parts"], words["days"].sub(" ", phrase))
        if len(groups) > 1 and len(parts) > 1:
            return None, "several days and several parts of the day"
        before = phrases[-1] if phrases else ([], [])
        if parts and not groups and before[0]:
            before[1].extend(parts)
        elif groups and before[0] and not before[1] and {*DAYS} >= {*groups, *before[0]}:
            phrases[-1] = ([*before[0], *groups], parts)
        elif groups or parts:
            phrases.append((groups, parts))
    if not phrases:
        return None, "no day and part of the day"
    named = {
        f"{day}_{part}"
        for groups, parts in phrases
        for group in groups or ("every_day",)
        for day in _GROUPS[group]
        for part in parts or _PARTS
    }
    return [window for window in _WINDOWS if window in named], None


def _found(pattern: re.Pattern[str], text: str) -> list[str]:
    """Return what the words in a text mean, each once, in order."""
    return list(dict.fromkeys(str(match.lastgroup).partition("__")[0] for match in pattern.finditer(text)))


@lru_cache(maxsize=1)
def _words() -> Mapping[str, re.Pattern[str]]:
    """Return one pattern each for days, parts and any time; a group is named by what its words mean."""
    content = (files("recsys.mapping") / "window_words.yaml").read_text(encoding="utf-8")
    raw: Any = parse_yaml(content, where="window_words.yaml")
    found = {}
    for name in ("days", "parts"):
        pairs = [(word, key) for key, listed in raw[name].items() for word in _flat(listed)]
        found[name] = re.compile(
            "|".join(
                f"(?P<{key}__{at}>{re.escape(word)})"
                for at, (word, key) in enumerate(sorted(pairs, key=lambda pair: -len(pair[0])))
            )
        )
    return found | {"any": re.compile("|".join(map(re.escape, _flat(raw["any"]))))}


def _flat(listed: list[Any]) -> list[str]:
    return [unaccented(one) for part in listed for one in (part if isinstance(part, list) else [part])]
