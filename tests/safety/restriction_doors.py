"""What restricts somebody, and the doors it comes through, as data: the axes of the matrix of restrictions.

A kind is said of `b`, or of `a` and `b` by one of them. A form is how it is wrong, or not.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.constraints.policy import Policy
from recsys.data.id_spellings import Spellings
from recsys.data.population import Population
from recsys.models.content import ContentModel
from recsys.pipeline.night import without_erased
from recsys.pipeline.night_safety import HoldStates
from recsys.pipeline.publish import PublishResult
from recsys.ranking.newcomer_limits import NewcomerLimits
from recsys.ranking.ranker import Ranker
from recsys.ranking.recommend import recommend
from recsys.safety import MemorySafety
from recsys.safety.erasure_list import ErasureList
from recsys.safety.keys import Keys
from recsys.settings import GateSettings, PublishSettings
from recsys.storage.load import load_population, load_sorted, population_of
from recsys.testing.people import EASY_TO_LIST, make_tables
from tests.pipeline.small_night import DECLARED
from tests.ranking.published_world import Given, World, copied
from tests.ranking.test_cold_start import likes

Tables = dict[str, pd.DataFrame]
Row = dict[str, Any]

AS_OF = pd.Timestamp("2026-03-02T03:00:00", tz="UTC")
NOW = datetime.fromisoformat("2026-03-02T09:00:00+00:00")
_START = pd.Timestamp("2026-01-01", tz="UTC")
_EARLIER = AS_OF - pd.Timedelta(days=1)
PEOPLE = 48
KEYS = Keys((b"the key of the tests, of no service",))
_COLUMNS: Mapping[str, Sequence[str]] = {
    T.EVENTS: (C.EVENT, C.TS, C.ACTOR, C.TARGET, C.TYPE, C.DETAIL),
    T.BLOCKS: (C.ACTOR, C.TARGET, C.TS),
    T.REPORTS: (C.ACTOR, C.TARGET, C.TS, C.CATEGORY),
    T.HOLDS: (C.USER, C.TS, C.STATE, C.OWNER),
    T.TOKENS: (C.USER, C.NAMESPACE, C.KIND, C.HMAC),
}


def token(kind: str, one: str) -> str:
    """Return the token of somebody of one kind."""
    return f"hmac1:{int.from_bytes(f'{kind}{one}'.encode()):064x}"[:70]


def _town() -> Tables:
    """People who may all meet, each with a person token and a phone; terms and proofs stand in the log."""
    tables = make_tables(PEOPLE, np.random.default_rng(17), unknown=0.0, **EASY_TO_LIST)
    users = tables[T.PROFILES][C.USER].tolist()
    tables[T.PROFILES][C.PERSON_TOKEN] = [token("p", one) for one in users]
    tables[T.ANSWERS][C.MANDATORY] = False
    phones = [(one, "phone", "self", token("t", one)) for one in users]
    proofs = [
        (f"{kind}{one}", _START, one, None, kind, detail)
        for one in users
        for kind, detail in (("terms_accepted", None), ("verified", "id"))
    ]
    liked = [(f"like{b}", _START, b, a, "like", None) for a, b in zip(users[::2], users[1::2], strict=True)]
    given = {T.EVENTS: [*proofs, *liked], T.TOKENS: phones}
    return tables | {
        name: pd.DataFrame(given.get(name, []), columns=list(of)) for name, of in _COLUMNS.items()
    }


TOWN = _town()
USERS: list[str] = TOWN[T.PROFILES][C.USER].tolist()


def _event(kind: str, detail: str | None = None, *, alone: bool = False) -> Callable[[str, str], Row]:
    def row(a: str, b: str) -> Row:
        actor, target = (b, None) if alone else (a, b)
        return {
            C.EVENT: f"e-{kind}-{b}", C.TS: _EARLIER, C.ACTOR: actor, C.TARGET: target, C.TYPE: kind,
            C.DETAIL: detail,
        }  # fmt: skip

    return row


def _profile(**said: Any) -> Callable[[str, str], Row]:
    return lambda _, b: {C.USER: b, C.VALID_FROM: _EARLIER, **said}


@dataclass(frozen=True)
class Kind:
    """Something that restricts: the table it is a row of, and the row; lasts: also when the row is gone."""

    table: str
    row: Callable[[str, str], Row]
    lasts: bool
    of_pair: bool


KINDS: Mapping[str, Kind] = {
    "ban": Kind(T.PROFILES, _profile(**{C.ACCOUNT_STATE: "banned"}), True, False),
    "account on hold": Kind(T.PROFILES, _profile(**{C.ACCOUNT_STATE: "hold"}), True, False),
    "pause": Kind(T.PROFILES, _profile(**{C.ACCOUNT_STATE: "paused"}), False, False),
    "age of a child": Kind(T.PROFILES, _profile(**{C.AGE_BAND: "under 18"}), False, False),
    "boundary": Kind(T.BOUNDARIES, _profile(**{C.CHANNELS: ["in_app_video"]}), False, False),
    "hold": Kind(
        T.HOLDS, lambda _, b: {C.USER: b, C.TS: _EARLIER, C.STATE: "active", C.OWNER: "aki"}, True, False
    ),
    "leave": Kind(T.EVENTS, _event("leave", alone=True), False, False),
    "proof taken back": Kind(T.EVENTS, _event("verified", "none", alone=True), False, False),
    "erasure": Kind(T.EVENTS, _event("erase", alone=True), True, False),
    "ban by an event": Kind(T.EVENTS, _event("ban", alone=True), True, False),
    "block": Kind(T.BLOCKS, lambda a, b: {C.ACTOR: a, C.TARGET: b, C.TS: _EARLIER}, True, True),
    "report": Kind(
        T.REPORTS, lambda a, b: {C.ACTOR: a, C.TARGET: b, C.TS: _EARLIER, C.CATEGORY: "money"}, True, True
    ),
    "end": Kind(T.EVENTS, _event("end", "amicable"), True, True),
    "unsafe meeting": Kind(T.EVENTS, _event("meet_feedback", "unsafe"), True, True),
    "hide": Kind(T.EVENTS, _event("hide"), False, True),
    "pass": Kind(T.EVENTS, _event("pass"), False, True),
    "excluded number": Kind(
        T.TOKENS,
        lambda a, b: {C.USER: b, C.NAMESPACE: "phone", C.KIND: "exclude", C.HMAC: token("t", a)},
        False,
        True,
    ),
}
"""Everything that restricts."""

PAIR_OF = {kind: (USERS[2 * at], USERS[2 * at + 1]) for at, kind in enumerate(KINDS)}
"""For each kind two people who may meet, nobody in two pairs."""
OTHER = USERS[-1]
"""Somebody of whom nothing is said."""

_WRONG: Mapping[str, Row] = {
    T.PROFILES: {C.TZ: "Mars"},
    T.BOUNDARIES: {C.ROMANCE_LINE: "who knows"},
    T.HOLDS: {C.TS: "soon"},
    T.EVENTS: {C.DETAIL: "so it goes"},
    T.BLOCKS: {C.TS: "soon"},
    T.REPORTS: {C.CATEGORY: "so it goes"},
    T.TOKENS: {C.NAMESPACE: "telegraph"},
}
"""What is wrong beside the word that restricts."""
FORMS = ("sound", "spelled", "partly readable", "repeated", "late", "ahead")
_MOVED = {"late": -pd.Timedelta(days=20), "ahead": pd.Timedelta(days=90)}


def spelled(user: str) -> str:
    """Return an id as a hand may write it."""
    return f" {user.upper()}"


def rows_of(kind: str, form: str) -> list[Row]:
    """Return the rows of a table that say something of the pair of its kind, in one form."""
    a, b = PAIR_OF[kind]
    row = KINDS[kind].row(a, spelled(b) if form == "spelled" else b)
    if form == "partly readable":
        row |= _WRONG[KINDS[kind].table]
    when = next((column for column in (C.TS, C.VALID_FROM) if column in row), None)
    if form in _MOVED and when is not None:
        row[when] += _MOVED[form]
    if form == "repeated" and C.EVENT in row:  # the name of an event that somebody used before
        row[C.EVENT] = f"verified{row[C.ACTOR]}"
    return [row, row] if form == "repeated" and KINDS[kind].table in (T.BLOCKS, T.REPORTS) else [row]


def with_rows(said: Mapping[str, Sequence[Row]]) -> Tables:
    """Return the tables of everybody with some rows of each kind."""
    found = {name: table.copy() for name, table in TOWN.items()}
    for kind, rows in said.items():
        name = KINDS[kind].table
        table = found[name].astype(object)
        for row in rows:
            whole = dict(row)
            if name in (T.PROFILES, T.BOUNDARIES):  # a row of these is whole
                mine = TOWN[name][TOWN[name][C.USER] == PAIR_OF[kind][1]].iloc[-1].to_dict()
                whole = mine | row
            table = pd.concat([table, pd.DataFrame([whole])], ignore_index=True)
        found[name] = table
    return found


def own_tables(user: str, **changed: Any) -> dict[str, list[Row]]:
    """Return the tables of one person as a backend sends them, some columns with other words."""
    return {
        name: [
            row | {column: word for column, word in changed.items() if column in TOWN[name]} for row in rows
        ]
        for name, rows in _rows_of(user).items()
    }


@cache
def _rows_of(user: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for name in (T.PROFILES, T.BOUNDARIES, T.TOKENS):
        rows = TOWN[name][TOWN[name][C.USER] == user].to_dict("records")
        found[name] = [{column: _plain(value) for column, value in row.items()} for row in rows]
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return value if isinstance(value, list) or pd.notna(value) else None


class Published:
    """A folder of publications of the town, and what is asked of it; verification: the tier that is asked."""

    def __init__(self, folder: Path, verification: str = "age") -> None:
        people = load_population(TOWN, AS_OF)
        self.folder, self.policy = folder, Policy.default(verification=verification)
        self._worlds: dict[
            tuple[object, ...], World
        ] = {}  # of the town as it is: many cases publish it again
        ids = people.ids.ids(np.arange(len(people))).tolist()
        self.model = ContentModel().fit(
            people, likes(ids, np.random.default_rng(3)), rng=np.random.default_rng(3)
        )
        assert self.night(folder, TOWN).published

    def night(
        self, folder: Path, tables: Tables, *, refused: bool = False, hours: int = 0, pages_asked: int = 0
    ) -> PublishResult:
        """Publish a night of some tables, or have it refused."""
        people, erased = _of_town(hours) if tables is TOWN else _read(tables, hours)
        ErasureList.of(folder).add(erased)  # as a night does
        _, people, gone = without_erased(people, ErasureList.of(folder).now())
        if tables is not TOWN:
            world = self._computed(people)
        elif (world := self._worlds.get(known := (hours, *gone))) is None:  # type: ignore[assignment]
            world = self._worlds[known] = self._computed(people)
        people, lists = world.people, world.lists
        if refused:
            world = replace(world, lists=lists.assign(**{C.CANDIDATE: lists[C.VIEWER]}))
        return world.publish(
            folder,
            model=self.model,
            holds=HoldStates.of_source(tables, people.as_of),
            settings=SETTINGS,
            pages_asked=pages_asked,
        )

    def _computed(self, people: Population) -> World:
        directed = self.model.directed(people)
        lists = recommend(Given(directed), people, self.policy, k=6)
        return World(people, self.policy, directed, lists)


def _read(tables: Tables, hours: int) -> tuple[Population, list[str]]:
    """Return the people of some tables, and the ids of whom they ask to erase."""
    loaded, spellings = load_sorted(tables, AS_OF + pd.Timedelta(hours=hours)), Spellings(USERS)
    return population_of(loaded), [spellings.whom(one) or one for one in sorted(loaded.restrictions.erased)]


@cache
def _of_town(hours: int) -> tuple[Population, list[str]]:
    return _read(TOWN, hours)


SETTINGS = PublishSettings(
    platform=DECLARED,
    gates=GateSettings(block_short_lists=1.0, block_below_rows=0.0, block_below_people=0.0, block_psi=100.0),
)


@contextmanager
def opened(folder: Path, store: MemorySafety) -> Iterator[Ranker]:
    """Open what is published, as a worker does."""
    limits = NewcomerLimits(share=1.0, profiles=9, edits=9)
    ranker = Ranker.open(folder, safety=store, poll_s=0, max_staleness=None, keys=KEYS, newcomers=limits)
    try:
        yield ranker
    finally:
        ranker.close()


def copy_of(published: Published, folder: Path) -> Path:
    """Return a copy of what is published: the ledger of a folder remembers what one case tells it."""
    return copied(published.folder, folder / "published")
