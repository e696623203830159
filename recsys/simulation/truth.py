"""The hidden side of the town: latent traits and the directed taste made of them; no learner sees it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from recsys.data.geography import centres, pair_distances_km
from recsys.parallel import map_in_threads, n_threads
from recsys.random import KeyedGenerator
from recsys.simulation.interests_and_answers import TopicWeights
from recsys.simulation.sampling import Step
from recsys.simulation.settings import InterestAndAnswerSettings, TasteSettings
from recsys.types import Float64Array, Int64Array


@dataclass(frozen=True, eq=False)
class LatentTraits:
    """Hidden factors of `n` people; every column has mean 0 and variance about 1.

    hobbies `(n, hobby_factors)`, values `(n, n_scales)`, topics `(n, 3)` which talk themes weigh,
    seeks and offers `(n, chemistry_factors)` that only likes can teach, warmth and pickiness `(n,)`.
    """

    hobbies: Float64Array
    values: Float64Array
    topics: Float64Array
    seeks: Float64Array
    offers: Float64Array
    warmth: Float64Array
    pickiness: Float64Array

    def __len__(self) -> int:
        return len(self.warmth)


def draw_latent_traits(
    n: int, n_scales: int, rng: np.random.Generator, content: InterestAndAnswerSettings, taste: TasteSettings
) -> LatentTraits:
    """Draw the hidden factors; hobbies come in groups, popularity is skewed."""
    group = rng.integers(0, content.hobby_groups, n)
    centres = rng.standard_normal((content.hobby_groups, content.hobby_factors))
    own = rng.standard_normal((n, content.hobby_factors))
    tight = content.group_tightness
    shape = taste.popularity_skew
    return LatentTraits(
        hobbies=np.sqrt(tight) * centres[group] + np.sqrt(1.0 - tight) * own,
        values=rng.standard_normal((n, n_scales)),
        topics=rng.standard_normal((n, 3)),
        seeks=rng.standard_normal((n, taste.chemistry_factors)),
        offers=rng.standard_normal((n, taste.chemistry_factors)),
        warmth=(rng.gamma(shape, 1.0, n) - shape) / np.sqrt(shape),
        pickiness=rng.standard_normal(n),
    )


_CHUNK = 1 << 14
_CHUNKS_FOR_THREADS = 3


@dataclass(frozen=True, eq=False)
class Truth:
    """P(i likes j | i looks at j) for every ordered pair of rows, on demand.

    The logit is `intercept + taste[i] @ appeal[j]`, plus distance decay, plus noise that belongs to the
    ordered pair. The first `n_content` columns are interests, values and talk: what the tables show
    in part. taste and appeal are `(n, n_factors)`; `places` `(n, 3)` are unit vectors, NaN abroad.
    """

    taste: Float64Array
    appeal: Float64Array
    n_content: int
    places: Float64Array
    intercept: float
    content_mean: float
    content_sd: float
    noise: KeyedGenerator
    settings: TasteSettings
    rapport_noise: float

    def __repr__(self) -> str:
        return f"Truth({len(self.taste):,} people, hidden)"

    def logit(self, i: npt.ArrayLike, j: npt.ArrayLike) -> Float64Array:
        """Return the logit that viewer i likes candidate j on looking, for aligned rows."""
        return _in_chunks(self._logit, i, j)

    def p_like(self, i: npt.ArrayLike, j: npt.ArrayLike) -> Float64Array:
        """Return P(i likes j | i looks at j) for aligned rows."""
        return expit(self.logit(i, j))

    def p_mutual(self, i: npt.ArrayLike, j: npt.ArrayLike) -> Float64Array:
        """Return P(both like | both look) for aligned rows."""
        return self.p_like(i, j) * self.p_like(j, i)

    def rapport(self, i: npt.ArrayLike, j: npt.ArrayLike) -> Float64Array:
        """Return how well two people get on once they talk, about standard normal and symmetric."""
        return _in_chunks(self._rapport, i, j)

    def _logit(self, i: Int64Array, j: Int64Array) -> Float64Array:
        s = self.settings
        km = pair_distances_km(self.places[i], self.places[j])
        near = np.nan_to_num(np.exp(-km / s.nearness_km), nan=0.0)
        fixed = np.einsum("pf,pf->p", self.taste[i], self.appeal[j])
        return self.intercept + fixed + s.nearness * near + s.noise * self.noise.normal(Step.TASTE, i, j)

    def _rapport(self, i: Int64Array, j: Int64Array) -> Float64Array:
        content = slice(0, self.n_content)
        both = np.einsum("pf,pf->p", self.taste[i, content], self.appeal[j, content])
        both += np.einsum("pf,pf->p", self.taste[j, content], self.appeal[i, content])
        noise = self.noise.normal(Step.RAPPORT, np.minimum(i, j), np.maximum(i, j))
        share = self.rapport_noise**2
        felt = (both / 2.0 - self.content_mean) / self.content_sd
        return np.sqrt(1.0 - share) * felt + self.rapport_noise * noise


def make_truth(
    traits: LatentTraits,
    topics: TopicWeights,
    *,
    avoids: npt.NDArray[np.bool_],
    cells: npt.NDArray[np.uint64],
    pairs: tuple[Int64Array, Int64Array],
    rng: np.random.Generator,
    s: TasteSettings,
    rapport_noise: float,
) -> Truth:
    """Build the hidden taste; `pairs` that may meet set the scale of each part and the like rate.

    avoids: `(n, n_topics)` bool, topics a person does not want to hear of. cells: `(n,)`, 0 abroad.
    """
    content = [
        _scaled(traits.hobbies, traits.hobbies, s.interests, pairs),
        _scaled(*_closeness(traits.values), s.values, pairs),
        _scaled(*_talk(topics, avoids, s), s.hold_conversations, pairs),
    ]
    chemistry = _scaled(traits.seeks, traits.offers, s.chemistry, pairs)
    ones = np.ones(len(traits))
    bias = (
        np.column_stack([ones, -s.selectivity * traits.pickiness]),
        np.column_stack([s.popularity * traits.warmth, ones]),
    )
    n_content = sum(part[0].shape[1] for part in content)
    mean, sd = _mutual_content(content, pairs)
    tastes, appeals = zip(*content, chemistry, bias, strict=True)
    del content, chemistry, bias  # each part is freed once it is joined: in a large town they are large
    taste, tastes = np.hstack(tastes), ()
    truth = Truth(
        taste=taste,
        appeal=np.hstack(appeals),
        n_content=n_content,
        places=_places(cells),
        intercept=0.0,
        content_mean=mean,
        content_sd=sd,
        noise=KeyedGenerator.from_rng(rng),
        settings=s,
        rapport_noise=min(rapport_noise, 1.0),
    )
    level = _intercept(truth.logit(*pairs), s.like_rate)
    return Truth(**{**vars(truth), "intercept": level})


def _closeness(values: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Two matrices whose product is the negative squared distance between values."""
    square = (values**2).sum(axis=1, keepdims=True)
    one = np.ones_like(square)
    return np.hstack([2.0 * values, -square, one]), np.hstack([values, one, -square])


def _talk(
    topics: TopicWeights, avoids: npt.NDArray[np.bool_], s: TasteSettings
) -> tuple[Float64Array, Float64Array]:
    """Return what people wish to talk and hear about, and what they gladly hear and need to talk about."""
    hears = topics.listens - avoids.astype(np.float64)
    wishes = np.hstack([topics.needs, s.listens_back * topics.listens]).astype(np.float64)
    return wishes, np.hstack([hears, topics.needs])


def _scaled(
    taste: Float64Array, appeal: Float64Array, sd: float, pairs: tuple[Int64Array, Int64Array]
) -> tuple[Float64Array, Float64Array]:
    found = float(_products(taste, appeal, *pairs).std()) if len(pairs[0]) else 0.0
    return taste * (sd / found if found > 0 else 0.0), appeal


def _mutual_content(
    content: list[tuple[Float64Array, Float64Array]], pairs: tuple[Int64Array, Int64Array]
) -> tuple[float, float]:
    i, j = pairs
    if not len(i):
        return 0.0, 1.0
    both = np.zeros(len(i))
    for taste, appeal in content:
        both += _products(taste, appeal, i, j) / 2.0
        both += _products(taste, appeal, j, i) / 2.0
    return float(both.mean()), float(both.std()) or 1.0


def _products(taste: Float64Array, appeal: Float64Array, i: Int64Array, j: Int64Array) -> Float64Array:
    """Return `taste[i] @ appeal[j]` of aligned rows."""
    return _in_chunks(lambda a, b: np.einsum("pf,pf->p", taste[a], appeal[b]), i, j)


def _places(cells: npt.NDArray[np.uint64]) -> Float64Array:
    distinct, which = np.unique(cells, return_inverse=True)
    found = np.full((len(distinct), 3), np.nan)
    found[distinct != 0] = centres(distinct[distinct != 0])
    return found[which]


def _intercept(logits: Float64Array, rate: float) -> float:
    """Return what to add so that the mean probability is `rate`, by bisection."""
    low, high = -30.0, 30.0
    if not len(logits):
        return float(np.log(rate / (1.0 - rate)))
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (middle, high) if expit(logits + middle).mean() < rate else (low, middle)
    return (low + high) / 2.0


def _in_chunks(
    function: Callable[[Int64Array, Int64Array], Float64Array], i: npt.ArrayLike, j: npt.ArrayLike
) -> Float64Array:
    a, b = np.atleast_1d(np.asarray(i, np.int64)), np.atleast_1d(np.asarray(j, np.int64))
    found = np.empty(len(a))

    def fill(start: int) -> None:
        part = slice(start, start + _CHUNK)
        found[part] = function(a[part], b[part])

    starts = range(0, len(a), _CHUNK)
    workers = n_threads() if len(starts) >= _CHUNKS_FOR_THREADS else 1
    if workers > 1:
        map_in_threads(fill, starts, workers)
    else:
        for start in starts:
            fill(start)
    return found
