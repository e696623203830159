"""The guard finds what it should in drafts it may be tuned on, and keeps nothing of any draft."""

import logging
import re
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.catalogue import LANGUAGES, load_catalogue
from recsys.errors import InputError
from recsys.messaging import GUARD_KINDS as KINDS
from recsys.messaging import DraftFinding, advice, check_draft, icebreaker
from recsys.messaging.draft_guard import LONGEST, Folded, load_rules, loose, read_rules, rule_kinds
from recsys.strict_yaml import YamlFile
from tests.benchmarks.guard import benign, figures
from tests.messaging.drafts import HALVES, Draft, load_drafts
from tests.messaging.test_icebreakers import EVERY_CODE


def judged(half: str) -> list[tuple[Draft, frozenset[str]]]:
    return [(draft, kinds(draft.text)) for draft in load_drafts(half)]


def kinds(text: str) -> frozenset[str]:
    return frozenset(found.kind for found in check_draft(text))


def found_text(text: str, kind: str) -> list[str]:
    return [text[found.start : found.end] for found in check_draft(text) if found.kind == kind]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_floors_on_the_half_for_tuning(lang: str) -> None:
    drafts = [(draft, found) for draft, found in judged("dev") if draft.lang == lang]
    for kind in sorted({kind for draft, _ in drafts for kind in draft.kinds}):
        assert figures(drafts, (kind,))["recall"] >= 0.9, kind
        assert figures(drafts, (kind,))["false_alarm"] <= 0.02, kind
    assert benign(drafts)[0] <= 0.05


@pytest.mark.parametrize("part", ["frozen", "unseen"])
def test_the_test_half_is_reported(part: str, record_property: Any) -> None:
    """Better than chance, and no closer floor: that would ask to be tuned to."""
    found = judged(part)
    whole = figures(found, KINDS)
    record_property(f"guard_{part}_recall", whole["recall"])
    record_property(f"guard_{part}_false_alarm", whole["false_alarm"])
    record_property(f"guard_{part}_benign_flagged", benign(found)[0])
    assert whole["recall_lo"] > 5 * whole["random"]
    alone = figures([(draft, rule_kinds(draft.text)) for draft, _ in found], KINDS)
    assert whole["recall"] > alone["recall"]
    assert whole["false_alarm"] <= 0.02


def test_half_of_the_drafts_are_a_test_half_and_none_stands_twice() -> None:
    texts = [draft.text for half in HALVES for draft in load_drafts(half)]
    assert len(set(texts)) == len(texts)
    assert 2 * len(load_drafts("frozen")) >= len(texts) >= 1320
    for half in HALVES:
        for lang in LANGUAGES:
            drafts = [draft for draft in load_drafts(half) if draft.lang == lang]
            assert 2 * len(drafts) == len(load_drafts(half))
            assert sum(not draft.kinds for draft in drafts) >= 0.4 * len(drafts)
            for kind in sorted({*KINDS} - {"violence", "threat"}):
                assert sum(kind in draft.kinds for draft in drafts) >= 12, (half, lang, kind)


@pytest.mark.parametrize(
    ("text", "kind", "stretch"),
    [
        ("番号は０９０−１２３４−５６７８です", "contact", "０９０−１２３４−５６７８"),
        ("ぜろ九ゼロの一二三四の五六七八にどうぞ", "contact", "ぜろ九ゼロの一二三四の五六七八"),
        ("call +44 20 7946 0018 now", "contact", "44 20 7946 0018"),
        ("hana (at) example (dot) com", "contact", "hana (at) example (dot) com"),
        ("L I N E 交換しましょう", "off_platform", "L I N E 交換しましょう"),
        ("ﾗ･ｲ･ﾝ交換して", "off_platform", "ﾗ･ｲ･ﾝ交換して"),
        ("カ カ オで話したい", "off_platform", "カ カ オで話したい"),
        ("㈱さくら印刷です", "employer", "㈱さくら印刷"),
    ],
)
def test_spans_are_those_of_the_draft_itself(text: str, kind: str, stretch: str) -> None:
    assert found_text(text, kind) == [stretch]


def test_width_kana_and_invisible_characters_do_not_matter() -> None:
    plain = "よかったらライン交換しませんか"
    for form in (
        "よかったらﾗｲﾝ交換しませんか",
        "よかったららいん交換しませんか",
        "よかったらラ\u200bイ\u2060ン交換しませんか",
    ):
        assert kinds(form) == kinds(plain) == {"off_platform"}
    assert kinds(unicodedata.normalize("NFD", "ガイドラインを読みました")) == frozenset()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_opener_of_ours_is_flagged(lang: Any) -> None:
    texts = set[str]()
    for code in EVERY_CODE:
        for seed in range(4):
            found = icebreaker("a", "b", [code], "matched", seed=seed, lang=lang)
            assert found is not None
            texts.add(found.text)
    for text in sorted(texts):
        assert not check_draft(text), text


@settings(max_examples=60)
@given(text=st.text(max_size=120))
def test_any_text_has_sound_spans(text: str) -> None:
    found = check_draft(text)
    assert found == check_draft(text)
    assert list(found) == sorted(found)
    for one in found:
        assert 0 <= one.start < one.end <= len(text)
        assert one.kind in KINDS


@settings(max_examples=40)
@given(text=st.text(max_size=60))
def test_folding_remembers_places(text: str) -> None:
    folded = Folded.of(text)
    assert len(folded.text) == len(folded.cased) == len(folded.starts) == len(folded.ends)
    assert all(0 <= start < end <= len(text) for start, end in zip(folded.starts, folded.ends, strict=True))
    assert list(folded.starts) == sorted(folded.starts)


@settings(max_examples=25)
@given(noise=st.text(max_size=40), where=st.integers(0, 40))
def test_nothing_of_a_draft_is_logged_or_quoted(noise: str, where: int) -> None:
    """Whatever surrounds it, a secret shows in no log line, finding or error."""
    secret = "zq9secretzq9"
    text = f"{noise[:where]}{secret} 090-1234-5678 {noise[where:]}"
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    try:
        said = repr(check_draft(text))
        for wrong in (text * 420, text.encode(), [text], {"draft": text}):
            with pytest.raises(InputError) as raised:
                check_draft(wrong)  # type: ignore[arg-type]
            said += str(raised.value) + repr(raised.value.args)
    finally:
        logging.getLogger().removeHandler(handler)
    assert secret not in said + "".join(lines)
    assert "090" not in said


def test_a_long_draft_is_refused_and_a_hostile_one_is_quick() -> None:
    with pytest.raises(InputError, match="too long"):
        check_draft("あ" * (LONGEST + 1))
    for text in (
        "a@" * 2000,
        "0 " * 2000,
        "ライン" * 1300,
        "1-" * 2000,
        "." * 4000,
        "a.b" * 1300,
        "市" * 4000,
    ):
        check_draft(text)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("他の男の人と話さないで", "intimacy"),
        ("Don't talk to other men here", "intimacy"),
        ("うちにおいで、誰もいないから", "address"),
        ("My place or yours?", "address"),
        ("会えないなら死ぬから", "distress"),
        ("母の手術代がどうしても足りなくて", "money"),
    ],
)
def test_what_is_certain_the_classifier_does_not_overrule(text: str, kind: str) -> None:
    assert kind in {found.kind for found in check_draft(text)}


@pytest.mark.parametrize(
    "text",
    [
        "妻の入院で病院に通っています",
        "抱きしめたいほどかわいい子猫でした",
        "I cut myself some slack on Sundays",
        "I hit the road early and saw the sunrise",
        "My mother is 82 and she still beats me at go every Sunday",
        "昨日の将棋、飛車を切られてボコボコにされました笑",
        "うちに来て三年の犬です",
    ],
)
def test_what_excuses_a_kind_excuses_the_classifier_too(text: str) -> None:
    assert check_draft(text) == ()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_kind_has_advice_and_who_suffers_the_support_contact(lang: Any) -> None:
    support = "0120-000-000 (help@example.org)"
    for kind in KINDS:
        said = advice(kind, lang, support=support)
        assert said
        assert "{" not in said
        assert (support in said) == (kind in ("distress", "violence", "threat"))
    with pytest.raises(InputError, match="unknown kind"):
        advice("spam", support="x")


@pytest.mark.parametrize("blank", [" ", "\u3000", "\u2009", "\u00a0", "\t", "\n"])
def test_blanks_between_all_characters_hide_nothing(blank: str) -> None:
    """Seen to fail: words of more than one stem, mail addresses and invitations were not found."""
    own = (
        "キスしたい",
        "インスタ教えて",
        "taro@example.com",
        "Add me on WhatsApp please",
        "三万円送ってください",
    )
    for draft in (
        *own,
        *(label.text(lang) for label in load_rules().examples.values() for lang in ("ja", "en")),
    ):
        spaced = blank.join(draft)
        assert rule_kinds(draft) <= rule_kinds(spaced), draft
        assert all(0 <= found.start < found.end <= len(spaced) for found in check_draft(spaced))


def test_words_stand_alone_however_they_are_spaced() -> None:
    for text, there in (("l-i-n-e", True), ("my line is", True), ("online", False), ("lined", False)):
        assert bool(re.search(loose("LINE"), text)) == there


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("  contact:\n", "  contacts:\n"), "every kind has rules"),
        (("<crypto>", "<cryptic>"), "unknown word in draft_guard_rules.yaml: money.rules: got 'cryptic'"),
        (("'<crypto>'", "'(<crypto>'"), "a broken pattern in draft_guard_rules.yaml: money.rules"),
        (("  crypto: [", "  crypto: [3, "), "not a list of words in draft_guard_rules.yaml: crypto"),
    ],
)
def test_a_broken_rule_names_file_and_key(change: tuple[str, str], named: str) -> None:
    from importlib.resources import files

    text = (files("recsys.catalogue") / "draft_guard_rules.yaml").read_text("utf-8")
    with pytest.raises(InputError, match=named):
        read_rules(YamlFile("draft_guard_rules", text.replace(*change, 1).encode()), "v")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_example_of_a_kind_is_found_as_that_kind_alone(lang: str) -> None:
    examples = {kind: label.text(lang) for kind, label in load_rules().examples.items()}  # type: ignore[arg-type]
    assert {kind: kinds(text) for kind, text in examples.items()} == {kind: {kind} for kind in KINDS}


@pytest.mark.parametrize(
    ("draft", "is_found"),
    [
        ("県立病院の3階東病棟で看護師をしています", True),
        ("イオン幕張店でレジのパートをしています", True),
        ("nurse on ward 6 at St Luke's, come and find me", True),
        ("Based at the Leeds office of Deloitte these days", True),
        ("市役所の窓口で待たされました", False),
        ("母が三階の病棟に入院しました", False),
        ("the Kilburn branch of the library has a nice cafe", False),
    ],
)
def test_where_somebody_can_be_found_at_work_is_told_by_ward_branch_and_shop(
    draft: str, is_found: bool
) -> None:
    assert ("employer" in kinds(draft)) == is_found


def test_rules_are_versioned() -> None:
    assert len(load_rules().version) == 12
    assert {"distress", "violence"} <= set(load_catalogue().steps.checks)
    assert DraftFinding(1, 2, "money") < DraftFinding(1, 3, "money")


ZEROS = [chr(one) for one in range(0x110000) if unicodedata.decimal(chr(one), None) == 0]


@pytest.mark.parametrize("zero", ZEROS)
def test_a_number_in_the_digits_of_any_script_is_a_contact(zero: str) -> None:
    """Seen to fail: Devanagari and Arabic digits and those on key caps were none."""
    number = "".join(chr(ord(zero) + int(one)) if one.isdigit() else one for one in "090-1234-5678")
    assert "contact" in kinds(f"call {number} please")


@pytest.mark.parametrize("around", ["{}\ufe0f\u20e3", "{}\u20e3", "{}\u20dd", "{}\u20de"])
def test_a_number_of_enclosed_digits_is_a_contact(around: str) -> None:
    number = "".join(around.format(one) for one in "09012345678")
    assert "contact" in kinds(number)


@pytest.mark.parametrize("link", ["t.me/hanako", "T.ME/hanako", "m.me/hanako", "https://t.me/hanako"])
def test_a_short_link_is_a_contact(link: str) -> None:
    assert "contact" in kinds(f"write {link}")
