"""Hobby factors become tags with levels, sometimes in other words than the catalogue's."""

import numpy as np
import pandas as pd

from recsys.schema.catalogue.catalogue import FREE, Catalogue
from recsys.schema.columns import Columns as C
from recsys.simulation.draws import chosen, one_of
from recsys.simulation.minds import Floats
from recsys.simulation.settings import ContentSettings

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
    ids: np.ndarray, hobbies: Floats, catalogue: Catalogue, rng: np.random.Generator, s: ContentSettings
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


def _loadings(catalogue: Catalogue, tags: list[str], s: ContentSettings, rng: np.random.Generator) -> Floats:
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
