import numpy as np

from recsys.models.low_rank import low_rank_maps


def test_full_rank_maps_are_exact():
    rng = np.random.default_rng(0)
    taste, appeal = (rng.normal(size=(50, 8)).astype(np.float32) for _ in range(2))
    a, b = low_rank_maps(taste, appeal, 8)
    np.testing.assert_allclose((taste @ a) @ (appeal @ b).T, taste @ appeal.T, atol=1e-4)


def test_maps_attain_the_eckart_young_bound():
    """No rank-3 form of the logits is closer in the mean square (Eckart-Young, by a full SVD)."""
    rng = np.random.default_rng(1)
    taste, appeal = (rng.normal(size=(60, 10)).astype(np.float32) for _ in range(2))
    logits = (taste @ appeal.T).astype(float)
    a, b = low_rank_maps(taste, appeal, 3)
    error = np.linalg.norm((taste @ a) @ (appeal @ b).T - logits)
    best = np.sqrt((np.linalg.svd(logits, compute_uv=False)[3:] ** 2).sum())
    np.testing.assert_allclose(error, best, rtol=1e-4)


def test_unused_columns_are_dropped_without_loss():
    rng = np.random.default_rng(2)
    taste, appeal = (rng.normal(size=(40, 4)).astype(np.float32) for _ in range(2))
    wide = [np.hstack([m, np.zeros((40, 20), np.float32)]) for m in (taste, appeal)]
    a, b = low_rank_maps(*wide, 4)
    np.testing.assert_allclose((wide[0] @ a) @ (wide[1] @ b).T, taste @ appeal.T, atol=1e-4)
