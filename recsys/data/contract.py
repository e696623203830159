"""A table's contract: what it holds, and what happens to rows and tables that break it.

A broken table raises TableError with every problem at once. A broken row is quarantined with every
reason, and rows in = rows accepted + rows quarantined, which is counted on every run.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.data.contact_tokens import is_token
from recsys.data.fail_closed import RestrictionRule, Restrictions, no_restrictions
from recsys.data.fields.base import Field, Violation, dtype_name
from recsys.data.fields.time import Time
from recsys.data.forbidden_columns import forbidden_column, is_forbidden_name
from recsys.data.id_spellings import as_id_text, id_in_one_spelling
from recsys.data.quarantine import ROW_NUMBER, Quarantine
from recsys.data.shared_values import without_categories
from recsys.errors import RecsysError, TableError, did_you_mean, explained, shown
from recsys.redaction import column_labels, places_of
from recsys.types import IndexArray

_FIRST_KEYS = 5
_MOST_NUMBERS = 2**62


@dataclass(frozen=True, eq=False)
class RuleContext:
    """What a rule over whole rows may look at.

    rows:  the canonical table, unknown where a value was refused; its index is the position.
    sound: `(n_rows,)` bool, the rows that no earlier step refused.
    as_of: the time of loading, None when any time may be.
    users: everybody with an accepted profile, None when profiles are not at hand.
    only_future: positions of rows with nothing wrong but that they are yet to come.
    """

    rows: pd.DataFrame
    sound: npt.NDArray[np.bool_]
    as_of: pd.Timestamp | None
    users: frozenset[str] | None
    only_future: IndexArray

    @property
    def sound_rows(self) -> pd.DataFrame:
        """The rows that no earlier step refused; a rule reads them and changes nothing."""
        return self.rows if self.sound.all() else self.rows[self.sound]

    def sound_columns(self, *names: str) -> pd.DataFrame:
        """Return some columns of `sound_rows`: a large table is not copied in full."""
        columns = self.rows[list(names)]
        return columns if self.sound.all() else columns[self.sound]

    def sound_column(self, name: str) -> pd.Series:
        """Return one column of `sound_rows`, which costs a small table a tenth of a frame."""
        column = self.rows[name]
        return column if self.sound.all() else column[self.sound]


Prepare = Callable[[pd.DataFrame], tuple[pd.DataFrame, list[Violation]]]
"""Changes a table as it was given before it is read; the violations refuse rows of it."""
Repair = Callable[[pd.DataFrame], pd.DataFrame]
"""Changes canonical rows."""
Rule = Callable[[RuleContext], Iterable[Violation]]
"""Finds rows whose values do not go together."""


@dataclass(frozen=True, eq=False)
class CheckedTable:
    """A checked table.

    accepted:    canonical rows: words as text or None, sets as sorted tuples or None, whole numbers as
                 Int32, real numbers as float64, times as `datetime64[us, UTC]`; every column of the
                 contract is there.
    quarantined: the other rows as short text, with `row_number` (position in the table, from 0),
                 `user_id` where it could be read, `codes` and `reason`.
    restrictions: people to hold and pairs to exclude because a refused row may have said so.
    later:       canonical rows with nothing wrong but that they are yet to come.
    """

    accepted: pd.DataFrame
    quarantined: pd.DataFrame
    restrictions: Restrictions
    later: pd.DataFrame


@dataclass(frozen=True, kw_only=True)
class Contract:
    """What one table may hold.

    key:        columns whose values together stand once; a repeat breaks the table.
    rules:      steps in order; each sees the rows that all earlier steps let through.
    restrictions: what refused rows restrict, when they may have forbidden something.
    prepare:    changes the table before it is read, where a catalogue carries old ids over.
    repair:     changes canonical rows before the rules see them, never how many they are.
    """

    table: str
    fields: tuple[Field, ...]
    key: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    restrictions: RestrictionRule = no_restrictions
    prepare: Prepare | None = None
    repair: Repair | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all columns, in order."""
        return tuple(field.name for field in self.fields)

    def check(
        self,
        frame: pd.DataFrame,
        *,
        as_of: pd.Timestamp | None = None,
        users: frozenset[str] | None = None,
    ) -> CheckedTable:
        """Split a table into accepted and quarantined rows.

        Raises TableError naming every problem when the table as a whole cannot be used.
        """
        return self.check_read(lambda: frame, as_of=as_of, users=users)

    def check_read(
        self,
        read: Callable[[], pd.DataFrame],
        *,
        as_of: pd.Timestamp | None = None,
        users: frozenset[str] | None = None,
        past: bool = False,
        coded: bool = False,
    ) -> CheckedTable:
        """Split the table that `read` returns; it is not referenced afterwards, so it can be freed.

        past: see `Quarantine.frame`. coded: texts of accepted rows are categories, in a large table.
        """
        given = read().reset_index(drop=True)
        table, merged = (given, []) if self.prepare is None else self.prepare(given)
        self._raise(self._table_problems(table, users or frozenset()))
        rows, faults = self._read(table, as_of, coded=coded)
        rows = rows if self.repair is None else self.repair(rows)
        quarantine = Quarantine(self.fields, given)
        quarantine.add([*faults, *merged])
        del table
        self._raise(self._repeated_keys(rows, ~quarantine.refused))
        for rule in self.rules:
            quarantine.add(
                rule(RuleContext(rows, ~quarantine.refused, as_of, users, quarantine.only("future")))
            )
        kept, quarantined = ~quarantine.refused, quarantine.frame(rows, past=past)
        later = without_categories(rows.iloc[quarantine.only("future")]).reset_index(drop=True)
        refused = (
            _with_ids_as_given(without_categories(rows[~kept]), given).reset_index(drop=True)
            if len(quarantined)
            else later
        )
        told = _with_words_as_given(quarantined, given)
        del given, quarantine
        restricted = self.restrictions(refused, told) if len(quarantined) else Restrictions()
        return self._split(rows, kept, quarantined, restricted, later)

    def _raise(self, problems: list[str]) -> None:
        if problems:
            raise TableError(self.table, problems)

    def _table_problems(self, given: pd.DataFrame, users: frozenset[str]) -> list[str]:
        names = [str(name) for name in given.columns]
        labels = self._labels(given, names, users)
        if len(names) > 1 and not {*names} & {*labels}:  # these may be the values of a first row
            remedy = f"give the header line: {', '.join(self.columns)}"
            return [explained("no column of the table is there", got=f"{len(names)} columns", remedy=remedy)]
        twice = dict.fromkeys(
            label for name, label in zip(names, labels, strict=True) if names.count(name) > 1
        )
        problems = [
            explained("duplicate column", got=label, remedy="keep one of them") for label in sorted(twice)
        ]
        problems += [
            forbidden_column(name, label)
            or explained("unknown column", got=name, remedy=did_you_mean(name, self.columns))
            for name, label in zip(names, labels, strict=True)
            if name not in self.columns and (name == label or forbidden_column(name))
        ]
        told = zip(names, labels, strict=True)
        if placed := [label for name, label in told if name != label and not forbidden_column(name)]:
            what = "an unknown column, whose name may be a value"
            if len(placed) > 1:
                what = f"{len(placed)} unknown columns, whose names may be values"
            remedy = "write the names of the columns in the first line, and remove what is no column"
            problems.append(explained(what, got=places_of(placed), remedy=remedy))
        for field in self.fields:
            if field.name not in names:
                if field.needed:
                    remedy = "add it, null where unknown" if field.nullable else "add it"
                    problems.append(explained("missing column", got=field.name, remedy=remedy))
            elif field.name not in twice and (problem := field.type_problem(given[field.name])):
                problems.append(problem)
        return problems

    def _labels(self, given: pd.DataFrame, names: Sequence[str], users: frozenset[str]) -> list[str]:
        """Return how problems name each column: words, ids and what stands in the table are values."""
        unknown = {name for name in names if name not in self.columns}
        if not unknown:
            return list(names)
        values = users | WORDS_OF_VALUES
        for at in range(given.shape[1]):
            cells = given.iloc[:, at]
            values |= unknown & {str(one) for one in cells[cells.isin(list(unknown))].unique()}
        refused = {name for name in unknown if is_forbidden_name(name)}
        return column_labels(names, known={*self.columns, *refused}, values=values, has_no_others=True)

    def _read(
        self, given: pd.DataFrame, as_of: pd.Timestamp | None, *, coded: bool
    ) -> tuple[pd.DataFrame, list[Violation]]:
        read: dict[str, pd.Series] = {}
        faults: list[Violation] = []
        for field in self.fields:
            there = field.name in given.columns
            values = given[field.name] if there else _absent(len(given))
            result = field.read_coded(values) if coded else field.read(values)
            read[field.name] = result.column
            if there:
                faults.extend(result.faults)
                self._raise(self._none_readable(field, given[field.name], result.faults))
            if isinstance(field, Time) and as_of is not None:
                faults.append(field.later(result.column, as_of))
        return pd.DataFrame(read, columns=list(self.columns), copy=False), faults

    def _none_readable(self, field: Field, given: pd.Series, faults: Iterable[Violation]) -> list[str]:
        """Find a column that holds something else altogether: at least two values and all of another type."""
        for fault in faults:
            n_rows = len(fault.rows)
            if fault.code.endswith(_OF_ANOTHER_TYPE) and 1 < n_rows == int(given.notna().sum()):
                got = dtype_name(given)
                remedy = f"in all {n_rows} rows: {fault.summary or _first(fault.reason)}"
                return [explained(f"wrong type in column '{field.name}'", got=got, remedy=remedy)]
        return []

    def is_unusable(self, name: str, values: pd.Series) -> bool:
        """Say whether nothing can be read in a column: it is of a wrong type, or each of its values is."""
        field = next(field for field in self.fields if field.name == name)
        if field.type_problem(values) is not None:
            return True
        return bool(self._none_readable(field, values, field.read(values).faults))

    def _repeated_keys(self, rows: pd.DataFrame, sound: npt.NDArray[np.bool_]) -> list[str]:
        if not self.key or len(rows) < 2:
            return []
        known = [rows[name] if sound.all() else rows[name][sound] for name in self.key]
        if _are_different(known):
            return []
        del known
        keys = rows[list(self.key)]
        keys = keys if sound.all() else keys[sound]
        again = keys.duplicated()
        if not again.any():
            return []
        first = keys[again].drop_duplicates().head(_FIRST_KEYS)
        shown_columns = [name for name in self.key if name not in _PERSON_COLUMNS]
        if len(shown_columns) < len(self.key):  # who is held or blocked stands in no message
            places = np.flatnonzero(sound)[again.to_numpy(bool)][:_FIRST_KEYS].tolist()
            named = f"the first in row {', '.join(map(str, places))} (from 0)"
        else:
            named = "; ".join(
                ", ".join(f"{c}={shown(str(v))}" for c, v in key.items()) for key in first.to_dict("records")
            )
        what = f"{int(again.sum())} rows repeat the key ({', '.join(self.key)})"
        return [f"{what}: {named}; keep one row for each"]

    def _split(
        self,
        rows: pd.DataFrame,
        kept: npt.NDArray[np.bool_],
        quarantined: pd.DataFrame,
        restricted: Restrictions,
        later: pd.DataFrame,
    ) -> CheckedTable:
        n_rows, accepted = len(rows), _moved(rows, kept)
        if len(accepted) + len(quarantined) != n_rows:
            raise RecsysError(
                explained(
                    "rows were lost",
                    where=self.table,
                    got=f"{n_rows} in, {len(accepted)} accepted, {len(quarantined)} quarantined",
                    remedy="report this: it is a defect",
                )
            )
        return CheckedTable(accepted, quarantined, restricted, later)


WORDS_OF_VALUES: Final = frozenset(word for one in ENUMERATIONS.values() for word in one.words)
"""Words that stand in columns: where one is a column's name, a row was taken for the header."""

_WORD_COLUMNS: Final = (C.TYPE, C.ACCOUNT_STATE, C.STATE)
_PERSON_COLUMNS: Final = (C.USER, C.ACTOR, C.TARGET)
LONGEST_ID: Final = 512
"""Characters of an id that are read; the rest of a longer one tells nobody from anybody."""


def _with_ids_as_given(refused: pd.DataFrame, given: pd.DataFrame) -> pd.DataFrame:
    """Return refused rows with the ids that could not be read as they were given, for what they restrict."""
    found = refused.copy()
    for column in _PERSON_COLUMNS:
        if column in found and column in given:
            unread = found[column].isna().to_numpy(bool)
            raw = (
                given[column]
                .loc[found.index[unread]]
                .astype(object)  # of categories each would be mapped, also those of no refused row
                .map(lambda one: as_id_text(one)[:LONGEST_ID], na_action="ignore")
            )
            ids = found[column].to_numpy(object, copy=True)
            ids[unread] = raw.to_numpy(object)
            found[column] = pd.Series(ids, found.index, dtype=object)
    if C.PERSON_TOKEN in found and C.PERSON_TOKEN in given:
        raw = given[C.PERSON_TOKEN].loc[found.index].map(token_meant, na_action="ignore").astype(object)
        known = found[C.PERSON_TOKEN].astype(object)
        found[C.PERSON_TOKEN] = known.where(known.notna(), raw.where(raw.notna(), None))
    return found


def _with_words_as_given(quarantined: pd.DataFrame, given: pd.DataFrame) -> pd.DataFrame:
    """Return quarantined rows with types and states whole where they are texts: any part may restrict."""
    for column in _WORD_COLUMNS:
        if column in quarantined and column in given:
            raw = (
                given[column].astype(object).iloc[quarantined[ROW_NUMBER].to_numpy(np.intp)].to_numpy(object)
            )
            is_text = np.fromiter((isinstance(one, str) for one in raw), bool, len(raw))
            short = quarantined[column].to_numpy(object)
            words = pd.Series(np.where(is_text, raw, short), quarantined.index, dtype=object)
            quarantined = quarantined.assign(**{column: words})  # any text, half a surrogate pair too
    return quarantined


def token_meant(given: object) -> str | None:
    """Return the token of a person that a value means in another spelling, None for none."""
    meant = (id_in_one_spelling(as_id_text(given)[:LONGEST_ID]) or "").strip("'\"")
    return meant if is_token(meant) else None


def _are_different(columns: Sequence[pd.Series]) -> bool:
    """Say whether no two rows hold the same in every column; one unknown value is like another.

    Every row becomes a number, and equal ones are neighbours once these are sorted, which takes half the
    memory of a table of them.
    """
    numbers, n_numbers = np.zeros(len(columns[0]), np.int64), 1
    for column in columns:
        code, distinct = pd.factorize(column)
        if n_numbers * (len(distinct) + 1) > _MOST_NUMBERS:
            numbers = pd.factorize(numbers)[0]
            n_numbers = int(numbers.max(initial=-1)) + 1
        numbers *= len(distinct) + 1
        numbers += code
        numbers += 1
        n_numbers *= len(distinct) + 1
    numbers.sort()
    return not bool((numbers[1:] == numbers[:-1]).any())


def _moved(rows: pd.DataFrame, kept: npt.NDArray[np.bool_]) -> pd.DataFrame:
    """Return the kept rows, taken out of `rows` column by column: a large table is in memory once."""
    if kept.all():
        return rows
    at = np.flatnonzero(kept)
    columns = {name: _taken(rows.pop(name), at) for name in tuple(rows.columns)}
    return pd.DataFrame(columns, copy=False)


def _taken(column: pd.Series, at: IndexArray) -> pd.Series:
    return pd.Series(column.array.take(at), dtype=column.dtype, copy=False)


def _absent(n_rows: int) -> pd.Series:
    """Return the column of a field that the table lacks."""
    return pd.Series(np.full(n_rows, None, dtype=object))


_OF_ANOTHER_TYPE = (".not_text", ".not_a_set", ".not_a_number", ".not_a_flag", ".not_a_time")


def _first(reason: str | npt.NDArray[np.object_]) -> str:
    return reason if isinstance(reason, str) else str(reason[0])


def positions(rows: pd.DataFrame) -> IndexArray:
    """Return the positions of rows in the table they come from."""
    return rows.index.to_numpy(np.intp)


def positions_where(column: pd.Series, wrong: pd.Series | npt.NDArray[np.bool_]) -> IndexArray:
    """Return the positions, in the table they come from, of the rows of a column in which `wrong` is true.

    >>> positions_where(pd.Series(["a", "b"], index=[3, 5]), np.array([False, True])).tolist()
    [5]
    """
    return column.index.to_numpy(np.intp)[np.asarray(wrong, bool)]
