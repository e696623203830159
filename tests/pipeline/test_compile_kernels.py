"""`recsys warm`: a small night reaches the kernels of a large one."""

import pytest

from recsys.allocation import frank_wolfe
from recsys.batch import compile_kernels


def test_the_allocation_of_the_small_night_leaves_edges_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail: with lists of 20 it kept all edges, and a night of 5,000 compiled one kernel more."""
    looked_at = []

    def share_left_out(*given):
        looked_at.append(share(*given))
        return looked_at[-1]

    share = frank_wolfe.share_left_out
    monkeypatch.setattr(frank_wolfe, "share_left_out", share_left_out)
    needed = ("simulate", "ingest", "validate", "features", "train", "recommend", "allocate")
    stages = [stage for stage in compile_kernels.STAGES if stage.name in needed]
    monkeypatch.setattr(compile_kernels, "STAGES", stages)
    compile_kernels.warm()
    assert looked_at
