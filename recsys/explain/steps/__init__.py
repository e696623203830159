"""What to do next, and what to leave for later."""

from recsys.explain.steps.next_steps import NextSteps, next_steps

__all__ = ["NextSteps", "next_steps"]
