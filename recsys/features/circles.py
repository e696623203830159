"""The circles block: learns how rare each community is."""

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.ids import hashed_strings
from recsys.data.population import Population
from recsys.features.applied.circles import AppliedCircles
from recsys.features.block import Block


class Circles(Block):
    """Communities two people share, hashed and weighted by rarity.

    width: columns, at most 64.
    slack: shortens the row of a person whose circles say little.
    """

    name = "circles"

    def __init__(self, *, width: int = 24, slack: float = 0.5) -> None:
        self.width = width
        self.slack = slack

    def _learn(self, people: Population, events: Events) -> AppliedCircles:  # noqa: ARG002
        table = people.long.communities.drop_duplicates([C.ROW, C.COMMUNITY])
        entry, distinct = pd.factorize(table[C.COMMUNITY].astype(object))
        hashes = hashed_strings([str(name) for name in distinct], salt="circle")
        members = np.bincount(entry, minlength=len(distinct))
        order = np.argsort(hashes, kind="stable")
        return AppliedCircles(
            hashes=hashes[order],
            members=members[order].astype(np.int64),
            n_people=len(people),
            width=self.width,
            slack=self.slack,
        )
