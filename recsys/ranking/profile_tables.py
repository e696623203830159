"""Tables of one profile, as a backend gives them: frames, plain rows, JSON."""

import json
from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.population import Population
from recsys.data.tables import CONTRACTS
from recsys.errors import InputError, RecsysError, did_you_mean, explained


def tables_of_values(values: object) -> dict[str, pd.DataFrame]:
    """Return the tables of a profile given as plain values: a list of rows by table name, as JSON holds them.

    Raises InputError, which repeats nothing, for anything else.

    >>> list(tables_of_values({"profiles": [{"user_id": "a"}]})["profiles"].columns)
    ['user_id']
    """
    rows_by_name = isinstance(values, Mapping) and all(
        isinstance(name, str) and isinstance(rows, list) and all(isinstance(row, Mapping) for row in rows)
        for name, rows in values.items()
    )
    if not rows_by_name or not isinstance(values, Mapping):
        remedy = "give a list of rows by table name, such as profiles and boundaries"
        raise InputError(explained("the profile cannot be used", remedy=remedy))
    try:
        return {name: pd.DataFrame(list(rows), dtype=object) for name, rows in values.items() if rows}
    except UnicodeEncodeError:  # half a surrogate pair: a value that no column takes, and no reason to crash
        return tables_of_values(_whole_texts(values))


def _whole_texts(value: Any) -> Any:
    """Return a value in which every text can be written as UTF-8: halves of surrogate pairs are marked."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, Mapping):
        return {_whole_texts(key): _whole_texts(one) for key, one in value.items()}
    return [_whole_texts(one) for one in value] if isinstance(value, list | tuple) else value


def require_own_rows(user_id: str, tables: Mapping[str, pd.DataFrame]) -> None:
    """Raise InputError, which repeats no value, unless these are tables of one member with known columns.

    A column that is misspelt would be left out without a word, and with it what it forbids.
    """
    for name, table in tables.items():
        if name not in CONTRACTS:
            known = ", ".join(CONTRACTS)
            raise InputError(
                explained("an unknown table of a profile", where="tables", remedy=f"use {known}")
            )
        known_columns = [field.name for field in CONTRACTS[name].fields]
        for column in table.columns:
            if column not in known_columns:
                remedy = did_you_mean(str(column), known_columns)
                raise InputError(explained("an unknown column of a profile", where=name, remedy=remedy))
        owner = C.USER if C.USER in known_columns else C.ACTOR
        if owner not in table or not (table[owner] == user_id).all():
            remedy = f"give rows whose {owner} is the member"
            raise InputError(explained("a row is of another member", where=name, remedy=remedy))


def tables_of_json(payload: str) -> dict[str, pd.DataFrame]:
    """Return the same of a JSON text."""
    try:
        return tables_of_values(json.loads(payload))
    except (ValueError, RecursionError):
        raise InputError(explained("the profile cannot be used", remedy="give JSON")) from None


def frames_of(profile: Any) -> Population | Mapping[str, pd.DataFrame]:
    """Return a profile as frames, when it is plain rows by table name."""
    if isinstance(profile, Population):
        return profile
    if isinstance(profile, Mapping) and all(isinstance(one, pd.DataFrame) for one in profile.values()):
        return profile
    return tables_of_values(profile)


_MOST_TOLD: Final = 5


def problems_of(tables: Mapping[str, pd.DataFrame]) -> str:
    """Return what stands in the way of a profile's tables, by table, column and reason code, without a value.

    Empty when nothing is known. An orphan is left out: its profile was refused, which is told.
    """
    from recsys.storage.load import load_tables

    try:
        refused = load_tables(tables).quarantine
    except (RecsysError, ValueError, TypeError, KeyError, AttributeError):
        told = [
            f"{name}.{field.name} is missing"
            for name, table in tables.items()
            if name in CONTRACTS
            for field in CONTRACTS[name].fields
            if field.needed and field.name not in table
        ]
        return ", ".join(told[:_MOST_TOLD])
    codes = refused["table"].astype(str) + "." + refused["codes"].astype(str)
    told = [one for one in dict.fromkeys(codes) if not one.endswith(".orphan")]
    return ", ".join(told[:_MOST_TOLD])
