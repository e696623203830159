"""Every rule of a published pair, checked again from the raw tables with pandas alone.

No code of the package is used, so a mistake in a constraint, a mask or the retrieval shows here. It
covers what the tables of `tests.datasets.okcupid` can violate: one time zone, no events, no tokens, no
answers, places outside Japan.
"""

from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files

import h3
import numpy as np
import pandas as pd

FREQUENCIES = ("daily", "few_week", "weekly", "less")
IN_PERSON = {"hobby_companion", "group_activity"}
STATED = (
    "age_band",
    "household_status",
    "accepts_household_status",
    "intents",
    "languages",
    "max_distance_km",
    "discretion",
    "contact_frequency",
    "channels",
    "contact_windows",
    "meeting_settings",
    "romance_line",
    "physical_line",
    "financial_line",
)
"""What a person must have said to be on a list or to get one."""


SETS = (
    "accepts_age_bands",
    "accepts_household_status",
    "meets_genders",
    "intents",
    "languages",
    "channels",
    "contact_windows",
    "meeting_settings",
)


@lru_cache(maxsize=1)
def _populous() -> frozenset[int]:
    """Return the cells abroad that are kept, from the file that comes with the package."""
    with (files("recsys.data") / "populous_cells.npz").open("rb") as file:
        return frozenset(np.cumsum(np.load(file, allow_pickle=False)["steps"], dtype=np.uint64).tolist())


def _kept(cell: str) -> str:
    """Return the cell of resolution 6 or 5 in which enough people live, else the one of resolution 4."""
    levels = range(h3.get_resolution(cell), 4, -1)
    parents = (h3.cell_to_parent(cell, level) for level in levels if level <= 6)
    return next((one for one in parents if h3.str_to_int(one) in _populous()), h3.cell_to_parent(cell, 4))


def violations(lists: pd.DataFrame, profiles: pd.DataFrame, boundaries: pd.DataFrame) -> pd.Series:
    """Return the number of listed pairs that break each rule; all 0 is what is wanted."""
    return broken_rules(lists, profiles, boundaries).sum().astype(int).rename("violations")


def broken_rules(lists: pd.DataFrame, profiles: pd.DataFrame, boundaries: pd.DataFrame) -> pd.DataFrame:
    """Return which rules each listed pair breaks, one row a pair and one column a rule."""
    people = profiles.merge(boundaries.drop(columns="valid_from"), on="user_id", how="left")
    people["place"] = people["cell"].map(_kept, na_action="ignore")
    for column in SETS:  # once a person, not once a pair
        people[column] = people[column].map(_as_text)
    pairs = lists[["viewer_id", "candidate_id"]].reset_index(drop=True)
    a = pairs[["viewer_id"]].merge(people, left_on="viewer_id", right_on="user_id", how="left")
    b = pairs[["candidate_id"]].merge(people, left_on="candidate_id", right_on="user_id", how="left")
    in_person = _together(a["intents"], b["intents"], lambda x, y: bool(x & IN_PERSON and y & IN_PERSON))
    apart, nearest = _kilometres(a["place"], b["place"])
    least = np.maximum(a["min_distance_km"].fillna(0), b["min_distance_km"].fillna(0))
    step = [side["contact_frequency"].map(FREQUENCIES.index, na_action="ignore") for side in (a, b)]
    romance = [set(both) for both in zip(a["romance_line"], b["romance_line"], strict=True)]
    broken = {
        "oneself": pairs["viewer_id"] == pairs["candidate_id"],
        "listed twice": pairs.duplicated(),
        "not listed": ~(_listed(a) & _listed(b)),
        "shown unasked": b["discretion"] == "liked_only",
        "age": ~(_ages(a, b) & _ages(b, a)),
        "gender": ~(_meets(a, b) & _meets(b, a)),
        "household": ~(_households(a, b) & _households(b, a)),
        "intents": ~_shares(a, b, "intents"),
        "languages": ~_shares(a, b, "languages"),
        "channels": ~_shares(a, b, "channels"),
        "windows": ~_shares(a, b, "contact_windows"),
        "settings": in_person & ~_shares(a, b, "meeting_settings"),
        "frequency": (step[0] - step[1]).abs() > 1,
        "romance": pd.Series([{"talk_openly", "end_if_feelings"} <= both for both in romance]),
        "too far": in_person & (apart > np.minimum(a["max_distance_km"], b["max_distance_km"]) + 1e-6),
        "too near": nearest < least - 1e-6,
    }
    return pd.DataFrame(broken).astype(bool)


def _listed(side: pd.DataFrame) -> pd.Series:
    said = side[list(STATED)].notna().all(axis="columns")
    here = (side["account_state"] == "active") & side["activity"].isin(["today", "week", "month"])
    return said & here & side["verification"].isin(["age", "id", "id_liveness"])


def _ages(who: pd.DataFrame, whom: pd.DataFrame) -> pd.Series:
    """Say whether `whom` is of an age `who` accepts; saying nothing is accepting all."""
    accepted = _together(who["accepts_age_bands"], whom["age_band"], lambda bands, is_: is_ <= bands)
    return who["accepts_age_bands"].isna() | accepted


def _households(who: pd.DataFrame, whom: pd.DataFrame) -> pd.Series:
    """Say whether `whom` lives in a way `who` accepts; saying nothing is accepting none."""
    return _together(
        who["accepts_household_status"],
        whom["household_status"],
        lambda accepted, is_: bool(is_) and is_ <= accepted,
    )


def _meets(who: pd.DataFrame, whom: pd.DataFrame) -> pd.Series:
    gender = whom["gender"].fillna("undisclosed")
    ticked = _together(who["meets_genders"], gender, lambda genders, is_: is_ <= genders)
    return who["meets_genders"].isna() | ticked


def _shares(a: pd.DataFrame, b: pd.DataFrame, column: str) -> pd.Series:
    return _together(a[column], b[column], lambda x, y: bool(x & y))


def _together(a: pd.Series, b: pd.Series, rule: Callable[[set[str], set[str]], bool]) -> pd.Series:
    """Apply a rule to aligned sets of words (unknown is empty), once a distinct pair of sets."""
    (x, firsts), (y, seconds) = (pd.factorize(side.fillna("").astype(object)) for side in (a, b))
    one, other = ([set(text.split("|")) - {""} for text in texts] for texts in (firsts, seconds))
    both, position = np.unique(x * len(other) + y, return_inverse=True)
    answers = [rule(one[pair // len(other)], other[pair % len(other)]) for pair in both]
    return pd.Series(np.array(answers, dtype=bool)[position])


def _as_text(value: object) -> str | None:
    return "|".join(sorted(value)) if isinstance(value, list | tuple) else None


def _kilometres(a: pd.Series, b: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Return the distance between centres, and the least the two areas could be apart, in km."""
    code, distinct = pd.MultiIndex.from_arrays([a, b]).factorize()
    centre, nearest = np.empty(len(distinct)), np.empty(len(distinct))
    for at, (one, other) in enumerate(distinct):
        ends = [h3.cell_to_latlng(cell) for cell in (one, other)]
        reach = [
            max(h3.great_circle_distance(end, corner) for corner in h3.cell_to_boundary(cell))
            for end, cell in zip(ends, (one, other), strict=True)
        ]
        centre[at] = h3.great_circle_distance(*ends)
        nearest[at] = max(centre[at] - sum(reach), 0.0)
    return pd.Series(centre[code]), pd.Series(nearest[code])
