"""Audit of a pair or a member: what an operator may see with a permission, and a member never may."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import structlog

from recsys.catalogue.text_folding import has_letters
from recsys.errors import InputError, NotPermittedError, explained
from recsys.models.directed import sigmoid
from recsys.ranking.hot_reload import SnapshotReloader
from recsys.ranking.questions import Questions
from recsys.ranking.snapshot import Snapshot
from recsys.safety.fingerprints import Fingerprints, Naming
from recsys.safety.keys import Keys
from recsys.safety.store import SafetyExclusions

_log = structlog.get_logger(__name__)

LONGEST_PERMISSION: Final = timedelta(hours=8)
LONGEST_PURPOSE: Final = 500


@dataclass(frozen=True, eq=False, slots=True)
class OperatorPermission:
    """Lets one operator look into pairs for a stated purpose until a time; made by an `OperatorGate`."""

    operator: str
    purpose: str
    until: datetime


class OperatorGate:
    """Gives permissions, and knows its own: a ranker opened with a gate takes that gate's alone.

    Keep it where members' requests cannot reach it.

    >>> gate = OperatorGate()
    >>> permission = gate.permit("op-7", purpose="appeal 31", minutes=10)
    >>> gate.check(permission, datetime.now(UTC))
    """

    def __init__(self) -> None:
        self._given: list[OperatorPermission] = []

    def permit(self, operator: str, *, purpose: str, minutes: float = 15.0) -> OperatorPermission:
        """Return a permission that ends by itself.

        Raises InputError without an operator or a purpose of at most 500 letters, or for a time beyond
        eight hours.
        """
        if not has_letters(operator) or not has_letters(purpose):
            raise InputError(explained("a permission names an operator and a purpose"))
        if len(purpose) > LONGEST_PURPOSE:
            remedy = f"at most {LONGEST_PURPOSE} letters"
            raise InputError(explained("a purpose is too long", where="purpose", remedy=remedy))
        if not 0 < minutes <= LONGEST_PERMISSION / timedelta(minutes=1):
            raise InputError(
                explained("a permission lasts at most eight hours", where="minutes", got=minutes)
            )
        now = datetime.now(UTC)
        permission = OperatorPermission(operator, purpose, now + timedelta(minutes=minutes))
        self._given = [one for one in self._given if one.until > now] + [permission]
        return permission

    def check(self, permission: object, now: datetime) -> None:
        """Raise NotPermittedError unless this gate gave `permission` and it has not ended."""
        mine = isinstance(permission, OperatorPermission) and any(permission is one for one in self._given)
        if not mine or not isinstance(permission, OperatorPermission) or permission.until <= now:
            raise NotPermittedError(
                explained("not permitted", remedy="ask the operators' gate for permission")
            )


class OperatorAudits:
    """Answers operators about what is served now, with permissions of one gate; each use is logged.

    gate: None permits nobody. keys: name people in the log.
    """

    def __init__(
        self, reloader: SnapshotReloader, questions: Questions, gate: OperatorGate | None, keys: Keys
    ) -> None:
        self._reloader, self._questions, self._gate, self._keys = reloader, questions, gate, keys

    def pair(self, viewer_id: str, candidate_id: str, permission: OperatorPermission) -> "PairAudit":
        """Return everything known of a pair.

        Raises NotPermittedError without a permission of the gate, SafetyUnavailable when the store cannot
        answer.
        """
        snapshot = self._permitted("an operator looks into a pair", permission, viewer_id, candidate_id)
        exclusions = self._questions.about(snapshot, viewer_id).ask(viewer_id, [candidate_id])
        return audit_pair(snapshot, viewer_id, candidate_id, exclusions)

    def member(self, user_id: str, permission: OperatorPermission) -> "MemberAudit":
        """Return how a member stands; raises the same."""
        snapshot = self._permitted("an operator looks into a member", permission, user_id)
        return audit_member(snapshot, user_id, self._questions.about(snapshot, user_id).ask(user_id, []))

    def _permitted(self, event: str, permission: OperatorPermission, *people: str) -> Snapshot:
        """Check a permission, log one use of it, and return what is served."""
        if self._gate is None:
            raise NotPermittedError(explained("not permitted", remedy="open the ranker with operators=gate"))
        self._gate.check(permission, datetime.now(UTC))
        for user_id in people:
            if not isinstance(user_id, str):
                raise InputError(explained("a person is named by an id", got=type(user_id).__name__))
        prints = Fingerprints(Naming(self._keys.newest_id), self._keys)
        named = [prints.text(user_id) for user_id in people]
        _log.info(event, operator=permission.operator, purpose=permission.purpose, people=named)
        return self._reloader.current().snapshot


@dataclass(frozen=True, slots=True)
class PairAudit:
    """Why one person is, or is not, on another's page; for operators.

    known, listed:   whether the publication holds both, and lists both.
    allowed:         whether its rules let the viewer see the candidate; `recsys why-not` names the rules.
    viewer_excluded, excluded: whether safety takes the viewer, or the candidate for this viewer, out now.
    stage:           how far the pair had come that night. rank: the place on the list of the night, from 1.
    p_like, p_liked_back: the model's probabilities in [0, 1]. None of what is not known.
    """

    run_id: str
    known: bool
    listed: bool
    allowed: bool
    viewer_excluded: bool
    excluded: bool
    stage: str | None
    rank: int | None
    p_like: float | None
    p_liked_back: float | None
    reasons: tuple[str, ...]


def audit_pair(
    snapshot: Snapshot, viewer_id: str, candidate_id: str, exclusions: SafetyExclusions
) -> PairAudit:
    """Return everything a snapshot and the safety store know of a pair, whatever the rules say of it."""
    viewer, candidate = snapshot.ids.find([viewer_id, candidate_id])
    known, live = min(viewer, candidate) >= 0, snapshot.live
    listed = known and live.is_listed(viewer) and live.is_listed(candidate)
    stage = snapshot.stages.of(viewer, [candidate])[0] if listed else None
    at = np.flatnonzero(snapshot.list_of_night(viewer).rows == candidate) if known else np.zeros(0, int)
    like, back = _probabilities(snapshot, viewer, candidate) if listed else (None, None)
    return PairAudit(
        run_id=snapshot.run_id,
        known=known,
        listed=listed,
        allowed=bool(listed and snapshot.may_show(viewer, [candidate])[0]),
        viewer_excluded=exclusions.viewer_excluded,
        excluded=candidate_id in exclusions.excluded,
        stage=stage,
        rank=int(at[0]) + 1 if len(at) else None,
        p_like=like,
        p_liked_back=back,
        reasons=() if stage is None else tuple(snapshot.reason_codes(viewer, [candidate], [stage])[0]),
    )


@dataclass(frozen=True, slots=True)
class MemberAudit:
    """How one member stands in the publication; for operators.

    known, listed: whether the publication holds them, and lists them. viewer_excluded: whether safety takes
    them out now, so that nobody sees them and they see nobody. stages: with whom they have come
    beyond `listed`, ids ascending by the stage's name, in the order of the stages.
    """

    run_id: str
    known: bool
    listed: bool
    viewer_excluded: bool
    stages: Mapping[str, tuple[str, ...]]


def audit_member(snapshot: Snapshot, user_id: str, exclusions: SafetyExclusions) -> MemberAudit:
    """Return how one member stands, and how far each of their pairs has come."""
    (row,) = snapshot.ids.find([user_id])
    found: dict[str, list[str]] = {}
    if row >= 0:
        others, codes = snapshot.stages.beyond_listed(row)
        for other, code in zip(snapshot.ids.at(others.tolist()), codes.tolist(), strict=True):
            found.setdefault(snapshot.stages.names[code], []).append(other)
    return MemberAudit(
        run_id=snapshot.run_id,
        known=row >= 0,
        listed=snapshot.live.is_listed(row),
        viewer_excluded=exclusions.viewer_excluded,
        stages={name: tuple(sorted(found[name])) for name in snapshot.stages.names if name in found},
    )


def _probabilities(snapshot: Snapshot, viewer: int, candidate: int) -> tuple[float, float]:
    people = snapshot.live.layout.people
    i, j = snapshot.live.layout.position[[viewer, candidate]]
    near = float(people.near[people.place[i], people.place[j]])
    logits = [
        float(people.taste[a].astype(np.float64) @ people.appeal[b].astype(np.float64)) + near
        for a, b in ((i, j), (j, i))
    ]
    like, back = sigmoid(np.array(logits)).tolist()
    return like, back
