"""What is attacked: tables of a small town, publications to serve from, and newcomers to them."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import recsys
from recsys.catalogue.columns import Columns as C
from recsys.constraints.policy import Policy, may_show_each
from recsys.data.events import Events
from recsys.data.exclusions import Relations
from recsys.data.population import Population
from recsys.models.content import ContentModel
from recsys.ranking.cold_start import NewcomerParts
from recsys.ranking.ranker import Ranker
from recsys.safety.keys import Keys
from recsys.safety.store import MemorySafety, SafetyStore
from recsys.storage.load import load_population, load_tables
from recsys.storage.publication import NEWCOMERS
from recsys.testing.people import make_listed_people
from tests.ranking.published_world import NOW, World
from tests.ranking.test_cold_start import likes

Tables = dict[str, pd.DataFrame]
KEYS = Keys((b"a-key-of-the-benchmark-of-attacks-0001",))
POLICY = Policy.default()
N_PEOPLE, N_BANNED = 60, 8


@lru_cache(maxsize=1)
def town() -> tuple[Tables, pd.Timestamp]:
    """Return the tables of a small town and the time of its night."""
    made = recsys.make_town(N_PEOPLE, np.random.default_rng(7))
    as_of = load_tables(made.tables).as_of
    if as_of is None:
        raise ValueError("a town has a time")
    return dict(made.tables), as_of


@lru_cache(maxsize=1)
def pair() -> tuple[str, str]:
    """Return two people of the town of whom the first may be shown the second."""
    people = load_population(*town())
    for a in range(len(people)):
        for b in range(len(people)):
            if a != b and are_shown(people, a, b) and are_shown(people, b, a):
                first, second = people.ids.ids([a, b])
                return str(first), str(second)
    raise ValueError("nobody may meet anybody in the town")


def on_day(ranker: Ranker, day: int) -> Ranker:
    """Return a ranker whose clock is so many days on: the limits of a day are those of the clock."""
    setattr(ranker._pages, "_today", (NOW + timedelta(days=day)).date)  # noqa: B010
    return ranker


def are_shown(people: Population, a: int, b: int) -> bool:
    """Say by the plain rules whether b may be shown to a."""
    return bool(may_show_each(POLICY, people, np.array([a], np.int32), np.array([b], np.int32))[0])


def meets(tables: Tables, one: str | None = None, other: str | None = None) -> bool:
    """Say whether two people of the town, `pair` unless named, may be shown to each other either way."""
    people = load_population(tables, town()[1])
    a, b = people.ids.find([one or pair()[0], other or pair()[1]])
    return min(a, b) >= 0 and (are_shown(people, a, b) or are_shown(people, b, a))


def joined(name: str, *rows: dict[str, Any]) -> Tables:
    """Return the tables of the town with rows added to one."""
    tables = town()[0]
    return tables | {name: pd.concat([tables[name], pd.DataFrame(list(rows))], ignore_index=True)}


def last_row(name: str, user: str, **changes: Any) -> dict[str, Any]:
    """Return somebody's last row in a table of the town, changed."""
    rows = town()[0][name]
    return rows[rows.user_id == user].iloc[-1].to_dict() | changes


@lru_cache(maxsize=1)
def everybody() -> Population:
    """Return the people of the published world, several with two accounts, and one more who is not in it.

    The last of the published are banned: they are in it and listed nowhere.
    """
    states = ["active"] * N_PEOPLE + ["banned"] * N_BANNED + ["active"]
    people = make_listed_people(len(states), np.random.default_rng(11), **{C.ACCOUNT_STATE: states})
    tokens = np.array([f"hmac1:{at // 2:064x}" for at in range(len(states))], dtype=object)
    return replace(people, person_tokens=tokens, relations=Relations.none(len(people)))


@lru_cache(maxsize=1)
def world() -> World:
    """Return the world that is published: everybody but the last."""
    return World.of(everybody().take(np.arange(N_PEOPLE + N_BANNED)), k=12)


@lru_cache(maxsize=1)
def _model() -> ContentModel:
    return fitted(world().people, likes(ids(), np.random.default_rng(3)))


def fitted(people: Population, events: Events) -> ContentModel:
    """Return a content model of a world."""
    return ContentModel().fit(people, events, rng=np.random.default_rng(3))


def write(folder: Path, lists: pd.DataFrame) -> None:
    """Write what a ranker opens of the published world, newcomers included."""
    write_world(world(), _model(), folder, lists)


def write_world(published: World, model: ContentModel, folder: Path, lists: pd.DataFrame) -> None:
    """Write what a ranker opens of some world, newcomers included."""
    from recsys.ranking.snapshot_files import write_snapshot
    from recsys.safety.ledger import SafetyLedger

    people = published.people
    newcomers = NewcomerParts.of(people, POLICY, model)
    assert newcomers is not None
    newcomers.write(folder.parent / NEWCOMERS)
    ledger = SafetyLedger.of(folder.parents[2])
    write_snapshot(folder, lists, people, POLICY, model.directed(people), ledger=ledger)


@contextmanager
def served(
    store: SafetyStore | None = None,
    of: tuple[World, ContentModel] | None = None,
    **options: Any,
) -> Iterator[tuple[Ranker, Path]]:
    """Publish a world, the one that is attacked unless given with its model, and open it."""
    published, model = of or (world(), _model())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "published"
        if not published.publish(folder, serving=partial(write_world, published, model)).published:
            raise ValueError("the world could not be published")
        given = {
            "safety": store or MemorySafety(),
            "poll_s": 0,
            "keys": KEYS,
            "max_staleness": None,
        } | options
        ranker = Ranker.open(folder, **given)
        yield ranker, folder
        ranker.close()


def shown(ranker: Ranker, viewer: str, k: int = 50) -> set[str]:
    """Return everybody on a viewer's page."""
    return {item.candidate_id for item in ranker.rank(viewer, k, NOW).items}


def ids() -> list[str]:
    """Return everybody of the published world."""
    return [str(one) for one in world().people.ids.ids(np.arange(N_PEOPLE))]


def unlisted_ids() -> list[str]:
    """Return everybody of the published world who is banned."""
    return [str(one) for one in world().people.ids.ids(np.arange(N_PEOPLE, N_PEOPLE + N_BANNED))]


def other_account(user: str) -> str:
    """Return the second account of somebody's person."""
    at = ids().index(user)
    return ids()[at + 1 if at % 2 == 0 else at - 1]
