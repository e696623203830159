"""What public functions are given, checked before it is used: types, generators and tables of any library."""

import inspect
from collections.abc import Callable, Mapping
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Final, NamedTuple, ParamSpec, TypeVar, overload

from recsys.annotations import AcceptedKind, accepted_kinds, parameter_kinds
from recsys.errors import ArgumentTypeError, InputError, explained
from recsys.types import ArrowTable, RNGLike

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

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
