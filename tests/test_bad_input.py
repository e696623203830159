"""Every kind of broken input: a clear message, the exit code of broken input, and nothing good lost."""

from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import h3
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from recsys import (
    Events,
    Interactions,
    Policy,
    Population,
    evaluate,
    models,
    off_policy,
    recommend,
    tracking,
    tune,
)
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.config import ExperimentSettings
from recsys.constraints.exclusions_and_tokens import Exclusions
from recsys.errors import EXIT_BROKEN_INPUT, RecsysError, SourceError, TableError
from recsys.evaluation import off_policy_log
from recsys.evaluation.splits import pair_folds
from recsys.experiments import outcomes
from recsys.features import Questionnaire
from recsys.storage.load import LoadedTables, load_events, load_population, load_tables, population_of
from recsys.storage.table_files import write_tables
from recsys.testing.people import AS_OF, make_tables

N = 5
Frames = dict[str, pd.DataFrame]


@pytest.fixture
def tables() -> Frames:
    """Five people about whom everything is known, and one event."""
    made = make_tables(N, np.random.default_rng(0), unknown=0.0)
    event = {C.EVENT: "e1", C.TS: "2026-01-05T00:00Z", C.ACTOR: "u00000", C.TARGET: "u00001", C.TYPE: "like"}
    extra = {C.DETAIL: None, C.PROPENSITY: 0.5, C.POSITION: 1, C.REPLY_LAG_H: None, C.SURFACE: "list"}
    return made | {T.EVENTS: pd.DataFrame([event | extra])}


def told(kind: type[RecsysError], source: Any) -> str:
    """Return the message with which loading people is refused."""
    with pytest.raises(kind) as caught:
        load_population(source, AS_OF)
    assert caught.value.exit_code == EXIT_BROKEN_INPUT == 40
    return str(caught.value)


def loaded(source: Any) -> LoadedTables:
    """Return checked tables, with every row accounted for."""
    result = load_tables(source, AS_OF)
    assert (result.counts["rows_in"] == result.counts["accepted"] + result.counts["quarantined"]).all()
    assert result.counts["quarantined"].sum() == len(result.quarantine)
    return result


def put(tables: Frames, table: str, row: int, column: str, value: Any) -> None:
    """Change one value of one table."""
    cells = tables[table][column].astype(object).to_numpy(object, copy=True)
    cells[row] = value
    tables[table] = tables[table].assign(**{column: pd.Series(cells, dtype=object)})


def reason_for(tables: Frames, table: str, row: int, column: str, value: Any) -> str:
    """Return why a row with one bad value is quarantined; everything not of that person stays."""
    before = loaded(tables)
    put(tables, table, row, column, value)
    after = loaded(tables)
    first = after.quarantine[after.quarantine["table"] == table]
    assert first["row_number"].tolist() == [row]
    person = tables[T.PROFILES][C.USER].iloc[row] if table == T.PROFILES else None
    known = tables[T.PROFILES].set_index(C.USER)[C.PERSON_TOKEN].notna()
    for name, accepted in before.accepted.items():
        if name == table:
            expected = accepted.drop(index=row)
        elif name == T.TOKENS and person is not None and known[person]:
            expected = accepted  # whose numbers a refused account of a known person keeps away stay away
        else:
            expected = accepted[accepted[C.USER] != person] if C.USER in accepted else accepted
        pd.testing.assert_frame_equal(after.accepted[name], expected.reset_index(drop=True))
    return str(first["reason"].iloc[0])


def test_missing_column(tables: Frames) -> None:
    tables[T.PROFILES] = tables[T.PROFILES].drop(columns=[C.DISCRETION])
    message = told(TableError, tables)
    assert "table 'profiles' cannot be used (1 problem)" in message
    assert "missing column: got 'discretion'; add it, null where unknown" in message


def test_unknown_column(tables: Frames) -> None:
    tables[T.BOUNDARIES] = tables[T.BOUNDARIES].assign(romance_lin="none_expected")
    assert "unknown column: got 'romance_lin'; did you mean 'romance_line'?" in told(TableError, tables)


def test_unknown_enum(tables: Frames) -> None:
    reason = reason_for(tables, T.PROFILES, 3, C.HOUSEHOLD_STATUS, "maried")
    assert reason == "unknown word in household_status: got 'maried'; did you mean 'married'?"


def test_duplicate_key(tables: Frames) -> None:
    tables[T.PROFILES] = pd.concat([tables[T.PROFILES], tables[T.PROFILES].iloc[[2]]])
    message = told(TableError, tables)
    assert "1 rows repeat the key (user_id, valid_from): the first in row" in message
    assert "u00002" not in message
    assert "keep one row for each" in message


@pytest.mark.parametrize("column", ["latitude", "longitude"])
def test_raw_latitude_and_longitude(tables: Frames, column: str) -> None:
    tables[T.PROFILES] = tables[T.PROFILES].assign(**{column: 35.681236})
    message = told(TableError, tables)
    assert f"exact places are refused: got '{column}'" in message
    assert "give an H3 cell of resolution 6 or coarser" in message
    assert "35.68" not in message


def test_resolution_nine_cell(tables: Frames) -> None:
    cell = h3.latlng_to_cell(35.681236, 139.767125, 9)
    reason = reason_for(tables, T.PROFILES, 1, C.CELL, cell)
    assert reason.startswith("a cell of resolution 9 is too precise in cell; give its parent of resolution 6")
    assert cell not in loaded(tables).quarantine.to_csv()


@pytest.mark.parametrize("intent", ["romance", "affair"])
def test_romance_or_affair_intent(tables: Frames, intent: str) -> None:
    reason = reason_for(tables, T.PROFILES, 0, C.INTENTS, ["emotional_support", intent])
    assert reason.startswith("a romance or affair intent is refused: this is no such service in intents")
    assert "u00000" not in load_population(tables, AS_OF).ids


@pytest.mark.parametrize("column", ["payment", "monthly_price", "is_premium"])
def test_payment_column(tables: Frames, column: str) -> None:
    tables[T.PROFILES] = tables[T.PROFILES].assign(**{column: 980})
    assert f"payment is refused: got '{column}'; remove the column" in told(TableError, tables)


def test_thirty_one_interests(tables: Frames) -> None:
    tags = [f"hobby number {n}" for n in range(31)]
    mine = pd.DataFrame({C.USER: "u00000", C.TAG: tags, C.LEVEL: 3, C.SHARE_MODE: "both"})
    others = tables[T.INTERESTS][tables[T.INTERESTS][C.USER] != "u00000"]
    tables[T.INTERESTS] = pd.concat([mine, others], ignore_index=True)
    result = loaded(tables)
    assert result.quarantine["row_number"].tolist() == [30]
    assert result.quarantine["reason"][0] == (
        "more than 30 interests in tag; at most 30 a person; the first 30 are kept"
    )
    assert len(result.accepted[T.INTERESTS]) == 30 + len(others)


def test_naive_timestamp(tables: Frames) -> None:
    reason = reason_for(tables, T.EVENTS, 0, C.TS, "2026-01-05T09:00:00")
    assert reason.startswith("a time without a zone in ts: got '2026-01-05T09:00:00'; give UTC")


def test_naive_timestamps_as_a_column(tables: Frames) -> None:
    tables[T.EVENTS][C.TS] = pd.to_datetime(["2026-01-05"])
    assert loaded(tables).quarantine["codes"].tolist() == ["ts.naive"]


def test_future_timestamp(tables: Frames) -> None:
    reason = reason_for(tables, T.EVENTS, 0, C.TS, (AS_OF + pd.Timedelta(seconds=1)).isoformat())
    assert reason.startswith("a time in the future in ts; nothing after 2026-03-02T03:00:00+00:00")


def test_age_band_without_verification(tables: Frames) -> None:
    reason = reason_for(tables, T.PROFILES, 4, C.VERIFICATION, "none")
    assert reason.startswith("an age band without verification in age_band; leave the age band null until")


def test_empty_tables(tables: Frames) -> None:
    empty = {name: table.head(0) for name, table in tables.items()}
    result = loaded(empty)
    assert len(result.quarantine) == 0
    people = load_population(empty, AS_OF)
    assert len(people) == 0
    assert len(people.relations.excluded) == 0
    assert len(load_events(empty, AS_OF)) == 0


def test_one_person_only(tables: Frames) -> None:
    alone = {name: t[t[C.USER] == "u00000"] if C.USER in t else t.head(0) for name, t in tables.items()}
    assert len(loaded(alone).quarantine) == 0
    people = load_population(alone, AS_OF)
    assert list(people.ids.ids([0])) == ["u00000"]


def test_nobody_eligible(tables: Frames) -> None:
    for row in range(N):
        put(tables, T.PROFILES, row, C.ACCOUNT_STATE, "paused")
    assert len(loaded(tables).quarantine) == 0
    assert len(load_population(tables, AS_OF)) == N


def test_every_row_refused(tables: Frames) -> None:
    tables[T.PROFILES] = tables[T.PROFILES].assign(gender="?")
    result = loaded(tables)
    assert len(population_of(result)) == 0
    assert set(result.quarantine["codes"]) == {"gender.unknown_word", "user_id.orphan"}


def test_infinite_number(tables: Frames) -> None:
    reason = reason_for(tables, T.EVENTS, 0, C.PROPENSITY, float("inf"))
    assert reason.startswith("not a finite number in propensity: got 'inf'")


def test_nan_is_unknown_where_it_may_be_and_refused_where_not(tables: Frames) -> None:
    put(tables, T.PROFILES, 0, C.MAX_DISTANCE_KM, float("nan"))
    people = load_population(tables, AS_OF)
    assert people.amounts(C.MAX_DISTANCE_KM)[0] == -1
    reason = reason_for(tables, T.INTERESTS, 1, C.LEVEL, float("nan"))
    assert reason == "nothing given in level; give a value"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a\u202eb", "bidirectional override U+202E"),
        ("a\x00b", "null byte U+0000"),
        ("<img src=x onerror=alert(1)>", "markup U+003C"),
    ],
)
def test_override_null_byte_and_markup_in_text(tables: Frames, text: str, what: str) -> None:
    reason = reason_for(tables, T.INTERESTS, 2, C.TAG, text)
    assert reason.startswith(f"unsafe text ({what}")
    assert reason.isprintable()
    assert loaded(tables).quarantine.to_csv().isascii()


def test_a_field_of_a_gigabyte(tables: Frames) -> None:
    reason = reason_for(tables, T.INTERESTS, 0, C.TAG, "x" * 2**30)
    assert reason.startswith("too long a text in tag: got 'xxxxxxxx")
    assert reason.endswith("x... (1073741824 characters); at most 64 characters")
    assert len(reason) < 200
    assert len(loaded(tables).quarantine["values"][0]) < 500


def test_a_huge_field_in_parquet(tables: Frames, tmp_path: Path) -> None:
    put(tables, T.INTERESTS, 0, C.TAG, "x" * 2**24)
    write_tables(tables, f"parquet:{tmp_path}")
    result = loaded(f"parquet:{tmp_path}")
    assert result.quarantine["codes"].tolist() == ["tag.too_long"]


def test_csv_in_a_wrong_encoding(tmp_path: Path) -> None:
    (tmp_path / "interests.csv").write_bytes("user_id,tag\na,写真\n".encode("shift_jis"))
    message = told(SourceError, f"csv:{tmp_path}")
    assert "not UTF-8 text in" in message
    assert "interests.csv; save the file as CSV in UTF-8" in message


def test_unreadable_parquet(tables: Frames, tmp_path: Path) -> None:
    write_tables(tables, f"parquet:{tmp_path}")
    file = tmp_path / "profiles.parquet"
    file.write_bytes(file.read_bytes()[:-100])
    message = told(SourceError, f"parquet:{tmp_path}")
    assert "cannot be read" in message
    assert "profiles.parquet" in message
    assert "write the file again; it is damaged or no Parquet" in message


def validated(tables: Frames, folder: Path) -> Any:
    """Return what `recsys validate` says of tables lying in a folder."""
    write_tables(tables, f"parquet:{folder}")
    return run("validate", f"parquet:{folder}")


def run(command: str, source: str) -> Any:
    from recsys.cli import app

    return CliRunner().invoke(app, [command, "--source", source, "--as-of", AS_OF.isoformat()])


@pytest.mark.parametrize("column", ["latitude", "monthly_price", "gendr", "nickname"])
def test_the_command_line_refuses_a_broken_table(tables: Frames, tmp_path: Path, column: str) -> None:
    write_tables(tables, f"parquet:{tmp_path}")
    tables[T.PROFILES].assign(**{column: 1}).to_parquet(tmp_path / "profiles.parquet")
    result = run("validate", f"parquet:{tmp_path}")
    assert result.exit_code == EXIT_BROKEN_INPUT
    assert "error: table 'profiles' cannot be used" in result.stderr
    named = column if column != "nickname" else f"column {len(tables[T.PROFILES].columns) + 1}"
    assert f"got '{named}'" in result.stderr  # one that is no slip of a known column may be a person
    assert "Traceback" not in result.output


def test_the_command_line_refuses_what_it_cannot_read(tmp_path: Path) -> None:
    (tmp_path / "profiles.parquet").write_text("no Parquet")
    result = run("validate", f"parquet:{tmp_path}")
    assert result.exit_code == EXIT_BROKEN_INPUT
    assert "cannot be read" in result.stderr
    assert run("validate", f"parquet:{tmp_path / 'nowhere'}").exit_code == EXIT_BROKEN_INPUT


def test_the_command_line_counts_bad_rows_and_goes_on(tables: Frames, tmp_path: Path) -> None:
    put(tables, T.PROFILES, 1, C.GENDER, "?")
    put(tables, T.EVENTS, 0, C.TYPE, "lik")
    result = validated(tables, tmp_path)
    assert result.exit_code == 0, result.output
    assert "gender.unknown_word" in result.stdout
    assert "type.unknown_word" in result.stdout


AGES = pd.DataFrame({"user_id": range(40), "age": [f"{n}.0" for n in range(40)]})
PEOPLE = Population.of_ids(AGES["user_id"], AS_OF)
ONE = pd.DataFrame({"viewer_id": ["a"], "candidate_id": ["b"]})
SHOWN = pd.DataFrame({"actor": ["a"], "target": ["b"], "type": ["impression"], "ts": ["2026-01-05 20:00"]})
SHOWN = SHOWN.assign(position=1.0, propensity=0.5)
STARS = pd.DataFrame({"who": range(12), "whom": [*range(1, 12), 0], "stars": [1, 2, 3, 4] * 3})
EXPERIMENT = ExperimentSettings.model_validate(
    {
        "name": "nash",
        "unit": "person",
        "starts": "2026-01-05",
        "nights": 9,
        "arms": {"today": {"share": 0.5}, "nash": {"share": 0.5}},
    }
)
LABELLED = ONE.assign(label=1)
LISTED = ONE.assign(rank=1, p_mutual=0.5)
NOISE = pd.DataFrame(np.random.default_rng(1).normal(size=(40, 8))).assign(user_id=range(40))
WHEN = pd.Timestamp(AS_OF)


def liked_after(actors: Iterable[int]) -> Events:
    """Return that each likes the next, or is liked by them, two and two in turn, at a known time."""
    pairs = [(one, one + 1) if one // 2 % 2 else (one + 1, one) for one in actors]
    likes = [{"viewer_id": viewer, "candidate_id": other, "at": WHEN} for viewer, other in pairs]
    return Interactions.of(pd.DataFrame(likes), ts="at").events


SLIPS: dict[str, tuple[Callable[[], object], str]] = {
    "one id, not several": (lambda: Population.of_ids("abc", AS_OF), r"give \['abc'\]"),
    "one number of numpy": (lambda: Population.of_ids(np.int64(7), AS_OF), "ids must be a list or a column"),
    "a missing id": (lambda: Population.of_ids(["a", None], AS_OF), "an id is missing"),
    "one word, not several": (
        lambda: Interactions.of(ONE.assign(y="yes"), outcome="y", like="yes"),
        r"give one in a list, \['yes'\]",
    ),
    "labels in words": (
        lambda: evaluate(ONE.assign(rank=1), ONE.assign(label="like")),
        "'label' holds no numbers in the truth: got 'like'",
    ),
    "numbers as texts": (
        lambda: off_policy(ONE.assign(propensity="0.5", like=1, match=0), ONE.assign(rank=1)),
        "'propensity' holds no numbers",
    ),
    "times as texts": (
        lambda: off_policy_log(SHOWN, ONE.assign(p_like=0.5, p_liked_back=0.5)),
        "'ts' holds no times in events.*give recsys.Events.of",
    ),
    "times without a zone": (
        lambda: outcomes(SHOWN.assign(ts=pd.to_datetime(SHOWN["ts"])), EXPERIMENT),
        "'ts' holds no times with a zone in events",
    ),
    "one fold": (lambda: pair_folds(["a"], ["b"], 1, rng=0), "1 for 1 pairs'; give 2 folds or more"),
    "a frame for ids": (
        lambda: Population.of_ids(ONE, AS_OF),
        r"give one column, such as frame\['viewer_id'\]",
    ),
    "a set of ids": (lambda: Population.of_ids({"a"}, AS_OF), "ids must be a list or a column: got 'set'"),
    "a column twice": (
        lambda: Interactions.of(pd.concat([ONE, ONE["viewer_id"]], axis=1)),
        "column 'viewer_id' stands twice in interactions",
    ),
    "a question twice": (
        lambda: Questionnaire(pd.concat([AGES, AGES["age"]], axis=1)).fit(PEOPLE),
        "column 'age' stands twice",
    ),
    "a survey of nobody": (lambda: Questionnaire(AGES.head(0)).fit(PEOPLE), "there is no row"),
    "no factor": (lambda: Questionnaire(AGES, n_factors=0).fit(PEOPLE), "impossible n_factors .* got 0"),
    "a number of factors as text": (
        lambda: Questionnaire(AGES, n_factors="2").fit(PEOPLE),
        "n_factors must be a whole number",
    ),
    "a negative weight": (lambda: Questionnaire(AGES, weight=-2.0).fit(PEOPLE), "impossible weight"),
    "a setting as text": (
        lambda: models.HybridModel(factors="8"),
        "factors.*a number is meant, without quotes",
    ),
    "a flag for a number": (lambda: models.PopularityModel(evidence=True), "evidence.*a number is meant"),
    "a text for a flag": (lambda: models.HybridModel(stack="yes"), "stack.*a flag is meant"),
    "nothing assumed": (PEOPLE.assuming, "nothing is assumed"),
    "a table without metrics": (
        lambda: tracking.log(models.RandomModel().fit(PEOPLE, Events.none(), rng=1), STARS),
        "no table of metrics in tracking.log: got 'who, whom, stars'",
    ),
    "a level in percent": (
        lambda: off_policy(ONE.assign(propensity=0.5, like=1, match=0), ONE.assign(rank=1), level=95),
        "level must be between 0 and 1: got 95",
    ),
    "a list of no length": (lambda: evaluate(LISTED, LABELLED, k=0), "no length of a list: got 0; give k=10"),
    "a column of lists twice": (
        lambda: evaluate(pd.concat([LISTED, LISTED[["p_mutual"]]], axis=1), LABELLED),
        "(?s)'lists' cannot be used.*'p_mutual' stands twice",
    ),
    "a table of slices": (
        lambda: evaluate(LISTED, LABELLED, slices=ONE),
        "slices must be Series or a mapping in evaluate: got DataFrame",
    ),
    "people for a model": (
        lambda: recommend(PEOPLE, PEOPLE, Policy((Exclusions(),))),
        r"model must be a Model in recommend: got Population; give a model, such as recsys.HybridModel\(\)",
    ),
    "a class for a model": (
        lambda: tune(models.LFRR, {"n_factors": [2]}, PEOPLE, Events.none(), rng=1),
        "got 'the class LFRR'",
    ),
    "more factors than items": (
        lambda: Questionnaire(NOISE, n_factors=99).fit(PEOPLE),
        "more factors than items",
    ),
    "times as outcomes": (
        lambda: Interactions.of(STARS.assign(at=WHEN), viewer="who", candidate="whom", outcome="at", like=4),
        "outcomes are no numbers but of type datetime.*name the column of outcomes",
    ),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_of_an_analyst_is_told_with_its_remedy(slip: str) -> None:
    """Seen to end in an error of pandas or Python, or without a remedy."""
    work, told_so = SLIPS[slip]
    with pytest.raises(RecsysError, match=told_so):
        work()


@pytest.mark.parametrize("module", [models, tracking])
def test_a_misspelt_name_of_a_module_names_the_nearest(module: ModuleType) -> None:
    name = module.__all__[0]
    with pytest.raises(AttributeError, match=f"did you mean '{name}'"):
        getattr(module, f"{name}x")


SURVEY = pd.DataFrame(
    {"user_id": range(12), "q": [-1, 1, 2, 3] * 3, "often": ["1: no", "2: a bit", "3: yes"] * 4}
)
WARNED: dict[str, tuple[Callable[[], object], str]] = {
    "every row a like": (
        lambda: Interactions.of(STARS, viewer="who", candidate="whom", outcome="stars", like=0),
        "every row is a like",
    ),
    "no answer as -1": (lambda: Questionnaire(SURVEY[["user_id", "q"]]).fit(PEOPLE), "-1 lies far"),
    "numbered words": (lambda: Questionnaire(SURVEY[["user_id", "often"]]).fit(PEOPLE), "such as '1: no'"),
    "no row": (lambda: Interactions.of(ONE.head(0)), "no row in the table of interactions"),
    "sides of others": (
        lambda: Interactions.of(STARS, viewer="who", candidate="whom", sides={0: "w", 99: "m"}),
        "people without a side: got '11 of 12'",
    ),
    "lists of nobody": (lambda: evaluate(LISTED.head(0), LABELLED.assign(label=0)), "no row in the lists"),
    "probabilities without a number": (
        lambda: evaluate(LISTED.assign(p_mutual=np.nan), LABELLED),
        "no number in 'p_mutual' of the lists",
    ),
    "outcomes that are missing": (
        lambda: evaluate(LISTED, pd.concat([LABELLED.assign(label=0), ONE.assign(viewer_id="c")])),
        "pairs of the truth without an outcome are not judged: got '1 of 2'",
    ),
    "a survey of noise": (
        lambda: Questionnaire(NOISE).fit(PEOPLE),
        "no factor stands out of noise in these answers",
    ),
    "ages as texts": (lambda: Questionnaire(AGES).fit(PEOPLE), "'age': texts read as numbers"),
    "half of the ids of a log": (
        lambda: models.PopularityModel().fit(PEOPLE, liked_after(range(20, 60)), rng=1),
        "21 of 41 ids of an event are of none .* 20 of 40 people have no row",
    ),
    "people of before the log": (
        lambda: models.PopularityModel().fit(
            Population.of_ids(range(61), "2019-01-01"), liked_after(range(60)), rng=1
        ),
        "all events are later than the people",
    ),
    "distances of people without a place": (
        lambda: PEOPLE.assuming(max_distance_km=50),
        "changes nothing: nobody has a place",
    ),
}


@pytest.mark.filterwarnings("ignore:no more likes than people", "ignore:all people are of one side")
@pytest.mark.parametrize("slip", WARNED)
def test_what_leaves_nothing_to_learn_is_warned_of(slip: str) -> None:
    """Seen to go through in silence."""
    work, told_so = WARNED[slip]
    with pytest.warns(UserWarning, match=told_so):
        work()


@pytest.mark.parametrize("viewers", [3.0, np.int64(3), np.float64(3.0), [3], np.array([3])])
def test_one_viewer_may_be_any_number(viewers: Any) -> None:
    model = models.PopularityModel().fit(PEOPLE, Events.none(), rng=1)
    lists = recommend(model, PEOPLE, Policy((Exclusions(),)), viewers, k=2)
    assert lists["viewer_id"].tolist() == [3, 3]


def test_lists_written_by_a_csv_are_lists() -> None:
    clubs = pd.DataFrame({"user_id": range(6), "clubs": ["['chess', 'choir']", '["choir"]', "['chess']"] * 2})
    block = Questionnaire(clubs, n_factors=1).fit(PEOPLE)
    assert block.loadings_.index.tolist() == ["clubs: chess", "clubs: choir"]
