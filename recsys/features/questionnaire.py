"""A questionnaire of one's own, as a table with one row a person: any columns, any answers missing."""

import ast
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final

import numpy as np
import pandas as pd

from recsys.arguments import as_pandas, check_type
from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.ids import IdIndex, hashed_strings, warn_of_no_match
from recsys.data.no_answer_codes import warn_of_codes
from recsys.data.population import Population
from recsys.errors import InputError, TableError, explained, warn
from recsys.features.base import Block, BlockRows, FittedBlock
from recsys.features.factor_analysis import FactorPrior, fit_factor_model
from recsys.features.learned_scales import count_factors, varimax
from recsys.features.likert import ScaleReading, read_scale
from recsys.features.numeric import moments
from recsys.types import ArrowTable, Float64Array, UInt64Array

_SALT: Final = "questionnaire"
_FEWEST: Final = 2
_MOST_CATEGORIES: Final = 30
_SEPARATORS: Final = re.compile("[;；|]")
_FEWEST_VALUES: Final = 3
_MOST_SHOWN: Final = 5
_COMMAS: Final = re.compile("[,，、・]")
_WRITTEN_LIST: Final = re.compile(r"\s*\[.*\]\s*", re.DOTALL)
_NUMBERED: Final = re.compile(r"\s*\d{1,2}\s*[:：.．)）]\s*\D")


class Questionnaire(Block):
    """Where people stand on what a questionnaire measures: factors of its items, with missing answers.

    Numbers are items as they are (a scale of 1 to 5, an age), ordered categories are items by their order,
    flags are 0 and 1, and texts or plain categories are an item for each answer that at least two gave, but
    for one (the most frequent) from which the others are told. Ordered are a pandas Categorical with
    ordered=True, a polars Enum, and texts that are the words of a usual scale ("Agree", "ときどき"), which a
    warning names. The words may be English for some people and Japanese for others: words of one meaning
    have one place. Up to a tenth of the answers may be none of the scale (misspellings); they are left
    missing and a warning counts them. With more, the words have no order, and a warning says why. What
    nobody of the fit answered, or everybody alike, is left out with a warning.
    That answers of one question exclude each other makes no factor, nor does a curve of another factor,
    middle against ends, in several questions of plain words. Times and free text (more than 30 different
    answers) are refused: make numbers or groups of them, or leave them out.
    Several choices in a cell are an item for each choice: lists, tuples and sets, texts at ";" or "|", and
    texts at commas where that leaves fewer different choices than there are different cells ("a, b" beside
    "a" and "b", but not "Lyon, France" beside "Rome, Italy"). A choice in a list is never separated further.
    Items are standardised; a factor model that allows for missing answers finds how many factors stand out
    of noise, and each person's standing is its posterior mean: somebody who answered little stands near the
    middle, 0. The pair score is the mean over factors of `tanh(f_i) * tanh(f_j)`, in [-1, 1]: people at the
    same ends of the factors score high. So maps and lists exist before the first event.

    frame:      ids and one column a question, one row a person, of pandas, polars or Arrow; missing
                answers and missing people are allowed. Leave out what a model should not learn from.
    user:       the column that holds the ids.
    n_factors:  factors; those that stand out of noise when None.
    weight:     logits a pair score of 1 is worth before any outcome was seen; outcomes move it.
    evidence:   people's worth of prior in each item's loadings and noise.

    After `fit`, `loadings_` holds the loading of each item on each factor, items by their names.

    >>> answers = {"walks": [5, 1, None], "pet": ["cat", "dog", "cat"]}
    >>> frame = pd.DataFrame({"user_id": ["a", "b", "c"], **answers})
    >>> people = Population.of_ids(["a", "b", "c"], as_of="2026-01-05")
    >>> block = Questionnaire(frame, n_factors=1).fit(people)
    >>> block.loadings_.index.tolist(), block.transform(people).preferences.shape
    (['walks', 'pet: cat'], (3, 1))
    >>> clubs = pd.DataFrame({"member": ["a", "b", "c"], "clubs": ["chess;choir", "choir", "chess"]})
    >>> Questionnaire(clubs, user="member", n_factors=1).fit(people).loadings_.index.tolist()
    ['clubs: chess', 'clubs: choir']
    """

    name = "questionnaire"

    def __init__(
        self,
        frame: pd.DataFrame | ArrowTable,
        *,
        user: str = C.USER,
        n_factors: int | None = None,
        weight: float = 2.0,
        evidence: float = 10.0,
        name: str = "questionnaire",
    ) -> None:
        self.frame = frame
        self.user = user
        self.n_factors = n_factors
        self.weight = weight
        self.evidence = evidence
        self.name = name

    def _check_settings(self) -> None:
        """Raise InputError for settings that cannot be meant, as models do for theirs."""
        for name, hint in (("n_factors", int | None), ("weight", float), ("evidence", float)):
            check_type(getattr(self, name), hint, name=name, where="Questionnaire")
        for name, least in (("n_factors", 1), ("weight", 0.0), ("evidence", 0.0)):
            value = getattr(self, name)
            if value is not None and not least <= value < np.inf:
                remedy = f"give {least:g} or more"
                raise InputError(
                    explained(f"impossible {name}", where="Questionnaire", got=value, remedy=remedy)
                )

    def _learn(self, people: Population, events: Events) -> "FittedQuestionnaire":  # noqa: ARG002
        self._check_settings()
        frame = _checked(as_pandas(self.frame, name="frame", where="Questionnaire"), self.user)
        for name, values in frame.items():
            if _is_number(values) and not pd.api.types.is_bool_dtype(values):
                warn_of_codes(f"column '{name}'", values)
        warn_of_no_match(
            people.ids, frame.index.to_numpy(object), what="the frame", where="Questionnaire.fit"
        )
        items, groups = _informative(*_items(frame, people.ids), people.ids)
        seen = items.reindex(pd.Index(people.ids.values, dtype=object)).to_numpy(np.float64)
        mean, deviation = moments(seen)
        standard = (seen - mean) / deviation
        n_factors = self.n_factors or count_factors(standard, groups)
        prior = FactorPrior(evidence=self.evidence)
        model = fit_factor_model(standard, n_factors, prior=prior, groups=groups)
        model = replace(model, loadings=_signed(varimax(model.loadings)))
        labels = tuple(f"factor_{at + 1}" for at in range(n_factors))
        self.loadings_ = pd.DataFrame(model.loadings, index=items.columns, columns=list(labels))
        everybody = (items.to_numpy(np.float64) - mean) / deviation
        hashes = hashed_strings([str(user) for user in items.index], salt=_SALT)
        order = np.argsort(hashes, kind="stable")
        return FittedQuestionnaire(
            hashes=hashes[order],
            standing=np.tanh(model.posterior_mean(everybody))[order],
            labels=labels,
            usual_weight=float(self.weight),
        )


@dataclass(frozen=True, eq=False)
class FittedQuestionnaire(FittedBlock):
    """Bounded standings by person; somebody without a row stands in the middle, 0.

    hashes:   `(n_known,)` of the ids, ascending. standing: `(n_known, n_factors)` in (-1, 1).
    """

    name: ClassVar[str] = "questionnaire"

    hashes: UInt64Array
    standing: Float64Array
    labels: tuple[str, ...]
    usual_weight: float

    @property
    def columns(self) -> tuple[str, ...]:
        """The factors."""
        return self.labels

    def rows(self, people: Population) -> BlockRows:
        """Return the rows of everybody; both are the same."""
        wanted = hashed_strings(list(map(str, people.ids.values)), salt=_SALT)
        matrix = np.zeros((len(people), len(self.labels)), np.float32)
        if len(self.hashes):
            at = np.minimum(np.searchsorted(self.hashes, wanted), len(self.hashes) - 1)
            known = self.hashes[at] == wanted
            matrix[known] = self.standing[at[known]] / np.sqrt(max(len(self.labels), 1))
        return BlockRows(matrix, matrix)


def _checked(frame: pd.DataFrame, user: str) -> pd.DataFrame:
    """Return the frame by its ids, words as `_choices`, or raise TableError with every problem."""
    problems = _frame_problems(frame, user)
    questions = [column for column in frame.columns if column != user]
    read = frame.copy(deep=False)
    recognised: dict[str, ScaleReading] = {}
    for column in questions:
        values = frame[column]
        if pd.api.types.is_datetime64_any_dtype(values):
            problems.append(f"column '{column}' holds times; make numbers of them or leave it out")
        elif _is_number(values):
            if np.isinf(values.to_numpy(np.float64, na_value=np.nan)).any():
                problems.append(f"column '{column}' holds an infinite number; leave it unknown")
        elif any(map(_is_nested, values)):
            problems.append(f"column '{column}' holds tables within cells; give lists of words")
        elif not _is_ordered(values):
            read[column] = _choices(values)
            n = read[column].explode().nunique()
            scale = _scale(read[column])
            if scale is not None:
                recognised[str(column)] = scale
            if scale is not None and scale.is_scale:
                read[column] = _ranked(read[column], scale)
            elif n > _MOST_CATEGORIES:
                got = f"{n} different answers"
                numbers = pd.to_numeric(values.dropna(), errors="coerce").notna().all()
                remedy = "make them numbers with pandas.to_numeric" if numbers else "group or drop them"
                problems.append(f"column '{column}' holds {got}, more than {_MOST_CATEGORIES}; {remedy}")
    if problems:
        raise TableError("questionnaire", problems)
    _warn_of_scales(recognised)
    _warn_of_numbered({column: read[column] for column in questions if column not in recognised}, frame)
    return read.set_index(user)


def _frame_problems(frame: pd.DataFrame, user: str) -> list[str]:
    """Return what is wrong with a frame as a whole; raise TableError where a column stands twice."""
    if again := list(frame.columns[frame.columns.duplicated()]):
        raise TableError("questionnaire", [f"column '{again[0]}' stands twice; rename one or leave it out"])
    there = ", ".join(map(str, frame.columns[:6]))
    lost = f"column '{user}' is missing; name the one that holds ids with user=: {there}"
    problems = _id_problems(frame[user]) if user in frame.columns else [lost]
    if not len(frame):
        problems.append("there is no row; give one row a person")
    if not set(frame.columns) - {user}:
        problems.append("there is no question; give one column a question")
    return problems


def _scale(chosen: pd.Series) -> ScaleReading | None:
    """Return the scale that nearly all cells of a question, one answer each, are on."""
    cells = chosen.dropna()
    single = cells.map(len) == 1
    if not len(cells) or not single.any():
        return None
    scale = read_scale(Counter(map("; ".join, cells)))
    # a question of several choices is not a scale, and no warning is due
    return scale if scale is not None and (scale.is_scale or single.all()) else None


def _ranked(chosen: pd.Series, scale: ScaleReading) -> pd.Series:
    """Return the answers as an ordered Categorical, missing where the scale does not have them."""
    codes = np.array([-1 if cell is None else scale.place.get("; ".join(cell), -1) for cell in chosen], int)
    return pd.Series(
        pd.Categorical.from_codes(codes, pd.Index(scale.order), ordered=True), index=chosen.index
    )


def _warn_of_scales(recognised: dict[str, ScaleReading]) -> None:
    """Say which words were read as a scale and in which order, and which were not, with their counts."""
    for order in dict.fromkeys(scale.order for scale in recognised.values() if scale.is_scale):
        names = ", ".join(
            f"'{name}'" for name, own in recognised.items() if own.is_scale and own.order == order
        )
        warn(
            f"{names}: read as a scale in the order {' < '.join(order)}; give an ordered Categorical (a "
            "polars Enum) to say so yourself, or numbers for another order"
        )
    for name, scale in recognised.items():
        if not scale.strays:
            continue
        words = ", ".join(f"{word!r} ({n})" for word, n in list(scale.strays.items())[:_MOST_SHOWN])
        more = f" and {len(scale.strays) - _MOST_SHOWN} more" if len(scale.strays) > _MOST_SHOWN else ""
        if scale.is_scale:
            warn(f"column '{name}': left missing, being no answer of its scale: {words}{more}; correct them")
        else:
            warn(
                f"column '{name}': read as words without an order, since {scale.share:.1%} of the answers "
                f"are not of the scale {' < '.join(scale.order)}: {words}{more}; correct them, leave them "
                "missing, or give an ordered Categorical"
            )


def _warn_of_numbered(chosen: Mapping[Any, pd.Series], frame: pd.DataFrame) -> None:
    """Warn of words that begin with numbers, "1: never": they may be a scale, or codes of places."""
    for column, cells in chosen.items():
        words = set() if _is_number(frame[column]) or _is_ordered(frame[column]) else set(cells.dropna())
        if len(words) >= _FEWEST_VALUES and all(len(one) == 1 and _NUMBERED.match(one[0]) for one in words):
            example = min(words)[0]
            warn(
                f"column '{column}': answers such as {example!r} are read as words without an order; if the "
                "numbers are one, give an ordered Categorical, or the numbers alone"
            )


def _id_problems(ids: pd.Series) -> list[str]:
    if ids.isna().any():
        return [f"{int(ids.isna().sum())} rows have no {ids.name}"]
    if ids.duplicated().any():
        first = ids[ids.duplicated()].tolist()[0]
        return [f"a person stands twice, the first {first!r}; keep one row a person"]
    return []


def _choices(values: pd.Series) -> pd.Series:
    """Return what each person chose, a tuple without repetitions, and None where there is no answer.

    Lists and their like are taken as they are, an empty one as nothing chosen; an empty text is no answer.
    """
    cells = [value if pd.api.types.is_list_like(value) else _listed(_text(value)) for value in values]
    texts = {cell for cell in cells if isinstance(cell, str)}
    separator = None
    if any(_SEPARATORS.search(text) for text in texts):
        separator = _SEPARATORS
    elif len({part for text in texts for part in _parts(text, _COMMAS)}) < len(texts):
        separator = _COMMAS
    found = [None if cell is None else _parts(cell, separator) for cell in cells]
    return pd.Series(found, index=values.index, dtype=object)


def _listed(text: str | None) -> str | list[Any] | None:
    """Return the list that a text is the writing of, as a CSV holds it, else the text."""
    if text is not None and _WRITTEN_LIST.fullmatch(text):
        with suppress(ValueError, SyntaxError):
            read = ast.literal_eval(text)
            if isinstance(read, list) and not any(map(pd.api.types.is_list_like, read)):
                return read
    return text


def _text(value: Any) -> str | None:
    """Return a single value as text, and None for a missing or an empty one."""
    return None if pd.isna(value) else str(value).strip() or None


def _parts(cell: str | Iterable[Any], separator: re.Pattern[str] | None) -> tuple[str, ...]:
    """Return the choices of a cell, each once."""
    texts: Iterable[str | None]
    if isinstance(cell, str):
        texts = map(_text, separator.split(cell)) if separator else [cell]
    else:
        texts = map(_text, cell)
    return tuple(dict.fromkeys(text for text in texts if text is not None))


def _is_nested(value: Any) -> bool:
    if not pd.api.types.is_list_like(value):
        return False
    return isinstance(value, dict) or any(map(pd.api.types.is_list_like, value))


def _is_number(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values)


def _is_ordered(values: pd.Series) -> bool:
    return isinstance(values.dtype, pd.CategoricalDtype) and bool(values.cat.ordered)


def _items(frame: pd.DataFrame, fitted: IdIndex) -> tuple[pd.DataFrame, list[int] | None]:
    """Return the items as numbers, missing where not answered, columns by question and answer, and groups.

    What is an item is decided by the people of the fit alone. The answers of a question of which everybody
    gives one are a group, None where there is no such group, or nothing beside the one.
    """
    own = fitted.find(frame.index) >= 0
    items: dict[str, pd.Series] = {}
    groups: list[int] = []
    for name, values in frame.items():
        if _is_number(values):
            items[str(name)] = values.astype("float64")
        elif _is_ordered(values):
            items[str(name)] = values.cat.codes.where(values.notna()).astype("float64")
        else:
            counts = values[own].explode().value_counts()
            answers = sorted(counts[counts >= _FEWEST].index) or sorted(counts.index)
            excluding = bool((values.dropna().map(len) == 1).all())
            if len(answers) > 1 and excluding:
                # one answer is what the others are told from; all together say nothing more
                answers.remove(counts.index[0] if len(answers) > 2 else answers[1])
            first = len(items)
            if not answers:
                items[str(name)] = pd.Series(np.nan, index=frame.index)
                groups.append(first)
            for answer in answers:
                groups.append(first if excluding else len(items))
                chosen = [np.nan if cell is None else float(answer in cell) for cell in values]
                items[f"{name}: {answer}"] = pd.Series(chosen, index=frame.index, dtype=np.float64)
            continue
        groups.append(len(items) - 1)
    n_groups = len(set(groups))
    return pd.DataFrame(items, index=frame.index), groups if 1 < n_groups < len(groups) else None


def _informative(
    items: pd.DataFrame, groups: list[int] | None, fitted: IdIndex
) -> tuple[pd.DataFrame, list[int] | None]:
    """Return items and groups without those that tell no two people of the fit apart, and warn of them.

    Where fewer than two of the fit are known all stay: the standings are then those before any answer.
    """
    own = items[fitted.find(items.index) >= 0]
    told = (own.min() < own.max()).to_numpy(bool)
    if told.all() or len(own) < _FEWEST:
        return items, groups
    names = ", ".join(f"'{name}'" for name in items.columns[~told])
    warn(f"left out of the factors, since nobody answered or all who did answered alike: {names}")
    if groups is not None:
        groups = [group for group, keep in zip(groups, told, strict=True) if keep]
        if not 1 < len(set(groups)) < len(groups):
            groups = None
    return items.loc[:, told], groups


def _signed(loadings: Float64Array) -> Float64Array:
    """Return the loadings with the largest of each factor positive, the strongest factor first."""
    if not loadings.size:
        return loadings
    largest = loadings[np.abs(loadings).argmax(axis=0), np.arange(loadings.shape[1])]
    signed = loadings * np.where(largest < 0, -1.0, 1.0)
    return signed[:, np.argsort(-(signed**2).sum(axis=0), kind="stable")]
