"""What the pages of the console show: the night, members, cases and requests, read where they are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pandas as pd

from recsys.errors import InputError, PublicationError, RecsysError, explained
from recsys.moderation.cases import APPEALED, CLOSED, Case, CaseLog
from recsys.pipeline.access import PersonData, person_data, person_places
from recsys.pipeline.erasure import erase
from recsys.pipeline.history import PastNight, read_gates, read_history
from recsys.pipeline.night import Night
from recsys.pipeline.paths import NightPaths
from recsys.safety.store import SafetyStore, StoreWithRestrictions, ask_safety
from recsys.settings import read_settings
from recsys.storage.publication import LISTS, read_publication

NIGHTS_SHOWN: Final = 14


@dataclass(frozen=True)
class NightShown:
    """The publication that is served, its gates, and the nights before it, newest first."""

    run_id: str
    created_at: str
    data_as_of: str
    gates: tuple[Any, ...]
    history: tuple[PastNight, ...]


@dataclass(frozen=True)
class MemberShown:
    """One member as an operator may see them, without probabilities.

    listed: the list of the night. seen_by: on how many lists they stand. held: whether any hold is on them.
    cases: all about them. funnel: how many candidates each rule took, in order; empty without a night's
    tables.
    """

    listed: tuple[dict[str, Any], ...]
    seen_by: int
    held: bool | None
    cases: tuple[Case, ...]
    funnel: tuple[dict[str, Any], ...]

    @property
    def holding(self) -> int:
        """How many cases hold them."""
        return sum(case.held for case in self.cases)


class Console:
    """Reads and does what operators ask for.

    published, work, tracking: the folders of nights. cases: the folder of cases. safety: where decisions act.

    >>> from recsys.safety import MemorySafety
    >>> Console(Path("no"), Path("no"), Path("no"), Path("no"), MemorySafety()).night() is None
    True
    """

    def __init__(self, published: Path, work: Path, tracking: Path, cases: Path, safety: SafetyStore) -> None:
        self.published, self.work, self.tracking = published, work, tracking
        self.safety, self.cases = safety, CaseLog(cases, safety)
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
        """Return how many cases are open, overdue, and wait for an answer to an appeal."""
        now, cases = datetime.now(UTC), self.cases.cases().values()
        return {
            "open": sum(case.state != CLOSED for case in cases),
            "late": sum(case.is_late(now) for case in cases),
            "appealed": sum(case.state == APPEALED for case in cases),
            "held": sum(case.held for case in cases),
        }

    def listed_cases(self, state: str) -> list[tuple[Case, bool]]:
        """Return the cases of a state, all that are not closed by default, gravest and oldest first."""
        now, cases = datetime.now(UTC), self.cases.cases().values()
        twice = {
            person
            for person in (c.person for c in cases)
            if sum(c.held for c in cases if c.person == person) > 1
        }
        chosen = [
            case
            for case in cases
            if (
                case.person in twice
                if state == "twice"
                else case.state == state
                if state
                else case.state != CLOSED
            )
        ]
        chosen.sort(key=lambda case: (-case.gravity, case.due or "9", case.opened))
        return [(case, case.is_late(now)) for case in chosen]

    def take_step(self, name: str, form: Mapping[str, str], *, by: str) -> None:
        """Take one step of a case as a form asks for it; raises what `CaseLog` raises."""
        step = form.get("step", "")
        if step == "assign":
            self.cases.assign(name, form.get("to") or by, by=by)
        elif step == "decide":
            self.cases.decide(name, form.get("decision", ""), reason=form.get("reason", ""), by=by)
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
        held = None
        store = self.safety
        if isinstance(store, StoreWithRestrictions):
            held = ask_safety(lambda: store.restrictions_of(user)).held
        return MemberShown(
            listed=tuple({str(k): v for k, v in row.items()} for row in own[columns].to_dict("records")),
            seen_by=int((lists["candidate_id"] == user).sum()),
            held=held,
            cases=tuple(case for case in self.cases.cases().values() if user and case.person == user),
            funnel=self._funnel(user),
        )

    def _lists(self) -> pd.DataFrame:
        try:
            return pd.read_parquet(read_publication(self.published).folder / LISTS)
        except PublicationError:
            return pd.DataFrame({"viewer_id": [], "candidate_id": [], "rank": []})

    def _funnel(self, user: str) -> tuple[dict[str, Any], ...]:
        """Return whom each rule takes, from the tables of the night under way; nothing without them."""
        from recsys.constraints.funnel import funnel

        paths = NightPaths(self.work)
        try:
            key = f"{paths.tables.stat().st_mtime}"
            if self._night[0] != key:
                self._night = (key, Night.current(read_settings(paths.settings), paths))
            night = self._night[1]
            if night is None:
                return ()
            counted = funnel(night.policy, night.people, [night.people.ids.row(user)])
        except (OSError, RecsysError):
            return ()
        rows = counted[counted["removed_in_order"] > 0].to_dict("records")
        return tuple({str(key): value for key, value in row.items()} for row in rows)

    def access(self, user: str) -> PersonData:
        """Return everything held of a person, in files, the store and cases."""
        places = person_places(
            published=self.published, work=self.work, tracking=self.tracking, cases=self.cases.folder
        )
        return person_data(user, places, safety=self.safety)

    def erase(self, user: str) -> None:
        """Erase a person: from what is served, the store and the cases; from every file by the next night."""
        erase([user], self.published, safety=self.safety)
        self.cases.erase(user)
