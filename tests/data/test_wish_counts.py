"""A wish that names everybody keeps nobody apart, so a night in which all wishes became that has none."""

import numpy as np
import pandas as pd
import pytest

from recsys import make_town
from recsys.data.events import Events
from recsys.data.restriction_counts import KEPT, RESTRICTING
from recsys.data.safety_rows import row_counts
from recsys.storage.load import load_tables

_COUNTS = pd.DataFrame([{"table": "profiles", "rows_in": 60, "quarantined": 0}])


@pytest.mark.parametrize("seed", range(12))
def test_wishes_are_counted_that_leave_out_a_word_which_somebody_has(seed: int) -> None:
    """Seen to fail: a column that came empty, and was mapped to all genders, was as many wishes as before."""
    rng = np.random.default_rng(seed)
    words = ["woman", "man", "nonbinary", "x"][: 2 + seed % 3]
    genders = rng.choice(words, 60).tolist()
    wished: list[tuple[str, ...] | None] = [
        None if rng.random() < 0.2 else tuple(sorted(rng.choice(words, rng.integers(0, 4)).tolist()))
        for _ in genders
    ]
    profiles = pd.DataFrame({"user_id": np.arange(60).astype(str), "gender": genders})

    def counted(wishes: list[tuple[str, ...] | None]) -> int:
        frame = profiles.assign(meets_genders=pd.Series(wishes, dtype=object))
        return row_counts(_COUNTS, {}, accepted={"profiles": frame})["profiles"][f"{KEPT}meets_genders"]

    assert counted(wished) == sum(one is not None and not {*genders} <= {*one} for one in wished)
    profiles.loc[::3, "gender"] = None
    held = {*profiles["gender"].fillna("undisclosed")}
    assert counted(wished) == sum(one is not None and not held <= {*one} for one in wished)
    assert counted([tuple(words)] * 60) == 60, "those who tell no gender are left out"
    assert counted([(*words, "undisclosed")] * 60) == counted([None] * 60) == 0
    profiles["gender"] = genders
    assert counted([tuple(words)] * 60) == counted([None] * 60) == 0


def test_distances_and_answers_that_are_required_are_wishes_too() -> None:
    """Seen to fail: both open where nothing is said, and no gate counted them."""
    counts = pd.DataFrame(
        [{"table": name, "rows_in": 4, "quarantined": 0} for name in ("profiles", "answers")]
    )
    profiles = pd.DataFrame({"user_id": list("abcd"), "min_distance_km": pd.array([0, 3, None, 5], "Int64")})
    must = pd.array([True, True, None, False], "boolean")
    answers = pd.DataFrame({"user_id": list("aabc"), "mandatory": must, "question_id": list("qrqq")})
    answers["answer"], answers["accepted"] = "x", pd.Series([("y",), ("x",), None, ("y",)])
    found = row_counts(counts, {}, accepted={"profiles": profiles, "answers": answers})
    assert found["profiles"][f"{KEPT}min_distance_km"] == 2
    assert found["answers"][f"{KEPT}mandatory"] == 1


@pytest.mark.parametrize(
    ("column", "narrow", "wide"),
    [
        ("discretion", "liked_only", "open"),
        ("max_distance_km", 30, 20000),
        ("accepts_household_status", ("single",), ("single", "married")),
    ],
)
@pytest.mark.parametrize("seed", range(4))
def test_wishes_that_were_widened_for_everybody_are_wishes_lost(
    column: str, narrow: object, wide: object, seed: int
) -> None:
    """Seen to fail: a night in which everybody was open, or met anywhere, had as many wishes as before."""
    rng = np.random.default_rng(seed)
    is_narrow = rng.random(50) < 0.5
    status = rng.choice(["single", "married"], 50)

    def counted(values: list[object]) -> int:
        profiles = pd.DataFrame({"user_id": np.arange(50).astype(str), "household_status": status})
        profiles[column] = pd.Series(values, dtype="Int64" if column == "max_distance_km" else object)
        return row_counts(_COUNTS, {}, accepted={"profiles": profiles})["profiles"][f"{KEPT}{column}"]

    assert counted([narrow if one else wide for one in is_narrow]) == is_narrow.sum() > 0
    assert counted([wide] * 50) == counted([None] * 50) == 0


def test_ages_that_leave_out_nobody_are_no_wishes() -> None:
    """Seen to fail: 18 to 120, as a mapping writes where nothing is said, were more wishes than before."""
    ages = {"min_age_years": [18, 40, None, 18], "max_age_years": [120, 44, None, 60]}
    profiles = pd.DataFrame(
        {"user_id": list("abcd"), **{name: pd.array(of, "Int64") for name, of in ages.items()}}
    )
    found = row_counts(_COUNTS, {}, accepted={"profiles": profiles})["profiles"]
    assert (found[f"{KEPT}min_age_years"], found[f"{KEPT}max_age_years"]) == (1, 2)


@pytest.mark.parametrize(
    "lost", [(kind, name) for kind in ("self", "exclude") for name in ("phone", "email", "employer")]
)
def test_tokens_are_counted_by_kind_and_namespace(lost: tuple[str, str]) -> None:
    """Seen to fail: a night without anybody's own employer showed colleagues, and its gates were green."""
    rng = np.random.default_rng(4)
    rows = pd.DataFrame(
        {
            "user_id": rng.integers(0, 30, 200).astype(str),
            "kind": rng.choice(["self", "exclude"], 200),
            "namespace": rng.choice(["phone", "email", "employer"], 200),
        }
    ).astype({"kind": "category", "namespace": "string"})
    counts = pd.DataFrame([{"table": "tokens", "rows_in": 200, "quarantined": 0}])
    is_lost = rows["kind"].eq(lost[0]) & rows["namespace"].eq(lost[1])
    before, after = (
        row_counts(counts, {}, accepted={"tokens": one})["tokens"] for one in (rows, rows[~is_lost])
    )
    name = f"{KEPT}{'_'.join(lost)}"
    assert before[name] == rows.loc[is_lost, "user_id"].nunique() > 0
    assert after.get(name, 0) == 0
    assert {one: n for one, n in after.items() if one.startswith(f"{KEPT}{lost[0]}_")} == {
        one: n for one, n in before.items() if one.startswith(f"{KEPT}{lost[0]}_") and one != name
    }


@pytest.mark.parametrize("seed", range(5))
def test_tokens_that_mean_somebody_else_are_counted(seed: int) -> None:
    """Seen to fail: staff numbers in the place of employers were as many as before, and colleagues met."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(
        {
            "user_id": rng.integers(0, 30, 120).astype(str),
            "kind": rng.choice(["self", "exclude"], 120),
            "namespace": rng.choice(["phone", "employer"], 120),
            "hmac": rng.integers(0, 40, 120).astype(str),
        }
    ).astype({"kind": "category", "namespace": "string"})
    counts = pd.DataFrame([{"table": "tokens", "rows_in": len(rows), "quarantined": 0}])
    found = row_counts(counts, {}, accepted={"tokens": rows})["tokens"]
    owned = rows[rows["kind"].eq("self")]
    for kind in ("self", "exclude"):
        for space in ("phone", "employer"):
            mine = rows[rows["kind"].eq(kind) & rows["namespace"].eq(space)]
            others = owned[owned["namespace"].eq(space)]
            met = {
                one.user_id
                for one in mine.itertuples()
                if (others["hmac"].eq(one.hmac) & others["user_id"].ne(one.user_id)).any()
            }
            assert found.get(f"{KEPT}{kind}_{space}_met", 0) == len(met)
    is_employer = rows["namespace"].eq("employer") & rows["kind"].eq("self")
    staff = rows.assign(hmac=rows["hmac"].where(~is_employer, "staff " + rows["user_id"]))
    after = row_counts(counts, {}, accepted={"tokens": staff})["tokens"]
    assert after[f"{KEPT}self_employer"] == found[f"{KEPT}self_employer"]
    assert after.get(f"{KEPT}self_employer_met", 0) == 0 < found[f"{KEPT}self_employer_met"]


def test_events_that_restrict_are_counted() -> None:
    types = ["like", "pass", "hide", "block", "report", "end", "impression", "money_request", "message"]
    frame = pd.DataFrame(
        {
            "event_id": [f"e{n}" for n in range(len(types) + 2)],
            "ts": pd.to_datetime("2026-01-05T03:00Z"),
            "actor": "a",
            "target": "b",
            "type": [*types, "meet_feedback", "meet_feedback"],
            "detail": [None] * len(types) + ["unsafe", "comfortable"],
        }
    )
    counts = pd.DataFrame([{"table": "events", "rows_in": len(frame), "quarantined": 0}])
    found = row_counts(counts, {}, events=Events.of(frame).coded)
    assert found["events"][RESTRICTING] == 7


@pytest.mark.parametrize(
    ("word", "counts"),
    [
        ("block", True),
        ("hide", True),
        ("pass", True),
        ("like", False),
        ("message", False),
    ],
)
def test_a_refused_event_that_restricts_names_nobody_where_an_id_is_missing(word: str, counts: bool) -> None:
    """Seen to fail: a block whose actor a join had lost was refused, and no gate said a word."""
    town = dict(make_town(40, np.random.default_rng(7)).tables)
    events = town["events"]
    lost = [
        {**events.iloc[0].to_dict(), "event_id": f"lost-{side}", "type": word, side: None}
        for side in ("actor", "target")
    ]
    town["events"] = pd.concat([events.astype({"type": object}), pd.DataFrame(lost)], ignore_index=True)
    tables = load_tables(town)
    found = row_counts(tables.counts, tables.nobody, accepted=tables.accepted, quarantine=tables.quarantine)
    assert found["events"]["nobody"] == 2 * counts


QUESTIONS = {"quiet": ("listen", "talk", "either"), "pace": ("slow", "quick")}


@pytest.mark.parametrize("lost", ["quiet", "pace"])
@pytest.mark.parametrize("how", ["every option", "no row", "not required"])
@pytest.mark.parametrize("has_options", [True, False])
def test_required_answers_are_counted_by_question_where_they_leave_somebody_out(
    lost: str, how: str, *, has_options: bool
) -> None:
    """Seen to fail: one question of two that everybody was open to, or that was gone, changed no count."""
    rng = np.random.default_rng(5)
    rows = [
        {
            "user_id": f"u{at}",
            "question_id": question,
            "answer": str(rng.choice(options)),
            "accepted": (options[at % 2],) if at < 20 else options,
            "mandatory": at < 30,
        }
        for at in range(60)
        for question, options in QUESTIONS.items()
    ]
    before = pd.DataFrame(rows)
    after = before.copy()
    is_lost = after["question_id"].eq(lost) & after["user_id"].isin([f"u{at}" for at in range(20)])
    if how == "every option":
        wide = pd.Series([QUESTIONS[lost]] * len(after), after.index, dtype=object)
        after["accepted"] = after["accepted"].where(~is_lost, wide)
    elif how == "no row":
        after = after[~is_lost]
    else:
        after["mandatory"] = after["mandatory"] & ~is_lost
    counts = pd.DataFrame([{"table": "answers", "rows_in": len(before), "quarantined": 0}])
    options = QUESTIONS if has_options else {}
    was, now = (
        row_counts(counts, {}, accepted={"answers": one}, options=options)["answers"]
        for one in (before, after)
    )
    other = next(question for question in QUESTIONS if question != lost)
    assert was[f"{KEPT}mandatory_{lost}"] == was[f"{KEPT}mandatory_{other}"] == was[f"{KEPT}mandatory"] == 20
    assert now.get(f"{KEPT}mandatory_{lost}", 0) == 0
    assert now[f"{KEPT}mandatory_{other}"] == now[f"{KEPT}mandatory"] == 20
