"""What a ranker tells whoever listens: numbers about calls and loads, never about people."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Call:
    """One call that ended.

    route:   rank, look or explain. outcome: served, stale, unavailable, or broken for bad arguments.
    seconds: how long it took. asked, length: people asked for and given. live: whether the list of the
    night ran short. degraded: an older publication is served.
    """

    route: str
    outcome: str
    seconds: float
    asked: int
    length: int
    live: bool
    degraded: bool


@dataclass(frozen=True, slots=True)
class Load:
    """One attempt to open a publication; `problem` is empty when it is served now."""

    run_id: str
    seconds: float
    problem: str


class Hooks(Protocol):
    """Listens to a ranker. It must be quick; what it raises is logged and goes no further."""

    def on_call(self, call: Call) -> None:
        """Take note of a call."""
        ...

    def on_load(self, load: Load) -> None:
        """Take note of a load."""
        ...
