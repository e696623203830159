"""Table writing: to Parquet, DuckDB or PostgreSQL, in full or not at all, equal tables to equal bytes."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, Final

import pandas as pd

from recsys.catalogue.catalogue import Catalogue, catalogue_json
from recsys.catalogue.files import CATALOGUE_JSON
from recsys.data.contract import Contract
from recsys.data.fields.base import Field, objects
from recsys.data.fields.enumeration import SEPARATOR, WordSet
from recsys.data.fields.number import Flag, Real, Whole
from recsys.data.fields.time import Time
from recsys.data.shared_values import equal_sets
from recsys.data.tables import CONTRACTS
from recsys.errors import InputError, did_you_mean, explained
from recsys.parallel import map_in_threads, n_threads, one_ahead
from recsys.redaction import column_labels, library_reason
from recsys.storage import postgres_tables
from recsys.storage.atomic_write import atomic_file, move_atomically, sync_file
from recsys.storage.sources import parse_source
from recsys.types import ObjectArray

Frames = pd.DataFrame | Iterable[pd.DataFrame]

_WRITTEN: Final = ("parquet", "duckdb")
_ROWS_AT_ONCE: Final = 1 << 20
"""Rows of a Parquet row group; no more of a table is held twice."""
_AT_ONCE: Final = 2
"""Tables that are made and written at the same time."""


def write_tables(tables: Mapping[str, Frames], target: str, *, catalogue: Catalogue | None = None) -> None:
    """Write tables to `parquet:DIR`, `duckdb:FILE` or `postgresql://...`, in full or not at all.

    tables: raw valid or accepted frames by table name, or the parts of one in order, so that Parquet
    holds one part at a time; columns a frame lacks are not written. A folder and a database keep
    tables that are not named; a DuckDB file is replaced.
    catalogue: the one the answers are of, laid beside Parquet files; None for that of the package.

    Raises InputError for an unknown table or column, values that are not of their column's type, or
    another kind of target.
    """
    if catalogue is not None and not target.startswith("parquet:"):
        remedy = "write parquet:DIR, or name its folder as catalogue: in params.yaml and pass none here"
        raise InputError(explained("a catalogue is laid beside Parquet files alone", remedy=remedy))
    if postgres_tables.is_postgres(target):
        postgres_tables.write_tables(
            {name: _arrow(name, _whole(given)) for name, given in tables.items()}, target
        )
        return
    kind, path = parse_source(target)
    if kind not in _WRITTEN:
        remedy = "write parquet:DIR or duckdb:FILE"
        raise InputError(explained("tables are not written here", got=target, remedy=remedy))
    if kind == "parquet":
        _write_parquet(tables, path)
        if catalogue is not None:
            with atomic_file(path / CATALOGUE_JSON) as file:
                file.write(catalogue_json(catalogue))
    else:
        _write_duckdb({name: _arrow(name, _whole(given)) for name, given in tables.items()}, path)


def require_no_tables(target: str, *, replace: bool = False) -> None:
    """Raise InputError when a target of `write_tables` holds tables already that are not to be replaced.

    >>> require_no_tables("parquet:no/such/folder")
    """
    if replace:
        return
    if postgres_tables.is_postgres(target):
        found, where = postgres_tables.foreign_tables(target), "the database"
    else:
        kind, path = parse_source(target)
        where = str(path)
        if kind == "duckdb":
            found = [path.name] if path.exists() else []
        else:
            found = [name for name in CONTRACTS if (path / f"{name}.{kind}").exists()]
    if found:
        remedy = "name another place, or say --replace where these may go"
        raise InputError(
            explained("tables are there already", where=where, got=", ".join(found), remedy=remedy)
        )


def _write_parquet(tables: Mapping[str, Frames], folder: Path) -> None:
    """Write every table aside, part by part, two at a time, and put them in place when all are whole."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        files = [stack.enter_context(atomic_file(folder / f"{name}.parquet")) for name in tables]

        def write(at: int, name: str) -> None:
            _write_parts(files[at], one_ahead(_arrow_parts(name, tables[name])))

        map_in_threads(lambda numbered: write(*numbered), enumerate(tables), min(n_threads(), _AT_ONCE))


def _write_parts(file: BinaryIO, parts: Iterator[Any]) -> None:
    import pyarrow.parquet as pq

    first = next(parts)
    with pq.ParquetWriter(file, first.schema, compression="zstd") as writer:
        writer.write_table(first)
        del first  # no more than one part is held beside the one that is made
        for part in parts:
            writer.write_table(part)
            del part


def _write_duckdb(tables: Mapping[str, Any], path: Path) -> None:
    import duckdb

    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.new")
    aside.unlink(missing_ok=True)
    with duckdb.connect(str(aside)) as database:
        for name in sorted(tables):
            database.register("given", tables[name])
            database.execute(f'CREATE TABLE "{name}" AS SELECT * FROM given')  # noqa: S608 - a known name
            database.unregister("given")
    sync_file(aside)
    move_atomically(aside, path)


def _arrow_parts(name: str, given: Frames) -> Iterator[Any]:
    for frame in [given] if isinstance(given, pd.DataFrame) else given:
        for start in range(0, max(len(frame), 1), _ROWS_AT_ONCE):
            yield _arrow(name, frame.iloc[start : start + _ROWS_AT_ONCE])
        del frame  # before the next is made


def _whole(given: Frames) -> pd.DataFrame:
    return given if isinstance(given, pd.DataFrame) else pd.concat(given, ignore_index=True)


def _arrow(name: str, frame: pd.DataFrame) -> Any:
    import pyarrow as pa

    if name not in CONTRACTS:
        raise InputError(explained("unknown table", got=name, remedy=did_you_mean(name, CONTRACTS)))
    contract = CONTRACTS[name]
    fields = {field.name: field for field in _fields(contract, frame)}
    columns = {}
    for column, field in fields.items():
        try:
            plain = _plain(field, frame[column])
            columns[column] = plain.cast(pa.timestamp("us", tz="UTC")) if isinstance(field, Time) else plain
        except (pa.ArrowException, TypeError, ValueError) as error:
            reason = str(error) if isinstance(error, _WrongTimeError) else library_reason(error)
            remedy = "check the table with recsys.data.tables.check_table"
            raise InputError(
                explained(
                    "a value is not of its column's type", where=f"{name}.{column}", got=reason, remedy=remedy
                )
            ) from None
    return pa.table(columns)


def _fields(contract: Contract, frame: pd.DataFrame) -> list[Field]:
    for name in frame.columns:
        if name not in contract.columns:
            remedy = did_you_mean(str(name), contract.columns)
            labels = column_labels(frame.columns, known=contract.columns, has_no_others=True)
            label = labels[list(frame.columns).index(name)]
            raise InputError(explained("unknown column", where=contract.table, got=label, remedy=remedy))
    return [field for field in contract.fields if field.name in frame.columns]


def _plain(field: Field, values: pd.Series) -> Any:
    import pyarrow as pa

    if isinstance(field, WordSet):
        return _word_sets(objects(values), _type(field))
    plain = _utc(field, values) if isinstance(field, Time) else values
    return pa.array(plain, type=_type(field), from_pandas=True)


def _word_sets(given: ObjectArray, kind: Any) -> Any:
    """Return sets of words as an Arrow column: sorted, each word once; what is equal is sorted once."""
    import pyarrow as pa

    group, first = equal_sets(given)
    distinct = pa.array([_members(value) for value in given[first]], type=kind)
    return distinct.take(pa.array(group, mask=group < 0))


class _WrongTimeError(ValueError):
    """Carries the code of a rule that times break, and no value."""


def _utc(field: Time, values: pd.Series) -> Any:
    """Return times as `datetime64[us]` in UTC; a time without a zone is refused, not guessed."""
    read = field.read(values.reset_index(drop=True))
    for fault in read.faults:
        if not fault.code.endswith(".missing"):
            raise _WrongTimeError(fault.code)
    return read.column.dt.tz_localize(None).to_numpy()


def _members(value: Any) -> list[str]:
    words = value.split(SEPARATOR) if isinstance(value, str) else value
    return sorted({word for word in words if word})


def _type(field: Field) -> Any:
    import pyarrow as pa

    if isinstance(field, WordSet):
        return pa.list_(pa.string())
    if isinstance(field, Time):
        return pa.timestamp("us")
    if isinstance(field, Whole):
        return pa.int32()
    if isinstance(field, Real):
        return pa.float64()
    return pa.bool_() if isinstance(field, Flag) else pa.string()
