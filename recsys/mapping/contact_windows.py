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


def read_windows(text: object) -> tuple[list[str] | None, str | None]:
    """Return the contact windows that a phrase of days and parts of the day names.

    A part without a day is that of every day. Several groups of days with several parts are not read: which
    goes with which is not said; `words()` parts such a phrase first.

    >>> read_windows("土日夜"), read_windows("Weekend days")[0], len(read_windows("Tardes entre semana")[0])
    ((['sat_evening', 'sun_evening'], None), ['sat_day', 'sun_day'], 5)
    >>> read_windows("weekday evenings and weekend days")
    (None, 'several days and several parts of the day')
    """
    if is_unknown(text):
        return None, "unknown"
    left = unaccented(plain(text))
    words = _words()
    if words["any"].search(left):
        return list(ENUMERATIONS[C.CONTACT_WINDOWS].words), None
    groups = _found(words["days"], left)
    parts = _found(words["parts"], words["days"].sub(" ", left))
    if not parts:
        return None, "no day and part of the day"
    if len(groups) > 1 and len(parts) > 1:
        return None, "several days and several parts of the day"
    days = {day for group in groups for day in _GROUPS[group]} or {*DAYS}
    return [f"{day}_{part}" for day in DAYS if day in days for part in parts], None


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
