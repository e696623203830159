"""What the pages of the console show: the night, members, cases and requests, read where they are kept."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.constraints.why_not import WhyNot
from recsys.data.safety_rows import Spellings
from recsys.errors import InputError, PublicationError, RecsysError, explained
from recsys.http.audit_log import AuditLog
from recsys.moderation.cases import APPEALED, ASSIGNED, CLOSED, OPEN, Case, CaseLog
from recsys.pipeline.access import PersonData, person_data, person_places
from recsys.pipeline.erasure import erase
from recsys.pipeline.gates.proposal import GateResult
from recsys.pipeline.history import PastNight, read_gates, read_history
from recsys.pipeline.night import Night
from recsys.pipeline.paths import NightPaths
from recsys.report.indicators import INDICATORS
from recsys.safety.erasure_list import ErasureList
from recsys.safety.store import OPERATOR, SafetyStore, StoreHold, StoreWithRestrictions, ask_safety
from recsys.settings import read_settings
from recsys.storage.publication import LISTS, read_publication

NIGHTS_SHOWN: Final = 14


@dataclass(frozen=True)
class Trend:
    """One indicator, oldest night first: its values, None where unknown, and how they are written."""

    name: str
    values: tuple[float | None, ...]
    texts: tuple[str, ...]

    @property
    def points(self) -> str:
        """The line of the known values as points of an SVG 100 wide and 24 high; none of a single night.

        >>> Trend("listed", (1.0, None, 3.0), ("1", "–", "3")).points
        '0.0,22.0 100.0,2.0'
        """
        known = [(at, value) for at, value in enumerate(self.values) if value is not None]
        if len(known) < 2:
            return ""
        low, high = min(value for _, value in known), max(value for _, value in known)
        wide, tall = 100.0 / (len(self.values) - 1), 20.0 / ((high - low) or 1.0)
        return " ".join(f"{at * wide:.1f},{22.0 - (value - low) * tall:.1f}" for at, value in known)


@dataclass(frozen=True)
class NightShown:
    """The publication that is served, its gates, and the nights before it, newest first."""

    run_id: str
    created_at: str
    data_as_of: str
    gates: tuple[GateResult, ...]
    history: tuple[PastNight, ...]

    def trends(self) -> list[Trend]:
        """Return how each indicator of the nights moved; the last value is that of the newest night."""
        nights = [past for past in self.history[::-1] if past.published]
        found = []
        for one in INDICATORS:
            values = [one.of_night(past) for past in nights]
            if any(value is not None for value in values):
                found.append(Trend(one.name, tuple(values), tuple(map(one.text, values))))
        return found


@dataclass(frozen=True)
class MemberShown:
    """One member as an operator may see them, without probabilities.

    listed: the list of the night. seen_by: on how many lists they stand. holds: every hold of the store, of
    cases and of others; None when the store does not say. cases: all about them. funnel: how many candidates
    each rule took, in order; empty without a night's tables.
    """

    listed: tuple[dict[str, Any], ...]
    seen_by: int
    holds: tuple[StoreHold, ...] | None
    cases: tuple[Case, ...]
    funnel: tuple[dict[str, Any], ...]


class Console:
    """Reads and does what operators ask for.

    published, work, tracking: the folders of nights. cases: the folder of cases. safety: where decisions act.

    >>> from recsys.safety import MemorySafety
    >>> Console(Path("no"), Path("no"), Path("no"), Path("no"), MemorySafety()).night() is None
    True
    """

    def __init__(self, published: Path, work: Path, tracking: Path, cases: Path, safety: SafetyStore) -> None:
        self.published, self.work, self.tracking = published, work, tracking
        self.safety, self.cases, self.audit = safety, CaseLog(cases, safety), AuditLog(cases)
        self._night: tuple[str, Night | None] = ("", None)

    def night(self) -> NightShown | None:
        """Return the night that is served; None when nothing is."""
        try:
            publication = read_publication(self.published)
        except PublicationError:
            return None
        manifest = publication.manifest
        history = read_history(self.published)[-NIGHTS_SHOWN:][::-1]
        gates = tuple(read_gates(publication.folder))
        return NightShown(manifest.run_id, manifest.created_at, manifest.data_as_of, gates, tuple(history))

    def counts(self) -> dict[str, int]:
        """Return how many cases wait for a decision, are overdue, wait for an answer, and hold somebody."""
        now, cases = datetime.now(UTC), self.cases.cases().values()
        return {
            "undecided": sum(case.state in (OPEN, ASSIGNED) for case in cases),
            "late": sum(case.is_late(now) for case in cases),
            "appealed": sum(case.state == APPEALED for case in cases),
            "held": sum(case.held for case in cases),
        }

    def listed_cases(self, state: str) -> list[tuple[Case, bool]]:
        """Return the cases of a state, gravest and oldest first.

        state: one of `STATES`, or `late`, `holding`, `twice` (of people whom two cases hold); empty for all
        that are not closed.
        """
        now, cases = datetime.now(UTC), self.cases.cases().values()
        held = Counter(case.person for case in cases if case.held and case.person)
        wanted: dict[str, Callable[[Case], bool]] = {
            "": lambda case: case.state != CLOSED,
            "late": lambda case: case.is_late(now),
            "undecided": lambda case: case.state in (OPEN, ASSIGNED),
            "holding": lambda case: case.held,
            "twice": lambda case: held[case.person] > 1,
        }
        keep = wanted.get(state)
        chosen = [case for case in cases if (keep(case) if keep else case.state == state)]
        chosen.sort(key=lambda case: (-case.gravity, case.due or "9", case.opened))
        return [(case, case.is_late(now)) for case in chosen]

    def take_step(self, name: str, form: Mapping[str, str], *, by: str) -> None:
        """Take one step of a case as a form asks for it; raises what `CaseLog` raises."""
        step = form.get("step", "")
        if step == "assign":
            self.cases.assign(name, form.get("to") or by, by=by)
        elif step == "decide":
            if form.get("decision") == "restore" and not self.cases.of(name).held:
                raise InputError(explained("this case holds nobody", where=name))
            self.cases.decide(
                name,
                form.get("decision", ""),
                reason=form.get("reason", ""),
                explanation=form.get("explanation", ""),
                by=by,
            )
        elif step == "answer":
            self.cases.answer(name, form.get("answer", ""), by=by)
        elif step == "appeal":
            self.cases.appeal(name, by=by)
        elif step == "close":
            self.cases.close(name, by=by)
        else:
            raise InputError(explained("unknown step", where="step"))

    def member(self, user: str) -> MemberShown:
        """Return one member; who is unknown has an empty list, no cases and no funnel."""
        lists = self._lists()
        own = lists[lists["viewer_id"] == user].sort_values("rank")
        columns = [name for name in ("rank", "candidate_id", "stage", "reasons") if name in own]
        holds = None
        store = self.safety
        if isinstance(store, StoreWithRestrictions):
            holds = ask_safety(lambda: store.restrictions_of(user)).holds
        return MemberShown(
            listed=tuple({str(k): v for k, v in row.items()} for row in own[columns].to_dict("records")),
            seen_by=int((lists["candidate_id"] == user).sum()),
            holds=holds,
            cases=tuple(case for case in self.cases.cases().values() if user and case.person == user),
            funnel=self._funnel(user),
        )

    def evidence(self, case: Case) -> list[dict[str, Any]]:
        """Return the events a case rests on, oldest first, from the tables of the night under way."""
        import pyarrow.parquet as pq

        path = NightPaths(self.work).tables / "events.parquet"
        if not case.evidence or not path.is_file():
            return []
        columns = [C.EVENT, C.TS, C.ACTOR, C.TARGET, C.TYPE, "detail"]
        rows = pq.read_table(path, columns=columns, filters=[(C.EVENT, "in", list(case.evidence))])
        return sorted(rows.to_pylist(), key=lambda row: str(row[C.TS]))

    def why_not(self, viewer: str, candidate: str) -> list[WhyNot]:
        """Return the rules of the night that keep two people apart, none without its tables."""
        try:
            night = self._night_of_tables()
            if night is None:
                return []
            people = night.people
            return night.policy.why_not(people, people.ids.row(viewer), people.ids.row(candidate))
        except (OSError, RecsysError):
            return []

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
        key = f"{paths.tables.stat().st_mtime}"
        if self._night[0] != key:
            self._night = (key, Night.current(read_settings(paths.settings), paths))
        return self._night[1]

    def lift(self, user: str) -> None:
        """Lift the holds operators set outside of cases; those of cases and members are theirs."""
        ask_safety(lambda: self.safety.lift(user, owner=OPERATOR))

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
