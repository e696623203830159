"""Whatever form of table or row a backend hands over: what is refused restricts all the same."""

import math
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h3
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.events import Events
from recsys.data.tables import check_table
from recsys.errors import InputError
from recsys.ranking.ranker import Ranker
from recsys.safety import MemorySafety, SqliteSafety
from tests.safety.restriction_doors import AS_OF, NOW, USERS, Published, copy_of, opened, own_tables

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
Form = Callable[[pd.DataFrame], Any]
FORMS: dict[str, Form] = {
    "frame": lambda rows: rows,
    "frame in a list": lambda rows: [rows],
    "records": lambda rows: rows.to_records(index=False),
    "one record": lambda rows: [rows.to_records(index=False)[0]],
    "tuples with names": lambda rows: list(rows.itertuples(index=False)),
    "series": lambda rows: [rows.iloc[0]],
    "arrow": lambda rows: pa.Table.from_pylist(rows.to_dict("records")),
    "columns": lambda rows: rows.to_dict("list"),
    "json": lambda rows: rows.to_json(orient="records", date_format="iso"),
}
OF_EVENTS: dict[str, Form] = {
    **FORMS,
    "events": Events.of,
    "events in a list": lambda rows: [Events.of(rows)],
    "objects": lambda rows: [SimpleNamespace(**row) for row in rows.to_dict("records")],
}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Published:
    return Published(tmp_path_factory.mktemp("town"))


def _event(actor: str, target: str | None, kind: str, detail: str | None = None) -> pd.DataFrame:
    row = {
        C.EVENT: f"x-{actor}",
        C.TS: AS_OF,
        C.ACTOR: actor,
        C.TARGET: target,
        C.TYPE: kind,
        C.DETAIL: detail,
    }
    return pd.DataFrame([row])


@pytest.mark.parametrize("form", OF_EVENTS)
def test_events_restrict_in_every_form_that_is_refused(town: Published, tmp_path: Path, form: str) -> None:
    """Seen to fail: `Events`, records and tuples with names were refused, and restricted nobody."""
    with opened(copy_of(town, tmp_path), MemorySafety()) as ranker:
        kinds = {"hide": None, "block": None, "end": "unsafe"}
        pairs = dict(zip(kinds, zip(USERS[::2], USERS[1::2], strict=True), strict=False))
        calls: list[Callable[[Any], object]] = [
            ranker.day.append,
            lambda given: ranker.rank(
                USERS[-1], profile={"profiles": [{"user_id": USERS[-1]}]}, events=given
            ),
        ]
        if form == "events":  # sound, and with no profile to go with
            calls.append(lambda given: ranker.rank(USERS[-1], k=3, as_of=NOW, events=given))
        for call, shift in zip(calls, (0, 6, 12), strict=False):
            for kind, detail in kinds.items():
                a, b = (USERS[USERS.index(one) + shift] for one in pairs[kind])
                assert ranker.look(a, b, NOW)
                with pytest.raises(InputError):
                    call(OF_EVENTS[form](_event(a, b, kind, detail)))
                assert not ranker.look(a, b, NOW), kind
                assert not ranker.look(b, a, NOW), kind
        gone = USERS[20]
        with pytest.raises(InputError):
            ranker.day.append(OF_EVENTS[form](_event(gone, None, "verified", "none")))
        assert not any(ranker.look(one, gone, NOW) for one in USERS[24:])
        assert any(ranker.look(USERS[24], one, NOW) for one in USERS[25:])


def _give(ranker: Ranker, door: str, user: str, tables: dict[str, Any]) -> None:
    if door == "tables":
        ranker.day.change_tables(user, tables, event_id=f"c-{user}")
    else:
        ranker.rank(user, profile=tables)


@pytest.mark.parametrize("form", FORMS)
def test_tables_of_a_member_restrict_in_every_form_that_is_refused(
    town: Published, tmp_path: Path, form: str
) -> None:
    """Seen to fail: of tables as frames the ban, the block and the report did nothing."""
    with opened(copy_of(town, tmp_path), MemorySafety()) as ranker:
        for at, name in ((0, T.BLOCKS), (2, T.REPORTS)):
            a, b = USERS[at], USERS[at + 1]
            row = {C.ACTOR: a, C.TARGET: b, C.TS: AS_OF} | (
                {C.CATEGORY: "money"} if name == T.REPORTS else {}
            )
            tables = {**own_tables(a), "zzz": [{"q": 1}], name: FORMS[form](pd.DataFrame([row]))}
            with pytest.raises(InputError):
                ranker.day.change_tables(a, tables, event_id=f"c-{a}")
            assert not ranker.look(a, b, NOW), name
        for at, door in ((6, "tables"), (8, "profile")):
            user = USERS[at]
            banned = pd.DataFrame([{C.USER: user, C.ACCOUNT_STATE: "banned"}])
            tables = {T.PROFILES: FORMS[form](banned), "zzz": []}
            with pytest.raises(InputError):
                _give(ranker, door, user, tables)
            assert not any(ranker.look(one, user, NOW) for one in USERS[24:]), door
        assert any(ranker.look(USERS[24], one, NOW) for one in USERS[25:])


@pytest.mark.parametrize("level", [7, 10, 15])
@pytest.mark.parametrize("spelled", [str, str.upper, " {} ".format])
def test_a_place_finer_than_tables_may_hold_is_never_kept(
    town: Published, tmp_path: Path, level: int, spelled: Callable[[str], str]
) -> None:
    """Seen to fail: tables of today with it were kept in the store, and their member shown to nobody."""
    with opened(copy_of(town, tmp_path), SqliteSafety.create(tmp_path / "safety.db")) as ranker:
        user, cell = USERS[0], spelled(h3.latlng_to_cell(35.68, 139.76, level))
        tables = own_tables(user, **{C.CELL: cell})
        with pytest.raises(InputError, match="resolution 6 or coarser") as error:
            ranker.day.change_tables(user, tables, event_id="c")
        assert cell.strip() not in str(error.value)
        assert any(ranker.look(one, user, NOW) for one in USERS[24:])
    assert cell.encode() not in (tmp_path / "safety.db").read_bytes()


_PLACES: dict[str, Callable[[str, float, float], Any]] = {
    "number": lambda cell, *_: int(cell, 16),
    "float": lambda cell, *_: float(int(cell, 16)),
    "decimal text": lambda cell, *_: str(int(cell, 16)),
    "prefix": lambda cell, *_: f"0x{cell}",
    "list": lambda cell, *_: [cell],
    "object": lambda _, north, east: {"lat": north, "lon": east},
    "pair": lambda _, north, east: [north, east],
    "text of a pair": lambda _, north, east: f"{north},{east}",
    "link": lambda _, north, east: f"geo:{north},{east}",
    "codes of other kinds": lambda *_: "8Q7XMQJ8+FW",
    "hash": lambda *_: "xn76urx66",
}


@pytest.mark.parametrize("form", _PLACES)
def test_a_place_is_a_cell_as_tables_hold_it_and_nothing_else_is_kept(
    town: Published, tmp_path: Path, form: str
) -> None:
    """Seen to fail: a number, a list and another hash were kept by today and hid their member."""
    rng = np.random.default_rng(0)
    with opened(copy_of(town, tmp_path), SqliteSafety.create(tmp_path / "safety.db")) as ranker:
        for at, level in enumerate((6, 7, 9, 15)):
            user, (north, east) = USERS[at], rng.uniform((33, 131), (43, 141)).round(5).tolist()
            place = _PLACES[form](h3.latlng_to_cell(north, east, level), north, east)
            tables = own_tables(user, **{C.CELL: place})
            for door in ("tables", "profile"):
                with pytest.raises(InputError) as error:
                    _give(ranker, door, user, tables)
                texts = _texts_of(place)
                assert not any(text in str(error.value) for text in texts)
            assert any(ranker.look(one, user, NOW) for one in USERS[24:])
            kept = [one.read_bytes() for one in tmp_path.glob("safety.db*")]
            assert not any(text.encode() in content for text in texts for content in kept)

            quarantined = check_table(T.PROFILES, pd.DataFrame(tables[T.PROFILES]).astype(object)).quarantined
            assert len(quarantined) == 1
            assert not any(text in quarantined.to_csv() for text in texts)

        user = USERS[8]  # what is banned beside such a place restricts all the same
        tables = own_tables(user, **{C.CELL: place, C.ACCOUNT_STATE: "banned"})
        with pytest.raises(InputError):
            _give(ranker, "tables", user, tables)
        assert not any(ranker.look(one, user, NOW) for one in USERS[24:])
        for at, cell in enumerate((None, math.nan, h3.latlng_to_cell(north, east, 6)), start=9):
            assert _give(ranker, "tables", USERS[at], own_tables(USERS[at], **{C.CELL: cell})) is None


def _texts_of(place: object) -> list[str]:
    """Return by what a place would be known in a text."""
    parts = place.values() if isinstance(place, dict) else place if isinstance(place, list) else [place]
    return [str(part) for part in parts]


APART = {
    **dict.fromkeys(("hide", "pass"), (None, False)),
    **dict.fromkeys(("block", "money_request", "off_platform_request"), (None, True)),
    **{"report": ("money", True), "end": ("unsafe", True), "meet_feedback": ("unsafe", True)},
}
"""By the type of an event its detail, and whether it keeps two apart for good."""


@pytest.mark.parametrize("is_member", [True, False])
@pytest.mark.parametrize("by_other", [True, False])
@pytest.mark.parametrize("hours", [-48, 0, 200])
def test_events_of_a_page_by_a_profile_keep_apart_on_that_page_whatever_their_time(
    town: Published, tmp_path: Path, *, is_member: bool, by_other: bool, hours: int
) -> None:
    """Seen to fail: what was later than the profile was passed over, and who was blocked was shown."""
    viewer = USERS[0] if is_member else "u-new"
    others = [one for one in USERS if one != viewer]
    profile = {
        name: [row | {C.USER: viewer} for row in table]
        for name, table in own_tables(USERS[0]).items()
        if name != T.TOKENS
    }
    profile[T.PROFILES] = [row | {C.PERSON_TOKEN: None} for row in profile[T.PROFILES]]

    with opened(copy_of(town, tmp_path), MemorySafety()) as ranker:
        shown = [item.candidate_id for item in ranker.rank(viewer, 40, NOW, profile=profile).items]
        told = [one for one in dict.fromkeys([*shown, *others]) if one not in others[-3:]]
        assert len(set(told) & set(shown)) >= len(APART)  # each kind is said of somebody who is shown
        rows = []
        for at, (one, kind) in enumerate(zip(told, cycle(APART), strict=False)):
            row = _event(*((one, viewer) if by_other else (viewer, one)), kind, APART[kind][0])
            rows.append(row.assign(**{C.EVENT: f"x{at}", C.TS: AS_OF + pd.Timedelta(hours=hours)}))
        if is_member:
            assert all(ranker.look(viewer, one, NOW) for one in told[: len(APART)])
        page = ranker.rank(viewer, 40, NOW, profile=profile, events=Events.of(pd.concat(rows)))
        assert {item.candidate_id for item in page.items} <= set(others[-3:])
        for one, kind in zip(told, cycle(APART), strict=False) if is_member else ():
            if APART[kind][1]:
                assert not ranker.look(viewer, one, NOW), kind
                assert not ranker.look(one, viewer, NOW), kind
