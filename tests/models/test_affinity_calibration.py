import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from recsys.data.ids import IdIndex
from recsys.interactions import Interactions
from recsys.models.affinity import AffinityLine, AffinityRows, PersonAffinity
from recsys.models.collaborative import CollaborativeModel
from recsys.models.directed import Directed
from recsys.models.popularity import PopularityModel

N_VIEWERS, N_POPULAR, N_LIKES = 600, 40, 2000
PAIR = ["viewer_id", "candidate_id"]


def likes_of_newcomers(seed):
    """Return a log of likes of a community that grows: of a few whom most like, and of whoever comes new."""
    rng = np.random.default_rng(seed)
    viewer = (rng.random(N_LIKES) ** 2 * N_VIEWERS * np.linspace(0.05, 1.0, N_LIKES)).astype(int)
    new = rng.random(N_LIKES) < 0.2
    candidate = np.where(new, N_POPULAR + np.cumsum(new), rng.integers(0, N_POPULAR, N_LIKES))
    frame = pd.DataFrame({"who": viewer, "whom": candidate}).drop_duplicates()
    frame["at"] = pd.Timestamp("2026-01-01") + pd.to_timedelta(frame.index, unit="h")
    return Interactions.of(frame, viewer="who", candidate="whom", ts="at", sides=("a", "b"))


def test_likes_alone_are_told_from_drawn_pairs_where_most_people_are_new():
    """Orders of lists say who chooses often, and put whom nobody knows last; drawn pairs ask for neither."""
    past, later = likes_of_newcomers(1).split(0.8)
    truth = later.with_sampled_negatives(4, 1, new_to=past).truth(new_to=past)
    scored = {}
    for model in (CollaborativeModel(), PopularityModel()):
        scored[model.name] = model.fit(past.people, past.events, rng=1).score_pairs(truth[PAIR])["p_like"]
    auc = {name: roc_auc_score(truth["label"], p) for name, p in scored.items()}
    assert auc["collaborative"] > auc["popularity"]
    known = truth["candidate_id"].isin(past.seen["candidate_id"]).to_numpy()
    for these in (known, ~known):
        said, happened = scored["collaborative"][these].mean(), truth["label"][these].mean()
        assert said == pytest.approx(happened, abs=0.08)


weight = st.floats(-3.0, 3.0)


@given(st.floats(0.05, 3.0), st.tuples(weight, weight, weight, weight, weight), st.integers(0, 2**31))
def test_a_line_adds_what_its_terms_say_and_is_undone(slope, others, seed):
    rng, n = np.random.default_rng(seed), 6
    line = AffinityLine(slope, *others)
    ids = IdIndex([f"u{at}" for at in range(n)])
    choices = Directed.of(ids, taste=rng.normal(size=(n, 3)), appeal=rng.normal(size=(n, 3)))
    person = person_of(rng, n)
    i, j = np.divmod(np.arange(n * n), n)
    liked = line.applied(choices, person)
    added = others[0] + others[1] * person.activity[i] + others[2] * person.unknown[i]
    added = added + others[3] * person.popularity[j] + others[4] * (person.popularity[j] == 0.0)
    assert liked.logits(i, j) == pytest.approx(slope * choices.logits(i, j) + added, abs=1e-4)
    assert line.undone(liked, person).logits(i, j) == pytest.approx(choices.logits(i, j), abs=2e-3)


def person_of(rng, n):
    """Return people of whom some were never decided about, with nothing known of who comes across whom."""
    none = AffinityRows(np.empty((n, 0)), np.empty((n, 0)), np.zeros(n))
    received, known = rng.integers(0, 3, n), rng.random(n)
    amounts = (known, rng.random(n), np.log1p(received), *rng.random((3, n)))
    return PersonAffinity(none, none, none, none, *amounts)
