"""Splits, metrics and intervals; knows no model."""

from recsys.data.examination import EXAMINATIONS, Examination
from recsys.evaluation.bootstrap import BootstrapResult, Interval, bootstrap
from recsys.evaluation.calibration import ece, reliability_table
from recsys.evaluation.compare import compare
from recsys.evaluation.cross_validation import compare_models, cross_validate, learning_curve
from recsys.evaluation.estimates import Estimates, estimate
from recsys.evaluation.evaluate import evaluate, evaluate_probabilities
from recsys.evaluation.held_out import truth_after
from recsys.evaluation.market import (
    cohort_parity,
    coverage,
    envy,
    expected_matches,
    exposure,
    gini,
    lorenz_curve,
    matches_by_person,
    min_parity,
    mutual_labels,
    reach,
)
from recsys.evaluation.off_policy import Snips, off_policy, snips
from recsys.evaluation.off_policy_tables import off_policy_log
from recsys.evaluation.parameter_search import SearchResult, tune
from recsys.evaluation.probability import auc, brier, log_loss
from recsys.evaluation.protocol import as_lists
from recsys.evaluation.ranking import ndcg, precision, recall
from recsys.evaluation.reciprocal import reciprocal_metrics
from recsys.evaluation.registry import CustomMetric
from recsys.evaluation.splits import (
    count_interactions,
    group_folds,
    interaction_slice,
    leave_one_group_out,
    pair_folds,
    temporal_split,
)

__all__ = [
    "EXAMINATIONS",
    "BootstrapResult",
    "CustomMetric",
    "Estimates",
    "Examination",
    "Interval",
    "SearchResult",
    "Snips",
    "as_lists",
    "auc",
    "bootstrap",
    "brier",
    "cohort_parity",
    "compare",
    "compare_models",
    "count_interactions",
    "coverage",
    "cross_validate",
    "ece",
    "envy",
    "estimate",
    "evaluate",
    "evaluate_probabilities",
    "expected_matches",
    "exposure",
    "gini",
    "group_folds",
    "interaction_slice",
    "learning_curve",
    "leave_one_group_out",
    "log_loss",
    "lorenz_curve",
    "matches_by_person",
    "min_parity",
    "mutual_labels",
    "ndcg",
    "off_policy",
    "off_policy_log",
    "pair_folds",
    "precision",
    "reach",
    "recall",
    "reciprocal_metrics",
    "reliability_table",
    "snips",
    "temporal_split",
    "truth_after",
    "tune",
]
