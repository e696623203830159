"""The protocol of a feature block: an estimator that learns, and plain values that are applied."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.arguments import check_type
from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.errors import (
    InputError,
    NotFittedError,
    SettingsError,
    SourceError,
    did_you_mean,
    explained,
    imported,
)
from recsys.plugins import plugins
from recsys.types import Float32Array, Float64Array, IndexArray, Int32Array, Int64Array, ObjectArray

_ENTRIES_AT_ONCE = 1_024
"""So few that their rows stay in the cache between one step and the next."""
_OUTPUTS = ("default", "pandas", "polars")


@dataclass(frozen=True, eq=False)
class BlockRows:
    """What each person looks for and what each person is; their inner product is the pair score.

    preferences: `(n_people, n_columns)` float32, what each looks for.
    attributes:  `(n_people, n_columns)` float32, what each is.

    NumPy and scikit-learn see both side by side, `(n_people, 2 * n_columns)`.

    >>> rows = BlockRows(np.array([[1.0], [0.0]], np.float32), np.array([[0.5], [0.2]], np.float32))
    >>> rows.pair_scores([0], [1]).round(3)
    array([0.2])
    >>> np.asarray(rows).shape
    (2, 2)
    """

    preferences: Float32Array
    attributes: Float32Array

    def __post_init__(self) -> None:
        if self.preferences.shape != self.attributes.shape or self.preferences.ndim != 2:
            got = f"{self.preferences.shape} and {self.attributes.shape}"
            raise InputError(explained("the rows of a block must be two equal matrices", got=got))

    def __len__(self) -> int:
        return len(self.preferences)

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        """Return both matrices side by side; a copy always, as they lie apart."""
        if copy is False:
            raise ValueError("the rows of a block lie apart; side by side they are a copy")
        return np.asarray(np.hstack([self.preferences, self.attributes]), dtype)

    @property
    def n_columns(self) -> int:
        """The number of columns of both matrices."""
        return int(self.preferences.shape[1])

    @property
    def shape(self) -> tuple[int, int]:
        """The shape of both matrices side by side."""
        return len(self), 2 * self.n_columns

    @property
    def dtype(self) -> np.dtype[np.float32]:
        """The type of both matrices."""
        return self.preferences.dtype

    def pair_scores(self, i: Int32Array | npt.ArrayLike, j: Int32Array | npt.ArrayLike) -> Float64Array:
        """Return the score of viewer row `i` and candidate row `j`, aligned, `(n_pairs,)` float64."""
        preferences = self.preferences[np.asarray(i, np.int64)].astype(np.float64)
        attributes = self.attributes[np.asarray(j, np.int64)].astype(np.float64)
        return np.asarray(np.vecdot(preferences, attributes), np.float64)


class FittedBlock(ABC):
    """What a block learned: a frozen dataclass of arrays, numbers, texts and tuples of them.

    Subclasses are frozen dataclasses; a model saves their fields as the types they declare (see
    `recsys.storage.dataclass_codec`). `from_events` says that the rows follow from what people did,
    `usual_weight` how many logits a pair score of 1 is worth before any outcome was seen.

    >>> from recsys.features import Topics
    >>> fitted = Topics().fit(Population.of_ids(["a"], as_of="2026-01-05")).fitted_
    >>> fitted.name, fitted.topics == fitted.columns
    ('talk_topics', True)
    """

    registered: ClassVar[dict[str, type["FittedBlock"]]] = {}
    """Every subclass by its name, so that what was saved finds its class; the last one counts."""
    name: ClassVar[str]
    from_events: ClassVar[bool] = False
    usual_weight: float = 0.0

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "name" in vars(cls):
            FittedBlock.registered[cls.name] = cls

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """The name of each column, unique inside the block."""

    @abstractmethod
    def rows(self, people: Population) -> BlockRows:
        """Return the two rows of everybody in `people`, seen at fit or not."""

    def without_people(self) -> Self:
        """Return the block without anything about the people of the fit, to be applied to others."""
        return self

    @classmethod
    def subclass(cls, name: str) -> type["FittedBlock"]:
        """Return the fitted block of a name: of this package, defined in this process, or of a plugin.

        Raises SourceError when none has the name.

        >>> FittedBlock.subclass("values").__name__
        'FittedValues'
        """
        if name not in cls.registered and name in plugins("blocks"):
            plugins("blocks")[name].load()
        if name not in cls.registered:
            nearest = did_you_mean(name, [*cls.registered, *plugins("blocks")])
            remedy = f"import or install what defines it; {nearest}"
            problem = "unknown feature block"
            raise SourceError(explained(problem, where="a saved model", got=name, remedy=remedy))
        return cls.registered[name]


class Block(ABC):
    """Learns one group of features from people; the fitted part is `fitted_`, plain arrays.

    A scikit-learn transformer whose X is a `Population`: `clone`, `Pipeline` and `FeatureUnion` work.
    It has the methods of one instead of its base class, so that serving loads no scikit-learn.
    `transform` gives two aligned rows a person, and their inner product is the pair score in [-1, 1].

    Subclasses set `name`, store the arguments of `__init__` under their own names and change nothing
    there, and say in `_learn` what is learned. A block that may stand several times in one model takes
    `name` as an argument, `Numeric(frame, name="wants")`; blocks of one model have different names.

    >>> from recsys.features import Topics
    >>> people = Population.of_ids(["a", "b"], as_of="2026-01-05")
    >>> Topics().fit_transform(people).pair_scores([0], [1])
    array([0.])
    """

    name: str
    fitted_: FittedBlock
    _output = "default"

    @abstractmethod
    def _learn(self, people: Population, events: Events) -> FittedBlock:
        """Return what is learned from `people` and the events up to their time."""

    def fit(self, people: Population, y: object = None, *, events: Events | None = None) -> Self:  # noqa: ARG002
        """Learn from `people` (and the `events` of the time before `people.as_of`), return self.

        Raises InputError for anything but a population.
        """
        check_type(people, Population, name="people", where=f"{type(self).__name__}.fit")
        past = Events.none() if events is None else events.until(people.as_of)
        self.fitted_ = self._learn(people, past)
        return self

    def transform(self, people: Population) -> Any:
        """Return the two rows of everybody, `BlockRows` of `(n_people, n_columns)` each.

        After `set_output(transform="pandas")` one table by user_id, see `get_feature_names_out`.

        Raises NotFittedError before `fit`, ArgumentTypeError for anything but a population.
        """
        check_type(people, Population, name="people", where=f"{type(self).__name__}.transform")
        rows = self._checked().rows(people)
        if self._output == "default":
            return rows
        index = pd.Index(people.ids.values, name=C.USER)
        table = pd.DataFrame(np.asarray(rows), index=index, columns=list(self.get_feature_names_out()))
        return imported("polars", extra="polars").DataFrame(table) if self._output == "polars" else table

    def set_output(self, *, transform: str | None = None) -> Self:
        """Choose what `transform` returns, as in scikit-learn: "default", "pandas" or "polars".

        Raises SettingsError for another.

        >>> from recsys.features import Topics
        >>> people = Population.of_ids(["a", "b"], as_of="2026-01-05")
        >>> Topics().set_output(transform="pandas").fit_transform(people).index.tolist()
        ['a', 'b']
        """
        if transform is not None and transform not in _OUTPUTS:
            raise SettingsError(
                explained("unknown output", got=transform, remedy=did_you_mean(transform, _OUTPUTS))
            )
        self._output = transform or self._output
        return self

    def fit_transform(self, people: Population, y: object = None, *, events: Events | None = None) -> Any:
        """Learn from `people` and return their two rows."""
        return self.fit(people, y, events=events).transform(people)

    def get_feature_names_out(self, input_features: object = None) -> ObjectArray:  # noqa: ARG002
        """Return the names of the columns of `np.asarray(transform(people))`, preferences first.

        A name is `BLOCK:COLUMN:preference` or `BLOCK:COLUMN:attribute`.
        """
        columns = self._checked().columns
        names = [f"{self.name}:{column}:{side}" for side in ("preference", "attribute") for column in columns]
        return np.asarray(names, dtype=object)

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002
        """Return the arguments of `__init__`; they hold no estimators, so `deep` changes nothing."""
        return {name: getattr(self, name) for name in self._parameters()}

    def set_params(self, **params: Any) -> Self:
        """Set arguments of `__init__` and return self.

        Raises ValueError for a name that is none, with the nearest one.
        """
        known = self._parameters()
        for name in params:
            if name not in known:
                problem = f"{type(self).__name__} has no such parameter"
                raise ValueError(explained(problem, got=name, remedy=did_you_mean(name, known)))
        for name, value in params.items():
            setattr(self, name, value)
        return self

    @classmethod
    def _parameters(cls) -> list[str]:
        own = cls.__init__
        return [] if own is object.__init__ else [n for n in inspect.signature(own).parameters if n != "self"]

    def _checked(self) -> FittedBlock:
        if not hasattr(self, "fitted_"):
            raise NotFittedError(explained(f"{type(self).__name__} was not fitted", remedy="call fit first"))
        return self.fitted_

    def __sklearn_clone__(self) -> Self:
        """Return an unfitted block with the same parameters; they are read only, so none is copied."""
        return type(self)(**self.get_params()).set_output(transform=self._output)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "fitted_")

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import InputTags, Tags, TargetTags, TransformerTags

        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=False),
            transformer_tags=TransformerTags(),
            input_tags=InputTags(two_d_array=False, allow_nan=True),
            no_validation=True,
        )

    def __repr__(self) -> str:
        """Show the parameters that differ from their defaults."""
        defaults = inspect.signature(type(self)).parameters
        changed = [f"{n}={_shown(v)}" for n, v in self.get_params().items() if v is not defaults[n].default]
        return f"{type(self).__name__}({', '.join(changed)})"

    def _repr_html_(self) -> str:
        """Show the state and every parameter as a table."""
        state = f"fitted, {len(self.fitted_.columns)} columns" if hasattr(self, "fitted_") else "not fitted"
        params = pd.Series({name: _shown(value) for name, value in self.get_params().items()}, name="value")
        table = params.rename_axis("parameter").to_frame().to_html()
        return f"<p><b>{escape(type(self).__name__)}</b> ({escape(self.name)}), {state}</p>{table}"


def _shown(value: Any) -> str:
    """Return a parameter in one short line: of a large value its kind."""
    text = repr(value)
    return text if len(text) <= 40 and "\n" not in text else f"<{type(value).__name__}>"


def positions(values: npt.ArrayLike, words: tuple[str, ...]) -> IndexArray:
    """Return the position of each value in `words`, -1 where it is none of them.

    >>> positions(["b", "x"], ("a", "b")).tolist()
    [1, -1]
    """
    code, distinct = pd.factorize(
        values if isinstance(values, pd.Series) else np.asarray(values, dtype=object)
    )
    place = pd.Index(words, dtype=object).get_indexer(pd.Index(distinct, dtype=object))
    return np.append(place, -1)[code]


def by_question(
    number: IndexArray, answers: pd.Series, options: Sequence[tuple[str, ...]]
) -> Iterator[tuple[int, IndexArray, IndexArray]]:
    """Yield each question with its answers: its number, their places, and the option each one is.

    number: `(n_answers,)` the question of each answer, -1 for none of them. options: those of each question.
    Places are `(n_own,)` ascending; an answer that is no option of its question is -1. Texts are compared
    once for all questions, so the work does not grow with their number.

    >>> own = by_question(np.array([1, 0, 1]), pd.Series(["no", "yes", "?"]), [("yes", "no"), ("no",)])
    >>> [(at, places.tolist(), option.tolist()) for at, places, option in own]
    [(0, [1], [0]), (1, [0, 2], [0, -1])]
    """
    code, distinct = pd.factorize(answers)
    words = pd.Index(distinct, dtype=object)
    order = np.argsort(number, kind="stable")
    ends = np.searchsorted(number[order], np.arange(len(options) + 1))
    option_of = np.full(len(words) + 1, -1, np.intp)
    for at, own in enumerate(options):
        entries = order[ends[at] : ends[at + 1]]
        if not len(entries):  # of one person most questions have none
            yield at, entries, entries
            continue
        places = words.get_indexer(pd.Index(own, dtype=object))
        option_of[places] = np.arange(len(own))
        option_of[-1] = -1  # an option that nobody chose, and an unknown answer
        yield at, entries, option_of[code[entries]]
        option_of[places] = -1


def sums_by_person(
    person: Int64Array,
    entry: Int64Array,
    weight: Float64Array,
    table: npt.NDArray[np.floating],
    n_people: int,
) -> Float64Array:
    """Return `out[p] = sum of weight * table[entry]` over the entries of person p.

    person, entry, weight: aligned, any order; table `(n_entries, n_columns)`; the result is
    `(n_people, n_columns)` float64 and does not depend on the order of the entries given, nor on
    who else is there. Memory beyond the result is bounded.

    >>> sums_by_person(np.array([1, 1]), np.array([0, 1]), np.array([2.0, 1.0]), np.eye(2), 2)
    array([[0., 0.],
           [2., 1.]])
    """
    sums = np.zeros((n_people, table.shape[1]))
    key = person * len(table) + entry
    order = np.argsort(key, kind="stable")
    if (np.diff(key[order]) == 0).any():  # two weights of one entry: they are added in their own order
        order = np.lexsort((weight, entry, person))
    person, entry, weight = person[order], entry[order], weight[order]
    firsts = np.flatnonzero(np.diff(person, prepend=-1))
    start = 0
    while start < len(firsts):
        stop = max(
            start + 1, int(np.searchsorted(firsts, firsts[start] + _ENTRIES_AT_ONCE, side="right")) - 1
        )
        stop = len(firsts) if len(person) - firsts[start] <= _ENTRIES_AT_ONCE else stop
        low = firsts[start]
        high = len(person) if stop == len(firsts) else firsts[stop]
        part = table[entry[low:high]] * weight[low:high, None]
        sums[person[firsts[start:stop]]] = np.add.reduceat(part, firsts[start:stop] - low, axis=0)
        start = stop
    return sums


def unit_rows(rows: Float64Array, slack: float = 0.0) -> Float32Array:
    """Return rows divided by `sqrt(length^2 + slack^2)`, at most unit length; a zero row stays zero.

    `slack` keeps rows made of little evidence short.

    >>> unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    length = np.sqrt((rows**2).sum(axis=1, keepdims=True) + slack**2)
    return np.divide(rows, length, out=np.zeros_like(rows), where=length > 0).astype(np.float32)
