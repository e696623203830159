"""Coordinates as services write them: decimal degrees, minutes and seconds, halves in words and letters."""

import math
import re
import struct
from contextlib import suppress
from typing import Final

from recsys.catalogue.text_folding import plain
from recsys.data.no_answer_codes import is_unknown
from recsys.mapping.places import country_code, km_to_city

_O_IS_WEST: Final = {"FR", "ES", "PT", "BR", "IT", "MX", "AR", "CL", "CO", "PE", "UY", "VE", "EC", "BO", "PY"}
_O_IS_EAST: Final = {"DE", "AT", "LI", "NL"}
_ELSEWHERE_KM: Final = 500.0
_IN_A_TOWN_KM: Final = 150.0
_NORTH_OR_SOUTH: Final = frozenset("NS")
_EAST_OR_WEST: Final = frozenset("EWO")
_FAR: Final = "a point far from every city of its country"
_SWAPPED: Final = "latitude and longitude are swapped"
_DEGREES = re.compile(
    r"([NSEWO])?\s*([+-]?\d{1,3}(?:[.,]\d*)?(?:e-?\d+)?)\s*[°度도]?\s*"
    r"(?:(\d{1,2}(?:[.,]\d*)?)\s*['′’分분]\s*(?:(\d{1,2}(?:[.,]\d*)?)\s*(?:\"|″|”|''|′′|秒|초)\s*)?)?([NSEWO])?",
    re.IGNORECASE,
)
_NUMBER: Final = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?"
_POINT: Final = re.compile(
    rf"(?:SRID=\d+;\s*)?POINT\s*(?:ZM?|M)?\s*\(\s*({_NUMBER})[\s,]+({_NUMBER})(?:[\s,]+{_NUMBER}){{0,2}}\s*\)",
    re.IGNORECASE,
)
_HEX_SIGN: Final = re.compile(r"^(?:0x|\\x|x')", re.IGNORECASE)
_ESCAPED_BYTE: Final = re.compile(r"\\x([0-9A-Fa-f]{2})")
_BYTES_OF_SYSTEM: Final = 4
_HAS_SYSTEM: Final = 0x20000000
_HAS_MORE: Final = 0xC0000000
_POINTS: Final = {1: 2, 1001: 3, 2001: 3, 3001: 4}
"""How many numbers a point of WKB has by its kind: also a height, a measure, or both."""
_PROPERTIES_AT: Final = 5
_ONE_POINT: Final = 0x08
_HEIGHT_OR_MEASURE: Final = 0x03
"""Where SQL Server says what a geometry is, and the bits of it."""
_HALVES: Final = {
    **dict.fromkeys(("北緯", "北纬", "북위"), "N"),
    **dict.fromkeys(("南緯", "南纬", "남위"), "S"),
    **dict.fromkeys(("東経", "东经", "동경"), "E"),
    **dict.fromkeys(("西経", "西经", "서경"), "W"),
}


def read_point(
    latitude: object, longitude: object, country: object = None
) -> tuple[tuple[float, float] | None, str | None]:
    """Return a point in degrees and None, or None and why it cannot be read.

    country: where the person, or most people of the source, live. A point far from every city of it (of
    the world where None) that lies near one the other way round has its degrees swapped, and is not read;
    one that is far from it either way is told of, as the reason beside the point.

    >>> read_point("52,52", "13,40", "DE"), read_point("13,40", "52,52", "DE")
    (((52.52, 13.4), None), (None, 'latitude and longitude are swapped'))
    >>> read_point("13°24'O", "52°31'N", "DE"), read_point("126.98", "37.57")
    ((None, 'latitude and longitude are swapped'), (None, 'latitude and longitude are swapped'))
    """
    code = country_code(country)
    o_is = "E" if code in _O_IS_EAST else "W" if code in _O_IS_WEST else ""
    (north, reason), (east, other) = (read_degrees(text, o_is=o_is) for text in (latitude, longitude))
    if north is None or east is None:
        return None, reason or other
    halves = (_half(latitude) in _EAST_OR_WEST, _half(longitude) in _NORTH_OR_SOUTH)
    if all(halves) or (abs(north) > 90.0 >= abs(east)) or _looks_swapped(north, east, code):
        return None, _SWAPPED
    if any(halves):
        return None, "not degrees"
    return (north, east), _FAR if code and _is_elsewhere(north, east, code) else None


def point_of_geometry(text: str) -> tuple[float, float] | None:
    r"""Return x and y of a point, which are longitude and latitude; None for what is no point.

    Hexadecimal WKB or EWKB, also behind the number of a reference system as MySQL keeps it; SQL Server's own
    form of a point; bytes as DuckDB writes them; `POINT(x y)`, also with `SRID=4326;` in front.

    >>> point_of_geometry("0x00000000010100000000000000000035400000000000004A40")
    (21.0, 52.0)
    >>> point_of_geometry("0xE6100000010C0000000000004A400000000000003540")
    (21.0, 52.0)
    >>> point_of_geometry("SRID=4326;POINT(21 52)"), point_of_geometry("POINT EMPTY")
    ((21.0, 52.0), None)
    """
    if (words := _POINT.fullmatch(text.strip())) is not None:
        return float(words.group(1)), float(words.group(2))
    raw = _bytes_of(text)
    if (point := _of_sql_server(raw)) is not None:
        return point
    for start in (0, _BYTES_OF_SYSTEM):  # MySQL keeps that of the reference system in front
        with suppress(IndexError, struct.error):
            if (point := _of_wkb(raw[start:])) is not None:
                return point
    return None


def _bytes_of(text: str) -> bytes:
    r"""Return the bytes that a text means: digits behind `0x` or `\x`, or escapes of bytes without a sign."""
    with suppress(ValueError):
        return bytes.fromhex(_HEX_SIGN.sub("", text.strip()).removesuffix("'"))
    with suppress(ValueError):
        return _ESCAPED_BYTE.sub(lambda one: chr(int(one.group(1), 16)), text).encode("latin-1")
    return b""


def _of_sql_server(raw: bytes) -> tuple[float, float] | None:
    """Return x and y of a point as SQL Server serialises it; on the globe the latitude stands first."""
    if (
        len(raw) <= _PROPERTIES_AT
        or raw[_PROPERTIES_AT - 1] not in {1, 2}
        or not raw[_PROPERTIES_AT] & _ONE_POINT
    ):
        return None
    beside = (raw[_PROPERTIES_AT] & _HEIGHT_OR_MEASURE).bit_count()
    if len(raw) != _PROPERTIES_AT + 1 + 8 * (2 + beside):
        return None
    (system,), (first, second) = struct.unpack("<I", raw[:4]), struct.unpack("<dd", raw[6:22])
    x, y = (second, first) if system else (first, second)
    return (x, y) if math.isfinite(x) and math.isfinite(y) else None


def _of_wkb(raw: bytes) -> tuple[float, float] | None:
    order = {0: ">", 1: "<"}.get(raw[0])
    if order is None:
        return None
    (kind,) = struct.unpack(f"{order}I", raw[1:5])
    start = 9 if kind & _HAS_SYSTEM else 5
    beside, measured = kind & ~_HAS_SYSTEM & ~_HAS_MORE, (kind & _HAS_MORE).bit_count()
    if beside not in _POINTS or len(raw) != start + 8 * (_POINTS[beside] + measured):
        return None
    x, y = struct.unpack(f"{order}dd", raw[start : start + 16])
    return (x, y) if math.isfinite(x) and math.isfinite(y) else None


def _is_elsewhere(latitude: float, longitude: float, country: str | None) -> bool:
    inside = abs(latitude) <= 90.0 and abs(longitude) <= 180.0
    return inside and km_to_city(latitude, longitude, country) > _ELSEWHERE_KM


def _looks_swapped(latitude: float, longitude: float, country: str | None) -> bool:
    if abs(latitude) > 90.0 or abs(longitude) > 90.0:
        return False
    is_near = km_to_city(longitude, latitude, country) < _IN_A_TOWN_KM
    return is_near and _is_elsewhere(latitude, longitude, country)


def _half(text: object) -> str:
    """Return the letter of the half of the globe that a text names, empty where it names none."""
    written = _lettered(text)
    found = re.search(r"^[NSEWO]|[NSEWO]$", written, re.IGNORECASE)
    return found.group().upper() if found else ""


def _lettered(text: object) -> str:
    written = plain(text)
    for sign, letter in _HALVES.items():
        written = written.replace(sign, letter)
    return written


def read_degrees(text: object, *, o_is: str = "") -> tuple[float | None, str | None]:
    """Return degrees: decimal with a point or a comma, or with minutes and seconds, a letter for the half.

    o_is: `E` or `W`, what the letter O means where the source comes from: east in German and Dutch, west in
    the Romance languages.

    >>> read_degrees("-3,7038"), read_degrees("40.4168"), read_degrees("3 W")
    ((-3.7038, None), (40.4168, None), (-3.0, None))
    >>> read_degrees("52°31'N"), read_degrees("33° 51′ 36″ S"), read_degrees("북위 37°30'")
    ((52.516666666666666, None), (-33.86, None), (37.5, None))
    >>> read_degrees("13°24'O"), read_degrees("13°24'O", o_is="E"), read_degrees("13°75'E")
    ((None, 'O may be east or west'), (13.4, None), (None, 'not degrees'))
    """
    if is_unknown(text):
        return None, "unknown"
    match = _DEGREES.fullmatch(_lettered(text))
    if match is None:
        return None, "not degrees"
    whole, minutes, seconds = (float((part or "0").replace(",", ".")) for part in match.group(2, 3, 4))
    half = (match.group(1) or match.group(5) or "").upper()
    half = half.replace("O", o_is or "O")
    if half == "O":
        return None, "O may be east or west"
    parts = match.group(3) is not None
    twice = bool(match.group(1)) and bool(match.group(5))
    if twice or minutes >= 60 or seconds >= 60 or (parts and "." in match.group(2).replace(",", ".")):
        return None, "not degrees"
    size = abs(whole) + minutes / 60 + seconds / 3600
    south_or_west = match.group(2).startswith("-")
    if half and south_or_west:
        return None, "not degrees"
    return (-size if south_or_west or half in {"S", "W"} else size), None


def point_part(text: str | None, part: int) -> tuple[object, str | None]:
    """Return the longitude (0) or the latitude (1) of a point."""
    if is_unknown(text):
        return None, "unknown"
    point = point_of_geometry(str(text))
    return (None, "not a point") if point is None else (point[part], None)
