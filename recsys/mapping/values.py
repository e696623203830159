"""Single values as services write them: numbers on a scale, ages, ids, words.

Every function returns the value and None, or None and the reason why it could not be read. Reasons never
repeat the value: it may be a place or an address.
"""

import re
from collections.abc import Sequence
from typing import Final

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.text_folding import plain, unaccented
from recsys.catalogue.vocabulary import ADULT, ENUMERATIONS, OLDEST, years_of_band
from recsys.data.ids import canonical_spelling
from recsys.data.no_answer_codes import is_unknown

Reading = tuple[object, str | None]

BANDS: Final = ENUMERATIONS[C.AGE_BAND].words

_AGE = re.compile(r"(\d{1,3})(?:[.,]0+)?\s*(?:\+|歳|세|岁)?")
_IN_BRACKETS = re.compile(r"\(([+-]?\d+)\)\s*$")
_WHOLE_AS_REAL = re.compile(r"(\d+)\.0+")


def band_of_age(age: int, bands: Sequence[str] = BANDS) -> tuple[str | None, str | None]:
    """Return the age band of an age in full years, of bands from the youngest on.

    >>> band_of_age(34), band_of_age(17)
    (('25-34', None), (None, 'under 18'))
    """
    if age < 0:
        buddhist = "; is the year Buddhist? Say `country: TH`" if age < -300 else ""
        return None, f"born in the future{buddhist}"
    if age < ADULT:
        return None, "under 18"
    if age > OLDEST:
        return None, "older than 120"
    if age < years_of_band(bands[0])[0]:
        return None, "younger than the age bands"
    return next(band for band in reversed(bands) if age >= years_of_band(band)[0]), None


def bands_between(low: int | None, high: int | None, bands: Sequence[str] = BANDS) -> list[str]:
    """Return the age bands that hold an age from `low` to `high`, open where None.

    >>> bands_between(30, 44)
    ['25-34', '35-44']
    """
    found = []
    for band in bands:
        first, last = years_of_band(band)
        if (low is None or last >= low) and (high is None or first <= high):
            found.append(band)
    return found


def read_age(value: object) -> tuple[int | None, str | None]:
    """Return an age in full years as services write it.

    >>> read_age("34"), read_age("３４歳"), read_age("over thirty")
    ((34, None), (34, None), (None, 'not an age'))
    """
    if is_unknown(value):
        return None, "unknown"
    match = _AGE.fullmatch(plain(value))
    return (None, "not an age") if match is None else (int(match.group(1)), None)


def read_likert(value: object, points: int) -> tuple[int | None, str | None]:
    """Return a whole number from 1 to `points`, also where it stands in brackets behind a label.

    >>> read_likert("Often (4)", 5), read_likert("-99", 7), read_likert("７", 7)
    ((4, None), (None, 'outside the scale'), (7, None))
    """
    if is_unknown(value):
        return None, "unknown"
    text = plain(value)
    match = _IN_BRACKETS.search(text)
    number = match.group(1) if match else text
    if whole := _WHOLE_AS_REAL.fullmatch(number):
        number = whole.group(1)
    try:
        found = int(number)
    except ValueError:
        return None, "not a whole number"
    return (found, None) if 1 <= found <= points else (None, "outside the scale")


def canonical_id(value: object) -> tuple[str | None, str | None]:
    """Return the one spelling of an id: compatibility form, no blanks around it, UUIDs in lower case.

    A whole number that became a fraction, as an empty field beside it makes tools do, is whole again.

    >>> canonical_id(" ０００１７ "), canonical_id(12.0), canonical_id("12.0")
    (('00017', None), ('12', None), ('12', None))
    """
    if value is None:
        return None, "no id"
    text = canonical_spelling(str(value))
    if whole := _WHOLE_AS_REAL.fullmatch(text):
        text = whole.group(1)
    if not text or text.casefold() in {"null", "nan", "none"} or not text.isprintable():
        return None, "no id"
    return text, None


def split_words(text: object, separators: str) -> list[str]:
    """Return the words of a text, in order, each once, empty ones left out.

    >>> split_words("tea, chess ;tea", ",;")
    ['tea', 'chess']
    """
    if text is None:
        return []
    words = re.split(f"[{re.escape(separators)}]", str(text))
    return list(dict.fromkeys(word for one in words if (word := one.strip())))


def known_labels(text: object, labels: list[str]) -> tuple[list[str], str | None]:
    """Return which of the known labels a text joins, longest first, also where labels hold the separator.

    Capitals and accents do not count. What the text holds beside them is a reason, beside the labels found.

    >>> known_labels("A hobby, shared in person,Support", ["Support", "A hobby, shared in person"])
    (['Support', 'A hobby, shared in person'], None)
    >>> known_labels("BAHÇE, Other: I sing", ["Bahçe"])
    (['Bahçe'], 'a label that is not known')
    """
    if text is None:
        return [], None
    left, found = unaccented(plain(text)), set()
    for label in sorted(labels, key=len, reverse=True):
        if (folded := unaccented(plain(label))) and folded in left:
            found.add(label)
            left = left.replace(folded, "\0")
    rest = any(map(str.isalnum, left))
    return [label for label in labels if label in found], "a label that is not known" if rest else None


PERSONAL: Final = {
    "a mail address": re.compile(r"[^\s@]{1,64}@[^\s@]{1,190}\.[^\s@.]{2,}"),
    "a phone number": re.compile(r"(?<!\w)(?:\+|00|0)\d(?:[\s().-]?\d){7,13}(?!\w)"),
    "a date of birth": re.compile(
        r"(?<!\d)(?:19[2-9]\d|200\d|201[0-2])[-/.年](?:0?[1-9]|1[0-2])[-/.月](?:0?[1-9]|[12]\d|3[01])(?!\d)"
    ),
    "coordinates": re.compile(r"(?<![\d.,])-?\d{1,3}[.,]\d{4,}(?![\d.,])"),
}
"""By what they are called in a message, the look of values that may not leave a query as text."""

SENTENCE: Final = re.compile(r"(?:\S+\s+){6}\S|[.!?;]\s+\S+\s+\S|[。！？]|^.{60}", re.DOTALL)
"""The look of a text that somebody wrote, where an interest is named: seven words, two clauses, or long."""

_PERSONAL_NAME = re.compile(
    r"birth|dob\b|born|phone|mobile|mail|address|message|生年|電話|住所|メール"
    r"|nacimiento|nascimento|naissance|geburt|nascita|geboorte|correo|tel[eé]fono|telefon|courriel|direcci[oó]n"
    r"|adresse|indirizzo|endere[cç]o|mensaje|mensagem|nachricht|생년월일|이메일|휴대폰|전화|주소"
    r"|urodzen|narozen|f[oøö]d(?:else|sels)|do[gğ]um|рожд|народж|ng[aà]y_?sinh|lahir|जन्म|วันเกิด|ميلاد|syntym"
    r"|wiadomo|zpr[aá]v|meddel|mesaj|сообщ|повідом|tin_?nh[aắ]n|pesan|संदेश|ข้อความ|رسال"
    r"|почт|телефон|[đd]i[eệ]n_?tho[aạ]i|ponsel|फ़?ोन|โทรศัพท์|อีเมล|هاتف|جوال|بريد|puhelin|s[aä]hk[oö]posti"
    r"|адрес|đ[iị]a_?ch[iỉ]|alamat|पता|ที่อยู่|عنوان|osoite"
)


def names_a_person(column: str) -> bool:
    """Say whether a column is called like something personal.

    >>> names_a_person("E-Mail"), names_a_person("gender")
    (True, False)
    """
    return _PERSONAL_NAME.search(column.casefold()) is not None


def looks_personal(text: str) -> bool:
    """Say whether a text holds something personal.

    >>> looks_personal("call +81 90 1234 5678"), looks_personal("tea")
    (True, False)
    """
    return any(pattern.search(text) for pattern in PERSONAL.values())
