"""What a data scientist does every week with models: held-out truth, cross-validation, curves and search."""

import numpy as np
import pandas as pd
import pytest

import recsys
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.errors import InputError, SettingsError
from recsys.evaluation.compare import over_fits
from recsys.evaluation.cross_validation import compare_models, without_pairs
from recsys.evaluation.held_out import decided_pairs, with_unseen_pairs
from recsys.models import LFRR, CollaborativeModel, CrossedEffects, PopularityModel, RandomModel

N_PEOPLE = 60


@pytest.fixture(scope="module")
def log():
    """People who like by one hidden trait of the other, decided about in both directions, over 40 days."""
    rng = np.random.default_rng(3)
    trait = rng.normal(size=N_PEOPLE)
    i, j = (rows.ravel() for rows in np.meshgrid(*[np.arange(N_PEOPLE)] * 2, indexing="ij"))
    kept = (i != j) & (((i + j) % 3) == 0)
    i, j = i[kept], j[kept]
    liked = rng.random(len(i)) < 1 / (1 + np.exp(-2.0 * trait[j]))
    days = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(rng.uniform(0, 40, len(i)), unit="D")
    ids = np.array([f"u{k:02}" for k in range(N_PEOPLE)], dtype=object)
    return Events.of(
        pd.DataFrame({"actor": ids[i], "target": ids[j], "type": np.where(liked, "like", "pass"), "ts": days})
    )


@pytest.fixture(scope="module")
def people():
    return Population.of_ids([f"u{k:02}" for k in range(N_PEOPLE)], as_of="2026-03-01")


class Remembers(RandomModel):
    """Notes the pairs it was fitted on and is asked about: held-out pairs must not be among the former."""

    name = "remembers"
    leaks = ()

    def fit(self, people, events, *, rng):
        self.seen = {frozenset(pair) for pair in events.frame[["actor", "target"]].to_numpy()}
        return super().fit(people, events, rng=rng)

    def score_pairs(self, pairs, *, people=None):
        asked = {frozenset(pair) for pair in pairs[["viewer_id", "candidate_id"]].to_numpy()}
        Remembers.leaks += (len(asked & self.seen),)
        return super().score_pairs(pairs, people=people)


class PopularUntilChanged(RandomModel):
    """Knows who is popular with spread 1 and knows nothing with another."""

    name = "popular_until_changed"

    def fit(self, people, events, *, rng):
        self.inner = PopularityModel().fit(people, events, rng=rng)
        return super().fit(people, events, rng=rng)

    def score_pairs(self, pairs, *, people=None):
        known = self.config.spread == 1.0
        return (self.inner if known else super()).score_pairs(pairs, people=people)


def test_no_model_is_fitted_on_a_pair_it_is_judged_by(log, people):
    Remembers.leaks = ()
    recsys.cross_validate(Remembers(), people, log, rng=1, folds=3, outcome="like", n_resamples=2)
    recsys.learning_curve(Remembers(), people, log, rng=1, shares=(0.5, 1.0), outcome="like", n_resamples=2)
    recsys.tune(Remembers(), {"spread": [1.0, 2.0]}, people, log, rng=1, folds=2, outcome="like")
    assert set(Remembers.leaks) == {0}
    assert len(Remembers.leaks) == 3 + 2 + (2 * 2 + 2)


def test_cross_validation_finds_who_is_better_and_judges_every_pair_once(log, people):
    models = {"popularity": PopularityModel(), "random": RandomModel()}
    table = recsys.cross_validate(models, people, log, rng=1, folds=3, outcome="like", against="random")
    auc = table[table["metric"] == "auc"].set_index("model")
    assert auc["n"].eq(len(decided_pairs(people, log, "like"))).all()
    assert auc.loc["popularity", "more_lo"] > 0.1
    assert auc.loc["random", "lo"] < 0.5 < auc.loc["random", "hi"]
    again = recsys.cross_validate(models, people, log, rng=1, folds=3, outcome="like", against="random")
    pd.testing.assert_frame_equal(table, again)
    assert not hasattr(models["popularity"], "ids_")


@pytest.mark.parametrize("n_fits", [3, 5])
def test_an_interval_over_fits_holds_what_one_more_fit_reaches(n_fits):
    """Law, on 8,000 drawn rows; with the variance over people alone .82 of the intervals hold it."""
    rng = np.random.default_rng(n_fits)
    people, seeds = rng.normal(0.0, 0.02, 8000), rng.normal(0.5, 0.015, (n_fits + 1, 8000))
    tables = [
        pd.DataFrame({"metric": "auc", "value": value, "lo": value - 0.0392, "hi": value + 0.0392})
        for value in seeds[:-1] + people
    ]
    found = over_fits(tables)
    held = (found["lo"].to_numpy() <= seeds[-1]) & (found["hi"].to_numpy() >= seeds[-1])
    assert 0.93 < held.mean() < 0.97
    assert (found["hi"] - found["lo"] > 0.0784).all()


@pytest.mark.filterwarnings("ignore:pairs of the truth are among those")
def test_several_fits_are_averaged_and_none_is_refused(log, people):
    truth = decided_pairs(people, log, "like").iloc[::20]
    asked = {"outcome": "like", "n_resamples": 2, "against": "random"}
    models = [PopularityModel(), RandomModel()]
    table = compare_models(models, people, log, truth, rng=1, fits=3, **asked).set_index(["model", "metric"])
    auc = table.loc[("random", "auc")]
    own = table.loc["random", ["more", "more_lo", "more_hi"]].dropna()
    assert "ece" in own.index
    assert own.to_numpy().tolist() == [[0.0] * 3] * len(own)
    draw = np.random.default_rng(1)
    seeds = [int(draw.integers(2**31)) for _ in range(3)]
    each = [RandomModel().fit(people, log, rng=seed).score_pairs(truth)["p_like"] for seed in seeds]
    assert auc["value"] == pytest.approx(np.mean([recsys.evaluation.auc(truth["label"], p) for p in each]))
    rounds = recsys.cross_validate(
        models[1], people, log, rng=1, folds=2, fits=2, **asked | {"against": None}
    )
    assert rounds["metric"].is_unique
    with pytest.raises(InputError, match="no fit is asked for: got 0"):
        compare_models(models, people, log, truth, rng=1, fits=0)


def test_mutual_outcomes_are_judged_by_p_mutual(log, people):
    table = recsys.cross_validate(CrossedEffects(), people, log, rng=1, folds=2, n_resamples=2)
    mutual = decided_pairs(people, log, "mutual")
    assert table.set_index("metric").loc["auc", "n"] == len(mutual)
    assert (mutual["label"].sum() % 2) == 0


def test_a_learning_curve_rises_with_what_is_learned_from(log, people):
    table = recsys.learning_curve(LFRR(n_factors=2), people, log, rng=1, shares=(0.05, 1.0), outcome="like")
    auc = table[table["metric"] == "auc"].set_index("share")
    assert auc["pairs"].is_monotonic_increasing
    assert auc.loc[1.0, "value"] > auc.loc[0.05, "value"] + 0.05
    assert len(set(auc["n"])) == 1
    for wrong in ((), (0.0,), (1.5,)):
        with pytest.raises(InputError, match="impossible shares"):
            recsys.learning_curve(LFRR(), people, log, rng=1, shares=wrong)


def test_tuning_chooses_by_the_metric_and_compares_on_pairs_laid_aside(log, people):
    space = {"evidence": [0.5, 1000.0], "usual_rate": [0.2]}
    found = recsys.tune(
        PopularityModel(evidence=1000.0), space, people, log, rng=1, metric="log_loss", outcome="like"
    )
    assert found.trials["evidence"].tolist() == [0.5, 1000.0]
    assert found.trials["log_loss"].is_monotonic_increasing
    assert found.model.config.evidence == 0.5
    assert len(found.model.fitted) == N_PEOPLE
    loss = found.comparison[found.comparison["metric"] == "log_loss"].set_index("model")
    assert loss.loc["best", "more_hi"] < 0
    assert loss["n"].iloc[0] < len(decided_pairs(people, log, "like")) / 4
    model, asked = PopularityModel(), {"rng": 1, "outcome": "like"}
    with pytest.raises(SettingsError, match="did you mean 'evidence'"):
        recsys.tune(model, {"evidenc": [1.0]}, people, log, **asked)
    with pytest.raises(SettingsError, match="unknown metric: got 'acu'; did you mean 'auc'"):
        recsys.tune(model, {"evidence": [1.0]}, people, log, metric="acu", **asked)
    assert (
        len(recsys.tune(RandomModel(), {"spread": [0.1, 0.5, 1.0]}, people, log, rng=1, trials=2).trials) == 2
    )


def test_truth_after_holds_what_came_later_about_new_pairs_only(log):
    moment = log.moment(0.6)
    before = Population.of_ids([f"u{k:02}" for k in range(50)], as_of=moment)
    truth = recsys.truth_after(log, before, outcome="like")
    frame = log.frame.set_index(["actor", "target"])
    asked = pd.MultiIndex.from_frame(truth[["viewer_id", "candidate_id"]])
    assert len(truth) > 300
    assert (frame.loc[asked, "ts"] > moment).all()
    assert set(truth["viewer_id"]) | set(truth["candidate_id"]) <= set(before.ids.ids(np.arange(50)))
    assert ((frame.loc[asked, "type"] == "like").to_numpy() == truth["label"].to_numpy(bool)).all()
    mutual = recsys.truth_after(log, before)
    liked = {pair for pair, kind in frame["type"].items() if kind == "like"}
    both = [(a, b) in liked and (b, a) in liked for a, b, _ in mutual.to_numpy()]
    assert mutual["label"].tolist() == list(map(int, both))
    with pytest.raises(InputError, match="nothing happened after"):
        recsys.truth_after(log, Population.of_ids(["u01"], as_of="2026-03-01"))


def test_a_look_without_an_answer_is_judged_where_the_probability_counts_it(log, people):
    """Law: what is judged happened among the pairs whose looks the probability is about.

    Decided pairs alone were judged in a log with impressions, .67 likes for P(like | look) of .27; and all
    pairs shown, .04 of both for .22, in a log where who did not decide had not looked.
    """
    log = Events(log.frame.iloc[::2].reset_index(drop=True))
    frame, moment = log.frame, log.moment(0.6)
    before = Population.of_ids([f"u{k:02}" for k in range(50)], as_of=moment)
    silent = (frame["type"] == "pass") & (frame.index % 2 == 0)
    with_looks = Events.of(frame.assign(type=frame["type"].mask(silent, "impression"), position=1.0))
    truths = [recsys.truth_after(events, before, outcome="like") for events in (log, with_looks)]
    decided_about = decided_pairs(people, log, "like"), decided_pairs(people, with_looks, "like")
    for every, looked_at in (truths, decided_about):  # a first place is looked at nearly always
        assert 0.95 * len(every) < len(looked_at) <= len(every)
        assert len(looked_at.merge(every)) == len(looked_at)
    both = recsys.truth_after(log, before)
    decided = set(map(tuple, decided_pairs(people, log, "like")[["viewer_id", "candidate_id"]].to_numpy()))
    assert {(candidate, viewer) for viewer, candidate, _ in both.to_numpy()} <= decided
    assert len(both) < len(recsys.truth_after(with_looks, before))


def test_what_was_learned_from_is_no_truth_and_two_models_have_two_names(log, people):
    moment = log.moment(0.6)
    past = Population.of_ids(people.ids.values, as_of=moment)
    truth = recsys.truth_after(log, past, outcome="like")
    with pytest.warns(UserWarning, match=rf"pairs of the truth are among .* got '{len(truth)} of"):
        compare_models(PopularityModel(), people, log, truth, rng=1, n_resamples=2)
    with pytest.raises(InputError, match=r"two models have one name: got 'popularity'; name them: {'pop"):
        recsys.cross_validate([PopularityModel(), PopularityModel(evidence=9.0)], past, log, rng=1)


def test_what_cannot_be_judged_is_said(log, people):
    strangers = Population.of_ids(["x", "y"], as_of="2026-03-01")
    with pytest.raises(InputError, match="no pair was decided about"):
        recsys.cross_validate(PopularityModel(), strangers, log, rng=1)
    with pytest.raises(InputError, match=r"got 'the class PopularityModel'; give fresh models"):
        recsys.cross_validate({"a": PopularityModel}, people, log, rng=1)
    with pytest.raises(SettingsError, match="unknown outcome: got 'likes'; did you mean 'like'"):
        recsys.cross_validate(PopularityModel(), people, log, rng=1, outcome="likes")


def test_events_of_pairs_are_left_out_in_both_directions(log):
    pairs = pd.DataFrame({"viewer_id": ["u00", "nobody"], "candidate_id": ["u03", "u01"]})
    rest = without_pairs(log, pairs).frame
    gone = {frozenset(pair) for pair in log.frame[["actor", "target"]].to_numpy()} - {
        frozenset(pair) for pair in rest[["actor", "target"]].to_numpy()
    }
    assert gone == {frozenset({"u00", "u03"})}
    assert len(log) - len(rest) == 2


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_search_without_a_number_is_refused_and_a_space_of_single_values():
    likes = pd.DataFrame({"who": [0, 1, 2, 3, 4, 5] * 5, "whom": np.repeat([6, 7, 8, 9, 10], 6)})
    log = recsys.Interactions.of(likes, viewer="who", candidate="whom")
    given = (recsys.models.ItemKNN(), log.people, log.events)
    with pytest.raises(InputError, match=r"no trial can be judged .*30 pairs, all of which worked"):
        recsys.tune(
            given[0], {"neighbours": [2, 4]}, *given[1:], rng=1, metric="auc", outcome="like", folds=2
        )
    with pytest.raises(InputError, match=r"space\['neighbours'\] must be a sequence in tune: got 2"):
        recsys.tune(given[0], {"neighbours": 2}, *given[1:], rng=1, outcome="like")


def test_a_log_of_likes_alone_is_judged_beside_unseen_pairs(log, people):
    """Passes are kept from the log: only unseen pairs say who is not wanted; random stays at its level."""
    likes = Events(log.frame[log.frame["type"] == "like"].reset_index(drop=True))
    asked = {"rng": 1, "outcome": "like", "negatives_per_like": 3}
    models = {"als": LFRR(), "random": RandomModel()}
    table = recsys.cross_validate(models, people, likes, folds=2, n_resamples=2, **asked)
    auc = table[table["metric"] == "auc"].set_index("model")
    assert len(likes) < auc.loc["random", "n"] <= len(likes) * 4
    assert auc.loc["random", "lo"] < 0.5 < auc.loc["random", "hi"]
    found = recsys.tune(
        PopularityModel(), {"evidence": [1.0, 9.0]}, people, likes, metric="auc", folds=2, **asked
    )
    assert found.trials["auc"].notna().all()
    curve = recsys.learning_curve(PopularityModel(), people, likes, shares=(0.5, 1.0), n_resamples=2, **asked)
    assert curve.query("metric == 'auc'")["value"].notna().all()


def test_unseen_pairs_are_nobody_the_viewer_has_an_event_with(log, people):
    log = Events(log.frame[::5].reset_index(drop=True))
    truth = decided_pairs(people, log, "like")
    more = with_unseen_pairs(truth, people, log, 4, np.random.default_rng(5))
    drawn = more.iloc[len(truth) :]
    met = {frozenset(pair) for pair in log.frame[["actor", "target"]].to_numpy()}
    assert len(drawn) > len(truth) / 2
    assert drawn["label"].eq(0).all()
    assert not {frozenset(pair) for pair in drawn[["viewer_id", "candidate_id"]].to_numpy()} & met
    assert (drawn["viewer_id"] != drawn["candidate_id"]).all()
    with pytest.raises(InputError, match="below 0"):
        with_unseen_pairs(truth, people, log, -1, np.random.default_rng(5))


def test_lists_ranked_by_one_probability_are_judged_by_it(log, people):
    scored = PopularityModel().fit(people, log, rng=1).score_pairs(decided_pairs(people, log, "like"))
    by_like, by_mutual = (recsys.evaluation.as_lists(scored, by) for by in ("p_like", "p_mutual"))
    truth = scored[["viewer_id", "candidate_id", "label"]]
    auc = {}
    for p in (None, "p_like", "p_mutual"):
        table = recsys.evaluate(by_like, truth, probability=p, n_resamples=2)
        auc[p] = table.set_index("metric").loc["auc", "value"]
    assert auc[None] == auc["p_like"] != auc["p_mutual"]
    with pytest.raises(InputError, match="one by p_like, two by p_mutual"):
        recsys.compare({"one": by_like, "two": by_mutual}, truth)


def test_the_truth_says_by_which_probability_models_are_judged(log, people):
    own = recsys.Interactions.of(log.frame, viewer="actor", candidate="target", outcome="type", ts="ts")
    past, later = own.split(0.6)
    asked = {"rng": 1, "n_resamples": 2}
    for truth, outcome, judged in (
        (later.truth(new_to=past), "like", "P(like | look)"),
        (recsys.truth_after(log, past.people, outcome="like"), "like", "P(like | look)"),
        (recsys.truth_after(log, past.people), "mutual", "P(both like | both look)"),
        (
            pd.DataFrame(recsys.truth_after(log, past.people).to_dict("list")),
            *("mutual", "P(both like | both look)"),
        ),
    ):
        table = compare_models(PopularityModel(), past.people, past.events, truth.iloc[:400], **asked)
        assert set(table["of"]) == {"", judged}
        assert judged in recsys.plots.models(table, "auc").get_xlabel()
        scored = PopularityModel().fit(past.people, past.events, rng=1).score_pairs(truth.iloc[:400])
        lists = recsys.evaluation.as_lists(scored.drop(columns="label"))
        assert set(recsys.evaluate(lists, truth.iloc[:400], n_resamples=2)["of"]) == {"", judged}
        same = compare_models(
            PopularityModel(), past.people, past.events, truth.iloc[:400], outcome=outcome, **asked
        )
        pd.testing.assert_frame_equal(table, same)
    with pytest.raises(InputError, match=r"the truth holds likes of the viewer: got .*outcome='mutual'"):
        compare_models(PopularityModel(), past.people, past.events, later.truth(), outcome="mutual", **asked)


@pytest.mark.parametrize("metric", ["log_loss", "auc"])
def test_tuning_keeps_the_model_as_given_where_it_is_surely_better(log, people, metric):
    model, space = PopularityModel(evidence=0.5), {"evidence": [1e7, 1e8]}
    if metric == "auc":
        model, space = PopularUntilChanged(spread=1.0), {"spread": [2.0]}
    with pytest.warns(UserWarning, match="the best trial is worse than the model as given"):
        found = recsys.tune(model, space, people, log, rng=1, metric=metric, outcome="like", folds=2)
    assert found.selected == "given"
    assert "as given, better than the best of" in repr(found)
    assert found.model.get_params() == model.get_params()
    assert len(found.model.fitted) == N_PEOPLE


def test_tuning_names_a_parameter_without_effect(log, people):
    space = {"factors": [2, 64], "explicit_factors": [1, 4]}
    model = CollaborativeModel(iterations=2, stack=False, affinity=False)
    with pytest.warns(UserWarning, match=r"'factors' has no effect on this log.*'2, 64'") as caught:
        recsys.tune(model, space, people, log, rng=1, metric="auc", outcome="like", folds=2)
    assert not any("'explicit_factors' has no effect" in str(one.message) for one in caught)


def test_a_truth_of_likes_that_lost_its_attrs_is_not_taken_for_matches(log, people):
    """Seen to be judged as P(both like | both look) without a word, ECE .256 for .027."""
    past = Population.of_ids(people.ids.values, as_of=log.moment(0.6))
    truth = pd.DataFrame(recsys.truth_after(log, past, outcome="like").to_dict("list"))
    with pytest.raises(InputError, match="say outcome='like'"):
        compare_models([PopularityModel()], past, log, truth, rng=1, n_resamples=2)
