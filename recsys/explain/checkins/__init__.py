"""Feeling checks: who is due, and what one answer leads to."""

from recsys.explain.checkins.answers import CheckInAnswer, answered, prompts
from recsys.explain.checkins.due import due_checks

__all__ = ["CheckInAnswer", "answered", "due_checks", "prompts"]
