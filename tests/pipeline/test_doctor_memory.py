"""The memory of a container is its limit, that of a machine what it has."""

from pathlib import Path

import pytest

from recsys.memory import machine_memory
from recsys.pipeline import doctor
from recsys.pipeline.paths import PUBLISHED
from recsys.safety.ledger import SafetyLedger


def test_a_limit_below_the_machine_counts(tmp_path: Path) -> None:
    limit = tmp_path / "memory.max"
    whole = machine_memory((limit,))
    assert whole is not None
    limit.write_text("max\n")
    assert machine_memory((limit,)) == whole
    limit.write_text(f"{whole * 2}\n")
    assert machine_memory((limit,)) == whole
    limit.write_text("1048576\n")
    assert machine_memory((limit,)) == 1 << 20


def test_the_doctor_hints_at_a_missing_key_and_finds_a_damaged_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RECSYS_KEY", raising=False)
    SafetyLedger.of(PUBLISHED).begin()
    assert (doctor._keys().good, doctor._keys().hint) == (True, True)
    monkeypatch.setenv("RECSYS_KEY", "a-key-of-the-tests-that-is-long-enough")
    SafetyLedger.of(PUBLISHED).begin()
    assert (doctor._keys().good, doctor._keys().hint) == (True, False)
    monkeypatch.setenv("RECSYS_KEY", "short")
    assert not doctor._keys().good
    monkeypatch.delenv("RECSYS_KEY")
    assert not doctor._keys().good  # the ledger is signed with a key that is not given
