"""Every public function says of a wrong argument what it is, where, what was got, and what to give instead.

One law over all public functions and over the methods of the classes in `recsys`: an argument of no sensible
type is refused by name before anything is computed, never by a line of numpy or pandas further down.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from unittest.mock import Mock

import numpy as np
import pandas as pd
import polars as pl
import pytest

import recsys
from recsys.arguments import AcceptedKind, checked_arguments, parameter_kinds
from recsys.errors import ArgumentTypeError, InputError

OTHER_DOORS = {"recsys.batch", "recsys.cli", "recsys.http", "recsys.testing"}
"""Called by the command line, by clients with a schema, and by tests."""

ACCESSORS = {"codes", "sets", "known", "amounts", "has_word", "is_word", "word", "words"}
"""Columns of a population by name, asked many times a row: an unknown name is refused there."""

FOR_OPERATORS = {"explain_for_operator", "explain_member_for_operator"}
"""Whoever gives anything but a permission is told that it is not permitted, and nothing else."""


def functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every public function, and every public method of the classes in `recsys` and of the models."""
    names = [f"recsys.{found.name}" for found in pkgutil.iter_modules(recsys.__path__) if found.ispkg]
    seen: set[int] = set()
    for package in ["recsys", *sorted(set(names) - OTHER_DOORS)]:
        module = importlib.import_module(package)
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            if id(thing) in seen:
                continue
            seen.add(id(thing))
            if inspect.isfunction(thing):
                yield f"{package}.{name}", thing
            elif inspect.isclass(thing) and package in ("recsys", "recsys.models"):
                yield from methods(thing)


def methods(of: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name, kind in inspect.getmembers(of, lambda one: inspect.isfunction(one) or inspect.ismethod(one)):
        function = inspect.unwrap(getattr(kind, "__func__", kind))
        if (
            not name.startswith("_")
            and name not in ACCESSORS | FOR_OPERATORS
            and function.__module__.startswith("recsys")
        ):
            yield f"{of.__name__}.{name}", kind if inspect.ismethod(kind) else getattr(of, name)


def cases() -> Iterator[Any]:
    for name, function in functions():
        plain = inspect.unwrap(getattr(function, "__func__", function))
        kinds = parameter_kinds(plain, inspect.signature(plain))
        for parameter in kinds:
            yield pytest.param(function, parameter, kinds, id=f"{name}({parameter})")


CASES = list(cases())


def of_the_right_type(kinds: tuple[AcceptedKind, ...]) -> Any:
    """A value that passes the door; what it holds does not matter, since another argument is refused."""
    offered = [None, 1, "a", True, pd.DataFrame(), {}, [], np.zeros(1), pd.Timestamp(0), Mock(), print, set()]
    offered += [pd.Series(dtype=float), np.random.default_rng(7)]
    offered += [object.__new__(one) for one in CLASSES]
    for value in offered:
        if any(kind.accepts(value) for kind in kinds):
            return value
    raise AssertionError([kind.words for kind in kinds])


def own_classes() -> list[type]:
    found = {}
    for module in pkgutil.walk_packages(recsys.__path__, "recsys."):
        if not module.name.startswith(tuple(OTHER_DOORS)) and "served_model" not in module.name:
            for thing in vars(importlib.import_module(module.name)).values():
                is_made = inspect.isclass(thing) and thing.__module__.startswith("recsys.")
                if is_made and not inspect.isabstract(thing) and thing.__new__ is object.__new__:
                    found[thing] = None
    return list(found)


CLASSES = own_classes()


@pytest.mark.parametrize(("function", "wrong", "kinds"), CASES)
def test_an_argument_of_another_type_is_refused_by_name(
    function: Callable[..., Any], wrong: str, kinds: dict[str, tuple[AcceptedKind, ...]]
) -> None:
    signature = inspect.signature(function)
    given = {}
    for name, one in signature.parameters.items():
        if name == "self":
            owner = inspect.unwrap(function).__qualname__.partition(".")[0]
            given[name] = next((kind.__new__(kind) for kind in CLASSES if kind.__name__ == owner), Mock())
        elif one.default is one.empty and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD):
            given[name] = of_the_right_type(kinds[name]) if name in kinds else None
    form = signature.parameters[wrong].kind
    refused = [value for value in (object(), None) if not any(kind.accepts(value) for kind in kinds[wrong])]
    assert refused
    for value in refused:
        if form is inspect.Parameter.VAR_KEYWORD:
            bound, said = signature.bind(**given, something=value), "something"
        elif form is inspect.Parameter.VAR_POSITIONAL:
            bound, said = signature.bind(*given.values(), value), wrong
        else:
            bound, said = signature.bind(**(given | {wrong: value})), wrong
        with pytest.raises(ArgumentTypeError) as caught:
            function(*bound.args, **bound.kwargs)
        text = str(caught.value)
        assert text.startswith(f"{said} must be "), text
        assert f".{function.__name__}: got" in text or f"in {function.__name__}: got" in text, text


def test_the_law_asks_many_and_would_find_a_function_that_checks_nothing() -> None:
    assert len(CASES) > 350
    assert len({id(function) for _, function in functions()}) > 120

    def ranked(table: pd.DataFrame, k: int) -> Any:
        return table.head(k)

    kinds = parameter_kinds(ranked, inspect.signature(ranked))
    with pytest.raises((AttributeError, TypeError)):
        test_an_argument_of_another_type_is_refused_by_name(ranked, "table", kinds)
    test_an_argument_of_another_type_is_refused_by_name(checked_arguments(ranked), "table", kinds)


@pytest.mark.parametrize("name", sorted(ACCESSORS))
def test_an_unknown_column_of_a_population_is_refused(name: str) -> None:
    people = recsys.Population.of_ids(["a"], as_of="2026-01-05")
    more = {"has_word": ("x",), "is_word": ("x",), "word": (0,), "words": (0,)}.get(name, ())
    for column in (5, "agee", None):
        with pytest.raises(InputError):
            getattr(people, name)(column, *more)


def test_a_single_text_is_no_sequence_of_texts() -> None:
    @checked_arguments
    def joined(words: Sequence[str]) -> str:
        return " ".join(words)

    with pytest.raises(ArgumentTypeError, match="words must be a sequence in joined: got 'ab'"):
        joined("ab")


def test_tables_of_other_libraries_are_read_at_every_door() -> None:
    log = pd.DataFrame({"viewer_id": ["a", "b"], "candidate_id": ["b", "c"], "p_mutual": [0.2, 0.4]})
    ours, theirs = recsys.evaluation.as_lists(log), recsys.evaluation.as_lists(pl.DataFrame(log))
    pd.testing.assert_frame_equal(ours, theirs)
    row = {"slice": "all", "model": "a", "metric": "auc", "value": 0.3, "lo": 0.2, "hi": 0.4, "random": 0.1}
    assert recsys.plots.models(pl.DataFrame([row]), "auc").get_title() == "AUC by model"
    with pytest.raises(ArgumentTypeError, match=r"source\['profiles'\] must be a table"):
        recsys.load_population({"profiles": ["a"]})
