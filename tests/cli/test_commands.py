"""The command line: what it says, and the code it ends with."""

import json
import shutil
import subprocess
import sys
from contextlib import chdir
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner, Result

from recsys.cli import app
from recsys.constraints import Policy
from recsys.http.audit_log import AuditLog
from recsys.moderation import CaseLog
from recsys.pipeline.lock import writer_lock
from recsys.ranking.ranker import Ranker
from recsys.safety import MemorySafety, SqliteSafety
from recsys.safety.day_log import DayEvent
from recsys.safety.erasure_list import ErasureList
from recsys.storage.load import load_population
from recsys.storage.publication import current_run, read_publication

COMMANDS = [
    "init",
    "map",
    "catalogue",
    "night",
    "simulate",
    "validate",
    "train",
    "evaluate",
    "recommend",
    "publish",
    "experiment",
    "export",
    "rollback",
    "report",
    "promote",
    "access",
    "bind-store",
    "doctor",
    "forget",
    "funnel",
    "guard",
    "openapi",
    "review",
    "serve",
    "token",
    "unlink",
    "warm",
    "why-not",
]
PARAMS = """
people: 120
simulate: {corruption: 0.02}
model: {name: popularity}
recommend: {k: 5}
publish:
  gates: {list_floor: 1, warn_short_lists: 1.0}
  platform:
    declared_for: parquet:town
    identity_and_age_checked: true
    report_and_block: true
    partnered_members_welcome_in_writing: true
    support_contact: true
"""
NIGHT = [
    ["simulate", "--out", "parquet:town"],
    ["train", "--source", "parquet:town", "--out", "model"],
    ["recommend", "--source", "parquet:town", "--model", "model", "--out", "lists.parquet"],
]
PUBLISH = ["publish", "--source", "parquet:town", "--lists", "lists.parquet", "--model", "model"]


def recsys(*arguments: str, lang: str = "C.UTF-8") -> Result:
    return CliRunner(env={"COLUMNS": "110", "LC_ALL": lang}).invoke(app, list(arguments))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    (folder / "params.yaml").write_text(PARAMS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for arguments in NIGHT:
            done = recsys(*arguments)
            assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def here(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of its own that sees the tables, the model and the lists."""
    for name in ("params.yaml", "town", "model", "lists.parquet"):
        (tmp_path / name).symlink_to(made / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def served(here: Path, made: Path) -> Path:
    """Return such a folder whose lists are served; published once."""
    if not (made / "data").exists():
        with chdir(made):
            assert recsys(*PUBLISH).exit_code == 0
    shutil.copytree(made / "data", here / "data")
    return here


def test_help_names_every_command() -> None:
    done = recsys("--help")
    assert done.exit_code == 0
    listed = [line.split()[0] for line in done.output.partition("Commands:")[2].splitlines() if line.strip()]
    assert listed == COMMANDS
    assert "20 refused by a gate" in done.output


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shows_an_example(command: str) -> None:
    done = recsys(command, "--help")
    assert done.exit_code == 0
    assert f"Example: recsys {command}" in done.output or "Commands:" in done.output


def test_a_refused_row_runs_nothing_in_a_spreadsheet(here: Path) -> None:
    """Seen to fail while the rows were written as they came."""
    bad = ["=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "\t=1", "\uff1d1"]
    shutil.copytree(here / "town", here / "marked")
    table = pd.read_parquet(here / "marked/boundaries.parquet")
    table = table.assign(user_id=[*bad, *table.user_id[len(bad) :]])
    table.to_parquet(here / "marked/boundaries.parquet")
    done = recsys("validate", "--source", "parquet:marked", "--quarantine", "refused.csv")
    assert done.exit_code == 0, done.output
    cells = pd.read_csv(here / "refused.csv", dtype=str, keep_default_na=False).to_numpy().ravel()
    written = "\n".join(cells)
    assert all("'" + start in written for start in "=+-@")
    assert not [cell for cell in cells if cell.startswith(tuple("=+-@\t\r\n\uff1d"))]


def test_validate_counts_rows_and_reasons(here: Path) -> None:
    done = recsys("validate", "--source", "parquet:town", "--quarantine", "refused.csv")
    assert done.exit_code == 0
    assert "profiles" in done.output
    refused = pd.read_csv(here / "refused.csv")
    counts = [line.split() for line in done.output.partition("refused, by reason")[0].splitlines()[1:]]
    assert all(int(rows) == int(good) + int(bad) for _, rows, good, bad in filter(None, counts))
    assert sum(int(row[3]) for row in filter(None, counts)) == len(refused) > 0
    reason = refused["codes"].iloc[0].split("|")[0]
    assert reason in done.output


def test_recommend_prints_reasons_in_words(here: Path) -> None:
    viewer = pd.read_parquet("lists.parquet")["viewer_id"].iloc[0]
    arguments = ["recommend", viewer, "--source", "parquet:town", "--model", "model"]
    english, japanese = recsys(*arguments), recsys(*arguments, "--lang", "ja")
    assert english.exit_code == japanese.exit_code == 0
    assert english.output.splitlines()[0] == viewer
    assert english.output.isascii()
    assert not japanese.output.isascii()
    assert len(recsys(*arguments, "-k", "1").output.splitlines()) == 2


def test_recommend_lists_nobody_whom_the_ledger_of_the_home_stops_or_keeps_apart(served: Path) -> None:
    """Seen to fail: lists were made by the tables alone, with who was held, blocked or erased by day."""
    lists = pd.read_parquet("lists.parquet")
    viewer = lists["viewer_id"].value_counts().index[0]
    held, blocked, reported, erased, *left = lists.loc[lists["viewer_id"] == viewer, "candidate_id"]
    ranker = Ranker.open("data/published", safety=MemorySafety(), poll_s=0, max_staleness=None)
    ranker.safety.hold(held, owner="case-1", reason="money")
    ranker.safety.block(blocked, viewer)
    ranker.day.report(viewer, reported, "money")
    assert recsys("forget", erased, "--yes").exit_code == 0
    arguments = ["recommend", "--source", "parquet:town", "--model", "model", "--out", "now.parquet"]
    done = recsys(*arguments)
    assert done.exit_code == 0, done.output
    now = pd.read_parquet("now.parquet")
    assert not now[["viewer_id", "candidate_id"]].isin([held, erased]).any(axis=None)
    pairs = {frozenset(pair) for pair in now[["viewer_id", "candidate_id"]].itertuples(index=False)}
    assert not pairs & {frozenset((viewer, blocked)), frozenset((viewer, reported))}
    assert now.loc[now["viewer_id"] == viewer, "candidate_id"].tolist() == left
    assert all([*rows] == [*range(1, len(rows) + 1)] for _, rows in now.groupby("viewer_id")["rank"])
    (served / "data/published/safety-ledger.jsonl").unlink()
    (served / "data/published/safety-ledger.head").unlink()
    assert recsys(*arguments).exit_code == 30


def test_publish_serves_and_says_what_the_gates_said(here: Path) -> None:
    done = recsys(*PUBLISH)
    assert done.exit_code == 0, done.output
    assert "PASS  violations" in done.output
    served = read_publication(here / "data/published")
    assert f"published: data/published/runs/{served.run_id}" in done.output
    assert len(served.lists) == len(pd.read_parquet("lists.parquet"))
    ranker = Ranker.open("data/published", safety=MemorySafety(), poll_s=0, max_staleness=None)
    viewer = served.lists["viewer_id"].iloc[0]
    shown = {item.candidate_id for item in ranker.rank(viewer, k=50).items}
    assert shown >= set(served.lists.loc[served.lists["viewer_id"] == viewer, "candidate_id"])
    ranker.close()


def test_publish_with_warnings_ends_with_10(served: Path) -> None:
    lists = pd.read_parquet("lists.parquet")
    lists[lists["rank"] <= 3].to_parquet("shorter.parquet")
    done = recsys(*PUBLISH, "--lists", "shorter.parquet")
    assert done.exit_code == 10, done.output
    assert "WARN  rows" in done.output


def test_a_refused_publication_ends_with_20(served: Path) -> None:
    before = current_run(served / "data/published")
    lists = pd.read_parquet("lists.parquet")
    lists.assign(candidate_id=lists["viewer_id"]).to_parquet("selves.parquet")
    done = recsys(*PUBLISH, "--lists", "selves.parquet")
    assert done.exit_code == 20
    assert "BLOCK no_self" in done.output
    assert current_run(served / "data/published") == before


def test_a_busy_folder_ends_with_30(here: Path) -> None:
    with writer_lock(here / "data/published"):
        done = recsys(*PUBLISH)
    assert done.exit_code == 30
    assert done.stderr.startswith("error: another writer is at work")


def test_evaluate_prints_every_model_beside_random(here: Path) -> None:
    done = recsys("evaluate", "--source", "parquet:town", "--out", "evaluation.json")
    assert done.exit_code == 0, done.output
    found = json.loads((here / "evaluation.json").read_text())
    assert found["answered_after"] > 0
    models = {row["model"] for row in found["measures"]}
    assert models == {"content", "collaborative", "popularity", "random"}
    assert all(model in done.output for model in models)
    assert "ndcg@10" in done.output


def test_why_not_names_the_rules_in_both_languages(here: Path) -> None:
    profiles = pd.read_parquet("town/profiles.parquet")
    unverified = profiles.loc[profiles["verification"] == "none", "user_id"].iloc[0]
    viewer = pd.read_parquet("lists.parquet")["viewer_id"].iloc[0]
    arguments = ["why-not", viewer, unverified, "--source", "parquet:town"]
    english, japanese = recsys(*arguments, "--lang", "en"), recsys(*arguments, "--lang", "ja")
    assert f"{viewer} and {unverified} may not meet" in english.output
    assert any("verif" in line or "proof" in line.lower() for line in english.output.splitlines()[1:])
    assert len(japanese.output.splitlines()) == len(english.output.splitlines())
    assert "引き合わせません" in japanese.output


def test_why_not_names_who_may_be_shown_to_whom_beside_what_holds_for_both(here: Path) -> None:
    people, policy = load_population("parquet:town"), Policy.default()
    rows = ((i, j) for i in range(40) for j in range(i))
    found = (((i, j), policy.why_not(people, i, j)) for i, j in rows)
    (i, j), reasons = next(one for one in found if {"both", "forward"} <= {why.direction for why in one[1]})
    a, b = people.ids.ids([i, j])
    lines = recsys("why-not", a, b, "--source", "parquet:town", "--lang", "en").output.splitlines()
    assert sum(line.startswith("  - ") for line in lines) == len(reasons)
    assert f"{b} may not be shown to {a}:" in lines


def test_why_not_of_two_who_may_meet(here: Path) -> None:
    pair = pd.read_parquet("lists.parquet").iloc[0]
    done = recsys("why-not", pair["viewer_id"], pair["candidate_id"], "--source", "parquet:town")
    assert done.output.splitlines()[:2] == [
        f"{pair['viewer_id']} and {pair['candidate_id']} may meet",
        f"{pair['candidate_id']} may be shown to {pair['viewer_id']}",
    ]


def test_why_not_of_somebody_liked_already(here: Path) -> None:
    people = load_population("parquet:town")
    viewer, candidate = people.relations.liked.T
    shown = Policy.default().may_show(people, viewer, candidate)
    a, b = people.ids.ids([viewer[shown][0], candidate[shown][0]])
    for lang, words in (("en", "Liked already"), ("ja", "すでに関心を伝えて")):
        lines = recsys("why-not", a, b, "--source", "parquet:town", "--lang", lang).output.splitlines()
        assert words in lines[2]


def test_funnel_ends_with_those_who_remain(here: Path) -> None:
    lists = pd.read_parquet("lists.parquet")
    viewer, length = next(iter(lists.groupby("viewer_id").size().items()))
    done = recsys("funnel", str(viewer), "--source", "parquet:town")
    assert done.exit_code == 0
    remain = int(done.output.splitlines()[-1].split()[0])
    assert remain >= length
    assert remain == length or length == 5
    everybody = recsys("funnel", "--source", "parquet:town", "--lang", "ja")
    assert everybody.output.startswith("全員")


def test_report_writes_one_page(served: Path) -> None:
    done = recsys("report", "--source", "parquet:town", "--out", "page.html", "--lang", "ja")
    assert done.exit_code == 0, done.output
    assert (served / "page.html").read_text().startswith("<!")


def test_doctor_is_content_before_and_after_the_first_night(here: Path) -> None:
    before = recsys("doctor")
    assert before.exit_code == 0, before.output
    assert "nothing is published yet" in before.output
    recsys(*PUBLISH)
    after = recsys("doctor")
    assert after.exit_code == 0
    assert f"{current_run(here / 'data/published')}" in after.output


def test_doctor_finds_a_damaged_publication(served: Path) -> None:
    publication = read_publication(served / "data/published")
    (publication.folder / "recommendations.parquet").write_bytes(b"")
    done = recsys("doctor")
    assert done.exit_code == 40
    assert "BAD  served" in done.output


def test_doctor_hints_at_threads_that_are_not_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    assert "hint threads" in recsys("doctor").output
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert "ok   threads" in recsys("doctor").output


def test_doctor_hints_when_a_stage_took_most_of_the_memory(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = here / "data" / "work" / "log.jsonl"
    log.parent.mkdir(parents=True)
    assert "ok   memory       not known yet" in recsys("doctor").output
    lines = [{"stage": "train", "peak_mb": 1024}, {"stage": "publish", "peak_mb": 3072}]
    log.write_text("".join(json.dumps(line | {"seconds": 1.0, "exit_code": 0}) + "\n" for line in lines))
    for gib, answer in (
        (16, "ok   memory       publish took most: 3.0 of 16.0 GiB (19%)"),
        (3, "hint memory"),
    ):
        monkeypatch.setattr("recsys.pipeline.doctor.machine_memory", lambda size=gib: size << 30)
        assert answer in recsys("doctor").output


def test_doctor_names_a_stage_that_was_killed(here: Path) -> None:
    under_way = here / "data" / "work" / "running" / "train"
    under_way.parent.mkdir(parents=True)
    under_way.touch()
    done = recsys("doctor")
    assert done.exit_code == 40
    assert "BAD  failure      the last night was cut short in train" in done.output


def test_doctor_finds_broken_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text("poeple: 3")
    done = recsys("doctor")
    assert done.exit_code == 40
    assert "did you mean 'people'" in done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["validate"], "there are no tables yet"),
        (["validate", "--source", "parquet:nowhere"], "no such folder"),
        (["validate", "--source", "xlsx:members"], "use town, parquet:DIR, csv:DIR, duckdb:FILE or"),
        (["validate", "--source", "parquet:town", "--as-of", "soon"], "write a time such as"),
        (["validate", "--source", "parquet:town", "--params", "none.yaml"], "cannot read the parameter file"),
        (["simulate", "--people", "0"], "impossible value of 'people'"),
        (["simulate", "--people", "5", "--out", "csv:out"], "write parquet:DIR or duckdb:FILE"),
        (["why-not", "nobody", "u1", "--source", "parquet:town"], "unknown id"),
        (["funnel", "nobody", "--source", "parquet:town"], "unknown id"),
        (["funnel", "--source", "parquet:town", "--lang", "fr"], "unknown language"),
        (["recommend", "nobody", "--source", "parquet:town", "--model", "model"], "unknown id"),
        (["recommend", "--source", "parquet:town", "--model", "none"], "cannot read arrays"),
        (["recommend", "--source", "parquet:town", "--model", "model", "-k", "0"], "k"),
        ([*PUBLISH, "--lists", "params.yaml"], "not a file of lists"),
        ([*PUBLISH, "--lists", "none.parquet"], "not a file of lists"),
        (["report", "--source", "parquet:town"], "nothing is published"),
    ],
)
def test_bad_input_is_one_message_and_40(here: Path, arguments: list[str], message: str) -> None:
    done = recsys(*arguments)
    assert done.exit_code == 40, done.output
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert "Traceback" not in done.output


def test_the_program_itself(here: Path) -> None:
    program = Path(sys.executable).with_name("recsys")
    done = subprocess.run([program, "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "Usage: recsys" in done.stdout
    wrong = subprocess.run(
        [program, "validate", "--source", "parquet:nowhere"], capture_output=True, text=True, check=False
    )
    assert wrong.returncode == 40
    assert wrong.stderr.startswith("error: no such folder")
    assert len(wrong.stderr.splitlines()) == 1


def test_forget_notes_people_and_says_what_went(served: Path) -> None:
    first = current_run("data/published")
    assert recsys(*PUBLISH).exit_code == 0
    gone = read_publication("data/published").lists["candidate_id"].iloc[0]
    done = recsys("forget", gone)
    assert done.exit_code == 0, done.output
    assert "noted: 1 of 1" in done.output
    assert "publications removed: none\n" in done.output
    assert first in done.output.partition("without them: ")[2].partition("\n")[0]
    assert "what is served now leaves them out" in done.output
    again = recsys(*PUBLISH)
    assert again.exit_code in {0, 10}, again.output
    assert "PASS  erased" in again.output
    lists = read_publication("data/published").lists
    assert len(lists)
    assert gone not in {*lists["viewer_id"], *lists["candidate_id"]}


def test_an_erasure_takes_effect_whatever_the_log_of_cases_looks_like(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail: nobody was erased while the log could not be read."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data/published").mkdir(parents=True)
    CaseLog(tmp_path / "data/cases", MemorySafety()).open_case("u1", "report.money", by="op-1")
    (tmp_path / "data/cases/cases.jsonl").write_text('{"no": "step"}\n')
    asked = recsys("forget", "u1", "--unknown")
    assert (asked.exit_code, len(ErasureList.of("data/published").now())) == (30, 0)
    done = recsys("forget", "u1", "--unknown", "--yes")
    assert done.exit_code == 30
    assert "the log of cases was changed" in done.stderr
    assert ErasureList.of("data/published").now().among(["u1"]).all()


def test_forget_says_when_an_id_is_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    missing = recsys("forget", "u1", "--published", "elsewhere")
    assert missing.exit_code == 40
    assert "no such folder" in missing.stderr
    assert not (tmp_path / "elsewhere").exists()
    (tmp_path / "data/published").mkdir(parents=True)
    tables = tmp_path / "data/work/tables"
    tables.mkdir(parents=True)
    rows = pd.DataFrame({"user_id": ["u1"], "account_state": ["active"], "cell": ["u2"]})
    rows.to_parquet(tables / "profiles.parquet")
    (tables / "note.json").write_text('{"u2": 1}')
    refused = recsys("forget", "u1", "u2")  # seen to fail: any word of any file was somebody
    assert refused.exit_code == 40
    assert "names this id: got 'u2'" in refused.stderr
    assert len(ErasureList.of("data/published").now()) == 0
    assert [recsys("access", one).exit_code for one in ("u1", "u2")] == [
        0,
        40,
    ]  # seen to fail: a letter to u2
    done = recsys("forget", "u1", "u2", "--unknown")
    assert done.exit_code == 0, done.output
    assert recsys("forget", "u2").exit_code == 0  # it may be asked again


def test_forget_asks_first_where_cases_or_holds_would_end_and_stands_in_the_audit_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data/published").mkdir(parents=True)
    store = SqliteSafety.create("data/safety.db")
    cases = CaseLog("data/cases", store)
    cases.open_case("u1", "report.money", by="aki")
    store.hold("u2", reason="phone_call")
    days = [DayEvent(f"e{n}", datetime.now(UTC), f"u{n}", "u9", "report", "threat") for n in (3, 4)]
    store.day.append(days)
    cases.open_case("u9", "report.threat", by="aki", evidence=("e4",))
    assert recsys("forget", "u4", "--unknown").exit_code == 0  # the report is a case, so nothing is lost
    assert "通報や知らせが 1 件" in recsys("forget", "u3", "--lang", "ja").output
    asked = (("u1", "1 open cases, 0 holds"), ("u2", "0 open cases, 1 holds"), ("u3", "about this member: 1"))
    for user, told in asked:
        refused = recsys("forget", user)
        assert refused.exit_code == 40
        assert told in refused.output
        assert "nobody was erased" in refused.stderr
        assert recsys("access", user).exit_code in {0, 40}
        assert recsys("forget", user, "--yes").exit_code == 0
        erased = recsys("access", user)
        assert (erased.exit_code, "this person was erased" in erased.stderr) == (40, True)
        looks = AuditLog(Path("data/cases")).newest(user=user)
        assert [(one.what, one.purpose) for one in looks] == [
            ("erasure", "recsys forget"),
            ("access", "recsys access"),
        ]
    assert cases.of("case-1").person == ""


def test_forget_asks_of_holds_and_reports_of_the_tables_of_the_night(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail: of these only reports since the night, and holds of the store, were asked about."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data/published").mkdir(parents=True)
    tables = tmp_path / "data/work/tables"
    tables.mkdir(parents=True)
    now = pd.Timestamp.now("UTC")
    people = [f"u{n}" for n in range(12)]
    states = pd.Series("active", people)
    states[["u1", "u2"]] = "hold", "banned"
    profiles = {"user_id": people, "valid_from": now, "account_state": states.to_numpy(object)}
    pd.DataFrame(profiles).to_parquet(tables / "profiles.parquet")
    held = pd.DataFrame({"user_id": ["u3"], "ts": [now], "state": ["active"], "owner": ["case-2"]})
    held.to_parquet(tables / "holds.parquet")
    reports = pd.DataFrame({"actor": ["u4"], "target": ["u5"], "ts": [now], "category": ["minor"]})
    reports.to_parquet(tables / "reports.parquet")
    rows = [("e1", "u6", "u7", "report", "minor"), ("e2", "u8", "u9", "meet_feedback", "unsafe")]
    events = pd.DataFrame(rows, columns=["event_id", "actor", "target", "type", "detail"]).assign(ts=now)
    events.to_parquet(tables / "events.parquet")
    for user in people[1:10]:
        refused = recsys("forget", user)
        assert refused.exit_code == 40, user
        assert "nobody was erased" in refused.stderr
    CaseLog("data/cases", MemorySafety()).open_case("u7", "report.minor", by="aki", evidence=("e1",))
    assert recsys("forget", "u6").exit_code == 0  # their report is a case
    assert recsys("forget", "u11").exit_code == 0
    assert recsys("forget", "u4", "--yes").exit_code == 0


def test_a_report_of_the_table_becomes_a_case(here: Path) -> None:
    """Seen to fail: the queue and the cases came from the events alone."""
    reports = pd.read_parquet("town/reports.parquet") if Path("town/reports.parquet").is_file() else None
    people = pd.read_parquet("town/profiles.parquet")["user_id"].unique()
    row = {"actor": people[0], "target": people[1], "ts": pd.Timestamp("2026-01-01", tz="UTC")}
    told = pd.DataFrame([row | {"category": "minor"}])
    before = recsys("review", "--source", "parquet:town", "--lang", "en", "--cases", "cases")
    shutil.copytree("town", "reported")
    pd.concat([one for one in (reports, told) if one is not None]).to_parquet("reported/reports.parquet")
    done = recsys("review", "--source", "parquet:reported", "--lang", "en", "--cases", "cases")
    assert done.exit_code == before.exit_code == 0, done.output
    found = [line for line in done.output.splitlines() if f"  {people[1]}  Suspected minor" in line]
    assert len(found) == 1
    assert "1 cases opened" in done.output


def test_guard_prints_kinds_and_places_and_no_text(here: Path) -> None:
    done = recsys("guard", "よろしければLINE交換しませんか", "--lang", "en")
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert (found["kind"], found["start"], found["label"]) == ("off_platform", 6, "Leaving the app")
    assert "交換" not in done.output
    assert recsys("guard", "a line of poetry").output == ""


def test_review_names_people_and_the_policy(here: Path) -> None:
    done = recsys("review", "--source", "parquet:town", "--lang", "ja", "--most", "3")
    assert done.exit_code == 0, done.output
    assert "/ review-" in done.output.splitlines()[-1]


def test_review_opens_a_case_for_each_row_once(here: Path) -> None:
    events = pd.read_parquet("town/events.parquet")
    report = (
        events[events["type"] == "like"].iloc[[0]].assign(event_id="report-1", type="report", detail="money")
    )
    pd.concat([events, report]).to_parquet("town/events.parquet", index=False)
    asked = ("review", "--source", "parquet:town", "--lang", "en", "--most", "999", "--cases", "cases")
    first, again = recsys(*asked), recsys(*asked)
    assert first.exit_code == again.exit_code == 0, first.output
    rows = int(first.output.splitlines()[-2].split(" / ")[0])
    held = sum("  On hold  " in line for line in first.output.splitlines())
    opened = [int(done.output.splitlines()[-1].split()[0]) for done in (first, again)]
    assert rows > held
    assert opened == [rows - held, 0]
    assert len(CaseLog("cases", MemorySafety()).cases()) == opened[0]


def test_doctor_says_when_what_is_served_names_somebody_erased(served: Path) -> None:
    gone = read_publication("data/published").lists["candidate_id"].iloc[0]
    assert recsys("forget", gone).exit_code == 0
    done = recsys("doctor")
    assert done.exit_code == 40
    assert "BAD  erased" in done.output
    assert gone not in done.output


def test_doctor_says_when_neighbourhoods_name_somebody_erased(served: Path) -> None:
    """Seen to fail: it said that nothing names them."""
    settings = yaml.safe_load((served / "params.yaml").read_text(encoding="utf-8"))
    arms = {name: {"share": 0.5} for name in ("a", "b")}
    experiment = {"name": "e", "unit": "neighbourhood", "starts": "2026-03-02", "nights": 28, "arms": arms}
    settings["experiment"] = experiment | {"neighbourhoods": "groups.parquet"}
    (served / "own.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    rows = pd.DataFrame({"user_id": ["gone-1", "other"], "neighbourhood": ["n1", "n1"]})
    for names, said in ((rows, "BAD  erased"), (rows[1:], "ok   erased")):
        names.to_parquet(served / "groups.parquet", index=False)
        assert recsys("forget", "gone-1", "--unknown").exit_code == 0
        done = recsys("doctor", "--params", "own.yaml")
        assert said in done.output
        assert "gone-1" not in done.output


def test_doctor_shows_what_failed_and_what_took_long(here: Path) -> None:
    work = here / "data" / "work"
    work.mkdir(parents=True)
    line = {"stage": "train", "seconds": 90.0, "peak_mb": 1200, "exit_code": 0}
    (work / "log.jsonl").write_text(
        json.dumps(line) + "\n" + json.dumps({"stage": "old", "seconds": 1}) + "\n"
    )
    assert "90 s in all; slowest: train 90 s 1,200 MB" in recsys("doctor").output
    (work / "settings.yaml").write_text("budget: {night_minutes: 3}\n")
    assert "90 s in all of 3 min allowed (50%)" in recsys("doctor").output
    (work / "failure.json").write_text(
        json.dumps({"stage": "ingest", "exit_code": 40, "message": "no such folder\nmore"})
    )
    done = recsys("doctor")
    assert done.exit_code == 40
    assert "ingest ended with 40: no such folder" in done.output


IN_JAPANESE = [
    (["validate", "--source", "parquet:town", "--quarantine", "refused.csv"], "隔離した行の理由"),
    (["train", "--source", "parquet:town", "--out", "again"], "again に保存しました"),
    (["recommend", "--source", "parquet:town", "--model", "model", "--out", "two.parquet"], "人の一覧"),
    (PUBLISH, "（比べる前回がありません）"),
    (PUBLISH, "公開しました：data/published/runs/"),
    (["rollback"], "提供中："),
    (["doctor"], "すべての検査に合格"),
    (["forget", "nobody", "--unknown"], "1 人のうち 1 人を、新たに消去の記録に加えました"),
    (["simulate", "--people", "20", "--out", "parquet:small"], "20 人、行動記録"),
]


def test_outcomes_are_in_the_language_of_the_locale_or_the_settings(here: Path) -> None:
    for arguments, told in IN_JAPANESE:
        done = recsys(*arguments, lang="ja_JP.UTF-8")
        assert done.exit_code == 0, done.output
        assert told in done.output
    (here / "ja.yaml").write_text(PARAMS + "report: {lang: ja}\n")
    assert "正常   settings" in recsys("doctor", "--params", "ja.yaml").output
    (here / "en.yaml").write_text(PARAMS + "report: {lang: en}\n")
    english = recsys("doctor", "--params", "en.yaml", lang="ja_JP.UTF-8").output
    assert "ok   settings" in english


def test_a_refusal_says_what_to_do_in_both_languages(here: Path) -> None:
    lists = pd.read_parquet("lists.parquet")
    lists.assign(candidate_id=lists["viewer_id"]).to_parquet("selves.parquet")
    japanese = recsys(*PUBLISH, "--lists", "selves.parquet", lang="ja_JP.UTF-8")
    english = recsys(*PUBLISH, "--lists", "selves.parquet")
    assert japanese.exit_code == english.exit_code == 20
    assert "公開しませんでした" in japanese.output
    assert "gates.json を添えて知らせてください" in japanese.output
    assert "report it, with gates.json" in english.output
    assert len(japanese.output.splitlines()) == len(english.output.splitlines())
