"""What each kind of evidence says about one person's wish to know another, in one table.

`label` 1 is a yes, 0 a no. `strength` in (0, 1] is how much the evidence weighs; only the order and
the rough proportions matter, and they follow one idea: the more an act cost, the more it says.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class LabelWeight:
    """One kind of evidence."""

    label: float
    strength: float
    why: str


LABEL_WEIGHTS: Final[Mapping[str, LabelWeight]] = MappingProxyType(
    {
        "impression": LabelWeight(
            0.0, 0.05, "seen and left unanswered: almost nothing, and only when asked for"
        ),
        "pass": LabelWeight(0.0, 0.3, "a tap; often says 'not today'"),
        "hide": LabelWeight(0.0, 0.4, "a tap that was meant to last"),
        "like": LabelWeight(1.0, 0.3, "a tap"),
        "message: replied": LabelWeight(1.0, 0.6, "took the time to answer"),
        "rules_agreed: both": LabelWeight(1.0, 0.6, "both want to go on, and how"),
        "message: exchange": LabelWeight(1.0, 0.8, "kept answering each other for a week or more"),
        "feeling_check: both comfortable": LabelWeight(1.0, 0.9, "both said it is good as it is"),
        "meet_feedback: both again": LabelWeight(1.0, 1.0, "met, felt safe, and both would meet again"),
        "feeling_check: pressured": LabelWeight(0.0, 0.9, "said it does not feel good"),
        "end: unsafe": LabelWeight(0.0, 1.0, "left because it was not safe"),
    }
)
"""The numbers. Evidence that needs both counts for both directions."""

NO_EVIDENCE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "terms_accepted": "about one person alone",
        "verified": "about one person alone",
        "optin": "opens a stage, asked for by the service",
        "meet_planned": "a plan is no verdict",
        "erase": "every row of the person drops",
    }
)
"""Event types that say nothing about taste, and why."""

SAFETY: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "block": (),
        "report": (),
        "off_platform_request": (),
        "money_request": (),
        "meet_feedback": ("unsafe",),
    }
)
"""Events (with these details, if any are named) that take the pair out of training, both ways."""


@dataclass(frozen=True, slots=True)
class LabelSettings:
    """How events become labels.

    half_life_days: age at which evidence weighs half. exchange_days, exchange_messages,
    exchange_balance: an exchange is strong when it lasted so long, each sent so many, and the one
    who wrote less wrote at least this share of the other's count. unanswered: also return pairs
    that were only shown.
    """

    half_life_days: float = 180.0
    exchange_days: float = 7.0
    exchange_messages: int = 5
    exchange_balance: float = 1 / 3
    unanswered: bool = False
    label_weights: Mapping[str, LabelWeight] = field(default_factory=lambda: LABEL_WEIGHTS)
