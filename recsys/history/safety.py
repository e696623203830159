"""Which events are about safety, never about taste."""

import numpy as np
import numpy.typing as npt

from recsys.history.events import CodedEvents
from recsys.history.grades import SAFETY


def safety_events(coded: CodedEvents) -> npt.NDArray[np.bool_]:
    """Say which events take their pair out of training, `(n_events,)` bool."""
    found = np.zeros(len(coded.ts), bool)
    for kind, details in SAFETY.items():
        found |= coded.detailed(kind, *details) if details else coded.are(kind)
    return found
