"""Hobby circles: an interest shared with others of the prefecture, or online."""

import numpy as np
import pandas as pd

from recsys.schema.catalogue.catalogue import Catalogue
from recsys.schema.columns import Columns as C
from recsys.simulation.draws import Objects
from recsys.simulation.settings import ContentSettings


def make_communities(
    interests: pd.DataFrame,
    region: Objects,
    ids: Objects,
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
