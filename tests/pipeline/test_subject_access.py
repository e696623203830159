"""Somebody asks what is held of them: all of it, from every file an erasure goes through, and no other's."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from recsys.catalogue.entries import Language
from recsys.cli import app
from recsys.data.ids import packed_strings
from recsys.errors import InputError
from recsys.http.audit_log import AuditLog
from recsys.moderation import CaseLog
from recsys.pipeline.subject_access import person_data, person_places
from recsys.pipeline.subject_access_letter import access_letter
from recsys.safety.by_person import SafetyByPerson
from recsys.safety.day_log import DayEvent
from recsys.safety.erasure_list import ErasedPeople, ErasureList, erasure_key, person_hash
from recsys.safety.ledger import SafetyLedger
from recsys.safety.person_files import FILE_KINDS, file_kind, file_names_erased
from recsys.safety.person_records import ANOTHER, PERSON_COLUMNS, Person
from recsys.safety.sqlite_store import SqliteSafety
from recsys.safety.store import MemorySafety
from tests.pipeline.nights import Folder
from tests.pipeline.search import files_with

ME, OTHER = "u00001", "u00002"
AT = datetime(2026, 1, 5, tzinfo=UTC)
_OWNER = ("actor", "user_id", "viewer_id")


def planted(frame: pd.DataFrame, user: str, mark: str) -> tuple[pd.DataFrame, list[str]]:
    """Return a table with a token in each column of one row of a person."""
    row = {column: f"{mark}-{column}" for column in frame.columns if column not in PERSON_COLUMNS}
    row |= {column: user for column in frame.columns if column in PERSON_COLUMNS}
    owner = next((column for column in _OWNER if column in row), None)
    for column in PERSON_COLUMNS:
        if column in row and column != owner:
            row[column] = OTHER if user == ME else ME
    tokens = [value for value in row.values() if value.startswith(mark)]
    texts = frame.astype(object).map(lambda value: None if isinstance(value, float) else str(value))
    return pd.concat([texts, pd.DataFrame([row])], ignore_index=True), tokens


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str], list[str]]:
    """Return files of every kind with tokens of one person and of another in each column."""
    folder, own, theirs = tmp_path_factory.mktemp("held"), [], []
    columns = {
        "profiles": ["user_id", "nickname", "cell", "gender"],
        "events": ["event_id", "actor", "target", "type", "detail", "ts"],
        "lists": ["viewer_id", "candidate_id", "reasons", "stage"],
        "holds": ["user_id", "state", "reason"],
    }
    for name, names in columns.items():
        frame = pd.DataFrame(columns=names)
        frame, tokens = planted(frame, ME, f"mine-{name}")
        frame, others = planted(frame, OTHER, f"other-{name}")
        own, theirs = own + tokens, theirs + others
        frame.to_parquet(folder / f"{name}.parquet")
        frame.to_csv(folder / f"{name}-copy.csv", index=False)
    (folder / "note.json").write_text(
        json.dumps([{"user_id": ME, "detail": "mine-json"}, {"user_id": OTHER, "detail": "other-json"}])
    )
    lines = ({"viewer": ME, "detail": "mine-line"}, {"viewer": OTHER, "detail": "other-line"})
    (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "page.html").write_text(f"<p>{ME} and {OTHER}</p>")
    text, ends = packed_strings([ME, OTHER])
    np.save(folder / "ids_text.npy", text)
    np.save(folder / "ids_ends.npy", ends)
    np.save(folder / "taste.npy", np.array([[0.123456, 1.0], [0.987654, 2.0]], np.float32))
    hashed = pd.DataFrame(
        {"viewer_id": [person_hash(ME), person_hash(OTHER)], "reasons": ["mine-hash", "other-hash"]}
    )
    hashed.to_parquet(folder / "tracked.parquet")
    own += ["mine-json", "mine-line", "mine-hash", "0.123456"]
    return folder, own, [*theirs, "other-json", "other-line", "other-hash", "0.987654", OTHER]


def test_every_planted_token_is_found_and_no_other_persons(filled: tuple[Path, list[str], list[str]]) -> None:
    folder, own, theirs = filled
    found = person_data(ME, {"work": folder})
    for text in (found.as_json(), access_letter(found, "en", at=AT), access_letter(found, "ja", at=AT)):
        # the copy as JSON alone has numbers of records and columns that no text names
        left_out = () if text.startswith("{") else ("event_id", "nickname")
        told = [token for token in own if not token.endswith(left_out)] if left_out else own
        assert [token for token in told if token not in text and "." not in token] == []
        assert [token for token in theirs if token in text] == []
    assert sum(one.withheld for one in found.files) >= 3  # what the other did about them
    assert ANOTHER in found.as_json()


def test_a_row_is_found_in_every_form_of_array_and_in_a_table_of_texts_alone(tmp_path: Path) -> None:
    ids = ["x" + ME, ME, ME + "x", "é", ME]  # an id within another is nobody
    for name, kind in (("bytes", "S16"), ("texts", "U16")):
        np.save(tmp_path / f"{name}.npy", np.array([one.replace("é", "e") for one in ids], kind))
    packed, ends = packed_strings(ids)
    np.save(tmp_path / "ids_text.npy", packed)
    np.save(tmp_path / "ids_ends.npy", ends)
    pd.DataFrame({"user_id": ids, "tag": [*"abcde"]}).to_parquet(tmp_path / "texts.parquet")
    found = {one.file: one.records for one in person_data(ME, {"work": tmp_path}).files}
    assert {name: [record["row"] for record in found[name]] for name in found if "npy" in name} == {
        "bytes.npy": [1, 4],
        "texts.npy": [1, 4],
        "ids_text.npy": [1, 4],
    }
    assert [(record["user_id"], record["tag"]) for record in found["texts.parquet"]] == [(ME, "b"), (ME, "e")]


def test_what_access_finds_is_what_an_erasure_looks_for(filled: tuple[Path, list[str], list[str]]) -> None:
    folder = filled[0]
    erased = ErasedPeople(moments={erasure_key(ME, b""): "2026-01-05"})
    for path in sorted(folder.iterdir()):
        there = any(one.file == path.name for one in person_data(ME, {"x": folder}).files)
        assert there == file_names_erased(path, erased), path.name
    assert {path.suffix for path in folder.iterdir()} - {".html"} <= set(FILE_KINDS)


def test_the_night_of_a_service_is_searched_through(golden: Folder) -> None:
    work = golden.published.parent / "work"
    lists = pd.read_parquet(work / "lists.parquet")
    viewer = str(lists["viewer_id"].iloc[0])
    found = person_data(viewer, person_places(published=golden.published, work=work))
    named = {Path(name).name for name in files_with(work, viewer)}
    assert named
    assert named - {Path(one.file).name for one in found.files} == set()
    others = sorted(set(lists["candidate_id"]) - {viewer})
    assert [user for user in others if user in found.as_json()] == []


def test_a_safety_store_says_what_is_theirs_and_counts_the_rest(tmp_path: Path) -> None:
    for store in (SqliteSafety.create(tmp_path / "safety.db"), MemorySafety()):
        store.block(ME, "u7")
        store.block("u8", ME)
        store.hold(ME, owner="member", reason="money")
        file = {"safety": tmp_path / "safety.db"} if isinstance(store, SqliteSafety) else {}
        found = person_data(ME, file, safety=None if file else store)
        text = found.as_json()
        assert "u7" not in text
        assert "u8" not in text
        assert sum(one.withheld for one in found.files) >= 1
        assert "money" in text


def test_nothing_tells_a_member_that_others_reported_or_blocked_them(tmp_path: Path) -> None:
    """The answer is the same whether two others did or nobody did."""
    answers = []
    for others in ((), ("u7", "u8")):
        folder = tmp_path / f"of-{len(others)}"
        (folder / "cases").mkdir(parents=True)
        store = SqliteSafety.create(folder / "safety.db")
        memory = MemorySafety()
        cases = CaseLog(folder / "cases", store)
        for other in others:
            for one in (store, memory):
                one.block(other, ME)
                one.report(other, ME)
            cases.open_case(ME, "report.money", by="op-1", note=f"partner of {other} calls")
        rows = pd.DataFrame({"actor": others, "target": [ME] * len(others)}).astype(str)
        rows.to_parquet(folder / "reports.parquet")
        for where in ({"work": folder}, {"safety": folder / "safety.db"}, {}):
            found = person_data(ME, where, safety=None if where else memory)
            answers.append(
                (found.as_json(), access_letter(found, "en", at=AT), access_letter(found, "ja", at=AT))
            )
    assert answers[:3] == answers[3:]


_SAID_OF_ME = {
    "events": ["type", "detail", "ts", "event_id", "position"],
    "reports": ["category", "ts"],
    "blocks": ["ts", "block_id"],
    "matches": ["ts"],
}
"""Columns of tables of two people that may be wrong, so that a night refuses the row."""
_WRONG = ["stalking", "he hit me", "block_user", "yesterday", "-3", "\u3053\u308f\u3044"]


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([(name, column) for name, columns in _SAID_OF_ME.items() for column in columns]),
    st.sampled_from(_WRONG),
    st.sampled_from([OTHER, None, "mod-77"]),
    st.booleans(),
)
def test_rows_of_others_that_a_night_refused_are_told_to_nobody(
    tmp_path_factory: pytest.TempPathFactory,
    fault: tuple[str, str],
    wrong: str,
    actor: str | None,
    as_copy: bool,
) -> None:
    """Seen to fail: a letter named who reported somebody, in which words, where the row was refused."""
    folder = tmp_path_factory.mktemp("refused")
    (name, column), row = fault, {"actor": actor, "target": ME, "ts": "2026-01-01", "type": "report"}
    row[column] = wrong
    mine = {"actor": ME, "target": OTHER, "ts": "yesterday"}
    texts = ({"user_id": ME, "state": wrong, "owner": "case-9"}, row, mine)
    refused = pd.DataFrame(
        {
            "table": ["holds", name, "blocks"],
            "row_number": [0, 1, 2],
            "user_id": [ME, None, None],
            "codes": ["x.unknown_word", f"{column}.unknown_word", "ts.not_a_time"],
            "reason": [f"unknown word in {column}: got {wrong!r}"] * 2 + ["not a time in ts"],
            "values": [json.dumps(one) for one in texts],
        }
    )
    if as_copy:
        pd.DataFrame([row]).astype(str if actor else object).to_parquet(folder / f"{name}.parquet")
    refused.to_parquet(folder / "quarantine.parquet")
    found = person_data(ME, {"work": folder})
    told = found.as_json() + access_letter(found, "en", at=AT) + access_letter(found, "ja", at=AT)
    assert all(one not in told for one in (wrong, "case-9", "mod-77", OTHER) if one != "yesterday")
    assert told.count("yesterday") >= 1
    assert ANOTHER in told


COLUMNS = (
    "user_id",
    "member",
    "accused",
    "blocked",
    "to",
    "id",
    "complainant",
    "rater",
    "von",
    "by",
    "flagged_by",
)
OWN_TABLES = (
    "complaints",
    "blocked_by",
    "flags",
    "ratings",
    "inbox",
    "mod_notes",
    "members",
    "profiles",
    "users",
)


@given(
    st.sampled_from(OWN_TABLES),
    st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=4, unique=True),
    st.data(),
    st.sampled_from([".csv", ".parquet", ".jsonl", ".json"]),
)
def test_rows_of_a_services_own_tables_in_which_others_may_speak_are_told_to_nobody(
    tmp_path_factory: pytest.TempPathFactory, table: str, columns: list[str], data: st.DataObject, suffix: str
) -> None:
    """Seen to fail: a row that began with the member gave who complained of them, in which words."""
    tmp_path, said = tmp_path_factory.mktemp("own"), "he followed me home"
    mine = data.draw(st.sampled_from(columns))
    row = {one: ME if one == mine else OTHER for one in columns} | {"text": said}
    row = {one: row[one] for one in data.draw(st.permutations([*row]))}
    frame, path = pd.DataFrame([row]), tmp_path / f"{table}{suffix}"
    if suffix == ".csv":
        frame.to_csv(path, index=False)
    elif suffix == ".parquet":
        frame.to_parquet(path)
    else:
        path.write_text(json.dumps(row) + "\n")
    found = person_data(ME, {"tables": tmp_path})
    told = found.as_json() + access_letter(found, "en", at=AT)
    assert said not in told
    assert OTHER not in told
    assert [one.file for one in found.files if one.by_hand] == [path.name], "the operator is told"
    assert table == "profiles" or found.shown == ()
    if table != "profiles":
        (tmp_path / f"{table}.parquet").write_bytes(b"PAR1")
        damaged = person_data(ME, {"tables": tmp_path})
        assert f"{table}.parquet" in [one.file for one in damaged.files if one.by_hand]
        assert damaged.shown == ()


def test_of_a_folder_of_tables_the_columns_of_the_tables_are_given(tmp_path: Path) -> None:
    own = {"user_id": ME, "age_band": "25-34", "gender": "woman"}
    pd.DataFrame([own]).to_csv(tmp_path / "profiles.csv", index=False)
    likes = [{"event_id": "e1", "actor": ME, "target": OTHER, "type": "like", "ts": "2026-01-05T00:00:00Z"}]
    likes.append({**likes[0], "event_id": "e2", "actor": OTHER, "target": ME, "type": "block"})
    pd.DataFrame(likes).to_parquet(tmp_path / "events.parquet")
    found = person_data(ME, {"tables": tmp_path})
    assert [one.records for one in found.shown] == [(own,), ({**likes[0], "target": ANOTHER},)]
    assert not any(one.by_hand for one in found.files)
    pd.DataFrame([{**own, "moderator_note": "liar"}]).to_csv(tmp_path / "profiles.csv", index=False)
    found = person_data(ME, {"tables": tmp_path})
    assert found.shown[0].records == (own,)
    assert [one.file for one in found.files if one.by_hand] == ["profiles.csv"]


def test_what_a_member_did_today_names_nobody_else_and_is_no_code(tmp_path: Path) -> None:
    store, at = SqliteSafety.create(tmp_path / "safety.db"), datetime(2026, 3, 2, tzinfo=UTC)
    store.day.append(
        [
            DayEvent("e1", at, ME, "u7", "report", "threat"),
            DayEvent("e2", at, ME, "u8", "feeling_check", "pressured"),
            DayEvent("e3", at, ME, "u9", "money_request"),
            DayEvent.of_tables("e4", ME, {"interests": [{"user_id": ME, "tag": "ゼブラ"}]}, at),
        ],
        arrived=at,
    )
    found = person_data(ME, {}, safety=store)
    letters = [access_letter(found, lang, at=AT) for lang in ("ja", "en")]  # type: ignore[arg-type]
    for text in (found.as_json(), *letters):
        assert not re.search("u7|u8|u9|money_request|Asked for money", text)
    assert "I feel pressured" in letters[1]
    assert not any("payload" in letter or "\\u" in letter for letter in letters)


def test_who_of_the_operators_did_what_is_in_no_letter(tmp_path: Path) -> None:
    """Planted in every place: case ids, names of operators, reasons of holds; times are dates."""
    sqlite, memory = SqliteSafety.create(tmp_path / "safety.db"), MemorySafety()
    cases = CaseLog(tmp_path / "cases", sqlite)
    cases.open_case(ME, "report.money", by="aki-op", note=f"{ME} said ren-op")
    cases.assign("case-1", ME, by="ren-op")  # a name in the wrong field
    cases.decide("case-1", "hold", reason="report.money", by="aki-op", explanation=ME)
    AuditLog(tmp_path / "cases").add("ren-op", "case-1", "case", [ME], detail="case-1 decide hold")
    ledger = SafetyLedger.of(tmp_path / "published")
    told = SafetyByPerson(memory, ErasureList(tmp_path / "erasures", ledger), ledger)
    for owner, reason in (("case-1", "ban:report.money"), ("operator", "call-of-aki-op")):
        told.hold(ME, owner=owner, reason=reason)
        sqlite.hold(ME, owner=owner, reason=reason)
    for store in (sqlite, memory):
        store.hold(ME, owner="member", reason="pause")
    places = person_places(published=tmp_path / "published", work=tmp_path, cases=tmp_path / "cases")
    for store in (sqlite, memory):
        found = person_data(ME, places, safety=store)
        texts = (found.as_json(), access_letter(found, "en", at=AT), access_letter(found, "ja", at=AT))
        for text in texts:
            for leak in ("case-1", "-op", "report.money", "mac", "e+09"):
                assert leak not in text
        assert "pause" in texts[0]  # their own
        assert all(words in text for words, text in zip(("you", "あなた"), texts[1:], strict=True))
        if store is sqlite:
            assert f"{datetime.now(UTC):%Y-%m-%d}T" in texts[0]
            assert f"{datetime.now(UTC):%Y-%m-%d} " in texts[1]


def test_what_the_person_gave_comes_first_once_and_figures_last(
    filled: tuple[Path, list[str], list[str]],
) -> None:
    found = person_data(ME, {"tables": filled[0], "work": filled[0]})
    shown = [one.file for one in found.shown]
    assert shown[0].startswith("profiles")
    assert found.shown[-1].is_figures
    assert len(shown) == len({str(one.records) for one in found.shown})
    assert "0.123456" in found.as_json()
    assert "0.123456" not in access_letter(found, "en", at=AT)


def test_a_damaged_file_is_named_rather_than_passed_over(tmp_path: Path) -> None:
    (tmp_path / "lists.parquet").write_bytes(b"PAR1 broken")
    found = person_data(ME, {"work": tmp_path})
    assert [(one.file, one.unread) for one in found.files] == [("lists.parquet", True)]
    assert "cannot be read" in access_letter(found, "en", at=AT)


def test_figures_of_what_others_are_to_feel_stay_back() -> None:
    person = Person(ME)
    record = {"viewer_id": ME, "candidate_id": OTHER, "p_like": 0.5, "p_liked_back": 0.2, "p_mutual": 0.1}
    assert person.visible(record) == {"viewer_id": ME, "candidate_id": ANOTHER, "p_like": 0.5}
    assert not person.owns({"viewer_id": OTHER, "candidate_id": ME})


def test_the_command_hands_it_over(filled: tuple[Path, list[str], list[str]], tmp_path: Path) -> None:
    out = tmp_path / "mine.json"
    said = CliRunner().invoke(
        app, ["access", ME, "--published", str(filled[0]), "--json", str(out), "--lang", "ja"]
    )
    assert said.exit_code == 0, said.output
    assert "1. プロフィール" in said.output
    assert json.loads(out.read_text("utf-8"))["user_id"] == ME
    (tmp_path / "raw").mkdir()
    complaint = pd.DataFrame([{"accused": ME, "complainant": OTHER, "text": "ZORKA"}])
    complaint.to_csv(tmp_path / "raw" / "complaints.csv", index=False)
    raw = ["--published", str(filled[0]), "--tables", str(tmp_path / "raw"), "--json", str(out)]
    said = CliRunner().invoke(app, ["access", ME, *raw])
    assert "complaints.csv" in said.stderr
    assert not any(one in said.stdout + out.read_text("utf-8") for one in ("complaints", "ZORKA"))
    nobody = CliRunner().invoke(app, ["access", "u999999", "--published", str(filled[0])])
    assert nobody.exit_code == InputError.exit_code
    assert "nothing is held" in nobody.output


def test_the_letter_is_in_words_a_member_reads(golden: Folder) -> None:
    work = golden.published.parent / "work"
    viewer = str(pd.read_parquet(work / "lists.parquet")["viewer_id"].iloc[0])
    found = person_data(viewer, person_places(published=golden.published, work=work))
    for lang, words in (
        ("ja", ("様", "利用規約への同意", "消去")),
        ("en", ("Dear", "Terms accepted", "erased")),
    ):
        letter = access_letter(found, lang, at=AT, time_zone="Asia/Tokyo")  # type: ignore[arg-type]
        assert "JST" in letter
        assert "UTC" not in letter
        assert all(word in letter for word in words)
        assert max(map(len, letter.splitlines())) < 400
        for code in ("age_band", "listens:", "say_softly", "terms_accepted", "account_state"):
            assert code not in letter
        for technical in (
            "Model:",
            "モデルの版",
            "Chance of being shown",
            "表示した確率",
            "Code of your person",
        ):
            assert technical not in letter
        for cell in {
            str(record["cell"]) for one in found.shown for record in one.records if "cell" in record
        }:
            assert cell not in letter
            assert cell in found.as_json()


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_every_line_of_the_letter_is_in_words_and_every_kind_is_told_once(
    tmp_path: Path, lang: Language
) -> None:
    """Neither a column as tables spell it nor the code of the member in files; nothing twice or empty."""
    work, tracked = tmp_path / "work", tmp_path / "tracking"
    for folder, me, other in ((work, ME, OTHER), (tracked, person_hash(ME), person_hash(OTHER))):
        (folder / "town").mkdir(parents=True)
        pairs = {"viewer_id": [me, me], "candidate_id": other, "liked": [1.0, 0.0], "n_seen": 7}
        pd.DataFrame(pairs).to_parquet(folder / "evaluated_pairs.parquet")
        pd.DataFrame({"user_id": [me], "n_seen": 7}).to_parquet(folder / "counts.parquet")
    events = pd.DataFrame({"actor": ME, "ts": [AT, AT], "type": ["like", "pass"]})
    events.to_parquet(work / "town" / "events.parquet")
    day = pd.DataFrame({"ts": AT, "actor": ME, "type": ["pass", "message"]})
    day.to_parquet(work / "events.parquet")
    found = person_data(ME, {"work": work, "tracking": tracked})
    assert person_hash(ME) in found.as_json()
    letter = access_letter(found, lang, at=AT)
    for raw in (person_hash(ME), "viewer_id", "user_id", "liked", "n_seen", "like:"):
        assert raw not in letter.replace("you liked", "")
    told = letter.splitlines()
    headings = [line for line in told if line[:1].isdigit() and ". " in line]
    assert len(headings) == len({one.partition(". ")[2] for one in headings}) == 3
    assert not any(told[told.index(one) + 1].startswith(("  Kept", "  保管")) for one in headings[:2])
    lines = [line for line in told if line.startswith("  - ")]
    assert len(lines) == len(set(lines)) == 5


@settings(deadline=None, max_examples=40)
@given(st.lists(st.text("1a", min_size=1, max_size=3), min_size=1, max_size=6), st.data())
def test_an_id_is_found_in_a_row_of_ids_wherever_it_stands(
    tmp_path_factory: pytest.TempPathFactory, ids: list[str], data: st.DataObject
) -> None:
    """Letters of one id and the next may spell it too: of "1", "11" the search for "11" found nothing."""
    person = Person(data.draw(st.sampled_from(ids)))
    folder = tmp_path_factory.mktemp("packed")
    letters, ends = packed_strings(ids)
    path = folder / "ids_text.npy"
    np.save(path, letters)
    np.save(folder / "ids_ends.npy", ends)
    rows = [record["row"] for record in file_kind(path).records(path, person)]
    assert rows == [at for at, one in enumerate(ids) if one in person.forms]


def test_a_folder_of_tables_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--tables"):
        person_places(published=tmp_path, work=tmp_path, tables=tmp_path / "nope")
