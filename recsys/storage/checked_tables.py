"""The tables of a source held to their contracts, two at the same time."""

from collections.abc import Mapping

import pandas as pd

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.contract import CheckedTable
from recsys.data.tables import CONTRACTS, read_and_check
from recsys.errors import TableError
from recsys.parallel import map_in_threads, n_processors
from recsys.storage.sources import Reader

_AT_ONCE = 2


def check_tables(
    readers: Mapping[str, Reader], time: pd.Timestamp | None, catalogue: Catalogue, *, past: bool = False
) -> dict[str, CheckedTable | TableError]:
    """Return each table checked, or what is wrong with it, in the order of the contracts.

    The profiles come first, which say who is known. Then events, mostly as many rows as all the others
    together, are checked beside these. See `recsys.storage.load.load_tables` for the arguments.

    >>> blocks = pd.DataFrame({"actor": ["a"], "target": ["b"], "ts": ["2026-01-05T00:00Z"]})
    >>> from recsys.catalogue import load_catalogue
    >>> found = check_tables({"blocks": lambda: blocks}, None, load_catalogue())
    >>> len(found["blocks"].accepted)
    1
    """
    users: frozenset[str] | None = None
    absent: frozenset[str] = frozenset()

    def check(name: str) -> CheckedTable | TableError:
        known = users | absent if name == T.TOKENS and users is not None else users
        try:
            return read_and_check(
                name, readers[name], as_of=time, users=known, catalogue=catalogue, past=past
            )
        except TableError as error:
            return error

    found: dict[str, CheckedTable | TableError] = {}
    if T.PROFILES in readers:
        found[T.PROFILES] = profiles = check(T.PROFILES)
        if isinstance(profiles, CheckedTable):
            users, absent = frozenset(profiles.accepted[C.USER]), absent_accounts(profiles)
    rest = [name for name in CONTRACTS if name in readers and name not in found]
    rest.sort(key=T.EVENTS.__ne__)
    found.update(zip(rest, map_in_threads(check, rest, min(n_processors(), _AT_ONCE)), strict=True))
    return {name: found[name] for name in CONTRACTS if name in found}


def absent_accounts(profiles: CheckedTable) -> frozenset[str]:
    """Return the accounts of known persons whose profiles were refused, and those yet to come."""
    return frozenset(one for one, _ in profiles.restrictions.tokens) | frozenset(profiles.later[C.USER])
