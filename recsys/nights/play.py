"""Night after night: every policy makes lists for its own copy of one town, under the same luck."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from recsys.constraints.compiled import Compiled
from recsys.constraints.policy import Policy
from recsys.nights.config import NightsConfig
from recsys.nights.diary import Diary
from recsys.nights.evening import Evening, members_of
from recsys.nights.policies import ListPolicy, list_policy, opens_of
from recsys.nights.scores import ModelScores, OracleScores, Scores
from recsys.schema.columns import Tables as T
from recsys.schema.population import Population
from recsys.simulation.town import Town
from recsys.storage.load import load_events

_DAY = pd.Timedelta(days=1)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of all nights in one town, a diary for each policy.

    n_people: rows of every diary, people who were ever there. newcomers: `(n_people,)` bool, who
    joined during the nights.
    """

    config: NightsConfig
    n_people: int
    newcomers: np.ndarray
    diaries: Mapping[str, Diary]


def play_nights(
    town: Town,
    config: NightsConfig | None = None,
    *,
    seed: int = 0,
    policies: Mapping[str, ListPolicy] | None = None,
    progress: Callable[[str], object] | None = None,
) -> Outcome:
    """Play the nights of `config` in a town made with as many `nights_ahead`.

    Each policy has its own copy of the town and its own model. On one night all copies share the luck
    of every pair, whatever the lists (common random numbers): policies that give equal lists live
    through equal nights. policies: list makers by name instead of those of the config.
    """
    config = NightsConfig() if config is None else config
    makers = policies or {name: list_policy(name, config, town.settings.funnel) for name in config.policies}
    rules, first = Policy.default(), _first_scores(town, config, seed)
    copies = {name: _Copy(town, maker, first, rules) for name, maker in makers.items()}
    for night in range(config.nights):
        at = town.as_of + night * _DAY
        members = members_of(town.after(town.tables[T.EVENTS].iloc[:0], at))
        compiled = rules.compile(members)
        for name, copy in copies.items():
            copy.wake(at)
            if night and config.refit and night % config.refit == 0 and config.scores != "oracle":
                copy.scores = _learned(copy.town, members, config, seed)
            copy.live(members, compiled, config, [seed, night])
            if progress is not None:
                progress(name)
    newcomers = town.arrivals.joined > town.arrivals.end
    return Outcome(config, len(town.ids), newcomers, {name: copy.diary for name, copy in copies.items()})


class _Copy:
    """One policy's own copy of the town."""

    def __init__(self, town: Town, maker: ListPolicy, scores: Scores, rules: Policy) -> None:
        self.town, self.scores = town, scores
        self.diary = Diary(town.ids, town.settings.funnel.look_decay)
        self.diary.knows_likes(town.tables[T.EVENTS])
        self._maker, self._rules = maker, rules
        self._happened = town.tables[T.EVENTS].iloc[:0]

    def wake(self, at: pd.Timestamp) -> None:
        """Let everything happen that lies before the evening `at`."""
        self.town = self.town.after(self._happened, at)
        self._happened = self._happened.iloc[:0]

    def live(self, members: Population, compiled: Compiled, config: NightsConfig, seed: list[int]) -> None:
        """Give everybody a list and write down what comes of it."""
        evening = Evening.of(self.town, members, self._rules, compiled)
        liked = evening.people.relations.liked
        pool = self.scores.pools(members, evening.compiled, config.pool, liked)
        lists = self._maker(pool, opens_of(members), np.random.default_rng([*seed, 1]))
        self.diary.forbidden += evening.forbidden(lists)
        self._happened = self.town.step(lists, np.random.default_rng(seed))
        listed = self.town.ids.rows(evening.people.ids.ids(np.flatnonzero(evening.compiled.listed)))
        self.diary.write(listed, lists, self._happened)


def _first_scores(town: Town, config: NightsConfig, seed: int) -> Scores:
    if config.scores == "oracle":
        return OracleScores(town, config.noise, seed)
    return _learned(town, members_of(town), config, seed)


def _learned(town: Town, members: Population, config: NightsConfig, seed: int) -> ModelScores:
    events = load_events({T.EVENTS: town.tables[T.EVENTS]}, town.as_of)
    return ModelScores.fitted(config.scores, members, events, np.random.default_rng([seed, 2]))
