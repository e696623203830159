"""Columns that may not come in at all: exact places and payment."""

import re
from typing import Final

from recsys.errors import explained

_PLACES: Final = frozenset(
    (
        "latitude",
        "longitude",
        "lat",
        "lon",
        "lng",
        "long",
        "coordinates",
        "coordinate",
        "coords",
        "gps",
        "geo",
        "geom",
        "geometry",
        "point",
        "address",
        "addr",
        "street",
        "postcode",
        "postalcode",
        "zip",
        "zipcode",
        "住所",
        "緯度",
        "経度",
        "郵便番号",
    )
)
_MONEY: Final = frozenset(
    (
        "payment",
        "payments",
        "pay",
        "paid",
        "price",
        "prices",
        "pricing",
        "fee",
        "fees",
        "cost",
        "costs",
        "subscription",
        "billing",
        "invoice",
        "premium",
        "salary",
        "income",
        "allowance",
        "creditcard",
        "iban",
        "yen",
        "jpy",
        "usd",
        "eur",
        "money",
        "wage",
        "料金",
        "価格",
        "支払い",
        "課金",
    )
)
_PARTS = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_LONGEST: Final = 200


def forbidden_column(column: str) -> str | None:
    """Return the sentence that refuses a column by its name, None when the name is not forbidden.

    >>> forbidden_column("home_lat")
    "exact places are refused: got 'home_lat'; give an H3 cell of resolution 6 or coarser in 'cell' instead"
    >>> forbidden_column("price") is None, forbidden_column("tag") is None
    (False, True)
    """
    parts = set(_PARTS.findall(_CAMEL.sub("_", column[:_LONGEST]).lower()))
    if parts & _PLACES or {"postal", "code"} <= parts:
        remedy = "give an H3 cell of resolution 6 or coarser in 'cell' instead"
        return explained("exact places are refused", got=column, remedy=remedy)
    if parts & _MONEY:
        remedy = "remove the column: money has no part in who meets whom"
        return explained("payment is refused", got=column, remedy=remedy)
    return None
