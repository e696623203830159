import numpy as np
import pandas as pd
import pytest

from recsys.interactions import Interactions
from recsys.models import EASE, LFRR, CollaborativeModel, CrossedEffects, PopularityModel
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


def matches(seed: int, n: int = 600, rows: int = 700) -> Interactions:
    """Return a sparse log of those who liked each other, of two sides, each in both directions."""
    rng = np.random.default_rng(seed)
    taste, appeal = rng.normal(size=(2, n, 3))
    popular = rng.normal(size=n)
    i, j = rng.integers(0, n // 2, 30 * rows), rng.integers(n // 2, n, 30 * rows)

    def chance(who, whom):
        return sigmoid(0.7 * (taste[who] * appeal[whom]).sum(axis=1) + 0.9 * popular[whom] - 1.3)

    both = rng.random(len(i)) < chance(i, j) * chance(j, i)
    frame = pd.DataFrame({"who": i[both], "whom": j[both]}).drop_duplicates()[:rows]
    frame = pd.concat([frame, frame.rename(columns={"who": "whom", "whom": "who"})])
    sides = {one: "man" if one < n // 2 else "woman" for one in range(n)}
    return Interactions.of(frame, viewer="who", candidate="whom", sides=sides)


@pytest.mark.parametrize("kind", [CollaborativeModel, CrossedEffects, LFRR, EASE])
def test_viewers_without_a_like_are_said_to_like_as_many_as_others(kind):
    """Seen to fail: they were said .10 to .28 too high.

    Passes that had been drawn for likes left out told of these: the fewer stood beside a viewer's known
    likes, the more of those left out were likes.
    """
    new, every = [], []
    for seed in range(10, 13):
        past, later = matches(seed).split_pairs(0.8, seed)
        truth = later.with_sampled_negatives(4, 2, new_to=past).truth(new_to=past)
        model = kind().fit(past.people, past.events, rng=1)
        off = model.score_pairs(truth[["viewer_id", "candidate_id"]])["p_like"] - truth["label"]
        new.append(off[~truth["viewer_id"].isin(set(past.truth()["viewer_id"]))])
        every.append(off)
    assert abs(np.concatenate(new).mean()) < 0.035
    assert abs(np.concatenate(every).mean()) < 0.035


def few_likes(form: str, per_person: float, rng: np.random.Generator, n: int = 300) -> Interactions:
    """Return likes of anybody, about so many a person, as of the first weeks of a service."""
    who, whom = rng.integers(0, n, int(per_person * n)), rng.integers(0, n, int(per_person * n))
    sides = None
    if form == "one each":
        who, whom = np.arange(int(per_person * n)), n + np.arange(int(per_person * n))
    if form == "two sides":
        whom = whom // 2 * 2 + (who + 1) % 2
        sides = {one: "even" if one % 2 == 0 else "odd" for one in {*who.tolist(), *whom.tolist()}}
    frame = pd.DataFrame({"who": who, "whom": whom})[who != whom].drop_duplicates()
    return Interactions.of(frame, viewer="who", candidate="whom", sides=sides)


@pytest.mark.parametrize("kind", [CollaborativeModel, CrossedEffects, PopularityModel])
@pytest.mark.parametrize("form", ["community", "two sides"])
@pytest.mark.parametrize("per_person", [0.5, 0.8])
@pytest.mark.filterwarnings("ignore:.*no more likes than people", "ignore:no candidate is a viewer")
def test_of_about_a_like_a_person_chances_are_as_high_as_likes_are_frequent(kind, form, per_person):
    """Seen to fail: few passes were drawn or none, and chances were anything."""
    said, happened = [], []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        past, later = few_likes(form, per_person, rng).split_pairs(0.8, rng)
        model = kind().fit(past.people, past.events, rng=1)
        truth = later.with_sampled_negatives(4, rng, new_to=past).truth(new_to=past)
        said.append(model.score_pairs(truth[["viewer_id", "candidate_id"]])["p_like"].mean())
        happened.append(truth["label"].mean())
    assert np.mean(happened) == pytest.approx(0.2, abs=0.01)
    assert np.mean(said) == pytest.approx(np.mean(happened), abs=0.06)


@pytest.mark.parametrize("kind", [CollaborativeModel, CrossedEffects, PopularityModel])
@pytest.mark.filterwarnings("ignore:.*no more likes than people", "ignore:no candidate is a viewer")
def test_where_each_likes_another_one_nobody_is_sure_to_be_liked(kind):
    log = few_likes("one each", 0.5, np.random.default_rng(0))
    model = kind().fit(log.people, log.events, rng=1)
    pairs = log.seen.assign(candidate_id=np.roll(log.seen["candidate_id"], 3))
    assert model.score_pairs(pairs)["p_like"].max() < 0.5


@pytest.mark.parametrize("kind", [CollaborativeModel, CrossedEffects, PopularityModel])
def test_few_likes_and_likes_of_all_are_told(kind):
    few = few_likes("community", 0.5, np.random.default_rng(0))
    with pytest.warns(UserWarning, match="no more likes than people"):
        kind().fit(few.people, few.events, rng=1)
    who, whom = np.divmod(np.arange(25), 5)
    frame = pd.DataFrame({"who": who, "whom": whom})[who != whom]
    every = Interactions.of(frame, viewer="who", candidate="whom")
    with pytest.warns(UserWarning, match="no pair is left unseen"):
        kind().fit(every.people, every.events, rng=1)
