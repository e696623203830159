import numpy as np
import pandas as pd
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.constraints.exclusions_and_tokens import Exclusions
from recsys.constraints.policy import Policy
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.data.unseen_pairs import UnseenPairs
from recsys.evaluation import auc
from recsys.features import SharedItems
from recsys.interactions import Interactions
from recsys.models.affinity import TERMS, AffinityLine
from recsys.models.affinity_recency import RECENT
from recsys.models.behaviour_fit import LeftOutFits
from recsys.models.behaviour_parameters import BehaviourConfig
from recsys.models.collaborative import CollaborativeModel
from recsys.models.directed import sigmoid
from recsys.models.explanation import CLOSENESS
from recsys.models.hybrid import HybridModel
from recsys.models.stacking import conditional_logit
from recsys.ranking.recommend import recommend
from recsys.testing.people import AS_OF
from tests.models.test_whole_matrix import decisions, two_circles

QUICK = BehaviourConfig(factors=6, iterations=5)
N = 80


def circle_log(rng, kinds=("like", "like", "pass")):
    """Return people of two halves who decide about their own half; what they decide is a matter of luck."""
    ids = np.array([f"p{k:03}" for k in range(N)], dtype=object)
    pairs = two_circles(rng, N)
    frame = pd.DataFrame(
        {C.ACTOR: ids[pairs[:, 0]], C.TARGET: ids[pairs[:, 1]], C.TYPE: rng.choice(kinds, len(pairs))}
    )
    return Population.of_ids(ids, as_of=AS_OF), frame.assign(**{C.TS: AS_OF - pd.Timedelta(days=1)})


@pytest.fixture(scope="module")
def fitted():
    people, frame = circle_log(np.random.default_rng(0))
    model = CollaborativeModel(QUICK).fit(people, Events.of(frame), rng=np.random.default_rng(1))
    return people, frame, model


def _own_half(people, lists):
    rows = [people.ids.rows(lists[column]) for column in (C.VIEWER, C.CANDIDATE)]
    return float((rows[0] % 2 == rows[1] % 2).mean())


@pytest.mark.parametrize("kinds", [("like",), ("like", "like", "pass")])
def test_people_in_no_row_change_nothing_of_others(monkeypatch, kinds):
    """Seen to fail: starting factors were drawn for everybody, and exact forms kept by how many all are."""
    monkeypatch.setattr("recsys.models.neighbourhoods.EXACT", N + 5)
    people, frame = circle_log(np.random.default_rng(0), kinds)
    ids = [*people.ids.ids(np.arange(N)), *(f"a{k:03}" for k in range(40))]
    pairs = frame[[C.ACTOR, C.TARGET]].set_axis([C.VIEWER, C.CANDIDATE], axis=1)
    one, other = (
        CollaborativeModel(QUICK).fit(some, Events.of(frame), rng=1)
        for some in (people, Population.of_ids(ids, as_of=AS_OF))
    )
    np.testing.assert_allclose(one.affinity_.choice, other.affinity_.choice, atol=1e-9)
    pd.testing.assert_frame_equal(one.score_pairs(pairs), other.score_pairs(pairs))


@pytest.mark.parametrize("kinds", [("like",), ("like", "like", "pass")])
def test_a_small_log_leaves_out_as_many_parts_with_a_second_table_as_without(monkeypatch, kinds):
    people, frame = circle_log(np.random.default_rng(0), kinds)
    frame = frame.sample(900, random_state=1)
    table = pd.DataFrame({"user_id": people.ids.ids(np.arange(N)), "item": np.arange(N) % 7})
    parts, without = [], LeftOutFits._without
    monkeypatch.setattr(
        LeftOutFits, "_without", lambda *given, **how: (parts.append(1), without(*given, **how))[1]
    )
    counts = []
    for blocks in ([], [SharedItems(table)]):
        HybridModel(factors=6, iterations=5, blocks=blocks).fit(people, Events.of(frame), rng=1)
        counts.append(len(parts) - sum(counts))
    assert counts == [5, 5]


def test_all_parts_of_a_log_of_some_thousand_likes_choose_the_order_of_lists(monkeypatch):
    """Seen to fail: of 3,000 likes two fifths chose, and lists hung on the seed of the fit."""
    rng = np.random.default_rng(4)
    table = pd.DataFrame({"user": rng.integers(0, 900, 3600), "page": rng.geometric(0.05, 3600)})
    log = Interactions.of(table.drop_duplicates(), viewer="user", candidate="page", sides=("user", "page"))
    splits = []

    def counted(decisions, random, *given, **how):
        splits.append([len(one.held) for one in random])

    monkeypatch.setattr("recsys.models.behaviour_fit.fit_affinity", counted)
    CollaborativeModel(QUICK).fit(log.people, log.events, rng=1)
    assert len(splits[0]) == 5
    assert sum(splits[0]) == pytest.approx(len(table.drop_duplicates()), rel=0.02)


def test_lists_by_like_hold_whom_the_viewer_alone_comes_to_like(fitted):
    people, frame, model = fitted
    seen = frame[[C.ACTOR, C.TARGET]].set_axis([C.VIEWER, C.CANDIDATE], axis=1)
    lists = recommend(model, people, Policy((Exclusions(),)), k=5, exclude=seen, by="like")
    order, known = model.ranking(people), set(seen.itertuples(index=False, name=None))
    everybody = people.ids.ids(np.arange(len(people)))
    for viewer in everybody[:20]:
        rows = people.ids.rows([one for one in everybody if one != viewer and (viewer, one) not in known])
        chance = order.probabilities(np.full(len(rows), people.ids.row(viewer)), rows)
        best = people.ids.ids(rows[np.lexsort((rows, -chance))[:5]])
        assert lists.loc[lists[C.VIEWER] == viewer, C.CANDIDATE].tolist() == best.tolist()
    assert _own_half(people, lists) > 0.9


def test_lists_of_a_log_without_impressions_hold_people_of_the_right_kind(fitted):
    people, frame, model = fitted
    seen = frame[[C.ACTOR, C.TARGET]].set_axis([C.VIEWER, C.CANDIDATE], axis=1)
    policy = Policy((Exclusions(),))
    by_affinity, by_like = (
        recommend(model, people, policy, k=5, exclude=seen, by=by) for by in ("mutual", "p_mutual")
    )
    assert _own_half(people, by_affinity) > 0.85
    assert _own_half(people, by_like) < 0.75


def test_listed_probabilities_are_those_of_scored_pairs_whatever_the_order(fitted):
    people, _, model = fitted
    lists = recommend(model, people, Policy((Exclusions(),)), k=4)
    scored = model.score_pairs(lists[[C.VIEWER, C.CANDIDATE]])
    for column in (C.P_LIKE, C.P_LIKED_BACK, C.P_MUTUAL):
        np.testing.assert_allclose(lists[column], scored[column], atol=1e-6)


def test_the_chance_of_a_look_is_as_frequent_as_looks(fitted):
    _, frame, model = fitted
    i, j = np.divmod(np.arange(N * N), N)
    i, j = i[i != j], j[i != j]
    chance = model.looks().probabilities(i, j)
    assert chance.sum() == pytest.approx(len(frame), rel=0.35)
    assert chance[i % 2 == j % 2].mean() > 3 * chance[i % 2 != j % 2].mean()


def test_where_impressions_are_logged_lists_are_ranked_by_p_like_alone():
    people, frame = circle_log(np.random.default_rng(0), ("like", "pass", "impression"))
    model = CollaborativeModel(QUICK).fit(people, Events.of(frame), rng=np.random.default_rng(1))
    assert model.affinity_ is None
    assert model.looks() is None
    assert model.ranking() is model.fitted


def test_where_pairs_were_drawn_evenly_lists_are_ranked_by_p_like_alone():
    """Weights found in noise cost up to 47 % of the mutual likes of a log like this one."""
    rng, ids = np.random.default_rng(3), [f"p{k:03}" for k in range(N)]
    i, j = np.divmod(rng.choice(N * N, 1600, replace=False), N)
    pairs = pd.DataFrame({C.ACTOR: i[i != j], C.TARGET: j[i != j]})
    likes = rng.random(len(pairs)) < sigmoid(rng.normal(size=N)[pairs[C.TARGET]])
    frame = pairs.map(ids.__getitem__).assign(**{C.TYPE: np.where(likes, "like", "pass"), C.TS: AS_OF})
    model = CollaborativeModel(QUICK).fit(Population.of_ids(ids, as_of=AS_OF), Events.of(frame), rng=1)
    assert model.affinity_ is None
    assert model.ranking() is model.fitted


def test_of_evenings_apart_lists_hold_people_of_the_same_evening():
    """All of an evening met each other, so that no part puts anybody further ahead within it."""
    rng, ids = np.random.default_rng(5), np.array([f"p{k:03}" for k in range(N)], dtype=object)
    i, j = np.divmod(np.arange(N * N), N)
    kept = (i // 10 == j // 10) & (i != j) & (rng.permutation(N * N) % 10 != 0)
    frame = pd.DataFrame({C.ACTOR: ids[i[kept]], C.TARGET: ids[j[kept]], C.TS: AS_OF})
    frame[C.TYPE] = rng.choice(["like", "pass"], len(frame))
    people = Population.of_ids(ids, as_of=AS_OF)
    model = CollaborativeModel(QUICK).fit(people, Events.of(frame), rng=1)
    seen = frame[[C.ACTOR, C.TARGET]].set_axis([C.VIEWER, C.CANDIDATE], axis=1)
    lists = recommend(model, people, Policy((Exclusions(),)), k=1, exclude=seen)
    rows = [people.ids.rows(lists[column]) // 10 for column in (C.VIEWER, C.CANDIDATE)]
    assert float((rows[0] == rows[1]).mean()) > 0.5


def test_it_can_be_turned_off_and_changes_no_probability():
    people, frame = circle_log(np.random.default_rng(0))
    with_it, without = (
        CollaborativeModel(QUICK.model_copy(update={"affinity": on})).fit(
            people, Events.of(frame), rng=np.random.default_rng(1)
        )
        for on in (True, False)
    )
    assert without.affinity_ is None
    assert with_it.fitted.taste.tobytes() == without.fitted.taste.tobytes()


def test_saved_updated_and_applied_affinity_is_the_same(fitted, tmp_path):
    people, frame, model = fitted
    loaded = CollaborativeModel.load(model.save(tmp_path / "model"))
    again = model.updated(people, Events.of(frame))
    for other in (loaded, again):
        np.testing.assert_allclose(other.ranking(people).taste, model.ranking(people).taste, atol=1e-6)
        np.testing.assert_allclose(other.looks(people).appeal, model.looks(people).appeal, atol=1e-6)
    few = people.take(np.arange(10, 20))
    np.testing.assert_array_equal(model.ranking(few).taste, model.ranking(people).taste[10:20])


def test_of_likes_alone_p_like_knows_who_comes_across_whom(tmp_path):
    """From looks alone, as in a log with passes, likes are told from drawn pairs with an AUC of .77."""
    user, film = np.divmod(np.arange(N * N), N)
    met = np.random.default_rng(0).random(N * N) < np.where(user % 8 == film % 8, 0.5, 0.02)
    table = pd.DataFrame({"user": user[met], "film": film[met]})
    log = Interactions.of(table, viewer="user", candidate="film", sides=("user", "film"))
    past, later = log.split_pairs(0.8, np.random.default_rng(1))
    model = CollaborativeModel(QUICK).fit(past.people, past.events, rng=1)
    truth = later.with_sampled_negatives(4, np.random.default_rng(2), new_to=past).truth(new_to=past)
    scored = model.score_pairs(truth[[C.VIEWER, C.CANDIDATE]])
    assert auc(truth["label"], scored[C.P_LIKE]) > 0.82
    model.save(tmp_path)
    again = CollaborativeModel.load(tmp_path)
    pd.testing.assert_frame_equal(again.score_pairs(truth[[C.VIEWER, C.CANDIDATE]]), scored)
    i, j = (past.people.ids.rows(truth[column]) for column in (C.VIEWER, C.CANDIDATE))
    order = model.ranking(past.people).logits(i, j)
    line = model.affinity_.beside
    terms = line.weights @ AffinityLine.terms(model.affinity_.person, i, j)
    chance = line.slope * order + line.intercept + terms
    np.testing.assert_allclose(model.fitted.logits(i, j), chance, atol=1e-4)
    why = model.explain_pair(*truth.loc[0, [C.VIEWER, C.CANDIDATE]])
    assert sum(term[0] for term in why.terms.values()) == pytest.approx(why.logits[0], abs=1e-4)
    updated = model.updated(past.people, past.events)
    np.testing.assert_allclose(updated.fitted.logits(i, j), model.fitted.logits(i, j), atol=1e-4)


def test_somebody_who_never_decided_gets_what_many_liked():
    """Users like items of their quarter, and one or two popular ones: those a silent user gets."""
    rng = np.random.default_rng(3)
    i, j = np.divmod(np.arange(N * N), N)
    liked = rng.random(N * N) < np.where(j < 8, 0.2, np.where(i % 4 == j % 4, 0.45, 0.0))
    table = pd.DataFrame({"user": i[liked], "item": j[liked]})
    log = Interactions.of(
        table, viewer="user", candidate="item", sides=("user", "item"), people={"user": [999]}
    )
    model = CollaborativeModel(QUICK).fit(log.people, log.events, rng=np.random.default_rng(1))
    lists = recommend(model, log.people, log.policy, ["user:999"], k=10)
    weights = dict(zip((term.name for term in TERMS), model.affinity_.choice, strict=True))
    assert weights["popularity"] + weights["popularity for the unknown"] >= 1.0
    times = table["item"].value_counts().rename(index=lambda item: f"item:{item}")
    assert times[lists[C.CANDIDATE]].mean() == pytest.approx(times.nlargest(10).mean(), rel=0.05)


def test_a_newcomers_first_likes_place_them(fitted):
    people, frame, model = fitted
    likes = pd.DataFrame({C.ACTOR: "new", C.TARGET: ["p001", "p003", "p007"], C.TYPE: "like"})
    events = Events.of(pd.concat([frame, likes.assign(**{C.TS: AS_OF - pd.Timedelta(hours=1)})]))
    more = Population.of_ids([*people.ids.ids(np.arange(N)), "new"], as_of=AS_OF)
    updated = model.updated(more, events)
    row, others = more.ids.row("new"), more.ids.find([f"p{k:03}" for k in range(N)])
    logits = updated.ranking().logits(np.full(N, row), others)
    assert logits[1::2].mean() > logits[::2].mean() + 1.0
    before = model.without_people().ranking(Population.of_ids(["new"], as_of=AS_OF))
    assert before.n_factors == updated.ranking().n_factors


def test_unseen_pairs_are_evenly_drawn_among_those_nobody_decided_about():
    known = decisions([(0, 5), (0, 6), (1, 5), (1, 7), (2, 6)])
    unseen = UnseenPairs.of(known.viewers, known.candidates)
    assert len(unseen) == 3 * 3 - 5
    i, j = unseen.drawn(400, np.random.default_rng(0))
    assert set(zip(i.tolist(), j.tolist(), strict=True)) == {(0, 7), (1, 6), (2, 5), (2, 7)}


def test_men_and_women_are_not_drawn_beside_their_own():
    known = decisions([(0, 5), (0, 6), (1, 5), (5, 0), (6, 1), (6, 0)])
    i, j = UnseenPairs.of(known.viewers, known.candidates).drawn(200, np.random.default_rng(0))
    assert set(zip(i.tolist(), j.tolist(), strict=True)) == {(1, 6), (5, 1)}


def test_conditional_logit_finds_the_weights_choices_were_made_with():
    rng = np.random.default_rng(5)
    theta, features = np.array([1.0, -2.0]), rng.normal(size=(2, 4000, 6))
    available = rng.random((4000, 6)) < 0.8
    available[:, 0] = True
    utility = np.where(
        available, np.einsum("f,fca->ca", theta, features) + rng.gumbel(size=(4000, 6)), -np.inf
    )
    taken = utility.argmax(axis=1)
    rows = np.arange(4000)
    for array in (*features, available):
        array[rows, 0], array[rows, taken] = array[rows, taken].copy(), array[rows, 0].copy()
    found = conditional_logit(features, available, mean=np.zeros(2), precision=np.full(2, 1e-6))
    np.testing.assert_allclose(found, theta, atol=0.1)


def test_people_who_are_active_now_come_first_where_others_have_left():
    """Half of each circle stops being met after a month: the last of the log shows it, and lists follow."""
    rng = np.random.default_rng(6)
    pairs = two_circles(rng, N, share=0.6)
    left = pairs[:, 1] % 4 >= 2
    ids = np.array([f"p{k:03}" for k in range(N)], dtype=object)
    age = np.where(left, rng.uniform(60, 120, len(pairs)), rng.uniform(0, 120, len(pairs)))
    frame = pd.DataFrame(
        {
            C.ACTOR: ids[pairs[:, 0]],
            C.TARGET: ids[pairs[:, 1]],
            C.TYPE: "like",
            C.TS: AS_OF - pd.to_timedelta(age, unit="D"),
        }
    )
    people = Population.of_ids(ids, as_of=AS_OF)
    seen = frame[[C.ACTOR, C.TARGET]].set_axis([C.VIEWER, C.CANDIDATE], axis=1)
    shares = []
    for times in (frame[C.TS], AS_OF - pd.Timedelta(days=1)):
        events = Events.of(frame.assign(**{C.TS: times}))
        model = CollaborativeModel(QUICK).fit(people, events, rng=np.random.default_rng(1))
        lists = recommend(model, people, Policy((Exclusions(),)), k=3, exclude=seen)
        shares.append(float((people.ids.rows(lists[C.CANDIDATE]) % 4 < 2).mean()))
    assert shares[0] > shares[1] + 0.2


def _share_of_those_who_are_there(seed):
    rng = np.random.default_rng(seed)
    pairs = two_circles(rng, N, share=0.6)
    age = rng.uniform(0, 120, len(pairs))
    middle = (np.arange(N) * 7 % N) * 120 / N
    there = np.abs(age - middle[pairs[:, 1]]) < 20
    ids = np.array([f"p{k:03}" for k in range(N)], dtype=object)
    columns = {C.ACTOR: ids[pairs[there, 0]], C.TARGET: ids[pairs[there, 1]], C.TYPE: "like"}
    frame = pd.DataFrame(columns).assign(**{C.TS: AS_OF - pd.to_timedelta(age[there], unit="D")})
    people = Population.of_ids(ids, as_of=AS_OF)
    seen = frame[[C.ACTOR, C.TARGET]].set_axis([C.VIEWER, C.CANDIDATE], axis=1)
    model = CollaborativeModel(QUICK).fit(people, Events.of(frame), rng=np.random.default_rng(1))
    lists = recommend(model, people, Policy((Exclusions(),)), k=3, exclude=seen)
    return (middle[people.ids.rows(lists[C.CANDIDATE])] < 25).mean()


@pytest.mark.parametrize("seeds", [range(4, 8), pytest.param(range(10), marks=pytest.mark.thorough)])
def test_where_people_stay_for_weeks_lists_hold_those_who_are_there(seeds):
    """Each candidate is met within 40 days of 120: a fifth are there at the end, and most of the listed."""
    assert np.mean([_share_of_those_who_are_there(seed) for seed in seeds]) > 0.6


@pytest.mark.parametrize("seed", [8, pytest.param(9, marks=pytest.mark.thorough)])
def test_who_has_gone_is_not_listed_however_much_they_did(seed):
    """A third stay; the others go day by day, are liked for a month after, and do little or a lot."""
    rng = np.random.default_rng(seed)
    n, n_draws, days = 500, 200_000, 120
    gone = np.where(rng.random(n) < 0.35, days, rng.uniform(10, days, n))
    came = np.minimum(rng.uniform(-60, 100, n), gone - 8)
    busy = np.exp(rng.normal(0.0, 1.0, n))
    i, j = rng.choice(n, n_draws, p=busy / busy.sum()), rng.integers(0, n, n_draws)
    day = rng.uniform(0, days, n_draws)
    there = (day > came[i]) & (day < gone[i]) & (day > came[j]) & (day < gone[j] + 30)
    kept = there & (i != j) & ((i % 5 == j % 5) | (rng.random(n_draws) < 0.05))
    ids = np.array([f"p{k:03}" for k in range(n)], dtype=object)
    columns = {C.ACTOR: ids[i[kept]], C.TARGET: ids[j[kept]], C.TYPE: "like"}
    frame = pd.DataFrame(columns).assign(**{C.TS: AS_OF - pd.to_timedelta(days - day[kept], unit="D")})
    frame = frame.sort_values(C.TS).drop_duplicates([C.ACTOR, C.TARGET])
    people = Population.of_ids(ids, as_of=AS_OF)
    seen = frame[[C.ACTOR, C.TARGET]].set_axis([C.VIEWER, C.CANDIDATE], axis=1)
    model = CollaborativeModel(QUICK).fit(people, Events.of(frame), rng=np.random.default_rng(1))
    lists = recommend(model, people, Policy((Exclusions(),)), k=5, exclude=seen)
    assert (gone[people.ids.rows(lists[C.CANDIDATE])] == days).mean() > 0.75


def test_recency_costs_nothing_where_nobody_leaves():
    """Decisions at random times say nothing of who is there now, so recent ones get no weight."""
    rng = np.random.default_rng(8)
    pairs = two_circles(rng, N, share=0.6)
    ids = np.array([f"p{k:03}" for k in range(N)], dtype=object)
    age = pd.to_timedelta(rng.uniform(0, 120, len(pairs)), unit="D")
    columns = {C.ACTOR: ids[pairs[:, 0]], C.TARGET: ids[pairs[:, 1]], C.TYPE: "like", C.TS: AS_OF - age}
    people = Population.of_ids(ids, as_of=AS_OF)
    model = CollaborativeModel(QUICK).fit(
        people, Events.of(pd.DataFrame(columns)), rng=np.random.default_rng(1)
    )
    assert not model.affinity_.choice[list(RECENT)].any()


def test_people_who_met_the_same_people_like_each_other_more_given_a_look():
    """Looks cross circles and likes do not: common neighbours raise p_like and are a term of its own."""
    rng = np.random.default_rng(4)
    ids = np.array([f"p{k:03}" for k in range(N)], dtype=object)
    i, j = np.divmod(np.arange(N * N), N)
    own = i % 2 == j % 2
    met = (i != j) & (rng.random(N * N) < np.where(own, 0.4, 0.1))
    likes = rng.random(N * N) < np.where(own, 0.7, 0.3)
    columns = {C.ACTOR: ids[i[met]], C.TARGET: ids[j[met]], C.TYPE: np.where(likes[met], "like", "pass")}
    frame = pd.DataFrame(columns).assign(**{C.TS: AS_OF - pd.Timedelta(days=1)})
    people = Population.of_ids(ids, as_of=AS_OF)
    model = CollaborativeModel(QUICK).fit(people, Events.of(frame), rng=np.random.default_rng(1))
    assert model.affinity_.closeness.weight > 0.0
    explained = model.explain_pair("p000", "p002")
    assert explained.terms[CLOSENESS][0] > model.explain_pair("p000", "p001").terms[CLOSENESS][0]
    np.testing.assert_allclose(sum(explained.terms.values()), explained.logits, atol=1e-4)


def test_common_neighbours_leave_what_held_at_the_end_of_a_log():
    """Likes get fewer in the last fifth; neighbours took the chances back to those of the whole log."""
    rng = np.random.default_rng(4)
    ids = np.array([f"p{k:03}" for k in range(N)], dtype=object)
    i, j = np.divmod(np.arange(N * N), N)
    own, age = i % 2 == j % 2, rng.uniform(0, 100, N * N)
    met = (i != j) & (rng.random(N * N) < np.where(own, 0.4, 0.1))
    likes = rng.random(N * N) < np.where(own, 0.9, 0.5) - np.where(age < 20, 0.4, 0.0)
    known = met & (rng.random(N * N) < 0.8)
    columns = {
        C.ACTOR: ids[i[known]],
        C.TARGET: ids[j[known]],
        C.TYPE: np.where(likes[known], "like", "pass"),
    }
    frame = pd.DataFrame(columns).assign(**{C.TS: AS_OF - pd.to_timedelta(age[known], unit="D")})
    people, events = Population.of_ids(ids, as_of=AS_OF), Events.of(frame)
    near, apart = (
        CollaborativeModel(QUICK.changed(affinity=affinity)).fit(people, events, rng=np.random.default_rng(1))
        for affinity in (True, False)
    )
    assert near.affinity_.closeness.weight > 0.0
    new = met & ~known
    means = [model.fitted.probabilities(i[new], j[new]).mean() for model in (near, apart)]
    assert means[0] == pytest.approx(means[1], abs=0.05)
    assert means[0] < likes[known].mean() - 0.1
