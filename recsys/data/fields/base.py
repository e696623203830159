"""The base of field types, and the violations they report."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from math import isnan
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.errors import as_text, did_you_mean, explained, shown
from recsys.types import IndexArray, ObjectArray

_HINTS = 100
"""So many different refused values of a column get their own "did you mean"; it is slow to find."""


@dataclass(frozen=True, eq=False)
class Violation:
    """Rows that break one rule.

    code:   the rule, `column.rule`, for counting.
    rows:   `(n,)` positions in the table, ascending.
    reason: the sentence for people; one for all rows, or `(n,)` one a row.
    summary: a sentence for all rows that repeats no value; empty where `reason` is one.
    """

    code: str
    rows: IndexArray
    reason: str | ObjectArray
    summary: str = ""


@dataclass(frozen=True, eq=False)
class ReadColumn:
    """A column after reading: canonical, unknown where null or refused, and what was refused."""

    column: pd.Series
    faults: tuple[Violation, ...]


class RefusedValue(Exception):  # noqa: N818 - never leaves this package: it carries a verdict, not an error
    """One value that a column may not hold: which rule says so, what is wrong, what to do."""

    def __init__(self, rule: str, what: str, remedy: str, near: Iterable[str] = ()) -> None:
        super().__init__(what)
        self.rule = rule
        self.what = what
        self._remedy = remedy
        self._near = near

    def sentence(self, where: str, got: str | None, *, hint: bool) -> str:
        """Return the sentence for people; a hint names the nearest of the words `near`, which is slow."""
        remedy = did_you_mean(got, self._near) if hint and got is not None and self._near else self._remedy
        return explained(self.what, where=where, got=got, remedy=remedy)


@dataclass(frozen=True, kw_only=True)
class Field(ABC):
    """A named column of a table.

    needed:   the column must be in the table.
    nullable: a single value may be null, which means unknown.
    private:  a refused value is never repeated, neither in a message nor in the quarantine.
    """

    name: str
    needed: bool = True
    nullable: bool = True
    private: bool = False

    @abstractmethod
    def type_problem(self, values: pd.Series) -> str | None:
        """Say why a column of this type cannot be read at all, None when it can."""

    @abstractmethod
    def read(self, values: pd.Series) -> ReadColumn:
        """Return the canonical values and every fault; `values` has positions as its index."""

    def read_coded(self, values: pd.Series) -> ReadColumn:
        """Return what `read` does, texts as categories where the column is of texts."""
        return self.read(values)

    def value(self, given: object) -> object:
        """Return the canonical form of one value, None for unknown.

        Raises RefusedValue for one that `read` refuses, and may for another type than the column's own.
        """
        if given is None or given is pd.NA or given is pd.NaT or (isinstance(given, float) and isnan(given)):
            if not self.nullable:
                raise RefusedValue("missing", "nothing given", "give a value")
            return None
        return self._value(given)

    @abstractmethod
    def _value(self, given: object) -> object:
        """Return the canonical form of one known value."""

    def fault(self, rule: str, rows: IndexArray, what: str, *, remedy: str = "") -> Violation:
        """Return one fault of this column with one sentence for all rows."""
        return Violation(f"{self.name}.{rule}", rows, explained(what, where=self.name, remedy=remedy))

    def nulls(self, unknown: npt.NDArray[np.bool_]) -> list[Violation]:
        """Return the fault of rows that are null where they may not be."""
        rows = np.flatnonzero(unknown)
        if self.nullable or not len(rows):
            return []
        return [self.fault("missing", rows, "nothing given", remedy="give a value")]

    def by_distinct(
        self, keys: ObjectArray, meaning: Callable[[Any], object]
    ) -> tuple[ObjectArray, list[Violation]]:
        """Read each different value once: `(n,)` hashable keys, None unknown, to `(n,)` meanings.

        meaning: returns the canonical value or raises Refused.
        """
        return self.by_number(*pd.factorize(keys), meaning)

    def by_number(
        self, group: npt.NDArray[Any], distinct: ObjectArray, meaning: Callable[[Any], object]
    ) -> tuple[ObjectArray, list[Violation]]:
        """Read each distinct value once; `group`: `(n,)` which of `distinct` a row holds, -1 unknown."""
        meanings, faults = self.meanings_by_number(group, distinct, meaning)
        return meanings[group], faults

    def meanings_by_number(
        self,
        group: npt.NDArray[Any],
        distinct: ObjectArray,
        meaning: Callable[[Any], object],
        *,
        canonical: npt.NDArray[np.bool_] | None = None,
    ) -> tuple[ObjectArray, list[Violation]]:
        """As `by_number`, but return what each distinct value means, `(n_distinct + 1,)`, the last None.

        canonical: `(n_distinct,)`, which are known to mean themselves; `meaning` is not asked about them.
        """
        meanings = np.full(len(distinct) + 1, None, dtype=object)
        left = list(range(len(distinct)))
        if canonical is not None:
            meanings[:-1][canonical] = distinct[canonical]
            left = np.flatnonzero(~canonical).tolist()
        verdicts: dict[str, list[tuple[int, str]]] = {}
        summaries: dict[str, str] = {}
        hints = 0
        for at in left:
            value = distinct[at]
            try:
                meanings[at] = meaning(value)
            except RefusedValue as refused:
                hints += 1
                sentence = self._sentence(refused, value, hint=hints <= _HINTS)
                verdicts.setdefault(refused.rule, []).append((at, sentence))
                summaries.setdefault(refused.rule, refused.sentence(self.name, None, hint=False))
        faults = [
            replace(self._spread(rule, group, refused), summary=summaries[rule])
            for rule, refused in verdicts.items()
        ]
        return meanings, faults

    def _sentence(self, refused: RefusedValue, value: object, *, hint: bool) -> str:
        repeatable = isinstance(value, str | tuple) and not self.private
        return refused.sentence(self.name, _written(value) if repeatable else None, hint=hint)

    def _spread(self, rule: str, group: IndexArray, refused: Sequence[tuple[int, str]]) -> Violation:
        last = max(int(group.max(initial=0)), *(at for at, _ in refused))
        sentences = np.full(last + 2, None, dtype=object)
        for at, sentence in refused:
            sentences[at] = sentence
        reasons = sentences[group]
        rows = np.flatnonzero(reasons != None)  # noqa: E711 - elementwise
        return Violation(f"{self.name}.{rule}", rows, reasons[rows])


def _written(value: object) -> str:
    if isinstance(value, tuple):
        return "|".join(word for word in value if isinstance(word, str))
    return as_text(value)


def objects(values: pd.Series) -> ObjectArray:
    """Return a column as `(n,)` objects with None for every kind of null."""
    plain = values.to_numpy(object, copy=True)
    plain[pd.isna(plain)] = None
    return plain


def object_series(values: ObjectArray) -> pd.Series:
    """Return `(n,)` objects as a column that pandas leaves as it is."""
    return pd.Series(values, dtype=object)


def all_null(values: pd.Series) -> bool:
    """Say whether nothing is known in a column, whatever its type."""
    return bool(values.isna().all())


def dtype_name(values: pd.Series) -> str:
    """Return the type of a column as one short word for a message; keys of documents in it may be values."""
    dtype = values.dtype.categories.dtype if isinstance(values.dtype, pd.CategoricalDtype) else values.dtype
    return shown(str(dtype).partition("<")[0]).strip("'")
