"""Passes drawn among pairs that never met, for data in which nobody ever said no."""

from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from recsys.data.unseen_pairs import UnseenPairs
from recsys.errors import explained, warn
from recsys.models.calibration import Platt
from recsys.models.impressions import Impressions
from recsys.models.training_data import LabelledPairs
from recsys.types import Float64Array

PASSES_PER_LIKE: Final = 4.0
"""Passes drawn for each like where nobody ever said no."""

_FEWEST_TO_TELL: Final = 10
"""Likes from which on it is remarkable that they tell nothing."""


Decisions = TypeVar("Decisions", Impressions, LabelledPairs)


def only_likes(decisions: Impressions | LabelledPairs) -> bool:
    """Say whether every look ended in a like, so that nothing tells whom people do not want."""
    return len(decisions) > 0 and bool((decisions.labels > 0).all())


def warn_of_few_likes(decisions: Impressions | LabelledPairs) -> None:
    """Warn where nobody ever said no, and likes are too few or too many to tell whom people want.

    With no more likes than people nearly nobody is known by two, so that they may come by chance; where
    everybody was liked by all no pair is left beside which a like would say something.
    """
    if len(decisions) < _FEWEST_TO_TELL or not only_likes(decisions):
        return
    acting, liked = np.unique(decisions.viewers), np.unique(decisions.candidates)
    n_pairs = len(np.unique(np.column_stack([decisions.viewers, decisions.candidates]), axis=0))
    n_people = len(np.union1d(acting, liked))
    where, remedy = "fit", "give passes or impressions too, or wait for more likes"
    if n_pairs >= len(acting) * len(liked) - len(np.intersect1d(acting, liked)):
        what, got = "nobody said no and no pair is left unseen: p_like is near 1", f"{n_pairs:,} likes"
        warn(explained(what, where=where, got=got, remedy=remedy))
    elif n_pairs <= n_people:
        what = "no more likes than people, and nobody said no: p_like tells people hardly apart"
        got = f"{n_pairs:,} likes of {n_people:,} people"
        warn(explained(what, where=where, got=got, remedy=remedy))


def with_some_passes(
    decisions: Decisions, rng: np.random.Generator, *, across_circles: bool = False
) -> Decisions:
    """Return the decisions, with passes drawn beside them if nobody ever said no.

    What is learned from likes alone is a chance of 1, which says nothing; see `with_sampled_negatives`.

    across_circles: see `UnseenPairs.of`.
    """
    if not only_likes(decisions):
        return decisions
    i, j = decisions.viewers, decisions.candidates
    unseen = UnseenPairs.of(i, j, across_circles=True) if across_circles else None
    return with_sampled_negatives(decisions, PASSES_PER_LIKE, rng, unseen=unseen)


def with_sampled_negatives(
    decisions: Decisions, per_like: float, rng: np.random.Generator, *, unseen: UnseenPairs | None = None
) -> Decisions:
    """Return the decisions and `per_like` passes a like, between people who never met.

    A viewer is joined evenly with somebody whom viewers of their kind like, see `UnseenPairs`. Drawing
    evenly leaves popularity in what is learned; the chances learned are those of a like beside such a pair.

    Source: Mikolov, Sutskever, Chen, Corrado and Dean, "Distributed representations of words and
    phrases and their compositionality", NeurIPS 2013, for learning from drawn negatives.

    unseen: the pairs that are drawn from, of the decisions by default.
    """
    n_drawn = round(per_like * len(decisions))
    if not n_drawn:
        return decisions
    unseen = unseen or UnseenPairs.of(decisions.viewers, decisions.candidates)
    at = rng.integers(0, len(decisions), n_drawn)
    viewers, candidates = unseen.drawn_beside(decisions.viewers[at], 1, rng)
    both = decisions.joined([decisions, _passes(decisions, viewers, candidates)])
    return both.take(np.lexsort((both.candidates, both.viewers)))


def level_beside(labels: Float64Array, per_like: float) -> Platt:
    """Return the line from the chance of a like beside the passes that were drawn to that beside `per_like`.

    Where most pairs have met fewer are drawn than were asked for. The identity where all or none were.

    labels: of likes, 1, and the passes drawn for them, 0.
    """
    likes = float((labels > 0).sum())
    drawn = len(labels) - likes
    if not (likes and drawn and per_like):
        return Platt()
    return Platt(1.0, float(np.log(drawn / likes / per_like)))


def _passes(like: Decisions, viewers: npt.NDArray[np.int64], candidates: npt.NDArray[np.int64]) -> Decisions:
    """Return passes of average weight and age, decided after a look."""
    n_drawn = len(viewers)
    own: dict[str, npt.NDArray[Any]] = {
        "viewers": viewers.astype(like.viewers.dtype),
        "candidates": candidates.astype(like.candidates.dtype),
        "labels": np.zeros(n_drawn),
        "weights": np.full(n_drawn, float(like.weights.mean())),
    }
    if isinstance(like, Impressions):
        own |= {
            "looks": np.ones(n_drawn),
            "exposures": np.zeros(n_drawn),
            "unexamined_odds": np.zeros(n_drawn),
            "answered": np.ones(n_drawn, bool),
            "is_reply": np.zeros(n_drawn, bool),
            "age": np.full(n_drawn, float(like.age.mean())),
            "first_age": np.full(n_drawn, float(like.first_age.mean())),
        }
    return type(like)(**own)
