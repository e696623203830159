"""What the gates said, in both languages, from what they counted and named."""

import json
from pathlib import Path

import pytest

from recsys.pipeline.gates import GateResult, Level
from recsys.pipeline.history import GATES_FILE, gates_bytes, read_gates
from recsys.report import render_report
from recsys.report.gate_messages import gate_message
from recsys.report.localization import Texts
from tests.report.nights import full_night
from tests.report.pages import page_in

RAW = "a sentence for the log"
SHARES = {"value": 0.2, "worst": 0.1, "everybody": 0.5}
NAMED = [
    (
        GateResult("platform", Level.BLOCK, RAW, {"count": 1}, {"undeclared": ("support_contact",)}),
        "宣言されていない条件：困ったときの相談窓口がある (support_contact)",
        "Not declared for this source: There is a support contact (support_contact)",
    ),
    (
        GateResult("parity", Level.WARN, RAW, SHARES, {"cohort": ("gender", "woman")}),
        "女性では 10.0% がふつうの長さの一覧を受けとり、全体では 50.0% です",
        "Woman: 10.0% have a list of usual length, 50.0% of everybody",
    ),
    (
        GateResult("drift", Level.WARN, RAW, {"value": 0.31}, {"column": ("age_band",)}),
        "最も動いた列は age_band（PSI 0.31）",
        "age_band moved most (PSI 0.31)",
    ),
    (
        GateResult("people", Level.WARN, RAW, {"now": 6}, {"problem": ("no manifest",)}),
        "6（前回の公開と比べられません：no manifest）",
        "6 (the last publication cannot be compared with: no manifest)",
    ),
    (
        GateResult("rows", Level.WARN, RAW, {"now": 6, "last": 8}),
        "6（前回 8 の 75.0%）",
        "6 (75.0% of last night's 8)",
    ),
]


@pytest.mark.parametrize(("result", "japanese", "english"), NAMED, ids=lambda it: getattr(it, "gate", ""))
def test_names_are_told_in_the_language_of_the_page(result: GateResult, japanese: str, english: str) -> None:
    assert gate_message(result, Texts("ja")) == japanese
    assert gate_message(result, Texts("en")) == english
    text = render_report(full_night(gates=[result]), "ja")
    assert japanese in page_in(text, "ja").text
    assert RAW not in text


@pytest.mark.parametrize(("result", "japanese", "english"), NAMED[:4], ids=lambda it: getattr(it, "gate", ""))
def test_a_file_from_before_names_were_kept_still_says_all(
    result: GateResult, japanese: str, english: str, tmp_path: Path
) -> None:
    raw = json.loads(gates_bytes([result]))
    (tmp_path / GATES_FILE).write_bytes(gates_bytes([result]))
    assert read_gates(tmp_path) == [result]
    del raw[0]["names"]
    (tmp_path / GATES_FILE).write_text(json.dumps(raw))
    text = page_in(render_report(full_night(gates=read_gates(tmp_path)), "ja"), "ja").text
    assert japanese not in text
    assert RAW in text


def test_a_gate_of_ones_own_speaks_for_itself() -> None:
    assert (
        gate_message(GateResult("of_ones_own", Level.WARN, RAW, {"now": 3, "count": 2}), Texts("ja")) == RAW
    )


@pytest.mark.parametrize("lang", ["ja", "en"])
@pytest.mark.parametrize("why", ["ahead", "behind", "no_events"])
def test_times_of_a_gate_are_told_in_the_zone_of_the_service(lang, why):
    names = {"why": (why,), "as_of": ("2026-01-05T20:00:00+00:00",), "last": ("2026-01-06T20:00:00+00:00",)}
    result = GateResult("clock", Level.WARN, RAW, {"count": 1}, names)
    said = gate_message(result, Texts(lang), "Asia/Tokyo")
    assert "2026-01-06 05:00 JST" in said
    assert "+00:00" not in said
