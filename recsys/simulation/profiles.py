"""Profiles, homes, contact tokens and boundaries of the people of the town."""

from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import h3
import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import DAYPARTS, DAYS, ENUMERATIONS
from recsys.data.contact_tokens import make_token, token_of_normal_form
from recsys.data.geography import City, Places, load_places
from recsys.simulation.sampling import lists_of, one_of, some_of, whole_numbers, with_missing
from recsys.simulation.settings import BoundarySettings, InterestAndAnswerSettings, PeopleSettings
from recsys.types import BoolArray, ObjectArray

ZONES_ABROAD: Final = ("Asia/Seoul", "Asia/Taipei", "Asia/Singapore", "Asia/Bangkok", "Pacific/Honolulu")
"""Zones without daylight saving, so that a pair's common hours hold all year."""

_KM_A_DEGREE = 111.195


@dataclass(frozen=True, eq=False)
class Homes:
    """Homes of `n` people: cell (None abroad), zone, prefecture id, and who lives abroad."""

    cell: ObjectArray
    tz: ObjectArray
    prefecture: ObjectArray
    abroad: BoolArray


def make_homes(n: int, rng: np.random.Generator, s: PeopleSettings) -> Homes:
    """Draw homes: a prefecture by its residents, then a city of it or the country around one.

    Within a city homes scatter over the disc its residents fill; the rest of the prefecture lies
    around its cities, `countryside_km` wide.
    """
    places = load_places()
    cities = _cities(places)
    weight = _weights(s.prefectures)
    city = rng.choice(len(weight), n, p=weight / weight.sum())
    in_country = city >= len(cities)
    city %= len(cities)
    radius = np.array([c.radius_km for c in cities])[city] / 2.0
    km = rng.standard_normal((n, 2)) * np.where(in_country, s.countryside_km, radius)[:, None]
    latitude = np.array([c.latitude for c in cities])[city] + km[:, 0] / _KM_A_DEGREE
    longitude = np.array([c.longitude for c in cities])[city]
    longitude = longitude + km[:, 1] / (_KM_A_DEGREE * np.cos(np.radians(latitude)))
    abroad = rng.random(n) < s.abroad
    cell = np.array(
        [
            h3.latlng_to_cell(at, along, s.cell_resolution)
            for at, along in zip(latitude.tolist(), longitude.tolist(), strict=True)
        ],
        dtype=object,
    )
    cell[abroad] = None
    prefecture = np.array([c.prefecture for c in cities], dtype=object)[city]
    prefecture[abroad] = "abroad"
    tz = np.full(n, "Asia/Tokyo", dtype=object)
    tz[abroad] = np.array(ZONES_ABROAD, dtype=object)[rng.integers(0, len(ZONES_ABROAD), int(abroad.sum()))]
    return Homes(cell=cell, tz=tz, prefecture=prefecture, abroad=abroad)


def _cities(places: Places) -> list[City]:
    """Return the cities of the first table: with others each figure of a town would be another one."""
    return [city for city in places.cities.values() if not city.added]


def _weights(prefectures: tuple[str, ...]) -> npt.NDArray[np.float64]:
    """Residents of each city, then of the country around each city, `(2 * n_cities,)`; 0 outside."""
    places = load_places()
    own = np.array([c.population for c in _cities(places)], dtype=np.float64)
    prefecture = np.array([c.prefecture for c in _cities(places)], dtype=object)
    around = np.zeros(len(own))
    for name, whole in places.prefectures.items():
        inside = prefecture == name
        if inside.any():
            left = max(whole.population - own[inside].sum(), 0.0)
            around[inside] = left * own[inside] / own[inside].sum()
    if prefectures:
        inside = np.isin(prefecture, list(prefectures))
        own, around = own * inside, around * inside
    return np.concatenate([own, around])


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
    ids: ObjectArray, homes: Homes, joined: pd.Series, rng: np.random.Generator, s: PeopleSettings
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
        frame[column] = with_missing(frame[column], s.gap, rng)
    return frame.astype(dict.fromkeys(_AMOUNTS, "Int64"))


def _stated(age: ObjectArray, verification: ObjectArray) -> ObjectArray:
    stated = age.copy()
    stated[verification == "none"] = None
    return stated


def _households(age: ObjectArray, rng: np.random.Generator, s: PeopleSettings) -> ObjectArray:
    household = np.empty(len(age), dtype=object)
    for band, shares in s.household_by_age.items():
        of_band = age == band
        household[of_band] = one_of(shares, int(of_band.sum()), rng)
    return household


def _steps_apart(age: ObjectArray) -> npt.NDArray[np.int64]:
    bands = ENUMERATIONS[C.AGE_BAND].words
    own = np.array([bands.index(a) for a in age], dtype=np.int64)
    return np.abs(own[:, None] - np.arange(len(bands))[None, :])


def _accepted_ages(age: ObjectArray, rng: np.random.Generator, s: PeopleSettings) -> ObjectArray:
    steps = whole_numbers(one_of(s.accepted_band_steps, len(age), rng))
    accepted = lists_of(_steps_apart(age) <= steps[:, None], ENUMERATIONS[C.AGE_BAND].words)
    return with_missing(accepted, s.accepts_any_age, rng)


def _met_genders(gender: ObjectArray, rng: np.random.Generator, s: PeopleSettings) -> ObjectArray:
    words = ENUMERATIONS[C.GENDER].words
    woman, man, nonbinary, undisclosed = (
        words.index(w) for w in ("woman", "man", "nonbinary", "undisclosed")
    )
    met: BoolArray = np.zeros((len(gender), len(words)), bool)
    met[:, nonbinary] = True
    own_only = rng.random(len(gender)) < s.meets_own_gender_only / max(1e-9, 1.0 - s.meets_any_gender)
    for own, other in ((woman, man), (man, woman)):
        is_own = gender == words[own]
        met[is_own & own_only, own] = True
        met[is_own & ~own_only, other] = True
    met[(gender == "nonbinary") | (gender == "undisclosed")] = True
    met[~own_only, undisclosed] = True
    return with_missing(lists_of(met, words), s.meets_any_gender, rng)


def _accepted_households(household: ObjectArray, rng: np.random.Generator, s: PeopleSettings) -> ObjectArray:
    words = ENUMERATIONS[C.HOUSEHOLD_STATUS].words
    own = household[:, None] == np.array(words, dtype=object)[None, :]
    return lists_of(own | (rng.random(own.shape) < s.accepts_other_household), words)


def _intents(abroad: BoolArray, rng: np.random.Generator, s: PeopleSettings) -> ObjectArray:
    words = list(s.intents)
    held = some_of(s.intents, len(abroad), rng)
    if "conversation_only" in words:
        held[abroad] = np.array(words) == "conversation_only"
    return lists_of(held, words)


def _languages(n: int, rng: np.random.Generator, s: PeopleSettings) -> ObjectArray:
    chances = {"ja": 1.0 - s.without_japanese} | s.languages
    return lists_of(some_of(chances, n, rng), list(chances))


def make_tokens(
    ids: ObjectArray, region: ObjectArray, rng: np.random.Generator, s: InterestAndAnswerSettings
) -> pd.DataFrame:
    """Give people tokens of phone and employer, and let a few exclude a person they know.

    The secret comes from `rng` and leaves with this call: nobody can make another token of the town.
    """
    secret = rng.bytes(32)
    n = len(ids)
    rows: list[tuple[str, str, str, str]] = []
    employer_token = lru_cache(None)(lambda name: _token("employer", name, secret))
    for at in np.flatnonzero(rng.random(n) < s.employer).tolist():
        number = _employer(n, rng, s)
        name = f"company-{number}-{region[at]}.example"
        rows.append((ids[at], "employer", "self", employer_token(name)))
    phones = np.flatnonzero(rng.random(n) < 0.5)
    rows += [(ids[at], "phone", "self", phone_token(at, secret)) for at in phones.tolist()]
    for at in np.flatnonzero(rng.random(n) < s.excludes_contact).tolist():
        known = int(rng.integers(0, 2 * n))
        if known != at:
            rows.append((ids[at], "phone", "exclude", phone_token(known, secret)))
    frame = pd.DataFrame(rows, columns=[C.USER, C.NAMESPACE, C.KIND, C.HMAC], dtype=object)
    return frame.sort_values([C.USER, C.NAMESPACE, C.KIND], kind="stable", ignore_index=True)


def make_person_tokens(n: int, share: float, rng: np.random.Generator) -> ObjectArray:
    """Give most people a token that survives re-registration, `(n,)`, None without."""
    secret = rng.bytes(32)
    has = rng.random(n) < share
    return np.array(
        [phone_token(at, secret) if known else None for at, known in enumerate(has.tolist())],
        dtype=object,
    )


def _employer(n: int, rng: np.random.Generator, s: InterestAndAnswerSettings) -> int:
    """Sizes of employers within a prefecture follow a power law: a few large ones, many small."""
    largest = max(2.0, n / s.people_per_employer)
    return int(largest ** rng.random())


_MOST_PHONES: Final = 100_000_000


def phone_token(number: int, secret: bytes) -> str:
    """Return the token of the mobile number in Japan that a person of the town has, by their row.

    The numbers are written in their normal form; beyond a hundred million they are of another length.
    """
    phone = f"+8170{number:08d}"
    known = number < _MOST_PHONES
    return token_of_normal_form("phone", phone, secret) if known else _token("phone", phone, secret)


def _token(namespace: str, value: str, secret: bytes) -> str:
    token = make_token(namespace, value, secret)
    if token is None:
        raise ValueError(f"no token for {namespace}")
    return token


_WORKDAYS = DAYS[:5]
_FREE_DAYS = DAYS[5:]

RHYTHMS: Final = MappingProxyType(
    {
        "office": {
            *(f"{d}_evening" for d in _WORKDAYS),
            *(f"{d}_{p}" for d in _FREE_DAYS for p in ("day", "evening")),
        },
        "home": {f"{d}_{p}" for d in _WORKDAYS for p in ("day", "evening")},
        "shift": {
            *(f"{d}_early" for d in DAYS),
            *(f"{d}_night" for d in DAYS),
            *(f"{d}_day" for d in _WORKDAYS),
        },
        "weekend": {f"{d}_{p}" for d in _FREE_DAYS for p in ("early", "day", "evening", "night")},
    }
)
"""Contact windows each daily rhythm may offer."""


def make_boundaries(
    profiles: pd.DataFrame,
    busy: BoolArray,
    topics: tuple[str, ...],
    rng: np.random.Generator,
    s: BoundarySettings,
) -> pd.DataFrame:
    """Draw the boundaries of the people in `profiles`.

    busy: `(n, n_topics)` bool, topics a person needs or listens to, which they do not avoid.
    """
    n = len(profiles)
    unanswered = s.line_unanswered
    physical = with_missing(np.full(n, "none", dtype=object), unanswered, rng)
    frequency = with_missing(one_of(s.contact_frequency, n, rng), unanswered, rng)
    avoided = ~busy & (rng.random(busy.shape) < s.avoids)
    return pd.DataFrame(
        {
            C.USER: profiles[C.USER].to_numpy(object),
            C.VALID_FROM: profiles[C.VALID_FROM].reset_index(drop=True),
            C.CONTACT_FREQUENCY: frequency,
            C.CHANNELS: lists_of(some_of(s.channels, n, rng), list(s.channels)),
            C.CONTACT_WINDOWS: _windows(n, rng, s),
            C.MEETING_SETTINGS: lists_of(some_of(s.meeting_settings, n, rng), list(s.meeting_settings)),
            C.ROMANCE_LINE: with_missing(one_of(s.romance_line, n, rng), unanswered, rng),
            C.PHYSICAL_LINE: physical,
            C.FINANCIAL_LINE: with_missing(one_of(s.financial_line, n, rng), unanswered, rng),
            C.DISCLOSURE: one_of(s.disclosure, n, rng),
            C.TOPICS_AVOID: _or_unknown(lists_of(avoided, topics)),
        }
    )


def _windows(n: int, rng: np.random.Generator, s: BoundarySettings) -> ObjectArray:
    words = ENUMERATIONS[C.CONTACT_WINDOWS].words
    rhythm = one_of(s.rhythm, n, rng)
    offered = np.zeros((n, len(words)), bool)
    for name, windows in RHYTHMS.items():
        offered[rhythm == name] = [word in windows for word in words]
    days = rng.random((n, len(DAYS), 1)) < s.day_kept
    parts = rng.random((n, 1, len(DAYPARTS))) < s.daypart_kept
    kept = (days & parts).reshape(n, len(words))
    none_kept = ~np.asarray((offered & kept).any(axis=1))
    return lists_of(offered & (kept | none_kept[:, None]), words)


def _or_unknown(lists: ObjectArray) -> ObjectArray:
    found = lists.copy()
    found[[not members for members in lists]] = None
    return found
