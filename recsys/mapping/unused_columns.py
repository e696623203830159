"""Columns of a source that no query of a mapping reads, and those that hold nothing."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from recsys.mapping.project import Mapping as MappingFolder

_LOOKED_AT_FIRST: Final = 1000


def unused_columns(mapping: MappingFolder, loaded: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the columns of each table that no query names, alone or by a pattern of `COLUMNS('...')`.

    Of a document within a column that is named (`safety`), what no query names too: `safety.banned`.
    """
    text = " ".join(mapping.texts)
    families = re.findall(r"COLUMNS\s*\(\s*'((?:[^']|'')+)'", text, re.IGNORECASE)

    def is_named(word: str) -> bool:
        return bool(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text))

    found = {
        name: tuple(
            path
            for field in table.schema
            if not any(re.search(family, field.name) for family in families)
            for path in _unnamed(field, field.name, is_named)
        )
        for name, table in loaded.items()
    }
    return {name: columns for name, columns in found.items() if columns}


def _unnamed(field: Any, path: str, is_named: Callable[[str], bool]) -> Iterator[str]:
    """Yield the paths of a column, or within it, that are not named; `$oid` and `_seconds` are its value."""
    import pyarrow as pa

    if not is_named(field.name):
        yield path
    elif pa.types.is_struct(field.type):
        for inner in field.type:
            if not inner.name.startswith(("$", "_")):
                yield from _unnamed(inner, f"{path}.{inner.name}", is_named)


def empty_columns(
    loaded: Mapping[str, Any], unused: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """Return the columns of each table that a query names and no row has a value in, or only blanks."""
    found = {
        name: tuple(
            column
            for column in table.column_names
            if column not in unused.get(name, ()) and not _has_a_value(table.column(column))
        )
        for name, table in loaded.items()
        if table.num_rows
    }
    return {name: columns for name, columns in found.items() if columns}


def _has_a_value(column: Any) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.null_count == len(column) or not pa.types.is_string(column.type):
        return column.null_count < len(column)
    parts = (column.slice(0, _LOOKED_AT_FIRST), column)  # nearly every column has a value at once
    return any(pc.any(pc.not_equal(pc.utf8_trim_whitespace(part), "")).as_py() for part in parts)
