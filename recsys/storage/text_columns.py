"""Columns of texts in Arrow tables: texts in whatever layout, and bytes that may spell one."""

from typing import Any


def holds_text(kind: Any) -> bool:
    """Say whether values of an Arrow type are texts, or bytes that may spell one."""
    from pyarrow import types

    kind = kind.value_type if types.is_dictionary(kind) else kind
    texts = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
    return bool(texts or types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind))


def as_texts(values: Any) -> Any:
    """Return an Arrow array of texts in whatever layout, or of bytes, as texts of one layout."""
    import pyarrow as pa

    kind = values.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return values
    try:
        return values.cast(pa.large_string())
    except pa.ArrowInvalid:  # bytes that are no text
        return pa.array([one if one is None else one.decode("utf-8", "ignore") for one in values.to_pylist()])


def in_plain_layout(table: Any) -> Any:
    """Return an Arrow table whose columns of views, of which few functions know, are plain ones."""
    import pyarrow as pa

    for at, field in enumerate(table.schema):
        if pa.types.is_string_view(field.type):
            table = table.set_column(at, field.name, table[at].cast(pa.large_string()))
        elif pa.types.is_binary_view(field.type):
            table = table.set_column(at, field.name, table[at].cast(pa.large_binary()))
    return table
