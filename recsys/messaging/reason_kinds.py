"""The kinds of reasons shown to members: what each reads of people, and which of its codes hold for a pair.

A kind is a dataclass of arrays, stored with the codec of `recsys.storage.dataclass_codec` and mapped again
at serving. To add a kind, write one here and name it in `recsys.messaging.reasons.Reasons`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import AMOUNTS, ENUMERATIONS, IN_PERSON_INTENTS
from recsys.data.geography import centres, pair_distances_km
from recsys.data.population import Population
from recsys.features.base import by_question, positions
from recsys.types import BoolArray, Float64Array, Int8Array, Int16Array, Int32Array, IntegerArray

_PAIRS_AT_ONCE: Final = 32_768


class ReasonKind(Protocol):
    """One kind of reason: all its codes, and which of them hold for each pair, best first."""

    @property
    def codes(self) -> tuple[str, ...]:
        """Every code of this kind."""
        ...

    def best(self, viewer: Int32Array, candidate: Int32Array, k: int) -> Int16Array:
        """Return the best positions in `codes`, `(n_pairs, k)` int16, -1 for none."""
        ...


def top_k_shared(
    n_items: int,
    i: Int32Array,
    j: Int32Array,
    strength: Callable[[Int32Array, Int32Array], Int8Array],
    *,
    k: int,
) -> Int16Array:
    """Return the top `k` items of each pair by strength, `(n_pairs, k)` int16, -1 for none.

    `strength` gives `(n_pairs, n_items)` int8 for some pairs, 0 or less where an item is not shared; it may
    be written to. Ties go by the order of the items. Pairs are taken some at a time, so memory does not
    grow with their number.

    >>> level = np.array([[2, 0, 3], [5, 1, 3]], np.int8)
    >>> both = lambda a, b: np.minimum(level[a], level[b])
    >>> top_k_shared(3, np.array([0]), np.array([1]), both, k=3).tolist()
    [[2, 0, -1]]
    """
    found = np.full((len(i), k), -1, np.int16)
    for start in range(0, len(i) if n_items else 0, _PAIRS_AT_ONCE):
        part = slice(start, start + _PAIRS_AT_ONCE)
        left = strength(i[part], j[part])
        pair = np.arange(len(left))
        for place in range(min(k, n_items)):
            item = left.argmax(axis=1)
            is_shared = left[pair, item] > 0
            if not np.count_nonzero(is_shared):
                break
            found[part, place] = np.where(is_shared, item, -1)
            left[pair, item] = 0
    return found


def person_item_table(
    n_people: int, items: list[str], row: npt.ArrayLike, item: npt.ArrayLike, value: npt.ArrayLike
) -> Int8Array:
    """Return values per person and item as `(n_people, n_items)` int8, 0 where there is none.

    Rows about an item outside `items` are left out.

    >>> person_item_table(2, ["a", "b"], [0, 1, 1], ["b", "a", "x"], [3, 1, 9]).tolist()
    [[0, 3], [1, 0]]
    """
    column = pd.Index(items, dtype=object).get_indexer(pd.Index(np.asarray(item, dtype=object)))
    known = column >= 0
    table = np.zeros((n_people, len(items)), np.int8)
    table[np.asarray(row, np.int64)[known], column[known]] = np.asarray(value, np.int8)[known]
    return table


def _with_person(
    own: Int8Array, own_codes: tuple[str, ...], table: Int8Array, codes: tuple[str, ...], rows: IntegerArray
) -> Int8Array:
    """Return one person's values by the columns of a table, then the table's `rows`."""
    first = np.zeros((1, len(codes)), table.dtype)
    column = {code: at for at, code in enumerate(codes)}
    for at, code in enumerate(own_codes):
        if code in column:
            first[0, column[code]] = own[0, at]
    return np.vstack([first, table[rows]])


@dataclass(frozen=True, eq=False)
class SharedInterests:
    """Interests of the catalogue that both have, strongest first; free text is never shown.

    Strength is the lower of the two levels, `(n_people, n_codes)` int8.
    """

    codes: tuple[str, ...]
    level: Int8Array

    @classmethod
    def of(cls, people: Population, catalogue: Catalogue) -> Self:
        """Read the interests of people."""
        table = people.long.interests
        tags = sorted(set(table[C.TAG].unique()) & set(catalogue.interests))
        level = person_item_table(len(people), tags, table[C.ROW], table[C.TAG], table[C.LEVEL])
        return cls(tuple(f"interest:{tag}" for tag in tags), level)

    def with_person(self, own: Self, rows: IntegerArray) -> Self:
        """Return one person at row 0 and the people at `rows` after them."""
        return type(self)(self.codes, _with_person(own.level, own.codes, self.level, self.codes, rows))

    def best(self, viewer: Int32Array, candidate: Int32Array, k: int) -> Int16Array:
        """Return the best positions in `codes`, `(n_pairs, k)`, -1 for none."""

        def lower_level(i: Int32Array, j: Int32Array) -> Int8Array:
            return np.minimum(self.level[i], self.level[j])

        return top_k_shared(len(self.codes), viewer, candidate, lower_level, k=k)


@dataclass(frozen=True, eq=False)
class ListenedTopics:
    """Topics the viewer talks about and the candidate listens to.

    What the candidate wants to talk about is not read, so it can never show. Strength is the product of the
    two weights, 1 to 9. talks, listens: `(n_people, n_codes)` int8.
    """

    codes: tuple[str, ...]
    talks: Int8Array
    listens: Int8Array

    @classmethod
    def of(cls, people: Population, catalogue: Catalogue) -> Self:
        """Read the topics of people."""
        table, topics = people.long.talk_topics, sorted(catalogue.topics)
        talks, listens = (
            person_item_table(len(people), topics, of_role[C.ROW], of_role[C.TOPIC], of_role[C.WEIGHT])
            for of_role in (table[table[C.ROLE] == "talks"], table[table[C.ROLE] == "listens"])
        )
        return cls(tuple(f"listens:{topic}" for topic in topics), talks, listens)

    def with_person(self, own: Self, rows: IntegerArray) -> Self:
        """Return one person at row 0 and the people at `rows` after them."""
        talks = _with_person(own.talks, own.codes, self.talks, self.codes, rows)
        return type(self)(
            self.codes, talks, _with_person(own.listens, own.codes, self.listens, self.codes, rows)
        )

    def best(self, viewer: Int32Array, candidate: Int32Array, k: int) -> Int16Array:
        """Return the best positions in `codes`, `(n_pairs, k)`, -1 for none."""

        def listened_to(i: Int32Array, j: Int32Array) -> Int8Array:
            return self.talks[i] * self.listens[j]

        return top_k_shared(len(self.codes), viewer, candidate, listened_to, k=k)


@dataclass(frozen=True, eq=False)
class SharedAnswers:
    """Questions both answered alike in public; never a sensitive one, nor one the catalogue does not name.

    Whoever knows their own answer learns the other's from a reason. Answers that are not public are dropped
    before anything is computed. Strength is how much the question matters to the viewer, which the viewer
    knows; what matters to the candidate is not read.
    option: `(n_people, n_codes)` int8, the number of the answer from 1, 0 for none; weight: the same shape.
    is_named: `(n_codes,)` bool, which codes may be a reason; the others serve mandatory answers alone.
    """

    codes: tuple[str, ...]
    option: Int8Array
    weight: Int8Array
    is_named: BoolArray

    @classmethod
    def of(cls, people: Population, catalogue: Catalogue) -> Self:
        """Read the public answers of people to questions that are not sensitive."""
        questions = {name: q for name, q in catalogue.questions.items() if not q.sensitive}
        names, table = sorted(questions), people.long.answers
        table = table[(table[C.VISIBILITY] == "public") & table[C.QUESTION].isin(names)]
        option = np.zeros(len(table), np.int64)
        options = [questions[name].answers for name in names]
        for _, entries, place in by_question(
            positions(table[C.QUESTION], tuple(names)), table[C.ANSWER], options
        ):
            option[entries] = place + 1
        levels = sorted({*AMOUNTS[C.IMPORTANCE], *catalogue.importance.values()})
        weight = 1 + np.searchsorted(levels, table[C.IMPORTANCE].to_numpy(np.int64))
        return cls(
            tuple(f"answer:{name}" for name in names),
            person_item_table(len(people), names, table[C.ROW], table[C.QUESTION], option),
            person_item_table(len(people), names, table[C.ROW], table[C.QUESTION], weight),
            np.array([catalogue.may_name_answer(name) for name in names], bool),
        )

    def with_person(self, own: Self, rows: IntegerArray) -> Self:
        """Return one person at row 0 and the people at `rows` after them."""
        option = _with_person(own.option, own.codes, self.option, self.codes, rows)
        weight = _with_person(own.weight, own.codes, self.weight, self.codes, rows)
        return type(self)(self.codes, option, weight, self.is_named)

    def best(self, viewer: Int32Array, candidate: Int32Array, k: int) -> Int16Array:
        """Return the best positions in `codes`, `(n_pairs, k)`, -1 for none."""

        def alike(i: Int32Array, j: Int32Array) -> Int8Array:
            same = (self.option[i] == self.option[j]) & (self.option[i] > 0)
            return self.weight[i] * (same & self.is_named)

        return top_k_shared(len(self.codes), viewer, candidate, alike, k=k)


_COMMUNITY_PAIRS_AT_ONCE: Final = 65_536
LEAST_MEMBERS: Final = 5
"""Of a community; sharing a smaller one would point to a person."""
_FEW_PAIRS: Final = 256  # sets are quicker than matrices up to here


@dataclass(frozen=True, eq=False)
class SharedCommunity:
    """Whether the two share any community of at least `LEAST_MEMBERS`; which one is not said.

    member: `(n_people, n_communities)` int32, 1 for members; communities have numbers, no names.
    """

    member: sparse.csr_array

    @property
    def codes(self) -> tuple[str, ...]:
        """The only code."""
        return ("circle",)

    @classmethod
    def of(cls, people: Population, catalogue: Catalogue) -> Self:  # noqa: ARG003 - one signature for all
        """Read the communities of people."""
        table = people.long.communities
        size = table.groupby(C.COMMUNITY)[C.ROW].nunique()
        table = table[table[C.COMMUNITY].isin(size.index[size >= LEAST_MEMBERS])]
        number, names = pd.factorize(table[C.COMMUNITY])
        ones, shape = np.ones(len(number), np.int32), (len(people), max(1, len(names)))
        entries = (ones, (table[C.ROW].to_numpy(np.int64), number))
        return cls(sparse.csr_array(entries, shape=shape))

    @classmethod
    def unknown(cls, n_people: int) -> Self:
        """Return people of whom no community is known."""
        return cls(sparse.csr_array(np.zeros((n_people, 1), np.int32)))

    def best(self, viewer: Int32Array, candidate: Int32Array, k: int) -> Int16Array:
        """Return 0 where a community is shared, -1 elsewhere, `(n_pairs, k)`."""
        found = np.full((len(viewer), k), -1, np.int16)
        if len(viewer) <= _FEW_PAIRS:
            of = {row: self._communities(row) for row in {*viewer.tolist(), *candidate.tolist()}}
            pairs = zip(viewer.tolist(), candidate.tolist(), strict=True)
            found[:, 0] = [-1 if of[i].isdisjoint(of[j]) else 0 for i, j in pairs]
            return found
        for start in range(0, len(viewer), _COMMUNITY_PAIRS_AT_ONCE):
            part = slice(start, start + _COMMUNITY_PAIRS_AT_ONCE)
            shared = self.member[viewer[part]].multiply(self.member[candidate[part]]).sum(axis=1)
            found[part, 0] = np.where(np.asarray(shared).ravel() > 0, 0, -1)
        return found

    def _communities(self, row: int) -> frozenset[int]:
        start, end = self.member.indptr[row : row + 2].tolist()
        return frozenset(self.member.indices[start:end].tolist())


NEAR_KM: Final = 25.0
"""Centre to centre; a band wider than any cell that a profile may carry at its finest."""


@dataclass(frozen=True, eq=False)
class NearbyCells:
    """Whether two people who both want to meet in person have cells within `NEAR_KM`.

    Cells alone are compared, so nothing finer than a cell can be learned by moving about. People who
    want to stay online are told, and show, nothing about place.
    cell: `(n_people,)` int32 into centre; centre: `(n_cells, 3)` unit vectors; meets: `(n_people,)` bool.
    """

    cell: Int32Array
    centre: Float64Array
    meets: BoolArray

    @property
    def codes(self) -> tuple[str, ...]:
        """The only code."""
        return ("near",)

    @classmethod
    def of(cls, people: Population, catalogue: Catalogue) -> Self:  # noqa: ARG003 - one signature for all
        """Read the cells of people, nothing finer."""
        distinct, cell = np.unique(people.cells, return_inverse=True)
        centre = np.full((len(distinct), 3), np.nan)
        centre[distinct != 0] = centres(distinct[distinct != 0])
        settings = [one for one in ENUMERATIONS[C.MEETING_SETTINGS].words if one != "online_only"]
        outside = people.has_word(C.MEETING_SETTINGS, *settings)
        meets = people.has_word(C.INTENTS, *IN_PERSON_INTENTS) & outside & (people.cells != 0)
        return cls(cell.astype(np.int32), centre, meets)

    @classmethod
    def unknown(cls, n_people: int) -> Self:
        """Return people of whom no place is known."""
        return cls(np.zeros(n_people, np.int32), np.zeros((1, 3)), np.zeros(n_people, bool))

    def best(self, viewer: Int32Array, candidate: Int32Array, k: int) -> Int16Array:
        """Return 0 where the two are near, -1 elsewhere, `(n_pairs, k)`."""
        found = np.full((len(viewer), k), -1, np.int16)
        both = np.flatnonzero(self.meets[viewer] & self.meets[candidate])
        a, b = self.cell[viewer[both]], self.cell[candidate[both]]
        near = pair_distances_km(self.centre[a], self.centre[b]) <= NEAR_KM
        found[both[near], 0] = 0
        return found
