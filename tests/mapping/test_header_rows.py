"""A CSV without a row of names loses no row to names: it is refused until the mapping says how it is read."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.errors import SettingsError, SourceError
from recsys.mapping.csv_reader import NoNamesError, TableOptions, read_csv
from recsys.mapping.draft import draft_mapping
from recsys.mapping.header_rows import is_row_of_data

_SURE: dict[str, Callable[[int], str]] = {  # a first row with one of these is one of data
    "number": lambda n: str(3 * n + 100),
    "padded": lambda n: f"{7 * n + 1:06}",
    "text id": lambda n: f"M-{n + 1:04}",
    "uuid": lambda n: f"6f9619ff-8b86-d011-b42d-{n:012x}",
    "date": lambda n: f"{1950 + n % 50}-05-{1 + n % 28:02}",
    "day first": lambda n: f"{1 + n % 28}.05.{1950 + n % 50}",
    "moment": lambda n: f"2026-11-{1 + n % 28:02} 10:00:00",
    "mail": lambda n: f"p{n}@example.org",
    "money": lambda n: f"{n}.50",
}
_OPEN: dict[str, Callable[[int], str]] = {
    "sex": lambda n: "FM"[n % 2],
    "town": lambda n: ("Leeds", "York", "Bath")[n % 3],
    "empty": lambda n: "",
    "name": lambda n: ("Ann", "Bo", "Cy", "Di")[n % 4] * (1 + n % 3),
}
_NAMES = (
    "id",
    "member_no",
    "born",
    "会員番号",
    "생년월일",
    "e-mail",
    "q12",
    "col1",
    "Last login",
    "м",
    "A1",
)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    """Draw names and rows with a column of which each value is surely no name."""
    columns = [
        draw(st.sampled_from(sorted(_SURE))),
        *draw(st.lists(st.sampled_from(sorted(_SURE | _OPEN)), max_size=4)),
    ]
    columns = draw(st.permutations(columns))
    makers = _SURE | _OPEN
    rows = [[makers[one](n + at) for at, one in enumerate(columns)] for n in range(draw(st.integers(3, 40)))]
    names = draw(st.permutations(_NAMES))[: len(columns)]
    return list(names), rows


def _written(folder: Path, rows: list[list[str]], delimiter: str = ",") -> Path:
    file = folder / "blocks.csv"
    with file.open("w", newline="", encoding="utf-8") as handle:
        csv.writer(handle, delimiter=delimiter).writerows(rows)
    return file


@settings(max_examples=150, deadline=None)
@given(tables(), st.sampled_from(",;\t|"))
def test_no_first_row_is_lost_to_names(
    tmp_path_factory: pytest.TempPathFactory, table: tuple[list[str], list[list[str]]], delimiter: str
) -> None:
    """Seen to fail: the first row of an export without names, such as a block, was gone without a word."""
    names, rows = table
    folder = tmp_path_factory.mktemp("export")
    file = _written(folder, rows, delimiter)
    with pytest.raises(NoNamesError, match="header_rows: 0"):
        read_csv(file, encoding=None, options=TableOptions())
    whole = read_csv(file, encoding=None, options=TableOptions(header_rows=0))
    assert whole.column_names == [f"column{at}" for at in range(len(names))]
    assert [[one or "" for one in row.values()] for row in whole.to_pylist()] == rows
    said = (
        read_csv(file, encoding=None, options=TableOptions(header_rows=1))
        if len(set(rows[0])) == len(rows[0])
        else None
    )
    assert said is None or said.num_rows == len(rows) - 1
    named = read_csv(_written(folder, [names, *rows], delimiter), encoding=None, options=TableOptions())
    assert named.column_names == names
    assert named.num_rows == len(rows)


@pytest.mark.parametrize(
    ("first", "rows"),
    [
        (["member", "2024", "2025", "2026"], [["m-1", "3", "4", "9"], ["m-2", "0", "1", "2"]]),
        (["1", "2", "3"], [["4", "5", "1"], ["2", "2", "3"]]),
        (["who", "whom"], [["ann", "bo"], ["cy", "di"]]),
        (["name", "note"], []),
        (["2026-06", "x"], [["a", "b"]]),
        (["sex", "town"], [["F", "York"], ["M", "Bath"]]),
    ],
)
def test_names_that_are_numbers_or_words_are_names(first: list[str], rows: list[list[str]]) -> None:
    assert not is_row_of_data(first, rows)


def test_a_draft_reads_a_table_without_names_whole_and_shows_nobody(tmp_path: Path) -> None:
    """Seen to fail: a draft named columns by the first member, birth date and all."""
    (tmp_path / "export").mkdir()
    people = [f"{n:06}" for n in range(1, 61)]
    rows = [[one, f"19{40 + at % 50}0512", "FM"[at % 2], "KYOTO"] for at, one in enumerate(people)]
    _written(tmp_path / "export", [[people[n], people[n + 7]] for n in range(9)])
    with (tmp_path / "export" / "members.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    as_of = datetime(2026, 6, 1, tzinfo=UTC)
    files = draft_mapping("../export", as_of=as_of, folder=tmp_path / "draft").files
    assert files["mapping.yaml"].count("header_rows: 0") == 2
    text = "".join(files.values())
    assert not any(value in text for value in ("19400512", "000001", "KYOTO"))


def test_rows_of_headers_are_never_negative() -> None:
    """Seen to fail: a trace of another library."""
    with pytest.raises(SettingsError, match="greater than or equal to 0"):
        TableOptions(header_rows=-1)


def test_an_empty_file_is_refused_as_before(tmp_path: Path) -> None:
    (tmp_path / "blocks.csv").write_text("")
    with pytest.raises(SourceError, match="empty"):
        read_csv(tmp_path / "blocks.csv", encoding=None, options=TableOptions(header_rows=0))


@pytest.mark.parametrize("before", ["", "\n", "\r\n\r\n"])
@pytest.mark.parametrize("after", ["", "\x1a", "\n\x1a"])
def test_empty_lines_above_and_a_mark_of_the_end_are_no_rows(tmp_path: Path, before: str, after: str) -> None:
    """Seen to fail: `ArrowInvalid`, and a message about a last row that was cut short."""
    file = tmp_path / "members.csv"
    file.write_bytes(f"{before}id,sex\n000001,F\n000002,M\n{after}".encode())
    found = read_csv(file, encoding=None, options=TableOptions())
    assert found.to_pylist() == [{"id": "000001", "sex": "F"}, {"id": "000002", "sex": "M"}]


def test_a_title_above_the_names_is_told_with_the_setting(tmp_path: Path) -> None:
    """Seen to fail: the error asked for fields, and did not say how a title is passed over."""
    (tmp_path / "blocks.csv").write_text("Blocked pairs\n\nmember,other\n000001,000002\n", encoding="utf-8")
    with pytest.raises(SourceError, match="header_rows"):
        read_csv(tmp_path / "blocks.csv", encoding=None, options=TableOptions())
