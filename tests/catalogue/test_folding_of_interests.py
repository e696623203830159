"""What people write as an interest folds to one a careful reader accepts, and never to one nobody meant."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from recsys.catalogue import FREE, load_catalogue
from recsys.catalogue.interest_spellings import is_no_interest
from recsys.data.fields.base import RefusedValue
from recsys.data.fields.text import Tag

CATALOGUE = load_catalogue()
LISTS: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("folding.yaml").read_text("utf-8"))


def folds(text: str, wanted: str) -> bool:
    """Say whether a text is one of the interests in `wanted`, or a narrower one; `free` is none."""
    tag = CATALOGUE.fold_tag(text)
    found = {"free" if tag.startswith(FREE) else tag, *CATALOGUE.ancestors(tag)}
    return not found.isdisjoint(wanted.split(" or "))


PARTS = [part for part in LISTS if {"ja", "en"} == {*LISTS[part]} and part != "others"]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("lang", ["ja", "en"])
def test_nine_of_ten_fold_right(part: str, lang: str) -> None:
    texts = [(text, wanted) for wanted, found in LISTS[part][lang].items() for text in found]
    right = sum(folds(text, wanted) for text, wanted in texts)
    assert len(texts) >= 25
    assert right >= 0.9 * len(texts), [pair for pair in texts if not folds(*pair)]


@pytest.mark.parametrize(
    ("part", "lang", "measured"),
    [
        ("others", "ja", 134),
        ("others", "en", 65),
        ("bios", "en", 81),
        ("prose", "en", 116),
        ("dry", "en", 123),
        ("profiles", "en", 132),
        ("downtime", "en", 70),
        ("leisure", "en", 27),
    ],
)
def test_writing_that_is_hard_folds_as_measured(part: str, lang: str, measured: int) -> None:
    texts = [(text, wanted) for wanted, found in LISTS[part][lang].items() for text in found]
    assert sum(folds(text, wanted) for text, wanted in texts) >= measured


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("gardenign", "gardening"),
        ("cofee", "coffee"),
        ("syodou", "calligraphy"),
        ("クラッシック", "classical"),
        ("#カメラ📷", "photography"),
    ],
)
def test_a_slip_or_an_emoji_beside_changes_no_meaning(text: str, wanted: str) -> None:
    assert CATALOGUE.fold_tag(text) == wanted


@pytest.mark.parametrize("text", ["carer", "signing", "scrolling", "mediation", "medication", "desert"])
def test_a_word_one_letter_away_is_not_read_as_a_slip(text: str) -> None:
    assert CATALOGUE.fold_tag(text) == f"free:{text}"


@pytest.mark.parametrize("long", ["a" * 20_000, "ぁ" * 20_000, "🎤" * 20_000])
def test_a_long_text_is_no_slip(long: str) -> None:
    assert CATALOGUE.fold_tag(long).startswith(FREE)


def test_nothing_folds_to_what_nobody_wrote() -> None:
    texts = [*LISTS["nothing"], *LISTS["idioms"]]
    assert [text for text in texts if not CATALOGUE.fold_tag(text).startswith(FREE)] == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("低山ハイク", "hiking"),
        ("dog training", "dogs"),
        ("bicycle touring", "cycling"),
        ("long walks on the beach", "walking"),
        ("生きもの", "insects_plants"),
        ("cats, not dogs", "cats"),
        ("dogs but not cats", "dogs"),
        ("tea rather than coffee", "tea"),
        ("not only cats", "cats"),
        ("ex-runner", "free:ex runner"),
        ("昔は野球", "free:昔は野球"),
        ("飼い猫を亡くしました", "free:飼い猫を亡くしました"),
        ("昔から野球", "baseball_watching"),
        ("plants", "insects_plants"),
        ("a good cook", "cooking"),
        ("writing songs", "making_music"),
        ("spending time with my dogs", "dogs"),
        ("my two cats Pudra and Ilusia", "cats"),
        ("running my first marathon", "running"),
        ("cosy cafés", "cafes"),
    ],
)
def test_a_part_of_a_word_is_not_another_word(text: str, wanted: str) -> None:
    assert CATALOGUE.fold_tag(text) == wanted


@pytest.mark.parametrize(("text", "label"), LISTS["labels"].items())
def test_a_label_says_no_more_than_the_spelling(text: str, label: str) -> None:
    assert CATALOGUE.tag_label(CATALOGUE.fold_tag(text)) == label


@pytest.mark.parametrize(
    "text",
    [
        "090-1234-5678",
        "call 080 1111 2222",
        "https://example.org/me",
        "hana@example.com",
        "不倫",
        "セフレ募集",
        "hookups",
        "looking for a lover",
        "an affair",
    ],
)
def test_a_way_to_be_reached_is_no_interest(text: str) -> None:
    with pytest.raises(RefusedValue, match="not an interest"):
        Tag(name="tag", catalogue=CATALOGUE).meaning(text)


@pytest.mark.parametrize(
    "text",
    [
        "1960年代の音楽",
        "映画",
        "music lover",
        "current affairs",
        "一夜干し",
        "5 km runs",
        "20世紀の建築",
        "出会いの場づくり",
        "海辺の暮らし",
    ],
)
def test_numbers_and_meetings_alone_refuse_nothing(text: str) -> None:
    assert not is_no_interest(text)
    assert Tag(name="tag", catalogue=CATALOGUE).meaning(text)


def test_every_id_and_label_folds_to_itself() -> None:
    for interest in CATALOGUE.interests.values():
        for text in (interest.id, interest.label.ja, interest.label.en):
            assert CATALOGUE.fold_tag(text) == interest.id
