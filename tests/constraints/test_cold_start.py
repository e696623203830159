"""One more person, held against a policy compiled without them: exactly the plain rules."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.catalogue.columns import Columns as C
from recsys.constraints.cold_start import ColdStartVocabulary
from recsys.constraints.compiled import Compiled
from recsys.constraints.policy import Policy
from recsys.data.exclusions import Relations
from recsys.data.ids import IdIndex
from recsys.data.population import Population
from recsys.errors import InputError
from recsys.models.directed import Directed
from recsys.retrieval.external_query import ExternalQuery
from recsys.retrieval.index import build_index
from recsys.storage.dataclass_codec import dataclass_from_arrays, dataclass_to_arrays
from recsys.testing.changed_people import with_one_account_each
from recsys.testing.people import make_listed_people, make_people


def both_answers(policy: Policy, people: Population, newcomer: int) -> tuple[np.ndarray, np.ndarray, bool]:
    """Return who may be shown by the kernel and by the plain rules, and whether the two must agree.

    They need not where only the newcomer insists on a question, or gives an answer to one.
    """
    everybody = replace(people, relations=Relations.none(len(people)))
    others = np.delete(np.arange(len(people)), newcomer)
    rest, one = everybody.take(others), everybody.take([newcomer])
    compiled = policy.compile(rest)
    vocabulary = ColdStartVocabulary.of(policy, rest, compiled)
    vocabulary = dataclass_from_arrays(ColdStartVocabulary, *dataclass_to_arrays(vocabulary))
    plain = policy.may_show(everybody, np.full(len(others), newcomer), others)
    said = one.long.answers
    public = said[said[C.VISIBILITY] == "public"]
    answers = zip(public[C.QUESTION], public[C.ANSWER], strict=True)
    unseen = any(q in vocabulary.answers and answer not in vocabulary.answers[q] for q, answer in answers)
    found = shown(compiled, vocabulary.compile(policy, one))
    found[vocabulary.rows_met_by_token(policy, one)] = False
    return found, plain, not vocabulary.unseen_questions(one) and not unseen


def shown(compiled: Compiled, newcomer: Compiled) -> np.ndarray:
    """Return who may be shown to a newcomer by the mask kernel, `(n_people,)` bool."""
    n = compiled.n_people
    ones = Directed.of(
        IdIndex([f"u{row:03d}" for row in range(n)]), taste=np.ones((n, 1)), appeal=np.ones((n, 1))
    )
    index = build_index(ones, compiled, 8)
    query = ExternalQuery.of(index, newcomer, taste=[1.0], appeal=[1.0])
    return query.may_show(index, np.arange(n))


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), listed=st.booleans(), same_employer=st.booleans())
def test_a_newcomer_compiled_against_the_vocabulary_sees_what_the_plain_rules_allow(
    seed: int, listed: bool, same_employer: bool
) -> None:
    rng, policy = np.random.default_rng(seed), Policy.default(same_employer=same_employer)
    people = make_listed_people(14, rng) if listed else make_people(20, rng, unknown=0.02)
    people = with_one_account_each(people)  # which of several takes part is the night's to say
    for newcomer in rng.choice(len(people), 4, replace=False):
        found, plain, agree = both_answers(policy, people, int(newcomer))
        if agree:
            assert found.tolist() == plain.tolist()


def test_a_newcomer_is_one_person() -> None:
    people, policy = make_listed_people(4, np.random.default_rng(1)), Policy.default()
    vocabulary = ColdStartVocabulary.of(policy, people, policy.compile(people))
    with pytest.raises(InputError):
        vocabulary.compile(policy, people)


def test_some_newcomers_see_somebody_and_some_cells_are_new() -> None:
    people, policy = make_listed_people(12, np.random.default_rng(5)), Policy.default()
    seen = [both_answers(policy, people, row)[0].sum() for row in range(12)]
    assert max(seen) > 5
    cells = {C.CELL: ["862f5a367ffffff"] * 11 + ["862e6105fffffff"], C.MAX_DISTANCE_KM: 10}
    moved = make_listed_people(12, np.random.default_rng(5), **cells)
    found, plain, _ = both_answers(policy, moved, 11)
    assert (found == plain).all()
