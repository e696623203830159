import numpy as np

from recsys.retrieval import MutualLists


def test_flat_arrays_by_hand() -> None:
    lists = MutualLists(
        viewers=np.array([4, 1, 9], np.int32),
        indptr=np.array([0, 2, 2, 3]),
        candidates=np.array([7, 8, 4], np.int32),
        p_like=np.zeros(3, np.float32),
        p_liked_back=np.zeros(3, np.float32),
        p_mutual=np.zeros(3),
    )
    assert len(lists) == 3
    assert lists.lengths.tolist() == [2, 0, 1]
    assert lists.viewer_of_each.tolist() == [4, 4, 9]
