"""First messages: three kinds, from what both may see, the same for the same seed."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.catalogue import LANGUAGES, load_catalogue
from recsys.errors import InputError
from recsys.messaging import ICEBREAKER_KINDS as KINDS
from recsys.messaging import icebreaker, icebreaker_kind
from recsys.messaging.icebreakers import OPENING_STAGES
from recsys.messaging.reasons import Reasons, visible_reasons
from recsys.testing.people import make_people
from tests.catalogue.test_catalogue import JAPANESE, MONEY, ROMANCE

WORDS = load_catalogue()
EVERY_CODE = [
    *(f"interest:{name}" for name in WORDS.interests),
    *(f"listens:{name}" for name in WORDS.topics),
    *(f"answer:{question.id}" for question in WORDS.questions.values() if not question.sensitive),
    "circle",
    "near",
]
POLITE = re.compile("(です|ます|ました|でした|ません|ください|と思います)か?$")
HEATED = re.compile(
    "[!！♡♥❤〜~]|大好き|運命|一目|すぐに会|今すぐ|ドキドキ|かわいい|きれいですね|love|beautiful|destin", re.I
)


def every_opener(lang: Any, seeds: range = range(12)) -> list[tuple[str, Any]]:
    return [
        (code, icebreaker("a", "b", [code], "matched", seed=seed, lang=lang))
        for code in EVERY_CODE
        for seed in seeds
    ]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_reason_has_several_calm_openers(lang: Any) -> None:
    texts: dict[str, set[str]] = {}
    for code, found in every_opener(lang):
        texts.setdefault(code, set()).add(found.text)
        assert "{" not in found.text
        assert 30 <= len(found.text) <= 320, found.text
        assert not HEATED.search(found.text), found.text
        assert not ROMANCE.search(found.text), found.text
        assert not MONEY.search(found.text), found.text
        assert bool(JAPANESE.search(found.text)) == (lang == "ja")
    assert min(len(found) for found in texts.values()) >= 2


def test_japanese_is_polite_to_the_last_sentence() -> None:
    for _, found in every_opener("ja", range(6)):
        for sentence in found.text.strip("。").split("。"):
            assert POLITE.search(sentence) or sentence in ("はじめまして", "こんにちは"), sentence


def test_the_kind_follows_the_evidence() -> None:
    def kinds(*codes: str) -> set[str | None]:
        return {icebreaker_kind(f"u{n}", "b", codes, "matched") for n in range(40)}

    assert kinds("interest:coffee", "near") == {"hobby"}
    assert kinds("listens:hobbies") == kinds("answer:other_view") == {"empathy"}
    assert kinds() == kinds("near") == kinds("circle") == {"calm"}
    assert kinds("interest:coffee", "listens:hobbies") == {"hobby", "empathy"}


def test_a_hobby_opener_names_the_strongest_interest_and_asks_one_small_question() -> None:
    for seed in range(20):
        found = icebreaker("a", "b", ["interest:wine", "interest:coffee"], "matched", seed=seed, lang="en")
        assert found is not None
        assert found.uses == ("interest:wine",)
        assert "Wine" in found.text
        assert found.text.count("?") == 1
        ja = icebreaker("a", "b", ["interest:wine"], "matched", seed=seed)
        assert ja is not None
        assert ja.text.count("か。") == 1


def test_what_is_too_deep_for_a_first_message_is_not_named() -> None:
    for topic in WORDS.openers.unnamed_topics:
        for seed in range(6):
            found = icebreaker("a", "b", [f"listens:{topic}"], "matched", seed=seed, lang="en")
            assert found is not None
            assert WORDS.topics[topic].label.en not in found.text
            assert found.uses == (f"listens:{topic}",)
    home = [q.id for q in WORDS.questions.values() if q.scale == "home"]
    for question in home:
        found = icebreaker("a", "b", [f"answer:{question}"], "matched", lang="ja")
        assert found is not None
        assert WORDS.questions[question].label.ja not in found.text


def test_worries_and_burdens_are_no_first_line() -> None:
    """Work worries, care and money are the writer's to tell, or may hurt a reader who carries them."""
    for code in (
        "listens:work_worries",
        "listens:career_turns",
        *(f"interest:{i}" for i in WORDS.openers.unnamed_interests),
    ):
        kind, _, name = code.partition(":")
        label = (WORDS.topics if kind == "listens" else WORDS.interests)[name].label.ja
        for seed in range(8):
            found = icebreaker("a", "b", [code], "matched", seed=seed)
            assert found is not None
            assert label not in found.text


def test_relief_is_for_worries_and_pleasure_for_light_topics() -> None:
    assert WORDS.openers.light_topics
    for topic in WORDS.openers.light_topics - WORDS.openers.unnamed_topics:
        for seed in range(8):
            found = icebreaker("a", "b", [f"listens:{topic}"], "matched", seed=seed)
            assert found is not None
            assert "ほっとしました" not in found.text
            assert WORDS.topics[topic].label.ja in found.text


def test_a_shared_circle_is_not_named_and_nearness_not_mentioned() -> None:
    near = {icebreaker("a", "b", ["near"], "matched", seed=seed).text for seed in range(12)}  # type: ignore[union-attr]
    none = {icebreaker("a", "b", [], "matched", seed=seed).text for seed in range(12)}  # type: ignore[union-attr]
    assert near == none


@given(
    viewer=st.text(max_size=8),
    candidate=st.text(max_size=8),
    seed=st.integers(-(2**70), 2**70),
    codes=st.lists(st.sampled_from(EVERY_CODE), max_size=3),
    stage=st.sampled_from(OPENING_STAGES),
)
def test_equal_arguments_give_equal_words(
    viewer: str, candidate: str, seed: int, codes: list[str], stage: str
) -> None:
    ja = icebreaker(viewer, candidate, codes, stage, seed=seed, lang="ja")
    en = icebreaker(viewer, candidate, codes, stage, seed=seed, lang="en")
    assert ja == icebreaker(viewer, candidate, codes, stage, seed=seed, lang="ja")
    assert ja is not None
    assert en is not None
    assert (ja.kind, ja.uses) == (en.kind, en.uses)
    assert ja.kind == icebreaker_kind(viewer, candidate, codes, stage, seed=seed)
    assert ja.kind in KINDS
    assert set(ja.uses) <= set(codes)


@pytest.mark.parametrize("stage", sorted({*WORDS.stages.names} - {*OPENING_STAGES}))
def test_two_who_write_already_or_may_not_get_no_opener(stage: str) -> None:
    assert icebreaker("a", "b", ["interest:coffee"], stage) is None
    assert icebreaker_kind("a", "b", ["interest:coffee"], stage) is None


def test_reasons_of_another_catalogue_are_left_out() -> None:
    found = icebreaker("a", "b", ["interest:free:my street", "listens:gone", "score:1"], "matched")
    assert found is not None
    assert (found.kind, found.uses) == ("calm", ())


def test_an_unknown_stage_is_refused() -> None:
    with pytest.raises(InputError, match="did you mean 'matched'"):
        icebreaker("a", "b", [], "mached")


def test_reasons_of_a_stage_are_those_it_may_show() -> None:
    people = make_people(40, np.random.default_rng(3), unknown=0.0)
    i, j = (index.ravel() for index in np.indices((40, 40)))
    reasons = Reasons.of(people)
    plain = reasons.codes(i, j)
    assert any(plain)
    for stage in WORDS.stages.names:
        found = reasons.codes(i, j, [stage] * len(i))
        assert found == [visible_reasons(codes, stage) for codes in plain]
    mixed = [WORDS.stages.names[n % 7] for n in range(len(i))]
    assert reasons.codes(i, j, mixed) == [visible_reasons(c, s) for c, s in zip(plain, mixed, strict=True)]


def test_a_reason_shown_too_early_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were a field moved to a later stage, neither reasons nor openers would show it before."""
    later = replace(WORDS.stages.fields["interests"], since="acquainted")
    stages = replace(WORDS.stages, fields={**WORDS.stages.fields, "interests": later})
    monkeypatch.setattr("recsys.messaging.reasons.load_catalogue", lambda: replace(WORDS, stages=stages))
    assert visible_reasons(["interest:coffee", "near"], "matched") == ["near"]
    early = icebreaker("a", "b", ["interest:coffee"], "matched")
    assert early is not None
    assert early.kind == "calm"
    assert visible_reasons(["interest:coffee"], "acquainted") == ["interest:coffee"]
