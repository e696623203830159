"""What decides an allocation: one frozen value."""

from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from recsys.errors import InputError, SettingsError, did_you_mean, explained
from recsys.evaluation.examination import Decay, Examination
from recsys.types import Float32Array


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
