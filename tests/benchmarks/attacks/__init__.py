"""Attacks on the doors of the engine, each a function that says whether it held, with evidence.

An attack goes through a public door alone: tables, the ranker, the stores, receipts, the commands. It returns
a `Verdict`: `held`, `weak` (it gains something, within a stated bound), or `broken` (somebody is shown, or
learns or does what they may not).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

GROUPS: Final = ("eligibility", "serving", "privacy", "supply", "abuse", "stages")
State = Literal["held", "weak", "broken"]


@dataclass(frozen=True)
class Verdict:
    """What an attack came to: its state, what was seen, and figures by name where it measures."""

    state: State
    evidence: str
    figures: tuple[tuple[str, float], ...] = ()

    @classmethod
    def of(cls, held: object, evidence: str, **figures: float) -> "Verdict":
        """Return held or broken."""
        return cls("held" if held else "broken", evidence, tuple(figures.items()))


@dataclass(frozen=True)
class Attack:
    """One attack: its group, its name, and what carries it out."""

    group: str
    name: str
    run: Callable[[], Verdict]


ATTACKS: Final[list[Attack]] = []


def attack(group: str, name: str, run: Callable[[], Verdict]) -> None:
    """Add an attack to those that are tried.

    Raises ValueError for a group that is none, and for a name that stands twice.
    """
    if group not in GROUPS or any((one.group, one.name) == (group, name) for one in ATTACKS):
        raise ValueError(f"an attack of no group, or twice: {group}: {name}")
    ATTACKS.append(Attack(group, name, run))
