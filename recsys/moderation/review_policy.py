"""The review policy as data: what is grave, when a case is due, and how much a report may move."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Final

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.entries import LANGUAGES, Label, read_label
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.strict_yaml import YamlFile

NUMBERS: Final = (
    *("half_life_days", "settled_days", "stranger", "least_reporters", "brigade", "brigade_days"),
)
MOST_GRAVE: Final = 4
DAYS_TO_DECIDE: Final = {4: 1, 3: 3, 2: 7, 1: 14}
"""Days until a case is due for a decision, by gravity."""
DAYS_TO_ANSWER: Final = 14
"""Days until an appeal is due for an answer."""


@dataclass(frozen=True, slots=True)
class ReviewKind:
    """One thing to review: its gravity, 1 to 4, and whether the actor or the target is the person."""

    label: Label
    gravity: int
    by: str


@dataclass(frozen=True, eq=False)
class ReviewPolicy:
    """The numbers of `review.yaml`; `version` names the content.

    >>> load_policy().version.partition("-")[0]
    'review'
    """

    version: str
    kinds: Mapping[str, ReviewKind]
    verified: str
    half_life_days: float
    settled_days: float
    stranger: float
    least_reporters: int
    brigade: int
    brigade_days: float


def read_policy(file: YamlFile, version: str) -> ReviewPolicy:
    """Read a review policy; raises InputError naming file and key."""
    numbers = file.mapping("numbers", file.content.get("numbers"), NUMBERS)
    value = {name: file.number("numbers", numbers, name, 0, 3650) for name in NUMBERS}
    kinds = {}
    for name, raw in file.section(file.content, "kinds", (*LANGUAGES, "gravity", "by")).items():
        if raw.get("by") not in ("actor", "target"):
            raise file.error("'by' is actor or target", name, got=raw.get("by"))
        gravity = int(file.number(name, raw, "gravity", 1, MOST_GRAVE))
        kinds[name] = ReviewKind(read_label(file, name, raw), gravity, str(raw["by"]))
    verified = file.content.get("verified")
    if verified not in ENUMERATIONS[C.VERIFICATION].words:
        raise file.error("unknown tier", "verified", got=verified)
    return ReviewPolicy(
        version=version,
        kinds=kinds,
        verified=str(verified),
        half_life_days=value["half_life_days"],
        settled_days=value["settled_days"],
        stranger=value["stranger"],
        least_reporters=int(value["least_reporters"]),
        brigade=int(value["brigade"]),
        brigade_days=value["brigade_days"],
    )


@lru_cache(maxsize=1)
def load_policy() -> ReviewPolicy:
    """Return the review policy that comes with the package, read once."""
    content = (files("recsys.catalogue") / "review.yaml").read_bytes().replace(b"\r\n", b"\n")
    return read_policy(YamlFile("review", content), f"review-{hashlib.sha256(content).hexdigest()[:12]}")
