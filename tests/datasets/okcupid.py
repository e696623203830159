"""Profiles of about 2012 around San Francisco: real gender, orientation, age and status combinations.

Age, gender, whom they meet, household and languages are real; what the site did not ask (places,
boundaries, intents, most interests) is drawn with a generator. Diet, drink, drugs, sign and the like
are not mapped: they are no business of a matching engine.
"""

from collections.abc import Sequence

import h3
import numpy as np
import pandas as pd

from recsys.catalogue import load_catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.catalogue.vocabulary import AMOUNTS, ENUMERATIONS, USUAL_DISTANCES_KM
from tests.datasets import data_folder

SINCE = pd.Timestamp("2012-07-01T00:00:00Z")
SAN_FRANCISCO = (37.7749, -122.4194)
RINGS = 12
"""Rings of cells of resolution 6 around the city: about 70 km."""

_BANDS = ENUMERATIONS[C.AGE_BAND].words
_FROM_AGE = (18, 25, 35, 45, 55, 65)
_MEETS = {
    ("woman", "straight"): ["man"],
    ("woman", "gay"): ["woman"],
    ("woman", "bisexual"): ["man", "woman"],
    ("man", "straight"): ["woman"],
    ("man", "gay"): ["man"],
    ("man", "bisexual"): ["man", "woman"],
}
_HOUSEHOLD = {
    "single": "single",
    "available": "partnered",
    "seeing someone": "partnered",
    "married": "married",
}
"""The site's `available` is someone in a relationship; `unknown` stays unknown."""

LANGUAGE_CODES = {
    "afrikaans": "af",
    "albanian": "sq",
    "arabic": "ar",
    "armenian": "hy",
    "basque": "eu",
    "belarusan": "be",
    "bengali": "bn",
    "breton": "br",
    "bulgarian": "bg",
    "catalan": "ca",
    "chechen": "ce",
    "chinese": "zh",
    "croatian": "hr",
    "czech": "cs",
    "danish": "da",
    "dutch": "nl",
    "english": "en",
    "esperanto": "eo",
    "estonian": "et",
    "farsi": "fa",
    "finnish": "fi",
    "french": "fr",
    "frisian": "fy",
    "georgian": "ka",
    "german": "de",
    "greek": "el",
    "gujarati": "gu",
    "hebrew": "he",
    "hindi": "hi",
    "hungarian": "hu",
    "icelandic": "is",
    "indonesian": "id",
    "irish": "ga",
    "italian": "it",
    "japanese": "ja",
    "khmer": "km",
    "korean": "ko",
    "latin": "la",
    "latvian": "lv",
    "lithuanian": "lt",
    "malay": "ms",
    "maori": "mi",
    "mongolian": "mn",
    "norwegian": "no",
    "occitan": "oc",
    "persian": "fa",
    "polish": "pl",
    "portuguese": "pt",
    "romanian": "ro",
    "russian": "ru",
    "sanskrit": "sa",
    "sardinian": "sc",
    "serbian": "sr",
    "slovak": "sk",
    "slovenian": "sl",
    "spanish": "es",
    "swahili": "sw",
    "swedish": "sv",
    "tagalog": "tl",
    "tamil": "ta",
    "thai": "th",
    "tibetan": "bo",
    "turkish": "tr",
    "ukrainian": "uk",
    "urdu": "ur",
    "vietnamese": "vi",
    "welsh": "cy",
    "yiddish": "yi",
}
"""Languages with an ISO 639-1 code; c++, sign language and the rest have none and are left out."""


def load(rng: np.random.Generator, people: int | None = None) -> dict[str, pd.DataFrame]:
    """Return raw tables: profiles, boundaries, interests; `people` of them, drawn, or all."""
    site = pd.read_csv(data_folder() / "okcupid" / "profiles.csv.gz")
    if people is not None and people < len(site):
        site = site.iloc[np.sort(rng.choice(len(site), people, replace=False))]
    site = site.reset_index(drop=True)
    users = pd.Series([f"oc{at:05d}" for at in range(len(site))], dtype=object)
    return {
        T.PROFILES: _profiles(site, users, rng),
        T.BOUNDARIES: _boundaries(users, rng),
        T.INTERESTS: _interests(site, users, rng),
    }


def _profiles(site: pd.DataFrame, users: pd.Series, rng: np.random.Generator) -> pd.DataFrame:
    n = len(site)
    band = np.searchsorted(_FROM_AGE, site["age"], side="right") - 1
    adult = band >= 0
    gender = site["sex"].map({"f": "woman", "m": "man"}).astype(object)
    cells = sorted(h3.grid_disk(h3.latlng_to_cell(*SAN_FRANCISCO, 6), RINGS))
    return pd.DataFrame(
        {
            C.USER: users,
            C.VALID_FROM: SINCE,
            C.PERSON_TOKEN: pd.Series([None] * n, dtype=object),
            C.AGE_BAND: [_BANDS[at] if at >= 0 else None for at in band],
            C.ACCEPTS_AGE_BANDS: _bands_around(band, rng),
            C.VERIFICATION: np.where(adult, _one("age id id_liveness", n, rng, (0.5, 0.3, 0.2)), "none"),
            C.ACCOUNT_STATE: _one("active paused hold", n, rng, (0.94, 0.05, 0.01)),
            C.ACTIVITY: _one("today week month dormant", n, rng, (0.3, 0.4, 0.2, 0.1)),
            C.GENDER: gender,
            C.MEETS_GENDERS: [
                _MEETS[both] for both in zip(gender, site["orientation"].astype(object), strict=True)
            ],
            C.HOUSEHOLD_STATUS: site["status"]
            .map(_HOUSEHOLD)
            .astype(object)
            .where(lambda s: s.notna(), None),
            C.ACCEPTS_HOUSEHOLD_STATUS: _some(C.ACCEPTS_HOUSEHOLD_STATUS, n, rng, 0.8),
            C.INTENTS: _some(C.INTENTS, n, rng, 0.5),
            C.LANGUAGES: [_languages(text) for text in site["speaks"]],
            C.CELL: rng.choice(cells, n),
            C.TZ: "America/Los_Angeles",
            C.MAX_DISTANCE_KM: rng.choice(USUAL_DISTANCES_KM[:5], n),
            C.MIN_DISTANCE_KM: rng.choice((0, 5, 10, 25), n, p=(0.8, 0.1, 0.05, 0.05)),
            C.DISCRETION: _one("open liked_only", n, rng, (0.9, 0.1)),
            C.MAX_COMPANIONS: rng.choice(AMOUNTS[C.MAX_COMPANIONS], n),
        }
    )


def _bands_around(band: np.ndarray, rng: np.random.Generator) -> list[list[str] | None]:
    """Accept one's own band and some next to it; one in five accepts all and says nothing."""
    below, above = rng.integers(0, 3, len(band)), rng.integers(0, 3, len(band))
    silent = rng.random(len(band)) < 0.2
    return [
        None if quiet or at < 0 else list(_BANDS[max(at - low, 0) : at + high + 1])
        for at, low, high, quiet in zip(band, below, above, silent, strict=True)
    ]


def _languages(text: object) -> list[str] | None:
    """Return the languages somebody speaks more than poorly, None when nothing is known."""
    if not isinstance(text, str):
        return None
    spoken = [part.partition(" (") for part in text.split(", ")]
    codes = {LANGUAGE_CODES.get(name) for name, _, level in spoken if level != "poorly)"}
    return sorted(code for code in codes if code is not None) or None


def _boundaries(users: pd.Series, rng: np.random.Generator) -> pd.DataFrame:
    n = len(users)
    topics = tuple(load_catalogue().topics)
    return pd.DataFrame(
        {
            C.USER: users,
            C.VALID_FROM: SINCE,
            C.CONTACT_FREQUENCY: _one("daily few_week weekly less", n, rng, (0.15, 0.35, 0.35, 0.15)),
            C.CHANNELS: _some(C.CHANNELS, n, rng, 0.6),
            C.CONTACT_WINDOWS: _some(C.CONTACT_WINDOWS, n, rng, 0.25),
            C.MEETING_SETTINGS: _some(C.MEETING_SETTINGS, n, rng, 0.5),
            C.ROMANCE_LINE: _one("none_expected talk_openly end_if_feelings", n, rng, (0.6, 0.2, 0.2)),
            C.PHYSICAL_LINE: "none",
            C.FINANCIAL_LINE: _one("none split_bill", n, rng, (0.5, 0.5)),
            C.DISCLOSURE: _one("nickname_only general_job face_after_stage", n, rng, (0.4, 0.4, 0.2)),
            C.TOPICS_AVOID: _sets(topics, n, rng, 0.05),
        }
    )


def _interests(site: pd.DataFrame, users: pd.Series, rng: np.random.Generator) -> pd.DataFrame:
    """Dogs and cats as said, and three to ten drawn interests."""
    tags = [tag for tag in load_catalogue().interests if tag not in ("dogs", "cats")]
    pets = site["pets"].fillna("").astype(object)
    said = [
        (user, animal, 5 if f"has {animal}" in text else 4)
        for user, text in zip(users, pets, strict=True)
        for animal in ("dogs", "cats")
        if f"has {animal}" in text or f" likes {animal}" in f" {text}"
    ]
    count = rng.integers(3, 11, len(users))
    order = rng.random((len(users), len(tags))).argpartition(10, axis=1)[:, :10]
    drawn = [
        (user, tags[tag], int(level))
        for user, own, many, levels in zip(
            users, order, count, rng.integers(2, 6, (len(users), 10)), strict=True
        )
        for tag, level in zip(own[:many], levels, strict=False)
    ]
    table = pd.DataFrame(said + drawn, columns=[C.USER, C.TAG, C.LEVEL])
    return table.assign(**{C.SHARE_MODE: _one("online in_person both", len(table), rng, (0.2, 0.3, 0.5))})


def _one(words: str, n: int, rng: np.random.Generator, p: Sequence[float]) -> np.ndarray:
    return rng.choice(np.array(words.split(), dtype=object), n, p=p)


def _some(column: str, n: int, rng: np.random.Generator, share: float) -> list[list[str]]:
    return _sets(ENUMERATIONS[column].words, n, rng, share, at_least=1)


def _sets(
    words: Sequence[str], n: int, rng: np.random.Generator, share: float, *, at_least: int = 0
) -> list[list[str]]:
    chosen = rng.random((n, len(words))) < share
    if at_least:
        chosen[np.arange(n), rng.integers(0, len(words), n)] = True
    return [[words[at] for at in np.flatnonzero(row)] for row in chosen]
