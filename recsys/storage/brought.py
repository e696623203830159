"""Stores of tables that other packages bring: `NAME:ADDRESS`, read by a function of theirs."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from recsys.config import OWN_STORES
from recsys.errors import PluginError, explained
from recsys.plugins import known_names, load_plugin

Read = Callable[[str], Mapping[str, pd.DataFrame]]


def is_brought(source: str) -> bool:
    """Say whether a plugin reads this source.

    >>> is_brought("parquet:data/town")
    False
    """
    kind, colon, _ = source.partition(":")
    return bool(colon) and kind not in OWN_STORES and kind in known_names("stores", OWN_STORES)


def read_brought(source: str) -> Mapping[str, pd.DataFrame]:
    """Return the tables of a source that a plugin reads, unchecked.

    Raises PluginError when the plugin cannot be used or gives no tables, and whatever of this package's
    errors the plugin raises itself.
    """
    kind, _, address = source.partition(":")
    read: Read = load_plugin("stores", kind, fits=callable, what="a store of tables")
    found: Any = read(address)
    if not isinstance(found, Mapping):
        remedy = "return a mapping of table names to DataFrames"
        raise PluginError(
            explained("a store gave no tables", where=kind, got=type(found).__name__, remedy=remedy)
        )
    return found
