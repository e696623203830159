"""The blocks every content model starts from."""

from recsys.catalogue.catalogue import Catalogue
from recsys.features.block import Block
from recsys.features.boundaries import Boundaries
from recsys.features.circles import Circles
from recsys.features.interests import Interests
from recsys.features.rhythm import Rhythm
from recsys.features.scales import Scales
from recsys.features.talk import Talk
from recsys.features.values import Values


def default_blocks(catalogue: Catalogue | None = None) -> list[Block]:
    """Return one of each block, unfitted, in their usual order.

    catalogue: interests, questions and topics; the packaged ones when None.

    >>> [block.name for block in default_blocks()]
    ['interests', 'values', 'scales', 'talk', 'boundaries', 'rhythm', 'circles']
    """
    return [
        Interests(catalogue=catalogue),
        Values(catalogue=catalogue),
        Scales(catalogue=catalogue),
        Talk(catalogue=catalogue),
        Boundaries(catalogue=catalogue),
        Rhythm(),
        Circles(),
    ]
