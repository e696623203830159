"""What public functions are given, checked before it is used, by the annotations of their parameters."""

import inspect
import numbers
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import date
from functools import partial, wraps
from pathlib import PurePath
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    Literal,
    NamedTuple,
    ParamSpec,
    Protocol,
    TypeVar,
    Union,
    get_args,
    get_origin,
    overload,
)

import numpy as np
import numpy.typing as npt

from recsys.errors import ArgumentTypeError, InputError, explained
from recsys.types import ArrowTable, RNGLike

if TYPE_CHECKING:
    import pandas as pd


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


Parameters = ParamSpec("Parameters")
Returned = TypeVar("Returned")

_REMEDIES: Final = {
    "Population": "read tables with recsys.load_population, or take Interactions.of(table).people",
    "Events": "read tables with recsys.load_events, make them of one with recsys.Events.of, or take "
    "Interactions.of(table).events",
    "Policy": "take recsys.Policy.default(), or Interactions.of(table).policy",
    "DataFrame": "pass a table of pandas, polars or Arrow, such as pd.read_csv(...)",
    "Directed": "give model.fitted or model.directed(people)",
    "Interactions": "read a table with recsys.Interactions.of",
    "Generator": "give a seed, rng=7",
    "Model": "give a model, such as recsys.HybridModel()",
    "Axes": "give axes of matplotlib, or None for a figure of its own",
    "SafetyStore": "open one with recsys.safety.open_safety",
    "array": "give one value a row, such as a column of a table",
}


_PLAIN: Final = (str, int, float, bool, type(None), tuple, list, dict)
"""Types whose values are all of the same kinds: what one of them may be, each may."""


class _Place(NamedTuple):
    """Where an argument was given: the function's name, and whether a message may show what was given."""

    name: str
    show_values: bool = True


def as_generator(rng: RNGLike) -> "np.random.Generator":
    """Return the generator of a seed, or the one that was given, from which then the next numbers come.

    Equal seeds give equal numbers; `as_generator(7)` gives those of `numpy.random.default_rng(7)`.

    Raises ArgumentTypeError for anything but a whole number and a generator, InputError for one below 0.

    >>> int(as_generator(7).integers(100)) == int(as_generator(7).integers(100))
    True
    >>> as_generator(None)
    Traceback (most recent call last):
    recsys.errors.ArgumentTypeError: rng must be a whole number or a Generator: got None; give a seed, rng=7
    """
    import numpy as np

    if isinstance(rng, np.random.Generator):
        return rng
    check_type(rng, RNGLike, name="rng")
    if rng < 0:
        raise InputError(explained("a seed must not be negative", got=int(rng), remedy="give 0 or more"))
    return np.random.default_rng(int(rng))


def check_level(level: float) -> None:
    """Raise InputError unless `level`, how many of 1 intervals hold the truth, is between 0 and 1.

    >>> check_level(95)
    Traceback (most recent call last):
    recsys.errors.InputError: level must be between 0 and 1: got 95; write 95% as 0.95
    """
    if not 0.0 < level < 1.0:
        raise InputError(explained("level must be between 0 and 1", got=level, remedy="write 95% as 0.95"))


def as_pandas(table: "ArrowTable | pd.DataFrame", *, name: str = "table", where: str = "") -> "pd.DataFrame":
    """Return a table of pandas, polars, Arrow or another library as one of pandas; its own is not copied.

    Every table that gives itself as an Arrow stream is read (the Arrow PyCapsule interface). The other way
    no function is needed: `polars.DataFrame(lists)` and `pyarrow.table(lists)` take what this package
    returns.

    Raises ArgumentTypeError for anything else.

    >>> import pyarrow
    >>> as_pandas(pyarrow.table({"viewer_id": ["a"]}))["viewer_id"].tolist()
    ['a']
    """
    return _as_pandas(table, name, _Place(where))


@overload
def checked_arguments(
    function: Callable[Parameters, Returned], *, show_values: bool = True
) -> Callable[Parameters, Returned]: ...


@overload
def checked_arguments(
    *, show_values: bool
) -> Callable[[Callable[Parameters, Returned]], Callable[Parameters, Returned]]: ...


def checked_arguments(function: Callable[..., Any] | None = None, *, show_values: bool = True) -> Any:
    """Check the arguments of a public function against their annotations before it runs.

    Classes, protocols, numbers, texts, arrays, sequences, callables and unions of these are checked. numpy's
    numbers count as numbers, a bool not as a whole number, a text not as a sequence of texts. Where a table
    of pandas is meant, one of polars, Arrow or another library is read with `as_pandas`. With
    `show_values=False` a message names the type of what was got and never a value: for what members sent.

    Raises ArgumentTypeError, which names the argument, what it must be, what was got and how to come by one.

    >>> @checked_arguments
    ... def repeated(word: str, times: int = 2) -> str:
    ...     "Return a word several times."
    ...     return word * times
    >>> repeated("a", times="b")
    Traceback (most recent call last):
    recsys.errors.ArgumentTypeError: times must be a whole number in repeated: got 'b'
    """
    if function is None:
        return partial(checked_arguments, show_values=show_values)
    signature = inspect.signature(function)
    kinds: dict[str, tuple[AcceptedKind, ...]] = {}
    parameters = signature.parameters.items()
    several = {name for name, one in parameters if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD)}
    positional = [name for name, one in parameters if one.kind <= one.POSITIONAL_OR_KEYWORD]
    fitted = set[tuple[str, type]]()

    def fits(name: str, value: Any) -> bool:
        pair = (name, type(value))
        if pair in fitted:
            return True
        fit = next((kind.table != "values" for kind in kinds.get(name, ()) if kind.accepts(value)), None)
        if fit and pair[1] in _PLAIN:
            fitted.add(pair)
        return name not in kinds if fit is None else fit

    @wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        if not kinds:
            kinds.update(parameter_kinds(function, signature))
        if not several and all(map(fits, positional, args)) and all(map(fits, kwargs, kwargs.values())):
            return function(*args, **kwargs)  # nearly every call; binding costs more than most functions
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError:
            return function(*args, **kwargs)  # Python's own words for a missing or an unknown argument
        _check_bound(bound.arguments, kinds, several, _place_of(function, bound.arguments, show_values))
        return function(*bound.args, **bound.kwargs)

    return checked


def _place_of(function: Callable[..., Any], given: Mapping[str, Any], show_values: bool) -> _Place:
    owner = given["cls"] if "cls" in given else type(given["self"]) if "self" in given else None
    named = function.__name__ if owner is None else f"{owner.__name__}.{function.__name__}"
    return _Place(named, show_values)


def _check_bound(
    given: dict[str, Any], kinds: Mapping[str, tuple[AcceptedKind, ...]], several: set[str], place: _Place
) -> None:
    """Check bound arguments in place; those of `several` are the values of `*args` or `**kwargs`."""
    for name, value in given.items():
        if name not in kinds:
            continue
        if name not in several:
            given[name] = _checked(value, kinds[name], name, place)
        elif isinstance(value, Mapping):
            given[name] = {key: _checked(one, kinds[name], key, place) for key, one in value.items()}
        else:
            given[name] = tuple(_checked(one, kinds[name], name, place) for one in value)


def check_type(value: object, hint: Any, *, name: str, where: str = "") -> None:
    """Raise ArgumentTypeError unless `value` is of the type `hint`, as far as that can be told.

    >>> check_type(3, int | None, name="k", where="recommend")
    """
    if kinds := accepted_kinds(hint):
        _checked(value, kinds, name, _Place(where))


def _checked(value: Any, kinds: tuple[AcceptedKind, ...], name: str, place: _Place) -> Any:
    """Return a value of one of the kinds, a table as one of pandas; raise ArgumentTypeError for another."""
    for kind in kinds:
        if kind.accepts(value):
            if kind.table != "values":
                return value
            plain_too = any(one.words == kind.words and not one.table for one in kinds)
            return _with_tables(value, name, place, plain_too=plain_too)
    is_table = any(kind.table == "itself" for kind in kinds)
    if is_table and hasattr(value, "__arrow_c_stream__"):
        return _as_pandas(value, name, place)
    wanted = [kind for kind in kinds if kind.words not in (("None", "a table") if is_table else ("None",))]
    remedies = [_REMEDIES[kind.remedies] for kind in wanted if kind.remedies in _REMEDIES]
    words = " or ".join(dict.fromkeys(kind.words for kind in wanted))
    if isinstance(value, str) and any(kind.words in ("a collection", "a sequence") for kind in wanted):
        remedies.insert(0, f"give one in a list, [{value!r}]" if place.show_values else "give one in a list")
    raise _wrong_type(value, name, place, words, remedies[0] if remedies else "")


def _as_pandas(table: "ArrowTable | pd.DataFrame", name: str, place: _Place) -> "pd.DataFrame":
    import pandas as pd

    if isinstance(table, pd.DataFrame):
        return table
    if not hasattr(table, "__arrow_c_stream__") or isinstance(table, pd.Series):
        raise _wrong_type(table, name, place, "a table", _REMEDIES["DataFrame"])
    import pyarrow

    read = pyarrow.table(table)
    for at, field in enumerate(read.schema):
        # lists of text as polars writes them, which pyarrow has no pandas for
        if field.type in (pyarrow.list_(pyarrow.string_view()), pyarrow.large_list(pyarrow.string_view())):
            read = read.set_column(at, field.name, read.column(at).cast(pyarrow.large_list(pyarrow.string())))
    return pd.DataFrame.from_arrow(read)  # type: ignore[attr-defined]


def _with_tables(named: Mapping[Any, Any], name: str, place: _Place, *, plain_too: bool) -> Mapping[Any, Any]:
    """Return tables by name as tables of pandas; the same mapping when they all are.

    plain_too: whether plain rows stand for a table as well; they stay as they are.
    """
    read = {
        key: table
        if plain_too and not hasattr(table, "__arrow_c_stream__")
        else _as_pandas(table, f"{name}[{key!r}]", place)
        for key, table in named.items()
    }
    return named if all(read[key] is named[key] for key in named) else read


def _wrong_type(value: object, name: str, place: _Place, wanted: str, remedy: str) -> ArgumentTypeError:
    if isinstance(value, type):
        remedy = f"give an instance, {value.__name__}(...), not the class; {remedy}".rstrip("; ")
    got = _Named(value) if place.show_values else type(value).__name__
    return ArgumentTypeError(explained(f"{name} must be {wanted}", where=place.name, got=got, remedy=remedy))


class _Named:
    """A value as messages show it: plain values themselves, of others their type."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __repr__(self) -> str:
        if self.value is None or isinstance(self.value, str | int | float):
            return repr(self.value)
        if isinstance(self.value, type):
            return f"the class {self.value.__name__}"
        kind = type(self.value)
        package = kind.__module__.split(".")[0]
        return (
            kind.__name__
            if package in ("builtins", "recsys", "numpy", "pandas", "__main__")
            else f"{package}.{kind.__name__}"
        )
