"""From candidates to lists for everybody together: who takes part, what is checked again."""

from dataclasses import replace

import numpy as np
import pytest

from recsys.allocation.config import AllocationConfig
from recsys.catalogue.columns import Columns as C
from recsys.constraints.policy import Policy
from recsys.ranking.allocated_lists import allocated_lists, mutual_candidate_graph
from recsys.ranking.recommend import Recommender
from recsys.testing.people import make_listed_people, random_relations
from tests.ranking.test_recommend import Drawn

CONFIG = AllocationConfig(k=5, steps=10, minimum_exposure=True, budget=2.0)


@pytest.fixture(scope="module")
def recommender() -> Recommender:
    rng = np.random.default_rng(11)
    shy = {C.DISCRETION: ["liked_only" if r % 4 == 0 else "open" for r in range(60)]}
    people = make_listed_people(60, rng, **shy).with_relations(random_relations(60, rng))
    return Recommender(people, Policy.default(), Drawn().directed(people))


def chosen(recommender: Recommender, **changes):
    pool, _ = recommender.pairs(None, k=12)
    graph = mutual_candidate_graph(
        [pool], recommender.compiled, recommender.likes, changes.get("full", np.zeros(60, bool))
    )
    return allocated_lists(recommender, graph, CONFIG, rng=np.random.default_rng(1), **changes)


def test_every_list_obeys_the_plain_rules(recommender: Recommender) -> None:
    found = chosen(recommender)
    assert len(found.pairs) > 100
    assert found.dropped == 0
    assert recommender.policy.may_show(recommender.people, found.pairs.viewer, found.pairs.candidate).all()
    assert found.pairs.rank().max() == 5


def test_everybody_with_a_way_to_them_is_shown(recommender: Recommender) -> None:
    found = chosen(recommender)
    reachable = set(found.graph.candidate.tolist())
    assert set(found.pairs.candidate.tolist()) == reachable
    assert found.pairs.propensity is not None
    assert found.pairs.propensity.min() < 1.0 or len(found.allocation.unplaced) == 0


def test_the_way_back_is_added_where_it_may_be_shown(recommender: Recommender) -> None:
    pool, _ = recommender.pairs(None, k=3)
    graph = mutual_candidate_graph([pool], recommender.compiled, recommender.likes, np.zeros(60, bool))
    there = set(zip(pool.viewer.tolist(), pool.candidate.tolist(), strict=True))
    edges = {
        pair: (p, q)
        for *pair_, p, q in zip(
            graph.viewer.tolist(), graph.candidate.tolist(), graph.p, graph.q, strict=True
        )
        for pair in [tuple(pair_)]
    }
    added = set(edges) - there
    assert there <= set(edges)
    assert added
    assert {(j, i) for i, j in added} <= there
    for i, j in added:
        assert edges[i, j] == edges[j, i][::-1]
    back = np.array([(j, i) for i, j in there if (j, i) not in there])
    allowed = recommender.policy.may_show(recommender.people, back[:, 0], back[:, 1])
    liked = set(map(tuple, recommender.people.relations.liked.tolist()))
    again = np.array([(int(i), int(j)) in liked for i, j in back])
    assert (allowed & again).any()
    allowed &= ~again
    assert allowed.sum() == len(added) < len(back)


def test_full_lives_leave_both_sides(recommender: Recommender) -> None:
    full = np.arange(60) % 3 == 0
    found = chosen(recommender, full=full)
    assert not full[found.pairs.viewer].any()
    assert not full[found.pairs.candidate].any()
    assert (found.prices[full] == 1.0).all()
    assert (found.prices[~full] >= 0.0).all()


def test_what_the_masks_let_through_the_plain_rules_take_out(recommender: Recommender) -> None:
    pool, _ = recommender.pairs(None, k=12)
    unsearched = Recommender(recommender.people, recommender.policy)
    i, j = int(pool.viewer[0]), int(pool.candidate[0])
    forged = replace(pool, viewer=pool.viewer.copy(), candidate=pool.candidate.copy())
    stranger = next(
        c
        for c in range(60)
        if c != i and not recommender.policy.may_show(recommender.people, np.array([i]), np.array([c]))[0]
    )
    forged.candidate[(pool.viewer == i) & (pool.candidate == j)] = stranger
    forged.p_like[(pool.viewer == i) & (forged.candidate == stranger)] = 1.0
    forged.p_liked_back[(pool.viewer == i) & (forged.candidate == stranger)] = 1.0
    graph = mutual_candidate_graph([forged], unsearched.compiled, unsearched.likes, np.zeros(60, bool))
    found = allocated_lists(unsearched, graph, CONFIG, rng=np.random.default_rng(1))
    assert found.dropped >= 1
    assert (i, stranger) not in set(zip(found.pairs.viewer, found.pairs.candidate, strict=True))
    ranks = found.pairs.rank()[found.pairs.viewer == i]
    assert ranks.tolist() == list(range(1, len(ranks) + 1))


def test_a_pool_in_pieces_by_several_threads_is_the_same_graph(recommender: Recommender) -> None:
    pool, _ = recommender.pairs(None, k=6)
    out = np.arange(60) % 7 == 0
    whole = mutual_candidate_graph([pool], recommender.compiled, recommender.likes, out)
    pieces = [pool.filtered(pool.viewer % 60 // 9 == part) for part in range(7)]
    again = mutual_candidate_graph(pieces, recommender.compiled, recommender.likes, out, workers=3)
    for name in ("indptr", "candidate", "p", "q"):
        assert getattr(again, name).tobytes() == getattr(whole, name).tobytes()
    assert not out[whole.viewer].any()
    assert not out[whole.candidate].any()
