"""Stamps as programs and forms write them, put into the one form that dates and clocks are read in.

Every rule moves or drops a part that says nothing new (a weekday before a date, a zone's name behind its
offset), so a stamp is read as what it says or not at all.
"""

import re
import unicodedata
from typing import Final

_MONTH: Final = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_WEEKDAY: Final = re.compile(
    r"^(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\b\.?,?\s+(?=[\da-z])"
)
_UNIX_DATE: Final = re.compile(
    rf"^({_MONTH})\w*\s+(\d{{1,2}})\s+(\d{{1,2}}:\d\d(?::\d\d)?)(?:\s+([a-z]{{1,5}}|[+-]\d{{2}}:?\d{{2}}))?\s+(\d{{4}})$"
)
"""`Mar  5 14:07:11 2026` of C's `asctime`; a zone or an offset may stand before the year."""
_BASIC: Final = re.compile(r"^(\d{4})(\d\d)(\d\d)(?:t|\s*)(\d\d)(\d\d)(\d\d)(?=$|[.,z+-])")
"""ISO 8601 without signs, with or without its `T`; fourteen digits are no number since 1970."""
_CONNECTIVE: Final = re.compile(
    r"(?<=\d)(?:,\s*|\s+)(?:at|a las|às|as|à|alle(?: ore)?|um|om|kl\.?|klo|o godz\.?|o|pukul|saat|lúc|в|о)"
    r"\s+(?=\d{1,2}\s*[:.h])"
)
_NAMED_OFFSET: Final = re.compile(
    r"(?<![/a-z])(?:utc|gmt)\s*([+-])\s*(\d{1,2})(?::?(\d{2}))?(?!\d)", re.IGNORECASE
)
_NAME_BEHIND: Final = re.compile(
    r"([+-]\d{2}:?\d{2}|(?:\b|(?<=\d))z|\b(?:utc|gmt))\s*(?:\([^()]*\)|\[[^][]*\]|utc|gmt)\s*$",
    re.IGNORECASE,
)
"""The name of a zone behind its offset, as JavaScript, Go and Java write it."""
_UTC_BY_NAME: Final = re.compile(r"(?<=\d)\s*\betc/(?:utc|uct|gmt|zulu|universal)\s*$", re.IGNORECASE)
"""As databases and Ruby call it."""
_MINUS: Final = "\u2212"

ZONE_OFFSETS: Final = {
    "UTC": "+00:00", "GMT": "+00:00", "HST": "-10:00", "AKST": "-09:00", "AKDT": "-08:00",
    "PDT": "-07:00", "MDT": "-06:00", "EST": "-05:00", "EDT": "-04:00", "WET": "+00:00",
    "WEST": "+01:00", "CET": "+01:00", "CEST": "+02:00", "MET": "+01:00", "MEST": "+02:00",
    "EET": "+02:00", "EEST": "+03:00", "SAST": "+02:00", "PKT": "+05:00", "WIB": "+07:00",
    "WITA": "+08:00", "HKT": "+08:00", "AWST": "+08:00", "JST": "+09:00", "KST": "+09:00",
    "ACST": "+09:30", "ACDT": "+10:30", "AEST": "+10:00", "AEDT": "+11:00", "NZST": "+12:00",
    "NZDT": "+13:00",
}  # fmt: skip
"""Abbreviations that mean one offset in the time zone database since 2000 (IANA) and in common use.

Left out is what has two: `CST` is of Chicago and of Shanghai, `IST` of India, Israel and Ireland, `PST` of
Los Angeles and Manila, `BST` of London and Dhaka, `AST` of Halifax and Riyadh, `MST` of Denver and Malaysia.
"""
_ABBREVIATION: Final = re.compile(
    rf"(\d\s*[:時时시点點].*[\d分분秒초]|[ap]m)\s*\(?({'|'.join(ZONE_OFFSETS)})\b\)?\s*$", re.IGNORECASE
)
"""Behind a time of day alone."""


def with_plain_offset(text: str) -> str:
    """Return a time whose offset stands alone: `UTC+9` is nine hours east, as people write it.

    Parsers that know POSIX take it for nine hours west. A name of the zone behind the offset is left out; one
    in place of an offset is that offset where it has one meaning (`ZONE_OFFSETS`).

    >>> with_plain_offset("2026-01-05 10:00 GMT-05:00"), with_plain_offset("10:00 UTC+9 (Japan)")
    ('2026-01-05 10:00 -05:00', '10:00 +09:00')
    >>> with_plain_offset("2026-01-05 10:00 JST"), with_plain_offset("2026-01-05 10:00 CST")
    ('2026-01-05 10:00 +09:00', '2026-01-05 10:00 CST')
    """
    text = _NAME_BEHIND.sub(r"\1", _NAMED_OFFSET.sub(_plain_offset, text.replace(_MINUS, "-")))
    text = _UTC_BY_NAME.sub(" +00:00", text)
    return _ABBREVIATION.sub(lambda found: f"{found[1]} {ZONE_OFFSETS[found[2].upper()]}", text)


def _plain_offset(match: re.Match[str]) -> str:
    sign, hours, minutes = match[1], int(match[2]), match[3] or "00"
    return f"{sign}{hours:02}:{minutes}"


BUDDHIST_ERA: Final = 543
"""Years by which the Buddhist era of Thailand, Laos and Cambodia is ahead."""
FIRST_BUDDHIST, LAST_BUDDHIST = 2443, 2643  # of 1900 and 2100
_BUDDHIST: Final = re.compile(
    r"(?:พ\s*\.?\s*ศ\.?|พุทธศักราช|ພ\s*\.?\s*ສ\.?|ព\s*\.?\s*ស\.?|\bb\.?e\.?)\s*(2\d{3})(?!\d)|(?<!\d)(2\d{3})\s*b\.?e\b\.?"
)
_COMMON_ERA: Final = re.compile(r"(?:ค\s*\.?\s*ศ\.?|ຄ\s*\.?\s*ສ\.?|គ\s*\.?\s*ស\.?)\s*(?=\d{4})")
_THAI: Final = re.compile("[\u0e01-\u0e5b\u0e81-\u0edf]")
_YEAR_IN_THAI: Final = re.compile(r"(?<![\d:.])(2[4-6]\d\d)(?![\d:])")
_YEAR_WORD: Final = re.compile(
    r"(?<=\d{4})\s*(?:г(?:\.|ода?)?(?:\s*р\.?)?|р(?:\.|оку|ік)?|r(?:\.|oku|ok)?|m\.|god(?:ine|\.)|g\.|ж(?:\.|ыл(?:ы|ғы)?))"
    r"(?=$|[\s,])"
)
"""The word for a year behind it: `12.03.1987 г.`, `12 marca 1987 r.`"""
_DOT_BEHIND_YEAR: Final = re.compile(r"(?<=[^\d]\d{4})\.(?=\s|$)")
_VIETNAMESE: Final = re.compile(
    r"^(?:ngày\s+)?(\d{1,2})\s+(?:tháng|thg)\s+(\d{1,2})(?:,?\s+năm\s+|,\s*)(\d{4})"
)


def _in_common_years(text: str) -> str:
    """Return a text with digits of ASCII and the years of the common era, without the words for either.

    A year between 2443 and 2643 beside Thai or Lao letters or digits is Buddhist.
    """
    is_thai = _THAI.search(text) is not None
    text = "".join(str(unicodedata.decimal(one)) if one.isdecimal() else one for one in text)
    text = _BUDDHIST.sub(lambda found: str(int(found[1] or found[2]) - BUDDHIST_ERA), text)
    if is_thai and not _COMMON_ERA.search(text):
        text = _YEAR_IN_THAI.sub(_common_year, text)
    text = _DOT_BEHIND_YEAR.sub("", text)
    text = _VIETNAMESE.sub(r"\3-\2-\1", text)
    return _YEAR_WORD.sub("", _COMMON_ERA.sub("", text))


def _common_year(found: re.Match[str]) -> str:
    year = int(found[1])
    return str(year - BUDDHIST_ERA) if FIRST_BUDDHIST <= year <= LAST_BUDDHIST else found[1]


def plain_stamp(text: str) -> str:
    """Return a folded stamp with its date first, then its clock and its offset; any other text as it is.

    Digits become those of ASCII, years of the Buddhist era common ones.

    >>> plain_stamp("thu, 05 mar 2026 14:07:11 gmt+0100 (central european standard time)")
    '05 mar 2026 14:07:11 +01:00'
    >>> plain_stamp("march 5, 2026 at 2:07:11 pm utc-5"), plain_stamp("20260305t140711z")
    ('march 5, 2026 2:07:11 pm -05:00', '2026-03-05 14:07:11z')
    >>> plain_stamp("thu mar  5 14:07:11 +0000 2026")
    'mar 5 2026 14:07:11 +0000'
    >>> plain_stamp("๑๒/๓/๒๕๓๐"), plain_stamp("12 มี.ค. พ.ศ. 2530"), plain_stamp("12.03.1987 г.")
    ('12/3/1987', '12 มี.ค. 1987', '12.03.1987')
    """
    text = with_plain_offset(_WEEKDAY.sub("", _in_common_years(text)))
    if match := _UNIX_DATE.match(text):
        month, day, clock, offset, year = match.groups()
        return with_plain_offset(f"{month} {day} {year} {clock} {offset or ''}".strip())
    text = _BASIC.sub(r"\1-\2-\3 \4:\5:\6", text)
    return _CONNECTIVE.sub(" ", text)
