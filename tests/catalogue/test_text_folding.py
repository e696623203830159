import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recsys.catalogue.text_folding import fold, unsafe_characters


@given(st.text())
@example("か\u3000゙")
@example("ｶﾞー--〜ー x")
@example("A\u0345\u0301")
def test_folding_twice_changes_nothing(text):
    assert fold(fold(text)) == fold(text)


@given(st.text(alphabet=st.characters(max_codepoint=127)))
@example(" A\x1f_b-")
def test_ascii_folds_as_the_same_text_in_full_width(text):
    wide = "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in text)
    assert fold(wide) == fold(text)


@given(st.text())
def test_width_and_case_never_matter(text):
    assert fold(unicodedata.normalize("NFKC", text)) == fold(text)
    assert fold(fold(text).upper().lower()) == fold(fold(text).lower())


@given(st.text(alphabet=st.characters(min_codepoint=0x30A1, max_codepoint=0x30F6)))
def test_katakana_folds_to_hiragana(katakana):
    hiragana = "".join(chr(ord(letter) - 0x60) for letter in katakana)
    assert fold(katakana) == fold(hiragana)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("カメラ", "ｶﾒﾗ"),
        ("Ｃａｍｅｒａ", "camera"),
        ("コーヒー", "コ―ヒ〜"),
        ("ボード ゲーム", "ボード・ゲーム"),
        ("board-game", "Board  Game"),
        ("hot_springs", "hot springs"),
        ("写\u200b真", "写真"),
        ("Straße", "STRASSE"),
    ],
)
def test_equal_spellings_fold_to_one_form(one, other):
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"), [("サッカー", "作家"), ("サッカー", "サッカ"), ("go", "ゴ"), ("ab c", "abc")]
)
def test_different_words_fold_to_different_forms(one, other):
    assert fold(one) != fold(other)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a\x00b", "null byte U+0000 at 1"),
        ("a\x1bb", "control character U+001B at 1"),
        ("a\nb", "control character U+000A at 1"),
        ("a\u2028b", "control character U+2028 at 1"),
        ("\u202eabc", "bidirectional override U+202E at 0"),
        ("ab\u2066c", "bidirectional override U+2066 at 2"),
        ("a\u200bb", "invisible character U+200B at 1"),
        ("a\U000e0041", "invisible character U+E0041 at 1"),
        ("a\ud800", "half a surrogate pair U+D800 at 1"),
        ("hi<b>", "markup U+003C at 2"),
        ("</p", "markup U+003C at 0"),
        ("＜img", "markup U+003C at 0"),
        ("<!--", "markup U+003C at 0"),
    ],
)
def test_each_unsafe_thing_is_named_with_its_place(text, kind):
    assert unsafe_characters(text) == (kind,)


def test_every_kind_is_reported_once():
    assert len(unsafe_characters("<b>\x00\x00\u202e<i>")) == 3


@pytest.mark.parametrize(
    "text", ["", "山田さん", "I <3 tea", "3 < 4 & 5 > 2", "👨‍👩‍👧", "ﻋﺮﺑﻲ", "café", "が"]
)
def test_ordinary_text_is_safe(text):
    assert unsafe_characters(text) == ()
