"""Ages in whatever words: whether somebody may be under age, also where the age is no age of the tables."""

import math
import re
from typing import Final

from recsys.catalogue.text_folding import fold
from recsys.catalogue.vocabulary import ADULT, OLDEST
from recsys.data.id_spellings import as_id_text

_FIRST_NUMBER: Final = re.compile(r"\D*?(\d{1,9})")
_UP_TO: Final = re.compile(
    r"<|under|below|less|young|up to|\bnot?\b|before|until|\bu ?\d|^-|未満|以下|まで|より下|前"
)
_YOUNGEST_BAND_ENDS: Final = 20
"""Beside a word for "under", a number up to this one may end the band of those who are not grown up."""
_NOT_SAID: Final = frozenset(
    fold(word)
    for word in (
        *("", "?", "unknown", "n/a", "na", "none", "null", "nan", "not said", "not given", "not answered"),
        *("prefer not to say", "undisclosed", "private", "secret"),
        *("不明", "未回答", "未設定", "未入力", "無回答", "非公開", "回答しない", "ひみつ", "秘密", "なし"),
    )
)
_GROWN_UP: Final = re.compile(
    r"\badults?\b|grown up|senior|elder|retired|middle aged"
    r"|\b(twent|thirt|fift|sixt|ninet)(y|ies)|\bfort(y|ies)|\b(sevent|eight)(y|ies)"
    r"|[二三四五六七八九]十|(?<!未)成[人年]|大人|中年|高齢|老|" + fold("シニア")
)


def may_be_under_age(age: object) -> bool:
    """Say whether an age or an age band, in whatever words, may be of somebody who is not grown up.

    That is every word but those of an adult's age, and those by which nobody says an age.

    >>> [may_be_under_age(one) for one in (17, "17歳", ["１７"], "13-17", "under 18", "minor", "十七歳")]
    [True, True, True, True, True, True, True]
    >>> [may_be_under_age(one) for one in (None, 18, "18-24", "65+", "40s", "thirties", "unknown", "二十代")]
    [False, False, False, False, False, False, False, False]
    """
    if isinstance(age, int | float):
        return not math.isnan(age) and not ADULT <= age <= OLDEST
    text = "" if age is None else fold(as_id_text(age)[:64]).replace("から", "-")
    if text in _NOT_SAID or not text.strip("-. "):
        return False
    is_up_to = _UP_TO.search(text) is not None
    found = _FIRST_NUMBER.match(text)
    if found is None:
        return is_up_to or _GROWN_UP.search(text) is None
    number = int(found[1])
    return not ADULT <= number <= OLDEST or (number <= _YOUNGEST_BAND_ENDS and is_up_to)
