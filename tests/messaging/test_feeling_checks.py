"""Feeling checks: who is due; one person's answer is theirs alone."""

from typing import Any

import pytest

from recsys.catalogue import LANGUAGES
from recsys.data import Events, pair_stage, pair_stages
from recsys.errors import InputError
from recsys.messaging import due_feeling_checks, follow_up, prompts
from recsys.messaging.next_steps_and_feeling_checks import ANSWERS
from recsys.moderation import review_queue
from tests.data.test_pair_stages import MEETING, ONGOING
from tests.data.timeline import day, events

SUPPORT = "help@example.org"


def due(told: Events, at: float) -> list[tuple[str, str]]:
    found = due_feeling_checks(told, day(at))
    return list(zip(found.user_id, found.other_id, strict=True))


def test_both_are_due_thirty_days_after_trust() -> None:
    told = events(*ONGOING)
    assert due(told, 44.9) == []
    assert due(told, 45) == [("a", "b"), ("b", "a")]
    assert due_feeling_checks(told, day(60)).due_since.tolist() == [day(45), day(45)]


def test_an_answer_puts_off_the_own_check_alone() -> None:
    told = events(*ONGOING, (46, "a", "feeling_check", "b", "comfortable"))
    assert due(told, 60) == [("b", "a")]
    assert due(told, 76) == [("a", "b"), ("b", "a")]


def test_who_is_not_ongoing_is_not_asked() -> None:
    assert due(events(*MEETING), 90) == []
    assert due(events(*ONGOING, (20, "a", "end", "b", "amicable")), 90) == []
    assert due(events(*ONGOING, (20, "b", "feeling_check", "a", "pressured")), 90) == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_one_drifting_answer_is_private(lang: Any) -> None:
    before = events(*ONGOING)
    after = events(*ONGOING, (46, "a", "feeling_check", "b", "drifting"))
    assert list(prompts(after, "a", lang=lang, support=SUPPORT)) == ["b"]
    assert prompts(after, "b", lang=lang, support=SUPPORT) == prompts(before, "b", support=SUPPORT) == {}
    assert [d for d in due(after, 60) if d[0] == "b"] == [d for d in due(before, 60) if d[0] == "b"]
    assert pair_stage(after, "a", "b").name == pair_stage(before, "a", "b").name
    assert pair_stages(after).frame().equals(pair_stages(before).frame())
    assert review_queue(after).empty


def test_pressured_raises_a_flag_and_shows_the_support_contact() -> None:
    told = events(*ONGOING, (46, "a", "feeling_check", "b", "pressured"))
    said = prompts(told, "a", lang="en", support=SUPPORT)
    assert SUPPORT in said["b"]
    assert prompts(told, "b", support=SUPPORT) == {}
    [row] = review_queue(told).to_dict("records")
    assert (row["user_id"], row["kind"]) == ("b", "feeling_check.pressured")


def test_the_last_answer_decides() -> None:
    told = events(
        *ONGOING, (46, "a", "feeling_check", "b", "drifting"), (50, "a", "feeling_check", "b", "comfortable")
    )
    assert prompts(told, "a", support=SUPPORT) == {}
    assert list(prompts(told, "a", day(47), support=SUPPORT)) == ["b"]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("word", ANSWERS)
def test_every_answer_has_an_outcome(word: str, lang: Any) -> None:
    found = follow_up(word, lang, support="{curly} help")
    assert found.review == (word == "pressured")
    assert (found.private is not None) == (word in ("drifting", "closer", "pressured"))
    assert word != "pressured" or "{curly} help" in (found.private or "")


def test_an_unknown_answer_is_refused() -> None:
    with pytest.raises(InputError, match="did you mean 'drifting'"):
        follow_up("driftin", support=SUPPORT)
