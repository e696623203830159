"""The classifier beside the rules: what it was trained on, what it reads, and that nothing hides from it."""

import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.errors import InputError
from recsys.messaging import GUARD_KINDS, check_draft
from recsys.messaging.draft_classifier import (
    BUCKETS,
    buckets,
    load_classifier,
    load_concepts,
    sentences,
    windows,
)
from recsys.messaging.draft_guard import Folded
from tests.messaging.drafts import load_drafts
from tests.messaging.drafts.training import SEED
from tests.messaging.drafts.writers import PARTS, templates, written


def test_no_writer_and_no_phrase_stands_on_both_sides() -> None:
    writers = {part: {t.writer for t in templates() if t.part == part} for part in PARTS}
    assert not writers["train"] & writers["held"]
    phrases = {
        part: {
            phrase
            for t in templates()
            if t.part == part
            for phrase in re.split(r"[。.!?！？]\s*", re.sub(r"\{\w+\}|\([^()]*\)", "…", t.text))
            if len(phrase.replace("…", "")) >= 12
        }
        for part in PARTS
    }
    assert phrases["train"] & phrases["held"] == set()
    unseen = {draft.text for draft in load_drafts("frozen")}
    assert unseen & {draft.text for _, draft in written("train", 1, SEED)} == set()


def test_at_least_six_thousand_drafts_of_every_kind_in_both_languages() -> None:
    found = list(written("train", 5, SEED))
    assert len(found) + len(load_drafts("dev")) >= 6000
    count = Counter((draft.lang, kind) for _, draft in found for kind in draft.kinds)
    assert min(count[lang, kind] for lang in ("ja", "en") for kind in GUARD_KINDS) >= 90
    assert sum(not draft.kinds for _, draft in found) >= 0.25 * len(found)
    assert len({writer for writer, _ in found}) >= 20
    assert found == list(written("train", 5, SEED))


def test_the_weights_are_for_these_kinds_and_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = load_classifier()
    assert classifier.kinds == GUARD_KINDS
    assert classifier.weights.shape == (len(GUARD_KINDS), BUCKETS)
    assert 0 < classifier.false_alarm_rate <= 0.07
    load_classifier.cache_clear()
    other = replace(load_concepts(), version="other")
    monkeypatch.setattr("recsys.messaging.draft_classifier.load_concepts", lambda: other)
    with pytest.raises(InputError, match="other groups of words"):
        load_classifier()
    load_classifier.cache_clear()


@pytest.mark.parametrize(
    ("draft", "kind"),
    [
        ("このアプリは重いので、別のところで直接やりとりしたいです。", "off_platform"),
        ("今月の家賃に少し足りなくて、三万円ほど助けてもらえたら。", "money"),
        ("夫が機嫌の悪いとき、髪をつかんで引きずるんです。", "violence"),
        ("返事をくれないなら、旦那さんに全部話しますから。", "threat"),
        ("If you leave me I will show your wife these messages.", "threat"),
    ],
)
def test_words_nobody_listed_are_found(draft: str, kind: str) -> None:
    assert kind in {found.kind for found in check_draft(draft)}


@pytest.mark.parametrize(
    "draft",
    [
        "カフェに財布を忘れて、慌てて取りに戻りました。",
        "お寺の賽銭箱に五円玉を入れて、手を合わせました。",
        "駅前の喫茶店は、朝七時から夜九時まで開いています。",
        "I left my wallet in the cafe and the waiter ran after me.",
        "The shop opens at nine and closes at six.",
    ],
)
def test_what_only_looks_alike_is_let_through(draft: str) -> None:
    assert check_draft(draft) == ()


def test_one_sentence_in_a_long_text_is_found_where_it_stands() -> None:
    calm = "今日は庭の花がよく咲いていました。散歩をして、本を読みました。"
    text = calm * 20 + "もう死にたいです。" + calm * 20
    found = [one for one in check_draft(text) if one.kind == "distress"]
    assert found
    assert any("死にたい" in text[one.start : one.end] for one in found)


@pytest.mark.parametrize(("plain", "other"), [("paypal me", "pаypal me"), ("call 090 1", "call 123 4")])
def test_look_alike_letters_and_other_digits_are_one(plain: str, other: str) -> None:
    assert np.array_equal(buckets(plain), buckets(other))


@settings(max_examples=40)
@given(text=st.text(max_size=400))
def test_windows_cover_every_letter_and_buckets_are_sound(text: str) -> None:
    folded = Folded.of(text).text
    for parts in (sentences(folded), windows(folded)):
        covered = {at for start, end in parts for at in range(start, end)}
        assert all(at in covered or not letter.isalnum() for at, letter in enumerate(folded))
        assert all(0 <= start < end <= len(folded) for start, end in parts)
    found = buckets(folded)
    assert np.array_equal(found, np.unique(found))
    assert len(found) == 0 or (found[0] >= 0 and found[-1] < BUCKETS)
