"""Columns of time zones."""

from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import available_timezones

from recsys.schema.fields.field import Refused
from recsys.schema.fields.text import TextField


@lru_cache(maxsize=1)
def known_zones() -> frozenset[str]:
    """Return the names of the IANA time zones that are places."""
    return frozenset(name for name in available_timezones() if name not in {"Factory", "localtime"})


@dataclass(frozen=True, kw_only=True)
class Zone(TextField):
    """The IANA name of a time zone, such as Asia/Tokyo."""

    def meaning(self, text: str) -> str:
        """Return the name itself."""
        if text not in known_zones():
            raise Refused("unknown_zone", "unknown time zone", "give an IANA name such as Asia/Tokyo")
        return text
