"""Accounts that one published night made one person by wrong tokens, taken back one by one."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.errors import InputError
from recsys.pipeline.token_changes import unlink_account
from recsys.ranking.ranker import Ranker
from recsys.safety import MemorySafety, SqliteSafety
from recsys.safety.ledger import SafetyLedger
from recsys.safety.ledger_state import Who
from tests.safety.restriction_doors import (
    NOW,
    PAIR_OF,
    TOWN,
    Published,
    copy_of,
    opened,
    rows_of,
    token,
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


def own_tables(like: str, user: str, person_token: str) -> dict[str, list[dict[str, object]]]:
    """Return the tables of today of somebody new, who is like a member but for id and token."""
    tables: dict[str, list[dict[str, object]]] = {}
    for name in (T.PROFILES, T.BOUNDARIES, T.INTERESTS, T.TALK_TOPICS):
        rows = TOWN[name][TOWN[name][C.USER] == like].assign(**{C.USER: user})
        rows = rows.assign(**{C.PERSON_TOKEN: person_token}) if name == T.PROFILES else rows
        tables[name] = [
            {column: str(one) if isinstance(one, pd.Timestamp) else one for column, one in row.items()}
            for row in rows.astype(object).where(rows.notna(), None).to_dict("records")
        ]
    return tables


@pytest.mark.parametrize("said", ["block", "report", "hold"])
@pytest.mark.parametrize("by", ["tables of today", "a profile"])
def test_a_link_that_came_by_day_ends_at_every_worker(
    by: str, said: str, town: Published, tmp_path: Path
) -> None:
    """Somebody new comes with a member's token by mistake, is restricted, and the link is taken back."""
    folder, store = copy_of(town, tmp_path), SqliteSafety.create(tmp_path / "safety.db")
    (member, other), new, own = PAIR_OF["pause"], "new-one", token("p", "of nobody else")

    def come(ranker: Ranker, person_token: str, minute: int) -> None:
        tables = own_tables(member, new, person_token)
        if by == "a profile":
            ranker.rank(new, 5, NOW, profile=tables, proved_tokens=True)
        else:
            at = NOW + timedelta(minutes=minute)
            ranker.day.change_tables(new, tables, event_id=f"tables-{minute}", at=at)

    def meet(ranker: Ranker) -> bool:
        return bool(ranker.look(member, other, NOW) and ranker.look(other, member, NOW))

    with opened(folder, store) as first, opened(folder, store) as second:
        assert meet(first)
        assert meet(second)
        come(first, token("p", member), 0)
        if said in {"block", "report"}:
            getattr(first.safety, said)(other, new)
        else:
            first.safety.hold(new, owner="case-31")
        assert not meet(first)
        assert not meet(second)
        come(second, own, 1)
        assert not meet(second)  # who ever had a token in common is one person
        unlink_account(folder, member, owner="aki", reason="wrong-column")
        assert meet(first)
        assert meet(second)
        with opened(folder, store) as started_later:
            assert meet(started_later)
        assert first.look(other, new, NOW) is None
        assert town.night(folder, TOWN, hours=24).published
        for ranker in (first, second):
            ranker.refresh()
            assert meet(ranker)
            assert ranker.look(other, new, NOW) is None
        with pytest.raises(InputError, match="no link"):
            unlink_account(folder, member, owner="aki", reason="wrong-column")
