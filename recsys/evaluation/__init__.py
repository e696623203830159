"""Splits, metrics and intervals; knows no model."""

from recsys.evaluation.bootstrap import Interval, Resampled, resample
from recsys.evaluation.compare import compare
from recsys.evaluation.evaluate import evaluate, evaluate_probabilities
from recsys.evaluation.examination import EXAMINATIONS, Examination
from recsys.evaluation.market import (
    cohort_parity,
    coverage,
    envy,
    expected_matches,
    exposure,
    gini,
    least_parity,
    lorenz_curve,
    matches_by_person,
    mutual_labels,
    reached,
)
from recsys.evaluation.off_policy import Snips, snips
from recsys.evaluation.probability import auc, brier, ece, log_loss, reliability_table
from recsys.evaluation.protocol import as_lists
from recsys.evaluation.ranking import ndcg, precision, recall
from recsys.evaluation.registry import OwnMetric
from recsys.evaluation.splits import (
    count_signals,
    evidence_slice,
    group_folds,
    leave_one_group_out,
    pair_folds,
    temporal_split,
)

__all__ = [
    "EXAMINATIONS",
    "Examination",
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
