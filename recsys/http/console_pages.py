"""What the pages of the console show: the night, members, cases and requests, read where they are kept."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pandas as pd

from recsys.constraints.why_not import LIKED, WhyNot, constraint_text, has_liked
from recsys.data.id_spellings import Spellings
from recsys.errors import InputError, PublicationError, RecsysError, explained
from recsys.http.audit_log import AuditLog
from recsys.http.console_tables import (
    FALSE_REPORT,
    AccountTables,
    CallShown,
    MemberShown,
    ReportShown,
    calls_shown,
    reports_by,
    reports_of_case,
)
from recsys.http.operator_sessions import OperatorSessions
from recsys.moderation.case_states import APPEALED, ASSIGNED, CLOSED, DECIDED, OPEN, Case
from recsys.moderation.cases import CaseLog
from recsys.moderation.review_queue import calls_since_the_night, flagged_in_night
from recsys.pipeline.erasure import erase, safety_by_person
from recsys.pipeline.gates.proposal import GateResult, Level
from recsys.pipeline.history import GATES_FILE, PastNight, read_gates, read_history
from recsys.pipeline.lock import is_locked
from recsys.pipeline.night import Night
from recsys.pipeline.paths import NightPaths
from recsys.pipeline.retention import run_folders
from recsys.pipeline.subject_access import PersonData, person_data, person_places
from recsys.report.indicators import INDICATORS, Trend
from recsys.safety.by_person import SafetyByPerson
from recsys.safety.day_log import REFUSED
from recsys.safety.erasure_list import ErasureList
from recsys.safety.hold_words import OPERATOR
from recsys.safety.store import SafetyStore, StoreHold, StoreWithHolds, StoreWithRestrictions, ask_safety
from recsys.settings import GateSettings, read_settings
from recsys.storage.publication import LISTS, read_publication

NIGHTS_SHOWN: Final = 14
CASE_FILTERS: Final = ("undecided", "late", OPEN, ASSIGNED, DECIDED, APPEALED, CLOSED, "holding")


@dataclass(frozen=True)
class NightShown:
    """The publication that is served, its gates, and the nights before it, newest first.

    refused: what refused the newest night, where that is why an older one is served; refused_gates: the file
    of everything its gates said, "" when it is gone. report: the page about the newest night, "" without one.
    """

    run_id: str
    created_at: str
    data_as_of: str
    gates: tuple[GateResult, ...]
    history: tuple[PastNight, ...]
    refused: tuple[GateResult, ...]
    refused_gates: str
    report: str

    def trends(self) -> list[Trend]:
        """Return how each indicator of the nights moved; the last value is that of the newest night."""
        nights = [past for past in self.history[::-1] if past.published]
        found = []
        for one in INDICATORS:
            values = [one.of_night(past) for past in nights]
            if any(value is not None for value in values):
                found.append(Trend(one.name, tuple(values), tuple(map(one.text, values))))
        return found


class Console:
    """Reads and does what operators ask for.

    published, work, tracking: the folders of nights. cases: the folder of cases. safety: where decisions act,
    that of the ranker. Of a store alone, the safety ledger beside the publications hears of them as well.

    >>> from recsys.safety import MemorySafety
    >>> Console(Path("no"), Path("no"), Path("no"), Path("no"), MemorySafety()).night() is None
    True
    """

    def __init__(
        self, published: Path, work: Path, tracking: Path, cases: Path, safety: SafetyStore | SafetyByPerson
    ) -> None:
        self._acting = safety_by_person(safety, published)
        self.published, self.work, self.tracking = published, work, tracking
        self.safety, self.cases, self.audit = (
            self._acting.store,
            CaseLog(cases, self._acting),
            AuditLog(cases),
        )
        self.sessions = OperatorSessions(cases)
        self._night: tuple[str, Night | None] = ("", None)
        self._accounts: AccountTables | None = None
        self._zone = (0, "UTC")

    def night(self) -> NightShown | None:
        """Return the night that is served; None when nothing is."""
        try:
            publication = read_publication(self.published)
        except PublicationError:
            return None
        manifest = publication.manifest
        history = read_history(self.published)[-NIGHTS_SHOWN:][::-1]
        gates = tuple(read_gates(publication.folder))
        is_refused = bool(history) and not history[0].published
        kept = self._gates_file(history[0].run_id) if is_refused else None
        report = NightPaths(self.work).report
        return NightShown(
            *(manifest.run_id, manifest.created_at, manifest.data_as_of, gates, tuple(history)),
            refused=self._refusing(history[0], kept) if is_refused else (),
            refused_gates=str(kept or ""),
            report=str(report) if report.is_file() else "",
        )

    def gate_limits(self) -> GateSettings:
        """Return the limits of the newest night; the defaults where its settings cannot be read."""
        try:
            return read_settings(NightPaths(self.work).settings).publish.gates
        except (OSError, RecsysError):
            return GateSettings()

    def _gates_file(self, run_id: str) -> Path | None:
        """Return the file of what the gates said about a run, None when it is gone."""
        files = (folder / GATES_FILE for folder in run_folders(self.published) if folder.name == run_id)
        return next((path for path in files if path.is_file()), None)

    def _refusing(self, night: PastNight, kept: Path | None) -> tuple[GateResult, ...]:
        """Return the gates that refused a night, with what they counted where the run is still there."""
        if kept is not None:
            return tuple(gate for gate in read_gates(kept.parent) if gate.level is Level.BLOCK)
        blocked = (name for name, level in night.levels.items() if level == Level.BLOCK.name)
        return tuple(GateResult(name, Level.BLOCK, name, night.numbers.get(name, {})) for name in blocked)

    def counts(self) -> dict[str, Any]:
        """Return how many cases wait for a decision, are overdue, wait for an answer, and who is held.

        today: how many reports and calls came in since the data of the night; missed: those of them that the
        tables of a later night lack; today_due: when the first of those without a case is due.

        oldest: when the one was opened that waits longest for a decision; next_due: when the next decision is
        due that is not late, and appeal_due the next answer to an appeal. Each is None where there is none.
        """
        now, cases, calls = datetime.now(UTC), self.cases.cases().values(), self.today()
        waiting = [case for case in cases if case.state in (OPEN, ASSIGNED)]

        def next_due(of: Iterable[Case]) -> str | None:
            return min((case.due for case in of if case.due and not case.is_late(now)), default=None)

        return {
            "undecided": len(waiting),
            "late": sum(case.is_late(now) for case in cases),
            "appealed": sum(case.state == APPEALED for case in cases),
            "held": len(self.held()),
            "today": len(calls),
            "missed": sum(one.missed for one in calls),
            "today_due": min((one.due.isoformat() for one in calls if not one.cases), default=None),
            "next_due": next_due(waiting),
            "appeal_due": next_due(case for case in cases if case.state == APPEALED),
            "oldest": min((case.opened for case in waiting), default=None),
        }

    def today(self) -> list[CallShown]:
        """Return what came in since the data of the night that asks for somebody to look, gravest first."""
        paths, began = NightPaths(self.work), None
        if paths.settings.is_file() and self.tables_state() == "":  # the first file that a night writes
            began = datetime.fromtimestamp(paths.settings.stat().st_mtime, UTC)
        calls = calls_since_the_night(self.published, self.safety)
        return calls_shown(calls, self.cases_by_event(), paths.tables, began)

    def held(self) -> dict[str, tuple[StoreHold, ...]]:
        """Return everybody who is held, by cases, operators, themselves and the tables, ids ascending."""
        store = self.safety
        found: dict[str, tuple[StoreHold, ...]] = {}
        if isinstance(store, StoreWithHolds):
            found = dict(ask_safety(store.all_holds))
        for user, hold in self._tables().held().items():
            found[user] = (*found.get(user, ()), hold)
        return dict(sorted(found.items()))

    def tables_state(self) -> str:
        """Return "" where the tables of the last night can be read, else why not: the name of a text."""
        if is_locked(self.work):
            return "night_runs"
        return "" if NightPaths(self.work).validation.is_file() else "no_tables"

    def _tables(self) -> AccountTables:
        """Return how accounts stand; while a night writes its tables, as they were read before."""
        if self._accounts is None or not is_locked(self.work):
            self._accounts = AccountTables.of(NightPaths(self.work).tables)
        return self._accounts

    def listed_cases(self, state: str) -> list[tuple[Case, bool]]:
        """Return the cases of a state, gravest and oldest first.

        state: one of `STATES`, or `late`, `undecided`, `holding`; empty for all that are not closed. Raises
        InputError for another one.
        """
        if state not in ("", *CASE_FILTERS):
            raise InputError(explained("unknown state of cases", got=state))
        now, cases = datetime.now(UTC), self.cases.cases().values()
        wanted: dict[str, Callable[[Case], bool]] = {
            "": lambda case: case.state != CLOSED,
            "late": lambda case: case.is_late(now),
            "undecided": lambda case: case.state in (OPEN, ASSIGNED),
            "holding": lambda case: case.held,
        }
        keep = wanted.get(state)
        chosen = [case for case in cases if (keep(case) if keep else case.state == state)]
        chosen.sort(key=lambda case: (-case.gravity, case.due or "9", case.opened))
        return [(case, case.is_late(now)) for case in chosen]

    def cases_by_person(self) -> Counter[str]:
        """Return how many cases are about each person."""
        return Counter(case.person for case in self.cases.cases().values() if case.person)

    def cases_on_the_same(self, case: Case) -> list[Case]:
        """Return the other cases that rest on any of the same events, such as a brigade and its reports."""
        mine = set(case.evidence)
        return [
            one
            for one in self.cases.cases().values()
            if one.case != case.case and not mine.isdisjoint(one.evidence)
        ]

    def cases_by_event(self) -> dict[str, list[str]]:
        """Return the names of the cases that rest on each event."""
        found: dict[str, list[str]] = {}
        for case in self.cases.cases().values():
            for event in case.evidence:
                found.setdefault(event, []).append(case.case)
        return found

    def operators(self) -> list[str]:
        """Return who has worked on any case or signed in, ascending."""
        worked = {step.by for step in self.cases.steps()} - {"review", "erasure"}
        return sorted(worked | self.sessions.operators())

    def take_step(self, name: str, form: Mapping[str, str], *, by: str) -> None:
        """Take one step of a case as a form asks for it; raises what `CaseLog` raises."""
        step, text = form.get("step", ""), form.get("explanation", "")
        version = int(form["version"]) if form.get("version", "").isdecimal() else 0
        if step == "assign":
            self.cases.assign(name, form.get("to") or by, by=by, version=version)
        elif step == "decide":
            if form.get("decision") == "restore" and not self.cases.of(name).held:
                raise InputError(explained("this case holds nobody", where=name))
            decision, reason = form.get("decision", ""), form.get("reason", "")
            self.cases.decide(name, decision, reason=reason, explanation=text, by=by, version=version)
        elif step == "answer":
            self.cases.answer(name, form.get("answer", ""), explanation=text, by=by, version=version)
        elif step == "appeal":
            self.cases.appeal(name, explanation=text, by=by, version=version)
        elif step == "close":
            self.cases.close(name, by=by, version=version)
        else:
            raise InputError(explained("unknown step", where="step"))

    def member(self, user: str) -> MemberShown:
        """Return one member; who is unknown has an empty list, no cases and no funnel."""
        lists = self._lists()
        own = lists[lists["viewer_id"] == user].sort_values("rank")
        columns = [name for name in ("rank", "candidate_id", "stage", "reasons") if name in own]
        holds, store, tables = None, self.safety, self._tables()
        if isinstance(store, StoreWithRestrictions):
            holds = ask_safety(lambda: store.restrictions_of(user)).holds
            holds += tuple(hold for one, hold in tables.held().items() if one == user)
        cases = self.cases.cases().values()
        return MemberShown(
            listed=tuple({str(k): v for k, v in row.items()} for row in own[columns].to_dict("records")),
            seen_by=int((lists["candidate_id"] == user).sum()),
            holds=holds,
            cases=tuple(case for case in cases if user and case.person == user),
            funnel=self._funnel(user),
            account=tables.states.get(user, ""),
            reports=tuple(reports_by(user, NightPaths(self.work).tables, cases)),
            calls=tuple(one for one in self.today() if user and user in (one.event.actor, one.event.target)),
            flagged=self._flagged(user, {event for case in cases for event in case.evidence}),
        )

    def _flagged(self, user: str, resting: Collection[str]) -> int:
        paths = NightPaths(self.work)
        found = flagged_in_night(paths.tables, [user], paths.quarantine) if user else {}
        return len(found.keys() - {event.removeprefix(REFUSED) for event in resting})

    def evidence(self, case: Case) -> list[ReportShown]:
        """Return what a case rests on, oldest first, from the tables of the night under way."""
        return reports_of_case(case, NightPaths(self.work).tables, self.cases.cases().values())

    def open_case(self, person: str, kind: str, *, by: str, note: str) -> Case:
        """Open a case by hand: it rests on what was said of the person since the night.

        One about false reports rests on the reports that the person made.
        """
        made = tuple(one.event.event_id for one in self.today() if one.person == person)
        if kind == FALSE_REPORT:
            made = tuple(one.event for one in reports_by(person, NightPaths(self.work).tables, ()))
        return self.cases.open_case(person, kind, by=by, note=note, evidence=made)

    def why_not(self, viewer: str, candidate: str) -> list[WhyNot]:
        """Return the rules of the night that keep two people apart, none without its tables."""
        try:
            night = self._night_of_tables()
            if night is None:
                return []
            people = night.people
            rows = people.ids.row(viewer), people.ids.row(candidate)
            found = night.policy.why_not(people, *rows)
        except (OSError, RecsysError):
            return []
        if not found and has_liked(people, *rows):
            return [WhyNot(LIKED, "forward", constraint_text(LIKED))]
        return found

    def _lists(self) -> pd.DataFrame:
        try:
            return pd.read_parquet(read_publication(self.published).folder / LISTS)
        except PublicationError:
            return pd.DataFrame({"viewer_id": [], "candidate_id": [], "rank": []})

    def _funnel(self, user: str) -> tuple[dict[str, Any], ...]:
        """Return whom each rule takes, from the tables of the night under way; nothing without them."""
        from recsys.constraints.funnel import funnel

        try:
            night = self._night_of_tables()
            if night is None:
                return ()
            counted = funnel(night.policy, night.people, [night.people.ids.row(user)])
        except (OSError, RecsysError):
            return ()
        rows = counted[counted["removed_in_order"] > 0].to_dict("records")
        return tuple({str(key): value for key, value in row.items()} for row in rows)

    def _night_of_tables(self) -> Night | None:
        """Return the night under way, opened once; raises OSError or RecsysError without its tables."""
        paths = NightPaths(self.work)
        if self._night[1] is not None and is_locked(self.work):
            return self._night[1]
        key = f"{paths.tables.stat().st_mtime}"
        if self._night[0] != key:
            self._night = (key, Night.current(read_settings(paths.settings), paths))
        return self._night[1]

    @property
    def time_zone(self) -> str:
        """The zone of the service as its settings say; UTC where they cannot be read."""
        path = NightPaths(self.work).settings
        try:
            version = path.stat().st_mtime_ns
            if version != self._zone[0]:
                self._zone = version, read_settings(path).report.time_zone
        except (OSError, RecsysError):
            return "UTC"
        return self._zone[1]

    def lift(self, user: str) -> None:
        """Lift the holds operators set outside of cases; those of cases and members are theirs."""
        ask_safety(lambda: self._acting.lift(user, owner=OPERATOR))

    def access(self, user: str) -> PersonData:
        """Return everything held of a person, in files, the store and cases."""
        places = person_places(
            published=self.published, work=self.work, tracking=self.tracking, cases=self.cases.folder
        )
        return person_data(user, places, safety=self.safety)

    def whom(self, user: str) -> str | None:
        """Return the one person of a case whom an id means in any spelling, as `SnapshotIds.whom` does."""
        return Spellings({case.person for case in self.cases.cases().values() if case.person}).whom(user)

    def is_erased(self, user: str) -> bool:
        """Say whether somebody was erased, by the console or by `recsys forget`."""
        return bool(ErasureList.of(self.published).now().among([user])[0])

    def erase(self, user: str, *, by: str) -> None:
        """Erase a person: from what is served, the store and the cases; from every file by the next night."""
        erase([user], self.published, safety=self.safety)
        self.cases.erase(user, by=by)
        self.audit.redact(user)
