"""The second look: pandera confirms that what was accepted is what the contract declares."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import pandas as pd

from recsys.errors import RecsysError, explained
from recsys.schema.fields.field import Field

_SHOWN = 5


@lru_cache(maxsize=64)
def pandera_schema(table: str, fields: tuple[Field, ...], key: tuple[str, ...]) -> Any:
    """Return the `pandera.DataFrameSchema` of accepted rows: strict, ordered, key unique."""
    import pandera.pandas as pa

    return pa.DataFrameSchema(
        {field.name: pa.Column(name=field.name, **field.check()) for field in fields},
        name=table,
        strict=True,
        ordered=True,
        unique=list(key) or None,
        report_duplicates="exclude_first",
    )


def confirm(table: str, fields: Sequence[Field], key: tuple[str, ...], accepted: pd.DataFrame) -> None:
    """Check accepted rows once more, by the declaration alone, all failures at once.

    Raises RecsysError when a row passed that should not have: a defect of this package, not of the
    data, and nothing enters.
    """
    import pandera.errors

    try:
        pandera_schema(table, tuple(fields), key).validate(accepted, lazy=True, inplace=True)
    except pandera.errors.SchemaErrors as wrong:
        cases = wrong.failure_cases[["column", "check"]].drop_duplicates().head(_SHOWN)
        listed = ", ".join(f"{c}: {k}" for c, k in cases.itertuples(index=False))
        raise RecsysError(
            explained("accepted rows break their contract", where=table, got=listed, remedy="report this")
        ) from None
