"""The hybrid: answers say where a person starts, behaviour says where they are."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Unpack

from recsys.features.feature_map import FeatureMap
from recsys.models.behaviour import BehaviourModel
from recsys.models.behaviour_parameters import BehaviourConfig
from recsys.models.content import ContentConfig, ContentModel
from recsys.models.keyword_settings import BehaviourSettings

if TYPE_CHECKING:
    from recsys.features.base import Block


class HybridSettings(BehaviourSettings, total=False):
    """Of `HybridConfig`."""

    content: ContentConfig


class HybridConfig(BehaviourConfig):
    """Settings of the hybrid: those of behaviour, and `content` for the model beneath.

    >>> HybridConfig.from_mapping({"content": {"folds": 2}}).content.folds
    2
    """

    content: ContentConfig = ContentConfig()


class HybridModel(BehaviourModel):
    """Content, and what behaviour adds to it; what nobody knows yet comes from content alone.

    Four things are added to the content logit, each 0 without evidence, so that a newcomer scores as
    content says: how selective the viewer is, how popular the candidate is, how far each person's
    taste and appeal lie from what their answers say (fold-in in the content model's own space), and
    factors of behaviour alone (fold-in around a ridge map from content). Their weights by amount of
    evidence, and the calibration to P(like | look), are learned on pairs left out of everything else.

    blocks:   the feature blocks of the content model (the default ones when None).
    features: blocks fitted already on the people `fit` will be given; then none are fitted.

    Where no answer and no place tells anybody from anybody, there is no content beneath and `content_`
    is None: the model is the collaborative one.

    `updated` folds people in again after a day's events without refitting.

    >>> import numpy as np
    >>> import recsys
    >>> town = recsys.make_town(40, np.random.default_rng(7))
    >>> people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
    >>> config = HybridConfig(content=ContentConfig(ridge=(30.0,), marginal_ridge=(30.0,), calibrate=False))
    >>> model = HybridModel(config).fit(people, events, rng=np.random.default_rng(1))
    >>> model.explain_pair("u0000001", "u0000002").terms.keys() >= model.content_.explain_pair(
    ...     "u0000001", "u0000002"
    ... ).terms.keys()
    True
    """

    name = "hybrid"
    config_type = HybridConfig
    config: HybridConfig

    def __init__(
        self,
        config: HybridConfig | None = None,
        *,
        blocks: "Sequence[Block] | None" = None,
        features: FeatureMap | None = None,
        **settings: Unpack[HybridSettings],
    ) -> None:
        super().__init__(config, **settings)
        self.blocks = blocks
        self.features = features

    def _content_model(self) -> ContentModel:
        return ContentModel(self.config.content, blocks=self.blocks, features=self.features)
