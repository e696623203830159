"""Reason `answer:<question>`: both gave the same answer, and both show it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import AMOUNTS, IN_PERSON_INTENTS
from recsys.data.geography import centres, pair_distances_km
from recsys.data.population import Population
from recsys.types import Int8Array, Int16Array, Int32Array

Arrays = dict[str, npt.NDArray[Any]]
"""What one kind of evidence holds of people, by name, to be saved and mapped again."""

_PAIRS_AT_ONCE = 32_768


def strongest(
    n_things: int,
    i: Int32Array,
    j: Int32Array,
    strength: Callable[[Int32Array, Int32Array], Int8Array],
    *,
    most: int,
) -> Int16Array:
    """Return the `most` strongest things of each pair, `(n_pairs, most)` int16, -1 for none.

    `strength` gives `(n_pairs, n_things)` int8 for some pairs, 0 or less where a thing is not shared;
    it may be written to. Equal strengths go by the order of the things. Pairs are taken some at a
    time, so memory does not grow with their number.

    >>> level = np.array([[2, 0, 3], [5, 1, 3]], np.int8)
    >>> both = lambda a, b: np.minimum(level[a], level[b])
    >>> strongest(3, np.array([0]), np.array([1]), both, most=3).tolist()
    [[2, 0, -1]]
    """
    found = np.full((len(i), most), -1, np.int16)
    for start in range(0, len(i) if n_things else 0, _PAIRS_AT_ONCE):
        part = slice(start, start + _PAIRS_AT_ONCE)
        left = strength(i[part], j[part])
        pair = np.arange(len(left))
        for place in range(min(most, n_things)):
            thing = left.argmax(axis=1)
            found[part, place] = np.where(left[pair, thing] > 0, thing, -1)
            left[pair, thing] = 0
    return found


def table_of(
    n_people: int, things: list[str], row: npt.ArrayLike, thing: npt.ArrayLike, value: npt.ArrayLike
) -> Int8Array:
    """Return values per person and thing as `(n_people, n_things)` int8, 0 where nothing is said.

    Rows about a thing outside `things` are left out.

    >>> table_of(2, ["a", "b"], [0, 1, 1], ["b", "a", "x"], [3, 1, 9]).tolist()
    [[0, 3], [1, 0]]
    """
    column = pd.Index(things, dtype=object).get_indexer(pd.Index(np.asarray(thing, dtype=object)))
    known = column >= 0
    table = np.zeros((n_people, len(things)), np.int8)
    table[np.asarray(row, np.int64)[known], column[known]] = np.asarray(value, np.int8)[known]
    return table


class Agreement:
    """Questions both answered alike in public; never a sensitive one.

    Answers that are not public are dropped before anything is computed. Strength is how much the
    question matters to the viewer, which the viewer knows; what matters to the candidate is not read.
    """

    def __init__(self, people: Population, catalogue: Catalogue) -> None:
        questions = {name: q for name, q in catalogue.questions.items() if not q.sensitive}
        self._questions = sorted(questions)
        said = people.long.answers
        said = said[(said[C.VISIBILITY] == "public") & said[C.QUESTION].isin(self._questions)]
        # An answer is its number among the question's options from 1; 0 when the question has no such option.
        number = {(q.id, answer): n for q in questions.values() for n, answer in enumerate(q.answers, 1)}
        option = [number.get(pair, 0) for pair in zip(said[C.QUESTION], said[C.ANSWER], strict=True)]
        weight = 1 + np.searchsorted(AMOUNTS[C.IMPORTANCE], said[C.IMPORTANCE].to_numpy(np.int64))
        self._option = self._table(len(people), said[C.ROW], said[C.QUESTION], option)
        self._weight = self._table(len(people), said[C.ROW], said[C.QUESTION], weight)
        self.codes = [f"answer:{name}" for name in self._questions]

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], codes: Sequence[str]) -> "Agreement":
        """Take back what `arrays` returned."""
        kind = cls.__new__(cls)
        kind.codes = list(codes)
        kind._questions = [code.partition(":")[2] for code in codes]
        kind._option, kind._weight = np.asarray(arrays["option"]), np.asarray(arrays["weight"])
        return kind

    def arrays(self) -> Arrays:
        """Return what is held of people: public answers to questions that are not sensitive."""
        return {"option": self._option, "weight": self._weight}

    def _table(
        self, n_people: int, row: npt.ArrayLike, question: npt.ArrayLike, value: npt.ArrayLike
    ) -> Int8Array:
        return table_of(n_people, self._questions, row, question, value)

    def of(self, viewer: Int32Array, candidate: Int32Array, most: int) -> Int16Array:
        """Return positions in `codes`, `(n_pairs, most)`, -1 for none."""

        def alike(i: Int32Array, j: Int32Array) -> Int8Array:
            return self._weight[i] * ((self._option[i] == self._option[j]) & (self._option[i] > 0))

        return strongest(len(self._questions), viewer, candidate, alike, most=most)


_CIRCLE_PAIRS_AT_ONCE = 65_536
_FEW = 256  # sets are quicker than matrices up to here


class SharedCircle:
    """Whether the two share any community; which one is not said."""

    codes = ("circle",)

    def __init__(self, people: Population, catalogue: Catalogue) -> None:  # noqa: ARG002
        table = people.long.communities
        number, names = pd.factorize(table[C.COMMUNITY])
        ones = np.ones(len(number), np.int32)
        shape = (len(people), max(1, len(names)))
        self._member = sparse.coo_array(
            (ones, (table[C.ROW].to_numpy(np.int64), number)), shape=shape
        ).tocsr()

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], codes: Sequence[str]) -> "SharedCircle":  # noqa: ARG003
        """Take back what `arrays` returned."""
        kind = cls.__new__(cls)
        parts = tuple(np.asarray(arrays[name]) for name in ("member", "circles", "starts"))
        kind._member = sparse.csr_array(parts, shape=(len(parts[2]) - 1, int(arrays["n_circles"][0])))
        return kind

    def arrays(self) -> Arrays:
        """Return what is held of people: numbers of circles, no names."""
        member = self._member
        return {
            "member": member.data,
            "circles": member.indices,
            "starts": member.indptr,
            "n_circles": np.array([member.shape[1]], np.int64),
        }

    def of(self, viewer: Int32Array, candidate: Int32Array, most: int) -> Int16Array:
        """Return 0 where a circle is shared, -1 elsewhere, `(n_pairs, most)`."""
        found = np.full((len(viewer), most), -1, np.int16)
        if len(viewer) <= _FEW:
            for pair, (i, j) in enumerate(zip(viewer.tolist(), candidate.tolist(), strict=True)):
                found[pair, 0] = 0 if self._circles(i) & self._circles(j) else -1
            return found
        for start in range(0, len(viewer), _CIRCLE_PAIRS_AT_ONCE):
            part = slice(start, start + _CIRCLE_PAIRS_AT_ONCE)
            shared = self._member[viewer[part]].multiply(self._member[candidate[part]]).sum(axis=1)
            found[part, 0] = np.where(np.asarray(shared).ravel() > 0, 0, -1)
        return found

    def _circles(self, row: int) -> frozenset[int]:
        start, end = self._member.indptr[row : row + 2].tolist()
        return frozenset(self._member.indices[start:end].tolist())


class SharedInterests:
    """Interests of the catalogue that both have, strongest first; free text is never shown.

    Strength is the lower of the two levels: an interest is shared as far as both hold it.
    """

    def __init__(self, people: Population, catalogue: Catalogue) -> None:
        table = people.long.interests
        self._tags = sorted(set(table[C.TAG].unique()) & set(catalogue.interests))
        self._level = table_of(len(people), self._tags, table[C.ROW], table[C.TAG], table[C.LEVEL])
        self.codes = [f"interest:{tag}" for tag in self._tags]

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], codes: Sequence[str]) -> "SharedInterests":
        """Take back what `arrays` returned."""
        kind = cls.__new__(cls)
        kind.codes = list(codes)
        kind._tags = [code.partition(":")[2] for code in codes]
        kind._level = np.asarray(arrays["level"])
        return kind

    def arrays(self) -> Arrays:
        """Return what is held of people."""
        return {"level": self._level}

    def of(self, viewer: Int32Array, candidate: Int32Array, most: int) -> Int16Array:
        """Return positions in `codes`, `(n_pairs, most)`, -1 for none."""

        def both(i: Int32Array, j: Int32Array) -> Int8Array:
            return np.minimum(self._level[i], self._level[j])

        return strongest(len(self._tags), viewer, candidate, both, most=most)


class Listening:
    """Topics the viewer talks about and the candidate listens to.

    What the candidate wants to talk about is read nowhere here, so it can never show.
    Strength is the product of the two weights, 1 to 9.
    """

    def __init__(self, people: Population, catalogue: Catalogue) -> None:
        table = people.long.talk_topics
        self._topics = sorted(catalogue.topics)
        self._talks, self._listens = (
            table_of(len(people), self._topics, said[C.ROW], said[C.TOPIC], said[C.WEIGHT])
            for said in (table[table[C.ROLE] == "talks"], table[table[C.ROLE] == "listens"])
        )
        self.codes = [f"listens:{topic}" for topic in self._topics]

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], codes: Sequence[str]) -> "Listening":
        """Take back what `arrays` returned."""
        kind = cls.__new__(cls)
        kind.codes = list(codes)
        kind._topics = [code.partition(":")[2] for code in codes]
        kind._talks, kind._listens = np.asarray(arrays["talks"]), np.asarray(arrays["listens"])
        return kind

    def arrays(self) -> Arrays:
        """Return what is held of people."""
        return {"talks": self._talks, "listens": self._listens}

    def of(self, viewer: Int32Array, candidate: Int32Array, most: int) -> Int16Array:
        """Return positions in `codes`, `(n_pairs, most)`, -1 for none."""

        def heard(i: Int32Array, j: Int32Array) -> Int8Array:
            return self._talks[i] * self._listens[j]

        return strongest(len(self._topics), viewer, candidate, heard, most=most)


NEAR_KM: Final = 25.0
"""Centre to centre; a band wider than any cell that a profile may carry at its finest."""


class Near:
    """Whether two people who both want to meet in person have cells within `NEAR_KM`.

    Cells alone are compared, so nothing finer than a cell can be learned by moving about. People who
    want to stay online are told, and show, nothing about place.
    """

    codes = ("near",)

    def __init__(self, people: Population, catalogue: Catalogue) -> None:  # noqa: ARG002
        distinct, cell = np.unique(people.cells, return_inverse=True)
        self._cell = cell.astype(np.int32)
        self._centre = np.full((len(distinct), 3), np.nan)
        self._centre[distinct != 0] = centres(distinct[distinct != 0])
        self._meets = people.has_word(C.INTENTS, *IN_PERSON_INTENTS) & (people.cells != 0)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], codes: Sequence[str]) -> "Near":  # noqa: ARG003
        """Take back what `arrays` returned."""
        kind = cls.__new__(cls)
        kind._cell, kind._centre = np.asarray(arrays["cell"]), np.asarray(arrays["centre"])
        kind._meets = np.asarray(arrays["meets"])
        return kind

    def arrays(self) -> Arrays:
        """Return what is held of people: their cells, nothing finer."""
        return {"cell": self._cell, "centre": self._centre, "meets": self._meets}

    def of(self, viewer: Int32Array, candidate: Int32Array, most: int) -> Int16Array:
        """Return 0 where the two are near, -1 elsewhere, `(n_pairs, most)`."""
        found = np.full((len(viewer), most), -1, np.int16)
        both = np.flatnonzero(self._meets[viewer] & self._meets[candidate])
        a, b = self._cell[viewer[both]], self._cell[candidate[both]]
        close = pair_distances_km(self._centre[a], self._centre[b]) <= NEAR_KM
        found[both[close], 0] = 0
        return found
