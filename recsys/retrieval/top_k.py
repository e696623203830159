"""The whole search in one call."""

from collections.abc import Callable

import numpy.typing as npt

from recsys.constraints.compiled import Compiled
from recsys.models.directed import Directed
from recsys.retrieval.lists import MutualLists
from recsys.retrieval.retriever import TILE, Retriever


def mutual_top_k(
    directed: Directed,
    compiled: Compiled,
    *,
    viewers: npt.ArrayLike | None = None,
    k: int,
    combiner: str = "product",
    exclude: npt.ArrayLike | None = None,
    price: npt.ArrayLike | None = None,
    workers: int = 1,
    processes: bool = False,
    tile: int = TILE,
    memory_mb: float | None = None,
    progress: Callable[[int], object] | None = None,
) -> MutualLists:
    """Return, for each viewer row, the `k` people with the highest mutual score who may be shown.

    Exact: equal to scoring every pair, dropping those `compiled.may_show` forbids, and sorting by
    score (less the `price` of a like, where given) from high to low, then by row. Equal inputs give
    equal bytes, whatever `tile`, `workers`, `processes` and `memory_mb` are. See `Retriever` for the
    arguments; make one when searching more than once.

    Raises InputError and SettingsError as `Retriever` does.
    """
    retriever = Retriever(directed, compiled, tile=tile, memory_mb=memory_mb)
    return retriever.top_k(
        viewers,
        k=k,
        combiner=combiner,
        exclude=exclude,
        price=price,
        workers=workers,
        processes=processes,
        progress=progress,
    )
