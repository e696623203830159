"""Suggestions in arrays become a table of lists, without a Python object for each."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsys.explain.reasons import Reasons
from recsys.publication import list_table as list_table_file
from recsys.publication.list_table import SCHEMA
from recsys.ranking.ranked_pairs import RankedPairs
from recsys.schema.columns import Columns as C
from recsys.schema.population import Population


def list_table(pairs: RankedPairs, people: Population, reasons: Reasons | None) -> pa.Table:
    """Return suggestions as a table of lists; without `reasons` every pair's are empty."""
    return _table(pairs, pairs.rank(), pa.array(people.ids.values, pa.string()), reasons)


def list_tables(pairs: RankedPairs, people: Population, reasons: Reasons | None) -> Iterator[pa.Table]:
    """Return the same as tables of one row group each, one after another, for there may be many."""
    rank, texts = pairs.rank(), pa.array(people.ids.values, pa.string())
    for start in range(0, max(len(pairs), 1), list_table_file.ROWS_A_GROUP):
        here = slice(start, start + list_table_file.ROWS_A_GROUP)
        yield _table(pairs.kept(here), rank[here], texts, reasons)


def _table(
    pairs: RankedPairs, rank: npt.NDArray[np.int32], texts: pa.Array, reasons: Reasons | None
) -> pa.Table:
    if reasons is None:
        names, numbers, starts = np.array([], object), np.zeros(0, np.int32), np.zeros(len(pairs) + 1, int)
    else:
        names, numbers, starts = reasons.numbered(pairs.viewer, pairs.candidate)
    words = pa.DictionaryArray.from_arrays(numbers.astype(np.int32), pa.array(names, pa.string()))
    columns = {
        C.VIEWER: texts.take(pa.array(pairs.viewer)),
        C.CANDIDATE: texts.take(pa.array(pairs.candidate)),
        C.RANK: rank,
        C.P_LIKE: pairs.p_like.astype(np.float32),
        C.P_LIKED_BACK: pairs.p_liked_back.astype(np.float32),
        C.P_MUTUAL: pairs.p_mutual.astype(np.float32),
        C.PROPENSITY: np.ones(len(pairs), np.float32) if pairs.propensity is None else pairs.propensity,
        C.REASONS: pa.ListArray.from_arrays(starts.astype(np.int32), words.cast(pa.string())),
    }
    return pa.table(columns, schema=SCHEMA)
