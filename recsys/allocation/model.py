"""The mean-field model of one graph: expected matches and their gradient, with buffers kept between calls."""

import copy
from typing import Self

import numpy as np
import numpy.typing as npt

from recsys.allocation.arrivals import read_chances
from recsys.allocation.config import AllocationConfig
from recsys.allocation.deploy import Ranked
from recsys.allocation.examination import Examination
from recsys.allocation.fairness import weights, worth
from recsys.allocation.gradient import gradient
from recsys.allocation.graph import CandidateGraph
from recsys.allocation.matches import expected_matches
from recsys.allocation.presence import Presence
from recsys.allocation.threads import in_ranges

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]


class Model:
    """What exposures `(n_edges,)` float32 bring to everybody.

    A call overwrites what the call before it returned.
    """

    def __init__(
        self, graph: CandidateGraph, config: AllocationConfig, presence: Presence | None = None
    ) -> None:
        self.graph, self.config = graph, config
        self.presence = presence or Presence.always(graph.n_people)
        self.slots = Examination.of(config.look).slots(config.k)
        self.inbox = graph.laid_out(config.workers)
        self._reading = Examination.of(config.inbox, where="inbox")
        self._viewer = np.zeros(0, np.int32)
        if config.fairness > 0.0:
            self._viewer = graph.viewer[self.inbox.edge]
        self._read = np.empty(graph.n_edges, np.float32)
        self._gain = np.empty(graph.n_edges, np.float32)
        self.load = np.zeros(graph.n_people)

    def unweighted(self) -> Self:
        """Return the model that weighs everybody's matches alike; it works in the memory of this one."""
        other = copy.copy(self)
        other.config, other._viewer = self.config.changed(fairness=0.0), np.zeros(0, np.int32)
        return other

    def utilities(self, exposure: Floats) -> Doubles:
        """Return everybody's expected matches, `(n_people,)`; half their sum is the matches."""
        self._examine(exposure)
        graph, inbox, found = self.graph, self.inbox, np.empty(self.graph.n_people)

        def part(start: int, stop: int) -> None:
            expected_matches(start, stop, inbox, graph.indptr, graph.p, graph.q, exposure, self._read, found)

        in_ranges(part, inbox.indptr, self.config.workers)
        return found

    def objective(self, utility: Doubles) -> float:
        """Return the worth of everybody's matches at the fairness of the settings."""
        return worth(utility, self.config.fairness, self.config.epsilon)

    def gain(self, exposure: Floats, utility: Doubles) -> Floats:
        """Return what more exposure of each edge is worth, `(n_edges,)`; `load` holds the likes received.

        utility: as `utilities(exposure)` returned them.
        """
        graph, inbox, how = self.graph, self.inbox, self._reading
        weight = weights(utility, self.config.fairness, self.config.epsilon)

        def part(start: int, stop: int) -> None:
            gradient(
                start,
                stop,
                inbox,
                graph.p,
                graph.q,
                self._viewer,
                weight,
                self.presence.reads,
                how.kind,
                how.decay,
                exposure,
                self._read,
                self._gain,
                self.load,
            )

        in_ranges(part, inbox.indptr, self.config.workers)
        return self._gain

    def exposure_of(self, ranked: Ranked) -> Floats:
        """Return the exposure of every edge in lists, `(n_edges,)` float32."""
        found = ranked.exposure(self.slots, self.graph.n_edges)
        found[ranked.edge] *= np.repeat(self.presence.opens, np.diff(ranked.indptr))
        return found

    def _examine(self, exposure: Floats) -> None:
        inbox, how = self.inbox, self._reading

        def part(start: int, stop: int) -> None:
            read_chances(start, stop, inbox, self.presence.reads, how.kind, how.decay, exposure, self._read)

        in_ranges(part, inbox.indptr, self.config.workers)
