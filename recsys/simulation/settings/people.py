"""Who lives in the town: age, gender, household, whom they meet, verification and account."""

from pydantic import Field, field_validator

from recsys.errors import did_you_mean
from recsys.schema.places import load_places
from recsys.schema.vocabulary import ENUMERATIONS
from recsys.simulation.settings.section import Chances, Positive, Section, Share, Shares

AGE_BANDS = ENUMERATIONS["age_band"].words


class PeopleSettings(Section):
    """Shares of people. Places follow city populations; every other number is chosen.

    The age, household and gender mix is that of the members the service is written for (adults of
    middle age, often married), not that of the country. About four people in five come out listed.
    """

    # age and household: middle age leads, marriage rises with age
    age_band: Shares = Field(default=dict(zip(AGE_BANDS, (0.04, 0.16, 0.28, 0.28, 0.16, 0.08), strict=True)))
    household_by_age: dict[str, Shares] = Field(
        default={
            "18-24": {"single": 0.85, "partnered": 0.13, "married": 0.02, "separated": 0.00},
            "25-34": {"single": 0.45, "partnered": 0.20, "married": 0.32, "separated": 0.03},
            "35-44": {"single": 0.24, "partnered": 0.10, "married": 0.59, "separated": 0.07},
            "45-54": {"single": 0.18, "partnered": 0.07, "married": 0.66, "separated": 0.09},
            "55-64": {"single": 0.14, "partnered": 0.05, "married": 0.70, "separated": 0.11},
            "65+": {"single": 0.14, "partnered": 0.04, "married": 0.68, "separated": 0.14},
        }
    )
    gender: Shares = Field(default={"woman": 0.47, "man": 0.47, "nonbinary": 0.02, "undisclosed": 0.04})

    # whom one meets
    meets_any_gender: Share = 0.45
    """Left open: any gender. The relation is not a romance, so many do not filter."""
    meets_own_gender_only: Share = 0.15
    """Own gender and nonbinary; the rest tick the other binary gender, nonbinary and undisclosed."""
    accepts_any_age: Share = 0.25
    accepted_band_steps: Shares = Field(default={"1": 0.55, "2": 0.45})
    """How many age bands away from one's own are still accepted."""
    accepts_other_household: Share = 0.75
    """Chance to accept each household status other than one's own."""

    # what one looks for
    intents: Chances = Field(
        default={
            "emotional_support": 0.78,
            "conversation_only": 0.35,
            "hobby_companion": 0.70,
            "group_activity": 0.30,
        }
    )
    max_distance_km: Shares = Field(
        default={"10": 0.05, "25": 0.17, "50": 0.35, "100": 0.28, "300": 0.10, "20000": 0.05}
    )
    min_distance_km: Shares = Field(default={"0": 0.82, "5": 0.10, "10": 0.05, "25": 0.03})
    """Discretion near home: some ask that nobody from the next street sees them."""
    languages: Chances = Field(default={"en": 0.22, "zh": 0.04, "ko": 0.03, "pt": 0.01})
    """Spoken beside Japanese."""
    without_japanese: Share = 0.01
    liked_only: Share = 0.15
    """Shown only to people they liked; more common among the married in the source article."""
    suggestible: Share = 0.5
    """Of the `liked_only`, how many opted in to double-blind suggestions."""
    max_companions: Shares = Field(default={"1": 0.45, "2": 0.30, "3": 0.17, "4": 0.05, "5": 0.03})

    # account
    verification: Shares = Field(default={"none": 0.04, "age": 0.36, "id": 0.40, "id_liveness": 0.20})
    account_state: Shares = Field(
        default={"active": 0.955, "paused": 0.030, "hold": 0.006, "banned": 0.006, "erasing": 0.003}
    )
    activity: Shares = Field(default={"today": 0.33, "week": 0.40, "month": 0.24, "dormant": 0.03})
    person_token: Share = 0.9
    """Has a token that survives re-registration."""
    abroad: Share = 0.01
    """Lives abroad without a cell and looks for conversation alone."""
    gap: Share = 0.005
    """Chance that any one answer of the profile was never given."""
    no_boundaries: Share = 0.02
    """Never filled in the boundaries, so is not listed."""

    # places
    prefectures: tuple[str, ...] = ()
    """Where homes may lie, by id (`tokyo`); none named: all over the country. One city is a dense market."""
    countryside_km: Positive = 20.0
    """Standard deviation of homes outside the cities, around a city of the prefecture. Cities and
    prefectures weigh as their residents of the 2020 Population Census (`recsys.schema.places`)."""
    cell_resolution: int = Field(default=6, ge=4, le=6)

    @field_validator("prefectures")
    @classmethod
    def _are_places(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in load_places().prefectures:
                raise ValueError(f"no prefecture '{name}'; {did_you_mean(name, load_places().prefectures)}")
        return names
