"""A hide or a pass of an account without a row follows its person to the account they come back with."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.pipeline.erasure import erase
from recsys.pipeline.parted_accounts import restrictions_of_erased
from recsys.ranking.ranker import Ranker
from recsys.safety import MemorySafety
from recsys.safety.erase_files import erase_and_count
from recsys.safety.erasure_list import ErasureList
from recsys.safety.ledger import SafetyLedger, told_under
from recsys.safety.ledger_state import HIDDEN_LEAVER
from recsys.storage.table_files import write_tables
from tests.safety.restriction_doors import (
    AS_OF,
    NOW,
    OTHER,
    PAIR_OF,
    TOWN,
    USERS,
    Published,
    Tables,
    copy_of,
    opened,
    own_tables,
    rows_of,
    with_rows,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.usefixtures("tables_checked_once"),
]
KINDS = ("hide", "pass")
ENDS = {"whoever was hidden": (1,), "whoever hid": (0,), "both": (0, 1)}


def _told() -> Tables:
    return with_rows({kind: rows_of(kind, "sound") for kind in KINDS})


def _without(tables: Tables, gone: Mapping[str, str | None]) -> Tables:
    """Return tables in which accounts are gone, each come back under another id, or not; hides stay."""
    found = {}
    for name, table in tables.items():
        stays = table[C.TYPE].isin(KINDS) if C.TYPE in table else table.index < 0
        columns = [column for column in (C.USER, C.ACTOR, C.TARGET) if column in table]
        left = table.copy()
        for column in columns:
            moved = table[column].isin(list(gone)) & ~stays
            left[column] = table[column].mask(moved, table[column].map(gone))
        is_told = left[columns[0]].notna()
        found[name] = left[is_told].reset_index(drop=True)
    return found


def _shown(ranker: Ranker, came: Mapping[str, str]) -> set[str]:
    pairs = {kind: PAIR_OF[kind] for kind in KINDS} | {"nothing": (USERS[-2], OTHER)}
    ends = {kind: (came.get(a, a), came.get(b, b)) for kind, (a, b) in pairs.items()}

    def is_seen(a: str, b: str) -> bool:
        pages = (ranker.rank(a, 100, NOW), ranker.inbox(a, 100, NOW))
        listed = any(item.candidate_id == b for page in pages for item in page.items)
        return listed or ranker.look(a, b, NOW) is not None

    return {kind for kind, (a, b) in ends.items() if is_seen(a, b) or is_seen(b, a)}


@pytest.mark.parametrize("who", ENDS)
@pytest.mark.parametrize("nights", [0, 1, 2])
def test_a_hide_follows_who_leaves_and_comes_back_in_a_night(
    town: Published, tmp_path: Path, who: str, nights: int
) -> None:
    """Seen to fail: who came back under another id with the same token was shown to whoever hid them.

    nights: between the one that lacks the account first and the one that knows the other.
    """
    folder, told = copy_of(town, tmp_path), _told()
    left = [PAIR_OF[kind][end] for kind in KINDS for end in ENDS[who]]
    came = {one: f"again-{at}" for at, one in enumerate(left)}
    assert town.night(folder, told, hours=1).published
    for at in range(nights):
        assert town.night(folder, _without(told, dict.fromkeys(left)), hours=2 + at).published
    for hours in (8, 9):
        assert town.night(folder, _without(told, came), hours=hours).published
        with opened(folder, MemorySafety()) as ranker:
            assert _shown(ranker, came) == {"nothing"}


@pytest.mark.parametrize("end", [0, 1])
def test_a_hide_follows_who_left_and_comes_back_by_day(town: Published, tmp_path: Path, end: int) -> None:
    """Seen to fail: by day nothing was known of a hide whose account had no row in the night before."""
    folder, told = copy_of(town, tmp_path), _told()
    gone = PAIR_OF["hide"][end]
    assert town.night(folder, _without(told, {gone: None}), hours=1).published
    assert told_under(SafetyLedger.of(folder).now(), HIDDEN_LEAVER)[1]
    with opened(folder, MemorySafety()) as ranker:
        other = PAIR_OF["hide"][1 - end]
        profile = {name: [row | {C.USER: "again"} for row in rows] for name, rows in own_tables(gone).items()}
        seen = {item.candidate_id for item in ranker.rank("again", 100, NOW, profile=profile).items}
        assert seen
        assert other not in seen
        assert ranker.look("again", other, NOW) is None
        assert ranker.look(other, "again", NOW) is None
    assert town.night(folder, told, hours=2).published  # it is the tables that say so again
    assert not told_under(SafetyLedger.of(folder).now(), HIDDEN_LEAVER)[1]
    sound = {
        name: table[~table[C.TYPE].isin(KINDS)] if name == T.EVENTS else table for name, table in told.items()
    }
    assert town.night(folder, sound, hours=3).published
    with opened(folder, MemorySafety()) as ranker:
        assert _shown(ranker, {}) == {*KINDS, "nothing"}


def _with_undo(*changed: Mapping[str, object]) -> Tables:
    """Return tables in which whoever hid or passed somebody took it back at the time of the data.

    changed: what else stands in each such row instead of one that is sound.
    """
    told = _told()
    row = {C.TS: AS_OF, C.TYPE: "undo", C.DETAIL: None}
    undos = [
        row | {C.EVENT: f"undo-{kind}-{at}", C.ACTOR: PAIR_OF[kind][0], C.TARGET: PAIR_OF[kind][1]} | change
        for kind in KINDS
        for at, change in enumerate(changed or ({},))
    ]
    events = pd.concat([told[T.EVENTS].astype(object), pd.DataFrame(undos)], ignore_index=True)
    return {**told, T.EVENTS: events}


def test_an_undo_ends_a_hide_once_a_night_of_its_time_is_published(town: Published, tmp_path: Path) -> None:
    """Seen to fail: nights refused each undo, and nothing ended the hide."""
    folder = copy_of(town, tmp_path)

    def shown() -> set[str]:
        with opened(folder, MemorySafety()) as ranker:
            return _shown(ranker, {})

    assert town.night(folder, _told(), hours=1).published
    assert shown() == {"nothing"}
    ahead, no_time, nobody = {C.TS: AS_OF + pd.Timedelta(days=90)}, {C.TS: "??"}, {C.TARGET: None}
    assert town.night(folder, _with_undo(ahead, no_time, nobody), hours=2).published
    assert shown() == {"nothing"}
    assert not town.night(folder, _with_undo(), refused=True, hours=3).published
    assert shown() == {"nothing"}
    assert town.night(folder, _with_undo(), hours=4).published
    assert shown() == {*KINDS, "nothing"}


def _ingested(folder: Path, tables: Tables, work: Path) -> Tables:
    """Return tables as a night has them after its copy lost the rows of whoever was erased."""
    write_tables(tables, f"parquet:{work}")
    with restrictions_of_erased(folder, f"parquet:{work}", AS_OF) as dropped:
        erase_and_count(work, ErasureList.of(folder), dropped)
    return {path.stem: pd.read_parquet(path) for path in sorted(work.iterdir())}


def _with_accounts(tables: Tables, like: Mapping[str, str]) -> Tables:
    """Return tables with more accounts, each with the rows and the person token of another one."""
    found = {}
    for name, table in tables.items():
        column = next(c for c in (C.USER, C.ACTOR) if c in table)
        stays = table[C.TYPE].isin(KINDS) if C.TYPE in table else table.index < 0
        alone = table[C.TARGET].isna() if C.TARGET in table else table.index >= 0
        mine = table[table[column].isin(list(like)) & alone & ~stays]
        more = mine.assign(**{column: mine[column].map(like)})
        if C.EVENT in more:
            more[C.EVENT] = more[C.EVENT] + "-again"
        found[name] = pd.concat([table, more], ignore_index=True)
    return found


def _with_erasures(tables: Tables, gone: Sequence[str]) -> Tables:
    rows = [
        {C.EVENT: f"erase-{one}", C.TS: AS_OF, C.ACTOR: one, C.TARGET: None, C.TYPE: "erase", C.DETAIL: None}
        for one in gone
    ]
    events = pd.concat([tables[T.EVENTS].astype(object), pd.DataFrame(rows)], ignore_index=True)
    return {**tables, T.EVENTS: events}


DOORS = ("forget", "store", "event")


def _erase(folder: Path, door: str, gone: Sequence[str]) -> None:
    if door == "forget":
        erase(gone, folder)
    elif door == "store":
        with opened(folder, MemorySafety()) as ranker:
            for one in gone:
                ranker.safety.erase(one)


@pytest.mark.parametrize("who", ENDS)
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("rows_stay", [True, False])
@pytest.mark.parametrize("came_late", [False, True])
def test_a_hide_follows_who_was_erased_and_comes_back(
    town: Published, tmp_path: Path, who: str, door: str, rows_stay: bool, came_late: bool
) -> None:
    """Seen to fail: another account of somebody erased was shown to whoever had hidden them.

    rows_stay: whether the tables still have the profile of who was erased. came_late: whether the other
    account comes a night after the one that erases.
    """
    folder, told = copy_of(town, tmp_path), _told()
    left = [PAIR_OF[kind][end] for kind in KINDS for end in ENDS[who]]
    came = {one: f"again-{at}" for at, one in enumerate(left)}
    assert town.night(folder, told, hours=1).published
    _erase(folder, door, left)
    back = _with_accounts(told, came) if rows_stay else _without(told, came)
    alone = told if rows_stay else _without(told, dict.fromkeys(left))
    nights = [alone, back, back] if came_late else [back, back]
    for at, tables in enumerate(nights):
        asked = _with_erasures(tables, left) if door == "event" else tables
        kept = _ingested(folder, asked, tmp_path / f"work-{at}")
        assert town.night(folder, kept, hours=2 + at).published
        if tables is back:
            with opened(folder, MemorySafety()) as ranker:
                assert _shown(ranker, came) == {"nothing"}
    sound = {name: table for name, table in back.items() if name != T.EVENTS}
    events = back[T.EVENTS]
    sound[T.EVENTS] = events[~events[C.TYPE].isin(KINDS)]  # the service forgets whom it erased
    assert town.night(folder, _ingested(folder, sound, tmp_path / "work"), hours=8).published
    with opened(folder, MemorySafety()) as ranker:
        assert _shown(ranker, came) == {"nothing"}
    ledger = b"".join(path.read_bytes() for path in folder.rglob("*ledger*") if path.is_file())
    assert ledger
    assert not any(one.encode() in ledger for one in left)


@pytest.mark.parametrize("who", ENDS)
@pytest.mark.parametrize("door", ["forget", "store"])
def test_a_hide_follows_who_is_erased_after_the_tables_were_read(
    town: Published, tmp_path: Path, who: str, door: str
) -> None:
    """Seen to fail: hides went with the rows of whoever was erased while the night ran, by day too."""
    folder, told = copy_of(town, tmp_path), _told()
    left = [PAIR_OF[kind][end] for kind in KINDS for end in ENDS[who]]
    came = {one: f"again-{at}" for at, one in enumerate(left)}
    assert town.night(folder, told, hours=1).published
    _erase(folder, door, left)
    assert town.night(folder, told, hours=2).published
    gone = PAIR_OF["hide"][ENDS[who][0]]
    others = {PAIR_OF["hide"][1 - ENDS[who][0]]} - {*left}
    with opened(folder, MemorySafety()) as ranker:
        profile = {name: [row | {C.USER: "fresh"} for row in rows] for name, rows in own_tables(gone).items()}
        seen = {item.candidate_id for item in ranker.rank("fresh", 100, NOW, profile=profile).items}
        assert seen
        assert seen.isdisjoint(others)
    assert town.night(folder, _with_accounts(told, came), hours=3).published
    with opened(folder, MemorySafety()) as ranker:
        assert _shown(ranker, came) == {"nothing"}


LASTS = (
    *("ban", "account on hold", "hold", "ban by an event"),
    *("block", "report", "end", "unsafe meeting", "hide"),
)


@pytest.mark.parametrize("end", [0, 1])
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("known", ["before", "with the erasure alone", "in the first night"])
@pytest.mark.parametrize("read_before", [False, True])
def test_what_stands_beside_an_erasure_lasts(
    town: Published, tmp_path: Path, door: str, end: int, known: str, *, read_before: bool
) -> None:
    """Seen to fail: who was banned, held, blocked or reported and erased between two nights came back clean.

    end: which of the two of a pair is erased. known: whether a published night had the accounts. read_before:
    whether the tables were read before the erasure, as by a night that is running.
    """
    ends = {kind: PAIR_OF[kind][end if kind in LASTS[4:] else 1] for kind in LASTS}
    left, came = [*ends.values()], {one: f"again-{at}" for at, one in enumerate(ends.values())}
    if known == "in the first night" and door != "event":
        pytest.skip("nobody is erased by a call before there is a publication")
    folder = tmp_path / "published" if known == "in the first night" else copy_of(town, tmp_path)
    if known == "with the erasure alone":
        assert town.night(folder, _without(TOWN, dict.fromkeys(left)), hours=1).published
    if not read_before:
        _erase(folder, door, left)
    told = with_rows({kind: rows_of(kind, "sound") for kind in LASTS})
    asked = _with_erasures(told, left) if door == "event" else told
    tables = _ingested(folder, asked, tmp_path / "work")
    if read_before and door != "event":
        _erase(folder, door, left)
    assert town.night(folder, tables, hours=2).published
    back = _without(_with_accounts(TOWN, came), dict.fromkeys(left))
    assert town.night(folder, _ingested(folder, back, tmp_path / "later"), hours=3).published
    with opened(folder, MemorySafety()) as ranker:
        for kind, one in ends.items():
            other = OTHER if kind in LASTS[:4] else next(each for each in PAIR_OF[kind] if each != one)
            assert ranker.look(other, came[one], NOW) is None, kind
            assert ranker.look(came[one], other, NOW) is None, kind
            if kind in LASTS[4:]:
                assert ranker.look(OTHER, came[one], NOW) is not None, kind  # apart from the other alone
    ledger = b"".join(path.read_bytes() for path in folder.rglob("*ledger*") if path.is_file())
    assert not any(one.encode() in ledger for one in left)
