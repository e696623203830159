"""Persons: the index of person tokens that a night publishes, and the accounts of one person.

Facts about safety are facts about persons: what holds for one account of a person holds for all of them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Protocol, Self
from zlib import crc32

import numpy as np

from recsys.data.safety_rows import id_forms
from recsys.safety.fingerprints import PERSON, Fingerprints, Naming
from recsys.safety.keys import Keys
from recsys.safety.ledger import LedgerState, Who
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
            of_row[at] = [naming.of(PERSON, token) if token else 0 for token in person_tokens]
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

    Two of them with one token are one person, also to the accounts a publication knows.
    """

    def __init__(self) -> None:
        self._tokens: dict[str, str] = {}
        self._persons: dict[int, list[str]] = {}
        self._naming: Fingerprints | None = None

    def add(self, user_id: str, token: str | None) -> None:
        """Note the token of somebody."""
        if token and self._tokens.get(user_id) != token:
            self._tokens[user_id] = token
            if self._naming is not None:
                self._persons.setdefault(self._naming.of(PERSON, token), []).append(user_id)

    def begin(self, naming: Fingerprints, known: Callable[[str], bool]) -> None:
        """Name persons as another publication does, and forget whom it knows itself."""
        self._tokens = {user: token for user, token in self._tokens.items() if not known(user)}
        self._naming, self._persons = naming, {}
        for user_id, token in self._tokens.items():
            self._persons.setdefault(naming.of(PERSON, token), []).append(user_id)

    def token(self, user_id: str) -> str | None:
        """Return the token of somebody, None when it is not known."""
        return self._tokens.get(user_id)

    def __bool__(self) -> bool:
        return bool(self._tokens)

    def accounts(self, person: int) -> list[str]:
        """Return who came with the token of one person, named by fingerprint."""
        return self._persons.get(person, [])


class Ids(Protocol):
    """What turns ids into rows and back, as `SnapshotIds` does."""

    def find(self, ids: Iterable[str]) -> list[int]:
        """Return the row of each id, -1 for nobody."""
        ...

    def at(self, rows: Iterable[int]) -> list[str]:
        """Return the ids at `rows`."""
        ...


class Accounts:
    """The accounts of each person: those of one publication, and of newcomers it does not know yet."""

    def __init__(self, ids: Ids, index: PersonIndex, newcomers: NewcomerTokens, keys: Keys) -> None:
        self._ids, self._index, self._newcomers = ids, index, newcomers
        self._has_several = index.has_several
        self._naming = Fingerprints(index.namings[-1], keys)
        newcomers.begin(self._naming, lambda user_id: ids.find([user_id])[0] >= 0)

    def add(self, user_id: str, token: str | None) -> None:
        """Note the token of somebody who came with a profile of their own."""
        self._newcomers.add(user_id, token)

    def of(self, user_id: str) -> tuple[str, ...]:
        """Return every account of somebody's person, their own first."""
        return tuple(dict.fromkeys(self.asked(user_id)))

    def asked(self, user_id: str) -> tuple[str, ...]:
        """Return the accounts to ask a store about: those of somebody's person, their own first.

        Somebody unknown stands here as often as some person of the index has accounts, the same person for
        the same id: asking about nobody takes the time of asking about somebody.
        """
        (row,) = self._ids.find([user_id])
        token = self._newcomers.token(user_id)
        persons = [] if token and row < 0 else [self._index.person(user_id, row)]
        if token:  # somebody known who came with a token of today is that person too
            persons.append(self._naming.of(PERSON, token))
        accounts = [one for person in persons for one in self._ids.at(self._index.rows_of(person).tolist())]
        if row < 0 and not token:
            return (user_id,) * max(1, len(accounts))
        others = [one for person in persons if person for one in self._newcomers.accounts(person)]
        return tuple(dict.fromkeys([user_id, *accounts, *others]))

    def is_other_spelling(self, user_id: str) -> bool:
        """Say whether an id that nobody has is that of somebody known but for its spelling."""
        forms = id_forms(user_id)
        own, *others = self._ids.find([user_id, *forms, *(form.upper() for form in forms)])
        return own < 0 and max(others) >= 0

    def asked_many(self, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return `asked` of each of some people, who are looked up together."""
        if self._newcomers:
            return {user_id: self.asked(user_id) for user_id in ids}
        several = self._has_several
        found = {}
        for user_id, row in zip(ids, self._ids.find(ids), strict=True):
            at = row if row >= 0 else self._index.decoy(user_id)
            found[user_id] = self.asked(user_id) if len(several) and several[at] else (user_id,)
        return found

    def fingerprints(self, user_id: str, state: LedgerState) -> set[int]:
        """Return every fingerprint under which somebody's person may stand in the ledger."""
        return self.fingerprints_of({user_id: self.asked(user_id)}, state)[user_id]

    def fingerprints_of(self, asked: Mapping[str, Sequence[str]], state: LedgerState) -> dict[str, set[int]]:
        """Return the same of each of some people, whose accounts (see `asked`) are looked up together."""
        accounts = [account for ids in asked.values() for account in ids]
        rows = np.array(self._ids.find(accounts), np.int64)
        persons = np.zeros((len(rows), len(self._index.namings)), np.uint64)
        persons[rows >= 0] = self._index.of_row[:, rows[rows >= 0]].T
        named = zip(accounts, persons.tolist(), strict=True)
        if self._newcomers:
            who = [(Who(one, self._newcomers.token(one)), person) for one, person in named]
        else:
            who = [(Who(one), person) for one, person in named]
        prints = iter([(*state.fingerprints(one), *person) for one, person in who])
        return {user_id: {one for _ in ids for one in next(prints) if one} for user_id, ids in asked.items()}

    def whose(self, user_id: str, state: LedgerState) -> int:
        """Return the fingerprint of somebody's person in the ledger, 0 when no token of theirs is known."""
        newest = state.namings[-1].naming if state.namings else None
        (row,) = self._ids.find([user_id])
        if row < 0 or newest not in self._index.namings:
            token = self._newcomers.token(user_id)
            return state.namings[-1].of(PERSON, token) if token and state.namings else 0
        return int(self._index.of_row[self._index.namings.index(newest), row])


class _Nobody:
    """Ids of no publication."""

    def find(self, ids: Iterable[str]) -> list[int]:
        return [-1 for _ in ids]

    def at(self, rows: Iterable[int]) -> list[str]:
        return [str(row) for row in rows]


NO_INDEX: Final = PersonIndex.of(np.zeros(0, object), [Fingerprints(Naming(), Keys())])
ALONE: Final = Accounts(_Nobody(), NO_INDEX, NewcomerTokens(), Keys())
"""Everybody has one account."""
