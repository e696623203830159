"""Nothing of a table is read wrongly in silence: one reading a column, what does not fit is set aside."""

import itertools
import warnings
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import recsys
from recsys.data.ids import as_ids, id_column
from recsys.errors import InputError, UnknownIdError
from recsys.interactions import Interactions
from recsys.interactions.binarize import event_types
from recsys.interactions.time_formats import utc_times

DAYS = st.lists(st.dates(datetime(1990, 1, 1).date(), datetime(2035, 12, 31).date()), min_size=3, max_size=12)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def log(outcome=None, when=None, like=None, **more):
    n = len(outcome if outcome is not None else when)
    frame = pd.DataFrame({"who": [f"a{i}" for i in range(n)], "whom": "b"})
    if outcome is not None:
        frame["said"] = outcome
    if when is not None:
        frame["at"] = when
    more |= {} if outcome is None else {"outcome": "said", "like": like}
    return Interactions.of(frame, viewer="who", candidate="whom", ts=None if when is None else "at", **more)


@settings(max_examples=40)
@given(DAYS, st.sampled_from(["dmy", "mdy"]), st.sampled_from("/.-"))
def test_a_column_of_dates_has_one_order_or_is_asked_for(days, order, mark) -> None:
    form = mark.join(("%d", "%m", "%Y") if order == "dmy" else ("%m", "%d", "%Y"))
    column = pd.Series([day.strftime(form) for day in days])
    if any(day.day > 12 for day in days):
        times, read = utc_times(column)
        assert (times.dt.date.tolist(), read) == (days, order)
    else:
        with pytest.raises(InputError, match="ts_format='dmy'"):
            utc_times(column)
    assert utc_times(column, order)[0].dt.date.tolist() == days


def test_a_date_of_the_other_order_is_set_aside_and_never_turned() -> None:
    found = log(when=["25/12/2024", "13/01/2025", "02/28/2025"], ts_format="dmy")
    assert found.quarantine["codes"].tolist() == ["ts.unreadable"]
    with pytest.raises(InputError, match="change places"):
        log(when=["25/12/2024", "13/01/2025", "02/28/2025"])


@settings(max_examples=40)
@given(DAYS, st.sampled_from(["s", "ms", "us", "ns", "excel", "yyyymmdd"]), st.booleans())
def test_numbers_have_one_unit_whatever_stands_beside_them(days, unit, as_text) -> None:
    each = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
    numbers = [
        int(day.strftime("%Y%m%d"))
        if unit == "yyyymmdd"
        else (day - datetime(1899, 12, 30).date()).days
        if unit == "excel"
        else (day - EPOCH.date()).days * 86400 * each[unit]
        for day in days
    ] * 5
    column = pd.Series([*numbers, 99_999_999_999_999_999], dtype="int64")  # no unit makes it a time of ours
    times, read = utc_times(column.astype(str) if as_text else column)
    assert read == unit
    assert times.iloc[: len(days)].dt.date.tolist() == days
    assert pd.isna(times.iloc[-1])


@settings(max_examples=30)
@given(st.lists(st.integers(0, 25_000), min_size=3, max_size=12), st.booleans())
def test_numbers_that_count_anything_else_are_said_to_be_an_order(counts, as_text) -> None:
    """Days, weeks, waves and years would become seconds of 1970, and a log of years one of an hour."""
    column = pd.Series(counts, name="wave")
    with pytest.warns(UserWarning, match="in wave.*as seconds since 1970.*'d' for days.*'%Y' for years"):
        times, read = utc_times(column.astype(str) if as_text else column)
    assert read == "s"
    assert (times.rank().to_numpy() == column.rank().to_numpy()).all()
    asked, read = utc_times(column, "s")  # no warning where it is said
    assert (asked.tolist(), read) == (times.tolist(), "s")


@settings(max_examples=30)
@given(st.lists(st.integers(0, 40_000), min_size=3, max_size=12), st.booleans())
def test_days_since_1970_are_days_where_that_is_said(days, as_text) -> None:
    """R, Arrow and data warehouses write dates so; a clock of its own counts days as well."""
    column = pd.Series(days, name="day")
    times, read = utc_times(column.astype(str) if as_text else column, "d")
    assert read == "d"
    assert times.tolist() == [pd.Timestamp(0, tz="UTC") + pd.Timedelta(days=day) for day in days]


@settings(max_examples=30)
@given(
    st.lists(st.integers(1980, 2099), min_size=3, max_size=12), st.sampled_from(["int64", "float64", "str"])
)
def test_years_are_years_where_that_is_said(years, kind) -> None:
    times, read = utc_times(pd.Series(years).astype(kind), "%Y")
    assert (times.dt.year.tolist(), read) == (years, "%Y")


def test_a_time_without_a_date_is_not_today() -> None:
    found = log(when=["2024-02-03 10:00", "11:30", "2024-02-04"])
    assert found.quarantine["row_number"].tolist() == [1]
    with pytest.raises(InputError, match="no time can be read"):
        log(when=["10:00", "11:30"])


@pytest.mark.parametrize(
    ("written", "hour"),
    [
        ("2025年01月13日", 0),
        ("令和７年1月13日 午後9時30分", 21),
        ("R7.1.13", 0),
        ("2025年1月13日(月) 21時", 21),
    ],
)
def test_japanese_dates_are_read_in_a_column_and_alone(written, hour) -> None:
    want = pd.Timestamp("2025-01-13", tz="UTC") + pd.Timedelta(hours=hour)
    found = log(when=[written, "2025-01-13", "soon"])
    assert found.quarantine["row_number"].tolist() == [2]
    for read in (found.events.last, recsys.Population.of_ids(["a"], as_of=written).as_of):
        assert read.floor("h") == want


def test_the_reading_is_told() -> None:
    assert log(when=["25/12/2024", "01/02/2025"]).read.ts_format == "dmy"
    assert log(when=["2024-02-03", "2024-02-04"]).read.ts_format == "iso"
    assert log(when=["03.02.2024 10:00", "x"], ts_format="%d.%m.%Y %H:%M").read.ts_format == "%d.%m.%Y %H:%M"
    with pytest.raises(InputError, match="did you mean"):
        log(when=["2024-02-03"], ts_format="dym")


def test_an_empty_rating_is_no_answer_and_a_word_among_numbers_is_set_aside() -> None:
    found = log(["5", "", " ", "2", "great", None], like=4)
    assert found.events.frame["type"].tolist() == ["like", "pass"]
    assert found.quarantine["row_number"].tolist() == [1, 2, 4, 5]
    found = log(["yes", "", "no"], like={"yes"})
    assert (found.events.frame["type"].tolist(), len(found.quarantine)) == (["like", "pass"], 1)


@pytest.mark.parametrize("like", [{5, 4}, {5: "like"}])
def test_likes_of_another_kind_than_the_column_are_an_error(like) -> None:
    with pytest.raises(InputError, match="another kind"):
        log(["5", "3"], like=like)
    with pytest.raises(InputError, match="another kind"):
        log([5, 3], like={"5": "like"} if isinstance(like, dict) else {"5"})


@pytest.mark.parametrize(
    "make",
    [
        pd.Series,
        lambda values: pd.Series(values).astype("category"),
        lambda values: pd.Series(values, dtype=pd.ArrowDtype(pa.int64())),
        lambda values: pd.Series(values, dtype="Int64"),
        lambda values: pd.Series(values, dtype="uint64"),
        lambda values: pd.Series([Decimal(value) for value in values]),
        lambda values: pd.Series(values, dtype=pd.ArrowDtype(pa.decimal128(5, 1))),
        lambda values: pd.Series(list(map(str, values)), dtype=pd.ArrowDtype(pa.large_string())),
        lambda values: pd.Series(list(map(str, values))).astype("category"),
    ],
)
def test_what_backs_a_column_changes_nothing(make) -> None:
    assert log(make([5, 2, 4]), like=4).events.frame["type"].tolist() == ["like", "pass", "like"]


@pytest.mark.parametrize("dtype", ["int64", "uint64", "Int64", "category", "float64", "int64[pyarrow]"])
def test_ids_of_any_kind_of_number_are_one_person(dtype: str) -> None:
    frame = pd.DataFrame({"who": pd.Series([7, 8, 7]).astype(dtype), "whom": [1, 2, 7]})
    found = Interactions.of(frame, viewer="who", candidate="whom")
    assert set(found.viewers) == {7, 8}
    assert found.quarantine["codes"].tolist() == ["pair.self"]


def test_excluded_ids_that_match_nobody_are_an_error_and_some_are_counted() -> None:
    town = Interactions.of(
        pd.DataFrame({"who": [1, 2, 3, 4], "whom": [2, 3, 4, 1]}), viewer="who", candidate="whom"
    )
    model = recsys.PopularityModel().fit(town.people, town.events, rng=np.random.default_rng(0))

    def lists(pairs):
        exclude = pd.DataFrame(pairs, columns=["viewer_id", "candidate_id"])
        return recsys.recommend(model, town.people, town.policy, k=4, exclude=exclude)

    with pytest.raises(UnknownIdError, match="another kind"):
        lists([("1", "2"), ("2", "3")])
    found = lists([(1, 3), (1, 99)])
    assert 3 not in found.loc[found["viewer_id"] == 1, "candidate_id"].tolist()
    assert found.attrs["exclude_unmatched"] == 1
    assert lists([]).attrs["exclude_unmatched"] == 0


def test_three_sides_of_two_columns_are_an_error() -> None:
    with pytest.raises(InputError, match="two sides"):
        log(["yes"], like={"yes"}, sides=("user", "film", "shop"))


def test_a_table_of_a_header_alone_is_an_empty_log() -> None:
    frame = pd.DataFrame({"who": [], "whom": [], "said": [], "at": []})
    with pytest.warns(UserWarning, match="no row"):
        found = Interactions.of(frame, viewer="who", candidate="whom", outcome="said", like=4, ts="at")
    assert (len(found), len(found.quarantine)) == (0, 0)


def test_nanoseconds_and_zones_are_one_moment() -> None:
    moment = pd.Timestamp("2024-02-03T10:00:00.123456789", tz="Europe/Paris")
    for column in (pd.Series([moment]), pd.Series([moment.isoformat()])):
        assert abs(utc_times(column)[0].iloc[0] - moment) < timedelta(microseconds=1)


@settings(max_examples=40)
@given(st.dates(datetime(1990, 1, 1).date(), datetime(2035, 12, 31).date()), st.sampled_from("/.-"))
def test_a_single_time_is_read_as_a_column_is_or_refused(day, mark) -> None:
    for form in ("%d", "%m", "%Y"), ("%m", "%d", "%Y"):
        for written in (day.strftime(mark.join(form)), day.strftime(mark.join(form)) + " 09:30"):
            if day.day <= 12:
                with pytest.raises(InputError, match=r"order of day and month is not said.*year first"):
                    recsys.Population.of_ids(["a"], as_of=written)
            else:
                assert recsys.Population.of_ids(["a"], as_of=written).as_of.date() == day
    assert recsys.Population.of_ids(["a"], as_of=day.isoformat()).as_of.date() == day
    for written in (day.strftime(mark.join(("%d", "%m", "%y"))), "10:30"):
        with pytest.raises(InputError, match="no year of four digits"):
            recsys.Population.of_ids(["a"], as_of=written)


@pytest.mark.parametrize(("share", "warned"), [(0.09, False), (0.1, False), (0.12, True), (0.9, True)])
def test_many_rows_set_aside_are_counted_in_a_warning_with_what_to_do(share, warned, recwarn) -> None:
    n = round(100 * share)
    answers = ["pass"] * n + ["like"] * (100 - n)
    days = ["soon"] * n + ["2026-01-05"] * (100 - n)
    made = [
        (log(answers, like={"like": "like"}), "like="),
        (log(when=days), "ts_format="),
    ]
    assert [len(one.quarantine) for one, _ in made] == [n, n]
    said = [str(one.message) for one in recwarn if "set aside" in str(one.message)]
    assert len(said) == 2 * warned
    for text, (_, remedy) in zip(said, made, strict=False):
        assert f"{n} of 100" in text
        assert remedy in text
    recwarn.clear()
    assert len(log(answers, like={"like": "like", "pass": None}).quarantine) == n
    assert not [one for one in recwarn if "set aside" in str(one.message)]


def test_a_code_for_no_answer_among_stars_is_warned_of() -> None:
    stars = [1.0, 5.0, 3.0, 99.0, 4.0, 2.0]
    with pytest.warns(UserWarning, match="99 lies far from the other answers, 1 to 5"):
        log(stars, like=4)
    infinite, missing = (
        log([other if one == 99.0 else one for one in stars], like=4).events.frame
        for other in (np.inf, np.nan)
    )
    assert infinite.type.tolist() == missing.type.tolist()
    assert len(infinite) == 5


def test_what_a_like_is_needs_the_column_it_is_about() -> None:
    """Seen to end as `KeyError: None`."""
    with pytest.raises(InputError, match="outcome="):
        Interactions.of(pd.DataFrame({"a": ["x"], "b": ["y"]}), viewer="a", candidate="b", like=4)


def test_looks_of_which_nobody_knows_whether_they_were_are_told() -> None:
    """Seen to be judged without a word: P(like | look) of .51 beside labels of .25."""
    words = ["yes", "seen", "seen", "no"]
    rows = [(f"a{n % 9}", f"a{(n + 1 + n // 9) % 9}", words[n % 4]) for n in range(60)]
    table = pd.DataFrame(rows, columns=["a", "b", "what"])
    told = {"yes": "like", "seen": "impression", "no": "pass"}
    log = Interactions.of(table, viewer="a", candidate="b", outcome="what", like=told)
    with pytest.warns(UserWarning, match="30 impressions, each taken as a look"):
        log.truth()


def test_who_was_shown_and_never_liked_is_passed_where_nobody_ever_says_no() -> None:
    """Seen to fail: a log of likes and impressions alone gave a chance of .99 for a true .50."""
    rng = np.random.default_rng(3)
    pairs = [(f"a{i:02}", f"a{j:02}") for i in range(30) for j in range(30) if i != j]
    table = pd.DataFrame(pairs, columns=["a", "b"]).assign(liked=rng.integers(0, 2, len(pairs)))
    with pytest.warns(UserWarning, match="nobody ever passed"):
        log = Interactions.of(
            table, viewer="a", candidate="b", outcome="liked", like={1: "like", 0: "impression"}
        )
    same = Interactions.of(table, viewer="a", candidate="b", outcome="liked", like={1: "like", 0: "pass"})
    pd.testing.assert_frame_equal(log.events.frame, same.events.frame)
    both = pd.concat([table.assign(liked=0), table[table["liked"] == 1]], ignore_index=True)
    with pytest.warns(UserWarning, match=f"{(table['liked'] == 0).sum():,} of them"):
        shown_first = Interactions.of(
            both, viewer="a", candidate="b", outcome="liked", like={1: "like", 0: "impression"}
        )
    assert len(shown_first.truth()) == len(table)
    assert shown_first.truth()["label"].mean() == table["liked"].mean()


@given(
    st.lists(st.sampled_from(["Z", "+09:00", " -0500", " GMT+3", " JST", ""]), min_size=12, max_size=12),
    st.sampled_from(["2026-03-05T10:{:02}:00", "2026-03-05 10:{:02}"]),
)
def test_times_of_which_some_have_no_zone_are_warned_of(zones: list[str], form: str) -> None:
    """Seen to fail: half the times were up to nine hours wrong without a word."""
    column = pd.Series([form.format(at) + zone for at, zone in enumerate(zones)], name="at")
    mixed = 0 < zones.count("") < len(zones)
    with pytest.warns(UserWarning, match="with a zone and without") if mixed else nullcontext():
        times, _ = utc_times(column)
    assert times.notna().all()


def test_a_zone_of_several_offsets_is_no_time_and_not_told_as_read_as_utc() -> None:
    times, _ = utc_times(pd.Series(["2026-03-05 10:00 JST", "2026-03-05 10:00 CST", "2026-03-05 10:00Z"]))
    assert times.isna().tolist() == [False, True, False]
    form = "%Y-%m-%d %H:%M %Z"
    assert utc_times(pd.Series(["2026-03-05 10:00 UTC"]), form)[0].dt.hour.tolist() == [10]


@pytest.mark.parametrize("column", ["who", "whom"])
@pytest.mark.parametrize("blank", [" ", "  ", "\u3000", "\t"])
@pytest.mark.parametrize("before", [True, False])
def test_ids_that_differ_in_blanks_alone_are_warned_of(column: str, blank: str, before: bool) -> None:
    frame = pd.DataFrame({"who": [f"a{n % 12}" for n in range(24)], "whom": [f"a{n % 7}" for n in range(24)]})
    frame = frame[frame["who"] != frame["whom"]]
    twice = frame.copy()
    twice.loc[twice.index[::3], column] = twice[column].map(
        lambda one: f"{blank}{one}" if before else f"{one}{blank}"
    )
    with pytest.warns(UserWarning, match="differ in blanks alone"):
        Interactions.of(twice, viewer="who", candidate="whom")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        Interactions.of(frame, viewer="who", candidate="whom")
    assert not any("blanks" in str(one.message) for one in told)


@pytest.mark.parametrize("said", list(itertools.product((0, 1), repeat=3)))
@pytest.mark.parametrize("times", [None, ["2024-01-01"] * 5, ["2024-01-01", "2024-01-01", "2024-01-02"] * 2])
def test_the_last_row_stands_where_times_do_not_tell(said: tuple[int, ...], times: list[str] | None) -> None:
    """Seen to fail: at one time a pass stood over a like, whichever row came last."""
    table = pd.DataFrame({"a": [1, 1, 1, 2, 3], "b": [2, 2, 2, 1, 1], "said": [*said, 1, 0]})
    if times is not None:
        table["day"] = times[:5]
    log = recsys.Interactions.of(
        table, viewer="a", candidate="b", outcome="said", ts=None if times is None else "day"
    )
    truth = log.truth()
    assert truth.loc[truth["viewer_id"] == 1, "label"].tolist() == [said[-1]]
    assert log.events.frame["ts"].is_monotonic_increasing


@pytest.mark.parametrize("order", ["by viewer", "shuffled"])
def test_a_split_by_rows_that_are_in_no_order_of_time_is_told(order: str) -> None:
    rng = np.random.default_rng(3)
    table = pd.DataFrame({"a": np.repeat(np.arange(40), 10), "b": 100 + rng.integers(0, 30, 400)})
    table["said"] = rng.integers(0, 2, 400)
    if order == "shuffled":
        table = table.sample(frac=1.0, random_state=3)
    log = recsys.Interactions.of(table, viewer="a", candidate="b", outcome="said", sides=("a", "b"))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        log.split(0.8)
    assert any("viewers who did nothing before" in str(one.message) for one in told) == (order == "by viewer")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["yes", "no", "maybe", "", None, "skip"]),
            st.sampled_from(["2024-02-03", "soon", "", None]),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_what_is_given_and_not_read_is_unreadable_and_not_missing(rows) -> None:
    """Seen to fail: an answer that like= does not name, and a time in other words, were missing."""
    rows = [("yes", "2024-02-01"), *rows]
    frame = pd.DataFrame(
        {"who": [f"a{n}" for n in range(len(rows))], "whom": "b",
         "said": [said for said, _ in rows], "when": [when for _, when in rows]}
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = Interactions.of(
            frame, viewer="who", candidate="whom", outcome="said", ts="when",
            like={"yes": "like", "no": "pass", "skip": None},
        )  # fmt: skip
    codes = dict(zip(found.quarantine["row_number"], found.quarantine["codes"], strict=True))
    for at, (said, when) in enumerate(rows):
        wanted = []
        if said not in {"yes", "no"}:
            wanted.append("outcome.unreadable" if said == "maybe" else "outcome.missing")
        if when in {"soon", "", None}:
            wanted.append("ts.unreadable" if when == "soon" else "ts.missing")
        assert codes.get(at, "") == "|".join(wanted)


@pytest.mark.parametrize("outcomes", [["4,5", "3,0"], ["4,5", "3", "5"], ["1,25", "2"]])
def test_a_decimal_comma_is_told_as_one(outcomes: list[str]) -> None:
    """Seen to fail: half a star too much was no outcome, or no number, and a mapping was asked for."""
    frame = pd.DataFrame({"who": "a", "whom": [f"b{n}" for n in range(len(outcomes))], "stars": outcomes})
    with pytest.raises(InputError, match=r"decimal comma.*frame\['stars'\]\.str\.replace"):
        Interactions.of(frame, viewer="who", candidate="whom", outcome="stars", like=4)


@pytest.mark.parametrize("pair", [("1", "0"), ("1.0", "0.0"), ("true", "false")])
@pytest.mark.parametrize("written", [str, str.upper, str.title, " {} ".format])
@given(st.lists(st.booleans(), min_size=1, max_size=12))
def test_flags_in_texts_are_flags(pair, written, flags):
    """Seen to fail: a column read as texts was an error."""
    found = log([written(pair[0] if one else pair[1]) for one in flags])
    assert sorted(found.events.frame["type"]) == sorted("like" if one else "pass" for one in flags)


def test_sides_of_one_kind_and_of_ids_of_another_type_are_told():
    frame = pd.DataFrame({"who": range(12), "whom": np.roll(range(12), 1)})
    columns = {"viewer": "who", "candidate": "whom"}
    with pytest.warns(UserWarning, match="all people are of one side"):
        Interactions.of(frame, **columns, sides={**dict.fromkeys(range(12), "m"), 12: "w"})
    with pytest.raises(InputError, match="texts are given where whole numbers are"):
        Interactions.of(frame, **columns, sides={"1": "m", "2": "w", "3": "m"})
    with pytest.raises(InputError, match="whole numbers are given where texts are"):
        Interactions.of(frame.astype(str), **columns, sides={1: "m", 2: "w", 3: "m"})


FUNCTIONS = [
    (lambda column: column >= 6, True),
    (lambda column: (column >= 6).astype(int), True),
    (lambda column: np.where(column >= 6, "like", "pass"), True),
    (lambda column: ["like" if one >= 6 else "pass" for one in column], True),
    (lambda column: pd.Series(["yes"] * len(column)), "what the function returns is not known"),
    (lambda column: column, "what the function returns is not known"),
    (lambda column: 1 if column >= 6 else 0, "the function fails on the column"),
    (lambda column: column.startswith("y"), "the function fails on the column"),
    (lambda column: (column >= 6)[:2], "returns no answer for each of the"),
    (lambda column: True, "returns no answer for each of the"),
    (lambda column: pd.DataFrame({"yes": column >= 6}), "returns no answer for each of the"),
]


@settings(max_examples=60)
@given(
    st.lists(st.integers(1, 10), min_size=3, max_size=9).filter(
        lambda some: len({one >= 6 for one in some}) > 1
    ),
    st.sampled_from(FUNCTIONS),
)
def test_a_function_of_the_column_says_flags_or_event_types_or_is_refused_in_words(outcomes, case) -> None:
    """Seen to fail: words of it were likes all, and errors of pandas and numpy came through."""
    function, expected = case
    if expected is True:
        types = ["like" if one >= 6 else "pass" for one in outcomes]
        assert event_types(pd.Series(outcomes), function).tolist() == types
        return
    with pytest.raises(InputError, match=expected):
        event_types(pd.Series(outcomes), function)


def test_what_a_function_leaves_open_means_nothing() -> None:
    types = event_types(pd.Series([1, 5, 9]), lambda column: column.map({1: "pass", 9: "like"}))
    assert types.tolist() == ["pass", None, "like"]


@settings(max_examples=60)
@given(st.sets(st.integers(1, 10), min_size=2), st.integers(1, 10), st.integers(1, 10), st.booleans())
def test_two_numbers_in_a_list_with_others_between_them_are_told(held, one, other, as_set) -> None:
    like = {one, other} if as_set else (one, other)
    between = any(min(one, other) < some < max(one, other) for some in held)
    with pytest.warns(UserWarning, match="names each") if between and not as_set else nullcontext():
        types = event_types(pd.Series(sorted(held)), like)
    assert (types == "like").tolist() == [some in {one, other} for some in sorted(held)]


@pytest.mark.parametrize(
    "sides",
    [{"who", "whom"}, pd.DataFrame({"id": ["a0"], "kind": ["m"]}), np.array(["a", "b"]), [], ["a", 1]],
    ids=lambda one: type(one).__name__,
)
def test_sides_that_name_nothing_are_refused_in_words(sides) -> None:
    with pytest.raises(InputError, match="sides are neither two names nor the side of each id"):
        log([1, 0, 1], sides=sides)


def test_a_list_of_two_sides_is_a_tuple_of_them() -> None:
    one, other = (log([1, 0, 1], sides=kind(["user", "film"])) for kind in (list, tuple))
    pd.testing.assert_frame_equal(one.events.frame, other.events.frame)
    with pytest.raises(InputError, match="two columns have two sides"):
        log([1, 0, 1], sides=["a", "b", "c"])


@settings(max_examples=40)
@given(st.integers(-(2**70), 2**70).filter(bool), st.sampled_from(["list", "uint64"]))
def test_numbers_that_no_table_holds_are_no_ids(number, kind) -> None:
    """Seen to fail: a fit took them and lists ended in an OverflowError."""
    fits = -(2**63) <= number < 2**63
    if kind == "uint64" and not 0 <= number < 2**64:
        return
    ids = [number, 0] if kind == "list" else pd.Series([number, 0], dtype="uint64")
    if fits:
        assert id_column(as_ids(ids)).tolist() == [number, 0]
        return
    with pytest.raises(InputError, match="more than 64 bits with a sign" if kind == "uint64" else "ids|bits"):
        as_ids(ids)


@pytest.mark.filterwarnings("ignore:no candidate is a viewer")
@pytest.mark.parametrize("spelling", [str.upper, str.title])
def test_uuids_that_differ_in_capitals_alone_are_told(spelling) -> None:
    ids = [f"6f9619ff-8b86-4d11-b42d-00c04fc96{number:03x}" for number in range(0xA0, 0xB0)]
    frame = pd.DataFrame({"who": [spelling(one) for one in ids], "whom": [*ids[1:], ids[0]]})
    with pytest.warns(UserWarning, match=r"capitals alone.*frame\['who'\].str.lower"):
        Interactions.of(frame, viewer="who", candidate="whom")
    Interactions.of(frame.map(str.lower), viewer="who", candidate="whom")
    others = pd.DataFrame({"who": ["aB", "ab"], "whom": ["ab", "c"]})
    assert len(Interactions.of(others, viewer="who", candidate="whom").people) == 3


@settings(max_examples=20)
@given(st.integers(1, 8))
def test_rows_after_as_of_are_told_and_parts_keep_it(day) -> None:
    when = [f"2025-01-{1 + number:02d}" for number in range(9)]
    with pytest.warns(UserWarning, match=f"rows after as_of are not learned from.* '{9 - day} of 9'"):
        found = log(when=when, as_of=f"2025-01-{day:02d}")
    past, _ = found.split(0.8)
    assert found.people.as_of == pd.Timestamp(f"2025-01-{day:02d}", tz="UTC")
    assert past.people.as_of == min(past.events.last, found.people.as_of)
    assert log(when=when, as_of="2026-01-01").split(0.8)[0].people.as_of < pd.Timestamp(
        "2025-02-01", tz="UTC"
    )
