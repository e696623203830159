import re
import shutil
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.catalogue import FREE, LANGUAGES, load_catalogue, read_catalogue, spelling
from recsys.catalogue.catalogue import FILES
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.entries import names_in
from recsys.catalogue.text_folding import unsafe_characters
from recsys.catalogue.vocabulary import ENUMERATIONS, EVENT_DETAILS, HOLD_STATES, REPORT_CATEGORIES
from recsys.errors import InputError

CATALOGUE = load_catalogue()
JAPANESE = re.compile("[\u3041-\u30ff\u4e00-\u9fff]")
ROMANCE = re.compile(
    "恋|不倫|浮気|情事|愛人|出会い|デート|婚活|色恋|性交|セックス|エロ|口説|ときめき"
    r"|romanc|romanti|(?<!current )\baffair"
    r"|\bdating|\bdate\b|\blover|\bsex|\berotic|\bflirt|\bkiss(?!aten)|\bcrush|\bseduc|\bhookup",
    re.IGNORECASE,
)
MONEY = re.compile(r"投資|儲|仮想通貨|副業|invest|crypto|forex|\bloan|\btrading", re.IGNORECASE)


def labels():
    for kind in (CATALOGUE.interests, CATALOGUE.questions, CATALOGUE.scales, CATALOGUE.topics):
        yield from ((key, entry.label) for key, entry in kind.items())
    for question in CATALOGUE.questions.values():
        yield from ((f"{question.id}.{option.id}", option.label) for option in question.options)
    for column, words in CATALOGUE.words.items():
        yield from ((f"{column}.{word}", label) for word, label in words.items())
    yield from CATALOGUE.texts.items()


def test_every_text_is_in_both_languages():
    untranslated = {"DIY", "SF", "K-POP"}
    for key, label in labels():
        assert label.ja.strip(), key
        assert label.en.strip(), key
        assert JAPANESE.search(label.ja) or label.ja in untranslated, key
        assert not JAPANESE.search(label.en), key
        assert not unsafe_characters(label.ja + label.en), key


def test_the_catalogue_is_large_enough():
    assert len(CATALOGUE.interests) >= 150
    assert len(CATALOGUE.questions) >= 48
    assert len(CATALOGUE.scales) >= 8
    assert 20 <= len(CATALOGUE.topics) <= 64
    assert sum(len(interest.synonyms) for interest in CATALOGUE.interests.values()) >= 500


def test_every_word_of_every_enumeration_has_a_label():
    for column, enumeration in ENUMERATIONS.items():
        named = set(CATALOGUE.words[column])
        assert named <= set(enumeration.words), column
        if column != C.LANGUAGES:
            assert named == set(enumeration.words), column
    assert len(CATALOGUE.words[C.LANGUAGES]) >= 40
    assert set(CATALOGUE.words[C.CATEGORY]) == set(REPORT_CATEGORIES)
    assert set(CATALOGUE.words[C.STATE]) == set(HOLD_STATES)
    for event in ("feeling_check", "meet_feedback", "end", "optin"):
        assert set(CATALOGUE.words[event]) == set(EVENT_DETAILS[event])


def test_a_word_without_a_label_is_shown_as_it_is():
    assert CATALOGUE.label(C.LANGUAGES, "ja", "en") == "Japanese"
    assert CATALOGUE.label(C.LANGUAGES, "zu", "en") == "zu"
    assert CATALOGUE.label("no_column", "word") == "word"


def test_no_romance_and_no_money_making_in_interests_topics_questions_or_intents():
    texts = [
        text
        for interest in CATALOGUE.interests.values()
        for text in (interest.id, interest.label.ja, interest.label.en, *interest.synonyms)
    ]
    for entries in (CATALOGUE.topics, CATALOGUE.questions, CATALOGUE.scales):
        texts += [text for key, entry in entries.items() for text in (key, entry.label.ja, entry.label.en)]
    texts += [o.label.ja + o.label.en for q in CATALOGUE.questions.values() for o in q.options]
    texts += [label.ja + label.en for label in CATALOGUE.words[C.INTENTS].values()]
    texts += [label.ja + label.en for key, label in CATALOGUE.texts.items() if key.startswith("reason.")]
    for text in texts:
        assert not ROMANCE.search(text), text
        assert not MONEY.search(text), text


def test_the_forbidden_word_patterns_match():
    assert ROMANCE.search("恋愛相談")
    assert ROMANCE.search("Romance novels")
    assert MONEY.search("仮想通貨")


def test_parents_are_two_or_three_levels_deep():
    depths = {len(CATALOGUE.ancestors(key)) + 1 for key in CATALOGUE.interests}
    assert depths == {1, 2, 3}
    assert CATALOGUE.ancestors("film_photography") == ("photography", "arts")
    assert CATALOGUE.ancestors("free:kites") == ()


def test_no_spelling_belongs_to_two_interests():
    owners: dict[str, set[str]] = {}
    for interest in CATALOGUE.interests.values():
        for text in (interest.id, interest.label.ja, interest.label.en, *interest.synonyms):
            owners.setdefault(spelling(text), set()).add(interest.id)
    assert {text: owner for text, owner in owners.items() if len(owner) > 1} == {}


@pytest.mark.parametrize(
    ("spellings", "interest"),
    [
        (
            ["カメラ", "camera", "写真", "しゃしん", "ｶﾒﾗ", "ＣＡＭＥＲＡ", "shashin", "Photography"],
            "photography",
        ),
        (["ボードゲーム", "ぼーどげーむ", "board game", "Board-Games", "ボドゲ"], "board_games"),
        (["コーヒー", "珈琲", "coffee", "こーひ〜"], "coffee"),
        (["温泉", "おんせん", "onsen", "hot springs", "hotspring"], "hot_springs"),
        (["読書", "どくしょ", "books"], "reading"),
        (["猫", "ネコ", "ねこ", "cat"], "cats"),
    ],
)
def test_spellings_of_one_interest_fold_to_its_id(spellings, interest):
    assert {CATALOGUE.fold_tag(text) for text in spellings} == {interest}


@given(st.text())
def test_folding_a_tag_twice_changes_nothing(text):
    tag = CATALOGUE.fold_tag(text)
    assert tag in CATALOGUE.interests or tag.startswith(FREE)
    assert CATALOGUE.fold_tag(tag) == tag


@given(st.sampled_from(sorted(CATALOGUE.interests)))
def test_every_id_label_and_free_form_of_an_interest_leads_to_it(key):
    interest = CATALOGUE.interests[key]
    for text in (key, interest.label.ja, interest.label.en, *interest.synonyms):
        assert CATALOGUE.fold_tag(text) == key
        assert CATALOGUE.fold_tag(FREE + text) == key
    assert CATALOGUE.tag_label(key, "en") == interest.label.en
    assert CATALOGUE.tag_label("free:凧揚げ") == "凧揚げ"


def test_questions_fill_their_scales():
    for question in CATALOGUE.questions.values():
        assert 3 <= len(question.options) <= 5, question.id
        scores = [option.score for option in question.options]
        assert all(-1 <= score <= 1 for score in scores)
        assert len(set(scores)) == len(scores), question.id
        assert max(scores) > 0 > min(scores), question.id
        assert question.answers == tuple(option.id for option in question.options)
    for scale in CATALOGUE.scales:
        usable = [q for q in CATALOGUE.questions.values() if q.scale == scale and not q.sensitive]
        assert len(usable) >= 4, scale


def test_creed_health_and_orientation_are_sensitive():
    sensitive = {q.id for q in CATALOGUE.questions.values() if q.sensitive}
    assert sensitive == {"faith_place", "health_care", "orientation_known"}


def test_no_interest_of_the_package_writes_one_spelling_twice_and_no_question_has_many_options():
    for interest in CATALOGUE.interests.values():
        spellings = [spelling(word) for word in interest.synonyms]
        assert len(set(spellings)) == len(spellings), interest.id
    assert max(len(question.options) for question in CATALOGUE.questions.values()) <= 16


def test_texts_are_filled_in():
    assert CATALOGUE.text("reason.interest", "en", label="Tea") == "You share an interest: Tea"
    assert CATALOGUE.text("reason.interest", "ja", label="{x}") == "「{x}」が共通の関心です"


def test_a_text_that_is_unknown_or_lacks_a_value_is_refused():
    with pytest.raises(InputError, match=r"did you mean 'reason\.near'"):
        CATALOGUE.text("reason.neer")
    with pytest.raises(InputError, match=r"lacks a value in reason\.interest"):
        CATALOGUE.text("reason.interest", "en")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Copy the packaged catalogue, to be broken by a test."""
    for name in FILES:
        path = tmp_path / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        shutil.copy(str(files("recsys.catalogue") / f"{name}.yaml"), path)
    return tmp_path


def test_the_version_names_the_content(folder):
    assert read_catalogue(folder).version == CATALOGUE.version
    path = folder / "topics.yaml"
    path.write_text(path.read_text("utf-8").replace("Worries at work", "Work"), "utf-8")
    assert read_catalogue(folder).version != CATALOGUE.version
    assert read_catalogue(folder).version.startswith("1.")


def test_line_ends_do_not_change_the_version(folder):
    path = folder / "texts" / "report.yaml"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_catalogue(folder).version == CATALOGUE.version


QUESTION = (
    "q: {ja: 問, en: q, scale: calm, options: {a: {ja: あ, en: a, score: 0}, b: {ja: い, en: b, score: "
)
MANY_TOPICS = "\n".join(f"t{n}: {{ja: 話, en: talk}}" for n in range(64))


@pytest.mark.parametrize(
    ("file", "addition", "named"),
    [
        ("interests", "kites: {ja: 凧, en: Kites, parent: outdors}", "unknown parent in interests: kites"),
        ("interests", "kites: {ja: 凧, en: Kites, parent: outdors}", "did you mean 'outdoors'"),
        ("interests", "kites: {ja: 凧, en: Kites, parent: sauna}", "3 levels deep in interests: kites"),
        ("interests", "kites: {ja: 凧, en: Kites, parent: kites}", "3 levels deep in interests: kites"),
        ("interests", "kites: {ja: 凧, en: Kites, synonyms: [カメラ]}", "'photography' is spelled so too"),
        ("interests", "kites: {ja: カメラ, en: Kites}", "'photography' is spelled so too"),
        ("interests", "kites: {ja: 凧}", "no text in 'en' in kites"),
        ("interests", "kites: {ja: '  ', en: Kites}", "no text in 'ja' in kites"),
        (
            "interests",
            "kites: {ja: 凧, en: Kites, colour: red}",
            "unknown column of a catalogue in interests",
        ),
        ("interests", "kites: [凧]", "not a mapping in FILE: kites"),
        ("topics", MANY_TOPICS, "too many topics in topics"),
        ("questions", QUESTION.replace("calm", "clam") + "1}}}", "unknown scale in q: got 'clam'"),
        ("questions", QUESTION + "2}}}", "a score is from -1 to 1 in options: q.b"),
        ("questions", QUESTION + "much}}}", "'score' is not a number in options: q.b"),
        (
            "questions",
            QUESTION + "1}}, sensitive: maybe}",
            "'sensitive' is not true or false in questions: q",
        ),
        ("questions", "q: {ja: 問, en: q, scale: calm}", "2 to 100 options in options: q"),
        (
            "texts/report",
            "extra: {hello: {ja: '{name}さん', en: Hello}}",
            "name different values in FILE: extra.hello",
        ),
        (
            "texts/report",
            "reason: {near: {ja: 近い, en: Near}}",
            "a text stands in two files in FILE: reason.near",
        ),
        ("texts/report", "extra: hello", "not a section of texts in FILE: extra"),
        ("words", "extra: hello", "not a mapping in FILE: extra"),
    ],
)
def test_a_broken_catalogue_names_file_and_key(folder, file, addition, named):
    path = folder / f"{file}.yaml"
    path.write_text(f"{path.read_text('utf-8')}{addition}\n", "utf-8")
    with pytest.raises(InputError, match=re.escape(named.replace("FILE", f"{file}.yaml"))):
        read_catalogue(folder)


@pytest.mark.parametrize(
    ("file", "content", "named"),
    [
        ("topics", b"a: {ja: x, en: x}\na: {ja: y, en: y}\n", "topics.yaml line 2; duplicate key 'a'"),
        ("topics", b"a: [", "cannot read YAML in topics"),
        ("topics", b"\xff\xfe\x00", "cannot read YAML"),
        ("topics", b"- a\n", "not a mapping of ids in topics"),
        ("release", b"release: 1.0\n", "the release is not a text"),
    ],
)
def test_an_incomplete_file_is_refused(folder, file, content, named):
    (folder / f"{file}.yaml").write_bytes(content)
    with pytest.raises(InputError, match=named):
        read_catalogue(folder)


def test_a_missing_file_is_named(folder):
    (folder / "words.yaml").unlink()
    with pytest.raises(InputError, match=re.escape("words.yaml")):
        read_catalogue(folder)


def test_the_names_in_texts_are_plain_words():
    for key, label in CATALOGUE.texts.items():
        for lang in LANGUAGES:
            assert all(name.isidentifier() for name in names_in(label.text(lang))), key
