import numpy as np
import pandas as pd
import pytest

from recsys.interactions import Interactions
from recsys.models.collaborative import CollaborativeModel
from recsys.models.directed import sigmoid

N_USERS, N_FILMS, EACH, N_TASTES = 500, 250, 12, 6


def likes_of_taste(seed):
    """Return a log of likes that follow taste, how active users and how popular films are."""
    rng = np.random.default_rng(seed)
    suits = rng.normal(size=(N_USERS, N_TASTES)) @ rng.normal(size=(N_FILMS, N_TASTES)).T
    logits = 1.5 * suits / np.sqrt(N_TASTES) + rng.normal(size=N_FILMS) + 0.7 * rng.normal(size=(N_USERS, 1))
    level = 0.0
    for _ in range(40):
        level += np.log(EACH * N_USERS / sigmoid(logits + level).sum())
    user, film = np.nonzero(rng.random(logits.shape) < sigmoid(logits + level))
    frame = pd.DataFrame({"user": user, "film": film})
    return Interactions.of(frame, viewer="user", candidate="film", sides=("user", "film"))


def test_chances_beside_drawn_pairs_are_as_high_as_likes_are_frequent():
    """They rest on more decisions than were known where their level was learned."""
    said, happened = [], []
    for split in range(2):
        past, later = likes_of_taste(1).split_pairs(0.8, split)
        model = CollaborativeModel().fit(past.people, past.events, rng=split)
        truth = later.with_sampled_negatives(4, split, new_to=past).truth(new_to=past)
        said.append(model.score_pairs(truth[["viewer_id", "candidate_id"]])["p_like"].mean())
        happened.append(truth["label"].mean())
    assert np.mean(said) == pytest.approx(np.mean(happened), abs=0.025)


@pytest.mark.parametrize("seed", [26, 57, pytest.param(33, marks=pytest.mark.thorough)])
def test_chances_of_a_small_log_in_which_anybody_likes_anybody_are_the_rate(seed):
    """Factors that nothing holds together are near 0 where some likes are left out, and not where none is."""
    rng = np.random.default_rng(seed)
    n_viewers, n_candidates = int(rng.integers(20, 60)), int(rng.integers(5, 40))
    share = rng.choice([0.1, 0.2, 0.4])
    viewer, candidate = np.divmod(np.arange(n_viewers * n_candidates), n_candidates)
    likes = (rng.random(len(viewer)) < share) & (viewer != candidate)
    frame = pd.DataFrame({"who": viewer[likes], "whom": candidate[likes]})
    past, later = Interactions.of(frame, viewer="who", candidate="whom").split_pairs(0.8, rng)
    model = CollaborativeModel().fit(past.people, past.events, rng=1)
    truth = later.with_sampled_negatives(4, rng, new_to=past).truth(new_to=past)
    p = model.score_pairs(truth[["viewer_id", "candidate_id"]])["p_like"]
    assert p.mean() == pytest.approx(truth["label"].mean(), abs=0.1)
    assert p.max() < 0.9
