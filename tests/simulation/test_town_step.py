import numpy as np
import pandas as pd
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.constraints.policy import Policy
from recsys.data.tables import check_table
from recsys.errors import InputError, UnknownIdError
from recsys.simulation.night_state import NightState
from recsys.simulation.town import Town
from recsys.storage.load import load_population

K = 10


@pytest.fixture(scope="module")
def pairs(town: Town) -> tuple[np.ndarray, np.ndarray]:
    """Every viewer and candidate who may be shown to them."""
    compiled = Policy.default().compile(load_population(town.tables, town.as_of))
    listed = np.flatnonzero(compiled.listed)
    viewer, candidate = np.nonzero(compiled.may_show_block(listed, listed))
    return listed[viewer], listed[candidate]


def lists_by(town: Town, pairs: tuple[np.ndarray, np.ndarray], score: np.ndarray) -> pd.DataFrame:
    """Lists of the people with the highest scores for each viewer."""
    viewer, candidate = pairs
    order = np.lexsort((-score, viewer))
    viewer, candidate = viewer[order], candidate[order]
    rank = np.arange(len(viewer)) - np.searchsorted(viewer, viewer) + 1
    top = rank <= K
    return pd.DataFrame(
        {
            C.VIEWER: town.ids.ids(viewer[top]),
            C.CANDIDATE: town.ids.ids(candidate[top]),
            C.RANK: rank[top],
        }
    )


def likes_a_look(events: pd.DataFrame) -> float:
    shown = (events[C.TYPE] == "impression").sum()
    return ((events[C.TYPE] == "like") & (events[C.SURFACE] == "list")).sum() / shown


@pytest.fixture(scope="module")
def random_lists(town: Town, pairs: tuple[np.ndarray, np.ndarray]) -> pd.DataFrame:
    return lists_by(town, pairs, np.random.default_rng(0).random(len(pairs[0])))


@pytest.fixture(scope="module")
def best_lists(town: Town, pairs: tuple[np.ndarray, np.ndarray]) -> pd.DataFrame:
    """By the hidden truth, which no ranker may see."""
    return lists_by(town, pairs, town.truth.logit(*pairs))


@pytest.fixture(scope="module")
def worst_lists(town: Town, pairs: tuple[np.ndarray, np.ndarray]) -> pd.DataFrame:
    return lists_by(town, pairs, -town.truth.logit(*pairs))


def test_likes_follow_the_hidden_taste(
    town: Town, best_lists: pd.DataFrame, random_lists: pd.DataFrame, worst_lists: pd.DataFrame
) -> None:
    best, drawn, worst = (
        likes_a_look(town.step(lists, np.random.default_rng(1)))
        for lists in (best_lists, random_lists, worst_lists)
    )
    assert best > 1.5 * drawn
    assert drawn > 2.0 * worst


def test_better_lists_lead_to_more_later_events(
    town: Town, best_lists: pd.DataFrame, random_lists: pd.DataFrame
) -> None:
    """Lists by the truth lead to more people who feel comfortable than random ones."""

    def comfortable(lists: pd.DataFrame) -> int:
        return sum(
            (town.step(lists, np.random.default_rng(s))[C.DETAIL] == "comfortable").sum() for s in (1, 2)
        )

    assert comfortable(best_lists) > 1.3 * comfortable(random_lists)


def test_events_of_a_step_pass_their_contract(town: Town, random_lists: pd.DataFrame) -> None:
    events = town.step(random_lists, np.random.default_rng(2))
    checked = check_table(T.EVENTS, events)
    assert checked.quarantined.empty
    assert events[C.TS].is_monotonic_increasing
    assert (events[C.TS] >= town.as_of).all()
    assert not events[C.EVENT].isin(town.tables[T.EVENTS][C.EVENT]).any()
    shown = events[events[C.TYPE] == "impression"]
    given = pd.MultiIndex.from_frame(random_lists[[C.VIEWER, C.CANDIDATE]])
    assert pd.MultiIndex.from_frame(shown[[C.ACTOR, C.TARGET]]).isin(given).all()
    assert 0.3 < len(shown) / len(random_lists) < 0.8  # not everybody opens the list
    assert (shown[C.PROPENSITY] == 1.0).all()


def test_a_step_is_deterministic_and_leaves_the_town_unchanged(
    town: Town, random_lists: pd.DataFrame
) -> None:
    before = random_lists.copy()
    n_events = len(town.tables[T.EVENTS])
    first = town.step(random_lists, np.random.default_rng(3))
    shuffled = random_lists.sample(frac=1.0, random_state=1)
    pd.testing.assert_frame_equal(random_lists, before)
    again = town.step(shuffled, np.random.default_rng(3))
    columns = [C.TS, C.ACTOR, C.TARGET, C.TYPE, C.DETAIL]
    order = [C.TS, C.ACTOR, C.TARGET, C.TYPE]
    pd.testing.assert_frame_equal(
        first[columns].sort_values(order, ignore_index=True),
        again[columns].sort_values(order, ignore_index=True),
    )
    assert len(town.tables[T.EVENTS]) == n_events
    other = town.step(random_lists, np.random.default_rng(4))
    assert likes(first) != likes(other)


def likes(events: pd.DataFrame) -> set[tuple[str, str]]:
    liked = events[(events[C.TYPE] == "like") & (events[C.SURFACE] == "list")]
    return set(zip(liked[C.ACTOR], liked[C.TARGET], strict=True))


def test_random_numbers_belong_to_pairs_whatever_else_is_shown(
    town: Town, random_lists: pd.DataFrame
) -> None:
    half = random_lists[random_lists[C.RANK] <= K // 2]
    whole, part = (town.step(lists, np.random.default_rng(5)) for lists in (random_lists, half))
    kept = set(zip(half[C.VIEWER], half[C.CANDIDATE], strict=True))
    no = whole[whole[C.TYPE].isin(["pass", "hide"])]
    taken_off = set(zip(no[C.TARGET], no[C.ACTOR], strict=True))
    assert likes(whole) & kept - taken_off == likes(part) - taken_off
    assert len(likes(part)) > 50


def test_two_who_like_each_other_on_one_night_match_once(town: Town, best_lists: pd.DataFrame) -> None:
    events = town.step(best_lists, np.random.default_rng(6))
    liked = likes(events)
    crossing = {(a, b) for a, b in liked if (b, a) in liked}
    assert len(crossing) > 10
    messages = events[events[C.TYPE] == "message"].drop_duplicates([C.ACTOR, C.TARGET])
    first = messages.groupby(
        messages[[C.ACTOR, C.TARGET]].min(axis=1) + messages[[C.ACTOR, C.TARGET]].max(axis=1)
    )
    assert (first.size() <= 2).all()
    talking = set(zip(messages[C.ACTOR], messages[C.TARGET], strict=True))
    wrote = [(a, b) in talking or (b, a) in talking for a, b in crossing]
    assert np.mean(wrote) > 0.7


def test_a_like_made_before_is_not_made_again(town: Town, random_lists: pd.DataFrame) -> None:
    tomorrow = town.as_of + pd.Timedelta(days=1)
    later = town.after(town.step(random_lists, np.random.default_rng(7)), tomorrow)
    made = later.tables[T.EVENTS].query("type == 'like'")
    again = later.step(random_lists, np.random.default_rng(8), at=tomorrow)
    both = likes(again) & set(zip(made[C.ACTOR], made[C.TARGET], strict=True))
    assert not both
    assert len(likes(again)) > 50


def test_after_adds_the_known_events_alone(town: Town, random_lists: pd.DataFrame) -> None:
    events = town.step(random_lists, np.random.default_rng(9))
    week = town.as_of + pd.Timedelta(days=7)
    later = town.after(events, week)
    assert later.as_of == week
    added = len(later.tables[T.EVENTS]) - len(town.tables[T.EVENTS])
    assert 0 < added < len(events)
    assert check_table(T.EVENTS, later.tables[T.EVENTS], as_of=week).quarantined.empty
    with pytest.raises(InputError, match="younger"):
        later.after(events, town.as_of)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({C.CANDIDATE: "first"}, "themself"),
        ({C.RANK: 0}, "rank is below 1"),
        ({C.PROPENSITY: 0.0}, "propensity"),
        ({C.PROPENSITY: float("nan")}, "propensity"),
        ({C.PROPENSITY: 1.5}, "propensity"),
    ],
)
def test_lists_that_cannot_be_shown_are_refused(town: Town, change: dict[str, object], message: str) -> None:
    a, b = town.ids.ids([0, 1])
    row = {C.VIEWER: a, C.CANDIDATE: b, C.RANK: 1, C.PROPENSITY: 1.0} | change
    row = {key: a if value == "first" else value for key, value in row.items()}
    with pytest.raises(InputError, match=message):
        town.step(pd.DataFrame([row]), np.random.default_rng(0))


def test_broken_lists_are_refused(town: Town) -> None:
    a, b = town.ids.ids([0, 1])
    twice = pd.DataFrame({C.VIEWER: [a, a], C.CANDIDATE: [b, b], C.RANK: [1, 2]})
    with pytest.raises(InputError, match="stands twice"):
        town.step(twice, np.random.default_rng(0))
    with pytest.raises(InputError, match="lack a column"):
        town.step(twice.drop(columns=C.RANK), np.random.default_rng(0))
    with pytest.raises(UnknownIdError):
        town.step(twice.iloc[:1].assign(**{C.CANDIDATE: "nobody"}), np.random.default_rng(0))


def test_empty_lists_give_no_events(town: Town) -> None:
    empty = pd.DataFrame({C.VIEWER: [], C.CANDIDATE: [], C.RANK: []})
    assert town.step(empty, np.random.default_rng(0)).empty


def test_likes_in_a_full_inbox_are_read_less(town: Town) -> None:
    """The same like is read less often when many others came the same night."""
    alone, crowd = inbox_answers(town, 1), inbox_answers(town, 60)
    assert alone > 1.5 * crowd > 0


def inbox_answers(town: Town, senders: int) -> float:
    """Return the share of likes to one person that are answered, by how many people see that person."""
    popular = int(np.argmax(town.truth.appeal[:, -2] * (town.residents.opens > 0.8)))
    others = np.setdiff1d(np.flatnonzero(town.residents.opens > 0.8), [popular])
    sent = answered = 0
    for seed in range(40 if senders == 1 else 6):
        viewers = np.random.default_rng(seed).choice(others, senders, replace=False)
        lists = pd.DataFrame(
            {C.VIEWER: town.ids.ids(viewers), C.CANDIDATE: town.ids.ids([popular])[0], C.RANK: 1}
        )
        events = town.step(lists, np.random.default_rng(seed))
        sent += len(likes(events))
        answered += ((events[C.TYPE] == "like") & (events[C.SURFACE] == "inbox")).sum()
    return answered / sent


def test_waiting_likes_of_earlier_nights_crowd_the_inbox(town: Town, random_lists: pd.DataFrame) -> None:
    events = town.step(random_lists, np.random.default_rng(11))
    later = town.after(events, town.as_of + pd.Timedelta(days=1))
    waiting = night_state(later).waiting
    sent = {(a, b) for a, b in zip(town.ids.ids(waiting.actor), town.ids.ids(waiting.target), strict=True)}
    assert len(sent & likes(events)) > 0.5 * len(likes(events))
    weeks = night_state(later.after(events.iloc[:0], later.as_of + pd.Timedelta(days=14))).waiting
    assert len(weeks) == 0


def night_state(town: Town) -> NightState:
    return NightState.at(
        int(town.as_of.timestamp()),
        len(town.ids),
        likes=town._likes,
        recent=town._recent,
        s=town.settings.funnel,
    )


def test_people_at_their_companion_limit_open_no_list(town: Town, random_lists: pd.DataFrame) -> None:
    there = town.arrivals.there(int(town.as_of.timestamp())) & ~town._full
    viewer = town.ids.ids([np.argmax(town.residents.opens * there)])[0]
    others = [name for name in town.ids.ids(np.arange(10)) if name != viewer][:5]
    fine = pd.DataFrame(
        [
            {C.TS: town.as_of, C.ACTOR: a, C.TARGET: b, C.TYPE: "feeling_check", C.DETAIL: "comfortable"}
            for other in others
            for a, b in ((viewer, other), (other, viewer))
        ]
    ).reindex(columns=town.tables[T.EVENTS].columns)
    fine[C.EVENT] = [f"check{row}" for row in range(len(fine))]
    happy = town.after(fine, town.as_of)
    seen = [
        any((t.step(random_lists, np.random.default_rng(s))[C.ACTOR] == viewer).any() for s in range(3))
        for t in (town, happy)
    ]
    assert seen == [True, False]
