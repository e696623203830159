"""Tables and their contracts, populations, events, labels, relations and stages of pairs."""

from recsys.data.events import Events
from recsys.data.exclusions import relations
from recsys.data.labels import directed_labels
from recsys.data.pair_stages import PairStage, PairStages, pair_stage, pair_stages

__all__ = [
    "Events",
    "PairStage",
    "PairStages",
    "directed_labels",
    "pair_stage",
    "pair_stages",
    "relations",
]
