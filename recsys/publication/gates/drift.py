"""People are much as they were last night."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from recsys.publication.gates.band import usual_band
from recsys.publication.gates.gate import GateResult, Level, Proposal, graded
from recsys.publication.portrait import portrait_of, read_portrait
from recsys.schema.columns import Columns as C

_FLOOR = 0.5
"""Added to every count, so that a word nobody used yesterday makes no infinite drift."""


def drift(proposal: Proposal) -> GateResult:
    """Grade how far the columns of people and lists moved since last night, the farthest of all.

    The population stability index of a column; one within what chance alone or the nights before would
    move it counts as unmoved. Chances may move as far as they like when the model is another: they warn.
    """
    before = None if proposal.previous is None else read_portrait(proposal.previous.folder)
    if before is None:
        return GateResult("drift", Level.PASS, "no earlier night to compare with")
    now = portrait_of(proposal.people, proposal.listed, proposal.lists)
    moved = {name: psi(now[name], before[name]) for name in now if name in before}
    limits = proposal.limits
    beyond: dict[str, float] = {}
    for name, value in moved.items():
        band = usual_band(proposal.past, "drift", f"psi.{name}", limits, least=0.0)
        if value > max(by_chance(now[name], before[name]), band.high if band else 0.0):
            beyond[name] = value
    worst = max(beyond, key=lambda name: beyond[name], default="")
    value = beyond.get(worst, 0.0)
    said = f"{worst} moved most: PSI {value:.2f}" if worst else "nothing moved beyond the usual"
    of_people = max((value for name, value in beyond.items() if name != C.P_MUTUAL), default=0.0)
    block = of_people > limits.block_psi
    result = graded("drift", said, warn=value > limits.warn_psi, block=block, value=value)
    numbers = dict(result.numbers) | {f"psi.{name}": value for name, value in moved.items()}
    return replace(result, numbers=numbers, names={"column": (worst,)} if worst else {})


def psi(now: Mapping[str, int], before: Mapping[str, int]) -> float:
    """Return the population stability index of two counts by word: 0 the same, 0.1 some, 0.25 much.

    sum (p - q) ln(p / q), Jeffreys' divergence of the two shares.

    >>> psi({"a": 50, "b": 50}, {"a": 50, "b": 50}), round(psi({"a": 80, "b": 20}, {"a": 50, "b": 50}), 2)
    (0.0, 0.41)
    """
    words = sorted({*now, *before})
    p, q = _shares(now, words), _shares(before, words)
    return float(sum((a - b) * math.log(a / b) for a, b in zip(p, q, strict=True)))


def by_chance(now: Mapping[str, int], before: Mapping[str, int]) -> float:
    """Return what the index of two samples of the same people hardly ever exceeds.

    It is distributed as (1/n + 1/m) chi-square with one degree less than there are words; this is the
    mean and four standard deviations.

    >>> by_chance({"a": 500, "b": 500}, {"a": 500, "b": 500}) < 0.02
    True
    """
    freedom = max(len({*now, *before}) - 1, 1)
    each = 1 / max(sum(now.values()), 1) + 1 / max(sum(before.values()), 1)
    return each * (freedom + 4 * math.sqrt(2 * freedom))


def _shares(counts: Mapping[str, int], words: Sequence[str]) -> list[float]:
    total = sum(counts.values()) + _FLOOR * len(words)
    return [(counts.get(word, 0) + _FLOOR) / total for word in words]
