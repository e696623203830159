"""What a night tells the safety ledger of blocks that were taken back.

Planted and seen caught: a lift of pairs that were taken back and blocked anew, and no lift at all.
"""

from pathlib import Path

import numpy as np

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
