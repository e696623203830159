"""What every constraint must keep: subclass `ConstraintContract` and name the constraint."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.catalogue.columns import Columns as C
from recsys.constraints import Constraint, Policy
from recsys.data.population import LongTables, Population
from recsys.testing.changed_people import reordered, with_one_account_each, with_unknown
from recsys.testing.people import make_listed_people, make_people, random_relations

a_few = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
seeds = st.integers(0, 99)
"""A hundred populations, built once and shared by the tests of every constraint."""

Case = tuple[dict[str, Any], dict[str, Any], bool]


def every_pair(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return all ordered pairs of n rows, aligned."""
    i, j = np.divmod(np.arange(n * n), n)
    return i.astype(np.int32), j.astype(np.int32)


def table_of(policy: Policy, people: Population) -> np.ndarray:
    """Return the plain answer for all ordered pairs, `(n, n)` bool."""
    i, j = every_pair(len(people))
    return policy.may_meet(people, i, j).reshape(len(people), len(people))


def two_people(first: dict[str, Any], second: dict[str, Any]) -> Population:
    """Return two people who may meet by default, changed as told, one value a column each."""
    return pairs_of_people([(first, second)])


def pairs_of_people(pairs: Sequence[tuple[dict[str, Any], dict[str, Any]]]) -> Population:
    """Return such people, a pair in rows 0 and 1, the next in rows 2 and 3; all change the same columns."""
    told = [one for pair in pairs for one in pair]
    missing = set().union(*told) - set(told[0]).intersection(*told)
    if missing:
        raise ValueError(f"give everybody a value for {sorted(missing)}")
    given_values = {column: [one[column] for one in told] for column in told[0]}
    people = make_listed_people(len(told), np.random.default_rng(0), **given_values)
    tokens = np.array([one.get("person_token") for one in told], dtype=object)
    return replace(people, held=np.zeros(len(told), bool), long=LongTables.empty(), person_tokens=tokens)


@lru_cache(maxsize=256)
def random_people(seed: int) -> Population:
    """Return some people, strict or easy by turns, with relations between them."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 16))
    if seed % 2:
        return make_people(n, rng, unknown=0.1)
    return make_listed_people(n, rng).with_relations(random_relations(n, rng))


class ConstraintContract:
    """Symmetric, the same under any order, only narrower when tightened, closed on unknown needs."""

    constraint: ClassVar[Constraint]
    needs: ClassVar[Sequence[str]] = ()
    """Columns whose unknown value must say no."""
    cases: ClassVar[Sequence[Case]] = ()
    """Worked by hand: two people's values and whether they may meet."""
    tighter: ClassVar[Sequence[Callable[[Population, int], Population]]]
    """Changes to the person at a row that may only take pairs away."""

    @property
    def policy(self) -> Policy:
        return Policy((self.constraint,))

    def test_cases_worked_by_hand(self) -> None:
        by_columns: dict[tuple[object, ...], list[Case]] = {}
        for number, case in enumerate(self.cases):
            columns = tuple(sorted({*case[0], *case[1]}))
            apart = number if C.PERSON_TOKEN in columns else 0  # accounts of one person concern each other
            by_columns.setdefault((*columns, apart), []).append(case)
        for cases in by_columns.values():
            people = pairs_of_people([(first, second) for first, second, _ in cases])
            i = np.arange(len(people), dtype=np.int32)
            plain = self.policy.may_meet(people, i, i ^ 1)
            compiled = self.policy.compile(people).may_meet(i, i ^ 1)
            for at, (first, second, allowed) in enumerate(cases):
                for row in (2 * at, 2 * at + 1):
                    assert plain[row] == allowed, (first, second)
                    assert compiled[row] == allowed, (first, second)

    @a_few
    @given(seeds)
    def test_both_ways_are_one_answer(self, seed: int) -> None:
        table = table_of(self.policy, random_people(seed))
        assert np.array_equal(table, table.T)

    @a_few
    @given(seeds)
    def test_compiled_is_plain(self, seed: int) -> None:
        people = random_people(seed)
        i, j = every_pair(len(people))
        compiled, everybody = self.policy.compile(people), np.arange(len(people))
        assert np.array_equal(compiled.may_meet(i, j), self.policy.may_meet(people, i, j))
        assert np.array_equal(compiled.may_show(i, j), self.policy.may_show(people, i, j))
        assert np.array_equal(compiled.may_meet_block(everybody, everybody).ravel(), compiled.may_meet(i, j))
        assert np.array_equal(compiled.may_show_block(everybody, everybody).ravel(), compiled.may_show(i, j))

    @a_few
    @given(seeds)
    def test_order_of_people_is_nothing(self, seed: int) -> None:
        people = with_one_account_each(random_people(seed))
        order = np.random.default_rng(seed).permutation(len(people))
        before, after = table_of(self.policy, people), table_of(self.policy, reordered(people, order))
        assert np.array_equal(after, before[np.ix_(order, order)])

    @a_few
    @given(seeds)
    def test_tightening_never_adds(self, seed: int) -> None:
        people = with_one_account_each(random_people(seed))
        before = table_of(self.policy, people)
        for change in self.tighter:
            after = table_of(self.policy, change(people, seed % len(people)))
            assert not (after & ~before).any()

    @a_few
    @given(seeds)
    def test_unknown_says_no(self, seed: int) -> None:
        people = random_people(seed)
        row = seed % len(people)
        for column in self.needs:
            assert not table_of(self.policy, with_unknown(people, column, row))[row].any(), column

    def test_tightening_takes_pairs_away(self) -> None:
        """Each change in `tighter` does something, or the law above would hold of nothing."""
        for change in self.tighter:
            taken = 0
            for seed in range(60):
                people = with_one_account_each(random_people(seed))
                before = table_of(self.policy, people)
                taken += int((before & ~table_of(self.policy, change(people, 0))).sum())
                if taken:
                    break
            assert taken > 0
