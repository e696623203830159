"""Nights whose events are a copy of the day log: no member can have one refused by calls of their own.

Seen to fail: one report of a made-up id, or one row with the name of somebody erased, had each night refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from recsys.catalogue.vocabulary import EVENT_DETAILS, REPORT_CATEGORIES
from recsys.data.events import Events
from recsys.data.id_spellings import is_name_of_erased
from recsys.data.safety_rows import row_counts
from recsys.http.refused_bodies import MEMBER_TYPES
from recsys.pipeline.gates import GateResult, Level, Proposal, run_gates
from recsys.pipeline.gates.proposal import Numbers
from recsys.safety.day_log import NEVER
from recsys.settings import GateSettings
from recsys.storage.load import load_come, population_of
from recsys.testing.people import EASY_TO_LIST, make_tables
from tests.http.served import Served
from tests.ranking.published_world import World

MADE_UP = (
    *("zzz-9", "9", "u99999", "U99998", "M-7", "a.b", "a b", "é", "x@example.org", "zzz 9", "u00001 u00002"),
    "erased-0123456789abcdef",
)
TIMES = (None, *(f"{at}T00:00:00Z" for at in ("0001-01-03", "1970-01-01", "2026-02-01", "9999-12-01")))
EVENT_IDS = ("e1", "like-1", "#;.0", "'\"`", "u00003", "member:e1")


def _details(kind: str) -> Sequence[str | None]:
    return EVENT_DETAILS.get(kind, (None,))


def _calls(rng: np.random.Generator, member: str, ids: Sequence[str], n: int) -> list[tuple[str, Any]]:
    """Return calls of one member, of every route that keeps something, most of them with something odd."""

    def any_of(*choices: Sequence[Any]) -> Any:
        chosen = choices[rng.integers(len(choices))]
        return chosen[rng.integers(len(chosen))]

    found = list[tuple[str, Any]]()
    for at in range(n):
        person, event_id = any_of(ids, MADE_UP), any_of(EVENT_IDS, [f"c{at}"], [f"c{at}"])
        kind = any_of(MEMBER_TYPES)
        event = {
            **{"event_id": event_id, "type": kind, "person": any_of([person], [person], [None])},
            **{"detail": any_of(_details(kind), _details(kind), ["odd"]), "at": any_of(TIMES)},
            "count": int(rng.integers(1, 10**5)) if kind == "message" else None,
        }
        found.append(
            any_of(
                [("events", [event])],
                [("events", [event])],
                [("reports", {"person": person, "category": any_of(REPORT_CATEGORIES)})],
                [("blocks", {"person": person}), ("unblock", {"person": person})],
                [(f"people/{ids[0]}/feeling-check", {"event_id": event_id, "answer": "pressured"})],
                [("pause", None), ("resume", None), ("leave", None)],
            )
        )
    return found


@dataclass
class CopyingService:
    """A small service that copies its day log into its events before each night."""

    served: Served
    n_rows: int
    past: list[Numbers] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make tables of the people who are served, with events of some of them."""
        ids, rng = self.ids, np.random.default_rng(3)
        self.tables = make_tables(len(ids), np.random.default_rng(11), unknown=0.0, **EASY_TO_LIST)
        self.at = self.served.ranker.check().snapshot.data_as_of
        rows = [(one, None, "terms_accepted", None) for one in ids]
        rows += [(one, None, "verified", "id") for one in ids]
        kinds = rng.choice(["like", "pass", "hide"], self.n_rows)
        rows += [(*map(str, rng.choice(ids, 2, replace=False)), str(kind), None) for kind in kinds]
        events = pd.DataFrame(rows, columns=["actor", "target", "type", "detail"], dtype=object)
        hours = pd.to_timedelta(rng.integers(1, 900, len(events)), unit="h")
        names = [f"b{at}" for at in events.index]
        self.events = events.assign(event_id=names, ts=self.at - hours, count=None)

    @property
    def ids(self) -> list[str]:
        people = self.served.world.people
        return [str(one) for one in people.ids.ids(range(len(people)))]

    def call(self, member: str, path: str, body: Any) -> int:
        return int(self.served.ask("POST", f"/v1/members/{member}/{path}", "members", body=body).status_code)

    def night(self) -> Mapping[str, GateResult]:
        """Return what the gates say of a night of the tables and the whole day log, and publish it."""
        log = [one for one in self.served.store.day.events(NEVER) if one.type != "tables"]
        columns = ("event_id", "actor", "target", "type", "detail", "count")
        rows = [{"ts": one.at, **{name: getattr(one, name) for name in columns}} for one in log]
        copied = pd.DataFrame(rows, columns=["ts", *columns], dtype=object)
        copied = copied.assign(ts=pd.to_datetime(copied["ts"], utc=True).astype("datetime64[us, UTC]"))
        events = pd.concat([self.events.astype({"ts": copied["ts"].dtype}), copied], ignore_index=True)
        loaded = load_come({**self.tables, "events": events}, self.at)
        people = population_of(loaded)
        counts = row_counts(
            loaded.counts,
            loaded.nobody,
            accepted=loaded.accepted,
            quarantine=loaded.quarantine,
            events=Events.of(loaded.accepted["events"]).coded,
            options=loaded.catalogue.options_of_questions,
            ahead=loaded.ahead,
        )
        world = World.of(people)
        asked = Proposal(world.lists, people, world.policy, GateSettings(), row_counts=counts, past=self.past)
        found = {one.gate: one for one in run_gates(asked)}
        self.past = [*self.past, {name: one.numbers for name, one in found.items()}]
        return found


def _refusing(found: Mapping[str, GateResult]) -> dict[str, str]:
    return {name: one.message for name, one in found.items() if one.level is Level.BLOCK}


@pytest.mark.parametrize("n_rows", [0, 40])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.filterwarnings("ignore:rows")
def test_no_member_can_have_a_night_refused(service: Served, seed: int, n_rows: int) -> None:
    """Seen to fail: one report of a made-up id had each night refused."""
    small, rng = CopyingService(service, n_rows), np.random.default_rng(seed)
    assert _refusing(small.night()) == {}
    member, *others = small.ids
    small.at = pd.Timestamp.now("UTC") + timedelta(minutes=5)
    assert _refusing(small.night()) == {}
    for n_calls in (5, 100, 300):
        taken = [small.call(member, *call) for call in _calls(rng, member, others, n_calls)]
        assert set(taken) <= {200, 204, 422}
        assert taken.count(422) < len(taken)
        assert _refusing(small.night()) == {}


@pytest.mark.parametrize("event_id", ["e{}", "e"])
@pytest.mark.parametrize("kind", MEMBER_TYPES)
@pytest.mark.filterwarnings("ignore:rows")
def test_no_member_can_have_a_night_refused_by_many_events(service: Served, kind: str, event_id: str) -> None:
    """Seen to fail: rows that the night refuses, of one member, were most of a small log of events."""
    small = CopyingService(service, 20)
    small.at = pd.Timestamp.now("UTC") + timedelta(minutes=5)
    assert _refusing(small.night()) == {}
    member, *others = small.ids
    made_up = [f"{form}-{at}" for at in range(150) for form in ("zzz", "u9")]
    detail = _details(kind)[-1]
    about_one = kind == "terms_accepted"
    events = [
        {"event_id": event_id.format(at), "type": kind, "person": person, "detail": detail}
        for at, one in enumerate([*others, *made_up])
        for person in [None if about_one else one]
    ]
    times = [None, "0001-01-03T00:00:00Z"]
    for body in ([{**event, "at": times[at % 2]} for at, event in enumerate(events)],):
        assert small.call(member, "events", body) in {200, 422}
        assert _refusing(small.night()) == {}
    undo = {"type": "undo", "detail": None}
    undone = [event | undo | {"event_id": f"u{at}"} for at, event in enumerate(events)]
    assert small.call(member, "events", undone) in {200, 422}
    assert _refusing(small.night()) == {}


@pytest.mark.parametrize("form", ["reports", "people/{}/feeling-check"])
def test_rows_about_somebody_who_was_erased_are_no_rows_about_nobody(service: Served, form: str) -> None:
    """Planted and seen caught: the name of somebody erased that counts as an id of nobody."""
    small = CopyingService(service, 0)
    small.at = pd.Timestamp.now("UTC") + timedelta(minutes=5)
    small.night()
    a, b, gone = small.ids[:3]
    body = {"person": gone} if form == "reports" else {"event_id": "c1", "answer": "pressured"}
    assert small.call(a, form.format(gone), body) in {200, 204}
    assert service.ask("POST", "/v1/backend/erasures", body={"person": gone}).status_code == 204
    assert small.call(b, form.format(gone), body) in {200, 204}
    targets = [str(one.target) for one in service.store.day.events(NEVER)]
    assert any(map(is_name_of_erased, targets)), targets
    assert gone not in targets
    without = {name: rows[~rows["user_id"].eq(gone)] for name, rows in small.tables.items()}
    small.tables, small.events = without, small.events[~small.events.isin([gone]).any(axis=1)]
    found = small.night()["safety_tables"]
    assert found.level is Level.PASS, found.message
    assert not [name for name in found.numbers if "nobody" in name or "misspelled" in name]


@pytest.mark.parametrize(
    ("n_members", "n_rows", "level"),
    [
        (1, 400, Level.WARN),
        (4, 400, Level.WARN),
        (5, 400, Level.BLOCK),
        (2, 0, Level.WARN),
        (3, 0, Level.BLOCK),
    ],
)
@pytest.mark.filterwarnings("ignore:rows")
def test_rows_of_many_members_with_ids_of_another_form_refuse_a_night(
    service: Served, n_members: int, n_rows: int, level: Level
) -> None:
    """Planted and seen caught: rows counted as people, and any new row of a member that refuses a night."""
    small = CopyingService(service, n_rows)
    small.at = pd.Timestamp.now("UTC") + timedelta(minutes=5)
    small.night()
    for member in small.ids[:n_members]:
        for at in range(3):
            assert small.call(member, "reports", {"person": f"M-{at:05}"}) == 204
    assert small.night()["safety_tables"].level is level
