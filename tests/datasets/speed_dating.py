"""The Columbia speed-dating experiment: what 551 people wrote at sign-up, and whom they said yes to.

Only answers given before any meeting are mapped. What the form did not ask (household, place,
boundaries) stays unknown, so nobody here is listed by a policy: the protocols rank the people who met.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from tests.datasets import data_folder, mapped_tables

QUALITIES = ("attr", "sinc", "intel", "fun", "amb", "shar")
ALLOCATIONS = {"1_1": "i look for", "2_1": "they look for", "4_1": "my sex looks for"}
RATINGS = {"3_1": "i am", "5_1": "others say i am"}
HABITS = ("age", "date", "go_out", "exphappy")
KINDS = ("goal", "field_cd", "career_c")


@dataclass(frozen=True, eq=False)
class SpeedDating:
    """The experiment in our tables.

    tables: profiles, boundaries (none), interests, communities, events.
    traits: user_id and one column a number the catalogue has no place for; NaN where unanswered.
    wave:   which evening each user_id attended, 1 to 21.
    pairs:  one row a meeting: wave, woman, man (user_ids), woman_yes, man_yes, match.
    """

    tables: dict[str, pd.DataFrame]
    traits: pd.DataFrame
    wave: pd.Series
    pairs: pd.DataFrame

    @property
    def directed(self) -> pd.DataFrame:
        """Both directions of each meeting: viewer_id, candidate_id, label (yes), wave."""
        columns = [C.VIEWER, C.CANDIDATE, "label", "wave"]
        woman = self.pairs[["woman", "man", "woman_yes", "wave"]].set_axis(columns, axis=1)
        man = self.pairs[["man", "woman", "man_yes", "wave"]].set_axis(columns, axis=1)
        return pd.concat([woman, man], ignore_index=True)


def load() -> SpeedDating:
    """Read both files and map them."""
    folder = data_folder() / "speed_dating"
    people = pd.read_csv(folder / "participants.csv")
    people[C.USER] = [_user(iid) for iid in people["iid"]]
    met = pd.read_csv(folder / "pairs.csv")
    pairs = pd.DataFrame(
        {
            "wave": met["wave"],
            "woman": [_user(iid) for iid in met["f"]],
            "man": [_user(iid) for iid in met["m"]],
            "woman_yes": met["f_yes"],
            "man_yes": met["m_yes"],
            "match": met["match"],
        }
    )
    tables = dict(mapped_tables("speed_dating"))
    return SpeedDating(tables, traits(people), people.set_index(C.USER)["wave"], pairs)


def traits(people: pd.DataFrame) -> pd.DataFrame:
    """Return the numbers of the form; points are shared out anew so that they sum to 100."""
    numbers = {C.USER: people[C.USER]} | {habit: people[habit] for habit in HABITS}
    for code, name in ALLOCATIONS.items():
        points = people[[quality + code for quality in QUALITIES]]
        total = points.sum(axis=1).replace(0.0, np.nan)
        for quality in QUALITIES:
            numbers[f"{name}: {quality}"] = 100.0 * points[quality + code] / total
    for code, name in RATINGS.items():
        for quality in QUALITIES[:5]:
            numbers[f"{name}: {quality}"] = people[quality + code]
    return pd.DataFrame(numbers)


def kinds(people: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the coded answers (goal, field of study, career) as one column of 0 or 1 a code."""
    if people is None:
        people = pd.read_csv(data_folder() / "speed_dating" / "participants.csv")
    users = pd.Series([_user(iid) for iid in people["iid"]], name=C.USER)
    codes = [pd.get_dummies(people[kind].astype("Int64"), prefix=kind, dtype=float) for kind in KINDS]
    return pd.concat([users, *codes], axis=1)


def _user(iid: float) -> str:
    return f"sd{int(iid):03d}"
