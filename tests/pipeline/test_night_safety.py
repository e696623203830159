"""What a night tells the safety ledger of blocks that were taken back, and of accounts in a state of hold.

Planted and seen caught: a lift of pairs that were taken back and blocked anew, and no lift at all; a night
that tells nothing of accounts on hold.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.data.exclusions import Relations
from recsys.pipeline.night_safety import note_night
from recsys.safety.keys import Keys
from recsys.safety.ledger import SafetyLedger, Who
from recsys.testing.people import make_listed_people


def test_a_block_that_was_taken_back_leaves_the_ledger(tmp_path: Path) -> None:
    people = make_listed_people(6, np.random.default_rng(2))
    ids = people.ids.ids(np.arange(6)).tolist()
    ledger = SafetyLedger(tmp_path, Keys())

    def apart(*pairs: tuple[int, int], reopened: list[tuple[int, int]]) -> bool:
        relations = Relations.of(6, excluded=list(pairs), reopened=reopened)
        note_night(ledger, people.with_relations(relations))
        state = ledger.now()
        mine, theirs = (state.fingerprints(Who(ids[row], people.person_tokens[row])) for row in (0, 1))
        return not state.separated_from(mine).isdisjoint(theirs)

    assert apart((0, 1), (2, 3), reopened=[])
    assert apart(reopened=[]), "a row that is missing takes nothing back"
    assert apart((0, 1), reopened=[(0, 1)]), "a block stands beside the one that was taken back"
    assert not apart(reopened=[(0, 1)])
    assert apart((0, 1), reopened=[])


@pytest.mark.parametrize("state", ["hold", "banned"])
def test_a_stopped_account_stops_its_person_until_its_row_says_another_state(
    tmp_path: Path, state: str
) -> None:
    people = make_listed_people(6, np.random.default_rng(2))
    tokens = np.full(6, None, object)
    tokens[0] = f"hmac1:{7:064x}"
    people = replace(people, person_tokens=tokens)
    ledger = SafetyLedger(tmp_path, Keys())
    one = str(people.ids.ids([0])[0])

    def stopped_after(word: str | None) -> tuple[bool, bool]:
        codes = people.coded[C.ACCOUNT_STATE].codes.copy()
        codes[0] = -1 if word is None else people.coded[C.ACCOUNT_STATE].words.index(word)
        states = replace(people.coded[C.ACCOUNT_STATE], codes=codes)
        note_night(ledger, replace(people, coded={**people.coded, C.ACCOUNT_STATE: states}))
        now = ledger.now()
        again = Who("another-account", tokens[0])
        return now.is_stopped(now.fingerprints(Who(one))), now.is_stopped(now.fingerprints(again))

    assert stopped_after("active") == (False, False)
    assert stopped_after(state) == (True, True)
    assert stopped_after(None) == (True, True)
    note_night(ledger, people.take(np.arange(1, 6)))
    assert ledger.now().is_stopped(ledger.now().fingerprints(Who(one))), "nothing ends as a row is missing"
    assert stopped_after("active") == (False, False)
