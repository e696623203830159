"""Where the probabilities of a pool come from: a fitted model, or the hidden truth under noise."""

from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.constraints.compiled import Compiled
from recsys.history.events import Events
from recsys.models.content import ContentModel
from recsys.models.directed import Directed, sigmoid
from recsys.models.hybrid import HybridModel
from recsys.models.model import Model
from recsys.models.popularity import PopularityModel
from recsys.retrieval import mutual_top_k
from recsys.schema.columns import Columns as C
from recsys.schema.population import Population
from recsys.simulation.chance import Chance, Step
from recsys.simulation.town import Town

Rows = npt.NDArray[np.int32]
_ROWS_AT_ONCE = 512


class Scores(Protocol):
    """Gives every viewer a pool."""

    def pools(self, people: Population, compiled: Compiled, k: int, exclude: npt.ArrayLike) -> pd.DataFrame:
        """Return the best `k` candidates of each listed viewer by mutual probability.

        people: the members of the evening; what stands between them is in `compiled`.
        exclude: `(n_pairs, 2)` rows, viewer and candidate, left out. Columns: viewer_id,
        candidate_id, rank, p_like, p_liked_back, p_mutual; viewers in row order, best first.
        """
        ...


class ModelScores:
    """What a model has learned from events; it never meets the town's truth."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._applied: tuple[Population, Directed] | None = None

    @classmethod
    def fitted(cls, name: str, people: Population, events: Events, rng: np.random.Generator) -> "ModelScores":
        """Return the scores of a model of that name, fitted on what is known."""
        kinds: dict[str, type[Model]] = {
            "hybrid": HybridModel,
            "content": ContentModel,
            "popularity": PopularityModel,
        }
        return cls(kinds[name]().fit(people, events, rng=rng))

    def pools(self, people: Population, compiled: Compiled, k: int, exclude: npt.ArrayLike) -> pd.DataFrame:
        """Return the best `k` of each viewer; see `Scores`."""
        lists = mutual_top_k(self._directed(people), compiled, k=k, exclude=exclude)
        return _frame(people, lists.viewer_of_each, lists.candidates, lists.p_like, lists.p_liked_back)

    def _directed(self, people: Population) -> Directed:
        """Return the two matrices of the members, once for all copies that share a model and an evening."""
        if self._applied is None or self._applied[0] is not people:
            self._applied = (people, self.model.directed(people))
        return self._applied[1]


class OracleScores:
    """The truth of a town, with noise that belongs to each directed pair: for experiments on noise alone."""

    def __init__(self, town: Town, noise: float, key: int) -> None:
        self._truth, self._ids = town.truth, town.ids
        self._noise, self._chance = noise, Chance(key)

    def pools(self, people: Population, compiled: Compiled, k: int, exclude: npt.ArrayLike) -> pd.DataFrame:
        """Return the best `k` of each viewer; see `Scores`."""
        n = len(people)
        viewer, candidate = _open_pairs(compiled)
        left_out = np.asarray(exclude, np.int64).reshape(-1, 2)
        kept = ~np.isin(viewer * n + candidate, left_out[:, 0] * n + left_out[:, 1])
        viewer, candidate = viewer[kept], candidate[kept]
        own = self._ids.rows(people.ids.values).astype(np.int64)
        there, back = (self._p(own[a], own[b]) for a, b in ((viewer, candidate), (candidate, viewer)))
        order = np.lexsort((candidate, -there * back, viewer))
        viewer, candidate = viewer[order], candidate[order]
        place = np.arange(len(viewer)) - np.searchsorted(viewer, viewer)
        top = place < k
        return _frame(people, viewer[top], candidate[top], there[order][top], back[order][top])

    def _p(self, i: npt.NDArray[np.int64], j: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        return sigmoid(self._truth.logit(i, j) + self._noise * self._chance.normal(Step.LUCK, i, j))


def _open_pairs(compiled: Compiled) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return every viewer and candidate who may be shown to them, in row order."""
    listed = np.flatnonzero(compiled.listed)
    viewers, candidates = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for start in range(0, len(listed), _ROWS_AT_ONCE):
        rows = listed[start : start + _ROWS_AT_ONCE]
        row, column = np.nonzero(compiled.may_show_block(rows, listed))
        viewers.append(rows[row])
        candidates.append(listed[column])
    return np.concatenate(viewers), np.concatenate(candidates)


def _frame(
    people: Population,
    viewer: npt.NDArray[np.integer],
    candidate: npt.NDArray[np.integer],
    p_like: npt.NDArray[np.floating],
    p_liked_back: npt.NDArray[np.floating],
) -> pd.DataFrame:
    first = np.searchsorted(viewer, viewer) if len(viewer) else viewer
    return pd.DataFrame(
        {
            C.VIEWER: pd.Series(people.ids.ids(viewer), dtype="str"),
            C.CANDIDATE: pd.Series(people.ids.ids(candidate), dtype="str"),
            C.RANK: np.arange(len(viewer)) - first + 1,
            C.P_LIKE: p_like.astype(np.float32),
            C.P_LIKED_BACK: p_liked_back.astype(np.float32),
            C.P_MUTUAL: p_like.astype(np.float64) * p_liked_back,
        }
    )
