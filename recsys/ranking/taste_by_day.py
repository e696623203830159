"""The taste of a viewer after what they said today: the answers are folded in, the model stays as it is."""

from collections.abc import Callable

import numpy as np

from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.labels import LABEL, directed_labels
from recsys.data.population import Population
from recsys.models.fold_in import taste_after
from recsys.ranking.snapshot import Snapshot
from recsys.ranking.viewer_day import ViewerDay
from recsys.types import Float32Array, Float64Array, Int32Array, Int64Array


def taste_by_day(snapshot: Snapshot, row: int, day: ViewerDay) -> Float64Array:
    """Return a listed viewer's taste after their likes and passes of the day, `(n_factors,)`."""
    index = snapshot.live.layout
    people, mine = index.people, index.position[row]
    others = np.array(snapshot.ids.find(day.answers), np.int64)
    labels = np.array(list(day.answers.values()), np.float64)
    taste = people.taste[mine].astype(np.float64)
    return _after(snapshot, taste, others, labels, lambda places: people.near[people.place[mine], places])


def taste_of_newcomer(
    snapshot: Snapshot, person: Population, events: Events, taste: Float64Array, near: Float32Array
) -> Float64Array:
    """Return the taste of somebody without a row after their answers so far, `(n_factors,)`.

    person: the newcomer alone. near: `(n_places,)` logits of how near each place is.
    """
    decided = directed_labels(events.until(person.as_of))
    decided = decided[(decided[C.VIEWER] == person.ids.ids([0])[0]) & decided[LABEL].notna()]
    others = np.array(snapshot.ids.find(decided[C.CANDIDATE]), np.int64)
    return _after(snapshot, taste, others, decided[LABEL].to_numpy(np.float64), lambda places: near[places])


def _after(
    snapshot: Snapshot,
    taste: Float64Array,
    others: Int64Array,
    labels: Float64Array,
    near: Callable[[Int32Array], Float32Array],
) -> Float64Array:
    """Return the taste after answers about people, -1 for nobody; who is in no index is passed over.

    near: gives the logits of how near some places are.
    """
    index = snapshot.live.layout
    at = np.where(others >= 0, index.position[others], -1)
    listed = at >= 0
    if not listed.any():
        return taste
    at = at[listed]
    appeal = index.people.appeal[at].astype(np.float64)
    offset = near(index.people.place[at]).astype(np.float64)
    return taste_after(taste, appeal, labels=labels[listed], offset=offset)
