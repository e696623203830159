"""Suggestions in arrays become a table of lists, without a Python object for each."""

import numpy as np
import pyarrow as pa

from recsys.explain.reasons import Reasons
from recsys.publication.list_table import SCHEMA
from recsys.ranking.ranked_pairs import RankedPairs
from recsys.schema.columns import Columns as C
from recsys.schema.population import Population


def list_table(pairs: RankedPairs, people: Population, reasons: Reasons | None) -> pa.Table:
    """Return suggestions as a table of lists; without `reasons` every pair's are empty."""
    texts = pa.array(people.ids.values, pa.string())
    if reasons is None:
        names, numbers, starts = np.array([], object), np.zeros(0, np.int32), np.zeros(len(pairs) + 1, int)
    else:
        names, numbers, starts = reasons.numbered(pairs.viewer, pairs.candidate)
    words = pa.DictionaryArray.from_arrays(numbers.astype(np.int32), pa.array(names, pa.string()))
    columns = {
        C.VIEWER: texts.take(pa.array(pairs.viewer)),
        C.CANDIDATE: texts.take(pa.array(pairs.candidate)),
        C.RANK: pairs.rank(),
        C.P_LIKE: pairs.p_like.astype(np.float32),
        C.P_LIKED_BACK: pairs.p_liked_back.astype(np.float32),
        C.P_MUTUAL: pairs.p_mutual.astype(np.float32),
        C.PROPENSITY: np.ones(len(pairs), np.float32) if pairs.propensity is None else pairs.propensity,
        C.REASONS: pa.ListArray.from_arrays(starts.astype(np.int32), words.cast(pa.string())),
    }
    return pa.table(columns, schema=SCHEMA)
