"""The command of attacks at a small size: what it promises, and that a broken door is told as broken."""

import json
from pathlib import Path

import pytest

from tests.benchmarks import attacks
from tests.benchmarks.attacks import Verdict
from tests.benchmarks.attacks.__main__ import main, tried


def test_every_attack_on_stages_and_supply_is_held(tmp_path: Path) -> None:
    assert main(["--groups", "stages", "supply", "--json", str(tmp_path / "out.json")]) == 0
    found = json.loads((tmp_path / "out.json").read_text())
    assert found["summary"]["tried"] == len(found["rows"]) >= 40
    assert found["summary"]["broken"] == 0, found["summary"]["not_held"]
    assert found["summary"]["held"] + found["summary"]["weak"] == found["summary"]["tried"]


def test_there_are_as_many_as_promised_each_with_a_name_of_its_own() -> None:
    names = [(one.group, one.name) for one in attacks.ATTACKS]
    assert len(names) == len(set(names)) >= 120
    assert {group for group, _ in names} == set(attacks.GROUPS)


def test_a_door_that_lets_somebody_in_or_falls_over_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.benchmarks.attacks import eligibility

    monkeypatch.setattr(eligibility, "meets", lambda tables: True)
    one = next(one for one in attacks.ATTACKS if one.name == "a block in the future")
    assert tried(one.run).state == "broken"

    def falls() -> Verdict:
        raise KeyError("profiles")

    assert tried(falls).state == "broken"
