"""What operators may ask, with whose permission."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from recsys.errors import InputError, NotPermittedError
from recsys.ranking.pair_audit import OperatorGate, OperatorPermission
from recsys.ranking.ranker import Ranker
from recsys.safety import MemorySafety
from tests.ranking.published_world import World


@pytest.fixture(scope="module")
def world() -> World:
    return World.small(20)


@pytest.fixture(scope="module")
def folder(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("published")
    world.publish(found)
    return found


def test_an_operator_sees_why(world: World, folder: Path) -> None:
    gate, safety = OperatorGate(), MemorySafety()
    ranker = Ranker.open(folder, safety=safety, poll_s=0, operators=gate)
    viewer = world.people.ids.values[3]
    other = world.listed(viewer)[1]
    permission = gate.permit("op-7", purpose="appeal 31")
    with capture_logs() as said:
        seen = ranker.explain_for_operator(viewer, other, permission=permission)
    i, j = world.people.ids.rows([viewer, other])
    assert seen.p_like == pytest.approx(world.directed.probabilities([i], [j])[0])
    assert seen.p_liked_back == pytest.approx(world.directed.probabilities([j], [i])[0])
    assert (seen.known, seen.listed, seen.allowed, seen.rank, seen.stage) == (
        True,
        True,
        True,
        2,
        "listed",
    )
    assert [(event["operator"], event["purpose"]) for event in said] == [("op-7", "appeal 31")]
    assert viewer not in repr(said)
    safety.block(viewer, other)
    assert ranker.explain_for_operator(viewer, other, permission=permission).excluded
    nobody = ranker.explain_for_operator(viewer, "u-nobody", permission=permission)
    assert (nobody.known, nobody.allowed, nobody.p_like) == (False, False, None)


def test_nobody_else_does(world: World, folder: Path) -> None:
    gate = OperatorGate()
    ranker = Ranker.open(folder, safety=MemorySafety(), poll_s=0, operators=gate)
    closed = Ranker.open(folder, safety=MemorySafety(), poll_s=0)
    a, b = world.people.ids.values[:2]
    soon = datetime.now(UTC) + timedelta(minutes=5)
    good = gate.permit("op", purpose="a case")
    forged = OperatorPermission("op", "a case", soon)
    for permission in (None, forged, OperatorGate().permit("op", purpose="a case"), "op"):
        with pytest.raises(NotPermittedError):
            ranker.explain_for_operator(a, b, permission=permission)  # type: ignore[arg-type]
    with pytest.raises(NotPermittedError):
        closed.explain_for_operator(a, b, permission=good)
    with pytest.raises(NotPermittedError):
        gate.check(good, datetime.now(UTC) + timedelta(hours=1))


@pytest.mark.parametrize(
    ("operator", "purpose", "minutes"),
    [
        ("", "x", 5),
        ("op", " ", 5),
        ("op", "\u200b\u2800\u3164", 5),
        ("op", "x" * 501, 5),
        ("op", "x", 0),
        ("op", "x", 1e5),
    ],
)
def test_a_permission_says_who_and_why_and_ends(operator: str, purpose: str, minutes: float) -> None:
    with pytest.raises(InputError):
        OperatorGate().permit(operator, purpose=purpose, minutes=minutes)
