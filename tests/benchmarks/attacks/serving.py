"""What a page and a receipt let through: accounts of one person, rollbacks, lost files, forged receipts."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, Final

import numpy as np

from recsys.data.ids import IdIndex
from recsys.errors import InputError, RecsysError, SafetyUnavailable, StalePublicationError
from recsys.pipeline.erasure import erase
from recsys.pipeline.rollback import rollback
from recsys.ranking.ranker import Ranker
from recsys.ranking.response_and_receipt import Offered, Receipt
from recsys.safety.day_log import DayEvent
from recsys.safety.keys import Keys
from recsys.safety.ledger_file import HEAD, LEDGER
from recsys.safety.store import MemorySafety
from tests.benchmarks.attacks import Verdict, attack
from tests.benchmarks.attacks.world import KEYS, everybody, ids, other_account, served, shown, world, write
from tests.ranking.published_world import NOW

FOREIGN: Final = Keys((b"a-key-of-somebody-else-entirely-00001",))


def _seen(ranker: Ranker) -> tuple[str, str]:
    """Return a viewer and somebody on their page who is of another person."""
    for viewer in ids():
        for candidate in sorted(shown(ranker, viewer)):
            return viewer, candidate
    raise ValueError("every page is empty")


def _absent(ranker: Ranker, viewer: str, candidate: str) -> bool:
    return candidate not in shown(ranker, viewer) and ranker.look(viewer, candidate, NOW) is None


def _store_write(what: str, *, second: bool, through: str) -> Verdict:
    store = MemorySafety()
    with served(store) as (ranker, _):
        viewer, candidate = _seen(ranker)
        door = ranker.safety if through == "ranker" else store
        of = other_account(candidate) if second else candidate
        if what in {"hold", "erase"}:
            getattr(door, what)(of)
        else:
            getattr(door, what)(other_account(viewer) if second else viewer, of)
        gone = _absent(ranker, viewer, candidate)
        back = what in {"block", "report"} and not _absent(ranker, candidate, viewer)
    return Verdict.of(gone and not back, f"{what} through {through}, {'other accounts' if second else 'own'}")


for _what in ("block", "report", "hold", "erase"):
    for _second in (False, True):
        for _through in ("ranker", "store"):
            attack(
                "serving",
                f"{_what} through the {_through}{', other accounts' if _second else ''}",
                partial(_store_write, _what, second=_second, through=_through),
            )


def _newcomer(what: str) -> Verdict:
    """Somebody comes back under a new id with the same token."""
    person = everybody().take([len(everybody()) - 1])
    me, store = str(person.ids.ids([0])[0]), MemorySafety()
    old = ids()[0]
    person = replace(person, person_tokens=everybody().person_tokens[:1])
    with served(store) as (ranker, _):
        before = [item.candidate_id for item in ranker.rank(me, 20, NOW, profile=person).items]
        target = before[0] if before else ids()[5]
        if what == "hold":
            ranker.safety.hold(old)
        elif what == "erase after hold":
            ranker.safety.hold(old)
            ranker.safety.erase(old)
        else:
            getattr(ranker.safety, what)(target, old)
        after = {item.candidate_id for item in ranker.rank(me, 20, NOW, profile=person).items}
    fine = target not in after if what in {"block", "report"} else not after
    return Verdict.of(
        before and fine, f"{what} of the old account: {len(before)} shown before, {len(after)} after"
    )


for _what in ("hold", "block", "report", "erase after hold"):
    attack("serving", f"a new account with the same token: {_what}", partial(_newcomer, _what))

FORGERIES: Final[dict[str, Callable[[Receipt], Receipt]]] = {
    "another viewer": lambda r: replace(r, viewer_id=ids()[9]),
    "another run": lambda r: replace(r, run_id="20260101T000000Z-00000000"),
    "400 days ago": lambda r: replace(r, as_of=(NOW - timedelta(days=400)).isoformat()),
    "2099": lambda r: replace(r, as_of=NOW.replace(year=2099).isoformat()),
    "no signature": lambda r: replace(r, signature="", key_id=""),
    "a foreign key": lambda r: r.signed(FOREIGN),
    "oneself": lambda r: replace(r, offered=(Offered(r.viewer_id, 1, 1.0), *r.offered[1:])),
    "somebody else": lambda r: replace(r, offered=(Offered("u-else", 1, 1.0), *r.offered[1:])),
    "a propensity of 1e-12": lambda r: _first(r, propensity=1e-12),
    "a propensity of NaN": lambda r: _first(r, propensity=float("nan")).signed(KEYS),
    "a propensity of 0": lambda r: _first(r, propensity=0.0).signed(KEYS),
    "place -1": lambda r: _first(r, position=-1).signed(KEYS),
    "for ever": lambda r: replace(r, expires_at=NOW.replace(year=2099).isoformat()),
}


def _first(receipt: Receipt, **changes: Any) -> Receipt:
    return replace(receipt, offered=(replace(receipt.offered[0], **changes), *receipt.offered[1:]))


def _forged(name: str) -> Verdict:
    with served() as (ranker, _):
        viewer, _ = _seen(ranker)
        forged = FORGERIES[name](ranker.rank(viewer, 5, NOW).receipt)
        try:
            ranker.record(forged, [forged.offered[0].candidate_id], viewer_id=forged.viewer_id, as_of=NOW)
        except InputError as error:
            return Verdict.of(True, str(error)[:80])
    return Verdict.of(False, "the receipt was taken")


for _name in FORGERIES:
    attack("serving", f"a receipt of {_name}", partial(_forged, _name))


def _stolen_receipt() -> Verdict:
    with served() as (ranker, _):
        viewer, _ = _seen(ranker)
        receipt = ranker.rank(viewer, 5, NOW).receipt
        other = next(one for one in ids() if one != viewer)
        try:
            ranker.record(receipt, [receipt.offered[0].candidate_id], viewer_id=other, as_of=NOW)
        except InputError as error:
            return Verdict.of(True, str(error)[:80])
    return Verdict.of(False, "another viewer recorded with the receipt")


def _twice_recorded() -> Verdict:
    with served() as (ranker, _):
        viewer, _ = _seen(ranker)
        receipt = ranker.rank(viewer, 5, NOW).receipt
        named = [receipt.offered[0].candidate_id]
        one, two = (ranker.record(receipt, named, viewer_id=viewer, as_of=NOW) for _ in range(2))
    return Verdict.of(one.equals(two), "a receipt recorded twice gives the same events")


def _rollback(what: str) -> Verdict:
    store = MemorySafety()
    with served(store) as (ranker, folder):
        viewer, candidate = _seen(ranker)
        if what == "block":
            ranker.safety.block(viewer, candidate)
        else:
            ranker.safety.hold(candidate)
        if not world().publish(folder, serving=write).published:
            return Verdict.of(False, "the second night was refused")
        rollback(folder)
        again = Ranker.open(folder, safety=MemorySafety(), poll_s=0, keys=KEYS, max_staleness=None)
        gone = _absent(again, viewer, candidate)
    return Verdict.of(gone, f"rollback after a {what}, with a safety store made anew")


def _lost(part: str) -> Verdict:
    with served() as (ranker, folder):
        viewer, candidate = _seen(ranker)
        ranker.safety.hold(candidate)
        if part == "erasures":
            erase([candidate], folder)
            shutil.rmtree(folder / "erasures")
        elif part == "half the ledger":
            lines = (folder / LEDGER).read_bytes().splitlines(keepends=True)
            (folder / LEDGER).write_bytes(b"".join(lines[: len(lines) // 2]))
        else:
            (folder / part).unlink()
        try:
            seen = shown(ranker, viewer)
            again = Ranker.open(folder, safety=MemorySafety(), poll_s=0, keys=KEYS, max_staleness=None)
            seen |= shown(again, viewer)
        except RecsysError as error:
            return Verdict.of(isinstance(error, SafetyUnavailable), str(error)[:90])
    return Verdict.of(candidate not in seen, f"{part} lost: {len(seen)} people shown")


def _old() -> Verdict:
    with served() as (_, folder):
        ranker = Ranker.open(folder, safety=MemorySafety(), poll_s=0, keys=KEYS)
        data = ranker.rank  # the default staleness
        try:
            data(ids()[0], 5, NOW + timedelta(days=800))
        except StalePublicationError as error:
            return Verdict.of(True, str(error)[:80])
    return Verdict.of(False, "a publication of 800 days ago is served")


def _no_store() -> Verdict:
    class Broken(MemorySafety):
        dead = False

        def exclusions(self, viewer: str, candidates: Any) -> Any:
            if self.dead:
                raise OSError("gone")
            return super().exclusions(viewer, candidates)

    store = Broken()
    with served(store) as (ranker, _):
        store.dead = True
        try:
            return Verdict.of(not shown(ranker, ids()[0]), "a page without a store")
        except SafetyUnavailable as error:
            return Verdict.of(True, str(error)[:80])


def _lift_of_another() -> Verdict:
    with served() as (ranker, _):
        viewer, candidate = _seen(ranker)
        ranker.safety.hold(candidate, owner="case-1", reason="money")
        ranker.safety.hold(candidate, owner="member", reason="pause")
        ranker.safety.lift(candidate, owner="member")
        ranker.safety.lift(candidate)
        return Verdict.of(_absent(ranker, viewer, candidate), "a pause was lifted, the hold of a case stays")


def _unblock_of_another() -> Verdict:
    with served() as (ranker, _):
        viewer, candidate = _seen(ranker)
        ranker.safety.block(candidate, viewer)
        ranker.safety.unblock(viewer, candidate)
        return Verdict.of(_absent(ranker, viewer, candidate), "the blocked person takes the block back")


def _bad_ids() -> Verdict:
    taken = []
    with served() as (ranker, _):
        for bad in (None, b"u00001", 1, "u00001 ", "", "ｕ００００１", "u\u200b00001"):
            for write_one in (ranker.safety.hold, ranker.safety.erase, ranker.safety.lift):
                try:
                    write_one(bad)  # type: ignore[arg-type]
                    taken.append(repr(bad))
                except InputError:
                    continue
    return Verdict.of(not taken, f"writes with ids that are none: taken {taken or 'none'}")


for _name, _run in (
    ("a stolen receipt", _stolen_receipt),
    ("a receipt recorded twice", _twice_recorded),
    ("a rollback after a block", partial(_rollback, "block")),
    ("a rollback after a hold", partial(_rollback, "hold")),
    ("the ledger lost", partial(_lost, LEDGER)),
    ("the end mark of the ledger lost", partial(_lost, HEAD)),
    ("half the ledger lost", partial(_lost, "half the ledger")),
    ("the list of erasures lost", partial(_lost, "erasures")),
    ("a publication of 800 days ago", _old),
    ("a store that does not answer", _no_store),
    ("a hold lifted by another owner", _lift_of_another),
    ("a block taken back by the blocked", _unblock_of_another),
    ("writes with ids that are none", _bad_ids),
):
    attack("serving", _name, _run)


_DOOR_SPELLINGS: Final[dict[str, Callable[[str], str]]] = {
    "capitals": str.upper,
    "a grapheme joiner": lambda one: f"{one[0]}\u034f{one[1:]}",
    "a Hangul filler": lambda one: f"{one}\u3164",
    "a blank inside": lambda one: f"{one[0]} {one[1:]}",
    "Arabic digits": lambda one: "".join(chr(0x660 + int(x)) if x.isdigit() else x for x in one),
}


def _spelled_at_the_store(what: str, spelling: str) -> Verdict:
    """Refused as no id, or done to the person who is meant; accepted and doing nothing is broken."""
    with served() as (ranker, _):
        viewer, candidate = _seen(ranker)
        named = _DOOR_SPELLINGS[spelling](candidate)
        try:
            if what in {"hold", "erase"}:
                getattr(ranker.safety, what)(named)
            else:
                getattr(ranker.safety, what)(viewer, named)
        except InputError:
            return Verdict("held", f"{what}: refused")
        return Verdict.of(_absent(ranker, viewer, candidate), f"{what}: accepted, and of the person meant")


for _what in ("block", "report", "hold", "erase"):
    for _name in _DOOR_SPELLINGS:
        attack("serving", f"{_what} at the store, {_name}", partial(_spelled_at_the_store, _what, _name))


def _spelled_newcomer() -> Verdict:
    """A blocked member comes as a newcomer whose id is theirs in capitals."""
    with served() as (ranker, _):
        viewer, candidate = _seen(ranker)
        ranker.safety.block(candidate, viewer)
        person = everybody().take([ids().index(viewer)])
        person = replace(person, ids=IdIndex([viewer.upper()]), person_tokens=np.array([None], object))
        try:
            page = ranker.rank(viewer.upper(), 20, NOW, profile=person)
        except InputError:
            return Verdict("held", "refused")
        return Verdict.of(candidate not in {item.candidate_id for item in page.items}, "a page was given")


def _squatted(kind: str, detail: str | None) -> Verdict:
    """Somebody uses up the event id under which the victim will say that they leave."""
    with served() as (ranker, _):
        viewer, candidate = _seen(ranker)
        ranker.day.append([DayEvent("e-1", NOW, candidate, viewer, "like")])
        ranker.day.append([DayEvent("e-1", NOW, viewer, candidate, kind, detail)])
        return Verdict.of(_absent(ranker, viewer, candidate), f"{kind} under an event id that was used")


attack("serving", "a newcomer by a known id in capitals", _spelled_newcomer)
for _kind, _detail in (
    ("end", "unsafe"),
    ("money_request", None),
    ("hide", None),
    ("meet_feedback", "unsafe"),
):
    attack("serving", f"{_kind} under an event id that was used", partial(_squatted, _kind, _detail))
