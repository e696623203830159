"""Drafts of sheets in languages beside those of the examples: columns and the words in them."""

from pathlib import Path

import pytest

from recsys.mapping.draft import draft_mapping

_SHEETS = {  # headers, then rows of words: gender, household status, languages; months are always numbers
    "Polish": [
        ("Numer członka", "Data urodzenia", "Płeć", "Stan cywilny", "Miasto", "Języki", "Telefon"),
        ("kobieta", "mężatka", "angielski"),
        ("mężczyzna", "kawaler", "polski"),
        ("niebinarna", "rozwiedziona", "niemiecki"),
    ],
    "Czech": [
        ("ID", "Datum narození", "Pohlaví", "Rodinný stav", "Město", "Jazyky", "Telefon"),
        ("žena", "vdaná", "angličtina"),
        ("muž", "svobodný", "čeština"),
        ("jiné", "rozvedená", "němčina"),
    ],
    "Swedish": [
        ("Medlemsnummer", "Födelsedatum", "Kön", "Civilstånd", "Stad", "Språk", "Mobilnummer"),
        ("kvinna", "gift", "engelska"),
        ("man", "ogift", "svenska"),
        ("annat", "skild", "tyska"),
    ],
    "Norwegian": [
        ("Medlemsnr", "Fødselsdato", "Kjønn", "Sivilstatus", "By", "Språk", "Telefon"),
        ("kvinne", "gift", "engelsk"),
        ("mann", "ugift", "norsk"),
        ("annet", "skilt", "tysk"),
    ],
    "Turkish": [
        ("Üye no", "Doğum tarihi", "Cinsiyet", "Medeni durum", "Şehir", "Diller", "Telefon"),
        ("kadın", "evli", "İngilizce"),
        ("erkek", "bekar", "Türkçe"),
        ("diğer", "boşanmış", "Almanca"),
    ],
    "Russian": [
        ("Номер анкеты", "Дата рождения", "Пол", "Семейное положение", "Город", "Языки", "Телефон"),
        ("женский", "замужем", "английский"),
        ("мужской", "холост", "русский"),
        ("другое", "разведен", "немецкий"),
    ],
    "Ukrainian": [
        ("ID користувача", "Дата народження", "Стать", "Сімейний стан", "Місто", "Мови", "Телефон"),
        ("жінка", "заміжня", "англійська"),
        ("чоловік", "одружений", "українська"),
        ("інше", "одружений", "російська"),
    ],
    "Indonesian": [
        ("Nomor anggota", "Tanggal lahir", "Jenis kelamin", "Status pernikahan", "Kota", "Bahasa", "No HP"),
        ("perempuan", "menikah", "inggris"),
        ("laki-laki", "belum menikah", "indonesia"),
        ("lainnya", "cerai", "jerman"),
    ],
    "Vietnamese": [
        ("Mã thành viên", "Ngày sinh", "Giới tính", "Tình trạng hôn nhân", "Thành phố", "Ngôn ngữ", "SDT"),
        ("nữ", "đã kết hôn", "tiếng Anh"),
        ("nam", "độc thân", "tiếng Việt"),
        ("khác", "ly hôn", "tiếng Đức"),
    ],
    "Hindi": [
        ("सदस्य संख्या", "जन्म तिथि", "लिंग", "वैवाहिक स्थिति", "शहर", "भाषा", "फोन"),
        ("महिला", "विवाहित", "अंग्रेज़ी"),
        ("पुरुष", "अविवाहित", "हिन्दी"),
        ("अन्य", "तलाकशुदा", "जर्मन"),
    ],
    "Thai": [
        ("รหัสสมาชิก", "วันเกิด", "เพศ", "สถานภาพ", "จังหวัด", "ภาษา", "เบอร์โทรศัพท์"),
        ("หญิง", "สมรส", "ภาษาอังกฤษ"),
        ("ชาย", "โสด", "ไทย"),
        ("อื่นๆ", "หย่า", "ภาษาเยอรมัน"),
    ],
    "Arabic": [
        ("رقم العضو", "تاريخ الميلاد", "الجنس", "الحالة الاجتماعية", "المدينة", "اللغات", "الهاتف"),
        ("أنثى", "متزوجة", "الإنجليزية"),
        ("ذكر", "أعزب", "العربية"),
        ("أخرى", "مطلقة", "الألمانية"),
    ],
}
_TARGETS = ("age_band", "gender", "household_status", "cell", "languages", "person_token")
_SPOKEN = {
    "Polish": "pl",
    "Czech": "cs",
    "Swedish": "sv",
    "Turkish": "tr",
    "Russian": "ru",
    "Ukrainian": "uk",
}
_SPOKEN |= {"Indonesian": "id", "Vietnamese": "vi", "Hindi": "hi", "Thai": "th", "Arabic": "ar"}


@pytest.mark.parametrize("language", sorted(_SHEETS))
def test_a_sheet_of_a_language_is_drafted_with_its_words(language: str, tmp_path: Path) -> None:
    """Seen to fail: nothing but ids and telephones was found in a sheet of any of these languages."""
    headers, *people = _SHEETS[language]
    rows = [
        (
            f"A-{n:03}",
            f"19{50 + n}-0{1 + n % 9}-1{n % 9}",
            gender,
            household,
            "-",
            speaks,
            f"060555{1000 + n}",
        )
        for n in range(45)
        for gender, household, speaks in [people[n % 3]]
    ]
    sheet = "\n".join(";".join(row) for row in [headers, *rows]) + "\n"
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "sheet.csv").write_text(sheet, encoding="utf-8")
    draft = draft_mapping("export", folder=tmp_path).files["profiles.sql"]
    assert f"GUESS sheet.{headers[0]} -> user_id" in draft
    for header, target in zip(headers[1:], _TARGETS, strict=True):
        if target != "cell":  # a town needs its country, which a sheet does not say
            assert f"GUESS sheet.{header} -> {target}" in draft, target
    spoken = {f"'{_SPOKEN[language]}'"} if language in _SPOKEN else set()
    for ours in {"'woman'", "'man'", "'nonbinary'", "'single'", "'married'", "'de'"} - (
        {"'single'", "'de'"} if language == "Ukrainian" else set()
    ) | spoken:
        assert ours in draft, ours
