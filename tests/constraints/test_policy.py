"""Policies, what they say in words, the funnel, and a constraint written by a newcomer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest

from recsys.catalogue import load_catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.constraints import Constraint, Policy, funnel
from recsys.constraints.base import Clause, Overlaps
from recsys.constraints.distance import Distance
from recsys.constraints.policy import standard_constraints
from recsys.constraints.profile import AgeBands
from recsys.data.population import Population
from recsys.errors import InputError
from recsys.testing.changed_people import separated
from recsys.testing.constraint_contract import ConstraintContract, every_pair, two_people
from recsys.testing.people import make_listed_people, make_people
from recsys.types import BoolArray as Mask
from recsys.types import Int32Array as Rows


@dataclass(frozen=True)
class WideDisclosure(Constraint):
    """A newcomer's constraint, whole: both are willing to show the same first thing."""

    name = "same_disclosure"

    def allows(self, people: Population, i: Rows, j: Rows) -> Mask:
        disclosure = people.codes(C.DISCLOSURE)
        return (disclosure[i] >= 0) & (disclosure[i] == disclosure[j])

    def clauses(self, people: Population) -> Sequence[Clause]:
        disclosure = people.codes(C.DISCLOSURE).astype(np.int64)
        bit = np.where(disclosure < 0, 0, 1 << np.maximum(disclosure, 0)).astype(np.uint64)
        return [Overlaps(bit[:, None])]


def _row_without_disclosure(people: Population, row: int) -> Population:
    coded = people.coded[C.DISCLOSURE]
    codes = coded.codes.copy()
    codes[row] = -1
    return replace(people, coded={**people.coded, C.DISCLOSURE: replace(coded, codes=codes)})


class TestNewcomersConstraint(ConstraintContract):
    constraint = WideDisclosure()
    needs = (C.DISCLOSURE,)
    cases = (
        ({C.DISCLOSURE: "nickname_only"}, {C.DISCLOSURE: "nickname_only"}, True),
        ({C.DISCLOSURE: "nickname_only"}, {C.DISCLOSURE: "general_job"}, False),
        ({C.DISCLOSURE: None}, {C.DISCLOSURE: None}, False),
    )
    tighter = (_row_without_disclosure,)

    def test_it_joins_a_policy_and_speaks(self) -> None:
        people = two_people({C.DISCLOSURE: "nickname_only"}, {C.DISCLOSURE: "general_job"})
        policy = Policy.default() & WideDisclosure()
        assert policy.names[-1] == "same_disclosure"
        assert "same_disclosure" in [why.constraint for why in policy.why_not(people, 0, 1)]


class TestPolicy:
    def test_every_default_rule_once_and_named(self) -> None:
        names = Policy.default().names
        assert len(names) == len(set(names)) == len(standard_constraints())

    def test_version_follows_the_rules(self) -> None:
        default = Policy.default()
        assert default.version == Policy.default().version
        assert default.version != Policy.default(same_employer=False).version
        assert default.version != (default & WideDisclosure()).version

    def test_there_is_no_or_and_no_not(self) -> None:
        for kind in (Policy, Constraint):
            assert not {"__or__", "__ror__", "__invert__", "__sub__", "__xor__"} & set(dir(kind))
        with pytest.raises(TypeError):
            Policy.default() & 1  # type: ignore[operator]

    @pytest.mark.parametrize("rows", [[-1], [2], [0.5]])
    def test_rows_outside_are_refused(self, rows: list[float]) -> None:
        people = two_people({}, {})
        with pytest.raises(InputError):
            Policy.default().may_meet(people, rows, [0])
        with pytest.raises(InputError):
            Policy.default().compile(people).may_show_block(rows, [0])

    def test_pairs_must_be_aligned(self) -> None:
        with pytest.raises(InputError, match="aligned"):
            Policy.default().may_meet(two_people({}, {}), [0, 1], [0])

    def test_nobody_and_one_person(self) -> None:
        for n in (0, 1):
            people = make_people(n, np.random.default_rng(0))
            compiled = Policy.default().compile(people)
            assert compiled.may_meet_block(np.arange(n), np.arange(n)).shape == (n, n)
            assert not compiled.may_meet_block(np.arange(n), np.arange(n)).any()
            assert Policy.default().may_meet(people, [], []).shape == (0,)

    def test_two_distance_rules_are_refused(self) -> None:
        class Further(Distance):
            name = "further"

        with pytest.raises(InputError, match="at most one CellLimit"):
            (Policy((Distance(),)) & Further()).compile(two_people({}, {}))

    def test_of_a_block_columns_may_repeat_and_come_in_any_order(self) -> None:
        people = make_listed_people(6, np.random.default_rng(3))
        compiled = Policy.default().compile(people)
        rows, cols = np.array([4, 0]), np.array([5, 1, 1, 3])
        expected = compiled.may_meet(np.repeat(rows, 4), np.tile(cols, 2)).reshape(2, 4)
        assert np.array_equal(compiled.may_meet_block(rows, cols), expected)


class TestWhyNot:
    def test_it_names_every_rule_that_says_no_and_only_those(self) -> None:
        rng = np.random.default_rng(5)
        people = make_people(6, rng, unknown=0.02)
        policy = Policy.default()
        i, j = every_pair(6)
        for a, b in zip(i, j, strict=True):
            said = {
                why.constraint for why in policy.why_not(people, int(a), int(b)) if why.direction == "both"
            }
            expected = {
                c.name for c in policy.constraints if not c.allows(people, i[:1] * 0 + a, j[:1] * 0 + b)[0]
            }
            assert said == ({"self"} if a == b else expected)

    def test_it_tells_the_direction(self) -> None:
        people = two_people({C.DISCRETION: "open"}, {C.DISCRETION: "liked_only"})
        (why,) = [w for w in Policy.default().why_not(people, 0, 1) if w.constraint == "discretion"]
        assert why.direction == "forward"
        (back,) = [w for w in Policy.default().why_not(people, 1, 0) if w.constraint == "discretion"]
        assert back.direction == "backward"

    def test_every_rule_has_words_in_both_languages(self) -> None:
        texts = load_catalogue().texts
        for name in (*Policy.default().names, "self", "other"):
            label = texts[f"constraint.{name}"]
            assert label.ja
            assert label.en

    def test_no_pair_of_allowed_people_is_explained(self) -> None:
        people = make_listed_people(8, np.random.default_rng(1))
        policy = Policy.default()
        i, j = every_pair(8)
        for a, b, ok in zip(i, j, policy.may_meet(people, i, j), strict=True):
            assert bool([w for w in policy.why_not(people, int(a), int(b)) if w.direction == "both"]) != ok


class TestFunnel:
    def test_worked_by_hand(self) -> None:
        people = make_listed_people(
            4,
            np.random.default_rng(0),
            gender="woman",
            household_status="single",
            cell=None,
            age_band=["35-44", "35-44", "45-54", None],
            accepts_age_bands=[["35-44"], None, None, None],
        )
        people = separated(people, 0, 1)
        policy = Policy((AgeBands(), *[c for c in standard_constraints() if c.name == "separations"]))
        table = funnel(policy, people, [0])
        assert table.constraint.tolist() == ["age_bands", "separations"]
        assert table.removed_alone.tolist() == [2, 1]
        assert table.removed_in_order.tolist() == [2, 1]
        assert table.left.tolist() == [1, 0]
        assert table.attrs == {"viewers": 1, "candidates": 3}

    def test_what_is_left_is_who_may_be_shown(self) -> None:
        people = make_people(40, np.random.default_rng(2), unknown=0.01)
        policy = Policy.default()
        i, j = every_pair(40)
        shown = policy.may_show(people, i, j).reshape(40, 40)
        for rows in (np.arange(40), np.array([3]), np.array([5, 7, 39])):
            table = funnel(policy, people, rows)
            assert table.left.iloc[-1] == shown[rows].sum()
            assert (table.removed_in_order <= table.removed_alone).all()

    def test_a_sample_is_of_listed_viewers_and_repeats(self) -> None:
        people = make_listed_people(60, np.random.default_rng(2))
        policy = Policy.default()
        table = funnel(policy, people, sample=10)
        assert table.attrs["viewers"] == 10
        assert table.equals(funnel(policy, people, sample=10))
        drawn = funnel(policy, people, sample=10, rng=np.random.default_rng(1))
        assert drawn.attrs["viewers"] == 10
        assert funnel(policy, people).attrs["viewers"] == policy.compile(people).listed.sum()


def test_intents_and_settings_have_no_word_for_what_is_not_offered() -> None:
    words = {w for e in ENUMERATIONS.values() for w in e.words}
    assert not words & {"romance", "affair", "private_room", "payment", "night_out"}
