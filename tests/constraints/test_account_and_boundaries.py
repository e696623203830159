"""Gates on a person alone: account, activity, verification, discretion, the stated lines."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.constraints import Policy
from recsys.constraints.account import Account, Activity, Verified
from recsys.constraints.boundaries import FinancialLine, PhysicalLine
from recsys.constraints.profile import Discretion
from recsys.data.exclusions import Relations
from recsys.data.fail_closed import STOPPED
from recsys.data.population import Population
from recsys.errors import SettingsError
from recsys.testing.changed_people import held, with_unknown, with_word
from recsys.testing.constraint_contract import ConstraintContract, two_people
from recsys.testing.people import make_listed_people

STATES = [*ENUMERATIONS[C.ACCOUNT_STATE].words, None]


class TestAccount(ConstraintContract):
    constraint = Account()
    needs = (C.ACCOUNT_STATE,)
    cases = (
        ({C.ACCOUNT_STATE: "active"}, {C.ACCOUNT_STATE: "active"}, True),
        *(
            ({C.ACCOUNT_STATE: "active"}, {C.ACCOUNT_STATE: state}, False)
            for state in ("paused", "hold", "banned", "erasing", None)
        ),
    )
    tighter = (held, lambda people, row: with_word(people, C.ACCOUNT_STATE, row, "paused"))

    def test_a_hold_says_no_both_ways(self) -> None:
        people = held(two_people({}, {}), 1)
        assert not self.policy.may_meet(people, [0, 1], [1, 0]).any()

    @pytest.mark.parametrize("state", [*STOPPED, "active"])
    def test_a_person_stopped_under_one_account_is_stopped_under_all(self, state: str) -> None:
        tokens = ["hmac1:a", "hmac1:a", None]
        people = _accounts(tokens, [state, "active", "active"])
        people = held(people, 0) if state == "active" else people
        assert not self.policy.may_meet(people, [1, 2], [2, 1]).any()
        assert not self.policy.compile(people).may_meet([1, 2], [2, 1]).any()

    @given(
        st.lists(
            st.tuples(st.sampled_from(STATES), st.booleans(), st.sampled_from([None, *"abc"])), min_size=2
        )
    )
    def test_everybody_is_asked_about_by_every_account_of_their_person(
        self, accounts: list[tuple[str | None, bool, str | None]]
    ) -> None:
        """Seen to fail: the state `hold` stopped its own account alone."""
        states, holds, tokens = zip(*accounts, strict=True)
        people = _accounts([token and f"hmac1:{token}" for token in tokens], states)
        people = replace(people, held=np.array(holds))
        out = [one in {"hold", "banned"} or held for one, held, _ in accounts]
        free = [
            states[at] == "active"
            and not any(out[o] for o in range(len(out)) if o == at or (tokens[o] and tokens[o] == tokens[at]))
            for at in range(len(out))
        ]
        assert self.policy.compile(people).listed.tolist() == free
        i, j = (one.ravel() for one in np.triu_indices(len(out), 1))
        meets = np.logical_and(np.array(free)[i], np.array(free)[j])
        assert self.policy.may_meet(people, i, j).tolist() == meets.tolist()


class TestActivity(ConstraintContract):
    constraint = Activity()
    needs = (C.ACTIVITY,)
    cases = (
        ({C.ACTIVITY: "today"}, {C.ACTIVITY: "month"}, True),
        ({C.ACTIVITY: "week"}, {C.ACTIVITY: "dormant"}, False),
        ({C.ACTIVITY: "week"}, {C.ACTIVITY: None}, False),
    )
    tighter = (lambda people, row: with_word(people, C.ACTIVITY, row, "dormant"),)


@pytest.mark.parametrize("tier", ["age", "id"])
def test_from_tier_id_up_an_identity_that_names_no_person_is_not_enough(tier: str) -> None:
    tokens = [None, *(f"hmac1:{number:064x}" for number in range(3))]
    people = make_listed_people(4, np.random.default_rng(1), person_token=tokens)
    policy = Policy((Verified(tier),))
    assert policy.may_meet(people, [0, 1], [1, 2]).tolist() == [tier == "age", True]
    assert policy.compile(people).listed.tolist() == [tier == "age", True, True, True]


class TestVerified(ConstraintContract):
    constraint = Verified()
    needs = (C.VERIFICATION,)
    cases = (
        ({C.VERIFICATION: "age"}, {C.VERIFICATION: "id_liveness"}, True),
        ({C.VERIFICATION: "age"}, {C.VERIFICATION: "none"}, False),
        ({C.VERIFICATION: "age"}, {C.VERIFICATION: None}, False),
    )
    tighter = (lambda people, row: with_word(people, C.VERIFICATION, row, "none"),)

    def test_a_higher_tier_takes_more_away(self) -> None:
        people = two_people({C.VERIFICATION: "age"}, {C.VERIFICATION: "id"})
        assert Policy((Verified("age"),)).may_meet(people, [0], [1])[0]
        assert not Policy((Verified("id"),)).may_meet(people, [0], [1])[0]

    @pytest.mark.parametrize("tier", ["none", "passport"])
    def test_a_tier_that_proves_no_age_is_refused(self, tier: str) -> None:
        with pytest.raises(SettingsError, match="not a tier that proves an age"):
            Verified(tier)


class TestPhysicalLine(ConstraintContract):
    constraint = PhysicalLine()
    needs = (C.PHYSICAL_LINE,)
    cases = (
        ({C.PHYSICAL_LINE: "none"}, {C.PHYSICAL_LINE: "none"}, True),
        ({C.PHYSICAL_LINE: "none"}, {C.PHYSICAL_LINE: None}, False),
    )
    tighter = (lambda people, row: with_unknown(people, C.PHYSICAL_LINE, row),)


class TestFinancialLine(ConstraintContract):
    constraint = FinancialLine()
    needs = (C.FINANCIAL_LINE,)
    cases = (
        ({C.FINANCIAL_LINE: "none"}, {C.FINANCIAL_LINE: "split_bill"}, True),
        ({C.FINANCIAL_LINE: "split_bill"}, {C.FINANCIAL_LINE: None}, False),
    )
    tighter = (lambda people, row: with_unknown(people, C.FINANCIAL_LINE, row),)


class TestDiscretion(ConstraintContract):
    constraint = Discretion()
    needs = (C.DISCRETION,)
    cases = (
        ({C.DISCRETION: "open"}, {C.DISCRETION: "open"}, True),
        ({C.DISCRETION: "open"}, {C.DISCRETION: "liked_only"}, True),
        ({C.DISCRETION: "liked_only"}, {C.DISCRETION: "liked_only"}, True),
        ({C.DISCRETION: "open"}, {C.DISCRETION: None}, False),
    )
    tighter = (lambda people, row: with_unknown(people, C.DISCRETION, row),)

    @pytest.mark.parametrize(
        ("viewer", "candidate", "candidate_liked", "opted_in", "shown"),
        [
            ("open", "open", False, "neither", True),
            ("liked_only", "open", False, "neither", True),
            ("open", "liked_only", False, "neither", False),
            ("open", "liked_only", True, "neither", True),
            ("open", "liked_only", False, "both", False),
            ("liked_only", "liked_only", False, "neither", False),
            ("liked_only", "liked_only", False, "viewer", False),
            ("liked_only", "liked_only", False, "candidate", False),
            ("liked_only", "liked_only", False, "both", True),
            ("liked_only", "liked_only", True, "neither", True),
        ],
    )
    def test_who_is_shown(
        self, viewer: str, candidate: str, candidate_liked: bool, opted_in: str, shown: bool
    ) -> None:
        people = two_people({C.DISCRETION: viewer}, {C.DISCRETION: candidate}).with_relations(
            Relations.of(
                2,
                liked=[[1, 0]] if candidate_liked else [],
                suggestible=[opted_in in ("both", "viewer"), opted_in in ("both", "candidate")],
            )
        )
        assert self.policy.may_show(people, [0], [1])[0] == shown
        assert self.policy.compile(people).may_show([0], [1])[0] == shown
        assert self.policy.compile(people).may_show_block([0], [1])[0, 0] == shown

    def test_a_like_of_the_viewer_shows_nobody(self) -> None:
        people = two_people({C.DISCRETION: "open"}, {C.DISCRETION: "liked_only"}).with_relations(
            Relations.of(2, liked=[[0, 1]])
        )
        assert not self.policy.may_show(people, [0], [1])[0]
        assert self.policy.may_show(people, [1], [0])[0]


def _accounts(tokens: Sequence[str | None], states: Sequence[str | None]) -> Population:
    people = make_listed_people(len(states), np.random.default_rng(0), account_state=list(states))
    return replace(people, held=np.zeros(len(states), bool), person_tokens=np.array(tokens, dtype=object))
