"""A night that ends before its gates restricts by what its tables say, as far as they can be read.

Seen to fail: bans, holds, blocks and reports beside one table that could not be used reached nobody.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pytest

from recsys.catalogue.catalogue import Catalogue, catalogue_json
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.catalogue.files import CATALOGUE_JSON
from recsys.pipeline.rollback import rollback
from recsys.pipeline.unfinished_night import note_unfinished_night, usable_tables
from recsys.safety import MemorySafety
from recsys.settings import Settings
from recsys.storage.table_files import write_tables
from tests.safety.restriction_doors import (
    AS_OF,
    KINDS,
    NOW,
    OTHER,
    PAIR_OF,
    TOWN,
    USERS,
    Published,
    Tables,
    copy_of,
    opened,
    rows_of,
    with_rows,
)

_TOLD = ("ban", "account on hold", "hold", "block", "report", "end", "ban by an event", "hide")


def _twice(name: str) -> Callable[[Tables], Tables]:
    return lambda tables: {name: pd.concat([tables[name], tables[name].iloc[:1]], ignore_index=True)}


_FAR = AS_OF + pd.Timedelta(days=9000)
_COLUMN = "profiles with a column more"
BROKEN: dict[str, Callable[[Tables], Tables]] = {
    "nothing": lambda _: {},
    "a row of boundaries twice": _twice(T.BOUNDARIES),
    "a row of profiles twice": _twice(T.PROFILES),
    "a row of interests twice": _twice(T.INTERESTS),
    "interests without a column": lambda tables: {T.INTERESTS: tables[T.INTERESTS].drop(columns=C.TAG)},
    "profiles without a column": lambda tables: {T.PROFILES: tables[T.PROFILES].drop(columns=C.TZ)},
    _COLUMN: lambda _: {},
    "a row of the far future": lambda tables: {
        T.HOLDS: pd.concat(
            [
                tables[T.HOLDS],
                tables[T.HOLDS].assign(**{C.STATE: "lifted", C.TS: AS_OF + pd.Timedelta("9000D")}),
            ],
            ignore_index=True,
        )
    },
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("broken", BROKEN)
def test_what_can_be_read_of_a_night_that_ended_restricts(
    town: Published, tmp_path: Path, broken: str
) -> None:
    tables = with_rows({kind: rows_of(kind, "sound") for kind in _TOLD})
    source = f"parquet:{tmp_path / 'tables'}"
    plain = {name: _plain(table) for name, table in (tables | BROKEN[broken](tables)).items()}
    write_tables(plain, source)
    if broken == _COLUMN:
        file = tmp_path / "tables" / "profiles.parquet"
        pd.read_parquet(file).assign(colour="red").to_parquet(file)
    folder = copy_of(town, tmp_path)
    settings = Settings.from_mapping({"source": source}, where="test")
    assert note_unfinished_night(settings, folder)
    hides = {"hide"} if "profiles" in broken else set()  # such tables are no word about single pairs
    with opened(folder, MemorySafety()) as ranker:
        shown = {kind for kind in _TOLD if ranker.look(*PAIR_OF[kind], NOW) is not None}
        assert shown <= hides
        assert ranker.look(USERS[-2], OTHER, NOW) is not None
    assert set(_TOLD) <= set(KINDS)


@pytest.mark.parametrize("place", [0, 3, 6, 8])
def test_of_many_rows_of_one_person_the_state_that_restricts_is_looked_at(place: int) -> None:
    """Planted: the first four rows alone, so a ban in the fifth restricted nobody."""
    rows = TOWN[T.PROFILES][TOWN[T.PROFILES][C.USER].eq(OTHER)].iloc[:1].astype(object)
    several = [rows.assign(**{C.ACCOUNT_STATE: "active"})] * 8
    several.insert(place, rows.assign(**{C.ACCOUNT_STATE: "banned"}))
    table = pd.concat(several, ignore_index=True)
    kept = usable_tables({T.PROFILES: table}, {T.PROFILES})[T.PROFILES]
    assert kept[C.ACCOUNT_STATE].tolist() == ["banned"]


_QUERIES = {
    "a table that is gone": 'SELECT * FROM "renamed"',
    "a column that is gone": 'SELECT "colour" FROM "interests"',
    "no SQL": "SELECT FROM WHERE",
    "a view of a table that is gone": 'SELECT * FROM "of_renamed"',
    "a value that cannot be cast": "SELECT user_id, tag, CAST(tag AS INTEGER) AS level FROM interests",
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("fault", [*_QUERIES, "a damaged file", "a file that is no table"])
def test_what_a_source_with_one_fault_says_restricts(town: Published, tmp_path: Path, fault: str) -> None:
    """Seen to fail: one query that could not run threw away what all others had read."""
    tables = with_rows({kind: rows_of(kind, "sound") for kind in _TOLD})
    source = f"parquet:{tmp_path / 'tables'}"
    write_tables({name: _plain(table) for name, table in tables.items()}, source)
    if fault in _QUERIES:
        folder = tmp_path / "mapping"
        (folder / "views").mkdir(parents=True)
        (folder / "views" / "of_renamed.sql").write_text('SELECT * FROM "renamed"')
        (folder / "mapping.yaml").write_text(f"source: ../tables\nas_of: {AS_OF.isoformat()}\nzone: UTC\n")
        for name in tables:
            query = _QUERIES[fault] if name == T.INTERESTS else f'SELECT * FROM "{name}"'
            (folder / f"{name}.sql").write_text(query)
        source = f"mapping:{folder}"
    elif fault == "a damaged file":
        (tmp_path / "tables" / "interests.parquet").write_bytes(b"PAR1 damaged")
    else:
        (tmp_path / "tables" / "notes.xlsx").write_bytes(b"no table")
    folder = copy_of(town, tmp_path)
    assert note_unfinished_night(Settings.from_mapping({"source": source}, where="test"), folder)
    with opened(folder, MemorySafety()) as ranker:
        assert not {kind for kind in _TOLD if ranker.look(*PAIR_OF[kind], NOW) is not None}
        assert ranker.look(USERS[-2], OTHER, NOW) is not None


_SAID_TWICE: dict[str, tuple[str, dict[str, object]]] = {
    "too young": (T.PROFILES, {C.AGE_BAND: "17"}),
    "no proof": (T.PROFILES, {C.VERIFICATION: "none"}),
    "no age": (T.PROFILES, {C.AGE_BAND: None}),
    "another age": (T.PROFILES, {C.ACCEPTS_AGE_BANDS: ["65+"]}),
    "banned": (T.PROFILES, {C.ACCOUNT_STATE: "banned"}),
    "paused": (T.PROFILES, {C.ACCOUNT_STATE: "paused"}),
    "a word that is none": (T.PROFILES, {C.ACCOUNT_STATE: "???"}),
    "no channel": (T.BOUNDARIES, {C.CHANNELS: []}),
    "no line": (T.BOUNDARIES, {C.PHYSICAL_LINE: None}),
}


def _several(table: str, user: str, said: Mapping[str, object], where: tuple[int, int, bool]) -> pd.DataFrame:
    """Return some rows of one person, of which the one at a place says more; the others may be alike."""
    rows, place, are_alike = where
    own = TOWN[table][TOWN[table][C.USER].eq(user)].iloc[:1].astype(object)
    others = [
        {C.MAX_DISTANCE_KM: 400 + at} if table == T.PROFILES else {C.TOPICS_AVOID: [f"t{at}"]}
        for at in range(rows)
    ]
    several = [
        own.assign(**{} if are_alike else {name: [value] for name, value in other.items()})
        for other in others
    ]
    several[place] = own.assign(**{name: [value] for name, value in said.items()})
    return pd.concat(several, ignore_index=True)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("where", [(3, 0, True), (3, 1, False), (6, 4, True), (6, 5, False), (9, 4, False)])
@pytest.mark.parametrize("table", [T.PROFILES, T.BOUNDARIES])
def test_whatever_row_of_several_restricts_counts(
    town: Published, tmp_path: Path, table: str, where: tuple[int, int, bool]
) -> None:
    """Seen to fail: of rows that repeat each other the last counted, later the first four alone."""
    kinds = [kind for kind, (of, _) in _SAID_TWICE.items() if of == table]
    pair_of = {kind: (USERS[2 * at], USERS[2 * at + 1]) for at, kind in enumerate(kinds)}
    several = [_several(table, pair_of[kind][1], _SAID_TWICE[kind][1], where) for kind in kinds]
    several.append(_several(table, OTHER, {}, where))  # of whom no row says anything
    repeated = pd.concat(several, ignore_index=True)
    once = TOWN[table][~TOWN[table][C.USER].isin(repeated[C.USER])].astype(object)
    told = pd.concat([once, repeated], ignore_index=True)
    source = f"parquet:{tmp_path / 'tables'}"
    write_tables({name: _plain(one) for name, one in (TOWN | {table: told}).items()}, source)
    folder = copy_of(town, tmp_path)

    def shown() -> set[str]:
        with opened(folder, MemorySafety()) as ranker:
            assert ranker.look(USERS[-4], USERS[-3], NOW) is not None
            return {kind for kind, pair in pair_of.items() if ranker.look(*pair, NOW) is not None}

    assert shown() == set(kinds)
    assert note_unfinished_night(Settings.from_mapping({"source": source}, where="test"), folder)
    assert not shown()


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("beside", ["the source", "the settings"])
def test_words_of_the_service_stop_nobody(town: Published, tmp_path: Path, beside: str) -> None:
    """Seen to fail: whoever had a word of the service's own was out, since it was read as none."""
    source, own = f"parquet:{tmp_path / 'tables'}", "agender"
    tables = with_rows({"ban": rows_of("ban", "sound")})
    rows = tables[T.PROFILES]
    gender = rows[C.GENDER].mask(rows[C.USER].eq(OTHER), own)
    told = rows.assign(**{C.GENDER: gender, C.MEETS_GENDERS: None})
    write_tables({name: _plain(one) for name, one in (tables | {T.PROFILES: told}).items()}, source)
    words = [{"field": C.GENDER, "word": own, "label_en": "Agender"}]
    catalogue = Catalogue.of(words=words, extends="builtin")
    at = tmp_path / ("tables" if beside == "the source" else "own") / CATALOGUE_JSON
    at.parent.mkdir(exist_ok=True)
    at.write_bytes(catalogue_json(catalogue))
    where = {} if beside == "the source" else {"catalogue": str(at)}
    folder = copy_of(town, tmp_path)
    assert note_unfinished_night(Settings.from_mapping({"source": source, **where}, where="test"), folder)
    with opened(folder, MemorySafety()) as ranker:
        assert ranker.look(USERS[-2], OTHER, NOW) is not None
        assert ranker.look(*PAIR_OF["ban"], NOW) is None


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    times = [column for column in (C.TS, C.VALID_FROM) if column in table]
    return table.assign(**{column: pd.to_datetime(table[column], utc=True) for column in times})


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("first", ["published, then rolled back", "refused"])
def test_a_refused_night_of_sound_tables_opens_nothing_and_a_published_one_does(
    town: Published, tmp_path: Path, first: str
) -> None:
    """Seen to fail: an export that a gate refused, as an older one, freed whom it called active."""
    kinds = [kind for kind, said in KINDS.items() if not said.lasts] + ["ban"]
    folder, pair = copy_of(town, tmp_path), PAIR_OF["ban"]
    night = with_rows({kind: rows_of(kind, "sound") for kind in kinds})
    assert town.night(folder, night, refused=first == "refused", hours=2).published == (first != "refused")
    if first != "refused":
        rollback(folder)
    profiles = TOWN[T.PROFILES]
    newer = profiles[C.VALID_FROM].mask(profiles[C.USER].isin(pair), AS_OF + pd.Timedelta(hours=20))
    sound = TOWN | {T.PROFILES: profiles.assign(**{C.VALID_FROM: newer})}

    def seen() -> set[str]:
        with opened(folder, MemorySafety()) as ranker:
            return {kind for kind in kinds if ranker.look(*PAIR_OF[kind], NOW) is not None}

    assert not seen()
    assert not town.night(folder, sound, refused=True, hours=30).published
    assert not seen()
    assert town.night(folder, sound, hours=31).published
    assert seen() == set(kinds)
