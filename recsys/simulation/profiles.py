"""The first table: who each person is and whom they would meet."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.schema.columns import Columns as C
from recsys.schema.vocabulary import ENUMERATIONS
from recsys.simulation.draws import Mask, Objects, lists_of, one_of, some_of, whole_numbers, with_gaps
from recsys.simulation.homes import Homes
from recsys.simulation.settings import PeopleSettings

_AMOUNTS = (C.MAX_DISTANCE_KM, C.MIN_DISTANCE_KM, C.MAX_COMPANIONS)
_GAPS = (
    C.ACCEPTS_HOUSEHOLD_STATUS,
    C.INTENTS,
    C.LANGUAGES,
    C.CELL,
    C.TZ,
    C.DISCRETION,
    *_AMOUNTS,
)


def make_profiles(
    ids: Objects, homes: Homes, joined: pd.Series, rng: np.random.Generator, s: PeopleSettings
) -> pd.DataFrame:
    """Draw one profile a person, true from the day they joined.

    An age is only stated by those who proved it, and people abroad look for conversation alone.
    """
    n = len(ids)
    age = one_of(s.age_band, n, rng)
    gender = one_of(s.gender, n, rng)
    household = _households(age, rng, s)
    verification = one_of(s.verification, n, rng)
    frame = pd.DataFrame(
        {
            C.USER: ids,
            C.VALID_FROM: joined,
            C.PERSON_TOKEN: None,
            C.AGE_BAND: _stated(age, verification),
            C.ACCEPTS_AGE_BANDS: _accepted_ages(age, rng, s),
            C.VERIFICATION: verification,
            C.ACCOUNT_STATE: one_of(s.account_state, n, rng),
            C.ACTIVITY: one_of(s.activity, n, rng),
            C.GENDER: gender,
            C.MEETS_GENDERS: _met_genders(gender, rng, s),
            C.HOUSEHOLD_STATUS: household,
            C.ACCEPTS_HOUSEHOLD_STATUS: _accepted_households(household, rng, s),
            C.INTENTS: _intents(homes.abroad, rng, s),
            C.LANGUAGES: _languages(n, rng, s),
            C.CELL: homes.cell,
            C.TZ: homes.tz,
            C.MAX_DISTANCE_KM: whole_numbers(one_of(s.max_distance_km, n, rng)),
            C.MIN_DISTANCE_KM: whole_numbers(one_of(s.min_distance_km, n, rng)),
            C.DISCRETION: np.where(rng.random(n) < s.liked_only, "liked_only", "open"),
            C.MAX_COMPANIONS: whole_numbers(one_of(s.max_companions, n, rng)),
        }
    )
    for column in _GAPS:
        frame[column] = with_gaps(frame[column], s.gap, rng)
    return frame.astype(dict.fromkeys(_AMOUNTS, "Int64"))


def _stated(age: Objects, verification: Objects) -> Objects:
    stated = age.copy()
    stated[verification == "none"] = None
    return stated


def _households(age: Objects, rng: np.random.Generator, s: PeopleSettings) -> Objects:
    household = np.empty(len(age), dtype=object)
    for band, shares in s.household_by_age.items():
        of_band = age == band
        household[of_band] = one_of(shares, int(of_band.sum()), rng)
    return household


def _steps_apart(age: Objects) -> npt.NDArray[np.int64]:
    bands = ENUMERATIONS[C.AGE_BAND].words
    own = np.array([bands.index(a) for a in age], dtype=np.int64)
    return np.abs(own[:, None] - np.arange(len(bands))[None, :])


def _accepted_ages(age: Objects, rng: np.random.Generator, s: PeopleSettings) -> Objects:
    steps = whole_numbers(one_of(s.accepted_band_steps, len(age), rng))
    accepted = lists_of(_steps_apart(age) <= steps[:, None], ENUMERATIONS[C.AGE_BAND].words)
    return with_gaps(accepted, s.accepts_any_age, rng)


def _met_genders(gender: Objects, rng: np.random.Generator, s: PeopleSettings) -> Objects:
    words = ENUMERATIONS[C.GENDER].words
    woman, man, nonbinary, undisclosed = (
        words.index(w) for w in ("woman", "man", "nonbinary", "undisclosed")
    )
    met: Mask = np.zeros((len(gender), len(words)), bool)
    met[:, nonbinary] = True
    own_only = rng.random(len(gender)) < s.meets_own_gender_only / max(1e-9, 1.0 - s.meets_any_gender)
    for own, other in ((woman, man), (man, woman)):
        is_own = gender == words[own]
        met[is_own & own_only, own] = True
        met[is_own & ~own_only, other] = True
    met[(gender == "nonbinary") | (gender == "undisclosed")] = True
    met[~own_only, undisclosed] = True
    return with_gaps(lists_of(met, words), s.meets_any_gender, rng)


def _accepted_households(household: Objects, rng: np.random.Generator, s: PeopleSettings) -> Objects:
    words = ENUMERATIONS[C.HOUSEHOLD_STATUS].words
    own = household[:, None] == np.array(words, dtype=object)[None, :]
    return lists_of(own | (rng.random(own.shape) < s.accepts_other_household), words)


def _intents(abroad: Mask, rng: np.random.Generator, s: PeopleSettings) -> Objects:
    words = list(s.intents)
    held = some_of(s.intents, len(abroad), rng)
    if "conversation_only" in words:
        held[abroad] = np.array(words) == "conversation_only"
    return lists_of(held, words)


def _languages(n: int, rng: np.random.Generator, s: PeopleSettings) -> Objects:
    chances = {"ja": 1.0 - s.without_japanese} | s.languages
    return lists_of(some_of(chances, n, rng), list(chances))
