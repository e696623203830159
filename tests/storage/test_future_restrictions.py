"""A block, report or hold dated after the time of the night counts at once; other rows wait."""

import numpy as np
import pandas as pd
import pytest

from recsys.constraints.policy import Policy
from recsys.storage.load import load_tables, population_of
from recsys.testing.people import AS_OF, make_tables

LATER = AS_OF + pd.Timedelta(hours=2)
TABLES = make_tables(40, np.random.default_rng(3), unknown=0.0)
BASE = population_of(load_tables(TABLES, AS_OF))


def first_pair() -> tuple[str, str]:
    i, j = np.divmod(np.arange(len(BASE) ** 2), len(BASE))
    at = int(np.flatnonzero(Policy.default().may_meet(BASE, i, j))[0])
    return str(BASE.ids.ids([i[at]])[0]), str(BASE.ids.ids([j[at]])[0])


A, B = first_pair()


def event(kind: str, detail: str | None = None) -> pd.DataFrame:
    row = {"event_id": "e1", "ts": LATER, "actor": A, "target": B, "type": kind, "detail": detail}
    return pd.DataFrame([row])


def may_meet(extra: dict[str, pd.DataFrame], *, past: bool = False) -> bool:
    people = population_of(load_tables(TABLES | extra, AS_OF, past=past))
    return bool(Policy.default().may_meet(people, [people.ids.row(A)], [people.ids.row(B)])[0])


SAFETY = {
    "block": {"blocks": pd.DataFrame({"actor": [B], "target": [A], "ts": [LATER]})},
    "report": {
        "reports": pd.DataFrame({"actor": [A], "target": [B], "ts": [LATER], "category": ["harassment"]})
    },
    "hold": {"holds": pd.DataFrame({"user_id": [A], "ts": [LATER], "state": ["active"]})},
    "an event": {"events": event("block")},
}


@pytest.mark.parametrize("name", SAFETY)
def test_it_counts_at_once(name: str) -> None:
    assert may_meet({})
    assert not may_meet(SAFETY[name])


@pytest.mark.parametrize("name", SAFETY)
def test_a_look_at_the_past_sees_the_past_alone(name: str) -> None:
    assert may_meet(SAFETY[name], past=True)


@pytest.mark.parametrize(
    "extra",
    [
        {"events": event("pass")},
        {"holds": pd.DataFrame({"user_id": [A], "ts": [LATER], "state": ["lifted"]})},
    ],
)
def test_what_is_no_matter_of_safety_waits(extra: dict[str, pd.DataFrame]) -> None:
    assert may_meet(extra)
