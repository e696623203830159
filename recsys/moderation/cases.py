"""Cases: what comes before people for review, who works on it, what they decided, and appeals.

A case is opened from the review queue or by hand; nothing decides by itself. A decision names a reason of the
review policy and acts through holds whose owner is the case, so that undoing one case never undoes another.

Every step is a line of a log that only grows, each with the hash of the line before it: a line that is
changed, taken out or put in is found (Haber and Stornetta, How to Time-Stamp a Digital Document, 1991). Whom
a case is about, and what operators write, stands beside the log, see `recsys.moderation.case_people`.
"""

import fcntl
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol

import pandas as pd

from recsys.errors import InputError, SafetyUnavailable, did_you_mean, explained
from recsys.moderation.case_people import CasePeople, explanations_of
from recsys.moderation.case_states import (
    ANSWERED,
    ANSWERS,
    APPEALED,
    ASSIGNED,
    CLOSED,
    DECIDED,
    DECISIONS,
    ERASED,
    HOLDING,
    OPEN,
    REDACTION,
    Case,
    CaseStep,
    after_step,
)
from recsys.moderation.review_policy import ReviewPolicy, load_policy
from recsys.safety.hold_words import OPERATOR, hold_words
from recsys.safety.store import MemorySafety
from recsys.storage.json_lines import add_json_line, read_json_lines, remove_unfinished_line

LOG: Final = "cases.jsonl"
_LOCK: Final = ".lock"
_FIRST: Final = "0" * 64


class CaseChangedError(InputError):
    """A step was to be taken on a case as it stood before somebody else's step.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cases = CaseLog(folder, MemorySafety())
    ...     seen = cases.open_case("u7", "report.money", by="aki").version
    ...     _ = cases.assign("case-1", "ren", by="ren", version=seen)
    ...     try:
    ...         _ = cases.decide("case-1", "warn", reason="report.money", by="aki", version=seen)
    ...     except CaseChangedError as error:
    ...         print(str(error).partition(" in ")[0])
    the case has changed since it was opened
    """


class HoldsPeople(Protocol):
    """What takes people out of sight and lets them back: a safety store, or one that is asked by person."""

    def hold(
        self, user_id: str, at: datetime | None = None, *, owner: str = OPERATOR, reason: str = ""
    ) -> None:
        """Take a person out of everybody's sight."""
        ...

    def lift(self, user_id: str, *, owner: str = OPERATOR, reason: str | None = None) -> None:
        """End the holds of one owner."""
        ...


class CaseLog:
    """The cases of one folder; any process may write to it, one at a time.

    safety: where decisions act; `ranker.safety`, so that the safety ledger hears of them.

    >>> import tempfile
    >>> from recsys.safety.store import MemorySafety
    >>> store = MemorySafety()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cases = CaseLog(folder, store)
    ...     case = cases.open_case("u7", "report.money", by="op-1")
    ...     cases.decide(case.case, "hold", reason="report.money", by="op-1").held
    True
    >>> store.exclusions("u7", []).viewer_excluded
    True
    """

    def __init__(
        self, folder: str | Path, safety: HoldsPeople, *, policy: ReviewPolicy | None = None
    ) -> None:
        self.folder = Path(folder)
        self._safety = safety
        self._policy = load_policy() if policy is None else policy
        self._people = CasePeople(self.folder)

    # Reading

    def steps(self) -> list[CaseStep]:
        """Return every step, oldest first.

        Raises SafetyUnavailable when a line was changed, taken out or put in.
        """
        path, found, before = self.folder / LOG, [], _FIRST
        for number, line in enumerate(read_json_lines(path), 1):
            try:
                step = CaseStep(**json.loads(line))
            except (ValueError, TypeError) as error:
                raise _broken(number) from error
            if step.before != before or step.line != line:
                raise _broken(number)
            before = step.hash
            found.append(step)
        return found

    def cases(self) -> dict[str, Case]:
        """Return every case as it stands, by id, oldest first; raises what `steps` raises."""
        people, redacted = self._people.read(), dict[str, dict[str, str]]()
        found: dict[str, Case] = {}
        for step in self.steps():
            found[step.case] = after_step(found.get(step.case), step)
            if step.step == REDACTION:
                redacted.setdefault(step.case, {}).update(step.detail)
        return {
            name: replace(
                case,
                person=people.get(name, {}).get("person", ""),
                evidence=tuple(people.get(name, {}).get("evidence", ())),
                note=people.get(name, {}).get("note", ""),
                explanations=_as_logged(explanations_of(people.get(name, {})), redacted.get(name, {})),
            )
            for name, case in found.items()
        }

    def of(self, case: str) -> Case:
        """Return one case; raises InputError when there is none."""
        found = self.cases()
        if case not in found:
            raise InputError(explained("no such case", got=case, remedy=did_you_mean(case, found)))
        return found[case]

    # Steps

    def open_case(
        self,
        person: str,
        kind: str,
        *,
        by: str,
        evidence: tuple[str, ...] = (),
        note: str = "",
        at: datetime | None = None,
    ) -> Case:
        """Open a case about a person; about a reporter, with the kind `false_report`.

        Raises InputError for an unknown kind.
        """
        if kind not in self._policy.kinds:
            remedy = did_you_mean(kind, self._policy.kinds)
            raise InputError(explained("no kind of the review policy", got=kind, remedy=remedy))
        _require_somebody(by)
        with self._locked():
            name = f"case-{len({step.case for step in self.steps()}) + 1}"
            self._people.add(name, person, evidence, note)
            gravity = self._policy.kinds[kind].gravity
            detail = {"kind": kind, "gravity": gravity, "policy": self._policy.version}
            self._append(name, OPEN, by, at, detail)
        return self.of(name)

    def open_from_queue(self, queue: pd.DataFrame, *, by: str, at: datetime | None = None) -> list[Case]:
        """Open a case for each row of `review_queue` that has none yet, or whose evidence is new."""
        known = {(case.person, case.kind): case for case in self.cases().values()}
        opened = []
        for row in queue.to_dict("records"):
            person, kind, evidence = str(row["user_id"]), str(row["kind"]), tuple(row["evidence"])
            case = known.get((person, kind))
            new = set(evidence) - set(case.evidence if case else ())
            if kind != "hold" and (case is None or (new and case.state == CLOSED)):
                opened.append(self.open_case(person, kind, by=by, evidence=evidence, at=at))
        return opened

    def assign(
        self, case: str, to: str, *, by: str, at: datetime | None = None, version: int | None = None
    ) -> Case:
        """Give a case to an operator; raises InputError when it is closed."""
        allowed = (OPEN, ASSIGNED, DECIDED, APPEALED)
        return self._step(case, ASSIGNED, by, at, {"to": to}, allowed=allowed, version=version)

    def decide(
        self,
        case: str,
        decision: str,
        *,
        reason: str,
        by: str,
        explanation: str = "",
        at: datetime | None = None,
        version: int | None = None,
    ) -> Case:
        """Decide, and act on it.

        reason: a kind of the review policy, which need not be the one the case was opened with. explanation:
        why, in words of the operator. version: of the case that they saw. `restore` may also be decided of a
        closed case that still holds; `dismiss` of no case that holds: its hold is ended first.

        Raises InputError for an unknown decision or reason, for a case about nobody any more, and for one
        that waits for an answer to an appeal; CaseChangedError when another step came between;
        SafetyUnavailable when the store cannot act. Nothing is noted then.
        """
        if decision not in DECISIONS:
            raise InputError(
                explained("unknown decision", got=decision, remedy=did_you_mean(decision, DECISIONS))
            )
        if reason not in self._policy.kinds:
            remedy = did_you_mean(reason, self._policy.kinds)
            raise InputError(explained("no reason of the review policy", got=reason, remedy=remedy))
        detail = {"decision": decision, "reason": reason}
        ends_a_hold = decision == "restore" and self.of(case).held
        allowed = (OPEN, ASSIGNED, DECIDED, *([CLOSED] if ends_a_hold else ()))
        return self._step(
            case, DECIDED, by, at, detail, explanation=explanation, allowed=allowed, version=version
        )

    def appeal(
        self,
        case: str,
        *,
        by: str,
        explanation: str = "",
        at: datetime | None = None,
        version: int | None = None,
    ) -> Case:
        """Note that the person asks for a decision to be looked at again; explanation: what they say."""
        allowed = (DECIDED, CLOSED)
        return self._step(
            case, APPEALED, by, at, {}, explanation=explanation, allowed=allowed, version=version
        )

    def answer(
        self,
        case: str,
        answer: str,
        *,
        by: str,
        explanation: str = "",
        at: datetime | None = None,
        version: int | None = None,
    ) -> Case:
        """Answer an appeal: `upheld`, or `granted`, which restores.

        Raises InputError when anybody who decided in the case answers, however long ago: another person looks
        again.
        """
        if answer not in ANSWERS:
            raise InputError(explained("unknown answer", got=answer, remedy=did_you_mean(answer, ANSWERS)))
        detail, allowed = {"answer": answer}, (APPEALED,)
        return self._step(
            case, ANSWERED, by, at, detail, explanation=explanation, allowed=allowed, version=version
        )

    def close(self, case: str, *, by: str, at: datetime | None = None, version: int | None = None) -> Case:
        """Close a case that is decided; what it holds stays held."""
        return self._step(case, CLOSED, by, at, {}, allowed=(DECIDED,), version=version)

    def erase(self, user_id: str, *, by: str = "erasure", at: datetime | None = None) -> int:
        """Forget a person, and return how many cases were about them; the steps stay, without the person.

        Each of these cases says so and is closed: there is nobody left to decide about. In what was written
        in other cases "(erased)" stands in the place of the id, and those say that as well.
        """
        with self._locked():
            gone = self._people.forget(user_id)
            for name in gone:
                self._append(name, ERASED, by, at, {})
            for name, digests in self._people.redact(user_id).items():
                self._append(name, REDACTION, by, at, digests)
        return len(gone)

    def _step(
        self,
        name: str,
        step: str,
        by: str,
        at: datetime | None,
        detail: Mapping[str, Any],
        *,
        allowed: tuple[str, ...],
        explanation: str = "",
        version: int | None = None,
    ) -> Case:
        _require_somebody(by)
        with self._locked():
            case = self.of(name)
            if version is not None and version != case.version:
                remedy = "look at the case as it is now"
                raise CaseChangedError(
                    explained("the case has changed since it was opened", where=name, remedy=remedy)
                )
            self._require_possible(case, step, by, detail, allowed)
            if step in (DECIDED, ANSWERED):
                self._act(case, detail)
            if explanation:
                detail = {**detail, "explanation": self._people.keep(name, explanation)}
            self._append(name, step, by, at, detail)
        return self.of(name)

    def _require_possible(
        self, case: Case, step: str, by: str, detail: Mapping[str, Any], allowed: tuple[str, ...]
    ) -> None:
        if ERASED in (one.step for one in self.steps() if one.case == case.case):
            raise InputError(explained("this case is about nobody any more", where=case.case))
        if case.state not in allowed:
            remedy = f"its state is {case.state}; this needs {', '.join(allowed)}"
            raise InputError(explained("this step cannot be taken now", where=case.case, remedy=remedy))
        if step == ANSWERED and case.was_decided_by(by):
            what = "an appeal is answered by another person than who decided"
            raise InputError(explained(what, where=case.case))
        if detail.get("decision") == "dismiss" and case.held:
            remedy = "end its hold first (restore), which ends the matter as well"
            raise InputError(explained("a case that holds is not dismissed", where=case.case, remedy=remedy))

    def _act(self, case: Case, detail: Mapping[str, Any]) -> None:
        """Hold or lift by the case, before anything is noted; acting twice changes nothing."""
        decision = "restore" if detail.get("answer") == "granted" else detail.get("decision")
        if decision not in (*HOLDING, "restore"):
            return
        if not case.person:
            raise InputError(explained("this case is about nobody any more", where=case.case))
        if decision == "restore":
            self._safety.lift(case.person, owner=case.case)
            return
        owner, reason = hold_words(case.case, f"{decision}:{detail['reason']}")
        self._safety.hold(case.person, owner=owner, reason=reason)

    def _append(self, case: str, step: str, by: str, at: datetime | None, detail: Mapping[str, Any]) -> None:
        steps = self.steps()
        before = steps[-1].hash if steps else _FIRST
        moment = datetime.now(UTC) if at is None else at.astimezone(UTC)
        line = CaseStep(case, step, by, moment.isoformat(), before, dict(detail)).line
        remove_unfinished_line(self.folder / LOG)  # no step of it was ever told to anybody
        add_json_line(self.folder / LOG, line)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _as_logged(texts: Mapping[str, str], redacted: Mapping[str, str]) -> dict[str, str]:
    """Return texts by the digest they were logged with, also those in which an id was replaced since."""
    found = dict(texts)
    for old, new in reversed(list(redacted.items())):
        if new in found:
            found[old] = found[new]
    return found


def forget_in_cases(folder: Path, users: Iterable[str]) -> int:
    """Forget whom cases of a folder are about, and return how many; none where there is no folder."""
    if not folder.is_dir():
        return 0
    cases = CaseLog(folder, MemorySafety())
    return sum(cases.erase(user) for user in users)


def _require_somebody(by: str) -> None:
    if not by.strip():
        raise InputError(explained("a step is taken by somebody", where="by"))


def _broken(number: int) -> SafetyUnavailable:
    remedy = "bring the file back from a copy; every line names the hash of the one before it"
    return SafetyUnavailable(explained("the log of cases was changed", where=f"line {number}", remedy=remedy))
