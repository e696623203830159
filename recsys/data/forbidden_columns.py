"""Columns that no table may have, by their names: exact places and payments."""

import re
from typing import Final

from recsys.errors import explained

_PLACE_WORDS: Final = frozenset(
    (
        *("latitude", "longitude", "lat", "lon", "lng", "long", "coordinates", "coordinate"),
        *("coords", "gps", "geo", "geom", "geometry", "point", "address", "addr", "street"),
        *("postcode", "postalcode", "zip", "zipcode", "住所", "緯度", "経度", "郵便番号"),
    )
)
_MONEY_WORDS: Final = frozenset(
    (
        *("payment", "payments", "pay", "paid", "price", "prices", "pricing", "fee", "fees"),
        *("cost", "costs", "subscription", "billing", "invoice", "premium", "salary", "income"),
        *("allowance", "creditcard", "iban", "yen", "jpy", "usd", "eur", "money", "wage", "料金"),
        *("価格", "支払い", "課金"),
    )
)
_NAME_PARTS = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_LONGEST: Final = 200


def is_forbidden_name(column: str) -> bool:
    """Say whether a forbidden column may be named: it is one word of code, and holds no number of anybody.

    >>> is_forbidden_name("home_lat"), is_forbidden_name("lat_u0000007"), is_forbidden_name("lat u")
    (True, False, False)
    """
    is_word = column.isidentifier() and not any(map(str.isdigit, column))
    return is_word and forbidden_column(column) is not None


def forbidden_column(column: str, label: str | None = None) -> str | None:
    """Return the sentence that refuses a column by its name, None when the name is not forbidden.

    label: what the sentence calls the column, by default its name.

    >>> forbidden_column("home_lat")
    "exact places are refused: got 'home_lat'; give an H3 cell of resolution 6 or coarser in 'cell' instead"
    >>> forbidden_column("price") is None, forbidden_column("tag") is None
    (False, True)
    """
    parts = set(_NAME_PARTS.findall(_CAMEL.sub("_", column[:_LONGEST]).lower()))
    if parts & _PLACE_WORDS or {"postal", "code"} <= parts:
        remedy = "give an H3 cell of resolution 6 or coarser in 'cell' instead"
        return explained("exact places are refused", got=label or column, remedy=remedy)
    if parts & _MONEY_WORDS:
        remedy = "remove the column: money has no part in who meets whom"
        return explained("payment is refused", got=label or column, remedy=remedy)
    return None
