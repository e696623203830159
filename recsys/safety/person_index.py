"""Persons: the index of person tokens that a night publishes, and the accounts of one person.

Facts about safety are facts about persons: what holds for one account of a person holds for all of them.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Final, Protocol, Self
from zlib import crc32

import numpy as np

from recsys.data.id_spellings import as_spelled, id_in_one_spelling, is_canonical_id, one_meant
from recsys.safety.canonical import in_any_spelling, spelled_canonically
from recsys.safety.fingerprints import ID, PERSON, Fingerprints, Naming
from recsys.safety.keys import Keys
from recsys.safety.ledger_state import LedgerState, Who
from recsys.types import BoolArray, Int32Array, ObjectArray, UInt64Array


@dataclass(frozen=True, eq=False)
class PersonIndex:
    """The person of each row of a publication, as keyed fingerprints of the person token.

    namings:  how the fingerprints were made, oldest first.
    of_row:   `(n_namings, n_people)` uint64, 0 for somebody without a token.
    token:    `(n_with_token,)` uint64, the newest fingerprints, ascending.
    row:      `(n_with_token,)` int32, whose each is.
    """

    namings: tuple[Naming, ...]
    of_row: UInt64Array
    token: UInt64Array
    row: Int32Array

    @classmethod
    def of(cls, person_tokens: ObjectArray, fingerprints: Sequence[Fingerprints]) -> Self:
        """Build the index from each row's token, None where it is not known."""
        of_row = np.zeros((len(fingerprints), len(person_tokens)), np.uint64)
        for at, naming in enumerate(fingerprints):
            of_row[at] = naming.of_all(PERSON, person_tokens)
        newest = of_row[-1]
        order = np.argsort(newest, kind="stable")
        order = order[newest[order] > 0]
        namings = tuple(one.naming for one in fingerprints)
        return cls(namings, of_row, newest[order], order.astype(np.int32))

    @cached_property
    def has_several(self) -> BoolArray:
        """Say whose person has several accounts, `(n_people,)`."""
        same = self.token[1:] == self.token[:-1]
        found = np.zeros(self.of_row.shape[1], bool)
        found[self.row[1:][same]] = found[self.row[:-1][same]] = True
        return found

    def rows_of(self, fingerprint: int) -> Int32Array:
        """Return the rows of one person, none for 0 or somebody unknown."""
        wanted = np.uint64(fingerprint)
        start, stop = self.token.searchsorted(wanted), self.token.searchsorted(wanted, side="right")
        return self.row[start:stop] if fingerprint else self.row[:0]

    def decoy(self, user_id: str) -> int:
        """Return some row to look at instead of one that is not there, the same for the same id."""
        return crc32(user_id.encode("utf-8", "replace")) % max(self.of_row.shape[1], 1)

    def person(self, user_id: str, row: int) -> int:
        """Return the newest fingerprint of a row, or of the decoy of nobody, row -1; 0 for no token."""
        at = row if row >= 0 else self.decoy(user_id)
        return int(self.of_row[-1, at]) if self.of_row.shape[1] else 0


class NewcomerTokens:
    """The person tokens of people who came with a profile of their own since the last publication.

    Whoever ever had a token in common is one person, also with the accounts a publication knows: a token
    that was replaced or left out the same day is remembered.
    """

    def __init__(self) -> None:
        self._tokens: dict[str, dict[str, int]] = {}  # of each account: its tokens with their fingerprints
        self._persons: dict[int, list[str]] = {}
        self._came: dict[str, dict[str, None]] = {}  # who came under an id of each text of any spelling
        self._naming: Fingerprints | None = None
        self._unlinked: frozenset[tuple[int, int]] = frozenset()

    def add(self, user_id: str, token: str | None) -> None:
        """Note that somebody came, and a token of theirs, beside those they had."""
        self._came.setdefault(in_any_spelling(user_id), {})[user_id] = None
        if not token or token in self._tokens.get(user_id, ()):
            return
        person = self._naming.of(PERSON, token) if self._naming is not None else 0
        if self._is_unlinked(user_id, person):
            return
        self._persons.setdefault(person, []).append(user_id)
        self._tokens.setdefault(user_id, {})[token] = person

    def begin(self, naming: Fingerprints) -> None:
        """Name persons as another publication does."""
        persons: dict[int, list[str]] = {}
        for user_id, tokens in [*self._tokens.items()]:
            for token in tokens:
                tokens[token] = person = naming.of(PERSON, token)
                persons.setdefault(person, []).append(user_id)
        self._naming, self._persons = naming, persons

    def unlink(self, links: Set[tuple[int, int]]) -> None:
        """Forget the tokens that an operator took back from an account: fingerprints of both, either first.

        The rows of the day that told of them stay, and are read again.
        """
        if links == self._unlinked:
            return
        self._unlinked = frozenset(links)
        for user_id, tokens in [*self._tokens.items()]:
            self._tokens[user_id] = {
                token: person for token, person in tokens.items() if not self._is_unlinked(user_id, person)
            }
        if self._naming is not None:
            self.begin(self._naming)

    def _is_unlinked(self, user_id: str, person: int) -> bool:
        naming = self._naming if self._unlinked else None
        return naming is not None and (naming.of(ID, user_id), person) in self._unlinked

    def tokens(self, user_id: str) -> tuple[str, ...]:
        """Return the tokens of somebody, the earliest first; none when they came with none."""
        return tuple(self._tokens.get(user_id, ()))

    def persons(self, user_id: str) -> tuple[int, ...]:
        """Return the fingerprints of the same tokens."""
        return tuple(self._tokens.get(user_id, {}).values())

    @property
    def came(self) -> bool:
        """Whether anybody came, with a token or without."""
        return bool(self._came)

    def named_by(self, fingerprints: Collection[int], state: LedgerState) -> list[str]:
        """Return who came whose id or token has one of these fingerprints."""
        came = [one for of_text in [*self._came.values()] for one in [*of_text]]
        by_id = [
            one
            for one, mine in zip(came, zip(*state.fingerprints_of_ids(came), strict=True), strict=True)
            if not set(mine).isdisjoint(fingerprints)
        ]
        tokens = (one for print_ in sorted(fingerprints) for one in [*self.accounts(print_)])
        return [*dict.fromkeys([*by_id, *tokens])]

    def meant(self, given: str) -> list[str]:
        """Return who came under an id, in whatever spelling, the earliest first."""
        return [*self._came.get(in_any_spelling(given), ())]

    def __bool__(self) -> bool:
        return bool(self._tokens)

    def __contains__(self, user_id: object) -> bool:
        return user_id in self._tokens

    def accounts(self, person: int) -> list[str]:
        """Return who came with the token of one person, named by fingerprint."""
        return self._persons.get(person, [])


class Ids(Protocol):
    """What turns ids into rows and back, as `SnapshotIds` does."""

    @property
    def are_told_apart(self) -> bool:
        """Whether ids that differ in spelling alone are of different people."""
        ...

    def meant(self, given: object, /) -> list[int]:
        """Return the rows of all whom an id may mean that is nobody's as it stands."""
        ...

    def find(self, ids: Iterable[str]) -> list[int]:
        """Return the row of each id, -1 for nobody."""
        ...

    def at(self, rows: Iterable[int]) -> list[str]:
        """Return the ids at `rows`."""
        ...


_NONE: Final = frozenset({0})
"""The fingerprint of nobody."""


class Accounts:
    """The accounts of each person: those of one publication, and of newcomers it does not know yet."""

    def __init__(
        self, ids: Ids, index: PersonIndex, newcomers: NewcomerTokens, keys: Keys, run_id: str | None = None
    ) -> None:
        """Join them; run_id: of the publication, None for none."""
        self._ids, self._index, self._newcomers, self._run_id = ids, index, newcomers, run_id
        self._has_several = index.has_several
        self._anybody_has_several = bool(index.has_several.any())
        self._naming = Fingerprints(index.namings[-1], keys)
        self._by_fingerprint: tuple[int, UInt64Array, Int32Array] | None = None
        newcomers.begin(self._naming)

    def holds_here(self, state: LedgerState) -> LedgerState:
        """Return what the ledger says where this publication is served."""
        return state if self._run_id is None else state.served_by(self._run_id)

    def add(self, user_id: str, token: str | None) -> None:
        """Note the token of somebody who came with a profile of their own."""
        self._newcomers.add(user_id, token)

    def unlink(self, state: LedgerState) -> None:
        """Forget the links of newcomers that the ledger says an operator took back."""
        self._newcomers.unlink(state.unlinked)

    def of(self, user_id: str) -> tuple[str, ...]:
        """Return every account of somebody's person, their own first."""
        return tuple(dict.fromkeys(self.asked(user_id)))

    def asked(self, user_id: str) -> tuple[str, ...]:
        """Return the accounts to ask a store about: those of somebody's person, their own first.

        Somebody unknown stands here as often as some person of the index has accounts, the same person for
        the same id: asking about nobody takes the time of asking about somebody.
        """
        if self._all_are_alone():
            return (user_id,)
        (row,) = self._ids.find([user_id])
        if row >= 0 or user_id in self._newcomers:
            return self._asked(user_id, row)
        decoy = self._index.decoy(user_id)
        return (user_id,) * max(1, *(len(self._asked(one, decoy)) for one in self._ids.at([decoy])))

    def _asked(self, user_id: str, row: int) -> tuple[str, ...]:
        found, persons = {user_id: row}, set[int]()
        added = [(user_id, row)]
        while added:  # who had a token in common with any of them is the same person
            fresh = {person for one, at in added for person in self._persons_of(one, at)} - persons - {0}
            persons |= fresh
            added = [
                pair for person in sorted(fresh) for pair in self._accounts_of(person) if pair[0] not in found
            ]
            found |= dict(added)
        return tuple(found)

    def linked(self, user_id: str, state: LedgerState) -> tuple[str, ...]:
        """Return `of`, and the accounts that the ledger links with them, as by tokens of former nights.

        Whoever is linked with nobody is looked up once more as well, as whoever had another token before:
        both take the same time.
        """
        found, asked = self.asked(user_id), set[int]()
        while state.links:
            known = self.fingerprints_of({user_id: found}, state)[user_id]
            others = state.linked(known) - known - asked
            if not others and asked:
                break
            asked |= known | others | _NONE
            named = self._named_by(others or _NONE, state)
            found = (*found, *(one for account in named for one in self.of(account) if one not in found))
        return tuple(dict.fromkeys(found))

    def _named_by(self, fingerprints: Collection[int], state: LedgerState) -> list[str]:
        """Return the accounts whose id or person token has one of these fingerprints, under whatever key."""
        prints, rows = self._rows_by_fingerprint(state)
        wanted = np.array(sorted(fingerprints), np.uint64)
        ends = zip(prints.searchsorted(wanted), prints.searchsorted(wanted, side="right"), strict=True)
        published = self._ids.at(sorted({int(row) for start, end in ends for row in rows[start:end]}))
        came = self._newcomers.named_by(frozenset(fingerprints), state) if self._newcomers.came else []
        return [*published, *came]

    def _rows_by_fingerprint(self, state: LedgerState) -> tuple[UInt64Array, Int32Array]:
        """Return the fingerprints of all published ids and tokens, ascending, and whose row each is."""
        known = self._by_fingerprint
        if known is None or known[0] < len(state.namings):
            n_people = self._index.of_row.shape[1]
            ids = self._ids.at(range(n_people))
            prints = np.concatenate([*(one.of_all(ID, ids) for one in state.namings), *self._index.of_row])
            rows = np.tile(np.arange(n_people, dtype=np.int32), len(prints) // max(n_people, 1))
            order = np.argsort(prints, kind="stable")
            order = order[prints[order] > 0]
            known = self._by_fingerprint = len(state.namings), prints[order], rows[order]
        return known[1:]

    def _persons_of(self, user_id: str, row: int) -> tuple[int, ...]:
        own = (self._index.person(user_id, row),) if row >= 0 else ()
        return own + self._newcomers.persons(user_id)

    def _accounts_of(self, person: int) -> list[tuple[str, int]]:
        """Return the accounts of one token with their rows, -1 of newcomers."""
        rows = self._index.rows_of(person).tolist()
        others = self._newcomers.accounts(person)
        return [
            *zip(self._ids.at(rows), rows, strict=True),
            *zip(others, self._ids.find(others), strict=True),
        ]

    @property
    def are_told_apart(self) -> bool:
        """Whether ids that differ in spelling alone are of different people: in this community many are."""
        return self._ids.are_told_apart

    def is_published(self, user_id: str) -> bool:
        """Say whether the publication knows an id as it is spelled."""
        return self._ids.find([user_id])[0] >= 0

    def known(self, given: object) -> str | None:
        """Return the known id that somebody gave in whatever spelling; None for nobody's and for several.

        Several that differ in spelling alone are one person's, unless many do: then the first of them.
        Somebody is known from the publication, or came by day.
        """
        return one_meant(self._meant(given), told_apart=self.are_told_apart)

    def id_in(self, given: object) -> str | None:
        """Return the id that a value holds that names nobody known; None where it is none of a profile."""
        if self._run_id is None:  # ids of no publication may be any text
            return spelled_canonically(given)
        return next((one for one in reversed(as_spelled(given)) if is_canonical_id(one)), None)

    def may_be_id(self, user_id: str) -> bool:
        """Say whether an id is somebody's here, or one that a profile may have."""
        return self._run_id is None or is_canonical_id(user_id) or self.is_published(user_id)

    def _meant(self, given: object) -> list[str]:
        """Return the known ids that one may mean: itself where it is known, else all in another spelling."""
        if isinstance(given, str) and self.is_published(given):
            return [given]
        near = id_in_one_spelling(given)
        came = self._newcomers.meant(near) if near else []
        exact = [one for one in as_spelled(given) if one in came or self.is_published(one)]
        if exact:
            return exact[:1]
        if self.are_told_apart and is_canonical_id(given):
            return []
        return self._ids.at(self._ids.meant(given)) or came

    def came_by_day(self, accounts: Iterable[str]) -> bool:
        """Say whether somebody of some accounts came with a token since the publication."""
        return any(one in self._newcomers for one in accounts)

    def meant(self, user_id: str) -> str:
        """Return the known id that an id nobody has is but for its spelling, else the id itself."""
        return self.known(user_id) or user_id

    def is_other_spelling(self, user_id: str) -> bool:
        """Say whether an id that nobody has is that of somebody known but for its spelling."""
        return self._meant(user_id) not in ([], [user_id])

    def asked_many(self, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return `asked` of each of some people, who are looked up together."""
        if self._all_are_alone():
            return {user_id: (user_id,) for user_id in ids}
        several, found = self._has_several, {}
        for user_id, row in zip(ids, self._ids.find(ids), strict=True):
            at = row if row >= 0 else self._index.decoy(user_id)
            alone = not (len(several) and several[at]) and not self._is_newcomer(user_id, row)
            found[user_id] = (user_id,) if alone else self.asked(user_id)
        return found

    def _all_are_alone(self) -> bool:
        """Say whether no person has two accounts, by the publication and by who came since."""
        return not self._anybody_has_several and not self._newcomers

    def _is_newcomer(self, user_id: str, row: int) -> bool:
        """Say whether somebody came with a token of today, or has one in common with somebody who did."""
        if not self._newcomers:
            return False
        return user_id in self._newcomers or bool(self._newcomers.accounts(self._index.person(user_id, row)))

    def fingerprints(self, user_id: str, state: LedgerState) -> set[int]:
        """Return every fingerprint under which somebody's person may stand in the ledger."""
        return self.fingerprints_of({user_id: self.asked(user_id)}, state)[user_id]

    def fingerprints_of(self, asked: Mapping[str, Sequence[str]], state: LedgerState) -> dict[str, set[int]]:
        """Return the same of each of some people, whose accounts (see `asked`) are looked up together."""
        accounts = [account for ids in asked.values() for account in ids]
        rows = np.array(self._ids.find(accounts), np.int64)
        persons = np.zeros((len(self._index.namings), len(rows)), np.uint64)
        persons[:, rows >= 0] = self._index.of_row[:, rows[rows >= 0]]
        prints = list(zip(*persons.tolist(), *state.fingerprints_of_ids(accounts), strict=True))
        if self._newcomers:
            tokens = [
                [one for who in self.named(account) for one in state.fingerprints(who)]
                for account in accounts
            ]
            prints = [(*mine, *more) for mine, more in zip(prints, tokens, strict=True)]
        each, found = iter(prints), {}
        for user_id, ids in asked.items():
            mine = found[user_id] = set(next(each)) if len(ids) == 1 else set().union(*islice(each, len(ids)))
            mine.discard(0)  # no token
        return found

    def named(self, user_id: str) -> tuple[Who, ...]:
        """Return how an account is known to the ledger: by its id, with each token it came with since."""
        tokens = self._newcomers.tokens(user_id) if self._newcomers else ()
        return tuple(Who(user_id, token) for token in tokens) or (Who(user_id),)

    def whose(self, user_id: str, state: LedgerState) -> tuple[int, ...]:
        """Return the fingerprints of somebody's person in the ledger; none where no token is known."""
        if not state.namings:
            return ()
        newest = state.namings[-1]
        found = [newest.of(PERSON, token) for token in self._newcomers.tokens(user_id)]
        (row,) = self._ids.find([user_id])
        if row >= 0 and newest.naming in self._index.namings:
            found.append(int(self._index.of_row[self._index.namings.index(newest.naming), row]))
        return tuple(dict.fromkeys(one for one in found if one))


class _Nobody:
    """Ids of no publication."""

    are_told_apart = False

    def meant(self, _: object) -> list[int]:
        return []

    def find(self, ids: Iterable[str]) -> list[int]:
        return [-1 for _ in ids]

    def at(self, rows: Iterable[int]) -> list[str]:
        return [str(row) for row in rows]


NO_INDEX: Final = PersonIndex.of(np.zeros(0, object), [Fingerprints(Naming(), Keys())])


def no_accounts(keys: Keys) -> Accounts:
    """Return the accounts of no publication, to which those who come are added."""
    return Accounts(_Nobody(), NO_INDEX, NewcomerTokens(), keys)


ALONE: Final = no_accounts(Keys())
"""Everybody has one account."""


def restricted_by_ledger(
    state: LedgerState, viewer: str, mine: Sequence[str], theirs: Mapping[str, Sequence[str]], known: Accounts
) -> tuple[bool, set[str]]:
    """Say whether the ledger stops the viewer, and whom of the others it stops or keeps apart from them.

    Other accounts of the viewer are kept apart as well, also those that an earlier night or the day linked.
    """
    state = known.holds_here(state)
    me = frozenset(mine)
    own = {other for other, ids in theirs.items() if other != viewer and not me.isdisjoint(ids)}
    if not (state.restricts or state.links):
        return False, own
    prints = known.fingerprints_of({**theirs, viewer: mine}, state)
    apart = state.separated_from(prints[viewer]) | state.linked(prints[viewer])  # nobody sees themselves
    out = {other for other, named in prints.items() if not apart.isdisjoint(named) or state.is_stopped(named)}
    return state.is_stopped(prints[viewer]), own | out
