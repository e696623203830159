"""Regions of countries, their first divisions: by a code, or by a name in any of their languages.

Sources: codes and names of ISO 3166-2, names of GeoNames (CC BY 4.0); `regions.tsv` holds a row a region.
A name of a part of a region, such as a county, means the region.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Final

from recsys.catalogue.text_folding import plain, unaccented
from recsys.data.no_answer_codes import is_unknown

JAPAN: Final = "JP"
_MARKS: Final = re.compile(r"[\s.,'’`\-_/()]+")
_BEFORE: Final = (
    r"(?:state|province|region|county|governorate|republic|district|commonwealth) of(?: the)?"
    r"|estado|provincia|provincie|provincia autonoma|departamento|comunidad(?: autonoma)?|region|regione"
    r"|region metropolitana|canton|kanton|land|distrito|concelho|intendencia|jud|judetul|zupanija|wojewodztwo"
    r"|woj|kraj|prov|provinsi|propinsi|tinh|thanh pho|tp|negeri|wilayah|respublika|republika|oblast"
    r"|обл|область|республика|респ|край|г|город|محافظة|ولاية|منطقة|امارة|استان|מחוז|περιφερεια|νομος"
)
_BEHIND: Final = (
    r"state|province|region|county|governorate|prefecture|district|voivodeship|oblast|krai|area|republic"
    r"|division|department|canton|territory|область|обл|край|республика|респ|облысы|oblasti|viloyati|megye"
    r"|maakunta|lan|fylke|maakond|ili|iline|vilayeti|zupanija|kraj|apskritis|rayonu"
)
_KINDS: Final = re.compile(
    rf"^(?:{_BEFORE})(?: (?:de la|de los|de las|do|da|dos|das|de|del|di|du|des|d))? (?=\S)"
    rf"|(?<=\S) (?:{_BEHIND})$|^(?:จังหวัด|จ (?=\S\S))\s*(?=\S\S)"
    r"|(?<=\S\S)(?:省|市|自治区|壮族自治区|回族自治区|维吾尔自治区|特别行政区|特別行政區|縣|特别市"
    r"|특별자치도|특별자치시|광역시|특별시|시|도)$"
)
"""Words that say what kind of region a name is one of."""


def region_key(text: object) -> str:
    """Return the form in which names and codes of regions are compared.

    >>> region_key("Estado de São Paulo"), region_key("São-Paulo"), region_key("Московская обл.")
    ('saopaulo', 'saopaulo', 'московская')
    >>> region_key("07"), region_key("จ.เชียงใหม่") == region_key("เชียงใหม่")
    ('7', True)
    """
    found = _MARKS.sub(" ", unaccented(plain(text))).strip()
    while (shorter := _KINDS.sub("", found).strip()) not in {found, ""}:
        found = shorter
    return found.replace(" ", "").lstrip("0")


def region_code(country: str, region: object) -> str | None:
    """Return the code of a region as places have it, from a code or a name; None for one that is not known.

    country: two letters.

    >>> region_code("BR", "DF") == region_code("BR", "Distrito Federal") == region_code("BR", "br-df") == "7"
    True
    >>> region_code("JP", "広島県") == region_code("JP", "34") == region_code("JP", "Hiroshima") == "11"
    True
    >>> region_code("US", "Maine"), region_code("BR", "XX")
    ('me', None)
    """
    codes = region_codes(country)
    if (found := codes.get(region_key(region))) is not None:
        return found
    return codes.get(region_key(re.sub(rf"^{country}[\W_]*", "", plain(region), flags=re.IGNORECASE)))


_TERRITORIES: Final[Mapping[str, Mapping[str, str]]] = {
    "FR": {
        **{"RE": "974|reunion|la reunion", "GP": "971", "MQ": "972", "GF": "973|guyane", "YT": "976"},
        **{
            "PM": "975|saint pierre et miquelon",
            "NC": "988|nouvelle caledonie",
            "WF": "986|wallis et futuna",
        },
        **{"PF": "987|polynesie francaise", "BL": "977|saint barthelemy", "MF": "978|saint martin"},
    },
    "US": {"PR": "puerto rico", "GU": "guam", "VI": "virgin islands", "AS": "american samoa", "MP": ""},
    "NL": {"AW": "aruba", "CW": "curacao", "SX": "sint maarten", "BQ": "bonaire|bq1|bq2|bq3"},
    "GB": {"JE": "jersey", "GG": "guernsey", "IM": "isle of man", "GI": "gibraltar"},
    "DK": {"FO": "faroe islands|faroerne|foroyar", "GL": "greenland|gronland|kalaallit nunaat"},
    "FI": {"AX": "aland|ahvenanmaa"},
    "NO": {"SJ": "svalbard|21"},
    "CN": {"HK": "hong kong|香港|91", "MO": "macao|macau|澳门|澳門|92", "TW": "taiwan|台湾|台灣|71"},
}
"""Parts of a country that are countries of their own in the table of places, with other names of them."""


def territory(country: str, region: object) -> str | None:
    """Return the two letters of a part of a country that the table of places has as a country of its own.

    >>> territory("FR", "974"), territory("US", "US-PR"), territory("US", "TX"), territory("US", None)
    ('RE', 'PR', None, None)
    """
    if is_unknown(region):
        return None
    text = re.sub(rf"^{country}[\W_]+", "", plain(region), flags=re.IGNORECASE)
    keys = {code: {region_key(one) for one in (code, *names.split("|"))}
            for code, names in _TERRITORIES.get(country, {}).items()}  # fmt: skip
    return next((code for code, names in keys.items() if region_key(text) in names - {""}), None)


@lru_cache(maxsize=64)
def region_codes(country: str) -> Mapping[str, str]:
    """Return the code of each region by its folded codes and names.

    Where a code or a name is that of two, codes of ISO 3166-2 come first, then codes of places, names of
    regions, and names of their parts; what is still that of two is left out. Numbers are those of ISO alone
    where it numbers regions of the country.
    """
    rows = _rows().get(country, ())
    numbered = any(code[:1].isdecimal() for _, codes, _ in rows for code in codes)
    ranked = (
        ((region_key(code), region) for region, codes, _ in rows for code in codes),
        ((region_key(region), region) for region, _, _ in rows if not numbered or not region.isdecimal()),
        ((region_key(name), region) for region, _, names in rows for name in names[:1]),
        ((region_key(name), region) for region, _, names in rows for name in names[1:]),
    )
    codes: dict[str, str] = {}
    for pairs in ranked:
        several: dict[str, set[str]] = defaultdict(set)
        for key, region in pairs:
            several[key].add(region_key(region))
        codes |= {
            key: next(iter(regions))
            for key, regions in several.items()
            if key and key not in codes and len(regions) == 1
        }
    return codes


def countries_with_regions() -> tuple[str, ...]:
    """Return the countries whose regions are known, two letters each.

    >>> {"BR", "JP"} <= set(countries_with_regions())
    True
    """
    return tuple(_rows())


def names_of_regions(country: str) -> list[tuple[str, list[str]]]:
    """Return code and names of each region of a country that has no parts among its names."""
    return [
        (region_key(region), names) for region, codes, names in _rows().get(country, ()) if len(codes) == 1
    ]


@lru_cache(maxsize=1)
def _rows() -> Mapping[str, tuple[tuple[str, list[str], list[str]], ...]]:
    """Return the regions of each country: code of places, codes of ISO 3166-2, and names."""
    text = (files("recsys.mapping") / "regions.tsv").read_text(encoding="utf-8")
    found: dict[str, list[tuple[str, list[str], list[str]]]] = defaultdict(list)
    for line in text.splitlines():
        if not line.startswith("#"):
            country, region, codes, names = line.split("\t")
            found[country].append((region, codes.split("|"), names.split("|")))
    return {country: tuple(rows) for country, rows in found.items()}
