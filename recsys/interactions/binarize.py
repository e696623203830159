"""Binarises outcomes: which ratings, words or flags are a like, which a pass, and which mean nothing."""

import re
from collections.abc import Callable, Collection, Mapping
from numbers import Real
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.text_folding import plain
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.data.no_answer_codes import warn_of_codes
from recsys.errors import InputError, as_text, did_you_mean, explained, warn

Like = float | Collection[Any] | Mapping[Any, str | None] | Callable[[pd.Series], Any] | None
LIKE, PASS, IMPRESSION = "like", "pass", "impression"
_SHOWN = 8
_COMMA: Final = re.compile(r"[+-]?\d+,\d{1,2}")
_FLAGS: Final = {"1": LIKE, "1.0": LIKE, "true": LIKE, "0": PASS, "0.0": PASS, "false": PASS}
"""Flags in a column that was read as texts."""
_TIMES: Final = ("datetime", "datetime64", "date", "time", "timedelta", "timedelta64", "period")
"""What pandas would turn into nanoseconds."""


def event_types(outcome: pd.Series, like: Like) -> npt.NDArray[np.object_]:
    """Return the event type of each outcome, None where there is none or it means nothing.

    like: a number: from it on a like, below a pass. A collection: these are likes, the others passes.
    A mapping from outcomes to event types; what maps to None, or is not in it, means nothing. A
    function from the column to whether it is a like, or to event types. None: flags, 0 and 1 or true and
    false, texts of them too, or event types as they are.

    Raises InputError when `like` is needed and does not fit.

    >>> event_types(pd.Series([1, 5, None]), 4).tolist()
    ['pass', 'like', None]
    >>> event_types(pd.Series(["apply", "view"]), {"apply": "like"}).tolist()
    ['like', None]
    """
    outcome = _plain(outcome)
    known = outcome.notna().to_numpy(bool)
    types = np.full(len(outcome), None, dtype=object)
    if not known.any():
        return types
    outcomes = outcome[known]
    if isinstance(like, Mapping):
        _refuse_unknown_types(like)
        _refuse_other_kind(outcomes, like)
        types[known] = outcomes.map(dict(like)).astype(object).where(lambda found: found.notna(), None)
    elif like is None:
        types[known] = _as_they_are(outcomes)
    else:
        types[known] = _answers(outcomes, like)
    return types


def _plain(outcome: pd.Series) -> pd.Series:
    """Return outcomes as single values, whatever backs the column; an empty text is no outcome."""
    if isinstance(outcome.dtype, pd.CategoricalDtype):
        outcome = outcome.astype(outcome.cat.categories.dtype)
    if isinstance(outcome.dtype, pd.ArrowDtype | pd.StringDtype):
        outcome = outcome.astype(object).mask(outcome.isna(), None)
    if outcome.dtype != object:
        return outcome
    return outcome.mask(outcome.map(lambda one: isinstance(one, str) and not one.strip()), None)


def _answers(outcomes: pd.Series, like: Any) -> npt.NDArray[np.object_]:
    """Return like or pass for each outcome, None for a word or an infinite number among numbers."""
    if callable(like):
        return _by_function(outcomes, like)
    if isinstance(like, Collection) and not isinstance(like, str):
        _refuse_other_kind(outcomes, like)
        _warn_of_bounds(outcomes, like)
        return np.where(outcomes.isin(list(like)), LIKE, PASS).astype(object)
    if (kind := pd.api.types.infer_dtype(outcomes, skipna=True)) in _TIMES:
        remedy = "name the column of outcomes with outcome=, that of times with ts="
        raise InputError(
            explained(f"outcomes are no numbers but of type {kind}", got=_some(outcomes), remedy=remedy)
        )
    if kind in ("string", "mixed"):
        outcomes = outcomes.map(lambda one: plain(one) if isinstance(one, str) else one)
    numbers = pd.to_numeric(outcomes, errors="coerce").astype("float64")
    _refuse_decimal_commas(outcomes[numbers.isna()])
    if numbers.isna().all():
        remedy = "give a collection of the outcomes that are likes, or a mapping to event types"
        raise InputError(explained("outcomes are no numbers", got=_some(outcomes), remedy=remedy))
    warn_of_codes("outcomes", numbers)
    answers = np.where(numbers >= float(like), LIKE, PASS).astype(object)
    answers[~np.isfinite(numbers.to_numpy(np.float64))] = None
    return answers


def _by_function(outcomes: pd.Series, like: Callable[[pd.Series], Any]) -> npt.NDArray[np.object_]:
    """Return what a function makes of the column: flags or event types, None where it says nothing."""
    where, remedy = (
        "like=",
        "it gets the whole column: lambda column: column >= 7; for a function of a value ",
    )
    remedy += "give frame[...].map(function) as a column of its own"
    try:
        given = like(outcomes)
    except (AttributeError, TypeError, ValueError) as error:
        what = f"the function fails on the column: {error}"
        raise InputError(explained(what, where=where, got=type(error).__name__, remedy=remedy)) from error
    found = np.empty(0, object) if np.ndim(given) != 1 else np.asarray(given, dtype=object)
    if len(found) != len(outcomes):
        got = (
            f"{type(given).__name__} for {len(outcomes):,} rows" if np.ndim(given) != 1 else f"{len(found):,}"
        )
        what = f"the function returns no answer for each of the {len(outcomes):,} rows"
        raise InputError(explained(what, where=where, got=got, remedy=remedy))
    said = pd.Series(found, dtype=object)
    known = said.notna().to_numpy(bool)
    types = np.full(len(said), None, dtype=object)
    answers = _plainly_meant(said[known])
    if answers is None:
        remedy = "return True where it is a like, or event types such as 'like' and 'pass'"
        what = "what the function returns is not known"
        raise InputError(explained(what, where=where, got=_some(said[known]), remedy=remedy))
    types[known] = answers
    return types


def _warn_of_bounds(outcomes: pd.Series, like: Collection[Any]) -> None:
    """Warn where two numbers in a list may be meant as the least and the greatest like."""
    if not isinstance(like, list | tuple) or len(like) != 2 or not all(isinstance(one, Real) for one in like):
        return
    between = [one for one in pd.unique(outcomes) if isinstance(one, Real) and min(like) < one < max(like)]
    if between:
        passes = ", ".join(f"{one:g}" for one in sorted(between)[:_SHOWN])
        remedy = f"say like={min(like):g} for that and above, or give a set of all that are likes"
        got = f"{like[0]:g} and {like[1]:g}, so that {passes} between them are passes"
        warn(explained("a list of likes names each of them", where="like=", got=got, remedy=remedy))


def _refuse_decimal_commas(words: pd.Series) -> None:
    """Raise InputError where words among numbers are numbers with a comma for the point, such as `4,5`."""
    commas = words[words.map(lambda one: isinstance(one, str) and bool(_COMMA.fullmatch(one.strip())))]
    if len(commas):
        remedy = f"write a point: frame[{words.name!r}].str.replace(',', '.').astype(float)"
        raise InputError(explained("outcomes have a decimal comma", got=_some(commas), remedy=remedy))


def _refuse_other_kind(outcomes: pd.Series, wanted: Collection[Any]) -> None:
    """Raise InputError where likes are texts and outcomes numbers, or the other way: none would match."""
    named, given = ({isinstance(one, str) for one in some} for some in (wanted, outcomes.unique()))
    if len(named) == len(given) == 1 and named != given:
        remedy = f"write them as the column does, such as {outcomes.iloc[0]!r}"
        raise InputError(
            explained("likes of another kind than the outcomes", got=repr(next(iter(wanted))), remedy=remedy)
        )


def _as_they_are(outcomes: pd.Series) -> npt.NDArray[np.object_]:
    types = _plainly_meant(outcomes)
    if types is None:
        remedy = "say what is a like, such as like=4 (and above), like={'yes'} or like={'apply': 'like'}"
        raise InputError(explained("what an outcome means is not known", got=_some(outcomes), remedy=remedy))
    return types


def _plainly_meant(outcomes: pd.Series) -> npt.NDArray[np.object_] | None:
    """Return the event types of flags, of texts of them and of event types; None for anything else."""
    distinct = set(pd.unique(outcomes).tolist())
    if distinct <= {0, 1}:
        return np.where(outcomes.astype(bool), LIKE, PASS).astype(object)
    if distinct <= set(ENUMERATIONS[C.TYPE].words):
        return outcomes.to_numpy(object)
    flags = outcomes.map(lambda one: _FLAGS.get(one.strip().lower()) if isinstance(one, str) else None)
    return flags.to_numpy(object) if flags.notna().all() else None


def _refuse_unknown_types(types: Mapping[Any, str | None]) -> None:
    words = ENUMERATIONS[C.TYPE].words
    for name in types.values():
        if name is not None and name not in words:
            raise InputError(explained("unknown event type", got=name, remedy=did_you_mean(name, words)))


def _some(outcomes: pd.Series) -> str:
    values = [as_text(value) for value in pd.unique(outcomes)[: _SHOWN + 1]]
    return ", ".join(values[:_SHOWN]) + (", ..." if len(values) > _SHOWN else "")


def with_looks_as_passes(kept: pd.DataFrame) -> pd.DataFrame:
    """Return rows in which looks are passes, where nobody ever passed: whoever was not liked is passed.

    Beside passes an impression without an answer may not have been looked at; where there is none, all the
    noes of a log are among its impressions.
    """
    seen = kept[C.TYPE].eq(IMPRESSION)
    if not seen.any() or not kept[C.TYPE].isin([IMPRESSION, LIKE]).all():
        return kept
    likes = kept.loc[~seen, [C.ACTOR, C.TARGET]].drop_duplicates()
    answered = kept[[C.ACTOR, C.TARGET]].merge(likes, how="left", indicator=True)["_merge"].eq("both")
    passes = seen.to_numpy(bool) & ~answered.to_numpy(bool)
    what = "nobody ever passed, so an impression that no like followed is taken as a pass"
    remedy = "say so with like={..., 'seen': 'pass'}"
    warn(explained(what, where="Interactions.of", got=f"{int(passes.sum()):,} of them", remedy=remedy))
    kept = (
        kept[passes | ~seen.to_numpy(bool)].drop(columns=C.POSITION, errors="ignore").reset_index(drop=True)
    )
    return kept.assign(**{C.TYPE: kept[C.TYPE].where(kept[C.TYPE].eq(LIKE), PASS)})


def warn_of_one_answer(outcome: pd.Series, like: Like, *, likes: npt.NDArray[np.bool_]) -> None:
    """Warn where no row is a like, or every row is one though outcomes differ."""
    found = outcome.dropna()
    if likes.any() and not (likes.all() and (found != found.iloc[0]).any()):
        return
    numbers = len(found) and pd.api.types.is_numeric_dtype(found)
    held = f"{found.min():g} to {found.max():g}" if numbers else ", ".join(map(str, found.unique()[:3]))
    where = f"column '{outcome.name}', which holds {held}"
    problem = "every row is a like" if likes.any() else "no row is a like"
    warn(explained(problem, where=where, got=like, remedy="say with like= what is one"))
