"""Stamps as programs and forms write them, put into the one form that dates and clocks are read in.

Every rule moves or drops a part that says nothing new (a weekday before a date, a zone's name behind its
offset), so a stamp is read as what it says or not at all.
"""

import re
from typing import Final

_MONTH: Final = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_WEEKDAY: Final = re.compile(
    r"^(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\b\.?,?\s+(?=[\da-z])"
)
_UNIX_DATE: Final = re.compile(
    rf"^({_MONTH})\w*\s+(\d{{1,2}})\s+(\d{{1,2}}:\d\d(?::\d\d)?)(?:\s+(utc|gmt|z|[+-]\d{{4}}))?\s+(\d{{4}})$"
)
"""`Mar  5 14:07:11 2026` of C's `asctime`; with an offset before the year as some services write it."""
_BASIC: Final = re.compile(r"^(\d{4})(\d\d)(\d\d)(?:t|\s*)(\d\d)(\d\d)(\d\d)(?=$|[.,z+-])")
"""ISO 8601 without signs, with or without its `T`; fourteen digits are no number since 1970."""
_CONNECTIVE: Final = re.compile(
    r"(?<=\d)(?:,\s*|\s+)(?:at|a las|às|as|à|alle(?: ore)?|um|om|kl\.?|klo|o godz\.?|o|pukul|saat|lúc|в|о)"
    r"\s+(?=\d{1,2}\s*[:.h])"
)
_NAMED_OFFSET: Final = re.compile(
    r"(?<![/a-z])(?:utc|gmt)\s*([+-])\s*(\d{1,2})(?::?(\d{2}))?(?!\d)", re.IGNORECASE
)
_NAME_BEHIND: Final = re.compile(r"([+-]\d{2}:?\d{2}|\bz)\s*(?:\([^()]*\)|utc|gmt)\s*$", re.IGNORECASE)
"""The name of a zone behind its offset, as JavaScript and Go write it."""


def with_plain_offset(text: str) -> str:
    """Return a time whose offset stands alone: `UTC+9` is nine hours east, as people write it.

    Parsers that know POSIX take it for nine hours west. A name of the zone behind the offset is left out.

    >>> with_plain_offset("2026-01-05 10:00 GMT-05:00"), with_plain_offset("10:00 UTC+9 (Japan)")
    ('2026-01-05 10:00 -05:00', '10:00 +09:00')
    """
    return _NAME_BEHIND.sub(r"\1", _NAMED_OFFSET.sub(_plain_offset, text))


def _plain_offset(match: re.Match[str]) -> str:
    sign, hours, minutes = match[1], int(match[2]), match[3] or "00"
    return f"{sign}{hours:02}:{minutes}"


def plain_stamp(text: str) -> str:
    """Return a folded stamp with its date first, then its clock and its offset; any other text as it is.

    >>> plain_stamp("thu, 05 mar 2026 14:07:11 gmt+0100 (central european standard time)")
    '05 mar 2026 14:07:11 +01:00'
    >>> plain_stamp("march 5, 2026 at 2:07:11 pm utc-5"), plain_stamp("20260305t140711z")
    ('march 5, 2026 2:07:11 pm -05:00', '2026-03-05 14:07:11z')
    >>> plain_stamp("thu mar  5 14:07:11 +0000 2026")
    'mar 5 2026 14:07:11 +0000'
    """
    text = with_plain_offset(_WEEKDAY.sub("", text))
    if match := _UNIX_DATE.match(text):
        month, day, clock, offset, year = match.groups()
        return f"{month} {day} {year} {clock} {offset or ''}".strip()
    text = _BASIC.sub(r"\1-\2-\3 \4:\5:\6", text)
    return _CONNECTIVE.sub(" ", text)
