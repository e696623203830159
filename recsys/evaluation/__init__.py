"""Splits, metrics and intervals; knows no model."""

from recsys.evaluation.as_lists import as_lists
from recsys.evaluation.auc import auc
from recsys.evaluation.bootstrap import Interval, Resampled, resample
from recsys.evaluation.brier import brier
from recsys.evaluation.compare import compare
from recsys.evaluation.coverage import coverage
from recsys.evaluation.ece import ece, reliability_table
from recsys.evaluation.evaluate import evaluate
from recsys.evaluation.gini import exposure, gini
from recsys.evaluation.log_loss import log_loss
from recsys.evaluation.mutual import mutual_labels
from recsys.evaluation.ndcg import ndcg
from recsys.evaluation.precision import precision
from recsys.evaluation.probabilities import evaluate_probabilities
from recsys.evaluation.recall import recall
from recsys.evaluation.slices import count_signals, evidence_slice
from recsys.evaluation.splits import group_folds, leave_one_group_out, pair_folds, temporal_split

__all__ = [
    "Interval",
    "Resampled",
    "as_lists",
    "auc",
    "brier",
    "compare",
    "count_signals",
    "coverage",
    "ece",
    "evaluate",
    "evaluate_probabilities",
    "evidence_slice",
    "exposure",
    "gini",
    "group_folds",
    "leave_one_group_out",
    "log_loss",
    "mutual_labels",
    "ndcg",
    "pair_folds",
    "precision",
    "recall",
    "reliability_table",
    "resample",
    "temporal_split",
]
