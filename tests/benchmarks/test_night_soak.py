"""The soak for some seconds, and that it sees what is lost."""

import json
from pathlib import Path

import pytest

from recsys.pipeline import retention as module
from recsys.pipeline.retention import remove_leftovers
from tests.benchmarks import night_soak


@pytest.mark.thorough
def test_nothing_is_lost(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    assert night_soak.main(["--minutes", "0.05", "--json", str(out)]) == 0
    summary = json.loads(out.read_text())["summary"]
    assert summary["rounds"] >= 1
    assert summary["lost"] == 0


def test_a_writer_that_spoils_what_is_served_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    first = remove_leftovers

    def spoiled(published: Path) -> None:
        for path in published.glob("runs/2*/serving/rows.npy"):
            path.write_bytes(b"")
        first(published)

    monkeypatch.setattr(module, "remove_leftovers", spoiled)
    assert night_soak.main(["--minutes", "0.15"]) == 1
