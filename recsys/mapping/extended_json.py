"""MongoDB Extended JSON (v2), as `mongoexport` writes it: objects with one `$` key are the value they name.

Source: the Extended JSON specification of MongoDB, version 2; canonical and relaxed forms.
"""

import base64
import binascii
import contextlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UUID_TYPE: Final = "04"


def plain_values(value: Any) -> Any:
    """Return a value of JSON in which every object of Extended JSON is the value that it names.

    Ids, decimals and UUIDs become texts, dates and timestamps texts in UTC with a `Z`, numbers numbers,
    `$undefined` null. An object that names no value so stays as it is.

    >>> plain_values({"_id": {"$oid": "5f1d"}, "born": {"$date": {"$numberLong": "-86400000"}}})
    {'_id': '5f1d', 'born': '1969-12-31T00:00:00Z'}
    >>> plain_values([{"$numberLong": "7"}, {"$numberDouble": "2.5"}, {"$date": "2020-02-03T04:05:06.007Z"}])
    [7, 2.5, '2020-02-03T04:05:06.007Z']
    """
    if isinstance(value, list):
        return [plain_values(one) for one in value]
    if not isinstance(value, Mapping):
        return value
    name = next(iter(value), "")
    if len(value) == 1 and name in _READ:
        with contextlib.suppress(ValueError, TypeError, KeyError, OverflowError, binascii.Error):
            return _READ[name](plain_values(value[name]))
    return {key: plain_values(one) for key, one in value.items()}


def _date(given: Any) -> str:
    """Return a moment: a text as it stands, milliseconds since 1970 as a text."""
    if isinstance(given, str):
        return given
    text = (_EPOCH + timedelta(milliseconds=int(given))).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00").removesuffix(".000") + "Z"


def _binary(given: Any) -> str:
    content = base64.b64decode(given["base64"], validate=True)
    return str(UUID(bytes=content)) if given["subType"].zfill(2) == _UUID_TYPE else given["base64"]


_READ: Final[Mapping[str, Callable[[Any], Any]]] = {
    **dict.fromkeys(("$oid", "$symbol", "$numberDecimal", "$code", "$uuid"), str),
    **dict.fromkeys(("$numberInt", "$numberLong"), int),
    "$numberDouble": float,
    "$date": _date,
    "$timestamp": lambda given: _date(1000 * int(given["t"])),
    "$binary": _binary,
    "$undefined": lambda _: None,
}
