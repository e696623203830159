"""What one night is played on: the people, their hidden taste, the chances and the log."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.simulation.chance import Chance
from recsys.simulation.event_log import EventLog, Seconds
from recsys.simulation.residents import Residents
from recsys.simulation.settings import FunnelSettings, TroubleSettings
from recsys.simulation.truth import Truth

Rows = npt.NDArray[np.int64]
HOUR = 3600
DAY = 24 * HOUR


@dataclass(frozen=True, eq=False)
class Scene:
    """One night: `chance` decides every step of every pair, `log` takes the events."""

    people: Residents
    truth: Truth
    funnel: FunnelSettings
    trouble: TroubleSettings
    chance: Chance
    log: EventLog


@dataclass(frozen=True, eq=False)
class Directed:
    """Aligned directed pairs with the time something happened, `(n_pairs,)` each."""

    actor: Rows
    target: Rows
    ts: Seconds

    def __len__(self) -> int:
        return len(self.actor)

    def take(self, which: npt.NDArray[np.bool_] | Rows) -> "Directed":
        """Return some of the pairs."""
        return Directed(self.actor[which], self.target[which], self.ts[which])

    def keys(self, n: int) -> Rows:
        """Return one number a directed pair, among `n` people."""
        return self.actor * n + self.target

    def back(self, n: int) -> Rows:
        """Return the number of each pair the other way round."""
        return self.target * n + self.actor
