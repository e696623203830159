"""The types of gates: `Proposal` goes in, `GateResult` comes out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from functools import cached_property
from typing import Final

import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.constraints.policy import Policy
from recsys.data.population import Population
from recsys.safety.erasure_list import ErasedPeople
from recsys.settings import GateSettings
from recsys.storage.publication import Publication
from recsys.types import BoolArray, Int32Array

LEAST_NIGHTS: Final = 27
"""Published nights that are judged with tonight, however long ago they were."""


class Level(IntEnum):
    """The level of a result; the highest of all gates decides the night."""

    PASS = 0
    WARN = 1
    BLOCK = 2


@dataclass(frozen=True)
class GateResult:
    """The result of one gate: the level, a sentence for the log, and the numbers and names behind it.

    The page and the command line show it in the reader's language, from `numbers` and `names`.
    """

    gate: str
    level: Level
    message: str
    numbers: Mapping[str, float | int | str] = field(default_factory=dict)
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


Numbers = Mapping[str, Mapping[str, float | int | str]]
"""What the gates of one night counted, by gate."""


@dataclass(frozen=True)
class Calibration:
    """The calibration error of the chance of a like, the metric `ece` of the night's evaluation.

    ece, lo, hi: the estimate less what chance adds, and its 95 % interval. pairs: what it was measured on;
    answers: how many of the people shown answered at all.
    """

    ece: float
    lo: float
    hi: float
    pairs: int
    answers: int

    def __str__(self) -> str:
        """Return the error as the log writes it; an estimate of 0 says only how large it may be.

        >>> str(Calibration(0.0224, 0.0137, 0.0309, 900, 400)), str(Calibration(0.0, 0.0, 0.018, 900, 400))
        ('2.24% (1.37% to 3.09%)', 'at most 1.80%')
        """
        return f"{self.ece:.2%} ({self.lo:.2%} to {self.hi:.2%})" if self.ece else f"at most {self.hi:.2%}"


@dataclass(frozen=True, eq=False)
class Proposal:
    """Lists to be published, with everything the gates compare them with.

    undeclared: platform conditions the operator did not declare.
    erased:     who asked to be erased.
    past:       what the gates of earlier published nights measured, the latest last, see `read_history`.
    n_lately:   how many of these nights are of the last four weeks; the latest 27 count as such in any case.
    calibration: how far what the model states is from what happened, None when it was not evaluated.
    previous:   the publication served now, None when there is none; previous_problem says why it
                could not be read.
    row_counts: by table `rows`, `refused` and `nobody` (rows about safety that name nobody), None when the
                tables were not counted. events: how many are known. clock: the time of the machine.
    changed_tokens: how many accounts of what is served have another person token now, or none, and how many
                had one; None when nobody compared them.
    backdated_stops: how many rows of bans and holds count tonight that came after the night of their date.
    """

    lists: pd.DataFrame
    people: Population
    policy: Policy
    limits: GateSettings
    undeclared: Sequence[str] = ()
    previous: Publication | None = None
    previous_problem: str = ""
    erased: ErasedPeople = field(default_factory=ErasedPeople)
    past: Sequence[Numbers] = ()
    n_lately: int = 0
    calibration: Calibration | None = None
    row_counts: Mapping[str, Mapping[str, int]] | None = None
    events: int | None = None
    clock: datetime | None = None
    changed_tokens: tuple[int, int] | None = None
    backdated_stops: int = 0

    @property
    def lately(self) -> Sequence[Numbers]:
        """What the gates of the published nights of four weeks measured, the latest last."""
        return self.past[-max(self.n_lately, LEAST_NIGHTS) :]

    @cached_property
    def viewers(self) -> Int32Array:
        """Row of each list entry's viewer, -1 for an unknown id."""
        return self.people.ids.find(self.lists[C.VIEWER])

    @cached_property
    def candidates(self) -> Int32Array:
        """Row of each list entry's candidate, -1 for an unknown id."""
        return self.people.ids.find(self.lists[C.CANDIDATE])

    @cached_property
    def listed(self) -> BoolArray:
        """Who may be in a list at all, `(n_people,)` bool."""
        return self.policy.compile(self.people).listed


Gate = Callable[[Proposal], GateResult]


def blocked_if_any(gate: str, count: int, *, good: str, bad: str) -> GateResult:
    """Return BLOCK with `bad` when `count` is above zero; `bad` may name `{count}`."""
    if count == 0:
        return GateResult(gate, Level.PASS, good, {"count": 0})
    return GateResult(gate, Level.BLOCK, bad.format(count=count), {"count": count})


def graded(gate: str, message: str, *, warn: bool, block: bool, **values: float) -> GateResult:
    """Return BLOCK, WARN or PASS, the first that applies, with the numbers behind it."""
    level = Level.BLOCK if block else Level.WARN if warn else Level.PASS
    return GateResult(gate, level, message, values)
