"""A store asked by person is a safety store like any other, and its ledger alone says the same.

Planted and seen caught: a lift that ends the holds of every owner, and an unblock by either of the two.
"""

from collections.abc import Sequence
from copy import copy
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from recsys.safety.by_person import SafetyByPerson
from recsys.safety.erasure_list import ErasureList
from recsys.safety.ledger import SafetyLedger
from recsys.safety.person_index import ALONE
from recsys.safety.store import MemorySafety
from recsys.testing.safety_contract import SafetyContract

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
PEOPLE = ("a", "b", "c")


def asked_by_person(folder: Path) -> SafetyByPerson:
    return SafetyByPerson(MemorySafety(), ErasureList.of(folder), SafetyLedger.of(folder))


class TestByPerson(SafetyContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> SafetyByPerson:
        return asked_by_person(tmp_path)


@pytest.mark.parametrize("seed", range(4))
def test_the_ledger_alone_says_what_the_store_says(tmp_path: Path, seed: int) -> None:
    rng, store = np.random.default_rng(seed), asked_by_person(tmp_path)
    for _ in range(40):
        a, b = rng.choice(PEOPLE, 2, replace=False)
        words = {"owner": str(rng.choice(["operator", "case-1"])), "reason": str(rng.choice(["", "x"]))}
        match int(rng.integers(5)):
            case 0:
                store.block(a, b, AT)
            case 1:
                store.unblock(a, b)
            case 2:
                store.hold(a, AT, **words)
            case 3:
                store.lift(a, owner=words["owner"], reason=str(rng.choice(["", "x"])))
            case _:
                store.lift(a, owner=words["owner"])
        alone = asked_by_person(tmp_path)
        for viewer in PEOPLE:
            others = [other for other in PEOPLE if other != viewer]
            assert alone.exclusions(viewer, others) == store.store.exclusions(viewer, others)


class _WithPages(MemorySafety):
    def __init__(self) -> None:
        super().__init__()
        self.told = 0

    def note_changed_persons(self, accounts: Sequence[str]) -> None:
        self.told += 1

    def note_separated(self, pairs: Sequence[tuple[str, str]]) -> None:
        del pairs


def test_pages_of_every_publication_are_told_once_who_is_another(tmp_path: Path) -> None:
    """Seen to fail: accounts of a publication at the address of one that was dropped counted as told."""
    pages = _WithPages()
    safety = SafetyByPerson(pages, ErasureList.of(tmp_path), SafetyLedger.of(tmp_path))
    for _ in range(20):
        safety.accounts = copy(ALONE)  # of a new publication; the one before is dropped
        for _ in range(2):
            safety.binding.tell_pages(safety.accounts, ["a", "b"])
    assert pages.told == 20
