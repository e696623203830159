"""Judges of lists that share no code with the allocator's model: what lists bring, and to whom."""

from recsys.allocation.judges.envy import envious_pairs
from recsys.allocation.judges.judge import Judged, judge

__all__ = ["Judged", "envious_pairs", "judge"]
