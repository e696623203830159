"""Words for people: reasons, openers, next steps, the draft guard, check-ins and the review queue."""

from recsys.messaging.draft_guard import GUARD_KINDS, Finding, advice, check
from recsys.messaging.icebreakers import ICEBREAKER_KINDS, Opener, opener, opener_kind
from recsys.messaging.next_steps_and_feeling_checks import (
    CheckInAnswer,
    NextSteps,
    answered,
    due_checks,
    next_steps,
    prompts,
)

__all__ = [
    "GUARD_KINDS",
    "ICEBREAKER_KINDS",
    "CheckInAnswer",
    "Finding",
    "NextSteps",
    "Opener",
    "advice",
    "answered",
    "check",
    "due_checks",
    "next_steps",
    "opener",
    "opener_kind",
    "prompts",
]
