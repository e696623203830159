"""Policies that make the lists of a night, and the scores they choose by."""

from collections.abc import Callable
from typing import Annotated, Final, Protocol, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import AfterValidator, Field, model_validator

from recsys.catalogue.columns import Columns as C
from recsys.config import PRESENT, Section
from recsys.constraints.compiled import Compiled
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.errors import did_you_mean
from recsys.models.base import Model
from recsys.models.content import ContentModel
from recsys.models.directed import Directed, sigmoid
from recsys.models.hybrid import HybridModel
from recsys.models.popularity import PopularityModel
from recsys.random import KeyedGenerator
from recsys.retrieval.top_k import mutual_top_k
from recsys.simulation.sampling import Step
from recsys.simulation.settings import FunnelSettings
from recsys.simulation.town import Town

_ROWS_AT_ONCE = 512


class Scores(Protocol):
    """Gives every viewer a pool."""

    def pools(self, people: Population, compiled: Compiled, k: int, exclude: npt.ArrayLike) -> pd.DataFrame:
        """Return the best `k` candidates of each listed viewer by mutual probability.

        people: the members of the night; what stands between them is in `compiled`.
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
        """Return the two matrices of the members, once for all copies that share a model and a night."""
        if self._applied is None or self._applied[0] is not people:
            self._applied = (people, self.model.directed(people))
        return self._applied[1]


class OracleScores:
    """The truth of a town, with noise that belongs to each directed pair: for experiments on noise alone."""

    def __init__(self, town: Town, noise: float, key: int) -> None:
        self._truth, self._ids = town.truth, town.ids
        self._noise, self._random = noise, KeyedGenerator(key)

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
        return sigmoid(self._truth.logit(i, j) + self._noise * self._random.normal(Step.TASTE, i, j))


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


POLICIES: Final = ("random", "popularity", "naive", "product", "welfare", "nash")
"""Ways to make lists out of a pool: see `recsys.simulation.policies`."""

SCORES: Final = ("hybrid", "content", "popularity", "oracle")
"""Where probabilities come from: a model that learns from events, or the town's hidden truth."""


def _known_policy(name: str) -> str:
    return _known("policy", name, POLICIES)


def _known_scores(name: str) -> str:
    return _known("scores", name, SCORES)


def _known(what: str, name: str, names: tuple[str, ...]) -> str:
    if name not in names:
        raise ValueError(f"unknown {what}; {did_you_mean(name, names)}")
    return name


class NightsConfig(Section):
    """How long, with which lists, and from which probabilities.

    nights:   how many. policies: which lists, each in its own copy of the town.
    k:        people in a list. pool: people a list is chosen from, the best by mutual probability.
    scores:   a model, fitted on the past and again every `refit` nights (0: never) on what happened
              in the policy's own copy; or `oracle`, the hidden truth, for experiments on noise alone.
    noise:    standard deviation, in logits, of what is added to the truth for each directed pair.
    baseline: the policy that the others are compared with.

    Raises SettingsError for an unknown name or an impossible number.

    >>> NightsConfig(policies=("product", "welfare")).nights
    30
    """

    nights: Annotated[int, Field(ge=1)] = 30
    policies: tuple[Annotated[str, AfterValidator(_known_policy)], ...] = (
        "random",
        "product",
        "welfare",
        "nash",
    )
    k: Annotated[int, Field(ge=1)] = 10
    pool: int = 200
    scores: Annotated[str, AfterValidator(_known_scores)] = "hybrid"
    refit: Annotated[int, Field(ge=0)] = 10
    noise: Annotated[float, Field(ge=0.0)] = 0.0
    baseline: str = "product"

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if len(set(self.policies)) < len(self.policies) or not self.policies:
            raise ValueError("name each policy once under 'policies'")
        if self.pool < self.k:
            raise ValueError(f"'pool' must hold at least the {self.k} people of a list")
        if self.noise > 0.0 and self.scores != "oracle":
            raise ValueError("noise is added to the truth alone: use scores='oracle', or leave noise at 0")
        return self


ListPolicy = Callable[[pd.DataFrame, pd.Series, np.random.Generator], pd.DataFrame]
"""From pools (viewer_id, candidate_id, rank, p_like, p_liked_back, p_mutual) to lists, a part of their rows.

The second argument is the chance, by user_id, that somebody opens the list of the night, as an operator
takes it from the profiles. Lists carry viewer_id, candidate_id, rank and perhaps propensity. Only the
generator may be random.
"""

_FAIRNESS: Final = {"welfare": 0.0, "nash": 1.0}


def list_policy(name: str, config: NightsConfig, funnel: FunnelSettings) -> ListPolicy:
    """Return one of the policies of `recsys.simulation.policies.POLICIES`.

    random: any order. popularity: whom the others like most. naive: whom the viewer likes most.
    product: mutual probability. welfare, nash: the allocator, for the sum of matches and for the
    product of everybody's; it knows from `funnel` how lists and inboxes are read, and who opens them.
    """
    if name in _FAIRNESS:
        return _allocated(_FAIRNESS[name], config.k, funnel)
    return _random_policy(config.k) if name == "random" else _ranked(_RANKED[name], config.k)


def _mean_like(pool: pd.DataFrame) -> pd.Series:
    return pool.groupby(C.CANDIDATE)[C.P_LIKE].transform("mean")


def _mutual(pool: pd.DataFrame) -> pd.Series:
    return pool[C.P_LIKE] * pool[C.P_LIKED_BACK]


_RANKED: Final[dict[str, Callable[[pd.DataFrame], pd.Series]]] = {
    "popularity": _mean_like,
    "naive": lambda pool: pool[C.P_LIKE],
    "product": _mutual,
}


def _random_policy(k: int) -> ListPolicy:
    def lists(pool: pd.DataFrame, _: pd.Series, rng: np.random.Generator) -> pd.DataFrame:
        return best(pool, pd.Series(rng.random(len(pool)), index=pool.index), k)

    return lists


def _ranked(score: Callable[[pd.DataFrame], pd.Series], k: int) -> ListPolicy:
    return lambda pool, _opens, _rng: best(pool, score(pool), k)


def best(pool: pd.DataFrame, score: pd.Series, k: int) -> pd.DataFrame:
    """Return the `k` rows of each viewer with the highest score, ranked; ties keep the pool's order."""
    order = np.lexsort((pool[C.RANK].to_numpy(), -score.to_numpy(np.float64), pool[C.VIEWER].to_numpy()))
    ordered = pool.iloc[order].reset_index(drop=True)
    rank = ordered.groupby(C.VIEWER, sort=False).cumcount() + 1
    return ordered.assign(**{C.RANK: rank})[rank <= k].reset_index(drop=True)


def _allocated(fairness: float, k: int, funnel: FunnelSettings) -> ListPolicy:
    def lists(pool: pd.DataFrame, opens: pd.Series, rng: np.random.Generator) -> pd.DataFrame:
        from recsys.allocation.allocate import allocate

        look, inbox = funnel.look_decay, funnel.inbox_decay
        return allocate(pool, k=k, fairness=fairness, look=look, inbox=inbox, opens=opens, rng=rng)

    return lists


def opens_of(people: Population) -> pd.Series:
    """Return by user_id how likely everybody opens a list, by when they were last here; unknown is never."""
    chance = np.zeros(len(people))
    for word, likely in PRESENT.items():
        chance[people.is_word(C.ACTIVITY, word)] = likely
    return pd.Series(chance, index=people.ids.values)
