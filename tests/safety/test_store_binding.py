"""A safety store and the ledger are tied: whichever is set back beside the newest of the other is refused.

Seen to fail: an older ledger, copied back with its own end mark beside the newest store, opened.
"""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from recsys.cli import app
from recsys.errors import EXIT_BROKEN_INPUT, EXIT_TRY_AGAIN, SafetyUnavailable
from recsys.ranking.day_writes import DayWrites
from recsys.safety import SqliteSafety, store_binding
from recsys.safety.by_person import SafetyByPerson
from recsys.safety.day_log import DayEvent
from recsys.safety.erasure_list import ErasureList
from recsys.safety.ledger import SafetyLedger
from recsys.safety.ledger_state import BAN, TABLES, LedgerTag, Who

Write = Callable[[SafetyByPerson, str, str], None]
WRITES: dict[str, Write] = {
    "block": lambda safety, a, b: safety.block(a, b),
    "report": lambda safety, a, b: safety.report(a, b),
    "hold": lambda safety, a, _: safety.hold(a),
    "end": lambda safety, a, b: safety.separate([(a, b)]),
    "a night, then a worker that loads it": lambda safety, a, _: _night(safety, a),
}


def _night(safety: SafetyByPerson, user: str) -> None:
    safety.ledger.stop([Who(user)], LedgerTag(BAN, TABLES))
    safety.check()


def _opened(folder: Path) -> SafetyByPerson:
    store = SqliteSafety(folder / "safety.db")
    return SafetyByPerson(store, ErasureList.of(folder / "published"), SafetyLedger.of(folder / "published"))


def _back_up(home: Path, to: Path) -> None:
    with closing(sqlite3.connect(home / "safety.db")) as connection:
        connection.execute("VACUUM INTO ?", [str(to)])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    (folder / "published").mkdir(parents=True)
    SqliteSafety.create(folder / "safety.db")
    return folder


@pytest.mark.parametrize("seed", range(4))
def test_a_ledger_older_than_the_store_knows_it_is_refused(home: Path, tmp_path: Path, seed: int) -> None:
    safety, rng = _opened(home), np.random.default_rng(seed)
    safety.block("first", "second")
    for step in range(6):
        shutil.copytree(home / "published", tmp_path / f"ledger-{step}")
        WRITES[str(rng.choice([*WRITES]))](safety, f"a{step}", f"b{step}")
    _opened(home).check()
    newest = tmp_path / "newest"
    shutil.copytree(home / "published", newest)
    for step in range(6):
        shutil.rmtree(home / "published")
        shutil.copytree(tmp_path / f"ledger-{step}", home / "published")
        with pytest.raises(SafetyUnavailable, match="older"):
            _opened(home).check()
    shutil.rmtree(home / "published")
    shutil.copytree(newest, home / "published")
    _opened(home).check()


def test_no_store_is_taken_beside_a_ledger_that_is_older_than_it_knows(home: Path, tmp_path: Path) -> None:
    """Seen to fail: it was taken, with success, and workers went on refusing."""
    _opened(home).block("first", "second")
    shutil.copytree(home / "published", tmp_path / "older")
    _opened(home).block("third", "fourth")
    shutil.rmtree(home / "published")
    shutil.copytree(tmp_path / "older", home / "published")
    at = ["--safety", str(home / "safety.db"), "--published", str(home / "published"), "--yes"]
    found = CliRunner().invoke(app, ["bind-store", *at])
    assert isinstance(found.exception, SafetyUnavailable) or found.exit_code == EXIT_TRY_AGAIN
    with pytest.raises(SafetyUnavailable, match="older"):
        _opened(home).check()


@pytest.mark.parametrize("write", WRITES)
def test_a_ledger_that_was_set_back_and_went_on_is_refused(home: Path, tmp_path: Path, write: str) -> None:
    safety = _opened(home)
    safety.block("first", "second")
    shutil.copytree(home / "published", tmp_path / "before")
    WRITES[write](safety, "a", "b")
    shutil.rmtree(home / "published")
    shutil.copytree(tmp_path / "before", home / "published")
    ledger = SafetyLedger.of(home / "published")
    for step in range(9):
        ledger.stop([Who(f"other-{step}")], LedgerTag(BAN, TABLES))
    with pytest.raises(SafetyUnavailable):
        _opened(home).check()


@pytest.mark.parametrize("write", WRITES)
def test_a_store_of_an_earlier_version_notices_an_older_ledger_from_the_first_write_on(
    home: Path, tmp_path: Path, write: str
) -> None:
    """Seen to fail: it had no table of marks until `create` ran again, and an older ledger opened."""
    with closing(sqlite3.connect(home / "safety.db")) as connection:
        connection.execute("DROP TABLE IF EXISTS ledger_marks")
    safety = _opened(home)
    safety.ledger.stop([Who("before")], LedgerTag(BAN, TABLES))
    shutil.copytree(home / "published", tmp_path / "older")
    WRITES[write](safety, "first", "second")
    _opened(home).check()
    shutil.rmtree(home / "published")
    shutil.copytree(tmp_path / "older", home / "published")
    with pytest.raises(SafetyUnavailable, match="older"):
        _opened(home).check()


def test_a_store_of_an_earlier_version_serves_where_it_cannot_be_written(home: Path) -> None:
    with closing(sqlite3.connect(home / "safety.db")) as connection:
        connection.execute("DROP TABLE IF EXISTS ledger_marks")
    safety = _opened(home)
    safety.ledger.stop([Who("first")], LedgerTag(BAN, TABLES))
    with closing(sqlite3.connect(home / "safety.db", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        safety.check()
        connection.execute("ROLLBACK")
    assert SqliteSafety(home / "safety.db").ledger_mark(safety.ledger.now().identity) is None
    assert safety.exclusions("first", ["second"]).viewer_excluded


def test_marks_of_two_ledgers_are_two_and_only_grow(home: Path) -> None:
    store = SqliteSafety(home / "safety.db")
    store.note_ledger("one", 5, "one:5:x")
    store.note_ledger("other", 2, "other:2:y")
    store.note_ledger("one", 3, "one:3:z")
    assert [store.ledger_mark(name) for name in ("one", "other", "none")] == ["one:5:x", "other:2:y", None]


@pytest.mark.parametrize("lost", ["the file", "its last writes"])
def test_a_store_that_was_lost_is_taken_anew_on_purpose_alone(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    monkeypatch.chdir(home)
    runner = CliRunner()
    arguments = ["bind-store", "--safety", "safety.db", "--published", "published", "--lang", "en"]
    safety = _opened(home)
    safety.block("first", "second")
    _back_up(home, tmp_path / "copy.db")
    for step in range(3):
        safety.block(f"a{step}", f"b{step}")
    newest = tmp_path / "newest.db"
    _back_up(home, newest)
    for left in home.glob("safety.db*"):
        left.unlink()
    if lost == "its last writes":
        shutil.copy(tmp_path / "copy.db", home / "safety.db")
    else:
        assert runner.invoke(app, [*arguments, "--yes"]).exit_code != 0  # nothing is made unasked
    asked = runner.invoke(app, [*arguments, "--create"])
    assert asked.exit_code == EXIT_BROKEN_INPUT
    with pytest.raises(SafetyUnavailable):
        _opened(home).check()
    said = runner.invoke(app, [*arguments, "--create", "--yes"])
    assert said.exit_code == 0
    assert f"{3 if lost == 'its last writes' else 4} writes that the safety ledger knows of" in said.output
    opened = _opened(home)
    opened.check()
    assert opened.exclusions("a0", ["b0"]).excluded == {"b0"}  # what the ledger holds, it keeps
    opened.block("later", "other")
    for left in home.glob("safety.db*"):  # the one that was lost is found: it knows less than the new one
        left.unlink()
    shutil.copy(newest, home / "safety.db")
    with pytest.raises(SafetyUnavailable, match="another"):
        _opened(home).check()


OF_A_WORKER: dict[str, Callable[[SafetyByPerson], object]] = {
    "block": lambda safety: safety.block("x", "y"),
    "report": lambda safety: safety.report("x", "y"),
    "hold": lambda safety: safety.hold("x"),
    "a page": lambda safety: safety.exclusions("x", ["y"]),
    "an event of the day": lambda safety: DayWrites(safety, safety.store.day).append(
        [DayEvent("e", datetime.now(UTC), "x", "y", "hide")]
    ),
}


@pytest.mark.parametrize("call", OF_A_WORKER)
def test_a_worker_of_a_store_that_was_given_up_serves_nobody_and_does_not_bring_it_back(
    home: Path, call: str
) -> None:
    """Seen to fail: one write of a worker that was not restarted made the lost store one of the two again."""
    old = _opened(home)
    old.block("first", "second")
    new = SqliteSafety.create(home / "new.db")
    old.ledger.bind_store(*new.watermark(), as_it_is=True)
    with pytest.raises(SafetyUnavailable, match="another"):
        OF_A_WORKER[call](old)
    with pytest.raises(SafetyUnavailable, match="another"):
        _opened(home).check()
    SafetyByPerson(new, old.erasures, SafetyLedger.of(home / "published")).check()


def test_a_store_that_was_given_up_is_taken_again_on_purpose_alone(home: Path) -> None:
    old, ledger = _opened(home), SafetyLedger.of(home / "published")
    old.block("first", "second")
    ledger.bind_store("other", 1, as_it_is=True)
    ledger.append([{"kind": "store", "store": old.store.watermark()[0], "writes": 99}])  # of another version
    with pytest.raises(SafetyUnavailable, match="another"):
        _opened(home).check()
    ledger.bind_store(*old.store.watermark(), as_it_is=True)
    _opened(home).check()
    assert old.exclusions("first", ["second"]).excluded == {"second"}


def _hide(safety: SafetyByPerson, *others: str, kind: str = "hide") -> None:
    day = DayWrites(safety, safety.store.day)
    day.append([DayEvent(f"e-{one}", datetime.now(UTC), "x", one, kind) for one in others])


@pytest.mark.parametrize("kind", ["hide", "pass"])
def test_a_store_made_anew_is_noticed_where_people_were_only_hidden(home: Path, kind: str) -> None:
    """Seen to fail: hides and passes were no writes, so another store opened and showed the hidden."""
    _hide(_opened(home), "y", kind=kind)
    for left in home.glob("safety.db*"):
        left.unlink()
    SqliteSafety.create(home / "safety.db")
    with pytest.raises(SafetyUnavailable, match="another"):
        _opened(home).check()


def test_a_store_set_back_before_hides_is_noticed_once_they_were_told(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    safety = _opened(home)
    _hide(safety, "first")
    _back_up(home, tmp_path / "copy.db")
    _hide(safety, "second")
    monkeypatch.setattr("recsys.safety.store_binding.TOLD_EVERY_S", -1.0)
    _hide(safety, "third")
    for left in home.glob("safety.db*"):
        left.unlink()
    shutil.copy(tmp_path / "copy.db", home / "safety.db")
    with pytest.raises(SafetyUnavailable, match="older"):
        _opened(home).check()
    with pytest.raises(SafetyUnavailable, match="older"):  # a worker that goes on does not count it up again
        safety.block("a", "b")


def test_the_last_hides_are_told_where_a_worker_goes_on_and_nobody_writes(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail: the last hides before a quiet hour were told by the next write alone."""
    safety, reading = _opened(home), _opened(home)
    _hide(safety, "first")
    _back_up(home, tmp_path / "copy.db")
    _hide(safety, "second")
    monkeypatch.setattr(store_binding, "LOOKED_EVERY_S", -1.0)
    reading.exclusions("a", ["b"])
    before = safety.ledger.watermark
    for one in (safety, reading):
        one.exclusions("a", ["b"])
    assert safety.ledger.watermark == before
    monkeypatch.setattr(store_binding, "TOLD_EVERY_S", -1.0)
    reading.exclusions("a", ["b"])
    told = reading.ledger.watermark
    assert told != before
    reading.exclusions("a", ["b"])
    assert reading.ledger.watermark == told
    for left in home.glob("safety.db*"):
        left.unlink()
    shutil.copy(tmp_path / "copy.db", home / "safety.db")
    with pytest.raises(SafetyUnavailable, match="older"):
        _opened(home).check()


def test_many_hides_are_told_to_the_ledger_once_in_a_while(home: Path) -> None:
    safety = _opened(home)
    _hide(safety, "first")
    before = safety.ledger.watermark
    for at in range(20):
        _hide(safety, f"y{at}")
    assert safety.ledger.watermark == before


def _replaced(path: Path, how: str, older: Path) -> None:
    """Put another store, or an older copy, in the place of a store in use."""
    other = path.with_name("other.db")
    if how.startswith("older"):
        shutil.copy(older, other)
    else:
        SqliteSafety.create(other)
    if "restored" in how:
        with closing(sqlite3.connect(other)) as source, closing(sqlite3.connect(path)) as target:
            source.backup(target)
        return
    for end in ("-wal", "-shm", "" if "removed" in how else "-none"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    other.replace(path)


@pytest.mark.parametrize("write", ["block", "hold", "hide"])
@pytest.mark.parametrize(
    "how",
    [f"{which}, {way}" for which in ("another", "older") for way in ("removed", "moved over it", "restored")],
)
def test_a_worker_serves_nobody_whose_store_was_replaced_under_it(
    home: Path, tmp_path: Path, how: str, write: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail: it answered from the other store, and its next write made that one the accepted one."""
    safety, path, older = _opened(home), home / "safety.db", tmp_path / "older.db"
    safety.block("first", "second")
    _back_up(home, older)
    safety.hold("third")
    safety.check()
    assert "third" in safety.exclusions("a", ["third", "b"]).excluded
    newest = tmp_path / "newest.db"
    _back_up(home, newest)
    _replaced(path, how, older)
    if "restored" in how:  # the file is the same
        monkeypatch.setattr(store_binding, "LOOKED_EVERY_S", -1.0)
    day = DayWrites(safety, safety.store.day)
    hide = DayEvent("h", datetime.now(UTC), "a", "b", "hide")
    writing = {"block": lambda: safety.block("a", "b"), "hold": lambda: safety.hold("b")}
    for _ in range(2):
        with pytest.raises(SafetyUnavailable):
            safety.exclusions("a", ["third", "b"])
        with pytest.raises(SafetyUnavailable):
            writing.get(write, lambda: day.append([hide]))()
        with pytest.raises(SafetyUnavailable):
            _opened(home).check()
