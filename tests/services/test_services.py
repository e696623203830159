"""Four services' own databases come in by SQL alone, and exactly the right people may be listed."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import recsys
from recsys.constraints.policy import Policy
from recsys.data.events import Events
from recsys.mapping import Mapping, MappingCheck, check_mapping
from recsys.storage.load import population_of
from tests.datasets import data_folder, needs
from tests.services.violations import READERS, violations

HERE = Path(__file__).parent
DATA = data_folder() / "services"
SECRET = b"0123456789abcdef0123"
SERVICES = ("hidamari", "quizpair", "polestar", "commonground")

pytestmark = needs("services")
_CHECKS: dict[str, MappingCheck] = {}


def checked(name: str) -> MappingCheck:
    if name not in _CHECKS:
        mapping = Mapping.read(HERE / name)
        source = str(DATA / mapping.settings.source)
        mapping = replace(mapping, settings=mapping.settings.model_copy(update={"source": source}))
        _CHECKS[name] = check_mapping(mapping, secret=SECRET)
    return _CHECKS[name]


def expected(name: str) -> Any:
    return json.loads((DATA / name / "expected.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", SERVICES)
def test_exactly_those_may_be_listed_who_may(name: str) -> None:
    want = expected(name)
    listed = set(checked(name).listed)
    sure = set(map(str, want["listable"]))
    assert sure <= listed <= sure | set(map(str, want.get("two_bands_possible", ())))


@pytest.mark.parametrize("name", SERVICES)
def test_nobody_is_listed_who_must_not_be(name: str) -> None:
    listed = set(checked(name).listed)
    for reason, ids in expected(name)["never_listed"].items():
        assert not listed & set(map(str, ids)), reason


@pytest.mark.parametrize("name", SERVICES)
def test_accepted_and_set_aside_are_counted(name: str) -> None:
    want, check = expected(name)["people"], checked(name)
    assert check.people == want["accepted"]
    assert dict(check.tables.set_aside["profiles"]) == want["set_aside"]


@pytest.mark.parametrize("name", SERVICES)
def test_bands_of_the_listed_are_right(name: str) -> None:
    frame = checked(name).tables.tables["profiles"].set_index("user_id")
    want = {str(g["member"]): g["band"] for g in expected(name)["golden"] if g.get("band") and "member" in g}
    assert {member: frame.loc[member, "age_band"] for member in want} == want


def test_two_of_one_employer_whom_one_of_them_excludes_never_meet() -> None:
    people = population_of(checked("hidamari").loaded)
    rows = people.ids.rows(["000140", "000141"])
    shown = Policy.default().may_show(people, rows, rows[::-1])
    tokens = checked("hidamari").tables.tables["tokens"].query("namespace == 'employer'").set_index("user_id")
    own = tokens.loc[["000140"]].query("kind == 'self'")["hmac"]
    assert set(own) <= set(tokens.loc[["000141"]].query("kind == 'exclude'")["hmac"])
    assert not shown.any()


@pytest.mark.parametrize("name", SERVICES)
def test_a_mapping_is_short(name: str) -> None:
    def lines(pattern: str) -> int:
        return sum(
            len(file.read_text(encoding="utf-8").splitlines()) for file in (HERE / name).rglob(pattern)
        )

    assert lines("*.yaml") <= 60
    assert lines("*.sql") <= 150


ANSWERS = {
    "hidamari": (25, 10185),
    "quizpair": (200, 24563),
    "polestar": (60, 16494),
    "commonground": (40, 35554),
}
"""Questions, and answers given, straight lines left out."""


@pytest.mark.parametrize("name", SERVICES)
def test_the_questions_and_answers_of_a_service_come_in(name: str) -> None:
    loaded = checked(name).loaded
    counts = loaded.counts.set_index("table").loc["answers"]
    assert (len(loaded.catalogue.questions), int(counts["rows_in"])) == ANSWERS[name]
    assert loaded.catalogue.most_answers >= len(loaded.catalogue.questions)
    refused = loaded.quarantine[loaded.quarantine["table"] == "answers"]["codes"].value_counts()
    assert set(refused.index) <= {"user_id.orphan", "consent_id.missing", "answer.unknown_word"}
    assert "question_id.too_many" not in refused


@pytest.mark.parametrize(
    ("name", "member", "answers"),
    [
        ("quizpair", "66", {"6": ("yes", "match_only"), "7": ("no", "public")}),
        ("hidamari", "000160", {"Q01": None}),
        ("polestar", "XXAhz7YRTMKu", {"2": None}),
        ("commonground", "3", {"q1": ("2", "public"), "q7": ("1", "public"), "q30": ("3", "public")}),
        ("commonground", "44", {"q31": ("4", "public"), "q32": ("2", "public"), "q33": ("5", "public")}),
        ("commonground", "52", {}),
    ],
)
def test_golden_answers_are_read_as_they_were_given(name: str, member: str, answers: dict[str, Any]) -> None:
    table = checked(name).loaded.accepted["answers"]
    own = table[table["user_id"] == member].set_index("question_id")
    if name != "commonground":
        assert set(own.index) == set(answers)
    elif not answers:
        assert not any(int(question[1:]) <= 30 for question in own.index)
    for question, found in answers.items():
        if found is not None:
            assert (own.loc[question, "answer"], own.loc[question, "visibility"]) == found


def test_polestars_importance_and_accepted_codes_are_kept() -> None:
    table = checked("polestar").loaded.accepted["answers"]
    own = table[table["user_id"] == "V4rAcTmisXaX"].set_index("question_id")
    assert own.loc["3", "answer"] == "1"
    assert (own.loc["3", "accepted"], own.loc["3", "importance"]) == (("0", "1"), 50)
    assert own.loc["4", "importance"] == 0


def _lists(check: MappingCheck) -> pd.DataFrame:
    """Return long lists of people anybody would find popular: what keeps pairs apart is the rules alone."""
    people, rng = population_of(check.loaded), np.random.default_rng(3)
    model = recsys.PopularityModel().fit(people, Events.none(), rng=rng)
    return recsys.recommend(model, people, Policy.default(), k=400)


@pytest.mark.parametrize("name", SERVICES)
def test_lists_hold_nothing_that_the_raw_files_forbid(name: str) -> None:
    check, want, raw = checked(name), expected(name), READERS[name](DATA / name)
    may = set(map(str, want["listable"])) | set(map(str, want.get("two_bands_possible", ())))
    assert set(violations(raw, _lists(check), may).values()) == {0}


UNASKED = {"commonground": {"gender", "too young", "too old"}, "polestar": {"shown though discreet"}}
"""Rules of which a service asks nothing, so that nobody can break them."""


@pytest.mark.parametrize("name", SERVICES)
def test_the_check_of_raw_files_sees_every_kind_of_forbidden_pair(name: str) -> None:
    raw, rng = READERS[name](DATA / name), np.random.default_rng(5)
    pairs = [*map(tuple, raw.apart), *rng.choice(raw.members.index, (5000, 2)).tolist()]
    lists = pd.DataFrame([pair for pair in pairs if len(pair) == 2], columns=["viewer_id", "candidate_id"])
    lists = lists[lists.isin(raw.members.index).all(axis=1)].reset_index(drop=True)
    found = violations(raw, lists, set(map(str, expected(name)["listable"])))
    assert {rule for rule, rows in found.items() if not rows} == UNASKED.get(name, set())
