"""What people review, and how much lower somebody is shown until they have decided."""

from recsys.explain.review.demotion import demotions
from recsys.explain.review.policy import ReviewPolicy, load_policy
from recsys.explain.review.queue import APPEALS, review_queue

__all__ = ["APPEALS", "ReviewPolicy", "demotions", "load_policy", "review_queue"]
