"""Members of the day: people whose own tables came or changed since the night, in other members' pages.

Each is folded in once a worker, and held against every listed person by the rules of the night, for both
sides at once. Until that is done, and wherever it cannot be done, others do not see them.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import reduce
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Self

import numpy as np

from recsys.data.proofs import AGE, standing_proof, tier_of
from recsys.errors import RecsysError, SafetyUnavailable
from recsys.messaging.reasons import Reasons
from recsys.models.directed import sigmoid
from recsys.models.reciprocal import combine
from recsys.ranking.cold_start import Newcomer, NewcomerFiles, one_person, separated_in
from recsys.ranking.hot_reload import SnapshotReloader
from recsys.ranking.profile_tables import tables_of_json
from recsys.ranking.snapshot import Snapshot
from recsys.ranking.snapshot_rows import LISTED, shows_nothing
from recsys.safety.day_log import TABLES_CHANGED, DayEvent, EventKey
from recsys.safety.day_tables import is_stopped_by, standing_tables
from recsys.types import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array, UInt8Array

PersonOf = Callable[[str], tuple[str, ...]]
"""Every account of somebody's person, their own first."""
_FOLDED_A_CALL: Final = 1
"""Members whom one call folds in, so that many changes at once hold up nobody for long."""
LARGEST_SHARE: Final = 5
"""One of so many places of a page is given to members of the day, who have no list of a night yet."""


class DayChanges(NamedTuple):
    """What members changed since the night: of tables and accepted terms the latest event, and all proofs.

    stopped: whose tables of today say that they are out for good, or in a word that is not known. late: older
    tables of a member that arrived after the latest: they restrict as well, see `standing_tables`.
    """

    tables: Mapping[str, DayEvent]
    accepted: Mapping[str, DayEvent]
    proofs: Mapping[str, tuple[DayEvent, ...]]
    stopped: frozenset[str] = frozenset()
    late: Mapping[str, tuple[DayEvent, ...]] = MappingProxyType({})

    def after(self, events: Sequence[DayEvent]) -> "DayChanges":
        """Return the changes after more events, in the order in which they arrived.

        Of tables the latest are a member's word, of those of one time the last that arrived.
        """
        proofs = dict(self.proofs)
        made = DayChanges(dict(self.tables), dict(self.accepted), proofs)
        kinds: dict[str, Any] = {"terms_accepted": made.accepted}
        changed: dict[str, list[DayEvent]] = {}
        for event in events:
            if event.type == TABLES_CHANGED:
                changed.setdefault(event.actor, []).append(event)
                continue
            if event.type == "verified":
                proofs[event.actor] = (*proofs.get(event.actor, ()), event)
            latest = kinds.get(event.type)
            if latest is None:
                continue
            before = latest.get(event.actor)
            if before is None or before.at <= event.at:
                latest[event.actor] = event
        standing = {one: standing_tables(given, self.standing(one)) for one, given in changed.items()}
        late = {one: older for one, older in self.late.items() if one not in changed}
        out = {one for one, counted in standing.items() if any(map(is_stopped_by, counted))}
        return made._replace(
            tables={**self.tables, **{one: counted[0] for one, counted in standing.items()}},
            stopped=(self.stopped - changed.keys()) | out,
            late=late | {one: counted[1:] for one, counted in standing.items() if len(counted) > 1},
        )

    def standing(self, user_id: str) -> tuple[DayEvent, ...]:
        """Return the tables of somebody that count, their word first."""
        word = self.tables.get(user_id)
        return () if word is None else (word, *self.late.get(user_id, ()))

    def is_restricted_further(self, snapshot: Snapshot, user_id: str) -> bool:
        """Say whether more than the latest tables of somebody restricts them: late ones, or the night."""
        own = self.standing(user_id)
        return len(own) > 1 or any(older_than_night(snapshot, one) for one in own)

    def may_be_listed(self, user_id: str, asked: str, known: bool | None) -> bool:
        """Say whether somebody may be listed by the proofs and the terms of today.

        Of proofs the latest counts; one that was taken back is given again by a later one of the tier `asked`
        alone. Somebody listed by the night stays so.

        known: whether the night lists somebody, None for who is not in it. Whoever is, and is not listed,
        needs a proof of the tier `asked`: theirs may have been taken back before.
        """
        proofs = standing_proof((one.at, one.detail) for one in self.proofs.get(user_id, ()))
        if proofs.enough_for()[0] < tier_of(asked):
            return False
        if known:
            return True
        return user_id in self.accepted and bool(proofs.tier[0] >= (AGE if known is None else tier_of(asked)))


NO_CHANGES: Final = DayChanges({}, {}, {})


@dataclass(frozen=True, eq=False)
class DayMember:
    """One member by tables of today.

    row: in the publication, -1 for somebody new. open_to: bits of the rows that the rules let meet them.
    matches: rows of those matched with them whom the rules let see them still, ascending.
    near: `(n_places,)` logits of nearness. suggestible: as in `Compiled`, of liked-only people alone. late:
    reasons by each of the older tables that restrict as well. is_older: whether the tables are older than
    what the night knows of the member.
    """

    user_id: str
    row: int
    newcomer: Newcomer
    reasons: Reasons
    open_to: UInt8Array
    matches: Int32Array
    liked_only: bool
    suggestible: bool
    late: tuple[Reasons, ...] = ()
    is_older: bool = False

    @classmethod
    def of(
        cls, snapshot: Snapshot, files: NewcomerFiles, event: DayEvent, accounts: Sequence[str] = ()
    ) -> Self:
        """Fold a member in from tables of today.

        Tables older than the data of the night restrict what it knows of the member, and open nothing.

        accounts: others of the person, whose single pairs are this one's as well.

        Raises InputError when they cannot be used.
        """
        tables = tables_of_json(event.payload or "")
        person = one_person(event.actor, tables, snapshot.catalogue)
        newcomer = Newcomer.of(snapshot, files, person, None, separated_in(event.actor, tables))
        row = snapshot.ids.find([event.actor])[0]
        open_to = ~newcomer.excluded
        listed = snapshot.live.layout.order
        open_to[listed] &= newcomer.query.fits(snapshot.live.layout)
        matches = snapshot.stages.matches(row) if row >= 0 else np.zeros(0, np.int32)
        matches = matches[open_to[matches]]
        for one in (row, *snapshot.ids.find(accounts)):
            if one >= 0:
                apart = np.zeros(len(open_to), bool)
                apart[one] = apart[snapshot.live.kept_apart(one)] = True
                apart[snapshot.data.separated.row(one)] = apart[_closed(snapshot, one)] = True
                open_to &= ~apart
                if not snapshot.are_one_person(row, one):  # the night did not hold the match against it
                    matches = matches[~apart[matches]]
        rules = files.vocabulary.compile(files.policy, person)
        liked_only = bool(rules.liked_only[0])
        is_older = older_than_night(snapshot, event)
        if is_older:
            open_to[listed] &= snapshot.live.may_show(row, listed, likes_viewer=True)
            liked_only |= snapshot.live.is_liked_only(row)
        return cls(
            user_id=event.actor,
            row=row,
            newcomer=newcomer,
            reasons=newcomer.reasons,
            open_to=np.packbits(open_to),
            matches=matches,
            liked_only=liked_only,
            suggestible=newcomer.query.takes_suggestions,
            is_older=is_older,
        )

    def within(self, older: Sequence[Self]) -> Self:
        """Return this member as older tables, of which each is folded in, restrict them too."""
        if not older:
            return self
        every = (self, *older)
        return replace(
            self,
            open_to=np.bitwise_and.reduce([one.open_to for one in every]),
            matches=reduce(np.intersect1d, [one.matches for one in every]),
            liked_only=any(one.liked_only for one in every),
            suggestible=all(one.suggestible or not one.liked_only for one in every),
            late=tuple(one.reasons for one in older),
            is_older=any(one.is_older for one in every),
        )

    def stage(self, snapshot: Snapshot, viewer: int) -> str:
        """Return how far the viewer's row and this member have come: that of the night for a match."""
        matched = self.row >= 0 and snapshot.stages.are_matched(viewer, self.row)
        return snapshot.stages.of(viewer, [self.row])[0] if matched else LISTED

    def reason_codes(self, snapshot: Snapshot, viewer: int) -> list[str]:
        """Return why this member is shown to the viewer's row; circles and distance wait a night."""
        rows, stage = np.array([viewer], np.int32), self.stage(snapshot, viewer)
        first, *others = (
            snapshot.reasons.with_person(one, rows).codes([1], [0], [stage])[0]
            for one in (self.reasons, *self.late)
        )
        if self.is_older:
            others.append(snapshot.reasons.codes(np.array([self.row], np.int32), rows, [stage])[0])
        return [code for code in first if all(code in codes for codes in others)]


def older_than_night(snapshot: Snapshot, event: DayEvent) -> bool:
    """Say whether a night knows a member by data that are later than tables of today."""
    return event.at <= snapshot.day_since and snapshot.ids.find([event.actor])[0] >= 0


def can_be_used(reloader: SnapshotReloader, event: DayEvent) -> bool:
    """Say whether a member can be read from changed tables, with the catalogue of what is served."""
    try:
        one_person(event.actor, tables_of_json(event.payload or ""), reloader.now.snapshot.catalogue)
    except RecsysError:
        return False
    return True


def _closed(snapshot: Snapshot, row: int) -> Int64Array:
    stages = snapshot.stages
    part = slice(int(stages.indptr[row]), int(stages.indptr[row + 1]))
    shut = [shows_nothing(stages.names[code]) for code in stages.codes[part]]
    return stages.others[part][np.array(shut, bool)].astype(np.int64)


@dataclass(frozen=True, eq=False)
class DayCandidates:
    """Everybody of the day who is folded in, as arrays with one row a member.

    open_to: `(n_members, n_bytes)` bits of rows. taste, appeal: `(n_members, n_factors)`. near:
    `(n_members, n_places)`. row, liked_only, suggestible: `(n_members,)`.
    """

    members: tuple[DayMember, ...]
    open_to: UInt8Array
    taste: Float32Array
    appeal: Float32Array
    near: Float32Array
    row: Int64Array
    liked_only: BoolArray
    suggestible: BoolArray

    @classmethod
    def of(cls, members: Sequence[DayMember]) -> Self:
        """Stack members."""
        seen = [member.newcomer.query.viewer for member in members]
        return cls(
            members=tuple(members),
            open_to=np.stack([member.open_to for member in members]),
            taste=np.concatenate([one.taste for one in seen]),
            appeal=np.concatenate([one.appeal for one in seen]),
            near=np.concatenate([one.near for one in seen]),
            row=np.array([member.row for member in members], np.int64),
            liked_only=np.array([member.liked_only for member in members], bool),
            suggestible=np.array([member.suggestible for member in members], bool),
        )

    def may_meet(self, snapshot: Snapshot, viewer: int, *, likes_viewer: bool = False) -> BoolArray:
        """Say which members the rules let the viewer's row see, `(n_members,)`.

        likes_viewer: whether every member likes the viewer.
        """
        at = int(snapshot.live.layout.position[viewer]) if viewer >= 0 else -1
        if at < 0:
            return np.zeros(len(self.members), bool)
        rules = snapshot.live.layout.sparse
        suggested = self.suggestible & bool(rules.liked_only[at] and rules.suggestible[at])
        bits = (self.open_to[:, viewer >> 3] >> np.uint8(7 - (viewer & 7))) & np.uint8(1)
        return (bits > 0) & (~self.liked_only | suggested | likes_viewer)

    def matches(self, snapshot: Snapshot, viewer: int) -> BoolArray:
        """Say at which members the viewer's row may look because they are matched, `(n_members,)`."""
        if not snapshot.live.is_listed(viewer):
            return np.zeros(len(self.members), bool)

        def looks(member: DayMember) -> bool:
            of_night = member.row >= 0 and snapshot.stages.are_matched(viewer, member.row)
            shown = not member.liked_only or viewer in snapshot.liked(member.row)
            return of_night and shown and viewer in member.matches

        return np.array([looks(member) for member in self.members], bool)

    def may_look(
        self, snapshot: Snapshot, viewer: int, user_id: str, *, likes_viewer: bool = False
    ) -> BoolArray:
        """Say of the member of an id whether the viewer's row may look, as they may meet or are matched.

        `(n_members,)`, False for everybody else.
        """
        named = np.array([one.user_id == user_id for one in self.members], bool)
        shown = self.may_meet(snapshot, viewer, likes_viewer=likes_viewer)
        return named & (shown | self.matches(snapshot, viewer))

    def looks_at(self, user_id: str, row: int) -> bool:
        """Say whether one of the members may look at a row by tables of today, a match among them."""
        member = self.named(user_id)
        return member is not None and (bool(self.sees(user_id, [row])[0]) or row in member.matches)

    def sees(self, user_id: str, rows: Sequence[int]) -> BoolArray:
        """Say which rows one of the members may see by tables of today, `(n_rows,)`; none for others."""
        at, member = np.asarray(rows, np.int64), self.named(user_id)
        if member is None:
            return np.zeros(len(at), bool)
        bits = member.open_to[at >> 3] >> (7 - (at & 7)).astype(np.uint8)
        return (at >= 0) & ((bits & np.uint8(1)) > 0)

    def named(self, user_id: str) -> DayMember | None:
        """Return one of the members, None when it is none of them."""
        return next((member for member in self.members if member.user_id == user_id), None)

    def likes(self, snapshot: Snapshot, viewer: int) -> Float64Array:
        """Return the chance that the viewer's row likes each member who is looked at, `(n_members,)`."""
        people, at = snapshot.live.layout.people, snapshot.live.layout.position[viewer]
        near = self.near[:, people.place[at]].astype(np.float64)
        return sigmoid(self.appeal.astype(np.float64) @ people.taste[at].astype(np.float64) + near)

    def scores(self, snapshot: Snapshot, viewer: int) -> Float64Array:
        """Return the score of each member for the viewer's row, `(n_members,)`."""
        people, at = snapshot.live.layout.people, snapshot.live.layout.position[viewer]
        near = self.near[:, people.place[at]].astype(np.float64)
        back = sigmoid(self.taste.astype(np.float64) @ people.appeal[at].astype(np.float64) + near)
        return combine(self.likes(snapshot, viewer), back, snapshot.live.combiner)

    def not_liked(self, snapshot: Snapshot, viewer: int) -> BoolArray:
        """Say whom the viewer's row had not liked when the night began, `(n_members,)`."""
        return ~np.isin(self.row, snapshot.liked(viewer))


class _Folded(NamedTuple):
    """A member folded in, None by tables that cannot be used, until a row of theirs is due."""

    member: DayMember | None
    until: datetime


_EVER: Final = datetime.max.replace(tzinfo=UTC)


class DayMembers:
    """Folds members in as their tables come; any thread may call it.

    files_of: what folding in needs of a publication.
    """

    def __init__(self, files_of: Callable[[Snapshot], NewcomerFiles]) -> None:
        self._files_of = files_of
        self._lock = threading.Lock()
        self._run_id = ""
        self._folded: dict[tuple[EventKey, tuple[str, ...]], _Folded] = {}
        self._done: tuple[DayChanges, str, DayCandidates | None, datetime] = (NO_CHANGES, "", None, _EVER)

    def of(self, snapshot: Snapshot, changes: DayChanges, person_of: PersonOf) -> DayCandidates | None:
        """Return the members of the day who may be listed, None for nobody.

        Somebody listed by the night stays so; anybody else has accepted the terms and was verified since.
        Of several accounts of a person one takes part: one of the night's lists, else the first that came.
        """
        if not changes.tables:
            return None
        known, run_id, found, until = self._done
        if known is changes and run_id == snapshot.run_id and datetime.now(UTC) < until:
            return found
        if not self._lock.acquire(blocking=False):  # another thread folds in: nobody meanwhile
            return None
        try:
            return self._renewed(snapshot, changes, person_of)
        finally:
            self._lock.release()

    def _renewed(self, snapshot: Snapshot, changes: DayChanges, person_of: PersonOf) -> DayCandidates | None:
        listed = [event for event in changes.tables.values() if _is_listed(snapshot, event.actor, changes)]
        wanted = _one_of_each_person(snapshot, listed, changes, person_of)
        counted = [[(one, others) for one in changes.standing(event.actor)] for event, others in wanted]
        self._fold_in(snapshot, [one for of_member in counted for one in of_member])
        keys = [[(event.key, others) for event, others in of_member] for of_member in counted]
        each = [[self._folded[key] for key in of_member if key in self._folded] for of_member in keys]
        whole = [len(folded) == len(of_member) for folded, of_member in zip(each, keys, strict=True)]
        members = list[DayMember]()
        for folded, is_whole in zip(each, whole, strict=True):
            first, *older = (one.member for one in folded) if is_whole else (None,)
            if first is not None and None not in older:
                members.append(first.within([one for one in older if one is not None]))
        found = DayCandidates.of(members) if members else None
        if all(whole):
            until = min((one.until for folded in each for one in folded), default=_EVER)
            self._done = (changes, snapshot.run_id, found, until)
        return found

    def _fold_in(self, snapshot: Snapshot, wanted: Sequence[tuple[DayEvent, tuple[str, ...]]]) -> None:
        now = datetime.now(UTC)
        if snapshot.run_id != self._run_id:
            self._run_id, self._folded = snapshot.run_id, {}
        self._folded = {key: one for key, one in self._folded.items() if now < one.until}
        fresh = [one for one in wanted if (one[0].key, one[1]) not in self._folded]
        for event, others in fresh[:_FOLDED_A_CALL]:
            until = _EVER
            try:
                until = tables_of_json(event.payload or "").due_after(now) or _EVER
                member: DayMember | None = DayMember.of(snapshot, self._files_of(snapshot), event, others)
            except SafetyUnavailable:
                raise
            except RecsysError:  # tables that cannot be used, or a publication that folds nobody in
                member = None
            self._folded[event.key, others] = _Folded(member, until)


def _one_of_each_person(
    snapshot: Snapshot, events: Sequence[DayEvent], changes: DayChanges, person_of: PersonOf
) -> list[tuple[DayEvent, tuple[str, ...]]]:
    """Return the events of the accounts that take part, those listed by the night first.

    With each stand the other accounts of its person.
    """

    def by_night(user_id: str) -> bool:
        return snapshot.live.is_listed(snapshot.ids.find([user_id])[0])

    taking_part = dict[str, tuple[DayEvent, tuple[str, ...]]]()
    for event in sorted(events, key=lambda one: not by_night(one.actor)):
        others = person_of(event.actor)[1:]
        if not any(one in taking_part or (one not in changes.tables and by_night(one)) for one in others):
            taking_part[event.actor] = event, others
    return list(taking_part.values())


def _is_listed(snapshot: Snapshot, user_id: str, changes: DayChanges) -> bool:
    row = snapshot.ids.find([user_id])[0]
    known = bool(snapshot.live.is_listed(row)) if row >= 0 else None
    return changes.may_be_listed(user_id, snapshot.data.verification, known)
