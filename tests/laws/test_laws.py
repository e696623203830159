"""The eight laws over random populations, and for each a planted bug that the check must catch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.catalogue.columns import Columns as C
from recsys.constraints import Constraint, Policy
from recsys.constraints.base import Clause, Gate, Refusals, has_any_word
from recsys.constraints.boundaries import ContactFrequency
from recsys.constraints.compiled import Compiled
from recsys.constraints.profile import AgeBands
from recsys.data.bitsets import one_hot, unpack
from recsys.data.population import Population
from recsys.models.directed import Directed
from recsys.ranking.recommend import recommend
from recsys.testing.changed_people import held, narrowed, nearer, separated, with_unknown, with_word
from recsys.testing.constraint_contract import random_people
from recsys.types import BoolArray as Mask
from recsys.types import Int32Array as Rows
from tests.laws import checks

seeds = st.integers(0, 2**32 - 1)
some = settings(max_examples=12, suppress_health_check=list(HealthCheck))
DEFAULT = Policy.default()
TIGHTER: tuple[checks.Change, ...] = (
    held,
    nearer,
    lambda people, row: narrowed(people, C.ACCEPTS_AGE_BANDS, row, "35-44"),
    lambda people, row: narrowed(people, C.ACCEPTS_AGE_BANDS, row),
    lambda people, row: narrowed(people, C.MEETS_GENDERS, row, "woman"),
    lambda people, row: narrowed(people, C.LANGUAGES, row, "ja"),
    lambda people, row: narrowed(people, C.CHANNELS, row, "in_app_text"),
    lambda people, row: separated(people, row, (row + 1) % len(people)),
)


@dataclass(frozen=True)
class EvenCells(Constraint):
    """Some further constraint: both live somewhere known."""

    name = "somewhere"

    def allows(self, people: Population, i: Rows, j: Rows) -> Mask:
        return (people.cells[i] != 0) & (people.cells[j] != 0)

    def clauses(self, people: Population) -> Sequence[Clause]:
        return [Gate(people.cells != 0)]


@dataclass(frozen=True)
class FromTaste:
    """A model of random taste in which the excluded are everybody's favourites."""

    seed: int

    def directed(self, people: Population) -> Directed:
        rng = np.random.default_rng(self.seed)
        taste = rng.normal(size=(len(people), 3)).astype(np.float32)
        appeal = rng.normal(size=(len(people), 3)).astype(np.float32)
        taste[:, 0] = 1.0
        appeal[:, 0] = np.where(checks.excluded(people), 4.0, 0.0)
        return Directed(people.ids, taste, appeal, None, people.cells)


def lists_of(seed: int) -> checks.SparseRows:
    return lambda people, policy, k: recommend(FromTaste(seed), people, policy, k=k)


def caught(law: Callable[[int], None]) -> None:
    """Assert that a law finds the planted bug in some of these populations."""
    for seed in range(60):
        try:
            law(seed)
        except AssertionError:
            return
    pytest.fail("no population showed the planted bug")


class TestLaw1Symmetry:
    @some
    @given(seeds)
    def test_holds(self, seed: int) -> None:
        checks.law_1_symmetric(DEFAULT, random_people(seed))

    def test_catches_a_one_sided_wish(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(AgeBands, "allows", lambda self, people, i, j: self._accepts(people, i, j))
        caught(lambda seed: checks.law_1_symmetric(Policy((AgeBands(),)), random_people(seed)))

    def test_catches_showing_without_meeting(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Compiled, "may_show", lambda self, i, j: ~self.liked_only[j])
        caught(lambda seed: checks.law_1_symmetric(DEFAULT, random_people(seed)))


class TestLaw2CompiledIsPlain:
    @some
    @given(seeds)
    def test_holds(self, seed: int) -> None:
        checks.law_2_compiled_is_plain(DEFAULT, random_people(seed))
        checks.law_2_compiled_is_plain(
            Policy.default(verification="id", same_employer=False), random_people(seed)
        )

    def test_catches_a_forgotten_refusal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(AgeBands, "clauses", lambda self, people: [Gate(people.known(C.AGE_BAND))])
        caught(lambda seed: checks.law_2_compiled_is_plain(Policy((AgeBands(),)), random_people(seed)))

    def test_catches_a_block_that_forgets_separations(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("recsys.constraints.sparse_masks.mask_pairs", lambda *arrays: None)
        caught(lambda seed: checks.law_2_compiled_is_plain(DEFAULT, random_people(seed)))


class TestLaw3OnlyNarrower:
    @some
    @given(seeds, st.sampled_from(TIGHTER))
    def test_holds(self, seed: int, change: checks.Change) -> None:
        people = random_people(seed)
        checks.law_3_only_narrower(DEFAULT, EvenCells(), change, people, seed % len(people))

    def test_catches_an_empty_wish_read_as_any(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def clauses(self: AgeBands, people: Population) -> Sequence[Clause]:
            refused = (
                ~unpack(people.sets(C.ACCEPTS_AGE_BANDS), 6)
                & has_any_word(people, C.ACCEPTS_AGE_BANDS)[:, None]
            )
            return [
                Gate(people.known(C.AGE_BAND)),
                Refusals.of(one_hot(people.codes(C.AGE_BAND), 6), refused),
            ]

        monkeypatch.setattr(AgeBands, "clauses", clauses)
        no_band = TIGHTER[3]
        caught(
            lambda seed: checks.law_3_only_narrower(
                Policy((AgeBands(),)), EvenCells(), no_band, random_people(seed), 0
            )
        )

    def test_catches_a_constraint_that_replaces_another(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Policy, "__and__", lambda self, other: Policy((*self.constraints[:-1], other)))
        caught(
            lambda seed: checks.law_3_only_narrower(
                Policy((AgeBands(),)), EvenCells(), held, random_people(seed), 0
            )
        )


class TestLaw4Order:
    @some
    @given(seeds)
    def test_holds(self, seed: int) -> None:
        people = random_people(seed)
        order = np.random.default_rng(seed).permutation(len(people))
        checks.law_4_order_is_nothing(DEFAULT, people, order)

    def test_catches_a_rule_about_rows(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(EvenCells, "allows", lambda self, people, i, j: (i + j) % 2 == 0)

        def law(seed: int) -> None:
            people = random_people(seed)
            order = np.random.default_rng(seed).permutation(len(people))
            checks.law_4_order_is_nothing(Policy((EvenCells(),)), people, order)

        caught(law)


class TestLaw5Unknown:
    @settings(some, max_examples=4)  # each asks about eighteen columns
    @given(seeds)
    def test_holds(self, seed: int) -> None:
        people = random_people(seed)
        checks.law_5_unknown_fails_closed(DEFAULT, people, seed % len(people))

    @some
    @given(seeds, st.sampled_from([C.ACCEPTS_AGE_BANDS, C.MEETS_GENDERS]))
    def test_unknown_wishes_are_all(self, seed: int, column: str) -> None:
        people = random_people(seed)
        row = seed % len(people)
        unknown = with_unknown(people, column, row)
        every_word = narrowed(unknown, column, row, *people.coded_sets[column].words)
        assert np.array_equal(checks.plain(DEFAULT, unknown), checks.plain(DEFAULT, every_word))

    @some
    @given(seeds)
    def test_an_unknown_gender_is_undisclosed(self, seed: int) -> None:
        people = random_people(seed)
        row = seed % len(people)
        unknown = with_unknown(people, C.GENDER, row)
        undisclosed = with_word(people, C.GENDER, row, "undisclosed")
        assert np.array_equal(checks.plain(DEFAULT, unknown), checks.plain(DEFAULT, undisclosed))

    def test_catches_an_unknown_read_as_a_value(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def allows(self: ContactFrequency, people: Population, i: Rows, j: Rows) -> Mask:
            step = people.codes(C.CONTACT_FREQUENCY).astype(np.int64)
            either_unknown = (step[i] < 0) | (step[j] < 0)
            return either_unknown | (np.abs(step[i] - step[j]) <= 1)

        monkeypatch.setattr(ContactFrequency, "allows", allows)
        caught(lambda seed: checks.law_5_unknown_fails_closed(DEFAULT, random_people(seed), 0))


class TestLaw6Excluded:
    @some
    @given(seeds, st.sampled_from([1, 3, 1000]))
    def test_holds(self, seed: int, k: int) -> None:
        checks.law_6_excluded_appear_nowhere(lists_of(seed), DEFAULT, random_people(seed), k)

    def test_catches_masks_that_let_everybody_through(self, monkeypatch: pytest.MonkeyPatch) -> None:
        empty = Policy(())
        monkeypatch.setattr(Policy, "compile", lambda self, people: _compile(empty, people))
        caught(
            lambda seed: checks.law_6_excluded_appear_nowhere(lists_of(seed), DEFAULT, random_people(seed), 3)
        )

    def test_catches_a_forgotten_account_rule(self) -> None:
        careless = Policy(tuple(c for c in DEFAULT.constraints if c.name != "account"))
        caught(
            lambda seed: checks.law_6_excluded_appear_nowhere(
                lists_of(seed), careless, random_people(seed), 3
            )
        )

    def test_catches_a_forgotten_block(self) -> None:
        careless = Policy(tuple(c for c in DEFAULT.constraints if c.name != "separations"))
        caught(
            lambda seed: checks.law_6_excluded_appear_nowhere(
                lists_of(seed), careless, random_people(seed), 9
            )
        )


class TestLaw7ShortLists:
    @some
    @given(seeds, st.sampled_from([1, 3, 1000]))
    def test_holds(self, seed: int, k: int) -> None:
        checks.law_7_short_lists_stay_short(lists_of(seed), DEFAULT, random_people(seed), k)

    def test_catches_padding(self) -> None:
        def padded(people: Population, policy: Policy, k: int) -> pd.DataFrame:
            lists = lists_of(0)(people, policy, k)
            return pd.concat(
                [lists, lists.tail(1).assign(**{C.RANK: 2, C.CANDIDATE: people.ids.ids([0])[0]})]
            )

        caught(lambda seed: checks.law_7_short_lists_stay_short(padded, DEFAULT, random_people(seed), 5))

    def test_catches_a_list_cut_too_short(self) -> None:
        caught(
            lambda seed: checks.law_7_short_lists_stay_short(
                lambda people, policy, k: lists_of(0)(people, policy, k - 1), DEFAULT, random_people(seed), 2
            )
        )


class TestLaw8OthersUntouched:
    @some
    @given(seeds)
    def test_holds(self, seed: int) -> None:
        people = random_people(seed)
        a, b = seed % len(people), (seed + 1) % len(people)
        for change in (
            separated(people, a, b),
            held(people, a),
            with_unknown(with_unknown(people, C.CELL, a), C.CELL, b),
            narrowed(people, C.LANGUAGES, a, "en"),
        ):
            checks.law_8_others_are_untouched(DEFAULT, people, change, a, b)

    def test_catches_a_rule_about_live_membership(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def crowded(self: EvenCells, people: Population, i: Rows, j: Rows) -> Mask:
            enough = np.bincount(people.codes(C.ACCOUNT_STATE) + 1, minlength=2)[1] > 4
            return np.full(len(i), enough)

        monkeypatch.setattr(EvenCells, "allows", crowded)

        def law(seed: int) -> None:
            people = random_people(seed)
            paused = with_word(with_word(people, C.ACCOUNT_STATE, 0, "paused"), C.ACCOUNT_STATE, 1, "paused")
            checks.law_8_others_are_untouched(Policy((EvenCells(),)), people, paused, 0, 1)

        caught(law)


def _compile(policy: Policy, people: Population) -> Compiled:
    from recsys.constraints.compiled import compile_clauses

    return compile_clauses([c for one in policy.constraints for c in one.clauses(people)], people)
