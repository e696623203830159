"""Exposure and outcome tables of an experiment, read off the events.

A match belongs to the night of the like that began it and to the list that brought that like, however much
later the other answered: what a list did is not credited to the night on which somebody happened to reply.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from recsys.arguments import checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.config import ExperimentSettings
from recsys.data.events import Events
from recsys.data.times import need_times
from recsys.errors import need_columns
from recsys.experiments.assignment import ARM, NIGHT, UNIT
from recsys.types import Float64Array, Int64Array

HARMS: Final = ("report", "block")
"""Events of a guard-rail: somebody was reported or blocked by whom they were shown to."""
LOGGED: Final = "logged"
_NAMED: Final = r"\+([a-z][a-z0-9-]*(?:\.[a-z_]+-[0-9a-f]+)?:[a-z][a-z0-9_]*)$"


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What happened during some nights, by pair.

    nights:  numbers of the nights that are complete: their likes have had their time to be answered.
    exposures: viewer_id, candidate_id, night, position, logged: impressions, up to `until`; logged is the
             experiment, design and arm an impression carries, such as "nash-1.person-0fcc0e:nash", missing
             where it carries none.
    likes:   viewer_id, candidate_id, night: from lists and inboxes, of complete nights.
    matches: viewer_id (whose like began it), candidate_id, night (of that like), of complete nights.
    harms:   user_id (who reports or blocks), other_id, night, type, up to `until`: they wait for nothing.
    until:   days from the beginning of night 0 to the moment up to which things are known.
    """

    nights: Int64Array
    exposures: pd.DataFrame
    likes: pd.DataFrame
    matches: pd.DataFrame
    harms: pd.DataFrame
    until: float

    def between(self, first: int, stop: int) -> "Outcomes":
        """Return the outcomes of the nights from `first` to before `stop`."""

        def of(table: pd.DataFrame) -> pd.DataFrame:
            return table[(table[NIGHT] >= first) & (table[NIGHT] < stop)].reset_index(drop=True)

        kept = self.nights[(self.nights >= first) & (self.nights < stop)]
        pairs = of(self.exposures), of(self.likes), of(self.matches)
        return Outcomes(kept, *pairs, of(self.harms), min(self.until, float(stop)))


@checked_arguments
def outcomes(
    events: Events | pd.DataFrame, experiment: ExperimentSettings, *, now: pd.Timestamp | None = None
) -> Outcomes:
    """Return the outcomes of every night of a log: night 0 is the first of the experiment, -1 the one before.

    now: until when things are known, the last event when None. Of nights younger than `mature_nights` likes
    and matches are left out, since they are not answered yet, and so are matches that took longer than that.
    Impressions, reports and blocks count at once.

    Raises MissingColumnError when a table of events lacks a column, InputError for times without a zone.

    >>> experiment = ExperimentSettings(name="nash", unit="person", starts="2026-03-02", nights=9,
    ...     mature_nights=2, arms={"today": {"share": 0.5}, "nash": {"share": 0.5}})
    >>> events = pd.DataFrame({"actor": ["a", "b"], "target": ["b", "a"], "type": ["like", "like"],
    ...     "ts": pd.to_datetime(["2026-03-02T20:00Z", "2026-03-04T09:00Z"])})
    >>> outcomes(events, experiment, now=pd.Timestamp("2026-03-05", tz="UTC")).matches.values.tolist()
    [['a', 'b', 0]]
    """
    table = events.frame if isinstance(events, Events) else events
    need_columns([C.ACTOR, C.TARGET, C.TYPE, C.TS], table.columns, where="events")
    need_times(table[C.TS], where="events")
    table = table[table[C.TYPE].isin(["impression", "like", *HARMS]).to_numpy(bool)]
    table = table.astype(dict.fromkeys((C.ACTOR, C.TARGET, C.TYPE), "str"))  # categories know no order
    days = (table[C.TS] - pd.Timestamp(experiment.first_night)) / pd.Timedelta(days=1)
    table = table.assign(night=np.floor(days).astype("int64"), days=days)
    until = days.max() if now is None else (now - pd.Timestamp(experiment.first_night)) / pd.Timedelta(days=1)
    complete = int(np.floor(until)) - experiment.mature_nights if len(table) else 0
    first = int(table[NIGHT].min()) if len(table) else 0
    table = table[table["days"] <= until]
    if C.POSITION not in table:
        table = table.assign(**{C.POSITION: np.nan})
    table = table.assign(**{LOGGED: _logged(table)})
    of_type = {kind: table[table[C.TYPE] == kind] for kind in ("impression", "like", *HARMS)}
    harms = pd.concat([of_type[kind] for kind in HARMS]).rename(
        columns={C.ACTOR: C.USER, C.TARGET: "other_id"}
    )
    return Outcomes(
        nights=np.arange(first, complete),
        exposures=_pairs(of_type["impression"], None, C.POSITION, LOGGED),
        likes=_pairs(of_type["like"], complete),
        matches=_matches(of_type["like"], complete, experiment.mature_nights),
        harms=harms[[C.USER, "other_id", NIGHT, C.TYPE]].reset_index(drop=True),
        until=float(until) if len(table) else 0.0,
    )


def _logged(table: pd.DataFrame) -> pd.Series:
    """Return the experiment and arm that the model version of each event names, missing where none."""
    if C.MODEL_VERSION not in table:
        return pd.Series(None, index=table.index, dtype="str")
    return table[C.MODEL_VERSION].astype("str").str.extract(_NAMED, expand=False)


def _pairs(table: pd.DataFrame, complete: int | None, *more: str) -> pd.DataFrame:
    """Return the pairs of the complete nights, of all when None."""
    named = table.rename(columns={C.ACTOR: C.VIEWER, C.TARGET: C.CANDIDATE})
    kept = named if complete is None else named[named[NIGHT] < complete]
    return kept[[C.VIEWER, C.CANDIDATE, NIGHT, *more]].reset_index(drop=True)


def _matches(likes: pd.DataFrame, complete: int, window: int) -> pd.DataFrame:
    """Return pairs both of whom liked, by the earlier like, when the later came within the window."""
    first = likes.sort_values("days", kind="stable").drop_duplicates([C.ACTOR, C.TARGET])
    back = first[[C.ACTOR, C.TARGET, "days"]].set_axis([C.TARGET, C.ACTOR, "answered"], axis=1)
    both = first.merge(back, on=[C.ACTOR, C.TARGET])
    began = (both["days"] < both["answered"]) | (
        (both["days"] == both["answered"]) & (both[C.ACTOR] < both[C.TARGET])
    )
    return _pairs(both[began & (both["answered"] - both["days"] <= max(window, 1))], complete)


@checked_arguments
def person_totals(found: Outcomes, people: pd.Series) -> pd.DataFrame:
    """Return a row for each of `people`, in their order, with sums over the nights.

    matches (in which the person stands, either way), begun (twice the matches that the person's own list
    began, so that the mean over all people is that of `matches`), likes (given) and received.

    >>> none = pd.DataFrame({"viewer_id": [], "candidate_id": [], "night": []})
    >>> matches = pd.DataFrame({"viewer_id": ["a"], "candidate_id": ["b"], "night": [0]})
    >>> found = Outcomes(np.arange(1), none, none, matches, none, 1.0)
    >>> person_totals(found, pd.Series(["a", "b"])).values.tolist()
    [['a', 1.0, 2.0, 0.0, 0.0], ['b', 1.0, 0.0, 0.0, 0.0]]
    """
    index = pd.Index(people)

    def count(table: pd.DataFrame, who: str) -> Float64Array:
        rows = index.get_indexer(pd.Index(table[who]))
        return np.bincount(rows[rows >= 0], minlength=len(index)).astype(np.float64)

    begun = count(found.matches, C.VIEWER)
    return pd.DataFrame(
        {
            C.USER: people.to_numpy(),
            "matches": begun + count(found.matches, C.CANDIDATE),
            "begun": 2.0 * begun,
            "likes": count(found.likes, C.VIEWER),
            "received": count(found.likes, C.CANDIDATE),
        }
    )


@checked_arguments
def exposure_table(found: Outcomes, assignment: pd.DataFrame) -> pd.DataFrame:
    """Return how much each arm was shown: people, viewers, impressions, and the share within the arm.

    within: the share of impressions of an arm's viewers whose candidate is in the same arm. Where it is
    high, little of the arm reaches others; where it is near the arm's share of people, all of it does.
    """
    arm = assignment.set_index(C.USER)[ARM]
    shown = found.exposures.assign(
        **{ARM: found.exposures[C.VIEWER].map(arm), "other": found.exposures[C.CANDIDATE].map(arm)}
    )
    rows = [
        {
            ARM: name,
            "people": int((assignment[ARM] == name).sum()),
            "units": int(assignment.loc[assignment[ARM] == name, UNIT].nunique()),
            "viewers": int(part[C.VIEWER].nunique()),
            "impressions": len(part),
            "within": float((part["other"] == name).mean()) if len(part) else float("nan"),
        }
        for name, part in ((name, shown[shown[ARM] == name]) for name in assignment[ARM].dropna().unique())
    ]
    return pd.DataFrame(rows).sort_values(ARM, ignore_index=True) if rows else pd.DataFrame(columns=[ARM])
