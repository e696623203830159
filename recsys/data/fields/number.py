"""Columns of numbers, whole or real; NaN is null, infinity is refused."""

import re
from dataclasses import dataclass
from decimal import Decimal
from math import isinf

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.data.fields.base import Field, ReadColumn, RefusedValue, Violation, all_null, dtype_name, objects
from recsys.data.fields.text import holds_text
from recsys.errors import as_text, explained, shown
from recsys.types import ObjectArray

_NUMBER = re.compile(r"[+-]?(\d{1,18})(\.\d{0,18})?([eE][+-]?\d{1,3})?", re.ASCII)
_INFINITE = frozenset({"inf", "-inf", "+inf", "infinity", "-infinity"})
_LONGEST = 48


@dataclass(frozen=True, kw_only=True)
class Real(Field):
    """A finite number from `least` (excluded when `above` is set) to `most`; float64, NaN unknown."""

    least: float = -np.inf
    most: float = np.inf
    above: bool = False

    def type_problem(self, values: pd.Series) -> str | None:
        """Refuse columns that hold neither numbers nor text."""
        numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
        if numeric or holds_text(values):
            return None
        return self._wrong_type(dtype_name(values))

    def _wrong_type(self, got: str) -> str:
        return explained(f"wrong type in column '{self.name}'", got=got, remedy="give numbers")

    def read(self, values: pd.Series) -> ReadColumn:
        """Read numbers, or texts that spell them."""
        numbers, faults = self._numbers(values)
        faults.extend(self._bounds(numbers))
        return ReadColumn(self._canonical(numbers), tuple(faults))

    def _numbers(self, values: pd.Series) -> tuple[npt.NDArray[np.float64], list[Violation]]:
        if holds_text(values) and not all_null(values):
            given = objects(values)
            faults = self.nulls(np.fromiter((v is None for v in given), bool, len(given)))
            spelled = np.fromiter((_hashable(v) for v in given), object, len(given))
            meanings, refused = self.by_distinct(spelled, self._number)
            return _floats(meanings), faults + refused
        numbers = values.to_numpy(np.float64, na_value=np.nan).copy()
        return numbers, self.nulls(np.isnan(numbers))

    def _value(self, given: object) -> float:
        if not isinstance(given, str | int | float | np.integer | np.floating) or isinstance(given, bool):
            raise self._refused("not_a_number")
        number = self._number(given)
        inside = self.least < number if self.above else self.least <= number
        if not (inside and number <= self.most) or isinf(number):
            raise self._refused("out_of_range")
        return number

    def _refused(self, rule: str) -> RefusedValue:
        return RefusedValue(rule, "not such a number", self._range())

    def _number(self, value: object) -> float:
        if not isinstance(value, str):
            try:
                return float(value)  # type: ignore[arg-type]
            except (OverflowError, ValueError):
                return np.inf
        text = value.strip().lower()
        if text not in _INFINITE and not _NUMBER.fullmatch(text):
            raise RefusedValue("not_a_number", "not a number", self._range())
        return float(text)

    def _bounds(self, numbers: npt.NDArray[np.float64]) -> list[Violation]:
        faults = []
        infinite = np.isinf(numbers)
        outside = (numbers < self.least) | (numbers > self.most) | (self.above & (numbers == self.least))
        for rule, wrong, what in (
            ("not_finite", infinite, "not a finite number"),
            ("out_of_range", outside & ~infinite, "out of range"),
        ):
            if len(rows := np.flatnonzero(wrong)):
                faults.append(self._numbered(rule, rows, what, numbers))
        numbers[infinite | outside] = np.nan
        return faults

    def _numbered(
        self, rule: str, rows: npt.NDArray[np.intp], what: str, numbers: npt.NDArray[np.float64]
    ) -> Violation:
        group, distinct = pd.factorize(numbers[rows])
        sentences = np.array(
            [explained(what, where=self.name, got=f"{v:g}", remedy=self._range()) for v in distinct],
            dtype=object,
        )
        return Violation(f"{self.name}.{rule}", rows, sentences[group])

    def _range(self) -> str:
        start = f"above {self.least:g}" if self.above else f"from {self.least:g}"
        if np.isinf(self.most):
            return "give a finite number" if np.isinf(self.least) else f"give a finite number {start}"
        return f"give a number {start} to {self.most:g}"

    def _canonical(self, numbers: npt.NDArray[np.float64]) -> pd.Series:
        return pd.Series(numbers)


@dataclass(frozen=True, kw_only=True)
class Whole(Real):
    """A whole number; int32, or nullable Int32 where unknown is allowed.

    allowed: the only numbers there are, when they are few.
    """

    allowed: tuple[int, ...] = ()
    least: float = 0
    most: float = 2**31 - 1

    def _value(self, given: object) -> int:
        number = super()._value(given)
        if number != int(number) or (self.allowed and number not in self.allowed):
            raise self._refused("unknown_amount")
        return int(number)

    def _bounds(self, numbers: npt.NDArray[np.float64]) -> list[Violation]:
        known = np.isfinite(numbers)
        broken = known & (numbers != np.floor(numbers))
        unlisted = np.zeros(len(numbers), bool)
        if self.allowed:
            unlisted = known & ~broken & ~np.isin(numbers, self.allowed)
        faults = []
        for rule, wrong, what in (
            ("not_whole", broken, "not a whole number"),
            ("unknown_amount", unlisted, "not an allowed amount"),
        ):
            if len(rows := np.flatnonzero(wrong)):
                faults.append(self._numbered(rule, rows, what, numbers))
        numbers[broken | unlisted] = np.nan
        return faults + super()._bounds(numbers)

    def _range(self) -> str:
        if self.allowed:
            return f"use one of {', '.join(map(str, self.allowed))}"
        return "give a whole number " + super()._range().removeprefix("give a number ")

    def _canonical(self, numbers: npt.NDArray[np.float64]) -> pd.Series:
        return pd.Series(numbers).astype("Int32")


def _hashable(value: object) -> object:
    """Return a value that may be a number as it is, anything else as what is shown of it."""
    if value is None or isinstance(value, bool | int | float | Decimal | np.number | np.bool_):
        return value if not isinstance(value, bool | np.bool_) else str(value)
    if isinstance(value, str):
        return value if len(value) <= _LONGEST else shown(value)
    return shown(type(value).__name__)


def _floats(meanings: ObjectArray) -> npt.NDArray[np.float64]:
    return np.fromiter((np.nan if v is None else v for v in meanings), np.float64, len(meanings))


_MEANING = {"true": True, "false": False, "1": True, "0": False}


@dataclass(frozen=True, kw_only=True)
class Flag(Field):
    """True or false, 1 or 0, or the texts "true" and "false"."""

    nullable: bool = False

    def type_problem(self, values: pd.Series) -> str | None:
        """Refuse columns that hold neither truth values nor text."""
        if holds_text(values) or pd.api.types.is_bool_dtype(values) or pd.api.types.is_integer_dtype(values):
            return None
        return explained(
            f"wrong type in column '{self.name}'", got=dtype_name(values), remedy="give true or false"
        )

    def read(self, values: pd.Series) -> ReadColumn:
        """Read each distinct value once."""
        if pd.api.types.is_bool_dtype(values) and not values.hasnans:
            return ReadColumn(values.astype("boolean"), ())
        given = objects(values)
        faults = self.nulls(np.fromiter((v is None for v in given), bool, len(given)))
        spelled = np.fromiter((None if v is None else _spelling(v) for v in given), object, len(given))
        meanings, refused = self.by_distinct(spelled, _flag)
        if all_null(pd.Series(meanings, dtype=object)):
            return ReadColumn(pd.Series(pd.NA, range(len(given)), dtype="boolean"), (*faults, *refused))
        return ReadColumn(pd.Series(meanings, dtype="boolean"), (*faults, *refused))

    def _value(self, given: object) -> bool:
        return given if isinstance(given, bool) else _flag(_spelling(given))


def _spelling(value: object) -> str:
    return shown(value if isinstance(value, str) else as_text(value)[:80]).strip("'").lower()


def _flag(text: str) -> bool:
    if text not in _MEANING:
        raise RefusedValue("not_a_flag", "neither true nor false", "give true or false")
    return _MEANING[text]
