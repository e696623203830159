"""What people write as an interest: spellings to try after the whole text, and what is no interest at all."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from recsys.catalogue.text_folding import INVISIBLE, fold

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
_BEGINNINGS: Final = re.compile(
    "^(?:watching|playing|taking up|getting into|keen on|into|pottering in|tinkering with"
    "|being in|listening to|reading|going (?:to|on|for)(?: the)?|doing|visiting|studying|taking"
    "|enjoying|learning(?: about| to(?: play| speak)?)?|trying(?: out| to(?: learn(?: to)?)?)?|discovering"
    "|exploring|practi[cs]ing|making|collecting|supporting|following|rediscovering|attempting|improving"
    "|any(?:thing|where)(?: to do with| related to| about| with)?"
    "|everything(?: to do with| about)?|a (?:bit|spot) of"
    "|(?:a )?(?:big |huge |massive )?(?:fan|lover) of|(?:i )?(?:really )?(?:love|like|enjoy|adore)s?(?: to"
    "| a)?"
    "|i (?:play|watch|read|do|keep|make|collect)|i'?m (?:into|a)|(?:mad|crazy|passionate|nuts) about"
    "|obsessed with|addicted to|having a go at|dabbling in|volunteering (?:at|for|with)|competitive|amateur"
    "|recreational|casual|occasional|gentle|leisurely|beginner|serious|local|traditional|vintage|classic|indoor"
    "|outdoor|weekend|sunday|morning|evening|love of|all kinds of|all sorts of|all things|lots of|loads of"
    "|plenty of|the|an?|my|our|good|old|new|some|any|great|nice|proper|long|quiet) +"
)
_ENGLISH_ENDINGS: Final = re.compile(
    " (?:lessons?|class(?:es)?|courses?|clubs?|groups?|practice|making|training|enthusiast|lovers?|fans?"
    "|fanatic|geek|nerd|addict|buff|nights?|trips?|in general|of all kinds|etc|too|at home|shows?|events?"
    "|tours?|work|evenings?|exchange|tasting|badly|equipment|gear|sessions?|trails?|routes?|workouts?"
    "|m[uo]ms?|dads?|parents?|owners?|people|person|hopping|hunting|spotting|crawls?|days?|time|hobby"
    "|weekends?|mad|obsessed|newbie|beginner|and more|mainly|mostly|every \\w+)$"
)
_ENGLISH_CUT: Final = re.compile(
    "(?<!art) of | (?:in|on|at|with|for|to|from|by|around|near|and|or|&|the|my|our|when|while|especially) "
)
_AND: Final = re.compile(r" ?& ?| '?n'? ")
_NO_HOBBY: Final = re.compile(
    "running (?:a|the|my|our|late|errands|business|water|costs?|mate|shoes|out)\\b"
    "|jogging (?:my|a) memory|cooking (?:oil|gas)|walking dead|swimming pool"
    "|fishing for|reading (?:glasses|minds?)|drawing (?:the|a) line"
    "|reading the room|walking on (?:eggshells|air)|driving (?:me|him|her|them|us) |drawing a blank"
    "|dancing around"
    "|climbing the (?:career |social |property )?ladder|skating on thin|sailing close"
    "|boxing (?:day|match tickets)"
    "|surfing (?:the )?(?:web|net|internet)|dog eat|tea lea(?:f|ves)|red herring"
)
"""English phrases that begin like a hobby and are none."""
_DISLIKED: Final = re.compile(
    r"\b(?:hat(?:e|es|ed|ing)|dislikes?|loathe|can'?t stand"
    r"|(?:don'?t|do not|never) (?:like|enjoy|do|drink|eat|watch)"
    r"|not (?:a|an|much|keen|into|really|fond|for me)|allerg(?:y|ic)|bored (?:of|with|by)|anything but"
    r"|never (?:been|tried|done|got)|is (?:so |really )?(?:boring|dull|awful|not))\b"
    "|苦手|嫌い|きらい|飽き(?:た|ました)|あれるぎー|興味(?:は|が)?な"
    "|(?:でき|飲め|食べ|見|観|し|好きでは)(?:ない|ません)"
)
"""What says that somebody does not care for a thing: the thing is then no interest of theirs."""
_ABOUT_ONESELF: Final = re.compile(
    "出身|実家[はが]|地元は|在住|住まい[はが]|住み$|住んで|生まれ|勤務|勤めて|職場[はが]|単身赴任|年生$|歳$"
    r"|\b(?:born|liv(?:e|es|ing) in|(?:based|grew up) in|(?:^|i'?m |comes? |came )from|moved to|native of"
    r"|work(?:s|ed|ing)? (?:in|at|for))\b"
)
"""What says where somebody lives, comes from or works: a place in it is no interest of theirs."""
_NOT_AN_INTEREST: Final = re.compile(f"{_DISLIKED.pattern}|{_ABOUT_ONESELF.pattern}")
_SETTINGS: Final = re.compile(
    "(?:おんらいん|ふぁみりー|でい|べらんだ|おうち|そろ|ひとり|一人で?|みんなで|家族[でと]|夫婦で|友[達人]と|休日[はの]?|休みの日[はの]?"
    "|週末[はの]?|平日[はの]?|朝の?|夜の?|最近[はの]?|いまは|今は|趣味は|主に|もっぱら|昔から|実は|ずっと|毎[日朝晩週]|月[一1]の?"
    "|週[一1-7]で?|たまに|時々|ときどき|ゆるい?|ゆるく|ぷち|本格|大人の|はじめての|ほぼ)、?(?=.{2})(?!遊び)"
)
_HONORIFIC: Final = re.compile("[おご](?=[^ぁ-ん])")
_ASIDE: Final = re.compile("[(（][^()（）]*[)）]|[!！。、…♪☆★~〜・]+$|^[#・*※]+|(?<=[ぁ-ヿ一-鿿])(?:笑|w+)$")
_SHORTEST: Final = 3
"""Letters that must be left of an English word without its ending."""
_OTHER_WORDS: Final = frozenset(("training", "king", "ring", "string", "spring", "news"))
"""English words that end like another word's plural or -ing and are not it."""
_SHORTEST_HEAD: Final = {True: 3, False: 2}
"""Characters of the last part of a compound, by whether it is English."""
_ONLY_WHOLE: Final = frozenset(
    (
        *("fans", "food", "foods", "nature", "plants", "rock", "sleep", "stars"),
        *(
            "dune",
            "oasis",
            "nirvana",
            "plays",
            "masters",
            "turtles",
            "snakes",
            "ducks",
            "horses",
            "romans",
            "mets",
        ),
        *("japan", "italy", "france", "spain", "germany", "india", "africa", "america", "europe", "wales"),
    )
)
"""Words that say what a text is only when they are all of it: dog food is no cooking."""
_LONGEST_CUT: Final = 40
"""Characters of a text whose parts are tried: a longer one is a sentence, not a hobby."""
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
_OKURIGANA: Final = 4
"""Kana after a kanji that may be the ending of its word: きもの is not what 生きもの means."""
_CLUSTER: Final = re.compile("[ぷぶくぐすふとどつ][らりるれろ]")
"""Kana that stand for one sound of a loan word, where no compound is cut."""
_OTHER_MEANINGS: Final = frozenset(
    f"{first} {head}"
    for head, firsts in (
        ("reading", ("mind", "lip", "palm", "tarot", "card", "meter")),
        ("surfing", ("couch", "channel", "web", "net", "internet", "crowd")),
        ("games", ("mind", "power", "war")),
        ("music", ("sheet",)),
        ("touring", ("bicycle", "bike", "cycle", "city")),
        ("walks", ("space",)),
        ("writing", ("sign", "code")),
        ("language", ("body", "bad", "love", "machine")),
        ("languages", ("love", "programming", "machine")),
        ("dogs", ("hot", "corn")),
        ("arts", ("dark",)),
        ("art", ("the",)),
        ("festivals", ("film", "beer", "food", "book", "wine")),
        ("festival", ("film", "beer", "food", "book", "wine")),
    )
    for first in firsts
)
_OTHER_COMPOUNDS: Final = (
    *("夜遊び", "火遊び", "女遊び", "男遊び", "大人の遊び", "火の車", "心の旅"),
    *("すかいだいびんぐ", "ねっとさーふぃん", "はーどどらいぶ", "てーぶるてにす", "戦争げーむ"),
)
"""Compounds whose last part is not what they are."""

_CONTACT: Final = re.compile(r"https?:|www\.|\.(?:com|net|org|jp|io|me)\b|@|(?:[0-9][ \-().]*){7,}")
_NOT_OFFERED: Final = re.compile(
    "不倫|浮気|せふれ|えっち|せっくす|性交|ぱぱ活|まま活|援交|割り切|愛人|恋人募集|彼女募集|彼氏募集"
    "|出会い(?!の場)|一夜(?!干|漬|城)|婚活"
    r"|\b(?:sex\w*|hook ?ups?|flings?|fwb|one night|dating|nudes?|sugar (?:daddy|mommy|baby))\b"
    r"|(?<!current )(?<!foreign )(?<!world )(?<!public )\baffairs?\b"
    r"|^(?:(?:a|my|secret|married|looking for|seeking|wanted) )*lovers?$"
)


def shorter_spellings(text: str) -> Iterator[str]:
    """Yield folded forms of a text without the words people add to a hobby, nearest first.

    To be tried only after the text itself names nothing. The last part of a compound names what it is (a
    night walk is a walk), so it comes late: 現代アート is アート; of an English phrase the part before a
    preposition does. Makers do another thing than those who enjoy it, so 作り stays.

    >>> list(shorter_spellings("神社巡り"))[0], list(shorter_spellings("old movies"))[:3]
    ('神社', ['movies', 'old movy', 'old movying'])
    >>> "写真" in list(shorter_spellings("星景写真")), "温泉" in list(shorter_spellings("温泉に入ること"))
    (True, True)
    >>> list(shorter_spellings("シャンパン")), "train" in list(shorter_spellings("dog training"))
    ([], False)
    """
    folded = fold(text)
    if is_no_interest(folded) or len(folded) > _LONGEST_CUT or _NOT_AN_INTEREST.search(folded):
        return
    plain = _ASIDE.sub("", _without_emojis(unicodedata.normalize("NFKC", text))).strip()
    if not plain:
        return
    if fold(plain) != folded:
        yield fold(plain)
    yield from _english(fold(plain)) if fold(plain).isascii() else _japanese(plain)


def _without_emojis(text: str) -> str:
    """Return a text without the emojis, hearts and joiners beside its words."""
    text = INVISIBLE.sub("", text)
    return "".join(" " if unicodedata.category(one) in ("So", "Sk") else one for one in text).strip()


def _japanese(plain: str) -> Iterator[str]:
    """Yield forms of a Japanese text: without endings and verbs, then the last part of each of them."""
    forms = [plain]
    if (other := _VARIANT.sub(lambda found: _VARIANTS[found[0]], fold(plain))) != fold(plain):
        forms.append(other)
    for form in forms:
        folded = fold(form)
        lengths = [len(ending) for ending in _ENDINGS if folded.endswith(ending)]
        shorter = [form[: len(form) - length] for length in sorted(lengths)]
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
        forms += [one for one in shorter if one and one not in forms and len(forms) < _MOST_FORMS]
    yield from map(fold, forms[1:])
    for form in forms:
        yield from _heads(form)
    before = fold(plain)
    while (cut := max(map(before.rfind, "をにでへと"))) > 0:  # what is done it with, or to
        before = before[:cut]
        yield before


_MOST_FORMS: Final = 16


def _english(folded: str) -> Iterator[str]:
    """Yield forms of an English text: without beginnings and endings, then its parts."""
    forms = [folded, *([_AND.sub(" and ", folded)] if _AND.search(folded) else [])]
    for form in forms:
        shorter = (_BEGINNINGS.sub("", form, count=1), _ENGLISH_ENDINGS.sub("", form))
        forms += [one for one in shorter if one and one not in forms and len(forms) < _MOST_FORMS]
    yield from forms[1:]
    for form in forms:
        yield from _without_ending(form)
        yield from _what_one_does(form)
    for form in forms:
        if _NO_HOBBY.match(form):
            continue
        first = _ENGLISH_CUT.split(form)[0]
        if first != form:
            yield first
            yield from _without_ending(first)
        words = first.split(" ")
        if len(words) == 1 and " and " not in form:
            continue
        if first not in _OTHER_MEANINGS:
            yield from _last_words(first)
        if " and " in form:
            yield from _last_words(form.rpartition(" and ")[2])
        if (words[0].endswith("ing") and words[0] not in _OTHER_WORDS) or first in _OTHER_MEANINGS:
            yield words[0]


def _what_one_does(form: str) -> Iterator[str]:
    """Yield what somebody does who calls themselves by it, or who drops a letter: hiker, hikin, hiking."""
    if form.endswith("in") and len(form) > _SHORTEST + 1:
        yield form + "g"
    if (one := form.removesuffix("s")).endswith("er") and len(one) > _SHORTEST + 2 and one != "cooker":
        yield one.removesuffix("er") + "ing"


def _last_words(phrase: str) -> Iterator[str]:
    """Yield the last words of an English compound, most of them first: a night walk is a walk."""
    words = phrase.split(" ")
    for at in range(1, len(words)):
        head = " ".join(words[at:])
        if len(head) >= _SHORTEST_HEAD[True] and head not in _ONLY_WHOLE:
            yield head
            yield from _without_ending(head)


def _without_ending(word: str) -> Iterator[str]:
    """Yield an English word without its plural or -ing, and what is done: walks, walk, walking."""
    if not word.isascii() or word.rpartition(" ")[2] in _OTHER_WORDS:
        return
    for ending, instead in (("ies", "y"), ("es", ""), ("s", ""), ("ing", ""), ("ing", "e")):
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST:
            stem = word.removesuffix(ending) + instead
            yield stem
            yield stem.removesuffix("e") + "ing"
            yield stem[:-1] if stem[-1:] == stem[-2:-1] else stem + stem[-1] + "ing"


def _heads(plain: str) -> Iterator[str]:
    """Yield the last parts of a compound, longest first: cut where scripts or kanji meet, or in katakana."""
    if fold(plain).endswith(_OTHER_COMPOUNDS):
        return
    for at in range(1, len(plain)):
        head = fold(plain[at:])
        if len(head) < _SHORTEST_HEAD[head.isascii()] and head not in _ONE_KANJI:
            continue
        if _may_cut(plain[at - 1], plain[at]):
            if _script(plain[at - 1]) == "kanji" and _script(plain[at]) == "kana" and len(head) < _OKURIGANA:
                if head in _KANA_HEADS:
                    yield _KANA_HEADS[head]
                continue
            in_katakana = _script(plain[at]) == "katakana" == _script(plain[-1])
            yield _SHORT_FORMS.get(head, head) if in_katakana else head
        elif _script(plain[at - 1]) == _script(plain[at]) == "katakana" and at > 1:
            long_enough = len(head) > _SHORTEST or head in _KATAKANA_HEADS
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


def is_no_interest(folded: str) -> bool:
    """Say whether a folded text is a way to be reached, or something the service does not offer.

    >>> [is_no_interest(text) for text in ("090 1234 5678", "www.example.org", "不倫", "1960年代の音楽")]
    [True, True, True, False]
    """
    return bool(_CONTACT.search(folded) or _NOT_OFFERED.search(folded))
