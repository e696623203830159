from functools import cache

import numpy as np
import pandas as pd
import pytest

import recsys
from recsys.catalogue.columns import Columns as C
from recsys.constraints.exclusions_and_tokens import Exclusions
from recsys.constraints.policy import Policy
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.features.feature_map import FeatureMap
from recsys.models.baselines import (
    LFRR,
    RCF,
    RECON,
    LFRRConfig,
    OneSidedALS,
    RandomConfig,
    RandomModel,
    RCFConfig,
)
from recsys.models.behaviour_parameters import BehaviourConfig
from recsys.models.bpr import BPR
from recsys.models.content import ContentModel
from recsys.models.crossed_effects import CrossedEffects
from recsys.models.item_item import EASE, ItemKNN
from recsys.models.joint_als import JointALS
from recsys.models.popularity import PopularityModel
from recsys.ranking.recommend import recommend
from recsys.testing.model_contract import ModelContract, some_events
from recsys.testing.people import AS_OF, make_people


class TestOneSidedALS(ModelContract):
    def model(self):
        return OneSidedALS(BehaviourConfig(factors=6, iterations=5))


class TestRECON(ModelContract):
    def model(self):
        return RECON()


class TestRCF(ModelContract):
    def model(self):
        return RCF()


class TestLFRR(ModelContract):
    def model(self):
        return LFRR(LFRRConfig(n_factors=3, iterations=4))


class TestRandomModel(ModelContract):
    def model(self):
        return RandomModel()


def liked(pairs):
    frame = pd.DataFrame(pairs, columns=[C.ACTOR, C.TARGET]).assign(**{C.TYPE: "like"})
    return Population.of_ids(np.unique(frame[[C.ACTOR, C.TARGET]]), as_of=AS_OF), Events.of(frame)


def test_rcf_gives_the_similarities_worked_by_hand():
    """a and b share one of three people liked; x is liked by b alone, y by a and b, z by a alone."""
    people, events = liked([("a", "y"), ("a", "z"), ("b", "x"), ("b", "y"), ("c", "w")])
    model = RCF().fit(people, events, rng=np.random.default_rng(0))
    at = people.ids.row
    score = model.taste_ @ model.appeal_.T
    assert score[at("a"), at("x")] == pytest.approx(1 / 3)
    assert score[at("a"), at("y")] == pytest.approx(1 / 6)
    assert score[at("a"), at("w")] == 0.0
    assert score[at("c"), at("x")] == 0.0


def test_rcf_reduced_keeps_the_leading_directions():
    people = make_people(90, np.random.default_rng(0))
    events = Events.of(some_events(people.ids.ids(np.arange(90)), np.random.default_rng(1), n=3000))
    exact, reduced = (
        RCF(RCFConfig(max_factors=most)).fit(people, events, rng=np.random.default_rng(0))
        for most in (90, 8 * 40)
    )
    small = RCF(RCFConfig(max_factors=80)).fit(people, events, rng=np.random.default_rng(0))
    assert exact.taste_.shape == reduced.taste_.shape == (90, 90)
    assert small.taste_.shape == (90, 10)
    whole, part = (model.taste_ @ model.appeal_.T for model in (exact, small))
    assert np.corrcoef(whole.ravel(), part.ravel())[0, 1] > 0.9


def test_recon_is_the_mean_share_of_the_candidates_values_among_the_liked():
    people = make_people(40, np.random.default_rng(2))
    ids = people.ids.ids(np.arange(40))
    pairs = [(ids[0], ids[k]) for k in (3, 5, 9)]
    events = Events.of(pd.DataFrame(pairs, columns=[C.ACTOR, C.TARGET]).assign(**{C.TYPE: "like"}))
    model = RECON().fit(people, events, rng=np.random.default_rng(0))
    columns = FeatureMap.fit(people).concatenated(people).attributes
    value = (columns[None] > np.quantile(columns, [0.25, 0.5, 0.75], axis=0)[:, None, :]).sum(axis=0)
    for j in (3, 7, 20):
        plain = np.mean([np.mean(value[[3, 5, 9], a] == value[j, a]) for a in range(columns.shape[1])])
        assert model.taste_[0] @ model.appeal_[j] == pytest.approx(plain)


def test_lfrr_recovers_two_groups():
    rng = np.random.default_rng(3)
    ids = np.array([f"p{k:02d}" for k in range(40)], dtype=object)
    i, j = np.divmod(rng.choice(1600, 800, replace=False), 40)
    i, j = i[i != j], j[i != j]
    frame = pd.DataFrame(
        {C.ACTOR: ids[i], C.TARGET: ids[j], C.TYPE: np.where(i % 2 == j % 2, "like", "pass")}
    )
    people = Population.of_ids(ids, as_of=AS_OF)
    model = LFRR(LFRRConfig(n_factors=2, regularization=1.0)).fit(
        people, Events.of(frame), rng=np.random.default_rng(0)
    )
    a, b = np.divmod(np.arange(1600), 40)
    chance = model.fitted.probabilities(a, b)
    alike = a % 2 == b % 2
    assert np.median(chance[alike]) > np.median(chance[~alike]) + 0.3


def test_recon_without_attributes_gives_the_base_rate():
    ids = np.array([f"p{k:02d}" for k in range(60)], dtype=object)
    frame = some_events(ids, np.random.default_rng(4), n=2000)
    people = Population.of_ids(ids, as_of=AS_OF)
    scored = (
        RECON()
        .fit(people, Events.of(frame), rng=np.random.default_rng(0))
        .score_pairs(frame[[]].assign(**{C.VIEWER: frame[C.ACTOR], C.CANDIDATE: frame[C.TARGET]}))
    )
    assert scored[C.P_LIKE].mean() == pytest.approx((frame[C.TYPE] == "like").mean(), abs=0.08)


def nameless(n):
    return Population.of_ids([f"u{k}" for k in range(n)], as_of=AS_OF)


def fitted_random(people, seed=0, config=None):
    return RandomModel(config).fit(people, Events.none(), rng=np.random.default_rng(seed))


def test_random_scores_have_the_configured_spread_and_no_correlation():
    model = fitted_random(nameless(400), config=RandomConfig(spread=2.0))
    i, j = np.divmod(np.arange(160_000), 400)
    logits = model.fitted.logits(i, j).reshape(400, 400)
    assert abs(logits.mean()) < 0.1
    assert abs(logits.std() - 2.0) < 0.1
    assert abs(np.corrcoef(logits.ravel(), logits.T.ravel())[0, 1]) < 0.02


def test_random_scores_do_not_depend_on_the_other_people():
    model = fitted_random(nameless(50))
    few = model.directed(nameless(50).take([3, 40]))
    assert few.logits([0], [1]) == model.fitted.logits([3], [40])


def test_random_scores_depend_on_the_seed():
    i, j = np.divmod(np.arange(900), 30)
    first, second = (fitted_random(nameless(30), seed).fitted.logits(i, j) for seed in (0, 1))
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.2


def test_a_chance_learned_from_likes_alone_is_that_of_a_like_beside_unseen_pairs():
    """Nobody said no, and every model said 1; among four unseen pairs a like, it says the share of likes."""
    rng = np.random.default_rng(3)
    taste, appeal, popular = rng.normal(size=(200, 2)), rng.normal(size=(200, 2)), rng.normal(size=200)
    score = taste @ appeal.T + popular + rng.gumbel(size=(200, 200))
    np.fill_diagonal(score, -np.inf)
    viewers, candidates = np.nonzero(score >= np.sort(score, axis=1)[:, -8][:, None])
    ids = np.array([f"p{number:03}" for number in range(200)], dtype=object)
    left_out = rng.random(len(viewers)) < 0.2
    people = Population.of_ids(ids, as_of=AS_OF)
    known = pd.DataFrame({C.ACTOR: ids[viewers], C.TARGET: ids[candidates], C.TYPE: "like"})[~left_out]
    unseen = np.array(np.nonzero((score < np.sort(score, axis=1)[:, -8][:, None]) & ~np.eye(200, dtype=bool)))
    drawn = unseen[:, rng.choice(unseen.shape[1], 4 * left_out.sum(), replace=False)]
    i, j = np.append(viewers[left_out], drawn[0]), np.append(candidates[left_out], drawn[1])
    pairs = pd.DataFrame({C.VIEWER: ids[i], C.CANDIDATE: ids[j]})
    for kind in (PopularityModel, CrossedEffects, LFRR, EASE, ItemKNN):
        model = kind().fit(people, Events.of(known), rng=1)
        chance = model.score_pairs(pairs)[C.P_LIKE]
        assert abs(chance.mean() - 0.2) < 0.05, kind.name
        assert chance.max() - chance.min() > 0.05, kind.name


def test_the_chance_of_a_like_is_given_a_look_where_a_no_mostly_stays_unsaid():
    """Answers are nearly all likes and looks are not: every model says what share of looks ends in a like."""
    rng = np.random.default_rng(2)
    ids, n, shown = np.array([f"p{number:03}" for number in range(150)], dtype=object), 150, 16
    viewers = np.repeat(np.arange(n), shown)
    order = np.argsort(rng.random((n, n)) + np.eye(n) * 2, axis=1)[:, :shown]
    candidates, place = order.ravel(), np.tile(np.arange(1, shown + 1), n)
    of_candidate = 1.0 / (1.0 + np.exp(1.2 - rng.normal(0, 0.7, n)))
    chance = of_candidate[candidates]
    looked = rng.random(len(viewers)) < 1.0 / place**0.5
    like = looked & (rng.random(len(viewers)) < chance)
    said_no = looked & ~like & (rng.random(len(viewers)) < 0.1)
    rows = [(np.ones(len(viewers), bool), "impression"), (like, "like"), (said_no, "pass")]
    frame = pd.concat(
        pd.DataFrame({C.ACTOR: ids[viewers[at]], C.TARGET: ids[candidates[at]], C.TYPE: kind}).assign(
            **{C.POSITION: np.where(kind == "impression", place[at], np.nan)}
        )
        for at, kind in rows
    ).assign(**{C.TS: AS_OF - pd.Timedelta(days=1)})
    people = Population.of_ids(ids, as_of=AS_OF)
    strangers = np.setdiff1d(np.arange(n * n), np.append(viewers * n + candidates, np.arange(n) * (n + 1)))
    pairs = pd.DataFrame({C.VIEWER: ids[strangers // n], C.CANDIDATE: ids[strangers % n]})
    rate = of_candidate[strangers % n].mean()
    assert like.sum() / (like | said_no).sum() > rate + 0.4
    for model in (PopularityModel(), CrossedEffects(), LFRR(), EASE(), ContentModel()):
        said = model.fit(people, Events.of(frame), rng=1).score_pairs(pairs)[C.P_LIKE]
        assert said.mean() == pytest.approx(rate, abs=0.07), model.name


def test_calibration_hardly_depends_on_the_seed():
    """Every answer is left out once; with four twentieths left out levels differ by .03 and this fails."""
    rng = np.random.default_rng(5)
    liked = rng.random((50, 30)) < 0.45
    i, j = np.divmod(rng.permutation(liked.size), 30)
    table = pd.DataFrame({"who": i, "what": 100 + j, "liked": liked[i, j].astype(int)})
    log = recsys.Interactions.of(
        table, viewer="who", candidate="what", outcome="liked", sides=("user", "item")
    )
    levels = [
        ItemKNN().fit(log.people, log.events, rng=seed).score_pairs(log.seen.iloc[:1])[C.P_LIKE].iloc[0]
        for seed in range(4)
    ]
    assert np.ptp(levels) < 0.012


def rated_by_strangers(rng, n=400, each=20):
    """Newcomers are half of the people of later answers, and say yes half as often as who is known."""
    known = np.arange(n) < n // 2
    viewers = np.repeat(np.arange(n), np.where(known, 2 * each, 8))
    candidates = rng.integers(0, n, len(viewers))
    viewers, candidates = viewers[viewers != candidates], candidates[viewers != candidates]
    kind = np.arange(n) % 4
    suits = kind[viewers] == kind[candidates]
    chance = np.where(known[viewers], 0.75, 0.35) + np.where(suits, 0.2, -0.1)
    ids = np.array([f"p{number:03}" for number in range(n)], dtype=object)
    said = np.where(rng.random(len(viewers)) < chance, "like", "pass")
    frame = pd.DataFrame({C.ACTOR: ids[viewers], C.TARGET: ids[candidates], C.TYPE: said})
    frame = frame.drop_duplicates([C.ACTOR, C.TARGET])
    held = rng.random(len(frame)) < np.where(frame[C.ACTOR].isin(ids[known]), 0.2, 0.7)
    return ids, known, frame[~held], frame[held]


@cache
def some_are_strangers():
    return rated_by_strangers(np.random.default_rng(4))


@cache
def fitted_with_strangers(kind):
    ids, _, past, _ = some_are_strangers()
    return kind().fit(Population.of_ids(ids, as_of=AS_OF), Events.of(past), rng=1)


@pytest.mark.parametrize("kind", [ItemKNN, EASE, OneSidedALS, BPR, JointALS, RCF])
def test_chances_are_right_for_people_of_whom_little_is_known(kind):
    """A line of the score alone says of newcomers what it says of pairs that do not suit each other."""
    ids, known, _, later = some_are_strangers()
    pairs = later.rename(columns={C.ACTOR: C.VIEWER, C.TARGET: C.CANDIDATE})
    chance = fitted_with_strangers(kind).score_pairs(pairs)[C.P_LIKE].to_numpy()
    said, is_known = (later[C.TYPE] == "like").to_numpy(), later[C.ACTOR].isin(ids[known]).to_numpy()
    for part in (is_known, ~is_known):
        assert chance[part].mean() == pytest.approx(said[part].mean(), abs=0.06)


def test_lists_of_a_baseline_are_in_the_order_of_its_score():
    model = fitted_with_strangers(ItemKNN)
    score = (model.taste_ @ model.appeal_.T)[0]
    others = np.arange(len(score))
    order = model.ranking().logits(np.zeros(len(score), int), others)
    assert (np.diff(order[np.argsort(score)]) >= -1e-5).all()
    assert np.ptp(model.line_.of_candidate(model.known_[:, 1])) > 0.01


@pytest.mark.parametrize("kind", [ItemKNN, EASE, OneSidedALS, BPR, JointALS])
def test_who_never_decided_does_not_lead_lists_of_both_sides(kind):
    """Seen to fail: a candidate without a score of their own seemed sure to like back, so such came first."""
    ids, known, past, _ = some_are_strangers()
    decided = past[past[C.ACTOR].isin(ids[known])]
    people = Population.of_ids(ids, as_of=AS_OF)
    model = kind().fit(people, Events.of(decided), rng=1)
    lists = recommend(model, people, Policy((Exclusions(),)), ids[known][:40], k=10, by="mutual")
    assert (~lists[C.CANDIDATE].isin(ids[known])).mean() < 0.5


@pytest.mark.parametrize("kind", [ItemKNN, LFRR, CrossedEffects, PopularityModel])
def test_a_rate_that_changes_at_the_end_is_half_believed(kind):
    """Likes fall from .8 to .3 in the last fifth: chances lie between those of the whole and of the end."""
    rng, n, last = np.random.default_rng(3), 300, 0.2
    viewers, candidates = np.divmod(rng.choice(n * n, 9000, replace=False), n)
    when = rng.random(len(viewers))
    ids = np.array([f"p{number:03}" for number in range(n)], dtype=object)
    rate = np.where(when < 1.0 - last, 0.8, 0.3)
    said = rng.random(len(viewers)) < rate
    rows = {C.ACTOR: ids[viewers], C.TARGET: ids[candidates], C.TYPE: np.where(said, "like", "pass")}
    frame = pd.DataFrame(rows)[viewers != candidates]
    people = Population.of_ids(ids, as_of=AS_OF)
    timed = frame.assign(**{C.TS: (AS_OF - pd.to_timedelta(100 * (1 - when), "D"))[viewers != candidates]})
    pairs = pd.DataFrame({C.VIEWER: ids[:150], C.CANDIDATE: ids[150:]})
    mean, moved = (
        kind().fit(people, Events.of(one), rng=1).score_pairs(pairs)[C.P_LIKE].mean()
        for one in (frame, timed)
    )
    assert mean == pytest.approx(0.7, abs=0.05)
    assert moved == pytest.approx(0.5, abs=0.07)
