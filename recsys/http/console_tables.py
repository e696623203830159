"""What operators see of the night's tables: accounts that are stopped, and reports with who made them."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.fail_closed import STOPPED
from recsys.moderation.case_states import HOLDING, Case
from recsys.moderation.credibility import KIND, PERSON, REPORTER, flags, is_accusation, reporter_standing
from recsys.moderation.report_events import columns_there, named_as_in_night, rows_of_night
from recsys.moderation.review_policy import DAYS_TO_DECIDE, ReviewPolicy, load_policy
from recsys.safety.day_log import REFUSED, DayEvent
from recsys.safety.store import StoreHold

FALSE_REPORT: Final = "false_report"
"""The kind of a case about somebody's reports."""
_UPHELD: Final = (*HOLDING, "warn")


OWNER_TABLES: Final = "tables"
"""Whose a hold or ban in the tables of the service is; it ends there."""


@dataclass(frozen=True)
class AccountTables:
    """How accounts stand in tables: their state by id, and who has an active hold."""

    states: Mapping[str, str]
    holds: frozenset[str]

    @classmethod
    def of(cls, tables: Path) -> "AccountTables":
        """Read the tables of a night; what is not there says nothing."""
        states = _newest(tables / "profiles.parquet", C.VALID_FROM, C.ACCOUNT_STATE)
        holds = _newest(tables / "holds.parquet", C.TS, C.STATE)
        return cls(states, frozenset(user for user, state in holds.items() if state == "active"))

    def held(self) -> dict[str, StoreHold]:
        """Return who has an active hold, or an account that is held or banned, as a hold with that state."""
        stopped = {user: StoreHold(OWNER_TABLES, "") for user in self.holds}
        states = {user: state for user, state in self.states.items() if state in STOPPED}
        return stopped | {user: StoreHold(OWNER_TABLES, state) for user, state in states.items()}


def _newest(path: Path, time: str, column: str) -> dict[str, str]:
    """Return the last value of a column of each person; none without the file or the column."""
    rows = columns_there(path, [C.USER, time, column])
    if column not in rows or C.USER not in rows:
        return {}
    rows = rows if time in rows else rows.assign(**{time: None})
    last = rows.sort_values(time, kind="stable", na_position="first").drop_duplicates(C.USER, keep="last")
    return {str(user): str(value) for user, value in zip(last[C.USER], last[column], strict=True)}


@dataclass(frozen=True)
class ReportShown:
    """One report, or one act that a case rests on.

    at, kind: when, and the kind of the review policy. reporter: who says so; of an act that the service saw,
    the other of the two. person: whom it is about. verified, settled, talked, accused: how the reporter stood
    then, see `reporter_standing`; None of an act that the service saw. cases: those that rest on it.
    """

    event: str
    at: str
    kind: str
    reporter: str
    person: str
    verified: bool | None
    settled: bool | None
    talked: bool | None
    accused: int | None
    cases: tuple[Case, ...]

    @property
    def outcome(self) -> str:
        """What came of it: `upheld`, `lifted` of a hold that ended, `dismissed`, `waiting`, or `none`."""
        decided = [case.decision for case in self.cases if case.decision]
        if any(decision in _UPHELD for decision in decided):
            return "upheld"
        if "restore" in decided:
            return "lifted"
        if decided:
            return "dismissed"
        return "waiting" if self.cases else "none"


@dataclass(frozen=True)
class CallShown:
    """One report or call since the night.

    kind, gravity: of the review policy. person: whom it is about. due: when a decision is due, counted from
    when it came, as of a case. cases: those that rest on it. missed: whether a night began after it, whose
    tables lack it, so that no night makes a case of it.
    """

    event: DayEvent
    kind: str
    gravity: int
    person: str
    due: datetime
    cases: tuple[str, ...]
    missed: bool

    def is_late(self, now: datetime) -> bool:
        """Say whether it has no case and the time for a decision is over."""
        return not self.cases and self.due < now


def calls_shown(
    calls: Iterable[DayEvent], cases: Mapping[str, Iterable[str]], tables: Path, began: datetime | None
) -> list[CallShown]:
    """Return what came in since the night, gravest first, and of one gravity the oldest.

    cases: by event, those that rest on it. tables: of the newest night; began: when it did, None when that is
    not known.
    """
    policy, found = load_policy(), named_as_in_night(calls, tables)
    read = _read_by_night(found, tables) if began is not None else set()
    shown = []
    for one in found:
        kind = _kind(one, policy)
        gravity = policy.kinds[kind].gravity
        person = one.actor if policy.kinds[kind].by == "actor" else one.target or ""
        missed = began is not None and one.at < began and one.event_id not in read
        due = one.at + timedelta(days=DAYS_TO_DECIDE[gravity])
        resting = tuple(cases.get(one.event_id, ()))
        shown.append(CallShown(one, kind, gravity, person, due, resting, missed and not resting))
    return sorted(shown, key=lambda one: (-one.gravity, one.event.at))


def _kind(event: DayEvent, policy: ReviewPolicy) -> str:
    kind = f"{event.type}.{event.detail}" if event.detail else event.type
    return kind if kind in policy.kinds else "report.other"


def _read_by_night(calls: Iterable[DayEvent], tables: Path) -> set[str]:
    """Return which calls stand in the tables of a night, by id, or by people and time under another id."""
    ids = {one.event_id: (one.actor, one.target, one.type, one.at.replace(microsecond=0)) for one in calls}
    rows = rows_of_night(tables, C.ACTOR, {key[0] for key in ids.values()})
    times = [at.to_pydatetime().replace(microsecond=0) for at in rows[C.TS]]
    there = {*zip(rows[C.ACTOR], rows[C.TARGET], rows[C.TYPE].astype(object), times, strict=True)}
    known = set(zip(rows[C.EVENT], rows[C.ACTOR], strict=True))
    return {event for event, key in ids.items() if (event, key[0]) in known or key in there}


def reports_of_case(case: Case, tables: Path, cases: Iterable[Case]) -> list[ReportShown]:
    """Return what a case rests on, oldest first, from the tables of the night; nothing without them."""
    if not case.evidence:
        return []
    evidence = {event.removeprefix(REFUSED) for event in case.evidence}
    named = rows_of_night(tables, C.EVENT, evidence)
    people = {str(one) for column in (C.ACTOR, C.TARGET) for one in named[column].dropna()}
    return [one for one in _reports(tables, people, cases) if one.event in evidence]


def reports_by(user: str, tables: Path, cases: Iterable[Case]) -> list[ReportShown]:
    """Return what a member reported, oldest first, from the tables of the night; nothing without them."""
    if not user:
        return []
    others = rows_of_night(tables, C.ACTOR, [user])[C.TARGET].dropna()
    found = _reports(tables, {user, *map(str, others)}, cases)
    return [one for one in found if one.reporter == user and one.verified is not None]


def _reports(tables: Path, people: set[str], cases: Iterable[Case]) -> list[ReportShown]:
    """Return what concerns people of whom every act is read, so that their standing can be told."""
    rows = rows_of_night(tables, C.ACTOR, people)
    if rows.empty:
        return []
    events, policy = Events.of(rows), load_policy()
    found = flags(events, policy)
    accusations = found[is_accusation(found, policy)]
    standing = reporter_standing(accusations, events, policy).to_dict("index")
    resting: dict[str, list[Case]] = {}
    for case in cases:
        for event in case.evidence if case.kind != FALSE_REPORT else ():
            resting.setdefault(event, []).append(case)
    return [
        ReportShown(
            *(row[C.EVENT], row[C.TS].isoformat(), row[KIND], row[REPORTER], row[PERSON]),
            **standing.get(at, dict.fromkeys(("verified", "settled", "talked", "accused"))),
            cases=tuple(resting.get(row[C.EVENT], ())),
        )
        for at, row in found.to_dict("index").items()
    ]


@dataclass(frozen=True)
class MemberShown:
    """One member as an operator may see them, without probabilities.

    listed: the list of the night. seen_by: on how many lists they stand. holds: every hold, of the store and
    of the tables; None when the store does not say. cases: all about them. funnel: how many candidates each
    rule took, in order; empty without a night's tables. account: the state of their account in the tables,
    "" when unknown. reports: what they reported. calls: reports and calls since the night that name them.
    flagged: how many of those of the night's tables that name them are no case yet.
    """

    listed: tuple[dict[str, Any], ...]
    seen_by: int
    holds: tuple[StoreHold, ...] | None
    cases: tuple[Case, ...]
    funnel: tuple[dict[str, Any], ...]
    account: str
    reports: tuple[ReportShown, ...]
    calls: tuple[CallShown, ...]
    flagged: int

    @property
    def calls_without_case(self) -> int:
        """How many reports and calls that name them, of the night and since, are no case yet."""
        return self.flagged + sum(not one.cases for one in self.calls)

    @property
    def asks_before_erasure(self) -> bool:
        """Whether something about this member would end or be lost with an erasure."""
        return bool(self.cases or self.holds or self.calls_without_case)

    @property
    def holds_version(self) -> str:
        """Names the holds that a page shows, so that a form made before they changed is known."""
        return hashlib.sha256(repr(self.holds).encode()).hexdigest()[:16]
