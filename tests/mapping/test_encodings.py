"""Words of a language are read in the encoding that they were written in, however few there are."""

import random

import pytest

from recsys.errors import SourceError
from recsys.mapping.encodings import decode_text, guess_encoding

WORDS = {
    "cp949": (
        "등산 영화감상 독서 커피 여행 사진 요리 캠핑 낚시 "
        "자전거 봉사활동 서울특별시 부산광역시 미혼 기혼 별거 남성 여성 탈퇴"
    ),
    "gb18030": (
        "登山 看电影 读书 咖啡 旅游 摄影 听音乐 钓鱼 游泳 志愿者 "
        "北京 上海市 广州 已婚 未婚 离异 男 女 正常 注销"
    ),
    "cp932": (
        "登山 映画鑑賞 読書 カフェ 旅行 写真 料理 釣り 囲碁 "
        "東京都 大阪府 横浜市 既婚 未婚 男性 女性 退会 停止 有効"
    ),
    "euc_jp": (
        "登山 映画鑑賞 読書 珈琲 旅行 写真 料理 音楽鑑賞 水泳 "
        "囲碁 東京都 大阪府 京都市 既婚 未婚 別居 男性 女性 退会"
    ),
    "cp1252": "café prénom été Noël garçon Zürich München straße año niño São",
    "cp1250": "Kraków Łódź mężczyzna usunięty przyjaźń książki żonaty Poznań Žižkov děti příteli Plzeň",
    "cp1251": "Москва Активен Удалён женщина мужчина общение поддержка Казахстан Санкт-Петербург разведён",
    "koi8_r": "Москва Активен Удалён женщина мужчина общение поддержка Казахстан Санкт-Петербург разведён",
    "cp1253": "Αθήνα Θεσσαλονίκη γυναίκα άνδρας ενεργός αποκλεισμένος φιλία μουσική διάβασμα παντρεμένος",
    "cp1255": "ירושלים תל-אביב גבר אישה פעיל חסום מוזיקה טיולים נשוי רווק חיפה",
    "cp1256": "القاهرة الرياض رجل امرأة نشط محظور صداقة موسيقى قراءة متزوج أعزب",
    "cp874": "กรุงเทพมหานคร เชียงใหม่ หญิง ชาย ระงับ เพื่อนคุย ดนตรี อ่านหนังสือ โสด แต่งงาน นนทบุรี",
}


@pytest.mark.parametrize("encoding", WORDS)
@pytest.mark.parametrize("rows", [5, 30])
def test_a_table_of_a_language_is_read_in_its_encoding(encoding: str, rows: int) -> None:
    draw = random.Random(rows)
    words = WORDS[encoding].split()
    right = 0
    for _ in range(50):
        text = "id,word\n" + "\n".join(f"{at},{draw.choice(words)}" for at in range(rows))
        right += guess_encoding([text.encode(encoding)]) == encoding
    assert right >= (50 if rows == 30 else 38)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_read(encoding: str) -> None:
    text = "id,이름\r\n1,관심사\r\n2,등산\r\n"
    assert decode_text(text.encode(encoding), None, "members.csv") == text
    assert guess_encoding([text.encode(encoding)]) is None


@pytest.mark.parametrize("text", ["Üye numarası;İlçe;Kadıköy;Beşiktaş", "görüşmek, ağaç, şarkı, ılık çay"])
def test_turkish_is_told_from_western_letters(text: str) -> None:
    """Seen to fail: cp1252 was named as the encoding of a Turkish file, and its letters became þ, ý and ð."""
    content = text.encode("cp1254")
    assert guess_encoding([content]) == "cp1254"
    with pytest.raises(SourceError, match="these would fit: cp1254"):
        decode_text(content, None, "uyeler.csv")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_file_that_ends_within_a_character_is_refused_in_words(encoding: str) -> None:
    """Seen to fail: a file of UTF-16 that was cut short ended in a traceback."""
    with pytest.raises(SourceError, match="to its end"):
        decode_text("a;b\nx;ğ".encode(encoding)[:-1], None, "cut.csv")
