"""Moderation: the review queue, cases that people decide, and how far somebody is demoted until then."""

from recsys.moderation.case_states import ANSWERS, DECISIONS, STATES, Case, CaseStep
from recsys.moderation.cases import CaseChangedError, CaseLog
from recsys.moderation.credibility import demotions
from recsys.moderation.review_policy import ReviewPolicy, load_policy
from recsys.moderation.review_queue import APPEALS, review_queue

__all__ = [
    "ANSWERS",
    "APPEALS",
    "DECISIONS",
    "STATES",
    "Case",
    "CaseChangedError",
    "CaseLog",
    "CaseStep",
    "ReviewPolicy",
    "demotions",
    "load_policy",
    "review_queue",
]
