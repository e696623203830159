"""What happened between people: labels, separations and the stage of a pair, as of a time."""

from recsys.history.events import Events
from recsys.history.labels import directed_labels
from recsys.history.separations import relations
from recsys.history.stage import pair_stage

__all__ = ["Events", "directed_labels", "pair_stage", "relations"]
