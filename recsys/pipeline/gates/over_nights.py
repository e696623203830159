"""Changes over nights: what is few in every night, and much in the published nights of four weeks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from recsys.pipeline.gates.proposal import GateResult, Level, Numbers

Found = Mapping[str, float | int | str]
"""What one gate counted in one night."""
NIGHTS: Final[Mapping[str, tuple[str, ...]]] = {"why": ("nights",)}
"""What a result names that was judged by several nights together."""
_FEW: Final = 5
"""How many may be lost over several nights, whatever share of all that is."""


def nights_together(
    past: Sequence[Numbers], gate: str, is_meant: Callable[[Found], bool]
) -> tuple[Found | None, list[Found]]:
    """Return what a gate counted in the published nights of four weeks that are judged with tonight.

    past: those nights, see `Proposal.lately`.
    is_meant: whether a night was beyond the limits of several nights. It was published on purpose, with other
    limits: counting begins anew with it. That night, None when there is none, and those since, oldest first.

    >>> past = [{"g": {"x": value}} for value in (1, 9, 2, 3)]
    >>> nights_together(past, "g", lambda found: found["x"] > 5)
    ({'x': 9}, [{'x': 2}, {'x': 3}])
    """
    since: list[Found] = []
    for night in reversed(past):
        found = night.get(gate, {})
        if is_meant(found):
            return found, since[::-1]
        since.append(found)
    return None, since[::-1]


@dataclass(frozen=True)
class Decline:
    """A number tonight beside the most of it in the published nights of four weeks.

    now: tonight. most: as it would be tonight, were it what it was then. block: the share of `most` below
    which it blocks; halfway to it, it warns. Fewer than five lost are none.

    >>> [Decline(now, 100, 0.8).level.name for now in (95, 89, 79)], Decline(1, 5, 0.8).level.name
    (['PASS', 'WARN', 'BLOCK'], 'PASS')
    """

    now: float
    most: float
    block: float

    @property
    def level(self) -> Level:
        """How grave it is."""
        if self.most - self.now < _FEW:
            return Level.PASS
        if self.now < self.block * self.most:
            return Level.BLOCK
        return Level.WARN if self.now < (1.0 + self.block) / 2.0 * self.most else Level.PASS

    @classmethod
    def of(
        cls,
        past: Sequence[Numbers],
        gate: str,
        number: str,
        now: float,
        *,
        block: float,
        per: tuple[str, float] | None = None,
        erased: float = 0.0,
    ) -> "Decline":
        """Compare a number that a gate counts with what it counted in earlier nights.

        now: tonight. per: another number of the gate and what it is tonight, such as people: where these
        have become fewer, so may the number. Of those who came nothing is expected. erased: how many of it
        are rows left out for people who were erased. A night counts if it kept the most of its own nights,
        as `numbers` returns it; earlier versions kept none.
        """
        key = _most_of(number)

        def is_meant(found: Found) -> bool:
            return key not in found or cls(_float(found, number), _float(found, key), block).is_beyond

        start, since = nights_together(past, gate, is_meant)
        nights = since if start is None or key not in start else [start, *since]
        rows = [_tonight(found, number, per) for found in nights]
        gone = [_float(found, of_erased(number)) for found in nights]
        return cls(now, max([now, *without_erased(rows, gone, erased)]), block)

    @property
    def is_beyond(self) -> bool:
        """Whether it blocks."""
        return self.level is Level.BLOCK

    def numbers(self, number: str) -> dict[str, float]:
        """Return what a gate keeps beside the number, for the nights to come.

        >>> Decline(79, 100, 0.8).numbers("profiles.meets_genders")
        {'profiles_meets_genders_most': 100}
        """
        return {_most_of(number): self.most}


def _most_of(number: str) -> str:
    return f"{number.replace('.', '_')}_most"


def of_erased(number: str) -> str:
    """Return under which name a night keeps how many of a number are rows that it left out for the erased."""
    return f"{number}_erased"


def without_erased(rows: Sequence[float], of_erased: Sequence[float], erased: float) -> list[float]:
    """Return how many rows each earlier night had, without those of erased people that come no more.

    Rows of the erased that still come are left out, and count in each night: nothing is lost with them. A
    night from before an erasure had as many of theirs as a later one left out.

    rows, of_erased: of each night, oldest first. erased: how many they are tonight.

    >>> without_erased([10, 10, 9], [0, 4, 3], 1.0)
    [7.0, 7.0, 7.0]
    """
    found, most = list[float](), erased
    for n_rows, n_erased in zip(reversed(rows), reversed(of_erased), strict=True):
        most = max(most, n_erased)
        found.append(max(0.0, n_rows - (most - erased)))
    return found[::-1]


def _float(found: Found, number: str) -> float:
    return float(found.get(number, 0.0))


def _tonight(found: Found, number: str, per: tuple[str, float] | None) -> float:
    """Return what a number of an earlier night would be tonight."""
    if per is None:
        return _float(found, number)
    units = _float(found, per[0])
    return _float(found, number) * min(1.0, per[1] / units) if units else 0.0


def judged_over_nights(result: GateResult, declines: Mapping[str, Decline]) -> GateResult:
    """Return a gate's result with what later nights need, judged by the nights together where that is graver.

    declines: by number of the gate; "rows" behind the name of a table is left out where it is named.
    """
    numbers = dict(result.numbers)
    for number, decline in declines.items():
        numbers |= decline.numbers(number)
    level = max(decline.level for decline in declines.values())
    if level <= result.level:
        return replace(result, numbers=numbers)
    named = tuple(
        f"{number.removesuffix('_rows')} {decline.most:,.0f} → {decline.now:,.0f}"
        for number, decline in declines.items()
        if decline.level is level
    )
    if "count" in numbers:
        numbers["count"] = len(named)
    message = f"fewer than in the nights of four weeks: {', '.join(named)}"
    return GateResult(result.gate, level, message, numbers, {"tables": named, **NIGHTS})
