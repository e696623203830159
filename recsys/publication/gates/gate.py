"""What a gate looks at and what it answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property

import pandas as pd

from recsys.config import GateSettings
from recsys.constraints.policy import Policy
from recsys.schema.columns import Columns as C
from recsys.schema.ids import Rows
from recsys.schema.population import Mask, Population
from recsys.storage.erasures import Erased
from recsys.storage.published import Publication


class Level(IntEnum):
    """How a gate answers; the highest of all gates decides the night."""

    PASS = 0
    WARN = 1
    BLOCK = 2


@dataclass(frozen=True)
class GateResult:
    """One answer: the level, a sentence for the log, and the numbers and names behind it.

    The page and the command line say it in the reader's language, from `numbers` and `names`.
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
    """The calibration error of the chance of a like, and the answers it was judged on."""

    ece: float
    answers: int


@dataclass(frozen=True, eq=False)
class Proposal:
    """Lists that want to be published, with all that is needed to judge them.

    undeclared: platform conditions the operator did not declare.
    erased:     who asked to be erased.
    past:       what the gates of earlier nights counted, the latest last.
    calibration: how far what the model states is from what happened, None when nobody judged it.
    previous:   the publication served now, None when there is none; previous_problem says why it
                could not be read.
    """

    lists: pd.DataFrame
    people: Population
    policy: Policy
    limits: GateSettings
    undeclared: Sequence[str] = ()
    previous: Publication | None = None
    previous_problem: str = ""
    erased: Erased = field(default_factory=Erased)
    past: Sequence[Numbers] = ()
    calibration: Calibration | None = None

    @cached_property
    def viewers(self) -> Rows:
        """Row of each list entry's viewer, -1 for an unknown id."""
        return self.people.ids.find(self.lists[C.VIEWER])

    @cached_property
    def candidates(self) -> Rows:
        """Row of each list entry's candidate, -1 for an unknown id."""
        return self.people.ids.find(self.lists[C.CANDIDATE])

    @cached_property
    def listed(self) -> Mask:
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
