"""Which tables of a source and which views a mapping's queries read, and what is wrong with a query."""

import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from recsys.catalogue.columns import Tables as T
from recsys.errors import RecsysError, SettingsError, did_you_mean, explained
from recsys.mapping.column_profile import quoted
from recsys.mapping.database_files import Tables
from recsys.mapping.functions import Remarks, function_names
from recsys.mapping.project import VIEWS
from recsys.mapping.project import Mapping as MappingFolder
from recsys.redaction import library_reason, public_columns

_BEFORE_DATA: Final = ("Parser Error", "Binder Error", "Catalog Error")
"""Errors that are raised before any row was read, so that what they quote stands in the query."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""In a name these tell of another encoding: bytes of two-byte letters that were read as one letter each."""
_KEYS_OF_TYPE: Final = re.compile(r"\b(ENUM|STRUCT|UNION|MAP|ROW)\b\s*\(.*")
"""A type that is made of what a column holds: words of an enumeration, keys of documents."""
_CAST_COLUMN: Final = re.compile(r" when casting from source column (\w+)$")
_NAMES_FROM_DATA: Final = re.compile(r"(?i)\b(?:PIVOT|PIVOT_WIDER)\b")
"""What makes columns of values, so that a name of a column is a value."""


_MISSING: Final = re.compile(
    r'(?:Referenced column|^Binder Error: Column|does not have a column named) "(.+?)"'
    r"(?: not found in FROM clause| in \w+ list not found|$)"
)
_MOST_MISSING: Final = 8
_RESTRICTING: Final = (T.BLOCKS, T.REPORTS, T.HOLDS, T.EVENTS, T.TOKENS)
"""Tables of which a part restricts as well: each row counts by itself, whatever column is unknown."""
_NO_LIST: Final = re.compile(r"Invalid LIST argument|destination type [A-Z0-9]+\[\]")


@dataclass
class SourceReader:
    """Makes every source table and view that some query names known to a connection.

    is_whole: views are tables that are made once, so that what a function cannot read is counted once;
    where a sample is looked at, each query asks of them what it needs. skipped: queries that cannot run, to
    be filled; None where each has to.
    """

    connection: Any
    mapping: MappingFolder
    sources: Tables
    remarks: Remarks
    is_whole: bool
    skipped: set[str] | None = None
    loaded: dict[str, Any] = field(default_factory=dict)
    views: dict[str, bool] = field(default_factory=dict)  # whether each has been made, else it is being made

    def read(self) -> dict[str, Any]:
        """Return the source tables that were read."""
        for name in self.mapping.views:
            if name in self.sources:
                where = f"{VIEWS}/{name}.sql"
                raise SettingsError(explained("a view called like a table", where=where, remedy="rename it"))
        for target, sql in self.mapping.queries.items():
            try:
                self._read(target, sql)
                if self.takes_part(target):
                    self._add_missing(sql)
            except RecsysError:
                if self.skipped is None:
                    raise
                self.skipped.add(target)
        return self.loaded

    def _read(self, target: str, sql: str) -> None:
        known = {*self.sources, *self.mapping.views}
        for name in sorted(_named(self.connection, sql, target, known)):
            if name in self.loaded or self.views.get(name):
                continue
            if name in self.mapping.views:
                self._make(name, f"{target}.sql")
            elif name in self.sources:
                self.loaded[name] = self.sources[name]()
                self.connection.register(name, self.loaded[name])
            else:
                what, remedy = "no such table in the source", did_you_mean(name, known)
                raise SettingsError(explained(what, where=f"{target}.sql", got=name, remedy=remedy))

    def _make(self, view: str, where: str) -> None:
        import duckdb

        target, sql = f"{VIEWS}/{view}", self.mapping.views[view]
        if view in self.views:
            what, remedy = "views that read each other", "let one of them read tables alone"
            raise SettingsError(explained(what, where=where, got=view, remedy=remedy))
        self.views[view] = False
        self._read(target, sql)
        kind = "TABLE" if self.is_whole or _is_pivot(self.connection, sql) else "VIEW"
        try:
            self.connection.execute(f"CREATE TEMP {kind} {quoted(view)} AS {sql}")
        except duckdb.Error as error:
            if self.remarks.error is not None:
                raise self.remarks.error from None
            raise self.query_error(target, sql, error) from None
        self.views[view] = True

    def takes_part(self, target: str) -> bool:
        """Say whether a part of a query is taken: of one about safety, where others are skipped."""
        return self.skipped is not None and target in _RESTRICTING

    def columns_that_run(self, target: str) -> Any | None:
        """Return the columns of a query that can be computed as a table; None where it has to run whole."""
        import duckdb

        if not self.takes_part(target):
            return None
        sql = self.mapping.queries[target]

        def rows(columns: Sequence[str]) -> Any:
            return self.connection.sql(sql).select(*map(duckdb.ColumnExpression, columns)).to_arrow_table()

        def runs(column: str) -> bool:
            with suppress(duckdb.Error):
                rows([column])
                return True
            return False

        with suppress(duckdb.Error):
            if columns := [one for one in self.connection.sql(sql).columns if runs(one)]:
                return rows(columns)
        return None

    def _add_missing(self, sql: str) -> None:
        """Add to tables that a query reads the columns that they lack, all unknown, if it runs then."""
        for _ in range(_MOST_MISSING):
            missing = _missing_column(self.connection, sql)
            if missing is None or not any(self._adds(name, missing, sql) for name in sorted(self.loaded)):
                return

    def _adds(self, name: str, column: str, sql: str) -> bool:
        """Say whether a query lacks a column no more once a table has it, which then does."""
        import duckdb
        import pyarrow as pa

        table = self.loaded[name]
        if not _stands_in(name, sql) or column in table.column_names:
            return False
        for kind in (pa.timestamp("us"), pa.float64(), pa.string()):  # the last is taken where none will do
            self.loaded[name] = table.append_column(column, pa.nulls(len(table), kind))
            self.connection.register(name, self.loaded[name])
            with suppress(duckdb.Error):
                self.connection.execute(f"EXPLAIN {sql}").fetchall()
                return True
        if _missing_column(self.connection, sql) not in {None, column}:
            return True
        self.loaded[name] = table
        self.connection.register(name, table)
        return False

    def query_error(self, target: str, sql: str, error: Exception) -> SettingsError:
        """Return what is wrong with a query that read, or would have read, the tables of the source."""
        if (question := _question_of(sql, error)) is not None:
            what, remedy = (
                "a question of the draft has no answer yet",
                "write the columns in place of error(...)",
            )
            return SettingsError(explained(what, where=f"{target}.sql", got=question, remedy=remedy))
        tables = [table.column_names for table in self.loaded.values()]
        is_named = not any(_NAMES_FROM_DATA.search(text) for text in self.mapping.texts)
        is_unread = is_named and _fails_unread(self.connection, sql, error)
        return query_error(target, error, tables, is_unread=is_unread)


def _question_of(sql: str, error: Exception) -> str | None:
    """Return the question that stands in a query as `error('TODO ...')` and ended it, None where none did."""
    said = _first_line(error).partition(": ")[2]
    asked = (text.replace("''", "'") for text in re.findall(r"error\('(TODO (?:[^']|'')*)'\)", sql))
    return next((text.removeprefix("TODO ") for text in asked if text.partition("\n")[0] == said), None)


_REPLACED: Final = re.compile(r"(?i)\*\s*REPLACE\b")


def _named(connection: Any, sql: str, target: str, sources: Collection[str]) -> set[str]:
    """Return the tables a query reads.

    `COLUMNS('q.*')` over a table, and a PIVOT whose values are not named, cannot be bound before these are
    known; there the tables are those whose names stand in the query. What a subquery within `* REPLACE (...)`
    reads DuckDB does not name.
    """
    import duckdb

    if _is_pivot(connection, sql):
        return {name for name in sources if _stands_in(name, sql)}
    try:
        named = set(connection.get_table_names(sql))
        return named | {name for name in sources if _REPLACED.search(sql) and _is_read(name, sql)}
    except duckdb.BinderException as error:
        named = {name for name in sources if _stands_in(name, sql)}
        if not named:
            raise query_error(target, error) from None
        return named
    except duckdb.Error as error:
        raise query_error(target, error) from None


def _missing_column(connection: Any, sql: str) -> str | None:
    """Return the column that a query names and no table of it has, None where that is not what is wrong."""
    import duckdb

    try:
        connection.execute(f"EXPLAIN {sql}").fetchall()
    except duckdb.Error as error:
        found = _MISSING.search(_first_line(error))
        return None if found is None else found[1]
    return None


def _stands_in(name: str, sql: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", sql) is not None


def _is_pivot(connection: Any, sql: str) -> bool:
    """Say whether a query makes columns of values that it does not name, which no view may."""
    import duckdb

    with suppress(duckdb.Error):
        return [one.type for one in connection.extract_statements(sql)] == [duckdb.StatementType.MULTI]
    return False


def _is_read(name: str, sql: str) -> bool:
    """Say whether a name stands behind FROM or JOIN and is not one of the query's own (`WITH name AS`)."""
    word = rf'(?:"{re.escape(name)}"|(?<!\w){re.escape(name)}(?!\w))'
    own = rf"(?i){word}\s+AS\s+(?:(?:NOT\s+)?MATERIALIZED\s*)?\("
    return bool(re.search(rf"(?i)\b(?:FROM|JOIN)\s+{word}", sql)) and not re.search(own, sql)


def _fails_unread(connection: Any, sql: str, error: Exception) -> bool:
    """Say whether a query fails in the same words when it is looked at and no row is read."""
    import duckdb

    try:
        if len(connection.extract_statements(sql)) == 1:
            connection.execute(f"EXPLAIN {sql}").fetchall()
    except duckdb.Error as again:
        return _first_line(again) == _first_line(error)
    return False


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def query_error(
    target: str, error: Exception, tables: Collection[Sequence[str]] = (), *, is_unread: bool = True
) -> SettingsError:
    """Return what is wrong with a query; DuckDB's words stay whole only where no row was read before.

    tables: the columns of each table of the source, to name near ones. is_unread: whether it was raised
    before any row was read.
    """
    columns = {name for table in tables for name in public_columns(table)}
    hidden = {name for table in tables for name in table} - columns
    text, line = str(error), _first_line(error)
    kind, _, said = line.partition(": ")
    is_unread = is_unread and kind in _BEFORE_DATA
    at = re.search(r"^LINE (\d+):", text, re.MULTILINE)
    where = f"{target}.sql" + (f", line {at.group(1)}" if at else "")
    missing = re.search(r"(?:Function with name|Referenced column|Table with name) \"?(\w+)\"?", line)
    if missing and is_unread:
        name = missing.group(1)
        bound = re.findall(r"\"(\w+)\"", text.partition("Candidate bindings:")[2].partition("\n")[0])
        bound = [one for one in bound if one in columns]
        near = did_you_mean(name, function_names() if "Function" in line else bound or columns)
        if not name.isascii() and any(_CONTROL.search(name) for table in tables for name in table):
            near = "the names of the source's columns are no text: say another `encoding` in mapping.yaml"
        return SettingsError(explained(f"{kind.lower()}: unknown name", where=where, got=name, remedy=near))
    said = said or line
    remedy = "mend the query"
    if _NO_LIST.search(line):
        remedy = "a text is no list: words(column) makes one of it"
    if "Expected a single statement" in line:
        remedy = "write one query in a file, and shared parts in views/"
    if "syntax error" in line and re.search(r"(?i)\bwindow\b", text.partition("\nLINE ")[2]):
        remedy = "did you mean 'windows'? `window` is a word of SQL"
    if is_unread:
        redacted = _KEYS_OF_TYPE.sub(r"\1(...)", said)
        for name in sorted(hidden, key=len, reverse=True):
            redacted = redacted.replace(name, "...") if name else redacted
    else:
        redacted = library_reason(said)
    cast = _CAST_COLUMN.search(line)
    if cast and not is_unread and cast[1] in columns:
        where += f", column {cast[1]}"
    return SettingsError(explained("the query cannot run", where=where, got=redacted, remedy=remedy))
