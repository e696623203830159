"""Words for people: reasons, openers, next steps, the draft guard, check-ins and the review queue."""

from recsys.messaging.draft_guard import advice, check
from recsys.messaging.feeling_checks import CheckInAnswer, answered, due_checks, prompts
from recsys.messaging.guard_rules import GUARD_KINDS, Finding
from recsys.messaging.icebreakers import ICEBREAKER_KINDS, Opener, opener, opener_kind
from recsys.messaging.next_steps import NextSteps, next_steps

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
