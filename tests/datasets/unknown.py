"""Tables in which nothing is known yet: every column of the contract, null."""

from collections.abc import Sequence

import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.tables import CONTRACTS


def unknown(table: str, users: Sequence[str] | pd.Series) -> pd.DataFrame:
    """Return one row a user with every other column null."""
    rest = [column for column in CONTRACTS[table].columns if column not in (C.USER, C.VALID_FROM)]
    nothing = {column: pd.Series([None] * len(users), dtype=object) for column in rest}
    return pd.DataFrame({C.USER: list(users)} | nothing)
