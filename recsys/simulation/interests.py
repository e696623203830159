"""Hobby factors become tags with levels, sometimes in other words than the catalogue's."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from recsys.catalogue.catalogue import FREE, Catalogue
from recsys.catalogue.columns import Columns as C
from recsys.simulation.sampling import chosen, one_of
from recsys.simulation.settings import ContentSettings
from recsys.types import BoolArray, Float64Array, Int64Array, ObjectArray

_FREE_TAGS = (
    "近所の猫の写真集め",
    "路線図をながめること",
    "ベランダの小さな菜園",
    "古い団地めぐり",
    "喫茶店のマッチ箱",
    "letterpress evenings",
    "lighthouse postcards",
    "slow radio",
)


def make_interests(
    ids: np.ndarray, hobbies: Float64Array, catalogue: Catalogue, rng: np.random.Generator, s: ContentSettings
) -> pd.DataFrame:
    """Draw the interests of each person from their hobby factors `(n, hobby_factors)`.

    An interest lies near its parent in factor space, so people of one group share tags. A tag may be
    written as a label or synonym, or be a free text no catalogue holds.
    """
    tags = list(catalogue.interests)
    n = len(ids)
    affinity = hobbies @ _loadings(catalogue, tags, s, rng).T * s.interest_signal
    affinity += s.interest_popularity * rng.standard_normal(len(tags))
    counts = np.minimum(rng.poisson(s.interests_per_person, n), min(len(tags), s.interests_at_most - 1))
    counts[rng.random(n) < s.no_interests] = 0
    person, tag = np.nonzero(chosen(affinity, counts, rng))
    liking = affinity[person, tag] + rng.gumbel(size=len(person))
    level = 1 + np.searchsorted(np.quantile(liking, [0.1, 0.3, 0.6, 0.85]) if len(liking) else [], liking)
    named = pd.DataFrame(
        {
            C.USER: ids[person],
            C.TAG: _spelled(tag, tags, catalogue, rng, s),
            C.LEVEL: level.astype(np.int64),
        }
    )
    free = np.flatnonzero((rng.random(n) < s.free_tag) & (counts > 0))
    texts = np.array([t for t in _FREE_TAGS if catalogue.fold_tag(t).startswith(FREE)], dtype=object)
    own_words = pd.DataFrame(
        {
            C.USER: ids[free],
            C.TAG: texts[rng.integers(0, len(texts), len(free))],
            C.LEVEL: rng.integers(3, 6, len(free)),
        }
    )
    frame = pd.concat([named, own_words], ignore_index=True)
    frame[C.SHARE_MODE] = one_of(s.share_mode, len(frame), rng)
    return frame.sort_values(C.USER, kind="stable", ignore_index=True)


def _loadings(
    catalogue: Catalogue, tags: list[str], s: ContentSettings, rng: np.random.Generator
) -> Float64Array:
    families = {tag: (catalogue.ancestors(tag) or (tag,))[-1] for tag in tags}
    roots = {root: rng.standard_normal(s.hobby_factors) for root in dict.fromkeys(families.values())}
    base = np.array([roots[families[tag]] for tag in tags])
    loadings = base + 0.7 * rng.standard_normal(base.shape)
    return loadings / np.linalg.norm(loadings, axis=1, keepdims=True)


def _spelled(
    tag: np.ndarray, tags: list[str], catalogue: Catalogue, rng: np.random.Generator, s: ContentSettings
) -> np.ndarray:
    texts = np.array(tags, dtype=object)[tag]
    otherwise = np.flatnonzero(rng.random(len(tag)) < s.synonym)
    pick = rng.random(len(otherwise))
    spellings = [_other_words(catalogue, t) for t in tags]
    for at, share in zip(otherwise.tolist(), pick.tolist(), strict=True):
        words = spellings[tag[at]]
        texts[at] = words[int(share * len(words))]
    return texts


def _other_words(catalogue: Catalogue, tag: str) -> list[str]:
    interest = catalogue.interests[tag]
    words = [interest.label.ja, interest.label.en, *interest.synonyms]
    return [word for word in words if catalogue.fold_tag(word) == tag] or [tag]


@dataclass(frozen=True, eq=False)
class Talk:
    """Weights 0 to 3, `(n, n_topics)`: `needs` to talk about, `listens` gladly to."""

    needs: Int64Array
    listens: Int64Array

    @property
    def busy(self) -> BoolArray:
        """Topics a person has something to do with, `(n, n_topics)` bool."""
        return (self.needs > 0) | (self.listens > 0)

    def table(self, ids: np.ndarray, topics: tuple[str, ...]) -> pd.DataFrame:
        """Return the talk topics as a table, one row for each person, topic and role."""
        names = np.array(topics, dtype=object)
        parts = []
        for role, weights in (("talks", self.needs), ("listens", self.listens)):
            person, topic = np.nonzero(weights)
            parts.append(
                pd.DataFrame(
                    {
                        C.USER: ids[person],
                        C.TOPIC: names[topic],
                        C.ROLE: role,
                        C.WEIGHT: weights[person, topic],
                    }
                )
            )
        return pd.concat(parts).sort_values(C.USER, kind="stable", ignore_index=True)


def make_talk(
    themes: Float64Array, topics: tuple[str, ...], rng: np.random.Generator, s: ContentSettings
) -> Talk:
    """Draw needs and listening from the themes `(n, 3)` that weigh on each person.

    Who has lived through something can listen to it, so listening leans on the same themes, less.
    """
    n, loadings = len(themes), rng.standard_normal((3, len(topics)))
    loadings /= np.linalg.norm(loadings, axis=0)
    base = 0.5 * rng.standard_normal((2, len(topics)))
    silent = rng.random(n) < s.no_topics
    weights = []
    for at, (lean, mean) in enumerate(((1.0, s.needs_per_person), (0.5, s.listens_per_person))):
        scores = base[at] + lean * s.topic_signal * (themes @ loadings)
        counts = np.minimum(rng.poisson(mean, n), len(topics))
        counts[silent] = 0
        weights.append(chosen(scores, counts, rng) * rng.integers(1, 4, scores.shape))
    return Talk(needs=weights[0], listens=weights[1])


def make_communities(
    interests: pd.DataFrame,
    region: ObjectArray,
    ids: ObjectArray,
    *,
    catalogue: Catalogue,
    rng: np.random.Generator,
    s: ContentSettings,
) -> pd.DataFrame:
    """Let some interests of people have led to a circle; `region` `(n,)` is where each person lives."""
    joined = interests[rng.random(len(interests)) < s.joins_circle]
    folded = {tag: catalogue.fold_tag(tag) for tag in joined[C.TAG].unique()}
    tag = joined[C.TAG].map(folded)
    known = tag.isin(list(catalogue.interests)).to_numpy(bool)
    joined, tag = joined[known], tag[known]
    place = pd.Series(region, index=ids).reindex(joined[C.USER]).to_numpy(object)
    place = np.where(rng.random(len(joined)) < s.online_circle, "online", place)
    frame = pd.DataFrame(
        {
            C.COMMUNITY: [f"{p}-{t}" for p, t in zip(place, tag, strict=True)],
            C.USER: joined[C.USER].to_numpy(),
        }
    )
    frame = frame.astype({C.COMMUNITY: object, C.USER: object})
    return frame.drop_duplicates().sort_values([C.COMMUNITY, C.USER], ignore_index=True)
