"""Reading a table of any origin: ids, outcomes, times; what cannot be used is set aside with its reason."""

import warnings
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import recsys
from recsys.errors import InputError, UnknownIdError
from recsys.interactions import Interactions

ODD = ["客 1", "a/b\x00", "O'Brien; --", "", " ", "x" * 300, "é\u202e"]


def read(frame, **more):
    return Interactions.of(frame, viewer="who", candidate="whom", **more)


def table(**columns):
    return pd.DataFrame(columns)


def said(log):
    return log.events.frame[["actor", "target", "type"]].to_numpy().tolist()


def test_without_an_outcome_every_row_is_a_like():
    assert said(read(table(who=["a"], whom=["b"]))) == [["a", "b", "like"]]


@pytest.mark.parametrize(
    ("outcomes", "like", "types"),
    [
        ([1, 4, 5], 4, ["pass", "like", "like"]),
        (["no", "maybe", "yes"], {"yes", "maybe"}, ["pass", "like", "like"]),
        (["seen", "apply", "block"], {"seen": "impression", "apply": "like", "block": "block"}, None),
        ([1, 4, 5], lambda stars: stars > 4, ["pass", "pass", "like"]),
        ([True, False, True], None, ["like", "pass", "like"]),
        ([0.0, 1.0, 1.0], None, ["pass", "like", "like"]),
        (["like", "hide", "message"], None, ["like", "hide", "message"]),
    ],
)
def test_outcomes_are_mapped_to_event_types(outcomes, like, types):
    log = read(table(who=["a", "b", "c"], whom=["b", "c", "d"], said=outcomes), outcome="said", like=like)
    assert [row[2] for row in said(log)] == (types or ["impression", "like", "block"])


@pytest.mark.parametrize(
    ("outcomes", "like", "message"),
    [
        ([1, 4, 5], None, "say what is a like, such as like=4"),
        (["yes", "no"], 4, "give a collection of the outcomes that are likes"),
        (["yes", "no"], {"yes": "lik"}, "did you mean 'like'?"),
    ],
)
def test_an_ambiguous_outcome_is_an_error(outcomes, like, message):
    with pytest.raises(InputError, match=message):
        read(table(who="a", whom="b", said=outcomes), outcome="said", like=like)


def test_invalid_rows_are_quarantined_with_every_reason():
    frame = table(
        who=["a", None, "b", "c", "d", ""],
        whom=["b", "c", "b", "d", None, "a"],
        stars=[5, 5, 5, None, None, 1],
        when=["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04", "never", "2024-01-05"],
    )
    log = read(frame, outcome="stars", like=4, ts="when")
    assert said(log) == [["a", "b", "like"]]
    codes = dict(zip(log.quarantine["row_number"], log.quarantine["codes"], strict=True))
    assert codes == {
        1: "viewer.missing",
        2: "pair.self",
        3: "outcome.missing",
        4: "candidate.missing|outcome.missing|ts.unreadable",
        5: "viewer.missing",
    }
    assert "nobody is named who acted" in log.quarantine["reason"].iloc[0]
    assert len(log) + len(log.quarantine) == len(frame)


@pytest.mark.parametrize(
    "when",
    [
        ["2024-02-03T04:05:06", "2024-02-04T04:05:06"],
        ["2024-02-03T13:05:06+09:00", "2024-02-04T13:05:06+09:00"],
        pd.to_datetime(["2024-02-03 04:05:06", "2024-02-04 04:05:06"]),
        [1706933106, 1707019506],
        [1706933106000, 1707019506000],
        [1706933106.0, 1707019506.0],
        [1706933106000000, 1707019506000000],
        [1706933106000000000, 1707019506000000000],
        ["Feb 3 2024 4:05:06", "Feb 4 2024 4:05:06"],
    ],
    ids=lambda values: str(values[0]),
)
def test_times_are_parsed_in_every_common_form(when):
    log = read(table(who=["a", "b"], whom=["b", "a"], when=when), ts="when")
    first = log.events.frame["ts"].iloc[0]
    assert first == pd.Timestamp("2024-02-03T04:05:06Z")
    assert log.people.as_of == first + pd.Timedelta(days=1)


def test_unreadable_times_are_an_error():
    with pytest.raises(InputError, match="no time can be read in when"):
        read(table(who="a", whom="b", when=["soon", "later"]), ts="when")


def test_without_times_the_last_row_of_a_pair_counts():
    log = read(table(who=["a", "a", "b", "b"], whom=["b", "b", "a", "a"], said=[1, 0, 0, 1]), outcome="said")
    assert log.truth().to_numpy().tolist() == [["a", "b", 0.0], ["b", "a", 1.0]]


def test_unusual_ids_are_unchanged():
    usable = [one for one in ODD if one]
    log = read(table(who=ODD, whom=["z"] * len(ODD)))
    assert set(log.events.frame["actor"]) == set(usable)
    assert log.people.ids.ids(log.people.ids.rows(usable)).tolist() == usable


def test_ids_of_two_kinds_name_their_column():
    with pytest.raises(InputError, match=r"column 'whom': ids must be all texts.*astype\(str\)"):
        read(table(who=[1, 2], whom=["a", 3]))


def test_a_missing_column_is_named():
    with pytest.raises(InputError, match="did you mean 'who'"):
        Interactions.of(table(who=[1], whom=[2]), viewer="woh", candidate="whom")


def test_the_given_table_is_unchanged():
    frame = table(who=["b", None], whom=["a", "b"], stars=[1, 5])
    before = frame.copy()
    read(frame, outcome="stars", like=4)
    pd.testing.assert_frame_equal(frame, before)


def test_an_empty_table_has_no_people():
    with pytest.warns(UserWarning, match="no row"):
        log = read(table(who=[], whom=[]))
    assert (len(log), len(log.people), len(log.quarantine)) == (0, 0, 0)


class TestSides:
    films = table(who=[1, 1, 2], whom=[1, 2, 1], stars=[5, 1, 4])

    def log(self, **more):
        return read(self.films, outcome="stars", like=4, sides=("user", "film"), **more)

    def test_equal_ids_on_two_sides_are_different_people(self):
        assert self.log().people.ids.ids(np.arange(4)).tolist() == ["film:1", "film:2", "user:1", "user:2"]

    def test_ids_come_back_as_they_were_given(self):
        back = self.log().to_external(self.log().seen)
        assert back.to_numpy().tolist() == [[1, 1], [1, 2], [2, 1]]
        assert str(back["candidate_id"].dtype) == "int64"
        pd.testing.assert_frame_equal(self.log().to_internal(back), self.log().seen, check_dtype=False)

    def test_only_different_sides_meet(self):
        log = self.log()
        i, j = np.divmod(np.arange(16), 4)
        meet = log.policy.may_meet(log.people, i, j).reshape(4, 4)
        assert meet.tolist() == [[a // 2 != b // 2 for b in range(4)] for a in range(4)]
        np.testing.assert_array_equal(meet.ravel(), log.policy.compile(log.people).may_meet(i, j))

    def test_additional_people_are_given_by_side(self):
        assert len(self.log(people={"film": [7, 8]}).people) == 6
        with pytest.raises(InputError, match="of which side"):
            self.log(people=[7])

    def test_pairs_convert_to_internal_ids_and_unknown_ids_are_named(self):
        log = self.log()
        pairs = log.to_internal(table(who=[2], whom=[2], more=["kept"]))
        assert pairs.to_numpy().tolist() == [["user:2", "film:2", "kept"]]
        with pytest.raises(UnknownIdError, match="'film:9'; did you mean 'film:"):
            log.to_internal(table(who=[1], whom=[9]))

    def test_sides_may_be_given_by_person(self):
        frame = table(who=["ann", "bob"], whom=["bob", "cy"])
        with pytest.warns(UserWarning, match="1 of 3"):
            log = read(frame, sides={"ann": "woman", "bob": "man"})
        rows = log.people.ids.rows(["ann", "bob", "cy"])
        pairs = np.array([(0, 1), (1, 2), (0, 2)]).T
        assert log.policy.may_meet(log.people, rows[pairs[0]], rows[pairs[1]]).tolist() == [
            True,
            False,
            False,
        ]
        compiled = log.policy.compile(log.people)
        assert compiled.may_meet(rows[pairs[0]], rows[pairs[1]]).tolist() == [True, False, False]

    def test_other_sides_are_another_policy(self):
        frame = table(who=["ann"], whom=["bob"])
        one, other = (read(frame, sides=kinds) for kinds in ({"ann": 0, "bob": 1}, {"ann": 1, "bob": 1}))
        assert one.policy.version != other.policy.version


def test_blocked_pairs_are_shown_in_neither_direction():
    log = read(table(who=["a", "b"], whom=["b", "c"], said=["block", "like"]), outcome="said")
    assert log.policy.may_show(log.people, [0, 1, 1], [1, 0, 2]).tolist() == [False, False, True]


class TestSplits:
    frame = table(who=list("abab"), whom=list("bacd"), said=[1, 1, 0, 1], day=[1, 2, 3, 4])

    def log(self):
        days = pd.Timestamp("2024-01-01") + pd.to_timedelta(self.frame["day"], "D")
        return read(self.frame.assign(day=days), outcome="said", ts="day")

    def test_split_by_time(self):
        past, later = self.log().split("2024-01-04")
        assert (len(past), len(later), len(past.people)) == (2, 2, 4)
        assert past.people.as_of == pd.Timestamp("2024-01-03", tz="UTC")
        assert len(self.log().split(0.5)[0]) == 2
        with pytest.raises(InputError, match="one side of the split is empty"):
            self.log().split("2030-01-01")

    def test_split_by_pair_keeps_both_directions_together(self):
        for seed in range(5):
            first, second = self.log().split_pairs(0.5, np.random.default_rng(seed))
            unordered = [{frozenset(pair) for pair in log.seen.to_numpy()} for log in (first, second)]
            assert not unordered[0] & unordered[1]
            assert len(first) + len(second) == 4

    def test_truth_excludes_pairs_seen_before(self):
        past, later = self.log().split("2024-01-03")
        again = read(table(who=["a", "a"], whom=["b", "d"]))
        assert again.truth(new_to=past)["candidate_id"].tolist() == ["d"]
        assert len(later.truth(new_to=past)) == 3


@pytest.mark.parametrize("seed", range(4))
def test_a_later_part_of_new_candidates_is_warned_of_and_one_of_known_ones_is_not(seed):
    rng = np.random.default_rng(seed)
    day = np.sort(rng.integers(0, 200, 2000))
    times = pd.Timestamp("2024-01-01") + pd.to_timedelta(day, "D")
    votes = table(who=rng.integers(0, 40, 2000), whom=day, day=times)
    with pytest.warns(UserWarning, match=r"candidates nobody met before in split: got .* of \d+ events"):
        read(votes, ts="day", sides=("senator", "bill")).split(0.8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        log = read(votes.assign(whom=rng.integers(0, 200, 2000)), ts="day", sides=("senator", "bill"))
        log.split(0.8)


def test_negatives_are_sampled_among_allowed_pairs():
    rng = np.random.default_rng(0)
    frame = table(who=rng.integers(0, 30, 200), whom=rng.integers(0, 30, 200))
    log = read(frame, sides=("user", "film"))
    more = log.with_sampled_negatives(2, np.random.default_rng(1))
    drawn = more.events.frame[more.events.frame["type"] == "pass"]
    assert 100 < len(drawn) <= 400
    assert drawn["actor"].str.startswith("user:").all()
    assert drawn["target"].str.startswith("film:").all()
    known = set(map(tuple, log.seen.to_numpy()))
    assert not known & set(map(tuple, drawn[["actor", "target"]].to_numpy()))
    again = log.with_sampled_negatives(2, np.random.default_rng(1))
    pd.testing.assert_frame_equal(more.events.frame, again.events.frame)


@settings(max_examples=20)
@given(st.integers(0, 99), st.integers(1, 4))
def test_a_later_part_has_as_many_passes_a_like_as_were_asked_for(seed, per_like):
    """Whoever met in the past is no stranger, and a pair that is drawn twice is drawn again."""
    rng = np.random.default_rng(seed)
    i, j = np.divmod(np.repeat(rng.permutation(60 * 60)[:500], 3), 60)
    past, later = read(table(who=i, whom=j), sides=("user", "film")).split_pairs(0.7, rng)
    truth = later.with_sampled_negatives(per_like, rng, new_to=past).truth(new_to=past)
    assert (truth["label"] == 0).sum() == per_like * (truth["label"] == 1).sum()
    met = set(map(tuple, past.seen.to_numpy()))
    assert not met & set(map(tuple, truth[["viewer_id", "candidate_id"]].to_numpy()))


@pytest.mark.parametrize("seed", range(4))
def test_a_small_later_part_has_passes_drawn_among_all_whom_the_past_joins(seed):
    rng = np.random.default_rng(seed)
    i, j = np.divmod(rng.permutation(130 * 130)[:670], 130)
    past, later = read(table(who=i[i != j], whom=j[i != j])).split_pairs(0.9, rng)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        truth = later.with_sampled_negatives(4, rng, new_to=past).truth(new_to=past)
    passes = truth[truth["label"] == 0]
    assert len(passes) == 4 * (truth["label"] == 1).sum()
    assert passes["viewer_id"].isin(later.seen["viewer_id"]).all()
    assert passes["candidate_id"].nunique() > later.seen["candidate_id"].nunique()


def test_likes_that_are_repeated_later_have_no_passes_drawn_beside_them():
    rng = np.random.default_rng(1)
    pairs = rng.permutation(60 * 60)[:300]
    i, j = np.divmod(np.concatenate([pairs, pairs[:200], rng.permutation(60 * 60)[:200]]), 60)
    past, later = read(table(who=i, whom=j), sides=("user", "film")).split(300 / 700)
    truth = later.with_sampled_negatives(4, rng, new_to=past).truth(new_to=past)
    assert (truth["label"] == 0).sum() == 4 * (truth["label"] == 1).sum() < 4 * 200


def test_fewer_passes_than_asked_for_are_told():
    rng = np.random.default_rng(0)
    i, j = np.divmod(rng.permutation(12 * 12)[:100], 12)
    past, later = read(table(who=i, whom=j), sides=("user", "film")).split_pairs(0.5, rng)
    with pytest.warns(UserWarning, match="too few pairs never met.*a like"):
        later.with_sampled_negatives(4, rng, new_to=past)
    drawn = later.with_sampled_negatives(1, rng)
    with pytest.warns(UserWarning, match="dealt with before.*new_to=past"):
        drawn.truth(new_to=past)


@pytest.mark.parametrize("sides", [None, ("user", "film")])
def test_uuids_come_back_as_uuids(sides):
    ids = [UUID(int=number) for number in range(6)]
    pairs = [(ids[k % 6], ids[(k * 5 + 1) % 6]) for k in range(20)]
    table = pd.DataFrame(pairs, columns=["who", "whom"])
    log = recsys.Interactions.of(table, viewer="who", candidate="whom", sides=sides)
    assert set(log.to_external(log.seen)["viewer_id"]) <= set(ids)
    assert all(isinstance(one, UUID) for one in log.to_external(log.seen)["candidate_id"])
    inside = log.to_internal(table)
    model = recsys.PopularityModel().fit(log.people, log.events, rng=np.random.default_rng(1))
    scored = log.to_external(model.score_pairs(inside))
    assert scored["viewer_id"].tolist() == table["who"].tolist()
    if sides is None:
        explained = model.explain_pair(ids[0], ids[1])
        assert set(explained.to_frame()["viewer_id"]) == {ids[0], ids[1]}
        lists = recsys.recommend(model, log.people, log.policy, viewers=ids[:2], k=2)
        assert set(log.to_external(lists)["viewer_id"]) == set(ids[:2])


@pytest.mark.parametrize("ids", [list(range(6)), [f"m{k}" for k in range(6)]])
def test_lists_have_the_dtype_of_the_ids(ids):
    pairs = [(ids[k % 6], ids[(k * 5 + 1) % 6]) for k in range(20)]
    table = pd.DataFrame(pairs, columns=["who", "whom"])
    log = recsys.Interactions.of(table, viewer="who", candidate="whom")
    model = recsys.PopularityModel().fit(log.people, log.events, rng=np.random.default_rng(1))
    lists = recsys.recommend(model, log.people, log.policy, viewers=ids[:2], k=2)
    for column in ("viewer_id", "candidate_id"):
        assert lists[column].dtype == table["who"].dtype
    assert lists["viewer_id"].drop_duplicates().tolist() == ids[:2]


def test_a_path_is_refused_as_a_table():
    with pytest.raises(InputError, match=r"frame must be a DataFrame in Interactions.of: got 'likes.csv'"):
        read("likes.csv")


def test_nobody_is_offered_somebody_they_like_already_unless_they_changed_their_mind():
    frame = pd.DataFrame(
        {
            "who": ["ann", "ann", "ann", "bob"],
            "whom": ["bob", "cy", "cy", "cy"],
            "what": ["like", "like", "pass", "like"],
        }
    )
    log = read(frame, outcome="what")
    model = recsys.PopularityModel().fit(log.people, log.events, rng=0)
    lists = recsys.recommend(model, log.people, log.policy, viewers=["ann"], k=5)
    assert lists["candidate_id"].tolist() == ["cy"]


def test_a_split_says_what_it_takes():
    table = pd.DataFrame(
        {"a": list("xyxyx"), "b": list("yxzzw"), "at": pd.date_range("2026-01-05", periods=5)}
    )
    log = Interactions.of(table, viewer="a", candidate="b", ts="at")
    for wrong in (70, 1.0, 0, -0.5):
        with pytest.raises(
            InputError, match=r"at is no share of the events in split: got .*; give a share between 0"
        ):
            log.split(wrong)
    for wrong in ("0.7x", "soon", pd.NaT):
        with pytest.raises(InputError, match=r"a time .*give one such as '2026-01-05'"):
            log.split(wrong)
    past, later = log.split("2026-01-07")
    assert len(past.events) + len(later.events) == 5
    with pytest.raises(InputError, match="like must be a number or a collection"):
        Interactions.of(table.assign(stars=3), viewer="a", candidate="b", outcome="stars", like="four")


def test_two_kinds_of_ids_without_sides_are_noticed():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"user": rng.integers(0, 30, 300), "film": rng.integers(100, 140, 300)})
    with pytest.warns(UserWarning, match="no candidate is a viewer.*sides"):
        Interactions.of(frame, viewer="user", candidate="film")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Interactions.of(frame, viewer="user", candidate="film", sides=("user", "film"))


@pytest.mark.parametrize("seed", range(3))
def test_ties_that_stand_in_one_direction_alone_are_warned_of(seed):
    rng = np.random.default_rng(seed)
    i, j = np.divmod(rng.permutation(60 * 60)[:400], 60)
    one, other = np.minimum(i, j)[i != j], np.maximum(i, j)[i != j]
    for a, b, which in ((one, other, "smaller"), (other, one, "greater")):
        with pytest.warns(UserWarning, match=f"one direction alone: got .* rows with the {which} id first"):
            read(table(who=a, whom=b))
    turned = rng.random(len(one)) < 0.5  # in no order of ids
    first, second = (np.where(turned, a, b) for a, b in ((one, other), (other, one)))
    once = pd.DataFrame({"who": first, "whom": second}).assign(pair=one * 60 + other).drop_duplicates("pair")
    with pytest.warns(UserWarning, match="one direction alone: got .no pair of .* rows stands both ways"):
        read(table(who=once["who"], whom=once["whom"]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(table(who=np.concatenate([one, other]), whom=np.concatenate([other, one])))
        read(table(who=i[i != j], whom=j[i != j]))
        read(table(who=one, whom=other), sides=("user", "film"))


def test_sides_of_none_of_the_people_are_refused():
    frame = pd.DataFrame({"who": [0, 1, 2], "whom": [1, 2, 0]})
    for kinds in ({"0": "woman", "1": "man"}, pd.Series(["woman", "man"], index=["u0", "u1"])):
        with pytest.raises(InputError, match=r"no id of sides .*such as 0 \(0 of 2 match\)"):
            Interactions.of(frame, viewer="who", candidate="whom", sides=kinds)


@pytest.mark.parametrize("seed", range(6))
def test_two_kinds_that_have_the_same_numbers_are_told_from_one_community(seed):
    rng = np.random.default_rng(seed)
    liked = rng.choice(120, 6000, p=rng.dirichlet(np.ones(120)))
    frame = pd.DataFrame({"user": rng.integers(0, 300, 6000), "film": liked}).drop_duplicates()
    with pytest.warns(UserWarning, match="two kinds that have the same numbers: got .*towards itself, about"):
        Interactions.of(frame, viewer="user", candidate="film")
    community = frame[frame["user"] != frame["film"]]
    back = community.sample(frac=0.3, random_state=seed)
    back = back.set_axis(["film", "user"], axis=1)[["user", "film"]]
    oneself = pd.DataFrame({"user": range(20), "film": range(20)})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Interactions.of(frame, viewer="user", candidate="film", sides=("user", "film"))
        Interactions.of(community, viewer="user", candidate="film")
        Interactions.of(pd.concat([community, back, oneself]), viewer="user", candidate="film")
        Interactions.of("u" + frame.astype(str), viewer="user", candidate="film")
    with pytest.warns(UserWarning, match="two kinds that have the same numbers"):
        Interactions.of(frame.astype(str), viewer="user", candidate="film")


def test_a_like_that_no_row_reaches_is_warned_of():
    table = pd.DataFrame({"who": range(12), "whom": [*range(1, 12), 0], "stars": [5, 2, 3] * 4})
    with pytest.warns(
        UserWarning, match=r"no row is a like in column 'stars', which holds 2 to 5: got 9; say"
    ):
        Interactions.of(table, viewer="who", candidate="whom", outcome="stars", like=9)


def test_the_truth_of_two_sides_is_not_judged_by_both_liking_without_a_word():
    table = pd.DataFrame({"who": [1, 1, 2, 2], "film": [1, 2, 1, 2], "yes": [1, 0, 0, 1]})
    log = Interactions.of(table, viewer="who", candidate="film", sides=("user", "film"), outcome="yes")
    truth = log.truth()
    lists = truth.assign(rank=[1, 2, 2, 1], p_like=0.5, p_mutual=0.25)
    with pytest.warns(UserWarning, match=r"the truth is of viewers alone.*by='p_like'"):
        recsys.evaluate(lists, truth, k=1)
    found = recsys.evaluate(lists[lists["rank"] == 1], truth, k=1, probability="p_like").set_index("metric")
    assert (found.loc["coverage", "value"], found.loc["coverage", "n"]) == (1.0, 2)  # films, not users
    with pytest.raises(UnknownIdError, match=r"got 2; did you mean 'film:2' or 'user:2'\?"):
        log.people.ids.rows([2])


def feed(rng, n=120, each=60):
    """Return impressions in lists of ten and what followed a look, and how often a look is a like."""
    who = np.repeat(np.arange(n), each)
    whom = (who + rng.integers(1, n, len(who))) % n
    place = np.tile(np.arange(1, 11), len(who) // 10)
    looked = rng.random(len(who)) < 0.6 ** (place - 1)
    liked = rng.random(len(who)) < 0.4
    shown = table(who=who, whom=whom, said="seen", place=place)
    said = np.where(liked, "like", "pass")
    return pd.concat([shown, shown.assign(said=said)[looked]]).drop_duplicates(["who", "whom", "said"]), 0.4


@pytest.mark.parametrize("seed", [0, 1])
def test_with_places_the_level_of_p_like_is_that_of_looks(seed):
    frame, rate = feed(np.random.default_rng(seed))
    kinds = {"seen": "impression", "like": "like", "pass": "pass"}
    said = {}
    for position in ("place", None):
        log = read(frame, outcome="said", like=kinds, position=position)
        shown = log.events.frame["type"] == "impression"
        assert log.events.frame["position"].notna().eq(shown & (position is not None)).all()
        model = recsys.HybridModel().fit(log.people, log.events, rng=seed)
        said[position] = model.score_pairs(log.seen)["p_like"].mean()
    assert said["place"] == pytest.approx(rate, abs=0.05)
    assert abs(said[None] - rate) > 0.07


@pytest.mark.parametrize("places", [[-1, 1], [1.5, 1], ["first", 1]])
def test_what_is_no_place_is_refused(places):
    frame = table(who=["a", "a"], whom=["b", "c"], said=["seen", "seen"], place=places)
    with pytest.raises(InputError, match="no place in a list in place: got"):
        read(frame, outcome="said", like={"seen": "impression"}, position="place")


def test_ids_of_two_types_are_refused_in_words():
    frame = pd.DataFrame({"who": ["1", "2", "x"], "whom": [2, 1, 1]})
    with pytest.raises(InputError, match="texts in 'who' and whole numbers in 'whom'"):
        Interactions.of(frame, viewer="who", candidate="whom")
    assert len(Interactions.of(frame, viewer="who", candidate="whom", sides=("user", "film"))) == 3


def test_one_person_without_a_side_is_told() -> None:
    """Seen to fail: up to a tenth of the people had no list without a word."""
    table = pd.DataFrame({"who": [f"d{k}" for k in range(30)], "whom": [f"r{k}" for k in range(30)]})
    sides = {**dict.fromkeys(table["who"], "driver"), **dict.fromkeys(table["whom"][1:], "rider")}
    with pytest.warns(UserWarning, match="people without a side: got '1 of 60'"):
        recsys.Interactions.of(table, viewer="who", candidate="whom", sides=sides)
