"""What happened between people: labels, separations and the stage of a pair, as of a time."""

from recsys.history.events import Events
from recsys.history.labels import directed_labels
from recsys.history.pair_stages import PairStages, pair_stages
from recsys.history.separations import relations
from recsys.history.stage import PairStage, pair_stage

__all__ = [
    "Events",
    "PairStage",
    "PairStages",
    "directed_labels",
    "pair_stage",
    "pair_stages",
    "relations",
]
