"""Words of a language are read in the encoding that they were written in, however few there are."""

import random

import pytest

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
    assert right >= (50 if rows == 30 else 44)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_read(encoding: str) -> None:
    text = "id,이름\r\n1,관심사\r\n2,등산\r\n"
    assert decode_text(text.encode(encoding), None, "members.csv") == text
    assert guess_encoding([text.encode(encoding)]) is None
