"""How a case stands: its states, what may be decided, and what each step of its log makes of it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from recsys.catalogue.text_folding import fold
from recsys.moderation.review_policy import DAYS_TO_ANSWER, DAYS_TO_DECIDE

OPEN, ASSIGNED, DECIDED, APPEALED, CLOSED = "open", "assigned", "decided", "appealed", "closed"
ANSWERED: Final = "answered"
STATES: Final = (OPEN, ASSIGNED, DECIDED, APPEALED, CLOSED)
DECISIONS: Final = ("dismiss", "warn", "hold", "ban", "restore")
"""What may be decided. `hold` and `ban` take the person out of everybody's sight, `restore` ends what this
case holds, the others act on nobody."""
HOLDING: Final = ("hold", "ban")
ANSWERS: Final = ("upheld", "granted")
"""How an appeal may be answered; `granted` restores."""
ERASED: Final = "erased"
"""The step of a case whose person was erased."""
REDACTION: Final = "redacted"
"""The step of a case in whose texts the id of an erased person was replaced: new digests by the old ones."""


@dataclass(frozen=True)
class Case:
    """One case as it stands.

    person: who it is about, "" once erased. kind, gravity: of the review policy `policy`. assigned: who
    works on it. decision, reason: the last one. held: whether this case holds the person. due: when the
    next step is due, None when nothing is. evidence: event ids. note: words of the operator who opened it.
    explanations: what operators wrote with their steps, by the digest that stands in the step. version: how
    many steps were taken. deciders: everybody who decided anything in it.

    >>> from datetime import UTC, datetime
    >>> case = Case("case-1", "report.money", 3, "v", OPEN, "2026-01-05", "2026-01-08T00:00:00+00:00")
    >>> case.is_late(datetime(2026, 1, 9, tzinfo=UTC))
    True
    """

    case: str
    kind: str
    gravity: int
    policy: str
    state: str
    opened: str
    due: str | None
    person: str = ""
    assigned: str = ""
    decision: str = ""
    reason: str = ""
    held: bool = False
    evidence: tuple[str, ...] = ()
    note: str = ""
    explanations: Mapping[str, str] = field(default_factory=dict)
    version: int = 1
    deciders: tuple[str, ...] = ()

    def was_decided_by(self, operator: str) -> bool:
        """Say whether somebody took any decision of it, however their name is spelled."""
        return fold(operator) in map(fold, self.deciders)

    def is_late(self, now: datetime) -> bool:
        """Say whether the next step is overdue."""
        return self.due is not None and datetime.fromisoformat(self.due) < now


@dataclass(frozen=True)
class CaseStep:
    """One line of the log: what was done, by whom, when; `before` is the hash of the line before it.

    >>> len(CaseStep("case-1", "close", "op-1", "2026-01-05", "0" * 64, {}).hash)
    64
    """

    case: str
    step: str
    by: str
    at: str
    before: str
    detail: Mapping[str, Any]

    @property
    def line(self) -> str:
        """The line without its end."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @property
    def hash(self) -> str:
        """What the next line names."""
        return hashlib.sha256(self.line.encode()).hexdigest()


def after_step(case: Case | None, step: CaseStep) -> Case:
    """Return a case after one step; None is one that is not there yet.

    >>> opened = {"kind": "report.money", "gravity": 3, "policy": "v"}
    >>> case = after_step(None, CaseStep("case-1", OPEN, "aki", "2026-01-05T00:00:00+00:00", "", opened))
    >>> case.state, case.due
    ('open', '2026-01-08T00:00:00+00:00')
    """
    found = case if case is not None and step.step == REDACTION else _state_after(case, step)
    version = 1 if case is None else case.version + 1
    deciders = found.deciders + ((step.by,) if step.step == DECIDED else ())
    return replace(found, version=version, deciders=deciders)


def _state_after(case: Case | None, step: CaseStep) -> Case:
    detail, at = step.detail, datetime.fromisoformat(step.at)
    if case is None:
        due = at + timedelta(days=DAYS_TO_DECIDE[int(detail["gravity"])])
        return Case(
            step.case, detail["kind"], detail["gravity"], detail["policy"], OPEN, step.at, due.isoformat()
        )
    if step.step == ASSIGNED:
        state = ASSIGNED if case.state == OPEN else case.state
        return replace(case, state=state, assigned=detail["to"])
    if step.step == DECIDED:
        held = detail["decision"] in HOLDING or (case.held and detail["decision"] != "restore")
        decided = replace(case, decision=detail["decision"], reason=detail["reason"], held=held)
        return replace(decided, state=DECIDED, due=None)
    if step.step == APPEALED:
        return replace(case, state=APPEALED, due=(at + timedelta(days=DAYS_TO_ANSWER)).isoformat())
    if step.step == ANSWERED:
        granted = detail["answer"] == "granted"
        held, decision = case.held and not granted, "restore" if granted else case.decision
        return replace(case, state=DECIDED, held=held, decision=decision, due=None)
    return replace(case, state=CLOSED, due=None, held=case.held and step.step != ERASED)
