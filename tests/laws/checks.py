"""The eight laws of the constraints, each as one check that raises AssertionError when broken."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.constraints import Constraint, Policy
from recsys.constraints.exclusions_and_tokens import persons
from recsys.data.population import Population
from recsys.testing.changed_people import reordered, with_one_account_each, with_unknown
from recsys.testing.constraint_contract import every_pair

SAFETY_AND_BOUNDARIES = (
    C.ACCOUNT_STATE,
    C.ACTIVITY,
    C.VERIFICATION,
    C.AGE_BAND,
    C.HOUSEHOLD_STATUS,
    C.ACCEPTS_HOUSEHOLD_STATUS,
    C.INTENTS,
    C.LANGUAGES,
    C.TZ,
    C.MAX_DISTANCE_KM,
    C.DISCRETION,
    C.CONTACT_FREQUENCY,
    C.CHANNELS,
    C.CONTACT_WINDOWS,
    C.MEETING_SETTINGS,
    C.ROMANCE_LINE,
    C.PHYSICAL_LINE,
    C.FINANCIAL_LINE,
)
Change = Callable[[Population, int], Population]
SparseRows = Callable[[Population, Policy, int], pd.DataFrame]


def plain(policy: Policy, people: Population) -> np.ndarray:
    """Return who may meet whom, `(n, n)` bool."""
    return policy.may_meet(people, *every_pair(len(people))).reshape(len(people), len(people))


def compiled(policy: Policy, people: Population) -> np.ndarray:
    """Return the same from the masks."""
    return policy.compile(people).may_meet(*every_pair(len(people))).reshape(len(people), len(people))


def law_1_symmetric(policy: Policy, people: Population) -> None:
    i, j = every_pair(len(people))
    masks = policy.compile(people)
    for meet, show in (
        (policy.may_meet(people, i, j), policy.may_show(people, i, j)),
        (masks.may_meet(i, j), masks.may_show(i, j)),
    ):
        table = meet.reshape(len(people), len(people))
        assert np.array_equal(table, table.T), "may_meet is not symmetric"
        assert not (show & ~meet).any(), "somebody is shown whom the viewer may not meet"


def law_2_compiled_is_plain(policy: Policy, people: Population) -> None:
    i, j = every_pair(len(people))
    masks, everybody = policy.compile(people), np.arange(len(people))
    meet, show = policy.may_meet(people, i, j), policy.may_show(people, i, j)
    assert np.array_equal(masks.may_meet(i, j), meet), "may_meet differs"
    assert np.array_equal(masks.may_show(i, j), show), "may_show differs"
    assert np.array_equal(masks.may_meet_block(everybody, everybody).ravel(), meet), "the block differs"
    assert np.array_equal(masks.may_show_block(everybody, everybody).ravel(), show), "the shown block differs"


def law_3_only_narrower(
    policy: Policy, extra: Constraint, change: Change, people: Population, row: int
) -> None:
    people = with_one_account_each(people)
    before = plain(policy, people)
    assert not (plain(policy & extra, people) & ~before).any(), "a constraint added a pair"
    assert not (compiled(policy & extra, people) & ~before).any(), "a compiled constraint added a pair"
    tightened = change(people, row)
    assert not (plain(policy, tightened) & ~before).any(), "a tightened field added a pair"
    assert not (compiled(policy, tightened) & ~before).any(), "a tightened field added a compiled pair"


def law_4_order_is_nothing(policy: Policy, people: Population, order: np.ndarray) -> None:
    people = with_one_account_each(people)
    moved = reordered(people, order)
    for answer in (plain, compiled):
        assert np.array_equal(answer(policy, moved), answer(policy, people)[np.ix_(order, order)])


def law_5_unknown_fails_closed(policy: Policy, people: Population, row: int) -> None:
    for column in SAFETY_AND_BOUNDARIES:
        unknown = with_unknown(people, column, row)
        assert not plain(policy, unknown)[row].any(), f"unknown {column} meets somebody"
        assert not compiled(policy, unknown)[row].any(), f"unknown {column} meets somebody when compiled"


def law_6_excluded_appear_nowhere(lists: SparseRows, policy: Policy, people: Population, k: int) -> None:
    shown = lists(people, policy, k)
    gone = people.ids.ids(np.flatnonzero(excluded(people)))
    for column in (C.VIEWER, C.CANDIDATE):
        assert not shown[column].isin(gone).any(), f"an excluded person is a {column}"
    words = " ".join(code for reasons in shown[C.REASONS] for code in reasons)
    assert not [name for name in gone if str(name) in words], "a reason names an excluded person"
    pairs = np.sort(np.column_stack([people.ids.rows(shown[c]) for c in (C.VIEWER, C.CANDIDATE)]), axis=1)
    apart = {tuple(pair) for pair in people.relations.excluded.tolist()}
    assert not [pair for pair in pairs.tolist() if tuple(pair) in apart], "a separated pair is listed"
    assert shown.attrs.get("dropped_by_recheck", 0) == 0, "the masks let a forbidden pair through"


def excluded(people: Population) -> np.ndarray:
    """Say who must appear nowhere: held, not active, unverified or of unknown age, `(n,)` bool."""
    return (
        people.held
        | ~people.is_word(C.ACCOUNT_STATE, "active")
        | (people.codes(C.VERIFICATION) < 1)
        | (people.codes(C.AGE_BAND) < 0)
    )


def law_7_short_lists_stay_short(lists: SparseRows, policy: Policy, people: Population, k: int) -> None:
    shown = lists(people, policy, k)
    may = policy.may_show(people, *every_pair(len(people))).reshape(len(people), len(people))
    assert shown[C.CANDIDATE].isin(people.ids.ids(np.arange(len(people)))).all(), "a sentinel id"
    assert not shown.duplicated([C.VIEWER, C.CANDIDATE]).any(), "a candidate twice"
    may[tuple(people.relations.liked.T)] = False  # nobody is offered whom they liked already
    length = shown.groupby(C.VIEWER).size().reindex(people.ids.ids(np.arange(len(people))), fill_value=0)
    assert length.tolist() == np.minimum(may.sum(axis=1), k).tolist(), "a list is padded or cut"
    for _, one in shown.groupby(C.VIEWER):
        assert one[C.RANK].tolist() == list(range(1, len(one) + 1)), "ranks do not count up from 1"


def law_8_others_are_untouched(policy: Policy, before: Population, after: Population, a: int, b: int) -> None:
    """`after` differs from `before` in what concerns a and b; accounts of one person are that person."""
    others = ~np.isin(persons(before), persons(before)[[a, b]])
    rest = np.ix_(others, others)
    for answer in (plain, compiled):
        assert np.array_equal(answer(policy, before)[rest], answer(policy, after)[rest]), (
            "a third pair changed"
        )
