from recsys.retrieval import warm_up
from recsys.retrieval.best import keep_best, settle
from recsys.retrieval.mask import columns_left, mask_of
from recsys.retrieval.sparse import close_pairs


def test_every_kernel_is_compiled_afterwards() -> None:
    assert warm_up() > 0
    for kernel in (columns_left, mask_of, close_pairs, keep_best, settle):
        assert len(kernel.signatures) > 0
    before = [len(kernel.signatures) for kernel in (columns_left, mask_of, close_pairs, keep_best, settle)]
    warm_up()
    assert [len(k.signatures) for k in (columns_left, mask_of, close_pairs, keep_best, settle)] == before
