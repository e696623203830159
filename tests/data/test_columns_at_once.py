"""Columns that are read or written as a whole hold what each value means alone."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.data.as_of import latest
from recsys.data.contact_tokens import make_token
from recsys.data.events import Events
from recsys.data.fields.base import Field, RefusedValue
from recsys.data.fields.enumeration import WordSet
from recsys.data.fields.text import AnyId, FreeText, PersonId, Token
from recsys.data.shared_values import equal_sets, factorize_shared, ordered
from recsys.data.tables import CONTRACTS, check_table
from recsys.simulation.profiles import phone_token
from recsys.simulation.sampling import lists_of
from recsys.storage.sources import as_frame
from recsys.storage.table_files import write_tables

_WORDS = ("a", "b", "cc", "d")
_members = st.lists(st.sampled_from((*_WORDS, "a", "", "strange", "é")), max_size=5)
_sets: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    _members,
    _members.map(tuple),
    _members.map(lambda words: np.array(words, dtype=object)),
    _members.map("|".join),
    st.lists(st.sampled_from(["a", None, 3]), max_size=3),
    st.just(7),
    st.just(["a"] * 70),
)


def _column(values: list[Any]) -> np.ndarray[Any, Any]:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _plain(field: Field, values: list[Any]) -> tuple[list[Any], dict[str, list[int]]]:
    """Read one value after the other: the meanings, and the rows that break each rule."""
    meanings: list[Any] = []
    broken: dict[str, list[int]] = {}
    for row, value in enumerate(values):
        try:
            meanings.append(field.value(value))
        except RefusedValue as refused:
            meanings.append(None)
            broken.setdefault(f"{field.name}.{refused.rule}", []).append(row)
    return meanings, broken


def _whole(field: Field, column: pd.Series) -> tuple[list[Any], dict[str, list[int]]]:
    read = field.read(column)
    found: dict[str, list[int]] = {}
    for fault in read.faults:
        found.setdefault(fault.code, []).extend(fault.rows.tolist())
    return read.column.tolist(), {code: sorted(rows) for code, rows in found.items()}


@given(st.lists(_members, max_size=12), st.data())
def test_sets_are_of_one_group_exactly_when_they_hold_the_same_words_in_order(
    distinct: list[list[str]], data: st.DataObject
) -> None:
    kinds = (list, tuple, lambda words: np.array(words, dtype=object))
    chosen = data.draw(st.lists(st.sampled_from([None, *distinct]), max_size=20))
    given_sets = [None if words is None else data.draw(st.sampled_from(kinds))(words) for words in chosen]
    group, first = equal_sets(_column(given_sets))
    keys = [None if words is None else tuple(words) for words in chosen]
    known = list(dict.fromkeys(key for key in keys if key is not None))
    assert group.tolist() == [-1 if key is None else known.index(key) for key in keys]
    assert first.tolist() == [keys.index(key) for key in known]


@given(st.lists(_sets, max_size=12), st.data())
def test_a_column_of_sets_reads_as_each_set_alone(values: list[Any], data: st.DataObject) -> None:
    field = WordSet(name="set", words=_WORDS)
    values = [*values, *data.draw(st.lists(st.sampled_from(values), max_size=6))] if values else values
    found, broken = _whole(field, pd.Series(_column(values), dtype=object))
    plain, refused = _plain(field, values)
    assert found == plain
    assert {rule: rows for rule, rows in broken.items() if not rule.endswith("unknown_member")} == {
        rule: rows for rule, rows in refused.items() if not rule.endswith(("not_a_set", "unknown_member"))
    } | {rule: rows for rule, rows in broken.items() if rule.endswith("not_a_set")}
    both = ("not_a_set", "unknown_member")  # one value alone does not say which of the two it is
    assert sorted(row for rule, rows in broken.items() if rule.endswith(both) for row in rows) == sorted(
        row for rule, rows in refused.items() if rule.endswith(both) for row in rows
    )


@given(st.lists(st.one_of(st.none(), st.tuples(st.sampled_from("ab")), st.just(()), st.text(max_size=1))))
def test_values_are_numbered_as_pandas_does(values: list[Any]) -> None:
    column = _column(values)
    codes, distinct = factorize_shared(column)
    expected, known = pd.factorize(column)
    assert codes.tolist() == expected.tolist()
    assert distinct.tolist() == known.tolist()


@given(
    st.lists(st.one_of(st.none(), st.sampled_from(["a", "b", "é"]), st.text(max_size=1)), max_size=20),
    st.sampled_from([object, "str", "category"]),
    st.randoms(use_true_random=False),
)
def test_texts_are_put_in_order_as_values_are(values: list[Any], dtype: Any, random: Any) -> None:
    column = pd.Series(values, dtype=dtype)
    order = np.array([random.randrange(len(values)) for _ in values], np.intp)
    for often in (order, np.tile(order, 1200)):  # few rows, and many
        pd.testing.assert_series_equal(ordered(column, often), pd.Series(column.to_numpy()[often]))


@pytest.mark.parametrize("values", [[1, None, 2], [("a",), None], [["a"], "b"], [1.5, "a", None], [], [None]])
def test_what_is_no_text_is_put_in_order_too(values: list[Any]) -> None:
    column, order = pd.Series(_column(values), dtype=object), np.arange(len(values))[::-1]
    for often in (order, np.tile(order, 1200)):  # few rows, and many
        pd.testing.assert_series_equal(ordered(column, often), pd.Series(column.to_numpy()[often]))


@given(st.lists(st.one_of(st.none(), st.lists(st.one_of(st.none(), st.sampled_from(_WORDS)), max_size=4))))
def test_lists_read_from_parquet_are_those_that_were_written(values: list[list[str] | None]) -> None:
    import pyarrow as pa

    table = pa.table(
        {
            "before": pa.array(range(len(values))),
            "words": pa.array(values, pa.list_(pa.string())),
            "after": pa.array(map(str, range(len(values))), pa.string()),
        }
    )
    for part in (table, table.slice(1), pa.concat_tables([table, table])):
        plain = part.to_pandas()
        found = as_frame(part, self_destruct=False)
        assert found.columns.tolist() == plain.columns.tolist()
        as_lists = [
            [None if one is None else list(one) for one in frame["words"]] for frame in (found, plain)
        ]
        assert as_lists[0] == as_lists[1]
        pd.testing.assert_frame_equal(found[["before", "after"]], plain[["before", "after"]])


_days = st.one_of(st.none(), st.integers(1, 4).map(lambda day: pd.Timestamp(2026, 1, day, tz="UTC")))


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xy"), _days), max_size=14))
def test_the_latest_row_of_each_key_is_the_last_by_time(rows: list[tuple[str, str, Any]]) -> None:
    table = pd.DataFrame(
        {
            "user_id": [user for user, _, _ in rows],
            "question_id": [question for _, question, _ in rows],
            "valid_from": pd.Series([day for *_, day in rows], dtype="datetime64[us, UTC]"),
        }
    )
    moment = pd.Timestamp(2026, 1, 3, tz="UTC")
    best: dict[tuple[str, str], int] = {}
    for at, (user, question, day) in enumerate(rows):
        earlier = rows[best[user, question]][2] if (user, question) in best else None
        if day is not None and day > moment:
            continue
        if (user, question) not in best or earlier is None or (day is not None and day >= earlier):
            best[user, question] = at
    found = latest(table, ["user_id", "question_id"], moment)
    assert sorted(found.index) == sorted(best.values())


@given(st.lists(st.tuples(st.integers(0, 2), st.text("abc\U0001f600", min_size=1, max_size=2)), unique=True))
def test_events_stand_by_time_then_id(rows: list[tuple[int, str]]) -> None:
    frame = pd.DataFrame(
        {
            C.EVENT: pd.Series([name for _, name in rows], dtype="str"),
            C.TS: pd.to_datetime([ts for ts, _ in rows], unit="s", utc=True),
            C.ACTOR: "a",
            C.TARGET: "b",
            C.TYPE: "like",
        }
    )
    frame = frame.drop_duplicates(C.EVENT, ignore_index=True)
    expected = sorted(zip(frame[C.TS], frame[C.EVENT], strict=True))
    for given_frame in (frame, frame.astype({C.EVENT: object})):
        found = Events.of(given_frame).frame
        assert list(zip(found[C.TS], found[C.EVENT], strict=True)) == expected


_TOKEN_TEXT = "hmac1:" + "0a" * 32
_ids = st.one_of(
    st.none(),
    st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True),
    st.sampled_from(["u1\n", "u1\u0661", "ü", "u\x00", "x" * 65, "", _TOKEN_TEXT, _TOKEN_TEXT + "\n", "a b"]),
    st.sampled_from(["u\x7f", "u\u2028", "\u202eu", "ü" * 256, "x" * 257]),
)


@pytest.mark.parametrize(
    "field",
    [
        PersonId(name="id", nullable=True),
        AnyId(name="id", nullable=True),
        Token(name="id"),
        FreeText(name="id"),
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", [object, "str", "category"])
@given(some=st.lists(_ids, max_size=30))
def test_a_column_of_texts_reads_as_each_text_alone(field: Field, dtype: Any, some: list[str | None]) -> None:
    values = [*some, *(f"u{number}" for number in range(70)), *some]  # enough to be looked at as a whole
    found, broken = _whole(field, pd.Series(values, dtype=dtype))
    plain, refused = _plain(field, values)
    assert found == plain
    assert broken == refused


def test_what_is_no_text_is_refused_in_a_column_that_is_looked_at_as_a_whole() -> None:
    values = [*(f"u{number}" for number in range(70)), b"u1", 7, ["u1"], "\ud800"]
    found, broken = _whole(PersonId(name="id"), pd.Series(_column(values), dtype=object))
    assert found[70:] == [None] * 4
    assert broken == {"id.not_text": [70, 71, 72], "id.not_an_id": [73]}


@given(st.integers(0, 2**32 - 1), st.integers(0, 120))
def test_at_most_thirty_interests_a_person_are_kept(seed: int, n_rows: int) -> None:
    rng = np.random.default_rng(seed)
    rows = list(zip(rng.choice(["a", "b", "c"], n_rows), rng.integers(0, 45, n_rows).tolist(), strict=True))
    interests = pd.DataFrame(
        {
            C.USER: [str(user) for user, _ in rows],
            C.TAG: [f"free:thing {number}" for _, number in rows],
            C.LEVEL: 1,
            C.SHARE_MODE: ENUMERATIONS[C.SHARE_MODE].words[0],
        }
    )
    kept: dict[Any, list[int]] = {}
    expected = []
    for at, (user, number) in enumerate(rows):
        mine = kept.setdefault(user, [])
        if number in mine:
            continue
        mine.append(number)
        if len(mine) <= 30:
            expected.append(at)
    refused = check_table(T.INTERESTS, interests).quarantined
    assert sorted(set(range(len(rows))) - set(refused["row_number"])) == expected


@pytest.mark.parametrize("n_words", [1, 3, 8, 9, 64, 65])
def test_lists_of_hold_the_words_of_each_row(n_words: int) -> None:
    words = [f"w{number}" for number in range(n_words)]
    members = np.random.default_rng(n_words).random((50, n_words)) < 0.4
    expected = [[word for word, held in zip(words, row, strict=True) if held] for row in members]
    assert lists_of(members, words).tolist() == expected


@given(st.integers(0, 300_000_000))
def test_a_phone_token_of_the_town_is_the_token_of_that_number(number: int) -> None:
    secret = b"kept outside the data"
    assert phone_token(number, secret) == make_token("phone", f"+8170{number:08d}", secret)


@given(
    st.lists(
        st.one_of(st.none(), _members, _members.map(tuple), _members.map("|".join), _members.map(frozenset))
    )
)
def test_sets_are_written_sorted_and_each_word_once(tmp_path_factory: Any, values: list[Any]) -> None:
    import pyarrow.parquet as pq

    folder = tmp_path_factory.mktemp("written")
    field = next(one for one in CONTRACTS[T.PROFILES].fields if one.name == C.LANGUAGES)
    assert isinstance(field, WordSet)
    frame = pd.DataFrame({C.LANGUAGES: pd.Series(_column(values), dtype=object)})
    write_tables({T.PROFILES: frame}, f"parquet:{folder}")
    words_of = [value.split("|") if isinstance(value, str) else value for value in values]
    expected = [None if words is None else sorted({word for word in words if word}) for words in words_of]
    assert pq.read_table(folder / "profiles.parquet")[C.LANGUAGES].to_pylist() == expected
