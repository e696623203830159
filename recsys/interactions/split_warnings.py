"""What is worth a warning when a log is split into a past and a later part."""

from typing import Final

import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.errors import explained, warn
from recsys.interactions.row_reading import FEWEST_TO_TELL
from recsys.types import BoolArray

_MOST_NEW: Final = 0.5
"""Share of the later events about new people above which lists are of little use."""


def warn_of_new_candidates(events: pd.DataFrame, before: BoolArray) -> None:
    """Warn where most later events are about candidates nobody met before; before: the earlier events."""
    known = pd.unique(events.loc[before, [C.ACTOR, C.TARGET]].to_numpy(object).ravel())
    later = events.loc[~before, C.TARGET]
    new = ~later.isin(known)
    if len(later) >= FEWEST_TO_TELL and new.mean() > _MOST_NEW:
        got = f"{int(new.sum()):,} of {len(later):,} events, {later[new].nunique():,} candidates"
        remedy = (
            "give features of them in blocks=, or judge with split_pairs what is known of candidates in use"
        )
        warn(
            explained(
                "most of the later part is about candidates nobody met before",
                where="split",
                got=got,
                remedy=remedy,
            )
        )


def warn_of_new_viewers(events: pd.DataFrame, before: BoolArray) -> None:
    """Warn where most later events are of viewers who did nothing before; before: the earlier events."""
    later = events.loc[~before, C.ACTOR]
    new = ~later.isin(pd.unique(events.loc[before, C.ACTOR]))
    if len(later) >= FEWEST_TO_TELL and new.mean() > _MOST_NEW:
        got = f"{int(new.sum()):,} of {len(later):,} events, {later[new].nunique():,} viewers"
        remedy = (
            "use split_pairs where the order of the rows is none of time, or name the column of times, ts="
        )
        what = "most of the later part is of viewers who did nothing before"
        warn(explained(what, where="split, of a log without times", got=got, remedy=remedy))


def warn_of_met_passes(passes: BoolArray, known: BoolArray, drawn: float) -> None:
    """Warn where passes were drawn without regard to the past, so that the truth loses many of them.

    drawn: share of the passes asked for below which too few were drawn.
    """
    lost = int((passes & known).sum())
    if lost > (1.0 - drawn) * passes.sum():
        got = f"{lost:,} of {int(passes.sum()):,} passes are left out: fewer a like than drawn"
        remedy = "draw them with with_sampled_negatives(per_like, rng, new_to=past)"
        warn(explained("drawn passes are pairs that were dealt with before", got=got, remedy=remedy))
