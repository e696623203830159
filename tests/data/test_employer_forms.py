"""Employers with the legal forms of many countries, and names in scripts whose vowels are signs."""

import re
import unicodedata
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.data.employers import company_name, employer_form, employer_words

_FORMS: Final[dict[str, tuple[list[str], list[str], list[str]]]] = {  # names, what stands before, and behind
    "hebrew with quotes": (
        ["טבע", "אלביט מערכות"],
        [""],
        ["", ' בע"מ', ' (ע"ר)', ' ע"ר', ' (חל"צ)', ' אגש"ח'],
    ),
    "czech": (["Sokol", "Zu Hause"], [""], ["", " z.s.", ", z. s.", " z.ú.", " o.p.s.", " v likvidaci"]),
    "polish": (
        ["Kowalski"],
        ["", "PPHU ", "P.P.H.U. ", "FHU "],
        ["", " w likwidacji", " sp. z o.o. w upadłości"],
    ),
    "thai": (
        ["ทรู คอร์ปอเรชั่น", "ซีพี ออลล์", "True Corporation", "ปตท.", "สุดา"],
        [
            "บจก.",
            "บจก. ",
            "บจก ",
            "บ.จ.ก. ",
            "บมจ.",
            "บมจ. ",
            "บ.ม.จ. ",
            "บจ. ",
            "บริษัท ",
            "บริษัท",
            "หจก. ",
            "หจก.",
            "ห้างหุ้นส่วนจำกัด ",
            "ห้างหุ้นส่วนสามัญ ",
            "หสม. ",
            "หสน. ",
            "บริษัทจำกัด ",
            "บริษัท มหาชน จำกัด ",
            "บ. ",
        ],
        [
            "",
            " จำกัด",
            "จำกัด",
            " จำกัด (มหาชน)",
            " จำกัด(มหาชน)",
            " จก.",
            " (มหาชน)",
            " มหาชน",
            " จำกัด มหาชน",
            " จก. (มหาชน)",
            " Co., Ltd.",
            " PCL",
            " Public Company Limited",
        ],
    ),
    "hindi": (
        ["शर्मा उद्योग", "टाटा मोटर्स"],
        ["", "मैसर्स ", "मे. "],
        [
            " लिमिटेड",
            " लि.",
            " लि",
            " प्राइवेट लिमिटेड",
            " प्रा. लि.",
            " प्रा.लि.",
            " प्रा. लिमिटेड",
            " पब्लिक लिमिटेड",
            " एलएलपी",
        ],
    ),
    "bengali": (
        ["স্কয়ার ফার্মা"],
        ["", "মেসার্স "],
        [" লিমিটেড", " লিঃ", " লি.", " প্রাইভেট লিমিটেড", " প্রাঃ লিঃ"],
    ),
    "tamil": (
        ["முருகா டெக்"],
        [""],
        [" லிமிடெட்", " பிரைவேட் லிமிடெட்", " லிட்."],
    ),
    "urdu": (
        ["اینگرو"],
        [""],
        [" لمیٹڈ", " پرائیویٹ لمیٹڈ", " (پرائیویٹ) لمیٹڈ"],
    ),
    "lao": (
        ["ບີຊີ"],
        ["ບໍລິສັດ ", "ບໍລິສັດ"],
        ["", " ຈຳກັດ", " ຈໍາກັດ", " ຈຳກັດຜູ້ດຽວ", " ມະຫາຊົນ"],
    ),
    "khmer": (
        ["អេស៊ីលីដា"],
        ["ក្រុមហ៊ុន ", "ក្រុមហ៊ុន"],
        ["", " ឯ.ក", " ម.ក", " ខូអិលធីឌី"],
    ),
    "burmese": (
        ["ရွှေ"],
        ["ကုမ္ပဏီ "],
        ["", " လီမိတက်"],
    ),
    "burmese2": (
        ["ရွှေ"],
        [""],
        [" ကုမ္ပဏီ", " ကုမ္ပဏီလီမိတက်", " ကုမ္ပဏီ လီမိတက်"],
    ),
    "indo": (
        ["Gojek Nusantara"],
        ["PT ", "PT. ", "P.T. ", "CV ", "CV. ", "UD ", "Perum ", "Perseroan Terbatas ", "Firma ", "Fa. "],
        ["", " Tbk", " Tbk.", " (Persero)", " (Persero) Tbk", ", PT", ", Tbk"],
    ),
    "viet": (
        ["Phương Nam"],
        [
            "Công ty TNHH ",
            "Cty TNHH ",
            "CTY TNHH ",
            "Công ty TNHH MTV ",
            "Công ty Cổ phần ",
            "Công ty CP ",
            "CTCP ",
            "Tập đoàn ",
            "Cty CP ",
            "Cty Cổ phần ",
            "Công ty TNHH một thành viên ",
            "DNTN ",
            "Doanh nghiệp tư nhân ",
            "Công ty hợp danh ",
            "TNHH ",
        ],
        ["", " JSC", " Co., Ltd", " JSC."],
    ),
    "malay": (
        ["Petronas Dagangan"],
        [""],
        [" Berhad", " Bhd", " Bhd.", " Sdn Bhd", " Sdn. Bhd.", " Sendirian Berhad"],
    ),
    "swahili/en": (
        ["Acme"],
        [""],
        [
            " Ltd.",
            " Limited",
            " (Pty) Ltd",
            " Pty. Ltd.",
            " Pte. Ltd.",
            " (Pvt.) Ltd",
            " Pvt. Ltd.",
            " Private Limited",
            " P.L.C.",
            " L.L.C.",
            " Inc.",
            " Incorporated",
            " L.P.",
            " L.L.P.",
            " PLLC",
            " Co.",
            " & Co.",
            " S.p.A",
            " Proprietary Limited",
            " Ltd. Co.",
        ],
    ),
    "hebrew": (
        ["טבע"],
        ["", "חברת "],
        [' בע"מ', " בע''מ", " בע״מ", " בעמ"],
    ),
    "arabic": (
        ["المراعي"],
        ["", "شركة "],
        [" ش.م.م", " ذ.م.م", " ش.م.ك", " المحدودة", " ذ.م.م.", " ش.م.ع.م"],
    ),
    "persian": (
        ["دیجی کالا"],
        ["", "شرکت "],
        [" سهامی خاص", " (سهامی خاص)", " (سهامی عام)", " با مسئولیت محدود"],
    ),
    "russian": (
        ["Ромашка"],
        [
            "ООО ",
            "ООО «",
            "АО ",
            "ПАО ",
            "ОАО ",
            "ЗАО ",
            "НАО ",
            "ИП ",
            "АНО ",
            "ФГУП ",
            "ГУП ",
            "МУП ",
            "ФГБУ ",
        ],
        [""],
    ),
    "ukr": (
        ["Ромашка"],
        ["ТОВ ", "ТОВ «", "ПрАТ ", "ПАТ ", "АТ ", "ФОП ", "ПП ", "ДП ", "КП "],
        [""],
    ),
    "kazakh": (
        ["Қазына"],
        ["ЖШС ", "ТОО ", "АҚ ", "АО ", "ЖК "],
        [""],
    ),
    "kazakh2": (
        ["Қазына"],
        [""],
        [" ЖШС", " АҚ", " ТОО"],
    ),
    "uzbek": (
        ["Navro'z"],
        [""],
        [" MChJ", " AJ", " XK", " QK", " OAJ"],
    ),
    "azeri": (
        ["Azercell"],
        [""],
        [" MMC", " ASC", " QSC"],
    ),
    "armenian": (
        ["Գրանդ"],
        [""],
        [" ՍՊԸ", " ՓԲԸ", " ԲԲԸ"],
    ),
    "mongol": (
        ["Голомт"],
        [""],
        [" ХХК", " ХК", " ТӨҮГ"],
    ),
    "korean": (
        ["카카오"],
        [
            *(
                "㈜",
                "(주)",
                "(주) ",
                "주식회사 ",
                "주식회사",
                "유한회사 ",
                "주)",
                "주) ",
                "유)",
                "（주）",
                "합자회사 ",
            ),
            *(
                "농업회사법인 ㈜",
                "농업회사법인 주식회사 ",
                "영농조합법인 ",
                "세무법인 ",
                "법무법인 ",
                "사회복지법인 ",
            ),
        ],
        ["", "㈜", "(주)", " 주식회사", " Inc.", "(주", " (유)"],
    ),
    "chinese": (
        ["小米科技", "台積電"],
        [""],
        [
            "有限公司",
            "股份有限公司",
            "有限责任公司",
            "有限責任公司",
            "责任有限公司",
            "(股)公司",
            "股份公司",
            "股份公司 ",
            "無限公司",
        ],
    ),
    "japanese": (
        ["ひだまり"],
        [
            *(
                "株式会社",
                "㈱",
                "(株)",
                "有限会社",
                "㈲",
                "合同会社",
                "(同)",
                "一般社団法人",
                "NPO法人",
                "株）",
            ),
            *(
                "（一社）",
                "(公財)",
                "(一財)",
                "（公社）",
                "社福）",
                "（社福）",
                "（特非）",
                "（医）",
                "カ）",
                "(カ)",
                "ユ)",
            ),
            *(
                "税理士法人",
                "弁護士法人",
                "監査法人",
                "司法書士法人",
                "社会保険労務士法人",
                "認定NPO法人",
                "農事組合法人",
            ),
        ],
        ["", "（カ", "(カ)", "（株", "(ユ"],
    ),
    "japanese2": (
        ["ひだまり"],
        [""],
        ["株式会社", "㈱", "(株)", "有限会社", "(有)", " K.K.", " Co., Ltd."],
    ),
    "latvian": (
        ["Latvenergo"],
        ["SIA ", "AS ", "A/S ", "VAS "],
        [""],
    ),
    "lith": (
        ["Maxima"],
        ["UAB ", "AB ", "MB ", "IĮ ", "VšĮ ", "UAB „"],
        ["", " UAB"],
    ),
    "est": (
        ["Bolt Food"],
        ["OÜ ", "AS ", "MTÜ ", "SA "],
        ["", " OÜ", " AS"],
    ),
    "serb": (
        ["Delta"],
        [""],
        [" d.o.o.", " a.d.", " doo", " AD", " s.p.", " j.d.o.o.", " d.d.", " d.o.o"],
    ),
    "hung": (
        ["Magyar Posta"],
        [""],
        [" Kft.", " Zrt.", " Nyrt.", " Bt.", " Kkt.", " Rt.", " Kft"],
    ),
    "rom": (
        ["Dacia"],
        ["SC ", "S.C. "],
        [" SRL", " S.R.L.", " SA", " S.A.", " SRL-D"],
    ),
    "alb": (
        ["Albtelecom"],
        [""],
        [" sh.p.k.", " shpk", " sh.a.", " SHA"],
    ),
    "port": (
        ["Padaria"],
        [""],
        [
            " Lda",
            " Lda.",
            " Ltda",
            " LTDA.",
            " S/A",
            " S.A.",
            " EIRELI",
            " ME",
            " EPP",
            " MEI",
            " - ME",
            " Unipessoal Lda",
            "  SGPS",
        ],
    ),
    "filip": (
        ["Jollibee Foods"],
        [""],
        [" Corp.", " Corporation", " Inc.", " OPC"],
    ),
    "greek": (
        ["Ζαγόρι"],
        [""],
        [" Α.Ε.", " ΑΕ", " Ε.Π.Ε.", " Ι.Κ.Ε.", " Ο.Ε."],
    ),
    "dutch": (
        ["Philips", "Van Dijk & Zonen"],
        ["", "NV ", "N.V. ", "BV ", "B.V. ", "VOF ", "V.O.F. ", "Coöperatie ", "Stichting "],
        ["", " B.V.", " N.V.", " BV", " V.O.F.", " U.A.", " B.V. i.o.", " BV (i.o.)", " in liquidatie"],
    ),
    "belgian": (
        ["Colruyt", "Frères Dubois"],
        ["", "NV ", "VZW ", "ASBL ", "SRL ", "SPRL ", "S.P.R.L. ", "BVBA ", "SA ", "SNC "],
        ["", " VZW", " v.z.w.", " ASBL", " SPRL", " BVBA", " Comm.V", " Comm. V.", " CommVA", " NV"],
    ),
    "german": (
        ["Lebenshilfe", "Müller & Söhne"],
        [""],
        [
            *(
                " gGmbH",
                " UG (haftungsbeschränkt)",
                " UG",
                " UG haftungsbeschränkt",
                " PartG mbB",
                " PartGmbB",
            ),
            *(" SE", " SE i.L.", " GmbH i.G.", " GmbH (i.L.)", " GmbH in Liquidation", " GmbH & Co. KG i.L."),
            *(" GmbH & Co. KGaA", " e.V.", " eG", " GbR", " VVaG", " UG & Co. KG"),
        ],
    ),
    "irish": (
        ["Kerrygold Farms"],
        [""],
        [
            *(
                " CIC",
                " C.I.C.",
                " Teoranta",
                " Teo",
                " U.C.",
                " P.C.",
                " DAC",
                " CLG",
                " Community Interest Company",
            ),
            *(" CIO", " LLP", " plc", " Unlimited Company"),
        ],
    ),
    "brazilian": (
        ["Souza Cruz", "Irmãos Lima"],
        ["", "Cia. ", "Cia ", "Companhia "],
        [
            *(
                "",
                " e Cia Ltda",
                " e Cia. Ltda.",
                " & Cia. Ltda.",
                " & Cia",
                " e Companhia Ltda",
                " S/A",
                " S.A.",
            ),
            *(" Ltda - ME", " EIRELI - EPP"),
        ],
    ),
    "swiss": (
        ["Migros"],
        [""],
        [" AG", " SA", " Sàrl", " GmbH"],
    ),
}
_CLOSING: Final = {"«": "»", "„": "“"}


@pytest.mark.parametrize("kind", sorted(_FORMS))
def test_a_legal_form_is_no_part_of_a_name(kind: str) -> None:
    """Seen to fail: with `บจก.` in front, `लिमिटेड` behind and their like a firm had several names."""
    names, before, behind = _FORMS[kind]
    found = {
        (first, last): company_name(f"{first}{name}{_CLOSING.get(first[-1:], '')}{last}")
        == company_name(name)
        for name in names
        for first in before
        for last in behind
    }
    assert [forms for forms, same in found.items() if not same] == []


@pytest.mark.parametrize("name", ["Colruyt", "Souza Cruz", "Кузнецов", "Ελαιώνας"])
def test_a_legal_form_counts_in_front_as_it_does_behind(name: str) -> None:
    """Seen to fail for 215 of 248 words, such as `NV`, `SPRL` and `GmbH`; with some words names begin."""
    words = employer_words()
    known = words["legal_words"] - words["legal_words_last"]
    found = {word for word in known if company_name(f"{word.upper()} {name}") == company_name(name)}
    assert sorted(known - found) == []
    kept = {one for one in words["legal_words_last"] if len(one) > 1} - words["legal_words_first"]
    assert all(company_name(f"{one} {name}") != company_name(name) for one in kept)


@pytest.mark.parametrize("form", sorted(employer_words()["legal_words"]))
def test_a_legal_form_alone_may_be_a_name(form: str) -> None:
    """Seen to fail: who works for `UC` or `KOR` had no employer, so no colleague was told."""
    assert employer_form(form) == f"name {company_name(form)}" != "name "


@pytest.mark.parametrize("ending", ["(a)", " (a)", "/a", "(o)", "(in)", "/in", ":in", "*in", "·e", "(e)"])
def test_what_says_that_there_is_no_employer_does_so_for_both_genders(ending: str) -> None:
    """Seen to fail: `desempregado(a)`, as forms offer it, was an employer, and all who had it colleagues."""
    words = [one for one in employer_words()["no_employer"] if re.search("[a-z]{3}$", one)]
    assert len(words) > 300
    assert [one for one in words if employer_form(f"{one}{ending}") is not None] == []
    assert employer_form(f"Acme{ending}") is not None


@pytest.mark.parametrize(
    "text",
    [
        *(
            "ZZP'er",
            "zzp-er",
            "geen werkgever",
            "Pensioen",
            "in loondienst",
            "trabalho por conta própria",
            "SAHM",
        ),
        *(
            "semi-retired",
            "פנסיונרית",
            "עצמאי",
            "אין",
            "ללא",
            "JDG",
            "Govt job",
            "pedagang",
            "gig worker",
            "Nope",
            "ー",
            "ㅡ",
            "---",
            "취준생",
            "휴직중",
            "백수",
            "비공개",
            "개인사업",
            "없슴",
            "무",
            "x",
        ),
    ],
)
def test_words_for_no_employer_are_none(text: str) -> None:
    assert employer_form(text.casefold()) is None


_SYLLABLES: Final = {  # a consonant, and signs of its vowels
    "Thai": ("กขคงจชสดต", ["", "\u0e34", "\u0e35", "\u0e38", "\u0e39", "\u0e31", "า"]),
    "Devanagari": ("कगचजटडतद", ["", "\u093e", "\u093f", "\u0940", "\u0941", "\u0942", "\u0947", "\u094b"]),
    "Bengali": ("কগচজটডতদ", ["", "\u09be", "\u09bf", "\u09c0", "\u09c1", "\u09c7", "\u09cb"]),
    "Tamil": ("கசடதபம", ["", "\u0bbe", "\u0bbf", "\u0bc0", "\u0bc1", "\u0bc6", "\u0bca"]),
    "Khmer": ("កគចជដត", ["", "\u17b6", "\u17b7", "\u17b8", "\u17bb", "\u17c1"]),
    "Burmese": ("ကဂစဇတဒ", ["", "\u102c", "\u102d", "\u102e", "\u102f", "\u1031"]),
    "Lao": ("ກຂຄງຈຊສດ", ["", "\u0eb4", "\u0eb5", "\u0eb8", "\u0eb9", "\u0eb1", "າ"]),
}


@settings(max_examples=200, deadline=None)
@given(data=st.data(), script=st.sampled_from(sorted(_SYLLABLES)))
def test_vowel_signs_tell_names_apart(data: st.DataObject, script: str) -> None:
    """Seen to fail: signs were dropped as accents, so people of two firms were kept apart as colleagues."""
    consonants, vowels = _SYLLABLES[script]
    word = st.lists(st.tuples(st.sampled_from(consonants), st.sampled_from(vowels)), min_size=3, max_size=6)
    one, other = ("".join(map("".join, data.draw(word))) for _ in range(2))
    assert (company_name(one) == company_name(other)) == (one == other)
    assert company_name(unicodedata.normalize("NFD", one)) == company_name(one)
    assert company_name(f" {one[:2]} {one[2:]}. ") == company_name(one)


def test_a_dot_below_that_many_leave_out_is_no_other_name() -> None:
    assert company_name("फ़ोन पे") == company_name("फोन पे") != company_name("फ़ून पे")
