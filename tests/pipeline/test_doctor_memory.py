"""The memory of a container is its limit, that of a machine what it has."""

from pathlib import Path

from recsys.pipeline.doctor import machine_memory


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
