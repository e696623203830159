"""Every stage says what to do and what to leave; first meetings are by day and in public."""

from typing import Any

import pytest

from recsys.catalogue import LANGUAGES, load_catalogue
from recsys.errors import InputError
from recsys.messaging import next_steps
from tests.catalogue.test_catalogue import JAPANESE

STAGES = load_catalogue().stages.names


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_has_words(stage: str, lang: Any) -> None:
    steps = next_steps(stage, lang)
    assert steps.do
    assert steps.avoid
    for text in (*steps.do, *steps.avoid, *steps.rules, *steps.topics):
        assert bool(JAPANESE.search(text)) == (lang == "ja")
        assert "{" not in text


def test_the_first_meeting_is_by_day_in_a_cafe_or_at_lunch() -> None:
    assert "昼間のカフェ" in next_steps("meeting").do[0]
    assert "ランチ" in next_steps("meeting").do[0]
    assert any("夜" in text and "個室" in text for text in next_steps("meeting").avoid)


def test_three_rules_and_topics_come_with_acquaintance() -> None:
    assert {stage for stage in STAGES if next_steps(stage).rules} == {"acquainted", "meeting", "ongoing"}
    rules = next_steps("acquainted", "en").rules
    assert len(rules) == 3
    assert [word in rule for word, rule in zip(("romance", "home", "time"), rules, strict=True)] == [True] * 3
    assert len(next_steps("ongoing").topics) >= 8


def test_an_unknown_stage_is_refused() -> None:
    with pytest.raises(InputError, match="unknown stage"):
        next_steps("dating")
