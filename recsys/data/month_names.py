"""Names of months in dates that are written out: `5 mars 1982`, `March 5, 1982`, `5 de março de 1982`."""

import re
from functools import lru_cache
from importlib.resources import files
from typing import Final

from recsys.catalogue.text_folding import unaccented

_NAMES: Final = (
    "january jan janvier janv januar jänner januari enero janeiro gennaio styczeń stycznia leden "
    "ledna ocak январь января січень січня januar tammikuu ianuarie januari",
    "february feb février févr februar februari febrero fevereiro febbraio luty lutego únor února "
    "şubat февраль февраля лютий лютого helmikuu februarie",
    "march mar mars märz maart marzo março marzec marca březen března mart maret март марта березень "
    "березня marts maaliskuu martie machi",
    "april apr avril avr april abril aprile kwiecień kwietnia duben dubna nisan апрель апреля квітень "
    "квітня huhtikuu aprilie aprili",
    "may mai mei mayo maio maggio maj maja květen května mayıs май мая травень травня toukokuu",
    "june jun juin juni junio junho giugno czerwiec czerwca červen června haziran июнь июня червень "
    "червня kesäkuu iunie",
    "july jul juillet juil juli julio julho luglio lipiec lipca červenec července temmuz июль июля "
    "липень липня heinäkuu iulie julai",
    "august aug août agosto augustus sierpień sierpnia srpen srpna ağustos август августа серпень "
    "серпня augusti agustus elokuu",
    "september sep sept septembre septiembre setembro settembre wrzesień września září eylül сентябрь "
    "сентября вересень вересня syyskuu septemba septembrie",
    "october oct octobre oktober okt octubre outubro ottobre październik października říjen října "
    "ekim октябрь октября жовтень жовтня lokakuu oktoba octombrie",
    "november nov novembre noviembre novembro listopad listopada listopadu kasım ноябрь ноября "
    "листопада marraskuu novemba noiembrie",
    "december dec décembre déc dezember dez diciembre dezembro dicembre grudzień grudnia prosinec "
    "prosince aralık декабрь декабря грудень грудня desember joulukuu desemba decembrie",
)
_FURTHER: Final = (  # what CLDR has not, in the order of months; `/` parts the forms of one
    "जन/जानेवारी फर/फेब्रुअरी मार्च एप्रिल/अप्रिल मे जुन जुल/जुलै अग/ऑगस्ट/अगस्ट सित/सेप्टेम्बर/सितम्बर अक्तू/अक्टू/अक्टोबर/अक्तूबर"
    " नव/नोभेम्बर/नवम्बर दिस/डिसेम्बर/दिसम्बर",
    "كانونالثاني/جانفي شباط/فيفري اذار نيسان/افريل ايار/ماي حزيران/جوان تموز/جويلية اب/اوت/غشت ايلول/شتنبر"
    " تشرينالاول تشرينالثاني/نونبر كانونالاول/دجنبر",
    "_ peb/pebruari _ _ _ _ _ agt/ags/agst _ _ nop/nopember _",
    "янв фев мар апр мая июн июл авг сен окт ноя дек",
    "_ _ mrt _ _ _ _ _ _ _ _ _",
)
_JOINING: Final = frozenset(
    (
        *("de", "of", "the", "di", "del", "dne", "st", "nd", "rd", "th", "er", "ste", "e", "gada", "m", "d"),
        *("do", "เดือน", "ж", "թ", "ko", "г"),
    )
)
_ALEF: Final = str.maketrans({**dict.fromkeys("أإآٱ", "ا"), "ى": "ي", "\u093c": None})
_NAME: Final = r"(?P<month>[^\d:;/()]{2,40}?)"
_DAY_FIRST: Final = re.compile(rf"(?:วันที่\s*)?(?P<day>\d{{1,2}}){_NAME}(?P<year>\d{{4}})(?!\d)")
_MONTH_FIRST: Final = re.compile(rf"{_NAME}(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s*,?\s+(?P<year>\d{{4}})(?!\d)")
_YEAR_BEFORE: Final = re.compile(rf"(?P<year>\d{{4}}){_NAME}(?P<day>\d{{1,2}})(?!\d)(?:\s*d\.|\.)?")
_DAY_BEFORE_MONTH: Final = re.compile(
    r"(?P<year>\d{4})\.?\s*(?:gada|ж|թ)?\.?\s+(?P<day>\d{1,2})\.?\s+(?P<month>[^\d:;/()]{2,40})$"
)
_PARTS: Final = re.compile(r"[\s.,،'’׳ºª॰\-]+")


@lru_cache(maxsize=1)
def _months() -> dict[str, int]:
    found = {_folded(name): month for month, names in enumerate(_NAMES, start=1) for name in names.split()}
    for language in _FURTHER:
        for month, forms in enumerate(language.split(), start=1):
            found |= {_folded(form): month for form in forms.split("/") if form != "_"}
    of_all: dict[str, set[int]] = {}
    for line in (files("recsys.data") / "month_names.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        for month, forms in enumerate(line.split("\t")[1:], start=1):
            for form in forms.split("|"):
                of_all.setdefault(_folded(form), set()).add(month)
    return {form: min(months) for form, months in of_all.items() if len(months) == 1} | found


def _folded(name: str) -> str:
    """Return a name without accents, and without the marks and joining words between its parts."""
    words = _PARTS.split(unaccented(name.translate(_ALEF)).translate(_ALEF))
    return "".join(one for one in words if one not in _JOINING) or "".join(words)


def _month(text: str) -> int | None:
    """Return the month that a text between a day and a year names, None where it is anything else."""
    name = _folded(text)
    return _months().get(name) or _months().get(name.removeprefix("ב"))  # Hebrew writes `in` before it


def with_numbers(text: str) -> str | None:
    """Return a text that begins with a date whose month is named, with numbers for it; None for any other.

    >>> with_numbers("5 mars 1982"), with_numbers("March 5th, 1982 10:00"), with_numbers("5 mai")
    ('1982-03-05', '1982-03-05 10:00', None)
    >>> with_numbers("12 มี.ค. 1987"), with_numbers("1987. március 12."), with_numbers("12 تشرين الأول 1987")
    ('1987-03-12', '1987-03-12', '1987-10-12')
    """
    for pattern in (_DAY_FIRST, _MONTH_FIRST, _YEAR_BEFORE, _DAY_BEFORE_MONTH):
        match = pattern.match(text)
        month = _month(match["month"]) if match else None
        if match and month:
            return f"{match['year']}-{month:02}-{int(match['day']):02}{text[match.end() :]}"
    return None
