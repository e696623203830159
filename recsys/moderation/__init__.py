"""Moderation: the review queue, and how far somebody is demoted until people have decided."""

from recsys.moderation.credibility import demotions
from recsys.moderation.review_policy import ReviewPolicy, load_policy
from recsys.moderation.review_queue import APPEALS, review_queue

__all__ = [
    "APPEALS",
    "ReviewPolicy",
    "demotions",
    "load_policy",
    "review_queue",
]
