"""Which tables of a source and which views a mapping's queries read, and what is wrong with a query."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Final

from recsys.errors import RecsysError, SettingsError, did_you_mean, explained
from recsys.mapping.column_profile import quoted
from recsys.mapping.functions import Remarks, function_names
from recsys.mapping.project import VIEWS
from recsys.mapping.project import Mapping as MappingFolder
from recsys.mapping.sources import Tables

_BEFORE_DATA: Final = ("Parser Error", "Binder Error", "Catalog Error")
"""Errors that are raised before any row was read, so that what they quote stands in the query."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""In a name these tell of another encoding: bytes of two-byte letters that were read as one letter each."""
_WORDS_OF_MESSAGES: Final = """
a addition an and argument array as at be because become between bigint blob bool boolean by byte
can't cannot cast character column conversion convert could date day decimal destination different
division double element error expected expression failed field float for format from function has
hour hugeint in index input int integer interval invalid is json length list malformed memory minute
missing month more multiplication must negative not number of one only or out overflow parse range
real regular result returned row rows scalar second size smallint source string struct subquery
subtraction syntax text than the time timestamp timestamptz timezone tinyint to too type ubigint
uhugeint uint uinteger unicode unterminated use usmallint utinyint uuid value varchar when width
with year zero
"""
_SAID_OF_VALUES: Final = frozenset(_WORDS_OF_MESSAGES.split())
"""Words of messages about values; any other may be a value."""


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
        kind = "TABLE" if self.is_whole else "VIEW"
        try:
            self.connection.execute(f"CREATE TEMP {kind} {quoted(view)} AS {sql}")
        except duckdb.Error as error:
            if self.remarks.error is not None:
                raise self.remarks.error from None
            raise query_error(target, error) from None
        self.views[view] = True


_REPLACED: Final = re.compile(r"(?i)\*\s*REPLACE\b")


def _named(connection: Any, sql: str, target: str, sources: Collection[str]) -> set[str]:
    """Return the tables a query reads.

    `COLUMNS('q.*')` over a table cannot be bound before its columns are known; there the tables are those
    whose names stand in the query. What a subquery within `* REPLACE (...)` reads DuckDB does not name.
    """
    import duckdb

    try:
        named = set(connection.get_table_names(sql))
        return named | {name for name in sources if _REPLACED.search(sql) and _is_read(name, sql)}
    except duckdb.BinderException as error:
        named = {name for name in sources if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", sql)}
        if not named:
            raise query_error(target, error) from error
        return named
    except duckdb.Error as error:
        raise query_error(target, error) from error


def _is_read(name: str, sql: str) -> bool:
    """Say whether a name stands behind FROM or JOIN and is not one of the query's own (`WITH name AS`)."""
    word = rf'(?:"{re.escape(name)}"|(?<!\w){re.escape(name)}(?!\w))'
    own = rf"(?i){word}\s+AS\s+(?:(?:NOT\s+)?MATERIALIZED\s*)?\("
    return bool(re.search(rf"(?i)\b(?:FROM|JOIN)\s+{word}", sql)) and not re.search(own, sql)


def _without_values(said: str) -> str:
    """Return what a message says without what may be a value of a row.

    >>> _without_values("Could not convert string 'O'Brien' to INT32: 9012 is hana@x.example")
    'Could not convert string ... to INT32: ... is ...'
    """
    words = said.split()
    kept = [one if _bare(one) in _SAID_OF_VALUES else "..." for one in words]
    return " ".join(one for at, one in enumerate(kept) if one != "..." or kept[at - 1 : at] != ["..."])


def _bare(word: str) -> str:
    """Return a word without signs around it, and a type without its number of bits."""
    bare = word.casefold().strip("(),.;:")
    return re.sub(r"^(u?int|float)(8|16|32|64|128)$", r"\1", bare)


def query_error(target: str, error: Exception, columns: Collection[str] = ()) -> SettingsError:
    """Return what is wrong with a query; what is quoted stays only where no row was read before.

    columns: of the source, to name near ones.
    """
    text = str(error)
    line = text.partition("\n")[0]
    kind, _, said = line.partition(": ")
    at = re.search(r"^LINE (\d+):", text, re.MULTILINE)
    where = f"{target}.sql" + (f", line {at.group(1)}" if at else "")
    missing = re.search(r"(?:Function with name|Referenced column|Table with name) \"?(\w+)\"?", line)
    if missing:
        name = missing.group(1)
        bound = re.findall(r"\"(\w+)\"", text.partition("Candidate bindings:")[2].partition("\n")[0])
        near = did_you_mean(name, function_names() if "Function" in line else bound or columns)
        if not name.isascii() and any(_CONTROL.search(column) for column in columns):
            near = "the names of the source's columns are no text: say another `encoding` in mapping.yaml"
        return SettingsError(explained(f"{kind.lower()}: unknown name", where=where, got=name, remedy=near))
    said = said or line
    remedy = "mend the query"
    if "syntax error" in line and re.search(r"(?i)\bwindow\b", text.partition("\nLINE ")[2]):
        remedy = "did you mean 'windows'? `window` is a word of SQL"
    redacted = said if kind in _BEFORE_DATA else _without_values(said)
    return SettingsError(explained("the query cannot run", where=where, got=redacted, remedy=remedy))
