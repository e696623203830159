"""What retrieval returns: one short list for each viewer, end to end in flat arrays."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class MutualLists:
    """Lists of candidates; viewer v's list is `candidates[indptr[v]:indptr[v + 1]]`, best first.

    viewers:      `(n_viewers,)` int32 rows, in the order they were asked for.
    indptr:       `(n_viewers + 1,)` int64.
    candidates:   `(n_listed,)` int32 rows, `n_listed = indptr[-1]`.
    p_like:       `(n_listed,)` float32, probability that the viewer likes the candidate.
    p_liked_back: `(n_listed,)` float32, probability that the candidate likes the viewer.
    p_mutual:     `(n_listed,)` float64, the combined score that orders the list.
    """

    viewers: npt.NDArray[np.int32]
    indptr: npt.NDArray[np.int64]
    candidates: npt.NDArray[np.int32]
    p_like: npt.NDArray[np.float32]
    p_liked_back: npt.NDArray[np.float32]
    p_mutual: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.viewers)

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """How many candidates each viewer has, `(n_viewers,)`."""
        return np.diff(self.indptr)

    @property
    def viewer_of_each(self) -> npt.NDArray[np.int32]:
        """The viewer row of every candidate, `(n_listed,)`."""
        return np.repeat(self.viewers, self.lengths)

    @property
    def rank_of_each(self) -> npt.NDArray[np.int32]:
        """The place of every candidate in its list, from 1, `(n_listed,)`."""
        start = np.repeat(self.indptr[:-1], self.lengths)
        return (np.arange(len(self.candidates)) - start + 1).astype(np.int32)
