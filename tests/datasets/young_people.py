"""The Young People Survey (Slovakia, 2013): 32 interests and 57 statements, answered 1 to 5."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from recsys.catalogue import load_catalogue
from recsys.catalogue.columns import Columns as C
from tests.datasets import data_folder, mapped_tables

TAG_OF = {
    "History": "history",
    "Psychology": "psychology",
    "Politics": "economics_society",
    "Mathematics": "mathematics",
    "Physics": "free:physics",
    "Internet": "free:internet",
    "PC": "technology",
    "Economy Management": "free:economy and management",
    "Biology": "science",
    "Chemistry": "free:chemistry",
    "Reading": "poetry",
    "Geography": "free:geography",
    "Foreign languages": "languages",
    "Medicine": "free:medicine",
    "Law": "free:law",
    "Cars": "driving",
    "Art exhibitions": "museums",
    "Countryside, outdoors": "outdoors",
    "Dancing": "dance",
    "Musical instruments": "music",
    "Writing": "writing",
    "Passive sport": "sports",
    "Active sport": "team_sports",
    "Gardening": "gardening",
    "Celebrities": "free:celebrities",
    "Shopping": "free:shopping",
    "Science and technology": "free:science and technology",
    "Theatre": "theatre",
    "Fun with friends": "free:fun with friends",
    "Adrenaline sports": "free:adrenaline sports",
    "Pets": "animals",
}
"""Our tag for each interest but religion, which is a creed and enters no block."""

MOST = 30
"""An interests table holds no more a person."""

_WORDED = {
    "Punctuality": ("i am often running late", "i am always on time", "i am often early"),
    "Lying": ("never", "only to avoid hurting someone", "sometimes", "everytime it suits me"),
    "Internet usage": (
        "no time at all",
        "less than an hour a day",
        "few hours a day",
        "most of the day",
    ),
}
"""Statements answered in words, least to most."""


@dataclass(frozen=True, eq=False)
class YoungPeople:
    """The survey.

    interests: `(1010, 32)` answers 1 to 5, NaN where missing; columns are the survey's names.
    values:    `(1010, 57)` the same for statements about oneself.
    tables:    profiles (of whom nothing is known) and interests in our form.
    """

    interests: pd.DataFrame
    values: pd.DataFrame
    tables: dict[str, pd.DataFrame]

    def of(self, rows: np.ndarray) -> "YoungPeople":
        """Return the survey of some people."""
        interests = self.interests.iloc[rows]
        return YoungPeople(interests, self.values.iloc[rows], _tables(interests))


def load() -> YoungPeople:
    """Read the survey and map it."""
    answers = pd.read_csv(data_folder() / "young_people" / "young-people-survey.csv")
    answers.index = pd.Index([f"yp{at:04d}" for at in range(len(answers))], name=C.USER)
    interests = answers.loc[:, "History":"Pets"].astype("float64")
    values = answers.loc[:, "Daily events":"Internet usage"].copy()
    for item, words in _WORDED.items():
        places = dict(zip(words, np.linspace(1.0, 5.0, len(words)), strict=True))
        values[item] = values[item].map(places)
    return YoungPeople(interests, values.astype("float64"), _tables(interests))


def as_interests(levels: pd.DataFrame) -> pd.DataFrame:
    """Return answers 1 to 5 as an interests table: everybody's 30 highest; a missing answer has no row.

    Of items that are one interest of the catalogue the higher answer counts.
    """
    rated = levels.reset_index(names=C.USER).melt(C.USER, list(levels.columns), "item", C.LEVEL)
    catalogue = load_catalogue()
    folded = {item: catalogue.fold_tag(tag.removeprefix("free:")) for item, tag in TAG_OF.items()}
    rated[C.TAG] = rated["item"].map(folded)
    rated = rated.dropna().groupby([C.USER, C.TAG], as_index=False, sort=False)[C.LEVEL].max()
    rated = rated.sort_values([C.USER, C.LEVEL], ascending=[True, False], kind="stable")
    kept = rated.groupby(C.USER).head(MOST).reset_index(drop=True)
    level = kept[C.LEVEL].astype(int)
    return pd.DataFrame({C.USER: kept[C.USER], C.TAG: kept[C.TAG], C.LEVEL: level, C.SHARE_MODE: "both"})


def _tables(interests: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return what the mapping gives of some people."""
    given = mapped_tables("young_people")
    return {name: table[table[C.USER].isin(interests.index)] for name, table in given.items()}
