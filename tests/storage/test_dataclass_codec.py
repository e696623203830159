"""A dataclass of arrays comes back from a folder the same in every field, type and bit."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_st
from scipy import sparse

from recsys.data.ids import IdIndex
from recsys.errors import SourceError
from recsys.storage.dataclass_codec import (
    ADDED_LATER,
    dataclass_from_arrays,
    dataclass_to_arrays,
    load_dataclass,
    save_dataclass,
)
from recsys.types import BoolArray, Float32Array, Int64Array


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Pair(NamedTuple):
    left: Float32Array
    right: Int64Array


@dataclass(frozen=True, eq=False)
class Dense:
    matrix: npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Constant:
    value: float


class Shape:
    """A base class whose subclasses are stored by their names."""

    @staticmethod
    def subclass(name: str) -> type["Shape"]:
        return {"circle": Circle, "square": Square}[name]


@dataclass(frozen=True, eq=False)
class Circle(Shape):
    name = "circle"
    radius: float


@dataclass(frozen=True, eq=False)
class Square(Shape):
    name = "square"
    sides: Float32Array


@dataclass(frozen=True, eq=False)
class Everything:
    name: str
    count: int
    ratio: float
    wide: np.float32
    is_on: bool
    colour: Colour
    how: Literal["fast", "exact"]
    when: pd.Timestamp
    options: Mapping[str, int]
    words: tuple[str, ...]
    weights: list[float]
    maybe: int | None
    pair: Pair
    absent: Pair | None
    kind: Dense | Constant
    parts: tuple[Dense, ...]
    both: tuple[Pair, BoolArray]
    by_name: Mapping[str, Dense | None]
    nested: Mapping[str, tuple[str, ...]]
    rows: sparse.csr_matrix
    ids: IdIndex
    shapes: tuple[Shape, ...]
    derived: int = field(default=0, init=False)


def _arrays(kind: Any) -> st.SearchStrategy[npt.NDArray[Any]]:
    return numpy_st.arrays(kind, numpy_st.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4))


TEXTS = st.text(st.characters(blacklist_categories=("Cs",)), max_size=8)
FLOATS = st.floats(allow_nan=True, allow_infinity=True)
PAIRS = st.builds(Pair, _arrays(np.float32), _arrays(np.int64))
DENSE = st.builds(Dense, st.sampled_from([np.float64, np.uint8, "U3", "S2", bool]).flatmap(_arrays))
ROWS = numpy_st.arrays(np.float32, (3, 4), elements=st.sampled_from([0, 1.5])).map(sparse.csr_matrix)
SHAPES = st.builds(Circle, FLOATS) | st.builds(Square, _arrays(np.float32))
EVERYTHING = st.builds(
    Everything,
    name=TEXTS,
    count=st.integers(),
    ratio=FLOATS,
    wide=st.floats(width=32).map(np.float32),
    is_on=st.booleans(),
    colour=st.sampled_from(Colour),
    how=st.sampled_from(["fast", "exact"]),
    when=st.datetimes(pd.Timestamp("2000-01-01"), pd.Timestamp("2100-01-01")).map(
        lambda when: pd.Timestamp(when, tz="UTC")
    ),
    options=st.dictionaries(TEXTS, st.integers(), max_size=3),
    words=st.lists(TEXTS, max_size=3).map(tuple),
    weights=st.lists(FLOATS, max_size=3),
    maybe=st.none() | st.integers(),
    pair=PAIRS,
    absent=st.none() | PAIRS,
    kind=DENSE | st.builds(Constant, FLOATS),
    parts=st.lists(DENSE, max_size=2).map(tuple),
    both=st.tuples(PAIRS, _arrays(np.bool_)),
    by_name=st.dictionaries(TEXTS, st.none() | DENSE, max_size=2),
    nested=st.dictionaries(TEXTS, st.lists(TEXTS, max_size=2).map(tuple), max_size=2),
    rows=ROWS,
    ids=(st.sets(TEXTS, max_size=3) | st.sets(st.integers(-9, 9), max_size=3)).map(IdIndex),
    shapes=st.lists(st.builds(Circle, FLOATS) | st.builds(Square, _arrays(np.float32)), max_size=3).map(
        tuple
    ),
)


def assert_same(found: Any, expected: Any) -> None:
    """Hold two values equal to the last bit, with the same types all the way down."""
    if isinstance(expected, np.ndarray):
        assert isinstance(found, np.ndarray)
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        assert np.array_equal(found, expected, equal_nan=expected.dtype.kind == "f")
        return
    assert type(found) is type(expected)
    if is_dataclass(expected):
        for each in fields(expected):
            assert_same(getattr(found, each.name), getattr(expected, each.name))
    elif isinstance(expected, tuple | list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    elif isinstance(expected, dict):
        assert list(found) == sorted(expected)
        for key, value in expected.items():
            assert_same(found[key], value)
    elif isinstance(expected, IdIndex):
        assert found == expected
    elif sparse.issparse(expected):
        assert_same(found.toarray(), expected.toarray())
    elif isinstance(expected, float | np.floating):
        assert found == expected or (math.isnan(found) and math.isnan(expected))
    else:
        assert found == expected


@settings(max_examples=60, deadline=None)
@given(EVERYTHING)
def test_a_value_equals_itself_after_a_round_trip_through_arrays(value: Everything) -> None:
    arrays, scalars = dataclass_to_arrays(value, "part")
    assert all(name.startswith("part.") for name in [*arrays, *scalars])
    assert_same(dataclass_from_arrays(Everything, arrays, scalars, "part"), value)


def test_a_value_equals_itself_after_a_round_trip_through_a_folder(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    @settings(max_examples=20, phases=[Phase.generate], deadline=None)
    @given(EVERYTHING, st.sampled_from([True, False, "c"]))
    def round_trip(value: Everything, mmap: Any) -> None:
        folder = tmp_path_factory.mktemp("value")
        save_dataclass(folder, value)
        assert_same(load_dataclass(Everything, folder, mmap=mmap), value)

    round_trip()


def test_equal_values_give_equal_bytes(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        save_dataclass(tmp_path / folder, Pair(np.ones(3, np.float32), np.arange(2)))
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


def test_arrays_are_mapped_when_asked_for(tmp_path: Path) -> None:
    save_dataclass(tmp_path, Pair(np.ones(3, np.float32), np.arange(2)))
    assert isinstance(load_dataclass(Pair, tmp_path).left, np.memmap)
    copied = load_dataclass(Pair, tmp_path, mmap="c").left
    assert type(copied) is np.ndarray
    copied[0] = 5.0
    assert load_dataclass(Pair, tmp_path).left[0] == 1.0


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (Pair(np.ones(2), np.arange(2)), "left"),
        (Pair([1.0], np.arange(2)), "left"),  # type: ignore[arg-type]
        (Constant("text"), "value"),  # type: ignore[arg-type]
        (Dense(np.array([None])), "matrix"),
    ],
)
def test_a_field_that_is_not_of_its_declared_type_is_named_when_it_is_written(
    tmp_path: Path, value: Any, named: str
) -> None:
    with pytest.raises(SourceError, match=named):
        save_dataclass(tmp_path, value)


@dataclass
class Unstorable:
    what: set[Pair]


@pytest.mark.parametrize("value", [3, {"a": 1}, Unstorable(set())])
def test_a_value_without_a_form_as_arrays_is_refused(value: Any) -> None:
    with pytest.raises(SourceError):
        dataclass_to_arrays(value)


def test_a_folder_of_another_class_is_refused(tmp_path: Path) -> None:
    save_dataclass(tmp_path, Constant(1.0))
    with pytest.raises(SourceError, match="another class"):
        load_dataclass(Dense, tmp_path)


@pytest.mark.parametrize("lost", ["left", "right"])
def test_a_missing_field_is_named(lost: str) -> None:
    arrays, scalars = dataclass_to_arrays(Pair(np.ones(2, np.float32), np.arange(2)))
    del arrays[lost]
    with pytest.raises(SourceError, match=f"missing.*{lost}"):
        dataclass_from_arrays(Pair, arrays, scalars)


@dataclass
class Grown:
    """A class of which an earlier version stored less."""

    value: float
    word: str = field(default="before", metadata=ADDED_LATER)


def test_a_field_that_was_added_later_has_its_default_in_what_was_stored_before() -> None:
    arrays, scalars = dataclass_to_arrays(Grown(1.0, "after"))
    assert dataclass_from_arrays(Grown, arrays, scalars) == Grown(1.0, "after")
    del scalars["word"]
    assert dataclass_from_arrays(Grown, arrays, scalars) == Grown(1.0, "before")
    with pytest.raises(SourceError, match=r"missing.*value"):
        dataclass_from_arrays(Grown, arrays, {"word": "after"})


def test_a_field_that_changed_its_type_is_named_when_it_is_read() -> None:
    arrays, scalars = dataclass_to_arrays(Pair(np.ones(2, np.float32), np.arange(2)))
    with pytest.raises(SourceError, match="left"):
        dataclass_from_arrays(Pair, arrays | {"left": np.arange(2)}, scalars)
    with pytest.raises(SourceError, match="value"):
        dataclass_from_arrays(Constant, {}, {"value": "text"})


def test_an_unknown_member_of_a_union_is_refused() -> None:
    @dataclass
    class Holder:
        kind: Dense | Constant

    holder = Holder(Constant(1.0))
    arrays, scalars = dataclass_to_arrays(holder)
    assert scalars == {"kind": "Constant", "kind.value": 1.0}
    with pytest.raises(SourceError, match="union"):
        dataclass_from_arrays(Holder, arrays, scalars | {"kind": "Path"})
    with pytest.raises(SourceError, match="union"):
        dataclass_to_arrays(Holder(Pair(np.ones(1, np.float32), np.arange(1))))  # type: ignore[arg-type]
