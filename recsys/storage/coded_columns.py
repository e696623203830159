"""Columns of texts out of a Parquet file as numbers, each text held once."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Texts = npt.NDArray[np.object_]
Numbers = npt.NDArray[np.int32]


def distinct(column: pa.ChunkedArray) -> tuple[Texts, Numbers]:
    """Return the distinct values of a column and the number of each row's, -1 for none.

    >>> texts, numbers = distinct(pa.chunked_array([["b", None], ["a", "b"]]))
    >>> texts.tolist(), numbers.tolist()
    (['b', 'a'], [0, -1, 1, 0])
    """
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    whole = coded.unify_dictionaries().combine_chunks()
    numbers = whole.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32, copy=False)
    return whole.dictionary.to_numpy(zero_copy_only=False).astype(object), numbers


def coded_alike(columns: Sequence[pa.ChunkedArray]) -> tuple[Texts, list[Numbers]]:
    """Return all values of all columns, ascending, and each column as positions in them, -1 for none.

    >>> texts, numbers = coded_alike([pa.chunked_array([["b", "c"]]), pa.chunked_array([["a", None]])])
    >>> texts.tolist(), [column.tolist() for column in numbers]
    (['a', 'b', 'c'], [[1, 2], [0, -1]])
    """
    named = [distinct(column) for column in columns]
    texts = np.unique(np.concatenate([np.empty(0, object), *(words for words, _ in named)]))
    places = [np.append(np.searchsorted(texts, words), -1).astype(np.int32) for words, _ in named]
    return texts, [place[numbers] for place, (_, numbers) in zip(places, named, strict=True)]
