"""Settings of the allocator, and how likely people open lists and inboxes."""

from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field

from recsys.config import AllocationSettings
from recsys.errors import InputError, explained
from recsys.types import Float32Array


class AllocationConfig(AllocationSettings):
    """Settings of the allocator; see `recsys.config.AllocationSettings` for all but these two.

    k:        places in a list.
    workers:  threads; they change the time alone.

    Raises SettingsError for an impossible value.

    >>> AllocationConfig(fairness=0.5).k
    20
    >>> AllocationConfig().changed(fairnes=1.0)
    Traceback (most recent call last):
    recsys.errors.SettingsError: unknown key in AllocationConfig: got 'fairnes'; did you mean 'fairness'?
    """

    k: Annotated[int, Field(ge=1)] = 20
    workers: Annotated[int, Field(ge=1)] = 1


@dataclass(frozen=True, eq=False)
class MemberActivity:
    """Chances a person, `(n_people,)` float32 in [0, 1].

    opens: that a list is opened on its day: all its exposures are multiplied by it.
    reads: that the inbox is opened before a like in it is forgotten: so are the chances it is read with.

    >>> MemberActivity.of([0.5, 1.0], n_people=2).reads.tolist()
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
