"""Tables of one profile, as a backend gives them: frames, plain rows, JSON."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, wraps
from typing import Any, Concatenate, Final, NamedTuple, ParamSpec, TypeVar

import numpy as np
import pandas as pd

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.events import Events
from recsys.data.fields.base import RefusedValue, objects
from recsys.data.geography import FINEST_RESOLUTION
from recsys.data.given_rows import rows_given
from recsys.data.population import Population
from recsys.data.strict_json import RepeatedKeyError, strict_json
from recsys.data.tables import CONTRACTS
from recsys.errors import InputError, RecsysError, StalePublicationError, did_you_mean, explained
from recsys.safety.canonical import CLOCKS_APART
from recsys.safety.day_log import DayEvent


@dataclass(frozen=True, eq=False)
class ProfileTables:
    """The tables of one profile, as they were given: frames, or plain rows by table name.

    >>> ProfileTables({"profiles": [{"user_id": "a"}]}).columns
    {'profiles': {'user_id': ['a']}}
    """

    given: Mapping[str, pd.DataFrame] | Mapping[str, Sequence[Mapping[str, Any]]]

    @cached_property
    def columns(self) -> dict[str, dict[str, list[Any]]]:
        """The values of each table by column, None where one is unknown."""
        return {name: _columns_of(table) for name, table in self.given.items()}

    @property
    def as_of(self) -> pd.Timestamp | None:
        """The time to read them as of: now when no row has one, else None, their own latest."""
        times = (table.get(name, ()) for table in self.columns.values() for name in (C.VALID_FROM, C.TS))
        return pd.Timestamp.now("UTC") if all(one is None for column in times for one in column) else None

    def due_after(self, now: datetime) -> datetime | None:
        """Return when the next of its rows is due that is not due now, None where none waits."""
        columns = (table.get(name, ()) for table in self.columns.values() for name in (C.VALID_FROM, C.TS))
        values = [one for column in columns for one in column if isinstance(one, str | date)]
        times = pd.to_datetime(pd.Series(values, dtype=object), errors="coerce", utc=True, format="mixed")
        later = times[times > now + CLOCKS_APART]
        return None if later.empty else (later.min() - CLOCKS_APART).to_pydatetime()

    @cached_property
    def frames(self) -> dict[str, pd.DataFrame]:
        """The tables as frames."""
        return {name: _frame_of(table) for name, table in self.given.items()}


def _columns_of(table: pd.DataFrame | Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    if isinstance(table, pd.DataFrame):
        if not table.columns.is_unique:  # a night's reading says so
            return {f"{name} {at}": table.iloc[:, at].tolist() for at, name in enumerate(table.columns)}
        return {name: objects(table[name]).tolist() for name in table.columns}
    names = dict.fromkeys(name for row in table for name in row)
    return {name: [row.get(name) for row in table] for name in names}


def _frame_of(table: pd.DataFrame | Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    if isinstance(table, pd.DataFrame):
        return table
    try:
        return pd.DataFrame(list(table), dtype=object)
    except UnicodeEncodeError:  # half a surrogate pair: a value that no column takes, and no reason to crash
        return pd.DataFrame(_whole_texts(list(table)), dtype=object)


def tables_of_values(values: object) -> ProfileTables:
    """Return the tables of a profile given as plain values: a list of rows by table name, as JSON holds them.

    Raises InputError, which repeats nothing, for anything else.

    >>> list(tables_of_values({"profiles": [{"user_id": "a"}]}).columns["profiles"])
    ['user_id']
    """
    rows_by_name = isinstance(values, Mapping) and all(
        isinstance(name, str) and isinstance(rows, list) and all(isinstance(row, Mapping) for row in rows)
        for name, rows in values.items()
    )
    if not rows_by_name or not isinstance(values, Mapping):
        remedy = "give a list of rows by table name, such as profiles and boundaries"
        raise InputError(explained("the profile cannot be used", remedy=remedy))
    return ProfileTables({name: rows for name, rows in values.items() if rows or name not in CONTRACTS})


def _whole_texts(value: Any) -> Any:
    """Return a value in which every text can be written as UTF-8: halves of surrogate pairs are marked."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, Mapping):
        return {_whole_texts(key): _whole_texts(one) for key, one in value.items()}
    return [_whole_texts(one) for one in value] if isinstance(value, list | tuple) else value


_CELL: Final = next(field for field in CONTRACTS[T.PROFILES].fields if field.name == C.CELL)


def require_own_rows(user_id: str, tables: ProfileTables) -> None:
    """Raise InputError, which repeats no value, unless these are tables of one member with known columns.

    A column that is misspelt would be left out without a word, and with it what it forbids.
    """
    for name, table in tables.columns.items():
        if name not in CONTRACTS:
            known = ", ".join(CONTRACTS)
            raise InputError(
                explained("an unknown table of a profile", where="tables", remedy=f"use {known}")
            )
        known_columns = [field.name for field in CONTRACTS[name].fields]
        for column in table:
            if column not in known_columns:
                remedy = did_you_mean(str(column), known_columns)
                raise InputError(explained("an unknown column of a profile", where=name, remedy=remedy))
        owner = C.USER if C.USER in known_columns else C.ACTOR
        if owner not in table or any(one != user_id for one in table[owner]):
            remedy = f"give rows whose {owner} is the member"
            raise InputError(explained("a row is of another member", where=name, remedy=remedy))
        if not all(map(_is_place_of_tables, table.get(C.CELL, ()))):  # the log would keep where they live
            remedy = f"give an H3 cell of resolution {FINEST_RESOLUTION} or coarser"
            raise InputError(explained("exact places are refused", where=f"{name}.{C.CELL}", remedy=remedy))


def _is_place_of_tables(cell: object) -> bool:
    """Say whether a night takes this as a cell; whatever else it is may be where somebody lives."""
    try:
        _CELL.value(cell)
    except RefusedValue:
        return False
    return True


def tables_of_json(payload: str) -> ProfileTables:
    """Return the same of a JSON text."""
    try:
        return tables_of_values(strict_json(payload))
    except RepeatedKeyError:
        raise
    except (ValueError, RecursionError):
        raise InputError(explained("the profile cannot be used", remedy="give JSON")) from None


def as_profile(given: Any) -> Population | ProfileTables:
    """Return a profile, given as a population, as frames or as plain rows by table name.

    Raises InputError, which repeats nothing, for anything else.
    """
    if isinstance(given, Population | ProfileTables):
        return given
    if isinstance(given, Mapping) and all(isinstance(one, pd.DataFrame) for one in given.values()):
        return ProfileTables(given)
    return tables_of_values(given)


Parameters = ParamSpec("Parameters")
Returned = TypeVar("Returned")
Method = Callable[Concatenate[Any, Parameters], Returned]


def profile_restricts(method: Method[Parameters, Returned]) -> Method[Parameters, Returned]:
    """Keep what the `profile` and the `events` of a call restrict when it is refused, whatever is wrong.

    method: of something with a day, that takes a viewer first; who is banned by the profile stays out.
    """

    @wraps(method)
    def restricting(self: Any, /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Returned:
        try:
            return method(self, *args, **kwargs)
        except (InputError, StalePublicationError):
            viewer = args[0] if args else kwargs.get("viewer_id")
            profile, events = kwargs.get("profile"), kwargs.get("events")
            whole = isinstance(profile, list | str) or rows_given(profile) is not None
            tables = profile if whole else plain_rows(profile)
            if whole or tables:
                self.day.keep_refused_tables(viewer, tables)
            if isinstance(events, list | tuple | str | Mapping) or rows_given(events) is not None:
                self.day.keep_refused(events)
            raise

    return restricting


def plain_rows(given: object) -> dict[str, Any]:
    """Return the rows of a profile's tables by name, as far as it has any.

    >>> plain_rows({"profiles": pd.DataFrame({"user_id": ["a"]})}), plain_rows("a")
    ({'profiles': [{'user_id': 'a'}]}, {})
    """
    tables = given.given if isinstance(given, ProfileTables) else given
    if isinstance(tables, Population):
        states = tables.coded.get(C.ACCOUNT_STATE)
        ids = tables.ids.ids(np.arange(len(tables))).tolist()
        told = (
            [None] * len(ids)
            if states is None
            else [states.words[at] if at >= 0 else None for at in states.codes]
        )
        rows = zip(ids, told, strict=True)
        return {T.PROFILES: [{C.USER: one, C.ACCOUNT_STATE: state} for one, state in rows if state]}
    if not isinstance(tables, Mapping):
        return {}
    return {
        name: one.to_dict("records") if isinstance(one, pd.DataFrame) else one for name, one in tables.items()
    }


_MOST_TOLD: Final = 5


def problems_of(tables: ProfileTables, catalogue: Catalogue | None = None) -> str:
    """Return what stands in the way of a profile's tables, by table, column and reason code, without a value.

    catalogue: of the publication; the package's own when None.

    Empty when nothing is known. An orphan is left out: its profile was refused, which is told.
    """
    from recsys.storage.load import load_tables

    try:
        refused = load_tables(tables.frames, catalogue=catalogue).quarantine
    except (RecsysError, ValueError, TypeError, KeyError, AttributeError):
        told = [
            f"{name}.{field.name} is missing"
            for name, table in tables.columns.items()
            if name in CONTRACTS
            for field in CONTRACTS[name].fields
            if field.needed and field.name not in table
        ]
        return ", ".join(told[:_MOST_TOLD])
    codes = refused["table"].astype(str) + "." + refused["codes"].astype(str)
    told = [one for one in dict.fromkeys(codes) if not one.endswith(".orphan")]
    return ", ".join(told[:_MOST_TOLD])


Profile = Population | ProfileTables


class ProfileOfToday(NamedTuple):
    """A viewer's own tables of today, what they did so far, and whether their tokens are proved.

    of_log: whether the tables stand in the day log; whoever asks for the page has given none.
    """

    profile: Profile
    events: Events | None
    proved_tokens: bool
    of_log: bool = False


def profile_of_today(
    profile: Profile | None, events: Events | None, of_log: DayEvent | None, *, proved_tokens: bool
) -> ProfileOfToday | None:
    """Return by what the page of a viewer is searched: tables of the call or the day log; None without any.

    Raises InputError for events that go with neither.
    """
    if profile is not None:
        return ProfileOfToday(profile, events, proved_tokens)
    if of_log is not None:
        return ProfileOfToday(tables_of_json(of_log.payload or ""), events, proved_tokens, of_log=True)
    if events is not None and len(events):
        remedy = "give profile=, or keep them by ranker.day.append"
        raise InputError(explained("events of a page go with a profile", remedy=remedy))
    return None
