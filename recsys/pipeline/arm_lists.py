"""The lists of a night: of every arm where an experiment is running, near ties in an order by lot."""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.allocation.baseline_rankings import naive, product
from recsys.allocation.config import AllocationConfig
from recsys.allocation.graph import CandidateGraph
from recsys.config import AllocationSettings
from recsys.data.population import Population
from recsys.experiments.night_arms import NightArms, joined_pairs
from recsys.parallel import n_processors
from recsys.random import generator
from recsys.ranking.allocated_lists import pairs_of_edges
from recsys.ranking.ranked_pairs import RankedPairs
from recsys.ranking.recommend import Recommender
from recsys.ranking.score_bins import order_by_lot
from recsys.settings import Settings

PRODUCT: Final = "product"
ALLOCATED: Final = "allocated"
OF_NIGHT: Final = ""
"""In place of an arm: the lists by the settings of the night."""


def allocation_config(settings: Settings, arm: str = OF_NIGHT) -> AllocationConfig:
    """Return the allocator's settings of a night, or of an arm."""
    chosen = settings.allocate.model_dump(include=set(AllocationSettings.model_fields))
    workers = settings.execution.workers or n_processors()  # threads: the same bytes in less time
    config = AllocationConfig(k=settings.recommend.k, workers=workers, **chosen)
    if arm and settings.experiment is not None:
        return config.changed(**settings.experiment.arms[arm].allocate)
    return config


def lot_of(
    settings: Settings, config: AllocationConfig, as_of: pd.Timestamp, *, arm: str = OF_NIGHT, what: str = ""
) -> np.random.Generator:
    """Return the generator of what is drawn when lists are allocated; a mixture is drawn anew every night."""
    of_arm, of_night = f" {arm}" if arm else "", f" {as_of.isoformat()}" if config.mixture else ""
    return generator(settings, f"allocate{of_arm}{of_night}{what}")


def night_arms(settings: Settings, people: Population) -> NightArms | None:
    """Return the arms of everybody, None when no experiment is running on the night."""
    if settings.experiment is None:
        return None
    arms = NightArms.of(settings.experiment, people.ids.values, people.as_of)
    return arms if arms.running else None


def allocated_arms(settings: Settings, arms: NightArms | None) -> tuple[str, ...]:
    """Return whose lists are allocated: those of the night, and of every arm with other settings."""
    if arms is None or settings.experiment is None:
        return (OF_NIGHT,)
    given = settings.experiment.arms.items()
    return (OF_NIGHT, *(name for name, arm in given if arm.order == ALLOCATED and arm.allocate))


def night_lists(
    settings: Settings,
    arms: NightArms | None,
    as_of: pd.Timestamp,
    ordered: Callable[[str], RankedPairs],
    allocated: Callable[[str], RankedPairs],
) -> RankedPairs:
    """Return the lists of a night, or of every arm where an experiment is running.

    An arm makes the lists of everybody, as if all had it; each viewer then gets those of their own. ordered:
    gives lists by an order, `product` or `naive`; allocated: those of one of `allocated_arms`.
    """
    if arms is None or settings.experiment is None:
        return tied_by_lot(allocated(OF_NIGHT), as_of)
    lists = {}
    for name, arm in settings.experiment.arms.items():
        if arm.order == ALLOCATED:
            lists[name] = tied_by_lot(allocated(name if arm.allocate else OF_NIGHT), as_of)
        else:
            pairs = ordered(arm.order)
            lists[name] = tied_by_lot(pairs, as_of, pairs.p_like if arm.order == "naive" else None)
    return joined_pairs(arms, lists, settings.recommend.k)


def ordered_pairs(
    recommender: Recommender, graph: CandidateGraph, order: str, settings: Settings
) -> RankedPairs:
    """Return the best of every viewer of a graph by an order, `product` or `naive`, checked."""
    ranked = {PRODUCT: product, "naive": naive}[order](graph, settings.recommend.k)
    return recommender.recheck(pairs_of_edges(graph, ranked, settings.recommend.combiner))[0]


def tied_by_lot(
    pairs: RankedPairs, as_of: pd.Timestamp, chance: npt.NDArray[np.float32] | None = None
) -> RankedPairs:
    """Return whole lists with people whose chances hardly differ in an order by lot, see `order_by_lot`.

    chance: what the lists are ordered by, that of a match when None.
    """
    by = pairs.p_mutual if chance is None else chance
    order = order_by_lot(pairs.viewer, pairs.candidate, by, day=as_of.toordinal())
    return pairs.filtered(order)
