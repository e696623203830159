"""Words and numbers that stand for no answer; one number, 99 among stars, can hide what the others say."""

from typing import Final

import numpy as np
import pandas as pd

from recsys.catalogue.text_folding import plain, unaccented
from recsys.errors import warn

_WORDS: Final = (
    *("", "-", "--", "–", "—", "―", "?", "n/a", "n.a.", "na", "null", "nan", "nil"),
    "\\n",  # dumps of MySQL and PostgreSQL write NULL as \N
    *("unknown", "not given", "not specified", "not available", "not applicable", "no answer", "unspecified"),
    *("不明", "未設定", "未回答", "未入力", "未記入", "無回答", "回答なし", "該当なし"),
    *("k.a.", "k. a.", "keine angabe", "unbekannt", "nicht angegeben", "entfällt"),
    *("n/d", "n.d.", "s/d", "não informado", "não informada", "não se aplica", "não aplicável"),
    *("sem resposta", "desconhecido", "desconhecida"),
    *("no especificado", "no especificada", "sin especificar", "no aplica", "sin respuesta", "sin dato"),
    *("sin datos", "desconocido", "desconocida"),
    *("non précisé", "non précisée", "non renseigné", "non renseignée", "sans réponse", "inconnu"),
    *("non specificato", "non specificata", "non disponibile", "sconosciuto"),
    *("onbekend", "niet opgegeven", "n.v.t.", "nvt"),
    *("모름", "무응답", "미입력", "해당없음", "해당 없음", "未知", "暂无", "未填写", "不详"),
    *("未填寫", "不詳", "haijulikani", "sijui", "sans objet", "ne sait pas"),
    *("ไม่ระบุ", "ไม่ทราบ", "غير محدد", "غير معروف", "لا ينطبق"),
    *("не указано", "неизвестно", "нет данных", "nie podano", "brak danych", "bilinmiyor", "belirtilmemiş"),
    *("#n/a", "#na", "#n/d", "#nv", "#null!", "#ref!", "#value!", "#div/0!", "#name?", "#num!"),
    *(
        "undefined",
        "not set",
        "not selected",
        "empty",
        "tbd",
        "please select",
        "please choose",
    ),
    *(
        "未選択",
        "選択してください",
        "選択なし",
        "請選擇",
        "请选择",
        "未选择",
        "未選擇",
        "선택하세요",
        "선택 안함",
        "선택안함",
    ),
    *(
        "응답 없음",
        "응답없음",
        "미응답",
        "미선택",
        "미기재",
        "선택 안 함",
        "nulo",
        "vazio",
        "vacío",
        "leeg",
        "vide",
        "vuoto",
    ),
    *(
        "niet ingevuld",
        "weet niet",
        "n.b.",
        "n.b",
        "n.a",
        "niet van toepassing",
        "onbeantwoord",
        "não preenchido",
    ),
    *(
        "não sei",
        "selecione",
        "seleccione",
        "selecciona",
        "seleziona",
        "sélectionnez",
        "sélectionner",
        "choisir",
    ),
    *(
        "bitte wählen",
        "bitte auswählen",
        "nicht ausgefüllt",
        "weiß nicht",
        "maak een keuze",
        "välj",
        "velg",
    ),
    *(
        "vælg",
        "valitse",
        "wybierz",
        "vyberte",
        "seçiniz",
        "выберите",
        "не выбрано",
        "оберіть",
        "pilih",
        "chọn",
    ),
    *("không rõ", "tidak diketahui", "ikke oppgitt", "ei tietoa", "okänt"),
)
_NONE: Final = (
    *("yok", "ingen", "inga", "inget", "ei ole", "ei mitään", "कोई नहीं", "कुछ नहीं", "нет ничего", "немає"),
    *("none", "なし", "keine", "nenhum", "nenhuma", "ninguno", "ninguna", "aucun", "aucune"),
    *(
        "nessuno",
        "nessuna",
        "geen",
        "없음",
        "无",
        "無",
        "没有",
        "沒有",
        "néant",
        "hakuna",
        "ไม่มี",
        "لا يوجد",
        "brak",
        "không có",
        "tidak ada",
    ),
)


def _spellings(words: tuple[str, ...]) -> frozenset[str]:
    return frozenset((*(one.casefold() for one in words), *map(unaccented, words)))


NONE_WORDS: Final = _spellings((*_NONE, "-", "--", "–", "—", "―"))
"""Texts that say that there is nothing, which in a questionnaire can be an answer: how many children."""
UNKNOWN_WORDS: Final = _spellings((*_WORDS, *_NONE))
"""Texts that say that nothing is known, in lower case, with accents and without."""

_AROUND: Final = "()[]<>{}【】「」《》〈〉 -–—―ー_.…。ㅡ\u1173"
_BARE_WORDS: Final = frozenset(one.strip(_AROUND) for one in UNKNOWN_WORDS)
_FEWEST_VALUES: Final = 3
_FAR: Final = 5.0
"""By how many times the range of the other answers one lies apart from them that is warned of."""
_CODES: Final = frozenset(sign * code for sign in (1.0, -1.0) for code in (8, 9, 88, 98, 99, 999))
"""Numbers that surveys write where there is no answer."""
_BELOW: Final = frozenset({-1.0, -7.0, -8.0, -9.0, -77.0, -88.0, -99.0, -999.0})
"""The same beside answers of which none is below 0."""


def is_unknown(text: object) -> bool:
    """Say whether a text stands for nothing known.

    Brackets and dashes around it count for nothing, as forms and programs write them.

    >>> is_unknown(" N/A "), is_unknown("<NULL>"), is_unknown("-- Please select --"), is_unknown("0")
    (True, True, True, False)
    """
    if text is None:
        return True
    word = plain(text).casefold()
    return word in UNKNOWN_WORDS or word.strip(_AROUND) in _BARE_WORDS


_NO: Final = frozenset(
    ("0", "0.0", "false", "f", "no", "n", "off", "#ref!", "#n/a", "\\n", "いいえ", "withdrawn", "撤回")
)


def is_no_consent(text: object) -> bool:
    """Say whether the id of a consent is none, or a word for that there is none.

    >>> [is_no_consent(one) for one in (None, "NULL", "false", "撤回", "c-17")]
    [True, True, True, True, False]
    """
    return is_unknown(text) or plain(text).strip().casefold() in _NO


def warn_of_codes(where: str, values: pd.Series) -> None:
    """Warn of numbers that look like codes for no answer, as surveys and logs write them.

    where: what the values are, to begin the sentence with. values: numbers; missing and infinite ones are
    passed over.

    >>> import warnings
    >>> with warnings.catch_warnings(record=True, action="always") as told:
    ...     warn_of_codes("stars", pd.Series([1.0, 5.0, 3.0, 99.0]))
    >>> str(told[0].message)
    'stars: 99 lies far from the other answers, 1 to 5; where it stands for no answer, leave it missing'
    """
    numbers = values.dropna().to_numpy(np.float64)
    known = np.unique(numbers[np.isfinite(numbers)])
    if len(known) < _FEWEST_VALUES:
        return
    for value, rest in ((known[-1], known[:-1]), (known[0], known[1:])):
        gap, span = np.abs(rest - value).min(), rest[-1] - rest[0]
        below = value < 0.0 <= rest[0] and value in _BELOW
        if gap >= _FAR * span or (value in _CODES and gap >= span) or below:
            warn(
                f"{where}: {value:g} lies far from the other answers, {rest[0]:g} to {rest[-1]:g}; "
                "where it stands for no answer, leave it missing"
            )
