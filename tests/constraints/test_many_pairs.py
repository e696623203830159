from dataclasses import replace

import numpy as np
import pytest

from recsys.constraints import many_pairs
from recsys.constraints.many_pairs import may_show_each
from recsys.constraints.policy import Policy
from recsys.schema.population import Population
from recsys.schema.relations import Relations
from tests.people import make_listed_people


def two_accounts_each(people: Population) -> Population:
    """Everybody has a second account, and the first ones of some are kept apart."""
    n = len(people) // 2
    tokens = np.array([f"t{row % n}" for row in range(len(people))], dtype=object)
    pairs = np.array([(row, row + 1) for row in range(0, n - 1, 3)])
    apart = Relations.of(len(people), separated=pairs, reason=np.zeros(len(pairs), np.int8))
    return replace(people, person_tokens=tokens, relations=apart)


@pytest.mark.parametrize("at_once", [7, 10_000])
def test_pairs_asked_few_at_a_time_are_answered_as_all_at_once(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = two_accounts_each(make_listed_people(40, np.random.default_rng(0)))
    policy = Policy.default()
    viewer, candidate = (side.ravel().astype(np.int32) for side in np.mgrid[0:40, 0:40])
    other = viewer != candidate
    viewer, candidate = viewer[other], candidate[other]
    monkeypatch.setattr(many_pairs, "_PAIRS_AT_ONCE", at_once)
    found = may_show_each(policy, people, viewer, candidate)
    assert found.tolist() == policy.may_show(people, viewer, candidate).tolist()
    assert 0 < found.sum() < len(found)


def test_a_separation_of_an_account_that_no_pair_names_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    people = two_accounts_each(make_listed_people(40, np.random.default_rng(0)))
    second = np.array([20, 22], np.int32), np.array([21, 24], np.int32)
    alone = Relations.none(len(people))
    policy = Policy.default()
    assert may_show_each(policy, replace(people, relations=alone), *second).tolist() == [True, True]
    assert may_show_each(policy, people, *second).tolist() == [False, True]


def test_no_pairs_are_no_answers() -> None:
    nobody = np.zeros(0, np.int32)
    assert (
        may_show_each(
            Policy.default(), make_listed_people(4, np.random.default_rng(0)), nobody, nobody
        ).tolist()
        == []
    )
