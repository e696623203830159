"""What blocks learned, as plain values that need numpy alone."""

from recsys.errors import SourceError, did_you_mean, explained
from recsys.features.applied.block import AppliedBlock
from recsys.features.applied.boundaries import AppliedBoundaries
from recsys.features.applied.circles import AppliedCircles
from recsys.features.applied.interests import AppliedInterests
from recsys.features.applied.numeric import AppliedNumeric
from recsys.features.applied.rhythm import AppliedRhythm
from recsys.features.applied.scales import AppliedScales
from recsys.features.applied.talk import AppliedTalk
from recsys.features.applied.values import AppliedValues
from recsys.plugins import plugins

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
"""Every kind of applied block of this package by its name."""


def applied_kind(name: str) -> type[AppliedBlock]:
    """Return a kind of applied block by name: of this package, defined in this process, or of a plugin.

    Raises SourceError when nobody knows it.

    >>> applied_kind("talk").__name__
    'AppliedTalk'
    """
    if name in APPLIED:
        return APPLIED[name]
    if name not in AppliedBlock.defined and name in plugins("blocks"):
        plugins("blocks")[name].load()
    if name not in AppliedBlock.defined:
        known = [*APPLIED, *AppliedBlock.defined, *plugins("blocks")]
        remedy = f"import or install what defines it; {did_you_mean(name, known)}"
        raise SourceError(explained("unknown feature block", where="a saved model", got=name, remedy=remedy))
    return AppliedBlock.defined[name]


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
    "applied_kind",
]
