import numpy as np
import pytest

from recsys.data.unseen_pairs import UnseenPairs


def circles(n_circles, of_each, rng):
    """Return decisions of people who decide about their own circle alone; none knows another's."""
    at = np.arange(n_circles * of_each)
    who = np.repeat(at, of_each // 2)
    whom = who // of_each * of_each + rng.integers(0, of_each, len(who))
    return who[who != whom], whom[who != whom]


@pytest.mark.parametrize("seed", [0, 1])
def test_passes_of_a_community_are_drawn_across_circles_that_keep_to_themselves(seed):
    rng = np.random.default_rng(seed)
    i, j = UnseenPairs.of(*circles(8, 12, rng), across_circles=True).drawn(5_000, rng)
    assert 0.7 < (i // 12 != j // 12).mean() < 0.95


@pytest.mark.parametrize("seed", [0, 1])
def test_passes_of_films_are_drawn_across_countries(seed):
    rng = np.random.default_rng(seed)
    who, what = circles(8, 12, rng)
    i, j = UnseenPairs.of(who, 96 + what, across_circles=True).drawn(5_000, rng)
    assert (j >= 96).all()
    assert 0.7 < (i // 12 != (j - 96) // 12).mean() < 0.95


@pytest.mark.parametrize("seed", [0, 1])
def test_who_decides_about_the_other_side_alone_is_never_beside_their_own(seed):
    rng = np.random.default_rng(seed)
    who, whom = circles(8, 12, rng)
    # the second half of each circle is the other side
    side = (who % 12 < 6) != (whom % 12 < 6)
    i, j = UnseenPairs.of(who[side], whom[side], across_circles=True).drawn(5_000, rng)
    assert ((i % 12 < 6) != (j % 12 < 6)).all()


@pytest.mark.parametrize("share", [0.2, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("form", ["community", "two sides", "films"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_few_decisions_leave_nearly_all_pairs_unseen(form, share, seed):
    """Seen to fail: chains of few decisions are short, and of 100 among 300 people two passes were drawn."""
    rng = np.random.default_rng(seed)
    n = 300
    who, whom = rng.integers(0, n, int(share * n)), rng.integers(0, n, int(share * n))
    if form == "films":
        whom = n + whom
    if form == "two sides":
        whom = whom // 2 * 2 + (who + 1) % 2
    who, whom = who[who != whom], whom[who != whom]
    known = np.unique(who * 2 * n + whom)
    i, j = UnseenPairs.of(who, whom).sampled(4 * len(known), who, rng)
    assert len(i) == 4 * len(known)
    assert not np.isin(i * 2 * n + j, known).any()
    assert np.isin(i, who).all()
    assert np.isin(j, whom).all()
    if form == "two sides" and share == 2.0:
        assert ((i - j) % 2 == 1).mean() > 0.9
