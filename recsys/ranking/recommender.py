"""Everything lists are made from, laid out once for any number of viewers."""

from collections.abc import Callable
from functools import cached_property

import numpy as np
import numpy.typing as npt

from recsys.constraints.policy import Policy
from recsys.errors import InputError, explained
from recsys.models.directed import Directed
from recsys.ranking.ranked_pairs import RankedPairs
from recsys.ranking.rulebook import Rulebook
from recsys.retrieval import Retriever
from recsys.schema.population import Population


class Recommender(Rulebook):
    """Ranks candidates for viewers of one population under one policy.

    `pairs` masks, scores, and checks every pair again with the plain form of the policy, which shares
    no code with the compiled masks. Nobody is offered a person they have liked already.

    Raises InputError when the matrices are of other people.
    """

    def __init__(self, directed: Directed, people: Population, policy: Policy) -> None:
        if directed.ids != people.ids:
            raise InputError(
                explained("the model gave the matrices of other people", remedy="apply it to these")
            )
        super().__init__(people, policy)
        self.directed = directed

    @cached_property
    def _retriever(self) -> Retriever:
        return Retriever(self.directed, self.compiled)

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
        found = self._retriever.top_k(
            viewers, k=k, combiner=combiner, exclude=left_out, workers=workers, progress=progress
        )
        return self.checked(RankedPairs.of(found))
