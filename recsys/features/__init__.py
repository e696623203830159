"""Features: what people said becomes blocks of two aligned rows a person.

Each block is one file: a scikit-learn transformer that learns, and the plain arrays it leaves, which
are applied with numpy alone. `FeatureMap` holds all blocks together.
"""

from recsys.features.base import Block, BlockRows, FittedBlock
from recsys.features.boundaries import Boundaries
from recsys.features.circles import Circles
from recsys.features.feature_map import FeatureMap, default_blocks
from recsys.features.interests import Interests
from recsys.features.numeric import Numeric
from recsys.features.population_table import population_table
from recsys.features.questionnaire import Questionnaire
from recsys.features.responsiveness import Responsiveness
from recsys.features.scales import Scales
from recsys.features.sentence_embedding import SentenceEmbedding
from recsys.features.shared_items import SharedItems
from recsys.features.talk_topics import Topics
from recsys.features.values import Values

__all__ = [
    "Block",
    "BlockRows",
    "Boundaries",
    "Circles",
    "FeatureMap",
    "FittedBlock",
    "Interests",
    "Numeric",
    "Questionnaire",
    "Responsiveness",
    "Scales",
    "SentenceEmbedding",
    "SharedItems",
    "Topics",
    "Values",
    "default_blocks",
    "population_table",
]
