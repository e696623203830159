"""Towns that are large enough for a market, the exposure of their people, and a verdict over all of them.

One person of one town stands in a few lists: what an attack gains there is mostly chance, and comes out
otherwise on another processor. So an attack is tried in each of several towns and judged by the ratio of
sums over them, with an interval over towns.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import t as student

import recsys
from recsys.allocation.attention import AttentionLimits
from recsys.allocation.config import AllocationConfig
from recsys.constraints.policy import Policy
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.evaluation.bootstrap import Interval
from recsys.models.hybrid import HybridModel
from recsys.pipeline.allocation import limited
from recsys.pipeline.attention import demotion_share, indiscriminate
from recsys.random import KeyedGenerator
from recsys.ranking.allocated_lists import allocated_lists, mutual_candidate_graph
from recsys.ranking.ranked_pairs import RankedPairs
from recsys.ranking.recommend import Recommender
from recsys.storage.load import load_events, load_population, load_tables
from recsys.types import Float64Array, ObjectArray
from tests.benchmarks.attacks import Verdict

SEEDS: Final = (23, 31, 47, 59, 61, 73)
"""Of the towns: the first is the one that limits were chosen on."""
N_PEOPLE, K, POOL = 800, 5, 200
"""So that most lists are shorter than the candidates of their viewers: else nobody competes."""
LEVEL: Final = 0.95
Tables = dict[str, pd.DataFrame]


@lru_cache(maxsize=len(SEEDS))
def market(seed: int) -> tuple[Tables, pd.Timestamp]:
    """Return the tables of a town and the time of its night."""
    made = recsys.make_town(N_PEOPLE, np.random.default_rng(seed))
    as_of = load_tables(made.tables).as_of
    if as_of is None:
        raise ValueError("a town has a time")
    return dict(made.tables), as_of


@dataclass(frozen=True, eq=False)
class Looks:
    """Who is shown to whom in the lists of a night, and how much each looks at: 1 / log2(1 + rank)."""

    viewer: ObjectArray
    candidate: ObjectArray
    weight: Float64Array

    @classmethod
    def of(cls, people: Population, pairs: RankedPairs) -> Self:
        weight = 1 / np.log2(1.0 + pairs.rank())
        return cls(people.ids.ids(pairs.viewer), people.ids.ids(pairs.candidate), weight)

    def at(self, who: Collection[str], without: Collection[str] = ()) -> float:
        """Return how much some people are looked at, by others than `without`."""
        chosen = np.isin(self.candidate, list(who)) & ~np.isin(self.viewer, list(without))
        return float(self.weight[chosen].sum())


def looks(tables: Tables, as_of: pd.Timestamp) -> dict[bool, Looks]:
    """Return the looks of a night, with allocation (True) and without, as its stages choose lists."""
    people, events = load_population(tables, as_of), load_events(tables, as_of)
    model = HybridModel().fit(people, events, rng=np.random.default_rng(0))
    recommender = Recommender(people, Policy.default(), model.directed(people))
    pool, _ = recommender.pairs(None, k=POOL)
    limits = limits_of(people, events)
    nobody = np.zeros(len(people), bool)
    graph = mutual_candidate_graph([pool], recommender.compiled, recommender.likes, nobody, limits=limits)
    config = AllocationConfig(k=K)
    rng = np.random.default_rng(1)
    allocated = allocated_lists(recommender, graph, config, rng=rng, limits=limits).pairs
    best = limited(pool, limits.with_candidates([(pool.candidate, pool.p_liked_back)]))
    return {True: Looks.of(people, allocated), False: Looks.of(people, best.filtered(best.rank() <= K))}


def limits_of(people: Population, events: Events) -> AttentionLimits:
    """Return the limits of a night with these events."""
    return AttentionLimits.of(
        demotion_share(people, events), indiscriminate(people, events), KeyedGenerator(5)
    )


@lru_cache(maxsize=len(SEEDS))
def usual(seed: int) -> dict[bool, Looks]:
    """Return the looks of a night that nobody attacks."""
    return looks(*market(seed))


def by_exposure(seed: int) -> list[str]:
    """Return everybody who is looked at, those who are looked at least first."""
    found = usual(seed)[True]
    seen = pd.Series(found.weight).groupby(found.candidate).sum().sort_values(kind="stable")
    return [str(one) for one in seen.index]


def with_events(rows: Sequence[dict[str, object]], seed: int) -> Tables:
    """Return the tables of a town with events added."""
    tables = market(seed)[0]
    added = pd.DataFrame(rows).assign(event_id=[f"attack-{at}" for at in range(len(rows))])
    return tables | {"events": pd.concat([tables["events"], added], ignore_index=True)}


def ratio_over_towns(after: npt.ArrayLike, before: npt.ArrayLike) -> Interval:
    """Return the ratio of sums over towns, with its interval at `LEVEL`.

    after, before: `(n_towns,)`. The variance is that of a ratio of sums over independent towns (Cochran,
    Sampling Techniques, 1977, 6.3), the interval Student's.

    >>> ratio_over_towns([2.0, 4.0, 6.0], [1.0, 2.0, 3.0])
    Interval(value=2.0, lo=2.0, hi=2.0)
    """
    a, b = np.asarray(after, float), np.asarray(before, float)
    n, ratio = len(a), float(a.sum() / b.sum())
    residual = a - ratio * b
    error = float(np.sqrt(n / (n - 1) * (residual**2).sum()) / b.sum())
    width = float(student.ppf((1 + LEVEL) / 2, n - 1)) * error
    return Interval(ratio, ratio - width, ratio + width)


def judged(found: Interval, aim: float, name: str, evidence: str = "", *, at_least: bool = False) -> Verdict:
    """Return held where the mean meets the aim, weak where its interval reaches it, else broken.

    aim: the most that is held, with `at_least` the least.
    """
    side = -1 if at_least else 1
    held, reached = (
        side * found.value <= side * aim,
        side * (found.hi if at_least else found.lo) <= side * aim,
    )
    state = "held" if held else "weak" if reached else "broken"
    said = f"x{found.value:.2f} ({found.lo:.2f} to {found.hi:.2f}), {len(SEEDS)} towns{evidence}"
    figures = ((name, found.value), (f"{name}_lo", found.lo), (f"{name}_hi", found.hi))
    return Verdict(state, said, figures)  # type: ignore[arg-type]
