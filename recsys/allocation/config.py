"""What decides an allocation: one frozen value."""

from dataclasses import dataclass, fields, replace
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
from numba import njit

from recsys.errors import InputError, SettingsError, did_you_mean, explained
from recsys.types import Float32Array

NOT_READ: Final = 0
POWER: Final = 1
EXPONENTIAL: Final = 2

Decay = float | str
"""A number d for r ** -d, "exponential" for exp(-(r - 1)), "none" for never."""


@dataclass(frozen=True)
class Examination:
    """The chance that place r (from 1, not only whole numbers) is looked at.

    kind: POWER is r ** -decay, EXPONENTIAL is exp(-decay (r - 1)), NOT_READ is 0.

    >>> Examination.of(1.0).at([1, 2, 4]).tolist(), Examination.of("none").at([1, 2]).tolist()
    ([1.0, 0.5, 0.25], [0.0, 0.0])
    """

    kind: int
    decay: float

    @classmethod
    def of(cls, decay: Decay, *, where: str = "examination") -> Self:
        """Return the curve a setting names.

        Raises SettingsError for what is neither a number from 0, "exponential" nor "none".
        """
        if decay == "none":
            return cls(NOT_READ, 0.0)
        if decay == "exponential":
            return cls(EXPONENTIAL, 1.0)
        number = isinstance(decay, int | float) and not isinstance(decay, bool)
        if not (number and 0.0 <= float(decay) < np.inf):
            remedy = 'use a number d for r ** -d, "exponential" or "none"'
            raise SettingsError(explained("not a way to read a list", where=where, got=decay, remedy=remedy))
        return cls(POWER, float(decay))

    def at(self, place: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the chance of each place, in the shape of `place`."""
        r = np.asarray(place, dtype=np.float64)
        if self.kind == NOT_READ:
            return np.zeros(r.shape)
        return r**-self.decay if self.kind == POWER else np.exp(-self.decay * (r - 1.0))

    def slots(self, k: int) -> npt.NDArray[np.float32]:
        """Return the chances of the places 1 to k, `(k,)` float32."""
        return self.at(np.arange(1, k + 1)).astype(np.float32)


@njit(nogil=True, cache=True)
def chance_at(kind: int, decay: float, r: float):  # type: ignore[no-untyped-def]  # noqa: D103
    # The chance that place r is looked at.
    if kind == POWER:
        return 1.0 / r if decay == 1.0 else r**-decay
    return np.exp(-decay * (r - 1.0)) if kind == EXPONENTIAL else 0.0


@njit(nogil=True, cache=True)
def slope_at(kind: int, decay: float, r: float):  # type: ignore[no-untyped-def]  # noqa: D103
    # How that chance changes with r: never above 0.
    if kind == POWER:
        return -1.0 / (r * r) if decay == 1.0 else -decay * r ** (-decay - 1.0)
    return -decay * np.exp(-decay * (r - 1.0)) if kind == EXPONENTIAL else 0.0


@dataclass(frozen=True)
class AllocationConfig:
    """Settings of the allocator.

    k:        places in a list.
    fairness: from 0, the sum of expected matches (welfare), to 1, the sum of their logarithms over
              people (Nash); a person's matches weigh `(matches + epsilon) ** -fairness`.
    epsilon:  matches a person is taken to have anyway, so that nobody weighs without end.
    steps:    Frank-Wolfe steps.
    look:     how a list is read: a number d for place ** -d, or "exponential".
    inbox:    how received likes are read, from the most welcome down: the same, or "none" where a
              match needs a like from both lists.
    budget:   likes a person may expect to receive from one round of lists, None for no limit.
    floor:    whether everybody who could be shown to somebody is, by exploration places at list ends.
    workers:  threads; they change the time alone.

    Raises SettingsError for an impossible value.

    >>> AllocationConfig(fairness=0.5).k
    20
    """

    k: int = 20
    fairness: float = 0.0
    epsilon: float = 0.01
    steps: int = 60
    look: Decay = 1.0
    inbox: Decay = 1.0
    budget: float | None = None
    floor: bool = False
    workers: int = 1

    def __post_init__(self) -> None:
        for name, least in (("k", 1), ("steps", 0), ("workers", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise SettingsError(explained(f"must be a whole number from {least}", where=name, got=value))
        if not 0.0 <= self.fairness <= 1.0:
            remedy = "0 is welfare, 1 is Nash"
            raise SettingsError(
                explained("must lie between 0 and 1", where="fairness", got=self.fairness, remedy=remedy)
            )
        if not 0.0 < self.epsilon < float("inf"):
            raise SettingsError(explained("must be above 0", where="epsilon", got=self.epsilon))
        if self.budget is not None and not self.budget > 0.0:
            remedy = "leave it empty for no limit"
            raise SettingsError(explained("must be above 0", where="budget", got=self.budget, remedy=remedy))
        if self.look == "none":
            raise SettingsError(explained("a list that is never read allocates nothing", where="look"))
        Examination.of(self.look, where="look")
        Examination.of(self.inbox, where="inbox")

    def changed(self, **changes: Any) -> Self:
        """Return the same settings with some changed.

        Raises SettingsError for an unknown name.

        >>> AllocationConfig().changed(fairnes=1.0)
        Traceback (most recent call last):
        recsys.errors.SettingsError: unknown setting of the allocator: got 'fairnes'; did you mean 'fairness'?
        """
        known = [field.name for field in fields(self)]
        for name in changes:
            if name not in known:
                remedy = did_you_mean(name, known)
                raise SettingsError(explained("unknown setting of the allocator", got=name, remedy=remedy))
        return replace(self, **changes)


@dataclass(frozen=True, eq=False)
class Presence:
    """Chances a person, `(n_people,)` float32 in [0, 1].

    opens: that a list is opened on its day: all its exposures are multiplied by it.
    reads: that the inbox is opened before a like in it is forgotten: so are the chances it is read with.

    >>> Presence.of([0.5, 1.0], n_people=2).reads.tolist()
    [0.875, 1.0]
    """

    opens: Float32Array
    reads: Float32Array

    @classmethod
    def of(
        cls, opens: npt.ArrayLike, reads: npt.ArrayLike | None = None, *, n_people: int, days: int = 3
    ) -> Self:
        """Build from chances; without `reads` a like waits for `days` days on which the inbox may be opened.

        Raises InputError for another number of people or what is no probability.
        """
        opened = np.asarray(opens, np.float32)
        found = np.asarray(1.0 - (1.0 - opened) ** days if reads is None else reads, np.float32)
        for name, chance in (("opens", opened), ("reads", found)):
            if chance.shape != (n_people,):
                what = "one chance a person is needed"
                raise InputError(explained(what, where=name, got=f"shape {chance.shape}"))
            if not ((chance >= 0.0) & (chance <= 1.0)).all():  # comparisons with NaN are false
                raise InputError(explained("not a probability", where=name))
        return cls(opened, found)

    @classmethod
    def always(cls, n_people: int) -> Self:
        """Everybody opens everything."""
        return cls(np.ones(n_people, np.float32), np.ones(n_people, np.float32))
