"""Synthetic people in thirty cities, as compiled masks and factors, for timing retrieval.

Cities differ in size as real ones do (the r-th largest holds a share of about 1/(r + 2)); people live
around their centre, most of them close to it. What people ask for is set so that about the wanted share
of all pairs may meet; the share found is measured, not assumed.
"""

from dataclasses import dataclass
from typing import Final

import h3
import numpy as np
import numpy.typing as npt

from recsys.constraints.compiled import Compiled
from recsys.constraints.distance import cell_reach
from recsys.data.csr import SparseRows
from recsys.data.ids import IdIndex
from recsys.models.directed import Directed

N_CITIES = 30
N_FACTORS = 128
RESOLUTION = 6
YOUNGEST, OLDEST = 18, 79
HOUR_WORDS = 3


@dataclass(frozen=True)
class Wishes:
    """What people ask for: chances and typical sizes.

    in_person: share who meet in person and so limit distance, each to one of `distances_km`.
    any_gender: chance of accepting each gender; age_span: years accepted on either side, on average.
    hours: chance that somebody is free in any one of 168 hours.
    """

    in_person: float
    distances_km: tuple[int, ...]
    any_gender: float
    age_span: float
    hours: float


WISHES: Final = {
    0.009: Wishes(1.0, (25, 50), 0.70, 10.0, 0.15),
    0.1: Wishes(0.80, (50, 100, 300), 0.77, 13.5, 0.15),
    0.6: Wishes(0.2, (300,), 0.96, 60.0, 0.30),
}


def cities(n: int, rng: np.random.Generator, eligible: float) -> tuple[Directed, Compiled]:
    """Return `n` people: 128 factors each way, and masks under which about `eligible` of pairs may meet."""
    wishes = WISHES[eligible]
    cells = _cells(n, rng)
    numbers, cell = np.unique(cells, return_inverse=True)
    numbers = np.append(numbers, np.uint64(0))
    traits, refuses = _people(n, rng, wishes)
    overlaps, starts = _sets(n, rng, wishes)
    compiled = Compiled(
        n_people=n,
        listed=np.ones(n, bool),
        traits=traits,
        refuses=refuses,
        overlaps=overlaps,
        overlap_starts=starts,
        cell=cell.astype(np.int32),
        cell_numbers=numbers,
        cell_reach=cell_reach(numbers),
        max_km=rng.choice(np.array(wishes.distances_km, np.uint16), n),
        min_km=np.zeros(n, np.uint16),
        in_person=rng.random(n) < wishes.in_person,
        liked_only=rng.random(n) < 0.02,
        suggestible=rng.random(n) < 0.5,
        **_sparse(n, rng),
    )
    return _factors(n, rng, cells), compiled


def _cells(n: int, rng: np.random.Generator) -> npt.NDArray[np.uint64]:
    """Return the cell each person lives in, `(n,)`."""
    places = np.random.default_rng(30)  # the same cities, however many people there are
    centre = np.column_stack([places.uniform(33, 41, N_CITIES), places.uniform(131, 141, N_CITIES)])
    share = 1.0 / np.arange(2, N_CITIES + 2)
    city = rng.choice(N_CITIES, n, p=share / share.sum())
    spread_km = (4.0 + 8.0 * np.sqrt(share / share.max()))[city]
    away = rng.normal(size=(n, 2)) * spread_km[:, None]
    lat = centre[city, 0] + away[:, 0] / 111.0
    lng = centre[city, 1] + away[:, 1] / (111.0 * np.cos(np.radians(lat)))
    found = [h3.latlng_to_cell(a, b, RESOLUTION) for a, b in zip(lat.tolist(), lng.tolist(), strict=True)]
    return np.array([int(text, 16) for text in found], np.uint64)


def _people(n: int, rng: np.random.Generator, wishes: Wishes) -> tuple[npt.NDArray, npt.NDArray]:
    """Return traits and refuses `(n, 2)`: a word of genders and one of single years of age."""
    gender = rng.choice(3, n, p=(0.47, 0.47, 0.06))
    accepts = rng.random((n, 3)) < wishes.any_gender
    accepts[np.arange(n), rng.integers(0, 2, n)] = True
    n_years = OLDEST - YOUNGEST + 1
    age = np.clip(rng.normal(37, 12, n).astype(int), YOUNGEST, OLDEST) - YOUNGEST
    below, above = rng.gamma(4, wishes.age_span / 4, (2, n))
    years = np.arange(n_years)
    refused = (years < (age - below)[:, None]) | (years > (age + above)[:, None])
    traits = np.column_stack(
        [np.uint64(1) << gender.astype(np.uint64), np.uint64(1) << age.astype(np.uint64)]
    )
    return traits, np.column_stack([_packed(~accepts), _packed(refused)])


def _sets(n: int, rng: np.random.Generator, wishes: Wishes) -> tuple[npt.NDArray, npt.NDArray]:
    """Return sets that must share something `(n, 6)`: languages, intents, channels, hours (three words)."""
    languages = rng.random((n, 4)) < (0.95, 0.3, 0.05, 0.05)
    languages[~languages.any(axis=1), 0] = True
    intents = rng.random((n, 4)) < 0.6
    channels = rng.random((n, 3)) < (0.9, 0.5, 0.4)
    hours = rng.random((n, 64 * HOUR_WORDS)) < wishes.hours
    words = [_packed(part) for part in (languages, intents, channels, *np.split(hours, HOUR_WORDS, axis=1))]
    return np.column_stack(words), np.array([0, 1, 2, 3, 3 + HOUR_WORDS], np.int32)


def _packed(bits: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint64]:
    """Return rows of at most 64 bits as one word each, `(n,)`."""
    words = np.zeros(len(bits), np.uint64)
    for bit, column in enumerate(bits.T):
        words |= column.astype(np.uint64) << np.uint64(bit)
    return words


def _sparse(n: int, rng: np.random.Generator) -> dict[str, npt.NDArray]:
    """Return a few separations and likes a person, and a group of two for every hundredth."""
    a, b = rng.integers(0, n, (2, 3 * n))
    apart = SparseRows.of(np.r_[a, b], np.r_[b, a], n)
    likes = SparseRows.of(*rng.integers(0, n, (2, 2 * n)), n)
    n_groups = max(1, n // 100)
    own = SparseRows.of(rng.integers(0, n, 2 * n_groups), np.repeat(np.arange(n_groups), 2), n)
    avoid = SparseRows.of(rng.integers(0, n, n_groups), np.arange(n_groups), n)
    lists = {
        "separated": apart,
        "own": own,
        "avoid": avoid,
        "liked": likes,
    }
    return {
        f"{name}_{part}": getattr(each, part)
        for name, each in lists.items()
        for part in ("indptr", "indices")
    }


def _factors(n: int, rng: np.random.Generator, cells: npt.NDArray[np.uint64]) -> Directed:
    """Return factors whose importance falls off, as fitted ones do; logits spread by about 1.5."""
    size = 1.0 / np.sqrt(np.arange(1, N_FACTORS + 1))
    size *= np.sqrt(1.5 / np.sqrt((size**4).sum()))
    taste = (rng.standard_normal((n, N_FACTORS), np.float32) * size).astype(np.float32)
    appeal = (rng.standard_normal((n, N_FACTORS), np.float32) * size).astype(np.float32)
    ids = IdIndex([f"u{row:07d}" for row in range(n)])
    return Directed.of(ids, taste=taste, appeal=appeal, cell=cells)


def eligible_share(compiled: Compiled, rng: np.random.Generator, n_viewers: int = 200) -> float:
    """Return the share of people who may be shown to a viewer, over a sample of viewers."""
    viewers = rng.choice(compiled.n_people, min(n_viewers, compiled.n_people), replace=False)
    everybody = np.arange(compiled.n_people)
    shown = sum(int(compiled.may_show_block([viewer], everybody).sum()) for viewer in viewers)
    return shown / (len(viewers) * compiled.n_people)
