"""What one night is played on: the people, their hidden taste, the chances and the log."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from recsys.simulation.chance import Chance
from recsys.simulation.event_log import EventLog
from recsys.simulation.residents import Residents
from recsys.simulation.settings import FunnelSettings, TroubleSettings
from recsys.simulation.truth import Truth

if TYPE_CHECKING:
    from recsys.simulation.standing import Standing

Rows = npt.NDArray[np.int64]
HOUR = 3600
DAY = 24 * HOUR


@dataclass(frozen=True, eq=False)
class Scene:
    """One night: what was standing before, the chance that decides each step, the log of events."""

    people: Residents
    truth: Truth
    funnel: FunnelSettings
    trouble: TroubleSettings
    standing: "Standing"
    chance: Chance
    log: EventLog
