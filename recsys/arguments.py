"""What public functions are given, checked before it is used: types, generators and tables of any library."""

import inspect
import numbers
import types
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar, Union, get_args, get_origin, get_type_hints

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
}
_NAMED: Final[dict[type, str]] = {numbers.Integral: "a whole number", numbers.Real: "a number", str: "a text"}


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
    import pandas as pd

    if isinstance(table, pd.DataFrame):
        return table
    if not hasattr(table, "__arrow_c_stream__") or isinstance(table, pd.Series):
        raise _wrong_type(table, name, where, "a table", _REMEDIES["DataFrame"])
    return pd.DataFrame.from_arrow(table)  # type: ignore[attr-defined]


def checked_arguments(function: Callable[Parameters, Returned]) -> Callable[Parameters, Returned]:
    """Check the arguments of a public function against their annotations before it runs.

    Classes, numbers, texts and unions of these are checked; what only describes itself (arrays, callables,
    protocols) is left to the function. numpy's numbers count as numbers, a bool not as a whole number.

    Raises ArgumentTypeError, which names the argument, what it must be, what was got and how to come by one.

    >>> @checked_arguments
    ... def repeated(word: str, times: int = 2) -> str:
    ...     "Return a word several times."
    ...     return word * times
    >>> repeated("a", times="b")
    Traceback (most recent call last):
    recsys.errors.ArgumentTypeError: times must be a whole number in repeated: got 'b'
    """
    signature = inspect.signature(function)
    hints: dict[str, Any] = {}

    @wraps(function)
    def checked(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Returned:
        if not hints:
            hints.update(get_type_hints(function))
        try:
            given = signature.bind(*args, **kwargs).arguments
        except TypeError:
            return function(*args, **kwargs)  # Python's own words for a missing or an unknown argument
        owner = given["cls"] if "cls" in given else type(given["self"]) if "self" in given else None
        where = function.__name__ if owner is None else f"{owner.__name__}.{function.__name__}"
        for name, value in given.items():
            if name in hints and name != "self":
                check_type(value, hints[name], name=name, where=where)
        return function(*args, **kwargs)

    return checked


def check_type(value: object, hint: Any, *, name: str, where: str = "") -> None:
    """Raise ArgumentTypeError unless `value` is of the type `hint`, as far as that can be told.

    >>> check_type(3, int | None, name="k", where="recommend")
    """
    kinds = _kinds(hint)
    if kinds is None or (ArrowTable in kinds and hasattr(value, "__arrow_c_stream__")):
        return
    plain = tuple(kind for kind in kinds if kind is not ArrowTable)
    if isinstance(value, plain) and (bool in kinds or not isinstance(value, bool)):
        return
    wanted = [kind for kind in plain if kind is not types.NoneType]
    words = " or ".join(_words(kind) for kind in wanted)
    remedies = [_REMEDIES[kind.__name__] for kind in wanted if kind.__name__ in _REMEDIES]
    raise _wrong_type(value, name, where, words, remedies[0] if remedies else "")


def _words(kind: type) -> str:
    plural = kind.__name__.endswith("s")
    return _NAMED.get(kind, kind.__name__ if plural else f"a {kind.__name__}")


def _wrong_type(value: object, name: str, where: str, wanted: str, remedy: str) -> ArgumentTypeError:
    if isinstance(value, type):
        remedy = f"give an instance, {value.__name__}(...), not the class; {remedy}".rstrip("; ")
    return ArgumentTypeError(
        explained(f"{name} must be {wanted}", where=where, got=_Named(value), remedy=remedy)
    )


class _Named:
    """A value as messages show it: plain values themselves, of others their type."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __repr__(self) -> str:
        if self.value is None or isinstance(self.value, str | int | float):
            return repr(self.value)
        if isinstance(self.value, type):
            return f"the class {self.value.__name__}"
        return type(self.value).__name__


_UNIONS: Final = (Union, types.UnionType)
_CHECKED: Final = (bool, str, numbers.Integral, numbers.Real, Mapping, types.NoneType, ArrowTable)


def _kinds(hint: Any) -> tuple[type, ...] | None:
    """Return the classes a hint allows, None where it allows more than can be told."""
    origin = get_origin(hint)
    if origin in _UNIONS:
        parts = [_kinds(member) for member in get_args(hint)]
        return None if None in parts else tuple(kind for part in parts if part for kind in part)
    kind: Any = {int: numbers.Integral, float: numbers.Real}.get(hint, origin or hint)
    if not isinstance(kind, type):
        return None
    own = kind.__module__.partition(".")[0] in {"recsys", "pandas"} or kind.__name__ == "Generator"
    told = (
        kind in _CHECKED or (own and not getattr(kind, "_is_protocol", False)) or issubclass(kind, PurePath)
    )
    return (kind,) if told else None
