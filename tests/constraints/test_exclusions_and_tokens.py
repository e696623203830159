"""What already stands between two people: answers insisted on, separations, tokens, one person."""

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.catalogue.columns import Columns as C
from recsys.constraints import Policy
from recsys.constraints.exclusions_and_tokens import Exclusions, SamePerson, Tokens
from recsys.constraints.mandatory_answers import MandatoryAnswers
from recsys.constraints.why_not import constraint_text
from recsys.data.exclusions import EXCLUSION_REASONS
from recsys.data.population import Population
from recsys.testing.changed_people import separated, with_rows
from recsys.testing.constraint_contract import ConstraintContract, a_few, seeds, table_of, two_people
from recsys.testing.people import make_listed_people
from recsys.types import BoolArray


def _answer(row: int, answer: str, accepted: tuple[str, ...] | None = None, **more: Any) -> dict[str, Any]:
    insists = accepted is not None
    return {
        C.ROW: row,
        C.QUESTION: "q1",
        C.ANSWER: answer,
        C.ACCEPTED: accepted or (),
        C.IMPORTANCE: 10,
        C.MANDATORY: insists,
        C.VISIBILITY: "public",
    } | more


def _token(row: int, namespace: str, kind: str, value: str) -> dict[str, Any]:
    return {C.ROW: row, C.NAMESPACE: namespace, C.KIND: kind, C.HMAC: f"hmac1:{value}"}


def _allowed(policy: Policy, people: Population) -> bool:
    """Return the one answer that plain and compiled, both ways and as a block, must agree on."""
    compiled = policy.compile(people)
    answers = {
        bool(answer)
        for answer in (
            *policy.may_meet(people, [0, 1], [1, 0]),
            *compiled.may_meet([0, 1], [1, 0]),
            compiled.may_meet_block([0], [1])[0, 0],
            compiled.may_meet_block([1], [0])[0, 0],
        )
    }
    assert len(answers) == 1
    return answers.pop()


def _insists_on_everything(people: Population, row: int) -> Population:
    others = people.long.answers.to_dict("records")
    wish = _answer(row, "yes", ("nobody says this",)) | {C.QUESTION: "asked by one"}
    return with_rows(people, "answers", [*others, wish])


class TestMandatoryAnswers(ConstraintContract):
    constraint = MandatoryAnswers()
    tighter = (_insists_on_everything,)

    @pytest.mark.parametrize(
        ("rows", "allowed"),
        [
            ([], True),
            ([_answer(0, "no"), _answer(1, "yes")], True),
            ([_answer(0, "no", ("yes",)), _answer(1, "yes")], True),
            ([_answer(0, "no", ("yes",)), _answer(1, "no")], False),
            ([_answer(0, "no", ("yes", "no")), _answer(1, "no")], True),
            ([_answer(0, "no", ("yes",))], False),
            ([_answer(0, "no", ("yes",)), _answer(1, "yes", visibility="match_only")], False),
            ([_answer(0, "no", ("yes",)), _answer(1, "yes", ("no",))], True),
            ([_answer(0, "no", ("yes",)), _answer(1, "yes", ("yes",))], False),
            ([_answer(0, "no", ()), _answer(1, "yes")], False),
            ([_answer(0, "no", ("yes",)), _answer(1, "yes", question_id="q2")], False),
        ],
    )
    def test_worked_by_hand(self, rows: list[dict[str, Any]], allowed: bool) -> None:
        assert _allowed(self.policy, with_rows(two_people({}, {}), "answers", rows)) == allowed


class TestApart(ConstraintContract):
    constraint = Exclusions()
    tighter = (lambda people, row: separated(people, row, (row + 1) % len(people)),)

    @pytest.mark.parametrize("why", EXCLUSION_REASONS)
    def test_every_reason_separates(self, why: str) -> None:
        people = two_people({}, {})
        assert _allowed(self.policy, people)
        apart = separated(people, 1, 0, why)
        assert not _allowed(self.policy, apart)
        (told,) = (one for one in self.policy.why_not(apart, 0, 1) if one.constraint == "separations")
        common = constraint_text("separations")  # only that they are matched is said by itself
        assert told.text == (constraint_text("matched") if why == "matched" else common)

    def test_a_new_account_of_one_person_stays_separated(self) -> None:
        people = make_listed_people(4, np.random.default_rng(0))
        tokens = np.array(["hmac1:a", None, None, "hmac1:a"], dtype=object)
        people = separated(replace(people, person_tokens=tokens), 0, 1)
        answers = self.policy.may_meet(people, [0, 3, 3, 2], [1, 1, 2, 1])
        assert answers.tolist() == [False, False, True, True]
        assert self.policy.compile(people).may_meet([0, 3, 3, 2], [1, 1, 2, 1]).tolist() == answers.tolist()


class TestTokens(ConstraintContract):
    constraint = Tokens()
    tighter = (
        lambda people, row: with_rows(
            people,
            "tokens",
            [
                *people.long.tokens.to_dict("records"),
                _token(row, "phone", "exclude", "p"),
                _token((row + 1) % len(people), "phone", "self", "p"),
            ],
        ),
    )

    cases_by_hand = (
        ([], True, True),
        ([("phone", "self", "a"), ("phone", "self", "b")], True, True),
        ([("phone", "self", "a"), ("phone", "self", "a")], False, False),
        ([("phone", "self", "a"), ("phone", "exclude", "a")], False, False),
        ([("phone", "exclude", "a"), ("phone", "exclude", "a")], True, True),
        ([("phone", "self", "a"), ("email", "exclude", "a")], True, True),
        ([("employer", "self", "a"), ("employer", "self", "a")], False, True),
        ([("employer", "self", "a"), ("employer", "exclude", "a")], False, False),
        ([("employer", "exclude", "a"), ("employer", "exclude", "a")], True, True),
    )

    @pytest.mark.parametrize(("pair", "by_default", "colleagues_may"), cases_by_hand)
    def test_worked_by_hand(
        self, pair: list[tuple[str, str, str]], by_default: bool, colleagues_may: bool
    ) -> None:
        rows = [_token(row, *token) for row, token in enumerate(pair)]
        people = with_rows(two_people({}, {}), "tokens", rows)
        assert _allowed(self.policy, people) == by_default
        assert _allowed(Policy((Tokens(same_employer=False),)), people) == colleagues_may


class TestTokensWithColleagues(ConstraintContract):
    constraint = Tokens(same_employer=False)
    tighter = TestTokens.tighter


def _same_as_next(people: Population, row: int) -> Population:
    tokens, both = people.person_tokens.copy(), [row, (row + 1) % len(people)]
    known = [token for token in tokens[both] if token is not None]
    if len(known) < 2:
        tokens[both] = known[0] if known else "hmac1:same"
    return replace(people, person_tokens=tokens)


class TestSamePerson(ConstraintContract):
    constraint = SamePerson()
    cases = (
        ({"person_token": "hmac1:a"}, {"person_token": "hmac1:b"}, True),
        ({"person_token": "hmac1:a"}, {"person_token": "hmac1:a"}, False),
        ({"person_token": None}, {"person_token": None}, True),
        ({"person_token": "hmac1:a"}, {"person_token": None}, True),
    )
    tighter = (_same_as_next,)

    def test_nobody_meets_themself_under_any_policy(self) -> None:
        people = make_listed_people(3, np.random.default_rng(0))
        for policy in (self.policy, Policy(())):
            compiled = policy.compile(people)
            assert not policy.may_meet(people, [0, 1], [0, 1]).any()
            assert not compiled.may_meet([0, 1], [0, 1]).any()
            assert not compiled.may_meet_block([0, 1, 2], [0, 1, 2]).diagonal().any()

    @a_few
    @given(seeds)
    def test_one_account_of_a_person_takes_part(self, seed: int) -> None:
        """Planted and seen caught: every account listed, and the choice by id alone."""
        rng = np.random.default_rng(seed)
        people = make_listed_people(12, rng, activity=rng.choice(["today", "week", "month"], 12).tolist())
        tokens = np.array([f"hmac1:{at}" for at in rng.integers(0, 4, 12)], object)
        people = replace(people, person_tokens=tokens)
        listed = self.policy.compile(people).listed
        seen = people.codes("activity")
        for token in set(tokens):
            rows = np.flatnonzero(tokens == token)
            latest = rows[seen[rows] == seen[rows].min()]
            assert np.flatnonzero(listed & (tokens == token)).tolist() == [latest.min()]
        assert np.array_equal(table_of(self.policy, people).any(axis=0), listed & (len(set(tokens)) > 1))

    @a_few
    @given(seeds, st.sampled_from(["age", "id"]))
    def test_who_may_be_listed_under_one_account_is_not_missing_for_another(
        self, seed: int, verification: str
    ) -> None:
        """Seen to fail for every column: an account that lacked one took part, and nobody was listed."""
        rng = np.random.default_rng(seed)
        people = make_listed_people(40, rng)
        for at in rng.choice(len(_LACKS), len(_LACKS), replace=False):
            gone = rng.random(40) < 0.03
            people = _LACKS[at](people, gone)
        people = replace(people, person_tokens=np.array([f"hmac1:{at // 2}" for at in range(40)], object))
        policy = Policy.default(verification=verification)
        alone = policy.without("same_person").compile(people).listed.reshape(20, 2)
        listed = policy.compile(people).listed.reshape(20, 2)
        assert (alone.any(axis=1) & ~alone.all(axis=1)).any()
        assert np.array_equal(listed.sum(axis=1), alone.any(axis=1))
        assert not (listed & ~alone).any()


def _without(column: str) -> Callable[[Population, BoolArray], Population]:
    def lacks(people: Population, gone: BoolArray) -> Population:
        if column in people.coded:
            codes = np.where(gone, -1, people.coded[column].codes).astype(np.int8)
            coded = {**people.coded, column: replace(people.coded[column], codes=codes)}
            return replace(people, coded=MappingProxyType(coded))
        if column in people.counted:
            counted = {**people.counted, column: np.where(gone, -1, people.counted[column])}
            return replace(people, counted=MappingProxyType(counted))
        told = people.coded_sets[column]
        bits = np.where(gone[:, None], 0, told.bits).astype(np.uint64)
        sets = {**people.coded_sets, column: replace(told, bits=bits, known=told.known & ~gone)}
        return replace(people, coded_sets=MappingProxyType(sets))

    return lacks


def _said(column: str, word: str) -> Callable[[Population, BoolArray], Population]:
    def says(people: Population, gone: BoolArray) -> Population:
        told = people.coded[column]
        codes = np.where(gone, told.words.index(word), told.codes).astype(np.int8)
        return replace(people, coded=MappingProxyType({**people.coded, column: replace(told, codes=codes)}))

    return says


_SOMEBODY = make_listed_people(2, np.random.default_rng(0))
_LACKS: Final = (
    *map(_without, (*_SOMEBODY.coded, *_SOMEBODY.coded_sets, *_SOMEBODY.counted)),
    _said("verification", "none"),
    _said("verification", "age"),
    _said("activity", "dormant"),
    _said("account_state", "paused"),
    lambda people, gone: replace(people, cells=np.where(gone, 0, people.cells).astype(np.uint64)),
    lambda people, gone: replace(people, zones=np.where(gone, None, people.zones)),
    lambda people, gone: replace(
        people, relations=replace(people.relations, accepted=people.relations.accepted & ~gone)
    ),
)
