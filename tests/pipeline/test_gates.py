"""Each gate alone: it passes what is right and answers to what is planted."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.catalogue import load_catalogue
from recsys.catalogue.columns import Columns as C
from recsys.constraints import policy as many_pairs
from recsys.pipeline.gates import GATES, Gate, Level, Proposal
from recsys.pipeline.gates.list_checks import lengths, no_duplicates, no_self, people, ranks, rows, scores
from recsys.pipeline.gates.safety import platform, violations
from recsys.settings import GateSettings
from recsys.storage.publication import read_publication
from tests.pipeline.small_night import Night, not_shown


@pytest.fixture
def proposal(night: Night) -> Proposal:
    return Proposal(night.lists, night.people, night.policy, GateSettings())


def with_first(night: Night, **values: object) -> pd.DataFrame:
    lists = night.lists.copy()
    for column, value in values.items():
        lists[column] = lists[column].astype(object)
        lists.loc[0, column] = value
    return lists


@pytest.mark.parametrize("gate", GATES)
def test_a_good_night_passes(gate: Gate, proposal: Proposal) -> None:
    assert gate(proposal).level is Level.PASS


def test_every_gate_has_a_name_of_its_own_and_a_label(proposal: Proposal) -> None:
    names = [gate(proposal).gate for gate in GATES]
    assert len(set(names)) == len(GATES)
    assert {f"gate.{name}" for name in names} <= load_catalogue().texts.keys()


def test_a_pair_that_may_not_be_shown(night: Night, proposal: Proposal) -> None:
    viewer, candidate = not_shown(night)
    planted = with_first(night, viewer_id=viewer, candidate_id=candidate)
    result = violations(replace(proposal, lists=planted))
    assert (result.level, result.numbers["count"]) == (Level.BLOCK, 1)


def test_violations_are_counted_over_all_parts(
    night: Night, proposal: Proposal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many_pairs, "_PAIRS_AT_ONCE", 7)
    viewer, candidate = not_shown(night)
    planted = night.lists.assign(**{C.VIEWER: viewer, C.CANDIDATE: candidate})
    assert violations(replace(proposal, lists=planted)).numbers["count"] == len(planted)


@pytest.mark.parametrize("column", [C.VIEWER, C.CANDIDATE])
def test_an_unknown_id_is_a_violation(night: Night, proposal: Proposal, column: str) -> None:
    result = violations(replace(proposal, lists=with_first(night, **{column: "nobody"})))
    assert (result.level, result.numbers["count"]) == (Level.BLOCK, 1)


def test_violations_do_not_ask_the_compiled_form(
    night: Night, proposal: Proposal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compiled(*_: object) -> None:
        raise AssertionError("the compiled form was asked")

    monkeypatch.setattr(type(night.policy), "compile", compiled)
    assert violations(proposal).level is Level.PASS


def test_somebody_in_their_own_list(night: Night, proposal: Proposal) -> None:
    planted = with_first(night, candidate_id=night.lists.loc[0, C.VIEWER])
    assert no_self(replace(proposal, lists=planted)).level is Level.BLOCK


def test_somebody_twice_in_a_list(night: Night, proposal: Proposal) -> None:
    planted = with_first(night, candidate_id=night.lists.loc[1, C.CANDIDATE])
    assert night.lists.loc[0, C.VIEWER] == night.lists.loc[1, C.VIEWER]
    assert no_duplicates(replace(proposal, lists=planted)).level is Level.BLOCK


@pytest.mark.parametrize("rank", [0, 2, 99])
def test_a_broken_order(night: Night, proposal: Proposal, rank: int) -> None:
    assert ranks(replace(proposal, lists=with_first(night, rank=rank))).level is Level.BLOCK


@pytest.mark.parametrize("seed", range(4))
def test_ranks_are_counted_in_whatever_order_the_rows_lie(
    night: Night, proposal: Proposal, seed: int
) -> None:
    mixed = night.lists.sample(frac=1.0, random_state=seed).reset_index(drop=True)
    assert ranks(replace(proposal, lists=mixed)).level is Level.PASS
    wrong = mixed.assign(rank=mixed["rank"].where(mixed.index % 9 != seed, mixed["rank"] + seed))
    ordered = wrong.sort_values([C.VIEWER, C.RANK], kind="stable")
    expected = ordered.groupby(C.VIEWER).cumcount() + 1
    count = int((ordered[C.RANK] != expected).sum())
    assert ranks(replace(proposal, lists=wrong)).numbers["count"] == count


@pytest.mark.parametrize("column", [C.P_LIKE, C.P_LIKED_BACK, C.P_MUTUAL])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -0.01, 1.01])
def test_a_score_that_is_no_probability(night: Night, proposal: Proposal, column: str, value: float) -> None:
    lists = night.lists.copy()
    lists.loc[0, column] = value
    assert scores(replace(proposal, lists=lists)).level is Level.BLOCK


@pytest.mark.parametrize("propensity", [0.0, 1.5, np.nan])
def test_what_was_drawn_by_lot_could_be_drawn(night: Night, proposal: Proposal, propensity: float) -> None:
    lists = night.lists.assign(propensity=np.float32(0.5))
    assert scores(replace(proposal, lists=lists)).level is Level.PASS
    lists.loc[0, "propensity"] = propensity
    assert scores(replace(proposal, lists=lists)).level is Level.BLOCK


def test_no_list_at_all(night: Night, proposal: Proposal) -> None:
    assert lengths(replace(proposal, lists=night.lists.iloc[:0])).level is Level.BLOCK


def test_nobody_listed(night: Night, proposal: Proposal) -> None:
    nobody = replace(night.people, has_boundaries=np.zeros(len(night.people), bool), coded={})
    result = lengths(replace(proposal, people=nobody, lists=night.lists.iloc[:0]))
    assert (result.level, result.message) == (Level.BLOCK, "nobody is listed")


def test_the_share_of_short_lists_counts_people_without_a_list(night: Night, proposal: Proposal) -> None:
    viewers = night.lists[C.VIEWER].unique()
    kept = len(viewers) // 3
    third = night.lists[night.lists[C.VIEWER].isin(viewers[:kept])]
    result = lengths(replace(proposal, lists=third))
    assert result.level is Level.WARN
    assert result.numbers["empty"] == pytest.approx(1 - kept / len(viewers))


def test_undeclared_conditions_are_named(proposal: Proposal) -> None:
    result = platform(replace(proposal, undeclared=("support_contact",)))
    assert result.level is Level.BLOCK
    assert "support_contact" in result.message
    assert result.names == {"undeclared": ("support_contact",)}


@pytest.mark.parametrize(
    ("share", "level"), [(1.0, Level.PASS), (0.9, Level.PASS), (0.6, Level.WARN), (0.3, Level.BLOCK)]
)
@pytest.mark.parametrize("gate", [people, rows])
def test_against_last_night(
    night: Night, proposal: Proposal, tmp_path: Path, gate: Gate, share: float, level: Level
) -> None:
    night.publish(tmp_path)
    viewers = night.lists[C.VIEWER].unique()
    kept = night.lists[night.lists[C.VIEWER].isin(viewers[: round(share * len(viewers))])]
    limits = GateSettings(warn_below_rows=0.8, warn_below_people=0.8)
    previous = read_publication(tmp_path)
    result = gate(replace(proposal, lists=kept, limits=limits, previous=previous))
    assert result.level is level


def test_the_order_of_gates_is_safety_first() -> None:
    assert [gate.__name__ for gate in GATES[:2]] == ["platform", "violations"]
