"""One policy's nights in several towns as flat arrays, and what they come to under any weights of people."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from recsys.evaluation.gini import gini
from recsys.evaluation.lorenz import lorenz_curve
from recsys.nights.play import Outcome
from recsys.simulation.directed import is_among

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

MEASURES = (
    "lasting_per_1000",
    "someone",
    "matches_per_1000",
    "answered",
    "exposure_gini",
    "top_load",
    "cold_matched",
    "cold_someone",
)
"""In the order they are shown; see `Pooled.measures`."""

SHARES = ("someone", "answered", "exposure_gini", "cold_matched", "cold_someone")
"""Measures that lie between 0 and 1."""

_TOP = 0.01


@dataclass(frozen=True, eq=False)
class Pooled:
    """People of all towns end to end.

    matches, lasting, sent: night and two rows, `(n, 3)`. exposure: `(n_people,)`. members: who was
    listed on any night under any policy; newcomers: who joined during the nights.
    """

    nights: int
    matches: Rows
    lasting: Rows
    sent: Rows
    exposure: Floats
    members: Mask
    newcomers: Mask

    @classmethod
    def of(cls, outcomes: Sequence[Outcome], policy: str) -> "Pooled":
        """Join the diaries of one policy."""
        diaries = [outcome.diaries[policy] for outcome in outcomes]
        first = np.cumsum([0, *(outcome.n_people for outcome in outcomes)])
        return cls(
            nights=outcomes[0].config.nights,
            matches=_joined([d.matches for d in diaries], first),
            lasting=_joined([d.lasting for d in diaries], first),
            sent=_joined([d.sent for d in diaries], first),
            exposure=np.concatenate([d.exposure for d in diaries]),
            members=np.concatenate([_members(outcome) for outcome in outcomes]),
            newcomers=np.concatenate([outcome.newcomers for outcome in outcomes]),
        )

    def measures(self, times: Floats) -> dict[str, float]:
        """Return every measure when person i counts `times[i]` times, a pair the product of its two.

        lasting_per_1000, matches_per_1000: pairs a thousand members. someone: share of members in a
        lasting pair. answered: share of likes from lists that became a match. exposure_gini: how
        unequally expected looks are spread. top_load: likes a night to the most liked 1 %.
        cold_matched, cold_someone: share of newcomers with a match, with a lasting one.
        """
        of_members = times * self.members
        people = of_members.sum()
        cold = of_members * self.newcomers
        sent = _weight(self.sent, times)
        return {
            "lasting_per_1000": 1000.0 * _weight(self.lasting, times).sum() / people,
            "someone": float(of_members[self._in(self.lasting)].sum() / people),
            "matches_per_1000": 1000.0 * _weight(self.matches, times).sum() / people,
            "answered": float(_share(sent[self._became_match].sum(), sent.sum())),
            "exposure_gini": gini(np.repeat(self.exposure, of_members.astype(np.int64))),
            "top_load": self._top_load(of_members),
            "cold_matched": float(_share(cold[self._in(self.matches)].sum(), cold.sum())),
            "cold_someone": float(_share(cold[self._in(self.lasting)].sum(), cold.sum())),
        }

    def curves(self, times: Floats) -> dict[str, Floats]:
        """Return lasting_per_1000 and someone after each night, `(n_nights,)` each."""
        people = (times * self.members).sum()
        first = np.full(len(times), self.nights, np.int64)
        np.minimum.at(first, self.lasting[:, 1:].reshape(-1), np.repeat(self.lasting[:, 0], 2))
        pairs = np.bincount(self.lasting[:, 0], _weight(self.lasting, times), self.nights)
        began = np.bincount(first, times * self.members, self.nights + 1)[: self.nights]
        return {"lasting_per_1000": 1000.0 * np.cumsum(pairs) / people, "someone": np.cumsum(began) / people}

    def lorenz(self, points: int) -> Floats:
        """Return the share of all exposure that the least shown members get, at equal steps of people."""
        people, share = lorenz_curve(self.exposure[self.members])
        return np.interp(np.linspace(0.0, 1.0, points), people, share)

    @cached_property
    def _became_match(self) -> Mask:
        n = len(self.members)
        low, high = self.sent[:, 1:].min(axis=1), self.sent[:, 1:].max(axis=1)
        return is_among(low * n + high, np.sort(self.matches[:, 1] * n + self.matches[:, 2]))

    @cached_property
    def _received(self) -> Floats:
        return np.bincount(self.sent[:, 2], minlength=len(self.members)) / self.nights

    def _top_load(self, times: Floats) -> float:
        load = np.sort(np.repeat(self._received, times.astype(np.int64)))
        return float(load[-max(1, round(_TOP * len(load))) :].mean())

    def _in(self, pairs: Rows) -> Rows:
        return np.unique(pairs[:, 1:])


def _members(outcome: Outcome) -> Mask:
    return np.any([diary.listed > 0 for diary in outcome.diaries.values()], axis=0)


def _joined(parts: Sequence[Sequence[Rows]], first: Rows) -> Rows:
    whole = [
        np.concatenate([np.empty((0, 3), np.int64), *nights]) + np.array([0, start, start])
        for nights, start in zip(parts, first, strict=False)
    ]
    return np.concatenate(whole)


def _weight(pairs: Rows, times: Floats) -> Floats:
    return times[pairs[:, 1]] * times[pairs[:, 2]]


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float("nan")
