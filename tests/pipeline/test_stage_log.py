import os
from pathlib import Path

import pytest

from recsys.pipeline.stage_log import append_line, read_lines


def test_lines_come_back_in_order(tmp_path: Path) -> None:
    log = tmp_path / "work" / "log.jsonl"
    assert read_lines(log) == []
    for stage in ("train", "発行"):
        append_line(log, {"stage": stage, "seconds": 1.5})
    assert [line["stage"] for line in read_lines(log)] == ["train", "発行"]


@pytest.mark.parametrize("cut", range(1, 30, 4))
def test_a_line_cut_short_costs_itself_alone(tmp_path: Path, cut: int) -> None:
    log = tmp_path / "log.jsonl"
    append_line(log, {"stage": "train", "seconds": 1.5})
    whole = log.read_bytes()
    append_line(log, {"stage": "recommend", "seconds": 2.5})
    log.write_bytes(log.read_bytes()[: len(whole) + cut])
    assert [line["stage"] for line in read_lines(log)] == ["train"]
    append_line(log, {"stage": "publish", "seconds": 3.5})
    assert [line["stage"] for line in read_lines(log)] == ["train", "publish"]


def test_a_full_disk_leaves_the_lines_there_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log.jsonl"
    append_line(log, {"stage": "train"})
    write = os.write

    def half(descriptor: int, line: bytes) -> int:
        return write(descriptor, line[: len(line) // 2])

    monkeypatch.setattr(os, "write", half)
    append_line(log, {"stage": "recommend"})
    monkeypatch.undo()
    append_line(log, {"stage": "publish"})
    assert [line["stage"] for line in read_lines(log)] == ["train", "publish"]
