"""Drafts of many writers, made of templates: what the draft guard's classifier is trained on.

`written/ja.txt` and `written/en.txt` hold writers of several regions, ages and registers. A line `@ name
part about` begins a writer, `#kind` a kind, and every other line is a template of it. `(a|b)` stands for
one of the two, `{slot}` for an invented name, number, place or sum. Writers whose part is `held` are never
trained on.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from recsys.messaging import GUARD_KINDS
from tests.messaging.drafts import Draft

PARTS: Final = ("train", "held")
BENIGN: Final = "benign"
ARGUABLE: Final = {
    "contact": {"off_platform"},
    "off_platform": {"contact"},
    "address": {"contact", "off_platform"},
    "violence": {"distress", "threat"},
    "distress": {"violence"},
    "threat": {"violence", "address"},
    "money": {"contact", "off_platform", "intimacy"},
    "intimacy": {"contact", "off_platform", "address"},
}
"""Kinds a careful reader may raise as well, which are neither right nor wrong there."""

_CHOICE: Final = re.compile(r"\(([^()]*)\)")
_SLOT: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Template:
    """One template of one writer."""

    writer: str
    part: str
    lang: str
    kind: str
    text: str


@lru_cache(maxsize=1)
def templates() -> tuple[Template, ...]:
    """Return every template in order."""
    found = []
    for lang in ("ja", "en"):
        writer = part = kind = ""
        for line in (Path(__file__).parent / "written" / f"{lang}.txt").read_text("utf-8").splitlines():
            if line.startswith("@ "):
                writer, part = line.split()[1:3]
            elif line.startswith("#"):
                kind = line[1:]
                assert kind in (*GUARD_KINDS, BENIGN), line
            elif line.strip():
                found.append(Template(writer, part, lang, kind, line.strip()))
    return tuple(found)


def written(part: str, times: int, seed: int) -> Iterator[tuple[str, Draft]]:
    """Yield writer and draft: each template of a part up to `times` times, with other words and companions.

    About a third of the drafts have a harmless sentence of the same writer before or after them.
    """
    rng = random.Random(seed)
    own = [template for template in templates() if template.part == part]
    harmless: dict[str, list[str]] = {}
    for template in own:
        if template.kind == BENIGN:
            harmless.setdefault(template.writer, []).append(template.text)
    for template in own:
        seen: set[str] = set()
        for _ in range(times):
            text = filled(template.text, template.lang, rng)
            if rng.random() < 0.35:
                other = filled(rng.choice(harmless[template.writer]), template.lang, rng)
                pair = (text, other) if rng.random() < 0.5 else (other, text)
                text = (" " if template.lang == "en" else "").join(pair)
            if text in seen:
                continue
            seen.add(text)
            kinds = frozenset() if template.kind == BENIGN else frozenset({template.kind})
            also = frozenset(ARGUABLE.get(template.kind, ()))
            yield template.writer, Draft(template.lang, text, kinds, also)


def filled(text: str, lang: str, rng: random.Random) -> str:
    """Return a template with its choices made and its slots filled."""
    while choice := _CHOICE.search(text):
        text = text[: choice.start()] + rng.choice(choice[1].split("|")) + text[choice.end() :]
    return _SLOT.sub(lambda slot: _slot(slot[1], lang, rng), text)


_KANJI: Final = "〇一二三四五六七八九"
_KANA: Final = ("ぜろ", "いち", "に", "さん", "よん", "ご", "ろく", "なな", "はち", "きゅう")
_WORDS: Final = ("oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_NAMES: Final = (
    *(
        "mizuki",
        "yamato",
        "hana",
        "sora",
        "neko",
        "koji",
        "aoi",
        "tsubame",
        "kumo",
        "ringo",
        "maple",
        "finch",
    ),
    *("rosie", "tom", "ola", "pixel", "river", "duke", "ivy", "milo", "kenta", "satsuki", "haru", "umi"),
)
_LISTS: Final = {
    "app": (
        *(
            "LINE",
            "ライン",
            "カカオトーク",
            "カカオ",
            "インスタ",
            "テレグラム",
            "WhatsApp",
            "ディスコード",
            "Skype",
        ),
        *(
            "シグナル",
            "メッセンジャー",
            "フェイスブック",
            "L I N E",
            "らいん",
            "ツイッター",
            "スカイプ",
            "Zoom",
            "Signal",
        ),
    ),
    "app_en": (
        *(
            "WhatsApp",
            "Telegram",
            "Signal",
            "Instagram",
            "insta",
            "Messenger",
            "Facebook",
            "Skype",
            "Discord",
        ),
        *("LINE", "Viber", "Snapchat", "Kakao", "WeChat", "Twitter", "Zoom"),
    ),
    "town": (
        *(
            "世田谷区桜丘",
            "札幌市豊平区月寒",
            "広島市西区己斐",
            "松本市深志",
            "高松市番町",
            "那覇市首里",
            "青森市浪打",
        ),
        *("名古屋市昭和区御器所", "福岡市早良区西新", "仙台市泉区長命ヶ丘", "堺市北区百舌鳥", "西宮市甲東園"),
        *("川口市並木", "鹿児島市荒田", "金沢市寺町", "浜松市中区佐鳴台", "船橋市夏見", "盛岡市上田"),
    ),
    "town_en": (
        "Leeds",
        "Galway",
        "Perth",
        "Pune",
        "Oakland",
        "Bath",
        "Kyoto",
        "Dundee",
        "Adelaide",
        "Osaka",
    ),
    "st": (
        "荻窪",
        "長町",
        "甲東園",
        "藤崎",
        "御器所",
        "琴似",
        "川口",
        "日吉",
        "千種",
        "鶴橋",
        "白石",
        "浦添前田",
    ),
    "station_en": ("Clapham", "Salthill", "Ebisu", "Footscray", "Leith", "Andheri", "Hove", "Fremantle"),
    "mansion": (
        *(
            "サンハイツ",
            "メゾン青葉",
            "コーポ山田",
            "グランドール桜",
            "パークハイム",
            "第二若草荘",
            "ライオンズ西口",
        ),
        *("プレジール", "県営住宅三号棟", "レジデンス南"),
    ),
    "bus": ("", "のロータリー", "の売店"),
    "coin": ("ビットコイン", "イーサリアム", "仮想通貨", "暗号資産", "リップル", "新しいコイン"),
    "park": ("公園", "植物園", "河川敷", "城跡"),
    "park_en": ("the park", "the gardens", "the canal"),
    "flower": ("あじさい", "コスモス", "梅", "藤", "ひまわり", "椿"),
    "flower_en": ("hawthorn", "bluebell", "gorse", "rose"),
    "food": (
        "カレー",
        "焼きそば",
        "鯖の味噌煮",
        "オムライス",
        "肉じゃが",
        "ゴーヤーチャンプルー",
        "冷やし中華",
        "おでん",
    ),
    "food_en": ("soup", "dumplings", "fish pie", "lentils", "pancakes", "noodles", "a sandwich", "curry"),
    "hobby": ("写真", "将棋", "編み物", "水彩", "釣り", "園芸", "読書", "川柳", "木工", "ウクレレ"),
    "hobby_en": ("watercolours", "chess", "knitting", "birdwatching", "the ukulele", "gardening"),
    "road": ("Mill Lane", "Station Road", "Oak Avenue", "Harbour Street", "Church Hill", "Birch Drive"),
    "school_en": ("St Anne's", "Northfield Primary", "Kingsway College", "Mercy General", "Hollybank School"),
}
_FIRM: Final = (
    (
        *("青山", "大和田", "みなと", "東陽", "北斗", "さくら", "三栄", "マルヤマ", "日章", "フジミ"),
        *("しらかば", "鶴亀", "常磐", "丸八", "カワノ", "阿部", "あかつき", "泉州", "ミツワ", "旭"),
        *("こまつな", "ハヤシ", "協和", "なでしこ", "エムズ", "オリオン"),
    ),
    (
        *("商事", "製作所", "電機", "運輸", "建設", "銀行", "信用金庫", "薬局", "印刷", "ホテル"),
        *("スーパー", "百貨店", "病院", "食品", "不動産", "証券", "高校", "市役所", "クリニック"),
        *("タクシー", "製菓", "システムズ", "ストア", "興業", "精機", "水産", "酒造", "鉄工所", "交通"),
        *("観光バス", "ガス", "会計事務所", "法律事務所", "こども園", "学園", "医療センター", "整骨院"),
        *("デザイン", "リフォーム", "クリーニング", "ベーカリー", "工務店", "税務署", "図書館"),
        *("ケアセンター", "物流", "ソフト", "建材", "美容室", "動物病院", "電子", "化成", "テック"),
    ),
    ("", "", "", "", "株式会社", "(株)", "の本社", "の工場"),
)
_FIRM_EN: Final = (
    (
        *("Harlow", "Brightwater", "Kestrel", "Oldfield", "Tanaka", "Pinecrest", "Lomax", "Sundar"),
        *("Maddox", "Corrib", "Ashdown", "Ridgeway", "Nakamura", "Bluebird", "Okafor", "Delgado"),
        *("Farrow", "Meridian", "Quayside", "Zenith", "Thornbury", "Larkin"),
    ),
    (
        *("Foods", "Bank", "Logistics", "Motors", "and Sons", "Insurance", "Hotel", "Stores", "Systems"),
        *("Pharmacy", "Council", "Hospital", "Builders", "Media", "Group", "Dental", "Accountants", "Labs"),
        *("Electrical", "Primary School", "Care Home", "Airlines", "Energy", "Law", "Packaging", "Bakery"),
        *("Software", "Railways", "Water", "Solicitors", "Veterinary Clinic", "Community College", "Brewery"),
    ),
)
_KNOWN_FIRMS: Final = (
    *(
        "トヨタ",
        "日産",
        "ソニー",
        "パナソニック",
        "日立",
        "富士通",
        "NTT",
        "みずほ",
        "三越",
        "伊勢丹",
        "高島屋",
        "イオン",
    ),
    *(
        "ヤマト運輸",
        "佐川急便",
        "JR",
        "ANA",
        "電通",
        "ユニクロ",
        "ニトリ",
        "スターバックス",
        "マクドナルド",
        "楽天",
        "資生堂",
    ),
    *(
        "花王",
        "味の素",
        "キリン",
        "NHK",
        "朝日新聞",
        "東京電力",
        "日本郵便",
        "帝国ホテル",
        "クロスリンク",
        "ミナトヤ",
        "カネサ",
    ),
    *(
        "あけぼの堂",
        "喜久屋",
        "マルトク",
        "ひまわり",
        "ライフ",
        "西友",
        "ドンキ",
        "ヨドバシ",
        "サイゼリヤ",
        "くら寿司",
    ),
)
_KNOWN_FIRMS_EN: Final = (
    *(
        "Tesco",
        "Sainsbury's",
        "Walmart",
        "Costco",
        "Starbucks",
        "McDonald's",
        "Google",
        "Amazon",
        "Microsoft",
        "IBM",
    ),
    *(
        "the BBC",
        "Barclays",
        "HSBC",
        "Deloitte",
        "Infosys",
        "Qantas",
        "Telstra",
        "Boeing",
        "Ford",
        "Toyota",
        "Guinness",
    ),
    *(
        "Marks and Spencer",
        "the NHS trust",
        "Boots",
        "Lidl",
        "Target",
        "Home Depot",
        "Tim Hortons",
        "Lindqvist's",
    ),
)
_MAIL_HOSTS: Final = ("example.com", "gmail.com", "example.ne.jp", "icloud.com")
_POST_AREAS: Final = ("SW", "LS", "EH", "BA")
_SUMS: Final = (
    "五千円",
    "1万円",
    "三万円",
    "５万",
    "10万円",
    "二十万",
    "30万円",
    "八千円",
    "50万",
    "100万円",
)
_SUMS_EN: Final = (
    "$50",
    "200 dollars",
    "£300",
    "forty quid",
    "$1,500",
    "five hundred",
    "€80",
    "two grand",
    "3000 rupees",
)
_SUMS_DAILY: Final = ("$4", "£9", "twelve dollars", "€6", "five quid", "200 rupees")


def _slot(name: str, lang: str, rng: random.Random) -> str:
    """Return an invented value of a slot."""
    digits = [rng.randrange(10) for _ in range(12)]
    key = f"{name}_en" if lang == "en" and f"{name}_en" in _LISTS else name
    if key in _LISTS:
        return rng.choice(_LISTS[key])
    number = str(rng.randrange(2, 40))
    handle = (
        rng.choice(_NAMES)
        + rng.choice(("_", ".", "", "-"))
        + rng.choice((*_NAMES, number, f"{digits[0]}{digits[1]}"))
    )
    made = {
        "n": number,
        "n2": str(rng.randrange(3, 30)),
        "n4": "".join(map(str, digits[:4])),
        "id": handle,
        "mail": f"{handle}{rng.choice('@＠')}{rng.choice(_MAIL_HOSTS)}",
        "url": rng.choice(("https://", "www.", ""))
        + f"{rng.choice(_NAMES)}-{rng.choice(_NAMES)}.{rng.choice(('com', 'jp', 'net'))}",
        "yen": rng.choice(_SUMS),
        "money": rng.choice(_SUMS_EN),
        "firm": rng.choice(_KNOWN_FIRMS) if digits[11] < 4 else "".join(map(rng.choice, _FIRM)),
        "firm_en": rng.choice(_KNOWN_FIRMS_EN) if digits[11] < 4 else " ".join(map(rng.choice, _FIRM_EN)),
        "street": f"{number} {rng.choice(_LISTS['road'])}",
        "post": f"{rng.choice(_POST_AREAS)}{digits[0]} {digits[1]}{rng.choice('ABDE')}{rng.choice('FGHJ')}",
        "ban": rng.choice(
            (
                f"{number}-{digits[0] + 1}-{digits[1] + 1}",
                f"{digits[0] + 1}丁目{number}番{digits[2] + 1}号",
                f"{number}番地",
            )
        ),
        "zip": "".join(map(str, digits[:3])) + "-" + "".join(map(str, digits[3:7])),
        "room": f"{rng.randrange(1, 12)}0{rng.randrange(1, 9)}号室",
        "code": "-".join("".join(str(rng.randrange(10)) for _ in range(4)) for _ in range(3)),
    }
    return made[name] if name in made else _telephone(name, lang, digits, rng)


def _telephone(name: str, lang: str, digits: list[int], rng: random.Random) -> str:
    """Return a telephone number: `tel`, digits alone (`teld`), spoken (`telk`) or in words (`telw`)."""
    if lang == "en":
        head = rng.choice(([0, 7, 7], [5, 5, 5], [0, 4, 1]))
    else:
        head = rng.choice(([0, 9, 0], [0, 8, 0], [0, 7, 0]))
    number = head + digits[:8]
    if name == "telw":
        return " ".join(_WORDS[digit] for digit in number)
    if name == "telk":
        return "".join((_KANJI[d] if rng.random() < 0.5 else _KANA[d]) for d in number)
    plain = "".join(map(str, number))
    if name == "teld":
        return plain
    between = rng.choice("- ー.　") if lang == "ja" else rng.choice("- .")
    text = between.join((plain[:3], plain[3:7], plain[7:]))
    wide = str.maketrans("0123456789", "０１２３４５６７８９")
    return text.translate(wide) if lang == "ja" and rng.random() < 0.2 else text
