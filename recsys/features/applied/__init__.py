"""What blocks learned, as plain values that need numpy alone."""

from recsys.features.applied.block import AppliedBlock
from recsys.features.applied.boundaries import AppliedBoundaries
from recsys.features.applied.circles import AppliedCircles
from recsys.features.applied.interests import AppliedInterests
from recsys.features.applied.numeric import AppliedNumeric
from recsys.features.applied.rhythm import AppliedRhythm
from recsys.features.applied.scales import AppliedScales
from recsys.features.applied.talk import AppliedTalk
from recsys.features.applied.values import AppliedValues

APPLIED: dict[str, type[AppliedBlock]] = {
    kind.name: kind
    for kind in (
        AppliedInterests,
        AppliedValues,
        AppliedScales,
        AppliedTalk,
        AppliedBoundaries,
        AppliedRhythm,
        AppliedCircles,
        AppliedNumeric,
    )
}
"""Every kind of applied block by its name."""

__all__ = [
    "APPLIED",
    "AppliedBlock",
    "AppliedBoundaries",
    "AppliedCircles",
    "AppliedInterests",
    "AppliedNumeric",
    "AppliedRhythm",
    "AppliedScales",
    "AppliedTalk",
    "AppliedValues",
]
