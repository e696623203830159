"""The talk block: knows the topics of the catalogue."""

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.loading import load_catalogue
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.features.applied.talk import AppliedTalk
from recsys.features.block import Block


class Talk(Block):
    """What one needs to talk about, against what the other listens to; directed.

    catalogue: the topics; the packaged ones when None.
    """

    name = "talk"

    def __init__(self, *, catalogue: Catalogue | None = None) -> None:
        self.catalogue = catalogue

    def _learn(self, people: Population, events: Events) -> AppliedTalk:  # noqa: ARG002
        return AppliedTalk(topics=tuple(sorted((self.catalogue or load_catalogue()).topics)))
