"""The parts a logit is made of, told apart for single pairs."""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Kind = Literal["level", "answers", "place", "behaviour", "reduction", "noise", "whole"]
Side = Literal["both", "viewer", "candidate"]


class Part(NamedTuple):
    """One part of a logit.

    kind: where it comes from. name: which part of that kind; of answers, the feature block.
    side: `both` for what depends on the pair, else whose own number it is.
    """

    kind: Kind
    name: str
    side: Side = "both"


PairParts = Mapping[Part, Floats]
"""Each part's share of the logits of some pairs, `(n_pairs,)` each; together they are the logits."""

LEVEL: Final = Part("level", "level")
NEAR: Final = Part("place", "near")
PERSONAL: Final = Part("behaviour", "personal")
FACTORS: Final = Part("behaviour", "factors")
SELECTIVITY: Final = Part("behaviour", "selectivity", "viewer")
POPULARITY: Final = Part("behaviour", "popularity", "candidate")
REDUCTION: Final = Part("reduction", "reduction")
NOISE: Final = Part("noise", "noise")
WHOLE: Final = Part("whole", "whole")
