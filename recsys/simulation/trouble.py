"""Who does harm, which groups gang up on someone, and who was blocked before it began."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.simulation.chance import Chance, Step
from recsys.simulation.draws import one_of
from recsys.simulation.endings import KINDS
from recsys.simulation.event_log import EventLog, Seconds
from recsys.simulation.residents import GOOD
from recsys.simulation.scene import DAY, Rows
from recsys.simulation.settings import TroubleSettings


def make_harm(n: int, rng: np.random.Generator, s: TroubleSettings) -> npt.NDArray[np.int8]:
    """Draw the bad actors: -1 for nearly everybody, else the kind, `(n,)` int8."""
    bad = rng.random(n) < s.bad_actors
    total = sum(s.kinds.values())
    kind = one_of({name: share / total for name, share in s.kinds.items()}, n, rng)
    codes = np.array([KINDS.index(name) for name in kind], dtype=np.int8)
    return np.where(bad, codes, GOOD).astype(np.int8)


@dataclass(frozen=True, eq=False)
class Brigades:
    """Groups who report one person they never talked with; aligned rows, one a report."""

    actor: Rows
    victim: Rows
    ts: Seconds


def make_brigades(
    joined: Seconds, start: int, end: int, rng: np.random.Generator, s: TroubleSettings
) -> Brigades:
    """Draw brigades among people who had joined before the past began, at some hour of the past."""
    there = np.flatnonzero(joined < start)
    count = int(rng.poisson(s.brigades_per_1000 * len(joined) / 1000.0))
    if len(there) <= s.brigade_size or end - start < 2 * DAY:
        count = 0
    actors, victims, times = [], [], []
    for _ in range(count):
        group = rng.choice(there, s.brigade_size + 1, replace=False)
        when = int(rng.integers(start + DAY, end))
        actors.append(group[1:])
        victims.append(np.full(s.brigade_size, group[0]))
        times.append(np.minimum(when + rng.integers(0, 3600, s.brigade_size), end))
    none = np.empty(0, np.int64)
    return Brigades(*(np.concatenate([none, *parts]).astype(np.int64) for parts in (actors, victims, times)))


def log_brigades_tonight(
    chance: Chance, there: npt.NDArray[np.bool_], at: int, log: EventLog, *, a_night: float, size: int
) -> None:
    """Log brigades of one night, `a_night` of them on average, among the people who are there."""
    rows = np.flatnonzero(there)
    count = int(a_night + float(chance.uniform(Step.BRIGADE, 0, 0, 0)))
    if len(rows) <= size:
        return
    for number in range(count):
        u = chance.uniform(Step.BRIGADE, np.arange(size + 1), number, 1)
        group = rows[np.unique((u * len(rows)).astype(np.int64))]
        when = at + int(chance.uniform(Step.BRIGADE, number, 0, 2) * (DAY - 3600)) + np.arange(len(group) - 1)
        log.add("report", when, group[1:], np.full(len(group) - 1, group[0]), detail="harassment")


def log_known_blocks(
    joined: Seconds, start: int, log: EventLog, rng: np.random.Generator, s: TroubleSettings
) -> tuple[Rows, Rows]:
    """Log blocks made before the past began, of people known from elsewhere; return the pairs."""
    there = np.flatnonzero(joined < start)
    count = int(rng.poisson(s.known_blocks_per_100 * len(there) / 100.0)) if len(there) > 1 else 0
    pairs = rng.integers(0, max(len(there), 1), (count, 2))
    pairs = np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)
    actor, target = there[pairs[:, 0]], there[pairs[:, 1]]
    later = np.maximum(joined[actor], joined[target])
    log.add("block", later + ((start - later) * rng.random(len(later))).astype(np.int64), actor, target)
    return actor, target
