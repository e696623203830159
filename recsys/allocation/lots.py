"""What is drawn by lot after lists are allocated: places of minimum exposure, and a few whole lists."""

import numpy as np

from recsys.allocation.graph import CandidateGraph
from recsys.allocation.minimum_exposure import ExposedLists, with_minimum_exposure
from recsys.allocation.objective import MeanFieldModel
from recsys.allocation.randomised_lists import with_randomised_lists
from recsys.allocation.rounding import RankedEdges
from recsys.types import BoolArray, Float32Array, Float64Array


def with_lots(  # noqa: PLR0917
    graph: CandidateGraph,
    exposed: ExposedLists,
    model: MeanFieldModel,
    rng: np.random.Generator,
    caps: Float64Array | None = None,
    asked: BoolArray | None = None,
) -> ExposedLists:
    """Return lists with what the settings of `model` say is drawn by lot.

    exposed: lists of edges of `graph`, over the people of `model`. caps: `(n_people,)` likes each may expect,
    or None. asked: `(n_people,)`, who may be given a place; everybody when None.
    """
    config, weights, opens = model.config, model.position_weights, model.activity.opens
    if config.minimum_exposure:
        found = with_minimum_exposure(graph, exposed.ranked, weights, rng, caps, opens, asked)
        chance = _of_draws(exposed.ranked, exposed.propensity, found)
        exposed = ExposedLists(found.ranked, chance, found.unplaced)
    if config.randomised_share:
        exposed = with_randomised_lists(graph, exposed, config.randomised_share, weights, rng, caps, opens)
    return exposed


def _of_draws(ranked: RankedEdges, propensity: Float32Array, exposed: ExposedLists) -> Float32Array:
    """Return the chance of every entry: of its exploration place, else that of the list it was drawn with."""
    chance = np.ones(
        int(max(ranked.edge.max(initial=-1), exposed.ranked.edge.max(initial=-1))) + 1, np.float32
    )
    chance[ranked.edge] = propensity
    by_lot = exposed.propensity < 1.0
    return np.where(by_lot, exposed.propensity, chance[exposed.ranked.edge]).astype(np.float32)
