"""Population: everybody as of one time, validated and coded once, as aligned arrays.

A `Population` is built from validated tables. Row r of every array is the person `ids.values[r]`;
rows are in id order. Unknown is never a default: codes and amounts use -1, sets carry `known`,
a missing cell is 0.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.arguments import check_type, checked_arguments
from recsys.catalogue.catalogue import Catalogue, load_catalogue
from recsys.catalogue.columns import Columns as C
from recsys.data.absent_accounts import AbsentAccounts
from recsys.data.bitsets import contains, pack, unpack, words_needed
from recsys.data.csr import EntriesOfRows
from recsys.data.exclusions import Relations
from recsys.data.geography import FEWEST_RESIDENTS, radii_km
from recsys.data.ids import IdIndex, as_ids
from recsys.data.shared_values import factorize_shared
from recsys.data.times import HOURS_A_WEEK, as_utc, utc_hours
from recsys.errors import InputError, did_you_mean, explained, warn
from recsys.types import BoolArray, Int8Array, Int32Array, UInt64Array

_COLUMNS = frozenset(value for name, value in vars(C).items() if name.isupper())
_AMOUNTS: Final = (C.MAX_DISTANCE_KM, C.MIN_DISTANCE_KM)
_MOST_KM: Final = 20_000
_MAPPINGS: Final = ("coded", "coded_sets", "counted")


@dataclass(frozen=True, eq=False)
class CodedColumn:
    """A column of single words: `codes` `(n_people,)` int8 into `words`, -1 unknown."""

    words: tuple[str, ...]
    codes: Int8Array


@dataclass(frozen=True, eq=False)
class CodedSetColumn:
    """A column of sets: bit b of `bits` `(n_people, n_words)` uint64 stands for `words[b]`."""

    words: tuple[str, ...]
    bits: UInt64Array
    known: BoolArray


@dataclass(frozen=True, eq=False)
class LongTables:
    """The tables with several rows a person; each has a `row` column, sorted by it.

    interests:   row, tag, level, share_mode
    talk_topics: row, topic, role, weight
    answers:     row, question_id, answer, accepted (tuple of words), importance, mandatory, visibility
    communities: row, community_id
    tokens:      row, namespace, kind, hmac
    """

    interests: pd.DataFrame
    talk_topics: pd.DataFrame
    answers: pd.DataFrame
    communities: pd.DataFrame
    tokens: pd.DataFrame

    @classmethod
    def empty(cls) -> "LongTables":
        """Return tables without rows."""
        return _no_rows().mapped(lambda table: table.copy(deep=False))

    def mapped(self, change: Callable[[pd.DataFrame], pd.DataFrame]) -> "LongTables":
        """Return the tables with `change` applied to each."""
        return LongTables(**{name: change(getattr(self, name)) for name in self.__dataclass_fields__})


@cache
def _no_rows() -> LongTables:
    def table(*columns: str) -> pd.DataFrame:
        return pd.DataFrame({C.ROW: pd.Series(dtype="int32")} | {c: pd.Series(dtype=object) for c in columns})

    return LongTables(
        interests=table(C.TAG, C.LEVEL, C.SHARE_MODE),
        talk_topics=table(C.TOPIC, C.ROLE, C.WEIGHT),
        answers=table(C.QUESTION, C.ANSWER, C.ACCEPTED, C.IMPORTANCE, C.MANDATORY, C.VISIBILITY),
        communities=table(C.COMMUNITY),
        tokens=table(C.NAMESPACE, C.KIND, C.HMAC),
    )


_LIKED = "liked"


@dataclass(frozen=True, eq=False)
class Population:
    """Everybody as of one time, validated and coded once.

    Read it with `codes`, `sets`, `known`, `amounts`, `cells` and `utc_hours`; every one is aligned
    with `ids`. `has_boundaries` says who has a boundaries row at all; `held` who is under a hold.
    `catalogue` holds the questions, interests and topics that their tables were read with; `absent` what
    is known about safety of accounts that are not among them.

    >>> people = Population.of_ids(["b", "a"], as_of="2026-01-05")
    >>> len(people), people.codes("gender")
    (2, array([-1, -1], dtype=int8))
    """

    ids: IdIndex
    as_of: pd.Timestamp
    coded: Mapping[str, CodedColumn]
    coded_sets: Mapping[str, CodedSetColumn]
    counted: Mapping[str, npt.NDArray[np.int32]]
    cells: UInt64Array
    zones: npt.NDArray[np.object_]
    person_tokens: npt.NDArray[np.object_]
    has_boundaries: BoolArray
    held: BoolArray
    long: LongTables
    relations: Relations
    source: str = field(default="memory")
    catalogue: Catalogue = field(default_factory=load_catalogue)
    absent: AbsentAccounts = field(default_factory=AbsentAccounts.none)

    @classmethod
    @checked_arguments
    def of_ids(cls, ids: npt.ArrayLike | list[str], as_of: str | pd.Timestamp) -> "Population":
        """Return people of whom nothing but the id is known.

        An id that stands several times, as in both columns of a log, is one person: `len` says how many there
        are. A survey with two rows of one person is refused by `Questionnaire`, which would have to choose.
        People stand in the order of their ids, `people.ids.values`, not in the order given, and so do the
        rows of what blocks and models make of them.

        Enough for models that learn from events alone. The default policy lists nobody of them, for
        nothing is known that would make it safe; see `recsys.Interactions` for other people's data.

        Raises InputError for ids that are no list or column, that are missing, or of several kinds.
        """
        distinct = pd.unique(as_ids(ids))
        if pd.isna(distinct).any():
            raise InputError(explained("an id is missing", where="of_ids", remedy="leave these rows out"))
        index = IdIndex(distinct.tolist())
        n_people = len(index)
        return cls(
            ids=index,
            as_of=as_utc(as_of),
            coded=MappingProxyType({}),
            coded_sets=MappingProxyType({}),
            counted=MappingProxyType({}),
            cells=np.zeros(n_people, np.uint64),
            zones=np.full(n_people, None, dtype=object),
            person_tokens=np.full(n_people, None, dtype=object),
            has_boundaries=np.zeros(n_people, bool),
            held=np.zeros(n_people, bool),
            long=LongTables.empty(),
            relations=Relations.none(n_people),
        )

    def __len__(self) -> int:
        return len(self.ids)

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields for copies in memory and other processes; read-only mappings as plain ones."""
        kept = {name: value for name, value in vars(self).items() if name != "_by_person"}
        return {name: dict(value) if name in _MAPPINGS else value for name, value in kept.items()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, MappingProxyType(value) if name in _MAPPINGS else value)

    def __repr__(self) -> str:
        return f"Population({len(self):,} people as of {self.as_of:%Y-%m-%d %H:%M} UTC, from {self.source})"

    def _repr_html_(self) -> str:
        return f"<p>{self!r}</p>{self.summary().to_html()}"

    def summary(self) -> pd.DataFrame:
        """Return how much is known of each column: known (share of people) and words (how many there are).

        >>> Population.of_ids(["a", "b"], as_of="2026-01-05").summary()["known"].to_dict()
        {'cell': 0.0, 'tz': 0.0}
        """
        words = {name: len(coded.words) for name, coded in self.coded.items()}
        words |= {name: len(coded.words) for name, coded in self.coded_sets.items()}
        names = [*words, *self.counted, C.CELL, C.TZ]
        share = [float(self.known(name).mean()) if len(self) else 0.0 for name in names]
        return pd.DataFrame(
            {"known": share, "words": [words.get(name, 0) for name in names]},
            index=pd.Index(names, name="column"),
        )

    def codes(self, column: str) -> Int8Array:
        """Return a single-valued column as `(n_people,)` int8 codes, -1 unknown."""
        if column in self.coded:
            return self.coded[column].codes
        _known(column)
        return np.full(len(self), -1, np.int8)

    def sets(self, column: str) -> UInt64Array:
        """Return a set column as `(n_people, n_words)` uint64 bits; unknown is no bit."""
        if column in self.coded_sets:
            return self.coded_sets[column].bits
        _known(column)
        return np.zeros((len(self), 1), np.uint64)

    def known(self, column: str) -> BoolArray:
        """Say for whom `column` is known, `(n_people,)` bool, whatever kind of column it is."""
        if column in self.coded_sets:
            return self.coded_sets[column].known
        if column in self.counted:
            return self.counted[column] >= 0
        if column == C.CELL:
            return self.cells != 0
        if column == C.TZ:
            return pd.notna(self.zones)
        return self.codes(column) >= 0

    def amounts(self, column: str) -> npt.NDArray[np.int32]:
        """Return a numeric column as `(n_people,)` int32, -1 unknown."""
        if column in self.counted:
            return self.counted[column]
        _known(column)
        return np.full(len(self), -1, np.int32)

    @checked_arguments
    def assuming(self, **amounts: int) -> "Population":
        """Return the same people with other amounts, the same for everybody, to ask "what if".

        For studies, such as `compare_policies`: what somebody allows is theirs to say, so nothing made of
        this may be shown to anybody. Warns where nobody is touched, and where a maximum is less than the
        reach of areas that people are known by (see `recsys.data.geography.coarsen`): distances are between
        the centres of areas. Raises InputError for a column that holds no amounts.

        >>> people = Population.of_ids(["a"], as_of="2026-01-05")
        >>> people = replace(people, cells=np.array([0x862F5A32FFFFFFF], np.uint64))
        >>> people.assuming(max_distance_km=50).amounts("max_distance_km")
        array([50], dtype=int32)
        """
        if not amounts:
            remedy = "give an amount, such as max_distance_km=50"
            raise InputError(explained("nothing is assumed", where="assuming", remedy=remedy))
        for name, amount in amounts.items():
            if name not in _AMOUNTS:
                raise InputError(explained("no such amount", got=name, remedy=did_you_mean(name, _AMOUNTS)))
            least = 1 if name == C.MAX_DISTANCE_KM else 0
            if not least <= amount <= _MOST_KM:
                what, remedy = f"{name} is no distance", f"give whole km from {least} to {_MOST_KM:,}"
                raise InputError(explained(what, where="assuming", got=amount, remedy=remedy))
        changed = {name: np.full(len(self), amount, np.int32) for name, amount in amounts.items()}
        if len(self) and not self.cells.any():
            warn("assuming distances changes nothing: nobody has a place; give people with the column 'cell'")
        elif all(np.array_equal(self.amounts(name), amount) for name, amount in changed.items()):
            warn("assuming these distances changes nothing: everybody has them already")
        elif C.MAX_DISTANCE_KM in amounts:
            self._warn_of_wider_areas(amounts[C.MAX_DISTANCE_KM])
        return replace(self, counted=MappingProxyType({**self.counted, **changed}))

    def _warn_of_wider_areas(self, km: int) -> None:
        cells, counts = np.unique(self.cells[self.cells != 0], return_counts=True)
        reach = radii_km(cells)
        if (n_wider := int(counts[reach > km].sum())) > 0:
            warn(
                f"assuming max_distance_km={km}: {n_wider:,} of {len(self):,} people are known by areas that "
                f"reach further than that from their centre, up to {reach.max():.0f} km, and distances are "
                f"between centres; areas of fewer than {FEWEST_RESIDENTS:,} residents are kept as larger ones"
            )

    def has_word(self, column: str, *words: str) -> BoolArray:
        """Say whose set in `column` holds any of `words`, `(n_people,)` bool."""
        if column not in self.coded_sets:
            _known(column)
            return np.zeros(len(self), bool)
        coded = self.coded_sets[column]
        return contains(coded.bits, [_position(column, word, coded.words) for word in words])

    def is_word(self, column: str, word: str) -> BoolArray:
        """Say whose single value in `column` is `word`, `(n_people,)` bool."""
        if column not in self.coded:
            _known(column)
            return np.zeros(len(self), bool)
        return np.equal(self.coded[column].codes, _position(column, word, self.coded[column].words))

    @cached_property
    def utc_hours(self) -> UInt64Array:
        """UTC hours of the served week each person can be reached, `(n_people, 3)` uint64."""
        words = np.zeros((len(self), words_needed(HOURS_A_WEEK)), np.uint64)
        windows = self.coded_sets.get(C.CONTACT_WINDOWS)
        if windows is None:
            return words
        for tz in pd.unique(pd.Series(self.zones, dtype=object).dropna()):
            here = self.zones == tz
            for bit, window in enumerate(windows.words):
                open_then = here & contains(windows.bits, [bit])
                if open_then.any():
                    words[open_then] |= pack([utc_hours([window], tz, self.as_of)], HOURS_A_WEEK)[0]
        return words

    def word(self, column: str, row: int) -> str | None:
        """Return one person's single word, None when unknown."""
        code = int(self.codes(column)[row])
        return None if code < 0 else self.coded[column].words[code]

    def words(self, column: str, row: int) -> frozenset[str] | None:
        """Return one person's set of words, None when unknown."""
        if column not in self.coded_sets:
            _known(column)
            return None
        coded = self.coded_sets[column]
        if not coded.known[row]:
            return None
        held = unpack(coded.bits[row : row + 1], len(coded.words))[0]
        return frozenset(coded.words[at] for at in np.flatnonzero(held))

    @property
    def nothing_known(self) -> bool:
        """Whether no column and no table says anything of anybody, as in data of interactions alone.

        >>> Population.of_ids(["a"], as_of="2026-01-05").nothing_known
        True
        """
        tables = (getattr(self.long, name) for name in self.long.__dataclass_fields__)
        columns = (*self.coded, *self.coded_sets, *self.counted)
        return not any(self.known(column).any() for column in columns) and not any(map(len, tables))

    @checked_arguments
    def with_relations(self, relations: Relations) -> "Population":
        """Return the same people with other relations between them."""
        if len(relations.suggestible) != len(self):
            raise InputError(
                explained(
                    "relations are for another population",
                    got=f"{len(relations.suggestible)} people, not {len(self)}",
                    remedy="derive them from this population",
                )
            )
        return replace(self, relations=relations)

    @checked_arguments
    def take(self, rows: Int32Array | npt.ArrayLike) -> "Population":
        """Return the people at `rows` (any order, no repeats) as a population of their own."""
        kept = np.unique(np.asarray(rows, dtype=np.int64))
        return self.arranged(kept, IdIndex(self.ids.ids(kept).tolist()))

    @checked_arguments
    def arranged(self, order: npt.NDArray[np.integer[Any]], ids: IdIndex) -> "Population":
        """Return the people at `order` (no repeats), in that order and under these ids."""
        position = np.full(len(self), -1, np.int32)
        position[order] = np.arange(len(order), dtype=np.int32)

        relations = self.relations
        excluded, reopened = (position[pairs] for pairs in (relations.excluded, relations.reopened))
        inside = (excluded >= 0).all(axis=1)
        return replace(
            self,
            ids=ids,
            coded={c: CodedColumn(v.words, v.codes[order]) for c, v in self.coded.items()},
            coded_sets={
                c: CodedSetColumn(v.words, v.bits[order], v.known[order]) for c, v in self.coded_sets.items()
            },
            counted={c: v[order] for c, v in self.counted.items()},
            cells=self.cells[order],
            zones=self.zones[order],
            person_tokens=self.person_tokens[order],
            has_boundaries=self.has_boundaries[order],
            held=self.held[order],
            long=self._long_of(order),
            relations=Relations.of(
                len(order),
                excluded=excluded[inside],
                reason=relations.reason[inside],
                liked=self._liked_among(order, position),
                suggestible=relations.suggestible[order],
                accepted=relations.accepted[order],
                proved=relations.proved[order],
                reopened=reopened[(reopened >= 0).all(axis=1)],
            ),
        )

    def _long_of(self, order: npt.NDArray[np.integer[Any]]) -> LongTables:
        """Return the tables of the people at `order`; what it costs does not grow with everybody else."""

        def moved(name: str) -> pd.DataFrame:
            at, row = self._by_person[name].find(order)
            return getattr(self.long, name).take(at).assign(**{C.ROW: row}).reset_index(drop=True)

        return LongTables(**{name: moved(name) for name in LongTables.__dataclass_fields__})

    def _liked_among(
        self, order: npt.NDArray[np.integer[Any]], position: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.int32]:
        """Return who likes whom among the people at `order`; position: `(n_people,)` in it, -1 for others."""
        at, actor = self._by_person[_LIKED].find(order)
        target = position[self.relations.liked[at, 1]]
        return np.column_stack([actor, target])[target >= 0]

    @cached_property
    def _by_person(self) -> dict[str, EntriesOfRows]:
        """Where the rows of each person lie in the tables of several rows a person, and in the likes."""
        rows = {name: getattr(self.long, name)[C.ROW].to_numpy() for name in LongTables.__dataclass_fields__}
        rows[_LIKED] = self.relations.liked[:, 0]
        return {name: EntriesOfRows.of(own, len(self)) for name, own in rows.items()}


def _known(column: str) -> None:
    """Raise InputError for a column no table has; one that nobody filled in is known."""
    check_type(column, str, name="column", where="Population")
    if column not in _COLUMNS:
        raise InputError(explained("unknown column", got=column, remedy=did_you_mean(column, _COLUMNS)))


def _position(column: str, word: str, words: tuple[str, ...]) -> int:
    if word not in words:
        raise InputError(explained("unknown word", where=column, got=word, remedy=did_you_mean(word, words)))
    return words.index(word)


def coded_words(values: pd.Series, words: tuple[str, ...]) -> CodedColumn:
    """Code a column of words (missing is unknown) against its vocabulary."""
    group, distinct = pd.factorize(values.to_numpy(object))
    at = {word: code for code, word in enumerate(words)}
    codes = np.array([*(at.get(word, -1) for word in distinct), -1], np.int8)
    return CodedColumn(words, codes[group])


def coded_set(values: pd.Series, words: tuple[str, ...]) -> CodedSetColumn:
    """Code a column of tuples of words (None is unknown) against its vocabulary."""
    known = values.notna().to_numpy(bool)
    group, distinct = factorize_shared(values.where(known, None).to_numpy(object))
    code = {word: number for number, word in enumerate(words)}
    table = pack([tuple(code[word] for word in members) for members in distinct], len(words))
    bits = np.zeros((len(values), table.shape[1]), np.uint64)
    bits[known] = table[group[known]]
    return CodedSetColumn(words, bits, known)
