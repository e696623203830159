"""Many nights: every policy makes lists for its own copy of one town, under common random numbers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.constraints.compiled import Compiled
from recsys.constraints.policy import Policy
from recsys.data.conversations import active_match_pairs, at_capacity
from recsys.data.events import Events
from recsys.data.examination import Examination
from recsys.data.exclusions import relations
from recsys.data.ids import IdIndex
from recsys.data.population import Population
from recsys.simulation.event_log import seconds
from recsys.simulation.night_state import is_among
from recsys.simulation.policies import (
    ListPolicy,
    ModelScores,
    NightsConfig,
    OracleScores,
    Scores,
    list_policy,
    opens_of,
)
from recsys.simulation.town import Town
from recsys.storage.load import load_events, load_population
from recsys.types import BoolArray, Int64Array


@dataclass(frozen=True, eq=False)
class NightView:
    """One copy of the town as its tables tell it on one night.

    people: everybody who has joined, with what stands between them. compiled: the rules over them;
    who has as many companions as they wish for is not listed.
    """

    people: Population
    compiled: Compiled
    policy: Policy

    @classmethod
    def of(
        cls, town: Town, members: Population, policy: Policy, members_rules: Compiled | None = None
    ) -> "NightView":
        """Read the events and safety tables of one copy; `members` are the people of that night.

        members_rules: the policy compiled for `members`, when it serves several copies.
        """
        decisions = _decisions(town)
        between = relations(decisions, town.tables[T.BLOCKS], town.tables[T.REPORTS], members.ids, town.as_of)
        people = replace(members.with_relations(between), held=_held(town, members))
        compiled = _compiled(members_rules, policy, people)
        compiled = replace(compiled, listed=compiled.listed & ~at_capacity(people, decisions))
        return cls(people, compiled, policy)

    def forbidden(self, lists: pd.DataFrame) -> int:
        """Count the pairs of lists that the plain form of the rules does not allow."""
        viewer, candidate = (self.people.ids.rows(lists[c]) for c in (C.VIEWER, C.CANDIDATE))
        return int((~self.policy.may_show(self.people, viewer, candidate)).sum())


_BETWEEN: Final = ("account", "terms", "separations", "discretion")
"""Constraints that read holds and what stands between people; the others read the members alone."""


def _compiled(members_rules: Compiled | None, policy: Policy, people: Population) -> Compiled:
    """Return `policy.compile(people)`; only what differs between copies is compiled anew."""
    if members_rules is None:
        return policy.compile(people)
    own = Policy(tuple(rule for rule in policy.constraints if rule.name in _BETWEEN)).compile(people)
    return replace(
        members_rules,
        listed=members_rules.listed & own.listed,
        separated_indptr=own.separated_indptr,
        separated_indices=own.separated_indices,
        liked_only=own.liked_only,
        suggestible=own.suggestible,
        liked_indptr=own.liked_indptr,
        liked_indices=own.liked_indices,
    )


def members_of(town: Town) -> Population:
    """Return the people of a town on one night, with nothing between them; the same for every copy."""
    own = {name: table for name, table in town.tables.items() if name not in (T.EVENTS, T.BLOCKS, T.REPORTS)}
    return load_population(own, town.as_of, catalogue=town.catalogue)


def _decisions(town: Town) -> Events:
    """Return all events but exposures, of which the rules know nothing."""
    events = town.tables[T.EVENTS]
    return Events.of(events[events[C.TYPE] != "impression"])


def _held(town: Town, members: Population) -> np.ndarray:
    holds = town.tables[T.HOLDS]
    last = holds.sort_values(C.TS, kind="stable").drop_duplicates(C.USER, keep="last")
    rows = members.ids.find(last.loc[last[C.STATE] == "active", C.USER])
    held = np.zeros(len(members), bool)
    held[rows[rows >= 0]] = True
    return held


@dataclass(eq=False)
class PolicyHistory:
    """One policy's nights, written night by night.

    matches, lasting: `(n_pairs, 3)`: night (from 0), two rows; a lasting match is one in which both
    came to feel comfortable, however much later. sent: `(n_likes, 3)`: night, actor, target of
    likes from lists. received: `(n_nights, n_people)` likes from lists; exposure: `(n_people,)`
    expected looks; listed: `(n_people,)` nights on which each was listed; there: `(n_people,)` who has not
    left at the end. forbidden: pairs of lists that the plain rules do not allow; anything but 0 is a defect.
    """

    ids: IdIndex
    look_decay: float
    matches: list[Int64Array] = field(default_factory=list)
    lasting: list[Int64Array] = field(default_factory=list)
    sent: list[Int64Array] = field(default_factory=list)
    exposure: npt.NDArray[np.float64] = field(init=False)
    listed: Int64Array = field(init=False)
    there: BoolArray = field(init=False)
    forbidden: int = 0
    _liked: Int64Array = field(default_factory=lambda: np.empty(0, np.int64))

    def __post_init__(self) -> None:
        self.exposure = np.zeros(len(self.ids))
        self.listed = np.zeros(len(self.ids), np.int64)
        self.there = np.ones(len(self.ids), bool)

    def write(self, listed: npt.ArrayLike, lists: pd.DataFrame, events: pd.DataFrame) -> None:
        """Add one night: the rows listed, the lists given, and all that came of them."""
        night = len(self.sent)
        self.listed[np.asarray(listed)] += 1
        looks = Examination.of(self.look_decay).at(lists[C.RANK])
        np.add.at(self.exposure, self.ids.rows(lists[C.CANDIDATE]), looks)
        likes = events[events[C.TYPE] == "like"]
        pairs = self._rows(likes)
        self.sent.append(_dated(night, pairs[(likes[C.SURFACE] == "list").to_numpy(bool)]))
        self.matches.append(_dated(night, self._matched(pairs)))
        self.lasting.append(_dated(night, self._comfortable(events)))

    def add_known_likes(self, events: pd.DataFrame) -> None:
        """Take note of likes made before the first night."""
        self._liked = np.unique(self._keys(self._rows(events[events[C.TYPE] == "like"])))

    def _matched(self, pairs: Int64Array) -> Int64Array:
        """Return the unordered pairs whose second like is among these likes."""
        keys = self._keys(pairs)
        self._liked = np.union1d(self._liked, keys)
        mutual = pairs[is_among(self._keys(pairs[:, ::-1]), self._liked)]
        return np.unique(np.sort(mutual, axis=1), axis=0)

    def _comfortable(self, events: pd.DataFrame) -> Int64Array:
        decisions = events[events[C.TYPE].isin(["feeling_check", "meet_feedback", "end", "block", "report"])]
        coded = Events.of(decisions).coded
        pairs = self.ids.rows(coded.people[active_match_pairs(coded)].reshape(-1)).reshape(-1, 2)
        return np.sort(pairs.astype(np.int64), axis=1)

    def _rows(self, events: pd.DataFrame) -> Int64Array:
        columns = [self.ids.find(events[c]).astype(np.int64) for c in (C.ACTOR, C.TARGET)]
        pairs = np.column_stack(columns)
        return pairs[(pairs >= 0).all(axis=1)]

    def _keys(self, pairs: Int64Array) -> Int64Array:
        return pairs[:, 0] * len(self.ids) + pairs[:, 1]


def _dated(night: int, pairs: Int64Array) -> Int64Array:
    return np.column_stack([np.full(len(pairs), night), pairs]).astype(np.int64)


_DAY = pd.Timedelta(days=1)


@dataclass(frozen=True, eq=False)
class PolicyNights:
    """What came of all nights in one town, a history for each policy.

    n_people: rows of every history, people who were ever there. newcomers: `(n_people,)` bool, who
    joined during the nights. towns: each policy's own copy after the last night.
    """

    config: NightsConfig
    n_people: int
    newcomers: np.ndarray
    histories: Mapping[str, PolicyHistory]
    towns: Mapping[str, Town] = field(default_factory=dict)


def play_nights(
    town: Town,
    config: NightsConfig | None = None,
    *,
    seed: int = 0,
    policies: Mapping[str, ListPolicy] | None = None,
    progress: Callable[[str], object] | None = None,
) -> PolicyNights:
    """Play the nights of `config` in a town made with as many `nights_ahead`.

    Each policy has its own copy of the town and its own model. On one night all copies share the random
    numbers of every pair, whatever the lists (common random numbers): policies that give equal lists live
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
    for copy in copies.values():
        copy.end(town.as_of + config.nights * _DAY)
    newcomers = town.arrivals.joined > town.arrivals.end
    histories = {name: copy.history for name, copy in copies.items()}
    towns = {name: copy.town for name, copy in copies.items()}
    return PolicyNights(config, len(town.ids), newcomers, histories, towns)


class _Copy:
    """One policy's own copy of the town."""

    def __init__(self, town: Town, maker: ListPolicy, scores: Scores, rules: Policy) -> None:
        self.town, self.scores = town, scores
        self.history = PolicyHistory(town.ids, town.settings.funnel.look_decay)
        self.history.add_known_likes(town.tables[T.EVENTS])
        self._maker, self._rules = maker, rules
        self._happened = town.tables[T.EVENTS].iloc[:0]

    def wake(self, at: pd.Timestamp) -> None:
        """Let everything happen that lies before the night `at`."""
        self.town = self.town.after(self._happened, at)
        self._happened = self._happened.iloc[:0]

    def end(self, at: pd.Timestamp) -> None:
        """Let everything happen that lies before `at`, and note who is there then."""
        self.wake(at)
        self.history.there = self.town.arrivals.there(seconds(at))

    def live(self, members: Population, compiled: Compiled, config: NightsConfig, seed: list[int]) -> None:
        """Give everybody a list and write down what comes of it."""
        view = NightView.of(self.town, members, self._rules, compiled)
        liked = view.people.relations.liked
        pool = self.scores.pools(members, view.compiled, config.pool, liked)
        lists = self._maker(pool, opens_of(members), np.random.default_rng([*seed, 1]))
        self.history.forbidden += view.forbidden(lists)
        self._happened = self.town.step(lists, np.random.default_rng(seed))
        listed = self.town.ids.rows(view.people.ids.ids(np.flatnonzero(view.compiled.listed)))
        self.history.write(listed, lists, self._happened)


def _first_scores(town: Town, config: NightsConfig, seed: int) -> Scores:
    if config.scores == "oracle":
        return OracleScores(town, config.noise, seed)
    return _learned(town, members_of(town), config, seed)


def _learned(town: Town, members: Population, config: NightsConfig, seed: int) -> ModelScores:
    events = load_events({T.EVENTS: town.tables[T.EVENTS]}, town.as_of)
    return ModelScores.fitted(config.scores, members, events, np.random.default_rng([seed, 2]))
