"""A town judged after the night: people never shown to each other, and whether both would like each other."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.constraints.policy import Policy
from recsys.data.events import Events
from recsys.data.labels import directed_labels
from recsys.data.population import Population
from recsys.evaluation import count_interactions, interaction_slice
from recsys.evaluation.market import LABEL
from recsys.simulation.town import make_town
from recsys.simulation.truth import Truth
from recsys.storage.load import load_events, load_population

Floats = npt.NDArray[np.float64]
_TILE = 256


@dataclass(frozen=True, eq=False)
class TownAfter:
    """What models learn from, and the pairs they are judged by.

    people, events: everything up to the night.
    pairs:          viewer_id, candidate_id, label: 1 when both like each other on looking, drawn from
                    the town's hidden taste; new pairs that the rules allow, at most `pool` a viewer.
    chance:         P(label) of each pair by the hidden taste, `(n_pairs,)`: what an oracle would say.
    slices:         slice of each viewer by decisions made and received, indexed by viewer_id.
    """

    people: Population
    events: Events
    pairs: pd.DataFrame
    chance: Floats
    slices: pd.Series
    truth: Truth
    at: npt.NDArray[np.int64]

    @classmethod
    def made(cls, n_people: int, rng: np.random.Generator, *, pool: int = 60) -> "TownAfter":
        """Make a town and ask it about pairs it never showed."""
        town = make_town(n_people, rng)
        people, events = load_population(town.tables), load_events(town.tables)
        viewers, candidates = _unseen_pairs(people, events, rng, pool)
        ids = people.ids.ids(np.arange(len(people)))
        at = town.ids.rows(ids).astype(np.int64)
        i, j = at[viewers], at[candidates]
        like, back = town.truth.p_like(i, j), town.truth.p_like(j, i)
        both = (rng.random(len(i)) < like) & (rng.random(len(i)) < back)
        pairs = pd.DataFrame(
            {C.VIEWER: ids[viewers], C.CANDIDATE: ids[candidates], LABEL: both.astype(np.int64)}
        )
        decided = directed_labels(events)
        signals = count_interactions(ids, decided[C.VIEWER], decided[C.CANDIDATE])
        slices = pd.Series(interaction_slice(signals.to_numpy()), index=ids)
        return cls(people, events, pairs, like * back, slices, town.truth, at)


def _unseen_pairs(
    people: Population, events: Events, rng: np.random.Generator, pool: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return random pairs that may be shown both ways and between whom nothing ever happened."""
    compiled, n_people = Policy.default().compile(people), len(people)
    actor, target = (people.ids.find(events.frame[c]).astype(np.int64) for c in (C.ACTOR, C.TARGET))
    met = (actor >= 0) & (target >= 0)
    seen = np.unique(
        np.concatenate([actor[met] * n_people + target[met], target[met] * n_people + actor[met]])
    )
    everybody, viewers, candidates = np.arange(n_people), [], []
    for start in range(0, n_people, _TILE):
        rows = everybody[start : start + _TILE]
        allowed = compiled.may_show_block(rows, everybody) & compiled.may_show_block(everybody, rows).T
        row, column = np.nonzero(allowed)
        viewer = rows[row]
        new = (viewer != column) & ~np.isin(viewer * n_people + column, seen)
        viewer, column = viewer[new], column[new]
        order = np.lexsort((rng.random(len(viewer)), viewer))
        viewer, column = viewer[order], column[order]
        place = np.arange(len(viewer)) - np.searchsorted(viewer, viewer)
        viewers.append(viewer[place < pool])
        candidates.append(column[place < pool])
    return np.concatenate(viewers), np.concatenate(candidates)
