"""What the guard found, without the words themselves."""

from dataclasses import dataclass
from typing import Final

KINDS: Final = ("contact", "address", "employer", "money", "off_platform", "intimacy", "distress")
"""What is looked for. Distress is answered with the support contact; the others are advised against."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One stretch of a draft, `text[start:end]`, and what it is; it holds no text, so it may be logged.

    >>> found = Finding(6, 10, "contact")
    >>> "Write: LINE"[found.start : found.end]
    ' LIN'
    """

    start: int
    end: int
    kind: str
