"""Shorter forms of an interest in Japanese: without endings and verbs, then the last part of a compound."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from recsys.catalogue.english_spellings import MOST_FORMS
from recsys.catalogue.text_folding import fold

_ENDINGS: Final = (
    *("めぐり", "巡り", "廻り", "観賞", "鑑賞", "集め", "収集", "観戦", "参戦", "通い", "歩き"),
    *("食べ歩き", "好き", "全般", "一般", "教室", "れっすん", "体験", "練習", "練習場", "撮影", "演奏"),
    *("学習", "観察", "すること", "やること", "が好き", "が趣味", "が大好き", "大好き", "三昧"),
    *("ざんまい", "すくーる", "の練習", "の会", "の勉強", "の世話", "の運転", "の飼育", "の研究"),
    *("の動画", "の番組", "のお手入れ", "の手入れ", "の本", "など", "とか", "ふぁん", "まにあ", "おたく"),
    *("愛好家", "仲間", "さーくる", "部", "で過ごすこと", "です", "だいすき", "のれっすん", "を少し"),
    *("ちょっと", "中心", "歴", "いろいろ", "系", "道具", "ぐっず", "用品", "すたじお", "会話", "旅館"),
    *("でした", "とのんびり", "屋めぐり", "屋巡り", "屋さんめぐり", "屋さん巡り", "めし", "飯", "旅"),
    *("活", "さんぽ", "散策", "回り", "まわり", "はしご", "開拓", "探し", "探訪", "行脚", "参拝"),
    *("かんしょう", "飲み比べ", "食べ比べ", "一気見", "さん", "さんめぐり", "さん巡り", "すき"),
    *("のがすき", "のが好き", "もの", "するのがすき", "するのが好き", "がすき", "命", "沼", "漬け"),
    *("らいふ", "生活", "初心者", "修行", "修行中", "のお稽古", "お稽古", "の教室", "勉強中", "見習い"),
    *("でびゅー", "に夢中", "に凝ってます", "の時間", "のある暮らし", "たいむ", "いじり", "一気読み"),
    *("一気観", "読破", "制覇", "一筋", "愛", "推し", "担", "応援", "の応援", "応援団", "うぉっち"),
    *("らばー", "ぎーく", "同好会", "愛好会", "倶楽部", "くらぶ", "講座", "講習", "入門", "検定", "大会"),
    *("の旅", "の大会", "鑑賞会", "まみれ", "中毒", "狂", "のこと", "のことなら", "関連", "関係"),
    *("が生きがい", "に目がない", "に夢中です", "が大好物", "に癒される", "を愛でる", "を眺める"),
    *("をながめる", "を見に行く", "を観に行く", "を聴きに行く", "に通う", "によく行く", "によく行きます"),
    *("に行きます", "へ行きます", "に行くのが好き", "を見るのが好き", "を観るのが好き", "くん", "ちゃん"),
    *("選手", "様", "が楽しみ", "が癒し", "にはまり中", "にどはまり", "にどっぷり", "三昧の日々"),
    *("を極めたい", "選び", "遊び"),
)
"""What people add to a hobby in Japanese, taken off up to twice."""
_ENDINGS_BY_LENGTH: Final = {
    length: frozenset(ending for ending in _ENDINGS if len(ending) == length)
    for length in sorted({len(ending) for ending in _ENDINGS})
}
_STARTED: Final = re.compile(
    "[をにがで]?(?:また|最近|毎日|毎朝|週末|少し|ちょっと|たまに|のんびり)?(?:始め|はじめ|初め|楽しん|たのしん|やっ|習っ|ならっ"
    "|続け|育て|勉強し|再開し|はまっ|し|嗜み|たしなみ|挑戦し|集め|作っ|通っ|かよっ|応援し|愛し|学ん"
    "|飼っ|行っ|見|観|読ん|聴い|弾い|描い|書い|撮っ|編ん|焼い|飲ん|食べ|走っ|登っ|歩い)(?:てい?|でい?)?(?:ます|ました|る|たい(?:です)?|た|中)$"
)
"""What a member does with a hobby, at the end of a sentence: 始めました, 習ってます."""
_DONE_WITH: Final = re.compile("(?:を|に|へ|で|と|が)([^をにへでとが]{1,7}(?:こと|の|[るくぐぶむうすつ]))$")
"""A particle and what is done: 音楽を聴く, 温泉に入ること."""
_VERB: Final = re.compile(
    "(?<=.{2})(?:撮る|とる|観る|見る|みる|聴く|聞く|きく|読む|よむ|飲む|のむ|食べる|たべる|走る|歩く|泳ぐ|描く|書く|弾く|歌う"
    "|作る|つくる|育てる|編む|縫う|焼く|行く|する|やる|乗る|登る)(?:こと|事|の)?$"
)
"""What is done, without a particle: 写真撮るの."""
_SETTINGS: Final = re.compile(
    "(?:おんらいん|ふぁみりー|でい|べらんだ|おうち|そろ|ひとり|一人で?|みんなで|家族[でと]|夫婦で|友[達人]と|休日[はの]?|休みの日[はの]?"
    "|週末[はの]?|平日[はの]?|朝の?|夜の?|最近[はの]?|いまは|今は|趣味は|主に|もっぱら|昔から|実は|ずっと|毎[日朝晩週]|月[一1]の?"
    "|週[一1-7]で?|たまに|時々|ときどき|ゆるい?|ゆるく|ぷち|本格|大人の|はじめての|ほぼ)、?(?=.{2})(?!遊び)"
)
_HONORIFIC: Final = re.compile("[おご](?=[^ぁ-ん])")
_SHORT_FORMS: Final = {"らん": "らんにんぐ", "はいく": "はいきんぐ", "きゃん": "きゃんぷ", "ちゃり": "自転車"}
"""Loan words cut short, as the last part of a compound in katakana; はいく is another word alone."""
_ONE_KANJI: Final = frozenset("犬猫旅城鳥酒歌詩")
"""Single characters that end a compound and say what it is."""
_KANA_HEADS: Final = {"つり": "釣り", "やき": "焼き"}
"""Short words in kana that end a compound."""
_VARIANTS: Final = {
    "ゔぁ": "ば",
    "ゔぃ": "び",
    "ゔぇ": "べ",
    "ゔぉ": "ぼ",
    "ゔ": "ぶ",
    "づくり": "作り",
    "つくり": "作り",
    "もの": "物",
    "のぼり": "登り",
    "やき": "焼き",
    "あつめ": "集め",
    "めぐり": "巡り",
    "あるき": "歩き",
    "おかし": "お菓子",
    "おんせん": "温泉",
    "りょうり": "料理",
    "りょこう": "旅行",
    "しゃしん": "写真",
    "えいが": "映画",
    "おんがく": "音楽",
    "かんしょう": "鑑賞",
    "かんせん": "観戦",
}
"""Other ways to write the same sounds, and words that some write in kana."""
_VARIANT: Final = re.compile("|".join(_VARIANTS))
_KATAKANA_HEADS: Final = frozenset(
    (
        *("よが", "わいん", "ぴあの", "かめら", "だんす", "てにす", "あにめ", "どらま", "げーむ"),
        *("びーる", "さうな", "かふぇ", "ばいく", "じゃず", "くいず"),
    )
)
"""Short words that end a compound in katakana; other heads within katakana are longer."""
_LONG_KATAKANA: Final = 4
"""Characters of a last part in katakana that is a word by itself."""
_OKURIGANA: Final = 4
"""Kana after a kanji that may be the ending of its word: きもの is not what 生きもの means."""
_CLUSTER: Final = re.compile("[ぷぶくぐすふとどつ][らりるれろ]")
"""Kana that stand for one sound of a loan word, where no compound is cut."""
_OTHER_COMPOUNDS: Final = (
    *("夜遊び", "火遊び", "女遊び", "男遊び", "大人の遊び", "火の車", "心の旅"),
    *("すかいだいびんぐ", "ねっとさーふぃん", "はーどどらいぶ", "てーぶるてにす", "戦争げーむ"),
)
"""Compounds whose last part is not what they are."""


def japanese_forms(plain: str) -> Iterator[str]:
    """Yield forms of a Japanese text: without endings and verbs, then the last part of each of them."""
    forms = [plain]
    if (other := _VARIANT.sub(lambda found: _VARIANTS[found[0]], fold(plain))) != fold(plain):
        forms.append(other)
    for form in forms:
        folded = fold(form)
        lengths = [n for n, endings in _ENDINGS_BY_LENGTH.items() if folded[-n:] in endings]
        shorter = [form[: len(form) - length] for length in lengths]
        if started := _STARTED.search(folded):
            shorter.append(form[: len(form) - (len(folded) - started.start())])
        if done := _DONE_WITH.search(folded):
            shorter.append(form[: len(form) - (len(folded) - done.start())])
        if verb := _VERB.search(folded):
            shorter.append(form[: len(form) - (len(folded) - verb.start())])
        if _HONORIFIC.match(folded):
            shorter.append(form[1:])
        if setting := _SETTINGS.match(folded):
            shorter.append(form[setting.end() :])
        forms += [one for one in shorter if one and one not in forms and len(forms) < MOST_FORMS]
    yield from map(fold, forms[1:])
    for form in forms:
        yield from _heads(form)
    before = fold(plain)
    while (cut := max(map(before.rfind, "をにでへと"))) > 0:  # what is done it with, or to
        before = before[:cut]
        yield before


def _heads(plain: str) -> Iterator[str]:
    """Yield the last parts of a compound, longest first: cut where scripts or kanji meet, or in katakana."""
    if fold(plain).endswith(_OTHER_COMPOUNDS):
        return
    for at in range(1, len(plain)):
        head = fold(plain[at:])
        if len(head) < (3 if head.isascii() else 2) and head not in _ONE_KANJI:
            continue
        if _may_cut(plain[at - 1], plain[at]):
            if _script(plain[at - 1]) == "kanji" and _script(plain[at]) == "kana" and len(head) < _OKURIGANA:
                if head in _KANA_HEADS:
                    yield _KANA_HEADS[head]
                continue
            in_katakana = _script(plain[at]) == "katakana" == _script(plain[-1])
            yield _SHORT_FORMS.get(head, head) if in_katakana else head
        elif _script(plain[at - 1]) == _script(plain[at]) == "katakana" and at > 1:
            long_enough = len(head) >= _LONG_KATAKANA or head in _KATAKANA_HEADS
            if long_enough and not _CLUSTER.match(fold(plain[at - 1 : at + 1])):
                yield head


def _may_cut(before: str, after: str) -> bool:
    left, right = _script(before), _script(after)
    if left == "space" or (before in "のやと" and right != "space"):
        return True
    return right not in ("space", "mark") and left != "mark" and (left != right or left == "kanji")


def _script(character: str) -> str:
    name = unicodedata.name(character, "")
    for script, start in (
        ("kanji", "CJK"),
        ("kana", "HIRAGANA"),
        ("katakana", "KATAKANA"),
        ("latin", "LATIN"),
    ):
        if name.startswith(start) and "PROLONGED" not in name:
            return script
    return "katakana" if "PROLONGED" in name else "space" if character.isspace() else "mark"
