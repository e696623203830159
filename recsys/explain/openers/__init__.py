"""First messages to suggest, from what both may see."""

from recsys.explain.openers.opener import KINDS, Opener, opener, opener_kind

__all__ = ["KINDS", "Opener", "opener", "opener_kind"]
