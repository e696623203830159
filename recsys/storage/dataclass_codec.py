"""A dataclass of arrays as a folder, and as one flat dict of arrays with JSON scalars beside it.

`save_dataclass` writes any tree of dataclasses and NamedTuples whose leaves are arrays, sparse rows, numbers
and texts, by the declared types of their fields. `dataclass_to_arrays` gives the same as a flat dict, for
several values in one folder, each under a prefix of its own. No pickle: a folder holds data, never code.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Final, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from recsys.data.ids import IdIndex, packed_strings, unpacked_strings
from recsys.errors import SourceError, explained
from recsys.storage.arrays import load_arrays, save_arrays
from recsys.types import Arrays

Value = TypeVar("Value")

PACKAGE_SUFFIX: Final = ":package"
"""Of the name of a scalar: what is stored under the name before it is of another package."""
ADDED_LATER: Final = MappingProxyType({"added later": True})
"""Metadata of a field with a default, which what was stored by an earlier version does not have."""
_SPARSE: Final = (sparse.csr_matrix, sparse.csr_array)
_SPARSE_PARTS: Final = ("data", "indices", "indptr")
_PLAIN: Final = (str, int, float, bool, NoneType)


class FlatDataclass(NamedTuple):
    """A value as named arrays, and everything else of it as names to plain JSON values."""

    arrays: Arrays
    scalars: dict[str, Any]


def save_dataclass(folder: str | Path, value: Any) -> None:
    """Write a dataclass or NamedTuple to `folder`, one file an array; `load_dataclass` returns it.

    Fields may be arrays, scipy CSR, `IdIndex`, numbers, texts, enums, timestamps, further dataclasses,
    `X | None`, unions of dataclasses, and tuples, lists and dicts (by text) of these, which come back
    in the order of their keys. A field of a base class with a method `subclass(name)`, which returns one of
    its dataclasses by its `name`, may hold any of these. Equal values give equal bytes.

    Raises SourceError naming the field that is of no such type or not of the type it declares.
    """
    arrays, scalars = dataclass_to_arrays(value)
    save_arrays(folder, arrays, {"class": type(value).__name__, "scalars": scalars})


def load_dataclass(
    cls: type[Value], folder: str | Path, *, mmap: bool | Literal["c"] = True, verify: bool = True
) -> Value:
    """Return the `cls` that `save_dataclass` wrote; `mmap` and `verify` as in `load_arrays`.

    Raises SourceError for a folder of another class or damaged files, and naming the field that is missing
    or not of the declared type.
    """
    arrays, meta = load_arrays(folder, mmap=mmap, verify=verify)
    if meta.get("class") != cls.__name__:
        remedy = f"give a folder that holds a {cls.__name__}"
        raise SourceError(explained("another class", where=str(folder), got=meta.get("class"), remedy=remedy))
    return dataclass_from_arrays(cls, arrays, meta.get("scalars", {}))


def dataclass_to_arrays(value: Any, prefix: str = "") -> FlatDataclass:
    """Return a dataclass or NamedTuple as one flat dict of arrays and one of scalars.

    Names are the fields joined by dots, after `prefix` where one is given.

    >>> class Factors(NamedTuple):
    ...     taste: npt.NDArray[np.float32]
    ...     name: str
    >>> arrays, scalars = dataclass_to_arrays(Factors(np.ones(2, np.float32), "als"), "model")
    >>> arrays["model.taste"].tolist(), scalars
    ([1.0, 1.0], {'model.name': 'als'})
    """
    if not _field_types(type(value)):
        raise SourceError(explained("not a dataclass of arrays", got=type(value).__name__))
    flat = FlatDataclass({}, {})
    _flatten(type(value), value, prefix, flat)
    return flat


def dataclass_from_arrays(
    cls: type[Value],
    arrays: Mapping[str, npt.NDArray[Any]],
    scalars: Mapping[str, Any],
    prefix: str = "",
) -> Value:
    """Return the `cls` of which these are the arrays and scalars; others beside them are ignored.

    Raises SourceError naming the field that is missing or not of the declared type.
    """
    built: Value = _rebuild(cls, arrays, scalars, prefix)
    return built


def package_mark(cls: type, name: str) -> dict[str, str]:
    """Return the scalar that says which other package a value stored under `name` is of; none for ours.

    >>> package_mark(IdIndex, "learned")
    {}
    """
    package = cls.__module__.partition(".")[0]
    return {} if package == __name__.partition(".")[0] else {name + PACKAGE_SUFFIX: package}


def _flatten(hint: Any, value: Any, name: str, flat: FlatDataclass) -> None:
    """Put a value of the declared type `hint` into `flat` under `name`."""
    hint = _concrete(hint, value, name, flat)
    origin, members = get_origin(hint) or hint, get_args(hint)
    if _is_plain(hint):
        flat.scalars[name] = _to_json(value, name)
        _from_json(hint, flat.scalars[name], name)  # a wrong type is found when it is written
    elif origin is np.ndarray:
        flat.arrays[name] = _checked_array(hint, value, name)
    elif origin in _SPARSE:
        for part in _SPARSE_PARTS:
            flat.arrays[_joined(name, part)] = getattr(value, part)
        flat.scalars[name] = list(value.shape)
    elif origin is IdIndex:
        flat.arrays[f"{name}_text"], flat.arrays[f"{name}_ends"] = packed_strings(value.values)
    elif declared := _field_types(origin):
        for field, kind in declared.items():
            _flatten(kind, getattr(value, field), _joined(name, field), flat)
    elif _is_mapping(origin):
        flat.scalars[name] = sorted(value)
        for at, key in enumerate(sorted(value)):
            _flatten(members[1], value[key], _joined(name, str(at)), flat)
    elif _is_sequence(origin):
        flat.scalars[name] = len(value)
        for at, each in enumerate(value):
            _flatten(_item_hint(hint, at), each, _joined(name, str(at)), flat)
    else:
        remedy = "use arrays, numbers, texts, dataclasses, and tuples, lists and dicts of them"
        raise SourceError(explained("a field cannot be stored", where=name, got=hint, remedy=remedy))


def _rebuild(hint: Any, arrays: Mapping[str, npt.NDArray[Any]], scalars: Mapping[str, Any], name: str) -> Any:
    """Return the value of the declared type `hint` that was put under `name`."""

    def part(kind: Any, field: str) -> Any:
        return _rebuild(kind, arrays, scalars, _joined(name, field))

    hint = _stored_member(hint, scalars, name)
    origin, members = get_origin(hint) or hint, get_args(hint)
    found: Any
    if _is_plain(hint):
        found = _from_json(hint, _stored(scalars, name), name)
    elif origin is np.ndarray:
        found = _checked_array(hint, _stored(arrays, name), name)
    elif origin in _SPARSE:
        parts = tuple(_stored(arrays, _joined(name, each)) for each in _SPARSE_PARTS)
        found = origin(parts, shape=tuple(_stored(scalars, name)))
    elif origin is IdIndex:
        found = IdIndex(unpacked_strings(*(_stored(arrays, f"{name}_{part}") for part in ("text", "ends"))))
    elif declared := _field_types(origin):
        later = {one for one in _added_later(origin) if not _holds(_joined(name, one), arrays, scalars)}
        found = origin(**{field: part(kind, field) for field, kind in declared.items() if field not in later})
    elif _is_mapping(origin):
        found = {key: part(members[1], str(at)) for at, key in enumerate(_stored(scalars, name))}
    else:
        each_part = (part(_item_hint(hint, at), str(at)) for at in range(_stored(scalars, name)))
        found = list(each_part) if origin is list else tuple(each_part)
    return found


def _field_types(cls: Any) -> dict[str, Any]:
    """Return the fields a dataclass or NamedTuple is made of, with their types; of anything else none."""
    return _types_of_class(cls) if isinstance(cls, type) else {}


@cache
def _added_later(cls: type) -> frozenset[str]:
    """Return the fields that what was stored by an earlier version lacks."""
    added = fields(cls) if is_dataclass(cls) else ()
    return frozenset(field.name for field in added if field.metadata == ADDED_LATER)


@cache
def _types_of_class(cls: type) -> dict[str, Any]:
    if is_dataclass(cls):
        names = [field.name for field in fields(cls) if field.init]
    else:
        names = list(getattr(cls, "_fields", ()))
    hints = get_type_hints(cls) if names else {}
    return {name: hints[name] for name in names}


def _concrete(hint: Any, value: Any, name: str, flat: FlatDataclass) -> Any:
    """Return which member of a union a value is; which one of several classes it is, is stored too."""
    if hasattr(hint, "subclass"):
        flat.scalars[name] = value.name
        flat.scalars.update(package_mark(type(value), name))
        return type(value)
    if get_origin(hint) not in (Union, UnionType) or _is_plain(hint):
        return hint
    if value is None:
        return NoneType
    members = [member for member in get_args(hint) if member is not NoneType]
    if len(members) == 1:
        return members[0]
    if type(value) not in members or not _field_types(type(value)):
        got = type(value).__name__
        raise SourceError(explained("not a member of the declared union", where=name, got=got))
    flat.scalars[name] = type(value).__name__
    return type(value)


def _stored_member(hint: Any, scalars: Mapping[str, Any], name: str) -> Any:
    """Return which member of a union was stored under `name`."""
    if hasattr(hint, "subclass"):
        return hint.subclass(_stored(scalars, name))
    if get_origin(hint) not in (Union, UnionType) or _is_plain(hint):
        return hint
    if name in scalars and scalars[name] is None:
        return NoneType
    members = [member for member in get_args(hint) if member is not NoneType]
    if len(members) == 1:
        return members[0]
    for member in members:
        if member.__name__ == _stored(scalars, name):
            return member
    raise SourceError(explained("no member of the declared union", where=name, got=scalars[name]))


def _is_plain(hint: Any) -> bool:
    """Say whether a type holds no arrays: it is stored as one JSON value."""
    origin, members = get_origin(hint) or hint, get_args(hint)
    if origin is Literal or hint is Any:
        return True
    if isinstance(origin, type) and issubclass(origin, (*_PLAIN, np.generic, Enum, pd.Timestamp)):
        return not _field_types(origin)
    if origin in (Union, UnionType) or _is_mapping(origin) or _is_sequence(origin):
        return bool(members) and all(member is ... or _is_plain(member) for member in members)
    return False


def _is_mapping(origin: Any) -> bool:
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _is_sequence(origin: Any) -> bool:
    return isinstance(origin, type) and issubclass(origin, Sequence) and not hasattr(origin, "_fields")


def _item_hint(hint: Any, at: int) -> Any:
    members = get_args(hint)
    return members[at] if get_origin(hint) is tuple and ... not in members else members[0]


def _to_json(value: Any, name: str) -> Any:
    """Return a plain value as JSON holds it; floats that are no numbers become texts."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    if isinstance(value, float):
        return value if np.isfinite(value) else str(value)
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _to_json(value[key], name) for key in sorted(value)}
    if isinstance(value, tuple | list):
        return [_to_json(each, name) for each in value]
    remedy = "declare the field as what it is, or make it plain first"
    raise SourceError(explained("no plain value", where=name, got=type(value).__name__, remedy=remedy))


def _from_json(hint: Any, value: Any, name: str) -> Any:
    """Return the plain value of type `hint` that JSON held, or raise SourceError."""
    try:
        return _parsed(hint, value)
    except (TypeError, ValueError, KeyError, IndexError) as error:
        remedy = f"a {getattr(hint, '__name__', hint)}"
        raise SourceError(
            explained("not of the declared type", where=name, got=repr(value), remedy=remedy)
        ) from error


def _parsed(hint: Any, value: Any) -> Any:
    """Return a JSON value as a plain type, or raise TypeError or ValueError where it is of another."""
    origin, members = get_origin(hint) or hint, get_args(hint)
    found: Any
    if origin in (Union, UnionType):
        found = _first_parsed(members, value)
    elif hint is Any or (origin is Literal and value in members) or (origin is NoneType and value is None):
        found = value
    elif origin is Literal or origin is NoneType:
        raise ValueError(value)
    elif _is_mapping(origin):
        found = {key: _parsed(members[1], each) for key, each in value.items()}
    elif _is_sequence(origin) and not issubclass(origin, str):
        each_item = (_parsed(_item_hint(hint, at), each) for at, each in enumerate(_of((list,), value)))
        found = list(each_item) if origin is list else tuple(each_item)
    elif issubclass(origin, Enum):
        found = origin(value)
    else:
        found = origin(_of(_json_types(origin), value))
    return found


def _first_parsed(members: Sequence[Any], value: Any) -> Any:
    for member in sorted(members, key=lambda member: member is str):
        try:
            return _parsed(member, value)
        except (TypeError, ValueError, KeyError, IndexError, AttributeError):
            continue
    raise ValueError(value)


def _json_types(kind: Any) -> tuple[type, ...]:
    """Return the types of JSON value that a number, text or timestamp is read from."""
    if issubclass(kind, bool | np.bool_):
        return (bool,)
    if issubclass(kind, int | np.integer):
        return (int,)
    if issubclass(kind, float | np.floating):
        return (int, float, str)  # "nan", "inf" and "-inf"
    return (str,)


def _of(kinds: tuple[type, ...], value: Any) -> Any:
    if type(value) not in kinds:
        raise TypeError(value)
    return value


def _checked_array(hint: Any, array: Any, name: str) -> npt.NDArray[Any]:
    """Return an array of the declared number type, or raise SourceError."""
    declared = get_args(get_args(hint)[1])[0] if get_args(hint) else Any
    fits = declared is Any or get_origin(declared) is not None or not isinstance(declared, type)
    if not isinstance(array, np.ndarray) or not (fits or issubclass(array.dtype.type, declared)):
        got = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        remedy = f"an array of {getattr(declared, '__name__', declared)}"
        raise SourceError(explained("not of the declared type", where=name, got=got, remedy=remedy))
    return array


def _stored(found: Mapping[str, Any], name: str) -> Any:
    if name not in found:
        raise SourceError(explained("a field is missing", where=name, remedy="make the folder anew"))
    return found[name]


def _holds(name: str, arrays: Mapping[str, npt.NDArray[Any]], scalars: Mapping[str, Any]) -> bool:
    """Say whether anything was stored of the field `name`."""
    return name in scalars or name in arrays or any(one.startswith(f"{name}.") for one in arrays)


def _joined(name: str, part: str) -> str:
    return f"{name}.{part}" if name else part
