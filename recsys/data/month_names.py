"""Names of months in dates that are written out: `5 mars 1982`, `March 5, 1982`, `5 de março de 1982`."""

import re
from functools import lru_cache
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
_DAY_FIRST: Final = re.compile(
    r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|\.|º|ª)?[\s-]*(?:(?:de|of|of the|di|del|dne)\s+)?"
    r"(?P<month>[^\W\d_]{3,12})\.?[\s,-]*(?:de|del|of)?\s*(?P<year>\d{4})"
)
_MONTH_FIRST: Final = re.compile(
    r"(?P<month>[^\W\d_]{3,12})\.?\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?\s*,?\s+(?P<year>\d{4})"
)


@lru_cache(maxsize=1)
def _months() -> dict[str, int]:
    return {unaccented(name): month for month, names in enumerate(_NAMES, start=1) for name in names.split()}


def with_numbers(text: str) -> str | None:
    """Return a text that begins with a date whose month is named, with numbers for it; None for any other.

    >>> with_numbers("5 mars 1982"), with_numbers("March 5th, 1982 10:00"), with_numbers("5 mai")
    ('1982-03-05', '1982-03-05 10:00', None)
    """
    for pattern in (_DAY_FIRST, _MONTH_FIRST):
        match = pattern.match(text)
        month = _months().get(unaccented(match["month"])) if match else None
        if match and month:
            return f"{match['year']}-{month:02}-{int(match['day']):02}{text[match.end() :]}"
    return None
