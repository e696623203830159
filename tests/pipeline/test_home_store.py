"""A safety store and a ledger that do not belong together: no night, rollback or export serves beside them.

Seen to fail: each was published, rolled back or exported without a word while no worker could serve.
"""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from recsys.batch import night as batch_night
from recsys.errors import SafetyUnavailable
from recsys.pipeline import doctor
from recsys.pipeline.postgres_served_lists import served
from recsys.pipeline.publish_night import export_publication
from recsys.pipeline.rollback import rollback
from recsys.safety import SqliteSafety
from recsys.safety.by_person import SafetyByPerson
from recsys.safety.erasure_list import ErasureList
from recsys.safety.ledger import SafetyLedger
from recsys.safety.postgres_store import PostgresSafety
from recsys.safety.store import SafetyStore
from recsys.storage.publication import current_run
from tests.pipeline.small_night import Night

PUBLISHED, STORE = Path("data/published"), Path("data/safety.db")


def opened(store: SafetyStore) -> SafetyByPerson:
    """Return a store as a worker opens it."""
    found = SafetyByPerson(store, ErasureList.of(PUBLISHED), SafetyLedger.of(PUBLISHED))
    found.check()
    return found


def used(night: Night, store: SafetyStore, by_now: Callable[[], None]) -> None:
    """Publish twice beside a store that workers write to; `by_now` is called between."""
    night.publish(PUBLISHED)
    opened(store).block("first", "second")
    by_now()
    shutil.copytree(PUBLISHED, "older")
    opened(store).block("third", "fourth")
    night.publish(PUBLISHED)
    opened(store).hold("fifth")


def ledger_set_back() -> None:
    shutil.rmtree(PUBLISHED)
    shutil.copytree("older", PUBLISHED)


def copied(to: Path) -> None:
    with closing(sqlite3.connect(STORE)) as connection:
        connection.execute("VACUUM INTO ?", [str(to)])


def made_anew() -> None:
    for file in STORE.parent.glob("safety.db*"):
        file.unlink()
    SqliteSafety.create(STORE)


def set_back() -> None:
    made_anew()
    shutil.copyfile("older.db", STORE)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, night: Night) -> Path:
    """A home as the working directory: two publications, and a store that both know."""
    monkeypatch.chdir(tmp_path)
    PUBLISHED.mkdir(parents=True)
    used(night, SqliteSafety.create(STORE), lambda: copied(Path("older.db")))
    return tmp_path


FAULTS = [ledger_set_back, set_back]
DOORS: dict[str, Callable[[Night], object]] = {
    "night": lambda night: night.publish(PUBLISHED),
    "rollback": lambda _: rollback(PUBLISHED),
}


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("door", DOORS)
def test_nothing_is_served_beside_a_store_that_knows_better(
    night: Night, fault: Callable[[], None], door: str
) -> None:
    assert doctor._store().key == "doctor.store"
    night.publish(PUBLISHED)
    fault()
    before = current_run(PUBLISHED)
    with pytest.raises(SafetyUnavailable, match="older"):
        opened(SqliteSafety(STORE))
    with pytest.raises(SafetyUnavailable, match="older"):
        DOORS[door](night)
    assert current_run(PUBLISHED) == before
    assert not doctor._checked("store", doctor._store).good


@pytest.mark.usefixtures("home")
def test_a_night_beside_another_store_says_that_no_worker_serves(night: Night) -> None:
    """It may be one that the service no longer asks: the night is published, and warns."""
    assert not batch_night._of_store("en")
    made_anew()
    night.publish(PUBLISHED)
    for lang in ("ja", "en"):
        assert "recsys bind-store" in batch_night._of_store(lang)
    assert not doctor._checked("store", doctor._store).good
    STORE.unlink()
    assert not batch_night._of_store("en")
    assert doctor._store().key == "doctor.no_store"


def _no_database() -> None:
    STORE.write_bytes(b"no database" * 100)


def _empty() -> None:
    STORE.write_bytes(b"")


def _link_to_nothing() -> None:
    STORE.unlink()
    STORE.symlink_to("a-volume-that-is-away/safety.db")


def _folder() -> None:
    STORE.unlink()
    STORE.mkdir()


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("damage", [_no_database, _empty, _link_to_nothing, _folder])
def test_a_night_beside_a_damaged_store_says_so(night: Night, damage: Callable[[], None]) -> None:
    """The ledger goes on, and the store is restored: the night is published, and warns.

    Seen to fail: a link to a volume that was away, and a folder, were taken for no store.
    """
    before = current_run(PUBLISHED)
    made_anew()
    damage()
    night.publish(PUBLISHED)
    assert not doctor._checked("store", doctor._store).good
    assert current_run(PUBLISHED) != before
    assert str(STORE) in batch_night._of_store("en")


def _another(address: str) -> None:
    with closing(PostgresSafety(address)) as store:
        store.renew_identity()


def _set_back(address: str) -> None:
    with psycopg.connect(address) as connection:
        connection.execute("UPDATE recsys_store_identity SET writes = writes - 1")


@pytest.mark.parametrize(
    "fault", [lambda _: ledger_set_back(), _another, _set_back], ids=["older ledger", "another", "older"]
)
def test_an_export_asks_the_store_of_its_database(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    night: Night,
    postgres: str,
    fault: Callable[[str], None],
) -> None:
    monkeypatch.chdir(tmp_path)
    PUBLISHED.mkdir(parents=True)
    with closing(PostgresSafety.create(postgres)) as store:
        used(night, store, lambda: None)
    export_publication(PUBLISHED, postgres)
    before = served(postgres)
    assert before is not None
    night.publish(PUBLISHED)
    fault(postgres)
    with pytest.raises(SafetyUnavailable):
        export_publication(PUBLISHED, postgres)
    assert served(postgres) == before
