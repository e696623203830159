"""What a content model is made with."""

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

USUAL_WEIGHTS: Final = MappingProxyType(
    {
        "interests": 2.0,
        "values": 3.0,
        "scales": 1.0,
        "talk": 1.5,
        "boundaries": 1.5,
        "rhythm": 0.5,
        "circles": 1.0,
        "near": 0.5,
    }
)
"""Logits a block's pair score of 1 is worth before any outcome was seen.

Judged, not measured: agreement on values and being listened to weigh more than hobbies, a shared
circle or a like rhythm. Outcomes move them; without any they are the model.
"""


@dataclass(frozen=True, slots=True)
class ContentConfig:
    """Settings of the content model.

    ridge:            precisions of a column's own deviation from its block's weight, and
    marginal_ridge:   of what a column says about the viewer or the candidate alone, to choose from by
                      cross-validation over people; a single one is taken as it is.
    block_ridge:      precision of a block's weight around its usual one.
    person_precision: precision of each person's own selectivity and popularity; 0 leaves them out.
    folds:            folds of people for the choice and for calibration.
    usual_rate:       P(like | look) before any outcome was seen.
    usual_weights:    block names (and `near`) with their usual weight, as pairs.
    near_scale_km:    the distance over which nearness falls to 1/e.
    max_factors:      columns of taste and appeal, at most; None keeps the exact form.
    max_pairs:        outcomes to learn from, at most, drawn evenly.
    max_tuning_pairs: outcomes to choose the ridge with, about, all those among people drawn evenly.
    calibrate:        fold a cross-fitted Platt line into the matrices.
    """

    ridge: tuple[float, ...] = (10.0, 100.0, 1000.0)
    marginal_ridge: tuple[float, ...] = (0.3, 3.0, 30.0, 300.0)
    block_ridge: float = 1.0
    person_precision: float = 1.0
    folds: int = 4
    usual_rate: float = 0.2
    usual_weights: tuple[tuple[str, float], ...] = field(default_factory=lambda: tuple(USUAL_WEIGHTS.items()))
    near_scale_km: float = 30.0
    max_factors: int | None = 128
    max_pairs: int = 250_000
    max_tuning_pairs: int = 30_000
    calibrate: bool = True
