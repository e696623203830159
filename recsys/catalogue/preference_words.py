"""A service's own words for genders, households and age bands: what members say they are and look for.

Everything else that a column may hold is fixed: safety hangs on it, or a clock or an order that the engine
computes with.
"""

import re
from collections.abc import Mapping
from typing import Final

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.entries import Label
from recsys.catalogue.rows import SAFETY_COLUMNS, WORDS, Problems, Row, grouped_by_id, label_of, text_of
from recsys.catalogue.vocabulary import ADULT, ENUMERATIONS, UNDISCLOSED, years_of_band
from recsys.errors import did_you_mean

WISHES: Final[Mapping[str, str]] = {
    C.GENDER: C.MEETS_GENDERS,
    C.HOUSEHOLD_STATUS: C.ACCEPTS_HOUSEHOLD_STATUS,
    C.AGE_BAND: C.ACCEPTS_AGE_BANDS,
}
"""Columns with words of a service's own, and the column of whom somebody would meet, which has the same."""

_MOST: Final = 64
_BAND: Final = re.compile(r"\d{2,3}(?:-\d{2,3}|\+)?")

Words = Mapping[str, Mapping[str, Label]]
"""Labels by column and word, in order."""


def read_words(rows: list[Row], problems: Problems) -> dict[str, dict[str, Label]]:
    """Return the words of rows by column; what is wrong with them is added to `problems`."""
    by_field: dict[str, list[Row]] = {}
    for row in rows:
        by_field.setdefault(text_of(row.get("field", "")), []).append(row)
    found: dict[str, dict[str, Label]] = {}
    for name, own in by_field.items():
        if name not in WISHES:
            what = "a safety word is fixed" if name in SAFETY_COLUMNS else "the words of a column are fixed"
            near = did_you_mean(name, WISHES)
            problems.add(what, WORDS, got=name, remedy=f"let a mapping translate into them; {near}")
            continue
        groups = grouped_by_id(own, "word", f"{WORDS}: {name}", problems)
        found[name] = {
            word: label_of(group, f"{WORDS}: {name}.{word}", problems, default=word)
            for word, group in groups.items()
        }
        if len(found[name]) > _MOST:
            problems.add(
                "too many words", f"{WORDS}: {name}", got=len(found[name]), remedy=f"at most {_MOST}"
            )
    if C.AGE_BAND in found:
        _check_bands(list(found[C.AGE_BAND]), problems)
    return found


def _check_bands(bands: list[str], problems: Problems) -> None:
    """Add what keeps bands from holding every adult age of a service once, in order."""
    where, remedy = f"{WORDS}: {C.AGE_BAND}", "write bands such as 18-29, 30-39, 40+, from the youngest on"
    for band in bands:
        if not _BAND.fullmatch(band):
            problems.add("no age band", where, got=band, remedy=remedy)
            return
    years = [years_of_band(band) for band in bands]
    for band, (first, last) in zip(bands, years, strict=True):
        if first < ADULT:
            problems.add("an age band under 18", where, got=band, remedy=remedy)
        elif last < first:
            problems.add("an age band that ends before it begins", where, got=band, remedy=remedy)
    for (_, last), (first, _), band in zip(years, years[1:], bands[1:], strict=False):
        if first != last + 1:
            problems.add("age bands with a gap, or one over another", where, got=band, remedy=remedy)
    if not bands[-1].endswith("+"):
        problems.add("the last age band is open", where, got=bands[-1], remedy=remedy)


def merged_words(own: Words, usual: Words, *, extends: bool) -> dict[str, dict[str, Label]]:
    """Return the words of a service beside those of the engine's that they need.

    A gender that is not told is `undisclosed` in every service. extends: genders and households are added to
    the engine's; bands always stand in their place.
    """
    found = {}
    for name, words in own.items():
        before = usual[name] if extends and name != C.AGE_BAND else {}
        kept = {word: usual[name][word] for word in ENUMERATIONS[name].words if word in before}
        found[name] = {**kept, **words}
        if name == C.GENDER:
            found[name].setdefault(UNDISCLOSED, usual[name][UNDISCLOSED])
    return found
