"""The boundaries block: learns which hours people share."""

import numpy as np
import numpy.typing as npt

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.loading import load_catalogue
from recsys.data.contact_hours import HOURS_A_WEEK
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.features.applied.boundaries import AppliedBoundaries, hours_of
from recsys.features.block import Block

_PEOPLE_AT_ONCE = 65_536


class Boundaries(Block):
    """Contact frequency, disclosure, common hours and avoided topics.

    hour_rank: directions that hold people's hours; 28 (7 days of 4 parts) are exact in one time zone.
    catalogue: the topics; the packaged ones when None.
    """

    name = "boundaries"

    def __init__(self, *, hour_rank: int = 28, catalogue: Catalogue | None = None) -> None:
        self.hour_rank = hour_rank
        self.catalogue = catalogue

    def _learn(self, people: Population, events: Events) -> AppliedBoundaries:  # noqa: ARG002
        return AppliedBoundaries(
            topics=tuple(sorted((self.catalogue or load_catalogue()).topics)),
            hour_basis=self._hour_basis(people),
        )

    def _hour_basis(self, people: Population) -> npt.NDArray[np.float32]:
        """Return the strongest directions of people's hours, `(168, hour_rank)`, signs fixed."""
        together = np.zeros((HOURS_A_WEEK, HOURS_A_WEEK))
        words = people.utc_hours
        for start in range(0, len(people), _PEOPLE_AT_ONCE):
            hours = hours_of(words[start : start + _PEOPLE_AT_ONCE])
            together += hours.T @ hours
        values, vectors = np.linalg.eigh(together)
        strongest = np.argsort(-values, kind="stable")[: self.hour_rank]
        basis = vectors[:, strongest] * (values[strongest] > 1e-6)
        peaks = basis[np.abs(basis).argmax(axis=0), np.arange(basis.shape[1])]
        return np.ascontiguousarray(basis * np.where(peaks < 0, -1.0, 1.0), np.float32)
