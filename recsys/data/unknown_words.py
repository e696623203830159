"""Words for types of events and states that nobody knows: what each may mean at worst.

A word restricts by its parts, in several languages: `Blocked_User` keeps two people apart, `profile_paused`
takes its actor out of sight. What is said of something else, such as a banner or leaving a group, and what
tells that a restriction was taken back or looked at, restricts nobody.
"""

import re
from difflib import get_close_matches
from typing import Final

from recsys.catalogue.text_folding import fold

SAFETY_EVENTS: Final = ("block", "report", "end", "money_request", "off_platform_request", "hide")
"""Types of events that keep two people apart."""
SAFETY_TYPES: Final = tuple(fold(word) for word in SAFETY_EVENTS)
_SAFETY_STEMS: Final = re.compile(
    "block|report|abus|harass|unsafe|threat|stalk|flag|mute|hid|money|off platform|complain|no contact|"
    r"(?<![a-z])(re|auto|perma|shadow)?ban|\bunmatch|\brestrict|\bsuspen|\bremov|\bkick|\bscam|\bfraud|\bspam|\bavoid|\bignor|\breject|\brefus|"
    r"^\d*$|^\(|通報|報告|非表示|迷惑|嫌がらせ|苦情|拒否|禁止|停止|凍結|詐欺|脅|"
    + fold("ブロック|つきまとい")
)
"""Parts of a word for a type of event that is not known and may keep two people apart; a number or nothing
may mean anything."""
_PAUSES: Final = re.compile(r"\b(paus|snooz|inactiv|deactiv|hid|invisib|on break)|休|非表示|非公開")
_LEAVES: Final = re.compile(
    r"\b(leav|left(?![a-z])|quit|withdr|delet|eras|forget|clos(e(?![a-z])|ed|ing)|cancel|resign)"
    r"|退会|脱退|削除|解約|消去|閉鎖"
)
_STOPS: Final = re.compile(
    r"(?<![a-z])(re|auto|perma|shadow)?(ban|hold|held|suspen|fr[eo]ez|frozen|lock|disabl|terminat|remov|expel)"
    r"|停止|凍結|禁止|追放|除名|出禁|無効|(?<![ぁ-ん])(あか)?ばん(?![ぁ-んー])|(?<!ぶ)ろっく"
)
"""Parts of a word for a type of event that is not known and takes its actor out of sight."""
_NOT_YET: Final = re.compile(
    r"(?<![a-z])(no|not|never|non|without|cannot|until|till|before|pending|denied|undone)(?![a-z])"
    r"|(?<![a-z])(code|date|due|eligible|expected|if|later|planned|possible|scheduled|soon|when|will)(?![a-z])"
    r"|(?<![a-z])(appeal|await|cancel|declin|fail|refus|reject|request)\w*"
    "|(?:解除|再開|復帰|復活)(?:の|を|は|が)?"
    "(?:不可|なし|無し|待ち|前|まで|取り?消|拒否|失敗|申請|でき(?:ない|ず)|予定|希望|未定|可能|日)"
)
"""Beside words that take a restriction back: that it has not happened."""
PAUSE: Final = "pause"
LEAVE: Final = "leave"
STOP: Final = "stop"
"""Why such a word takes somebody out of sight; see `may_stop`."""
_SCREENS: Final = (
    "ad|alert|app|application|banner|card|chat|dialog|drawer|hint|keyboard|menu|modal|onboarding|page|panel|"
    "popup|quiz|room|screen|session|sheet|sidebar|stream|survey|tab|toast|tooltip|tour|tutorial|window|group"
)
_CONTENT: Final = (
    "audio|bookmark|comment|download|draft|favou?rite|feedback|file|filter|image|interest|item|like|message|"
    "note|photo|picture|playback|post|reaction|recording|review|search|story|tag|track|upload|"
    "video|voice ?mail"
)
_PLANS: Final = "appointment|booking|call|game|meeting|order|payment|reservation"
_NOTICES: Final = "alert|e mail|email|mail|music|newsletter|notification|push|reminder|sms|sound"
_WHOSE: Final = "(a |all |an |my |the )?"
_WAS: Final = "((is|was|are|were|has been|have been) )?"
_NOT_BY: Final = "(?<!by )(?<!from )(?<!in )(?<!of )(?<!via )"
_PAST: Final = r"(?=\w*(ed|en|wn|left|quit|held)\b)"
_OF_THINGS: Final = "|".join(
    rf"\b({done}) {_WHOSE}({things})s?\b|{_NOT_BY}\b({things})s? {_WAS}{_PAST}({done})\b"
    for things, done in (
        (
            f"{_SCREENS}|{_CONTENT}|{_PLANS}|{_NOTICES}",
            "clos(e|ed|es|ing)|leav(e|es|ing)|left|quit|cancel(l?ed|s)?|paus(e|ed|es)|withdr(aw|awn|ew)|"
            "h[eo]ld|lock(ed|s)?|terminated?|disabled?",
        ),
        (f"{_CONTENT}|{_PLANS}", "delet(e|ed|es)|hid(e|den|es)?|remov(e|ed|es)"),
        (f"ad|{_NOTICES}", "block(ed)?|hid(e|den)?|mute(d)?|snooze(d)?"),
    )
)
_IN_JAPANESE: Final = "|".join(
    f"({'|'.join(map(fold, things))})({'|'.join(between)})?({'|'.join(map(fold, done))})(した|済み?)?"
    for things, between, done in (
        (
            (
                *("メッセージ", "写真", "画像", "動画", "コメント", "下書き", "投稿", "いいね", "レビュー"),
                *("お気に入り", "ブックマーク", "タグ", "履歴", "ファイル", "キャッシュ"),
            ),
            ("を", "の"),
            ("削除", "消去", "非表示", "取り?消し?"),
        ),
        (("グループ", "チャット", "ルーム"), ("を", "から", "の"), ("退会", "脱退", "退室", "退出")),
        (("通知", "お知らせ", "メール", "音"), ("を", "の"), ("停止", "休止", "非表示", "拒否")),
        (
            ("動画", "音楽", "音声", "再生", "録音", "録画", "通話", "画面"),
            ("を", "の"),
            ("(一時)?停止", "休止", "ロック"),
        ),
    )
)
_OF_SOMETHING_ELSE: Final = re.compile(
    rf"{_OF_THINGS}|\bevents? {_WAS}(cancel(l?ed)|closed|deleted|removed)\b"
    r"|\bbanner\w*|\bbank(s|ing)?\b|\bbands?\b|\bbandwidth\b|\bholdings\b|\bholders?\b"
    r"|\block ?screen\w*|\blockers?\b|\bswip(e|ed|es|ing) left\b|\bleft swip(e|ed|es)\b"
    r"|\b(day|hour|item|like|minute|second|time)s? left\b"
    r"|\bbuttons? h[eo]ld\b|\bh[eo]ld (the )?(button|hand)s?\b|\bclosed captions?\b"
    rf"|{_IN_JAPANESE}|休日|定休日|休憩"
    r"|\bfeature flag\w*|\b(bug|crash) report(ed|s)?\b|\breport(ed)? (a |the )?(bug|crash)\b"
)
"""Words that hold a part of a restriction and are said of something else than a member."""
_OF_SOMEBODY: Final = re.compile("account|member|profile|user")
_NOUN: Final = (
    "(ban|block|break|complaint|deactivation|flag|freeze|hide|hold|lock|mute|pause|report|restriction|"
    "suspension)s?"
)
_JAPANESE: Final = "|".join(
    map(
        fold,
        (
            "ブロック",
            "通報",
            "報告",
            "非表示",
            "拒否",
            "禁止",
            "停止",
            "凍結",
            "ロック",
            "BAN",
            "バン",
            "無効化?",
        ),
    )
)
_LISTS: Final = "|".join(map(fold, ("一覧", "画面", "設定", "リスト", "ページ")))
_TAKEN_BACK: Final = re.compile(
    r"\bun ?(ban(ned)?|block(ed)?|delete(d)?|disable(d)?|flag(ged)?|fr[eo]ezen?|frozen|h[eo]ld|hid(e|den)?|"
    r"lock(ed)?|mute(d)?|pause(d)?|remove(d)?|restrict(ed)?|snooze(d)?|suspend(ed)?)\b"
    rf"|\b{_NOUN} (has been |is |was )?(lift|lifted|retracted|undone|withdrawn)\b"
    rf"|\blift(ed)? (a |an |the )?{_NOUN}\b|\b(pause|break|snooze) (was )?resumed\b"
    r"|\b(back|resumed?|returned|restored|re ?activated|re ?instated) (from|after) "
    rf"(a |an |the |being )?({_NOUN}|banned|disabled|frozen|suspended)\b"
    rf"|\b({_NOUN}|blocked|flagged|hidden|muted|reported) (accounts? |members? |people |profiles? |users? )?"
    r"(list|page|screen|settings?|tab) (opened|seen|shown|viewed)\b"
    rf"|({_JAPANESE}|休[止会眠])(の|を)?(解除|取り?消し?|取り?下げ|撤回)(した|済み?)?"
    rf"|(({_JAPANESE})中?から|休[止会眠]中?(から)?)の?(再開|復帰|復活)(した|済み?)?"
    rf"|({_JAPANESE})(した人)?(の)?({_LISTS})(を|の)?(表示|閲覧|開いた|見た)"
)
"""Words that tell that a restriction was taken back, or that somebody looked at restrictions."""


def may_separate(kind: str) -> bool:
    """Say whether a folded word for a type of event that is not known may be one that separates.

    >>> [may_separate(word) for word in ("blocked", "unblocked", "block lifted", "unblocked reported")]
    [True, False, False, True]
    """
    left = _restricting_part(kind)
    if kind and not left:
        return False
    return bool(_SAFETY_STEMS.search(left)) or bool(get_close_matches(left, SAFETY_TYPES, 1, 0.75))


def may_stop(kind: str) -> str | None:
    """Return why a folded word for a type of event may take its actor out of sight; None when it does not.

    That is a pause, somebody who leaves, or a stop by others; the words of an erasure are of those who leave.

    >>> may_stop("paused"), may_stop("withdraw"), may_stop("banned"), may_stop("ban lifted"), may_stop("lke")
    ('pause', 'leave', 'stop', None, None)
    >>> may_stop("banned for underage"), may_stop("paused until monday"), may_stop("ban not lifted")
    ('stop', 'pause', 'stop')
    >>> may_stop("banner seen"), may_stop("leave group"), may_stop("leave group and delete account")
    (None, None, 'leave')
    """
    words, left = {PAUSE: _PAUSES, LEAVE: _LEAVES, STOP: _STOPS}, _restricting_part(kind)
    return next((why for why, parts in words.items() if parts.search(left)), None)


def _restricting_part(kind: str) -> str:
    """Return a word without what it says of something else, or of a restriction that was taken back."""
    left = kind if _NOT_YET.search(kind) else _without(kind, _TAKEN_BACK)
    return left if _OF_SOMEBODY.search(left) else _without(left, _OF_SOMETHING_ELSE)


def _without(kind: str, parts: re.Pattern[str]) -> str:
    return " ".join(parts.sub(" ", kind).split()) if parts.search(kind) else kind
