"""A service's own catalogue: any questions, carried by what is made with it, and none of its answers lost."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import recsys
from recsys.catalogue import Catalogue, load_catalogue
from recsys.catalogue.catalogue import catalogue_from_json, catalogue_json
from recsys.catalogue.files import catalogue_diff, check_catalogue, open_catalogue
from recsys.cli import app
from recsys.constraints.policy import Policy
from recsys.data.tables import check_table
from recsys.errors import InputError
from recsys.features.scales import Scales
from recsys.features.values import Values
from recsys.messaging.icebreakers import icebreaker
from recsys.messaging.reasons import Reasons, reason_text
from recsys.ranking.snapshot import Snapshot, SnapshotData
from recsys.storage.dataclass_codec import load_dataclass
from recsys.storage.population_files import read_people, write_people
from tests.ranking.published_world import World

KINDS = ("single", "likert", "number", "several")


def catalogue_of(n: int) -> Catalogue:
    """Return a catalogue of `n` questions of every kind, labelled in German alone, without scales."""
    questions: list[dict[str, Any]] = []
    options: list[dict[str, Any]] = []
    for number in range(n):
        kind = KINDS[number % 4]
        row: dict[str, Any] = {"question_id": f"f{number}", "label_de": f"Frage {number}", "kind": kind}
        row |= {"likert": {"points": 5}, "number": {"least": 0, "most": 30}}.get(kind, {})
        questions.append(row)
        words = {"single": ["ja", "nein"], "several": ["a", "b", "c"]}.get(kind, [])
        options += [{"question_id": f"f{number}", "option_id": word} for word in words]
    return Catalogue.of(questions=questions, options=options)


def answer(question: str, given: object, **more: object) -> dict[str, object]:
    row = {"user_id": "u1", "question_id": question, "answer": given, "accepted": None, "importance": 1}
    return row | {"mandatory": False, "visibility": "public"} | more


def checked(catalogue: Catalogue, *rows: dict[str, object]) -> tuple[list[str], list[str]]:
    found = check_table("answers", pd.DataFrame(list(rows)), catalogue=catalogue)
    return found.accepted["answer"].tolist(), found.quarantined["codes"].tolist()


@pytest.mark.parametrize("catalogue", [load_catalogue(), catalogue_of(9)], ids=["builtin", "own"])
def test_json_brings_the_same_catalogue_back(catalogue: Catalogue) -> None:
    text = catalogue_json(catalogue).replace(catalogue.version.encode(), b"another")
    back = catalogue_from_json(text)
    for part in ("interests", "questions", "topics", "scales"):
        assert getattr(back, part) == getattr(catalogue, part)
    assert catalogue_from_json(catalogue_json(catalogue)).version == catalogue.version


def test_every_kind_of_answer_is_read_as_its_option() -> None:
    own = catalogue_of(4)
    rows = [answer("f0", "ja"), answer("f1", "5"), answer("f2", "7.6"), answer("f3", "c|a")]
    assert checked(own, *rows) == (["ja", "5", "7", "a|c"], [])
    wrong = [answer("f0", "a"), answer("f1", "6"), answer("f2", "31"), answer("f3", "a|ja")]
    accepted, codes = checked(own, *wrong)
    assert accepted == []
    assert all(code.startswith("answer.") for code in codes)


def test_accepted_numbers_may_be_a_range() -> None:
    rows = pd.DataFrame([answer("f2", 3, accepted="4..6")])
    found = check_table("answers", rows, catalogue=catalogue_of(4)).accepted
    assert found["accepted"][0] == ("4", "5", "6")


def test_own_importance_levels_become_weights() -> None:
    own = Catalogue.of(
        questions=[{"question_id": "q", "label": "Q", "kind": "likert", "points": 3}],
        importance=[{"level": word, "weight": at} for word, at in (("low", 2), ("high", 40))],
    )
    rows = pd.DataFrame([answer("q", "1", importance="high"), answer("q", "1", importance="x", user_id="b")])
    found = check_table("answers", rows, catalogue=own)
    assert found.accepted["importance"].tolist() == [40]
    assert len(found.quarantined) == 1


def test_answers_are_carried_over_by_renames_and_merges() -> None:
    own = Catalogue.of(
        questions=[
            {"question_id": "new", "label": "N", "renamed_from": "old"},
            {"question_id": "gone", "label": "G", "merged_into": "new"},
        ],
        options=[
            {"question_id": "new", "option_id": "y", "renamed_from": "yes"},
            {"question_id": "new", "option_id": "n"},
        ],
    )
    assert checked(own, answer("old", "yes"), answer("gone", "n", user_id="u2")) == (["y", "n"], [])
    accepted, codes = checked(own, answer("old", "yes"), answer("new", "n"))
    assert (accepted, codes) == (["n"], ["question_id.merged"])
    assert checked(load_catalogue(), answer("old", "yes"))[0] == []


def test_an_avoided_topic_stays_avoided_under_its_new_id() -> None:
    own = Catalogue.of(topics=[{"topic": "work", "label": "Work", "renamed_from": "job"}])
    columns = ("contact_frequency", "channels", "contact_windows", "meeting_settings")
    columns += ("romance_line", "physical_line", "financial_line", "disclosure")
    row = {"user_id": "a", "topics_avoid": ["job"]} | dict.fromkeys(columns)
    assert check_table("boundaries", pd.DataFrame([row]), catalogue=own).accepted["topics_avoid"][0] == (
        "work",
    )


def test_private_and_sensitive_questions_are_neither_mandatory_nor_named() -> None:
    own = Catalogue.of(
        questions=[
            {"question_id": "p", "label": "P", "kind": "likert", "points": 2, "match_only": True},
            {"question_id": "s", "label": "S", "kind": "likert", "points": 2, "sensitive": "true"},
        ]
    )
    strict = {"mandatory": True, "accepted": ["1"], "importance": 50}
    _, codes = checked(own, answer("p", "1", **strict), answer("s", "1", consent_id="c", **strict))
    assert codes == ["mandatory.private", "mandatory.sensitive"]
    assert not own.may_name_answer("p")
    assert not own.may_name_answer("s")


def test_more_than_sixty_answers_are_kept_where_there_are_more_questions() -> None:
    own = Catalogue.of(
        questions=[
            {"question_id": f"q{n}", "label": f"{n}", "kind": "likert", "points": 2} for n in range(90)
        ]
    )
    assert len(checked(own, *[answer(f"q{n}", "1") for n in range(90)])[0]) == 90


@pytest.mark.parametrize(
    ("problem", "tables"),
    [
        ("two spellings", {"questions": [{"question_id": x, "label": x} for x in ("Q1", "q1")]}),
        ("safety word", {"questions": [{"question_id": "romance_line", "label": "x"}]}),
        ("2 to 100 options", {"questions": [{"question_id": "q", "label": "x"}]}),
        ("no label", {"topics": [{"topic": "a"}]}),
        ("unknown column", {"topics": [{"topic": "a", "lable": "x"}]}),
        ("unknown parent", {"interests": [{"interest_id": "a", "label": "x", "parent": "b"}]}),
        ("is spelled so too", {"interests": [{"interest_id": x, "label": "Tea"} for x in ("a", "b")]}),
    ],
)
def test_a_broken_catalogue_is_refused(problem: str, tables: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=problem):
        Catalogue.of(**tables)


def test_a_folder_may_be_csv_or_yaml_and_extend_the_builtin(tmp_path: Path) -> None:
    (tmp_path / "questions.yaml").write_text("pets: {de: Tiere?, options: [ja, nein]}\n", "utf-8")
    (tmp_path / "topics.csv").write_text("topic,label,lang\nboats,Boats,en\n", "utf-8")
    own = open_catalogue(tmp_path)
    assert (list(own.questions), list(own.topics)) == (["pets"], ["boats"])
    assert check_catalogue(own).missing["ja"] > 0
    (tmp_path / "catalogue.yaml").write_text("extends: builtin\n", "utf-8")
    assert len(open_catalogue(tmp_path).topics) == len(load_catalogue().topics) + 1
    (tmp_path / "words.csv").write_text("field,word\nintents,dating\n", "utf-8")
    with pytest.raises(InputError, match="a safety word is fixed"):
        open_catalogue(tmp_path)


def test_a_diff_says_who_loses_what() -> None:
    old, new = catalogue_of(4), catalogue_of(3)
    lost = [(change.part, change.id) for change in catalogue_diff(old, new) if change.loses]
    assert lost == [("questions", "f3")]
    assert not any(change.loses for change in catalogue_diff(new, old))


@pytest.mark.parametrize("n", [5, pytest.param(270, marks=pytest.mark.slow)])
def test_any_number_of_questions_goes_from_people_to_reasons(n: int, tmp_path: Path) -> None:
    own = catalogue_of(n)
    town = recsys.make_town(60, np.random.default_rng(7), catalogue=own)
    people = recsys.load_population(town.tables, catalogue=own)
    assert people.catalogue is own
    assert set(people.long.answers["question_id"]) <= set(own.questions)
    write_people(people, tmp_path / "people")
    assert read_people(tmp_path / "people").catalogue.questions == own.questions
    scales, values = Scales().fit(people), Values().fit(people)
    assert all(name.startswith("learned:f") for name in scales.reliability_)
    scores = values.transform(people).pair_scores(*np.divmod(np.arange(3600), 60))
    assert np.isfinite(scores).all()
    assert values.transform(people).n_columns <= 260
    everyone = np.arange(60, dtype=np.int32)
    codes = [code for pair in Reasons.of(people).codes(everyone, everyone[::-1]) for code in pair]
    named = next(code for code in codes if code.startswith("answer:"))
    assert "Frage" in reason_text(named, "en", catalogue=people.catalogue)
    found = icebreaker("a", "b", [named], "matched", catalogue=people.catalogue)
    assert found is not None
    assert "Frage" in found.text


@pytest.mark.parametrize("n", [5, pytest.param(500, marks=pytest.mark.thorough)])
def test_what_is_fitted_and_published_is_served_with_its_own_catalogue(n: int, tmp_path: Path) -> None:
    own = catalogue_of(n)
    town = recsys.make_town(90, np.random.default_rng(7), catalogue=own)
    people, events = recsys.load_population(town.tables, catalogue=own), recsys.load_events(town.tables)
    model = recsys.ContentModel().fit(people, events, rng=np.random.default_rng(1))
    model.save(tmp_path / "model")
    back = recsys.ContentModel.load(tmp_path / "model").directed(people)
    assert np.array_equal(back.taste, model.directed(people).taste)
    lists = recsys.recommend(model, people, Policy.default(), k=5)
    world = World(people, Policy.default(), back, lists)
    serving = tmp_path / "published" / "runs" / "r1" / "serving"
    world.write(serving, lists)
    data = load_dataclass(SnapshotData, serving)
    assert catalogue_from_json(data.catalogue.tobytes()).questions == own.questions
    snapshot = Snapshot.of(None, data)  # type: ignore[arg-type]
    assert snapshot.catalogue.version == own.version
    asked = next(code for code in data.reasons.answer.codes).partition(":")[2]
    by_option = [snapshot.answered(asked, [option]).sum() for option in own.questions[asked].answers]
    public = people.long.answers
    public = public[(public["question_id"] == asked) & (public["visibility"] == "public")]
    assert sum(by_option) == len(public)


def test_several_choices_are_satisfied_by_the_share_that_is_accepted() -> None:
    own = Catalogue.of(
        questions=[{"question_id": "s", "label": "S", "kind": "several"}],
        options=[{"question_id": "s", "option_id": word} for word in "abc"],
    )
    people = recsys.load_population(recsys.make_town(3, np.random.default_rng(1)).tables)
    answers = pd.DataFrame(
        {
            "row": [0, 1],
            "question_id": ["s", "s"],
            "answer": ["a", "b|c"],
            "accepted": [("b",), None],
            "importance": [10, 0],
        }
    )
    people = replace(people, long=replace(people.long, answers=answers), catalogue=own)
    score = Values(kappa=0.0).fit(people).transform(people).pair_scores([0], [1])
    assert score[0] == pytest.approx(0.5)


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_the_command_line_checks_a_catalogue_and_says_what_a_change_loses(lang: str, tmp_path: Path) -> None:
    for name, words in (("old", ("a", "b", "c")), ("new", ("a", "z"))):
        (tmp_path / name).mkdir()
        rows = [f"{word},{word},{'c' if word == 'z' else ''}" for word in words]
        text = "\n".join(["question_id,label_en,renamed_from", *rows, ""])
        (tmp_path / name / "questions.csv").write_text(text, "utf-8")
        options = [f"{word},{answer}" for word in words for answer in ("yes", "no")]
        (tmp_path / name / "options.csv").write_text(
            "\n".join(["question_id,option_id", *options, ""]), "utf-8"
        )
    run = CliRunner().invoke
    done = run(app, ["catalogue", "check", str(tmp_path / "old"), "--lang", lang])
    assert done.exit_code == 0, done.output
    assert "3" in done.output
    done = run(app, ["catalogue", "diff", str(tmp_path / "old"), str(tmp_path / "new"), "--lang", lang])
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert "questions b" in lines[0]
    assert any("c" in line and "z" in line for line in lines[1:])
    assert len(lines) == 3
