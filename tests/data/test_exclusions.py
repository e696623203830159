"""Relations between pairs: who is excluded, why and until when, worked by hand."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.catalogue.columns import Columns as C
from recsys.data import relations
from recsys.data.absent_accounts import AbsentRows
from recsys.data.exclusions import EXCLUSION_REASONS, Relations
from recsys.data.ids import IdIndex
from recsys.data.proofs import tiers
from recsys.errors import InputError
from tests.data.timeline import day, events


def test_pairs_are_unordered_unique_and_keep_the_strongest_reason():
    weak, strong = EXCLUSION_REASONS.index("pass"), EXCLUSION_REASONS.index("block")
    relations = Relations.of(4, excluded=[(3, 1), (1, 3), (0, 2)], reason=[weak, strong, weak])
    assert relations.excluded.tolist() == [[0, 2], [1, 3]]
    assert relations.reason.tolist() == [weak, strong]


def test_likes_keep_their_direction():
    assert Relations.of(3, liked=[(2, 0), (0, 2), (2, 0)]).liked.tolist() == [[0, 2], [2, 0]]


@pytest.mark.parametrize("pair", [(0, 0), (0, 3), (-1, 1)])
@pytest.mark.parametrize("kind", ["excluded", "liked"])
def test_invalid_pairs_are_refused(kind, pair):
    with pytest.raises(InputError, match=f"not a pair.*{kind}"):
        Relations.of(3, **{kind: [pair]})


IDS = IdIndex(["a", "b", "c"])


def between(at: float, *lines: tuple[Any, ...], **tables: pd.DataFrame) -> Relations:
    return relations(events(*lines), tables.get("blocks"), tables.get("reports"), IDS, day(at))


def reasons(found: Relations) -> dict[tuple[str, str], str]:
    pairs = [tuple(IDS.ids(pair)) for pair in found.excluded]
    return dict(zip(pairs, (EXCLUSION_REASONS[why] for why in found.reason), strict=True))


@pytest.mark.parametrize(
    ("at", "lines", "why"),
    [
        (1, [(1, "a", "pass", "b")], "pass"),
        (180.9, [(1, "b", "pass", "a")], "pass"),
        (181, [(1, "b", "pass", "a")], None),
        (0.9, [(1, "a", "pass", "b")], None),
        (9, [(1, "a", "pass", "b"), (2, "a", "like", "b")], None),
        (9, [(1, "a", "pass", "b"), (1, "a", "like", "b")], "pass"),
        (9, [(1, "a", "pass", "b"), (2, "b", "like", "a")], "pass"),
        (9, [(1, "a", "like", "b"), (2, "a", "pass", "b")], "pass"),
        (900, [(1, "a", "hide", "b")], "hide"),
        (900, [(1, "a", "hide", "b"), (2, "a", "like", "b")], None),
        (900, [(1, "a", "hide", "b"), (2, "a", "like", "b"), (3, "a", "hide", "b")], "hide"),
        (900, [(1, "a", "hide", "b"), (2, "b", "like", "a")], "hide"),
        (900, [(1, "a", "like", "b"), (2, "b", "like", "a")], "matched"),
        (900, [(1, "a", "like", "b"), (2, "b", "like", "a"), (3, "a", "pass", "b")], "matched"),
        (900, [(1, "a", "like", "b"), (2, "a", "pass", "b"), (3, "b", "like", "a")], None),
        (900, [(1, "a", "like", "b")], None),
        (9, [(1, "a", "pass", "b"), (2, "a", "undo", "b")], None),
        (9, [(1, "a", "pass", "b"), (2, "b", "undo", "a")], "pass"),
        (900, [(1, "a", "hide", "b"), (2, "a", "undo", "b")], None),
        (1.5, [(1, "a", "hide", "b"), (2, "a", "undo", "b")], "hide"),
        (900, [(2, "a", "hide", "b"), (1, "a", "undo", "b")], "hide"),
        (900, [(1, "a", "hide", "b"), (1, "a", "undo", "b")], "hide"),
        (900, [(1, "a", "hide", "b"), (2, "a", "undo", "b"), (3, "a", "hide", "b")], "hide"),
        (900, [(1, "a", "hide", "b"), (1, "b", "hide", "a"), (2, "a", "undo", "b")], "hide"),
        (900, [(1, "a", "hide", "b"), (2, "a", "undo", "c")], "hide"),
        (900, [(1, "a", "like", "b"), (2, "a", "undo", "b"), (3, "b", "like", "a")], None),
        (900, [(1, "b", "like", "a"), (2, "a", "like", "b"), (2, "a", "undo", "b")], None),
        (900, [(1, "a", "like", "b"), (2, "b", "like", "a"), (3, "a", "undo", "b")], "matched"),
        (900, [(1, "a", "block", "b"), (2, "a", "undo", "b")], "block"),
        (900, [(1, "a", "report", "b", "other"), (2, "a", "undo", "b")], "report"),
        (900, [(1, "a", "end", "b", "amicable"), (2, "a", "undo", "b")], "end"),
        (900, [(1, "a", "money_request", "b"), (2, "b", "undo", "a")], "unsafe"),
        (900, [(1, "a", "end", "b", "amicable")], "end"),
        (900, [(1, "a", "end", "b", "unsafe")], "unsafe"),
        (900, [(1, "a", "meet_feedback", "b", "unsafe")], "unsafe"),
        (900, [(1, "a", "feeling_check", "b", "pressured")], "unsafe"),
        (900, [(1, "a", "money_request", "b")], "unsafe"),
        (900, [(1, "a", "report", "b", "other")], "report"),
        (900, [(1, "a", "block", "b"), (2, "a", "like", "b"), (3, "b", "like", "a")], "block"),
        (900, [(1, "a", "report", "b", "other"), (2, "b", "block", "a")], "block"),
        (900, [(1, "a", "block", "b"), (2, "b", "erase")], None),
        (900, [(1, "a", "block", "stranger")], None),
        (900, [(1, "a", "block", "b"), (2, "a", "unblock", "b")], None),
        (1.5, [(1, "a", "block", "b"), (2, "a", "unblock", "b")], "block"),
        (900, [(1, "a", "block", "b"), (2, "b", "unblock", "a")], "block"),
        (900, [(1, "a", "block", "b"), (1, "a", "unblock", "b")], "block"),
        (900, [(1, "a", "block", "b"), (2, "b", "block", "a"), (3, "a", "unblock", "b")], "block"),
        (900, [(1, "a", "block", "b"), (2, "a", "unblock", "b"), (3, "a", "block", "b")], "block"),
        (900, [(1, "a", "report", "b", "other"), (2, "a", "unblock", "b")], "report"),
    ],
)
def test_exclusion_reasons_worked_by_hand(at: float, lines: list[tuple[Any, ...]], why: str | None) -> None:
    assert reasons(between(at, *lines)) == ({} if why is None else {("a", "b"): why})


def test_safety_tables_count_from_their_time() -> None:
    table = pd.DataFrame(
        {C.ACTOR: ["b", "b", "a"], C.TARGET: ["a", "c", "nobody"], C.TS: [day(1), day(5), day(1)]}
    )
    assert reasons(between(2, blocks=table)) == {("a", "b"): "block"}
    assert reasons(between(6, reports=table)) == {("a", "b"): "report", ("b", "c"): "report"}


def test_a_block_of_the_table_is_taken_back_by_who_made_it_and_one_without_a_time_lasts() -> None:
    row = pd.DataFrame({C.ACTOR: ["a"], C.TARGET: ["b"], C.TS: [day(1)]})
    undated = row.assign(**{C.TS: pd.Series([pd.NaT], dtype=row[C.TS].dtype)})
    own, other = (2, "a", "unblock", "b"), (2, "b", "unblock", "a")
    found = [reasons(between(9, line, blocks=table)) for line in (own, other) for table in (row, undated)]
    blocked = {("a", "b"): "block"}
    assert found == [{}, blocked, blocked, blocked]
    assert between(9, own, blocks=row).reopened.tolist() == [[0, 1]]
    assert between(9, own, blocks=undated).reopened.tolist() == []
    assert between(9, own).reopened.tolist() == [], "whose block it was is not known"
    assert between(9, (1, "a", "block", "b"), other).reopened.tolist() == []
    assert between(9, (1, "a", "block", "b"), own).reopened.tolist() == [[0, 1]]


def test_a_like_stands_until_a_later_pass_or_hide() -> None:
    found = between(
        9,
        (1, "a", "like", "b"),
        (2, "b", "like", "c"),
        (3, "b", "pass", "c"),
        (4, "c", "like", "stranger"),
        (10, "c", "like", "a"),
    )
    assert found.liked.tolist() == [[0, 1]]


PERSON_OF = {"a1": "a", "a2": "a", "b1": "b", "b2": "b"}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 5),
            st.sampled_from(["a1", "a2"]),
            st.sampled_from(["like", "hide", "undo", "undo", "block"]),
            st.sampled_from(["b1", "b2", "c"]),
        ),
        max_size=8,
    )
)
def test_an_undo_counts_under_every_account_of_both_persons(lines: list[tuple[int, str, str, str]]) -> None:
    """Seen to fail with an undo that counts for its own two accounts, and with one that ends blocks."""
    accounts = IdIndex([*PERSON_OF, "c"])
    tokens = np.array([PERSON_OF.get(str(one)) for one in accounts.ids(np.arange(len(accounts)))], object)
    found, _ = AbsentRows(accounts, tokens, {}).relations(events(*lines), None, None, day(9))

    def person(one: str) -> str:
        return PERSON_OF.get(one, one)

    def stands(kind: str) -> set[tuple[str, str]]:
        said = set[tuple[str, str]]()
        for ts, actor, what, target in lines:
            if what != kind:
                continue
            over = any(
                (person(by), person(about)) == (person(actor), person(target))
                and (when > ts or (when == ts and kind == "like"))
                for when, by, word, about in lines
                if word == "undo"
            )
            if kind == "hide":
                over |= any(
                    (by, word, about) == (actor, "like", target) and when > ts
                    for when, by, word, about in lines
                )
            if kind == "like":
                over |= any(
                    (by, word, about) == (actor, "hide", target)
                    and when >= ts
                    and not any(
                        w == "undo" and (person(x), person(y)) == (person(by), person(about)) and late > when
                        for late, x, w, y in lines
                    )
                    for when, by, word, about in lines
                )
            if not over or kind == "block":
                said.add((actor, target))
        return said

    liked = {tuple(map(str, accounts.ids(pair))) for pair in found.liked}
    assert liked == stands("like")
    apart = {tuple(map(str, accounts.ids(pair))) for pair in found.excluded}
    assert apart == stands("hide") | stands("block")


def test_only_general_opt_ins_allow_suggestions() -> None:
    found = between(
        9,
        (1, "a", "optin", None, "suggestion"),
        (1, "b", "optin", "a", "suggestion"),
        (1, "c", "optin", None, "photo"),
    )
    assert found.suggestible.tolist() == [True, False, False]


@pytest.mark.parametrize("order", [("none", "id"), ("id", "none")])
def test_of_two_proofs_at_one_time_the_lower_counts(order: tuple[str, str]) -> None:
    known = events((1, "a", "verified", None, "age"), *((2, "a", "verified", None, tier) for tier in order))
    assert tiers(known.coded).tolist() == [0]
