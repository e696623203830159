"""What an annotation of a public function accepts, as far as a value can be asked at run time."""

import inspect
import numbers
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import date
from pathlib import PurePath
from typing import Annotated, Any, Final, Literal, Protocol, Union, get_args, get_origin

import numpy as np
import numpy.typing as npt

from recsys.types import ArrowTable


@dataclass(frozen=True)
class AcceptedKind:
    """One kind of value that an annotation accepts.

    words:    how messages call it.
    accepts:  whether a value is of it.
    remedies: the name by which `recsys.arguments` finds how to come by one.
    table:    whether it is a table of pandas, or a mapping that holds some.
    """

    words: str
    accepts: Callable[[Any], bool]
    remedies: str = ""
    table: Literal["", "itself", "values"] = ""


def accepted_kinds(hint: Any) -> tuple[AcceptedKind, ...]:
    """Return the kinds of value an annotation accepts; none where it accepts more than can be told.

    >>> [kind.words for kind in accepted_kinds(int | str | None)]
    ['a whole number', 'a text', 'None']
    >>> accepted_kinds(Any)
    ()
    """
    found = _kinds(hint)
    return () if found is None else found


def parameter_kinds(
    function: Callable[..., Any], signature: inspect.Signature
) -> dict[str, tuple[AcceptedKind, ...]]:
    """Return what each annotated parameter of a function accepts; those that accept anything are left out.

    >>> def rank(viewer, k: int = 10): ...
    >>> list(parameter_kinds(rank, inspect.signature(rank)))
    ['k']
    """
    scope = inspect.unwrap(function).__globals__
    read = {name: _resolved(one.annotation, scope) for name, one in signature.parameters.items()}
    return {name: kinds for name, hint in read.items() if (kinds := accepted_kinds(hint))}


def _resolved(annotation: Any, scope: dict[str, Any]) -> Any:
    """Return an annotation as an object, Any for one that names what is imported for type checkers alone."""
    if annotation is inspect.Parameter.empty:
        return Any
    if not isinstance(annotation, str):
        return annotation
    for text in (annotation, annotation.replace("pd.Series[Any]", "pd.Series")):
        try:
            return eval(text, scope)  # noqa: S307 the annotation of a function of this package
        except (NameError, TypeError):
            continue
    return Any


_NUMBERS_AND_TEXTS: Final[dict[Any, tuple[str, Any]]] = {
    int: ("a whole number", numbers.Integral),
    float: ("a number", numbers.Real),
    str: ("a text", str),
    bool: ("True or False", (bool, np.bool_)),
    types.NoneType: ("None", types.NoneType),
}
_ARRAY_PARTS: Final = frozenset(get_args(npt.ArrayLike))


def _kinds(hint: Any) -> tuple[AcceptedKind, ...] | None:
    if get_origin(hint) in (Union, types.UnionType):
        return _kinds_of_union(get_args(hint))
    if get_origin(hint) is Annotated:
        return _kinds(get_args(hint)[0])
    if hint is None or hint in _NUMBERS_AND_TEXTS:
        words, kind = _NUMBERS_AND_TEXTS[types.NoneType if hint is None else hint]
        no_bool = hint in (int, float)
        return (
            AcceptedKind(words, lambda value: isinstance(value, kind) and not (no_bool and _is_flag(value))),
        )
    if get_origin(hint) is Literal:
        kinds = tuple({type(choice) for choice in get_args(hint)})
        return (
            AcceptedKind(" or ".join(map(repr, get_args(hint))), lambda value: _is_literal(value, kinds)),
        )
    return _kinds_of_class(get_origin(hint) or hint, get_args(hint))


def _kinds_of_union(members: tuple[Any, ...]) -> tuple[AcceptedKind, ...] | None:
    arrays: tuple[AcceptedKind, ...] = ()
    if set(members) >= _ARRAY_PARTS:
        arrays, members = (_ARRAY,), tuple(one for one in members if one not in _ARRAY_PARTS)
    parts = [_kinds(member) for member in members]
    if any(part is None for part in parts):
        return None
    return arrays + tuple(kind for part in parts if part is not None for kind in part)


def _kinds_of_class(kind: Any, of: tuple[Any, ...]) -> tuple[AcceptedKind, ...] | None:
    """Return what a class accepts, or a generic of it, `of` its arguments."""
    if not isinstance(kind, type) or kind in (Any, object):
        return None
    name = kind.__name__
    if name == "Timestamp":
        return (AcceptedKind("a time", lambda value: isinstance(value, date | np.datetime64)),)
    if issubclass(kind, np.ndarray):
        return (_ARRAY,)
    if kind.__module__ == "collections.abc" or kind in (list, tuple, frozenset, set):
        return (_kind_of_container(kind, of),)
    if getattr(kind, "_is_protocol", False):
        members, name = _members(kind), _CALLED.get(kind.__name__, name)
        return (AcceptedKind(_article(name), lambda value: all(hasattr(value, at) for at in members), name),)
    words = "a path" if issubclass(kind, PurePath) else _article(name)
    table: Literal["", "itself"] = "itself" if name == "DataFrame" else ""
    return (AcceptedKind(words, lambda value: isinstance(value, kind), name, table),)


def _kind_of_container(kind: Any, of: tuple[Any, ...]) -> AcceptedKind:
    if kind is Callable:
        return AcceptedKind("a function", callable)
    if kind is Mapping:
        tables = len(of) == 2 and any(one.table for one in accepted_kinds(of[1]))
        table: Literal["", "values"] = "values" if tables else ""
        return AcceptedKind("a mapping", _is_mapping, "", table)
    if issubclass(kind, Set | frozenset | set):
        return AcceptedKind("a set", _is_iterable)
    word = "values one after the other" if kind in (Iterable, Iterator) else f"a {kind.__name__.lower()}"
    return AcceptedKind(word, _is_iterable)


def _is_mapping(value: object) -> bool:
    """Whether a value has keys; a table has too, and is meant as a table."""
    return hasattr(value, "keys") and not hasattr(value, "columns")


def _is_iterable(value: object) -> bool:
    return hasattr(value, "__iter__") and not isinstance(value, str | bytes)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool | np.bool_)


def _is_literal(value: object, kinds: tuple[type, ...]) -> bool:
    return isinstance(value, kinds)


def _is_array(value: object) -> bool:
    """Whether a value can be read as an array: one value a row, or a single number or id."""
    if isinstance(value, bytes | Mapping):
        return False
    return hasattr(value, "__iter__") or hasattr(value, "__array__") or isinstance(value, numbers.Number)


_CALLED: Final = {"Scorer": "Model", "FittableModel": "Model"}
"""Protocols by what users give for them."""
_ARRAY: Final = AcceptedKind("an array", _is_array, "array")


class _NoMember(Protocol): ...


def _members(protocol: type) -> frozenset[str]:
    """Return the names of what a protocol asks for."""
    bases = [base for base in protocol.__mro__ if getattr(base, "_is_protocol", False)]
    named = {name for base in bases for name in (*vars(base), *getattr(base, "__annotations__", {}))}
    plain = {
        *dir(_NoMember),
        "__annotations__",
        "__orig_bases__",
        "__type_params__",
        "__non_callable_proto_members__",
    }
    return frozenset(
        name
        for name in named - plain
        if not name.startswith("_") or name in {"__call__", "__arrow_c_stream__"}
    )


def _article(name: str) -> str:
    if name == ArrowTable.__name__:
        return "a table"
    if name.endswith("s") and not name.endswith("ss"):
        return name
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"
