"""Lists for people: shape, order, the second check and the reasons."""

from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd
import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.catalogue.columns import Columns as C
from recsys.constraints.compiled import Compiled
from recsys.constraints.policy import Policy
from recsys.data.exclusions import Relations
from recsys.data.labels import LABEL
from recsys.data.population import Population
from recsys.errors import InputError, SettingsError, UnknownIdError
from recsys.evaluation.protocol import ORDER, RANKING_PROBABILITY
from recsys.messaging.reasons import Reasons
from recsys.models.directed import Directed
from recsys.models.distance_decay import DistanceDecay
from recsys.models.reciprocal import combine
from recsys.ranking.recommend import DROPPED, Recommender, recommend
from recsys.testing.people import make_listed_people, make_people, populations, random_relations
from recsys.types import Float64Array

COLUMNS = [C.VIEWER, C.CANDIDATE, C.RANK, C.P_LIKE, C.P_LIKED_BACK, C.P_MUTUAL, C.SCORE, C.REASONS]


class Drawn:
    """Matrices drawn at random from the ids, so that they do not depend on who else is there."""

    def directed(self, people: Population) -> Directed:
        rows = [
            np.random.default_rng(list(user.encode())).normal(size=12)
            for user in people.ids.ids(np.arange(len(people)))
        ]
        factors = np.array(rows).reshape(len(people), 12)
        near = DistanceDecay(0.5, 20.0)
        return Directed.of(
            people.ids, taste=factors[:, :6], appeal=factors[:, 6:], distance_decay=near, cell=people.cells
        )


@pytest.fixture(scope="module")
def town() -> Population:
    rng = np.random.default_rng(11)
    easy = make_listed_people(
        60, rng, **{C.DISCRETION: ["liked_only" if r % 4 == 0 else "open" for r in range(60)]}
    )
    return easy.with_relations(random_relations(60, rng))


@pytest.fixture(scope="module")
def lists(town: Population) -> pd.DataFrame:
    return recommend(Drawn(), town, Policy.default(), k=7)


def test_columns_and_types(lists: pd.DataFrame) -> None:
    assert list(lists.columns) == COLUMNS
    assert len(lists) > 200
    assert lists[C.VIEWER].dtype == lists[C.CANDIDATE].dtype == "str"
    assert lists[C.RANK].dtype == "int32"
    assert lists[C.P_LIKE].dtype == lists[C.P_LIKED_BACK].dtype == "float32"
    assert lists.attrs == {DROPPED: 0, RANKING_PROBABILITY: C.P_MUTUAL, ORDER: "mutual"}
    assert lists[C.SCORE].equals(lists[C.P_MUTUAL])
    assert all(isinstance(found, list) and len(found) <= 3 for found in lists[C.REASONS])


@pytest.mark.parametrize("settings", [{"by": "p_like"}, {"by": "p_answer"}, {"combiner": "harmonic"}])
def test_a_list_falls_by_its_score(town: Population, settings: dict[str, str]) -> None:
    found = recommend(Drawn(), town, Policy.default(), k=5, **settings)
    assert found.groupby(C.VIEWER)[C.SCORE].diff().max() <= 1e-9
    if settings == {"by": "p_like"}:
        np.testing.assert_allclose(found[C.SCORE], found[C.P_LIKE], rtol=1e-6)


def test_ranks_run_from_one_without_self_repeats_or_padding(lists: pd.DataFrame) -> None:
    assert (lists[C.VIEWER] != lists[C.CANDIDATE]).all()
    assert not lists.duplicated([C.VIEWER, C.CANDIDATE]).any()
    for _, found in lists.groupby(C.VIEWER):
        assert found[C.RANK].tolist() == list(range(1, len(found) + 1))
        assert len(found) <= 7
        assert found[C.P_MUTUAL].is_monotonic_decreasing
    assert lists[C.CANDIDATE].notna().all()


@settings(deadline=None, max_examples=25)
@given(
    people=populations(max_size=20), k=st.integers(1, 25), how=st.sampled_from(["product", "min", "harmonic"])
)
def test_equals_the_plain_definition(people: Population, k: int, how: str) -> None:
    policy = Policy.default()
    found = recommend(Drawn(), people, policy, k=k, combiner=how)
    n = len(people)
    i, j = (index.ravel() for index in np.indices((n, n)))
    liked = {(a, b) for a, b in people.relations.liked.tolist()}
    again = np.array([pair in liked for pair in zip(i.tolist(), j.tolist(), strict=True)], bool)
    may = policy.may_show(people, i, j) & ~again
    i, j = i[may], j[may]
    directed = Drawn().directed(people)
    p, q = directed.probabilities(i, j), directed.probabilities(j, i)
    plain = pd.DataFrame({"i": i, "j": j, "s": combine(p, q, how)})
    plain = plain.sort_values(["i", "s", "j"], ascending=[True, False, True]).groupby("i").head(k)
    expected = list(zip(people.ids.ids(plain["i"]), people.ids.ids(plain["j"]), strict=True))
    assert list(zip(found[C.VIEWER], found[C.CANDIDATE], strict=True)) == expected
    np.testing.assert_allclose(found[C.P_MUTUAL], plain["s"], rtol=1e-6)
    assert found[C.REASONS].tolist() == Reasons.of(people).codes(plain["i"], plain["j"])


def test_nobody_is_offered_whom_they_liked_already_and_the_other_may_still_answer() -> None:
    people = make_listed_people(6, np.random.default_rng(0))
    before = recommend(Drawn(), people, Policy.default())
    first = before.iloc[0]
    viewer, candidate = people.ids.rows([first[C.VIEWER], first[C.CANDIDATE]])
    people = people.with_relations(Relations.of(6, liked=[[viewer, candidate]]))
    after = recommend(Drawn(), people, Policy.default())
    pairs = set(zip(after[C.VIEWER], after[C.CANDIDATE], strict=True))
    assert (first[C.VIEWER], first[C.CANDIDATE]) not in pairs
    assert (first[C.CANDIDATE], first[C.VIEWER]) in pairs
    assert len(after) == len(before) - 1
    more = pd.DataFrame({C.VIEWER: [first[C.CANDIDATE]], C.CANDIDATE: [first[C.VIEWER]]})
    assert len(recommend(Drawn(), people, Policy.default(), exclude=more)) == len(before) - 2


def test_viewers_come_in_the_order_asked_for(town: Population, lists: pd.DataFrame) -> None:
    some = recommend(Drawn(), town, Policy.default(), viewers=["u00031", "u00002"], k=7)
    assert some[C.VIEWER].unique().tolist() == ["u00031", "u00002"]
    for viewer, found in some.groupby(C.VIEWER):
        same = lists[lists[C.VIEWER] == viewer].reset_index(drop=True)
        pd.testing.assert_frame_equal(found.reset_index(drop=True), same)
    one = recommend(Drawn(), town, Policy.default(), viewers="u00031", k=7)
    assert one[C.VIEWER].unique().tolist() == ["u00031"]


def test_workers_change_nothing(town: Population, lists: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(recommend(Drawn(), town, Policy.default(), k=7, workers=3), lists)


def test_who_is_not_listed_has_no_rows() -> None:
    people = make_listed_people(8, np.random.default_rng(0), **{C.ACCOUNT_STATE: ["hold"] + ["active"] * 7})
    held = str(people.ids.ids([0])[0])
    assert recommend(Drawn(), people, Policy.default(), viewers=[held]).empty
    everybody = recommend(Drawn(), people, Policy.default())
    assert len(everybody) > 10
    assert held not in set(everybody[C.VIEWER]) | set(everybody[C.CANDIDATE])


@pytest.mark.parametrize("n", [0, 1, 2])
def test_hardly_anybody(n: int) -> None:
    people = make_listed_people(n, np.random.default_rng(0))
    i, j = (index.ravel() for index in np.indices((n, n)))
    found = recommend(Drawn(), people, Policy.default())
    assert list(found.columns) == COLUMNS
    assert len(found) == Policy.default().may_show(people, i, j).sum() == n * (n - 1)
    assert found.attrs[DROPPED] == 0


def test_unknown_and_repeated_viewers(town: Population) -> None:
    with pytest.raises(UnknownIdError, match="u00O31"):
        recommend(Drawn(), town, Policy.default(), viewers=["u00001", "u00O31"])
    with pytest.raises(InputError, match="twice"):
        recommend(Drawn(), town, Policy.default(), viewers=["u00001", "u00001"])
    with pytest.raises(SettingsError):
        recommend(Drawn(), town, Policy.default(), k=0)


def test_a_model_of_other_people(town: Population) -> None:
    class Other(Drawn):
        def directed(self, people: Population) -> Directed:
            return super().directed(make_people(len(people) - 1, np.random.default_rng(0)))

    with pytest.raises(InputError, match="other people"):
        recommend(Other(), town, Policy.default())


class Forgetful(Policy):
    """A policy whose compiled form forgot the separations: the bug the second check is for."""

    def compile(self, people: Population) -> Compiled:
        right = super().compile(people)
        return replace(
            right,
            separated_indptr=np.zeros(len(people) + 1, np.int64),
            separated_indices=np.zeros(0, np.int32),
        )


@pytest.mark.parametrize("check_each", [2, 7])
def test_a_sample_of_the_second_check_asks_for_the_whole(town: Population, check_each: int) -> None:
    policy = Forgetful(Policy.default().constraints)
    directed = Drawn().directed(town)
    everything, dropped = Recommender(town, policy, directed).pairs(None, k=60)
    with structlog.testing.capture_logs() as logs:
        sampled, found = Recommender(town, policy, directed).pairs(None, k=60, check_each=check_each)
    assert found == dropped > 0
    assert [entry["log_level"] for entry in logs] == ["warning"] * 2
    np.testing.assert_array_equal(sampled.candidate, everything.candidate)
    right, none = Recommender(town, Policy.default(), directed).pairs(None, k=60, check_each=check_each)
    assert none == 0
    np.testing.assert_array_equal(right.candidate, everything.candidate)


def test_the_second_check_catches_a_broken_mask(town: Population, lists: pd.DataFrame) -> None:
    policy = Forgetful(Policy.default().constraints)
    with structlog.testing.capture_logs() as logs:
        found = recommend(Drawn(), town, policy, k=60)
    dropped = found.attrs[DROPPED]
    assert dropped > 0
    assert [(entry["log_level"], entry["pairs"]) for entry in logs] == [("warning", dropped)]
    assert logs[0]["constraints"] == ["separations"]
    found.attrs[DROPPED] = 0
    pd.testing.assert_frame_equal(found, recommend(Drawn(), town, Policy.default(), k=60))
    viewers, candidates = town.ids.rows(found[C.VIEWER]), town.ids.rows(found[C.CANDIDATE])
    assert Policy.default().may_show(town, viewers, candidates).all()
    for _, rows in found.groupby(C.VIEWER):
        assert rows[C.RANK].tolist() == list(range(1, len(rows) + 1))


def test_the_second_check_runs_in_parts(
    town: Population, lists: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recsys.constraints.policy._PAIRS_AT_ONCE", 17)
    pd.testing.assert_frame_equal(recommend(Drawn(), town, Policy.default(), k=7), lists)


def test_people_are_not_changed(town: Population) -> None:
    before = {name: getattr(town.long, name).copy() for name in town.long.__dataclass_fields__}
    cells, separated = town.cells.copy(), town.relations.excluded.copy()
    recommend(Drawn(), town, Policy.default(), k=3)
    for name, table in before.items():
        pd.testing.assert_frame_equal(getattr(town.long, name), table)
    assert np.array_equal(town.cells, cells)
    assert np.array_equal(town.relations.excluded, separated)


def test_nothing_is_printed_without_progress(town: Population, capfd: pytest.CaptureFixture[str]) -> None:
    recommend(Drawn(), town, Policy.default(), k=2)
    assert capfd.readouterr() == ("", "")
    recommend(Drawn(), town, Policy.default(), k=2, progress=True)
    assert "people" in capfd.readouterr().err


class Answering(Drawn):
    """The same, for whom a like received makes a yes likelier."""

    def p_answer(self, p_like: Float64Array, p_liked_back: Float64Array) -> Float64Array:
        return np.sqrt(p_like) * (0.9 + 0.1 * p_liked_back)


@pytest.mark.parametrize("by", ["mutual", "p_mutual", "like", "p_like"])
@pytest.mark.parametrize("model", [Drawn(), Answering()])
@pytest.mark.parametrize("seed", range(4))
def test_who_likes_the_viewer_stands_by_the_chance_of_an_answer(
    town: Population, model: Drawn, by: Literal["mutual", "p_mutual", "like", "p_like"], seed: int
) -> None:
    """Law: of all pairs that may be shown, the best by what is known."""
    rng, n = np.random.default_rng(seed), len(town)
    i, j = np.divmod(rng.choice(n * n, 200, replace=False), n)
    said = pd.DataFrame(
        {C.VIEWER: town.ids.ids(i), C.CANDIDATE: town.ids.ids(j), LABEL: rng.integers(0, 2, 200)}
    )
    exclude = pd.DataFrame({C.VIEWER: town.ids.ids(j[:40]), C.CANDIDATE: town.ids.ids(i[:40])})
    viewers = None if seed % 2 else town.ids.ids(rng.permutation(n)[:25])
    found = recommend(model, town, Policy.default(), viewers, k=5, by=by, exclude=exclude, known=said)

    everybody = recommend(model, town, Policy.default(), viewers, k=n, by=by, exclude=exclude)
    likes = said.loc[said[LABEL] == 1, [C.CANDIDATE, C.VIEWER]].set_axis([C.VIEWER, C.CANDIDATE], axis=1)
    liked = everybody[[C.VIEWER, C.CANDIDATE]].merge(likes, how="left", indicator=True)["_merge"] == "both"
    p, q = everybody[C.P_LIKE].to_numpy(np.float64), everybody[C.P_LIKED_BACK].to_numpy(np.float64)
    answer = model.p_answer(p, q) if isinstance(model, Answering) else p
    everybody["value"] = np.where(liked, answer, everybody[C.SCORE])
    everybody["place"] = everybody[C.VIEWER].map(
        {one: k for k, one in enumerate(pd.unique(everybody[C.VIEWER]))}
    )
    best = everybody.sort_values(["place", "value"], ascending=[True, False], kind="stable")
    best = best.groupby("place").head(5).reset_index(drop=True)
    assert found[C.VIEWER].tolist() == best[C.VIEWER].tolist()
    np.testing.assert_allclose(found[C.SCORE], best["value"], atol=1e-6)
    assert found[C.CANDIDATE].tolist() == best[C.CANDIDATE].tolist()
    assert found[C.RANK].max() <= 5
    received = found[[C.VIEWER, C.CANDIDATE]].merge(likes, how="left", indicator=True)["_merge"] == "both"
    assert received.any()
    assert (found.loc[received.to_numpy(), C.P_LIKED_BACK] == 1.0).all()
    np.testing.assert_allclose(
        found.loc[received.to_numpy(), C.P_MUTUAL], found.loc[received.to_numpy(), C.SCORE]
    )


def test_likes_received_do_not_count_where_all_are_taken_as_received(town: Population) -> None:
    said = pd.DataFrame({C.VIEWER: town.ids.ids([0]), C.CANDIDATE: town.ids.ids([1]), LABEL: [1]})
    with pytest.raises(SettingsError, match="takes every like as received"):
        recommend(Drawn(), town, Policy.default(), by="p_answer", known=said)
