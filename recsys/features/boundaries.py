"""Boundaries: how well two people's wishes about contact and subjects go together."""

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import DAYPARTS, DAYS, ENUMERATIONS
from recsys.data.bitsets import unpack
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.data.times import HOURS_A_WEEK
from recsys.features.base import Block, BlockRows, FittedBlock
from recsys.features.talk_topics import talk_shares
from recsys.types import Float32Array, Float64Array, Int8Array, UInt64Array

_PEOPLE_AT_ONCE: Final = 65_536
MAX_HOURS: Final = len(DAYS) * sum(last - first for first, last in DAYPARTS.values())
"""Hours a week that all contact windows together hold."""
N_PARTS: Final = 4


class Boundaries(Block):
    """Contact frequency, disclosure, common hours and avoided topics.

    hour_rank: directions that hold people's hours; 28 (7 days of 4 parts) are exact in one time zone.
    catalogue: the topics; those of the people when None.

    >>> people = Population.of_ids(["a", "b"], as_of="2026-01-05")
    >>> Boundaries().fit(people).fitted_.columns[0]
    'contact_frequency=daily'
    """

    name = "boundaries"

    def __init__(
        self, *, hour_rank: int = 28, catalogue: Catalogue | None = None, name: str = "boundaries"
    ) -> None:
        self.name = name
        self.hour_rank = hour_rank
        self.catalogue = catalogue

    def _learn(self, people: Population, events: Events) -> "FittedBoundaries":  # noqa: ARG002
        return FittedBoundaries(
            topics=tuple(sorted((self.catalogue or people.catalogue).topics)),
            hour_basis=self._hour_basis(people),
        )

    def _hour_basis(self, people: Population) -> Float32Array:
        """Return the strongest directions of people's hours, `(168, hour_rank)`, signs fixed."""
        shared = np.zeros((HOURS_A_WEEK, HOURS_A_WEEK))
        bits = people.utc_hours
        for start in range(0, len(people), _PEOPLE_AT_ONCE):
            hours = unpacked_hours(bits[start : start + _PEOPLE_AT_ONCE])
            shared += hours.T @ hours
        values, vectors = np.linalg.eigh(shared)
        strongest = np.argsort(-values, kind="stable")[: self.hour_rank]
        basis = vectors[:, strongest] * (values[strongest] > 1e-6)
        peaks = basis[np.abs(basis).argmax(axis=0), np.arange(basis.shape[1])]
        return np.ascontiguousarray(basis * np.where(peaks < 0, -1.0, 1.0), np.float32)


@dataclass(frozen=True, eq=False)
class FittedBoundaries(FittedBlock):
    """The soft part of boundaries; the hard part is a mask elsewhere.

    The pair score is the mean of four parts, each 0 when either side is unknown:

    - contact frequency: 1 when equal, -1 at the two ends of the four words;
    - disclosure: the same over its three words;
    - common hours of the served week, as a share of the most that windows can hold;
    - minus the share of what j needs to talk about that i avoids (directed).

    hour_basis: `(168, n)` orthonormal directions that hold people's hours. Common hours are exact when
    people's hours lie in them, which 28 directions give for people of one time zone.
    """

    name: ClassVar[str] = "boundaries"

    topics: tuple[str, ...]
    hour_basis: Float32Array

    @property
    def columns(self) -> tuple[str, ...]:
        """Frequency and disclosure words, hour directions, avoided topics."""
        words = [
            f"{column}={word}"
            for column in (C.CONTACT_FREQUENCY, C.DISCLOSURE)
            for word in ENUMERATIONS[column].words
        ]
        hours = [f"hours_{at}" for at in range(self.hour_basis.shape[1])]
        return (*words, *hours, *(f"avoids_{topic}" for topic in self.topics))

    def rows(self, people: Population) -> BlockRows:
        """Return the rows of everybody."""
        preferences, attributes = [], []
        for column in (C.CONTACT_FREQUENCY, C.DISCLOSURE):
            n_words = len(ENUMERATIONS[column].words)
            one_hot = _one_hot(people.codes(column), n_words)
            preferences.append(one_hot @ _closeness(n_words))
            attributes.append(one_hot)
        hours = unpacked_hours(people.utc_hours) @ self.hour_basis / np.sqrt(MAX_HOURS)
        preferences += [hours, -self._avoids(people)]
        attributes += [hours, talk_shares(people, self.topics)]
        half = 1.0 / np.sqrt(N_PARTS)
        return BlockRows(
            (np.hstack(preferences) * half).astype(np.float32),
            (np.hstack(attributes) * half).astype(np.float32),
        )

    def _avoids(self, people: Population) -> Float64Array:
        avoids = np.zeros((len(people), len(self.topics)))
        known = people.coded_sets.get(C.TOPICS_AVOID)
        for at, topic in enumerate(self.topics):
            if known is not None and topic in known.words:
                avoids[:, at] = people.has_word(C.TOPICS_AVOID, topic)
        return avoids


def unpacked_hours(bits: UInt64Array) -> Float32Array:
    """Return hours of the week held as bits as `(n_people, 168)` of 0 and 1."""
    return unpack(bits, HOURS_A_WEEK).astype(np.float32)


def _one_hot(codes: Int8Array, n_words: int) -> Float64Array:
    """Return codes as one-hot rows; unknown (-1) is a row of zeros."""
    return (codes[:, None] == np.arange(n_words)[None, :]).astype(np.float64)


def _closeness(n_words: int) -> Float64Array:
    """Return 1 for the same of `n_words` ordered words falling to -1 for the two ends."""
    steps = np.abs(np.arange(n_words)[:, None] - np.arange(n_words)[None, :])
    return 1.0 - 2.0 * steps / (n_words - 1)
