"""The check of every table of a source, its events beside the others."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Final

import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.contract import CheckedTable
from recsys.data.tables import CONTRACTS
from recsys.errors import InputError, TableError, explained
from recsys.memory import return_freed_memory, takes_too_much
from recsys.storage.sources import Reader

_CHECKED_AT_ONCE: Final = 13 << 10
"""Bytes a person while events and answers are checked at once; one after the other it is a fifth less."""


def check_each_table(
    readers: Mapping[str, Reader],
    check: Callable[[str, frozenset[str] | None], CheckedTable],
    *,
    beside: bool,
) -> tuple[dict[str, CheckedTable], frozenset[str] | None]:
    """Check every table there is, and return whose profiles are accepted, None without profiles.

    check: checks a table, its people against those of accepted profiles. beside: the events, whose people
    need no profile, are checked by a thread of their own; the answers, the largest of the other tables, after
    them where both at once would take too much of the machine's memory.

    Raises TableError with the problems of every broken table.
    """
    checked: dict[str, CheckedTable] = {}
    broken: list[TableError] = []
    users: frozenset[str] | None = None
    with ThreadPoolExecutor(1) as pool:
        events = pool.submit(check, T.EVENTS, None) if beside and T.EVENTS in readers else None
        for name in CONTRACTS:
            if name not in readers:
                continue
            known = (
                users | absent_accounts(checked[T.PROFILES])
                if name == T.TOKENS and users is not None
                else users
            )
            if name == T.ANSWERS and events and takes_too_much(_CHECKED_AT_ONCE * len(users or ())):
                wait([events])
                return_freed_memory()
            try:
                checked[name] = events.result() if events and name == T.EVENTS else check(name, known)
            except TableError as error:
                broken.append(error)
            else:
                if name == T.PROFILES:
                    users = frozenset(checked[name].accepted[C.USER])
    if broken:
        raise broken[0] if len(broken) == 1 else _all_problems(broken)
    return checked, users


def absent_accounts(profiles: CheckedTable) -> frozenset[str]:
    """Return the accounts of known persons whose profiles were refused, and those yet to come."""
    return frozenset(one for one, _ in profiles.restrictions.tokens) | frozenset(profiles.later[C.USER])


def _all_problems(broken: list[TableError]) -> TableError:
    problems = [f"{error.table}: {problem}" for error in broken for problem in error.problems]
    return TableError(", ".join(error.table for error in broken), problems)


def row_counts(rows_in: Mapping[str, int], checked: Mapping[str, CheckedTable]) -> pd.DataFrame:
    """Return how many rows of each table came, were accepted and were quarantined.

    Raises InputError where the last two are not all that came.
    """
    rows = [(n, rows_in[n], len(c.accepted), len(c.quarantined)) for n, c in checked.items()]
    counts = pd.DataFrame(rows, columns=["table", "rows_in", "accepted", "quarantined"])
    lost = counts[counts["rows_in"] != counts["accepted"] + counts["quarantined"]]
    if len(lost):
        raise InputError(explained("rows were lost", got=lost.to_dict("records"), remedy="report this"))
    return counts
