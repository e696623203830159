"""Searching by a profile of today: for people the night does not know, and members whose tables changed."""

import threading
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from recsys.catalogue.columns import Columns as C
from recsys.constraints.policy import Policy
from recsys.data.events import Events
from recsys.data.fail_closed import STOPPED
from recsys.data.population import Population
from recsys.data.proofs import standing_proof, tier_of
from recsys.errors import InputError, PublicationError
from recsys.ranking.cold_start import DoneWith, Newcomer, NewcomerFiles, one_person, separated_in
from recsys.ranking.newcomer_limits import (
    NewcomerLimits,
    limit_keys,
    profile_digest,
    without_own_tokens,
)
from recsys.ranking.profile_tables import Profile, plain_rows
from recsys.ranking.questions import CallQuestions
from recsys.ranking.serve_time_filter import (
    Narrowing,
    Selection,
    select_from,
)
from recsys.ranking.snapshot import Snapshot
from recsys.safety.by_person import AWAY_TODAY, OUT_TODAY, SafetyByPerson
from recsys.safety.canonical import CLOCKS_APART, not_canonical
from recsys.safety.day_log import DayEvent
from recsys.safety.ledger_state import LedgerTag, Who
from recsys.safety.person_index import Accounts
from recsys.safety.shown_log import ShownLog
from recsys.safety.store import ask_safety, ask_safety_or_input
from recsys.storage.publication import RUNS

_KEPT: Final = 64
"""Newcomers who are kept folded in, the latest ones: most ask for several pages."""


class NewcomerSearch:
    """Folds profiles of today into what is published and searches for them, within the limits of a day.

    published: where runs are. policy: the rules, where the publication's cannot be made from settings.
    safety: is told whose a profile is.
    counts: where profiles and people of a day are counted.
    """

    def __init__(
        self,
        published: Path,
        policy: Policy | None,
        limits: NewcomerLimits,
        safety: SafetyByPerson,
        counts: ShownLog,
    ) -> None:
        self._published, self._policy, self._limits, self._counts = published, policy, limits, counts
        self._safety = safety
        self._files: tuple[str, NewcomerFiles | None] = ("", None)
        self._kept: dict[tuple[str, str, str, bool], tuple[Newcomer, datetime | None]] = {}
        self._lock = threading.Lock()

    def fold_in(
        self,
        snapshot: Snapshot,
        viewer_id: str,
        profile: Profile,
        events: Events | None,
        asked: CallQuestions,
        *,
        day: date,
        proved_tokens: bool,
        of_log: bool = False,
    ) -> Newcomer | None:
        """Return the viewer folded in from a profile; None for one that has to wait for the night.

        of_log: whether the profile stands in the day log, where it was noted as of its own time.

        Raises InputError for the id of somebody known in another spelling.
        """
        if asked.accounts.is_other_spelling(viewer_id):
            raise not_canonical()
        digest = profile_digest(profile if isinstance(profile, Population) else profile.columns)
        try:
            found = self._folded(snapshot, viewer_id, profile, events, (digest, proved_tokens))
        except PublicationError:  # one that folds nobody in: what the profile restricts counts all the same
            if not of_log:
                self._note(viewer_id, _person(snapshot, viewer_id, profile, proved_tokens), profile)
            raise
        if not of_log:
            self._note(viewer_id, found.person, profile)
        if events is not None and len(events):
            self._note_apart(viewer_id, DoneWith.of(found.person, events).for_good)
        row = snapshot.ids.find([viewer_id])[0]
        person = self._safety.person_of(viewer_id)
        for one in snapshot.ids.find(person):  # single pairs are those of the person
            if one >= 0:
                found.excluded[snapshot.live.kept_apart(one)] = True
                found.excluded[snapshot.data.separated.row(one)] = True
                found.excluded[one] = True
        if row >= 0 and not _is_proved(snapshot, row, asked.changes.proofs.get(viewer_id, ()), events):
            return None
        keys = self.keys_of("newcomer", asked.accounts, viewer_id)
        if not ask_safety(lambda: self._limits.admit(self._counts, keys, day, digest, known=row >= 0)):
            return None
        return found

    def _note(self, viewer_id: str, person: Population, profile: Profile) -> None:
        """Note whose a profile is, and what it says of its own state and of others."""
        token, stop = person.person_tokens[0], _stop_said(person)
        ask_safety(partial(self._safety.note_profile, viewer_id, token, stop))
        if not isinstance(profile, Population):
            ask_safety(partial(self._safety.note_own_rows, viewer_id, plain_rows(profile)))

    def _note_apart(self, viewer_id: str, others: frozenset[str]) -> None:
        """Note from whom the events of a call keep its member apart for good, as the day does."""
        state = ask_safety(self._safety.ledger.now)
        known = state.separated_from(state.fingerprints(Who(viewer_id)))
        for other in sorted(one for one in others if known.isdisjoint(state.fingerprints(Who(one)))):
            with suppress(InputError):  # an id that is nobody's here
                ask_safety_or_input(partial(self._safety.separate, [(viewer_id, other)]))

    def keys_of(self, kind: str, accounts: Accounts, viewer_id: str) -> list[str]:
        """Return under which keys the limits of somebody's person are counted; see `limit_keys`."""
        return limit_keys(kind, accounts, viewer_id, ask_safety(self._safety.ledger.now))

    def _folded(
        self,
        snapshot: Snapshot,
        viewer_id: str,
        profile: Profile,
        events: Events | None,
        key: tuple[str, bool],
    ) -> Newcomer:
        """Return the viewer folded in; the same profile is not read again before a row of it is due."""
        name, now = (snapshot.run_id, viewer_id, *key), datetime.now(UTC)
        with self._lock:
            known, until = self._kept.pop(name, (None, None)) if events is None else (None, None)
        if known is None or (until is not None and now >= until):
            until = None if isinstance(profile, Population) else profile.due_after(now)
            person = _person(snapshot, viewer_id, profile, key[1])
            apart = separated_in(viewer_id, profile)
            known = Newcomer.of(snapshot, self.files_of(snapshot), person, events, apart)
            row = snapshot.ids.find([viewer_id])[0]
            if row >= 0:  # what the night knows of single pairs holds on
                known.excluded[snapshot.liked(row)] = True
        if events is None:
            with self._lock:
                self._kept[name] = known, until
                while len(self._kept) > _KEPT:
                    self._kept.pop(next(iter(self._kept)))
        return known

    def select(  # noqa: PLR0917
        self,
        snapshot: Snapshot,
        asked: CallQuestions,
        newcomer: Newcomer,
        k: int,
        narrowing: Narrowing,
        day: date,
    ) -> Selection:
        """Return whom a newcomer may be shown within the limits of their day.

        Who is asked for by name counts as shown: not to be on the page is an answer as well.
        """
        viewer_id, best = str(newcomer.person.ids.ids([0])[0]), newcomer.best(snapshot)
        keys = self.keys_of("newcomer", asked.accounts, viewer_id)
        limits = self._limits.among(len(snapshot.live.layout.order))
        if narrowing.named:
            named = Selection(list(narrowing.named), [1.0] * len(narrowing.named), live=True)
            best = best[np.isin(best, _within_day(self._counts, limits, snapshot, keys, day, named).rows)]
        found = select_from(snapshot, asked.ask, viewer_id, self.length(k), narrowing, best)
        return _within_day(self._counts, limits, snapshot, keys, day, found)

    def admit_filter(self, keys: Sequence[str], day: date, where: str) -> None:
        """Note that somebody narrows a page today.

        Raises InputError when they used too many other filters.
        """
        ask_safety_or_input(lambda: self._limits.admit_filter(self._counts, keys, day, where))

    def open_all_day(
        self, snapshot: Snapshot, viewer_id: str, accounts: Accounts, day: date, now: list[str]
    ) -> list[str]:
        """Return those of the circles that are open now which were so whenever they were asked for today.

        now: of those recommended to somebody. One that closed with a block and opened again without it would
        tell who is in it.
        """
        (row,) = snapshot.ids.find([viewer_id])
        closed = {*snapshot.data.circles.named_for(row)}.difference(now)

        def noted(key: str) -> frozenset[str]:
            known = self._counts.shown(key, day)
            if not closed <= known:
                self._counts.remember(key, day, sorted(closed))
            return known

        keys = self.keys_of("circles", accounts, viewer_id)
        before = ask_safety(lambda: frozenset[str]().union(*map(noted, keys)))
        return [one for one in now if one not in before]

    def length(self, k: int) -> int:
        """Return how many people a page of limited length shows."""
        return min(k, self._limits.page)

    def within_day(self, snapshot: Snapshot, keys: Sequence[str], day: date, found: Selection) -> Selection:
        """Return those of a selection who may be given to one person today."""
        return _within_day(self._counts, self._limits, snapshot, keys, day, found)

    def with_numbers(
        self, snapshot: Snapshot, tokens: Collection[tuple[str, str]]
    ) -> tuple[list[str], list[str]]:
        """Return who of a publication has one of some numbers or mailboxes, and who excludes one.

        Nobody, where it folds nobody in: then nobody is shown by tables of today either.
        """
        if not tokens:
            return [], []
        try:
            vocabulary = self.files_of(snapshot).vocabulary
        except PublicationError:
            return [], []
        owners, excluding = (rows.tolist() for rows in vocabulary.rows_with_tokens(tokens))
        return snapshot.ids.at(owners), snapshot.ids.at(excluding)

    def files_of(self, snapshot: Snapshot) -> NewcomerFiles:
        """Return what folding in needs of a publication, opened once.

        Raises PublicationError when it folds nobody in.
        """
        run_id, files = self._files
        if files is None or run_id != snapshot.run_id:
            run = self._published / RUNS / snapshot.run_id
            files = NewcomerFiles.open(run, snapshot.manifest, self._policy)
            self._files = (snapshot.run_id, files)
        return files


def _person(snapshot: Snapshot, viewer_id: str, profile: Profile, proved_tokens: bool) -> Population:
    """Return a profile as a population of one, without tokens of their own that nobody proved."""
    person = one_person(viewer_id, profile, snapshot.catalogue)
    return person if proved_tokens else without_own_tokens(person)


def _stop_said(person: Population) -> LedgerTag | None:
    """Return why somebody is out by their own profile, None for whoever is not."""
    if any(person.is_word(C.ACCOUNT_STATE, word)[0] for word in STOPPED):
        return OUT_TODAY
    state = person.known(C.ACCOUNT_STATE)[0] and not person.is_word(C.ACCOUNT_STATE, "active")[0]
    return AWAY_TODAY if state else None


def reason_codes(snapshot: Snapshot, newcomer: Newcomer, rows: list[int]) -> list[list[str]]:
    """Return why each of `rows` is shown to a newcomer."""
    return newcomer.reason_codes(snapshot, np.array(rows, np.int32))


def _within_day(  # noqa: PLR0917
    counts: ShownLog,
    limits: NewcomerLimits,
    snapshot: Snapshot,
    keys: Sequence[str],
    day: date,
    found: Selection,
) -> Selection:
    ids = snapshot.ids.at(found.rows)
    kept = set(ask_safety(lambda: limits.within_day(counts, keys, day, ids)))
    pairs = [
        (row, chance)
        for row, chance, one in zip(found.rows, found.propensity, ids, strict=True)
        if one in kept
    ]
    return Selection([row for row, _ in pairs], [chance for _, chance in pairs], found.live)


def _is_proved(snapshot: Snapshot, row: int, proofs: Sequence[DayEvent], events: Events | None) -> bool:
    """Say whether proofs of somebody at a row of the night count, whatever their tables say.

    One that an event of the night took back is given again by a later one of the tier that is asked, of the
    day (proofs) or of the events of a call.
    """
    asked = tier_of(snapshot.data.verification)
    if snapshot.proved_up_to(row) >= asked:
        return True
    said = [(one.at, one.detail) for one in proofs]
    if events is not None:
        own = events.frame[C.ACTOR] == snapshot.ids.at([row])[0]
        rows = events.frame[own & (events.frame[C.TYPE] == "verified")]
        said += zip(rows[C.TS].dt.to_pydatetime(), rows[C.DETAIL].astype(object), strict=True)
    latest = datetime.now(UTC) + CLOCKS_APART
    later = [(at, tier) for at, tier in said if snapshot.data_as_of < at <= latest]
    return bool(standing_proof(later).tier[0] >= asked)
