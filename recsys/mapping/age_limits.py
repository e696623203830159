"""Ages that members would meet, as services and their members write them: a number, a limit, or a range.

A limit that says more or less than a number without naming it, such as `over 30`, leaves the number out. What
cannot be read is never taken for a wish that is open. The words stand in `age_words.yaml`.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from recsys.catalogue.text_folding import plain, unaccented
from recsys.catalogue.vocabulary import ADULT, OLDEST
from recsys.data.no_answer_codes import is_unknown
from recsys.mapping.distances import ANYWHERE, any_of, words_by_kind
from recsys.mapping.values import BANDS, bands_between

_NO_AGE: Final = 0
"""No age that profiles may hold, so that its row is refused."""
_UNREAD: Final = "an age limit that cannot be read, so nobody fits"
_REFUSED: Final = "an age limit that cannot be read, so the row is refused"


_WORDS: Final = {kind: any_of(words) for kind, words in words_by_kind("age_words.yaml").items()}
_UNIT: Final = rf"\s*(?:{_WORDS['units']})?"
_NUMBER: Final = r"(\d{1,3})(?:[.,]0+)?"
_RANGE: Final = re.compile(
    rf"(?:(?:{_WORDS['between']})\s+)?{_NUMBER}{_UNIT}\s*(?:{_WORDS['to']})\s*{_NUMBER}{_UNIT}\s*(?:まで|까지|の間|사이)?"
)
_SIDES: Final = tuple(
    (side, re.compile(rf"{before}\s*{_NUMBER}{_UNIT}\.?\s*{behind}"))
    for side, before, behind in (
        ("plain", "", r"\+?"),
        ("least", f"(?:{_WORDS['least_before']})", r"\+?"),
        ("least", "", f"(?:{_WORDS['least_behind']})"),
        ("most", f"(?:{_WORDS['most_before']})", f"(?:{_WORDS['most_behind']})?"),
        ("most", "", f"(?:{_WORDS['most_behind']})"),
        ("over", f"(?:{_WORDS['over_before']})", ""),
        ("over", "", f"(?:{_WORDS['over_behind']})"),
        ("under", f"(?:{_WORDS['under_before']})", ""),
        ("under", "", f"(?:{_WORDS['under_behind']})"),
    )
)
_SIGNS: Final = str.maketrans(dict.fromkeys("〜～∼∿", "~") | dict.fromkeys("‐‑‒–—―−ー", "-"))


class AgeLimits(NamedTuple):
    """The ages from `low` to `high`, None where open; a number alone is both. is_number: it was one alone."""

    low: int | None
    high: int | None
    is_number: bool = False


def read_age_limits(value: object) -> tuple[AgeLimits | None, str | None]:
    """Return the limits that a text says; open ones where it says that nothing is known, or any age.

    >>> [tuple(read_age_limits(one)[0])[:2] for one in ("35-45", "ab 30", "50歳以下", "over 30", "30+")]
    [(35, 45), (30, None), (None, 50), (31, None), (30, 30)]
    >>> read_age_limits("around fifty")
    (None, 'not an age')
    """
    if is_unknown(value):
        return AgeLimits(None, None), "unknown"
    text = re.sub(r"\s+", " ", unaccented(plain(value).translate(_SIGNS))).strip()
    if text.rstrip(" .!") in ANYWHERE:
        return AgeLimits(None, None), None
    if found := _RANGE.fullmatch(text):
        return AgeLimits(int(found[1]), int(found[2])), None
    for side, form in _SIDES:
        if found := form.fullmatch(text):
            n = int(found[1])
            sides = {
                "plain": AgeLimits(n, n, True),
                "least": AgeLimits(n, None),
                "most": AgeLimits(None, n),
                "over": AgeLimits(n + 1, None),
                "under": AgeLimits(None, n - 1),
            }
            return sides[side], None
    return None, "not an age"


def wanted_bands(low: object, high: object, bands: Sequence[str] = BANDS) -> tuple[list[str], str | None]:
    """Return the age bands of two limits as services write them; an unknown one is open.

    A limit that cannot be read fits nobody: it is not known whom somebody wanted to leave out.

    >>> wanted_bands("45", ""), wanted_bands("45", "sixty")
    ((['45-54', '55-64', '65+'], None), ([], 'an age limit that cannot be read, so nobody fits'))
    >>> wanted_bands("35 to 44", None), wanted_bands("ab 55", "-")
    ((['35-44'], None), (['55-64', '65+'], None))
    """
    first, last = read_age_limits(low)[0], read_age_limits(high)[0]
    if first is None or last is None:
        return [], _UNREAD
    lows = [first.low, None if last.is_number else last.low]
    highs = [None if first.is_number else first.high, last.high]
    least = max((one for one in lows if one is not None), default=None)
    return bands_between(least, min((one for one in highs if one is not None), default=None), bands), None


def least_age(value: object) -> tuple[int | None, str | None]:
    """Return the least age of a text, NULL where it says none; 0, which no profile may hold, where unread.

    >>> least_age("35歳〜45歳"), least_age("up to 50"), least_age("16+"), least_age("young")[0]
    ((35, None), (None, None), (18, None), 0)
    """
    found, reason = read_age_limits(value)
    if found is None or (found.low or 0) > OLDEST:
        return _NO_AGE, _REFUSED
    return (None if found.low is None else max(found.low, ADULT)), reason


def greatest_age(value: object) -> tuple[int | None, str | None]:
    """Return the greatest age of a text, NULL where it says none; 0, which no profile may hold, where unread.

    >>> greatest_age("35歳〜45歳"), greatest_age("30+"), greatest_age("99"), greatest_age("16")[0]
    ((45, None), (None, None), (99, None), 0)
    """
    found, reason = read_age_limits(value)
    if found is None or (found.high is not None and found.high < ADULT):
        return _NO_AGE, _REFUSED
    if found.high is None or plain(value).endswith("+"):
        return None, reason
    return min(found.high, OLDEST), reason
