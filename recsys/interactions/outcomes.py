"""What a row says: from ratings, flags or words to event types."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.errors import InputError, did_you_mean, explained
from recsys.schema.columns import Columns as C
from recsys.schema.vocabulary import ENUMERATIONS

Like = float | Collection[Any] | Mapping[Any, str | None] | Callable[[pd.Series], Any] | None
LIKE, PASS = "like", "pass"
_SHOWN = 8


def event_types(outcome: pd.Series, like: Like) -> npt.NDArray[np.object_]:
    """Return the event type of each outcome, None where there is none or it means nothing.

    like: a number: from it on a like, below a pass. A collection: these are likes, the others passes.
    A mapping from outcomes to event types; what maps to None, or is not in it, means nothing. A
    function from the column to whether it is a like. None: flags, 0 and 1, or event types as they are.

    Raises InputError when `like` is needed and does not fit.

    >>> event_types(pd.Series([1, 5, None]), 4).tolist()
    ['pass', 'like', None]
    >>> event_types(pd.Series(["apply", "view"]), {"apply": "like"}).tolist()
    ['like', None]
    """
    known = outcome.notna().to_numpy(bool)
    types = np.full(len(outcome), None, dtype=object)
    if not known.any():
        return types
    said = outcome[known]
    if isinstance(like, Mapping):
        _refuse_strange(like)
        types[known] = said.map(dict(like)).astype(object).where(lambda found: found.notna(), None)
    elif like is None:
        types[known] = _as_they_are(said)
    else:
        types[known] = np.where(_is_like(said, like), LIKE, PASS)
    return types


def _is_like(said: pd.Series, like: Any) -> npt.NDArray[np.bool_]:
    if callable(like):
        return np.asarray(like(said), bool)
    if isinstance(like, Collection) and not isinstance(like, str):
        return np.asarray(said.isin(list(like)), bool)
    try:
        return np.asarray(pd.to_numeric(said) >= float(like), bool)
    except (TypeError, ValueError) as error:
        remedy = "give a collection of the outcomes that are likes, or a mapping to event types"
        raise InputError(explained("outcomes are no numbers", got=_some(said), remedy=remedy)) from error


def _as_they_are(said: pd.Series) -> npt.NDArray[np.object_]:
    distinct = set(pd.unique(said).tolist())
    if distinct <= {0, 1}:
        return np.where(said.astype(bool), LIKE, PASS).astype(object)
    if distinct <= set(ENUMERATIONS[C.TYPE].words):
        return said.to_numpy(object)
    remedy = "say what is a like, such as like=4 (and above), like={'yes'} or like={'apply': 'like'}"
    raise InputError(explained("what an outcome means is not known", got=_some(said), remedy=remedy))


def _refuse_strange(types: Mapping[Any, str | None]) -> None:
    words = ENUMERATIONS[C.TYPE].words
    for name in types.values():
        if name is not None and name not in words:
            raise InputError(explained("unknown event type", got=name, remedy=did_you_mean(name, words)))


def _some(said: pd.Series) -> str:
    values = [str(value) for value in pd.unique(said)[: _SHOWN + 1]]
    return ", ".join(values[:_SHOWN]) + (", ..." if len(values) > _SHOWN else "")
