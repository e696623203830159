"""The Columbia speed-dating experiment: what 551 people wrote at sign-up, and whom they said yes to.

Only answers given before any meeting are mapped. What the form did not ask (household, place,
boundaries) stays unknown, so nobody here is listed by a policy: the protocols rank the people who met.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from tests.datasets import data_folder
from tests.datasets.unknown import unknown

QUALITIES = ("attr", "sinc", "intel", "fun", "amb", "shar")
ALLOCATIONS = {"1_1": "i look for", "2_1": "they look for", "4_1": "my sex looks for"}
RATINGS = {"3_1": "i am", "5_1": "others say i am"}
HABITS = ("age", "date", "go_out", "exphappy")
KINDS = ("goal", "field_cd", "career_c")

TAG_OF = {
    "sports": "team_sports",
    "tvsports": "watching_sports",
    "exercise": "gym",
    "dining": "free:dining out",
    "museums": "museums",
    "art": "visual_arts",
    "hiking": "hiking",
    "gaming": "games",
    "clubbing": "free:clubbing",
    "reading": "reading",
    "tv": "dramas",
    "theater": "theatre",
    "movies": "films",
    "concerts": "concerts",
    "music": "listening_music",
    "shopping": "free:shopping",
    "yoga": "yoga",
}
"""Our tag for each activity of the form; what the catalogue does not know becomes a free tag."""

EVENING = pd.Timestamp("2003-06-01T18:00:00Z")
"""The dates of the evenings (2002 to 2004) are not in the data, so all stand at one time."""

_BANDS = ((18, "18-24"), (25, "25-34"), (35, "35-44"), (45, "45-54"), (55, "55-64"), (65, "65+"))


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
    tables = {
        T.PROFILES: _profiles(people),
        T.BOUNDARIES: unknown(T.BOUNDARIES, []),
        T.INTERESTS: _interests(people),
        T.COMMUNITIES: _communities(people),
        T.EVENTS: _events(pairs),
    }
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


def _profiles(people: pd.DataFrame) -> pd.DataFrame:
    gender = np.where(people["gender"] == 1, "man", "woman")
    return unknown(T.PROFILES, people[C.USER]).assign(
        **{
            C.VALID_FROM: EVENING - pd.Timedelta(days=7),
            C.AGE_BAND: people["age"].map(_band),
            C.VERIFICATION: np.where(people["age"].notna(), "age", "none"),
            C.ACCOUNT_STATE: "active",
            C.ACTIVITY: "today",
            C.GENDER: gender,
            C.MEETS_GENDERS: [["woman"] if own == "man" else ["man"] for own in gender],
            C.LANGUAGES: [["en"]] * len(people),
            C.TZ: "America/New_York",
        }
    )


def _band(age: float) -> str | None:
    return next((band for least, band in reversed(_BANDS) if age >= least), None)


def _interests(people: pd.DataFrame) -> pd.DataFrame:
    """Levels 1-5 from ratings 1-10 (a few ratings lie outside and are taken as the end)."""
    rated = people.melt(C.USER, list(TAG_OF), "activity", "rating").dropna()
    level = np.ceil(rated["rating"].clip(1, 10) / 2).astype(int)
    return pd.DataFrame(
        {
            C.USER: rated[C.USER],
            C.TAG: rated["activity"].map(TAG_OF),
            C.LEVEL: level,
            C.SHARE_MODE: "both",
        }
    ).reset_index(drop=True)


def _communities(people: pd.DataFrame) -> pd.DataFrame:
    """Fields of study and careers are the circles of a university."""
    coded = people.melt(C.USER, ["field_cd", "career_c"], "kind", "code").dropna()
    names = coded["kind"].str.partition("_")[0] + "-" + coded["code"].astype(int).astype(str)
    return pd.DataFrame({C.COMMUNITY: names, C.USER: coded[C.USER]}).reset_index(drop=True)


def _events(pairs: pd.DataFrame) -> pd.DataFrame:
    """Each looked at the other, then each decided."""
    rows = []
    for me, you, said in (("woman", "man", "woman_yes"), ("man", "woman", "man_yes")):
        decided = np.where(pairs[said] == 1, "like", "pass")
        for moment, kinds_of in enumerate((np.full(len(pairs), "impression"), decided)):
            rows.append(
                pd.DataFrame(
                    {
                        C.EVENT: pairs[me] + "-" + pairs[you] + f"-{moment}",
                        C.TS: EVENING + pd.Timedelta(hours=moment),
                        C.ACTOR: pairs[me],
                        C.TARGET: pairs[you],
                        C.TYPE: kinds_of,
                        C.SURFACE: "evening",
                    }
                )
            )
    return pd.concat(rows, ignore_index=True)
