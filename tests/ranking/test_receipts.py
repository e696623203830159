"""What comes back from outside is a claim: a receipt that is not ours does nothing and says so."""

import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.errors import InputError, SafetyUnavailable
from recsys.ranking.ranker import Ranker
from recsys.ranking.response_and_receipt import Offered, Page, Receipt
from recsys.safety.day_log import MemoryDayLog
from recsys.safety.keys import Keys, purpose_key
from recsys.safety.ledger import SafetyLedger
from recsys.safety.shown_log import MemoryShown
from recsys.safety.sqlite_store import SqliteSafety
from recsys.safety.store import MemorySafety
from tests.ranking.published_world import NOW, World, copied

OLD, NEW, FOREIGN = (Keys((bytes([letter]) * 32,)) for letter in b"onf")
ROTATED = Keys(NEW.secrets + OLD.secrets)


class Noting(MemoryDayLog):
    """Counts what it is told."""

    noted = 0

    def append(self, events, *, arrived=None):
        self.noted += 1
        return super().append(events, arrived=arrived)


class StoreWithLog(MemorySafety):
    """A store whose day log is given."""

    def __init__(self, log: MemoryDayLog) -> None:
        super().__init__()
        self._day = log


@pytest.fixture(scope="module")
def world() -> World:
    return World.small()


@pytest.fixture(scope="module")
def folder(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("published")
    assert world.publish(found).published
    return found


def opened(folder: Path, keys: Keys = OLD, **more: Any) -> tuple[Ranker, Noting]:
    log = Noting()
    return Ranker.open(folder, safety=StoreWithLog(log), poll_s=0, keys=keys, **more), log


def page_of(ranker: Ranker, world: World) -> Page:
    page = ranker.rank(world.people.ids.values[3], k=4, as_of=NOW)
    assert len(page.items) == 4
    return page


def first(receipt: Receipt) -> list[str]:
    return [receipt.offered[0].candidate_id]


def changed_place(receipt: Receipt, **changes: Any) -> Receipt:
    return replace(receipt, offered=(replace(receipt.offered[0], **changes), *receipt.offered[1:]))


FORGERIES: dict[str, Callable[[Receipt], Receipt]] = {
    "another viewer": lambda r: replace(r, viewer_id="u00001"),
    "another run": lambda r: replace(r, run_id="2026-01-01-other"),
    "another model": lambda r: replace(r, model_version="content-0"),
    "400 days ago": lambda r: replace(r, as_of=(NOW - timedelta(days=400)).isoformat()),
    "in 2099": lambda r: replace(r, as_of=NOW.replace(year=2099).isoformat()),
    "for ever": lambda r: replace(r, expires_at=NOW.replace(year=2099).isoformat()),
    "no signature": lambda r: replace(r, signature=""),
    "no key": lambda r: replace(r, key_id="", signature=""),
    "foreign key": lambda r: r.signed(FOREIGN),
    "foreign key by the right name": lambda r: replace(r.signed(FOREIGN), key_id=r.key_id),
    "another candidate": lambda r: changed_place(r, candidate_id="u00009"),
    "oneself": lambda r: changed_place(r, candidate_id=r.viewer_id),
    "a place added": lambda r: replace(r, offered=(*r.offered, Offered("u00030", 99, 1.0))),
    "a tiny propensity": lambda r: changed_place(r, propensity=1e-12),
    "another place": lambda r: changed_place(r, position=40),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_receipt_does_nothing_and_says_so(world: World, folder: Path, forgery: str) -> None:
    ranker, shown = opened(folder)
    forged = FORGERIES[forgery](page_of(ranker, world).receipt)
    with pytest.raises(InputError, match="not signed by this service"):
        ranker.record(forged, first(forged), viewer_id=forged.viewer_id, as_of=NOW)
    assert shown.noted == 0


UNSOUND = (0.0, -0.1, 1.5, float("nan"), float("inf"), 1, True, "1.0", None)


@pytest.mark.parametrize("propensity", UNSOUND)
def test_a_propensity_outside_its_range_is_no_receipt_even_when_signed(
    world: World, folder: Path, propensity: Any
) -> None:
    ranker, shown = opened(folder)
    receipt = changed_place(page_of(ranker, world).receipt, propensity=propensity).signed(OLD)
    with pytest.raises(InputError, match="not signed"):
        ranker.record(receipt, first(receipt), viewer_id=receipt.viewer_id, as_of=NOW)
    with pytest.raises(InputError, match="not a receipt"):
        Receipt.from_json(receipt.to_json())
    assert shown.noted == 0


@pytest.mark.parametrize("place", [0, -1, 1.0, "1", True, None])
def test_a_place_that_is_none_is_no_receipt(world: World, folder: Path, place: Any) -> None:
    receipt = changed_place(page_of(opened(folder)[0], world).receipt, position=place).signed(OLD)
    with pytest.raises(InputError, match="not a receipt"):
        Receipt.from_json(receipt.to_json())


def test_a_receipt_of_another_viewer_does_nothing(world: World, folder: Path) -> None:
    ranker, shown = opened(folder)
    receipt = page_of(ranker, world).receipt
    with pytest.raises(InputError, match="another viewer"):
        ranker.record(receipt, first(receipt), viewer_id="u00001", as_of=NOW)
    assert shown.noted == 0


@pytest.mark.parametrize(
    ("after", "words"), [(timedelta(hours=3), "expired"), (timedelta(days=-1), "time to come")]
)
def test_a_receipt_counts_from_its_time_until_it_expires(
    world: World, folder: Path, after: timedelta, words: str
) -> None:
    ranker, shown = opened(folder)
    receipt = page_of(ranker, world).receipt
    with pytest.raises(InputError, match=words):
        ranker.record(receipt, first(receipt), viewer_id=receipt.viewer_id, as_of=NOW + after)
    assert shown.noted == 0
    assert len(ranker.record(receipt, first(receipt), viewer_id=receipt.viewer_id, as_of=NOW)) == 1


def test_a_receipt_of_a_publication_that_is_not_here_does_nothing(
    world: World, folder: Path, tmp_path: Path
) -> None:
    receipt = replace(page_of(opened(folder)[0], world).receipt, run_id="not-here").signed(OLD)
    ranker, shown = opened(folder)
    with pytest.raises(InputError, match="another publication"):
        ranker.record(receipt, first(receipt), viewer_id=receipt.viewer_id, as_of=NOW)
    assert shown.noted == 0


def test_a_replayed_receipt_gives_the_same_events_again(world: World, folder: Path) -> None:
    ranker, _ = opened(folder)
    receipt = page_of(ranker, world).receipt
    named = [one.candidate_id for one in receipt.offered]
    once, again = (ranker.record(receipt, named, viewer_id=receipt.viewer_id, as_of=NOW) for _ in range(2))
    assert once.equals(again)


def test_keys_rotate_without_losing_a_page(world: World, folder: Path) -> None:
    receipt = page_of(opened(folder, OLD)[0], world).receipt
    viewer = receipt.viewer_id
    assert len(opened(folder, ROTATED)[0].record(receipt, first(receipt), viewer_id=viewer, as_of=NOW)) == 1
    with pytest.raises(InputError, match="not signed"):
        opened(folder, NEW)[0].record(receipt, first(receipt), viewer_id=viewer, as_of=NOW)


@pytest.mark.parametrize("later", [timedelta(minutes=90), timedelta(hours=3)])
@pytest.mark.parametrize("used", [(OLD, NEW), (FOREIGN, OLD, NEW), (FOREIGN, NEW)])
def test_receipts_of_a_key_before_count_for_their_usual_hours_after_the_rotation(
    world: World,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    used: tuple[Keys, ...],
    later: timedelta,
) -> None:
    """Whoever holds the key before may write any time on them; pages shown before it are recorded."""
    given, published = Keys((*NEW.secrets, *OLD.secrets, *FOREIGN.secrets)), copied(folder, tmp_path / "p")
    for keys in used:
        SafetyLedger(published, Keys((*keys.secrets, *given.secrets))).begin()
    monkeypatch.setenv("RECSYS_KEY", " ".join(secret.decode() for secret in given.secrets))
    ranker, _ = opened(published, given)
    page = page_of(ranker, world).receipt
    now = datetime.now(UTC) + later
    forged = replace(page, as_of=now.isoformat(), expires_at=(now + timedelta(hours=2)).isoformat())
    for keys in (NEW, OLD, FOREIGN):
        receipt = forged.signed(keys)
        if keys is NEW or later < timedelta(hours=2):
            assert len(ranker.record(receipt, first(receipt), viewer_id=page.viewer_id, as_of=now)) == 1
            continue
        with pytest.raises(InputError, match="expired"):
            ranker.record(receipt, first(receipt), viewer_id=page.viewer_id, as_of=now)


def test_without_a_key_a_receipt_is_understood_by_its_process_alone(
    world: World, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RECSYS_KEY", raising=False)
    monkeypatch.delenv("RECSYS_KEY_FILE", raising=False)
    (one, _), (other, _) = (opened(folder, None) for _ in range(2))  # type: ignore[arg-type]
    receipt = page_of(one, world).receipt
    assert len(one.record(receipt, first(receipt), viewer_id=receipt.viewer_id, as_of=NOW)) == 1
    with pytest.raises(InputError, match="not signed"):
        other.record(receipt, first(receipt), viewer_id=receipt.viewer_id, as_of=NOW)


@pytest.fixture(scope="module")
def used(world: World, folder: Path) -> tuple[Ranker, Noting, Receipt]:
    ranker, shown = opened(folder)
    return ranker, shown, page_of(ranker, world).receipt


def test_a_receipt_with_a_key_twice_is_refused(used: tuple[Ranker, Noting, Receipt]) -> None:
    """Seen to fail: the last of two values counted, though a service before may have read the first."""
    text = used[2].to_json()
    keys = [*json.loads(text), *json.loads(text)["offered"][0]]
    for key in keys:
        with pytest.raises(InputError, match="not a receipt"):
            Receipt.from_json(text.replace(f'"{key}":', f'"{key}":null,"{key}":', 1))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10_000), character=st.characters())
def test_a_receipt_changed_anywhere_is_refused(
    used: tuple[Ranker, Noting, Receipt], place: int, character: str
) -> None:
    ranker, shown, receipt = used
    text = receipt.to_json()
    at = place % len(text)
    try:
        found = Receipt.from_json(f"{text[:at]}{character}{text[at + 1 :]}")
        if found == receipt:
            return
        ranker.record(found, first(found), viewer_id=found.viewer_id, as_of=NOW)
    except InputError:
        assert shown.noted == 0
    else:
        pytest.fail(f"taken with {character!r} at {at}")


def test_the_signature_is_over_the_fields_in_order(world: World, folder: Path) -> None:
    """Workers of two versions understand each other's receipts: the text that is signed stays as it is."""
    receipt = page_of(opened(folder)[0], world).receipt
    content = {**json.loads(receipt.to_json()), "key_id": OLD.newest_id, "signature": ""}
    text = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    assert receipt.signature == hmac.digest(purpose_key(OLD.secrets[0], "receipt"), text, "sha256").hex()


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_rows_of_a_viewer_who_left_are_pruned(kind: str, tmp_path: Path) -> None:
    log = MemoryShown() if kind == "memory" else SqliteSafety.create(tmp_path / "safety.db")
    day = date(2026, 3, 2)
    log.remember("gone", day, ["b"])
    for later in range(1, 4):
        log.remember("stays", day + timedelta(days=later), ["c"])
        assert bool(log.shown("gone", day)) == (later == 1)


def test_a_store_that_cannot_note_says_so(world: World, folder: Path) -> None:
    class Failing(Noting):
        def append(self, events, *, arrived=None):
            raise OSError("secret")

    ranker = Ranker.open(folder, safety=StoreWithLog(Failing()), poll_s=0, keys=OLD)
    receipt = page_of(ranker, world).receipt
    with pytest.raises(SafetyUnavailable) as caught:
        ranker.record(receipt, first(receipt), viewer_id=receipt.viewer_id, as_of=NOW)
    assert "secret" not in str(caught.value)
