"""The best candidates of viewers, found among people laid out once and checked by the plain rules."""

from collections.abc import Callable
from functools import cached_property

import numpy as np
import numpy.typing as npt

from recsys.constraints.policy import Policy
from recsys.ranking.ranked_pairs import RankedPairs
from recsys.ranking.rulebook import Rulebook
from recsys.retrieval import Retriever
from recsys.schema.population import Population


class Searcher(Rulebook):
    """Ranks candidates for viewers of one population under one policy.

    `pairs` masks, scores, and checks every pair again with the plain form of the policy, which shares
    no code with the compiled masks. Nobody is offered a person they have liked already.

    laid_out: gives the people of `people` laid out under `policy`, once they are needed.
    """

    def __init__(self, people: Population, policy: Policy, laid_out: Callable[[], Retriever]) -> None:
        super().__init__(people, policy)
        self._laid_out = laid_out

    @cached_property
    def retriever(self) -> Retriever:
        """Everybody listed, laid out for any number of searches."""
        return self._laid_out()

    def pairs(
        self,
        viewers: npt.ArrayLike | None,
        *,
        k: int,
        combiner: str = "product",
        exclude: npt.ArrayLike | None = None,
        workers: int = 1,
        progress: Callable[[int], object] | None = None,
    ) -> tuple[RankedPairs, int]:
        """Return the `k` best of each viewer row, and how many pairs the plain check took out.

        exclude: `(n_pairs, 2)` rows, viewer then candidate, left out besides those liked already.

        Anything but 0 taken out is a defect, and is logged. Raises as `Retriever.top_k` does.
        """
        left_out = self.people.relations.liked
        if viewers is not None:
            left_out = left_out[np.isin(left_out[:, 0], viewers)]
        if exclude is not None:
            left_out = np.concatenate([left_out, np.asarray(exclude).reshape(-1, 2)])
        found = self.retriever.top_k(
            viewers, k=k, combiner=combiner, exclude=left_out, workers=workers, progress=progress
        )
        return self.checked(RankedPairs.of(found))
