"""What models of behaviour are made with."""

from dataclasses import dataclass


@dataclass(frozen=True)
class BehaviourConfig:
    """Settings of a model that learns from behaviour.

    factors:           columns of the alternating least squares.
    alpha:             confidence an answer of average weight adds to the 1 of an unseen pair.
    regularization:    of the alternating least squares.
    iterations:        of the alternating least squares.
    signed_factors:    columns of factors of answers of both signs; 0 for those of implicit feedback alone.
    signed_regularization: ridge on them.
    spread:            standard deviation, in logits, that the factors may add to a pair before evidence.
    strength:          lam of the fold-in: how much evidence it takes to leave the prior mean.
    personal_factors:  columns of the content space in which each person's own taste is learned.
    personal_strength: lam of the fold-in there.
    steps:             Newton steps of a fold-in.
    held_out:          share of pairs left out to learn the weights of the parts and the calibration.
    unseen:            passes drawn for each like where nobody ever said no; 0 for none.
    stack:             learn those weights; False keeps the usual ones.
    """

    factors: int = 64
    alpha: float = 10.0
    regularization: float = 1.0
    iterations: int = 15
    signed_factors: int = 16
    signed_regularization: float = 3.0
    spread: float = 0.4
    strength: float = 1.0
    personal_factors: int = 32
    personal_strength: float = 2.0
    steps: int = 3
    held_out: float = 0.2
    unseen: float = 4.0
    stack: bool = True
