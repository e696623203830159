"""Settings that models take by name, `ContentModel(folds=5)`, for type checkers."""

from collections.abc import Mapping, Sequence
from typing import TypedDict


class BPRSettings(TypedDict, total=False):
    """Of `BPRConfig`."""

    factors: int
    learning_rate: float
    regularization: float
    iterations: int


class BehaviourSettings(TypedDict, total=False):
    """Of `BehaviourConfig`."""

    factors: int
    alpha: float
    regularization: float
    iterations: int
    explicit_factors: int
    explicit_regularization: float
    spread: float
    strength: float
    personal_factors: int
    personal_strength: float
    steps: int
    held_out: float
    negatives_per_like: float
    stack: bool
    affinity: bool


class ContentSettings(TypedDict, total=False):
    """Of `ContentConfig`."""

    ridge: Sequence[float]
    marginal_ridge: Sequence[float]
    block_ridge: float
    person_precision: float
    folds: int
    usual_rate: float
    usual_weights: Mapping[str, float]
    distance_scale_km: float
    max_factors: int | None
    max_pairs: int
    max_tuning_pairs: int
    calibrate: bool


class CrossedEffectsSettings(TypedDict, total=False):
    """Of `CrossedEffectsConfig`."""

    rounds: int


class EASESettings(TypedDict, total=False):
    """Of `EASEConfig`."""

    factors: int | None
    most_items: int
    regularization: float


class ItemKNNSettings(TypedDict, total=False):
    """Of `ItemKNNConfig`."""

    factors: int | None
    most_items: int
    neighbours: int
    shrinkage: float


class LFRRSettings(TypedDict, total=False):
    """Of `LFRRConfig`."""

    n_factors: int
    regularization: float
    iterations: int


class PopularitySettings(TypedDict, total=False):
    """Of `PopularityConfig`."""

    evidence: float
    usual_rate: float


class RCFSettings(TypedDict, total=False):
    """Of `RCFConfig`."""

    max_factors: int


class RECONSettings(TypedDict, total=False):
    """Of `RECONConfig`."""

    n_bins: int


class RandomSettings(TypedDict, total=False):
    """Of `RandomConfig`."""

    n_factors: int
    spread: float
