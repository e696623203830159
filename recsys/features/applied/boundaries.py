"""Boundaries: how well two people's wishes about contact and subjects go together."""

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import DAYPARTS, DAYS, ENUMERATIONS
from recsys.data.contact_hours import HOURS_A_WEEK
from recsys.data.population import Population
from recsys.features.applied.block import AppliedBlock
from recsys.features.applied.talk import talk_shares
from recsys.features.rows import BlockRows
from recsys.types import Float64Array, UInt64Array

MOST_HOURS: Final = len(DAYS) * sum(last - first for first, last in DAYPARTS.values())
"""Hours a week that all contact windows together hold."""
N_PARTS: Final = 4


def hours_of(words: UInt64Array) -> npt.NDArray[np.float32]:
    """Return hours of the week held as bits as `(n_people, 168)` of 0 and 1."""
    octets = np.ascontiguousarray(words.astype("<u8")).view(np.uint8)
    return np.unpackbits(octets, axis=1, bitorder="little")[:, :HOURS_A_WEEK].astype(np.float32)


def _one_hot(codes: npt.NDArray[np.int8], n_words: int) -> Float64Array:
    """Return codes as one-hot rows; unknown (-1) is a row of zeros."""
    return (codes[:, None] == np.arange(n_words)[None, :]).astype(np.float64)


def _closeness(n_words: int) -> Float64Array:
    """Return 1 for the same of `n_words` ordered words falling to -1 for the two ends."""
    steps = np.abs(np.arange(n_words)[:, None] - np.arange(n_words)[None, :])
    return 1.0 - 2.0 * steps / (n_words - 1)


@dataclass(frozen=True, eq=False)
class AppliedBoundaries(AppliedBlock):
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
    hour_basis: npt.NDArray[np.float32]

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
        looks, is_ = [], []
        for column in (C.CONTACT_FREQUENCY, C.DISCLOSURE):
            n_words = len(ENUMERATIONS[column].words)
            one_hot = _one_hot(people.codes(column), n_words)
            looks.append(one_hot @ _closeness(n_words))
            is_.append(one_hot)
        hours = hours_of(people.utc_hours) @ self.hour_basis / np.sqrt(MOST_HOURS)
        looks += [hours, -self._avoids(people)]
        is_ += [hours, talk_shares(people, self.topics)]
        half = 1.0 / np.sqrt(N_PARTS)
        return BlockRows(
            (np.hstack(looks) * half).astype(np.float32), (np.hstack(is_) * half).astype(np.float32)
        )

    def _avoids(self, people: Population) -> Float64Array:
        avoids = np.zeros((len(people), len(self.topics)))
        known = people.coded_sets.get(C.TOPICS_AVOID)
        for at, topic in enumerate(self.topics):
            if known is not None and topic in known.words:
                avoids[:, at] = people.has_word(C.TOPICS_AVOID, topic)
        return avoids
