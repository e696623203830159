"""Reasons say what both may see, and nothing else."""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.catalogue import load_catalogue
from recsys.catalogue.columns import Columns as C
from recsys.data.geography import centres, pair_distances_km
from recsys.data.population import LongTables, Population
from recsys.errors import InputError
from recsys.messaging.icebreakers import icebreaker
from recsys.messaging.reason_kinds import LEAST_MEMBERS, NEAR_KM
from recsys.messaging.reasons import MOST_REASONS, Reasons, reason_text
from recsys.storage.dataclass_codec import dataclass_from_arrays, dataclass_to_arrays
from recsys.testing.people import make_people, populations

CATALOGUE = load_catalogue()
OPEN_QUESTIONS = sorted(name for name in CATALOGUE.questions if CATALOGUE.may_name_answer(name))
SENSITIVE = sorted(name for name, q in CATALOGUE.questions.items() if q.sensitive)


def with_tables(people: Population, **tables: list[tuple[Any, ...]]) -> Population:
    """The same people having said only this."""
    empty = LongTables.empty()
    said = {
        name: pd.DataFrame(rows, columns=getattr(empty, name).columns).astype({C.ROW: "int32"})
        for name, rows in tables.items()
    }
    return replace(people, long=replace(empty, **said))


def two(**tables: list[tuple[Any, ...]]) -> Population:
    """Two people, and more of whom nothing is said but what `tables` says."""
    far_apart = {C.CELL: ["862f5a367ffffff", "862e80167ffffff"] * 3, C.INTENTS: ["conversation_only"]}
    people = make_people(6, np.random.default_rng(0), unknown=0.0, relations=False, **far_apart)
    return with_tables(people, **tables)


def answer(
    row: int, question: str, option: int, visibility: str = "public", importance: int = 10
) -> tuple[Any, ...]:
    options = CATALOGUE.questions[question].answers
    return (row, question, options[option], options, importance, False, visibility)


def codes(people: Population, viewer: int = 0, candidate: int = 1) -> list[str]:
    return Reasons.of(people).codes([viewer], [candidate])[0]


def test_shared_interests_strongest_first_then_by_name() -> None:
    tags = sorted(CATALOGUE.interests)[:4]
    mine = [(0, tag, level, "both") for tag, level in zip(tags, (2, 5, 5, 1), strict=True)]
    theirs = [(1, tag, level, "online") for tag, level in zip(tags, (5, 3, 3, 1), strict=True)]
    found = codes(two(interests=mine + theirs))
    assert found == [f"interest:{tags[at]}" for at in (1, 2, 0)]


def test_free_text_is_never_shown() -> None:
    shared = [(row, "free:my street", 5, "both") for row in (0, 1)]
    assert codes(two(interests=shared)) == []


def test_an_interest_of_one_is_no_reason() -> None:
    assert codes(two(interests=[(0, "photography", 5, "both")])) == []


def test_listens_goes_one_way() -> None:
    topic, other = sorted(CATALOGUE.topics)[:2]
    people = two(
        talk_topics=[
            (0, topic, "talks", 3),
            (1, topic, "listens", 2),
            (1, other, "talks", 3),
            (0, other, "listens", 1),
        ]
    )
    assert codes(people) == [f"listens:{topic}"]
    assert codes(people, 1, 0) == [f"listens:{other}"]


def test_what_the_candidate_talks_about_changes_nothing() -> None:
    said = [(0, topic, "talks", 3) for topic in CATALOGUE.topics]
    heard = [(1, sorted(CATALOGUE.topics)[0], "listens", 1)]
    needs = [(1, topic, "talks", 3) for topic in CATALOGUE.topics]
    assert codes(two(talk_topics=said + heard)) == codes(two(talk_topics=said + heard + needs))


def test_alike_public_answers_by_what_matters_to_the_viewer() -> None:
    first, second, third = OPEN_QUESTIONS[:3]
    people = two(
        answers=[
            answer(0, first, 0, importance=1),
            answer(0, second, 1, importance=50),
            answer(0, third, 0),
            answer(1, first, 0, importance=50),
            answer(1, second, 1, importance=0),
            answer(1, third, 1),
        ]
    )
    assert codes(people) == [f"answer:{second}", f"answer:{first}"]
    assert codes(people, 1, 0) == [f"answer:{first}", f"answer:{second}"]


@pytest.mark.parametrize("hidden", [0, 1])
def test_an_answer_hidden_by_either_is_no_reason(hidden: int) -> None:
    question = OPEN_QUESTIONS[0]
    shown = [answer(row, question, 0, "match_only" if row == hidden else "public") for row in (0, 1)]
    assert codes(two(answers=shown)) == []
    assert codes(two(answers=[answer(0, question, 0), answer(1, question, 0)])) == [f"answer:{question}"]


def test_a_sensitive_answer_is_no_reason_even_when_public() -> None:
    assert SENSITIVE
    assert codes(two(answers=[answer(row, SENSITIVE[0], 0) for row in (0, 1)])) == []


def test_a_shared_circle_is_not_named() -> None:
    assert codes(two(communities=[(row, "book-club-7") for row in range(6)])) == ["circle"]
    apart = [(row, f"book-club-{club}") for club in (7, 8) for row in range(6) if row != club - 7]
    assert codes(two(communities=apart)) == []


@pytest.mark.parametrize("members", range(2, LEAST_MEMBERS + 2))
def test_a_circle_of_fewer_than_five_people_is_no_reason(members: int) -> None:
    repeated = [(0, "book-club-7")] * 3  # one person counts once
    circle = [(row, "book-club-7") for row in range(members)]
    assert codes(two(communities=circle + repeated)) == (["circle"] if members >= LEAST_MEMBERS else [])


LEVERS = (
    "told_at_home",
    "phone_notice",
    "keep_private",
    "home_complaint",
    "partner_respect",
    "family_talk",
    "social_media",
)


@pytest.mark.parametrize("question", sorted({*CATALOGUE.questions} - {*OPEN_QUESTIONS}))
def test_an_answer_that_would_be_a_lever_is_no_reason_and_stays_unnamed(question: str) -> None:
    shared = [answer(row, question, 0, importance=50) for row in (0, 1)]
    assert codes(two(answers=shared)) == []
    label = CATALOGUE.questions[question].label
    for seed in range(12):  # a list made earlier may still hold the code
        said = icebreaker("a", "b", [f"answer:{question}"], "matched", seed=seed, lang="ja")
        assert said is not None
        assert label.ja not in said.text


def test_the_levers_known_are_on_the_list() -> None:
    assert {*LEVERS} <= {*CATALOGUE.questions} - {*OPEN_QUESTIONS}


def test_near_needs_two_known_cells_and_two_who_meet_in_person() -> None:
    def pair(cells: list[str | None], intents: list[list[str]], where: str = "cafe_day") -> list[str]:
        rng, given = np.random.default_rng(0), {C.CELL: cells, C.INTENTS: intents}
        given[C.MEETING_SETTINGS] = [["online_only", "cafe_day"], ["online_only", where]]
        return codes(with_tables(make_people(2, rng, unknown=0.0, relations=False, **given)))

    here, far = "862f5a367ffffff", "862e80167ffffff"
    meets, online = ["hobby_companion"], ["conversation_only"]
    assert pair([here, here], [meets, meets]) == ["near"]
    assert pair([here, far], [meets, meets]) == []
    assert pair([here, here], [meets, online]) == []
    assert pair([here, here], [meets, meets], "online_only") == []
    assert pair([None, None], [meets, meets]) == []


def test_kinds_take_turns_and_three_is_the_most() -> None:
    tags, topics = sorted(CATALOGUE.interests)[:5], sorted(CATALOGUE.topics)[:2]
    people = two(
        interests=[(row, tag, 3, "both") for row in (0, 1) for tag in tags],
        talk_topics=[(0, t, "talks", 3) for t in topics] + [(1, t, "listens", 3) for t in topics],
        answers=[answer(row, OPEN_QUESTIONS[0], 0) for row in (0, 1)],
        communities=[(row, "x") for row in range(6)],
    )
    assert codes(people) == [f"interest:{tags[0]}", f"listens:{topics[0]}", f"answer:{OPEN_QUESTIONS[0]}"]
    fewer = replace(people, long=replace(people.long, answers=LongTables.empty().answers))
    assert codes(fewer) == [f"interest:{tags[0]}", f"listens:{topics[0]}", "circle"]
    fewer = replace(fewer, long=replace(fewer.long, communities=LongTables.empty().communities))
    assert codes(fewer) == [f"interest:{tags[0]}", f"listens:{topics[0]}", f"interest:{tags[1]}"]


Said = dict[str, dict[int, list[dict[str, Any]]]]


def said_by(people: Population) -> Said:
    """What each person said: by table, then by person, as rows."""
    found: Said = {}
    for name in ("interests", "talk_topics", "answers", "communities"):
        found[name] = {row: [] for row in range(len(people))}
        for one in getattr(people.long, name).to_dict("records"):
            found[name][one[C.ROW]].append(one)
    return found


def plain_codes(people: Population, said: Said, viewer: int, candidate: int) -> list[str]:
    """The twin: one pair, with dictionaries."""
    levels = [{one[C.TAG]: one[C.LEVEL] for one in said["interests"][row]} for row in (viewer, candidate)]
    shared = sorted(
        (-min(levels[0][t], levels[1][t]), t)
        for t in levels[0]
        if t in levels[1] and t in CATALOGUE.interests
    )
    talks, listens = (
        {one[C.TOPIC]: one[C.WEIGHT] for one in said["talk_topics"][row] if one["role"] == role}
        for row, role in ((viewer, "talks"), (candidate, "listens"))
    )
    heard = sorted((-talks[t] * listens[t], t) for t in talks if t in listens)
    mine, theirs = (
        {one[C.QUESTION]: one for one in said["answers"][row] if one["visibility"] == "public"}
        for row in (viewer, candidate)
    )
    alike = sorted(
        (-mine[q][C.IMPORTANCE], q)
        for q in mine.keys() & theirs.keys()
        if q in OPEN_QUESTIONS and mine[q][C.ANSWER] == theirs[q][C.ANSWER]
    )
    size = Counter(
        circle for rows in said["communities"].values() for circle in {one[C.COMMUNITY] for one in rows}
    )
    circles = [
        {one[C.COMMUNITY] for one in said["communities"][row] if size[one[C.COMMUNITY]] >= LEAST_MEMBERS}
        for row in (viewer, candidate)
    ]
    in_person = people.has_word(C.INTENTS, "hobby_companion", "group_activity")[[viewer, candidate]].all()
    cells = people.cells[[viewer, candidate]]
    settings = ("cafe_day", "lunch", "public_event", "group", "class")
    outside = people.has_word(C.MEETING_SETTINGS, *settings)[[viewer, candidate]].all()
    near = bool(in_person) and bool(outside) and bool(cells.all())
    if near:
        place = centres(cells)
        near = pair_distances_km(place[:1], place[1:])[0] <= NEAR_KM
    kinds = [
        [f"interest:{t}" for _, t in shared],
        [f"listens:{t}" for _, t in heard],
        [f"answer:{q}" for _, q in alike],
        ["circle"] if circles[0] & circles[1] else [],
        ["near"] if near else [],
    ]
    turns = [kind[turn] for turn in range(MOST_REASONS) for kind in kinds if turn < len(kind)]
    return turns[:MOST_REASONS]


@settings(max_examples=15)
@given(people=populations(min_size=2, max_size=8))
def test_equals_the_plain_definition(people: Population) -> None:
    i, j = (index.ravel() for index in np.indices((len(people), len(people))))
    found = Reasons.of(people).codes(i, j)
    said = said_by(people)
    assert found == [plain_codes(people, said, int(a), int(b)) for a, b in zip(i, j, strict=True)]


def test_random_people_have_reasons_of_every_kind() -> None:
    people = make_people(120, np.random.default_rng(1), unknown=0.0)
    i, j = (index.ravel() for index in np.indices((120, 120)))
    kinds = Counter(code.split(":")[0] for found in Reasons.of(people).codes(i, j) for code in found)
    assert set(kinds) == {"interest", "listens", "answer", "circle", "near"}


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_match_only_answer_changes_nothing_readable(seed: int) -> None:
    """Two clones who differ in one match_only answer are explained alike, seen from either side."""
    rng = np.random.default_rng(seed)
    people = make_people(12, rng)
    said = people.long.answers
    hidden = said[said[C.VISIBILITY] == "match_only"]
    if hidden.empty:
        return
    at = rng.choice(hidden.index)
    options = CATALOGUE.questions[said.loc[at, C.QUESTION]].answers
    other = said.copy()
    other.loc[at, C.ANSWER] = next(option for option in options if option != said.loc[at, C.ANSWER])
    other.loc[at, C.IMPORTANCE] = 50 if said.loc[at, C.IMPORTANCE] != 50 else 0
    clone = replace(people, long=replace(people.long, answers=other))
    i, j = (index.ravel() for index in np.indices((12, 12)))
    mine, theirs = Reasons.of(people).codes(i, j), Reasons.of(clone).codes(i, j)
    assert mine == theirs
    for a, b, first, second in zip(i, j, mine, theirs, strict=True):
        assert icebreaker(str(a), str(b), first, "matched") == icebreaker(str(a), str(b), second, "matched")


def test_no_pairs_and_no_people() -> None:
    assert Reasons.of(make_people(3, np.random.default_rng(0))).codes([], []) == []
    assert Reasons.of(make_people(0, np.random.default_rng(0))).codes([], []) == []
    assert Reasons.of(Population.of_ids(["a", "b"], as_of="2026-01-05")).codes([0], [1]) == [[]]


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_every_code_has_words(lang: Any) -> None:
    every = Reasons.of(make_people(60, np.random.default_rng(1))).all_codes[0].tolist()
    assert len(every) > 50
    for code in every:
        text = reason_text(code, lang)
        assert text
        assert "{" not in text
        assert ":" not in code or code.split(":")[1] not in text.split() or lang == "en"


@pytest.mark.parametrize(
    "code", ["", "interest", "interest:", "interest:free:x", "near:5", "circle:x", "score:1"]
)
def test_a_code_that_is_none(code: str) -> None:
    with pytest.raises(InputError, match="unknown reason"):
        reason_text(code, "en")


def test_what_is_held_of_people_comes_back_from_arrays() -> None:
    people = make_people(30, np.random.default_rng(8), unknown=0.0)
    reasons = Reasons.of(people)
    arrays, scalars = dataclass_to_arrays(reasons)
    again = dataclass_from_arrays(Reasons, arrays, scalars)
    i, j = np.divmod(np.arange(900), 30)
    assert again.codes(i, j) == reasons.codes(i, j)
    assert any("circle" in codes for codes in again.codes(i, j))


def test_circles_of_a_few_pairs_are_those_of_many() -> None:
    people = make_people(40, np.random.default_rng(9), unknown=0.0)
    reasons = Reasons.of(people)
    i, j = np.divmod(np.arange(1600), 40)
    at_once = reasons.codes(i, j)
    assert [reasons.codes([a], [b])[0] for a, b in zip(i, j, strict=True)] == at_once


@pytest.mark.parametrize("stages", [False, True])
def test_reasons_of_many_pairs_are_those_of_each_part(stages: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    people = make_people(30, np.random.default_rng(5))
    reasons = Reasons.of(people)
    viewer, candidate = (side.ravel() for side in np.mgrid[:30, :30])
    stage = ["matched", "listed", "closed"] * 300 if stages else None
    expected = reasons.numbers(viewer, candidate, stage)
    monkeypatch.setattr("recsys.messaging.reasons._PAIRS_AT_ONCE", 64)
    assert reasons.numbers(viewer, candidate, stage).tolist() == expected.tolist()
    assert (expected >= 0).any()
