"""Telephone numbers in one form, whatever country they are dialled from and however they are written."""

import re
from typing import Any, Final

from recsys.catalogue.text_folding import INVISIBLE
from recsys.errors import InputError, explained

_PHONE = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_DASHES: Final = r"\-‐-―−"
_PHONE_PUNCTUATION = re.compile(rf"[\s().・{_DASHES}]")
_NUMERAL: Final = "[〇零一二三四五六七八九]"
_HIDDEN = re.compile(
    rf"[^\w\s+()./・,;:='\"’℡☎☏✆📞📱📲{_DASHES}]|_|x{{2,}}|\d[^\W\d_x]\d"  # ###-1234-5678, 090-1234-567?
    rf"|{_NUMERAL}[\s{_DASHES}]*\d|\d[\s{_DASHES}]*{_NUMERAL}"
    rf"|[.・{_DASHES}]\s*[.・{_DASHES}]|\(\s*\)"  # ...-1234-5678
)
"""What stands for digits that are hidden or cannot be read: any sign that no number is written with."""
_TRUNK = re.compile(r"(?<=\d)[\s.-]*\(0\)[\s.-]*")  # +81 (0)90: the 0 is dialled inside the country only
# What a spreadsheet makes of a number; of one in groups with one 0 alone, since 01.23.45.67.00 is a number.
_WHOLE_AS_REAL = re.compile(rf"(\d{{6,15}})\.0+|(\+?\d[\d\s(){_DASHES}]{{5,23}})\.0")
_LONG_VOWEL = re.compile(r"(?<=[\d)])\s*ー\s*(?=[\d(])")
"""Japanese keyboards give it where a hyphen is meant: `090ー1234ー5678`."""
_CARRIER_TO_CHOOSE = re.compile(r"^\(?\s*0\s*-?\s*x{2}\s*-?\s*(?=\(?[1-9]\d)")
"""`(0xx11) 94000-0585`: Brazil writes so that the caller chooses a carrier."""
_WORDS_BEHIND = re.compile(r"(.*\d)\D*[^\W\d_]\D*", re.DOTALL)  # 090-1234-5678 (mobile)
_IN_BRACKETS_BEHIND = re.compile(r"(.*\d)\s*\(\s*\d{1,6}\s*\)")
_FEWEST_DIGITS: Final = 7
"""In a number, as ITU-T E.164 has them in use."""
_POWER_OF_TEN = re.compile(r"(\d)(?:\.(\d+))?e\+?(\d{1,2})")
_RENUMBERED: Final = tuple(
    (re.compile(pattern), today)
    for pattern, today in (
        (r"\+55([1-9]\d)([6-9]\d{7})", r"+55\g<1>9\2"),
        (r"\+52(?:1|01|044|045)([1-9]\d{9})", r"+52\1"),
        (r"\+560([2-9]\d{8})", r"+56\1"),
        (r"\+229([4-9]\d{7})", r"+22901\1"),
        (r"\+8416([2-9]\d{7})", r"+843\1"),
        (r"\+84120(\d{7})", r"+8470\1"),
        (r"\+84121(\d{7})", r"+8479\1"),
        (r"\+84122(\d{7})", r"+8477\1"),
        (r"\+84126(\d{7})", r"+8476\1"),
        (r"\+84128(\d{7})", r"+8478\1"),
        (r"\+8412([345])(\d{7})", r"+848\1\2"),
        (r"\+84127(\d{7})", r"+8481\1"),
        (r"\+84129(\d{7})", r"+8482\1"),
        (r"\+8418([68]\d{7})", r"+845\1"),
        (r"\+84199(\d{7})", r"+8459\1"),
    )
)
"""Numbers of an older form: of mobiles in Brazil until 2016 (Anatel, resolution 553 of 2010), in Mexico until
2019 (a 1 behind +52; 044, 045 or 01 before a domestic number), in Chile until 2016 (a 0), in Vietnam until
2018 and in Benin until 2024; each by the plans that their regulators published."""


def phone_form(text: str, country: str | None) -> str:
    """Return a telephone number in international form (E.164), as it is dialled today.

    country: two letters, of a number without its country code.

    Raises InputError for what is no number, or of which a part is hidden.

    >>> phone_form("(11) 8765-4321", "BR"), phone_form("0 601 234 567", "PL")
    ('+5511987654321', '+48601234567')
    """
    given = _without_power(INVISIBLE.sub("", text).strip().casefold().removeprefix("tel:"))
    if (before := _IN_BRACKETS_BEHIND.fullmatch(given)) and _is_whole(before[1], country):
        given = before[1]  # 090-1234-5678 (5) is dialled without what the exchange of a house is told
    given = _LONG_VOWEL.sub("-", given)
    if country == "BR":
        given = _CARRIER_TO_CHOOSE.sub("(" if given.startswith("(") else "", given)
    has_words = any(map(str.isalpha, given))
    if _HIDDEN.search(given):
        given = ""
    if (told := _WORDS_BEHIND.fullmatch(given)) and sum(map(str.isdigit, told[1])) >= _FEWEST_DIGITS:
        given = told[1]
    if whole := _WHOLE_AS_REAL.fullmatch(given):
        given = whole[1] or whole[2]
    digits = _PHONE_PUNCTUATION.sub("", _TRUNK.sub("", given))
    if digits.startswith("00"):
        digits = _abroad(digits, country)
    if country is not None or digits.startswith("+"):
        digits = _international(digits, country)
    if has_words and _parsed(digits, None, valid=True) is None:
        digits = ""  # what stands beside a number that is none may be a part of it
    digits = _renumbered(digits)
    if not _PHONE.fullmatch(digits):
        remedy = "give it with its country code, +81..."
        raise InputError(explained("the value is not an international phone number", remedy=remedy))
    return digits


def _is_whole(text: str, country: str | None) -> bool:
    """Say whether a text is a number of somebody without anything behind it."""
    try:
        return is_assigned(phone_form(text, country))
    except InputError:
        return False


def _abroad(digits: str, country: str | None) -> str:
    """Return a number that begins with 00 behind a +.

    Some countries dial abroad by more than 00, such as 002 in Taiwan, 000 in Kenya and 001 in Indonesia.
    """
    plain, longer = f"+{digits[2:]}", f"+{digits[3:]}"
    if country is None or _parsed(plain, None, valid=True) is not None:
        return plain
    number = _parsed(digits, country, valid=True) or _parsed(longer, None, valid=True)
    return plain if number is None else _e164(number)


def _without_power(text: str) -> str:
    """Return a number such as `9.012341001e9` with its digits alone, nothing where some of them are gone."""
    match = _POWER_OF_TEN.fullmatch(text)
    if match is None:
        return text
    digits = match[1] + (match[2] or "")
    return digits if len(digits) == int(match[3]) + 1 else ""


def _international(digits: str, country: str | None) -> str:
    """Return a number in international form, without a trunk 0 behind its country code; else as it is.

    country: of a domestic number. One that begins with the code of its country, where domestic numbers begin
    with 0, is an international one whose + was lost, if there is such a number.
    """
    import phonenumbers  # here: a backend reads no numbers

    code = 0 if country is None else phonenumbers.country_code_for_region(country)
    has_trunk = phonenumbers.ndd_prefix_for_region(country or "", strip_non_digits=True) == "0"
    if code and has_trunk and digits.startswith(str(code)) and _parsed(f"+{digits}", None, valid=True):
        digits = f"+{digits}"
    may_be_local = has_trunk and not digits.startswith(("+", "0"))  # without its area code it is nobody's
    number = _parsed(digits, country, valid=may_be_local)
    known = digits if number is None else _e164(number)
    dialled = known if known.startswith("+") else f"+{code}{digits}"
    whole = f"+{digits.lstrip('0')}" if code and digits.lstrip("0").startswith(str(code)) else dialled
    readings = (known, _renumbered(dialled), _without_zero(dialled), whole)  # 0 90 532...: of +90
    found = (_parsed(one, None, valid=True) for one in readings)
    return next((_e164(one) for one in found if one is not None), known)


def _without_zero(number: str) -> str:
    """Return an international number without a 0 behind its country's code, where none is dialled."""
    import phonenumbers

    try:
        parts = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return number
    return f"+{parts.country_code}{parts.national_number}"


def _renumbered(number: str) -> str:
    """Return a number as it is dialled since its country gave numbers another form."""
    for pattern, today in _RENUMBERED:
        if pattern.fullmatch(number):
            return pattern.sub(today, number)
    return number


def is_assigned(number: str) -> bool:
    """Say whether a number in international form is of a range that its country gives to subscribers.

    >>> is_assigned("+819011111111"), is_assigned("+819000000000")
    (True, False)
    """
    return _parsed(number, None, valid=True) is not None


def _e164(number: Any) -> str:
    import phonenumbers

    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _parsed(digits: str, country: str | None, *, valid: bool = False) -> Any:
    """Return the number that digits are, None where they are none."""
    import phonenumbers

    try:
        number = phonenumbers.parse(digits, country)
    except phonenumbers.NumberParseException:
        return None
    possible = phonenumbers.is_possible_number_with_reason(number)
    is_whole = possible == phonenumbers.ValidationResult.IS_POSSIBLE  # and not of a town alone
    return number if (phonenumbers.is_valid_number(number) if valid else is_whole) else None
