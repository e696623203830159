"""What a constraint is: a rule in plain form and the same rule as clauses."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import ENUMERATIONS, IN_PERSON_INTENTS
from recsys.data.bitsets import pack_flags, unpack
from recsys.data.population import Population
from recsys.errors import InputError, explained
from recsys.types import BoolArray, Int32Array, UInt16Array, UInt64Array


@dataclass(frozen=True, eq=False)
class Gate:
    """A person alone: only people with `listed` `(n_people,)` meet anybody.

    >>> Gate(np.array([True, False])).listed.sum()
    np.int64(1)
    """

    listed: BoolArray


@dataclass(frozen=True, eq=False)
class Refusals:
    """What people are against what others refuse, as bits `(n_people, n_words)` uint64.

    A pair is out when a bit one of them has in `traits` is a bit the other has in `refuses`.

    >>> smokes, minds = np.array([[True], [False]]), np.array([[False], [True]])
    >>> clause = Refusals.of(smokes, minds)
    >>> bool(clause.traits[0, 0] & clause.refuses[1, 0])
    True
    """

    traits: UInt64Array
    refuses: UInt64Array
    n_bits: int

    @classmethod
    def of(cls, are: BoolArray, refused: BoolArray) -> "Refusals":
        """Build the clause from two aligned `(n_people, n_values)` bool tables."""
        return cls(pack_flags(are), pack_flags(refused), are.shape[1])


@dataclass(frozen=True, eq=False)
class Overlaps:
    """A pair is out unless their `words` `(n_people, n_words)` uint64 share a bit.

    Where the rule does not apply to a person, every bit is set.

    >>> words = pack_flags(np.array([[True, False], [True, True]]))
    >>> bool((Overlaps(words).words[0] & Overlaps(words).words[1]).any())
    True
    """

    words: UInt64Array


@dataclass(frozen=True, eq=False)
class CellLimit:
    """Distance limits between people in `cells` `(n_people,)`, 0 where unknown.

    max_km: `(n_people,)` uint16, the greatest distance in whole km; it counts when both people are
            `in_person`.
    min_km: `(n_people,)` uint16, the least distance in whole km; it counts always.

    >>> far, near = np.full(2, 33, np.uint16), np.zeros(2, np.uint16)
    >>> CellLimit(np.zeros(2, np.uint64), far, near, in_person=np.ones(2, bool)).max_km.tolist()
    [33, 33]
    """

    cells: UInt64Array
    max_km: UInt16Array
    min_km: UInt16Array
    in_person: BoolArray


@dataclass(frozen=True, eq=False)
class ExcludedPairs:
    """Pairs of rows that are out, `(n_pairs, 2)` int32, in either order.

    >>> ExcludedPairs(np.array([[0, 1]], np.int32)).pairs.tolist()
    [[0, 1]]
    """

    pairs: Int32Array


@dataclass(frozen=True, eq=False)
class TokenGroups:
    """Short lists of group numbers per person, as `(n_entries, 2)` int32 of row and group.

    A pair is out when they own a common group, or one owns a group the other avoids.

    >>> one_team = TokenGroups(np.array([[0, 0], [1, 0]], np.int32), np.empty((0, 2), np.int32), n_groups=1)
    >>> one_team.own[:, 1].tolist()
    [0, 0]
    """

    own: Int32Array
    avoided: Int32Array
    n_groups: int


@dataclass(frozen=True, eq=False)
class DirectedVisibility:
    """Who is shown to whom: directed, and always inside what the other clauses allow.

    A `liked_only` `(n_people,)` candidate is shown to a viewer they liked (`liked`, actor row then
    target row), or when both are `liked_only` and both `suggestible` `(n_people,)`.

    >>> shown = DirectedVisibility(np.array([True, False]), np.zeros(2, bool), np.array([[0, 1]], np.int32))
    >>> shown.liked_only.tolist()
    [True, False]
    """

    liked_only: BoolArray
    suggestible: BoolArray
    liked: Int32Array


Clause = Gate | Refusals | Overlaps | CellLimit | ExcludedPairs | TokenGroups | DirectedVisibility


class Constraint(ABC):
    """One rule that says which pairs may meet; a subclass is a frozen dataclass of its settings.

    `allows` is the definition: read it beside the rule. `clauses` says the same in the forms that
    run fast over everybody. The two are written apart from each other and tests hold them equal,
    pair for pair. Both must be symmetric, and unknown safety or boundary data must say no.

    There is no "or" and no "not": an "or" could add pairs, a "not" would turn unknown into yes.

    >>> from dataclasses import dataclass
    >>> from recsys.constraints.base import Gate
    >>> @dataclass(frozen=True)
    ... class HasCell(Constraint):
    ...     name = "has_cell"
    ...     def allows(self, people, i, j):
    ...         return (people.cells[i] != 0) & (people.cells[j] != 0)
    ...     def clauses(self, people):
    ...         return [Gate(people.known("cell"))]
    >>> people = Population.of_ids(["a", "b"], as_of="2026-01-05")
    >>> HasCell().allows(people, np.array([0]), np.array([1])).tolist()
    [False]
    """

    name: ClassVar[str]

    @abstractmethod
    def allows(self, people: Population, i: Int32Array, j: Int32Array) -> BoolArray:
        """Say for aligned rows `(n_pairs,)` whether the two may meet, `(n_pairs,)` bool."""

    @abstractmethod
    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return the same rule as clauses over all of `people`."""

    def shows(self, people: Population, viewer: Int32Array, candidate: Int32Array) -> BoolArray:
        """Say for aligned rows whether the candidate may be shown to the viewer, `(n_pairs,)` bool.

        Directed, and only ever narrower than `allows`; most constraints leave it alone.
        """
        del people, candidate
        return np.ones(len(viewer), bool)

    def text_name(self, people: Population, i: int, j: int) -> str:
        """Return under which name the catalogue says why two rows are kept apart; mostly its own."""
        del people, i, j
        return self.name


def has_any_word(people: Population, column: str) -> BoolArray:
    """Say whose set in `column` is known and holds at least one word, `(n_people,)` bool."""
    return people.known(column) & people.sets(column).any(axis=1)


def wants_apart(people: Population) -> BoolArray:
    """Say who has an intent that needs no place to meet, `(n_people,)` bool: another one, or online alone."""
    apart = [word for word in ENUMERATIONS[C.INTENTS].words if word not in IN_PERSON_INTENTS]
    return people.has_word(C.INTENTS, *apart) | people.has_word(C.MEETING_SETTINGS, "online_only")


def wants_in_person(people: Population) -> BoolArray:
    """Say who has an in-person intent, `(n_people,)` bool; without a cell there is none."""
    return people.has_word(C.INTENTS, *IN_PERSON_INTENTS) & people.known(C.CELL)


def shares_a_word(people: Population, column: str, i: Int32Array, j: Int32Array) -> BoolArray:
    """Say for aligned rows whether the two sets in `column` have a common word, word by word."""
    shared = np.zeros(len(i), bool)
    if column not in people.coded_sets:
        return shared
    coded = people.coded_sets[column]
    spoken = unpack(np.bitwise_or.reduce(coded.bits, axis=0, keepdims=True), len(coded.words))[0]
    for at in np.flatnonzero(spoken):  # most words of a long list, such as of languages, nobody has
        holds = people.has_word(column, coded.words[at])
        shared |= holds[i] & holds[j]
    return shared


def checked_rows(rows: npt.ArrayLike, n_people: int) -> Int32Array:
    """Return rows as `(n_rows,)` int32.

    Raises InputError when one lies outside the population: a negative row would silently mean
    somebody else.

    >>> checked_rows([0, 2], 3)
    array([0, 2], dtype=int32)
    """
    given = np.asarray(rows)
    if given.size == 0:
        return np.empty(0, np.int32)
    if given.ndim != 1 or given.dtype.kind not in "iu":
        got = f"{given.dtype} {given.shape}"
        raise InputError(explained("rows are one list of whole numbers", got=got, remedy="use people.ids"))
    wrong = given[(given < 0) | (given >= n_people)]
    if len(wrong):
        remedy = f"rows run from 0 to {n_people - 1}"
        raise InputError(explained("no such row", got=int(wrong[0]), remedy=remedy))
    return given.astype(np.int32)


def checked_pairs(i: npt.ArrayLike, j: npt.ArrayLike, n_people: int) -> tuple[Int32Array, Int32Array]:
    """Return two aligned arrays of rows, or raise InputError."""
    a, b = checked_rows(i, n_people), checked_rows(j, n_people)
    if len(a) != len(b):
        raise InputError(explained("pairs need two aligned arrays", got=f"{len(a)} and {len(b)} rows"))
    return a, b
