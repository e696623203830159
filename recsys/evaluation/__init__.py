"""Splits, metrics and intervals; knows no model."""

from recsys.evaluation.as_lists import as_lists
from recsys.evaluation.auc import auc
from recsys.evaluation.bootstrap import Interval, Resampled, resample
from recsys.evaluation.brier import brier
from recsys.evaluation.compare import compare
from recsys.evaluation.coverage import coverage
from recsys.evaluation.ece import ece, reliability_table
from recsys.evaluation.envy import envy
from recsys.evaluation.evaluate import evaluate
from recsys.evaluation.examination import EXAMINATIONS
from recsys.evaluation.expected_matches import expected_matches, matches_by_person
from recsys.evaluation.gini import exposure, gini
from recsys.evaluation.log_loss import log_loss
from recsys.evaluation.lorenz import lorenz_curve
from recsys.evaluation.mutual import mutual_labels
from recsys.evaluation.ndcg import ndcg
from recsys.evaluation.own_metric import OwnMetric
from recsys.evaluation.parity import cohort_parity, least_parity
from recsys.evaluation.precision import precision
from recsys.evaluation.probabilities import evaluate_probabilities
from recsys.evaluation.reached import reached
from recsys.evaluation.recall import recall
from recsys.evaluation.slices import count_signals, evidence_slice
from recsys.evaluation.snips import Snips, snips
from recsys.evaluation.splits import group_folds, leave_one_group_out, pair_folds, temporal_split

__all__ = [
    "EXAMINATIONS",
    "Interval",
    "OwnMetric",
    "Resampled",
    "Snips",
    "as_lists",
    "auc",
    "brier",
    "cohort_parity",
    "compare",
    "count_signals",
    "coverage",
    "ece",
    "envy",
    "evaluate",
    "evaluate_probabilities",
    "evidence_slice",
    "expected_matches",
    "exposure",
    "gini",
    "group_folds",
    "least_parity",
    "leave_one_group_out",
    "log_loss",
    "lorenz_curve",
    "matches_by_person",
    "mutual_labels",
    "ndcg",
    "pair_folds",
    "precision",
    "reached",
    "recall",
    "reliability_table",
    "resample",
    "snips",
    "temporal_split",
]
