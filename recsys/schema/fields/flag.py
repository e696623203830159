"""Columns that say yes or no."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from recsys.errors import explained, shown
from recsys.schema.fields.field import Field, Read, Refused, all_null, dtype_name, objects
from recsys.schema.fields.text import holds_text

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

    def read(self, values: pd.Series) -> Read:
        """Read each distinct value once."""
        if pd.api.types.is_bool_dtype(values) and not values.hasnans:
            return Read(values.astype("boolean"), ())
        given = objects(values)
        faults = self.nulls(np.fromiter((v is None for v in given), bool, len(given)))
        spelled = np.fromiter((None if v is None else _spelling(v) for v in given), object, len(given))
        meanings, refused = self.by_distinct(spelled, _flag)
        if all_null(pd.Series(meanings, dtype=object)):
            return Read(pd.Series(pd.NA, range(len(given)), dtype="boolean"), (*faults, *refused))
        return Read(pd.Series(meanings, dtype="boolean"), (*faults, *refused))

    def check(self) -> dict[str, Any]:
        """Truth values."""
        return {"dtype": "boolean", "nullable": self.nullable}


def _spelling(value: object) -> str:
    return shown(value if isinstance(value, str) else str(value)[:80]).strip("'").lower()


def _flag(text: str) -> bool:
    if text not in _MEANING:
        raise Refused("not_a_flag", "neither true nor false", "give true or false")
    return _MEANING[text]
