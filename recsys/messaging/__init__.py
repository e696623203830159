"""Texts for members: reasons, icebreakers, next steps, feeling checks and the draft guard."""

from recsys.messaging.draft_guard import GUARD_KINDS, DraftFinding, advice, check_draft
from recsys.messaging.hotlines import CountryHotlines, Hotline, hotlines_of, load_hotlines
from recsys.messaging.icebreakers import ICEBREAKER_KINDS, Icebreaker, icebreaker, icebreaker_kind
from recsys.messaging.next_steps_and_feeling_checks import (
    FeelingCheckFollowUp,
    NextSteps,
    due_feeling_checks,
    follow_up,
    next_steps,
    prompts,
)

__all__ = [
    "GUARD_KINDS",
    "ICEBREAKER_KINDS",
    "CountryHotlines",
    "DraftFinding",
    "FeelingCheckFollowUp",
    "Hotline",
    "Icebreaker",
    "NextSteps",
    "advice",
    "check_draft",
    "due_feeling_checks",
    "follow_up",
    "hotlines_of",
    "icebreaker",
    "icebreaker_kind",
    "load_hotlines",
    "next_steps",
    "prompts",
]
