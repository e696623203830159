"""Columns of texts in Arrow tables: texts in whatever layout, and bytes that may spell one."""

from typing import Any, Final
from uuid import UUID

_UUID: Final = "arrow.uuid"


def holds_text(kind: Any) -> bool:
    """Say whether values of an Arrow type are texts, or bytes that may spell one."""
    from pyarrow import BaseExtensionType, types

    kind = kind.value_type if types.is_dictionary(kind) else kind
    if isinstance(kind, BaseExtensionType):  # in plain layout they may be
        return kind.extension_name == _UUID or holds_text(kind.storage_type)
    texts = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
    return bool(texts or types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind))


def as_texts(values: Any) -> Any:
    """Return an Arrow array of texts in whatever layout, or of bytes, as texts of one layout."""
    import pyarrow as pa

    if isinstance(values.type, pa.BaseExtensionType):
        values = _as_stored(values)
    kind = values.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return values
    try:
        return values.cast(pa.large_string())
    except pa.ArrowInvalid:  # bytes that are no text
        return pa.array([one if one is None else one.decode("utf-8", "ignore") for one in values.to_pylist()])


def in_plain_layout(table: Any) -> Any:
    """Return an Arrow table whose columns of views and of extension types, of which few know, are plain ones.

    A UUID is its 36 letters, a truth value of eight bits one, and any other extension what it is stored as.

    >>> import pyarrow as pa
    >>> in_plain_layout(pa.table({"id": pa.array([bytes(16)], pa.uuid())}))["id"].to_pylist()
    ['00000000-0000-0000-0000-000000000000']
    """
    import pyarrow as pa

    for at, field in enumerate(table.schema):
        if pa.types.is_string_view(field.type):
            table = table.set_column(at, field.name, table[at].cast(pa.large_string()))
        elif pa.types.is_binary_view(field.type):
            table = table.set_column(at, field.name, table[at].cast(pa.large_binary()))
        elif isinstance(field.type, pa.BaseExtensionType):
            table = table.set_column(at, field.name, _as_stored(table[at]))
    return table


def _as_stored(column: Any) -> Any:
    import pyarrow as pa

    name, stored = column.type.extension_name, column.cast(column.type.storage_type)
    if name == _UUID:
        texts = [None if one is None else str(UUID(bytes=one)) for one in stored.to_pylist()]
        found = pa.array(texts, pa.large_string())
        return pa.chunked_array([found]) if isinstance(column, pa.ChunkedArray) else found
    return stored.cast(pa.bool_()) if name == "arrow.bool8" else stored


def texts_of_ids(column: Any) -> Any:
    """Return a column of ids as texts, lists with a comma between; None for one that holds no texts."""
    import pyarrow as pa

    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        if not holds_text(column.type.value_type):
            return None
        lists = column.to_pylist()
        return pa.array([None if one is None else ",".join(map(str, one)) for one in lists], pa.string())
    if not holds_text(column.type):
        return None
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return as_texts(column)
