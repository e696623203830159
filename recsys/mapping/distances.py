"""Distances as services and their members write them, in whole kilometres.

A distance is the value and None, or None and the reason why it could not be read. The words of many languages
stand in `distance_words.yaml`.
"""

import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Final

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.text_folding import plain, unaccented
from recsys.catalogue.vocabulary import RANGES
from recsys.data.no_answer_codes import is_unknown
from recsys.strict_yaml import flat, parse_yaml

KM_A_MILE: Final = 1.609344


def words_by_kind(file: str) -> Mapping[str, tuple[str, ...]]:
    """Return the words of a file of this package by what they say, without accents and capitals."""
    text = (files("recsys.mapping") / file).read_text(encoding="utf-8")
    found = parse_yaml(text, where=file)
    return {kind: tuple(unaccented(one) for one in flat(words)) for kind, words in found.items()}


def any_of(words: Iterable[str]) -> str:
    """Return a pattern of any of the words, longer ones first."""
    return "|".join(re.escape(one) for one in sorted(words, key=len, reverse=True))


_WORDS: Final = words_by_kind("distance_words.yaml")
ANYWHERE: Final = frozenset(_WORDS["anywhere"])
DISTANCE_UNITS: Final = {
    unit.rstrip("."): km
    for kind, km in (("kilometres", 1.0), ("metres", 0.001), ("miles", KM_A_MILE))
    for unit in _WORDS[kind]
}
"""Kilometres by unit, in the form that `unaccented` gives."""
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
_UP_TO: Final = re.compile(
    rf"^(?:(?:{any_of(_WORDS['before'])})(?:\s+|(?=\d))|(?:{any_of(_WORDS['joined_before'])})\s*)"
)
_UP_TO_BEHIND: Final = re.compile(rf"\s*(?:{any_of(_WORDS['behind'])})$")


def read_distance(value: object, unit: str = "km") -> tuple[int | None, str | None]:
    """Return a distance in whole km, rounded down, never up; `anywhere` is the largest.

    >>> read_distance("60", "mile"), read_distance("7,5 km"), read_distance("anywhere")
    ((96, None), (7, None), (20000, None))
    >>> read_distance("bis zu 30 km"), read_distance("50km以内")
    ((30, None), (50, None))
    >>> read_distance("1,000")  # a thousand, or one with three decimals
    (None, 'a mark that parts thousands or decimals')
    """
    least, most = RANGES[C.MAX_DISTANCE_KM]
    if is_unknown(value):
        return None, "unknown"
    text = unaccented(plain(value))
    if text.rstrip(" .!") in ANYWHERE:
        return most, None
    text = _UP_TO_BEHIND.sub("", _UP_TO.sub("", _UP_TO.sub("", text)))
    match = _NUMBER.match(text)
    if match is None:
        return None, "not a distance"
    if re.fullmatch(r"[+-]?[1-9]\d{0,2}[.,]\d{3}", match.group()):
        return None, "a mark that parts thousands or decimals"
    named = text[match.end() :].strip(" .") or unaccented(unit)
    if named not in DISTANCE_UNITS:
        return None, "unknown unit of distance"
    km = int(float(match.group().replace(",", ".")) * DISTANCE_UNITS[named] + 1e-9)
    return (min(km, most), None) if km >= least else (None, "less than the least distance")
