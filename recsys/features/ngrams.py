"""Free tags as hashed character n-grams, so that two spellings of one thing come close."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from recsys.catalogue.catalogue import FREE, spelling
from recsys.data.ids import hashed_strings
from recsys.features.sums import unit_rows
from recsys.types import Float32Array

SIZES = (2, 3)


def ngrams(tag: str) -> Counter[str]:
    """Return the character pairs and triples of a tag after folding, between `<` and `>`.

    >>> sorted(ngrams("free:AB"))
    ['<a', '<ab', 'ab', 'ab>', 'b>']
    """
    text = f"<{spelling(tag.removeprefix(FREE))}>"
    return Counter(text[at : at + size] for size in SIZES for at in range(len(text) - size + 1))


def hashed_ngrams(tags: Sequence[str], width: int) -> Float32Array:
    """Return each tag as unit-length signed hashed n-gram counts, `(n_tags, width)` float32.

    Source: feature hashing, Weinberger et al., ICML 2009. A tag whose n-grams cancel is zero.
    """
    rows = np.zeros((len(tags), width))
    for at, tag in enumerate(tags):
        counts = ngrams(tag)
        hashes = hashed_strings(counts, salt="ngram")
        signs = 1.0 - 2.0 * (hashes >> np.uint64(63)).astype(np.float64)
        np.add.at(rows[at], (hashes % np.uint64(width)).astype(np.int64), signs * list(counts.values()))
    return unit_rows(rows)
