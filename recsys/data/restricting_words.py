"""Parts of words that restrict, by language: for types of events and states that are not of the tables.

Each is looked for anywhere in a word, or as a word of its own; `recsys.data.unknown_words` says what they
mean together. A word in letters of no language here cannot be read, so it may mean anything.
"""

import re
from typing import Final

from recsys.catalogue.text_folding import fold, unaccented

_ENGLISH_BEFORE: Final = "re|un|auto|perma?|temp|soft|hard|shadow|ip|on|is|was|got"
_WHOSE: Final = "account|member|profile|user|konto|cuenta|conta|compte"


def letters(text: str) -> str:
    """Return the letters of a word as they are compared: folded, without accents and variants of Han.

    >>> letters("Bloqué"), letters("垢バン"), letters("冻结") == letters("凍結")
    ('bloque', '垢ばん', False)
    """
    return unaccented(fold(text))


def _parts(inside: str, alone: str = "", cjk: str = "") -> re.Pattern[str]:
    """Return what finds parts: anywhere, as words of their own, and of Chinese, Japanese and Korean.

    Blanks are between them, `_` is one. A word of its own may stand beside whom it is about without a blank,
    as in `BANUSER`.
    """
    own = "|".join(alone.split())
    bounded = rf"(?<![a-z])({_ENGLISH_BEFORE}|{_WHOSE})*({own})({_WHOSE}s?)*(?![a-z])"
    patterns = [*inside.split(), *([bounded] if own else []), *map(letters, cjk.split())]
    return re.compile("|".join(patterns).replace("_", " "))


SEPARATES: Final = _parts(
    # English
    "block report abus harass unsafe threat stalk flag(?!ship) (?<!com)mute (?<!orc)hid money off_platform "
    "complain no_contact banned suspen restrict unmatch reject refus ignor avoid remov black_?list "
    "deny_?list assault violen predator dislik declin dismiss quarantin conceal unlisted unfriend "
    "breakup broke_up "
    "break_up (do_not|dont|don_t|never|stop|no_longer)_(show|see|suggest) not_interested violat "
    "insult offens "
    "bully bullied inappropriat creep ghosted ostraci boycot veto silenc unsolicited "
    # German and Dutch, French, Spanish and Portuguese, Italian, others
    "gefallt_mir_nicht kein_interesse entfreund match_aufgelost match_auflos verworfen verwerf ausschliess "
    "dissimul muet blocag mettre_fin n_aime_pas pas_interess ecarter ecarte evince ejecte "
    "prohib finaliz no_me_(gusta|interesa) (sin|sem)_interes abandon abbandon nao_gost ameac "
    "conclus non_mi_piace non_interessat scart "
    "sperr (?<!an)(?<!ab)gemeldet belastig beleidig betrug beschwerd bedroh abgelehnt ablehn abgewies "
    "abweis "
    "zuruckgewies zuruckweis verweiger versteck ausgeblend ausblend verberg verborg gebann verbann stumm "
    "beend entfern eingeschrankt einschrank missbrauch verstoss rauswurf rausgeworf gekick quarantan "
    "kontaktabbruch kontaktverbot nicht_(mehr_)?(an)?zeigen "
    "blok signale bloqu harcel arnaqu menac masqu(?!era) rejet exclu(?!siv) plainte effac "
    "retir(?!ement) rompu "
    "rompre "
    "ruptur sourdine restrei quarantain supprim ne_(plus|pas)_(me_)?(voir|montrer|afficher) "
    "denunc acoso acosa amenaz amenac estaf rechaz rejeit silenci ocult assedi escond terminad elimin "
    "descart "
    "queja queixa reclamac restring recus(?!er) desfaz desfeit encerrad romper rompid borrad apagad "
    "cuarenten quarenten no_(mostrar|ver) nao_(mostrar|ver) "
    "blocc segnal minacc molest truff rifiut nascost nascond esclus(?!iv) esclud silenzi rimoss "
    "rimuov rimoz "
    "reclam oscurat quarantena cacciat(?!or) non_mostrar "
    "engelle sikayet yasak zglosz ukryt lapor",
    r"ban bans banning bane\w* banid\w* banir\w* baniu banimento\w* banni\w* banna\w* bannen bannt? "
    r"bandit\w* bandire terminer? terminee?s? terminare? terminat[oaie] encerrar kick\w* scam\w* "
    r"fraud\w* spam\w* raport\w* ended ending melde\w* meldung\w* cacher\w* cachee?s? gelee?s? geler "
    r"vetad[ao] vetar shun\w*",
    "するー(?!ぷ) 興味な(い|し) きっく 見送(り|る|った) 隠す 隠し 隠さ 隠蔽 無視 みゅーと "
    "見たくない 表示しない 見ない 違反 終了 断り 断る 断った 辞退 "
    "却下 拒絶 絶縁 縁切 縁を切 除外 排除 "
    "締め出 追い出 利用制限 機能制限 制限(した|する|中) 解消 まっち(んぐ)?解除 友達解除 嫌い 苦手 "
    "会いたくない せくはら 暴言 暴力 中傷 不適切 危険 "
    "谢绝 謝絕 婉拒 讨厌 討厭 不(显示|顯示) 忽略 结束 結束 分手 "
    "(解除|取消)(匹配|配对|配對) 不再(显示|顯示) 不感(兴趣|興趣) 不喜(欢|歡) 静音 "
    "靜音 移除 移出 剔除 "
    "限制 受限 隔离 隔離 违规 違規 辱骂 辱罵 跟踪 跟蹤 终止 終止 删除好友 刪除好友 遮蔽 "
    "사양 별로예요 표시_?안 표시하지_?않 블락 동결 종료 뮤트 음소거 안_?보기 보지_?않 "
    "그만_?보기 절교 손절 헤어 관심_?없 싫어 제외 "
    "매칭_?(해제|취소) "
    "친구_?(해제|삭제) 격리 폭력 폭언 욕설 위협 위반 불쾌 "
    "通報 報告 非表示 迷惑 嫌がらせ 苦情 拒否 禁 停止 凍結 詐欺 脅 ブロック つきまとい "
    "屏蔽 封锁 封鎖 封号 封號 拉黑 黑名单 黑名單 举报 舉報 檢舉 投诉 投訴 骚扰 騷擾 "
    "隐藏 隱藏 拒绝 拒絕 诈骗 欺诈 威胁 차단 신고 정지 제재 제한 숨김 숨기 괴롭 스토킹 사기 거부 거절 금지 "
    "무시 스팸 블랙리스트 블록 협박 성희롱 "
    # Russian and Ukrainian, Greek, Hebrew, Arabic, Hindi, Thai
    "блок жалоб пожалов скарг спам мошенн шахрай домогат угроз погроз оскорб отклон відхил скрыт скры "
    "прихов "
    "игнор ігнор запрет заборон исключ виключ забан αποκλεισ αποκλει μπλοκ καταγγελ αναφορα αποκρυ "
    "παρενοχλ "
    "חסימ חסומ נחס חסום דיווח הסתר הטרד حظر محظور بلاغ شكو تجاهل اخفاء تحرش احتيال "
    "ब्लॉक अवरुद्ध शिकायत प्रतिबं उत्पीड़न บล็อก บล็อค แบน รายงาน ร้องเรียน ซ่อน ระงับ คุกคาม",
)
"""What one does to keep another away."""
PAUSES: Final = _parts(
    "paus snooz inactiv deactiv invisib hidden on_break dormant "
    "deaktiv inaktiv inactif desactiv desativ inativ disattiv inattiv pauz nonaktif "
    "versteck ausgeblend ausblend masqu(?!era) ocult nascost nascond verborg verberg ukryt escond conceal "
    "unlisted delisted unsichtbar",
    "hid hides? hiding cacher cachee cache[es]s (profil|compte)_cache",
    "休 非表示 非公開 隠す 隠し 隠した 隠れ(?!家) 暂停 暫停 隐身 隱身 隐藏 隱藏 휴면 비활성 비공개 숨김 "
    "пауз скрыт прихов неактив παυσ ανενεργ השהי הסתר اخفاء ซ่อน พักการ",
)
LEAVES: Final = _parts(
    "withdr delet forget cancel deceas deregist unregist "
    "losch (?<!an)kundig austritt ausgetret supprim resili desinscri elimin borrad apagad disiscri "
    "^verlassen$ konto_verlassen (konto|profil|profilo|cuenta|conta|perfil|compte|account)_"
    "(geschlossen|entfernt|ferme|effac|cerrad|terminad|fechad|encerrad|apagad|chius) usuniet hapus",
    r"baja retire[dersz]?s? retirar retirad[ao]s? ritirat[oaie] leav\w* left quit\w* eras\w* "
    r"clos(e|es|ed|ing|ure) resign\w*",
    "退会 脱退 脱会 辞めた 辞める 削除 解約 消去 閉鎖 注销 註銷 销户 銷戶 删除 탈퇴 삭제 해지 "
    r"удал\w*_(аккаунт|профил|анкет) (аккаунт|профил\w*|анкет\w*)_удал видал\w*_(акаунт|профіл) "
    "διαγραφη_λογαριασμου מחיקת_חשבון חשבון_נמחק حذف_الحساب खाता_हटा ลบบัญชี",
)
STOPS: Final = _parts(
    "banned suspen fr[eo]ez frozen disabl remov expel black_?list deplatform revok evict barred banish "
    "sanction quarantin ostraci sperr verbann gebann ausgeschlossen ausschluss stillgeleg eingefror "
    "einfrier "
    "gefroren ^entfernt$ rauswurf rausgeworf gekick eingeschrankt quarantan "
    "exclu(?!siv) expuls interdit inhabilit deshabilit desabilit prohib proibid vetad congel restring "
    "restrei "
    "barrad quarantain cuarenten quarenten "
    "sospen sospes sospend espuls espell vietat esclus(?!iv) esclud rimoss quarantena "
    "geschorst zbanow zawiesz yasakl engelle avstang utesteng",
    r"ban bans banning bane\w* banid\w* banir\w* baniu banimento\w* banni\w* banna\w* bannen bannt? "
    r"bandit\w* bandire gelee?s? geler radiat[oaie] cacciat[oaie] h[eo]ld holds holding "
    "lock(s|ed|ing|out)? "
    r"terminat\w* kick\w*",
    "締め出 追い出 利用制限 機能制限 あかうんと(の)?制限 剥奪 抹消 除籍 (?<!さいど)きっく "
    "违规 違規 剔除 隔离 隔離 终止 "
    "終止 동결 격리 "
    "停止 凍結 禁 追放 除名 無効 強制退会 封号 封號 封停 被封 查封 冻结 停用 停权 停權 踢 驱逐 驅逐 "
    "开除 開除 정지 제재 강퇴 추방 금지 퇴출 영구 잠금 잠김 보류 "
    "забан заблок приостан призупин заморо исключ виключ запрещ заборон αποκλεισ αποκλει αναστολ "
    "חסומ חסום נחס הושע הקפא حظر محظور ايقاف موقوف تعليق تجميد طرد प्रतिबं निलंब अवरुद्ध แบน ระงับ",
)
"""What others do to somebody."""
BANS_IN_KANA: Final = re.compile("(?<![ぁ-ん])(あか)?ばん|(?<!ぶ)ろっく|(?<![가-힣])밴(?![가-힣])")
OF_AN_ACCOUNT: Final = _parts(
    "block blok bloqu blocc restrict reject refus flag(?!ship) rejet rechaz rejeit rifiut abgelehnt",
    r"scam\w* fraud\w* spam\w*",
    "拒否 詐欺 ブロック 屏蔽 封锁 封鎖 拉黑 黑名单 黑名單 拒绝 拒絕 诈骗 欺诈 "
    "차단 제한 거부 거절 사기 블랙리스트 블록",
)
"""What is done to an account where nobody else is named; beside another, one did it to the other."""
UNREAD: Final = re.compile(
    r"[^\W\d_a-zA-Z\u00aa-\u02af\u1e00-\u1eff\u3005-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff"
    r"\u1100-\u11ff\u3130-\u318f\uac00-\ud7ff\U00020000-\U0003ffff"
    ""
    ""
    r"\u0370-\u03ff\u1f00-\u1fff\u0400-\u052f\u0590-\u05ff\u0600-\u06ff\u0750-\u077f\u0900-\u097f\u0e00-\u0e7f]"
)
"""A letter of a script of which no part is known: others than Latin, kana, Han, Hangul, Greek, Cyrillic,
Hebrew, Arabic, Devanagari and Thai."""
