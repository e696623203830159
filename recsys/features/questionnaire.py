"""A questionnaire of one's own, as a table with one row a person: any columns, any answers missing."""

from dataclasses import dataclass, replace
from typing import ClassVar, Final

import numpy as np
import pandas as pd

from recsys.arguments import as_pandas, check_type
from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.ids import IdIndex, check_match, hashed_strings
from recsys.data.no_answer_codes import warn_of_codes
from recsys.data.population import Population
from recsys.errors import InputError, explained, warn
from recsys.features.base import Block, BlockRows, FittedBlock
from recsys.features.factor_analysis import FactorPrior, fit_factor_model
from recsys.features.numeric import moments
from recsys.features.scales import count_factors, varimax
from recsys.features.survey_answers import is_number, is_ordered, read_survey
from recsys.types import ArrowTable, Float64Array, UInt64Array

_SALT: Final = "questionnaire"
_FEWEST: Final = 2
_MOST_UNKNOWN: Final = 0.1


class Questionnaire(Block):
    """Where people stand on what a questionnaire measures: factors of its items, with missing answers.

    Numbers are items as they are (a scale of 1 to 5, an age), also where they are texts; ordered categories
    are items by their order, flags are 0 and 1, and texts or plain categories are an item for each answer
    that at least two gave, but for one (the most frequent) from which the others are told. Ordered are a
    pandas Categorical with ordered=True, a polars Enum, bands in one unit ("20代", "50代以上", "1-2 hours"),
    and texts that are the words of a usual scale ("Agree", "ときどき"), which a warning names. Words may be
    English for some people and Japanese for others: words of one meaning have one place. Up to a tenth of
    the answers may be none of the scale (misspellings); they are left missing and a warning counts them. With
    more, the words have no order, and a warning says why. Words such as "N/A" and "無回答" are no answer,
    which a warning counts. Codes that begin with 0, and a Categorical of numbers, are words. What nobody of
    the fit answered, or everybody alike, is left out with a warning.
    That answers of one question exclude each other makes no factor, nor does a curve of another factor,
    middle against ends, in several questions of plain words. Times and free text (more than 30 different
    answers) are refused: make numbers or groups of them, or leave them out.
    Several choices in a cell are an item for each choice: lists, tuples and sets, texts at ";" or "|", texts
    at commas where that leaves fewer different choices than there are different cells ("a, b" beside "a"
    and "b", but not "Lyon, France" beside "Rome, Italy"), and at "、" where a choice stands in two cells. A
    choice in a list is never separated further.
    Items are standardised; a factor model that allows for missing answers finds how many factors stand out
    of noise, and each person's standing is its posterior mean: somebody who answered little stands near the
    middle, 0. The pair score is the mean over factors of `tanh(f_i) * tanh(f_j)`, in [-1, 1]: people at the
    same ends of the factors score high. So maps and lists exist before the first event.

    frame:      ids and one column a question, one row a person, of pandas, polars or Arrow; missing
                answers and missing people are allowed. Leave out what a model should not learn from.
    user:       the column that holds the ids.
    n_factors:  factors; those that stand out of noise when None, one with a warning where none does.
    weight:     logits a pair score of 1 is worth before any outcome was seen; outcomes move it.
    evidence:   people's worth of prior in each item's loadings and noise, which draws loadings towards 0,
                with 10 among 200 people by about a tenth.

    After `fit`, `loadings_` holds the loading of each item on each factor, items by their names in its index.

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
        frame = read_survey(as_pandas(self.frame, name="frame", where="Questionnaire"), self.user)
        for name, values in frame.items():
            if is_number(values) and not pd.api.types.is_bool_dtype(values):
                warn_of_codes(f"column '{name}'", values)
        ids = frame.index.to_numpy(object)
        check_match(
            people.ids, ids, what="the frame", where="Questionnaire.fit", most=_MOST_UNKNOWN, required=True
        )
        items, groups = _informative(*_items(frame, people.ids), people.ids)
        seen = items.reindex(pd.Index(people.ids.values, dtype=object)).to_numpy(np.float64)
        mean, deviation = moments(seen)
        standard = (seen - mean) / deviation
        if self.n_factors is not None and self.n_factors > max(items.shape[1], 1):
            got, remedy = f"{self.n_factors} for {items.shape[1]}", "leave n_factors out"
            raise InputError(
                explained("more factors than items", where="Questionnaire", got=got, remedy=remedy)
            )
        n_factors = self.n_factors or count_factors(standard, groups)
        if not n_factors:
            warn("no factor stands out of noise in these answers: one is kept, which may be chance alone")
            n_factors = 1
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


def _items(frame: pd.DataFrame, fitted: IdIndex) -> tuple[pd.DataFrame, list[int] | None]:
    """Return the items as numbers, missing where not answered, columns by question and answer, and groups.

    What is an item is decided by the people of the fit alone. The answers of a question of which everybody
    gives one are a group, None where there is no such group, or nothing beside the one.
    """
    own = fitted.find(frame.index) >= 0
    items: dict[str, pd.Series] = {}
    groups: list[int] = []
    for name, values in frame.items():
        if is_number(values):
            items[str(name)] = values.astype("float64")
        elif is_ordered(values):
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
