"""Random but valid people for tests: every column varied, unknowns included."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import h3
import numpy as np
import pandas as pd
from hypothesis import strategies as st

from recsys.catalogue import load_catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.catalogue.vocabulary import AMOUNTS, ENUMERATIONS, USUAL_DISTANCES_KM
from recsys.data.build_population import build_population
from recsys.data.exclusions import Relations
from recsys.data.population import Population
from recsys.data.times import as_utc

AS_OF = as_utc("2026-03-02T03:00:00")
LANGUAGES = ("ja", "en", "ko")
ZONES = ("Asia/Tokyo", "Asia/Seoul", "Asia/Kolkata", "America/Los_Angeles")
_TOKYO = (35.68, 139.76)
_KEY = "0123456789abcdef"


def _cells() -> list[str]:
    """Seven close cells, some at 20-40 km, one far away and one coarse one."""
    centre = h3.latlng_to_cell(*_TOKYO, 6)
    near = sorted(h3.grid_disk(centre, 1))
    middle = [h3.latlng_to_cell(35.68, 139.76 + step, 6) for step in (0.2, 0.45, 0.9)]
    return [*near, *middle, h3.latlng_to_cell(43.06, 141.35, 6), h3.cell_to_parent(centre, 4)]


CELLS = tuple(_cells())


_START = pd.Timestamp("2026-01-01", tz="UTC")


@dataclass(frozen=True, eq=False)
class _Draws:
    """Draws of values for `n` people; what `overrides` gives is not drawn, see `make_tables`."""

    n: int
    rng: np.random.Generator
    unknown: float
    overrides: Mapping[str, Any]

    @property
    def users(self) -> list[str]:
        return [f"u{number:05d}" for number in range(self.n)]

    def column(self, name: str, draw: Callable[[], Any], *, missing: float | None = None) -> list[Any]:
        if name in self.overrides:
            given = self.overrides[name]
            one_each = isinstance(given, list) and len(given) == self.n and name not in _SET_COLUMNS
            return list(given) if one_each or _is_list_of_sets(given, self.n) else [given] * self.n
        share = self.unknown if missing is None else missing
        return [None if self.rng.random() < share else draw() for _ in range(self.n)]

    def word(self, name: str, p: list[float] | None = None) -> Callable[[], Any]:
        return lambda: str(self.rng.choice(ENUMERATIONS[name].words, p=p))

    def some(self, words: tuple[str, ...], share: float) -> Callable[[], Any]:
        return lambda: [w for w in words if self.rng.random() < share] or [str(self.rng.choice(words))]

    def words_of(self, name: str, share: float) -> Callable[[], Any]:
        return self.some(ENUMERATIONS[name].words, share)

    def amount(self, name: str) -> Callable[[], Any]:
        return lambda: int(self.rng.choice(AMOUNTS[name]))


def make_tables(
    n: int, rng: np.random.Generator, *, unknown: float = 0.05, **overrides: Any
) -> dict[str, pd.DataFrame]:
    """Return raw valid tables of `n` people.

    unknown: share of values left null. overrides: a column name with one value for everybody, or a
    sequence with one value a person; it is never left null unless None is given.
    """
    draws = _Draws(n, rng, unknown, overrides)
    profiles = _profiles(draws)
    unproved = profiles[C.VERIFICATION].isna() | (profiles[C.VERIFICATION] == "none")
    if C.AGE_BAND not in overrides:
        profiles.loc[unproved, C.AGE_BAND] = None
    boundaries = _boundaries(draws)
    boundaries = boundaries[rng.random(n) >= unknown].reset_index(drop=True)
    return {
        T.PROFILES: profiles,
        T.BOUNDARIES: boundaries,
        T.INTERESTS: _interests(draws.users, rng),
        T.TALK_TOPICS: _talk_topics(draws.users, rng),
        T.ANSWERS: _answers(draws.users, rng),
        T.COMMUNITIES: _communities(draws.users, rng),
        T.TOKENS: _tokens(draws.users, rng),
        T.HOLDS: _holds(draws.users, rng),
    }


def _profiles(draws: _Draws) -> pd.DataFrame:
    return pd.DataFrame(
        {
            C.USER: draws.users,
            C.VALID_FROM: pd.Series([_START] * draws.n, dtype="datetime64[us, UTC]"),
            C.PERSON_TOKEN: draws.column(
                C.PERSON_TOKEN, lambda: _token(draws.rng, 10 * draws.n), missing=0.5
            ),
            C.AGE_BAND: draws.column(C.AGE_BAND, draws.word(C.AGE_BAND)),
            C.ACCEPTS_AGE_BANDS: draws.column(
                C.ACCEPTS_AGE_BANDS, draws.words_of(C.ACCEPTS_AGE_BANDS, 0.7), missing=0.3
            ),
            C.VERIFICATION: draws.column(
                C.VERIFICATION, lambda: str(draws.rng.choice(["age", "id", "id_liveness"])), missing=0.0
            ),
            C.ACCOUNT_STATE: draws.column(
                C.ACCOUNT_STATE, draws.word(C.ACCOUNT_STATE, [0.9, 0.025, 0.025, 0.025, 0.025])
            ),
            C.ACTIVITY: draws.column(C.ACTIVITY, draws.word(C.ACTIVITY, [0.4, 0.3, 0.2, 0.1])),
            C.GENDER: draws.column(C.GENDER, draws.word(C.GENDER, [0.45, 0.4, 0.08, 0.07])),
            C.MEETS_GENDERS: draws.column(C.MEETS_GENDERS, draws.words_of(C.MEETS_GENDERS, 0.6), missing=0.3),
            C.HOUSEHOLD_STATUS: draws.column(C.HOUSEHOLD_STATUS, draws.word(C.HOUSEHOLD_STATUS)),
            C.ACCEPTS_HOUSEHOLD_STATUS: draws.column(
                C.ACCEPTS_HOUSEHOLD_STATUS, draws.words_of(C.ACCEPTS_HOUSEHOLD_STATUS, 0.8)
            ),
            C.INTENTS: draws.column(C.INTENTS, draws.words_of(C.INTENTS, 0.6)),
            C.LANGUAGES: draws.column(
                C.LANGUAGES, lambda: ["ja"] if draws.rng.random() < 0.7 else draws.some(LANGUAGES, 0.5)()
            ),
            C.CELL: draws.column(C.CELL, lambda: str(draws.rng.choice(CELLS))),
            C.TZ: draws.column(C.TZ, lambda: str(draws.rng.choice(ZONES, p=[0.7, 0.1, 0.1, 0.1]))),
            C.MAX_DISTANCE_KM: draws.column(
                C.MAX_DISTANCE_KM, lambda: int(draws.rng.choice(USUAL_DISTANCES_KM))
            ),
            C.MIN_DISTANCE_KM: draws.column(
                C.MIN_DISTANCE_KM, lambda: int(draws.rng.choice([0, 0, 0, 5, 10, 25])), missing=0.3
            ),
            C.DISCRETION: draws.column(C.DISCRETION, draws.word(C.DISCRETION, [0.8, 0.2])),
            C.MAX_COMPANIONS: draws.column(C.MAX_COMPANIONS, draws.amount(C.MAX_COMPANIONS)),
            **{c: draws.overrides.get(c) for c in (C.AGE_YEARS, C.MIN_AGE_YEARS, C.MAX_AGE_YEARS)},
        }
    )


def _boundaries(draws: _Draws) -> pd.DataFrame:
    return pd.DataFrame(
        {
            C.USER: draws.users,
            C.VALID_FROM: pd.Series([_START] * draws.n, dtype="datetime64[us, UTC]"),
            C.CONTACT_FREQUENCY: draws.column(C.CONTACT_FREQUENCY, draws.word(C.CONTACT_FREQUENCY)),
            C.CHANNELS: draws.column(C.CHANNELS, draws.words_of(C.CHANNELS, 0.7)),
            C.CONTACT_WINDOWS: draws.column(C.CONTACT_WINDOWS, draws.words_of(C.CONTACT_WINDOWS, 0.2)),
            C.MEETING_SETTINGS: draws.column(C.MEETING_SETTINGS, draws.words_of(C.MEETING_SETTINGS, 0.5)),
            C.ROMANCE_LINE: draws.column(C.ROMANCE_LINE, draws.word(C.ROMANCE_LINE)),
            C.PHYSICAL_LINE: draws.column(C.PHYSICAL_LINE, draws.word(C.PHYSICAL_LINE)),
            C.FINANCIAL_LINE: draws.column(C.FINANCIAL_LINE, draws.word(C.FINANCIAL_LINE)),
            C.DISCLOSURE: draws.column(C.DISCLOSURE, draws.word(C.DISCLOSURE)),
            C.TOPICS_AVOID: draws.column(C.TOPICS_AVOID, draws.some(tuple(load_catalogue().topics), 0.1)),
        }
    )


def make_people(
    n: int, rng: np.random.Generator, *, unknown: float = 0.05, relations: bool = True, **overrides: Any
) -> Population:
    """Return a random population of `n` people, with random relations between some of them."""
    tables = make_tables(n, rng, unknown=unknown, **overrides)
    people = build_population({name: canonical(table) for name, table in tables.items()}, AS_OF)
    return people.with_relations(random_relations(n, rng)) if relations else people


EASY_TO_LIST: Final[dict[str, Any]] = {
    C.AGE_BAND: "35-44",
    C.ACCEPTS_AGE_BANDS: None,
    C.VERIFICATION: "id",
    C.ACCOUNT_STATE: "active",
    C.ACTIVITY: "today",
    C.MEETS_GENDERS: None,
    C.ACCEPTS_HOUSEHOLD_STATUS: ["single", "partnered", "married", "separated"],
    C.INTENTS: ["emotional_support", "hobby_companion"],
    C.LANGUAGES: ["ja"],
    C.TZ: "Asia/Tokyo",
    C.MAX_DISTANCE_KM: 20000,
    C.MIN_DISTANCE_KM: 0,
    C.DISCRETION: "open",
    C.CONTACT_FREQUENCY: "weekly",
    C.CHANNELS: ["in_app_text"],
    C.CONTACT_WINDOWS: ["mon_evening", "sat_day"],
    C.MEETING_SETTINGS: ["cafe_day"],
    C.ROMANCE_LINE: "none_expected",
    C.PHYSICAL_LINE: "none",
    C.FINANCIAL_LINE: "split_bill",
}
"""Values with which the rules let most people meet, by column."""


def make_listed_people(n: int, rng: np.random.Generator, **overrides: Any) -> Population:
    """Return people whom the gates let through and who differ in little: most pairs may meet."""
    return make_people(n, rng, unknown=0.0, relations=False, **(EASY_TO_LIST | overrides))


def random_relations(n: int, rng: np.random.Generator) -> Relations:
    """Return a few random separations and likes."""
    if n < 2:
        return Relations.none(n)

    def pairs(count: int) -> np.ndarray:
        drawn = rng.integers(0, n, (count, 2))
        return drawn[drawn[:, 0] != drawn[:, 1]]

    separated = pairs(2 * n)
    return Relations.of(
        n,
        excluded=separated,
        reason=rng.integers(0, 7, len(separated)),
        liked=pairs(3 * n),
        suggestible=rng.random(n) < 0.3,
    )


def canonical(table: pd.DataFrame) -> pd.DataFrame:
    """Return a raw valid table in the accepted form: sets as sorted tuples."""
    changed = table.copy()
    for name in changed.columns:
        if name in _SET_COLUMNS:
            changed[name] = pd.Series(
                [None if v is None else tuple(sorted(set(v))) for v in changed[name]], dtype=object
            )
    return changed


@st.composite
def populations(draw: st.DrawFn, min_size: int = 0, max_size: int = 24) -> Population:
    """Hypothesis strategy: populations of varying size, strictness and missingness."""
    n = draw(st.integers(min_size, max_size))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    unknown = draw(st.sampled_from([0.0, 0.02, 0.1]))
    if draw(st.booleans()):
        return make_people(n, rng, unknown=unknown)
    return make_listed_people(n, rng).with_relations(random_relations(n, rng))


_SET_COLUMNS = frozenset({name for name, e in ENUMERATIONS.items() if e.many} | {C.TOPICS_AVOID, C.ACCEPTED})


def _is_list_of_sets(given: Any, n: int) -> bool:
    return (
        isinstance(given, list)
        and len(given) == n
        and n > 0
        and all(v is None or isinstance(v, list | tuple | set) for v in given)
    )


def _token(rng: np.random.Generator, universe: int) -> str:
    return f"hmac1:{int(rng.integers(0, max(universe, 1))):064x}"


def _interests(users: list[str], rng: np.random.Generator) -> pd.DataFrame:
    tags = [*list(load_catalogue().interests)[:40], "free:凧揚げ", "free:sourdough"]
    rows = [
        (user, tags[tag], int(rng.integers(1, 6)), str(rng.choice(ENUMERATIONS[C.SHARE_MODE].words)))
        for user in users
        for tag in rng.choice(len(tags), rng.integers(0, 9), replace=False)
    ]
    return pd.DataFrame(rows, columns=[C.USER, C.TAG, C.LEVEL, C.SHARE_MODE])


def _talk_topics(users: list[str], rng: np.random.Generator) -> pd.DataFrame:
    topics = list(load_catalogue().topics)
    rows = [
        (user, topics[topic], role, int(rng.integers(1, 4)))
        for user in users
        for role in ("talks", "listens")
        for topic in rng.choice(len(topics), rng.integers(0, 4), replace=False)
    ]
    return pd.DataFrame(rows, columns=[C.USER, C.TOPIC, C.ROLE, C.WEIGHT])


def _answers(users: list[str], rng: np.random.Generator) -> pd.DataFrame:
    questions = list(load_catalogue().questions.values())[:12]
    rows = []
    for user in users:
        mandatory_left = 2
        for at in rng.choice(len(questions), rng.integers(0, len(questions) + 1), replace=False):
            question = questions[at]
            accepted = [a for a in question.answers if rng.random() < 0.7] or [question.answers[0]]
            public = rng.random() < 0.8
            mandatory = bool(public and not question.sensitive and mandatory_left and rng.random() < 0.05)
            mandatory_left -= mandatory
            rows.append(
                (
                    user,
                    question.id,
                    str(rng.choice(question.answers)),
                    accepted,
                    int(rng.choice(AMOUNTS[C.IMPORTANCE])),
                    mandatory,
                    "public" if public else "match_only",
                    "consent-1" if question.sensitive else None,
                )
            )
    columns = [C.USER, C.QUESTION, C.ANSWER, C.ACCEPTED, C.IMPORTANCE, C.MANDATORY, C.VISIBILITY, C.CONSENT]
    return pd.DataFrame(rows, columns=columns)


def _communities(users: list[str], rng: np.random.Generator) -> pd.DataFrame:
    rows = [
        (f"circle-{circle}", user)
        for user in users
        for circle in rng.choice(12, rng.integers(0, 4), replace=False)
    ]
    return pd.DataFrame(rows, columns=[C.COMMUNITY, C.USER])


def _tokens(users: list[str], rng: np.random.Generator) -> pd.DataFrame:
    universe = 3 * len(users) + 1
    rows = {
        (user, str(rng.choice(("phone", "email", "employer"))), kind, _token(rng, universe))
        for user in users
        for kind in ("self", "exclude")
        for _ in range(rng.integers(0, 3))
    }
    return pd.DataFrame(sorted(rows), columns=[C.USER, C.NAMESPACE, C.KIND, C.HMAC])


def _holds(users: list[str], rng: np.random.Generator) -> pd.DataFrame:
    rows = [
        (user, pd.Timestamp("2026-02-01", tz="UTC"), str(rng.choice(["active", "lifted"])))
        for user in users
        if rng.random() < 0.05
    ]
    frame = pd.DataFrame(rows, columns=[C.USER, C.TS, C.STATE])
    return frame.astype({C.TS: "datetime64[us, UTC]"})
