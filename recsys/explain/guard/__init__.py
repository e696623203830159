"""What should not be in a message draft or a profile text, and where it stands; nothing is kept."""

from recsys.explain.guard.advice import advice
from recsys.explain.guard.finding import KINDS, Finding
from recsys.explain.guard.guard import check

__all__ = ["KINDS", "Finding", "advice", "check"]
