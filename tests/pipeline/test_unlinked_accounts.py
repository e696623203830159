"""Accounts that one published night made one person by wrong tokens, taken back one by one."""

from pathlib import Path

import numpy as np
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.errors import InputError
from recsys.pipeline.token_changes import unlink_account
from recsys.safety import MemorySafety
from recsys.safety.ledger import SafetyLedger
from recsys.safety.ledger_state import Who
from tests.safety.restriction_doors import (
    NOW,
    PAIR_OF,
    Published,
    copy_of,
    opened,
    rows_of,
    with_rows,
)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def test_a_ring_of_wrong_tokens_is_taken_back_and_stays_so(town: Published, tmp_path: Path) -> None:
    ring = [*PAIR_OF["pause"], *PAIR_OF["ban"], PAIR_OF["leave"][0]]
    banned = PAIR_OF["ban"][1]
    told, folder = with_rows({"ban": rows_of("ban", "sound")}), copy_of(town, tmp_path)
    profiles = told[T.PROFILES]
    tokens = profiles.drop_duplicates(C.USER).set_index(C.USER)[C.PERSON_TOKEN]
    moved = profiles[C.USER].map(dict(zip(ring, np.roll(tokens[ring].to_numpy(object), 1), strict=True)))
    wrong = profiles.assign(**{C.PERSON_TOKEN: moved.fillna(profiles[C.PERSON_TOKEN])})
    assert town.night(folder, told | {T.PROFILES: wrong}, hours=2).published
    with pytest.raises(InputError, match="not in what is served"):
        unlink_account(folder, "nobody", owner="aki", reason="wrong-column")
    assert town.night(folder, told, hours=3).published

    def out() -> set[str]:
        state = SafetyLedger.of(folder).now()
        return {one for one in ring if state.is_stopped(state.fingerprints(Who(one)))}

    assert out() == set(ring)  # they are one person's, who is banned
    words = {"owner": f"asked-by.{banned}", "reason": "wrong-column"}
    assert all(unlink_account(folder, one, **words) for one in ring[:-1])
    kept = (folder / "safety-ledger.jsonl").read_text()
    assert "asked-by.id." in kept
    assert banned not in kept
    assert out() == {banned}
    assert town.night(folder, told, hours=4).published
    assert out() == {banned}
    a, b = PAIR_OF["pause"]
    with opened(folder, MemorySafety()) as ranker:
        assert ranker.look(a, b, NOW)
        assert not ranker.look(a, banned, NOW)
        assert not ranker.look(PAIR_OF["ban"][0], banned, NOW)
