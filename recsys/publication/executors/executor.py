"""What an executor is given and what it must do."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class PartDone:
    """A finished part: its number, its rows, and counts the job keeps, summed over parts by who asks."""

    number: int
    rows: int
    counts: Mapping[str, int] = field(default_factory=dict)


WorkOnPart = Callable[[int], PartDone]


class Job(Protocol):
    """Work that falls into numbered parts which do not need each other.

    A job travels to other processes or machines, so it holds little: paths and plain settings.
    `open` is called once by each worker and may be expensive; what it returns does one part, writes
    the part's file itself, in full or not at all, and may be called for one part any number of times.
    """

    def open(self) -> WorkOnPart:
        """Return what does one part, with everything it needs laid out."""
        ...


class Executor(Protocol):
    """Does every part once it can, in any order, and says which are done.

    A worker that dies does not end the step: its parts are done again by another.
    """

    def run(self, job: Job, parts: Sequence[int]) -> Iterator[PartDone]:
        """Yield each part of `parts` as it is finished.

        Raises BusyError when workers keep dying, and whatever the job raises.
        """
        ...
