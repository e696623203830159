"""A service's own table of places: a CSV file of names or postal codes with degrees."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from recsys.catalogue.text_folding import plain
from recsys.data.no_answer_codes import is_unknown
from recsys.errors import SourceError, did_you_mean, explained
from recsys.mapping.csv_reader import TableOptions, read_csv
from recsys.mapping.places import Place, country_code, place_key, zone_of
from recsys.mapping.regions import region_code
from recsys.redaction import column_labels

PLACE_COLUMNS: Final = ("country", "region", "place", "postal_code", "latitude", "longitude", "zone")
_NAMES: Final = ("place", "postal_code")
_MANY_COUNTRIES: Final = ""


@dataclass(frozen=True, eq=False)
class PlaceTable:
    """Places by country and name; a row without a country is found from any.

    >>> rows = [{"postal_code": "530-0001", "latitude": "34.70", "longitude": "135.49"}]
    >>> table = PlaceTable.of(rows, country="JP", where="places.csv")
    >>> table.find("JP", None, "〒５３０ー０００１").zone, table.find("JP", None, "5300001").latitude
    ('Asia/Tokyo', 34.7)
    """

    places: Mapping[tuple[str, str], tuple[Place, ...]]

    @classmethod
    def read(cls, file: Path, *, country: str | None = None, encoding: str | None = None) -> "PlaceTable":
        """Read a CSV file with columns of `PLACE_COLUMNS`: a name or a code, degrees, any of the rest.

        country: of rows without one.

        Raises SourceError for a file, a column or a row that is none.
        """
        if not file.is_file():
            remedy = "name a CSV file in the folder of the mapping"
            raise SourceError(explained("no table of places is there", where=str(file), remedy=remedy))
        table = read_csv(file, encoding=encoding, options=TableOptions())
        return cls.of(table.to_pylist(), country=country, where=file.name)

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]], *, country: str | None, where: str) -> "PlaceTable":
        """Return the table of rows; see `read`."""
        found: dict[tuple[str, str], list[Place]] = {}
        for number, row in enumerate(rows, start=2):
            place = _place(row, country, f"{where} row {number}")
            for name in (row.get(one) for one in _NAMES):
                if not is_unknown(name):
                    found.setdefault((place.country, place_key(name)), []).append(place)
        return cls({key: tuple(places) for key, places in found.items()})

    def find(self, country: str | None, region: str | None, name: str | None) -> Place | None:
        """Return the place of a name or code; None for none, and for one whose rows are of other regions.

        A row without a region is of any; of several without one the first counts.
        """
        if is_unknown(name):
            return None
        code = country_code(country) or _MANY_COUNTRIES
        for key in ((code, place_key(name)), (_MANY_COUNTRIES, place_key(name))):
            places = self.places.get(key, ())
            if is_unknown(region) and places:
                return places[0]
            known = next((p for p in places if p.region and _is_region(code, p.region, region)), None)
            if found := known or next((p for p in places if not p.region), None):
                return found
        return None


def _is_region(country: str, own: str, given: object) -> bool:
    """Say whether two codes or names are those of one region, as the service or as everybody writes it."""
    if place_key(own) == place_key(given):
        return True
    codes = (region_code(country, own), region_code(country, given))
    return codes[0] is not None and codes[0] == codes[1]


def _place(row: Mapping[str, Any], country: str | None, where: str) -> Place:
    for column in row:
        if column not in PLACE_COLUMNS:
            label = column_labels(row, known=PLACE_COLUMNS, has_no_others=True)[list(row).index(column)]
            remedy = did_you_mean(column, PLACE_COLUMNS)
            raise SourceError(
                explained("unknown column of a table of places", where=where, got=label, remedy=remedy)
            )
    if all(is_unknown(row.get(one)) for one in _NAMES):
        raise SourceError(explained("a place without a name or a code", where=where, remedy="write one"))
    try:
        latitude, longitude = (float(plain(row.get(one))) for one in ("latitude", "longitude"))
    except (TypeError, ValueError):
        remedy = "write latitude and longitude in degrees, such as 34.70 and 135.49"
        raise SourceError(explained("a place without degrees", where=where, remedy=remedy)) from None
    zone, reason = (
        (plain(row["zone"]), None) if not is_unknown(row.get("zone")) else zone_of(latitude, longitude)
    )
    if zone is None:
        raise SourceError(
            explained("a place without a time zone", where=where, got=reason, remedy="write its zone")
        )
    given = row.get("country")
    code = country_code(country if is_unknown(given) else given) or _MANY_COUNTRIES
    region = "" if is_unknown(row.get("region")) else plain(row.get("region"))
    return Place(plain(row.get("place") or ""), code, region, latitude, longitude, 0, zone)
