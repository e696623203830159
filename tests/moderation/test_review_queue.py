"""The queue shows everything to people, and only credible reporters move anything before they decide."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import EVENT_DETAILS, REPORT_CATEGORIES
from recsys.data import Events
from recsys.data.id_spellings import Spellings
from recsys.errors import InputError
from recsys.moderation import demotions, load_policy, review_queue
from recsys.moderation.credibility import flags
from recsys.moderation.report_events import refused_calls, with_reports
from recsys.moderation.review_policy import read_policy
from recsys.moderation.review_queue import calls_since_the_night, flagged_in_night
from recsys.ranking.day_writes import DayWrites
from recsys.ranking.ranker import Ranker
from recsys.safety import MemorySafety
from recsys.safety.by_person import SafetyByPerson
from recsys.safety.day_log import DayEvent
from recsys.safety.erasure_list import ErasureList
from recsys.safety.ledger import SafetyLedger
from recsys.storage.load import load_tables
from recsys.storage.table_files import write_tables
from recsys.strict_yaml import YamlFile
from recsys.testing.people import make_tables
from tests.data.timeline import day, events
from tests.safety.restriction_doors import NOW, USERS, Published, copy_of, opened, own_tables

POLICY = load_policy()


def settled(*people: str, tier: str = "id", at: float = 0) -> list[tuple[Any, ...]]:
    lines: list[tuple[Any, ...]] = [(at, who, "terms_accepted") for who in people]
    return lines + [(at, who, "verified", None, tier) for who in people]


def talked(who: str, other: str, at: float = 20) -> list[tuple[Any, ...]]:
    return [(at, who, "message", other), (at, other, "message", who)]


def report(who: str, other: str, at: float = 40, category: str = "harassment") -> tuple[Any, ...]:
    return (at, who, "report", other, category)


PEOPLE = ("r", "s", "t", "bad")
TRUSTED = [*settled(*PEOPLE), *(line for who in "rst" for line in talked(who, "bad"))]


def weight(told: Events, who: str = "bad", at: float | None = None) -> float:
    found = demotions(told, None if at is None else day(at)).set_index(C.USER)["weight"]
    return float(found.get(who, 0.0))


def test_two_credible_reporters_lower_by_hand() -> None:
    told = events(*TRUSTED, report("r", "bad"), report("s", "bad", category="physical_pressure"))
    [row] = demotions(told).to_dict("records")
    assert row["user_id"] == "bad"
    assert row["reporters"] == 2
    assert row["weight"] == pytest.approx(3 / 4 + 4 / 4)
    assert row["factor"] == pytest.approx(1 / 2.75)
    assert weight(told, at=130) == pytest.approx(1.75 / 2)
    assert weight(told, at=39) == 0


def test_one_reporter_moves_nothing_however_often() -> None:
    told = events(
        *TRUSTED, *(report("r", "bad", at=30 + n, category=c) for n, c in enumerate(REPORT_CATEGORIES))
    )
    assert demotions(told).empty
    queue = review_queue(told)
    assert len(queue) == len(REPORT_CATEGORIES)
    assert queue.gravity.is_monotonic_decreasing


def test_reporters_count_once() -> None:
    once = events(*TRUSTED, report("r", "bad"), report("s", "bad"))
    often = events(*TRUSTED, *(report(who, "bad", at=40 - n) for who in "rs" for n in range(6)))
    assert weight(often) == pytest.approx(weight(once))


@settings(max_examples=10)
@given(n=st.integers(2, 40), at=st.floats(20, 40), tier=st.sampled_from(["id", "age", "none"]))
def test_a_brigade_of_fresh_accounts_moves_nothing(n: int, at: float, tier: str) -> None:
    crowd = [f"new{k}" for k in range(n)]
    fresh = settled(*crowd, tier=tier, at=at - 5)
    told = events(*TRUSTED, *fresh, *(report(who, "bad", at=at) for who in crowd))
    assert demotions(told).empty
    kinds = set(review_queue(told).kind)
    assert ("brigade" in kinds) == (n >= POLICY.brigade)
    honest = events(*TRUSTED, report("r", "bad"), report("s", "bad"))
    both = events(
        *TRUSTED, *fresh, report("r", "bad"), report("s", "bad"), *(report(w, "bad", at) for w in crowd)
    )
    assert weight(both) == pytest.approx(weight(honest))


def test_a_brigade_of_settled_strangers_moves_nothing_either() -> None:
    crowd = [f"old{k}" for k in range(8)]
    told = events(*TRUSTED, *settled(*crowd), *(report(who, "bad") for who in crowd))
    assert demotions(told).empty
    assert "brigade" in set(review_queue(told).kind)


@pytest.mark.parametrize("tier", ["age", "none"])
def test_unverified_reporters_move_nothing(tier: str) -> None:
    lines = [line for line in TRUSTED if line[2] != "verified"]
    again = [(0, who, "verified", None, tier) for who in PEOPLE]
    told = events(*lines, *again, *(report(who, "bad") for who in "rst"))
    assert demotions(told).empty


def test_strangers_weigh_less_and_who_reports_everybody_little() -> None:
    known = events(*TRUSTED, report("r", "bad"), report("s", "bad"))
    lines = [line for line in TRUSTED if line[2] != "message"]
    strangers = events(*lines, report("r", "bad"), report("s", "bad"))
    assert weight(strangers) == 0 < weight(known)
    some = replace(POLICY, stranger=0.25)
    assert demotions(strangers, policy=some)["weight"].item() == pytest.approx(weight(known) / 4)
    others = [report("r", f"x{n}", at=25 + n / 10) for n in range(9)]
    busy = events(*TRUSTED, *others, report("r", "bad"), report("s", "bad"))
    assert weight(busy) == pytest.approx(0.75 + 0.75 / 10)


def test_two_who_accuse_each_other_go_to_people_and_move_nothing() -> None:
    told = events(*TRUSTED, report("r", "bad"), report("s", "bad"), report("bad", "r", at=41))
    assert demotions(told).empty
    queue = review_queue(told).set_index(C.USER)
    assert bool(queue.loc["r", "mutual"])
    assert bool(queue.loc["bad", "mutual"])


def test_what_is_shown_of_each_flag() -> None:
    told = events(
        *TRUSTED,
        (30, "r", "feeling_check", "bad", "pressured"),
        (31, "bad", "money_request", "s"),
        (32, "t", "meet_feedback", "bad", "unsafe"),
        (33, "s", "end", "bad", "unsafe"),
        (34, "r", "end", "bad", "amicable"),
        (35, "r", "feeling_check", "bad", "drifting"),
    )
    queue = review_queue(told)
    assert queue.user_id.eq("bad").all()
    assert queue.kind.tolist() == [
        "meet_feedback.unsafe",
        "end.unsafe",
        "feeling_check.pressured",
        "money_request",
    ]
    assert queue.policy.eq(POLICY.version).all()
    assert all(len(ids) == 1 and ids[0] in set(told.frame.event_id) for ids in queue.evidence)
    assert queue.gravity.tolist() == [4, 3, 3, 3]


def test_holds_and_appeals() -> None:
    held = pd.DataFrame(
        {C.USER: ["bad", "r", "r"], C.TS: [day(5), day(5), day(9)], C.STATE: ["active", "active", "lifted"]}
    )
    appeals = pd.DataFrame({C.USER: ["bad", "bad"], C.TS: [day(6), day(8)], C.STATE: ["asked", "upheld"]})
    told = events(*TRUSTED)
    queue = review_queue(told, holds=held, appeals=appeals, as_of=day(50))
    assert queue[[C.USER, "kind", "appeal"]].values.tolist() == [["bad", "hold", "upheld"]]  # noqa: PD011
    before = review_queue(told, holds=held, appeals=appeals, as_of=day(7))
    assert sorted(before[C.USER]) == ["bad", "r"]
    assert before.set_index(C.USER).appeal.to_dict() == {"bad": "asked", "r": "none"}


@pytest.mark.parametrize("category", [*REPORT_CATEGORIES, None, "a word of a service"])
@pytest.mark.parametrize("at", [40, None])
def test_a_report_of_the_table_stands_in_the_queue_as_one_among_the_events(
    category: str | None, at: float | None
) -> None:
    """Seen to fail: reports of the table that is for them reached no queue and no case."""
    told = events(*TRUSTED)
    row = {C.ACTOR: "r", C.TARGET: "bad", C.TS: None if at is None else day(at), C.CATEGORY: category}
    queue = review_queue(with_reports(told, pd.DataFrame([row]), day(50)), as_of=day(50))
    kind = f"report.{category}" if category in REPORT_CATEGORIES else "report.other"
    expected = review_queue(events(*TRUSTED, report("r", "bad", at or 50, kind[7:])), as_of=day(50))
    columns = [C.USER, "kind", "gravity", "weight", "reporters", "since"]
    assert queue[columns].equals(expected[columns])
    assert queue["kind"].tolist() == [kind]
    again = with_reports(told, pd.DataFrame([row, row]), day(50))
    assert review_queue(again, as_of=day(50))["evidence"].tolist() == queue["evidence"].tolist()


@pytest.mark.parametrize("door", ["store", "day", "tables of today"])
def test_a_report_of_today_waits_for_people_whatever_call_it_came_by(tmp_path: Path, door: str) -> None:
    """Seen to fail: of the store's call, and of tables of today, nobody heard."""
    store = MemorySafety()
    safety = SafetyByPerson(store, ErasureList.of(tmp_path), SafetyLedger.of(tmp_path))
    now, row = datetime.now(UTC), {C.ACTOR: "a", C.TARGET: "b", C.CATEGORY: "minor"}
    if door == "store":
        safety.report("a", "b", now)
        safety.report("a", "b", now)
    elif door == "day":
        DayWrites(safety, store.day).report("a", "b", "minor")
    else:
        store.day.append([DayEvent.of_tables("own", "a", {"reports": [row]}, now)])
    (found,) = calls_since_the_night(tmp_path, store)
    category = "other" if door == "store" else "minor"
    assert (found.actor, found.target, found.type, found.detail) == ("a", "b", "report", category)


@pytest.mark.parametrize("door", ["store", "day"])
@settings(max_examples=25, deadline=None)
@given(seconds=st.lists(st.integers(0, 4 * 3600), min_size=1, max_size=6))
def test_a_later_report_of_the_same_is_another(
    tmp_path_factory: pytest.TempPathFactory, door: str, seconds: list[int]
) -> None:
    """Seen to fail: of one pair and category only the first was kept, however long ago it was."""
    folder, store, start = tmp_path_factory.mktemp("home"), MemorySafety(), datetime(2026, 3, 1, tzinfo=UTC)
    safety = SafetyByPerson(store, ErasureList.of(folder), SafetyLedger.of(folder))
    for moment in (start + timedelta(seconds=one) for one in seconds):
        if door == "store":
            safety.report("a", "b", moment)
        else:
            DayWrites(safety, store.day).report("a", "b", "other", moment)
    found = calls_since_the_night(folder, store)
    assert {one.at.replace(second=0) for one in found} == {
        start + timedelta(minutes=one // 60) for one in seconds
    }
    assert len({one.event_id for one in found}) == len(found)


A, B = USERS[3], USERS[8]
_TOLD = {C.ACTOR: A, C.TARGET: B, C.CATEGORY: "minor"}
_EVENT = {C.EVENT: "e1", C.ACTOR: A, C.TARGET: B, C.TYPE: "report", C.DETAIL: "minor"}


def _page(ranker: Ranker, viewer: str, **changed: Any) -> None:
    row = {**_EVENT, C.TS: pd.Timestamp(NOW) - timedelta(hours=30), **changed}
    told = Events.of(pd.DataFrame([row, {**row, C.EVENT: "e2", C.TYPE: "like", C.DETAIL: None}]))
    ranker.rank(viewer, 3, NOW, profile=own_tables(viewer), events=told)


def _tables(ranker: Ranker, at: datetime | None = None, **changed: Any) -> None:
    rows = {**own_tables(A), "reports": [{**_TOLD, **changed}]}
    ranker.day.change_tables(A, rows, event_id="own", at=at)


def _given(ranker: Ranker, at: datetime | None = None, **changed: Any) -> None:
    row = {**_EVENT, **changed}
    names = (row[C.EVENT], at or datetime.now(UTC), row[C.ACTOR], row[C.TARGET], row[C.TYPE], row[C.DETAIL])
    ranker.day.append([DayEvent(*names), DayEvent("e9", datetime.now(UTC), A, None, "no word", "x")])


REPORT_DOORS: Mapping[str, Callable[[Ranker], None]] = {
    "events of a page": lambda ranker: _page(ranker, A),
    "events of the page of the other": lambda ranker: _page(ranker, B),
    "unsafe in events of a page": lambda ranker: _page(ranker, A, type="meet_feedback", detail="unsafe"),
    "a category of a call": lambda ranker: ranker.day.report(A, B, "no category"),
    "a category of an event": lambda ranker: _given(ranker, detail="no category"),
    "no category of an event": lambda ranker: _given(ranker, detail=None),
    "an event beside a wrong one": _given,
    "another word": lambda ranker: _given(ranker, type="REPORTED_USER"),
    "a Japanese word": lambda ranker: _given(ranker, type="通報済み", detail=None),
    "an id that is none": lambda ranker: _given(ranker, event_id=""),
    "another spelling": lambda ranker: _given(ranker, target=f" {B}"),
    "tables with a wrong column": lambda ranker: _tables(ranker, nonsense=1),
    "tables with a wrong category": lambda ranker: _tables(ranker, category="no category"),
    "tables that are ahead": lambda ranker: _tables(ranker, datetime.now(UTC) + timedelta(minutes=30)),
}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    return Published(tmp_path_factory.mktemp("published"))


@pytest.mark.parametrize("door", REPORT_DOORS)
def test_a_report_that_restricts_waits_for_people_though_it_is_refused(
    published: Published, tmp_path: Path, door: str
) -> None:
    """Seen to fail: nobody was asked before an erasure of either, and no list had it."""
    store, call = MemorySafety(), REPORT_DOORS[door]
    folder = copy_of(published, tmp_path)
    for _ in range(2):
        with opened(folder, store) as ranker:
            with suppress(InputError):
                call(ranker)
            assert ranker.look(A, B, NOW) is None
    found = calls_since_the_night(folder, store)
    assert {(one.actor, one.target) for one in found} == {(A, B)}
    assert len(found) == 1


REFUSED_ROWS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "another word": ("events", {C.TYPE: "REPORTED"}),
    "ahead": ("events", {C.TS: day(400)}),
    "undated": ("events", {C.TS: None}),
    "a category": ("events", {C.DETAIL: "no category"}),
    "another spelling": ("events", {C.ACTOR: "#u00003", C.TARGET: "U00004", C.DETAIL: "no category"}),
    "a category of reports": ("reports", {C.CATEGORY: "no category"}),
    "reports ahead": ("reports", {C.TS: day(400)}),
    "another spelling in reports": ("reports", {C.TARGET: "#U00004", C.TS: day(400)}),
}


@pytest.mark.parametrize("wrong", REFUSED_ROWS)
def test_a_refused_row_that_reports_is_in_the_queue_and_is_asked_about(tmp_path: Path, wrong: str) -> None:
    """Seen to fail: the two were kept apart, and nobody looked."""
    table, changed = REFUSED_ROWS[wrong]
    tables = make_tables(6, np.random.default_rng(2))
    base = {C.ACTOR: "u00003", C.TARGET: "u00004", C.TS: day(10)}
    like = {**base, C.EVENT: "l", C.TYPE: "like", C.DETAIL: None}
    own = {"reports": {C.CATEGORY: "minor"}, "events": {C.EVENT: "e", C.TYPE: "report", C.DETAIL: "minor"}}
    row = {**base, **own[table], **changed}
    rows = {"events": [like, *([row] if table == "events" else [])], "reports": [row] * (table == "reports")}
    frames = {name: pd.DataFrame(of).convert_dtypes() for name, of in rows.items() if of}
    write_tables({**tables, **frames}, f"parquet:{tmp_path}")
    loaded = load_tables(f"parquet:{tmp_path}", day(50))
    assert loaded.quarantine["table"].eq(table).sum() == 1
    refused = refused_calls(loaded.quarantine, Spellings(tables["profiles"][C.USER]).whom, day(50))
    queue = review_queue(
        with_reports(Events.of(loaded.accepted["events"]), loaded.accepted.get("reports"), day(50), refused),
        as_of=day(50),
    )
    assert queue[C.USER].tolist() == ["u00004"]
    assert [event.startswith("refused:") for (event,) in queue["evidence"]] == [True]
    loaded.quarantine.to_parquet(tmp_path / "quarantine.parquet")
    for asked in ("u00003", "u00004"):
        (people,) = flagged_in_night(tmp_path, [asked], tmp_path / "quarantine.parquet").values()
        assert asked in people
        assert len(people) == 2
    assert flagged_in_night(tmp_path, ["u00005"], tmp_path / "quarantine.parquet") == {}


@pytest.mark.parametrize("without", ["detail", "ts", "actor"])
def test_a_night_whose_events_lack_a_column_still_tells_of_its_reports(tmp_path: Path, without: str) -> None:
    """Seen to fail: a table of events without a detail was an error before an erasure."""
    rows = pd.DataFrame(
        {"event_id": ["e"], "ts": [day(1)], "actor": ["a"], "target": ["b"], "detail": [None]}
    )
    rows.assign(type="like").drop(columns=without).to_parquet(tmp_path / "events.parquet")
    pd.DataFrame({"actor": ["a"], "target": ["b"]}).to_parquet(tmp_path / "reports.parquet")
    assert [*flagged_in_night(tmp_path, ["b"]).values()] == [{"a", "b"}]
    assert flagged_in_night(tmp_path / "nowhere", ["b"]) == {}


def test_a_report_in_both_tables_is_one() -> None:
    told = events(*TRUSTED, report("r", "bad"))
    rows = pd.DataFrame([{C.ACTOR: "r", C.TARGET: "bad", C.TS: day(40), C.CATEGORY: "harassment"}])
    assert with_reports(told, rows) is told
    assert with_reports(told, None) is told
    assert len(review_queue(with_reports(told, rows.assign(**{C.TS: day(41)})))["evidence"].item()) == 2


def test_erased_people_are_not_reviewed() -> None:
    told = events(*TRUSTED, report("r", "bad"), report("s", "bad"), (45, "bad", "erase"))
    assert review_queue(told).empty
    assert demotions(told).empty


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_rows_changes_nothing_and_more_reports_never_lift(seed: int) -> None:
    rng = np.random.default_rng(seed)
    people = [f"p{n}" for n in range(6)]
    lines = [*settled(*people, tier="id")]
    for _ in range(12):
        a, b = rng.choice(people[:4], 2, replace=False)
        lines += talked(str(a), str(b))
        c, d = rng.choice(people, 2, replace=False)
        lines.append(report(str(c), str(d), at=float(rng.integers(20, 60)), category="money"))
    told = events(*lines)
    shuffled = Events.of(told.frame.sample(frac=1, random_state=int(rng.integers(2**31))))
    pd.testing.assert_frame_equal(demotions(shuffled), demotions(told))
    pd.testing.assert_frame_equal(review_queue(shuffled), review_queue(told))
    found = demotions(told)
    assert found.factor.between(0, 1, inclusive="neither").all()
    assert (found.reporters >= POLICY.least_reporters).all()


def test_every_flag_of_the_vocabulary_has_a_kind() -> None:
    assert {f"report.{category}" for category in EVENT_DETAILS["report"]} <= set(POLICY.kinds)
    found = flags(events((1, "a", "report", "b", None)), POLICY)
    assert found.kind.tolist() == ["report.other"]


def test_a_broken_policy_names_the_key() -> None:
    from importlib.resources import files

    text = (files("recsys.catalogue") / "review.yaml").read_text("utf-8")
    for wrong, named in (
        (text.replace("by: actor", "by: nobody", 1), "'by' is actor or target"),
        (text.replace("verified: id ", "verified: passport "), "unknown tier"),
        (text.replace("stranger: 0.0", "stranger: often"), "'stranger' is not a number"),
    ):
        with pytest.raises(InputError, match=named):
            read_policy(YamlFile("review", wrong.encode()), "v")
