"""Factors from behaviour alone; nobody's answers are read."""

from typing import TYPE_CHECKING

from recsys.models.behaviour import BehaviourModel
from recsys.models.behaviour_parameters import BehaviourConfig

if TYPE_CHECKING:
    from typing import Unpack

    from recsys.models.keyword_settings import BehaviourSettings


class CollaborativeModel(BehaviourModel):
    """Who likes whom, learned from who liked whom: no answer of anybody is read.

    Alternating least squares on the directed matrix of answers, then fold-in, selectivity and
    popularity, stacked and calibrated on pairs left out. Somebody without any event scores as the
    average person.

    Source: Hu, Koren and Volinsky, "Collaborative filtering for implicit feedback datasets",
    ICDM 2008.

    >>> CollaborativeModel(BehaviourConfig(factors=16)).config.factors
    16
    """

    name = "collaborative"
    config_type = BehaviourConfig

    if TYPE_CHECKING:

        def __init__(
            self, config: BehaviourConfig | None = None, **settings: Unpack[BehaviourSettings]
        ) -> None: ...
