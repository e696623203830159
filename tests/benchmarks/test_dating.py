import numpy as np
import pandas as pd

from tests.benchmarks.dating.warm import _by_wave_in_folds


def test_matches_are_compared_inside_their_wave_and_fold_alone():
    rng = np.random.default_rng(0)
    match = (rng.random(60) < 0.3).astype(np.int64)
    scores, folds = rng.random((2, 60)), rng.integers(0, 3, (2, 60))
    pairs = pd.DataFrame({"wave": np.repeat([1, 2], 30)})
    wave = pairs["wave"].to_numpy()
    plain = [
        np.mean(
            [
                score[a] > score[b]
                for score, fold in zip(scores, folds, strict=True)
                for a in np.flatnonzero((match == 1) & (wave == number))
                for b in np.flatnonzero((match == 0) & (wave == number))
                if fold[a] == fold[b]
            ]
        )
        for number in (1, 2)
    ]
    np.testing.assert_allclose(_by_wave_in_folds(pairs, match, scores, folds), plain)
