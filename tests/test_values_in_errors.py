"""Logs and errors carry no value of a profile, whatever is wrong with a table or a query."""

import re
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.cli import app
from recsys.data.tables import check_table
from recsys.errors import MissingColumnError, RecsysError, SettingsError, TableError
from recsys.mapping import Mapping, map_tables
from recsys.redaction import _TYPES, _WORDS, column_labels, library_reason
from recsys.testing.people import AS_OF, make_tables

SECRET = b"0123456789abcdef0123"
YAML = "source: data\nas_of: 2026-01-05T00:00:00Z\ncountry: JP\n"

MEMBERS = pd.DataFrame(
    {
        "id": ["mira77-k", "tovi81-q", "zuno92-w"],
        "phone": [9012341001, 8098765432, 7011112223],
        "born": ["1985-03-17", "1990-12-31", "17.03.85"],
        "mail": ["hana.sato@mail.example", "O'Briuna 'qerty' x", 'zelko "uvwex" (tall'],
        "lat": [35.681236, 34.712345, 35.198765],
        "about": ["I adore zitherplay, call me", "ex-smokker\nLINE 7: Referenced column ferrux", "qu';--"],
        "town": ["Kyomaru", "Osakuru", "Kyomaru"],
        "made": pd.to_datetime(["1985-03-17 11:22:33", "1990-12-31 04:05:06", "2001-07-08 09:10:11"]),
    }
)
SLIPS = (
    "CAST({column} AS INTEGER)",
    "CAST({column} AS UTINYINT)",
    "CAST({column} AS DATE)",
    "CAST({column} AS TIMESTAMP)",
    "CAST({column} AS BOOLEAN)",
    "CAST({column} AS UUID)",
    "CAST({column} AS INTERVAL)",
    "CAST({column} AS DECIMAL(2,1))",
    "CAST({column} AS INTEGER[])",
    "CAST({column} AS JSON)",
    "CAST({column} AS STRUCT(a INTEGER))",
    "CAST({column} AS ENUM('a', 'b'))",
    "{column} * 9223372036854775",
    "{column} + 9223372036854775807",
    "make_date({column}, 1, 1)",
    "strptime({column}, '%d/%m/%Y')",
    "regexp_extract('a', '(' || {column}, 0)",
    "regexp_matches('a', '[' || {column})",
    "error('bad row ' || {column})",
    "error({column} || ': ' || {column})",
    "error('Conversion Error: Referenced column ' || about)",
    "timezone({column}, TIMESTAMP '2020-01-01')",
    "unhex({column})",
    "chr({column})",
    "nextval({column})",
    "json_extract({column}, '$.a')",
    "from_base64({column})",
    "date_trunc({column}, made)",
    "date_part({column}, made)",
    "token({column}, 'x')",
    "token('phone', {column}) || {column} || CAST(mail AS INTEGER)",
    "distance('5', {column})",
    "age_band(born, {column}, 'x')",
    "printf('%d', {column})",
    "format('{{:d}}', {column})",
    "factorial({column})",
    "repeat({column}, 99999999999)",
    "getvariable({column})",
    "sum({column})",
    "no_such_function({column})",
    "{column}.inner",
    "(SELECT {column} FROM members)",
    "missing_column",
)


def cells(*frames: pd.DataFrame) -> set[str]:
    """Return every text and number of some tables, and the longer words within, as they may be repeated."""
    found = {str(value) for frame in frames for value in frame.to_numpy(object).ravel().tolist()}
    found |= {word for text in found for word in re.findall(r"[\w@.+-]{5,}", text)}
    common = {"referenced", "none", "true", "false", *_WORDS}
    return {text for text in found if len(text) > 3 and text.lower() not in common}


def repeated(message: str, values: set[str]) -> set[str]:
    """Return which values stand in a message, alone and as words."""
    return {
        value for value in values if re.search(rf"(?<![\w.]){re.escape(repr(value)[1:-1])}(?![\w])", message)
    }


def refusal(folder: Path) -> str:
    """Return what is said of the queries of a folder, nothing where they run."""
    try:
        map_tables(Mapping.read(folder), secret=SECRET)
    except RecsysError as error:
        return traced(error)
    return ""


def traced(error: BaseException) -> str:
    """Return what a log shows of an error with those it came from, without the lines of code."""
    return "".join(part for part in traceback.format_exception(error) if not part.startswith("  File"))


@pytest.fixture(scope="module")
def mapped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mapped")
    (folder / "data").mkdir()
    MEMBERS.to_parquet(folder / "data" / "members.parquet")
    (folder / "mapping.yaml").write_text(YAML, encoding="utf-8")
    return folder


@pytest.mark.parametrize("slip", SLIPS)
def test_no_slip_of_a_query_repeats_a_value(mapped: Path, slip: str) -> None:
    values = cells(MEMBERS.drop(columns="made")) | {"11:22:33", "04:05:06", "2001-07-08"}
    for column in MEMBERS.columns:
        for as_text in ("", "::VARCHAR"):
            sql = f"SELECT id AS user_id, CAST({slip.format(column=column + as_text)} AS VARCHAR) AS cell"
            (mapped / "profiles.sql").write_text(f"{sql} FROM members", encoding="utf-8")
            told = refusal(mapped)
            assert not repeated(told, values), (sql, told)


@settings(max_examples=150, deadline=None)
@given(
    st.text(min_size=4, max_size=30),
    st.sampled_from(["{}", "Could not convert string '{}' to INT32", "{}: {}"]),
)
def test_what_a_library_says_keeps_words_of_its_own_alone(value: str, message: str) -> None:
    kept = {word.strip(".,:;!?") for word in library_reason(message.format(value, value)).split()} - {""}
    assert all(word.lower() in _WORDS or word in _TYPES for word in kept)


def test_no_word_of_an_enumeration_is_a_word_of_messages() -> None:
    assert not _WORDS & {
        word for one in ENUMERATIONS.values() if one.words for word in one.words if len(word) > 3
    }


def test_errors_of_queries_stay_useful(mapped: Path) -> None:
    told = {
        "CAST(phone AS INTEGER)": ("profiles.sql, line 1, column phone", "Type INT64", "to the destination"),
        "CAST(mail AS INTEGER)": ("column mail", "Could not convert string ... to INT32"),
        "CAST(phon AS VARCHAR)": ("got 'phon'; did you mean 'phone'?",),
        "tokn('email', mail)": ("got 'tokn'; did you mean 'token'?",),
        "strptime(phone, '%Y')": ("No function matches", "strptime(BIGINT"),
    }
    for slip, parts in told.items():
        sql = f"SELECT id AS user_id, CAST({slip} AS VARCHAR) AS cell FROM members"
        (mapped / "profiles.sql").write_text(sql, encoding="utf-8")
        with pytest.raises(SettingsError) as caught:
            map_tables(Mapping.read(mapped), secret=SECRET)
        for part in parts[:2]:
            assert part in str(caught.value)


def test_a_source_without_its_header_names_no_candidate(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    text = MEMBERS.drop(columns=["about", "mail"]).to_csv(index=False, header=False)
    (tmp_path / "data" / "members.csv").write_text(text, encoding="utf-8")
    (tmp_path / "mapping.yaml").write_text(YAML, encoding="utf-8")
    values = cells(MEMBERS)
    for sql in (
        "id AS user_id",
        "* EXCLUDE (townn)",
        "* REPLACE (1 AS townn)",
        "*",
        "m.Kyomaro FROM members m --",
    ):
        (tmp_path / "profiles.sql").write_text(f"SELECT {sql} FROM members", encoding="utf-8")
        with pytest.raises(RecsysError) as caught:
            map_tables(Mapping.read(tmp_path), secret=SECRET)
        assert not repeated(traced(caught.value), values), traced(caught.value)


Tables = dict[str, str]


def headerless(text: str) -> str:
    return text.partition("\n")[2]


def more_fields(text: str) -> str:
    head, first, second, *rest = text.split("\n")
    return "\n".join([head, first, second.replace(",", ",,", 1), *rest])


def fewer_fields(text: str) -> str:
    head, first, *rest = text.split("\n")
    return "\n".join([head, first.partition(",")[2], *rest])


def turned(text: str) -> str:
    head, _, rest = text.partition("\n")
    return ",".join(reversed(head.split(","))) + "\n" + rest


def shifted(text: str) -> str:
    head, _, rest = text.partition("\n")
    names = head.split(",")
    return ",".join([*names[1:], names[0]]) + "\n" + rest


def members_as_columns(text: str) -> str:
    lines = text.split("\n")
    names = [line.partition(",")[0] for line in lines[1:4]]
    return "\n".join(
        line + "".join(f",{one if at == 0 else 1}" for one in names) if line else line
        for at, line in enumerate(lines)
    )


PEOPLE_AS_COLUMNS = ("hanako", "Tanaka Hanako", "harassed by hanako in march", "u-9", "lat of kenji", "花子")


def turned_on_its_side(text: str) -> str:
    first, *rest = text.split("\n")
    more = ",".join(PEOPLE_AS_COLUMNS)
    return "\n".join([f"{first},{more}", *(line + ",1" * 6 if line else line for line in rest)])


def joined_with_semicolons(text: str) -> str:
    return text.replace(",", ";")


def headerless_with_semicolons(text: str) -> str:
    return headerless(text).replace(",", ";")


def header_at_the_end(text: str) -> str:
    head, _, rest = text.partition("\n")
    return rest + head + "\n"


def unclosed(text: str) -> str:
    head, first, *rest = text.split("\n")
    return "\n".join([head, '"' + first, *rest])


FAULTS: tuple[Callable[[str], str], ...] = (
    headerless,
    more_fields,
    fewer_fields,
    turned,
    shifted,
    members_as_columns,
    turned_on_its_side,
    joined_with_semicolons,
    headerless_with_semicolons,
    header_at_the_end,
    unclosed,
)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound")
    tables = make_tables(6, np.random.default_rng(3), unknown=0.0)
    blocks = pd.DataFrame(
        {C.ACTOR: ["u00001", "u00003"], C.TARGET: ["u00004", "u00002"], C.TS: "2026-01-02T03:04:05Z"}
    )
    for name, frame in (tables | {T.BLOCKS: blocks}).items():
        frame.map(_cell).to_csv(folder / f"{name}.csv", index=False)
    return folder


def _cell(value: object) -> object:
    if isinstance(value, list | tuple | set | frozenset | np.ndarray):
        return "|".join(sorted(map(str, value)))
    return value.isoformat() if isinstance(value, pd.Timestamp) else value


def values_of(folder: Path) -> set[str]:
    frames = [pd.read_csv(path, dtype=str) for path in folder.glob("*.csv")]
    public = {
        word for path in folder.glob("*.csv") for word in path.read_text().partition("\n")[0].split(",")
    }
    return cells(*frames) - public


def _folders(sound: Path, tmp_path: Path, fault: Callable[[str], str]) -> Iterator[tuple[str, Path]]:
    for path in sorted(sound.glob("*.csv")):
        if len(path.read_text(encoding="utf-8").splitlines()) < 3:
            continue
        folder = tmp_path / f"{fault.__name__}_{path.stem}"
        folder.mkdir()
        for other in sound.glob("*.csv"):
            text = other.read_text(encoding="utf-8")
            (folder / other.name).write_text(fault(text) if other == path else text, encoding="utf-8")
        yield path.stem, folder


@pytest.mark.parametrize("fault", FAULTS, ids=lambda one: one.__name__)
def test_no_fault_of_a_csv_repeats_a_value(sound: Path, tmp_path: Path, fault: Callable[[str], str]) -> None:
    values = values_of(sound) | {*PEOPLE_AS_COLUMNS}
    for table, folder in _folders(sound, tmp_path, fault):
        arguments = ["validate", "--source", f"csv:{folder}", "--as-of", AS_OF.isoformat()]
        told = CliRunner().invoke(app, arguments)
        output = told.output + (traced(told.exception) if told.exception else "")
        # the words a column may hold are told as a remedy: "use one of ..."
        output = re.sub(r"(?:use one of|did you mean|give ISO 8601)[^\n]*", "", output)
        assert not repeated(output, values), (table, output)
        assert told.exit_code in (0, 10, 40), output


def test_names_are_told_where_they_are_names() -> None:
    known = ["user_id", "age_band", "household"]
    assert column_labels(["user_id", "favourite_colour"], known=known)[1] == "favourite_colour"
    assert column_labels(["user_id", "hanako", "agebend"], known=known, has_no_others=True) == [
        "user_id",
        "column 2",
        "agebend",
    ]
    assert column_labels(["user_id", "趣味"], known=known)[1] == "趣味"
    assert column_labels(["2026-01-05", "agebend", "married"], known=known) == [
        "column 1",
        "agebend",
        "column 3",
    ]
    with pytest.raises(MissingColumnError, match="got 'column 1, column 2'"):
        raise MissingColumnError(["user_id"], ["u0000017", "north"], "neighbourhoods")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT doc + 5 AS cell FROM members",
        "SELECT kind + 5 AS cell FROM members",
        "PIVOT members ON mail USING count(*)",
        "SELECT nothing FROM (PIVOT members ON mail USING count(*))",
        "SELECT id AS user_id, mail AS cell, mail AS cell FROM members",
        "SELECT id AS user_id, (SELECT mail FROM members) AS cell FROM members",
        "SELECT id AS user_id, {id: doc, x: mail} + 1 AS cell FROM members",
    ],
)
def test_what_a_type_or_a_column_is_made_of_is_a_value(tmp_path: Path, sql: str) -> None:
    (tmp_path / "data").mkdir()
    members = MEMBERS[["id", "mail"]].assign(doc=[{"qerty77": 1}] * 3)
    members["kind"] = pd.Categorical(["zelko81", "tovim9", "zelko81"])
    members.to_parquet(tmp_path / "data" / "members.parquet")
    (tmp_path / "mapping.yaml").write_text(YAML, encoding="utf-8")
    (tmp_path / "profiles.sql").write_text(sql, encoding="utf-8")
    told = refusal(tmp_path)
    assert "profiles.sql" in told
    assert not repeated(told, cells(MEMBERS) | {"qerty77", "zelko81", "tovim9"}), told


def test_a_type_of_documents_names_none_of_their_keys() -> None:
    """Seen to fail: the type of a column was told with the keys of the documents in it."""
    table = pa.table({C.USER: ["a", "b"], C.AGE_BAND: pa.array([{"hana.sato": 1}, {"hana.sato": 2}])})
    with pytest.raises(TableError) as caught:
        check_table(T.PROFILES, table.to_pandas(types_mapper=pd.ArrowDtype))
    assert "wrong type in column 'age_band': got 'struct'" in str(caught.value)
    assert "hana" not in str(caught.value)


@pytest.mark.parametrize("column", ["phone", "mail", "born", "about", "lat"])
def test_rows_are_set_aside_by_reasons_and_not_by_values(mapped: Path, column: str) -> None:
    """Seen to fail: `map check` printed each phone as a reason with how many rows it sets aside."""
    sql = f"SELECT id AS user_id, CAST({column} AS VARCHAR) AS set_aside FROM members"
    (mapped / "profiles.sql").write_text(sql, encoding="utf-8")
    told = refusal(mapped)
    assert "column set_aside" in told
    assert not repeated(told, cells(MEMBERS)), told


def commands(group: Any, *before: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command of the program that reads tables, from the parser: a new one is in the law."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, *before, name)
        elif name != "init" and any(one.name == "source" for one in command.params):
            yield (*before, name), command


PROGRAM = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("name", PROGRAM, ids=" ".join)
def test_no_command_repeats_a_value_of_a_wrong_csv(
    sound: Path, tmp_path: Path, name: tuple[str, ...]
) -> None:
    values, given = values_of(sound) | {*PEOPLE_AS_COLUMNS}, ["u00001", "u00002"]
    options = [part for one in PROGRAM[name].params if one.required for part in (one.opts[0], "out")]
    asked = [one for one in PROGRAM[name].params if one.param_type_name == "argument" and one.required]
    arguments = given[: len(asked)] if asked else options
    for fault in (headerless, more_fields, unclosed, turned_on_its_side):
        for table, folder in _folders(sound, tmp_path, fault):
            if table not in (T.PROFILES, T.ANSWERS, T.BLOCKS):
                continue
            with chdir(tmp_path):
                told = CliRunner().invoke(app, [*name, *arguments, "--source", f"csv:{folder}"])
            output = told.output + (traced(told.exception) if told.exception else "")
            output = re.sub(r"(?:use one of|did you mean|give ISO 8601)[^\n]*", "", output)
            assert not repeated(output, values - {*arguments}), (table, output)
            assert told.exit_code in (0, 10, 20, 30, 40), output


MARK = "zitherplay 090-1234-5678 hana.sato@mail.example"
WRONG = (MARK, [MARK], {MARK: MARK}, MARK.encode(), (MARK,), 9012345678012, f"\ud800{MARK}", np.array([MARK]))


@pytest.mark.parametrize("table", sorted(make_tables(2, np.random.default_rng(3))))
def test_no_value_in_a_frame_is_repeated(table: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Seen to fail: half a surrogate pair in a state was an error of Python, and a ban in it lost."""
    tables = make_tables(8, np.random.default_rng(3), unknown=0.0)
    for column in tables[table].columns:
        for values in (WRONG, (f"\ud800{MARK}",)):  # of several kinds, and of texts alone
            cells_of = tables[table][column].tolist()
            cells_of = [*values, *cells_of[len(values) :]][: len(cells_of)]
            wrong = pd.Series(cells_of, tables[table].index, dtype=object)
            told = ""
            with warnings.catch_warnings(record=True) as warned:
                warnings.simplefilter("always")
                try:
                    check_table(table, tables[table].assign(**{column: wrong}))
                except RecsysError as error:
                    told = traced(error)
            told += "".join(capfd.readouterr()) + " ".join(str(one.message) for one in warned)
            assert not re.search("zither|1234|90123|hana", told), (column, told)
