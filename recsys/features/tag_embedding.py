"""How alike two interests are, from the taxonomy and from who holds them, in few columns."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from recsys.features.sums import unit_rows
from recsys.types import Float64Array


def taxonomy_kernel(
    tags: Sequence[str], ancestors: Mapping[str, Sequence[str]], decay: float = 0.5
) -> Float64Array:
    """Return the cosine of two tags' weighted lines of ancestors, `(n_tags, n_tags)` in [0, 1].

    A tag weighs 1 on itself, `decay` on its parent, `decay^2` on its grandparent.

    >>> taxonomy_kernel(["a", "b"], {"a": ["top"], "b": ["top"]}).round(2).tolist()
    [[1.0, 0.2], [0.2, 1.0]]
    """
    lines = {tag: (tag, *ancestors.get(tag, ())) for tag in tags}
    place = {name: at for at, name in enumerate(sorted({n for line in lines.values() for n in line}))}
    weights = np.zeros((len(tags), len(place)))
    for row, tag in enumerate(tags):
        for depth, name in enumerate(lines[tag]):
            weights[row, place[name]] = decay**depth
    rows = unit_rows(weights).astype(np.float64)
    return rows @ rows.T


def ppmi(together: npt.NDArray[np.float64], discount: float = 5.0) -> Float64Array:
    """Return positive pointwise mutual information of tags from counts of people, `(n_tags, n_tags)`.

    together: people who hold both tags; the diagonal counts the holders of one and is not used as a
    pair. Context frequencies are raised to 0.75 (Levy et al., TACL 2015) and pairs seen rarely are
    discounted by n / (n + discount) (Pantel & Lin, 2002).
    """
    pairs = together - np.diag(np.diag(together))
    row = pairs.sum(axis=1)
    context = row**0.75
    expected = np.outer(row, context) / max(context.sum(), 1e-300)
    ratio = np.divide(pairs, expected, out=np.ones_like(pairs), where=(pairs > 0) & (expected > 0))
    information = np.maximum(np.log(ratio), 0.0) * pairs / (pairs + discount)
    return (information + information.T) / 2.0


def cooccurrence_kernel(together: npt.NDArray[np.float64], rank: int) -> Float64Array:
    """Return the cosine of two tags' PPMI vectors after a truncated SVD, 0 for a tag never held.

    Uses `U sqrt(S)` of the `rank` strongest directions (Levy & Goldberg, NeurIPS 2014) among those
    whose two singular vectors agree: the others say which tags are unlike, with the sign lost.
    """
    strength, directions = np.linalg.eigh(ppmi(together))
    kept = np.argsort(-strength, kind="stable")[:rank]
    kept = kept[strength[kept] > 1e-9]
    rows = unit_rows(directions[:, kept] * np.sqrt(strength[kept])).astype(np.float64)
    return rows @ rows.T


def embedding(kernel: Float64Array, frequency: npt.NDArray[np.float64], rank: int) -> npt.NDArray[np.float32]:
    """Return rows whose inner products are the best rank-`rank` form of `kernel`, `(n_tags, rank)`.

    "Best" weighs each tag by how often it is held, so that the columns serve the tags people have;
    a rare tag is placed by its likeness to the common ones. Each column's sign is fixed: its largest
    entry is positive. Columns the kernel does not need are zero.
    """
    n_tags = len(kernel)
    scale = np.sqrt(frequency)
    values, vectors = np.linalg.eigh(scale[:, None] * kernel * scale[None, :])
    columns = np.zeros((n_tags, rank))
    strongest = np.argsort(-values, kind="stable")[:rank]
    strongest = strongest[values[strongest] > 1e-9 * max(float(values.max(initial=0.0)), 1e-300)]
    directions = vectors[:, strongest]
    peaks = directions[np.abs(directions).argmax(axis=0), np.arange(directions.shape[1])] if n_tags else 1.0
    columns[:, : len(strongest)] = directions * np.sign(peaks) * np.sqrt(values[strongest]) / scale[:, None]
    return columns.astype(np.float32)
