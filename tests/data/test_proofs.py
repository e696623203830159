"""Proofs of nights: one that an event took back counts again from a later one of the tier that is asked."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.constraints.account import Verified
from recsys.constraints.policy import Policy
from recsys.data.proofs import TIERS, standing_proofs, tier_of
from recsys.storage.load import load_population
from tests.safety.restriction_doors import AS_OF, USERS, spelled, with_rows

Said = list[tuple[int, str]]
_SAID = st.lists(st.tuples(st.integers(0, 4), st.sampled_from(TIERS)), max_size=6)
"""Days and details of the events `verified` of one person, in any order."""


def is_proved(said: Said, asked: str) -> bool:
    """Walk through what was said by time: who was proved stays so until it is taken back."""
    stands, was_taken_back = False, False
    for at in sorted({at for at, _ in said}):
        words = {word for then, word in said if then == at}
        if "none" in words:  # outweighs what came at the same time
            stands, was_taken_back = False, True
        else:
            enough = asked if was_taken_back else "age"
            stands = stands or any(tier_of(word) >= tier_of(enough) for word in words)
    return stands


@settings(max_examples=200, deadline=None)
@given(st.lists(_SAID, max_size=5), st.randoms(use_true_random=False))
def test_standing_proofs_are_those_of_a_walk_in_any_order(everybody: list[Said], rng: Any) -> None:
    rows = [(row, at, tier_of(word)) for row, said in enumerate(everybody) for at, word in said]
    rng.shuffle(rows)
    person, at, tier = np.array(rows, np.int64).reshape(-1, 3).T
    found = standing_proofs(person, at, tier, len(everybody))
    for asked in TIERS[1:]:
        any_proof = np.isin(np.arange(len(everybody)), person[tier > 0])
        enough = (found.enough_for() >= tier_of(asked)) & any_proof
        assert enough.tolist() == [is_proved(said, asked) for said in everybody]


_FORMS = ("sound", "spelled", "unknown word")
"""How a row says that a proof is taken back: also in another spelling of the id, or in no known word."""


@pytest.mark.parametrize("asked", TIERS[1:])
@pytest.mark.parametrize("form", _FORMS)
def test_a_night_lists_whose_proof_stands(form: str, asked: str) -> None:
    rng = np.random.default_rng(23)
    told = {user: [(int(rng.integers(5)), str(rng.choice(TIERS))) for _ in range(at % 6 + 1)]
            for at, user in enumerate(USERS[:-4])}  # fmt: skip
    rows = [
        {
            C.EVENT: f"proof-{user}-{number}",
            C.TS: AS_OF - pd.Timedelta(days=9 - at),
            C.ACTOR: spelled(user) if word == "none" and form == "spelled" else user,
            C.TARGET: None,
            C.TYPE: "verified",
            C.DETAIL: "revoked" if word == "none" and form == "unknown word" else word,
        }
        for user, said in told.items()
        for number, (at, word) in enumerate(said)
    ]
    tables = with_rows({})
    events = tables[T.EVENTS]
    kept = events[~(events[C.TYPE].eq("verified") & events[C.ACTOR].isin(told))]
    tables[T.EVENTS] = pd.concat([kept, pd.DataFrame(rows)], ignore_index=True)
    tables[T.PROFILES] = tables[T.PROFILES].assign(**{C.VERIFICATION: TIERS[-1]})
    loaded = load_population(tables, AS_OF)
    row = loaded.ids.rows(list(told))
    listed = Policy.default(verification=asked).compile(loaded).listed[row]
    assert listed.tolist() == [is_proved(said, asked) for said in told.values()]
    rule = Verified(asked).allows(loaded, row, row) & loaded.relations.accepted[row] & ~loaded.held[row]
    assert rule.tolist() == listed.tolist()
