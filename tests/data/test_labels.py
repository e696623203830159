"""Directed labels, each rule worked by hand."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.data import Events, directed_labels
from recsys.data.labels import EXCLUDED_EVENTS, LABEL_WEIGHTS, NO_EVIDENCE, LabelSettings
from tests.data.timeline import day, events

WEEK = [(at, who, "message", other) for at in range(9) for who, other in (("a", "b"), ("b", "a"))]


def graded(*lines: tuple[Any, ...], **more: Any) -> dict[tuple[str, str], tuple[float, float]]:
    """Return label and strength by directed pair."""
    table = directed_labels(events(*lines), **more)
    return {
        (row[C.VIEWER], row[C.CANDIDATE]): (row["label"], row["strength"]) for row in table.to_dict("records")
    }


def of(kind: str) -> tuple[float, float]:
    return LABEL_WEIGHTS[kind].label, LABEL_WEIGHTS[kind].strength


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([(1, "a", "like", "b")], {("a", "b"): of("like")}),
        ([(1, "a", "pass", "b")], {("a", "b"): of("pass")}),
        ([(1, "a", "pass", "b"), (2, "a", "hide", "b")], {("a", "b"): of("hide")}),
        ([(1, "a", "like", "b"), (2, "a", "pass", "b")], {("a", "b"): of("pass")}),
        ([(1, "a", "pass", "b"), (2, "a", "like", "b")], {("a", "b"): of("like")}),
        ([(1, "a", "like", "b"), (1, "a", "pass", "b")], {("a", "b"): of("pass")}),
        ([(1, "a", "impression", "b")], {}),
        ([(1, "a", "message", "b")], {}),
        ([(1, "a", "message", "b"), (2, "b", "message", "a")], {("b", "a"): of("message: replied")}),
        (WEEK, {("a", "b"): of("message: exchange"), ("b", "a"): of("message: exchange")}),
        (WEEK[:14], {("a", "b"): of("message: replied"), ("b", "a"): of("message: replied")}),
        ([(1, "a", "rules_agreed", "b")], {}),
        (
            [(1, "a", "rules_agreed", "b"), (2, "b", "rules_agreed", "a")],
            {("a", "b"): of("rules_agreed: both"), ("b", "a"): of("rules_agreed: both")},
        ),
        (
            [(1, "a", "meet_feedback", "b", "safe_again"), (2, "b", "meet_feedback", "a", "safe_again")],
            {("a", "b"): of("meet_feedback: both again"), ("b", "a"): of("meet_feedback: both again")},
        ),
        ([(1, "a", "meet_feedback", "b", "safe_again"), (2, "b", "meet_feedback", "a", "safe_once")], {}),
        (
            [(1, "a", "feeling_check", "b", "comfortable"), (2, "b", "feeling_check", "a", "comfortable")],
            {
                ("a", "b"): of("feeling_check: both comfortable"),
                ("b", "a"): of("feeling_check: both comfortable"),
            },
        ),
        (
            [
                (1, "a", "feeling_check", "b", "comfortable"),
                (2, "b", "feeling_check", "a", "comfortable"),
                (3, "b", "feeling_check", "a", "pressured"),
            ],
            {("b", "a"): of("feeling_check: pressured")},
        ),
        ([(1, "a", "feeling_check", "b", "drifting")], {}),
        ([(1, "a", "like", "b"), (2, "a", "end", "b", "amicable")], {("a", "b"): of("like")}),
        ([(1, "a", "like", "b"), (2, "a", "end", "b", "unsafe")], {("a", "b"): of("end: unsafe")}),
        ([(1, "a", "like", "b"), (2, "b", "block", "a")], {}),
        ([(1, "a", "like", "b"), (2, "a", "report", "b", "money")], {}),
        ([(1, "a", "like", "b"), (2, "b", "money_request", "a")], {}),
        ([(1, "a", "like", "b"), (2, "b", "meet_feedback", "a", "unsafe")], {}),
        ([(1, "a", "like", "b"), (2, "a", "undo", "b")], {}),
        ([(1, "a", "hide", "b"), (2, "a", "undo", "b")], {}),
        ([(1, "a", "pass", "b"), (2, "a", "like", "b"), (3, "b", "undo", "a")], {("a", "b"): of("like")}),
        ([(1, "a", "like", "a")], {}),
        ([(1, "a", "like", "b"), (2, "b", "erase")], {}),
    ],
)
def test_labels_worked_by_hand(
    lines: list[tuple[Any, ...]], expected: dict[tuple[str, str], tuple[float, float]]
) -> None:
    assert graded(*lines) == expected


def test_every_event_type_has_a_label_weight_or_no_evidence() -> None:
    named = {kind.split(":")[0] for kind in LABEL_WEIGHTS} | NO_EVIDENCE.keys() | EXCLUDED_EVENTS.keys()
    assert named == set(ENUMERATIONS[C.TYPE].words)


def test_costlier_evidence_weighs_more() -> None:
    rising = ("like", "message: replied", "message: exchange", "meet_feedback: both again")
    strengths = [LABEL_WEIGHTS[kind].strength for kind in rising]
    assert strengths == sorted(set(strengths))
    assert all(0 < grade.strength <= 1 for grade in LABEL_WEIGHTS.values())


def test_pairs_only_shown_are_returned_when_asked_for() -> None:
    settings = LabelSettings(unanswered=True)
    lines = [(1, "a", "impression", "b"), (2, "a", "impression", "c"), (3, "a", "like", "c")]
    assert graded(*lines, settings=settings) == {("a", "b"): of("impression"), ("a", "c"): of("like")}


def test_impressions_are_counted_and_times_kept() -> None:
    lines = [
        (1, "a", "impression", "b"),
        (2, "a", "impression", "b"),
        (3, "a", "like", "b"),
        (4, "b", "like", "a"),
    ]
    table = directed_labels(events(*lines))
    assert table["n_impressions"].tolist() == [2, 0]
    assert table[C.TS].tolist() == [day(3), day(4)]


def test_weight_halves_with_age() -> None:
    table = directed_labels(events((0, "a", "like", "b")), as_of=day(180))
    assert table[C.WEIGHT].tolist() == [pytest.approx(LABEL_WEIGHTS["like"].strength / 2)]


def test_the_future_is_never_used() -> None:
    lines = [(1, "a", "like", "b"), (5, "a", "pass", "b"), (6, "b", "block", "a"), (7, "a", "erase")]
    assert graded(*lines, as_of=day(4)) == {("a", "b"): of("like")}
    assert graded(*lines, as_of=day(5)) == {("a", "b"): of("pass")}
    assert graded(*lines, as_of=day(6)) == {}


def test_pairs_of_a_safety_table_are_excluded_both_ways() -> None:
    blocks = pd.DataFrame({C.ACTOR: ["b", "stranger"], C.TARGET: ["a", "a"]})
    lines = [(1, "a", "like", "b"), (1, "b", "like", "a"), (1, "a", "like", "c")]
    assert graded(*lines, excluded=[blocks]).keys() == {("a", "c")}


def test_no_events_give_an_empty_table_with_all_columns() -> None:
    table = directed_labels(Events.none())
    assert len(table) == 0
    assert {C.VIEWER, C.CANDIDATE, "label", "strength", C.WEIGHT, C.TS, "n_impressions"} == set(table)


def test_labels_are_invariant_to_row_order() -> None:
    lines = events(*WEEK, (20, "c", "like", "a"), (21, "a", "pass", "c")).frame
    shuffled = lines.sample(frac=1.0, random_state=np.random.default_rng(0))
    pd.testing.assert_frame_equal(directed_labels(Events.of(lines)), directed_labels(Events.of(shuffled)))
