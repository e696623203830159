"""Person tokens that changed since the publication that is served, and the links of accounts they make.

A token that is replaced names the same person still: who was banned under the old one is banned, and a new
account with the old one is theirs. Links are for good, so they wait until the night has passed its gates.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from recsys.constraints.policy import Policy
from recsys.data.id_spellings import SpellingIndex
from recsys.data.population import Population
from recsys.errors import InputError, PublicationError, SourceError, explained
from recsys.pipeline.parted_accounts import note_hidden_before, note_sharing
from recsys.pipeline.refused_night import (
    APART_FOR_NOW,
    NAMED_FOR_NOW,
    most_at_once,
    note_refused_night,
    note_refused_pairs,
    says_less,
)
from recsys.ranking.publication_filter import published_persons
from recsys.ranking.snapshot import Snapshot, SnapshotIds, packed_ids
from recsys.safety.erasure_list import ErasedPeople, ErasureList
from recsys.safety.fingerprints import ID, PERSON, without_ids
from recsys.safety.hold_words import hold_words
from recsys.safety.ledger import SafetyLedger
from recsys.safety.ledger_state import EXCLUDED_NUMBER, HIDDEN, HIDDEN_LEAVER, LedgerState, LedgerTag, Who
from recsys.safety.pending_ledger import PendingLedger
from recsys.safety.unlinking import unlink
from recsys.storage.publication import RUNS, current_run, mark_overtaken

_NOBODY: Final = ErasedPeople()


class ChangedToken(NamedTuple):
    """An account of what is served with another token tonight, None for none, or without a row tonight.

    old: the fingerprint of the token it had, 0 for none. is_known: whether its person had tonight's token in
    an earlier night, so that it links nobody anew.
    """

    user_id: str
    old: int
    token: str | None
    has_row: bool
    is_known: bool = False


@dataclass(frozen=True, eq=False)
class TokenChanges:
    """Who of what is served has another token tonight. ids: of everybody served, None where nothing is.

    n_tokens, tokens: how many accounts had one, and the fingerprints of those.
    """

    ids: SnapshotIds | None = None
    changed: tuple[ChangedToken, ...] = ()
    n_tokens: int = 0
    tokens: frozenset[int] = frozenset()

    @classmethod
    def of_published(cls, published: Path, people: Population) -> "TokenChanges":
        """Compare tonight's tokens with those of what is served; see `of`.

        Raises SafetyUnavailable when the ledger or the list of erasures cannot be trusted.
        """
        ledger, run_id = SafetyLedger.of(published), current_run(published)
        erased = ErasureList.of(published).now(ledger.now())
        return cls.of(ledger, people, None if run_id is None else published / RUNS / run_id, erased)

    @classmethod
    def of(
        cls, ledger: SafetyLedger, people: Population, run: Path | None, erased: ErasedPeople = _NOBODY
    ) -> "TokenChanges":
        """Compare tonight's tokens with those of a publication, None for none.

        One of an earlier version, which cannot be read any more, tells of no tokens; whoever asked to be
        erased is left out.
        """
        try:
            ids, index = (None, None) if run is None else published_persons(run)
        except SourceError:
            ids, index = None, None
        if ids is None or index is None:
            return cls()
        state = ledger.begin()
        shared = [naming for naming in state.namings if naming.naming in index.namings]
        if not shared or not index.of_row.any():
            return cls(ids)
        before = index.of_row[index.namings.index(shared[-1].naming)]
        users = ids.at(list(range(len(before))))
        gone = erased.among(users)
        known = zip(users, people.ids.find(users), before.tolist(), gone, strict=True)
        changed = []
        for user, row, old, is_gone in known:
            token = people.person_tokens[row] if row >= 0 else None
            if not is_gone and old != (shared[-1].of(PERSON, token) if token else 0):
                is_known = token is not None and _is_of_person(state, user, old, token)
                changed.append(ChangedToken(user, old, token, bool(row >= 0), is_known))
        return cls(ids, tuple(changed), int((before != 0).sum()), frozenset(before.tolist()))

    def unchanged(self, ids: Sequence[str]) -> list[str]:
        """Return those of these accounts that have the token tonight that they have in what is served."""
        if self.ids is None or not self.n_tokens:
            return []
        changed = self._changed_ids
        rows = self.ids.find(ids)
        return [one for one, row in zip(ids, rows, strict=True) if row >= 0 and one not in changed]

    @cached_property
    def _changed_ids(self) -> frozenset[str]:
        return frozenset(one.user_id for one in self.changed)

    @property
    def counts(self) -> tuple[int, int]:
        """How many accounts lost their token or have one their person never had, and how many had one."""
        counted = [one for one in self.changed if one.has_row and one.old != 0 and not one.is_known]
        return len(counted), self.n_tokens

    @cached_property
    def are_many(self) -> bool:
        """Whether so many tokens changed at once that it is no word about people."""
        changed, n_tokens = self.counts
        return changed > most_at_once(n_tokens)


def _is_of_person(state: LedgerState, user_id: str, old: int, token: str) -> bool:
    """Say whether an account, which had another token, is linked with a token already."""
    own = state.linked([*state.fingerprints(Who(user_id)), *([old] if old else [])])
    return any(naming.of(PERSON, token) in own for naming in state.namings)


def pending_ledger(published: Path, people: Population, changes: TokenChanges) -> PendingLedger:
    """Return the ledger of a night under judgement, told of the links its tokens make once it passes.

    Who excludes whose number is told for good once it passes, too.
    """
    ledger = _pending(published, people, changes, (EXCLUDED_NUMBER, HIDDEN, HIDDEN_LEAVER))
    note_changed_tokens(ledger, people, changes)
    before = {} if changes.are_many else {one.user_id: one.old for one in changes.changed}
    note_hidden_before(ledger, people, before)
    return ledger


def _pending(
    published: Path, people: Population, changes: TokenChanges, waiting: Collection[LedgerTag] = ()
) -> PendingLedger:
    keys = SafetyLedger.of(published).keys
    ledger = PendingLedger(published.resolve(), keys, changes.unchanged, waiting)
    ids = packed_ids(people.ids.ids(np.arange(len(people))).tolist())
    ledger.note_spellings(told_apart=SpellingIndex(ids).are_told_apart)
    return ledger


def unlink_account(published: Path, user_id: str, *, owner: str, reason: str) -> int:
    """Take back every link of an account but that to the person token it has in what is served; see `unlink`.

    Raises PublicationError when nothing is published, and InputError when nobody of that id is in it, when
    another account there has the same token, or there is no link to take back.
    """
    words, run_id = hold_words(owner, reason), current_run(published)
    if run_id is None:
        remedy = "publish first: make nightly"
        raise PublicationError(explained("nothing is published", where=str(published), remedy=remedy))
    ids, index = published_persons(published / RUNS / run_id)
    (row,) = ids.find([user_id])
    if row < 0:
        raise InputError(
            explained("this account is not in what is served", remedy="give the id of its profile")
        )
    if len(index.rows_of(index.person(user_id, row))) > 1:
        remedy = "mend the tables and publish a night first"
        raise InputError(explained("another account of what is served has the same token", remedy=remedy))
    ledger = SafetyLedger.of(published)
    naming = ledger.begin().namings[-1]
    owner, reason = (without_ids(word, naming, lambda part: ids.find([part])[0] >= 0) for word in words)
    return unlink(ledger, user_id, index.of_row[:, row].tolist(), owner=owner, reason=reason)


def write_names_for_now(
    ledger: PendingLedger,
    changes: TokenChanges,
    stops: Collection[tuple[int, int]] = (),
    pairs: Collection[tuple[int, int]] = (),
) -> frozenset[int]:
    """Let what a night told of people count for their other accounts too, by tonight's tokens, for now.

    Where many tokens changed at once it is no word about those who had one of them: a new key has new tokens,
    a column that moved has those of others. stops, pairs: what counts so besides, as of `_known_of_changed`.
    Returns the fingerprints of tonight's tokens of changed accounts that are a word about people.
    """
    newest = ledger.begin().namings[-1]
    new = {newest.of(PERSON, one.token) for one in changes.changed if one.token}
    but = new & changes.tokens if changes.are_many else frozenset[int]()
    ledger.write_stops_for_now(NAMED_FOR_NOW, but, stops)
    ledger.write_pairs_for_now(APART_FOR_NOW, but, pairs)
    return frozenset(new - but)


def _known_of_changed(
    ledger: SafetyLedger, changes: TokenChanges
) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
    """Return tonight's tokens of accounts that the ledger stops, each with its account, and whom it parts.

    Whatever tonight's tables say of them: who was banned before may have no row any more.
    """
    state = ledger.now()
    stops, pairs = set[tuple[int, int]](), set[tuple[int, int]]()
    for one in changes.changed:
        if one.token:
            known = [*state.fingerprints(Who(one.user_id)), *([one.old] if one.old else [])]
            new = state.namings[-1].of(PERSON, one.token)
            if state.is_stopped(known):
                stops.add((new, state.namings[-1].of(ID, one.user_id)))
            pairs |= {(new, other) for other in state.separated_from(known) if other != new}
    return stops, pairs


def note_refused(
    published: Path,
    people: Population,
    policy: Policy,
    snapshot: Snapshot | None,
    *,
    shown: Collection[str],
    changes: TokenChanges,
) -> None:
    """Tell the ledger who is out, and which pairs are apart, for now by the tables of a refused night."""
    ledger = _pending(published, people, changes)  # one that saw no lift
    erased, served = ErasureList.of(published).now(ledger.now()), "" if snapshot is None else snapshot.run_id
    note_refused_night(ledger, people, policy, shown, erased, served=served)
    note_refused_pairs(ledger, people, policy, snapshot, shown)
    if snapshot is not None and says_less(snapshot, people):
        mark_overtaken(published, snapshot.run_id)
    telling = write_names_for_now(ledger, changes, *_known_of_changed(ledger, changes))
    tokens = {one.user_id: one.token for one in changes.changed if one.token}
    note_sharing(ledger, tokens, telling, people.as_of.isoformat())


def note_changed_tokens(ledger: SafetyLedger, people: Population, changes: TokenChanges) -> None:
    """Tell the ledger whose person token is another one than in what is served.

    An account of which the ledger knows anything is linked with its token of tonight, however long it was
    away; one that is gone tonight, with the token it had.
    """
    _link_known(ledger, people)
    _link_spellings(ledger, people, changes.ids)
    state = ledger.now()
    links: list[tuple[int, int]] = []
    for user, old, token, *_ in changes.changed:
        newest = state.namings[-1]
        own = newest.of(ID, user)
        if old or own in state.links:  # whoever had no token then may have had one before
            links += [(old, own), *([(own, newest.of(PERSON, token))] if token else [])]
    ledger.link(links)


def _link_known(ledger: SafetyLedger, people: Population) -> None:
    state, rows = ledger.begin(), np.flatnonzero(pd.notna(people.person_tokens))
    named = state.links.keys() | state.stops.keys() | state.pairs.keys()
    if not named:
        return
    ids, tokens = people.ids.ids(rows).tolist(), people.person_tokens[rows].tolist()
    of_ids = zip(tokens, *state.fingerprints_of_ids(ids), strict=True)
    known = [(token, [one for one in own if one in named]) for token, *own in of_ids]
    person = state.namings[-1]
    ledger.link((one, person.of(PERSON, token)) for token, own in known for one in own)


def _link_spellings(ledger: SafetyLedger, people: Population, earlier: SnapshotIds | None) -> None:
    """Link who comes with a row about whose id, in another spelling, the ledger knows something.

    An account that the earlier publication had is known as it is spelled.
    """
    state = ledger.begin()
    if not (state.links or state.spellings):
        return
    ids = people.ids.ids(np.arange(len(people))).tolist()
    rows = [-1] * len(ids) if earlier is None else earlier.find(ids)
    links = [state.links_of_spelling(one) for one, row in zip(ids, rows, strict=True) if row < 0]
    ledger.link([link for link in links if link is not None], spelled=True)
