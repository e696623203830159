"""Numbers as people read them; an unknown number is a dash."""

import math
from typing import Final

UNKNOWN: Final = "–"


def count(value: float | None) -> str:
    """Return a whole number with separators.

    >>> count(1234567), count(float("nan"))
    ('1,234,567', '–')
    """
    return UNKNOWN if value is None or not math.isfinite(value) else f"{round(value):,}"


def decimal(value: float | None, digits: int = 3) -> str:
    """Return a number with fixed decimals.

    >>> decimal(0.30149), decimal(2.0, 1)
    ('0.301', '2.0')
    """
    return UNKNOWN if value is None or not math.isfinite(value) else f"{value:,.{digits}f}"


def share(value: float | None) -> str:
    """Return a share in [0, 1] as percent, finer when it is small; never rounded to all or nothing.

    >>> share(0.5), share(0.0123), share(0.99999), share(1.0), share(0.00001), share(0.0)
    ('50.0%', '1.23%', '>99.9%', '100%', '<0.01%', '0%')
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if value in (0.0, 1.0):
        return f"{value:.0%}"
    if value < 0.0001:
        return "<0.01%"
    if 0.999 < value < 1.0:
        return ">99.9%"
    return f"{value:.2%}" if value < 0.1 else f"{value:.1%}"


def per_person(value: float | None) -> str:
    """Return a mean number of people, with a decimal while it is small.

    >>> per_person(3.24), per_person(1234.5)
    ('3.2', '1,234')
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    return f"{value:,.1f}" if abs(value) < 100 else f"{value:,.0f}"


def clock(seconds: float | None) -> str:
    """Return a time span as hours, minutes and seconds.

    >>> clock(42.4), clock(754.0), clock(5400.0), clock(None)
    ('0:42', '12:34', '1:30:00', '–')
    """
    if seconds is None or not math.isfinite(seconds):
        return UNKNOWN
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def change(part: float | None) -> str:
    """Return by which share something moved; what moved by less than is written did not.

    >>> change(0.0312), change(-0.5), change(0.00001)
    ('+3.1%', '-50.0%', '±0%')
    """
    if part is None or not math.isfinite(part):
        return UNKNOWN
    return "±0%" if abs(part) < 0.0005 else f"{part:+.1%}"
