"""Ways to make everybody's lists out of everybody's pools."""

from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd

from recsys.config import PRESENT
from recsys.nights.config import NightsConfig
from recsys.schema.columns import Columns as C
from recsys.schema.population import Population
from recsys.simulation.settings import FunnelSettings

ListPolicy = Callable[[pd.DataFrame, pd.Series, np.random.Generator], pd.DataFrame]
"""From pools (viewer_id, candidate_id, rank, p_like, p_liked_back, p_mutual) to lists, a part of their rows.

The second argument is the chance, by user_id, that somebody opens the list of the night, as an operator
takes it from the profiles. Lists carry viewer_id, candidate_id, rank and perhaps propensity. Only the
generator may be random.
"""

_FAIRNESS: Final = {"welfare": 0.0, "nash": 1.0}


def list_policy(name: str, config: NightsConfig, funnel: FunnelSettings) -> ListPolicy:
    """Return one of the policies of `recsys.nights.config.POLICIES`.

    random: any order. popularity: whom the others like most. naive: whom the viewer likes most.
    product: mutual probability. welfare, nash: the allocator, for the sum of matches and for the
    product of everybody's; it knows from `funnel` how lists and inboxes are read, and who opens them.
    """
    if name in _FAIRNESS:
        return _allocated(_FAIRNESS[name], config.k, funnel)
    return _random(config.k) if name == "random" else _ranked(_RANKED[name], config.k)


def _mean_like(pool: pd.DataFrame) -> pd.Series:
    return pool.groupby(C.CANDIDATE)[C.P_LIKE].transform("mean")


def _mutual(pool: pd.DataFrame) -> pd.Series:
    return pool[C.P_LIKE] * pool[C.P_LIKED_BACK]


_RANKED: Final[dict[str, Callable[[pd.DataFrame], pd.Series]]] = {
    "popularity": _mean_like,
    "naive": lambda pool: pool[C.P_LIKE],
    "product": _mutual,
}


def _random(k: int) -> ListPolicy:
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
        from recsys.allocation import allocate

        look, inbox = funnel.look_decay, funnel.inbox_decay
        return allocate(pool, k=k, fairness=fairness, look=look, inbox=inbox, opens=opens, rng=rng)

    return lists


def opens_of(people: Population) -> pd.Series:
    """Return by user_id how likely everybody opens a list, by when they were last here; unknown is never."""
    chance = np.zeros(len(people))
    for word, likely in PRESENT.items():
        chance[people.is_word(C.ACTIVITY, word)] = likely
    return pd.Series(chance, index=people.ids.values)
