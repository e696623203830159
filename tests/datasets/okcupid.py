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
from tests.datasets import mapped_tables

SINCE = pd.Timestamp("2012-07-01T00:00:00Z")
SAN_FRANCISCO = (37.7749, -122.4194)
RINGS = 12
"""Rings of cells of resolution 6 around the city: about 70 km."""

_BANDS = ENUMERATIONS[C.AGE_BAND].words


def load(rng: np.random.Generator, people: int | None = None) -> dict[str, pd.DataFrame]:
    """Return raw tables: profiles, boundaries, interests; `people` of them, drawn, or all."""
    given = mapped_tables("okcupid")
    site, said = given[T.PROFILES], given[T.INTERESTS]
    if people is not None and people < len(site):
        site = site.iloc[np.sort(rng.choice(len(site), people, replace=False))]
    number = pd.Series([f"oc{at:05d}" for at in range(len(site))], index=site[C.USER], dtype=object)
    said = said[said[C.USER].isin(number.index)]
    users = number.reset_index(drop=True)
    return {
        T.PROFILES: _profiles(site.reset_index(drop=True).assign(**{C.USER: users}), rng),
        T.BOUNDARIES: _boundaries(users, rng),
        T.INTERESTS: _interests(said.assign(**{C.USER: said[C.USER].map(number)}), users, rng),
    }


def _profiles(site: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Draw what the site did not ask."""
    n = len(site)
    band = pd.Categorical(site[C.AGE_BAND], categories=_BANDS).codes.astype(np.int64)  # -1 where unknown
    cells = sorted(h3.grid_disk(h3.latlng_to_cell(*SAN_FRANCISCO, 6), RINGS))
    return site.assign(
        **{
            C.ACCEPTS_AGE_BANDS: _bands_around(band, rng),
            C.VERIFICATION: np.where(band >= 0, _one("age id id_liveness", n, rng, (0.5, 0.3, 0.2)), "none"),
            C.ACCOUNT_STATE: _one("active paused hold", n, rng, (0.94, 0.05, 0.01)),
            C.ACTIVITY: _one("today week month dormant", n, rng, (0.3, 0.4, 0.2, 0.1)),
            C.ACCEPTS_HOUSEHOLD_STATUS: _some(C.ACCEPTS_HOUSEHOLD_STATUS, n, rng, 0.8),
            C.INTENTS: _some(C.INTENTS, n, rng, 0.5),
            C.CELL: rng.choice(cells, n),
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


def _interests(said: pd.DataFrame, users: pd.Series, rng: np.random.Generator) -> pd.DataFrame:
    """Dogs and cats as said, and three to ten drawn interests."""
    tags = [tag for tag in load_catalogue().interests if tag not in ("dogs", "cats")]
    count = rng.integers(3, 11, len(users))
    order = rng.random((len(users), len(tags))).argpartition(10, axis=1)[:, :10]
    drawn = [
        (user, tags[tag], int(level))
        for user, own, many, levels in zip(
            users, order, count, rng.integers(2, 6, (len(users), 10)), strict=True
        )
        for tag, level in zip(own[:many], levels, strict=False)
    ]
    columns = [C.USER, C.TAG, C.LEVEL]
    table = pd.concat([said[columns], pd.DataFrame(drawn, columns=columns)], ignore_index=True)
    table[C.LEVEL] = table[C.LEVEL].astype("int64")
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
