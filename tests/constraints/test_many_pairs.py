from dataclasses import replace

import numpy as np
import pytest

from recsys.constraints import policy as many_pairs
from recsys.constraints.policy import Policy, may_show_each
from recsys.data.exclusions import Relations
from recsys.data.population import Population
from recsys.testing.people import make_listed_people

PEOPLE = make_listed_people(40, np.random.default_rng(0))


def two_accounts_each(people: Population) -> Population:
    """Everybody has a second account, and the first ones of some are kept apart."""
    n = len(people) // 2
    tokens = np.array([f"t{row % n}" for row in range(len(people))], dtype=object)
    pairs = np.array([(row, row + 1) for row in range(0, n - 1, 3)])
    apart = Relations.of(len(people), excluded=pairs, reason=np.zeros(len(pairs), np.int8))
    return replace(people, person_tokens=tokens, relations=apart)


@pytest.mark.parametrize("at_once", [7, 10_000])
def test_pairs_asked_few_at_a_time_are_answered_as_all_at_once(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = two_accounts_each(PEOPLE)
    policy = Policy.default()
    viewer, candidate = (side.ravel().astype(np.int32) for side in np.mgrid[0:8, 0:40])
    other = viewer != candidate
    viewer, candidate = viewer[other], candidate[other]
    monkeypatch.setattr(many_pairs, "_PAIRS_AT_ONCE", at_once)
    found = may_show_each(policy, people, viewer, candidate)
    assert found.tolist() == policy.may_show(people, viewer, candidate).tolist()
    assert 0 < found.sum() < len(found)


def test_a_separation_of_an_account_that_no_pair_names_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    policy, people = Policy.default(), two_accounts_each(PEOPLE)
    people = replace(people, relations=Relations.none(len(people)))
    i, j = (side.ravel().astype(np.int32) for side in np.mgrid[:20, :20])
    may = np.flatnonzero(policy.may_show(people, i, j))[:2]  # of the accounts that take part
    i, j = i[may], j[may]
    apart = np.array([(i[1] + 20, j[1] + 20)])
    kept_apart = Relations.of(len(people), excluded=apart, reason=np.zeros(1, np.int8))
    assert may_show_each(policy, people, i, j).tolist() == [True, True]
    assert may_show_each(policy, replace(people, relations=kept_apart), i, j).tolist() == [True, False]


def test_no_pairs_are_no_answers() -> None:
    nobody = np.zeros(0, np.int32)
    assert may_show_each(Policy.default(), PEOPLE, nobody, nobody).tolist() == []
