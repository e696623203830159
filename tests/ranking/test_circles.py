"""Circles by the two matrices: by hand, and never one that would bring two together who are kept apart."""

from dataclasses import dataclass, replace
from math import fsum

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.catalogue.columns import Columns as C
from recsys.constraints.policy import Policy
from recsys.data.exclusions import EXCLUSION_REASONS, Relations
from recsys.data.population import Population
from recsys.errors import SettingsError, UnknownIdError
from recsys.models.directed import Directed
from recsys.models.distance_decay import DistanceDecay
from recsys.ranking.recommend_circles import UNSAFE, recommend_circles
from recsys.testing.people import make_listed_people, make_people

POLICY = Policy.default()


@dataclass(frozen=True)
class Given:
    """A model that gives what it was made with."""

    matrices: Directed

    def directed(self, people: Population) -> Directed:
        return self.matrices


def in_circles(people: Population, circles: dict[str, list[int]]) -> Population:
    rows = [(row, name) for name, members in circles.items() for row in members]
    table = pd.DataFrame(sorted(rows), columns=[C.ROW, C.COMMUNITY]).astype({C.ROW: "int32"})
    return replace(people, long=replace(people.long, communities=table))


def random_model(people: Population, seed: int, distance_decay: DistanceDecay | None = None) -> Given:
    rng = np.random.default_rng(seed)
    taste, appeal = rng.normal(size=(2, len(people), 3))
    cell = people.cells
    return Given(
        Directed.of(people.ids, taste=taste, appeal=appeal, distance_decay=distance_decay, cell=cell)
    )


def town(n: int = 12) -> Population:
    people = make_listed_people(n, np.random.default_rng(1))
    return in_circles(people, {"tea": [1, 2, 3], "jazz": [4, 5, 6], "walks": [7, 8, 9], "two": [10, 11]})


def names(frame: pd.DataFrame, people: Population, row: int) -> list[str]:
    return frame.loc[frame[C.VIEWER] == people.ids.ids([row])[0], C.COMMUNITY].tolist()


@pytest.mark.parametrize("k", [1, 3, 8])
def test_circles_that_float32_cannot_tell_apart_are_in_the_order_of_their_logits(k: int) -> None:
    n, n_factors, rng = 80, 64, np.random.default_rng(8)
    people = make_listed_people(n, rng)
    compiled = POLICY.compile(people)
    counted = np.flatnonzero(compiled.listed & ~compiled.liked_only)[4:].tolist()
    circles = {f"c{at:02d}": counted[4 * at : 4 * at + 4] for at in range(12)}
    people = in_circles(people, circles)
    base = rng.normal(scale=8.0, size=n_factors).astype(np.float32)
    appeal = base + rng.integers(0, 40, (n, n_factors)).astype(np.float32) * np.spacing(base)
    taste = np.tile(base, (n, 1))
    taste[4:] *= 2  # members look forward more, so the viewers decide
    model = Given(Directed.of(people.ids, taste=taste, appeal=appeal))
    found = recommend_circles(model, people, POLICY, k=k, least_members=3)
    exact = appeal.astype(np.float64) * base
    worth = {name: fsum(exact[members].ravel()) for name, members in circles.items()}
    best = sorted(circles, key=lambda name: (-worth[name], name))[:k]
    for viewer in range(4):
        assert names(found, people, viewer) == best


def test_the_mean_of_the_members_by_hand() -> None:
    people = town()
    appeal = np.zeros((12, 1))
    appeal[[1, 2, 3], 0] = [3, 3, 0]  # mean 2
    appeal[[4, 5, 6], 0] = [1, 1, 1]  # mean 1
    appeal[[7, 8, 9], 0] = [9, 0, 0]  # mean 3
    appeal[0, 0] = 1.0
    model = Given(Directed.of(people.ids, taste=np.full((12, 1), 4.0), appeal=appeal))
    found = recommend_circles(model, people, POLICY, k=3, least_members=3)
    assert names(found, people, 0) == ["jazz", "tea", "walks"]  # the members' wish is 4 everywhere
    liking = Given(Directed.of(people.ids, taste=np.full((12, 1), 0.5), appeal=appeal))
    assert names(recommend_circles(liking, people, POLICY, k=3, least_members=3), people, 0)[0] in (
        "jazz",
        "tea",
    )
    eager = Given(Directed.of(people.ids, taste=np.r_[[[1.0]], np.full((11, 1), 50.0)], appeal=appeal))
    assert names(recommend_circles(eager, people, POLICY, k=2, least_members=3), people, 0) == [
        "walks",
        "tea",
    ]


@pytest.mark.parametrize("distance_decay", [None, DistanceDecay(weight=2.0, scale_km=30.0)])
def test_scores_equal_the_mean_over_members(distance_decay: DistanceDecay | None) -> None:
    people = make_people(60, np.random.default_rng(4), unknown=0.02)
    model = random_model(people, 5, distance_decay)
    found = recommend_circles(model, people, POLICY, k=99, least_members=3)
    compiled = POLICY.compile(people)
    counts = compiled.listed & ~compiled.liked_only
    table = people.long.communities
    expected = []
    relations = people.relations
    unsafe = [EXCLUSION_REASONS.index(reason) for reason in UNSAFE]
    apart = {
        tuple(p) for p, r in zip(relations.excluded.tolist(), relations.reason, strict=True) if r in unsafe
    }
    for viewer in np.flatnonzero(compiled.listed):
        scores = {}
        for name, members in table.groupby(C.COMMUNITY)[C.ROW]:
            rows = members.to_numpy(int)
            counted = rows[counts[rows]]
            kept_apart = any((min(viewer, r), max(viewer, r)) in apart for r in rows)
            if len(counted) >= 3 and viewer not in rows and not kept_apart:
                there = model.matrices.logits(np.full(len(counted), viewer), counted).mean()
                back = model.matrices.logits(counted, np.full(len(counted), viewer)).mean()
                scores[name] = min(there, back)
        expected += [
            (people.ids.ids([viewer])[0], name, rank)
            for rank, name in enumerate(sorted(scores, key=lambda c: -scores[c]), start=1)
        ]
    assert len(expected) > 20
    assert list(found.itertuples(index=False, name=None)) == expected


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 2**32 - 1), reason=st.sampled_from(UNSAFE))
def test_two_kept_apart_are_never_led_together(seed: int, reason: str) -> None:
    people = town()
    model = random_model(people, seed)
    why = [EXCLUSION_REASONS.index(reason)]
    apart = people.with_relations(Relations.of(12, excluded=[[0, 5]], reason=why))
    found = recommend_circles(model, apart, POLICY, k=9, least_members=3)
    assert "jazz" not in names(found, people, 0)
    free = recommend_circles(model, people, POLICY, k=9, least_members=3)
    assert set(names(free, people, 0)) == {"tea", "jazz", "walks"}
    others = found[found[C.VIEWER] != people.ids.ids([0])[0]]
    expected = free[free[C.VIEWER] != people.ids.ids([0])[0]]
    pd.testing.assert_frame_equal(others.reset_index(drop=True), expected.reset_index(drop=True))


def test_small_own_and_held_circles_are_left_out() -> None:
    people = town()
    model = random_model(people, 2)
    found = recommend_circles(model, people, POLICY, k=9, least_members=3)
    assert "two" not in set(found[C.COMMUNITY])
    assert "tea" not in names(found, people, 1)
    held = replace(people, held=np.arange(12) == 4)
    found = recommend_circles(model, held, POLICY, k=9, least_members=3)
    assert "jazz" not in set(found[C.COMMUNITY])
    assert names(found, people, 4) == []
    assert recommend_circles(model, people, POLICY, k=9).empty


def test_viewers_and_length() -> None:
    people = town()
    model = random_model(people, 2)
    [viewer] = people.ids.ids([0]).tolist()
    every = recommend_circles(model, people, POLICY, k=2, least_members=3)
    one = recommend_circles(model, people, POLICY, viewer, k=2, least_members=3)
    assert one.values.tolist() == every[every[C.VIEWER] == viewer].values.tolist()  # noqa: PD011
    assert one[C.RANK].tolist() == [1, 2]
    with pytest.raises(UnknownIdError):
        recommend_circles(model, people, POLICY, "nobody")
    for wrong in ({"k": 0}, {"least_members": 1}):
        with pytest.raises(SettingsError):
            recommend_circles(model, people, POLICY, **wrong)  # type: ignore[arg-type]
