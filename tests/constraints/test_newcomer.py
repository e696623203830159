"""One more person, held against a policy compiled without them: exactly the plain rules."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.catalogue.columns import Columns as C
from recsys.constraints.cold_start import Plan
from recsys.constraints.policy import Policy
from recsys.data.exclusions import Relations
from recsys.data.population import Population
from recsys.errors import InputError
from tests.people import make_listed_people, make_people


def planned(policy: Policy, people: Population, newcomer: int) -> tuple[np.ndarray, np.ndarray, bool]:
    """Return who may be shown by the plan and by the plain rules, and whether the two must agree.

    They need not where only the newcomer insists on a question, or gives an answer to one.
    """
    everybody = replace(people, relations=Relations.none(len(people)))
    others = np.delete(np.arange(len(people)), newcomer)
    rest, one = everybody.take(others), everybody.take([newcomer])
    plan = Plan.of(policy, rest, policy.compile(rest))
    plan = Plan.from_arrays(plan.arrays(), plan.answers_seen)
    plain = policy.may_show(everybody, np.full(len(others), newcomer), others)
    said = one.long.answers
    public = said[said[C.VISIBILITY] == "public"]
    answers = zip(public[C.QUESTION], public[C.ANSWER], strict=True)
    unseen = any(q in plan.answers_seen and answer not in plan.answers_seen[q] for q, answer in answers)
    return plan.may_show(policy, one), plain, not plan.unseen_questions(one) and not unseen


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), listed=st.booleans(), same_employer=st.booleans())
def test_the_plan_says_what_the_plain_rules_say(seed: int, listed: bool, same_employer: bool) -> None:
    rng, policy = np.random.default_rng(seed), Policy.default(same_employer=same_employer)
    people = make_listed_people(14, rng) if listed else make_people(20, rng, unknown=0.02)
    for newcomer in rng.choice(len(people), 4, replace=False):
        found, plain, agree = planned(policy, people, int(newcomer))
        if agree:
            assert found.tolist() == plain.tolist()


def test_a_newcomer_is_one_person() -> None:
    people, policy = make_listed_people(4, np.random.default_rng(1)), Policy.default()
    plan = Plan.of(policy, people, policy.compile(people))
    with pytest.raises(InputError):
        plan.may_show(policy, people)


def test_some_newcomers_see_somebody_and_some_cells_are_new() -> None:
    people, policy = make_listed_people(12, np.random.default_rng(5)), Policy.default()
    seen = [planned(policy, people, row)[0].sum() for row in range(12)]
    assert max(seen) > 5
    cells = {C.CELL: ["862f5a367ffffff"] * 11 + ["862e6105fffffff"], C.MAX_DISTANCE_KM: 10}
    moved = make_listed_people(12, np.random.default_rng(5), **cells)
    found, plain, _ = planned(policy, moved, 11)
    assert (found == plain).all()
